"""net/core/dev.c: offloads: which of those wanted a device can have together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kshell.linux.include.linux.netdev_features import (
    NETIF_F_ALL_TSO,
    NETIF_F_FRAGLIST,
    NETIF_F_GSO,
    NETIF_F_GSO_SOFTWARE,
    NETIF_F_HW_CSUM,
    NETIF_F_IP_CSUM,
    NETIF_F_LRO,
    NETIF_F_SG,
)
from kshell.linux.include.linux.netdevice import NETDEV_FEAT_CHANGE
from kshell.linux.net.core.dev import call_netdevice_notifiers

if TYPE_CHECKING:
    from kshell.linux.include.linux.netdevice import net_device

NETIF_F_IPV6_CSUM: Final = 1 << 4
NETIF_F_CSUM_MASK: Final = NETIF_F_IP_CSUM | NETIF_F_IPV6_CSUM | NETIF_F_HW_CSUM


def netdev_fix_features(dev: net_device, features: int) -> int:
    """What can't be without another offload is not."""
    if features & NETIF_F_ALL_TSO and not features & NETIF_F_SG:
        features &= ~NETIF_F_ALL_TSO
    if features & NETIF_F_GSO and not features & NETIF_F_SG:
        features &= ~NETIF_F_GSO
    if features & NETIF_F_SG and not features & NETIF_F_CSUM_MASK:
        features &= ~(NETIF_F_SG | NETIF_F_FRAGLIST | NETIF_F_GSO_SOFTWARE | NETIF_F_GSO)
    return features


def netdev_get_wanted_features(dev: net_device) -> int:
    """Offloads as they are where they can't be changed, as wanted where they can."""
    return dev.features & ~dev.hw_features | dev.wanted_features


def __netdev_update_features(dev: net_device) -> bool:
    """Switch offloads as wanted, as far as they go together; whether any changed."""
    features = netdev_fix_features(dev, netdev_get_wanted_features(dev))
    changed = features != dev.features
    dev.features = features
    return changed


def netdev_features_change(dev: net_device) -> None:
    """Tell all that offloads changed."""
    call_netdevice_notifiers(NETDEV_FEAT_CHANGE, dev)


def netdev_update_features(dev: net_device) -> None:
    """Switch offloads as wanted and tell all if any changed."""
    if __netdev_update_features(dev):
        netdev_features_change(dev)


def dev_disable_lro(dev: net_device) -> None:
    """What is received may be sent on: the device is not to merge it."""
    dev.wanted_features &= ~NETIF_F_LRO
    netdev_update_features(dev)
