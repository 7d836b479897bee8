"""How views are drawn: with which signs, how wide. Lines are made of runs, so that a reader can colour them."""

from __future__ import annotations

from typing import Final

from kshell.lens.text import cells, clip

Run = tuple[str, str]
"""A style ("" or one of STYLES) and the text in it."""

Line = list[Run]

STYLES: Final = (
    "command", "comment", "error", "signal", "sleeps", "new", "changed", "freed", "folded", "held", "log", "packet",
    "struct", "address", "state",
)  # fmt: skip
"""What a text can be; the reader knows the colours."""


class Style:
    """boxes: Unicode lines; ascii: the same with - | `; words: for a screen reader, nothing drawn, all said.

    width: columns of the screen, 0 for lines of any length.
    """

    __slots__ = ("arrow", "bar", "branch", "corner", "dots", "glyphs", "join", "width")

    def __init__(self, glyphs: str = "boxes", width: int = 0) -> None:
        if glyphs not in GLYPHS:
            raise ValueError(f"a style has one of {', '.join(GLYPHS)}, not {glyphs!r}")
        self.glyphs = glyphs
        self.width = width
        self.bar, self.branch, self.corner, self.join, self.arrow, self.dots = GLYPHS[glyphs]

    @property
    def words(self) -> bool:
        """Whether everything is said in words."""
        return self.glyphs == "words"


GLYPHS: Final = {
    "boxes": ("│  ", "├─ ", "└─ ", " ─ ", "→", "…"),
    "ascii": ("|  ", "|- ", "`- ", " - ", "->", "..."),
    "words": ("", "", "", " ", "now", "and"),
}
PLAIN: Final = Style()


def text_of(line: Line) -> str:
    """A line without its styles."""
    return "".join([text for _, text in line])


def width_of(line: Line) -> int:
    """Columns that a line takes."""
    return cells(text_of(line))


def clipped(line: Line, width: int) -> Line:
    """A line cut to so many columns, 0 for no limit; `…` says that something is missing."""
    if not width or width_of(line) <= width:
        return line
    kept: Line = []
    left = width - 1
    for style, text in line:
        part = clip(text, left)
        kept.append((style, part))
        left -= cells(part)
        if part != text:
            break
    return [*kept, ("folded", "…")]
