"""net/ethtool/ioctl.c: SIOCETHTOOL: what a device's driver and offloads are, and changing offloads."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from kshell.abi import ethtool as e
from kshell.abi.capability import CAP_NET_ADMIN
from kshell.abi.errno import EINVAL, ENODEV, EOPNOTSUPP, EPERM
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.errno import ETOOSMALL
from kshell.linux.include.linux.netdev_features import (
    NETIF_F_ALL_TSO,
    NETIF_F_FRAGLIST,
    NETIF_F_GRO,
    NETIF_F_GSO,
    NETIF_F_LLTX,
    NETIF_F_NETNS_LOCAL,
    NETIF_F_RXCSUM,
    NETIF_F_SCTP_CRC,
    NETIF_F_SG,
    NETIF_F_VLAN_CHALLENGED,
)
from kshell.linux.include.linux.netdevice import netif_carrier_ok, netif_device_present, netif_running
from kshell.linux.include.linux.uaccess import copy_from_user, copy_to_user
from kshell.linux.init.version import UTS_RELEASE
from kshell.linux.kernel.capability import ns_capable
from kshell.linux.net.core.dev import __dev_get_by_name
from kshell.linux.net.core.dev_features import NETIF_F_CSUM_MASK, __netdev_update_features, netdev_features_change
from kshell.linux.net.ethtool.common import netdev_features_strings

if TYPE_CHECKING:
    from kshell.linux.include.linux.netdevice import net_device
    from kshell.linux.include.linux.sched import task_struct
    from kshell.linux.include.net.net_namespace import net as net_t

ETHTOOL_GSSET_INFO: Final = 0x37
ETHTOOL_GET_TS_INFO: Final = 0x41
ETHTOOL_DEV_FEATURE_WORDS: Final = 2
ETHTOOL_F_UNSUPPORTED: Final = 1
ETHTOOL_F_WISH: Final = 2
NETIF_F_FCOE_CRC: Final = 1 << 35
NETIF_F_NEVER_CHANGE: Final = NETIF_F_VLAN_CHALLENGED | NETIF_F_LLTX | NETIF_F_NETNS_LOCAL
NETIF_F_ETHTOOL_BITS: Final = ((1 << 64) - 1) & ~NETIF_F_NEVER_CHANGE
_FLAGS: Final = {15: e.ETH_FLAG_LRO, 8: e.ETH_FLAG_RXVLAN, 7: e.ETH_FLAG_TXVLAN, 38: e.ETH_FLAG_NTUPLE,
                 39: e.ETH_FLAG_RXHASH}  # fmt: skip

_TXCSUM: Final = NETIF_F_CSUM_MASK | NETIF_F_FCOE_CRC | NETIF_F_SCTP_CRC
_SG: Final = NETIF_F_SG | NETIF_F_FRAGLIST
#: the old commands for one offload each: reading, setting
_GET_ONE: Final = {
    e.ETHTOOL_GTXCSUM: _TXCSUM, e.ETHTOOL_GRXCSUM: NETIF_F_RXCSUM, e.ETHTOOL_GSG: _SG,
    e.ETHTOOL_GTSO: NETIF_F_ALL_TSO, e.ETHTOOL_GGSO: NETIF_F_GSO, e.ETHTOOL_GGRO: NETIF_F_GRO,
}  # fmt: skip
_SET_ONE: Final = {
    e.ETHTOOL_STXCSUM: _TXCSUM, e.ETHTOOL_SRXCSUM: NETIF_F_RXCSUM, e.ETHTOOL_SSG: _SG,
    e.ETHTOOL_STSO: NETIF_F_ALL_TSO, e.ETHTOOL_SGSO: NETIF_F_GSO, e.ETHTOOL_SGRO: NETIF_F_GRO,
}  # fmt: skip
_FOR_ALL: Final = frozenset(
    {
        e.ETHTOOL_GSET, e.ETHTOOL_GDRVINFO, e.ETHTOOL_GMSGLVL, e.ETHTOOL_GLINK, e.ETHTOOL_GCOALESCE,
        e.ETHTOOL_GRINGPARAM, e.ETHTOOL_GPAUSEPARAM, ETHTOOL_GSSET_INFO, e.ETHTOOL_GSTRINGS, e.ETHTOOL_GSTATS,
        e.ETHTOOL_GPHYSTATS, e.ETHTOOL_GPERMADDR, e.ETHTOOL_GUFO, e.ETHTOOL_GFLAGS, e.ETHTOOL_GPFLAGS,
        e.ETHTOOL_GRXFH, e.ETHTOOL_GRXRINGS, e.ETHTOOL_GRXCLSRLCNT, e.ETHTOOL_GRXCLSRULE, e.ETHTOOL_GRXCLSRLALL,
        e.ETHTOOL_GRXFHINDIR, e.ETHTOOL_GRSSH, e.ETHTOOL_GFEATURES, e.ETHTOOL_GCHANNELS, ETHTOOL_GET_TS_INFO,
        e.ETHTOOL_GEEE, e.ETHTOOL_GTUNABLE, e.ETHTOOL_GLINKSETTINGS, e.ETHTOOL_GFECPARAM, *_GET_ONE,
    }
)  # fmt: skip


def _word(value: int, i: int) -> int:
    return value >> 32 * i & 0xFFFFFFFF


def ethtool_get_features(current: task_struct, dev: net_device, useraddr: int) -> int:
    """ETHTOOL_GFEATURES: which offloads there are, are wanted, work, and never change. EFAULT."""
    copy_size = struct.unpack("<I", copy_from_user(current, useraddr + 4, 4))[0]
    blocks = [
        struct.pack("<IIII", *(_word(v, i) for v in (dev.hw_features, dev.wanted_features, dev.features,
                                                      NETIF_F_NEVER_CHANGE)))
        for i in range(min(copy_size, ETHTOOL_DEV_FEATURE_WORDS))
    ]  # fmt: skip
    header = struct.pack("<II", e.ETHTOOL_GFEATURES, ETHTOOL_DEV_FEATURE_WORDS)
    copy_to_user(current, useraddr, header + b"".join(blocks))
    return 0


def ethtool_set_features(current: task_struct, dev: net_device, useraddr: int) -> int:
    """ETHTOOL_SFEATURES: ETHTOOL_F_* of what could not be done. EFAULT, EINVAL."""
    _, size = struct.unpack("<II", copy_from_user(current, useraddr, 8))
    if size != ETHTOOL_DEV_FEATURE_WORDS:
        raise KernelError(EINVAL)
    valid0, wanted0, valid1, wanted1 = struct.unpack("<IIII", copy_from_user(current, useraddr + 8, 16))
    valid, wanted = valid0 | valid1 << 32, wanted0 | wanted1 << 32
    if valid & ~NETIF_F_ETHTOOL_BITS:
        raise KernelError(EINVAL)
    ret = 0
    if valid & ~dev.hw_features:
        valid &= dev.hw_features
        ret |= ETHTOOL_F_UNSUPPORTED
    dev.wanted_features = dev.wanted_features & ~valid | wanted & valid
    __netdev_update_features(dev)
    if (dev.wanted_features ^ dev.features) & valid:
        ret |= ETHTOOL_F_WISH
    return ret


def _put_value(current: task_struct, useraddr: int, cmd: int, data: int) -> int:
    """struct ethtool_value."""
    copy_to_user(current, useraddr, struct.pack("<II", cmd, data))
    return 0


def ethtool_get_one_feature(current: task_struct, dev: net_device, useraddr: int, ethcmd: int) -> int:
    """One of the old commands: whether any of these offloads works."""
    return _put_value(current, useraddr, ethcmd, bool(dev.features & _GET_ONE[ethcmd]))


def ethtool_set_one_feature(current: task_struct, dev: net_device, useraddr: int, ethcmd: int) -> int:
    """One of the old commands: want these offloads or not. EOPNOTSUPP: they can't be changed; EFAULT."""
    _, data = struct.unpack("<II", copy_from_user(current, useraddr, 8))
    mask = _SET_ONE[ethcmd] & dev.hw_features
    if not mask:
        raise KernelError(EOPNOTSUPP)
    dev.wanted_features = dev.wanted_features | mask if data else dev.wanted_features & ~mask
    __netdev_update_features(dev)
    return 0


