"""net/ipv4/igmp.c: reports of group memberships to multicast routers, by IGMPv3, and by v2 where a v2 router asks."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from kshell.abi.inet import IGMP_HOST_LEAVE_MESSAGE, IPPROTO_IGMP, MCAST_EXCLUDE, MCAST_INCLUDE
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.igmp import (
    IGMP_ALL_HOSTS,
    IGMPV2_HOST_MEMBERSHIP_REPORT,
    IGMPV3_HOST_MEMBERSHIP_REPORT,
    ip_mc_list,
)
from kshell.linux.include.linux.in_ import ipv4_is_local_multicast
from kshell.linux.include.linux.inetdevice import (
    IN_DEV_CONF_GET,
    IPV4_DEVCONF_IGMPV3_UNSOLICITED_REPORT_INTERVAL,
    in_device,
)
from kshell.linux.include.linux.ip import IP_DF, _checksum, iphdr
from kshell.linux.include.linux.jiffies import HZ
from kshell.linux.include.linux.netdevice_xmit import LL_RESERVED_SPACE
from kshell.linux.include.linux.random import prandom_u32_max
from kshell.linux.include.linux.skbuff import skb_dst_set
from kshell.linux.include.net.flow import flowi4
from kshell.linux.include.net.sch_generic import TC_PRIO_CONTROL
from kshell.linux.kernel.time.timer import mod_timer, timer_delete, timer_list, timer_setup
from kshell.linux.net.core.skbuff import alloc_skb, skb_put
from kshell.linux.net.ipv4 import ip_output, route, route_output

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.init.kernel import Kernel

IGMPV3_ALL_MCR: Final = 0xE0000016
IGMP_ALL_ROUTER: Final = 0xE0000002
ROUTER_ALERT: Final = b"\x94\x04\0\0"
IGMPV3_MODE_IS_INCLUDE: Final = 1
IGMPV3_MODE_IS_EXCLUDE: Final = 2
IGMPV3_CHANGE_TO_INCLUDE: Final = 3
IGMPV3_CHANGE_TO_EXCLUDE: Final = 4


def _kernel(in_dev: in_device) -> Kernel:
    assert in_dev.dev is not None
    return in_dev.dev.nd_net.kernel


def _reported(in_dev: in_device, group: int) -> bool:
    """True if routers are told of a group."""
    assert in_dev.dev is not None
    local = ipv4_is_local_multicast(group) and not in_dev.dev.nd_net.ipv4.sysctl_igmp_llm_reports
    return group != IGMP_ALL_HOSTS and not local


def _newpack(in_dev: in_device, dst: int) -> sk_buff | None:
    """A packet to a group of routers or hosts on the device, with router alert; None without a route."""
    dev = in_dev.dev
    assert dev is not None
    net = dev.nd_net
    fl4 = flowi4(dev.ifindex, 0, 0, 0, 0, IPPROTO_IGMP, 0, dst, 0)
    try:
        rt = route_output.ip_route_output_flow(net, fl4, None)
    except KernelError:
        return None
    skb = alloc_skb(net.kernel, 64 + LL_RESERVED_SPACE(dev))
    skb.priority = TC_PRIO_CONTROL
    skb_dst_set(skb, rt)
    skb.dev = dev
    iph = iphdr(0xC0, 0, 0, IP_DF, 1, IPPROTO_IGMP, fl4.saddr, dst, ROUTER_ALERT)
    route.__ip_select_ident(net, iph, 1)
    skb.network_header = iph
    skb.len = 24
    return skb


def _send(skb: sk_buff | None, message: bytes) -> None:
    """Add the message, whose checksum stands in bytes 2 and 3, and send."""
    if skb is None:
        return
    assert skb.dev is not None
    skb_put(skb, message[:2] + _checksum(message).to_bytes(2, "big") + message[4:])
    try:
        ip_output.ip_local_out(skb.dev.nd_net, None, skb)
    except KernelError:
        pass


def igmpv3_sendpack(in_dev: in_device, records: list[bytes]) -> None:
    """Send a report with these group records."""
    if records:
        head = struct.pack(">BBHHH", IGMPV3_HOST_MEMBERSHIP_REPORT, 0, 0, 0, len(records))
        _send(_newpack(in_dev, IGMPV3_ALL_MCR), head + b"".join(records))


def add_grec(records: list[bytes], pmc: ip_mc_list, type: int, gdeleted: bool) -> None:
    """Append the record of a group: its mode and, as far as they count for it, its sources."""
    mode = MCAST_INCLUDE if type in (IGMPV3_MODE_IS_INCLUDE, IGMPV3_CHANGE_TO_INCLUDE) else MCAST_EXCLUDE
    sources = [] if gdeleted else [psf.sf_inaddr for psf in pmc.sources if _counts(pmc, psf.sf_count, mode)]
    packed = b"".join(source.to_bytes(4, "big") for source in sources)
    records.append(struct.pack(">BBHI", type, 0, len(sources), pmc.multiaddr) + packed)


def _counts(pmc: ip_mc_list, sf_count: list[int], mode: int) -> bool:
    if mode == MCAST_INCLUDE:
        return bool(sf_count[MCAST_INCLUDE])
    return not sf_count[MCAST_INCLUDE] and sf_count[MCAST_EXCLUDE] == pmc.sfcount[MCAST_EXCLUDE]


def _groups(first: ip_mc_list | None) -> list[ip_mc_list]:
    found = []
    while first is not None:
        found.append(first)
        first = first.next_rcu
    return found


def igmpv3_send_report(in_dev: in_device, pmc: ip_mc_list | None) -> None:
    """Answer a query: about one group, or all."""
    records: list[bytes] = []
    for each in [pmc] if pmc is not None else _groups(in_dev.mc_list):
        if _reported(in_dev, each.multiaddr):
            exclude = each.sfcount[MCAST_EXCLUDE]
            add_grec(records, each, IGMPV3_MODE_IS_EXCLUDE if exclude else IGMPV3_MODE_IS_INCLUDE, False)
    igmpv3_sendpack(in_dev, records)


def igmpv3_send_cr(in_dev: in_device) -> None:
    """Report what changed: groups left, groups joined."""
    records: list[bytes] = []
    left = _groups(in_dev.mc_tomb)
    for pmc in left:
        if pmc.crcount:
            add_grec(records, pmc, IGMPV3_CHANGE_TO_INCLUDE, True)
            pmc.crcount -= 1
    igmpv3_clear_delrec(in_dev)
    for pmc in reversed([each for each in left if each.crcount]):
        pmc.next_rcu, in_dev.mc_tomb = in_dev.mc_tomb, pmc
    for pmc in _groups(in_dev.mc_list):
        if pmc.crcount:
            exclude = pmc.sfmode == MCAST_EXCLUDE
            add_grec(records, pmc, IGMPV3_CHANGE_TO_EXCLUDE if exclude else IGMPV3_CHANGE_TO_INCLUDE, False)
            pmc.crcount -= 1
    igmpv3_sendpack(in_dev, records)


def igmpv3_add_delrec(in_dev: in_device, im: ip_mc_list) -> None:
    """A group was left: to be reported."""
    pmc = ip_mc_list()
    pmc.multiaddr = im.multiaddr
    pmc.sfmode = im.sfmode
    pmc.crcount = in_dev.mr_qrv or 2
    pmc.next_rcu, in_dev.mc_tomb = in_dev.mc_tomb, pmc


def igmpv3_clear_delrec(in_dev: in_device) -> None:
    """Forget the groups that were left."""
    for pmc in _groups(in_dev.mc_tomb):
        pmc.next_rcu = None
    in_dev.mc_tomb = None


def igmp_send_report(in_dev: in_device, pmc: ip_mc_list, type: int) -> None:
    """Report a group, or that it was left, as version `type` does it."""
    if type == IGMPV3_HOST_MEMBERSHIP_REPORT:
        igmpv3_send_report(in_dev, pmc)
    elif _reported(in_dev, pmc.multiaddr):
        dst = IGMP_ALL_ROUTER if type == IGMP_HOST_LEAVE_MESSAGE else pmc.multiaddr
        _send(_newpack(in_dev, dst), struct.pack(">BBHI", type, 0, 0, pmc.multiaddr))


# ---- timers


def _timer(timer: timer_list | None, function: object, owner: object) -> timer_list:
    if timer is None:
        timer = timer_list()
        timer_setup(timer, function, owner)  # type: ignore[arg-type]
    return timer


def igmp_ifc_start_timer(in_dev: in_device, delay: int) -> None:
    """Report changes within `delay` ticks."""
    kernel = _kernel(in_dev)
    in_dev.mr_ifc_timer = _timer(in_dev.mr_ifc_timer, igmp_ifc_timer_expire, in_dev)
    mod_timer(kernel, in_dev.mr_ifc_timer, kernel.jiffies + prandom_u32_max(kernel, delay) + 2)


def igmp_ifc_timer_expire(t: timer_list) -> None:
    """Report changes; once more after a while, since reports may get lost."""
    in_dev = t._owner
    assert isinstance(in_dev, in_device)
    igmpv3_send_cr(in_dev)
    if in_dev.mr_ifc_count:
        in_dev.mr_ifc_count -= 1
        if in_dev.mr_ifc_count:
            interval = IN_DEV_CONF_GET(in_dev, IPV4_DEVCONF_IGMPV3_UNSOLICITED_REPORT_INTERVAL)
            igmp_ifc_start_timer(in_dev, max(interval * HZ // 1000, 1))


def igmp_ifc_event(in_dev: in_device) -> None:
    """A membership changed: it will be reported."""
    in_dev.mr_ifc_count = in_dev.mr_qrv or 2
    igmp_ifc_start_timer(in_dev, 1)


def igmp_gq_start_timer(in_dev: in_device) -> None:
    """Answer a general query within the time it gives."""
    kernel = _kernel(in_dev)
    expires = kernel.jiffies + prandom_u32_max(kernel, in_dev.mr_maxdelay) + 2
    if in_dev.mr_gq_running and in_dev.mr_gq_timer is not None and expires >= in_dev.mr_gq_timer.expires:
        return
    in_dev.mr_gq_running = 1
    in_dev.mr_gq_timer = _timer(in_dev.mr_gq_timer, igmp_gq_timer_expire, in_dev)
    mod_timer(kernel, in_dev.mr_gq_timer, expires)


def igmp_gq_timer_expire(t: timer_list) -> None:
    """Answer a general query."""
    in_dev = t._owner
    assert isinstance(in_dev, in_device)
    in_dev.mr_gq_running = 0
    igmpv3_send_report(in_dev, None)


def igmp_mod_timer(im: ip_mc_list, max_delay: int) -> None:
    """Answer a query about a group within max_delay ticks."""
    assert im.interface is not None
    kernel = _kernel(im.interface)
    im.timer = _timer(im.timer, igmp_timer_expire, im)
    im.tm_running = 1
    mod_timer(kernel, im.timer, kernel.jiffies + prandom_u32_max(kernel, max_delay) + 2)


def igmp_timer_expire(t: timer_list) -> None:
    """Answer a query about a group."""
    im = t._owner
    assert isinstance(im, ip_mc_list)
    im.tm_running = 0
    in_dev = im.interface
    if in_dev is None:
        return
    im.reporter = 1
    v2 = in_dev.mr_v2_seen and _kernel(in_dev).jiffies < in_dev.mr_v2_seen
    igmp_send_report(in_dev, im, IGMPV2_HOST_MEMBERSHIP_REPORT if v2 else IGMPV3_HOST_MEMBERSHIP_REPORT)


def _igmp_stop_timers(in_dev: in_device) -> None:
    """The device goes down: nothing is reported any more."""
    for timer in (in_dev.mr_ifc_timer, in_dev.mr_gq_timer, *(im.timer for im in _groups(in_dev.mc_list))):
        if timer is not None:
            timer_delete(timer)
    in_dev.mr_ifc_count = in_dev.mr_gq_running = 0


# ---- receiving


def igmp_heard_query(in_dev: in_device, message: bytes) -> None:
    """A router asks: about one group, or all."""
    code, group = message[1], int.from_bytes(message[4:8], "big")
    if len(message) == 8:
        in_dev.mr_v2_seen = _kernel(in_dev).jiffies + in_dev.mr_qrv * in_dev.mr_qi + in_dev.mr_qri
        max_delay = code * (HZ // 10) if code else 10 * HZ
    else:
        max_delay = max(_mrc(code) * (HZ // 10), 1)
        in_dev.mr_maxdelay = max_delay
        if not group:
            igmp_gq_start_timer(in_dev)
            return
    for im in _groups(in_dev.mc_list):
        if group in (0, im.multiaddr) and _reported(in_dev, im.multiaddr):
            igmp_mod_timer(im, max_delay)


def _mrc(code: int) -> int:
    """IGMPV3_MRC(): tenths of a second, large ones with an exponent."""
    return code if code < 0x80 else (code & 0x0F | 0x10) << ((code >> 4 & 7) + 3)


def igmp_heard_report(in_dev: in_device, group: int) -> None:
    """Another host reports a group: we need not."""
    for im in _groups(in_dev.mc_list):
        if im.multiaddr == group and im.timer is not None:
            timer_delete(im.timer)
            im.tm_running = im.reporter = 0
