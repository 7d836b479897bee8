"""The interactive prompt, in its plainest form: lines are read one after another, without editing or completion."""

from __future__ import annotations

import sys

from kshell.session.pieces import balance
from kshell.session.session import Session
from kshell.shell.options import Options
from kshell.shell.output import printer


def prompt(options: Options) -> int:
    """Read commands until end of file, `exit` or `quit`."""
    show = printer(options)
    session = Session(seed=options.seed, show=options.panels())
    print(session.banner())
    while not session.ended:
        try:
            text = _read(f"{session.next_number} {session.task_name}> ")
        except KeyboardInterrupt:
            print()
            continue
        if text is None:
            print()
            break
        show(session.execute(text))
    return 0


def _read(prompt_text: str) -> str | None:
    """A command, over several lines while a bracket is open; None at the end of input."""
    print(prompt_text, end="", flush=True)
    text = sys.stdin.readline()
    if not text:
        return None
    while balance(text) > 0:
        print(" " * (len(prompt_text) - 2) + "… ", end="", flush=True)
        more = sys.stdin.readline()
        if not more.strip():
            break
        text += more
    return text
