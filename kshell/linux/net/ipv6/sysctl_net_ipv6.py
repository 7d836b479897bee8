"""Settings below /proc/sys/net/ipv6 that are no device's.

Linux has the tables in sysctl_net_ipv6.c, route.c, icmp.c, reassembly.c and xfrm6_policy.c of net/ipv6. They change
nothing here, since no packet of IPv6 is sent (kernel/sysctl_inert.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.linux.include.linux.jiffies import HZ
from kshell.linux.include.linux.sysctl import (
    SYSCTL_ONE,
    SYSCTL_THREE,
    SYSCTL_TWO,
    SYSCTL_ZERO,
    Box,
    ctl_table,
    initial,
    proc_handler,
)
from kshell.linux.include.net.net_namespace import pernet_operations
from kshell.linux.kernel.sysctl import (
    proc_dointvec,
    proc_dointvec_jiffies,
    proc_dointvec_minmax,
    proc_dointvec_ms_jiffies,
    proc_dou8vec_minmax,
    proc_douintvec_minmax,
    proc_doulongvec_minmax,
)
from kshell.linux.kernel.sysctl_text import proc_do_large_bitmap
from kshell.linux.net.core.net_namespace import register_pernet_subsys
from kshell.linux.net.sysctl_net import register_net_sysctl, unregister_net_sysctl_table

if TYPE_CHECKING:
    from kshell.linux.include.net.net_namespace import net as net_t
    from kshell.linux.init.kernel import Kernel

INT_MAX = 0x7FFFFFFF
IP6_DEFAULT_MAX_DST_OPTS_CNT = IP6_DEFAULT_MAX_HBH_OPTS_CNT = 8
IPV6_DEFAULT_FLOWLABEL_REFLECT_MAX = 7
FIB_MULTIPATH_HASH_FIELD_ALL_MASK = 0x7FF
IOAM6_DEFAULT_ID, IOAM6_DEFAULT_ID_WIDE = (1 << 24) - 1, (1 << 56) - 1
IP6SFLSIZE_HIGH, IP6SFLSIZE_LOW = 4 << 20, 3 << 20


def _row(name: str, first: int, handler: proc_handler = proc_dointvec, least: object = None, most: object = None) -> ctl_table:
    return ctl_table(name, initial(first), 4, 0o644, handler, least, most)


def _u8(name: str, first: int = 0, least: object = None, most: object = None) -> ctl_table:
    return ctl_table(name, initial(first), 1, 0o644, proc_dou8vec_minmax, least, most)


def proc_rt6_multipath_hash_policy(table: ctl_table, write: int, buffer: bytearray, lenp: Box, ppos: Box) -> None:
    """How a flow chooses among next hops."""
    proc_dou8vec_minmax(table, write, buffer, lenp, ppos)


def proc_rt6_multipath_hash_fields(table: ctl_table, write: int, buffer: bytearray, lenp: Box, ppos: Box) -> None:
    """The fields of a packet that make up its flow."""
    proc_douintvec_minmax(table, write, buffer, lenp, ppos)


def ipv6_sysctl_rtcache_flush(table: ctl_table, write: int, buffer: bytearray, lenp: Box, ppos: Box) -> None:
    """Empties the cache of routes."""
    proc_dointvec(table, write, buffer, lenp, ppos)


ipv6_table_template = (
    _u8("bindv6only"),
    _u8("anycast_src_echo_reply"),
    _u8("flowlabel_consistency", 1),
    _u8("auto_flowlabels", 1, None, SYSCTL_THREE),
    _u8("fwmark_reflect"),
    _row("idgen_retries", 3),
    _row("idgen_delay", HZ, proc_dointvec_jiffies),
    _u8("flowlabel_state_ranges"),
    _u8("ip_nonlocal_bind"),
    _row("flowlabel_reflect", 0, proc_dointvec_minmax, SYSCTL_ZERO, IPV6_DEFAULT_FLOWLABEL_REFLECT_MAX),
    _row("max_dst_opts_number", IP6_DEFAULT_MAX_DST_OPTS_CNT),
    _row("max_hbh_opts_number", IP6_DEFAULT_MAX_HBH_OPTS_CNT),
    _row("max_dst_opts_length", INT_MAX),
    _row("max_hbh_length", INT_MAX),
    ctl_table(
        "fib_multipath_hash_policy", initial(0), 1, 0o644, proc_rt6_multipath_hash_policy, SYSCTL_ZERO, SYSCTL_THREE
    ),
    _row(
        "fib_multipath_hash_fields", 7, proc_rt6_multipath_hash_fields, SYSCTL_ONE, FIB_MULTIPATH_HASH_FIELD_ALL_MASK
    ),
    _row("seg6_flowlabel", 0),
    _u8("fib_notify_on_flag_change", 0, SYSCTL_ZERO, SYSCTL_TWO),
    _row("ioam6_id", IOAM6_DEFAULT_ID, proc_douintvec_minmax, None, IOAM6_DEFAULT_ID),
    ctl_table(
        "ioam6_id_wide", initial(IOAM6_DEFAULT_ID_WIDE), 8, 0o644, proc_doulongvec_minmax, None, IOAM6_DEFAULT_ID_WIDE
    ),
)
ipv6_rotable = (
    _row("mld_max_msf", 64),
    _row("mld_qrv", 2, proc_dointvec_minmax, SYSCTL_ONE),
    _row("calipso_cache_enable", 1),
    _row("calipso_cache_bucket_size", 10),
)
ipv6_route_table_template = (
    _row("max_size", INT_MAX),
    _row("gc_thresh", 1024),
    ctl_table("flush", initial(0), 4, 0o200, ipv6_sysctl_rtcache_flush),
    _row("gc_min_interval", HZ // 2, proc_dointvec_jiffies),
    _row("gc_timeout", 60 * HZ, proc_dointvec_jiffies),
    _row("gc_interval", 30 * HZ, proc_dointvec_jiffies),
    _row("gc_elasticity", 9),
    _row("mtu_expires", 600 * HZ, proc_dointvec_jiffies),
    _row("min_adv_mss", 1220),
    _row("gc_min_interval_ms", HZ // 2, proc_dointvec_ms_jiffies),
    _row("skip_notify_on_dev_down", 0, proc_dointvec_minmax, SYSCTL_ZERO, SYSCTL_ONE),
)
ipv6_icmp_table_template = (
    _row("ratelimit", HZ, proc_dointvec_ms_jiffies),
    _u8("echo_ignore_all"),
    _u8("echo_ignore_multicast"),
    _u8("echo_ignore_anycast"),
    ctl_table("ratemask", initial((*range(2), *range(3, 128))), 256, 0o644, proc_do_large_bitmap),
)
ip6_frags_ns_ctl_table = (
    ctl_table("ip6frag_high_thresh", initial(IP6SFLSIZE_HIGH), 8, 0o644, proc_doulongvec_minmax),
    ctl_table("ip6frag_low_thresh", initial(IP6SFLSIZE_LOW), 8, 0o644, proc_doulongvec_minmax),
    _row("ip6frag_time", 60 * HZ, proc_dointvec_jiffies),
)
ip6_frags_ctl_table = (_row("ip6frag_secret_interval", 0, proc_dointvec_jiffies),)
xfrm6_policy_table = (_row("xfrm6_gc_thresh", 32768),)


def ipv6_sysctl_net_init(net: net_t) -> None:
    """A namespace comes."""
    headers = net.ipv6.sysctl
    headers.frags_hdr = register_net_sysctl(net, "net/ipv6", ip6_frags_ns_ctl_table)
    headers.xfrm6_hdr = register_net_sysctl(net, "net/ipv6", xfrm6_policy_table)
    headers.hdr = register_net_sysctl(net, "net/ipv6", ipv6_table_template)
    headers.route_hdr = register_net_sysctl(net, "net/ipv6/route", ipv6_route_table_template)
    headers.icmp_hdr = register_net_sysctl(net, "net/ipv6/icmp", ipv6_icmp_table_template)


def ipv6_sysctl_net_exit(net: net_t) -> None:
    """A namespace goes."""
    headers = net.ipv6.sysctl
    for header in (headers.icmp_hdr, headers.route_hdr, headers.hdr, headers.xfrm6_hdr, headers.frags_hdr):
        unregister_net_sysctl_table(header)


ipv6_sysctl_net_ops = pernet_operations(init=ipv6_sysctl_net_init, exit=ipv6_sysctl_net_exit)


def ipv6_sysctl_register(kernel: Kernel) -> None:
    """Set the settings up."""
    register_net_sysctl(kernel.init_net, "net/ipv6", ipv6_rotable)
    register_net_sysctl(kernel.init_net, "net/ipv6", ip6_frags_ctl_table)
    register_pernet_subsys(kernel, ipv6_sysctl_net_ops)
