"""Lines of a strace log: who, when, what. Calls that a log shows in two parts are put together."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kshell.lang.ast import CallStatement

_HEAD = re.compile(
    r"(?:\[pid +(?P<bracketed>\d+)\] +|(?P<pid>\d+) +)?"
    r"(?:(?P<clock>\d\d:\d\d:\d\d(?:\.\d+)?) +| *(?P<seconds>\d+\.\d+) +)?"
    r"(?P<rest>.*)",
    re.DOTALL,
)
_RESUMED = re.compile(r"<\.\.\. (\w+) resumed>(.*)", re.DOTALL)
_UNFINISHED = re.compile(r"(\w+)\((.*?)\s*<unfinished \.\.\.>\s*", re.DOTALL)
_SIGNAL = re.compile(r"--- (\w+)(?: \{(.*)\})? ---")
_EXITED = re.compile(r"\+\+\+ exited with (\d+) \+\+\+")
_KILLED = re.compile(r"\+\+\+ killed by (\w+)")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|/\*.*?\*/|<|[(){}\[\],]', re.DOTALL)
_RESULT = re.compile(
    r"\s*= (?P<ret>0x[0-9a-f]+|-?\d+|\?)(?:<[^ ]*)?(?: (?P<errno>E[A-Z0-9_]+))?(?P<extra>.*)", re.DOTALL
)
_SPENT = re.compile(r" <\d+\.\d+>\s*$")


class LogError(Exception):
    """A line is not strace's; `line` counts from 1."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.message = message
        self.line = line


class LogCall:
    """A call as the log shows it. `ret` is None for `= ?`; `end_line` 0: it never came back."""

    __slots__ = (
        "args", "end_line", "end_time", "errno", "extra", "index", "name", "pid", "ret", "start_line", "start_time",
        "statement", "text",
    )  # fmt: skip

    def __init__(self, index: int, pid: int, name: str, line: int, time: int | None) -> None:
        self.index = index
        self.pid = pid
        self.name = name
        self.start_line = line
        self.start_time = time
        self.end_line = 0
        self.end_time = time
        self.text = ""
        self.args: list[str] = []
        self.ret: int | None = None
        self.errno = ""
        self.extra = ""
        self.statement: CallStatement | None = None

    @property
    def in_two_parts(self) -> bool:
        return self.end_line != self.start_line


class LogEvent:
    """One line: `kind` is start, end (of `call`), signal or exit; `time` in nanoseconds or None."""

    __slots__ = ("call", "kind", "line", "pid", "text", "time", "value")

    def __init__(self, kind: str, pid: int, line: int, time: int | None) -> None:
        self.kind = kind
        self.pid = pid
        self.line = line
        self.time = time
        self.call: LogCall | None = None
        self.value = ""
        self.text = ""


