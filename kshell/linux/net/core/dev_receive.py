"""net/core/dev.c: receiving packets, in softirq."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kshell.abi.errno import EBUSY
from kshell.abi.netdevice import IFF_UP
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.if_vlan import VLAN_HLEN
from kshell.linux.include.linux.netdevice import (
    NAPI_STATE_SCHED,
    NET_RX_DROP,
    NET_RX_SUCCESS,
    napi_struct,
    net_device,
    packet_type,
)
from kshell.linux.include.linux.skbuff import (
    __skb_dequeue,
    __skb_queue_tail,
    skb_orphan,
    skb_queue_splice_tail_init,
)
from kshell.linux.include.net.dropreason import SKB_DROP_REASON_CPU_BACKLOG, SKB_DROP_REASON_UNHANDLED_PROTO
from kshell.linux.include.trace.events import NetifReceive
from kshell.linux.kernel.softirq import NET_RX_SOFTIRQ, do_softirq, raise_softirq
from kshell.linux.kernel.time.timekeeping import ktime_get_real
from kshell.linux.net.core.skbuff import kfree_skb, kfree_skb_reason, skb_scrub_packet
from kshell.linux.net.ethernet import eth

if TYPE_CHECKING:
    from kshell.linux.include.linux.netdevice import softnet_data
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.init.kernel import Kernel


def __napi_schedule(kernel: Kernel, sd: softnet_data, napi: napi_struct) -> None:
    """Have net_rx_action() poll a source of packets."""
    sd.poll_list.append(napi)
    raise_softirq(kernel, NET_RX_SOFTIRQ)


def napi_schedule(kernel: Kernel, napi: napi_struct) -> None:
    """__napi_schedule() unless it is scheduled already."""
    if not napi.state >> NAPI_STATE_SCHED & 1:
        napi.state |= 1 << NAPI_STATE_SCHED
        __napi_schedule(kernel, kernel.softnet_data, napi)


def is_skb_forwardable(dev: net_device, skb: sk_buff) -> bool:
    """True if a device that is up takes a packet of this size."""
    if not dev.flags & IFF_UP:
        return False
    if skb.len <= dev.mtu + dev.hard_header_len + VLAN_HLEN:
        return True
    return skb._shinfo is not None and skb._shinfo.gso_size != 0


def __dev_forward_skb(dev: net_device, skb: sk_buff) -> bool:
    """Make a packet that was sent one that comes in by `dev`; False if that takes it not, and it was dropped."""
    if not is_skb_forwardable(dev, skb):
        dev.stats.rx_dropped += 1
        kfree_skb(skb)
        return False
    skb_orphan(skb)
    assert skb.dev is not None
    skb_scrub_packet(skb, skb.dev.nd_net is not dev.nd_net)
    skb.priority = 0
    skb.tstamp = 0
    skb.cb = None
    skb.protocol = eth.eth_type_trans(skb, dev)
    return True


def napi_complete_done(napi: napi_struct, work_done: int) -> bool:
    """The source has no more packets: it interrupts again when it has."""
    napi.state &= ~(1 << NAPI_STATE_SCHED)
    return True


def netif_napi_add(dev: net_device, napi: napi_struct) -> None:
    """A device has a source of packets."""
    napi.dev = dev


def napi_gro_receive(napi: napi_struct, skb: sk_buff) -> int:
    """A driver's packet came in, in softirq. Packets are not merged: the device goes without GRO."""
    return netif_receive_skb(skb)


def netdev_rx_handler_register(
    dev: net_device, rx_handler: Callable[[sk_buff], sk_buff | None], rx_handler_data: object
) -> None:
    """Have a function get the packets of a device before the protocols. EBUSY: somebody else does."""
    if dev.rx_handler is not None:
        raise KernelError(EBUSY)
    dev.rx_handler = rx_handler
    dev.rx_handler_data = rx_handler_data


def netdev_rx_handler_unregister(dev: net_device) -> None:
    """The protocols get the packets again."""
    dev.rx_handler = dev.rx_handler_data = None


def enqueue_to_backlog(kernel: Kernel, skb: sk_buff) -> int:
    """Put a packet into the processor's queue; NET_RX_DROP if that is full."""
    sd = kernel.softnet_data
    queue = sd.input_pkt_queue
    dev = skb.dev
    assert dev is not None
    if dev.flags & IFF_UP and queue.qlen <= kernel.netdev_max_backlog:
        if not queue.qlen and not sd.backlog.state & 1:
            sd.backlog.state |= 1
            sd.poll_list.append(sd.backlog)
            raise_softirq(kernel, NET_RX_SOFTIRQ)
        __skb_queue_tail(queue, skb)
        return NET_RX_SUCCESS
    sd.dropped += 1
    dev.stats.rx_dropped += 1
    kfree_skb_reason(skb, SKB_DROP_REASON_CPU_BACKLOG)
    return NET_RX_DROP


def netif_rx_internal(skb: sk_buff) -> int:
    """Queue a packet that came in, stamped if somebody wants stamps."""
    kernel = skb._kernel
    if kernel.netstamp_needed and not skb.tstamp:
        skb.tstamp = ktime_get_real(kernel)
    return enqueue_to_backlog(kernel, skb)


