"""Keys typed before the editor is there, the small pager, plain lines."""

import os
import pty
import re
from collections.abc import Iterator

import pytest

from kshell.shell import pager
from kshell.shell.paint import Keyboard
from kshell.shell.reader import PlainReader


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    master, slave = pty.openpty()
    yield master, slave
    os.close(master)
    os.close(slave)


def typed(terminal: tuple[int, int], keys: bytes) -> Keyboard:
    keyboard = Keyboard(terminal[1])
    os.write(terminal[0], keys)
    return keyboard


@pytest.mark.parametrize(
    ("keys", "lines", "rest"),
    [
        (b"", [], b""),
        (b"getpid()\rps\rhalf", ["getpid()", "ps"], b"half"),
        (b"getpix\x7fd()\r", ["getpid()"], b""),
        ("write(3, \"你\", 3)\r".encode(), ['write(3, "你", 3)'], b""),
        (b"a\x1b[Db\rps\r", [], b"a\x1b[Db\rps\r"),  # only an editor knows what an arrow does
        (b"so\t\r", [], b"so\t\r"),
        (b"\r\r", ["", ""], b""),
        (b"\xff\r", [], b"\xff\r"),
    ],
)
def test_whole_lines_of_plain_letters_are_taken(
    terminal: tuple[int, int], keys: bytes, lines: list[str], rest: bytes
) -> None:
    keyboard = typed(terminal, keys)
    found = []
    while (line := keyboard.line()) is not None:
        found.append(line)
    assert (found, keyboard.give()) == (lines, rest)
    keyboard.restore()


def test_the_terminal_is_as_it_was(terminal: tuple[int, int]) -> None:
    import termios

    before = termios.tcgetattr(terminal[1])
    keyboard = Keyboard(terminal[1])
    assert not termios.tcgetattr(terminal[1])[3] & termios.ECHO
    keyboard.give()
    assert not termios.tcgetattr(terminal[1])[3] & termios.ECHO  # keys between two commands are not shown twice
    keyboard.restore()
    assert termios.tcgetattr(terminal[1])[3] == before[3]


def paged(count: int, keys: str, height: int = 5) -> list[str]:
    out: list[str] = []
    pressed = iter(keys)
    pager.step_through([str(i) for i in range(count)], lambda: height, out.append, lambda: next(pressed))
    text = re.sub(r"\x1b\[7m.*?\x1b\[0m", "", "".join(out).replace(pager.WIPE, ""))
    return text.split("\n")[:-1]


@pytest.mark.parametrize(
    ("count", "keys", "shown"),
    [(3, "", 3), (4, "", 4), (5, "q", 4), (9, " q", 8), (9, "  ", 9), (9, "\r\rq", 6), (9, "\x03", 4), (9, "\x1b", 4)],
)
def test_the_pager_stops_at_each_screen(count: int, keys: str, shown: int) -> None:
    assert len(paged(count, keys)) == shown


def test_the_pager_that_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAGER", "more -e")
    assert pager.program() == ["more", "-e"]
    monkeypatch.setenv("PAGER", "")
    assert pager.program() == []
    monkeypatch.delenv("PAGER")
    monkeypatch.setenv("PATH", "")
    assert pager.program() == []


def test_plain_lines_go_on_while_a_bracket_is_open(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = iter(["write(3,\n", '"x", 1)\n', "ps\n", ""])
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setattr("sys.stdin", type("In", (), {"readline": lambda self: next(lines), "isatty": lambda self: False})())
    reader = PlainReader(lambda: "1 init> ")
    assert reader.read() == 'write(3,\n"x", 1)'
    assert reader.read() == "ps"
    with pytest.raises(EOFError):
        reader.read()
    assert capsys.readouterr().out == "1 init>     ... 1 init> 1 init> \n"
