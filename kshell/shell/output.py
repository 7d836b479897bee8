"""Where events go: plain text on standard output and messages on standard error, or JSON lines."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable

from kshell.session import events as ev
from kshell.shell.options import Options
from kshell.shell.plain import PlainText

JSON_PANEL = {
    "objects": "objects",
    "change": "changes",
    "packet": "packets",
    "log": "log",
    "wakeup": "wakeups",
    "cause": "causes",
}


class Printer:
    """Prints events as text."""

    def __init__(self, options: Options, echo: bool = False) -> None:
        panels = options.panels() | (frozenset() if options.subcommand == "check" else {"output"})
        self.view = PlainText(panels, wants_colour(options, sys.stdout), echo=echo, width=_width())
        self.messages = PlainText(frozenset(), wants_colour(options, sys.stderr))

    def __call__(self, events: Iterable[ev.Event]) -> None:
        for event in events:
            if lines := [*self.view.lines(event)]:
                sys.stdout.write("\n".join([*lines, ""]))
            if message := self.messages.message(event):
                sys.stdout.flush()
                print("\n".join(message), file=sys.stderr)


class JsonLines:
    """Prints events as JSON, one a line; panels that are not asked for are left out."""

    def __init__(self, options: Options) -> None:
        from json import dumps

        self._dumps = dumps
        self.panels = options.panels()

    def __call__(self, events: Iterable[ev.Event]) -> None:
        for event in events:
            if isinstance(event, ev.Panels):
                self.panels = frozenset(event.shown)
            panel = JSON_PANEL.get(event.kind)
            if panel is None or panel in self.panels:
                print(self._dumps(event.to_json(), ensure_ascii=True, separators=(",", ":")))


def _width() -> int:
    """Columns of the terminal; 0 if standard output is none."""
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns
    except (OSError, ValueError, AttributeError):
        return 0


def printer(options: Options, echo: bool = False) -> Printer | JsonLines:
    """The reader of events that the command line asks for."""
    return JsonLines(options) if options.json else Printer(options, echo)


def wants_colour(options: Options, stream: object) -> bool:
    """Whether to colour: --color, then NO_COLOR and FORCE_COLOR, then whether a capable terminal reads."""
    if options.color != "auto":
        return options.color == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    isatty = getattr(stream, "isatty", None)
    return bool(isatty and isatty()) and os.environ.get("TERM", "dumb") != "dumb"
