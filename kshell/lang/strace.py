"""Reads logs of ``strace -f``: with or without pids, with -t, -tt, -ttt, -r, -T and -y, cut off or not.

``read_log(text)`` gives typed records in the order of the log. A call whose line was split (``<unfinished ...>``,
``<... resumed>``) gives a CallStart and a CallEnd; both carry the whole call, put together from its two lines, so that
it can be run where it started and compared where it ended.
"""

import re
from collections.abc import Iterator
from typing import Final, TypeAlias

from kshell.abi.record import Record as Plain
from kshell.lang.ast import Apply, Call, Node, Result
from kshell.lang.errors import LangError
from kshell.lang.lexer import Source
from kshell.lang.parser import Parser, parse_expression
from kshell.lang.statements import read_result

_NS: Final = 1_000_000_000
_DAY: Final = 24 * 3600 * _NS

_HEAD: Final = re.compile(
    r"\s*(?:\[pid\s+(?P<bracketed>\d+)(?:<[^<>]*>)?\]\s+|(?P<pid>\d+)(?:<[^<>]*>)?\s+(?!\d*\s*=))?"
    r"(?:(?P<clock>\d\d:\d\d:\d\d)(?:\.(?P<clockfrac>\d+))?\s+|(?P<seconds>\d+)\.(?P<frac>\d+)\s+)?"
    r"(?:\(\+\s*[\d.]+\)\s+)?"
    r"(?:\[\s*(?:[\da-f]+|\?+)\]\s+){0,2}"  # -n and -i: the call's number, the instruction's address
)
_RESUMED: Final = re.compile(r"<\.\.\. (?P<name>\w+) resumed>\s?")
_UNFINISHED: Final = re.compile(r"\s*<unfinished \.\.\.>\s*$")
_SIGNAL: Final = re.compile(r"--- (?:stopped by )?(?P<name>SIG\w+) ?(?P<info>\{.*\})?\s*---\s*$")
_EXITED: Final = re.compile(r"\+\+\+ exited with (?P<status>\d+) \+\+\+\s*$")
_KILLED: Final = re.compile(r"\+\+\+ killed by (?P<name>SIG\w+)(?P<core> \(core dumped\))? \+\+\+\s*$")
_DURATION: Final = re.compile(r"\s+<(?P<seconds>\d+)\.(?P<frac>\d+)>\s*$")
_NAME: Final = re.compile(r"(?P<name>[A-Za-z_]\w*)\(")
_LEFT_OUT: Final = re.compile(r"<\.\.\. resuming interrupted [\w ]*\.\.\.>|<unfinished \.\.\.>(?=\) )")
"""Arguments that strace could not show: the call is a restart, or its task was gone before it came back."""
_TALK: Final = re.compile(r"(?:strace: |\?\?\?\? |\[ Process PID=|Process \d+ |\+\+\+ superseded|--- stopped|> )")
_SUMMARY: Final = re.compile(r"% time +seconds ")
_SUMMARY_END: Final = re.compile(r"[ \d.]+ total$")


class CallStart(Plain):
    """A call that slept, or that another task's line split: it begins here. call: as far as its two lines tell."""

    pid: int
    time: int | None  # nanoseconds; None without time stamps
    call: Call
    line: int
    source: str
    resumed: bool  # whether the log has its end
    text: str  # the call alone, its lines put together; its nodes' spans are places in here


class CallEnd(Plain):
    """The end of a call that a CallStart began."""

    pid: int
    time: int | None
    call: Call
    result: Result
    line: int
    source: str
    started: int  # line of its CallStart, 0 if the log has none
    text: str


class WholeCall(Plain):
    """A call on one line."""

    pid: int
    time: int | None
    call: Call
    result: Result
    line: int
    source: str
    text: str
    duration: int | None = None  # nanoseconds, from -T


class SignalRecord(Plain):
    """``--- SIGCHLD {…} ---``: a signal reached a task."""

    pid: int
    time: int | None
    signal: str
    info: Node | None
    line: int
    source: str


class ExitRecord(Plain):
    """``+++ exited with 0 +++`` or ``+++ killed by SIGTERM +++``."""

    pid: int
    time: int | None
    status: int | None
    signal: str
    line: int
    source: str


class Unreadable(Plain):
    """A line that is none of these; truncated: the last line of a log, cut off."""

    pid: int
    time: int | None
    error: LangError
    truncated: bool
    line: int
    source: str


Record: TypeAlias = CallStart | CallEnd | WholeCall | SignalRecord | ExitRecord | Unreadable


class _Line(Plain):
    """A line with its head taken off, and the line it belongs to."""

    number: int
    text: str
    body: str
    pid: int
    time: int | None
    partner: "_Line | None" = None

    @property
    def is_unfinished(self) -> bool:
        """Whether the call goes on in a later line."""
        return _UNFINISHED.search(self.body) is not None


def read_log(text: str, filename: str = "<log>") -> Iterator[Record]:
    """The records of a log, in its order. Lines that cannot be read become Unreadable; nothing else is lost."""
    lines = list(_split(text))
    _pair(lines)
    complete = text.endswith("\n")
    for line in lines:
        if _TALK.match(line.body):
            continue
        try:
            yield _record(line, filename)
        except LangError as error:
            last = line is lines[-1] and not complete
            yield Unreadable(line.pid, line.time, error, last, line.number, line.text)


