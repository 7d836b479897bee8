"""include/linux/netdevice.h: sending through a device: its queue's state, the link header, the room for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kshell.linux.include.linux.netdevice import net_device, netdev_queue
    from kshell.linux.include.linux.skbuff import sk_buff

HH_DATA_MOD = 16

# netdev_queue.state: bit numbers
QUEUE_STATE_DRV_XOFF = 0


def netif_tx_queue_stopped(txq: netdev_queue) -> bool:
    """True while the driver takes no packets."""
    return bool(txq.state & 1 << QUEUE_STATE_DRV_XOFF)


def netif_queue_stopped(dev: net_device) -> bool:
    """True while the driver takes no packets."""
    return bool(dev._tx.state & 1 << QUEUE_STATE_DRV_XOFF)


def netif_start_queue(dev: net_device) -> None:
    """The driver takes packets."""
    dev._tx.state &= ~(1 << QUEUE_STATE_DRV_XOFF)


def netif_stop_queue(dev: net_device) -> None:
    """The driver takes no more packets for now."""
    dev._tx.state |= 1 << QUEUE_STATE_DRV_XOFF


def dev_hard_header(
    skb: sk_buff, dev: net_device, type: int, daddr: bytes | None, saddr: bytes | None, length: int
) -> int:
    """Put a link header in front of the packet; its length, negative if the destination is still unknown."""
    ops = dev.header_ops
    return 0 if ops is None else ops.create(skb, dev, type, daddr, saddr, length)


def LL_RESERVED_SPACE(dev: net_device) -> int:
    """Head room to keep for the device's header."""
    return ((dev.hard_header_len + dev.needed_headroom) & ~(HH_DATA_MOD - 1)) + HH_DATA_MOD
