"""The console: reads and writes that give nothing, or meet bad memory."""

import pytest

from kshell.session.session import Session


@pytest.mark.parametrize(
    "line",
    [
        "write(1, 0x1, 5) = -1 EFAULT",
        'write(1, "", 0) = 0',
        'write(1, "hello", 5) = 5',
        "read(0, ..., 0) = 0",
        "fcntl(0, F_SETFL, O_NONBLOCK) = 0\nread(0, ..., 16) = -1 EAGAIN",
    ],
)
def test_a_call_on_the_console_gives_what_linux_gives(line: str) -> None:
    session = Session()
    session.run(line)
    assert (session.failed, session.errors, session.oopses) == (0, 0, 0)
    assert session.held == len(line.split("\n"))
