"""Nothing from data reaches the terminal as a command to it."""

import pytest

from kshell.lens.text import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain → text 漢字", "plain → text 漢字"),
        ("a\tb\nc", "a\tb\nc"),
        ("\x1b[2J", "\\x1b[2J"),
        ("\x9b31m", "\\x9b31m"),
        ("\r\x07\x7f", "\\x0d\\x07\\x7f"),
        ("\u202eevil", "\\u202eevil"),
        ("\ud800", "\\ud800"),
    ],
)
def test_printable(text: str, shown: str) -> None:
    assert printable(text) == shown
