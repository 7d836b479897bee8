"""`kshell check`: hold every expectation in files of any kind; a line for each that fails, a summary at the end."""

from __future__ import annotations

import sys
from collections.abc import Callable

from kshell.lens.text import one_line
from kshell.session import events as ev
from kshell.session.kinds import Kind
from kshell.shell.inputs import Input, Unreadable, read
from kshell.shell.main import FAILED, FAULT, OK, UNREADABLE
from kshell.shell.options import Options
from kshell.shell.output import JsonLines, Printer, printer
from kshell.shell.plain import shorten

Show = Printer | JsonLines


class Tally:
    """Expectations of one or more files."""

    def __init__(self) -> None:
        self.held = self.failed = self.errors = self.oopses = 0

    def add(self, other: Tally) -> None:
        for name in ("held", "failed", "errors", "oopses"):
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def status(self) -> int:
        """The exit status for what was found."""
        if self.oopses:
            return FAULT
        if self.errors:
            return UNREADABLE
        return FAILED if self.failed else OK

    def summary(self) -> str:
        """One line for people."""
        parts = [f"{self.held} of {self.held + self.failed} expectations hold"]
        kinds = ((self.errors, "error", "errors"), (self.oopses, "oops", "oopses"))
        parts += [f"{count} {one if count == 1 else more}" for count, one, more in kinds if count]
        return ", ".join(parts)


def check_files(options: Options) -> int:
    """Check every FILE; the worst status counts."""
    show = printer(options)
    total, status = Tally(), OK
    for name in options.files:
        try:
            source = read(name)
            name = source.name
            tally = _CHECKS[source.kind](source, options, show)
        except Unreadable as error:
            print(error, file=sys.stderr)
            status = max(status, UNREADABLE)
            continue
        except OSError:
            raise  # where to write to
        except Exception as error:
            tally = _oops(error, name, show)
        total.add(tally)
        if options.json:
            counts = (tally.held, tally.failed, tally.errors, tally.oopses)
            show([ev.Summary(0, 0, name, *counts)])
        else:
            print(f"{one_line(name)}: {tally.summary()}")
    if len(options.files) > 1 and not options.json:
        print(f"all: {total.summary()}")
    return max(status, total.status())


def _oops(error: Exception, name: str, show: Show) -> Tally:
    """An internal fault: the file that caused it is told, the others are still checked."""
    from traceback import format_exception

    trace = "".join(format_exception(error, limit=-12))
    show([ev.Oops(0, 0, f"{type(error).__name__}: {error}", trace, "", name, 0)])
    tally = Tally()
    tally.oopses = 1
    return tally


def _script(source: Input, options: Options, show: Show) -> Tally:
    from kshell.session.session import Session

    session = Session(seed=options.seed, show=options.panels(), terse=not options.json)
    if options.json:
        show([session.head()])
    show(session.execute(source.text, file=source.name))
    show(session.finish())
    tally = Tally()
    tally.held, tally.failed = session.held, session.failed
    tally.errors, tally.oopses = session.errors, session.oopses
    return tally


def _strace(source: Input, options: Options, show: Show) -> Tally:
    from kshell.session.strace.interleavings import replay_log

    report = replay_log(source.name, source.data.decode("utf-8", "surrogateescape"), options.seed)
    tally = Tally()
    for bad in report.unreadable:
        tally.errors += 1
        show([ev.Error(0, 0, bad.message, "", "", source.name, bad.line, 1)])
    for call in report.calls:
        if call.equal:
            tally.held += 1
            continue
        tally.failed += 1
        reason = f"{call.got}   ({call.reason})" if call.reason else call.got
        show([ev.ExpectationFailed(0, 0, shorten(call.text), call.expected, reason, source.name, call.line, 1)])
    if report.oops:
        tally.oopses += 1
        show([ev.Oops(0, 0, "oops", report.oops, "", source.name, 0)])
    if not options.json and not options.quiet:
        _say_passed_over(report.passed_over)
    return tally


def _say_passed_over(counts: dict[str, int]) -> None:
    if counts:
        listed = ", ".join(f"{name} {count}" for name, count in sorted(counts.items(), key=lambda x: (-x[1], x[0])))
        print(f"passed over, not about files, sockets, tasks or time: {listed}")


def _records(source: Input, options: Options, show: Show) -> Tally:
    from kshell.session.records import RecordError
    from kshell.session.records_check import check_records

    tally = Tally()
    try:
        for held, text, expected, got, line in check_records(source.name, source.data):
            if held:
                tally.held += 1
            else:
                tally.failed += 1
                show([ev.ExpectationFailed(0, 0, text, expected, got, source.name, line, 1)])
    except RecordError as error:
        raise Unreadable(str(error)) from None
    return tally


def _packetdrill(source: Input, options: Options, show: Show) -> Tally:
    from kshell.lang.errors import LangError
    from kshell.lang.packetdrill import parse

    try:
        script = parse(source.text, source.name)
    except LangError as error:
        place = f"{source.name}:{error.place.line}:{error.place.column}"
        raise Unreadable(f"{place}: a packetdrill script, it seems: {error.message}") from None
    events = len(script.events)
    raise Unreadable(f"{source.name}:1:1: a packetdrill script of {events} events: this version does not run them yet")


_CHECKS: dict[Kind, Callable[[Input, Options, Show], Tally]] = {
    "script": _script,
    "strace log": _strace,
    "raw call records": _records,
    "packetdrill script": _packetdrill,
}
