"""include/net/dst.h: protocol-independent routes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kshell.linux.include.linux.netdevice import net_device
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.neighbour import neighbour
    from kshell.linux.include.net.net_namespace import net
    from kshell.linux.include.net.sock import sock

DST_NOXFRM = 0x0002
DST_NOPOLICY = 0x0004
DST_NOCOUNT = 0x0008
DST_FAKE_RTABLE = 0x0010
DST_OBSOLETE_NONE = 0
DST_OBSOLETE_DEAD = 2
DST_OBSOLETE_FORCE_CHK = -1
DST_OBSOLETE_KILL = -2


class dst_ops:
    """What a network layer does with its routes. Constant; counts are kept by the namespace."""

    __slots__ = (
        "check",
        "confirm_neigh",
        "cow_metrics",
        "default_advmss",
        "destroy",
        "family",
        "gc",
        "gc_thresh",
        "ifdown",
        "link_failure",
        "local_out",
        "mtu",
        "negative_advice",
        "neigh_lookup",
        "redirect",
        "update_pmtu",
    )  # fmt: skip

    def __init__(
        self,
        *,
        family: int,
        check: Callable[[dst_entry, int], dst_entry | None],
        default_advmss: Callable[[dst_entry], int],
        mtu: Callable[[dst_entry], int],
        destroy: Callable[[dst_entry], None] | None = None,
        gc_thresh: int = 0,
        gc: Callable[[dst_ops], None] | None = None,
        cow_metrics: Callable[[dst_entry, int], object] | None = None,
        ifdown: Callable[[dst_entry, net_device, int], None] | None = None,
        negative_advice: Callable[[sock, dst_entry], None] | None = None,
        link_failure: Callable[[sk_buff], None] | None = None,
        update_pmtu: Callable[[dst_entry, sock, sk_buff, int, bool], None] | None = None,
        redirect: Callable[[dst_entry, sock, sk_buff], None] | None = None,
        local_out: Callable[[net, sock, sk_buff], int] | None = None,
        neigh_lookup: Callable[[dst_entry, sk_buff, object], neighbour | None] | None = None,
        confirm_neigh: Callable[[dst_entry, object], None] | None = None,
    ) -> None:
        self.family = family
        self.check = check
        self.default_advmss = default_advmss
        self.mtu = mtu
        self.destroy = destroy
        self.gc_thresh = gc_thresh
        self.gc = gc
        self.cow_metrics = cow_metrics
        self.ifdown = ifdown
        self.negative_advice = negative_advice
        self.link_failure = link_failure
        self.update_pmtu = update_pmtu
        self.redirect = redirect
        self.local_out = local_out
        self.neigh_lookup = neigh_lookup
        self.confirm_neigh = confirm_neigh


class dst_entry:
    """A route in use; struct rtable extends it. `refcnt` is __refcnt."""

    __slots__ = (
        "__dict__",
        "_addr",
        "_metrics",
        "dev",
        "error",
        "expires",
        "flags",
        "header_len",
        "input",
        "lastuse",
        "obsolete",
        "ops",
        "output",
        "refcnt",
        "trailer_len",
    )  # fmt: skip
    _addr: int
    dev: net_device
    ops: dst_ops
    _metrics: dict[int, int] | None  # RTAX_* → value
    expires: int
    input: Callable[[sk_buff], object]
    output: Callable[[net, sock | None, sk_buff], int]
    flags: int
    obsolete: int
    header_len: int
    trailer_len: int
    refcnt: int
    error: int  # positive errno
    lastuse: int
    tclassid: int = 0

    def __init__(self) -> None:
        self._metrics = None
        self.expires = self.flags = self.obsolete = self.header_len = self.trailer_len = self.error = self.lastuse = 0
        self.refcnt = 1


def dst_hold(dst: dst_entry) -> None:
    """Take a reference."""
    dst.refcnt += 1


def dst_metric_raw(dst: dst_entry, metric: int) -> int:
    """A metric as stored, 0 if it is not set."""
    metrics = dst._metrics
    return metrics.get(metric, 0) if metrics is not None else 0


def dst_metric(dst: dst_entry, metric: int) -> int:
    """A metric other than hop limit, advertised MSS and MTU, which have functions of their own."""
    return dst_metric_raw(dst, metric)


def dst_metric_locked(dst: dst_entry, metric: int) -> bool:
    """True if the administrator fixed the metric (RTAX_LOCK)."""
    return bool(dst_metric_raw(dst, 1) & 1 << metric)


def dst_output(net: net, sk: sock | None, skb: sk_buff) -> int:
    """Go on with a packet to send as its route says."""
    dst = skb._skb_refdst
    assert dst is not None
    return dst.output(net, sk, skb)


def dst_check(dst: dst_entry, cookie: int) -> dst_entry | None:
    """The route if it may still be used."""
    return dst.ops.check(dst, cookie) if dst.obsolete else dst


def dst_negative_advice(sk: sock) -> None:
    """Tell the network layer that the socket's route seems not to work."""
    dst = sk.sk_dst_cache
    if dst is not None and dst.ops.negative_advice is not None:
        dst.ops.negative_advice(sk, dst)


def dst_link_failure(skb: sk_buff) -> None:
    """Tell the network layer that the packet's next hop cannot be reached."""
    dst = skb._skb_refdst
    if dst is not None and dst.ops.link_failure is not None:
        dst.ops.link_failure(skb)
