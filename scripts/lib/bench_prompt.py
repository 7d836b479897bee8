"""What the prompt costs, in a pseudo terminal: until it stands, until it answers, from a key to the screen."""

import fcntl
import os
import pty
import select
import signal
import statistics
import struct
import sys
import tempfile
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager

from lib.bench import Figure
from lib.report import ROOT

QUIET = 0.012
"""Seconds without output after which a screen is done."""

ENTRY = "from kshell.shell.main import entry; entry()"
BARE = """
from prompt_toolkit import PromptSession
session = PromptSession()
while True:
    print("answer", len(session.prompt("> ")))
"""
KEYS = 300


class Pty:
    """A program in a pseudo terminal of 80x24; `sent` is all it has written."""

    def __init__(self, *command: str) -> None:
        self.sent = b""
        self.start = time.perf_counter()
        self.pid, self.master = pty.fork()
        if not self.pid:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
            os.execve(command[0], command, _environment())

    def read(self, seconds: float) -> bool:
        """Take what is written within that time; whether there was anything."""
        if not select.select([self.master], [], [], seconds)[0]:
            return False
        data = os.read(self.master, 65536)
        self.sent += data
        if b"\x1b[6n" in data:  # where is the cursor?
            os.write(self.master, b"\x1b[2;1R")
        return True

    def until(self, text: bytes) -> float:
        """Milliseconds from exec until it has written this."""
        while text not in self.sent:
            if not self.read(60):
                sys.exit(f"bench: no {text!r} in {self.sent[-300:]!r}")
        return (time.perf_counter() - self.start) * 1000

    def key(self, keys: bytes) -> float:
        """Milliseconds from a key to the end of what it changes on the screen."""
        start = last = time.perf_counter()
        os.write(self.master, keys)
        if not self.read(5):
            sys.exit(f"bench: nothing happens at {keys!r}")
        last = time.perf_counter()
        while self.read(QUIET):
            last = time.perf_counter()
        return (last - start) * 1000

    def rest(self) -> None:
        """Wait until nothing is written any more."""
        while self.read(0.5):
            pass


def _environment() -> dict[str, str]:
    home = tempfile.gettempdir() + f"/kshell-bench-{os.getpid()}"
    places = {"HOME": home, "XDG_STATE_HOME": home, "XDG_CONFIG_HOME": home}
    return {**os.environ, **places, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color"}


@contextmanager
def running(*arguments: str) -> Iterator[Pty]:
    """A Python program in a terminal."""
    program = Pty(sys.executable, *arguments)
    try:
        yield program
    finally:
        os.kill(program.pid, signal.SIGKILL)
        os.waitpid(program.pid, 0)
        os.close(program.master)


def first_prompt(text: bytes, *arguments: str) -> float:
    """Milliseconds from exec to the prompt."""
    with running(*arguments) as program:
        return program.until(text)


def first_answer(text: bytes, *arguments: str) -> float:
    """Milliseconds from exec to the answer to a line typed at once."""
    with running(*arguments) as program:
        os.write(program.master, b"getpid()\r")
        return program.until(text)


def key_to_screen() -> list[float]:
    """Milliseconds of KEYS keys, up and down in the open menu of 100 candidates."""
    with running("-c", ENTRY) as program:
        program.until(b"F1")
        program.rest()
        program.key(b"\t")
        program.rest()
        taken = []
        for i in range(KEYS):
            taken.append(program.key((b"\x1b[B", b"\x1b[B", b"\x1b[A", b"\x1b[B")[i % 4]))
        return taken


def figures(rounds: int) -> list[Figure]:
    """First prompt, first answer and keys; the first two against reference programs run in turn."""
    prompts = [[first_prompt(b">>> ", "-I", "-q"), first_prompt(b"init> ", "-c", ENTRY)] for _ in range(rounds * 2)]
    answers = [[first_answer(b"answer 8", "-c", BARE), first_answer(b"= 1", "-c", ENTRY)] for _ in range(rounds * 2)]
    keys = sorted(key_to_screen())
    python, painted = (statistics.median(column) for column in zip(*prompts, strict=True))
    bare, answer = (statistics.median(column) for column in zip(*answers, strict=True))
    typical = statistics.median(keys)
    return [
        Figure("first prompt", painted / python, "x python3 -I -q", 1.5, f"{painted:.0f} ms against {python:.0f} ms"),
        Figure("answer to type-ahead", answer / bare, "x bare PromptSession", 1.25,
               f"{answer:.0f} ms against {bare:.0f} ms"),
        Figure("key to screen, p95", keys[int(len(keys) * 0.95)], "ms", 16,
               f"median {typical:.1f} ms of {len(keys)} keys with the menu of 100 open"),
    ]  # fmt: skip
