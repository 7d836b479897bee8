"""What happens in a session, as typed records.

Every event is one JSON object (`kshell --json`, one a line). The first line of a stream is `stream`.

    FORMAT 1. Common to all: event (the kind), n (number of the command that caused it, 0: none),
              time (virtual time in nanoseconds since boot)
    kind     fields                                   meaning
    stream   format, version, seed, abi               head of the stream
    command  text, file, line, task                   a command starts
    comment  text                                     a comment of a script
    call     pid, task, name, args, ret, errno, text  a system call came back (`ret` negative: -errno)
    cause    pid, task, name, errno, meaning, cause,  why a call failed (only where `causes` are shown); step: a
             step                                     command to try, tried already on a copy of the session, or ""
    sleeps   pid, task, name, text, where, wchan, queues
                                                      a call sleeps; where: its functions, outermost first; queues:
                                                      the wait queues it stands in
    waits    pid, task, name, text, sleeping          a call that is made when its task comes back from another
    resumed  as call                                  a call that slept came back
    signal   pid, task, signal, text                  a signal was delivered
    exit     pid, task, code, signal, text            a process is gone
    packet   device, text, bytes, source, target,     a packet passed a device (bytes: its length); flow numbers
             flow, forth, before, after               its connection, forth: sent by the end that began it; before,
                                                      after: TCP states of source and target around it
    log      text                                     a line of the kernel log
    wakeup   pid, task, text                          a sleeper was made runnable
    output   text                                     what a command prints
    objects  lines                                    the objects a call touched (see below)
    change   struct, address, field, old, new         one field that a call changed
    trace    calls                                    the kernel functions a command ran through (see below)
    tracediff  first, second, texts, calls            two commands' functions (sign of a call: " ", "-" first only, "+")
    stop     number, reason, pid, task, function, file, line, text
                                                      a breakpoint has stopped the kernel: until `go`, what follows
                                                      comes from the debugger's commands
    debug    text                                     a line of a script that is for the debugger
    go       number, text                             the kernel runs again; or the call was taken back
    travel   here, of, branch, stop, text             the session is after command `here` of `of` on a branch; stop: the
                                                      packet of the next command that one looks from (0: none)
    history  commands                                 each with number, command, result, changes, undone
    difference  before, after, differs                two moments, and each thing that differs: what (time, created,
                                                      freed, changed, counter, memory, log), struct, address, where,
                                                      field, old, new
    held     text, file, line                         an expectation held
    failed   text, expected, got, file, line, column  an expectation failed
    error    message, hint, text, file, line, column  a command cannot be understood or carried out
    oops     message, traceback, text, file, line     an internal fault and the command that caused it
    summary  file, held, failed, errors, oopses       end of a file that `kshell check` has gone through

    panels   shown                                    which of these kinds are shown from now on

    A call of `trace` has depth, function, file (of Linux), pid, task (0 and "" outside of any), context (task,
    softirq, timer), time and slept (virtual nanoseconds), count (equal calls in a row), errno ("" for none), raised
    (whether the error arose there), and with -a args and ret.

    A line of `objects` has depth, sign ("" same, "new", "changed", "freed", "folded"), path (the field that
    leads to the object), struct, address, fields (their values by name), was (values before, of those that
    changed), note, text (all of these as it is shown).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, ClassVar, dataclass_transform

if TYPE_CHECKING:
    from kshell.lens.style import Line, Style
    from kshell.lens.trace_diff import DiffLine
    from kshell.lens.trace_parts import Segment
    from kshell.lens.tree import TreeLine
    from kshell.session.captured import Captured
    from kshell.session.difference import Differing

FORMAT = 1

Json = None | bool | int | str | list["Json"] | dict[str, "Json"]


@dataclass_transform(kw_only_default=False)
class Event:
    """Base of all events; `n` is the number of the command, `time` the virtual time in nanoseconds."""

    kind: ClassVar[str] = ""
    fields: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        own = tuple(name for name in vars(cls).get("__annotations__", ()) if not name.startswith("_"))
        cls.fields = cls.fields + tuple(f for f in own if f not in ("kind", "fields"))

    def __init__(self, *args: object, **named: object) -> None:
        self.__dict__.update(zip(self.fields, args, strict=False))
        self.__dict__.update(named)

    def to_json(self) -> dict[str, Json]:
        """The event as a JSON-ready dict; `FORMAT` tells the version."""
        out: dict[str, Json] = {"event": self.kind}
        for name in self.fields:
            out[name] = _plain(getattr(self, name))
        return out

    def __repr__(self) -> str:
        inner = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.fields)
        return f"{type(self).__name__}({inner})"


def _plain(value: object) -> Json:
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    to_json = getattr(value, "to_json", None)
    return to_json() if to_json is not None else str(value)


class _Numbered(Event):
    n: int
    time: int


class StreamHead(Event):
    """First line of a JSON stream."""

    kind = "stream"
    format: int
    version: str
    seed: int
    abi: str


class CommandStarted(_Numbered):
    kind = "command"
    text: str
    file: str
    line: int
    task: str


class Comment(_Numbered):
    """A comment of a script: the narration of a replay."""

    kind = "comment"
    text: str


class CallFinished(_Numbered):
    """A system call came back. `ret` is the raw result, `errno` the error's name or ""."""

    kind = "call"
    pid: int
    task: str
    name: str
    args: list[str]
    ret: int
    errno: str
    text: str


class Cause(_Numbered):
    """Why a call failed, in a line; `step` is a command that works now."""

    kind = "cause"
    pid: int
    task: str
    name: str
    errno: str
    meaning: str
    cause: str
    step: str


