"""Error numbers: Linux's values with glibc's texts."""

import pytest

from kshell.abi import errno


@pytest.mark.parametrize(
    ("number", "name", "text"),
    [
        (1, "EPERM", "Operation not permitted"),
        (4, "EINTR", "Interrupted system call"),
        (11, "EAGAIN", "Resource temporarily unavailable"),
        (32, "EPIPE", "Broken pipe"),
        (38, "ENOSYS", "Function not implemented"),
        (97, "EAFNOSUPPORT", "Address family not supported by protocol"),
        (115, "EINPROGRESS", "Operation now in progress"),
        (512, "ERESTARTSYS", "To be restarted if SA_RESTART is set"),
        (600, "ERRNO_600", "Unknown error 600"),
    ],
)
def test_names_and_texts(number: int, name: str, text: str) -> None:
    assert (errno.errno_name(number), errno.strerror(number)) == (name, text)


def test_aliases_have_one_name() -> None:
    assert errno.EWOULDBLOCK == errno.EAGAIN
    assert errno.errno_name(errno.EDEADLOCK) == "EDEADLK"
    assert errno.NUMBERS["ENOTSUP"] == errno.EOPNOTSUPP


@pytest.mark.parametrize(("result", "is_error"), [(-1, True), (-4095, True), (-4096, False), (0, False), (3, False)])
def test_results_that_are_errors(result: int, is_error: bool) -> None:
    assert errno.is_error(result) is is_error
