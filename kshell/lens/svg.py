"""Lines of a terminal as an SVG picture that needs no font of its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from unicodedata import east_asian_width
from xml.sax.saxutils import escape

from kshell.lens.text import printable

Run = tuple[str, str]
"""A style (`new`, `error`, … or "") and the text in it."""

CELL, LINE, PAD, TOP = 8.4, 18, 14, 34
FONT = "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace"
BACKGROUND, FOREGROUND = "#16181d", "#d7dae0"
COLOURS = {
    "command": "#ffffff",
    "comment": "#8b93a1",
    "error": "#ff7b72",
    "signal": "#d2a8ff",
    "sleeps": "#e3b341",
    "new": "#7ee787",
    "changed": "#e3b341",
    "freed": "#ff7b72",
    "folded": "#8b93a1",
    "packet": "#79c0ff",
    "log": "#8b93a1",
    "held": "#7ee787",
    "struct": "#ffffff",
    "address": "#8b93a1",
    "state": "#56d4dd",
}
_BOLD = frozenset({"command", "struct", "new", "changed", "freed"})


def picture(lines: Sequence[Sequence[Run]], title: str = "kshell") -> str:
    """The SVG document."""
    columns = max((sum(_width(text) for _, text in line) for line in lines), default=0)
    width = round(columns * CELL + 2 * PAD)
    height = len(lines) * LINE + TOP + PAD
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img" aria-label="{escape(title, {chr(34): "&quot;"})}">\n'
        f'<rect width="{width}" height="{height}" rx="8" fill="{BACKGROUND}"/>\n'
        + "".join(f'<circle cx="{PAD + 4 + i * 18}" cy="16" r="5" fill="#3b4048"/>\n' for i in range(3))
        + f'<g font-family="{FONT}" font-size="14" fill="{FOREGROUND}" xml:space="preserve">\n'
    )
    return head + "".join(_line(line, i) for i, line in enumerate(lines)) + "</g>\n</svg>\n"


def _line(line: Iterable[Run], index: int) -> str:
    y = TOP + (index + 1) * LINE - 5
    parts, column = [], 0
    for style, text in line:
        shown = printable(text)
        if shown.strip():
            colour = f' fill="{COLOURS[style]}"' if style in COLOURS else ""
            bold = ' font-weight="bold"' if style in _BOLD else ""
            x, length = PAD + column * CELL, _width(shown) * CELL
            parts.append(
                f'<text x="{x:.1f}" y="{y}"{colour}{bold} textLength="{length:.1f}" '
                f'lengthAdjust="spacingAndGlyphs">{escape(shown)}</text>\n'
            )
        column += _width(shown)
    return "".join(parts)


def _width(text: str) -> int:
    return sum(2 if east_asian_width(char) in "WF" else 1 for char in text)