class Log:
    """A whole log: its events in order, its calls; `bad`: lines that are not strace's, with why."""

    def __init__(self, text: str) -> None:
        self.events: list[LogEvent] = []
        self.calls: list[LogCall] = []
        self.bad: list[LogError] = []
        self._open: dict[int, tuple[LogCall, str]] = {}
        self._last_time: int | None = None
        self._relative = False
        for number, line in enumerate(text.split("\n"), 1):
            line = line.rstrip("\r")
            if line.strip():
                try:
                    self._line(line, number)
                except LogError as error:
                    self.bad.append(error)
        for call, first in self._open.values():
            self._fill(call, call.name + "(" + first)

    @property
    def pids(self) -> list[int]:
        """The pids in the order of their first line."""
        return list(dict.fromkeys(event.pid for event in self.events))

    def _line(self, line: str, number: int) -> None:
        head = _HEAD.match(line)
        assert head is not None
        pid = int(head["bracketed"] or head["pid"] or 0)
        time = self._time(head)
        rest = head["rest"]
        if rest.startswith("<... "):
            self._end(rest, pid, number, time)
        elif rest.startswith("--- "):
            self._mark("signal", _SIGNAL, rest, pid, number, time)
        elif rest.startswith("+++ "):
            pattern = _KILLED if rest.startswith("+++ killed") else _EXITED
            self._mark("exit", pattern, rest, pid, number, time)
        elif rest.startswith("strace: "):
            return
        else:
            self._begin(rest, pid, number, time)

    def _time(self, head: re.Match[str]) -> int | None:
        if head["clock"]:
            hours, minutes, seconds = head["clock"].split(":")
            return _nanoseconds(seconds) + (int(hours) * 60 + int(minutes)) * 60_000_000_000
        if not head["seconds"]:
            return None
        time = _nanoseconds(head["seconds"])
        if self._last_time is None:
            self._relative = time < 100_000 * 1_000_000_000
        if self._relative:
            time += self._last_time or 0
        self._last_time = time
        return time

    def _mark(self, kind: str, pattern: re.Pattern[str], rest: str, pid: int, number: int, time: int | None) -> None:
        match = pattern.match(rest)
        if match is None:
            raise LogError("a signal or exit that cannot be read", number)
        event = LogEvent(kind, pid, number, time)
        event.value = match[1]
        event.text = rest
        self.events.append(event)

    def _begin(self, rest: str, pid: int, number: int, time: int | None) -> None:
        unfinished = _UNFINISHED.fullmatch(rest)
        name = unfinished[1] if unfinished else rest.partition("(")[0]
        if not name.isidentifier() or "(" not in rest:
            raise LogError("no system call, signal or exit", number)
        call = LogCall(len(self.calls), pid, name, number, time)
        self.calls.append(call)
        self._event("start", call, number, time)
        if unfinished:
            self._open[pid] = (call, unfinished[2])
        else:
            self._fill(call, rest)
            call.end_line = number
            self._event("end", call, number, time)

    def _end(self, rest: str, pid: int, number: int, time: int | None) -> None:
        resumed = _RESUMED.match(rest)
        if resumed is None or pid not in self._open or self._open[pid][0].name != resumed[1]:
            raise LogError("a resumed call that never began", number)
        call, first = self._open.pop(pid)
        call.end_line, call.end_time = number, time
        self._fill(call, f"{call.name}({_joined(first, resumed[2])}")
        self._event("end", call, number, time)

    def _event(self, kind: str, call: LogCall, number: int, time: int | None) -> None:
        event = LogEvent(kind, call.pid, number, time)
        event.call = call
        self.events.append(event)

    def _fill(self, call: LogCall, text: str) -> None:
        call.text = text
        at = len(call.name) + 1
        call.args, end = split_arguments(text, at)
        result = _RESULT.match(_SPENT.sub("", text[end:]))
        if result is None:
            return
        call.ret = None if result["ret"] == "?" else int(result["ret"], 0)
        call.errno = result["errno"] or ""
        call.extra = result["extra"].strip()


def _joined(first: str, second: str) -> str:
    """Both halves of a call; strace leaves out the comma where the cut is behind one."""
    if first and not first.rstrip().endswith(",") and second.lstrip()[:1] not in (")", ",", ""):
        return f"{first}, {second.lstrip()}"
    return f"{first} {second.lstrip()}" if first.endswith(",") else first + second


def _nanoseconds(seconds: str) -> int:
    whole, _, fraction = seconds.partition(".")
    return int(whole) * 1_000_000_000 + int((fraction + "000000000")[:9])


def split_arguments(text: str, at: int) -> tuple[list[str], int]:
    """The arguments from `at` (behind the open parenthesis) on, and where the closing one's successor is."""
    depth, start, found = 0, at, []
    position = at
    while (token := _TOKEN.search(text, position)) is not None:
        position = token.end()
        char = token[0]
        if char == "<":
            position = _skip_annotation(text, token.start())
        elif char in "([{":
            depth += 1
        elif char == "," and depth == 0:
            found.append(text[start : token.start()].strip())
            start = position
        elif char in ")]}":
            if depth == 0:
                last = text[start : token.start()].strip()
                return ([*found, last] if last or found else found), position
            depth -= 1
    last = text[start:].strip()
    return ([*found, last] if last or found else found), len(text)


def _skip_annotation(text: str, at: int) -> int:
    """Behind `3</path>` or `3<TCP:[a->b]>` as `strace -y` writes them; a `<` elsewhere is passed over alone."""
    if at == 0 or not (text[at - 1].isdigit() or text[at - 1] == "D"):
        return at + 1
    depth = 0
    for position in range(at + 1, len(text)):
        char = text[position]
        depth += (char == "[") - (char == "]")
        if char == ">" and depth <= 0:
            return position + 1
    return at + 1


def entries(log: Log) -> Iterator[LogEvent]:
    """The events of a log, in order."""
    return iter(log.events)
