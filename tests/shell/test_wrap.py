"""Long lines are cut at blanks, and go on under what they belong to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kshell.shell.wrap import laid_out, width, wrapped, wrapped_call, wrapped_runs


@pytest.mark.parametrize(
    ("line", "rows"),
    [
        ("short", ["short"]),
        ("", [""]),
        ("a sentence that is longer than a row", ["a sentence that is", "    longer than a row"]),
        ("  ps    what it does, in many words", ["  ps    what it does, in", "        many words"]),
        ("x" * 30, ["x" * 24, "    xxxxxx"]),
        ("你好" * 7, ["你好" * 6, "    你好"]),
        ("\x1b[1m" + "a " * 30, ["\x1b[1m" + "a " * 30]),
    ],
)
def test_rows(line: str, rows: list[str]) -> None:
    assert list(wrapped(line, 24)) == rows


@given(st.text(alphabet="ab 你 ", max_size=200), st.integers(20, 60))
def test_no_row_is_too_wide_and_no_letter_is_lost(line: str, columns: int) -> None:
    rows = list(wrapped(line, columns))
    assert all(width(row) <= columns for row in rows)
    assert "".join(rows).replace(" ", "") == line.replace(" ", "")


PROSE = """\
goto N

Go to the moment after command N, back or forward again, and then look around you there.
It is the same machine.

goto 12      the machine is as it was after command 12: same
             objects, same bytes
print current->files->fdt
print sizeof(struct sock)
  sys_bind
    __sys_bind
    inet_bind"""


def test_running_text_is_filled_anew_and_all_else_stays() -> None:
    assert list(laid_out(PROSE, 60)) == [
        "goto N",
        "",
        "Go to the moment after command N, back or forward again,",
        "and then look around you there. It is the same machine.",
        "",
        "goto 12      the machine is as it was after command 12:",
        "             same objects, same bytes",
        "print current->files->fdt",
        "print sizeof(struct sock)",
        "  sys_bind",
        "    __sys_bind",
        "    inet_bind",
    ]
    assert list(laid_out(PROSE, 0))[2:4] == [
        "Go to the moment after command N, back or forward again, and then look around",
        "you there. It is the same machine.",
    ]
    assert all(len(row) <= 40 for row in laid_out(PROSE, 40))


@pytest.mark.parametrize(
    ("line", "rows"),
    [
        ("close(3) = 0", ["close(3) = 0"]),
        (
            "bind(3, {sa_family=AF_INET, sin_port=htons(80)}, 16) = 0",
            ["bind(3, {sa_family=AF_INET,", "    sin_port=htons(80)},", "    16) = 0"],
        ),
        ("bind(33333, {AF_INET, 80, 0}, 16) = 0", ["bind(33333,", "    {AF_INET, 80, 0},", "    16) = 0"]),
        ("--- SIGPIPE {} ---    (pid 1 is deaf)", ["--- SIGPIPE {} ---", "    (pid 1 is deaf)"]),
        ('write(1, "one two three f", 15) = 15', ['write(1, "one two three f",', "    15) = 15"]),
        ('write(10, "one two three f", 15) = 15', ["write(10,", '    "one two three f",', "    15) = 15"]),  # not in the string
        ('write(1, "one two three and four", 22) = 22', ['write(1, "one two three and four", 22) = 22']),  # nowhere
    ],
)  # fmt: skip
def test_calls_are_cut_between_arguments(line: str, rows: list[str]) -> None:
    assert wrapped_call(line, 27) == rows
    assert wrapped_call(line, 0) == [line]


def test_styles_stay_with_their_letters() -> None:
    line = [("", "one "), ("new", "two three"), ("", " four five six seven")]
    assert list(wrapped_runs(line, 20)) == [
        [("", ""), ("", "one "), ("new", "two three"), ("", " four")],
        [("", "    "), ("", "five six seven")],
    ]
    assert list(wrapped_runs(line, 0)) == [line]
