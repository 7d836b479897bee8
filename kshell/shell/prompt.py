"""The interactive prompt: its place. Until it is built, lines are read one after another without editing."""

from __future__ import annotations

import sys

from kshell.session.session import Session
from kshell.shell.options import Options
from kshell.shell.output import printer


def prompt(options: Options) -> int:
    """Read commands until end of file, `exit` or `quit`."""
    show = printer(options)
    session = Session(seed=options.seed, show=options.panels())
    print(session.banner())
    while not session.ended:
        print(f"{session.next_number} {session.task_name}> ", end="", flush=True)
        line = sys.stdin.readline()
        if not line:
            print()
            break
        show(session.execute(line, file=""))
    return 0
