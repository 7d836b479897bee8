"""/sys/class/net/DEV (net/core/net-sysfs.c): the attributes of a device."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kshell.abi.capability import CAP_NET_ADMIN
from kshell.abi.errno import EINVAL, EOPNOTSUPP, EPERM, ERANGE
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.if_link import rtnl_link_stats64
from kshell.linux.include.linux.kernfs import attribute, attribute_group
from kshell.linux.include.linux.netdevice import NET_NAME_UNKNOWN, netif_carrier_ok, netif_running
from kshell.linux.kernel.capability import ns_capable
from kshell.linux.net.core import dev_settings
from kshell.linux.net.core.dev import dev_get_iflink, dev_get_stats
from kshell.linux.net.core.dev_flags import dev_change_flags, dev_set_mtu
from kshell.linux.net.core.rtnl_lock import rtnl_trylock, rtnl_unlock

if TYPE_CHECKING:
    from kshell.linux.include.linux.netdevice import net_device

operstates = ("unknown", "notpresent", "down", "lowerlayerdown", "testing", "dormant", "up")
Show = Callable[["net_device"], str]

fmt_dec = "{}\n"
fmt_hex = "{:#x}\n"


def kstrtoul(buf: str) -> int:
    """A number as C writes it: 10, 0x1f, 017; a line's end may follow. EINVAL, ERANGE (lib/kstrtox.c)."""
    text = buf.removesuffix("\n")
    octal = len(text) > 1 and text[0] == "0" and text[1:].isdigit()
    try:
        value = int(text, 8 if octal else 0)
    except ValueError:
        raise KernelError(EINVAL) from None
    if text[:1] not in "0123456789" or "_" in text:
        raise KernelError(EINVAL)
    if value >= 1 << 64:
        raise KernelError(ERANGE)
    return value


def netdev_store(dev: net_device, buf: str, set: Callable[[net_device, int], None]) -> None:
    """Take a number for a device. EPERM, EINVAL, and what `set` says."""
    kernel = dev.nd_net.kernel
    if not ns_capable(kernel.current, dev.nd_net.user_ns, CAP_NET_ADMIN):
        raise KernelError(EPERM)
    new = kstrtoul(buf)
    rtnl_trylock(kernel)
    try:
        set(dev, new)
    finally:
        rtnl_unlock(kernel)


def _field(name: str, format: str = fmt_dec) -> Show:
    """NETDEVICE_SHOW(): a field of the device as it is."""
    return lambda dev: format.format(getattr(dev, name))


def address_show(dev: net_device) -> str:
    """The link address."""
    return dev.dev_addr[: dev.addr_len].hex(":") + "\n"


def broadcast_show(dev: net_device) -> str:
    """The link address of all."""
    return dev.broadcast[: dev.addr_len].hex(":") + "\n"


def carrier_show(dev: net_device) -> str:
    """Whether there is a link. EINVAL: the device is down."""
    if not netif_running(dev):
        raise KernelError(EINVAL)
    return f"{int(netif_carrier_ok(dev))}\n"


def carrier_store(dev: net_device, buf: str) -> None:
    """Plug or unplug a device that can do so without a cable. EINVAL, EOPNOTSUPP."""
    if not netif_running(dev):
        raise KernelError(EINVAL)
    netdev_store(dev, buf, lambda dev, new: dev_settings.dev_change_carrier(dev, bool(new)))


def carrier_changes_show(dev: net_device) -> str:
    """How often the link came or went."""
    return f"{dev.carrier_up_count + dev.carrier_down_count}\n"


def dormant_show(dev: net_device) -> str:
    """Whether the device waits for an event: none does. EINVAL: it is down."""
    if not netif_running(dev):
        raise KernelError(EINVAL)
    return "0\n"


def testing_show(dev: net_device) -> str:
    """Whether the device tests itself: none does. EINVAL: it is down."""
    if not netif_running(dev):
        raise KernelError(EINVAL)
    return "0\n"


def speed_show(dev: net_device) -> str:
    """Megabits a second. EINVAL: the device has no such speed, or is down."""
    if not netif_running(dev) or dev._parent is None:
        raise KernelError(EINVAL)
    return "1000\n" if netif_carrier_ok(dev) else "-1\n"


def duplex_show(dev: net_device) -> str:
    """Whether both ends may send at once. EINVAL: the device knows no such thing, or is down."""
    if not netif_running(dev) or dev._parent is None:
        raise KernelError(EINVAL)
    return "full\n" if netif_carrier_ok(dev) else "unknown\n"


def change_mtu(dev: net_device, new_mtu: int) -> None:
    """Set the MTU. EINVAL."""
    dev_set_mtu(dev, new_mtu)


def mtu_store(dev: net_device, buf: str) -> None:
    """Set the MTU. EPERM, EINVAL."""
    netdev_store(dev, buf, change_mtu)


def change_flags(dev: net_device, new_flags: int) -> None:
    """Set IFF_*."""
    dev_change_flags(dev, new_flags)


