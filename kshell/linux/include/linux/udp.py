"""include/linux/udp.h: the UDP header and udp_sock."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import TYPE_CHECKING

from kshell.linux.include.linux.skbuff import sk_buff, sk_buff_head
from kshell.linux.include.net.inet_sock import inet_sock

if TYPE_CHECKING:
    from kshell.linux.include.net.sock import sock

UDP_MAX_SEGMENTS = 1 << 7

UDP_FLAGS_CORK = 0
UDP_FLAGS_NO_CHECK6_TX = 1
UDP_FLAGS_NO_CHECK6_RX = 2
UDP_FLAGS_GRO_ENABLED = 3
UDP_FLAGS_ACCEPT_FRAGLIST = 4
UDP_FLAGS_ACCEPT_L4 = 5
UDP_FLAGS_ENCAP_ENABLED = 6

UDPLITE_BIT = 1
UDPLITE_SEND_CC = 2
UDPLITE_RECV_CC = 4


class udphdr:
    """UDP header; `check` None means right (made when the bytes are looked at), 0 none."""

    __slots__ = ("check", "dest", "len", "source")

    def __init__(self, source: int, dest: int, len: int, check: int | None = None) -> None:
        self.source = source
        self.dest = dest
        self.len = len
        self.check = check

    @classmethod
    def _from_bytes(cls, data: bytes) -> udphdr:
        source, dest, length, check = struct.unpack_from("!HHHH", data)
        return cls(source, dest, length, check)


class udp_sock(inet_sock):
    """struct udp_sock (1152 bytes): a UDP or UDP-Lite socket."""

    __slots__ = ("reader_queue", "udp_port_hash", "udp_portaddr_hash")

    udp_flags: int = 0
    pending: int = 0
    encap_type: int = 0
    pcflag: int = 0
    len: int = 0
    gso_size: int = 0
    pcslen: int = 0
    pcrlen: int = 0
    encap_rcv: Callable[[sock, sk_buff], int] | None = None
    encap_err_rcv: Callable[[sock, sk_buff, int], None] | None = None
    encap_err_lookup: Callable[[sock, sk_buff], int] | None = None
    encap_destroy: Callable[[sock], None] | None = None
    forward_deficit: int = 0

    def __init__(self) -> None:
        super().__init__()
        self.udp_port_hash = 0
        self.udp_portaddr_hash = 0
        self.reader_queue = sk_buff_head()


def udp_sk(sk: sock) -> udp_sock:
    """The socket seen as a udp_sock."""
    return sk  # type: ignore[return-value]


def udp_test_bit(nr: int, sk: sock) -> bool:
    """A UDP_FLAGS_xxx of the socket."""
    return bool(udp_sk(sk).udp_flags >> nr & 1)


def udp_set_bit(nr: int, sk: sock) -> None:
    """Set a UDP_FLAGS_xxx."""
    udp_sk(sk).udp_flags |= 1 << nr


def udp_clear_bit(nr: int, sk: sock) -> None:
    """Clear a UDP_FLAGS_xxx."""
    udp_sk(sk).udp_flags &= ~(1 << nr)


def udp_assign_bit(nr: int, sk: sock, val: bool) -> None:
    """Set or clear a UDP_FLAGS_xxx."""
    (udp_set_bit if val else udp_clear_bit)(nr, sk)
