"""`kshell boot`: the kernel log of a boot, or its call tree; with breakpoints."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from kshell.shell.main import OK, UNREADABLE
from kshell.shell.options import Options

if TYPE_CHECKING:
    from kshell.session.events import Event
    from kshell.session.session import Session


def show_boot(options: Options) -> int:
    """Boot a machine and print its log; with --trace or --chain the functions that ran."""
    from kshell.session.commands import CommandError

    try:
        if options.trace is not None:
            return _trace(options, options.trace)
        return _chain(options) if options.chain else _log(options)
    except CommandError as error:
        print(f"kshell: {error.message}" + (f"; {error.hint}" if error.hint else ""), file=sys.stderr)
        return UNREADABLE


def _log(options: Options) -> int:
    from kshell.session.commands.looking import log_lines
    from kshell.session.session import Session

    session = _stopping(options) if options.breaks else Session(seed=options.seed)
    for line in log_lines(session):
        print(line)
    return OK


def _chain(options: Options) -> int:
    from kshell.lens.trace_boot import trace_boot

    print(trace_boot(options.seed), end="")
    return OK


def _trace(options: Options, text: str) -> int:
    """The function graph of a boot."""
    from kshell.lens.trace_boot import boot_steps
    from kshell.lens.trace_parts import segments
    from kshell.session.events import Traced
    from kshell.session.trace_request import from_option
    from kshell.shell.output import printer

    request = from_option(text)
    steps, boot_ns = boot_steps(options.seed, request.arguments)
    shown = segments(steps, request.wanted, fold=not (request.arguments or request.unfold))
    printer(options)([Traced(0, 0, shown, request.arguments, boot_ns)])
    return OK


def _stopping(options: Options) -> Session:
    """A session that was booted under the debugger; its commands come from standard input."""
    from kshell.session.booting import BootingSession
    from kshell.shell.output import printer

    show = printer(options)

    def at_stop(shown: list[Event]) -> str | None:
        show(shown)
        if sys.stdin.isatty():
            print("(kdb) ", end="", flush=True)
        return sys.stdin.readline() or None

    return BootingSession(options.seed, options.breaks, at_stop)
