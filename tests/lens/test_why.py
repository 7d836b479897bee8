"""The reason of an error is read off its traceback: functions, the tests that led there, the values they looked at."""

from __future__ import annotations

import pytest

from kshell.lens.why import Reason, reason
from kshell.linux.include.linux.err import KernelError
from kshell.session.session import Session


def reason_of(commands: str) -> Reason:
    session = Session()
    session.run(commands)
    error = session.task._last_error
    assert isinstance(error, KernelError)
    return reason(error)


@pytest.mark.parametrize(
    ("commands", "errno", "chain"),
    [
        ("close(99)", "EBADF", ["sys_close", "close_fd"]),
        ("read(99, ..., 1)", "EBADF", ["sys_read", "ksys_read"]),
        ("set abi x86_64\nlisten(99, 1)", "EBADF", ["sys_listen", "__sys_listen", "sockfd_lookup_light"]),
        ("listen(99, 1)", "EBADF", ["compat_sys_socketcall", "__sys_listen", "sockfd_lookup_light"]),
        (
            "pipe2([3, 4], O_NONBLOCK)\nread(3, ..., 1)", "EAGAIN",
            ["sys_read", "ksys_read", "vfs_read", "pipe_read"],
        ),
    ],
)  # fmt: skip
def test_the_chain_goes_from_the_call_to_the_function_that_raised(commands: str, errno: str, chain: list[str]) -> None:
    found = reason_of(commands)
    assert found.name == errno
    assert [step.function for step in found.chain] == chain
    assert found.origin is not None
    assert found.origin.function == chain[-1]


def test_helpers_of_the_model_are_no_part_of_the_chain() -> None:
    found = reason_of("pipe2([3, 4], O_NONBLOCK)\nread(3, ..., 1)")
    assert not [step for step in found.chain if step.function.startswith("_") and not step.function.startswith("__")]


def test_conditions_tell_whether_they_held_and_what_they_saw() -> None:
    (first, *_) = reason_of("read(99, ..., 1)").conditions
    assert (first.text, first.held, first.values) == ("!f", True, (("f", "NULL"),))


def test_states_have_their_names() -> None:
    found = reason_of('fd = socket(AF_INET, SOCK_STREAM, 0)\nconnect(fd, {AF_INET, 80, "127.0.0.1"}, 16)')
    values = [value for condition in found.conditions for value in condition.values]
    assert ("sk->sk_state", "TCP_CLOSE") in values


def test_a_loop_without_a_condition_is_none() -> None:
    found = reason_of("fd = socket(AF_INET, SOCK_DGRAM, 0)\nrecv(fd, ..., 1, MSG_DONTWAIT)")
    assert [condition.text for condition in found.conditions] == ["!timeo"]


@pytest.mark.parametrize(
    ("commands", "wanted"),
    [
        ("listen(1, 5)", [("f->f_op != socket_file_ops", True, (("f->f_op", "tty_fops"),))]),
        ("socket(AF_INET, 77, 0)", [("type & ~SOCK_TYPE_MASK & ~0x80800", True, (("type", "0x4d"),))]),
        (
            'fd = socket(AF_INET, SOCK_STREAM, 0)\nbind(fd, {AF_UNIX, "/tmp/x"}, 110)',
            [("family != AF_INET && (family != AF_UNSPEC || saddr)", True, (("family", "AF_UNIX"), ("saddr", "109.112.47.120")))],
        ),
        (  # `if err:` tells nothing: the test is told that led to err = ENOTCONN
            "fd = socket(AF_INET, SOCK_STREAM, 0)\nshutdown(fd, SHUT_WR)",
            [("state == TCP_CLOSE", True, (("state", "TCP_CLOSE"),)), ("state != TCP_LISTEN", True, (("state", "TCP_CLOSE"),))],
        ),
        ("socket(AF_INET, SOCK_STREAM, 0)\nbind(3, 0x1, 16)", []),  # len(data) != n is nothing of Linux
    ],
)
def test_conditions_are_those_of_linux(commands: str, wanted: list[tuple[str, bool, tuple[tuple[str, str], ...]]]) -> None:
    assert [(c.text, c.held, c.values) for c in reason_of(commands).conditions] == wanted
