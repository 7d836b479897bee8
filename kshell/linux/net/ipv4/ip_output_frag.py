"""net/ipv4/ip_output.c: fragmentation."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kshell.abi.errno import EMSGSIZE
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.ip import IP_DF, IP_MF, IP_OFFSET, iphdr
from kshell.linux.include.linux.skbuff import CHECKSUM_NONE, sk_buff
from kshell.linux.include.linux.snmp import IPSTATS_MIB_FRAGCREATES, IPSTATS_MIB_FRAGFAILS, IPSTATS_MIB_FRAGOKS
from kshell.linux.include.net.ip import IPCB, IPSKB_FRAG_COMPLETE, IPSKB_FRAG_PMTU
from kshell.linux.net.core.skbuff import alloc_skb, consume_skb, kfree_skb, skb_put
from kshell.linux.net.core.skbuff_bytes import _transport_bytes
from kshell.linux.net.core.sock_mem import skb_set_owner_w
from kshell.linux.net.ipv4 import ip_output
from kshell.linux.net.ipv4.ip_options_forward import ip_options_fragment

if TYPE_CHECKING:
    from kshell.linux.include.net.net_namespace import net as net_t
    from kshell.linux.include.net.sock import sock


class ip_frag_state:
    """How far the cutting has come; ptr is counted from the end of the IP header."""

    __slots__ = ("DF", "hlen", "left", "ll_rs", "mtu", "not_last_frag", "offset", "ptr")

    def __init__(self, DF: bool, hlen: int, ll_rs: int, mtu: int, left: int, offset: int, not_last_frag: int) -> None:
        self.DF = DF
        self.hlen = hlen
        self.ll_rs = ll_rs
        self.mtu = mtu
        self.left = left
        self.ptr = 0
        self.offset = offset
        self.not_last_frag = not_last_frag


def ip_frag_init(skb: sk_buff, hlen: int, ll_rs: int, mtu: int, DF: bool) -> ip_frag_state:
    """Start cutting a packet into pieces with at most mtu bytes of data."""
    iph = skb.network_header
    assert isinstance(iph, iphdr)
    return ip_frag_state(DF, hlen, ll_rs, mtu, skb.len - hlen, (iph.frag_off & IP_OFFSET) << 3, iph.frag_off & IP_MF)


def ip_copy_metadata(to: sk_buff, from_: sk_buff) -> None:
    """What every fragment takes over from the packet."""
    to.pkt_type = from_.pkt_type
    to.protocol = from_.protocol
    if from_.priority:
        to.priority = from_.priority
    if from_.skb_iif:
        to.skb_iif = from_.skb_iif
    if from_.mark:
        to.mark = from_.mark
    dst = from_._skb_refdst
    if dst is not None:
        dst.refcnt += 1
    to._skb_refdst = dst
    to.dev = from_.dev


def ip_frag_next(skb: sk_buff, data: bytes, state: ip_frag_state) -> sk_buff:
    """The next fragment."""
    length = state.left
    if length > state.mtu:
        length = state.mtu
    if length < state.left:
        length &= ~7
    iph = skb.network_header
    assert isinstance(iph, iphdr)
    assert skb.dev is not None
    skb2 = alloc_skb(skb.dev.nd_net.kernel, length + state.hlen + state.ll_rs)
    ip_copy_metadata(skb2, skb)
    skb_put(skb2, data[state.ptr : state.ptr + length])
    skb2.len = length + state.hlen
    if skb.sk is not None:
        skb_set_owner_w(skb2, skb.sk)
    skb2.ip_summed = CHECKSUM_NONE
    iph2 = iph._copy()
    skb2.network_header = iph2
    state.left -= length
    iph2.frag_off = state.offset >> 3
    if state.DF:
        iph2.frag_off |= IP_DF
    if state.left > 0 or state.not_last_frag:
        iph2.frag_off |= IP_MF
    state.ptr += length
    state.offset += length
    iph2.tot_len = length + state.hlen
    ip_output.ip_send_check(iph2)
    return skb2


def ip_do_fragment(
    net: net_t, sk: sock | None, skb: sk_buff, output: Callable[[net_t, sock | None, sk_buff], int]
) -> int:
    """Cut a packet that is too large for its route, and send the pieces. EMSGSIZE."""
    stats = net.mib.ip_statistics
    try:
        mtu = ip_output.ip_skb_dst_mtu(sk, skb)
        cb = IPCB(skb)
        if cb.frag_max_size and cb.frag_max_size < mtu:
            mtu = cb.frag_max_size
        iph = skb.network_header
        assert isinstance(iph, iphdr)
        hlen = iph.ihl * 4
        if mtu < hlen + 8:
            raise KernelError(EMSGSIZE)
        cb.flags |= IPSKB_FRAG_COMPLETE
        data = _transport_bytes(skb)
        state = ip_frag_init(skb, hlen, 16, mtu - hlen, bool(cb.flags & IPSKB_FRAG_PMTU))
        while state.left > 0:
            first_frag = state.offset == 0
            skb2 = ip_frag_next(skb, data, state)
            IPCB(skb2).flags = cb.flags
            if first_frag:
                ip_options_fragment(skb)
            output(net, sk, skb2)
            stats[IPSTATS_MIB_FRAGCREATES] += 1
    except KernelError:
        kfree_skb(skb)
        stats[IPSTATS_MIB_FRAGFAILS] += 1
        raise
    consume_skb(skb)
    stats[IPSTATS_MIB_FRAGOKS] += 1
    return 0
