"""net/core/dev_ioctl.c: devices by ioctl."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from kshell.abi import ioctl as i
from kshell.abi.capability import CAP_NET_ADMIN
from kshell.abi.errno import EINVAL, ENODEV, ENOTTY, EOPNOTSUPP, EPERM
from kshell.abi.socket import AF_UNSPEC
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.netdevice import NETDEV_CHANGEADDR, netif_device_present
from kshell.linux.include.linux.sched import in_compat_syscall
from kshell.linux.include.linux.uaccess import copy_from_user, copy_to_user, put_user
from kshell.linux.kernel.capability import capable, ns_capable
from kshell.linux.net.core import dev_register
from kshell.linux.net.core.dev import (
    __dev_get_by_name,
    call_netdevice_notifiers,
    dev_get_by_name_rcu,
    dev_get_flags,
    dev_load,
    netdev_get_name,
)
from kshell.linux.net.core.dev_addr_lists import dev_mc_add, dev_mc_del
from kshell.linux.net.core.dev_flags import dev_change_flags, dev_set_mtu
from kshell.linux.net.core.dev_settings import dev_change_tx_queue_len, dev_set_mac_address_user
from kshell.linux.net.core.rtnl_lock import rtnl_lock, rtnl_unlock
from kshell.linux.net.ethtool.ioctl import dev_ethtool

if TYPE_CHECKING:
    from kshell.linux.include.linux.netdevice import net_device
    from kshell.linux.include.net.net_namespace import net

_GET = (
    i.SIOCGIFFLAGS, i.SIOCGIFMETRIC, i.SIOCGIFMTU, i.SIOCGIFSLAVE, i.SIOCGIFMAP, i.SIOCGIFINDEX, i.SIOCGIFTXQLEN,
)  # fmt: skip
_SET_CAPABLE = (i.SIOCSIFMAP, i.SIOCSIFTXQLEN)
_BOND = (i.SIOCBONDENSLAVE, i.SIOCBONDRELEASE, i.SIOCBONDSETHWADDR, i.SIOCBONDCHANGEACTIVE)
_BOND_INFO = (i.SIOCBONDSLAVEINFOQUERY, i.SIOCBONDINFOQUERY)
_SET = (
    i.SIOCSIFFLAGS, i.SIOCSIFMETRIC, i.SIOCSIFMTU, i.SIOCSIFHWADDR, i.SIOCSIFSLAVE, i.SIOCADDMULTI, i.SIOCDELMULTI,
    i.SIOCSIFHWBROADCAST, i.SIOCSMIIREG, i.SIOCSHWTSTAMP, *_BOND, *_SET_CAPABLE,
)  # fmt: skip
_ETH = (i.SIOCGMIIPHY, i.SIOCGMIIREG, i.SIOCSMIIREG, i.SIOCSHWTSTAMP, i.SIOCGHWTSTAMP)


class _ifreq:
    """struct ifreq: ifr_name and the union, as bytes."""

    __slots__ = ("_raw_name", "_result", "data", "name")

    def __init__(self, raw: bytes) -> None:
        self._raw_name = bytearray(raw[:16])
        self._raw_name[15] = 0
        self.name = bytes(self._raw_name).split(b"\0", 1)[0].decode("latin-1")
        self.data = bytearray(raw[16:])
        self._result = 0  # what ioctl() returns

    def _int(self) -> int:
        return int.from_bytes(self.data[:4], "little", signed=True)

    def _set(self, layout: str, *values: int | bytes) -> None:
        packed = struct.pack(layout, *values)
        self.data[: len(packed)] = packed

    def _to_bytes(self) -> bytes:
        return bytes(self._raw_name) + bytes(self.data)


def dev_ifconf(net: net, uifc: int) -> int:
    """SIOCGIFCONF: the addresses of all devices, as many as there is room for. EFAULT."""
    current = net.kernel.current
    compat = in_compat_syscall(current)
    room, pos = struct.unpack("<iI" if compat else "<i4xQ", copy_from_user(current, uifc, 8 if compat else 16))
    size = 32 if compat else 40
    out: list[bytes] = []
    rtnl_lock(net.kernel)
    for dev in net.dev_base_head:
        out += net.kernel.inet_gifconf(dev)
    rtnl_unlock(net.kernel)
    fitting = [each[:size].ljust(size, b"\0") for each in out]
    if pos:
        fitting = fitting[: max(room, 0) // size]
        for number, each in enumerate(fitting):
            copy_to_user(current, pos + number * size, each)
    put_user(current, uifc, len(fitting) * size)
    return 0


def dev_ifname(net: net, ifr: _ifreq) -> None:
    """SIOCGIFNAME. ENODEV."""
    ifr._raw_name[:] = netdev_get_name(net, ifr._int()).encode("latin-1").ljust(16, b"\0")


def dev_get_mac_address(net: net, name: str) -> tuple[int, bytes]:
    """Type and address of a device's hardware. ENODEV."""
    dev = dev_get_by_name_rcu(net, name)
    if dev is None:
        raise KernelError(ENODEV)
    return dev.type, dev.dev_addr[:14] if dev.addr_len else bytes(14)


