"""net/ipv4/devinet.c: conf/all, conf/default and conf/DEV of /proc/sys/net/ipv4, and ip_forward."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from kshell.abi.capability import CAP_NET_ADMIN
from kshell.abi.errno import EINVAL, EPERM
from kshell.abi.rtnetlink import (
    NETCONFA_ALL,
    NETCONFA_FORWARDING,
    NETCONFA_IFINDEX_ALL,
    NETCONFA_IFINDEX_DEFAULT,
    NETCONFA_IGNORE_ROUTES_WITH_LINKDOWN,
    NETCONFA_PROXY_NEIGH,
    NETCONFA_RP_FILTER,
    RTM_DELNETCONF,
    RTM_NEWNETCONF,
)
from kshell.linux.include.linux import inetdevice as conf
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.inetdevice import in_device, ipv4_devconf
from kshell.linux.include.linux.sysctl import Box, Pointer, ctl_table, data_field, table_copy
from kshell.linux.kernel.capability import ns_capable
from kshell.linux.kernel.sysctl import proc_dointvec
from kshell.linux.net.core.dev_features import dev_disable_lro
from kshell.linux.net.core.neighbour_sysctl import neigh_sysctl_register, neigh_sysctl_unregister
from kshell.linux.net.core.rtnl_lock import rtnl_trylock, rtnl_unlock
from kshell.linux.net.ipv4 import devinet_netconf
from kshell.linux.net.ipv4.route import rt_cache_flush
from kshell.linux.net.sysctl_net import register_net_sysctl, unregister_net_sysctl_table

if TYPE_CHECKING:
    from kshell.linux.include.net.net_namespace import net as net_t

NOTIFIES = {
    conf.IPV4_DEVCONF_RP_FILTER: NETCONFA_RP_FILTER,
    conf.IPV4_DEVCONF_PROXY_ARP: NETCONFA_PROXY_NEIGH,
    conf.IPV4_DEVCONF_IGNORE_ROUTES_WITH_LINKDOWN: NETCONFA_IGNORE_ROUTES_WITH_LINKDOWN,
}


def _value(ctl: ctl_table) -> int:
    return cast(int, cast(Pointer, ctl.data).get())


def _place(ctl: ctl_table) -> tuple[ipv4_devconf, net_t, int]:
    """Whose setting it is, and its IPV4_DEVCONF_x."""
    index = cast(int, cast(data_field, ctl.data).key)
    return cast(ipv4_devconf, ctl.extra1), cast("net_t", ctl.extra2), index + 1


def devinet_conf_ifindex(net: net_t, cnf: ipv4_devconf) -> int:
    """The device of a set of settings, as messages name it."""
    if cnf is net.ipv4.devconf_dflt:
        return NETCONFA_IFINDEX_DEFAULT
    if cnf is net.ipv4.devconf_all:
        return NETCONFA_IFINDEX_ALL
    return next(dev.ifindex for dev in net.dev_base_head if dev.ip_ptr is not None and dev.ip_ptr.cnf is cnf)


def devinet_copy_dflt_conf(net: net_t, i: int) -> None:
    """Devices whose own value was never set follow the default."""
    for dev in net.dev_base_head:
        in_dev = dev.ip_ptr
        if in_dev is not None and not in_dev.cnf.state >> i & 1:
            in_dev.cnf.data[i] = net.ipv4.devconf_dflt.data[i]


def inet_forward_change(net: net_t) -> None:
    """All devices and the default follow net.ipv4.ip_forward; a router believes no redirects."""
    every, dflt = net.ipv4.devconf_all, net.ipv4.devconf_dflt
    on = every.data[conf.IPV4_DEVCONF_FORWARDING - 1]
    every.data[conf.IPV4_DEVCONF_ACCEPT_REDIRECTS - 1] = int(not on)
    dflt.data[conf.IPV4_DEVCONF_FORWARDING - 1] = on
    devinet_netconf.inet_netconf_notify_devconf(net, RTM_NEWNETCONF, NETCONFA_FORWARDING, NETCONFA_IFINDEX_ALL, every)
    devinet_netconf.inet_netconf_notify_devconf(net, RTM_NEWNETCONF, NETCONFA_FORWARDING, NETCONFA_IFINDEX_DEFAULT, dflt)
    for dev in net.dev_base_head:
        if on:
            dev_disable_lro(dev)
        in_dev = dev.ip_ptr
        if in_dev is not None:
            conf.ipv4_devconf_set(in_dev, conf.IPV4_DEVCONF_FORWARDING, on)
            devinet_netconf.inet_netconf_notify_devconf(net, RTM_NEWNETCONF, NETCONFA_FORWARDING, dev.ifindex, in_dev.cnf)


def devinet_conf_proc(ctl: ctl_table, write: int, buffer: bytearray, lenp: Box, ppos: Box) -> None:
    """A setting of a device; a change may empty the routing cache and is told to listeners."""
    old_value = _value(ctl)
    proc_dointvec(ctl, write, buffer, lenp, ppos)
    new_value = _value(ctl)
    if not write:
        return
    cnf, net, i = _place(ctl)
    cnf.state |= 1 << i - 1
    if cnf is net.ipv4.devconf_dflt:
        devinet_copy_dflt_conf(net, i - 1)
    if new_value == old_value:
        return
    if i == conf.IPV4_DEVCONF_BC_FORWARDING or (
        i in (conf.IPV4_DEVCONF_ACCEPT_LOCAL, conf.IPV4_DEVCONF_ROUTE_LOCALNET) and not new_value
    ):
        rt_cache_flush(net)
    if i in NOTIFIES:
        devinet_netconf.inet_netconf_notify_devconf(net, RTM_NEWNETCONF, NOTIFIES[i], devinet_conf_ifindex(net, cnf), cnf)


def devinet_sysctl_forward(ctl: ctl_table, write: int, buffer: bytearray, lenp: Box, ppos: Box) -> None:
    """Whether packets are forwarded: all for every device, or one device's. EPERM."""
    cnf, net, _ = _place(ctl)
    if write and not ns_capable(net.kernel.current, net.user_ns, CAP_NET_ADMIN):
        raise KernelError(EPERM)
    before = _value(ctl)
    proc_dointvec(ctl, write, buffer, lenp, ppos)
    if not write or _value(ctl) == before:
        return
    if cnf is net.ipv4.devconf_dflt:
        devinet_netconf.inet_netconf_notify_devconf(net, RTM_NEWNETCONF, NETCONFA_FORWARDING, NETCONFA_IFINDEX_DEFAULT, cnf)
        return
    rtnl_trylock(net.kernel)
    if cnf is net.ipv4.devconf_all:
        inet_forward_change(net)
    else:
        ifindex = devinet_conf_ifindex(net, cnf)
        if _value(ctl):
            dev_disable_lro(net.dev_index_head[ifindex])
        devinet_netconf.inet_netconf_notify_devconf(net, RTM_NEWNETCONF, NETCONFA_FORWARDING, ifindex, cnf)
    rtnl_unlock(net.kernel)
    rt_cache_flush(net)


