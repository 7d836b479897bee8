"""`kshell boot`: the kernel log of a boot, or its call tree."""

from __future__ import annotations

from kshell.shell.main import OK
from kshell.shell.options import Options


def show_boot(options: Options) -> int:
    """Boot a machine and print its log; with --chain the functions that ran."""
    if options.chain:
        return _chain(options)
    from kshell.session.commands.looking import log_lines
    from kshell.session.session import Session

    session = Session(seed=options.seed)
    for line in log_lines(session):
        print(line)
    return OK


def _chain(options: Options) -> int:
    from kshell.lens.trace_boot import trace_boot

    print(trace_boot(options.seed), end="")
    return OK
