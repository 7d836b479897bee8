"""/proc/net/rt_cache (net/ipv4/route.c): the titles of the table that Linux 3.6 took away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.linux.fs.proc.generic import proc_create_seq, remove_proc_entry
from kshell.linux.fs.seq_file import seq_printf
from kshell.linux.include.linux.seq_file import SEQ_START_TOKEN, seq_file, seq_operations
from kshell.linux.include.net.net_namespace import pernet_operations
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


def ip_rt_do_proc_init(net: net_t) -> None:
    """A namespace comes."""
    proc_create_seq(net.kernel, "rt_cache", 0o444, net.proc_net, rt_cache_seq_ops)


def ip_rt_do_proc_exit(net: net_t) -> None:
    """A namespace goes."""
    remove_proc_entry(net.kernel, "rt_cache", net.proc_net)


ip_rt_proc_ops = pernet_operations(init=ip_rt_do_proc_init, exit=ip_rt_do_proc_exit)


def ip_rt_proc_init(kernel: Kernel) -> None:
    """Have every namespace get its file."""
    register_pernet_subsys(kernel, ip_rt_proc_ops)
