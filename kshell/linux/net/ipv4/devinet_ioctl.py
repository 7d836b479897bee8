"""net/ipv4/devinet.c: the interface ioctls of AF_INET sockets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.capability import CAP_NET_ADMIN
from kshell.abi.errno import EADDRNOTAVAIL, EINVAL, ENOBUFS, ENODEV, EPERM
from kshell.abi.ioctl import (
    SIOCGIFADDR,
    SIOCGIFBRDADDR,
    SIOCGIFDSTADDR,
    SIOCGIFNETMASK,
    SIOCSIFADDR,
    SIOCSIFBRDADDR,
    SIOCSIFDSTADDR,
    SIOCSIFFLAGS,
    SIOCSIFNETMASK,
)
from kshell.abi.netdevice import IFF_BROADCAST, IFF_POINTOPOINT, IFF_UP
from kshell.abi.socket import AF_INET
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.in_ import ipv4_is_lbcast, ipv4_is_zeronet
from kshell.linux.include.linux.inetdevice import INFINITY_LIFE_TIME, _ifas, bad_mask, inet_make_mask, inet_mask_len
from kshell.linux.kernel.capability import ns_capable
from kshell.linux.net.core.dev import __dev_get_by_name, dev_load
from kshell.linux.net.core.dev_flags import dev_change_flags
from kshell.linux.net.core.rtnetlink import rtnl_lock, rtnl_unlock
from kshell.linux.net.ipv4 import devinet

if TYPE_CHECKING:
    from kshell.linux.include.linux.inetdevice import in_device, in_ifaddr
    from kshell.linux.include.linux.netdevice import net_device
    from kshell.linux.include.net.net_namespace import net as net_t
    from kshell.linux.net.core.dev_ioctl import _ifreq


_GET = (SIOCGIFADDR, SIOCGIFBRDADDR, SIOCGIFDSTADDR, SIOCGIFNETMASK)
_SET = (SIOCSIFADDR, SIOCSIFBRDADDR, SIOCSIFDSTADDR, SIOCSIFNETMASK)


def inet_abc_len(addr: int) -> int:
    """Prefix length by the address's class; -1 for multicast."""
    if ipv4_is_zeronet(addr) or ipv4_is_lbcast(addr):
        return 0
    if not addr >> 31:
        return 8
    if addr >> 30 == 2:
        return 16
    if addr >> 29 == 6:
        return 24
    return 32 if addr >> 28 == 15 else -1


def _find_ifa(in_dev: in_device, label: str, address: int | None) -> in_ifaddr | None:
    """The address with this label (and value, if one fits)."""
    chain = [ifa for ifa in _ifas(in_dev) if ifa.ifa_label == label]
    if address is not None:
        for ifa in chain:
            if ifa.ifa_local == address:
                return ifa
    return chain[0] if chain else None


def _get(cmd: int, ifa: in_ifaddr) -> int:
    if cmd == SIOCGIFADDR:
        return ifa.ifa_local
    if cmd == SIOCGIFBRDADDR:
        return ifa.ifa_broadcast
    return ifa.ifa_address if cmd == SIOCGIFDSTADDR else ifa.ifa_mask


def _set_addr(dev: net_device, ifa: in_ifaddr | None, label: str, addr: int) -> None:
    """SIOCSIFADDR: EINVAL, ENOBUFS (IPv4 is not set up)."""
    if inet_abc_len(addr) < 0:
        raise KernelError(EINVAL)
    in_dev = dev.ip_ptr
    kernel = dev.nd_net.kernel
    if ifa is None:
        if in_dev is None:
            raise KernelError(ENOBUFS)
        ifa = devinet.inet_alloc_ifa(kernel)
        ifa.ifa_label = label
    else:
        if ifa.ifa_local == addr:
            return
        assert in_dev is not None
        devinet.inet_del_ifa(in_dev, ifa, False)
        ifa.ifa_broadcast = ifa.ifa_scope = 0
    ifa.ifa_address = ifa.ifa_local = addr
    if dev.flags & IFF_POINTOPOINT:
        ifa.ifa_prefixlen = 32
        ifa.ifa_mask = inet_make_mask(32)
    else:
        ifa.ifa_prefixlen = inet_abc_len(addr)
        ifa.ifa_mask = inet_make_mask(ifa.ifa_prefixlen)
        if dev.flags & IFF_BROADCAST and ifa.ifa_prefixlen < 31:
            ifa.ifa_broadcast = (addr | ~ifa.ifa_mask) & 0xFFFFFFFF
    devinet.set_ifa_lifetime(kernel, ifa, INFINITY_LIFE_TIME, INFINITY_LIFE_TIME)
    devinet.inet_set_ifa(dev, ifa)


