"""Byte layouts of the structs of the user ABI."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kshell.abi import structs

# size on x86-64, size on i386, and offsets there (x86-64, i386): from BTF of 64 and 32 bit programs, and from gcc
FACTS = {
    "sockaddr_in": (16, 16, {"sin_port": (2, 2), "sin_addr": (4, 4)}),
    "sockaddr_in6": (28, 28, {"sin6_addr": (8, 8), "sin6_scope_id": (24, 24)}),
    "sockaddr_un": (110, 110, {"sun_path": (2, 2)}),
    "sockaddr_nl": (12, 12, {"nl_pid": (4, 4), "nl_groups": (8, 8)}),
    "sockaddr_ll": (20, 20, {"sll_ifindex": (4, 4), "sll_addr": (12, 12)}),
    "sockaddr_storage": (128, 128, {}),
    "msghdr": (56, 28, {"msg_iov": (16, 8), "msg_control": (32, 16), "msg_flags": (48, 24)}),
    "iovec": (16, 8, {"iov_len": (8, 4)}),
    "cmsghdr": (16, 12, {"cmsg_level": (8, 4), "cmsg_type": (12, 8)}),
    "pollfd": (8, 8, {"revents": (6, 6)}),
    "epoll_event": (12, 12, {"data": (4, 4)}),
    "linger": (8, 8, {"l_linger": (4, 4)}),
    "timeval": (16, 8, {"tv_usec": (8, 4)}),
    "ifreq": (40, 32, {"ifr_map": (16, 16)}),
    "ifconf": (16, 8, {"ifc_buf": (8, 4)}),
    "rtentry": (120, 84, {"rt_flags": (56, 52), "rt_dev": (88, 68)}),
    "stat": (144, 96, {"st_mode": (24, 16), "st_size": (48, 44)}),
    "tcp_info": (232, 232, {"tcpi_rto": (8, 8), "tcpi_pacing_rate": (104, 104)}),
    "nlmsghdr": (16, 16, {"nlmsg_seq": (8, 8)}),
    "rtmsg": (12, 12, {"rtm_flags": (8, 8)}),
    "statx": (256, 256, {"stx_ino": (32, 32)}),
    "sigaction": (32, 20, {"sa_mask": (24, 12)}),
    "siginfo": (128, 128, {"si_pid": (16, 12), "si_status": (24, 20)}),
    "group_req": (136, 132, {"gr_group": (8, 4)}),
    "rusage": (144, 72, {"ru_maxrss": (32, 16)}),
    "utsname": (390, 390, {"machine": (260, 260)}),
}


@pytest.mark.parametrize("name", sorted(FACTS))
def test_sizes_and_offsets(name: str) -> None:
    wide, narrow, offsets = FACTS[name]
    assert (structs.sizeof(name), structs.sizeof(name, "i386")) == (wide, narrow)
    for field_name, expected in offsets.items():
        fields = [structs.layout(name, arch).field(field_name) for arch in ("x86_64", "i386")]
        assert tuple(f.offset for f in fields if f is not None) == expected, field_name


def test_network_order_is_kept_in_memory() -> None:
    packed = structs.layout("sockaddr_in").pack({"sin_family": 2, "sin_port": 80, "sin_addr": 0x7F000001})
    assert packed == b"\2\0\0\x50\x7f\0\0\1" + bytes(8)
    assert structs.layout("sockaddr_in").numbers(packed)["sin_port"] == 80


def test_short_data_leaves_fields_out() -> None:
    assert list(structs.layout("sockaddr_in").unpack(b"\2\0\0\x50")) == ["sin_family", "sin_port"]


def test_unknown_names() -> None:
    with pytest.raises(KeyError):
        structs.layout("no_such_struct")
    with pytest.raises(KeyError):
        structs.layout("linger").pack({"nothing": 1})


@pytest.mark.parametrize("arch", ["x86_64", "i386"])
@pytest.mark.parametrize("name", structs.names())
@given(data=st.binary(min_size=0, max_size=256))
def test_pack_undoes_unpack(name: str, arch: str, data: bytes) -> None:
    layout = structs.layout(name, arch)
    data = data[: layout.size].ljust(layout.size, b"\0")
    values = layout.unpack(data)
    assert layout.unpack(layout.pack(values)) == values
