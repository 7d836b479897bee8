"""The prompt in a real terminal: a pty of 80x24 with a terminal emulator."""

import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

pyte = pytest.importorskip("pyte")

PATIENCE = 40.0


class Terminal:
    """kshell in a terminal; the screen as a person sees it."""

    def __init__(self, state: Path, *arguments: str) -> None:
        self.screen = pyte.Screen(80, 24)
        self.stream = pyte.ByteStream(self.screen)
        self.master, slave = pty.openpty()
        environment = {**os.environ, "XDG_STATE_HOME": str(state), "TERM": "xterm", "COLUMNS": "80", "LINES": "24",
                       "PROMPT_TOOLKIT_NO_CPR": "1"}  # fmt: skip
        self.process = subprocess.Popen(
            [sys.executable, "-m", "kshell", *arguments], stdin=slave, stdout=slave, stderr=slave, env=environment,
            start_new_session=True,
        )  # fmt: skip
        os.close(slave)

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self.screen.display)

    def wait(self, condition: Callable[[str], bool]) -> str:
        """The screen once condition holds of it."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if select.select([self.master], [], [], 0.1)[0]:
                try:
                    self.stream.feed(os.read(self.master, 65536))
                except OSError:
                    break
            elif condition(self.text()):
                return self.text()
        assert condition(self.text()), self.text()
        return self.text()

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.master)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path


def test_the_first_minute_of_a_student(state: Path) -> None:
    terminal = Terminal(state)
    try:
        terminal.wait(lambda s: "1 init>" in s)
        terminal.type("so")
        terminal.wait(lambda s: "socketpair(" in s)
        terminal.type("cket(AF_INET, SOCK_STREAM, 0)\r")
        terminal.wait(lambda s: "= 3" in s and "tcp_sock" in s and "2 init>" in s)
        terminal.type("wirte(3, 0, 0)\r")
        terminal.wait(lambda s: "write" in s and "3 init>" in s)
        terminal.type('write(3, "hi", 2)\r')
        terminal.wait(lambda s: "EPIPE (Broken pipe)" in s)
        terminal.type("exit\r")
        assert terminal.process.wait(PATIENCE) == 0
    finally:
        terminal.close()


def test_a_killed_session_is_resumed(state: Path) -> None:
    first = Terminal(state)
    first.wait(lambda s: "1 init>" in s)
    first.type("fd = socket(AF_INET, SOCK_DGRAM, 0)\r")
    first.wait(lambda s: "2 init>" in s)
    first.close()
    second = Terminal(state, "--resume")
    try:
        second.wait(lambda s: "resumed after 1 commands" in s and "2 init>" in s)
        second.type("close(fd)\r")
        second.wait(lambda s: "close(3) = 0" in s)
    finally:
        second.close()
