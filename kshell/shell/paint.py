"""The first prompt, painted before anything heavy is imported; what is typed meanwhile is kept.

From here until the editor takes over, the terminal is in raw mode without echo, so that the keys wait in its queue.
Lines that were typed whole are answered before the editor is even imported (`Keyboard.line`).
"""

from __future__ import annotations

import os
import sys
import termios

from kshell import __version__

BANNER = f"kshell {__version__} · Linux 6.1 you can type at · help"
FIRST = "1 init> "
_BACKSPACE = b"\x7f\x08"


def greet(resuming: bool = False) -> Keyboard:
    """Paint banner and prompt, and take the keyboard; plain text, since settings are not read yet."""
    keyboard = Keyboard(sys.stdin.fileno())
    text = f"{BANNER}\r\n" + ("" if resuming else FIRST)
    os.write(sys.stdout.fileno(), text.encode())
    return keyboard


class Keyboard:
    """The terminal from the first painting until the editor has it; restore() it whatever happens."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.usual = termios.tcgetattr(fd)
        self.bytes = b""
        raw = termios.tcgetattr(fd)
        raw[0] &= ~(termios.ICRNL | termios.INLCR | termios.IGNCR | termios.IXON)
        raw[3] &= ~(termios.ECHO | termios.ICANON | termios.IEXTEN | termios.ISIG)
        raw[6][termios.VMIN], raw[6][termios.VTIME] = 0, 0  # read() takes what is there, and never waits
        termios.tcsetattr(fd, termios.TCSANOW, raw)

    def line(self) -> str | None:
        """The next line that was typed whole, of plain characters only; None if there is none."""
        self._read()
        keys, enter, rest = self.bytes.replace(b"\n", b"\r").partition(b"\r")
        typed = _edited(keys) if enter else None
        if typed is not None:
            self.bytes = rest
        return typed

    def give(self) -> bytes:
        """Leave the terminal to an editor, without echo while no editor reads; the keys that nobody has read yet."""
        self._read()
        quiet = [*self.usual[:3], self.usual[3] & ~termios.ECHO, *self.usual[4:]]
        termios.tcsetattr(self.fd, termios.TCSANOW, quiet)
        rest, self.bytes = self.bytes, b""
        return rest

    def restore(self) -> None:
        """Put the terminal back as it was."""
        termios.tcsetattr(self.fd, termios.TCSANOW, self.usual)

    def _read(self) -> None:
        while True:
            try:
                more = os.read(self.fd, 65536)
            except OSError:
                return
            if not more:
                return
            self.bytes += more


def _edited(keys: bytes) -> str | None:
    """The line that plain characters and backspaces make; None where only an editor knows what a key does."""
    try:
        text = keys.decode()
    except UnicodeDecodeError:
        return None
    out: list[str] = []
    for char in text:
        if char in _BACKSPACE.decode():
            del out[-1:]
        elif char.isprintable():
            out.append(char)
        else:
            return None
    return "".join(out)
