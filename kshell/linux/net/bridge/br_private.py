"""net/bridge/br_private.h: bridges, their ports, and what they know of addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kshell.linux.include.linux.jiffies import HZ

if TYPE_CHECKING:
    from kshell.linux.include.linux.netdevice import net_device
    from kshell.linux.include.linux.workqueue import delayed_work
    from kshell.linux.init.kernel import Kernel

BR_STATE_DISABLED: Final = 0
BR_STATE_LISTENING: Final = 1
BR_STATE_LEARNING: Final = 2
BR_STATE_FORWARDING: Final = 3
BR_STATE_BLOCKING: Final = 4
BR_STATE_NAMES: Final = ("disabled", "listening", "learning", "forwarding", "blocking")
BR_MAX_PORTS: Final = 1 << 10
BR_NO_STP: Final = 0
BR_DEFAULT_AGEING_TIME: Final = 300 * HZ


class net_bridge_fdb_entry:
    """An address and the port behind which it was seen (None: the bridge itself); updated, used: ticks."""

    __slots__ = ("addr", "dst", "is_local", "is_static", "updated", "used")

    def __init__(self, addr: bytes, dst: net_bridge_port | None, now: int, local: bool = False) -> None:
        self.addr = addr
        self.dst = dst
        self.updated = self.used = now
        self.is_local = self.is_static = local


class net_bridge_port:
    """A device that belongs to a bridge."""

    __slots__ = ("br", "dev", "port_no", "state")

    def __init__(self, br: net_bridge, dev: net_device, port_no: int) -> None:
        self.br = br
        self.dev = dev
        self.port_no = port_no
        self.state = BR_STATE_BLOCKING


class net_bridge:
    """A bridge; netdev_priv() of its device."""

    __slots__ = ("ageing_time", "dev", "fdb", "gc_work", "group_fwd_mask", "port_list", "stp_enabled")

    def __init__(self, dev: net_device) -> None:
        self.dev = dev
        self.port_list: list[net_bridge_port] = []
        self.fdb: dict[bytes, net_bridge_fdb_entry] = {}
        self.ageing_time = BR_DEFAULT_AGEING_TIME
        self.stp_enabled = BR_NO_STP
        self.group_fwd_mask = 0
        self.gc_work: delayed_work | None = None


def _kernel(br: net_bridge) -> Kernel:
    return br.dev.nd_net.kernel


def _br(dev: net_device) -> net_bridge:
    """netdev_priv() of a bridge's device."""
    br = dev._priv
    assert isinstance(br, net_bridge)
    return br


def br_port_get_rcu(dev: net_device) -> net_bridge_port:
    """The port that a device is known to be."""
    p = dev.rx_handler_data
    assert isinstance(p, net_bridge_port)
    return p


def br_port_get_rtnl(dev: net_device) -> net_bridge_port | None:
    """The port that a device is, if it is one."""
    p = dev.rx_handler_data
    return p if isinstance(p, net_bridge_port) else None
