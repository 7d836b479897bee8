"""Errors in what a user typed: where, what was expected, and the nearest known name."""

from kshell.abi.record import Record

_EXCERPT = 100


class Place(Record):
    """A stretch of source text: 1-based line and column, and its length in characters."""

    line: int
    column: int
    length: int
    text: str  # the whole line
    filename: str

    def __str__(self) -> str:
        return f"{self.filename}:{self.line}:{self.column}"


class LangError(Exception):
    """A line that means nothing: message, place, what would have been right, a known name that looks alike."""

    def __init__(self, message: str, place: Place, *, expected: str = "", nearest: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.place = place
        self.expected = expected
        self.nearest = nearest

    @property
    def summary(self) -> str:
        """One line without the place: message, what was expected, the nearest name."""
        parts = [self.message]
        if self.expected:
            parts.append(f"expected {self.expected}")
        if self.nearest:
            parts.append(f"did you mean {self.nearest}?")
        return "; ".join(parts)

    def render(self) -> str:
        """``file:line:column: message``, then the line with a caret below."""
        excerpt, caret = excerpt_with_caret(self.place)
        return f"{self.place}: {self.summary}\n  {excerpt}\n  {caret}"

    def __str__(self) -> str:
        return f"{self.place}: {self.summary}"


def excerpt_with_caret(place: Place) -> tuple[str, str]:
    """The text around a place, at most 100 characters of it, and a caret line that fits below."""
    first = max(0, place.column - 1 - _EXCERPT // 2)
    shown = place.text[first : first + _EXCERPT]
    lead = "…" if first else ""
    tail = "…" if first + _EXCERPT < len(place.text) else ""
    printable = "".join(c if c.isprintable() else "·" for c in shown)
    start = place.column - 1 - first + len(lead)
    carets = "^" * max(1, min(place.length, _EXCERPT - (start - len(lead))))
    return f"{lead}{printable}{tail}", " " * start + carets
