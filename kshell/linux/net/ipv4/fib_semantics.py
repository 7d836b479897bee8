"""net/ipv4/fib_semantics.c: what routes mean: next hops, their checks, what becomes of them with their devices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EACCES, EAGAIN, EHOSTUNREACH, EINVAL, ENETDOWN, ENODEV
from kshell.abi.netdevice import IFF_UP
from kshell.abi.rtnetlink import (
    RT_SCOPE_HOST,
    RT_SCOPE_LINK,
    RT_SCOPE_NOWHERE,
    RT_SCOPE_UNIVERSE,
    RT_TABLE_LOCAL,
    RT_TABLE_MAIN,
    RTN_LOCAL,
    RTN_MAX,
    RTN_MULTICAST,
    RTN_UNICAST,
    RTNH_F_DEAD,
    RTNH_F_LINKDOWN,
    RTNH_F_ONLINK,
    RTNH_F_PERVASIVE,
)
from kshell.abi.socket import AF_INET
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.netdevice import netif_carrier_ok
from kshell.linux.include.net.flow import LOOPBACK_IFINDEX, flowi4
from kshell.linux.include.net.ip_fib import (
    FIB_LOOKUP_IGNORE_LINKSTATE,
    FIB_LOOKUP_NOREF,
    fib_config,
    fib_info,
    fib_nh,
    fib_nh_common,
    fib_result,
)
from kshell.linux.include.net.nlattr import NL_SET_ERR_MSG
from kshell.linux.kernel.printk import pr_warn
from kshell.linux.kernel.rcu.tree import call_rcu
from kshell.linux.mm.slab_common import kfree, kzalloc
from kshell.linux.net.core.dev import __dev_get_by_index, dev_get_by_index
from kshell.linux.net.core.dst import dst_release
from kshell.linux.net.ipv4 import devinet, devinet_select, fib_frontend, fib_multipath, fib_trie

if TYPE_CHECKING:
    from kshell.linux.include.linux.netdevice import net_device
    from kshell.linux.include.linux.netlink import netlink_ext_ack
    from kshell.linux.include.net.net_namespace import net as net_t
    from kshell.linux.init.kernel import Kernel


_FIB_INFO_SIZE = 240  # sizeof(struct fib_info) with one next hop

# fib_props: by route type
FIB_PROPS_ERROR = (0, 0, 0, 0, 0, 0, EINVAL, EHOSTUNREACH, EACCES, EAGAIN, EINVAL, EINVAL)
FIB_PROPS_SCOPE = (
    RT_SCOPE_NOWHERE, RT_SCOPE_UNIVERSE, RT_SCOPE_HOST, RT_SCOPE_LINK, RT_SCOPE_LINK, RT_SCOPE_UNIVERSE,
    RT_SCOPE_UNIVERSE, RT_SCOPE_UNIVERSE, RT_SCOPE_UNIVERSE, RT_SCOPE_UNIVERSE, RT_SCOPE_NOWHERE, RT_SCOPE_NOWHERE,
)  # fmt: skip
_COMPARE_MASK = ~(RTNH_F_DEAD | RTNH_F_LINKDOWN | 8 | 32)


def fib_nh_common_release(nhc: fib_nh_common) -> None:
    """Forget the device and the cached routes of a next hop."""
    if nhc.nhc_dev is not None:
        nhc.nhc_dev.pcpu_refcnt -= 1
        nhc.nhc_dev = None
    cached = [nhc.nhc_pcpu_rth_output, nhc.nhc_rth_input]
    for fnhe in (nhc.nhc_exceptions or {}).values():
        cached += [fnhe.fnhe_rth_input, fnhe.fnhe_rth_output]
        fnhe.fnhe_rth_input = fnhe.fnhe_rth_output = None
    nhc.nhc_pcpu_rth_output = nhc.nhc_rth_input = nhc.nhc_exceptions = None
    for rt in cached:
        if rt is not None:
            rt.obsolete = 2  # DST_OBSOLETE_DEAD
            dst_release(rt)


def free_fib_info_rcu(head: object) -> None:
    """Nobody can hold the fib_info any more."""
    assert isinstance(head, fib_info)
    assert head.fib_net is not None
    for nh in head.fib_nh:
        fib_nh_common_release(nh)
        nh.nh_parent = None
    kernel, head.fib_net = head.fib_net.kernel, None
    kfree(kernel, head, _FIB_INFO_SIZE)


def free_fib_info(fi: fib_info) -> None:
    """Free a dead fib_info that nobody refers to, once no reader can hold it."""
    assert fi.fib_net is not None
    if not fi.fib_dead:
        pr_warn(fi.fib_net.kernel, f"Freeing alive fib_info {fi._addr:x}")
        return
    call_rcu(fi.fib_net.kernel, free_fib_info_rcu, fi)


def _hash_key(fi: fib_info) -> tuple[object, ...]:
    """What makes two fib_infos equal."""
    hops = tuple(
        (nh.nhc_oif, nh.nhc_gw_family, nh.nhc_gw, nh.nhc_scope, nh.nhc_weight, nh.nhc_flags & _COMPARE_MASK)
        for nh in fi.fib_nh
    )
    metrics = tuple(sorted(fi.fib_metrics.items())) if fi.fib_metrics else ()
    return (
        fi.fib_net, fi.fib_protocol, fi.fib_scope, fi.fib_prefsrc, fi.fib_priority,
        fi.fib_type, fi.fib_tb_id, fi.fib_flags & _COMPARE_MASK, metrics, hops,
    )  # fmt: skip


def fib_release_info(fi: fib_info) -> None:
    """One route less uses it."""
    fi.fib_treeref -= 1
    if fi.fib_treeref or fi.fib_net is None:
        return
    kernel = fi.fib_net.kernel
    del kernel.fib_info_hash[_hash_key(fi)]
    for nh in fi.fib_nh:
        if nh.nhc_dev is not None:
            kernel.fib_info_devhash[nh.nhc_dev].remove(nh)
    fi.fib_dead = 1
    free_fib_info(fi)


def fib_find_info(kernel: Kernel, fi: fib_info) -> fib_info | None:
    """An equal fib_info that is in use."""
    return kernel.fib_info_hash.get(_hash_key(fi))


def fib_nh_init(net: net_t, nh: fib_nh, cfg: fib_config, nh_weight: int) -> None:
    """Take a next hop from the request."""
    nh.nhc_oif = cfg.fc_oif
    nh.nhc_gw_family = cfg.fc_gw_family
    nh.nhc_gw = cfg.fc_gw4
    nh.nhc_flags = cfg.fc_flags
    nh.nhc_weight = nh_weight


def fib_nh_match(net: net_t, cfg: fib_config, fi: fib_info) -> bool:
    """True if a request to delete names this next hop, or none."""
    if cfg.fc_priority and cfg.fc_priority != fi.fib_priority:
        return False
    nh = fi.fib_nh[0]
    if cfg.fc_gw_family and (cfg.fc_gw_family != nh.nhc_gw_family or cfg.fc_gw4 != nh.nhc_gw):
        return False
    if cfg.fc_oif and cfg.fc_oif != nh.nhc_oif:
        return False
    return not cfg.fc_mp or fib_multipath._nhs_match(fi, cfg)


def fib_metrics_match(cfg: fib_config, fi: fib_info) -> bool:
    """True if a request to delete names these metrics, or none."""
    metrics = fi.fib_metrics or {}
    return all(metrics.get(kind, 0) == value for kind, value in cfg.fc_mx.items())


def fib_check_nh_v4_gw(net: net_t, nh: fib_nh, table: int, scope: int, extack: netlink_ext_ack | None) -> None:
    """A gateway must be reachable by a route of narrower scope. EINVAL, ENODEV, ENETDOWN, ENETUNREACH …"""
    dev: net_device | None
    if nh.nhc_flags & RTNH_F_ONLINK:
        if scope >= RT_SCOPE_LINK:
            raise _refuse(extack, "Nexthop has invalid scope")
        dev = __dev_get_by_index(net, nh.nhc_oif)
        if dev is None:
            raise _refuse(extack, "Nexthop device required for onlink", ENODEV)
        if not dev.flags & IFF_UP:
            raise _refuse(extack, "Nexthop device is not up", ENETDOWN)
        if fib_frontend.inet_addr_type_dev_table(net, dev, nh.nhc_gw) != RTN_UNICAST:
            raise _refuse(extack, "Nexthop has invalid gateway")
        nh.nhc_scope = RT_SCOPE_LINK
    else:
        fl4 = flowi4(nh.nhc_oif, LOOPBACK_IFINDEX, 0, 0, max(scope + 1, RT_SCOPE_LINK), daddr=nh.nhc_gw)
        res = fib_result()
        tbl = net.ipv4.fib_table_hash.get(table) if table and table != RT_TABLE_MAIN else None
        err = -1
        flags = FIB_LOOKUP_IGNORE_LINKSTATE | FIB_LOOKUP_NOREF
        if tbl is not None:
            err = fib_trie.fib_table_lookup(tbl, fl4, res, flags)
        if err:
            err = fib_frontend.fib_lookup(net, fl4, res, FIB_LOOKUP_IGNORE_LINKSTATE)
        if err:
            raise _refuse(extack, "Nexthop has invalid gateway", err)
        if res.type not in (RTN_UNICAST, RTN_LOCAL):
            raise _refuse(extack, "Nexthop has invalid gateway")
        if res.nhc is None or res.nhc.nhc_dev is None:
            raise _refuse(extack, "No egress device for nexthop gateway")
        nh.nhc_scope = res.scope
        nh.nhc_oif = res.nhc.nhc_oif
        dev = res.nhc.nhc_dev
    nh.nhc_dev = dev
    dev.pcpu_refcnt += 1
    if not netif_carrier_ok(dev):
        nh.nhc_flags |= RTNH_F_LINKDOWN
    if not dev.flags & IFF_UP:
        raise KernelError(ENETDOWN)


def fib_check_nh_nongw(net: net_t, nh: fib_nh, extack: netlink_ext_ack | None) -> None:
    """A direct route needs a device that is up. EINVAL, ENODEV, ENETDOWN."""
    if nh.nhc_flags & (RTNH_F_PERVASIVE | RTNH_F_ONLINK):
        raise _refuse(extack, "Invalid flags for nexthop - PERVASIVE and ONLINK can not be set")
    in_dev = devinet.inetdev_by_index(net, nh.nhc_oif)
    if in_dev is None or in_dev.dev is None:
        raise KernelError(ENODEV)
    if not in_dev.dev.flags & IFF_UP:
        raise _refuse(extack, "Device for nexthop is not up", ENETDOWN)
    nh.nhc_dev = in_dev.dev
    in_dev.dev.pcpu_refcnt += 1
    nh.nhc_scope = RT_SCOPE_HOST
    if not netif_carrier_ok(in_dev.dev):
        nh.nhc_flags |= RTNH_F_LINKDOWN


def fib_check_nh(net: net_t, nh: fib_nh, table: int, scope: int, extack: netlink_ext_ack | None) -> None:
    """Check a next hop and find its device."""
    if nh.nhc_gw_family == AF_INET:
        fib_check_nh_v4_gw(net, nh, table, scope, extack)
    else:
        fib_check_nh_nongw(net, nh, extack)


def fib_info_update_nhc_saddr(net: net_t, nhc: fib_nh_common, scope: int) -> int:
    """Choose the source address that goes with a next hop."""
    dev = nhc.nhc_dev
    saddr = devinet_select.inet_select_addr(dev, nhc.nhc_gw, scope) if dev is not None else 0
    if isinstance(nhc, fib_nh):
        nhc.nh_saddr = saddr
        nhc.nh_saddr_genid = net.ipv4.dev_addr_genid
    return saddr


def fib_result_prefsrc(net: net_t, res: fib_result) -> int:
    """Source address for packets along the route found."""
    fi, nhc = res.fi, res.nhc
    assert fi is not None
    assert nhc is not None
    if fi.fib_prefsrc:
        return fi.fib_prefsrc
    if isinstance(nhc, fib_nh) and nhc.nh_saddr_genid == net.ipv4.dev_addr_genid:
        return nhc.nh_saddr
    return fib_info_update_nhc_saddr(net, nhc, fi.fib_scope)


def fib_valid_prefsrc(net: net_t, cfg: fib_config, fib_prefsrc: int) -> bool:
    """True if a preferred source address is ours."""
    if cfg.fc_type == RTN_LOCAL and cfg.fc_dst and fib_prefsrc == cfg.fc_dst:
        return True
    tb_id = RT_TABLE_LOCAL if cfg.fc_table == RT_TABLE_MAIN else cfg.fc_table
    rc = fib_frontend.inet_addr_type_table(net, fib_prefsrc, tb_id)
    if rc != RTN_LOCAL and tb_id != RT_TABLE_LOCAL:
        rc = fib_frontend.inet_addr_type_table(net, fib_prefsrc, RT_TABLE_LOCAL)
    return rc == RTN_LOCAL


def _refuse(extack: netlink_ext_ack | None, why: str, errno: int = EINVAL) -> KernelError:
    """An error with its reason."""
    NL_SET_ERR_MSG(extack, why)
    return KernelError(errno)


def _check_hops(net: net_t, cfg: fib_config, fi: fib_info, extack: netlink_ext_ack | None) -> None:
    """Find the devices of the next hops. EINVAL, ENODEV, ENETDOWN, ENETUNREACH."""
    if cfg.fc_scope > RT_SCOPE_HOST:
        raise _refuse(extack, "Invalid scope")
    if cfg.fc_scope == RT_SCOPE_HOST:
        nh = fi.fib_nh[0]
        if fi.fib_nhs != 1:
            raise _refuse(extack, "Route with host scope can not have multiple nexthops")
        if nh.nhc_gw_family:
            raise _refuse(extack, "Route with host scope can not have a gateway")
        nh.nhc_scope = RT_SCOPE_NOWHERE
        nh.nhc_dev = dev_get_by_index(net, nh.nhc_oif)
        if nh.nhc_dev is None:
            raise KernelError(ENODEV)
    else:
        for nh in fi.fib_nh:
            fib_check_nh(net, nh, cfg.fc_table, cfg.fc_scope, extack)
        if all(nh.nhc_flags & RTNH_F_LINKDOWN for nh in fi.fib_nh):
            fi.fib_flags |= RTNH_F_LINKDOWN
    if fi.fib_prefsrc and not fib_valid_prefsrc(net, cfg, fi.fib_prefsrc):
        raise _refuse(extack, "Invalid prefsrc address")
    for nh in fi.fib_nh:
        fib_info_update_nhc_saddr(net, nh, fi.fib_scope)
    fib_multipath.fib_rebalance(fi)


def _allocated(net: net_t, cfg: fib_config, nhs: int) -> fib_info:
    """A fib_info with what the request says, and next hops that are still to be filled."""
    fi = kzalloc(net.kernel, fib_info, _FIB_INFO_SIZE)
    fi.fib_metrics = dict(cfg.fc_mx) or None
    fi.fib_net = net
    fi.fib_protocol = cfg.fc_protocol
    fi.fib_scope = cfg.fc_scope
    fi.fib_flags = cfg.fc_flags
    fi.fib_priority = cfg.fc_priority
    fi.fib_prefsrc = cfg.fc_prefsrc
    fi.fib_type = cfg.fc_type
    fi.fib_tb_id = cfg.fc_table
    fi.fib_nh = [fib_nh() for _ in range(nhs)]
    for nh in fi.fib_nh:
        nh.nh_parent = fi
    return fi


def _fill_hops(net: net_t, cfg: fib_config, fi: fib_info, extack: netlink_ext_ack | None) -> None:
    """Fill the next hops; a route that is an error names none. EINVAL and what _check_hops() raises."""
    if cfg.fc_mp:
        fib_multipath.fib_get_nhs(fi, cfg, extack)
    else:
        fib_nh_init(net, fi.fib_nh[0], cfg, 1)
    if FIB_PROPS_ERROR[cfg.fc_type]:
        if cfg.fc_gw_family or cfg.fc_oif or cfg.fc_mp:
            raise _refuse(extack, "Gateway, device and multipath can not be specified for this route type")
    else:
        if not RTN_UNICAST <= cfg.fc_type <= RTN_MULTICAST:
            raise _refuse(extack, "Invalid route type")
        _check_hops(net, cfg, fi, extack)


def fib_create_info(net: net_t, cfg: fib_config, extack: netlink_ext_ack | None = None) -> fib_info:
    """The fib_info that a request asks for, shared with equal routes. EINVAL and what _check_hops() raises."""
    kernel = net.kernel
    if cfg.fc_type > RTN_MAX:
        raise KernelError(EINVAL)
    if FIB_PROPS_SCOPE[cfg.fc_type] > cfg.fc_scope:
        raise _refuse(extack, "Invalid scope")
    if cfg.fc_flags & (RTNH_F_DEAD | RTNH_F_LINKDOWN):
        raise _refuse(extack, "Invalid rtm_flags - can not contain DEAD or LINKDOWN")
    nhs = fib_multipath.fib_count_nexthops(cfg.fc_mp, extack) if cfg.fc_mp else 1
    if not nhs:
        raise KernelError(EINVAL)
    fi = _allocated(net, cfg, nhs)
    try:
        _fill_hops(net, cfg, fi, extack)
    except KernelError:
        fi.fib_dead = 1
        free_fib_info(fi)
        raise
    ofi = fib_find_info(kernel, fi)
    if ofi is not None:
        fi.fib_dead = 1
        free_fib_info(fi)
        ofi.fib_treeref += 1
        return ofi
    fi.fib_treeref = fi.fib_clntref = 1
    kernel.fib_info_hash[_hash_key(fi)] = fi
    for nh in fi.fib_nh:
        if nh.nhc_dev is not None:
            kernel.fib_info_devhash.setdefault(nh.nhc_dev, []).append(nh)
    return fi
