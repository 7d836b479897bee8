"""Input of every bad kind gives an error or a statement, soon, and never anything else."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kshell.lang.errors import LangError
from kshell.lang.statements import parse_line, parse_script
from kshell.lang.strace import Unreadable, read_log

MEGA = 1 << 20

HOSTILE = {
    "parentheses": "(" * 10000,
    "balanced parentheses": "f(" + "(" * 10000 + "1" + ")" * 10000 + ")",
    "braces": "f({" * 10000,
    "brackets": "[" * 100000,
    "signs": "-" * 100000 + "1",
    "sum": "1+" * 100000 + "1",
    "flags": "f(" + "A|" * 100000 + "A)",
    "members": "a." * 100000 + "b",
    "indexes": "a" + "[0]" * 100000,
    "casts": "(int)" * 100000 + "1",
    "ternaries": "a ? " * 100000,
    "arguments": "f(" + "1," * 1000000 + "1)",
    "digits": "9" * 10 * MEGA,
    "hex digits": "close(0x" + "f" * 10 * MEGA + ")",
    "open string": '"' + "a" * 10 * MEGA,
    "string": 'f("' + "a" * 10 * MEGA + '")',
    "backslashes": '"' + "\\" * (10 * MEGA + 1),
    "name": "a" * 10 * MEGA,
    "open comment": "/*" + "*" * MEGA,
    "comment": "#" * 10 * MEGA,
    "blanks": " " * 10 * MEGA,
    "zero bytes": "\0" * MEGA,
    "escapes": "\x1b[2J\x1b]0;x\x07",
    "surrogates": b"\xff\xfe\x80write(1, \xc3)".decode("utf-8", "surrogateescape"),
    "changes": "f([" + "1 => " * 10000 + "1])",
    "annotations": "f(3" + "<" * 100000 + ")",
    "named": "f(" + "a=" * 10000 + "1)",
    "results": "f() " + "= 1 " * 10000,
    "sizeofs": "sizeof " * 10000 + "x",
    "macs": ":".join(["00"] * 100000),
}


def error_of(text: str) -> LangError | None:
    """The error of a line; whatever else is raised fails the test."""
    try:
        parse_line(text)
    except LangError as error:
        return error
    return None


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_hostile_lines_end_soon(name: str) -> None:
    start = time.process_time()
    error = error_of(HOSTILE[name])
    assert error is None or len(error.render()) < 1000
    assert time.process_time() - start < 10


def test_a_script_of_open_braces_ends_soon() -> None:
    results = list(parse_script("f({\n" * 3000))
    assert len(results) == 3000
    assert all(isinstance(r, LangError) for r in results)


@given(st.text(alphabet=st.characters(codec="latin-1"), max_size=60))
def test_any_text_is_a_statement_or_an_error(text: str) -> None:
    error = error_of(text)
    if error is not None:
        assert 1 <= error.place.column <= len(error.place.text) + 1
        assert error.render()


@given(st.text(alphabet="fa013 (){}[]<>|,=.*&-+?:\"\\'/#@x;~!", max_size=60))
def test_any_mix_of_signs_is_a_statement_or_an_error(text: str) -> None:
    error = error_of(text)
    assert error is None or error.message


@given(st.binary(max_size=200))
def test_any_bytes_are_a_log_of_something(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")
    for record in read_log("1 close(3) = 0\n" + text):
        assert record.line >= 1 or isinstance(record, Unreadable)
