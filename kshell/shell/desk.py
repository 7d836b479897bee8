"""What the line editor asks of the session: prompt, clock, settings, validation, explanations, tips."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from kshell.session import settings
from kshell.session.commands import CommandError
from kshell.session.pieces import asks, balance
from kshell.shell.tips import tip

if TYPE_CHECKING:
    from prompt_toolkit.formatted_text import StyleAndTextTuples

    from kshell.session.validate import Problem
    from kshell.shell.prompt import Prompt


STOPPED = "(kdb) "
"""The prompt while the debugger has stopped the kernel."""


class SessionDesk:
    """The editor's view of an interactive session."""

    def __init__(self, prompt: Prompt) -> None:
        self._prompt = prompt
        self.session = prompt.session
        self.dropped = ""

    # ---- the prompt line

    def prompt(self) -> StyleAndTextTuples:
        """`3 init> `: the number of the next command, and whose it is; a sleeper is marked."""
        if self.session.stopped:
            return [("class:prompt.task", STOPPED)]
        number, name, asleep = self._parts()
        marked = [("class:prompt.asleep", asleep)] if asleep else []
        return [("class:prompt.number", f"{number} "), ("class:prompt.task", name), *marked, ("", "> ")]

    def plain_prompt(self) -> str:
        """The same as text."""
        if self.session.stopped:
            return STOPPED
        number, name, asleep = self._parts()
        return f"{number} {name}{asleep}> "

    def _parts(self) -> tuple[int, str, str]:
        session = self.session
        call = session.sleeping_call(session.current)
        return session.next_number, session.task_name, f" (asleep in {call})" if call else ""

    def clock(self) -> str:
        """Virtual time, as the kernel log writes it."""
        if self.session.settings["clock"] == "off":
            return ""
        seconds, rest = divmod(self.session.now, 1_000_000_000)
        return f"{seconds}.{rest // 1000:06} s"

    def tip(self) -> str:
        """What the situation asks for, else a tip now and then."""
        session = self.session
        if session.stopped:
            return "the kernel stands still: step · next · finish · continue · bt · help"
        call = session.sleeping_call(session.current)
        if call:
            return f"{call}() sleeps. Another task: task new, @name CALL · wait · Ctrl-C ends it"
        return tip(session.next_number) if session.settings["tips"] == "on" else ""

    def imports(self) -> Iterator[None]:
        """Import what completion and validation need, a little at each step."""
        for name in self.session.registry.names():
            self.session.registry.get(name)
            yield
        import kshell.session.explaining
        import kshell.session.validate  # noqa: F401

        yield
        self.manual("socket", "family")

    def manual(self, call: str, argument: str) -> str:
        """What the manual says of an argument of a call, "" if nothing."""
        from kshell.session.manual import page

        found = page(call)
        return found.arguments.get(argument, "") if found is not None else ""

    # ---- settings

    def setting(self, name: str) -> str:
        """The value of a setting."""
        return self.session.settings[name]

    def set(self, name: str, value: str) -> None:
        """Change a setting for the whole session."""
        self.session.set(name, value)

    def view(self) -> str:
        """The level of what is shown after a call."""
        return self.session.settings["view"]

    def shown(self) -> Collection[str]:
        """The panels that are on."""
        return self.session.show

    def next_view(self) -> None:
        """The next level."""
        levels = settings.BY_NAME["view"].values
        self.set("view", levels[(levels.index(self.view()) + 1) % len(levels)])

    def toggle(self, panel: str) -> None:
        """Switch a panel on or off."""
        self.set(panel, "off" if self.session.settings[panel] == "on" else "on")

    def colours(self) -> bool:
        """Whether to colour."""
        return self._prompt.screen.coloured()

    # ---- the line

    def is_open(self, text: str) -> bool:
        """Whether a command goes on: a bracket or quote is open, or its line ends in a backslash."""
        return balance(text) > 0 or text.endswith("\\")

    def fault(self, text: str) -> Problem | None:
        """What is wrong with a line; None too if finding out fails, so that running it tells."""
        if self.session.stopped:
            return None  # the debugger has words of its own
        from kshell.session.validate import problem_of

        try:
            return problem_of(self.session, text)
        except Exception:
            return None

    def asks(self, text: str) -> bool:
        """Whether a line ends in a question mark, to be explained rather than run."""
        return asks(text)

    def explain(self, text: str, cursor: int) -> str:
        """Print what is known of the word at the cursor; a line that is more than the word stays."""
        from kshell.session.explaining import explain, word_at

        word = word_at(text, cursor)
        try:
            self._prompt.screen.say(explain(self.session, word))
        except CommandError as error:
            self._prompt.screen.say(f"{error.message}; {error.hint}")
        return "" if text.strip() == word else text

    def left(self, text: str) -> None:
        """Ctrl-C has dropped a line."""
        self.dropped = text

    def take(self, text: str) -> tuple[str | None, str]:
        """Lines that were pasted: what to accept now, and what stays to be edited."""
        return self._prompt.accept_paste(text)
