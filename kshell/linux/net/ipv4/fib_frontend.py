"""net/ipv4/fib_frontend.c: tables, address types, source checks, ioctls. Routes of addresses: fib_frontend_dev."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.capability import CAP_NET_ADMIN
from kshell.abi.errno import EAFNOSUPPORT, EAGAIN, EINVAL, ENETUNREACH, ENODEV, EPERM, ESRCH
from kshell.abi.ioctl import SIOCADDRT, SIOCDELRT
from kshell.abi.netdevice import RTF_GATEWAY, RTF_HOST, RTF_IRTT, RTF_MTU, RTF_REJECT, RTF_WINDOW
from kshell.abi.netlink import NLM_F_CREATE
from kshell.abi.rtnetlink import (
    RT_SCOPE_HOST,
    RT_SCOPE_LINK,
    RT_SCOPE_NOWHERE,
    RT_SCOPE_UNIVERSE,
    RT_TABLE_DEFAULT,
    RT_TABLE_LOCAL,
    RT_TABLE_MAIN,
    RTAX_ADVMSS,
    RTAX_RTT,
    RTAX_WINDOW,
    RTN_BROADCAST,
    RTN_LOCAL,
    RTN_MULTICAST,
    RTN_UNICAST,
    RTN_UNREACHABLE,
    RTPROT_BOOT,
)
from kshell.abi.socket import AF_INET
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.in_ import ipv4_is_lbcast, ipv4_is_multicast, ipv4_is_zeronet
from kshell.linux.include.linux.inetdevice import (
    IN_DEV_MAXCONF,
    IN_DEV_ORCONF,
    IPV4_DEVCONF_ACCEPT_LOCAL,
    IPV4_DEVCONF_RP_FILTER,
    IPV4_DEVCONF_SEND_REDIRECTS,
    IPV4_DEVCONF_SRC_VMARK,
    _ifas,
    bad_mask,
    inet_mask_len,
)
from kshell.linux.include.linux.ip import iphdr
from kshell.linux.include.linux.uaccess import copy_from_user
from kshell.linux.include.net.flow import LOOPBACK_IFINDEX, flowi4
from kshell.linux.include.net.ip_fib import (
    FIB_LOOKUP_IGNORE_LINKSTATE,
    FIB_LOOKUP_NOREF,
    fib_config,
    fib_result,
    fib_table,
)
from kshell.linux.include.net.rtable import IPTOS_RT_MASK, RTCF_BROADCAST, RTCF_LOCAL, RTCF_MULTICAST, rtable
from kshell.linux.kernel.capability import ns_capable
from kshell.linux.net.core.dev import __dev_get_by_name
from kshell.linux.net.core.rtnetlink import rtnl_lock, rtnl_unlock
from kshell.linux.net.ipv4 import devinet_select, fib_semantics, fib_trie, route

if TYPE_CHECKING:
    from kshell.linux.include.linux.inetdevice import in_device
    from kshell.linux.include.linux.netdevice import net_device
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.net_namespace import net as net_t


def fib_new_table(net: net_t, id: int) -> fib_table:
    """The table of that number (0: main), made if it is not there."""
    id = id or RT_TABLE_MAIN
    ipv4 = net.ipv4
    tb = ipv4.fib_table_hash.get(id)
    if tb is not None:
        return tb
    alias = None
    if id == RT_TABLE_LOCAL and not ipv4.fib_has_custom_rules:
        alias = fib_new_table(net, RT_TABLE_MAIN)
    tb = fib_trie.fib_trie_table(id, alias)
    if id == RT_TABLE_MAIN:
        ipv4.fib_main = tb
    elif id == RT_TABLE_DEFAULT:
        ipv4.fib_default = tb
    ipv4.fib_table_hash[id] = tb
    return tb


def fib_lookup(net: net_t, flp: flowi4, res: fib_result, flags: int) -> int:
    """The best route of all tables: 0 with res filled, ENETUNREACH, or the error of a reject route."""
    flags |= FIB_LOOKUP_NOREF
    res.tclassid = 0
    err = ENETUNREACH
    tb = net.ipv4.fib_main
    if tb is not None:
        err = fib_trie.fib_table_lookup(tb, flp, res, flags)
    if err:
        tb = net.ipv4.fib_default
        if tb is not None:
            err = fib_trie.fib_table_lookup(tb, flp, res, flags)
        if err == EAGAIN:
            err = ENETUNREACH
    return err


def fib_flush(net: net_t) -> None:
    """Remove dead routes from all tables."""
    flushed = 0
    for tb in list(net.ipv4.fib_table_hash.values()):
        flushed += fib_trie.fib_table_flush(net, tb, False)
    if flushed:
        route.rt_cache_flush(net)


def __inet_dev_addr_type(net: net_t, dev: net_device | None, addr: int, tb_id: int) -> int:
    """RTN_xxx of an address, as if only `dev` were there (None: all)."""
    if ipv4_is_zeronet(addr) or ipv4_is_lbcast(addr):
        return RTN_BROADCAST
    if ipv4_is_multicast(addr):
        return RTN_MULTICAST
    table = net.ipv4.fib_table_hash.get(tb_id or RT_TABLE_MAIN)
    if table is None:
        return RTN_BROADCAST
    res = fib_result()
    if not fib_trie.fib_table_lookup(table, flowi4(daddr=addr), res, FIB_LOOKUP_NOREF):
        assert res.fi is not None
        if dev is None or dev is res.fi.fib_nh[0].nhc_dev:
            return res.type
    return RTN_UNICAST


def inet_addr_type_table(net: net_t, addr: int, tb_id: int) -> int:
    """RTN_xxx of an address by one table."""
    return __inet_dev_addr_type(net, None, addr, tb_id)


def inet_addr_type(net: net_t, addr: int) -> int:
    """RTN_xxx of an address: local, broadcast, multicast, or somebody else's (unicast)."""
    return __inet_dev_addr_type(net, None, addr, RT_TABLE_LOCAL)


