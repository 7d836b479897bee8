"""/proc/net/{igmp,mcfilter}: multicast groups that devices listen to (net/ipv4/igmp.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from kshell.abi.inet import MCAST_EXCLUDE, MCAST_INCLUDE
from kshell.linux.fs.proc.generic import remove_proc_entry
from kshell.linux.fs.proc.proc_net import proc_create_net, seq_file_net
from kshell.linux.fs.seq_file import _seq_list_next_head, seq_list_start_head, seq_printf, seq_puts
from kshell.linux.include.linux.igmp import ip_mc_list, ip_sf_list
from kshell.linux.include.linux.in_ import _be32
from kshell.linux.include.linux.jiffies import jiffies_delta_to_clock_t
from kshell.linux.include.linux.seq_file import SEQ_START_TOKEN, seq_file, seq_operations

if TYPE_CHECKING:
    from kshell.linux.include.linux.inetdevice import in_device
    from kshell.linux.include.net.net_namespace import net as net_t

Group = tuple["in_device", ip_mc_list]
Filter = tuple["in_device", ip_mc_list, ip_sf_list]


def _groups(seq: seq_file) -> list[Group]:
    found: list[Group] = []
    for dev in seq_file_net(seq).dev_base_head:
        im = dev.ip_ptr.mc_list if dev.ip_ptr is not None else None
        while im is not None:
            assert dev.ip_ptr is not None
            found.append((dev.ip_ptr, im))
            im = im.next_rcu
    return found


def igmp_mc_seq_start(seq: seq_file, pos: list[int]) -> object:
    """The group at a position, or the titles."""
    return seq_list_start_head(_groups(seq), pos[0])


def igmp_mc_seq_next(seq: seq_file, v: object, pos: list[int]) -> object:
    """The next group, device after device."""
    return _seq_list_next_head(v, _groups(seq), pos)


def igmp_mc_seq_stop(seq: seq_file, v: object) -> None:
    """The end of a read."""


def igmp_mc_seq_show(seq: seq_file, v: object) -> None:
    """A device's line before its first group, and the group's."""
    if v is SEQ_START_TOKEN:
        seq_puts(seq, "Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n")
        return
    in_dev, im = cast(Group, v)
    if in_dev.mc_list is im:
        assert in_dev.dev is not None
        querier = "V1" if in_dev.mr_v1_seen else "V2" if in_dev.mr_v2_seen else "V3"
        seq_printf(seq, f"{in_dev.dev.ifindex}\t{in_dev.dev.name:<10}: {in_dev.mc_count:5} {querier:>7}\n")
    left = 0
    if im.tm_running and im.timer is not None:
        left = jiffies_delta_to_clock_t(im.timer.expires - seq.file._kernel.jiffies)
    seq_printf(seq, f"\t\t\t\t{_be32(im.multiaddr):08X} {im.users:5} {im.tm_running}:{left:08X}\t\t{im.reporter}\n")


igmp_mc_seq_ops = seq_operations(
    start=igmp_mc_seq_start, next=igmp_mc_seq_next, stop=igmp_mc_seq_stop, show=igmp_mc_seq_show
)


def _filters(seq: seq_file) -> list[Filter]:
    return [(in_dev, im, psf) for in_dev, im in _groups(seq) for psf in im.sources]


def igmp_mcf_seq_start(seq: seq_file, pos: list[int]) -> object:
    """The source filter at a position, or the titles."""
    return seq_list_start_head(_filters(seq), pos[0])


def igmp_mcf_seq_next(seq: seq_file, v: object, pos: list[int]) -> object:
    """The next source filter."""
    return _seq_list_next_head(v, _filters(seq), pos)


def igmp_mcf_seq_stop(seq: seq_file, v: object) -> None:
    """The end of a read."""


def igmp_mcf_seq_show(seq: seq_file, v: object) -> None:
    """A source of a group, and how many sockets include and exclude it."""
    if v is SEQ_START_TOKEN:
        seq_puts(seq, "Idx Device        MCA        SRC    INC    EXC\n")
        return
    in_dev, im, psf = cast(Filter, v)
    assert in_dev.dev is not None
    include, exclude = psf.sf_count[MCAST_INCLUDE], psf.sf_count[MCAST_EXCLUDE]
    seq_printf(
        seq,
        f"{in_dev.dev.ifindex:3} {in_dev.dev.name:>6} 0x{im.multiaddr:08x} 0x{psf.sf_inaddr:08x} {include:6} {exclude:6}\n",
    )


igmp_mcf_seq_ops = seq_operations(
    start=igmp_mcf_seq_start, next=igmp_mcf_seq_next, stop=igmp_mcf_seq_stop, show=igmp_mcf_seq_show
)


def _proc_init(net: net_t) -> None:
    """The part of igmp_net_init() that makes the files."""
    proc_create_net(net.kernel, "igmp", 0o444, net.proc_net, igmp_mc_seq_ops)
    proc_create_net(net.kernel, "mcfilter", 0o444, net.proc_net, igmp_mcf_seq_ops)


def _proc_exit(net: net_t) -> None:
    for name in ("mcfilter", "igmp"):
        remove_proc_entry(net.kernel, name, net.proc_net)
