"""/proc/net/{dev,dev_mcast,ptype,softnet_stat,wireless} (net/core/net-procfs.c, net/wireless/wext-proc.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from kshell.abi.netdevice import ETH_P_ALL
from kshell.linux.fs.proc.generic import proc_create_seq_private, remove_proc_entry
from kshell.linux.fs.proc.proc_net import proc_create_net, seq_file_net
from kshell.linux.fs.seq_file import _seq_list_next_head, seq_list_start_head, seq_printf, seq_puts
from kshell.linux.include.linux.if_link import rtnl_link_stats64
from kshell.linux.include.linux.netdevice import net_device, packet_type
from kshell.linux.include.linux.seq_file import SEQ_START_TOKEN, seq_file, seq_operations
from kshell.linux.include.net.net_namespace import pernet_operations
from kshell.linux.net.core.dev import dev_get_stats
from kshell.linux.net.core.net_namespace import register_pernet_subsys

if TYPE_CHECKING:
    from kshell.linux.include.linux.netdevice import softnet_data
    from kshell.linux.include.net.net_namespace import net as net_t
    from kshell.linux.init.kernel import Kernel

DEV_TITLES = (
    "Inter-|   Receive                                                |  Transmit\n"
    " face |bytes    packets errs drop fifo frame compressed multicast"
    "|bytes    packets errs drop fifo colls carrier compressed\n"
)
WIRELESS_TITLES = (
    "Inter-| sta-|   Quality        |   Discarded packets               | Missed | WE\n"
    " face | tus | link level noise |  nwid  crypt   frag  retry   misc | beacon | 22\n"
)


def dev_seq_start(seq: seq_file, pos: list[int]) -> object:
    """The device at a position, or the titles."""
    return seq_list_start_head(seq_file_net(seq).dev_base_head, pos[0])


def dev_seq_next(seq: seq_file, v: object, pos: list[int]) -> object:
    """The next device."""
    return _seq_list_next_head(v, seq_file_net(seq).dev_base_head, pos)


def dev_seq_stop(seq: seq_file, v: object) -> None:
    """The end of a read."""


def dev_seq_printf_stats(seq: seq_file, dev: net_device) -> None:
    """A device's counters."""
    stats = dev_get_stats(dev, rtnl_link_stats64())
    frame = stats.rx_length_errors + stats.rx_over_errors + stats.rx_crc_errors + stats.rx_frame_errors
    carrier = (
        stats.tx_carrier_errors + stats.tx_aborted_errors + stats.tx_window_errors + stats.tx_heartbeat_errors
    )
    seq_printf(
        seq,
        f"{dev.name:>6}: {stats.rx_bytes:7} {stats.rx_packets:7} {stats.rx_errors:4} "
        f"{stats.rx_dropped + stats.rx_missed_errors:4} {stats.rx_fifo_errors:4} {frame:5} {stats.rx_compressed:10} "
        f"{stats.multicast:9} {stats.tx_bytes:8} {stats.tx_packets:7} {stats.tx_errors:4} {stats.tx_dropped:4} "
        f"{stats.tx_fifo_errors:4} {stats.collisions:5} {carrier:7} {stats.tx_compressed:10}\n",
    )


def dev_seq_show(seq: seq_file, v: object) -> None:
    """A line of /proc/net/dev."""
    if v is SEQ_START_TOKEN:
        seq_puts(seq, DEV_TITLES)
    else:
        dev_seq_printf_stats(seq, cast(net_device, v))


dev_seq_ops = seq_operations(start=dev_seq_start, next=dev_seq_next, stop=dev_seq_stop, show=dev_seq_show)


def softnet_seq_start(seq: seq_file, pos: list[int]) -> object:
    """The queue of the only processor."""
    return seq.file._kernel.softnet_data if pos[0] == 0 else None


def softnet_seq_next(seq: seq_file, v: object, pos: list[int]) -> object:
    """There is no other."""
    pos[0] += 1
    return None


def softnet_seq_stop(seq: seq_file, v: object) -> None:
    """The end of a read."""


def softnet_seq_show(seq: seq_file, v: object) -> None:
    """A line of /proc/net/softnet_stat."""
    sd = cast("softnet_data", v)
    backlog = sd.input_pkt_queue.qlen + sd.process_queue.qlen
    numbers = (sd.processed, sd.dropped, sd.time_squeeze, 0, 0, 0, 0, 0, 0, sd.received_rps, 0, backlog, seq.index)
    seq_printf(seq, " ".join(f"{number:08x}" for number in numbers) + "\n")


