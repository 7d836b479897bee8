"""A strace log as a replay needs it: its calls with their beginnings and ends, its signals and exits, in order."""

from __future__ import annotations

import re

from kshell.lang.ast import Call, CallStatement, Result
from kshell.lang.strace import (
    CallEnd,
    CallStart,
    ExitRecord,
    Record,
    SignalRecord,
    Unreadable,
    WholeCall,
    argument_texts,
    read_log,
)

_CUT_OFF = re.compile(r"(?:\[?(?:pid +)?\d+\]? +)?(?:[\d.:]+ +)?(?P<text>(?P<name>[A-Za-z_]\w*)\(.*)", re.DOTALL)


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

    def fill(self, call: Call, text: str, result: Result | None) -> None:
        """Take over what the reader has parsed."""
        self.text = text
        self.args = argument_texts(call, text)
        self.statement = CallStatement(call, "", result)
        if result is not None:
            self.ret, self.errno = result.value, result.errno
            self.extra = f"({result.text})" if result.text else ""


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
        self._open: dict[int, LogCall] = {}
        for record in read_log(text.replace("\r\n", "\n")):
            self._add(record)

    @property
    def pids(self) -> list[int]:
        """The pids in the order of their first line."""
        return list(dict.fromkeys(event.pid for event in self.events))

    def _add(self, record: Record) -> None:
        match record:
            case SignalRecord(signal=name, source=source):
                self._mark("signal", record, name, source[source.index("---") :])
            case ExitRecord(signal=name, status=status, source=source):
                self._mark("exit", record, name or str(status), source[source.index("+++") :])
            case CallStart():
                self._open[record.pid] = self._begin(record)
            case CallEnd():
                self._end(record)
            case WholeCall():
                call = self._begin(record)
                call.fill(record.call, record.text, record.result)
                self._close(call, record)
            case Unreadable():
                self._unreadable(record)

    def _mark(self, kind: str, record: SignalRecord | ExitRecord, value: str, text: str) -> None:
        event = LogEvent(kind, record.pid, record.line, record.time)
        event.value, event.text = value, text
        self.events.append(event)

    def _begin(self, record: CallStart | WholeCall) -> LogCall:
        call = self._new_call(record.pid, record.call.name, record.line, record.time)
        if isinstance(record, CallStart):
            call.fill(record.call, record.text, None)
            if not record.resumed:  # there were more arguments, which strace never saw
                call.args.append("")
        return call

    def _new_call(self, pid: int, name: str, line: int, time: int | None) -> LogCall:
        call = LogCall(len(self.calls), pid, name, line, time)
        self.calls.append(call)
        self._event("start", call, line, time)
        return call

    def _end(self, record: CallEnd) -> None:
        call = self._open.pop(record.pid, None) if record.started else None
        if call is None or call.name != record.call.name:
            self.bad.append(LogError("a resumed call that never began", record.line))
            return
        call.fill(record.call, record.text, record.result)
        self._close(call, record)

    def _close(self, call: LogCall, record: CallEnd | WholeCall) -> None:
        call.end_line, call.end_time = record.line, record.time
        self._event("end", call, record.line, record.time)

    def _unreadable(self, record: Unreadable) -> None:
        """A last line that was cut off keeps its call, without a result; any other line is bad."""
        found = _CUT_OFF.fullmatch(record.source) if record.truncated else None
        if found is None:
            self.bad.append(LogError(record.error.summary, record.line))
            return
        self._new_call(record.pid, found["name"], record.line, record.time).text = found["text"]

    def _event(self, kind: str, call: LogCall, number: int, time: int | None) -> None:
        event = LogEvent(kind, call.pid, number, time)
        event.call = call
        self.events.append(event)