def __ethtool_get_flags(dev: net_device) -> int:
    """ETH_FLAG_*."""
    return sum(flag for bit, flag in _FLAGS.items() if dev.features >> bit & 1)


def __ethtool_get_sset_count(sset: int) -> int:
    """How many strings a set has. EOPNOTSUPP."""
    if sset == e.ETH_SS_FEATURES:
        return len(netdev_features_strings)
    raise KernelError(EOPNOTSUPP)


def ethtool_get_sset_info(current: task_struct, useraddr: int) -> int:
    """ETHTOOL_GSSET_INFO: how many strings each of the sets asked for has. EFAULT."""
    _, _, mask = struct.unpack("<IIQ", copy_from_user(current, useraddr, 16))
    if not mask:
        return 0
    known = mask & 1 << e.ETH_SS_FEATURES
    counts = [__ethtool_get_sset_count(e.ETH_SS_FEATURES)] if known else []
    copy_to_user(current, useraddr, struct.pack("<IIQ", ETHTOOL_GSSET_INFO, 0, known))
    copy_to_user(current, useraddr + 16, struct.pack(f"<{len(counts)}I", *counts))
    return 0


def ethtool_get_strings(current: task_struct, useraddr: int) -> int:
    """ETHTOOL_GSTRINGS: the strings of a set. EFAULT, EOPNOTSUPP."""
    _, string_set, length = struct.unpack("<III", copy_from_user(current, useraddr, 12))
    count = __ethtool_get_sset_count(string_set)
    count = 0 if length and length != count else count
    data = b"".join(name.encode().ljust(e.ETH_GSTRING_LEN, b"\0") for name in netdev_features_strings[:count])
    copy_to_user(current, useraddr, struct.pack("<III", e.ETHTOOL_GSTRINGS, string_set, count) + data)
    return 0


