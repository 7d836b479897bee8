"""What is shown after a command: panels that can be switched one by one, and views that are sets of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from kshell.session import events as ev

if TYPE_CHECKING:
    from kshell.session.session import Session

SWITCHES: Final = ("objects", "packets", "log", "wakeups", "signals", "causes")
"""Panels with a setting of their own name."""

VIEWS: Final = {
    "off": frozenset[str](),
    "line": frozenset({"line", "signals", "causes"}),
    "objects": frozenset({"line", "objects", "signals", "causes"}),
    "full": frozenset({"line", "objects", "packets", "log", "wakeups", "signals", "causes"}),
}
"""The setting `view`: the panels of each view."""


def chosen(show: frozenset[str], settings: Mapping[str, str]) -> frozenset[str]:
    """The panels when some are set: `show` is what the reader shows otherwise."""
    if "view" in settings:
        show = VIEWS[settings["view"]] | show & {"changes"}
    for name in SWITCHES:
        if name in settings:
            show = show | {name} if settings[name] == "on" else show - {name}
    return show


def of(show: frozenset[str]) -> dict[str, str]:
    """The settings that say what is shown."""
    return {name: "on" if name in show else "off" for name in SWITCHES}


def is_one(name: str) -> bool:
    """Whether a setting is about what is shown."""
    return name == "view" or name in SWITCHES


def apply(session: Session, name: str) -> None:
    """A setting about what is shown has changed: show so from now on, and tell the readers."""
    session.show = chosen(session.show, {name: session.settings[name]})
    session.settings |= of(session.show)
    session.emit(ev.Panels, sorted(session.show))
