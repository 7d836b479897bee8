"""net/sched/sch_fq.c: a queue for each flow, served in turn, packets leaving no sooner than their flow's rate allows."""

from __future__ import annotations

from collections import deque
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Final

from kshell.abi.tcp import TCP_NEW_SYN_RECV, TCP_TIME_WAIT
from kshell.abi.time import NSEC_PER_SEC
from kshell.linux.include.linux.hrtimer import HRTIMER_NORESTART, hrtimer
from kshell.linux.include.linux.netdevice import NET_XMIT_DROP, NET_XMIT_SUCCESS
from kshell.linux.include.linux.skbuff import __skb_dequeue, __skb_queue_tail, sk_buff_head
from kshell.linux.include.net.sch_generic import TC_PRIO_CONTROL, Qdisc, Qdisc_ops, qdisc_dev, qdisc_pkt_len
from kshell.linux.kernel.irq.manage import irq_exit
from kshell.linux.kernel.time.hrtimer import hrtimer_start, hrtimer_try_to_cancel
from kshell.linux.kernel.time.timekeeping import ktime_get
from kshell.linux.net.core.dev_xmit import __netif_schedule
from kshell.linux.net.core.skbuff import __skb_queue_purge, kfree_skb
from kshell.linux.net.sched.sch_fq_codel import fq_codel_hash, fq_codel_sched_data
from kshell.linux.net.sched.sch_generic import qdisc_bstats_update

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff

LIMIT: Final = 10_000
FLOW_LIMIT: Final = 100
NO_RATE: Final = (1 << 64) - 1


class fq_flow:
    """The packets of one flow. credit: bytes it may still send in its turn; time_next_packet: not before (ns)."""

    __slots__ = ("credit", "key", "linked", "queue", "time_next_packet")

    def __init__(self, key: object, credit: int) -> None:
        self.key = key
        self.queue = sk_buff_head()
        self.credit = credit
        self.time_next_packet = 0
        self.linked = False


class fq_sched_data:
    """The flows; new ones are served before the old; delayed ones wait for their time. internal: control packets."""

    __slots__ = (
        "delayed",
        "flows",
        "initial_quantum",
        "internal",
        "made",
        "new_flows",
        "old_flows",
        "quantum",
        "stat_throttled",
        "timer",
    )  # fmt: skip

    def __init__(self, mtu: int) -> None:
        self.flows: dict[object, fq_flow] = {}
        self.internal = fq_flow("internal", 0)
        self.new_flows: deque[fq_flow] = deque()
        self.old_flows: deque[fq_flow] = deque()
        self.delayed: list[tuple[int, int, fq_flow]] = []
        self.made = self.stat_throttled = 0
        self.quantum = 2 * mtu
        self.initial_quantum = 10 * mtu
        self.timer = hrtimer(qdisc_watchdog, None)


def _data(sch: Qdisc) -> fq_sched_data:
    data = sch.privdata
    assert isinstance(data, fq_sched_data)
    return data


def fq_classify(skb: sk_buff, q: fq_sched_data) -> fq_flow:
    """The flow of a packet: its socket's, or that of its addresses and ports; control packets go before all."""
    if skb.priority & 15 == TC_PRIO_CONTROL:
        return q.internal
    key: object = skb.sk if skb.sk is not None else fq_codel_hash(_HASH, skb)
    flow = q.flows.get(key)
    if flow is None:
        flow = q.flows[key] = fq_flow(key, q.initial_quantum)
    return flow


_HASH: Final = fq_codel_sched_data(0, 0, 0)
"""For its hash function only."""


def fq_enqueue(skb: sk_buff, sch: Qdisc) -> int:
    """Queue a packet with its flow; a full queue, or flow, drops."""
    q = _data(sch)
    flow = fq_classify(skb, q)
    if sch.q.qlen >= sch.limit or (flow.queue.qlen >= FLOW_LIMIT and flow is not q.internal):
        sch.qstats.drops += 1
        kfree_skb(skb)
        return NET_XMIT_DROP
    __skb_queue_tail(flow.queue, skb)
    sch.q.qlen += 1
    sch.qstats.backlog += qdisc_pkt_len(skb)
    if not flow.linked and flow is not q.internal:
        flow.linked = True
        flow.credit = max(flow.credit, q.quantum)
        q.new_flows.append(flow)
    return NET_XMIT_SUCCESS


