"""net/ipv4/route.c: ICMP redirects: told to hosts that take a detour, and heeded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kshell.abi.inet import ICMP_REDIR_HOST, ICMP_REDIRECT
from kshell.abi.rtnetlink import RTN_UNICAST
from kshell.abi.socket import AF_INET
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.icmp import icmphdr
from kshell.linux.include.linux.in_ import ipv4_is_lbcast, ipv4_is_multicast, ipv4_is_zeronet
from kshell.linux.include.linux.inetdevice import (
    IN_DEV_ORCONF,
    IN_DEV_RX_REDIRECTS,
    IPV4_DEVCONF_LOG_MARTIANS,
    IPV4_DEVCONF_SECURE_REDIRECTS,
    IPV4_DEVCONF_SEND_REDIRECTS,
    IPV4_DEVCONF_SHARED_MEDIA,
)
from kshell.linux.include.linux.ip import iphdr
from kshell.linux.include.linux.jiffies import HZ
from kshell.linux.include.net.flow import flowi4
from kshell.linux.include.net.ip_fib import fib_result
from kshell.linux.include.net.neighbour import NUD_VALID
from kshell.linux.include.net.rtable import inet_iif, rtable
from kshell.linux.kernel.printk import pr_info, pr_warn
from kshell.linux.lib.vsprintf import ip4_addr_string
from kshell.linux.net.core.dst import dst_release
from kshell.linux.net.core.neighbour import __neigh_create, neigh_event_send
from kshell.linux.net.core.netevent import NETEVENT_REDIRECT, call_netevent_notifiers
from kshell.linux.net.ipv4 import (
    devinet_select,
    fib_frontend,
    fib_semantics_sync,
    icmp,
    route_output,
    route_pmtu,
)

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.net_namespace import net as net_t
    from kshell.linux.include.net.sock import sock

IP_RT_GC_TIMEOUT: Final = 300 * HZ


class inet_peer:
    """What is remembered of a host that was sent redirects: when the last was (ticks), how many."""

    __slots__ = ("n_redirects", "rate_last", "rate_tokens")

    def __init__(self) -> None:
        self.rate_tokens = self.rate_last = self.n_redirects = 0


def inet_getpeer_v4(net: net_t, v4daddr: int, vif: int) -> inet_peer:
    """What is remembered of a host."""
    return net.ipv4.peers.setdefault((v4daddr, vif), inet_peer())


def ip_rt_send_redirect(skb: sk_buff) -> None:
    """Tell a sender of a shorter way, more and more seldom while it does not heed."""
    rt, iph = skb._skb_refdst, skb.network_header
    assert isinstance(rt, rtable)
    assert isinstance(iph, iphdr)
    in_dev = rt.dev.ip_ptr
    if in_dev is None or not IN_DEV_ORCONF(in_dev, IPV4_DEVCONF_SEND_REDIRECTS):
        return
    net = rt.dev.nd_net
    kernel = net.kernel
    now = kernel.jiffies
    peer = inet_getpeer_v4(net, iph.saddr, 0)
    if now - (peer.rate_last + kernel.ip_rt_redirect_silence) > 0:
        peer.rate_tokens = peer.n_redirects = 0
    if peer.n_redirects >= kernel.ip_rt_redirect_number:
        peer.rate_last = now
        return
    if not peer.n_redirects or now - (peer.rate_last + (kernel.ip_rt_redirect_load << peer.n_redirects)) > 0:
        gateway = rt.rt_gw4 if rt.rt_gw_family == AF_INET else iph.daddr
        icmp.icmp_send(skb, ICMP_REDIRECT, ICMP_REDIR_HOST, gateway)
        peer.rate_last = now
        peer.n_redirects += 1
        if IN_DEV_ORCONF(in_dev, IPV4_DEVCONF_LOG_MARTIANS) and peer.n_redirects == kernel.ip_rt_redirect_number:
            host = f"{ip4_addr_string(iph.saddr)}/if{inet_iif(skb)}"
            way = f"{ip4_addr_string(iph.daddr)} to {ip4_addr_string(gateway)}"
            pr_warn(kernel, f"host {host} ignores redirects for {way}")


def _may_heed(skb: sk_buff, old_gw: int, new_gw: int) -> bool:
    """True if settings and addresses let a redirect be followed."""
    dev = skb.dev
    assert dev is not None
    in_dev = dev.ip_ptr
    if in_dev is None or new_gw == old_gw or not IN_DEV_RX_REDIRECTS(in_dev):
        return False
    if ipv4_is_multicast(new_gw) or ipv4_is_lbcast(new_gw) or ipv4_is_zeronet(new_gw):
        return False
    if IN_DEV_ORCONF(in_dev, IPV4_DEVCONF_SHARED_MEDIA):
        return fib_frontend.inet_addr_type(dev.nd_net, new_gw) == RTN_UNICAST
    if not devinet_select.inet_addr_onlink(in_dev, new_gw, old_gw):
        return False
    secure = IN_DEV_ORCONF(in_dev, IPV4_DEVCONF_SECURE_REDIRECTS)
    return not secure or fib_semantics_sync.ip_fib_check_default(new_gw, dev)


def _log_rejected(skb: sk_buff, old_gw: int, new_gw: int) -> None:
    dev = skb.dev
    if dev is None or dev.ip_ptr is None or not IN_DEV_ORCONF(dev.ip_ptr, IPV4_DEVCONF_LOG_MARTIANS):
        return
    iph = iphdr._from_bytes(skb.data)
    kernel = dev.nd_net.kernel
    about = f"on {dev.name} about {ip4_addr_string(new_gw)}"
    pr_info(kernel, f"Redirect from {ip4_addr_string(old_gw)} {about} ignored")
    pr_info(kernel, f"  Advised path = {ip4_addr_string(iph.saddr)} -> {ip4_addr_string(iph.daddr)}")


def __ip_do_redirect(rt: rtable, skb: sk_buff, fl4: flowi4, kill_route: bool) -> None:
    """Take the other gateway for this destination, if the redirect comes from the present one."""
    icmph, iph = skb.transport_header, skb.network_header
    assert isinstance(icmph, icmphdr)
    assert isinstance(iph, iphdr)
    new_gw, old_gw = icmph.un, iph.saddr
    if icmph.code & 7 > 3 or rt.rt_gw_family != AF_INET or rt.rt_gw4 != old_gw:
        return
    if not _may_heed(skb, old_gw, new_gw):
        _log_rejected(skb, old_gw, new_gw)
        return
    net = rt.dev.nd_net
    tbl = net.kernel.arp_tbl
    try:
        n = tbl.nht.get((new_gw, rt.dev)) or __neigh_create(tbl, new_gw, rt.dev, False)
    except KernelError:
        return
    if not n.nud_state & NUD_VALID:
        neigh_event_send(n, None)
        return
    res = fib_result()
    if not fib_frontend.fib_lookup(net, fl4, res, 0):
        fib_semantics_sync.fib_select_path(net, res, fl4, skb)
        assert res.nhc is not None
        expires = net.kernel.jiffies + IP_RT_GC_TIMEOUT
        route_pmtu.update_or_create_fnhe(res.nhc, fl4.daddr, new_gw, 0, False, expires)
    if kill_route:
        rt.obsolete = -2  # DST_OBSOLETE_KILL
    call_netevent_notifiers(net.kernel, NETEVENT_REDIRECT, n)


def ipv4_redirect(skb: sk_buff, net: net_t, oif: int, protocol: int) -> None:
    """A redirect came about the packet in skb.data, which no socket claims."""
    iph = iphdr._from_bytes(skb.data)
    fl4 = flowi4()
    route_pmtu.__build_flow_key(net, fl4, None, iph, oif, iph.tos, protocol, 0)
    _heed(skb, net, fl4)


def ipv4_sk_redirect(skb: sk_buff, sk: sock) -> None:
    """A redirect came about a packet of this socket."""
    net = sk.skc_net
    iph = iphdr._from_bytes(skb.data)
    fl4 = flowi4()
    route_pmtu.__build_flow_key(net, fl4, sk, iph, 0, iph.tos, iph.protocol, 0)
    _heed(skb, net, fl4)


def _heed(skb: sk_buff, net: net_t, fl4: flowi4) -> None:
    try:
        rt = route_output.ip_route_output_key_hash(net, fl4, None)
    except KernelError:
        return
    __ip_do_redirect(rt, skb, fl4, False)
    dst_release(rt)