def ethtool_get_drvinfo(current: task_struct, dev: net_device, useraddr: int) -> int:
    """ETHTOOL_GDRVINFO: the driver's name. EOPNOTSUPP: it has none."""
    if dev.rtnl_link_ops is None:
        raise KernelError(EOPNOTSUPP)
    names = [(dev.rtnl_link_ops.kind, 32), (UTS_RELEASE, 32), ("", 32), ("", 32), ("", 32)]
    text = b"".join(name.encode()[: size - 1].ljust(size, b"\0") for name, size in names)
    copy_to_user(current, useraddr, struct.pack("<I", e.ETHTOOL_GDRVINFO) + text + bytes(12 + 5 * 4))
    return 0


def ethtool_get_perm_addr(current: task_struct, dev: net_device, useraddr: int) -> int:
    """ETHTOOL_GPERMADDR: the address the device was made with. EFAULT, ETOOSMALL."""
    cmd, size = struct.unpack("<II", copy_from_user(current, useraddr, 8))
    if size < dev.addr_len:
        raise KernelError(ETOOSMALL)
    copy_to_user(current, useraddr, struct.pack("<II", cmd, dev.addr_len) + dev.perm_addr[: dev.addr_len])
    return 0


def ethtool_op_get_link(dev: net_device) -> bool:
    """Whether the device has a link."""
    return netif_carrier_ok(dev)


def ethtool_get_link(current: task_struct, dev: net_device, useraddr: int) -> int:
    """ETHTOOL_GLINK."""
    return _put_value(current, useraddr, e.ETHTOOL_GLINK, netif_running(dev) and ethtool_op_get_link(dev))


def _command(current: task_struct, dev: net_device, useraddr: int, ethcmd: int) -> int:
    if ethcmd == e.ETHTOOL_GFEATURES:
        return ethtool_get_features(current, dev, useraddr)
    if ethcmd == e.ETHTOOL_SFEATURES:
        return ethtool_set_features(current, dev, useraddr)
    if ethcmd in _GET_ONE:
        return ethtool_get_one_feature(current, dev, useraddr, ethcmd)
    if ethcmd in _SET_ONE:
        return ethtool_set_one_feature(current, dev, useraddr, ethcmd)
    if ethcmd == e.ETHTOOL_GFLAGS:
        return _put_value(current, useraddr, ethcmd, __ethtool_get_flags(dev))
    if ethcmd == ETHTOOL_GSSET_INFO:
        return ethtool_get_sset_info(current, useraddr)
    if ethcmd == e.ETHTOOL_GSTRINGS:
        return ethtool_get_strings(current, useraddr)
    if ethcmd == e.ETHTOOL_GDRVINFO:
        return ethtool_get_drvinfo(current, dev, useraddr)
    if ethcmd == e.ETHTOOL_GLINK:
        return ethtool_get_link(current, dev, useraddr)
    if ethcmd == e.ETHTOOL_GPERMADDR:
        return ethtool_get_perm_addr(current, dev, useraddr)
    raise KernelError(EOPNOTSUPP)


def __dev_ethtool(net: net_t, name: str, useraddr: int, ethcmd: int) -> int:
    """One command on a device. ENODEV, EPERM, and the command's errors."""
    current = net.kernel.current
    dev = __dev_get_by_name(net, name)
    if dev is None:
        raise KernelError(ENODEV)
    if ethcmd not in _FOR_ALL and not ns_capable(current, net.user_ns, CAP_NET_ADMIN):
        raise KernelError(EPERM)
    if not netif_device_present(dev):
        raise KernelError(ENODEV)
    old_features = dev.features
    rc = _command(current, dev, useraddr, ethcmd)
    if dev.features != old_features:
        netdev_features_change(dev)
    return rc


def dev_ethtool(net: net_t, name: str, useraddr: int) -> int:
    """SIOCETHTOOL. EFAULT and what __dev_ethtool() raises."""
    ethcmd = int.from_bytes(copy_from_user(net.kernel.current, useraddr, 4), "little")
    return __dev_ethtool(net, name, useraddr, ethcmd)
