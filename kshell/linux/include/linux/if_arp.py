"""include/linux/if_arp.h: ARP messages."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from kshell.abi.netdevice import ARPHRD_ETHER

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff


ARP_LEN: Final = 28  # sizeof(struct arphdr) and two Ethernet and IPv4 addresses

_ARP = struct.Struct("!HHBBH6sI6sI")


class arphdr:
    """struct arphdr and the addresses behind it, for IPv4 over Ethernet; IPv4 addresses in host order."""

    __slots__ = ("_ar_sha", "_ar_sip", "_ar_tha", "_ar_tip", "ar_hln", "ar_hrd", "ar_op", "ar_pln", "ar_pro")

    def __init__(self, op: int, sha: bytes, sip: int, tha: bytes, tip: int, hrd: int = ARPHRD_ETHER) -> None:
        self.ar_hrd = hrd
        self.ar_pro = 0x0800
        self.ar_hln = 6
        self.ar_pln = 4
        self.ar_op = op
        self._ar_sha = sha
        self._ar_sip = sip
        self._ar_tha = tha
        self._ar_tip = tip

    def _copy(self) -> arphdr:
        other = arphdr(self.ar_op, self._ar_sha, self._ar_sip, self._ar_tha, self._ar_tip, self.ar_hrd)
        other.ar_pro, other.ar_hln, other.ar_pln = self.ar_pro, self.ar_hln, self.ar_pln
        return other

    def _to_bytes(self) -> bytes:
        return _ARP.pack(
            self.ar_hrd, self.ar_pro, self.ar_hln, self.ar_pln, self.ar_op,
            self._ar_sha, self._ar_sip, self._ar_tha, self._ar_tip,
        )  # fmt: skip

    @classmethod
    def _from_bytes(cls, data: bytes) -> arphdr:
        """Parse at least ARP_LEN bytes."""
        hrd, pro, hln, pln, op, sha, sip, tha, tip = _ARP.unpack_from(data)
        self = cls(op, sha, sip, tha, tip, hrd)
        self.ar_pro, self.ar_hln, self.ar_pln = pro, hln, pln
        return self


def arp_hdr(skb: sk_buff) -> arphdr:
    """The message of a packet that has reached ARP."""
    header = skb.network_header
    assert isinstance(header, arphdr)
    return header