def fq_check_throttled(q: fq_sched_data, now: int) -> None:
    """Flows whose time has come are served again."""
    while q.delayed and q.delayed[0][0] <= now:
        flow = heappop(q.delayed)[2]
        q.old_flows.append(flow)


def fq_flow_set_throttled(q: fq_sched_data, flow: fq_flow) -> None:
    """The flow has to wait."""
    q.made += 1
    q.stat_throttled += 1
    heappush(q.delayed, (flow.time_next_packet, q.made, flow))


def _taken(sch: Qdisc, flow: fq_flow) -> sk_buff | None:
    skb = __skb_dequeue(flow.queue)
    if skb is not None:
        sch.q.qlen -= 1
        sch.qstats.backlog -= qdisc_pkt_len(skb)
        qdisc_bstats_update(sch, skb)
    return skb


def _pace(flow: fq_flow, skb: sk_buff, q: fq_sched_data, now: int) -> None:
    """When the next packet of the flow may leave: by the rate of its socket."""
    sk = skb.sk
    full = sk is not None and sk.skc_state not in (TCP_TIME_WAIT, TCP_NEW_SYN_RECV)
    rate = min(sk.sk_max_pacing_rate, sk.sk_pacing_rate) if full and sk is not None else NO_RATE
    if not rate or rate >= NO_RATE or flow.credit > 0:
        return
    length = max(qdisc_pkt_len(skb), q.quantum)
    flow.time_next_packet = now + length * NSEC_PER_SEC // rate


def fq_dequeue(sch: Qdisc) -> sk_buff | None:
    """The next packet whose time has come."""
    if not sch.q.qlen:
        return None
    q = _data(sch)
    skb = _taken(sch, q.internal)
    if skb is not None:
        return skb
    kernel = qdisc_dev(sch).nd_net.kernel
    now = ktime_get(kernel)
    fq_check_throttled(q, now)
    while q.new_flows or q.old_flows:
        head = q.new_flows or q.old_flows
        flow = head[0]
        if flow.credit <= 0:
            flow.credit += q.quantum
            q.old_flows.append(head.popleft())
            continue
        if flow.queue.next is None:
            head.popleft()
            flow.linked = False
            q.flows.pop(flow.key, None)
            continue
        if flow.time_next_packet > now:
            head.popleft()
            fq_flow_set_throttled(q, flow)
            continue
        skb = _taken(sch, flow)
        assert skb is not None
        flow.credit -= qdisc_pkt_len(skb)
        _pace(flow, skb, q, now)
        return skb
    if q.delayed:
        hrtimer_start(kernel, q.timer, q.delayed[0][0])
    return None


def qdisc_watchdog(timer: hrtimer) -> int:
    """The time of a delayed flow has come: run the queue."""
    sch = timer._owner
    assert isinstance(sch, Qdisc)
    __netif_schedule(sch)
    irq_exit(qdisc_dev(sch).nd_net.kernel)
    return HRTIMER_NORESTART


def fq_reset(sch: Qdisc) -> None:
    """Drop all."""
    q = _data(sch)
    hrtimer_try_to_cancel(q.timer)
    for flow in (q.internal, *q.flows.values()):
        __skb_queue_purge(flow.queue)
    q.flows.clear()
    q.new_flows.clear()
    q.old_flows.clear()
    q.delayed.clear()


def fq_init(sch: Qdisc) -> None:
    """10,000 packets, 100 of each flow."""
    dev = qdisc_dev(sch)
    sch.limit = LIMIT
    sch.privdata = fq_sched_data(dev.mtu + dev.hard_header_len)
    _data(sch).timer._owner = sch


fq_qdisc_ops = Qdisc_ops(id="fq", enqueue=fq_enqueue, dequeue=fq_dequeue, init=fq_init, reset=fq_reset)
