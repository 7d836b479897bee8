"""net/core/rtnetlink.c: answers and notices of NETLINK_ROUTE. A leaf, so that devices and routes can tell of themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.rtnetlink import RTA_METRICS
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.net.netlink import nla_nest_end, nla_nest_start_noflag, nla_put_u32, nlmsg_report
from kshell.linux.net.core.skbuff import kfree_skb
from kshell.linux.net.netlink.af_netlink_deliver import nlmsg_notify, nlmsg_unicast

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.net_namespace import net as net_t
    from kshell.linux.include.net.netlink import nlmsghdr


def rtnl_unicast(skb: sk_buff, net: net_t, pid: int) -> None:
    """Send an answer."""
    assert net.rtnl is not None
    nlmsg_unicast(net.rtnl, skb, pid)


def rtnl_notify(skb: sk_buff, net: net_t, pid: int, group: int, nlh: nlmsghdr | None) -> None:
    """Tell a group; and who asked for the change, if it wants an echo (NLM_F_ECHO). Who loses it is no error here."""
    if net.rtnl is None:  # the first devices come before the protocol
        kfree_skb(skb)
        return
    try:
        nlmsg_notify(net.rtnl, skb, pid, group, nlmsg_report(nlh))
    except KernelError:
        pass


def rtnetlink_put_metrics(skb: sk_buff, metrics: dict[int, int] | None) -> None:
    """Append RTA_METRICS: RTAX_x → value."""
    if metrics is None or not any(metrics.values()):
        return
    mx = nla_nest_start_noflag(skb, RTA_METRICS)
    for kind, value in sorted(metrics.items()):
        if value:
            nla_put_u32(skb, kind, value)
    nla_nest_end(skb, mx)