class CallSleeps(_Numbered):
    """A system call sleeps; `where` is its await chain (outermost function first)."""

    kind = "sleeps"
    pid: int
    task: str
    name: str
    text: str
    where: list[str]
    wchan: str
    queues: list[str]


class CallWaits(_Numbered):
    """A call is made when its task comes back from the call `sleeping`."""

    kind = "waits"
    pid: int
    task: str
    name: str
    text: str
    sleeping: str


class CallResumed(CallFinished):
    """A call that slept came back."""

    kind = "resumed"


class Signal(_Numbered):
    kind = "signal"
    pid: int
    task: str
    signal: str
    text: str


class Exit(_Numbered):
    kind = "exit"
    pid: int
    task: str
    code: int
    signal: str
    text: str


class Packet(_Numbered):
    """A packet; `flow` numbers its connection, `forth`: whether the end that sent the first packet of it sent this.
    before, after: TCP states of source and target around it ("": no socket, or a protocol without states)."""

    kind = "packet"
    device: str
    text: str
    bytes: int
    source: str
    target: str
    flow: int
    forth: bool
    before: list[str]
    after: list[str]
    _captured: Captured


class LogLine(_Numbered):
    kind = "log"
    text: str


class Wakeup(_Numbered):
    kind = "wakeup"
    pid: int
    task: str
    text: str


class Output(_Numbered):
    """Text that a command prints (lines without the last newline)."""

    kind = "output"
    text: str


class Prose(Output):
    """Running text that a command prints, help above all: a reader may fill its paragraphs to the width of its screen."""


class Drawing(Output):
    """Text that a command prints, which a reader can draw as wide as its screen and in its style."""

    def __init__(self, n: int, time: int, draw: Callable[[Style], Iterable[Line]]) -> None:
        from kshell.lens.style import PLAIN, text_of

        self.draw = draw
        super().__init__(n, time, "\n".join(text_of(line).rstrip() for line in draw(PLAIN)))


class Panels(_Numbered):
    """What is shown after calls has changed."""

    kind = "panels"
    shown: list[str]


class Objects(_Numbered):
    """The objects a call touched, from the task down."""

    kind = "objects"
    lines: list[TreeLine]


class Change(_Numbered):
    kind = "change"
    struct: str
    address: int
    field: str
    old: str
    new: str


class Traced(_Numbered):
    """The functions that a command ran through, in order of time; `segments` are told as JSON by their calls."""

    kind = "trace"
    segments: list[Segment]
    arguments: bool
    boot_ns: int

    def to_json(self) -> dict[str, Json]:
        from kshell.lens.trace_calls import calls

        found: list[Json] = list(calls(self.segments, self.boot_ns, self.arguments))
        return {"event": self.kind, "n": self.n, "time": self.time, "calls": found}


class TraceDiff(_Numbered):
    """The functions of two commands: what both ran through, and what only one did."""

    kind = "tracediff"
    first: int
    second: int
    first_text: str
    second_text: str
    lines: list[DiffLine]
    side: bool

    def to_json(self) -> dict[str, Json]:
        lines: list[Json] = [
            {"sign": x.sign, "depth": x.depth, "function": x.name, "file": x.file, "note": x.note.strip()}
            for x in self.lines
        ]
        numbers: dict[str, Json] = {"n": self.n, "time": self.time, "first": self.first, "second": self.second}
        texts: list[Json] = [self.first_text, self.second_text]
        return {"event": self.kind, **numbers, "texts": texts, "calls": lines}


class Stop(_Numbered):
    """The debugger has stopped the kernel in `function`; `reason` says why, `text` is the line that comes next."""

    kind = "stop"
    number: int
    reason: str
    pid: int
    task: str
    function: str
    file: str
    line: int
    text: str


class Debug(_Numbered):
    """A script's command for the debugger, at a stop."""

    kind = "debug"
    text: str


class Go(_Numbered):
    """The stop is left; `text` is what to tell of it."""

    kind = "go"
    number: int
    text: str


class Travel(_Numbered):
    """The session has gone to another moment; `text` says where."""

    kind = "travel"
    here: int
    of: int
    branch: str
    stop: int
    text: str


class HistoryLine(Event):
    """One command of the session: its result and what it changed, in a line; undone: it could be done again."""

    number: int
    command: str
    result: str
    changes: str
    undone: bool

    def to_json(self) -> dict[str, Json]:
        return {name: _plain(getattr(self, name)) for name in self.fields}


class History(_Numbered):
    """Commands of the session."""

    kind = "history"
    commands: list[HistoryLine]


class Difference(_Numbered):
    """What differs between two moments; everything: whether a reader wants to see all of it."""

    kind = "difference"
    before: str
    after: str
    differs: list[Differing]
    everything: bool


class ExpectationHeld(_Numbered):
    kind = "held"
    text: str
    file: str
    line: int


class ExpectationFailed(_Numbered):
    kind = "failed"
    text: str
    expected: str
    got: str
    file: str
    line: int
    column: int


class Summary(_Numbered):
    """End of a checked file: how many expectations held and failed."""

    kind = "summary"
    file: str
    held: int
    failed: int
    errors: int
    oopses: int


class Error(_Numbered):
    """A command that could not be understood or carried out; `text` is its line, `column` counts from 1."""

    kind = "error"
    message: str
    hint: str
    text: str
    file: str
    line: int
    column: int


class Oops(_Numbered):
    """An internal fault: an exception that is no KernelError came out of the model."""

    kind = "oops"
    message: str
    traceback: str
    text: str
    file: str
    line: int
