"""Output longer than the screen: through $PAGER, less, or a small pager of kshell's own."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import termios
import tty
from collections.abc import Callable, Sequence

MORE = "\x1b[7m-- {} more lines: Space, Enter, q --\x1b[0m"
WIPE = "\r\x1b[K"
LESS = r"-RX -Pq leaves, Space goes on, / searches ?e(end):?pB(%pB\%)..$"
"""Options of less, for whoever has not set his own: colours stay, so does the text; what to press stands below it."""


def page(lines: Sequence[str]) -> None:
    """Show lines a screen at a time."""
    command = program()
    if not command or not _through(command, lines):
        step_through(lines, lambda: os.get_terminal_size().lines, sys.stdout.write, read_key)


def program() -> list[str]:
    """The pager to run, [] for kshell's own: $PAGER, else less; an empty $PAGER means kshell's own."""
    wanted = os.environ.get("PAGER")
    if wanted is not None:
        return shlex.split(wanted)
    less = shutil.which("less")
    return [less] if less else []


def _through(command: list[str], lines: Sequence[str]) -> bool:
    environment = {"LESS": LESS, "LESSCHARSET": "utf-8", **os.environ}
    try:
        with subprocess.Popen(command, stdin=subprocess.PIPE, env=environment) as process:
            try:
                process.communicate("".join(line + "\n" for line in lines).encode())
            except (BrokenPipeError, KeyboardInterrupt):
                pass
        return process.returncode != 127
    except OSError:
        return False


def step_through(
    lines: Sequence[str], height: Callable[[], int], write: Callable[[str], object], key: Callable[[], str]
) -> None:
    """A screenful at each Space, a line at each Enter, until the end or q."""
    at, step = 0, height() - 1
    while True:
        write("".join(line + "\n" for line in lines[at : at + step]))
        at += step
        if at >= len(lines):
            return
        write(MORE.format(len(lines) - at))
        sys.stdout.flush()
        pressed = key()
        write(WIPE)
        if pressed in ("q", "Q", "\x03", "\x1b", ""):
            return
        step = 1 if pressed in ("\r", "\n") else height() - 1


def read_key() -> str:
    """One key from the terminal."""
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    try:
        tty.setraw(descriptor)
        return os.read(descriptor, 1).decode("latin-1")
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
