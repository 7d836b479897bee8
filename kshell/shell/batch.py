"""`kshell -c`, `kshell run` and commands from standard input."""

from __future__ import annotations

import sys

from kshell.session.session import Session
from kshell.shell.inputs import Input, Unreadable, read
from kshell.shell.main import FAILED, FAULT, OK, UNREADABLE
from kshell.shell.options import Options
from kshell.shell.output import printer

NOT_FOR_LOGS = """\
--trace and --break are for scripts: a strace log is replayed in several passes, until its order fits.
Its lines are commands, though: put those that you want to look into into a file, and run that with --trace."""


def run_texts(options: Options) -> int:
    """Execute every -c TEXT in one session."""
    show = printer(options)
    session = Session(seed=options.seed, show=options.panels())
    show([session.head()])
    try:
        prepare(session, options)
    except Unreadable as error:
        print(error, file=sys.stderr)
        return UNREADABLE
    session.texts = iter(options.texts)
    for text in session.texts:
        show(session.execute(text, file="-c"))
    show(session.finish())
    return exit_status(session)


def run_stdin(options: Options) -> int:
    """Execute what standard input holds."""
    return run_one(options, "-", echo=False)


def run_files(options: Options) -> int:
    """Replay every FILE in a session of its own, narrated."""
    return max(run_one(options, name, echo=not options.quiet) for name in options.files)


def run_one(options: Options, name: str, echo: bool) -> int:
    """Replay one FILE."""
    try:
        source = read(name)
        return _replay(options, source, echo)
    except Unreadable as error:
        print(error, file=sys.stderr)
        return UNREADABLE


def _replay(options: Options, source: Input, echo: bool) -> int:
    if source.kind in ("raw call records", "packetdrill script"):
        hint = "try: kshell check " + source.name if source.kind == "raw call records" else "this version does not run them"
        raise Unreadable(f"{source.name}:1:1: {source.kind}: {hint}")
    show = printer(options, echo)
    if source.kind == "strace log":
        if options.trace is not None or options.breaks:
            raise Unreadable(f"{source.name}: {NOT_FOR_LOGS}")
        from kshell.session.strace.events import replay_events

        return replay_events(source.name, source.text, show, options.seed)
    session = Session(seed=options.seed, show=options.panels())
    prepare(session, options)
    show([session.head()])
    show(session.execute(source.text, file=source.name))
    show(session.finish())
    return exit_status(session)


def _capture(session: Session, path: str) -> None:
    from kshell.session.commands import CommandError

    try:
        session.capture(None, "any", path)
    except CommandError as error:
        raise Unreadable(f"--pcap: {error.message}") from None


def prepare(session: Session, options: Options) -> None:
    """Capture, trace and set breakpoints as the command line says; Unreadable if it names no file or function."""
    if options.pcap:
        _capture(session, options.pcap)
    if options.trace is None and not options.breaks:
        return
    from kshell.session.commands import CommandError
    from kshell.session.commands.debugging import do_break
    from kshell.session.instruments import instruments_of
    from kshell.session.trace_request import from_option

    try:
        if options.trace is not None:
            instruments_of(session).request = from_option(options.trace)
        for text in options.breaks:
            do_break.run(session, text)
    except CommandError as error:
        raise Unreadable(f"kshell: {error.message}" + (f"; {error.hint}" if error.hint else "")) from None


def exit_status(session: Session) -> int:
    """What the process says about a session."""
    if session.oopses:
        return FAULT
    if session.errors:
        return UNREADABLE
    return FAILED if session.failed else OK
