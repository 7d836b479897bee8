"""net/core/dev.c, af_inet.c, tcp_offload.c, udp_offload.c: cutting large packets into segments in software."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

from kshell.linux.include.linux.ip import iphdr
from kshell.linux.include.linux.tcp_header import tcphdr
from kshell.linux.include.linux.udp import udphdr
from kshell.linux.net.core import skbuff

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff

_FIN_PSH = 0x09
_CWR = 0x80


def _tcp_at(th: tcphdr, offset: int, first: bool, last: bool) -> tcphdr:
    flags = th._flags
    if not last:
        flags &= ~_FIN_PSH
    if not first:
        flags &= ~_CWR
    return tcphdr(
        th.source, th.dest, th.seq + offset & 0xFFFFFFFF, th.ack_seq, flags, th.window, th.urg_ptr, th._options
    )  # fmt: skip


def _segments(skb: sk_buff) -> Iterator[tuple[iphdr, tcphdr | udphdr, bytes]]:
    """Headers and data of each segment of a large packet."""
    iph, th, data = skb.network_header, skb.transport_header, skb.data
    assert isinstance(iph, iphdr)
    assert isinstance(th, (tcphdr, udphdr))
    assert skb._shinfo is not None
    size = skb._shinfo.gso_size
    header = th.doff * 4 if isinstance(th, tcphdr) else 8
    for number, offset in enumerate(range(0, len(data), size)):
        part = data[offset : offset + size]
        ip = iph._copy()
        ip.id = iph.id + number & 0xFFFF
        ip.tot_len = ip.ihl * 4 + header + len(part)
        ip.check = None
        if isinstance(th, tcphdr):
            yield ip, _tcp_at(th, offset, not offset, offset + size >= len(data)), part
        else:
            yield ip, udphdr(th.source, th.dest, 8 + len(part), th.check), part


def skb_segment(skb: sk_buff, features: int) -> sk_buff | None:
    """The segments, linked by `next`; the last takes over the packet's memory account."""
    segs: list[sk_buff] = []
    link = skb.len - skb.network_header.tot_len  # type: ignore[attr-defined]
    for ip, th, part in _segments(skb):
        seg = skbuff.skb_clone(skb)
        seg._shinfo = None
        seg.network_header, seg.transport_header, seg.data = ip, th, part
        seg.len = ip.tot_len + link
        seg.truesize = skbuff.kmalloc_reserve(seg.len) + 256
        segs.append(seg)
    for before, after in pairwise(segs):
        before.next = after
    segs[-1].sk, segs[-1].destructor, segs[-1].truesize = skb.sk, skb.destructor, skb.truesize
    skb.destructor = None
    skb.sk = None
    return segs[0]


def tcp_gso_segment(skb: sk_buff, features: int) -> sk_buff | None:
    """Cut a TCP packet."""
    return skb_segment(skb, features)


def __udp_gso_segment(skb: sk_buff, features: int) -> sk_buff | None:
    """Cut a UDP packet (UDP_SEGMENT)."""
    return skb_segment(skb, features)


def inet_gso_segment(skb: sk_buff, features: int) -> sk_buff | None:
    """Cut an IPv4 packet."""
    if isinstance(skb.transport_header, tcphdr):
        return tcp_gso_segment(skb, features)
    return __udp_gso_segment(skb, features)


def skb_mac_gso_segment(skb: sk_buff, features: int) -> sk_buff | None:
    """Cut a frame."""
    return inet_gso_segment(skb, features)


def __skb_gso_segment(skb: sk_buff, features: int) -> sk_buff | None:
    """Cut a packet into segments of its gso_size."""
    return skb_mac_gso_segment(skb, features)


def skb_gso_segment(skb: sk_buff, features: int) -> sk_buff | None:
    """Cut a packet; it is freed, its segments are linked by `next`."""
    segs = __skb_gso_segment(skb, features)
    skbuff.consume_skb(skb)
    return segs
