"""Text is cut into commands."""

import pytest

from kshell.session.pieces import balance, pieces

CASES = [
    ("ps\nfds", [("ps", 1), ("fds", 2)]),
    ("\n\n  ps  \r\n", [("  ps  ", 3)]),
    ("f(1,\n  2)\nps", [("f(1,\n  2)", 1), ("ps", 3)]),
    ('f("(")\nps', [('f("(")', 1), ("ps", 2)]),
    ('f("\\"(")\nps', [('f("\\"(")', 1), ("ps", 2)]),
    ("f({1, // {{{\n 2})", [("f({1, // {{{\n 2})", 1)]),
    ("f(1 /* ) \n */)\nps", [("f(1 /* ) \n */)", 1), ("ps", 3)]),
    ("f(1\nps", [("f(1", 1), ("ps", 2)]),
    ("f(1\ng(2) = 3\nh(3))", [("f(1", 1), ("g(2) = 3", 2), ("h(3))", 3)]),
    ("f(1))\nps", [("f(1))", 1), ("ps", 2)]),
    ('f("open\nps', [('f("open', 1), ("ps", 2)]),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_commands_and_their_lines(text: str, expected: list[tuple[str, int]]) -> None:
    assert [(piece.text, piece.line) for piece in pieces(text)] == expected


def test_comments_are_kept_apart() -> None:
    found = list(pieces("# one\nps // two\n// three"))
    assert [(p.text, p.comment) for p in found] == [("# one", True), ("ps // two", False), ("// three", True)]


@pytest.mark.parametrize(("text", "open_"), [("f(", 1), ("f()", 0), ("f({[", 3), ('f("("', 1), ("/* (", 1)])
def test_balance(text: str, open_: int) -> None:
    assert balance(text) == open_
