"""The struct of a packet socket (net/packet/internal.h)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.linux.include.net.sock import sock

if TYPE_CHECKING:
    from kshell.linux.include.linux.netdevice import net_device, packet_type


class packet_mclist:
    """A group, or promiscuous mode, that a socket asked a device for. count: how often."""

    __slots__ = ("addr", "alen", "count", "ifindex", "type")

    def __init__(self, ifindex: int, type: int, addr: bytes) -> None:
        self.ifindex = ifindex
        self.type = type
        self.alen = len(addr)
        self.addr = addr
        self.count = 1


class packet_skb_cb:
    """PACKET_SKB_CB(skb): the address that recvmsg() gives, and the length before trimming."""

    __slots__ = ("origlen", "sll")

    def __init__(self, sll: bytes, origlen: int) -> None:
        self.sll = sll
        self.origlen = origlen


class packet_sock(sock):
    """A packet socket. num: the link protocol (host order); prot_hook: its entry among the receivers.

    _tp_packets: packets seen since PACKET_STATISTICS was last read.
    """

    __slots__ = (
        "_auxdata",
        "_has_vnet_hdr",
        "_loss",
        "_origdev",
        "_running",
        "_tp_packets",
        "_tx_has_off",
        "cached_dev",
        "copy_thresh",
        "flags",
        "ifindex",
        "mclist",
        "num",
        "prot_hook",
        "tp_drops",
        "tp_reserve",
        "tp_tstamp",
        "tp_version",
    )  # fmt: skip
    prot_hook: packet_type
    cached_dev: net_device | None

    def __init__(self) -> None:
        super().__init__()
        self.num = self.ifindex = self.copy_thresh = self.flags = 0
        self.tp_version = self.tp_reserve = self.tp_tstamp = self.tp_drops = self._tp_packets = 0
        self._auxdata = self._has_vnet_hdr = self._origdev = self._running = self._tx_has_off = self._loss = 0
        self.mclist: list[packet_mclist] = []
        self.cached_dev = None


def pkt_sk(sk: sock) -> packet_sock:
    """The packet socket that sk is."""
    assert isinstance(sk, packet_sock)
    return sk
