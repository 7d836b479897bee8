"""net/core/dst.c: routes in use and their references."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from kshell.linux.kernel.rcu.tree import call_rcu
from kshell.linux.net.core import skbuff

if TYPE_CHECKING:
    from kshell.linux.include.linux.netdevice import net_device
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.dst import dst_entry, dst_ops
    from kshell.linux.include.net.net_namespace import net
    from kshell.linux.include.net.sock import sock


def dst_discard_out(net: net, sk: sock | None, skb: sk_buff) -> int:
    """Drop a packet sent along a dead route."""
    skbuff.kfree_skb(skb)
    return 0


def dst_discard(skb: sk_buff) -> int:
    """Drop a packet received along a dead route."""
    skbuff.kfree_skb(skb)
    return 0


def dst_init(
    dst: dst_entry, ops: dst_ops, dev: net_device, initial_ref: int, initial_obsolete: int, flags: int
) -> None:
    """Fill a new route: it drops packets until its owner sets input and output."""
    dst.dev = dev
    dev.pcpu_refcnt += 1
    dst.ops = ops
    dst.input = dst_discard
    dst.output = dst_discard_out
    dst.refcnt = initial_ref
    dst.obsolete = initial_obsolete
    dst.lastuse = dev.nd_net.kernel.jiffies
    dst.flags = flags


def dst_destroy(dst: dst_entry) -> None:
    """Free a route to which nobody refers."""
    if dst.ops.destroy is not None:
        dst.ops.destroy(dst)
    if dst.dev is not None:
        dst.dev.pcpu_refcnt -= 1


def dst_release(dst: dst_entry | None) -> None:
    """Drop a reference; the last one frees the route after the grace period."""
    if dst is not None:
        dst.refcnt -= 1
        if not dst.refcnt:
            call_rcu(dst.dev.nd_net.kernel, dst_destroy_rcu, dst)


def dst_destroy_rcu(head: object) -> None:
    """Free a route after the grace period."""
    dst_destroy(cast("dst_entry", head))
