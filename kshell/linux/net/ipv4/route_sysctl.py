"""net/ipv4/route.c: /proc/sys/net/ipv4/route."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.linux.include.linux.jiffies import HZ
from kshell.linux.include.linux.sysctl import Box, ctl_table, initial
from kshell.linux.include.net.ip import IPV4_MIN_MTU
from kshell.linux.include.net.net_namespace import pernet_operations
from kshell.linux.kernel.sysctl import (
    proc_dointvec,
    proc_dointvec_jiffies,
    proc_dointvec_minmax,
    proc_dointvec_ms_jiffies,
)
from kshell.linux.net.ipv4.route import rt_cache_flush
from kshell.linux.net.sysctl_net import register_net_sysctl, unregister_net_sysctl_table

if TYPE_CHECKING:
    from kshell.linux.include.net.net_namespace import net as net_t
    from kshell.linux.init.kernel import Kernel


def ipv4_sysctl_rtcache_flush(ctl: ctl_table, write: int, buffer: bytearray, lenp: Box, ppos: Box) -> None:
    """Whatever is written empties the cache of routes; nothing can be read."""
    assert ctl._net is not None
    rt_cache_flush(ctl._net)
    ppos[0] += lenp[0]


ipv4_route_table = (
    ctl_table("gc_thresh", initial(-1), 4, 0o644, proc_dointvec),
    ctl_table("max_size", initial(0x7FFFFFFF), 4, 0o644, proc_dointvec),
    ctl_table("gc_min_interval", initial(HZ // 2), 4, 0o644, proc_dointvec_jiffies),
    ctl_table("gc_min_interval_ms", initial(HZ // 2), 4, 0o644, proc_dointvec_ms_jiffies),
    ctl_table("gc_timeout", initial(300 * HZ), 4, 0o644, proc_dointvec_jiffies),
    ctl_table("gc_interval", initial(60 * HZ), 4, 0o644, proc_dointvec_jiffies),
    ctl_table("redirect_load", "ip_rt_redirect_load", 4, 0o644, proc_dointvec),
    ctl_table("redirect_number", "ip_rt_redirect_number", 4, 0o644, proc_dointvec),
    ctl_table("redirect_silence", "ip_rt_redirect_silence", 4, 0o644, proc_dointvec),
    ctl_table("error_cost", initial(HZ), 4, 0o644, proc_dointvec),
    ctl_table("error_burst", initial(5 * HZ), 4, 0o644, proc_dointvec),
    ctl_table("gc_elasticity", initial(8), 4, 0o644, proc_dointvec),
)
ipv4_route_netns_table = (
    ctl_table("flush", None, 4, 0o200, ipv4_sysctl_rtcache_flush),
    ctl_table("min_pmtu", "init_net.ipv4.ip_rt_min_pmtu", 4, 0o644, proc_dointvec_minmax, IPV4_MIN_MTU),
    ctl_table("mtu_expires", "init_net.ipv4.ip_rt_mtu_expires", 4, 0o644, proc_dointvec_jiffies),
    ctl_table("min_adv_mss", "init_net.ipv4.ip_rt_min_advmss", 4, 0o644, proc_dointvec),
)


def sysctl_route_net_init(net: net_t) -> None:
    """A namespace comes."""
    net.ipv4.route_hdr = register_net_sysctl(net, "net/ipv4/route", ipv4_route_netns_table)


def sysctl_route_net_exit(net: net_t) -> None:
    """A namespace goes."""
    unregister_net_sysctl_table(net.ipv4.route_hdr)


sysctl_route_ops = pernet_operations(init=sysctl_route_net_init, exit=sysctl_route_net_exit)


def ip_static_sysctl_init(kernel: Kernel) -> None:
    """What all namespaces have in common."""
    register_net_sysctl(kernel.init_net, "net/ipv4/route", ipv4_route_table)