def __netif_rx(skb: sk_buff) -> int:
    """A driver's packet came in; the caller sees to the softirq. NET_RX_*."""
    return netif_rx_internal(skb)


def netif_rx(skb: sk_buff) -> int:
    """A packet came in. NET_RX_*."""
    kernel = skb._kernel
    ret = netif_rx_internal(skb)
    if kernel.softirq_pending and not kernel.in_serving_softirq:
        do_softirq(kernel)
    return ret


def net_rx_action(kernel: Kernel) -> None:
    """Softirq: poll the sources of packets."""
    sd = kernel.softnet_data
    budget = kernel.netdev_budget
    poll_list = sd.poll_list
    while poll_list:
        napi = poll_list.pop(0)
        work = __napi_poll(napi)
        if work >= napi.weight:
            poll_list.append(napi)
        budget -= work
        if budget <= 0 and poll_list:
            sd.time_squeeze += 1
            raise_softirq(kernel, NET_RX_SOFTIRQ)
            break


def __napi_poll(napi: napi_struct) -> int:
    """Poll one source; how many packets it gave."""
    return napi.poll(napi, napi.weight)


def process_backlog(napi: napi_struct, quota: int) -> int:
    """Poll the processor's own queue."""
    sd: softnet_data = napi._owner  # type: ignore[assignment]  # set by net_dev_init()
    process = sd.process_queue
    work = 0
    while True:
        while (skb := __skb_dequeue(process)) is not None:
            __netif_receive_skb(skb)
            sd.processed += 1
            work += 1
            if work >= quota:
                return work
        if sd.input_pkt_queue.next is None:
            napi.state = 0
            return work
        skb_queue_splice_tail_init(sd.input_pkt_queue, process)


def __netif_receive_skb(skb: sk_buff) -> int:
    """Deliver a packet."""
    return __netif_receive_skb_one_core(skb)


def __netif_receive_skb_one_core(skb: sk_buff) -> int:
    """Deliver a packet to the taps, then to its protocol; NET_RX_*."""
    orig_dev = skb.dev
    assert orig_dev is not None
    if orig_dev.rx_handler is not None:
        return _receive_handled(skb, orig_dev)
    pt_prev = __netif_receive_skb_core(skb, orig_dev)
    if pt_prev is None:
        return NET_RX_DROP
    return pt_prev.func(skb, orig_dev, pt_prev, orig_dev)


def _receive_handled(skb: sk_buff, orig_dev: net_device) -> int:
    """A packet of a device with an rx_handler: taps see it, then the handler takes it or lets it pass."""
    kernel = skb._kernel
    skb.skb_iif = orig_dev.ifindex
    if kernel.listening:
        kernel.emit(NetifReceive(orig_dev.name, skb))
    for ptype in (*kernel.ptype_all, *orig_dev.ptype_all):
        deliver_skb(skb, ptype, orig_dev)
    assert orig_dev.rx_handler is not None
    passed = orig_dev.rx_handler(skb)
    if passed is None:
        return NET_RX_SUCCESS
    for ptype in kernel.ptype_base.get(passed.protocol, ()):
        return ptype.func(passed, orig_dev, ptype, orig_dev)
    kfree_skb_reason(passed, SKB_DROP_REASON_UNHANDLED_PROTO)
    return NET_RX_DROP


def deliver_skb(skb: sk_buff, pt_prev: packet_type, orig_dev: net_device) -> None:
    """Deliver a packet that others will get, too."""
    skb.users += 1
    pt_prev.func(skb, orig_dev, pt_prev, orig_dev)


def __netif_receive_skb_core(skb: sk_buff, dev: net_device) -> packet_type | None:
    """Deliver to all receivers but the last, which it returns; None: nobody wants the packet, which is dropped."""
    kernel = skb._kernel
    if kernel.netstamp_needed and not skb.tstamp:
        skb.tstamp = ktime_get_real(kernel)
    skb.skb_iif = dev.ifindex
    if kernel.listening:
        kernel.emit(NetifReceive(dev.name, skb))
    pt_prev: packet_type | None = None
    if kernel.ptype_all or dev.ptype_all:
        for ptype in (*kernel.ptype_all, *dev.ptype_all):
            if pt_prev is not None:
                deliver_skb(skb, pt_prev, dev)
            pt_prev = ptype
    for ptype in kernel.ptype_base.get(skb.protocol, ()):
        if pt_prev is not None:
            deliver_skb(skb, pt_prev, dev)
        pt_prev = ptype
    if dev.ptype_specific:
        for ptype in tuple(dev.ptype_specific):
            if ptype.type == skb.protocol:
                if pt_prev is not None:
                    deliver_skb(skb, pt_prev, dev)
                pt_prev = ptype
    if pt_prev is None:
        dev.stats.rx_dropped += 1
        kfree_skb_reason(skb, SKB_DROP_REASON_UNHANDLED_PROTO)
    return pt_prev


def netif_receive_skb(skb: sk_buff) -> int:
    """A driver's packet came in, in softirq already."""
    return __netif_receive_skb(skb)