def dev_getifmap(dev: net_device, ifr: _ifreq) -> None:
    """SIOCGIFMAP; a 32-bit program's struct ifmap is shorter."""
    layout = "<IIHBBB3x" if in_compat_syscall(dev.nd_net.kernel.current) else "<QQHBBB3x"
    ifr._set(layout, dev.mem_start, dev.mem_end, dev.base_addr, dev.irq, dev.dma, dev.if_port)


def dev_ifsioc_locked(net: net, ifr: _ifreq, cmd: int) -> None:
    """The ioctls that read. ENODEV, EINVAL."""
    dev = dev_get_by_name_rcu(net, ifr.name)
    if dev is None:
        raise KernelError(ENODEV)
    if cmd == i.SIOCGIFFLAGS:
        ifr._set("<H", dev_get_flags(dev) & 0xFFFF)
    elif cmd == i.SIOCGIFMETRIC:
        ifr._set("<i", 0)
    elif cmd == i.SIOCGIFMTU:
        ifr._set("<i", dev.mtu)
    elif cmd == i.SIOCGIFMAP:
        dev_getifmap(dev, ifr)
    elif cmd == i.SIOCGIFINDEX:
        ifr._set("<i", dev.ifindex)
    elif cmd == i.SIOCGIFTXQLEN:
        ifr._set("<i", dev.tx_queue_len)
    else:
        raise KernelError(EINVAL)


def dev_ifsioc(net: net, ifr: _ifreq, cmd: int) -> None:
    """The ioctls that write, and those that go to the driver. ENODEV, EINVAL, EOPNOTSUPP."""
    dev = __dev_get_by_name(net, ifr.name)
    if dev is None:
        raise KernelError(ENODEV)
    if cmd == i.SIOCSIFFLAGS:
        dev_change_flags(dev, int.from_bytes(ifr.data[:2], "little", signed=True))
    elif cmd == i.SIOCSIFMTU:
        dev_set_mtu(dev, ifr._int())
    elif cmd == i.SIOCSIFHWADDR:
        family = int.from_bytes(ifr.data[:2], "little")
        dev_set_mac_address_user(dev, family, bytes(ifr.data[2 : 2 + dev.addr_len]), None)
    elif cmd in (i.SIOCADDMULTI, i.SIOCDELMULTI):
        _change_multicast(dev, ifr, cmd)
    elif cmd == i.SIOCSIFHWBROADCAST:
        if int.from_bytes(ifr.data[:2], "little") != dev.type:
            raise KernelError(EINVAL)
        dev.broadcast = bytes(ifr.data[2 : 2 + min(14, dev.addr_len)])
        call_netdevice_notifiers(NETDEV_CHANGEADDR, dev)
    elif cmd == i.SIOCSIFTXQLEN:
        if ifr._int() < 0:
            raise KernelError(EINVAL)
        dev_change_tx_queue_len(dev, ifr._int())
    elif cmd == i.SIOCSIFNAME:
        newname = bytes(ifr.data[:15]).split(b"\0", 1)[0].decode("latin-1")
        dev_register.dev_change_name(dev, newname)
    elif i.SIOCDEVPRIVATE <= cmd <= i.SIOCDEVPRIVATE + 15:
        dev_siocdevprivate(dev, ifr, cmd)
    elif cmd in _ETH:
        dev_eth_ioctl(dev, ifr, cmd)
    elif cmd in (i.SIOCSIFMETRIC, i.SIOCSIFMAP, i.SIOCWANDEV, *_BOND, *_BOND_INFO):
        raise KernelError(EOPNOTSUPP)  # no device has registers to move, a line to set up or parts to bond
    else:
        raise KernelError(EINVAL)


