"""include/linux/errqueue.h: errors and time stamps that wait in a socket's error queue."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.ip import inet_skb_parm

_EE = struct.Struct("=IBBBBII")


class sock_extended_err:
    """What happened, as user space reads it (16 bytes)."""

    __slots__ = ("ee_code", "ee_data", "ee_errno", "ee_info", "ee_origin", "ee_pad", "ee_type")

    def __init__(
        self, ee_errno: int = 0, ee_origin: int = 0, ee_type: int = 0, ee_code: int = 0, ee_info: int = 0
    ) -> None:
        self.ee_errno = ee_errno
        self.ee_origin = ee_origin
        self.ee_type = ee_type
        self.ee_code = ee_code
        self.ee_pad = 0
        self.ee_info = ee_info
        self.ee_data = 0

    def _to_bytes(self) -> bytes:
        return _EE.pack(
            self.ee_errno, self.ee_origin, self.ee_type, self.ee_code, self.ee_pad, self.ee_info, self.ee_data
        )  # fmt: skip


class sock_exterr_skb:
    """Control block of a packet in an error queue. `_daddr` is what Linux reads at addr_offset: the address (int)."""

    __slots__ = ("_daddr", "_iif", "ee", "h4", "opt_stats", "port")

    def __init__(self, ee: sock_extended_err, daddr: int = 0, port: int = 0) -> None:
        self.ee = ee
        self.port = port
        self.opt_stats = False
        self._daddr = daddr
        self._iif = 0
        self.h4: inet_skb_parm | None = None


def SKB_EXT_ERR(skb: sk_buff) -> sock_exterr_skb:
    """The control block of a packet in an error queue."""
    return cast(sock_exterr_skb, skb.cb)
