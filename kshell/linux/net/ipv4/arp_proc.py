"""/proc/net/arp and /proc/net/stat/arp_cache (net/ipv4/arp.c, net/core/neighbour.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from kshell.abi.neighbour import NUD_NOARP, NUD_PERMANENT
from kshell.abi.netdevice import ATF_COM, ATF_PERM, ATF_PUBL
from kshell.linux.fs.proc.generic import proc_create_seq_private, remove_proc_entry
from kshell.linux.fs.proc.proc_net import proc_create_net, seq_file_net
from kshell.linux.fs.seq_file import _seq_list_next_head, seq_list_start_head, seq_printf, seq_puts
from kshell.linux.include.linux.seq_file import SEQ_START_TOKEN, seq_file, seq_net_private, seq_operations
from kshell.linux.include.net.neighbour import NUD_VALID, neigh_table, neighbour, pneigh_entry
from kshell.linux.include.net.net_namespace import pernet_operations
from kshell.linux.lib.vsprintf import ip4_addr_string

if TYPE_CHECKING:
    from kshell.linux.include.net.net_namespace import net as net_t
    from kshell.linux.init.kernel import Kernel

STAT_TITLES = (
    "entries  allocs   destroys hash_grows lookups  hits     res_failed rcv_probes_mcast rcv_probes_ucast "
    "periodic_gc_runs forced_gc_runs unresolved_discards table_fulls\n"
)


class neigh_seq_state(seq_net_private):
    """A reader of a table of neighbours: which table, and what is left out."""

    tbl: neigh_table


def _state(seq: seq_file) -> neigh_seq_state:
    return cast(neigh_seq_state, seq.private)


def _neighbours(seq: seq_file) -> list[neighbour | pneigh_entry]:
    """The neighbours, then those we answer for."""
    net, tbl = seq_file_net(seq), _state(seq).tbl
    known = [n for n in tbl.nht.values() if n.dev.nd_net is net and n.nud_state & ~NUD_NOARP]
    return [*known, *(n for n in tbl.phash_buckets if n.net is net)]


def neigh_get_first(seq: seq_file) -> object:
    """The first neighbour that was asked for."""
    return next(iter(_neighbours(seq)), None)


def neigh_seq_start(seq: seq_file, pos: list[int], tbl: neigh_table) -> object:
    """The neighbour at a position, or the titles."""
    _state(seq).tbl = tbl
    return seq_list_start_head(_neighbours(seq), pos[0]) if pos[0] else SEQ_START_TOKEN


def neigh_seq_next(seq: seq_file, v: object, pos: list[int]) -> object:
    """The next neighbour."""
    if v is SEQ_START_TOKEN:
        pos[0] += 1
        return neigh_get_first(seq)
    return _seq_list_next_head(v, _neighbours(seq), pos)


def neigh_seq_stop(seq: seq_file, v: object) -> None:
    """The end of a read."""


def arp_state_to_flags(neigh: neighbour) -> int:
    """ATF_xxx of a neighbour's state."""
    if neigh.nud_state & NUD_PERMANENT:
        return ATF_PERM | ATF_COM
    return ATF_COM if neigh.nud_state & NUD_VALID else 0


def arp_format_neigh_entry(seq: seq_file, n: neighbour) -> None:
    """A neighbour's line."""
    address = ip4_addr_string(n.primary_key)
    hardware = n.ha[: n.dev.addr_len].hex(":")
    seq_printf(
        seq,
        f"{address:<16} 0x{n.dev.type:<10x}0x{arp_state_to_flags(n):<10x}{hardware:<17}     *        {n.dev.name}\n",
    )


def arp_format_pneigh_entry(seq: seq_file, n: pneigh_entry) -> None:
    """The line of an address we answer for."""
    kind, name = (n.dev.type, n.dev.name) if n.dev is not None else (0, "*")
    flags = ATF_PUBL | ATF_PERM
    seq_printf(seq, f"{ip4_addr_string(n.key):<16} 0x{kind:<10x}0x{flags:<10x}00:00:00:00:00:00     *        {name}\n")


def arp_seq_show(seq: seq_file, v: object) -> None:
    """A line of /proc/net/arp."""
    if v is SEQ_START_TOKEN:
        seq_puts(seq, "IP address       HW type     Flags       HW address            Mask     Device\n")
    elif isinstance(v, pneigh_entry):
        arp_format_pneigh_entry(seq, v)
    else:
        arp_format_neigh_entry(seq, cast(neighbour, v))


def arp_seq_start(seq: seq_file, pos: list[int]) -> object:
    """The neighbour at a position, or the titles."""
    return neigh_seq_start(seq, pos, seq.file._kernel.arp_tbl)


arp_seq_ops = seq_operations(start=arp_seq_start, next=neigh_seq_next, stop=neigh_seq_stop, show=arp_seq_show)


def arp_net_init(net: net_t) -> None:
    """A namespace comes."""
    proc_create_net(net.kernel, "arp", 0o444, net.proc_net, arp_seq_ops, neigh_seq_state)


def arp_net_exit(net: net_t) -> None:
    """A namespace goes."""
    remove_proc_entry(net.kernel, "arp", net.proc_net)


arp_net_ops = pernet_operations(init=arp_net_init, exit=arp_net_exit)


def neigh_stat_seq_start(seq: seq_file, pos: list[int]) -> object:
    """The table's counts, or the titles."""
    return seq_list_start_head((seq.file._kernel.arp_tbl,), pos[0])


def neigh_stat_seq_next(seq: seq_file, v: object, pos: list[int]) -> object:
    """There is one processor."""
    return _seq_list_next_head(v, (seq.file._kernel.arp_tbl,), pos)


def neigh_stat_seq_stop(seq: seq_file, v: object) -> None:
    """The end of a read."""


def neigh_stat_seq_show(seq: seq_file, v: object) -> None:
    """How many neighbours there are, and what happened to them; a dict's growth is not counted."""
    if v is SEQ_START_TOKEN:
        seq_puts(seq, STAT_TITLES)
        return
    tbl = cast(neigh_table, v)
    st = tbl.stats
    seq_printf(
        seq,
        f"{tbl.entries:08x} {st.allocs:08x} {st.destroys:08x} {st.hash_grows:08x}   "
        f"{st.lookups:08x} {st.hits:08x} {st.res_failed:08x}   "
        f"{st.rcv_probes_mcast:08x}         {st.rcv_probes_ucast:08x}         {st.periodic_gc_runs:08x}         "
        f"{st.forced_gc_runs:08x}       {st.unres_discards:08x}            {st.table_fulls:08x}\n",
    )


neigh_stat_seq_ops = seq_operations(
    start=neigh_stat_seq_start, next=neigh_stat_seq_next, stop=neigh_stat_seq_stop, show=neigh_stat_seq_show
)


def _neigh_stat_init(kernel: Kernel) -> None:
    """The part of neigh_table_init() that makes /proc/net/stat/arp_cache."""
    proc_create_seq_private(kernel, kernel.arp_tbl.id, 0, kernel.init_net.proc_net_stat, neigh_stat_seq_ops, None, None)