def _change_multicast(dev: net_device, ifr: _ifreq, cmd: int) -> None:
    """SIOCADDMULTI, SIOCDELMULTI: a link address in sa_data of family AF_UNSPEC. EINVAL, ENODEV, ENOENT."""
    if dev.netdev_ops.ndo_set_rx_mode is None or int.from_bytes(ifr.data[:2], "little") != AF_UNSPEC:
        raise KernelError(EINVAL)
    if not netif_device_present(dev):
        raise KernelError(ENODEV)
    address = bytes(ifr.data[2 : 2 + dev.addr_len])
    (dev_mc_add if cmd == i.SIOCADDMULTI else dev_mc_del)(dev, address)


def dev_siocdevprivate(dev: net_device, ifr: _ifreq, cmd: int) -> None:
    """A request that only the driver knows. EOPNOTSUPP: it knows none; ENODEV."""
    if dev.netdev_ops.ndo_siocdevprivate is None:
        raise KernelError(EOPNOTSUPP)
    if not netif_device_present(dev):
        raise KernelError(ENODEV)
    dev.netdev_ops.ndo_siocdevprivate(dev, ifr, cmd)


def dev_eth_ioctl(dev: net_device, ifr: _ifreq, cmd: int) -> None:
    """A request about the transceiver or hardware time stamps. EOPNOTSUPP: the driver has none; ENODEV."""
    if dev.netdev_ops.ndo_eth_ioctl is None:
        raise KernelError(EOPNOTSUPP)
    if not netif_device_present(dev):
        raise KernelError(ENODEV)
    dev.netdev_ops.ndo_eth_ioctl(dev, ifr, cmd)


def _locked(net: net, ifr: _ifreq, cmd: int) -> None:
    dev_load(net, ifr.name)
    rtnl_lock(net.kernel)
    try:
        dev_ifsioc(net, ifr, cmd)
    finally:
        rtnl_unlock(net.kernel)


def dev_ioctl(net: net, cmd: int, ifr: _ifreq) -> bool:
    """An ioctl on a device by name; whether `ifr` is to be copied back. ENOTTY, ENODEV, EPERM, EINVAL …"""
    if cmd == i.SIOCGIFNAME:
        dev_ifname(net, ifr)
        return True
    ifr.name = ifr.name.split(":", 1)[0]
    current = net.kernel.current
    if cmd == i.SIOCGIFHWADDR:
        dev_load(net, ifr.name)
        kind, address = dev_get_mac_address(net, ifr.name)
        ifr._set("<H14s", kind, address)
        return True
    if cmd in _GET:
        dev_load(net, ifr.name)
        dev_ifsioc_locked(net, ifr, cmd)
        return True
    if cmd == i.SIOCETHTOOL:
        dev_load(net, ifr.name)
        width = 4 if in_compat_syscall(current) else 8
        ifr._result = dev_ethtool(net, ifr.name, int.from_bytes(ifr.data[:width], "little"))
        return True
    if cmd in (i.SIOCGMIIPHY, i.SIOCGMIIREG, i.SIOCSIFNAME):
        dev_load(net, ifr.name)
        if not ns_capable(current, net.user_ns, CAP_NET_ADMIN):
            raise KernelError(EPERM)
        _locked(net, ifr, cmd)
        return True
    if cmd in _SET_CAPABLE and not capable(current, CAP_NET_ADMIN):
        raise KernelError(EPERM)
    if cmd in _SET or cmd in _BOND_INFO:
        if cmd in _SET and not ns_capable(current, net.user_ns, CAP_NET_ADMIN):
            raise KernelError(EPERM)
        _locked(net, ifr, cmd)
        return False
    if cmd in (i.SIOCWANDEV, i.SIOCGHWTSTAMP) or i.SIOCDEVPRIVATE <= cmd <= i.SIOCDEVPRIVATE + 15:
        _locked(net, ifr, cmd)
        return True
    raise KernelError(ENOTTY)
