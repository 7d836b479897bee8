"""Running text on a terminal: help, manual pages, reasons."""

from textwrap import wrap
from typing import Final

WIDTH: Final = 78


def filled(text: str, head: str = "", indent: str | None = None) -> list[str]:
    """A text in lines of WIDTH cells: the first begins with head, the others with indent (None: as wide as head)."""
    return wrap(text, WIDTH, initial_indent=head, subsequent_indent=" " * len(head) if indent is None else indent)
