"""net/core/dev.c: sending packets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import ENETDOWN
from kshell.abi.netdevice import IFF_UP
from kshell.linux.include.linux.netdevice import (
    IFF_XMIT_DST_RELEASE,
    LINK_STATE_START,
    NET_RX_SUCCESS,
    NETDEV_TX_OK,
    PACKET_LOOPBACK,
    PACKET_OUTGOING,
)
from kshell.linux.include.linux.skbuff import CHECKSUM_UNNECESSARY, SKBTX_SCHED_TSTAMP
from kshell.linux.include.net.dropreason import SKB_DROP_REASON_DEV_READY
from kshell.linux.include.trace.events import NetDevXmit
from kshell.linux.kernel.softirq import do_softirq
from kshell.linux.kernel.time.timekeeping import ktime_get_real
from kshell.linux.net.core import dev_receive
from kshell.linux.net.core.skbuff import kfree_skb_reason, skb_clone, skb_dst_drop
from kshell.linux.net.core.skbuff_error import SCM_TSTAMP_SCHED, __skb_tstamp_tx

if TYPE_CHECKING:
    from kshell.linux.include.linux.netdevice import net_device, packet_type
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.net_namespace import net
    from kshell.linux.include.net.sch_generic import Qdisc
    from kshell.linux.include.net.sock import sock


def skb_loop_sk(ptype: packet_type, skb: sk_buff) -> bool:
    """True if a tap must not see the packet: it sent it itself."""
    return skb.sk is not None and (
        (ptype.id_match is not None and ptype.id_match(ptype, skb.sk)) or ptype.af_packet_priv is skb.sk
    )


def dev_queue_xmit_nit(skb: sk_buff, dev: net_device) -> None:
    """Show a packet about to be sent to the taps; all get one and the same clone."""
    kernel = skb._kernel
    skb2: sk_buff | None = None
    pt_prev: packet_type | None = None
    for ptype in (*kernel.ptype_all, *dev.ptype_all):
        if ptype.ignore_outgoing or skb_loop_sk(ptype, skb):
            continue
        if pt_prev is not None and skb2 is not None:
            skb2.users += 1
            pt_prev.func(skb2, dev, pt_prev, dev)
            pt_prev = ptype
            continue
        skb2 = skb_clone(skb)
        if not skb2.tstamp:
            skb2.tstamp = ktime_get_real(kernel)
        skb2.pkt_type = PACKET_OUTGOING
        pt_prev = ptype
    if pt_prev is not None and skb2 is not None:
        pt_prev.func(skb2, dev, pt_prev, dev)


def dev_nit_active(dev: net_device) -> bool:
    """True if anybody taps the device."""
    return bool(dev.nd_net.kernel.ptype_all or dev.ptype_all)


def dev_hard_start_xmit(skb: sk_buff, dev: net_device) -> int:
    """Hand a packet to the driver; NETDEV_TX_*."""
    kernel = skb._kernel
    if kernel.ptype_all or dev.ptype_all:
        dev_queue_xmit_nit(skb, dev)
    if kernel.listening:
        kernel.emit(NetDevXmit(dev.name, skb))
    return dev.netdev_ops.ndo_start_xmit(skb, dev)


def netdev_core_pick_tx(dev: net_device, skb: sk_buff) -> int:
    """The transmit queue: each device has one."""
    return 0


def validate_xmit_skb(skb: sk_buff, dev: net_device) -> sk_buff | None:
    """Make the packet what the device can send. Checksums and segmentation are made where bytes are."""
    return skb


def sch_direct_xmit(skb: sk_buff, dev: net_device) -> bool:
    """Hand one packet of a queue to the driver; False if that is busy."""
    if validate_xmit_skb(skb, dev) is None:
        return True
    return dev_hard_start_xmit(skb, dev) == NETDEV_TX_OK


def __dev_xmit_skb(skb: sk_buff, q: Qdisc, dev: net_device) -> int:
    """Send by a queueing discipline; NET_XMIT_*."""
    assert q.enqueue is not None
    rc = q.enqueue(skb, q)
    __qdisc_run(q, dev)
    return rc


def __qdisc_run(q: Qdisc, dev: net_device) -> None:
    """Send what a queue holds."""
    dequeue = q.ops.dequeue
    while dequeue is not None and (skb := dequeue(q)) is not None:
        if not sch_direct_xmit(skb, dev):
            break


def __dev_queue_xmit(skb: sk_buff) -> int:
    """Send a packet: by the device's queueing discipline, or at once if it has none; NET_XMIT_* or -errno."""
    dev = skb.dev
    assert dev is not None
    kernel = skb._kernel
    if skb._shinfo is not None and skb._shinfo.tx_flags & SKBTX_SCHED_TSTAMP:
        __skb_tstamp_tx(skb, None, skb.sk, SCM_TSTAMP_SCHED)
    if dev.priv_flags & IFF_XMIT_DST_RELEASE and skb._skb_refdst is not None:
        skb_dst_drop(skb)
    netdev_core_pick_tx(dev, skb)
    qdisc = dev.qdisc
    if qdisc is not None and qdisc.enqueue is not None:
        return __dev_xmit_skb(skb, qdisc, dev)
    if not dev.flags & IFF_UP or not dev.state & 1 << LINK_STATE_START:
        kfree_skb_reason(skb, SKB_DROP_REASON_DEV_READY)
        return -ENETDOWN
    if validate_xmit_skb(skb, dev) is None:
        return 1
    rc = dev_hard_start_xmit(skb, dev)
    if kernel.softirq_pending and not kernel.in_serving_softirq:
        do_softirq(kernel)
    return rc if rc != NETDEV_TX_OK else 0


dev_queue_xmit = __dev_queue_xmit


def dev_loopback_xmit(net: net, sk: sock | None, skb: sk_buff) -> int:
    """Have a packet come in again: multicast and broadcast that this machine wants, too."""
    skb.pkt_type = PACKET_LOOPBACK
    if skb.ip_summed != CHECKSUM_UNNECESSARY:
        skb.ip_summed = CHECKSUM_UNNECESSARY
    dev_receive.netif_rx(skb)
    return NET_RX_SUCCESS
