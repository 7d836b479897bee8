"""net/sched/sch_generic.c: what every device can have: no queue, pfifo_fast; and how queues are emptied."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kshell.linux.include.linux.netdevice import (
    IFF_NO_QUEUE,
    NET_XMIT_CN,
    NET_XMIT_DROP,
    NET_XMIT_SUCCESS,
    NETDEV_TX_OK,
    netif_carrier_ok,
)
from kshell.linux.include.linux.netdevice_xmit import netif_tx_queue_stopped
from kshell.linux.include.linux.skbuff import __skb_dequeue, __skb_queue_head, __skb_queue_tail, sk_buff_head
from kshell.linux.include.net.sch_generic import (
    QDISC_STATE_DEACTIVATED,
    TCQ_F_BUILTIN,
    TCQ_F_CAN_BYPASS,
    Qdisc,
    Qdisc_ops,
    qdisc_dev,
    qdisc_pkt_len,
)
from kshell.linux.net.core import dev_xmit
from kshell.linux.net.core.skbuff import __skb_queue_purge, kfree_skb
from kshell.linux.net.sched import sch_api

if TYPE_CHECKING:
    from kshell.linux.include.linux.netdevice import net_device
    from kshell.linux.include.linux.skbuff import sk_buff

PFIFO_FAST_BANDS: Final = 3
PRIO2BAND: Final = (1, 2, 2, 2, 1, 2, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1)


def noop_enqueue(skb: sk_buff, qdisc: Qdisc) -> int:
    """A device that is down drops what it is given."""
    kfree_skb(skb)
    return NET_XMIT_CN


def noop_dequeue(qdisc: Qdisc) -> sk_buff | None:
    """Nothing is ever queued."""
    return None


def noqueue_init(qdisc: Qdisc) -> None:
    """Packets go straight to the driver."""
    qdisc.enqueue = None


def pfifo_fast_enqueue(skb: sk_buff, qdisc: Qdisc) -> int:
    """Queue by the band of the packet's priority; a full band drops."""
    bands: list[sk_buff_head] = qdisc.privdata  # type: ignore[assignment]  # set by pfifo_fast_init()
    band = bands[PRIO2BAND[skb.priority & 15]]
    if band.qlen >= qdisc.limit:
        qdisc.qstats.drops += 1
        kfree_skb(skb)
        return NET_XMIT_DROP
    __skb_queue_tail(band, skb)
    qdisc.q.qlen += 1
    qdisc.qstats.backlog += skb.len
    return NET_XMIT_SUCCESS


def pfifo_fast_dequeue(qdisc: Qdisc) -> sk_buff | None:
    """The oldest packet of the first band that has one."""
    bands: list[sk_buff_head] = qdisc.privdata  # type: ignore[assignment]  # set by pfifo_fast_init()
    for band in bands:
        skb = __skb_dequeue(band)
        if skb is not None:
            qdisc.q.qlen -= 1
            qdisc.qstats.backlog -= skb.len
            qdisc_bstats_update(qdisc, skb)
            return skb
    return None


def pfifo_fast_peek(qdisc: Qdisc) -> sk_buff | None:
    """The packet that pfifo_fast_dequeue() would give."""
    bands: list[sk_buff_head] = qdisc.privdata  # type: ignore[assignment]  # set by pfifo_fast_init()
    return next((band.next for band in bands if band.next is not None), None)


def pfifo_fast_reset(qdisc: Qdisc) -> None:
    """Drop all."""
    bands: list[sk_buff_head] = qdisc.privdata  # type: ignore[assignment]  # set by pfifo_fast_init()
    for band in bands:
        __skb_queue_purge(band)


def pfifo_fast_init(qdisc: Qdisc) -> None:
    """Each band is as long as the device wants it."""
    qdisc.limit = qdisc_dev(qdisc).tx_queue_len
    qdisc.privdata = [sk_buff_head() for _ in range(PFIFO_FAST_BANDS)]
    qdisc.flags |= TCQ_F_CAN_BYPASS


noop_qdisc_ops = Qdisc_ops(id="noop", enqueue=noop_enqueue, dequeue=noop_dequeue)
noqueue_qdisc_ops = Qdisc_ops(id="noqueue", init=noqueue_init)
pfifo_fast_ops = Qdisc_ops(
    id="pfifo_fast", enqueue=pfifo_fast_enqueue, dequeue=pfifo_fast_dequeue, peek=pfifo_fast_peek,
    init=pfifo_fast_init, reset=pfifo_fast_reset,
)  # fmt: skip


def qdisc_bstats_update(sch: Qdisc, skb: sk_buff) -> None:
    """Count a packet that leaves the queue."""
    shinfo = skb._shinfo
    sch.bstats.bytes += qdisc_pkt_len(skb)
    sch.bstats.packets += shinfo.gso_segs if shinfo is not None and shinfo.gso_size else 1