def _set_netmask(dev: net_device, in_dev: in_device, ifa: in_ifaddr, mask: int) -> None:
    """SIOCSIFNETMASK: EINVAL."""
    if bad_mask(mask, 0):
        raise KernelError(EINVAL)
    if ifa.ifa_mask == mask:
        return
    old_mask = ifa.ifa_mask
    devinet.inet_del_ifa(in_dev, ifa, False)
    ifa.ifa_mask = mask
    ifa.ifa_prefixlen = inet_mask_len(mask)
    if (
        dev.flags & IFF_BROADCAST
        and ifa.ifa_prefixlen < 31
        and ifa.ifa_broadcast == (ifa.ifa_local | ~old_mask) & 0xFFFFFFFF
    ):
        ifa.ifa_broadcast = (ifa.ifa_local | ~mask) & 0xFFFFFFFF
    devinet.inet_insert_ifa(ifa)


def _set(cmd: int, dev: net_device, ifa: in_ifaddr, addr: int) -> None:
    """The settings that need an address to be there."""
    in_dev = dev.ip_ptr
    assert in_dev is not None
    if cmd == SIOCSIFNETMASK:
        _set_netmask(dev, in_dev, ifa, addr)
        return
    field = "ifa_broadcast" if cmd == SIOCSIFBRDADDR else "ifa_address"
    if getattr(ifa, field) == addr:
        return
    if cmd == SIOCSIFDSTADDR and inet_abc_len(addr) < 0:
        raise KernelError(EINVAL)
    devinet.inet_del_ifa(in_dev, ifa, False)
    setattr(ifa, field, addr)
    devinet.inet_insert_ifa(ifa)


def devinet_ioctl(net: net_t, cmd: int, ifr: _ifreq) -> int:
    """SIOCGIFADDR & co. on struct ifreq (changed in place). EPERM, EINVAL, ENODEV, EADDRNOTAVAIL."""
    kernel = net.kernel
    label = ifr.name
    base, colon, _ = label.partition(":")
    dev_load(net, base)
    family = int.from_bytes(ifr.data[:2], "little")
    wanted = int.from_bytes(ifr.data[4:8], "big")
    if cmd in _GET:
        ifr.data[:16] = AF_INET.to_bytes(2, "little") + bytes(14)
    elif cmd in _SET or cmd == SIOCSIFFLAGS:
        if not ns_capable(kernel.current, net.user_ns, CAP_NET_ADMIN):
            raise KernelError(EPERM)
        if cmd != SIOCSIFFLAGS and family != AF_INET:
            raise KernelError(EINVAL)
    else:
        raise KernelError(EINVAL)
    rtnl_lock(kernel)
    try:
        dev = __dev_get_by_name(net, base)
        if dev is None:
            raise KernelError(ENODEV)
        in_dev = dev.ip_ptr
        ifa = None
        if in_dev is not None:
            ifa = _find_ifa(in_dev, label, wanted if cmd in _GET and family == AF_INET else None)
        if cmd == SIOCSIFFLAGS:
            _set_flags(dev, in_dev, ifa, bool(colon), int.from_bytes(ifr.data[:2], "little", signed=True))
        elif cmd == SIOCSIFADDR:
            _set_addr(dev, ifa, label if colon else dev.name, wanted)
        elif ifa is None:
            raise KernelError(EADDRNOTAVAIL)
        elif cmd in _GET:
            ifr.data[4:8] = _get(cmd, ifa).to_bytes(4, "big")
        else:
            _set(cmd, dev, ifa, wanted)
    finally:
        rtnl_unlock(kernel)
    return 0


def _set_flags(dev: net_device, in_dev: in_device | None, ifa: in_ifaddr | None, alias: bool, flags: int) -> None:
    """SIOCSIFFLAGS: of an alias, only taking it down."""
    if not alias:
        dev_change_flags(dev, flags)
        return
    if ifa is None or in_dev is None:
        raise KernelError(EADDRNOTAVAIL)
    if not flags & IFF_UP:
        devinet.inet_del_ifa(in_dev, ifa, True)


def inet_gifconf(dev: net_device) -> list[bytes]:
    """struct ifreq of every address of a device, for SIOCGIFCONF."""
    in_dev = dev.ip_ptr
    if in_dev is None:
        return []
    return [
        ifa.ifa_label.encode("latin-1").ljust(16, b"\0") + b"\x02\0\0\0" + ifa.ifa_local.to_bytes(4, "big") + bytes(16)
        for ifa in _ifas(in_dev)
    ]