def flags_store(dev: net_device, buf: str) -> None:
    """Set IFF_*. EPERM, EINVAL."""
    netdev_store(dev, buf, change_flags)


def tx_queue_len_store(dev: net_device, buf: str) -> None:
    """Set how many packets may wait. EPERM, EINVAL, ERANGE."""
    netdev_store(dev, buf, dev_settings.dev_change_tx_queue_len)


def group_store(dev: net_device, buf: str) -> None:
    """Set the group. EPERM, EINVAL."""
    netdev_store(dev, buf, dev_settings.dev_set_group)


def ifalias_show(dev: net_device) -> str:
    """A text about the device, if it was given one."""
    return f"{dev.ifalias}\n" if dev.ifalias else ""


def ifalias_store(dev: net_device, buf: str) -> None:
    """Give the device a text. EPERM, EINVAL: it is too long."""
    if not ns_capable(dev.nd_net.kernel.current, dev.nd_net.user_ns, CAP_NET_ADMIN):
        raise KernelError(EPERM)
    dev_settings.dev_set_alias(dev, buf.removesuffix("\n").encode("latin-1"))


def iflink_show(dev: net_device) -> str:
    """The number of the device below or opposite."""
    return f"{dev_get_iflink(dev)}\n"


def name_assign_type_show(dev: net_device) -> str:
    """Who named the device. EINVAL: that is not known."""
    if dev.name_assign_type == NET_NAME_UNKNOWN:
        raise KernelError(EINVAL)
    return f"{dev.name_assign_type}\n"


def operstate_show(dev: net_device) -> str:
    """The state, in a word."""
    return f"{operstates[dev.operstate] if netif_running(dev) else 'down'}\n"


def _phys_port_show(dev: net_device) -> str:
    """Ports of switches in hardware. EOPNOTSUPP."""
    raise KernelError(EOPNOTSUPP)


def uevent_show(dev: net_device) -> str:
    """What is told about the device when it comes."""
    return f"INTERFACE={dev.name}\nIFINDEX={dev.ifindex}\n"


def _constant(text: str) -> Show:
    return lambda dev: f"{text}\n"


net_class_group = attribute_group((
    attribute("addr_assign_type", _field("addr_assign_type")), attribute("addr_len", _field("addr_len")),
    attribute("address", address_show), attribute("broadcast", broadcast_show),
    attribute("carrier", carrier_show, carrier_store), attribute("carrier_changes", carrier_changes_show),
    attribute("carrier_down_count", _field("carrier_down_count")),
    attribute("carrier_up_count", _field("carrier_up_count")), attribute("dev_id", _field("dev_id", fmt_hex)),
    attribute("dev_port", _field("dev_port")), attribute("dormant", dormant_show), attribute("duplex", duplex_show),
    attribute("flags", _field("flags", fmt_hex), flags_store), attribute("ifalias", ifalias_show, ifalias_store),
    attribute("ifindex", _field("ifindex")), attribute("iflink", iflink_show),
    attribute("link_mode", _field("link_mode")), attribute("mtu", _field("mtu"), mtu_store),
    attribute("name_assign_type", name_assign_type_show), attribute("netdev_group", _field("group"), group_store),
    attribute("operstate", operstate_show), attribute("phys_port_id", _phys_port_show),
    attribute("phys_port_name", _phys_port_show), attribute("phys_switch_id", _phys_port_show),
    attribute("proto_down", lambda dev: f"{int(dev.proto_down)}\n", mode=0o644),
    attribute("gro_flush_timeout", _constant("0"), mode=0o644),
    attribute("napi_defer_hard_irqs", _constant("0"), mode=0o644), attribute("threaded", _constant("0"), mode=0o644),
    attribute("speed", speed_show), attribute("testing", testing_show),
    attribute("tx_queue_len", _field("tx_queue_len"), tx_queue_len_store), attribute("type", _field("type")),
    attribute("uevent", uevent_show, mode=0o644),
))  # fmt: skip


def _statistic(name: str) -> Show:
    """netstat_show(): one counter."""
    return lambda dev: f"{getattr(dev_get_stats(dev, rtnl_link_stats64()), name)}\n"


NETSTATS = (
    "collisions", "multicast", "rx_bytes", "rx_compressed", "rx_crc_errors", "rx_dropped", "rx_errors",
    "rx_fifo_errors", "rx_frame_errors", "rx_length_errors", "rx_missed_errors", "rx_nohandler", "rx_over_errors",
    "rx_packets", "tx_aborted_errors", "tx_bytes", "tx_carrier_errors", "tx_compressed", "tx_dropped", "tx_errors",
    "tx_fifo_errors", "tx_heartbeat_errors", "tx_packets", "tx_window_errors",
)  # fmt: skip
netstat_group = attribute_group(tuple(attribute(name, _statistic(name)) for name in NETSTATS), "statistics")
net_dev_groups = (net_class_group, netstat_group)