def ipv4_doint_and_flush(ctl: ctl_table, write: int, buffer: bytearray, lenp: Box, ppos: Box) -> None:
    """A setting whose change empties the routing cache."""
    before = _value(ctl)
    proc_dointvec(ctl, write, buffer, lenp, ppos)
    if write and _value(ctl) != before:
        rt_cache_flush(_place(ctl)[1])


def _entry(attr: int, name: str, mode: int = 0o644, handler: object = devinet_conf_proc) -> ctl_table:
    return ctl_table(name, attr - 1, 4, mode, handler)  # type: ignore[arg-type]  # every one is a proc_handler


devinet_vars = (
    _entry(conf.IPV4_DEVCONF_FORWARDING, "forwarding", 0o644, devinet_sysctl_forward),
    _entry(conf.IPV4_DEVCONF_MC_FORWARDING, "mc_forwarding", 0o444),
    _entry(conf.IPV4_DEVCONF_BC_FORWARDING, "bc_forwarding"),
    _entry(conf.IPV4_DEVCONF_ACCEPT_REDIRECTS, "accept_redirects"),
    _entry(conf.IPV4_DEVCONF_SECURE_REDIRECTS, "secure_redirects"),
    _entry(conf.IPV4_DEVCONF_SHARED_MEDIA, "shared_media"),
    _entry(conf.IPV4_DEVCONF_RP_FILTER, "rp_filter"),
    _entry(conf.IPV4_DEVCONF_SEND_REDIRECTS, "send_redirects"),
    _entry(conf.IPV4_DEVCONF_ACCEPT_SOURCE_ROUTE, "accept_source_route"),
    _entry(conf.IPV4_DEVCONF_ACCEPT_LOCAL, "accept_local"),
    _entry(conf.IPV4_DEVCONF_SRC_VMARK, "src_valid_mark"),
    _entry(conf.IPV4_DEVCONF_PROXY_ARP, "proxy_arp"),
    _entry(conf.IPV4_DEVCONF_MEDIUM_ID, "medium_id"),
    _entry(conf.IPV4_DEVCONF_BOOTP_RELAY, "bootp_relay"),
    _entry(conf.IPV4_DEVCONF_LOG_MARTIANS, "log_martians"),
    _entry(conf.IPV4_DEVCONF_TAG, "tag"),
    _entry(conf.IPV4_DEVCONF_ARPFILTER, "arp_filter"),
    _entry(conf.IPV4_DEVCONF_ARP_ANNOUNCE, "arp_announce"),
    _entry(conf.IPV4_DEVCONF_ARP_IGNORE, "arp_ignore"),
    _entry(conf.IPV4_DEVCONF_ARP_ACCEPT, "arp_accept"),
    _entry(conf.IPV4_DEVCONF_ARP_NOTIFY, "arp_notify"),
    _entry(conf.IPV4_DEVCONF_ARP_EVICT_NOCARRIER, "arp_evict_nocarrier"),
    _entry(conf.IPV4_DEVCONF_PROXY_ARP_PVLAN, "proxy_arp_pvlan"),
    _entry(conf.IPV4_DEVCONF_FORCE_IGMP_VERSION, "force_igmp_version"),
    _entry(conf.IPV4_DEVCONF_IGMPV2_UNSOLICITED_REPORT_INTERVAL, "igmpv2_unsolicited_report_interval"),
    _entry(conf.IPV4_DEVCONF_IGMPV3_UNSOLICITED_REPORT_INTERVAL, "igmpv3_unsolicited_report_interval"),
    _entry(conf.IPV4_DEVCONF_IGNORE_ROUTES_WITH_LINKDOWN, "ignore_routes_with_linkdown"),
    _entry(conf.IPV4_DEVCONF_DROP_GRATUITOUS_ARP, "drop_gratuitous_arp"),
    _entry(conf.IPV4_DEVCONF_NOXFRM, "disable_xfrm", 0o644, ipv4_doint_and_flush),
    _entry(conf.IPV4_DEVCONF_NOPOLICY, "disable_policy", 0o644, ipv4_doint_and_flush),
    _entry(conf.IPV4_DEVCONF_PROMOTE_SECONDARIES, "promote_secondaries", 0o644, ipv4_doint_and_flush),
    _entry(conf.IPV4_DEVCONF_ROUTE_LOCALNET, "route_localnet", 0o644, ipv4_doint_and_flush),
    _entry(
        conf.IPV4_DEVCONF_DROP_UNICAST_IN_L2_MULTICAST, "drop_unicast_in_l2_multicast", 0o644, ipv4_doint_and_flush
    ),
)
ctl_forward_entry = (_entry(conf.IPV4_DEVCONF_FORWARDING, "ip_forward", 0o644, devinet_sysctl_forward),)


