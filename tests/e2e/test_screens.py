"""Whole screens, cell by cell: what stands in screens/NAME.txt. UPDATE_SCREENS=1 writes them anew; look at the difference.

Addresses and line numbers are made up of x, so that an object or a line more in the kernel changes no screen.
"""

import os
import re
from pathlib import Path

import pytest

pytest.importorskip("pyte")

from terminal import CTRL, kshell

SCREENS = Path(__file__).parent / "screens"
CHANGING = re.compile(r"(?<=0x)[0-9a-f]{16}|(?<=…)[0-9a-f]{6}\b|(?<=\.py:)\d+|^\d+(?= {5})", re.MULTILINE)

SOCKET = "fd = socket(AF_INET, SOCK_STREAM, 0)"
ADDRESS_OF_80 = '{AF_INET, 80, "127.0.0.1"}'

SCENES: dict[str, tuple[int, int, list[tuple[str, str]]]] = {
    "start": (80, 24, []),
    "menu": (80, 24, [("so", "socketpair(")]),
    "arguments": (80, 24, [("socket(AF_INET, ", "SOCK_SEQPACKET")]),
    "wrong word": (80, 24, [("socket(AF_INTE, SOCK_STREAM, 0)\r", "did you mean AF_INET?")]),
    "c programmer": (80, 24, [('printf("hello")\r', "is of the C library")]),
    "first call": (80, 24, [(SOCKET + "\r", "2 init>")]),
    "first call, narrow": (40, 24, [(SOCKET + "\r", "2 init>")]),
    "first call, wide": (120, 40, [(SOCKET + "\r", "2 init>")]),
    "failing call": (80, 24, [(SOCKET + "\r", "2 init>"), ('write(fd, "hi", 2)\r', "3 init>")]),
    "why": (80, 24, [(SOCKET + "\r", "2 init>"), ("close(99)\r", "3 init>"), (CTRL["L"] + "why\r", "4 init>")]),
    "help": (80, 24, [("help\r", "2 init>")]),
    "asleep": (80, 24, [("set view line\r", "2 init>"), ("pipe([3, 4])\r", "3 init>"), ("read(3, ..., 10)\r", "asleep in read")]),
    "debugger": (80, 24, [
        ("set view line\r", "2 init>"), (SOCKET + "\r", "3 init>"), ("break tcp_v4_connect\r", "Breakpoint 1 at"),
        (f"connect(fd, {ADDRESS_OF_80}, 16)\r", "(kdb)"), ("info args\r", "addr_len = 16"), ("finish\r", "returned"),
    ]),
    "figure": (80, 40, [("set view line\r", "2 init>"), (SOCKET + "\r", "3 init>"), ("graph fd 3\r", "4 init>")]),
    "travel": (80, 24, [
        ("set view line\r", "2 init>"), (SOCKET + "\r", "3 init>"), ("close(fd)\r", "4 init>"), ("undo\r", "now after command 2"),
        ("history\r", "close(fd)"), ("goto\r", "wants the number"),
    ]),
}  # fmt: skip
"""Columns, rows, and what is typed, with what has to appear before the next is."""


@pytest.mark.parametrize("name", SCENES)
def test_screens(tmp_path: Path, name: str) -> None:
    columns, rows, keys = SCENES[name]
    golden = SCREENS / f"{name.replace(',', '').replace(' ', '_')}.txt"
    with kshell(tmp_path, columns=columns, rows=rows) as terminal:
        terminal.wait("1 init>", "F1 help")
        for typed, wanted in keys:
            terminal.type(typed)
            terminal.wait(wanted, lambda screen: screen.splitlines()[-1].startswith(" F1 help"))
        screen = CHANGING.sub(lambda found: "x" * len(found[0]), terminal.text)
    if os.environ.get("UPDATE_SCREENS"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(screen + "\n")
    assert screen.splitlines() == golden.read_text().splitlines()
