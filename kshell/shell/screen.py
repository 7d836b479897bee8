"""Where the prompt prints: events as text in the colours that are set, paged when a command says much."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from kshell.lens.text import printable
from kshell.session import events as ev
from kshell.shell.output import wants_colour
from kshell.shell.plain import PlainText
from kshell.shell.wrap import laid_out, wrapped

if TYPE_CHECKING:
    from kshell.session.session import Session
    from kshell.shell.options import Options

_QUIET = frozenset({"command", "output", "held", "error"})
"""Events of a command that only says something: they may be paged."""


class Screen:
    """Standard output of an interactive session."""

    def __init__(self, options: Options, session: Session) -> None:
        self.options = options
        self.session = session
        self.hurried: Callable[[], bool] = lambda: False
        """Whether there is more to run that is typed or pasted already: nobody waits for an answer to be read."""

    def coloured(self) -> bool:
        """Whether to colour: --color, then the settings, then the environment and the terminal."""
        setting = self.session.settings["color"]
        if self.session.settings["screen_reader"] == "on":
            return False
        if self.options.color != "auto" or setting == "auto":
            return wants_colour(self.options, sys.stdout)
        return setting == "always"

    def show(self, events: Iterable[ev.Event]) -> None:
        """Print the events of a command as they come; what only a command says is paged if it is long."""
        view = self._view()
        held: list[str] | None = []
        traced = False
        for event in events:
            lines = [*view.lines(event), *view.message(event)]
            traced = traced or event.kind in ("trace", "tracediff")
            if held is not None and (event.kind in _QUIET or traced):
                held += lines
                continue
            if held:
                self._write(held)
            held = None
            self._write(lines)
        if held:
            self._page(held)

    def say(self, text: str) -> None:
        """Print text that is no event, paged if it is long."""
        size = self._size()
        self._page([*laid_out(printable(text), size.columns if size else 0)])

    def echo(self, prompt: str, text: str) -> None:
        """Print a command as if it had been typed."""
        begin = " " * max(0, len(prompt) - 2) + "… "
        first, *more = printable(text).split("\n")
        self._write([prompt + first, *(begin + line for line in more)])

    def _view(self) -> PlainText:
        panels = self.session.show | {"output"} if not self.options.quiet else frozenset({"output"})
        size = self._size()
        glyphs = "words" if self.session.settings["screen_reader"] == "on" else "boxes"
        light = self.session.settings["background"] == "light"
        return PlainText(panels, self.coloured(), width=size.columns if size else 0, glyphs=glyphs, light=light)

    def _write(self, lines: Iterable[str]) -> None:
        text = "".join(line + "\n" for line in lines)
        if text:
            sys.stdout.write(text)
            sys.stdout.flush()

    def _page(self, lines: list[str]) -> None:
        size = self._size()
        rows = [row for line in lines for row in wrapped(line, size.columns)] if size else lines
        if size is None or not self._may_page() or len(rows) < size.lines:
            self._write(rows)
        else:
            from kshell.shell.pager import page

            page(rows)

    def _may_page(self) -> bool:
        settings, capable = self.session.settings, os.environ.get("TERM", "dumb") != "dumb" and sys.stdin.isatty()
        return capable and settings["pager"] == "auto" and settings["screen_reader"] == "off" and not self.hurried()

    def _size(self) -> os.terminal_size | None:
        try:
            return os.get_terminal_size(sys.stdout.fileno())
        except (OSError, ValueError, AttributeError):
            return None
