"""kshell's completion and history as prompt_toolkit wants them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.history import History

from kshell.lens.text import printable
from kshell.shell.completion import complete

if TYPE_CHECKING:
    from kshell.shell.completion import State
    from kshell.shell.history import HistoryFile

LONGEST_META = 48


class Choice(Completion):
    """A completion that knows its texts; prompt_toolkit asks for those of every choice at every key."""

    def __init__(self, text: str, start: int, meta: str) -> None:
        super().__init__(text, start, display_meta=meta)
        self._texts = (text, meta)

    @property
    def display_text(self) -> str:
        """What stands in the menu."""
        return self._texts[0]

    @property
    def display_meta_text(self) -> str:
        """What stands beside it."""
        return self._texts[1]


class SessionCompleter(Completer):
    """complete() for prompt_toolkit."""

    def __init__(self, state: State, silent: Callable[[], bool]) -> None:
        self.state = state
        self.silent = silent

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        """The candidates at the cursor; unasked none while something else is said there (`silent`)."""
        if self.silent() and not complete_event.completion_requested:
            return
        for found in complete(document.text, document.cursor_position, self.state):
            meta = printable(_about(found.text) or found.meta)
            if len(meta) > LONGEST_META:
                meta = meta[: LONGEST_META - 1] + "…"
            yield Choice(found.text, -found.length, meta)


def _about(text: str) -> str:
    """What the manual says of a constant; "" if it is none, or has no line of its own there."""
    if not text.isupper() or not text[0].isalpha():
        return ""
    from kshell.session.manual.constants import own_note

    return own_note(text)


class HistoryOfFile(History):
    """Reads a HistoryFile; the prompt writes it, before a line runs."""

    def __init__(self, file: HistoryFile) -> None:
        super().__init__()
        self.file = file

    def load_history_strings(self) -> Iterable[str]:
        """The newest first."""
        return reversed(self.file.entries())

    def store_string(self, string: str) -> None:
        """The prompt has written it."""