def dequeue_skb(q: Qdisc) -> sk_buff | None:
    """The next packet: one that the driver refused, or what the discipline gives."""
    skb = __skb_dequeue(q.gso_skb)
    if skb is not None:
        q.q.qlen -= 1
        q.qstats.backlog -= skb.len
        return skb
    if netif_tx_queue_stopped(qdisc_dev(q)._tx):
        return None
    return q.dequeue(q) if q.dequeue is not None else None


def dev_requeue_skb(skb: sk_buff, q: Qdisc) -> None:
    """The driver took a packet not: keep it for later, before all others."""
    __skb_queue_head(q.gso_skb, skb)
    q.qstats.requeues += 1
    q.qstats.backlog += skb.len
    q.q.qlen += 1


def sch_direct_xmit(skb: sk_buff, q: Qdisc, dev: net_device) -> bool:
    """Hand packets of a queue to the driver; False if it takes no more."""
    first = dev_xmit.validate_xmit_skb_list(skb, dev)
    while first is not None:
        following, first.next = first.next, None
        if netif_tx_queue_stopped(dev._tx) or dev_xmit.dev_hard_start_xmit(first, dev) != NETDEV_TX_OK:
            while following is not None:
                last, following = following, following.next
                last.next = None
                dev_requeue_skb(last, q)
            dev_requeue_skb(first, q)
            return False
        first = following
    return True


def qdisc_restart(q: Qdisc) -> bool:
    """Send one packet of a queue; False if there is none or the driver takes none."""
    skb = dequeue_skb(q)
    return skb is not None and sch_direct_xmit(skb, q, qdisc_dev(q))


def __qdisc_run(q: Qdisc) -> None:
    """Send what a queue holds, as far as the driver takes it."""
    while qdisc_restart(q):
        pass


def qdisc_alloc(dev: net_device, ops: Qdisc_ops) -> Qdisc:
    """A queue for dev."""
    return Qdisc(ops, dev)


def qdisc_create_dflt(dev: net_device, ops: Qdisc_ops) -> Qdisc:
    """A queue for dev with the discipline's usual settings."""
    sch = qdisc_alloc(dev, ops)
    if ops.init is not None:
        ops.init(sch)
    return sch


def qdisc_reset(qdisc: Qdisc) -> None:
    """Drop what is queued."""
    if qdisc.ops.reset is not None:
        qdisc.ops.reset(qdisc)
    __skb_queue_purge(qdisc.gso_skb)
    __skb_queue_purge(qdisc.q)
    qdisc.q.qlen = 0
    qdisc.qstats.backlog = 0


def attach_default_qdiscs(dev: net_device) -> None:
    """Give the device what it has unless somebody configures another."""
    if dev.priv_flags & IFF_NO_QUEUE or not dev.tx_queue_len:
        ops = noqueue_qdisc_ops
    else:
        ops = sch_api.get_default_qdisc_ops(dev)
    dev.qdisc = qdisc_create_dflt(dev, ops)


def _noop(dev: net_device) -> Qdisc:
    noop = Qdisc(noop_qdisc_ops, dev)
    noop.flags = TCQ_F_BUILTIN
    return noop


def dev_init_scheduler(dev: net_device) -> None:
    """A device begins without a queue."""
    dev.qdisc = dev._tx.qdisc = _noop(dev)


def shutdown_scheduler_queue(dev: net_device) -> None:
    """Nothing can be sent any more."""
    dev._tx.qdisc = _noop(dev)


def dev_shutdown(dev: net_device) -> None:
    """The device goes, or moves: it loses its queue."""
    shutdown_scheduler_queue(dev)
    dev.qdisc = _noop(dev)


def dev_activate(dev: net_device) -> None:
    """The device goes up, or gets its link: packets may flow. Without a link they are dropped."""
    if dev.qdisc is None or dev.qdisc.ops is noop_qdisc_ops:
        attach_default_qdiscs(dev)
    if not netif_carrier_ok(dev) or dev.qdisc is None:
        return
    dev.qdisc.state &= ~(1 << QDISC_STATE_DEACTIVATED)
    dev._tx.qdisc = dev.qdisc


def dev_deactivate_many(head: list[net_device]) -> None:
    """Devices go down, or lost their link: what waits is dropped."""
    for dev in head:
        qdisc = dev._tx.qdisc
        if qdisc is not None and qdisc.ops is not noop_qdisc_ops:
            qdisc.state |= 1 << QDISC_STATE_DEACTIVATED
            dev._tx.qdisc = _noop(dev)
            qdisc_reset(qdisc)


def dev_deactivate(dev: net_device) -> None:
    """dev_deactivate_many() of one."""
    dev_deactivate_many([dev])
