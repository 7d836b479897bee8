"""kshell in a terminal: a pty, and pyte for the screen as a person sees it."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import shutil
import signal
import struct
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyte

PATIENCE = 60.0
"""Seconds that a loaded machine may take for what takes a tenth of one."""

PASTE, PASTED = "\x1b[200~", "\x1b[201~"
F1, F2, F3, F4 = "\x1bOP", "\x1bOQ", "\x1bOR", "\x1bOS"
CTRL = {letter: chr(ord(letter) - 64) for letter in "ABCDELRUXZ"}


class Screen(pyte.Screen):
    """A screen that answers when it is asked where the cursor is."""

    answer: Callable[[str], None] = staticmethod(lambda text: None)

    def write_process_input(self, data: str) -> None:
        """pyte's answer to a question of the program."""
        self.answer(data)


class Terminal:
    """A running kshell, or a shell that can start it by $KSHELL. `raw` is every byte it has sent."""

    def __init__(
        self, home: Path, *arguments: str, columns: int = 80, rows: int = 24, term: str = "xterm-256color",
        shell: str = "", **environment: str,
    ) -> None:  # fmt: skip
        self.screen = Screen(columns, rows)
        self.screen.answer = self.type
        self.stream = pyte.ByteStream(self.screen)
        self.raw = b""
        usual = {name: value for name, value in os.environ.items() if name not in ("PAGER", "EDITOR", "NO_COLOR")}
        given = {"HOME": str(home), "XDG_STATE_HOME": str(home / "state"), "XDG_CONFIG_HOME": str(home / "config"),
                 "TERM": term, "LANG": "C.UTF-8", **environment}  # fmt: skip
        program = [sys.executable, "-m", "kshell", *arguments]
        command = [shutil.which(shell.split()[0]) or shell, *shell.split()[1:]] if shell else program
        given["KSHELL"] = " ".join(program)
        self.pid, self.master = pty.fork()
        if not self.pid:
            _size(0, columns, rows)
            os.execve(command[0], command, {**usual, **given})
        self.ended: int | None = None

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self.master, text.encode())

    def enter(self, text: str) -> None:
        """Type a line."""
        self.type(text + "\r")

    def resize(self, columns: int, rows: int) -> None:
        """Give the window another size; the kernel tells kshell by SIGWINCH."""
        self.screen.resize(rows, columns)
        _size(self.master, columns, rows)

    @property
    def lines(self) -> list[str]:
        """The rows of the screen, without blanks at their ends."""
        return [line.rstrip() for line in self.screen.display]

    @property
    def text(self) -> str:
        return "\n".join(self.lines).rstrip("\n")

    def from_prompt(self, prompt: str) -> list[str]:
        """The screen from the last row that begins with `prompt`, without the empty rows above the toolbar."""
        lines = self.lines
        start = max((i for i, line in enumerate(lines) if line.startswith(prompt)), default=len(lines))
        return [line for line in lines[start:] if line]

    def wait(self, *wanted: str | Callable[[str], bool], absent: str = "") -> str:
        """The screen once it has all that is wanted (and not what must be absent), and is at rest."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            busy = self._read(0.05)
            if not busy and self._has(wanted, absent):
                return self.text
            if self.ended is not None:
                break
        assert self._has(wanted, absent), f"wanted {wanted}, not {absent!r}, the screen is\n{self.text}"
        return self.text

    def _has(self, wanted: tuple[str | Callable[[str], bool], ...], absent: str) -> bool:
        text = self.text
        found = all(each in text if isinstance(each, str) else each(text) for each in wanted)
        return found and not (absent and absent in text)

    def _read(self, seconds: float) -> bool:
        if self.ended is not None or not select.select([self.master], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self.master, 65536)
        except OSError:
            data = b""
        if not data:
            self.ended = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
            return False
        self.raw += data
        self.stream.feed(data)
        return True

    def exit_status(self) -> int:
        """How kshell ended, once it has."""
        end = time.monotonic() + PATIENCE
        while self.ended is None and time.monotonic() < end:
            self._read(0.1)
        assert self.ended is not None, self.text
        return self.ended

    def kill(self) -> None:
        """kill -9, as a crash would."""
        if self.ended is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            self.ended = -signal.SIGKILL


def _size(descriptor: int, columns: int, rows: int) -> None:
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


@contextmanager
def kshell(home: Path, *arguments: str, **named: object) -> Iterator[Terminal]:
    """A terminal with kshell in it, gone at the end."""
    terminal = Terminal(home, *arguments, **named)  # type: ignore[arg-type]
    try:
        yield terminal
    finally:
        terminal.kill()
        os.close(terminal.master)
