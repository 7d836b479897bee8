"""net/bridge/br_forward.c: frames out of ports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.netdevice import ETH_HLEN
from kshell.abi.packet import PACKET_HOST
from kshell.linux.net.bridge.br_private import BR_STATE_FORWARDING, net_bridge, net_bridge_port
from kshell.linux.net.core.dev_receive import is_skb_forwardable
from kshell.linux.net.core.dev_xmit import dev_queue_xmit
from kshell.linux.net.core.skbuff import kfree_skb, skb_clone, skb_push

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff


def should_deliver(p: net_bridge_port, skb: sk_buff) -> bool:
    """True if a frame may go out of a port: not where it came from, and the port forwards."""
    return skb.dev is not p.dev and p.state == BR_STATE_FORWARDING


def br_dev_queue_push_xmit(skb: sk_buff) -> int:
    """Send a frame by the device it was given."""
    assert skb.dev is not None
    skb_push(skb, ETH_HLEN)
    if not is_skb_forwardable(skb.dev, skb):
        kfree_skb(skb)
        return 0
    return dev_queue_xmit(skb)


def br_forward_finish(skb: sk_buff) -> int:
    """After the POST_ROUTING hook."""
    skb.tstamp = 0
    return br_dev_queue_push_xmit(skb)


def __br_forward(to: net_bridge_port, skb: sk_buff, local_orig: bool) -> None:
    """Send a frame out of a port."""
    skb.dev = to.dev
    skb.ip_summed = 0 if not local_orig and skb.ip_summed != 3 else skb.ip_summed
    br_forward_finish(skb)


def deliver_clone(prev: net_bridge_port, skb: sk_buff, local_orig: bool) -> None:
    """Send a copy of a frame out of a port."""
    clone = skb_clone(skb)
    clone.pkt_type = PACKET_HOST
    __br_forward(prev, clone, local_orig)


def br_forward(to: net_bridge_port, skb: sk_buff, local_rcv: bool, local_orig: bool) -> None:
    """Send a frame out of a port, or a copy if it is for this machine, too."""
    if should_deliver(to, skb):
        if local_rcv:
            deliver_clone(to, skb, local_orig)
        else:
            __br_forward(to, skb, local_orig)
    elif not local_rcv:
        kfree_skb(skb)


def maybe_deliver(
    prev: net_bridge_port | None, p: net_bridge_port, skb: sk_buff, local_orig: bool
) -> net_bridge_port | None:
    """The port to be served last; the one before it gets its copy now."""
    if not should_deliver(p, skb):
        return prev
    if prev is not None:
        deliver_clone(prev, skb, local_orig)
    return p


def br_flood(br: net_bridge, skb: sk_buff, local_rcv: bool, local_orig: bool) -> None:
    """Send a frame out of all ports."""
    prev: net_bridge_port | None = None
    for p in br.port_list:
        prev = maybe_deliver(prev, p, skb, local_orig)
    if prev is None:
        if not local_rcv:
            kfree_skb(skb)
    elif local_rcv:
        deliver_clone(prev, skb, local_orig)
    else:
        __br_forward(prev, skb, local_orig)
