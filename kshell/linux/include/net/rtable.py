"""include/net/route.h, the structs: IPv4 routes as packets and sockets hold them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.inet import IPTOS_TOS_MASK
from kshell.linux.include.net.dst import dst_entry

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff

RTO_ONLINK = 1
IPTOS_RT_MASK = IPTOS_TOS_MASK & ~3

RTCF_DEAD = 0x00000001
RTCF_ONLINK = 0x00000002
RTCF_NOTIFY = 0x00010000
RTCF_DIRECTDST = 0x00020000
RTCF_REDIRECTED = 0x00040000
RTCF_DOREDIRECT = 0x01000000
RTCF_DIRECTSRC = 0x04000000
RTCF_DNAT = 0x08000000
RTCF_BROADCAST = 0x10000000
RTCF_MULTICAST = 0x20000000
RTCF_REJECT = 0x40000000
RTCF_LOCAL = 0x80000000


class rtable(dst_entry):
    """struct rtable (176 bytes): a dst_entry with what IPv4 adds."""

    __slots__ = (
        "rt_flags", "rt_genid", "rt_gw4", "rt_gw_family", "rt_iif", "rt_is_input", "rt_mtu_locked", "rt_pmtu",
        "rt_type",
        "rt_uses_gateway",
    )  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self.rt_genid = self.rt_flags = self.rt_type = self.rt_is_input = self.rt_uses_gateway = self.rt_iif = 0
        self.rt_gw_family = self.rt_gw4 = self.rt_mtu_locked = self.rt_pmtu = 0


def skb_rtable(skb: sk_buff) -> rtable | None:
    """The packet's route as an rtable."""
    return skb._skb_refdst  # type: ignore[return-value]


def rt_is_input_route(rt: rtable) -> bool:
    return rt.rt_is_input != 0


def inet_iif(skb: sk_buff) -> int:
    """Index of the device the packet came from (for local packets: lo's or the one it was sent to)."""
    rt = skb._skb_refdst
    if rt is not None and rt.rt_iif:  # type: ignore[attr-defined]
        return int(rt.rt_iif)  # type: ignore[attr-defined]
    return skb.skb_iif


class rt_cache_stat:
    """How often packets needed a new route, and why those that came in got none."""

    __slots__ = (
        "in_brd", "in_martian_dst", "in_martian_src", "in_no_route", "in_slow_mc", "in_slow_tot", "out_slow_mc",
        "out_slow_tot",
    )  # fmt: skip

    def __init__(self) -> None:
        self.in_slow_tot = self.in_slow_mc = self.in_no_route = self.in_brd = 0
        self.in_martian_dst = self.in_martian_src = self.out_slow_tot = self.out_slow_mc = 0
