"""net/core/dev.c: sending packets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import ENETDOWN
from kshell.abi.netdevice import IFF_UP
from kshell.abi.packet import PACKET_LOOPBACK, PACKET_OUTGOING
from kshell.abi.socket import SCM_TSTAMP_SCHED
from kshell.linux.include.linux.netdev_features import NETIF_F_GSO_MASK, NETIF_F_GSO_UDP_L4, NETIF_F_TSO
from kshell.linux.include.linux.netdevice import (
    IFF_XMIT_DST_RELEASE,
    LINK_STATE_START,
    NET_RX_SUCCESS,
    NET_XMIT_SUCCESS,
    NETDEV_TX_OK,
)
from kshell.linux.include.linux.netdevice_xmit import QUEUE_STATE_DRV_XOFF, netif_tx_queue_stopped
from kshell.linux.include.linux.skbuff import (
    CHECKSUM_PARTIAL,
    CHECKSUM_UNNECESSARY,
    SKB_GSO_UDP_L4,
    SKBTX_SCHED_TSTAMP,
)
from kshell.linux.include.net.dropreason import SKB_DROP_REASON_DEV_READY
from kshell.linux.include.net.sch_generic import (
    QDISC_STATE_DEACTIVATED,
    QDISC_STATE_SCHED,
    TCQ_F_CAN_BYPASS,
    qdisc_dev,
)
from kshell.linux.include.trace.events import NetDevXmit
from kshell.linux.kernel.softirq import NET_TX_SOFTIRQ, do_softirq, raise_softirq
from kshell.linux.kernel.time.timekeeping import ktime_get_real
from kshell.linux.net.core import dev_receive, gso
from kshell.linux.net.core.skbuff import kfree_skb_list, kfree_skb_reason, skb_clone, skb_dst_drop
from kshell.linux.net.core.skbuff_error import __skb_tstamp_tx
from kshell.linux.net.sched import sch_generic

if TYPE_CHECKING:
    from kshell.linux.include.linux.netdevice import net_device, netdev_queue, packet_type
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.net_namespace import net
    from kshell.linux.include.net.sch_generic import Qdisc
    from kshell.linux.include.net.sock import sock
    from kshell.linux.init.kernel import Kernel

XMIT_RECURSION_LIMIT = 8


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


def netif_skb_features(skb: sk_buff) -> int:
    """What the device can do for this packet (NETIF_F_*)."""
    dev = skb.dev
    assert dev is not None
    features = dev.features
    shinfo = skb._shinfo
    if shinfo is not None and shinfo.gso_size:
        features = gso_features_check(skb, dev, features)
    return features


def gso_features_check(skb: sk_buff, dev: net_device, features: int) -> int:
    """No segmentation by a device for what is too large for it."""
    shinfo = skb._shinfo
    if shinfo is not None and (shinfo.gso_segs > dev.gso_max_segs or skb.len >= dev.gso_max_size):
        features &= ~NETIF_F_GSO_MASK
    return features


def net_gso_ok(features: int, gso_type: int) -> bool:
    """True if the device segments packets of this type itself."""
    need = NETIF_F_GSO_UDP_L4 if gso_type & SKB_GSO_UDP_L4 else NETIF_F_TSO
    return bool(features & need)


def validate_xmit_skb(skb: sk_buff, dev: net_device) -> sk_buff | None:
    """Make the packet what the device can send: segments if it does not cut itself, linked by `next`."""
    features = netif_skb_features(skb)
    shinfo = skb._shinfo
    if shinfo is not None and shinfo.gso_size and not net_gso_ok(features, shinfo.gso_type):
        return gso.skb_gso_segment(skb, features)
    if skb.ip_summed == CHECKSUM_PARTIAL:
        skb_csum_hwoffload_help(skb, features)
    return skb


def skb_csum_hwoffload_help(skb: sk_buff, features: int) -> int:
    """Who makes the checksum: the device, or software. Here it is made where the bytes are."""
    return 0


def validate_xmit_skb_list(skb: sk_buff, dev: net_device) -> sk_buff | None:
    """validate_xmit_skb() for packets linked by `next`."""
    head: sk_buff | None = None
    tail: sk_buff | None = None
    each: sk_buff | None = skb
    while each is not None:
        following, each.next = each.next, None
        each = validate_xmit_skb(each, dev)
        if each is not None:
            if tail is None:
                head = each
            else:
                tail.next = each
            tail = each
            while tail.next is not None:
                tail = tail.next
        each = following
    return head


def __dev_xmit_skb(skb: sk_buff, q: Qdisc, dev: net_device) -> int:
    """Send by a queueing discipline, at once if it is empty and allows that; NET_XMIT_*."""
    if q.flags & TCQ_F_CAN_BYPASS and not q.q.qlen and not dev._tx.state:
        sch_generic.qdisc_bstats_update(q, skb)
        if sch_generic.sch_direct_xmit(skb, q, dev):
            sch_generic.__qdisc_run(q)
        return NET_XMIT_SUCCESS
    assert q.enqueue is not None
    rc = q.enqueue(skb, q)
    sch_generic.__qdisc_run(q)
    return rc


def __netif_schedule(q: Qdisc) -> None:
    """Have net_tx_action() run a queue."""
    if not q.state >> QDISC_STATE_SCHED & 1:
        q.state |= 1 << QDISC_STATE_SCHED
        kernel = qdisc_dev(q).nd_net.kernel
        kernel.softnet_data.output_queue.append(q)
        raise_softirq(kernel, NET_TX_SOFTIRQ)


def netif_tx_wake_queue(txq: netdev_queue) -> None:
    """The driver takes packets again."""
    if netif_tx_queue_stopped(txq):
        txq.state &= ~(1 << QUEUE_STATE_DRV_XOFF)
        if txq.qdisc is not None:
            __netif_schedule(txq.qdisc)


def netif_wake_queue(dev: net_device) -> None:
    """The driver takes packets again."""
    netif_tx_wake_queue(dev._tx)


def net_tx_action(kernel: Kernel) -> None:
    """Softirq: run the queues whose drivers take packets again."""
    sd = kernel.softnet_data
    queues, sd.output_queue = sd.output_queue, []
    for q in queues:
        q.state &= ~(1 << QDISC_STATE_SCHED)
        if not q.state >> QDISC_STATE_DEACTIVATED & 1:
            sch_generic.__qdisc_run(q)


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
    qdisc = dev._tx.qdisc
    if qdisc is not None and qdisc.enqueue is not None:
        rc = __dev_xmit_skb(skb, qdisc, dev)
    elif not dev.flags & IFF_UP or not dev.state & 1 << LINK_STATE_START:
        kfree_skb_reason(skb, SKB_DROP_REASON_DEV_READY)
        return -ENETDOWN
    else:
        rc = _xmit_noqueue(skb, dev)
    if kernel.softirq_pending and not kernel.in_serving_softirq:
        do_softirq(kernel)
    return rc


def _xmit_noqueue(skb: sk_buff, dev: net_device) -> int:
    """Send by a device without a queue, not deeper than XMIT_RECURSION_LIMIT devices upon each other."""
    sent = validate_xmit_skb(skb, dev)
    if sent is None:
        return 1
    kernel = dev.nd_net.kernel
    if kernel.xmit_recursion > XMIT_RECURSION_LIMIT:
        kfree_skb_list(sent)
        return -ENETDOWN
    kernel.xmit_recursion += 1
    rc = NETDEV_TX_OK
    try:
        while sent is not None:
            following, sent.next = sent.next, None
            rc = dev_hard_start_xmit(sent, dev)
            sent = following
    finally:
        kernel.xmit_recursion -= 1
    return rc


dev_queue_xmit = __dev_queue_xmit


def dev_loopback_xmit(net: net, sk: sock | None, skb: sk_buff) -> int:
    """Have a packet come in again: multicast and broadcast that this machine wants, too."""
    skb.pkt_type = PACKET_LOOPBACK
    if skb.ip_summed != CHECKSUM_UNNECESSARY:
        skb.ip_summed = CHECKSUM_UNNECESSARY
    dev_receive.netif_rx(skb)
    return NET_RX_SUCCESS
