"""Text that is safe to print, and how wide it is: control characters are shown, never sent."""

from __future__ import annotations

import re
from functools import cache


@cache
def _unsafe() -> re.Pattern[str]:
    return re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e"
                      r"\u2060-\u206f\ufeff\ud800-\udfff]")


def printable(text: str) -> str:
    """`text` with control characters (newline and tab stay), direction overrides and invisible signs written as escapes."""
    if text.isprintable():
        return text
    return _unsafe().sub(_escape, text)


def one_line(text: str) -> str:
    """`printable` with newlines and tabs written as escapes too: a cell of a table stays where it is."""
    if text.isprintable():
        return text
    return printable(text).replace("\n", "\\n").replace("\t", "\\t")


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def cells(text: str) -> int:
    """Columns that a text takes on the screen: wide (Chinese, Japanese, Korean) characters take two."""
    if text.isascii():
        return len(text)
    return sum(_cell(char) for char in text)


@cache
def _cell(char: str) -> int:
    if char < "\u0300":
        return 1
    from unicodedata import combining, east_asian_width

    if combining(char) or char in "\u200b\u200c\u200d\ufe0f":
        return 0
    return 2 if east_asian_width(char) in "WF" else 1


def clip(text: str, width: int) -> str:
    """The longest start of a text that fits into so many columns."""
    if text.isascii():
        return text[: max(0, width)]
    used = 0
    for index, char in enumerate(text):
        used += _cell(char)
        if used > width:
            return text[:index]
    return text


def pad(text: str, width: int) -> str:
    """A text filled with blanks to so many columns."""
    return text + " " * (width - cells(text))