def inet_addr_type_dev_table(net: net_t, dev: net_device, addr: int) -> int:
    """The same by the table of the device's VRF, which is the local one."""
    return __inet_dev_addr_type(net, None, addr, RT_TABLE_LOCAL)


def fib_compute_spec_dst(skb: sk_buff) -> int:
    """The address of ours that the sender of a packet should see."""
    dev = skb.dev
    rt = skb._skb_refdst
    iph = skb.network_header
    assert isinstance(rt, rtable)
    assert isinstance(iph, iphdr)
    assert dev is not None
    if rt.rt_flags & (RTCF_BROADCAST | RTCF_MULTICAST | RTCF_LOCAL) == RTCF_LOCAL:
        return iph.daddr
    in_dev = dev.ip_ptr
    net = dev.nd_net
    scope = RT_SCOPE_UNIVERSE
    if not ipv4_is_zeronet(iph.saddr):
        vmark = in_dev is not None and IN_DEV_ORCONF(in_dev, IPV4_DEVCONF_SRC_VMARK)
        fl4 = flowi4(0, LOOPBACK_IFINDEX, skb.mark if vmark else 0, iph.tos & IPTOS_RT_MASK, scope, daddr=iph.saddr)
        res = fib_result()
        if not fib_lookup(net, fl4, res, 0):
            return fib_semantics.fib_result_prefsrc(net, res)
    else:
        scope = RT_SCOPE_LINK
    return devinet_select.inet_select_addr(dev, iph.saddr, scope)