def _split(text: str) -> Iterator[_Line]:
    clock = _Clock()
    in_summary = False
    for number, line in enumerate(text.split("\n"), 1):
        in_summary = in_summary or _SUMMARY.match(line) is not None
        if in_summary or not line.strip():
            in_summary = in_summary and _SUMMARY_END.match(line) is None
            continue
        match = _HEAD.match(line)
        assert match is not None
        pid = int(match["bracketed"] or match["pid"] or 0)
        yield _Line(number, line, line[match.end() :], pid, clock.time(match))


class _Clock:
    """Turns any of strace's time stamps into growing nanoseconds."""

    def __init__(self) -> None:
        self._last = 0
        self._days = 0
        self._relative: bool | None = None

    def time(self, match: re.Match[str]) -> int | None:
        """The time of a line, None if it has none."""
        if match["clock"]:
            return self._wall(match["clock"], match["clockfrac"] or "0")
        if not match["seconds"]:
            return None
        stamp = int(match["seconds"]) * _NS + _fraction(match["frac"])
        if self._relative is None:
            self._relative = stamp < 10**8 * _NS  # -ttt counts from 1970, -r from the line before
        if self._relative:
            self._last += stamp
            return self._last
        return stamp

    def _wall(self, clock: str, fraction: str) -> int:
        hours, minutes, seconds = (int(part) for part in clock.split(":"))
        stamp = (hours * 3600 + minutes * 60 + seconds) * _NS + _fraction(fraction) + self._days * _DAY
        if stamp < self._last - _DAY // 2:
            self._days += 1
            stamp += _DAY
        self._last = max(self._last, stamp)
        return stamp


def _fraction(digits: str) -> int:
    return int(digits[:9].ljust(9, "0"))


def _pair(lines: list[_Line]) -> None:
    """Ties every unfinished line to the one that resumes it."""
    waiting: dict[int, _Line] = {}
    for line in lines:
        if _RESUMED.match(line.body):
            start = waiting.pop(line.pid, None)
            if start is not None:
                start.partner, line.partner = line, start
        if line.is_unfinished:
            waiting[line.pid] = line


def _record(line: _Line, filename: str) -> Record:
    signal = _SIGNAL.match(line.body)
    if signal is not None:
        info = parse_expression(signal["info"], filename, line.number) if signal["info"] else None
        return SignalRecord(line.pid, line.time, signal["name"], info, line.number, line.text)
    exited = _EXITED.match(line.body)
    if exited is not None:
        return ExitRecord(line.pid, line.time, int(exited["status"]), "", line.number, line.text)
    killed = _KILLED.match(line.body)
    if killed is not None:
        return ExitRecord(line.pid, line.time, None, killed["name"], line.number, line.text)
    if line.is_unfinished and line.partner is None:
        return _half_call(line, filename)
    return _call_record(line, filename)


def _call_record(line: _Line, filename: str) -> Record:
    resumed = _RESUMED.match(line.body)
    start = line.partner if resumed else line
    end = line if resumed else line.partner or line
    text, duration = _without_duration(_LEFT_OUT.sub("...", _joined(start, end)))
    call, result = _read_call(text, filename, line.number)
    if resumed:
        started = start.number if start else 0
        return CallEnd(line.pid, line.time, call, result, line.number, line.text, started, text)
    if end is not line:
        return CallStart(line.pid, line.time, call, line.number, line.text, True, text)
    return WholeCall(line.pid, line.time, call, result, line.number, line.text, text, duration)


def _joined(start: "_Line | None", end: _Line) -> str:
    """The text of a call, its two lines put together."""
    resumed = _RESUMED.match(end.body)
    if resumed is None:
        return end.body
    rest = end.body[resumed.end() :]
    if start is None:
        return f"{resumed['name']}(" + ("..., " if not rest.startswith(")") else "...") + rest
    return _UNFINISHED.sub("", start.body).rstrip(" ") + _gap(rest) + rest


def _gap(rest: str) -> str:
    return "" if rest.startswith((")", ",")) else " "


def _without_duration(body: str) -> tuple[str, int | None]:
    match = _DURATION.search(body)
    if match is None:
        return body, None
    return body[: match.start()], int(match["seconds"]) * _NS + _fraction(match["frac"])


def _read_call(text: str, filename: str, number: int) -> tuple[Call, Result]:
    source = Source(text, filename, number)
    parser = Parser(source, empty_fields=True)
    node = parser.expression()
    if not isinstance(node, Apply):
        raise source.error("not a line of an strace log", 0, len(text), expected="a system call")
    parser.expect("=")
    return Call(node.function, node.args, node.span), read_result(parser, source)


def _half_call(line: _Line, filename: str) -> CallStart:
    """A call whose end the log does not have: its arguments as far as they stand."""
    body = _UNFINISHED.sub("", line.body).rstrip(" ")
    if not _NAME.match(body):
        raise Source(line.body, filename, line.number).error("not a line of an strace log", 0, 1)
    closed = body if body.endswith(")") else body.rstrip(",") + ")"
    source = Source(closed, filename, line.number)
    node = Parser(source).expression()
    if not isinstance(node, Apply):
        raise source.error("not a line of an strace log", 0, len(closed), expected="a system call")
    call = Call(node.function, node.args, node.span)
    return CallStart(line.pid, line.time, call, line.number, line.text, False, closed)


def argument_texts(call: Call, text: str) -> list[str]:
    """The arguments of a call as they stand in its text, strace's remarks included."""
    starts = [node.span[0] for node in call.args]
    closing = call.span[1] - 1
    pieces = [text[start:end] for start, end in zip(starts, [*starts[1:], closing], strict=False)]
    return [piece.rstrip().removesuffix(",").rstrip() for piece in pieces]
