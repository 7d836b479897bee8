"""net/ipv4/arp.c: the ARP table by ioctl: SIOCGARP, SIOCSARP, SIOCDARP on struct arpreq."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from kshell.abi.capability import CAP_NET_ADMIN
from kshell.abi.errno import EINVAL, ENODEV, ENXIO, EPERM, EPFNOSUPPORT
from kshell.abi.ioctl import SIOCDARP, SIOCGARP, SIOCSARP
from kshell.abi.neighbour import NUD_NOARP, NUD_PERMANENT, NUD_STALE
from kshell.abi.netdevice import ATF_DONTPUB, ATF_NETMASK, ATF_PUBL
from kshell.abi.rtnetlink import RT_SCOPE_LINK
from kshell.abi.socket import AF_INET
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.inetdevice import IPV4_DEVCONF_PROXY_ARP
from kshell.linux.include.linux.uaccess import copy_from_user, copy_to_user
from kshell.linux.include.net.flow import flowi4
from kshell.linux.include.net.neighbour import NEIGH_UPDATE_F_ADMIN, NEIGH_UPDATE_F_OVERRIDE
from kshell.linux.kernel.capability import ns_capable
from kshell.linux.net.core.dev import __dev_get_by_name
from kshell.linux.net.core.dst import dst_release
from kshell.linux.net.core.neighbour import __neigh_create, neigh_lookup, neigh_release
from kshell.linux.net.core.neighbour_proxy import pneigh_delete, pneigh_lookup
from kshell.linux.net.core.neighbour_state import neigh_update
from kshell.linux.net.core.rtnl_lock import rtnl_lock, rtnl_unlock
from kshell.linux.net.ipv4 import arp, route_output
from kshell.linux.net.ipv4.arp_proc import ATF_COM, ATF_PERM, arp_state_to_flags

if TYPE_CHECKING:
    from kshell.linux.include.linux.netdevice import net_device
    from kshell.linux.include.net.net_namespace import net as net_t


_ARPREQ = struct.Struct("<H2s4s8sH14si16s16s")


class arpreq:
    """struct arpreq (68 bytes): protocol and hardware address, flags, netmask, device."""

    __slots__ = ("_family", "_pa", "arp_dev", "arp_flags", "arp_ha", "arp_ha_family", "arp_netmask", "arp_pa")

    def __init__(self, data: bytes) -> None:
        (
            self._family, self._pa, pa, _, self.arp_ha_family, self.arp_ha, self.arp_flags, netmask, name,
        ) = _ARPREQ.unpack(data)  # fmt: skip
        self.arp_pa = int.from_bytes(pa, "big")
        self.arp_netmask = int.from_bytes(netmask[4:8], "big") if self.arp_flags & ATF_NETMASK else 0xFFFFFFFF
        self.arp_dev = name[:15].split(b"\0")[0].decode("latin-1")

    def _to_bytes(self) -> bytes:
        netmask = b"\0\0\0\0" + self.arp_netmask.to_bytes(4, "big")
        return _ARPREQ.pack(
            self._family, self._pa, self.arp_pa.to_bytes(4, "big"), b"", self.arp_ha_family, self.arp_ha, self.arp_flags,
            netmask, self.arp_dev.encode("latin-1"),
        )  # fmt: skip


def arp_req_set_proxy(net: net_t, dev: net_device | None, on: int) -> None:
    """Answer for others, or not: on a device or all. ENXIO."""
    cnf = net.ipv4.devconf_all if dev is None else dev.ip_ptr.cnf if dev.ip_ptr is not None else None
    if cnf is None:
        raise KernelError(ENXIO)
    cnf.data[IPV4_DEVCONF_PROXY_ARP - 1] = on


def arp_req_set_public(net: net_t, r: arpreq, dev: net_device | None) -> None:
    """Answer for an address, or (netmask 0) for all. EINVAL, ENXIO; ENODEV: no device has that link address."""
    if r.arp_netmask not in (0, 0xFFFFFFFF):
        raise KernelError(EINVAL)
    if dev is None and r.arp_flags & ATF_COM:
        dev = dev_getbyhwaddr_rcu(net, r.arp_ha_family, r.arp_ha)
        if dev is None:
            raise KernelError(ENODEV)
    if r.arp_netmask:
        pneigh_lookup(net.kernel.arp_tbl, net, r.arp_pa, dev, True)
    else:
        arp_req_set_proxy(net, dev, 1)


def dev_getbyhwaddr_rcu(net: net_t, type: int, ha: bytes) -> net_device | None:
    """The device of that kind with a link address."""
    return next((dev for dev in net.dev_base_head if dev.type == type and dev.dev_addr == ha[: dev.addr_len]), None)


def _device_to(net: net_t, ip: int) -> net_device:
    """The device that has a direct route to an address. ENETUNREACH and the like."""
    rt = route_output.ip_route_output_flow(net, flowi4(daddr=ip, flowi4_scope=RT_SCOPE_LINK), None)
    dev = rt.dev
    dst_release(rt)
    return dev


def arp_req_set(net: net_t, r: arpreq, dev: net_device | None) -> None:
    """SIOCSARP. EINVAL: the wrong kind of hardware address."""
    if r.arp_flags & ATF_PUBL:
        arp_req_set_public(net, r, dev)
        return
    if r.arp_flags & ATF_PERM:
        r.arp_flags |= ATF_COM
    if dev is None:
        dev = _device_to(net, r.arp_pa)
    if r.arp_ha_family != dev.type:
        raise KernelError(EINVAL)
    tbl = net.kernel.arp_tbl
    neigh = neigh_lookup(tbl, r.arp_pa, dev) or __neigh_create(tbl, r.arp_pa, dev, True)
    state = NUD_PERMANENT if r.arp_flags & ATF_PERM else NUD_STALE
    lladdr = r.arp_ha[: dev.addr_len] if r.arp_flags & ATF_COM else None
    try:
        neigh_update(neigh, lladdr, state, NEIGH_UPDATE_F_OVERRIDE | NEIGH_UPDATE_F_ADMIN, 0)
    finally:
        neigh_release(neigh)


def arp_req_get(net: net_t, r: arpreq, dev: net_device) -> None:
    """SIOCGARP: ENXIO if the neighbour is not known."""
    neigh = neigh_lookup(net.kernel.arp_tbl, r.arp_pa, dev)
    if neigh is None:
        raise KernelError(ENXIO)
    known = not neigh.nud_state & NUD_NOARP
    if known:
        r.arp_ha = neigh.ha + r.arp_ha[len(neigh.ha) :]
        r.arp_flags = arp_state_to_flags(neigh)
        r.arp_ha_family = dev.type
        r.arp_dev = dev.name
    neigh_release(neigh)
    if not known:
        raise KernelError(ENXIO)


def arp_req_delete_public(net: net_t, r: arpreq, dev: net_device | None) -> None:
    """Stop answering for an address, or for all. ENOENT, ENXIO, EINVAL."""
    if r.arp_netmask == 0xFFFFFFFF:
        pneigh_delete(net.kernel.arp_tbl, net, r.arp_pa, dev)
        return
    if r.arp_netmask:
        raise KernelError(EINVAL)
    arp_req_set_proxy(net, dev, 0)


def arp_req_delete(net: net_t, r: arpreq, dev: net_device | None) -> None:
    """SIOCDARP. ENXIO: the neighbour is not known."""
    if r.arp_flags & ATF_PUBL:
        arp_req_delete_public(net, r, dev)
        return
    if not arp.arp_invalidate(dev or _device_to(net, r.arp_pa), r.arp_pa, True):
        raise KernelError(ENXIO)


def arp_ioctl(net: net_t, cmd: int, arg: int) -> int:
    """SIOCGARP, SIOCSARP, SIOCDARP. EPERM, EFAULT, EPFNOSUPPORT, EINVAL, ENODEV, ENXIO."""
    kernel = net.kernel
    if cmd in (SIOCDARP, SIOCSARP) and not ns_capable(kernel.current, net.user_ns, CAP_NET_ADMIN):
        raise KernelError(EPERM)
    r = arpreq(copy_from_user(kernel.current, arg, _ARPREQ.size))
    if r._family != AF_INET:
        raise KernelError(EPFNOSUPPORT)
    if not r.arp_flags & ATF_PUBL and r.arp_flags & (ATF_NETMASK | ATF_DONTPUB):
        raise KernelError(EINVAL)
    rtnl_lock(kernel)
    try:
        _request(net, cmd, r)
    finally:
        rtnl_unlock(kernel)
    if cmd == SIOCGARP:
        copy_to_user(kernel.current, arg, r._to_bytes())
    return 0


def _request(net: net_t, cmd: int, r: arpreq) -> None:
    dev = __dev_get_by_name(net, r.arp_dev) if r.arp_dev else None
    if dev is None and (r.arp_dev or cmd == SIOCGARP):
        raise KernelError(ENODEV)
    if dev is not None:
        r.arp_ha_family = r.arp_ha_family or dev.type
        if r.arp_flags & ATF_COM and r.arp_ha_family != dev.type:
            raise KernelError(EINVAL)
    if cmd == SIOCGARP:
        assert dev is not None
        arp_req_get(net, r, dev)
    elif cmd == SIOCSARP:
        arp_req_set(net, r, dev)
    else:
        arp_req_delete(net, r, dev)