def __fib_validate_source(
    skb: sk_buff, src: int, dst: int, tos: int, oif: int, dev: net_device, rpf: int, idev: in_device
) -> int:
    """1 if the source is a neighbour, 0 if not; minus errno: EINVAL (martian), EXDEV (rp_filter)."""
    net = dev.nd_net
    mark = skb.mark if IN_DEV_ORCONF(idev, IPV4_DEVCONF_SRC_VMARK) else 0
    fl4 = flowi4(0, oif or LOOPBACK_IFINDEX, mark, tos, RT_SCOPE_UNIVERSE, daddr=src, saddr=dst)
    res = fib_result()
    if fib_lookup(net, fl4, res, 0):
        return -18 if rpf else 0  # EXDEV
    if res.type != RTN_UNICAST and (res.type != RTN_LOCAL or not IN_DEV_ORCONF(idev, IPV4_DEVCONF_ACCEPT_LOCAL)):
        return -EINVAL
    assert res.fi is not None
    assert res.nhc is not None
    if fib_info_nh_uses_dev(res, dev) or (res.type == RTN_LOCAL and dev is net.loopback_dev):
        return int(res.nhc.nhc_scope >= RT_SCOPE_HOST)
    if idev.ifa_list is None:
        return -18 if rpf else 0
    if rpf == 1:
        return -18
    fl4.flowi4_oif = dev.ifindex
    if not fib_lookup(net, fl4, res, FIB_LOOKUP_IGNORE_LINKSTATE) and res.type == RTN_UNICAST:
        return int(res.nhc.nhc_scope >= RT_SCOPE_HOST)
    return 0


def fib_info_nh_uses_dev(res: fib_result, dev: net_device) -> bool:
    """True if a next hop of the route found goes out by the device."""
    assert res.fi is not None
    return any(nh.nhc_dev is dev for nh in res.fi.fib_nh)


def fib_validate_source(skb: sk_buff, src: int, dst: int, tos: int, oif: int, dev: net_device, idev: in_device) -> int:
    """Check a received packet's source address. As __fib_validate_source()."""
    r = IN_DEV_MAXCONF(idev, IPV4_DEVCONF_RP_FILTER)
    net = dev.nd_net
    if not r and (dev.ifindex != oif or not IN_DEV_ORCONF(idev, IPV4_DEVCONF_SEND_REDIRECTS)):
        if IN_DEV_ORCONF(idev, IPV4_DEVCONF_ACCEPT_LOCAL):
            return 0
        if not net.ipv4.fib_has_custom_local_routes and not net.ipv4.fib_has_custom_rules:
            if devinet_select.inet_lookup_ifaddr_rcu(net, src) is not None:
                return -EINVAL
            return 0
    return __fib_validate_source(skb, src, dst, tos, oif, dev, r, idev)


class rtentry:
    """struct rtentry (120 bytes) of SIOCADDRT and SIOCDELRT."""

    __slots__ = (
        "rt_dev", "rt_dst", "rt_flags", "rt_gateway", "rt_genmask", "rt_irtt", "rt_metric", "rt_mtu", "rt_window",
    )  # fmt: skip

    def __init__(self, data: bytes) -> None:
        self.rt_dst = data[8:24]
        self.rt_gateway = data[24:40]
        self.rt_genmask = data[40:56]
        self.rt_flags = int.from_bytes(data[56:58], "little")
        self.rt_metric = int.from_bytes(data[80:82], "little", signed=True)
        self.rt_dev = int.from_bytes(data[88:96], "little")
        self.rt_mtu = int.from_bytes(data[96:104], "little")
        self.rt_window = int.from_bytes(data[104:112], "little")
        self.rt_irtt = int.from_bytes(data[112:114], "little")


def _family(sockaddr: bytes) -> int:
    return int.from_bytes(sockaddr[:2], "little")


def sk_extract_addr(addr: bytes) -> int:
    """sin_addr of a struct sockaddr_in."""
    return int.from_bytes(addr[4:8], "big")


def _route_device(net: net_t, rt: rtentry, cfg: fib_config) -> None:
    """The device that rt_dev names; an alias (eth0:1) gives the preferred source. EFAULT, ENODEV."""
    raw = copy_from_user(net.kernel.current, rt.rt_dev, 15)
    name = raw.split(b"\0")[0].decode("latin-1")
    base, colon, _ = name.partition(":")
    dev = __dev_get_by_name(net, base)
    if dev is None:
        raise KernelError(ENODEV)
    cfg.fc_oif = dev.ifindex
    if colon:
        in_dev = dev.ip_ptr
        ifas = _ifas(in_dev) if in_dev is not None else []
        ifa = next((ifa for ifa in ifas if ifa.ifa_label == name), None)
        if ifa is None:
            raise KernelError(ENODEV)
        cfg.fc_prefsrc = ifa.ifa_local


