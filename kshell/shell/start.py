"""`kshell` without arguments: paint, then import, then prompt."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kshell.shell.options import Options
    from kshell.shell.paint import Keyboard


def start(options: Options) -> int:
    """The interactive session; its exit status."""
    keyboard = _greeted(options) if is_capable() else None
    try:
        from kshell.shell.prompt import Prompt

        return Prompt(options, keyboard).run()
    finally:
        if keyboard is not None:
            keyboard.restore()


def _greeted(options: Options) -> Keyboard:
    from kshell.shell.paint import greet

    return greet(options)


def is_capable() -> bool:
    """Whether the terminal can do what an editor needs."""
    return sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"
