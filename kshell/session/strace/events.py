"""`kshell run` of a strace log: what the model did, as events; where it differs, the log's line too."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from kshell.session import events as ev
from kshell.session.strace.interleavings import replay_log
from kshell.session.strace.report import CallVerdict, StraceReport

Show = Callable[[Iterable[ev.Event]], None]


def replay_events(path: str, text: str, show: Show, seed: int = 0) -> int:
    """Replay a log and show its calls; the exit status: 0 all equal, 1 some differ, 3 an internal fault."""
    report = replay_log(path, text, seed)
    show(_events(report))
    if report.oops:
        return 3
    return 1 if report.wrong else 0


def _events(report: StraceReport) -> Iterator[ev.Event]:
    for number, call in enumerate(report.calls, 1):
        yield ev.CallFinished(
            number, call.time, call.pid, str(call.pid), call.name, call.args, call.ret, call.errno, call.shown
        )
        if not call.equal:
            yield _difference(number, report.path, call)
    for number, bad in enumerate(report.unreadable, 1):
        yield ev.Error(number, 0, bad.message, "", "", report.path, bad.line, 1)
    if report.oops:
        yield ev.Oops(0, 0, "internal fault", report.oops, "", report.path, 0)
    yield ev.Output(0, 0, summary(report))


def _difference(number: int, path: str, call: CallVerdict) -> ev.ExpectationFailed:
    got = f"{call.got}   ({call.reason})" if call.reason else call.got
    return ev.ExpectationFailed(number, call.time, call.text, call.expected, got, path, call.line, 1)


def summary(report: StraceReport) -> str:
    """One line: how many calls are equal, and what was passed over."""
    passed = ", ".join(f"{name} {count}" for name, count in report.passed_over.most_common())
    equal, all_ = report.interface
    parts = [f"{report.equal} of {report.comparable} calls as recorded"]
    if all_:
        parts.append(f"netlink and interfaces {equal} of {all_}")
    if passed:
        parts.append(f"passed over: {passed}")
    return "; ".join(parts)
