"""Every setting: what it may be, what it is at first, and what it does.

`set NAME VALUE` changes one for the session; `kshell config` writes a file of them that the prompt reads.
What a setting does is looked up where it matters: `session.settings["editing"]`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

ON_OFF: Final = ("on", "off")


class Setting:
    """One setting: the values it may have, and `default`, which it has unless set."""

    __slots__ = ("default", "help", "kept", "name", "values")

    def __init__(self, name: str, values: tuple[str, ...], default: str, help: str, kept: bool = False) -> None:
        self.name = name
        self.values = values
        self.default = default
        self.help = help
        self.kept = kept
        """Whether it changes what calls do, so that a saved session needs it."""

    @property
    def summary(self) -> str:
        """The first line of the help text."""
        return self.help.split("\n", 1)[0]

    def usage(self) -> str:
        """`editing emacs|vi`"""
        return f"{self.name} {'|'.join(self.values)}"


TABLE: Final = (
    Setting("abi", ("i386", "x86_64"), "i386", "How socket calls enter the kernel.\n"
            "i386: by sys_socketcall and its table, as old C libraries do; x86_64: each by its own number.", kept=True),
    Setting("args", ON_OFF, "off", "Show the names of arguments in a call's line."),
    Setting("view", ("objects", "line", "full", "off"), "objects", "What is shown after each call.\n"
            "line: the call; objects: also the objects it touched; full: also packets, log and wakeups, and every field;\n"
            "off: nothing but errors. The settings below switch single panels."),
    Setting("objects", ON_OFF, "on", "Show the objects that a call touched, as a tree from the task down.\n"
            "+ new, ~ changed (old → new), - freed; what did not change is folded (…)."),
    Setting("packets", ON_OFF, "off", "Show the packets that passed a device, as tcpdump writes them."),
    Setting("log", ON_OFF, "off", "Show new lines of the kernel log."),
    Setting("wakeups", ON_OFF, "off", "Show which sleeping tasks were made runnable."),
    Setting("signals", ON_OFF, "on", "Show signals, and the ends of tasks."),
    Setting("causes", ON_OFF, "on", "Show below a failing call why it failed, and what to try."),
    Setting("editing", ("emacs", "vi"), "emacs", "Keys at the prompt, as in emacs or as in vi. F3 switches."),
    Setting("complete", ("typing", "tab"), "typing", "Show completions while typing, or only at Tab."),
    Setting("suggest", ON_OFF, "on", "Suggest the rest of a line from history, in grey; the right arrow takes it."),
    Setting("signature", ON_OFF, "on", "Show the prototype of the call under the prompt, the current argument marked."),
    Setting("toolbar", ON_OFF, "on", "Show the function keys in the last line of the screen."),
    Setting("clock", ON_OFF, "on", "Show virtual time at the right of the prompt."),
    Setting("tips", ON_OFF, "on", "Say now and then what could be tried next."),
    Setting("pager", ("auto", "off"), "auto", "Page what a command prints when it is longer than the screen.\n"
            "$PAGER is used if it is set, else less if there is one, else a small pager of kshell's own."),
    Setting("color", ("auto", "always", "never"), "auto", "Colours: where the terminal has them, always, or never.\n"
            "--color comes before it, NO_COLOR and FORCE_COLOR before auto."),
    Setting("background", ("dark", "light"), "dark", "Colours that can be read on a dark or on a light background."),
    Setting("screen_reader", ON_OFF, "off", "Plain lines for a screen reader: no boxes, colours, menus or toolbar."),
    Setting("history", ON_OFF, "on", "Keep what is typed in ~/.local/state/kshell/history."),
)  # fmt: skip

BY_NAME: Final = {setting.name: setting for setting in TABLE}


def defaults() -> dict[str, str]:
    """What every setting is at first."""
    return {setting.name: setting.default for setting in TABLE}


def problem(name: str, value: str) -> tuple[str, str] | None:
    """Why a setting can't be that, and a hint; None if it can."""
    setting = BY_NAME.get(name)
    if setting is None:
        from kshell.lang.nearest import nearest

        near = nearest(name, BY_NAME)
        return f"there is no setting {name!r}", f"did you mean {near}?" if near else f"there are: {', '.join(BY_NAME)}"
    if value not in setting.values:
        return f"{name} is one of: {', '.join(setting.values)}", setting.summary
    return None


def rows(values: dict[str, str]) -> Iterator[str]:
    """Every setting with its value and what it does, aligned."""
    width = max(len(name) for name in BY_NAME)
    for setting in TABLE:
        value = values.get(setting.name, setting.default)
        yield f"{setting.name:{width}}  {value:8}  {setting.summary}"