softnet_seq_ops = seq_operations(
    start=softnet_seq_start, next=softnet_seq_next, stop=softnet_seq_stop, show=softnet_seq_show
)


def _receivers(seq: seq_file) -> list[packet_type]:
    kernel = seq.file._kernel
    net = seq_file_net(seq)
    of_devices = [pt for dev in net.dev_base_head for pt in (*dev.ptype_all, *dev.ptype_specific)]
    of_types = [pt for _, group in sorted(kernel.ptype_base.items()) for pt in group]
    return [*of_devices, *kernel.ptype_all, *of_types]


def ptype_seq_start(seq: seq_file, pos: list[int]) -> object:
    """The receiver at a position, or the titles."""
    return seq_list_start_head(_receivers(seq), pos[0])


def ptype_seq_next(seq: seq_file, v: object, pos: list[int]) -> object:
    """The next receiver: those of single devices come first."""
    return _seq_list_next_head(v, _receivers(seq), pos)


def ptype_seq_stop(seq: seq_file, v: object) -> None:
    """The end of a read."""


def ptype_seq_show(seq: seq_file, v: object) -> None:
    """A line of /proc/net/ptype: link protocol, device, function."""
    if v is SEQ_START_TOKEN:
        seq_puts(seq, "Type Device      Function\n")
        return
    pt = cast(packet_type, v)
    if pt.af_packet_net is None or pt.af_packet_net is seq_file_net(seq):
        seq_puts(seq, "ALL " if pt.type == ETH_P_ALL else f"{pt.type:04x}")
        seq_printf(seq, f" {pt.dev.name if pt.dev is not None else '':<8} {pt.func.__name__}\n")


ptype_seq_ops = seq_operations(start=ptype_seq_start, next=ptype_seq_next, stop=ptype_seq_stop, show=ptype_seq_show)


def dev_mc_seq_show(seq: seq_file, v: object) -> None:
    """The multicast addresses that a device receives."""
    if v is SEQ_START_TOKEN:
        return
    dev = cast(net_device, v)
    for address, refcount in dev.mc.items():
        seq_printf(seq, f"{dev.ifindex:<4} {dev.name:<15} {refcount:<5} {0:<5} {address[: dev.addr_len].hex()}\n")


dev_mc_seq_ops = seq_operations(start=dev_seq_start, next=dev_seq_next, stop=dev_seq_stop, show=dev_mc_seq_show)


def wireless_dev_seq_show(seq: seq_file, v: object) -> None:
    """The titles: no device is wireless."""
    if v is SEQ_START_TOKEN:
        seq_puts(seq, WIRELESS_TITLES)


wireless_seq_ops = seq_operations(start=dev_seq_start, next=dev_seq_next, stop=dev_seq_stop, show=wireless_dev_seq_show)


def wext_proc_init(net: net_t) -> None:
    """Make /proc/net/wireless."""
    proc_create_net(net.kernel, "wireless", 0o444, net.proc_net, wireless_seq_ops)


def wext_proc_exit(net: net_t) -> None:
    """Take it away."""
    remove_proc_entry(net.kernel, "wireless", net.proc_net)


def dev_proc_net_init(net: net_t) -> None:
    """A namespace comes."""
    proc_create_net(net.kernel, "dev", 0o444, net.proc_net, dev_seq_ops)
    proc_create_seq_private(net.kernel, "softnet_stat", 0o444, net.proc_net, softnet_seq_ops, None, None)
    proc_create_net(net.kernel, "ptype", 0o444, net.proc_net, ptype_seq_ops)
    wext_proc_init(net)


def dev_proc_net_exit(net: net_t) -> None:
    """A namespace goes."""
    wext_proc_exit(net)
    for name in ("ptype", "softnet_stat", "dev"):
        remove_proc_entry(net.kernel, name, net.proc_net)


def dev_mc_net_init(net: net_t) -> None:
    """A namespace comes."""
    proc_create_net(net.kernel, "dev_mcast", 0, net.proc_net, dev_mc_seq_ops)


def dev_mc_net_exit(net: net_t) -> None:
    """A namespace goes."""
    remove_proc_entry(net.kernel, "dev_mcast", net.proc_net)


dev_proc_ops = pernet_operations(init=dev_proc_net_init, exit=dev_proc_net_exit)
dev_mc_net_ops = pernet_operations(init=dev_mc_net_init, exit=dev_mc_net_exit)


def dev_proc_init(kernel: Kernel) -> None:
    """Have every namespace get its files."""
    register_pernet_subsys(kernel, dev_proc_ops)
    register_pernet_subsys(kernel, dev_mc_net_ops)
