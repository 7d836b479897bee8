"""conf/all, conf/default and conf/DEV of /proc/sys/net/ipv6 (net/ipv6/addrconf.c).

They change nothing, since IPv6 is disabled on every device (kernel/sysctl_inert.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kshell.abi.errno import EIO
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.jiffies import HZ
from kshell.linux.include.linux.sysctl import (
    SYSCTL_INT_MAX,
    SYSCTL_NEG_ONE,
    SYSCTL_ONE,
    SYSCTL_ZERO,
    Box,
    ctl_table,
    proc_handler,
    table_copy,
)
from kshell.linux.include.net.if_inet6 import IPV6_MIN_MTU, inet6_dev, ipv6_devconf
from kshell.linux.kernel.sysctl import (
    proc_dointvec,
    proc_dointvec_jiffies,
    proc_dointvec_minmax,
    proc_dointvec_ms_jiffies,
    proc_dou8vec_minmax,
    proc_douintvec,
    proc_douintvec_minmax,
)
from kshell.linux.net.core.neighbour_sysctl import neigh_sysctl_register, neigh_sysctl_unregister
from kshell.linux.net.ipv6.ndisc import ndisc_ifinfo_sysctl_change
from kshell.linux.net.sysctl_net import register_net_sysctl, unregister_net_sysctl_table

if TYPE_CHECKING:
    from kshell.linux.include.net.net_namespace import net as net_t

FLOWLABEL_TCLASS_MAX: Final = 255


def addrconf_sysctl_stable_secret(ctl: ctl_table, write: int, buffer: bytearray, lenp: Box, ppos: Box) -> None:
    """The secret of stable addresses (RFC 7217), of which none is made. EIO: none was set."""
    raise KernelError(EIO)


_Setting = tuple[str, int, proc_handler, object, object]
"""Name, first value, handler, least and largest value."""


def _int(name: str, first: int = 0, least: object = None, most: object = None) -> _Setting:
    return name, first, proc_dointvec if least is None and most is None else proc_dointvec_minmax, least, most


def _bit(name: str, first: int = 0) -> _Setting:
    return name, first, proc_dointvec_minmax, SYSCTL_ZERO, SYSCTL_ONE


def _of(handler: proc_handler, name: str, first: int, least: object = None, most: object = None) -> _Setting:
    return name, first, handler, least, most


_CONF: Final[tuple[_Setting, ...]] = (
    _int("forwarding"),
    _int("hop_limit", 64, SYSCTL_ONE, 255),
    _int("mtu", IPV6_MIN_MTU, IPV6_MIN_MTU, SYSCTL_INT_MAX),
    _int("accept_ra", 1),
    _int("accept_redirects", 1),
    _int("autoconf", 1),
    _int("dad_transmits", 1),
    _int("router_solicitations", -1, SYSCTL_NEG_ONE),
    _of(proc_dointvec_jiffies, "router_solicitation_interval", 4 * HZ),
    _of(proc_dointvec_jiffies, "router_solicitation_max_interval", 3600 * HZ),
    _of(proc_dointvec_jiffies, "router_solicitation_delay", HZ),
    _int("force_mld_version"),
    _of(proc_dointvec_ms_jiffies, "mldv1_unsolicited_report_interval", 10 * HZ),
    _of(proc_dointvec_ms_jiffies, "mldv2_unsolicited_report_interval", HZ),
    _int("use_tempaddr"),
    _int("temp_valid_lft", 7 * 86400),
    _int("temp_prefered_lft", 86400),
    _int("regen_max_retry", 3),
    _int("max_desync_factor", 600),
    _int("max_addresses", 16),
    _int("accept_ra_defrtr", 1),
    _of(proc_douintvec_minmax, "ra_defrtr_metric", 1024, SYSCTL_ONE),
    _int("accept_ra_min_hop_limit", 1),
    _int("accept_ra_min_lft"),
    _int("accept_ra_pinfo", 1),
    _int("accept_ra_rtr_pref", 1),
    _of(proc_dointvec_jiffies, "router_probe_interval", 60 * HZ),
    _int("accept_ra_rt_info_min_plen"),
    _int("accept_ra_rt_info_max_plen"),
    _int("proxy_ndp"),
    _int("accept_source_route"),
    _int("optimistic_dad"),
    _int("use_optimistic"),
    _int("mc_forwarding"),
    _int("disable_ipv6", 1),
    _int("accept_dad", 1),
    _int("force_tllao"),
    _int("ndisc_notify"),
    _int("suppress_frag_ndisc", 1),
    _int("accept_ra_from_local"),
    _int("accept_ra_mtu", 1),
    _of(addrconf_sysctl_stable_secret, "stable_secret", 0),
    _int("use_oif_addrs_only"),
    _int("ignore_routes_with_linkdown"),
    _int("drop_unicast_in_l2_multicast"),
    _int("drop_unsolicited_na"),
    _int("keep_addr_on_down"),
    _int("seg6_enabled"),
    _int("seg6_require_hmac"),
    _int("enhanced_dad", 1),
    _int("addr_gen_mode"),
    _int("disable_policy"),
    _int("ndisc_tclass", 0, SYSCTL_ZERO, FLOWLABEL_TCLASS_MAX),
    _bit("rpl_seg_enabled"),
    _of(proc_dou8vec_minmax, "ioam6_enabled", 0, SYSCTL_ZERO, SYSCTL_ONE),
    _of(proc_douintvec_minmax, "ioam6_id", 0xFFFF, SYSCTL_ZERO, 0xFFFF),
    _of(proc_douintvec, "ioam6_id_wide", 0xFFFFFFFF),
    _of(proc_dou8vec_minmax, "ndisc_evict_nocarrier", 1, SYSCTL_ZERO, SYSCTL_ONE),
    _bit("accept_untracked_na"),
)
_MODES: Final = {"mc_forwarding": 0o444, "stable_secret": 0o600}


def _table(settings: tuple[_Setting, ...]) -> tuple[ctl_table, ...]:
    return tuple(
        ctl_table(name, index, 1 if handler is proc_dou8vec_minmax else 4, _MODES.get(name, 0o644), handler, least, most)
        for index, (name, _, handler, least, most) in enumerate(settings)
    )


addrconf_sysctl = _table(_CONF)
_INDEX: Final = {name: index for index, (name, *_) in enumerate(_CONF)}


def _first_values(**changed: int) -> ipv6_devconf:
    values = [first for _, first, *_ in _CONF]
    for name, value in changed.items():
        values[_INDEX[name]] = value
    return ipv6_devconf(values)


def _set(cnf: ipv6_devconf, name: str, value: int) -> None:
    cnf._values[_INDEX[name]] = value


def __addrconf_sysctl_register(net: net_t, dev_name: str, p: ipv6_devconf) -> None:
    p.sysctl_header = register_net_sysctl(
        net, f"net/ipv6/conf/{dev_name}", addrconf_sysctl, table_copy(p._values, p, net)
    )


def __addrconf_sysctl_unregister(p: ipv6_devconf) -> None:
    header, p.sysctl_header = p.sysctl_header, None
    unregister_net_sysctl_table(header)


def addrconf_sysctl_register(idev: inet6_dev) -> None:
    """Make neigh/DEV and conf/DEV."""
    dev = idev.dev
    neigh_sysctl_register(dev.nd_net, dev, idev.nd_parms, ndisc_ifinfo_sysctl_change)
    __addrconf_sysctl_register(dev.nd_net, dev.name, idev.cnf)


def addrconf_sysctl_unregister(idev: inet6_dev) -> None:
    """Take neigh/DEV and conf/DEV away."""
    __addrconf_sysctl_unregister(idev.cnf)
    neigh_sysctl_unregister(idev.nd_parms)
