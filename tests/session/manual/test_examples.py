"""The example of every page of the manual works. (Those of its errors are held by tests/session/reasons.)"""

from __future__ import annotations

import pytest

from kshell.session import events as ev
from kshell.session.manual import pages, rows
from kshell.session.manual.examples import origin, run
from kshell.session.manual.text import where


@pytest.mark.parametrize("name", pages())
def test_the_example_of_a_page_works(name: str) -> None:
    page = pages()[name]
    if not page.example:
        assert "always" in page.result, "a page without example says that the call always fails here"
        return
    outcome = run(page.example, name)
    assert not outcome.faults
    slept = any(isinstance(e, ev.CallSleeps) and e.name == name for e in outcome.events)
    ended = "does not return" in page.result or "always" in page.result
    assert slept or ended or (outcome.call is not None and not outcome.call.errno), outcome.call


def test_the_function_named_is_the_one_that_raised_the_error() -> None:
    for row in rows()[::20]:
        function, _, line = origin(row)
        reason = run(row.example, row.call).reason
        assert reason is not None
        assert reason.origin is not None
        assert (reason.origin.function, reason.origin.line) == (function, line)


@pytest.mark.parametrize(
    ("call", "errno", "function", "file"),
    [
        ("bind", "EADDRINUSE", "inet_csk_get_port", "net/ipv4/inet_connection_sock.c"),
        ("listen", "EOPNOTSUPP", "sock_no_listen", "net/core/sock.c"),
        ("close", "EBADF", "close_fd", "fs/file.c"),
        ("read", "EAGAIN", "pipe_read", "fs/pipe.c"),
    ],
)
def test_where_linux_has_it(call: str, errno: str, function: str, file: str) -> None:
    assert (function, file) in [where(row) for row in rows() if (row.call, row.errno) == (call, errno)]