def _prefix_length(rt: rtentry, addr: int) -> int:
    """How many bits of the destination count. EAFNOSUPPORT, EINVAL: the mask."""
    if rt.rt_flags & RTF_HOST:
        return 32
    mask = sk_extract_addr(rt.rt_genmask)
    family = _family(rt.rt_genmask)
    if family != AF_INET and (mask or family):
        raise KernelError(EAFNOSUPPORT)
    if bad_mask(mask, addr):
        raise KernelError(EINVAL)
    return inet_mask_len(mask)


def rtentry_to_fib_config(net: net_t, cmd: int, rt: rtentry) -> fib_config:
    """Make a request of an ioctl's argument. EAFNOSUPPORT, EINVAL, ENODEV, EFAULT."""
    cfg = fib_config()
    if _family(rt.rt_dst) != AF_INET:
        raise KernelError(EAFNOSUPPORT)
    cfg.fc_dst = sk_extract_addr(rt.rt_dst)
    cfg.fc_dst_len = _prefix_length(rt, cfg.fc_dst)
    if cmd != SIOCDELRT:
        cfg.fc_nlflags = NLM_F_CREATE
        cfg.fc_protocol = RTPROT_BOOT
    if rt.rt_metric:
        cfg.fc_priority = (rt.rt_metric - 1) & 0xFFFFFFFF
    if rt.rt_flags & RTF_REJECT:
        cfg.fc_scope = RT_SCOPE_HOST
        cfg.fc_type = RTN_UNREACHABLE
        return cfg
    cfg.fc_scope = RT_SCOPE_NOWHERE
    cfg.fc_type = RTN_UNICAST
    if rt.rt_dev:
        _route_device(net, rt, cfg)
    addr = sk_extract_addr(rt.rt_gateway)
    if _family(rt.rt_gateway) == AF_INET and addr:
        cfg.fc_gw4 = addr
        cfg.fc_gw_family = AF_INET
        addr_type = inet_addr_type_table(net, addr, cfg.fc_table)
        if rt.rt_flags & RTF_GATEWAY and addr_type == RTN_UNICAST:
            cfg.fc_scope = RT_SCOPE_UNIVERSE
    cfg.fc_table = cfg.fc_table or RT_TABLE_MAIN
    if cmd == SIOCDELRT:
        return cfg
    if rt.rt_flags & RTF_GATEWAY and not cfg.fc_gw_family:
        raise KernelError(EINVAL)
    if cfg.fc_scope == RT_SCOPE_NOWHERE:
        cfg.fc_scope = RT_SCOPE_LINK
    if rt.rt_flags & RTF_MTU:
        cfg.fc_mx[RTAX_ADVMSS] = rt.rt_mtu - 40
    if rt.rt_flags & RTF_WINDOW:
        cfg.fc_mx[RTAX_WINDOW] = rt.rt_window
    if rt.rt_flags & RTF_IRTT:
        cfg.fc_mx[RTAX_RTT] = rt.rt_irtt << 3
    return cfg


def ip_rt_ioctl(net: net_t, cmd: int, rt: rtentry) -> int:
    """SIOCADDRT, SIOCDELRT. EPERM and what is wrong with the route (ESRCH, EEXIST, ENETUNREACH …)."""
    if cmd not in (SIOCADDRT, SIOCDELRT):
        raise KernelError(EINVAL)
    kernel = net.kernel
    if not ns_capable(kernel.current, net.user_ns, CAP_NET_ADMIN):
        raise KernelError(EPERM)
    rtnl_lock(kernel)
    try:
        cfg = rtentry_to_fib_config(net, cmd, rt)
        if cmd == SIOCDELRT:
            tb = net.ipv4.fib_table_hash.get(cfg.fc_table)
            if tb is None:
                raise KernelError(ESRCH)
            fib_trie.fib_table_delete(net, tb, cfg)
        else:
            fib_trie.fib_table_insert(net, fib_new_table(net, cfg.fc_table), cfg)
    finally:
        rtnl_unlock(kernel)
    return 0
