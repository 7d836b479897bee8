"""Plain lines for terminals that can do no more, for screen readers and for pipes: no escape sequence is sent."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable

from kshell.session.pieces import balance


class PlainReader:
    """Reads a command over as many lines as its brackets are open."""

    breaks = True
    """Ctrl-C is a signal, that breaks the reading off."""

    def __init__(self, prompt: Callable[[], str], history: Iterable[str] = ()) -> None:
        self.prompt = prompt
        self._line = _readline(history) if os.environ.get("TERM", "dumb") != "dumb" else _bare

    def read(self, default: str = "") -> str:
        """The next command; EOFError at its end, KeyboardInterrupt at Ctrl-C."""
        prompt = self.prompt()
        text = self._line(prompt)
        while balance(text) > 0:
            more = self._line("... ".rjust(len(prompt)))
            if not more.strip():
                break
            text += "\n" + more
        return text


def _bare(prompt: str) -> str:
    """A line without any editing but the terminal's own."""
    sys.stdout.write(prompt)
    sys.stdout.flush()
    line = sys.stdin.readline()
    if not line:
        sys.stdout.write("\n")
        raise EOFError
    return line.rstrip("\n")


def _readline(history: Iterable[str]) -> Callable[[str], str]:
    """Lines edited by GNU readline, if Python has it; without its escape sequence for paste."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return _bare
    try:
        import readline
    except ImportError:
        return _bare
    readline.parse_and_bind("set enable-bracketed-paste off")
    for entry in history:
        readline.add_history(entry.replace("\n", " "))
    return input