def __devinet_sysctl_register(net: net_t, dev_name: str, ifindex: int, p: ipv4_devconf) -> None:
    p.sysctl = register_net_sysctl(net, f"net/ipv4/conf/{dev_name}", devinet_vars, table_copy(p.data, p, net))
    devinet_netconf.inet_netconf_notify_devconf(net, RTM_NEWNETCONF, NETCONFA_ALL, ifindex, p)


def __devinet_sysctl_unregister(net: net_t, cnf: ipv4_devconf, ifindex: int) -> None:
    header, cnf.sysctl = cnf.sysctl, None
    unregister_net_sysctl_table(header)
    devinet_netconf.inet_netconf_notify_devconf(net, RTM_DELNETCONF, 0, ifindex, None)


def sysctl_dev_name_is_allowed(name: str) -> bool:
    """Whether a device of that name can have a directory: "all" and "default" are taken."""
    return name not in ("all", "default")


def devinet_sysctl_register(idev: in_device) -> None:
    """Make neigh/DEV and conf/DEV. EINVAL: the name is taken."""
    dev, parms = idev.dev, idev.arp_parms
    assert dev is not None
    assert parms is not None
    if not sysctl_dev_name_is_allowed(dev.name):
        raise KernelError(EINVAL)
    neigh_sysctl_register(dev.nd_net, dev, parms)
    try:
        __devinet_sysctl_register(dev.nd_net, dev.name, dev.ifindex, idev.cnf)
    except KernelError:
        neigh_sysctl_unregister(parms)
        raise


def devinet_sysctl_unregister(idev: in_device) -> None:
    """Take neigh/DEV and conf/DEV away."""
    dev, parms = idev.dev, idev.arp_parms
    assert dev is not None
    assert parms is not None
    __devinet_sysctl_unregister(dev.nd_net, idev.cnf, dev.ifindex)
    neigh_sysctl_unregister(parms)


def _register_all_and_default(net: net_t) -> None:
    """The part of devinet_init_net() that makes conf/all, conf/default and ip_forward."""
    every = net.ipv4.devconf_all
    __devinet_sysctl_register(net, "all", NETCONFA_IFINDEX_ALL, every)
    __devinet_sysctl_register(net, "default", NETCONFA_IFINDEX_DEFAULT, net.ipv4.devconf_dflt)
    net.ipv4.forw_hdr = register_net_sysctl(net, "net/ipv4", ctl_forward_entry, table_copy(every.data, every, net))


def _unregister_all_and_default(net: net_t) -> None:
    unregister_net_sysctl_table(net.ipv4.forw_hdr)
    __devinet_sysctl_unregister(net, net.ipv4.devconf_dflt, NETCONFA_IFINDEX_DEFAULT)
    __devinet_sysctl_unregister(net, net.ipv4.devconf_all, NETCONFA_IFINDEX_ALL)
