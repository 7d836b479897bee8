"""The table of system calls."""

import pytest

from kshell.abi.syscalls import (
    BY_NAME,
    BY_NUMBER,
    I386_BY_NAME,
    I386_BY_NUMBER,
    SOCKETCALLS,
    signature,
)


@pytest.mark.parametrize(
    ("name", "number", "prototype"),
    [
        ("socket", 41, "socket(int family, int type, int protocol)"),
        ("read", 0, "read(unsigned int fd, char *buf, size_t count)"),
        ("getpid", 39, "getpid(void)"),
        ("accept4", 288, "accept4(int fd, struct sockaddr *upeer_sockaddr, int *upeer_addrlen, int flags)"),
        (
            "newfstatat",
            262,
            "newfstatat(int dfd, const char *filename, struct stat *statbuf, int flag)",
        ),
    ],
)
def test_signatures(name: str, number: int, prototype: str) -> None:
    assert BY_NAME[name].number == number
    assert BY_NUMBER[number].prototype() == prototype


def test_arguments_have_their_c_types() -> None:
    minus_one = (1 << 64) - 1
    assert BY_NAME["socket"].arguments((2, 1, minus_one)) == [2, 1, -1]
    assert BY_NAME["read"].arguments((minus_one, minus_one, minus_one)) == [0xFFFFFFFF, minus_one, minus_one]
    assert BY_NAME["mkdir"].arguments((0, 0x1FFFF)) == [0, 0xFFFF]
    assert BY_NAME["lseek"].arguments((3, minus_one, 2)) == [3, -1, 2]


def test_i386_has_its_own_numbers() -> None:
    assert I386_BY_NUMBER[102].name == "socketcall"
    assert (I386_BY_NAME["read"].number, I386_BY_NAME["socket"].number) == (3, 359)
    assert [p.name for p in I386_BY_NAME["fcntl64"].params] == ["fd", "cmd", "arg"]


def test_socketcall_takes_as_many_words_as_its_calls_have_arguments() -> None:
    for name, words in SOCKETCALLS.values():
        call = signature(name)
        assert call is not None
        assert len(call.params) == words, name


def test_status_tells_what_is_missing() -> None:
    assert BY_NAME["socket"].status == "supported"
    assert (BY_NAME["execve"].status, bool(BY_NAME["execve"].missing)) == ("partly", True)
    assert BY_NAME["io_uring_setup"].status == "ENOSYS"
    assert len(BY_NUMBER) == 362


def test_kinds_name_siblings_that_exist() -> None:
    for call in BY_NUMBER.values():
        names = {param.name for param in call.params} | {"return"}
        for param in call.params:
            if param.kind.style in ("bytes", "sockaddr", "iovec", "optval", "pollfds", "fdset", "protocol", "optname"):
                assert set(param.kind.args) <= names, (call.name, param)
