"""net/core/skbuff.c: the error queue, and time stamps of packets that were sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import ENOMEM, ENOMSG
from kshell.abi.packet import PACKET_OUTGOING
from kshell.abi.socket import (
    SO_EE_ORIGIN_ICMP,
    SO_EE_ORIGIN_ICMP6,
    SO_EE_ORIGIN_TIMESTAMPING,
    SOCK_STREAM,
    SOF_TIMESTAMPING_OPT_ID,
    SOF_TIMESTAMPING_OPT_TSONLY,
)
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.errqueue import SKB_EXT_ERR as SKB_EXT_ERR
from kshell.linux.include.linux.errqueue import sock_extended_err, sock_exterr_skb
from kshell.linux.include.linux.skbuff import SKBTX_ANY_TSTAMP, __skb_dequeue, sk_buff_head, skb_orphan, skb_shinfo
from kshell.linux.include.net.sock import NO_ERRORS, SOCK_DEAD, sk_error_report
from kshell.linux.kernel.time.timekeeping import ktime_get_real
from kshell.linux.net.core import skbuff

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.sock import sock


def sock_rmem_free(skb: sk_buff) -> None:
    """Destructor of packets in an error queue."""
    assert skb.sk is not None
    skb.sk.sk_rmem_alloc -= skb.truesize


def _own_error_queue(sk: sock) -> sk_buff_head:
    """The socket's error queue to put a packet in; until then it shares the empty one."""
    if sk.sk_error_queue is NO_ERRORS:
        sk.sk_error_queue = sk_buff_head()
    return sk.sk_error_queue


def sock_queue_err_skb(sk: sock, skb: sk_buff) -> int:
    """Put a packet in the error queue. ENOMEM: there is no room; the caller drops the packet."""
    if sk.sk_rmem_alloc + skb.truesize >= sk.sk_rcvbuf:
        raise KernelError(ENOMEM)
    skb_orphan(skb)
    skb.sk = sk
    skb.destructor = sock_rmem_free
    sk.sk_rmem_alloc += skb.truesize
    skb.pkt_type = PACKET_OUTGOING
    skbuff.skb_queue_tail(_own_error_queue(sk), skb)
    if not sk.skc_flags & 1 << SOCK_DEAD:
        sk_error_report(sk)
    return 0


def is_icmp_err_skb(skb: sk_buff | None) -> bool:
    """True if the packet reports an ICMP error."""
    return skb is not None and SKB_EXT_ERR(skb).ee.ee_origin in (SO_EE_ORIGIN_ICMP, SO_EE_ORIGIN_ICMP6)


def sock_dequeue_err_skb(sk: sock) -> sk_buff | None:
    """Take the first packet of the error queue; sk_err becomes the next one's errno."""
    queue = sk.sk_error_queue
    skb = __skb_dequeue(queue)
    following = queue.next if skb is not None else None
    icmp_next = is_icmp_err_skb(following)
    if following is not None and icmp_next:
        sk.sk_err = SKB_EXT_ERR(following).ee.ee_errno
    if is_icmp_err_skb(skb) and not icmp_next:
        sk.sk_err = 0
    if following is not None:
        sk_error_report(sk)
    return skb


def __skb_complete_tx_timestamp(skb: sk_buff, sk: sock, tstype: int, opt_stats: bool) -> None:
    """Queue the time stamp of a packet sent."""
    ee = sock_extended_err(ENOMSG, SO_EE_ORIGIN_TIMESTAMPING, ee_info=tstype)
    serr = sock_exterr_skb(ee)
    serr.opt_stats = opt_stats
    serr._iif = skb.dev.ifindex if skb.dev is not None else 0
    if sk.sk_tsflags & SOF_TIMESTAMPING_OPT_ID:
        ee.ee_data = skb_shinfo(skb).tskey
        if sk.sk_protocol == 6 and sk.sk_type == SOCK_STREAM:
            ee.ee_data = (ee.ee_data - sk.sk_tskey) & 0xFFFFFFFF
    skb.cb = serr
    try:
        sock_queue_err_skb(sk, skb)
    except KernelError:
        skbuff.kfree_skb(skb)


def __skb_tstamp_tx(orig_skb: sk_buff, ack_skb: sk_buff | None, sk: sock | None, tstype: int) -> None:
    """Stamp a packet that was sent, scheduled or acknowledged, for its socket's error queue."""
    if sk is None:
        return
    kernel = sk.skc_net.kernel
    tsonly = bool(sk.sk_tsflags & SOF_TIMESTAMPING_OPT_TSONLY)
    if tsonly:
        skb = skbuff.alloc_skb(kernel, 0)
        info, orig = skb_shinfo(skb), skb_shinfo(orig_skb)
        info.tx_flags |= orig.tx_flags & SKBTX_ANY_TSTAMP
        info.tskey = orig.tskey
    else:
        skb = skbuff.skb_clone(orig_skb)
    skb.tstamp = ktime_get_real(kernel)
    __skb_complete_tx_timestamp(skb, sk, tstype, False)
