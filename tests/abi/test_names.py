"""Names of values by kind, as strace writes them."""

import pytest

from kshell.abi import name_tables, names


@pytest.mark.parametrize("kind", sorted(name_tables.ENUMERATIONS))
def test_every_enumeration_resolves(kind: str) -> None:
    table = names.enumeration(kind)
    assert table.names()
    assert all(names.constant(name) in (None, value) for value, name in table.by_value.items())


@pytest.mark.parametrize("kind", sorted(name_tables.FLAGS))
def test_every_flag_set_resolves_and_reads_back(kind: str) -> None:
    table = names.flags(kind)
    for bit, name in table.bits:
        assert bit > 0, name
        assert name in table.text(bit) or table.text(bit)


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("af", 2, "AF_INET"),
        ("af", 1, "AF_UNIX"),
        ("af", 99, "0x63 /* AF_??? */"),
        ("opt_socket", 20, "SO_RCVTIMEO_OLD"),
        ("opt_socket", 26, "SO_GET_FILTER"),
        ("opt_tcp", 11, "TCP_INFO"),
        ("sockopt_level", 1, "SOL_SOCKET"),
        ("sockopt_level", 0, "SOL_IP"),
        ("ioctl", 0x541B, "FIONREAD"),
        ("ioctl", 0x8912, "SIOCGIFCONF"),
        ("ipproto", 0, "IPPROTO_IP"),
        ("fcntl", 1030, "F_DUPFD_CLOEXEC"),
        ("file_type", 0o100000, "S_IFREG"),
    ],
)
def test_single_values(kind: str, value: int, text: str) -> None:
    assert names.enumeration(kind).text(value) == text


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("msg", 0x4040, "MSG_DONTWAIT|MSG_NOSIGNAL"),
        ("msg", 0, "0"),
        ("poll", 0x11, "POLLIN|POLLHUP"),
        ("epoll", 0x80000001, "EPOLLIN|EPOLLET"),
        ("access", 0, "F_OK"),
        ("prot", 0, "PROT_NONE"),
        ("wait", 0x40000000, "__WALL"),
        ("splice", 0x80, "0x80 /* SPLICE_F_??? */"),
        ("eventfd", 0o4000 | 0x100, "EFD_NONBLOCK|0x100"),
    ],
)
def test_flags(kind: str, value: int, text: str) -> None:
    assert names.flags(kind).text(value) == text


@pytest.mark.parametrize(
    ("number", "name"),
    [(6, "SIGABRT"), (13, "SIGPIPE"), (29, "SIGIO"), (32, "SIGRTMIN"), (33, "SIGRT_1"), (0, "0"), (65, "65")],
)
def test_signals(number: int, name: str) -> None:
    assert names.signal_name(number) == name


def test_signal_numbers_from_short_names() -> None:
    assert (names.signal_number("PIPE"), names.signal_number("SIGRT_1"), names.signal_number("X")) == (13, 33, None)


def test_every_constant_is_found_by_name() -> None:
    assert (names.constant("SO_LINGER"), names.constant("RTM_GETLINK"), names.constant("EBADF")) == (13, 18, 9)
    assert names.constant("AF_NOTHING") is None
