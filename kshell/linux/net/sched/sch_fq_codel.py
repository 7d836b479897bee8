"""net/sched/sch_fq_codel.c: a queue for each flow, served in turn, each held short by CoDel."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from kshell.linux.include.linux.ip import iphdr
from kshell.linux.include.linux.netdevice import NET_XMIT_CN, NET_XMIT_SUCCESS
from kshell.linux.include.linux.random import get_random_u32
from kshell.linux.include.linux.skbuff import __skb_dequeue, __skb_queue_tail, sk_buff_head
from kshell.linux.include.net.sch_generic import TCQ_F_CAN_BYPASS, Qdisc, Qdisc_ops, qdisc_dev, qdisc_pkt_len
from kshell.linux.kernel.time.timekeeping import ktime_get
from kshell.linux.net.core.skbuff import __skb_queue_purge, kfree_skb
from kshell.linux.net.sched.codel import codel_dequeue, codel_params, codel_skb_cb, codel_stats, codel_vars
from kshell.linux.net.sched.sch_generic import qdisc_bstats_update

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff

FLOWS: Final = 1024
LIMIT: Final = 10 * 1024
MEMORY_LIMIT: Final = 32 << 20
DROP_BATCH: Final = 64


class fq_codel_flow:
    """The packets of one flow. deficit: bytes it may still send in its turn."""

    __slots__ = ("backlog", "chained", "cvars", "deficit", "queue")

    def __init__(self) -> None:
        self.queue = sk_buff_head()
        self.cvars = codel_vars()
        self.deficit = self.backlog = 0
        self.chained = False


class fq_codel_sched_data:
    """The flows; new ones are served before the old."""

    __slots__ = (
        "cparams", "cstats", "drop_overlimit", "flows", "memory_usage", "new_flow_count", "new_flows", "old_flows",
        "perturbation", "quantum",
    )  # fmt: skip

    def __init__(self, quantum: int, mtu: int, perturbation: int) -> None:
        self.flows: dict[int, fq_codel_flow] = {}
        self.new_flows: deque[fq_codel_flow] = deque()
        self.old_flows: deque[fq_codel_flow] = deque()
        self.quantum = quantum
        self.cparams = codel_params(mtu)
        self.cstats = codel_stats()
        self.perturbation = perturbation
        self.memory_usage = self.new_flow_count = self.drop_overlimit = 0


def _data(sch: Qdisc) -> fq_codel_sched_data:
    data = sch.privdata
    assert isinstance(data, fq_codel_sched_data)
    return data


def fq_codel_hash(q: fq_codel_sched_data, skb: sk_buff) -> int:
    """The flow that a packet belongs to: by addresses, ports and protocol."""
    ip, th = skb.network_header, skb.transport_header
    if not isinstance(ip, iphdr):
        return (skb.protocol ^ q.perturbation) & FLOWS - 1
    ports = getattr(th, "source", 0) << 16 | getattr(th, "dest", 0)
    key = (ip.saddr * 0x9E3779B1 ^ ip.daddr * 0x85EBCA6B ^ ports * 0xC2B2AE35 ^ ip.protocol) + q.perturbation
    return (key & 0xFFFFFFFF) * FLOWS >> 32


def fq_codel_drop(sch: Qdisc, max_packets: int) -> fq_codel_flow:
    """The queue is full: drop up to half of the longest flow."""
    q = _data(sch)
    flow = max(q.flows.values(), key=lambda each: each.backlog)
    threshold = flow.backlog >> 1
    dropped = bytes_ = 0
    while dropped < max_packets and (not dropped or bytes_ < threshold):
        skb = __skb_dequeue(flow.queue)
        if skb is None:
            break
        bytes_ += qdisc_pkt_len(skb)
        q.memory_usage -= skb.truesize
        dropped += 1
        kfree_skb(skb)
    flow.cvars.count += dropped
    flow.backlog -= bytes_
    sch.qstats.drops += dropped
    sch.qstats.backlog -= bytes_
    sch.q.qlen -= dropped
    q.drop_overlimit += dropped
    return flow


def fq_codel_enqueue(skb: sk_buff, sch: Qdisc) -> int:
    """Queue a packet with its flow; NET_XMIT_CN if that made the flow lose packets."""
    q = _data(sch)
    index = fq_codel_hash(q, skb)
    flow = q.flows.get(index)
    if flow is None:
        flow = q.flows[index] = fq_codel_flow()
    skb.cb = codel_skb_cb(ktime_get(skb._kernel), skb.cb)
    __skb_queue_tail(flow.queue, skb)
    flow.backlog += qdisc_pkt_len(skb)
    sch.qstats.backlog += qdisc_pkt_len(skb)
    q.memory_usage += skb.truesize
    if not flow.chained:
        flow.chained = True
        q.new_flows.append(flow)
        q.new_flow_count += 1
        flow.deficit = q.quantum
    sch.q.qlen += 1
    if sch.q.qlen <= sch.limit and q.memory_usage <= MEMORY_LIMIT:
        return NET_XMIT_SUCCESS
    return NET_XMIT_CN if fq_codel_drop(sch, DROP_BATCH) is flow else NET_XMIT_SUCCESS


def _take(sch: Qdisc, flow: fq_codel_flow) -> tuple[sk_buff | None, int]:
    """dequeue_func(): the next packet of a flow, and when it was queued."""
    skb = __skb_dequeue(flow.queue)
    if skb is None:
        return None, 0
    flow.backlog -= qdisc_pkt_len(skb)
    _data(sch).memory_usage -= skb.truesize
    sch.q.qlen -= 1
    sch.qstats.backlog -= qdisc_pkt_len(skb)
    cb = skb.cb
    assert isinstance(cb, codel_skb_cb)
    skb.cb = cb.cb
    return skb, cb.enqueue_time


def __fq_codel_dequeue(sch: Qdisc) -> sk_buff | None:
    """The next packet: of new flows, then of the old in turn."""
    q = _data(sch)

    def drop(skb: sk_buff) -> None:
        kfree_skb(skb)
        sch.qstats.drops += 1

    while q.new_flows or q.old_flows:
        head = q.new_flows or q.old_flows
        flow = head[0]
        if flow.deficit <= 0:
            flow.deficit += q.quantum
            q.old_flows.append(head.popleft())
            continue
        now = ktime_get(qdisc_dev(sch).nd_net.kernel)
        skb = codel_dequeue(sch, q.cparams, flow.cvars, q.cstats, now, lambda flow=flow: _take(sch, flow), drop)
        if skb is not None:
            qdisc_bstats_update(sch, skb)
            flow.deficit -= qdisc_pkt_len(skb)
            return skb
        head.popleft()
        if head is q.new_flows and q.old_flows:
            q.old_flows.append(flow)
        else:
            flow.chained = False
    return None


def fq_codel_dequeue(sch: Qdisc) -> sk_buff | None:
    """The next packet."""
    return __fq_codel_dequeue(sch) if sch.q.qlen else None


def fq_codel_reset(sch: Qdisc) -> None:
    """Drop all."""
    q = _data(sch)
    for flow in q.flows.values():
        __skb_queue_purge(flow.queue)
    q.flows.clear()
    q.new_flows.clear()
    q.old_flows.clear()
    q.memory_usage = 0


def fq_codel_init(sch: Qdisc) -> None:
    """1024 flows, 10240 packets, 5 ms and 100 ms."""
    dev = qdisc_dev(sch)
    sch.limit = LIMIT
    quantum = dev.mtu + dev.hard_header_len
    sch.privdata = fq_codel_sched_data(quantum, dev.mtu, get_random_u32(dev.nd_net.kernel))
    sch.flags |= TCQ_F_CAN_BYPASS


fq_codel_qdisc_ops = Qdisc_ops(
    id="fq_codel", enqueue=fq_codel_enqueue, dequeue=fq_codel_dequeue, init=fq_codel_init, reset=fq_codel_reset
)
