"""The prompt in a real terminal."""

import os
import pty
import select
import sys
import time


def talk(*lines: str) -> str:
    """What the terminal shows while lines are typed at `kshell`."""
    pid, fd = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "dumb"
        os.execv(sys.executable, [sys.executable, "-m", "kshell"])
    shown = b""
    for line in (*lines, "exit"):
        shown += _until(fd, b"> ")
        os.write(fd, line.encode() + b"\n")
    shown += _until(fd, None)
    os.waitpid(pid, 0)
    return shown.decode(errors="replace").replace("\r\n", "\n")


def _until(fd: int, end: bytes | None) -> bytes:
    data, limit = b"", time.monotonic() + 30
    while time.monotonic() < limit and not (end and data.endswith(end)):
        if select.select([fd], [], [], 0.1)[0]:
            try:
                piece = os.read(fd, 4096)
            except OSError:
                break
            if not piece:
                break
            data += piece
    return data


def test_the_first_minute() -> None:
    screen = talk("fd = socket(AF_INET, SOCK_STREAM, 0)", 'write(fd, "hi", 2)', "bind(fd,", "{AF_INET, 80}, 16)")
    assert "Linux 6.1 you can type at" in screen
    assert "1 init> " in screen
    assert "tcp_sock" in screen
    assert "EPIPE" in screen
    assert "SIGPIPE" in screen
    assert "] = 0" in screen or "16) = 0" in screen
