"""/proc/net/rt_cache (net/ipv4/route.c): the titles of the table that Linux 3.6 took away."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from kshell.linux.fs.proc.generic import proc_create_seq, remove_proc_entry
from kshell.linux.fs.seq_file import _seq_list_next_head, seq_list_start_head, seq_printf, seq_puts
from kshell.linux.include.linux.seq_file import SEQ_START_TOKEN, seq_file, seq_operations
from kshell.linux.include.net.net_namespace import pernet_operations
from kshell.linux.include.net.rtable import rt_cache_stat
from kshell.linux.net.core.net_namespace import register_pernet_subsys

if TYPE_CHECKING:
    from kshell.linux.include.net.net_namespace import net as net_t
    from kshell.linux.init.kernel import Kernel

TITLES = (
    "Iface\tDestination\tGateway \tFlags\t\tRefCnt\tUse\tMetric\tSource\t\tMTU\tWindow\tIRTT\tTOS\tHHRef\tHHUptod\tSpecDst"
)


def rt_cache_seq_start(seq: seq_file, pos: list[int]) -> object:
    """The titles."""
    return None if pos[0] else SEQ_START_TOKEN


def rt_cache_seq_next(seq: seq_file, v: object, pos: list[int]) -> object:
    """Nothing comes after them."""
    pos[0] += 1
    return None


def rt_cache_seq_stop(seq: seq_file, v: object) -> None:
    """The end of a read."""


def rt_cache_seq_show(seq: seq_file, v: object) -> None:
    """The titles."""
    seq_printf(seq, f"{TITLES:<127}\n")


rt_cache_seq_ops = seq_operations(
    start=rt_cache_seq_start, next=rt_cache_seq_next, stop=rt_cache_seq_stop, show=rt_cache_seq_show
)


STAT_TITLES = (
    "entries  in_hit   in_slow_tot in_slow_mc in_no_route in_brd   in_martian_dst in_martian_src out_hit  out_slow_tot "
    "out_slow_mc gc_total gc_ignored gc_goal_miss gc_dst_overflow in_hlist_search out_hlist_search\n"
)


def rt_cpu_seq_start(seq: seq_file, pos: list[int]) -> object:
    """The counts of the one processor, or the titles."""
    return seq_list_start_head((seq.file._kernel.rt_cache_stat,), pos[0])


def rt_cpu_seq_next(seq: seq_file, v: object, pos: list[int]) -> object:
    """The counts come after the titles."""
    return _seq_list_next_head(v, (seq.file._kernel.rt_cache_stat,), pos)


def rt_cpu_seq_stop(seq: seq_file, v: object) -> None:
    """The end of a read."""


def rt_cpu_seq_show(seq: seq_file, v: object) -> None:
    """How many routes there are and what they were made for; what Linux 3.6 took away is 0."""
    if v is SEQ_START_TOKEN:
        seq_puts(seq, STAT_TITLES)
        return
    st = cast(rt_cache_stat, v)
    entries = seq.file._kernel.ipv4_dst_cachep._inuse
    seq_printf(
        seq,
        f"{entries:08x} {0:08x} {st.in_slow_tot:08x}    {st.in_slow_mc:08x}   {st.in_no_route:08x}    {st.in_brd:08x} "
        f"{st.in_martian_dst:08x}       {st.in_martian_src:08x}       {0:08x} {st.out_slow_tot:08x}     "
        f"{st.out_slow_mc:08x}    {0:08x} {0:08x}   {0:08x}     {0:08x}        {0:08x}        {0:08x}\n",
    )


rt_cpu_seq_ops = seq_operations(
    start=rt_cpu_seq_start, next=rt_cpu_seq_next, stop=rt_cpu_seq_stop, show=rt_cpu_seq_show
)


def ip_rt_do_proc_init(net: net_t) -> None:
    """A namespace comes."""
    proc_create_seq(net.kernel, "rt_cache", 0o444, net.proc_net, rt_cache_seq_ops)
    proc_create_seq(net.kernel, "rt_cache", 0o444, net.proc_net_stat, rt_cpu_seq_ops)


def ip_rt_do_proc_exit(net: net_t) -> None:
    """A namespace goes."""
    remove_proc_entry(net.kernel, "rt_cache", net.proc_net_stat)
    remove_proc_entry(net.kernel, "rt_cache", net.proc_net)


ip_rt_proc_ops = pernet_operations(init=ip_rt_do_proc_init, exit=ip_rt_do_proc_exit)


def ip_rt_proc_init(kernel: Kernel) -> None:
    """Have every namespace get its file."""
    register_pernet_subsys(kernel, ip_rt_proc_ops)
