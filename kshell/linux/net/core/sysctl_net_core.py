"""net/core/sysctl_net_core.c: /proc/sys/net/core. The values are attributes of Kernel and of net.core."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from kshell.abi.capability import CAP_SYS_ADMIN
from kshell.abi.errno import EPERM
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.jiffies import HZ
from kshell.linux.include.linux.skbuff import MAX_SKB_FRAGS
from kshell.linux.include.linux.sysctl import (
    SYSCTL_LONG_ONE,
    SYSCTL_ONE,
    SYSCTL_THREE,
    SYSCTL_TWO,
    SYSCTL_ZERO,
    Box,
    Pointer,
    ctl_table,
    data_local,
    initial,
)
from kshell.linux.include.net.net_namespace import pernet_operations
from kshell.linux.include.net.sock import SOCK_MIN_RCVBUF, SOCK_MIN_SNDBUF
from kshell.linux.kernel.capability import capable
from kshell.linux.kernel.sysctl import (
    _with_data,
    proc_dointvec,
    proc_dointvec_jiffies,
    proc_dointvec_minmax,
    proc_dostring,
    proc_dou8vec_minmax,
    proc_doulongvec_minmax,
)
from kshell.linux.net.core.net_namespace import register_pernet_subsys
from kshell.linux.net.sched import sch_api
from kshell.linux.net.sysctl_net import register_net_sysctl, unregister_net_sysctl_table

if TYPE_CHECKING:
    from kshell.linux.include.net.net_namespace import net
    from kshell.linux.init.kernel import Kernel

BPF_JIT_LIMIT_MAX = 528482304
USER_TICK_USEC = 10000
RSS_KEY = ":".join(["00"] * 52)


def set_default_qdisc(table: ctl_table, write: int, buffer: bytearray, lenp: Box, ppos: Box) -> None:
    """The queueing of new devices. ENOENT: it is not known."""
    name = data_local(sch_api.qdisc_get_default(table._kernel))
    _with_data(proc_dostring, table, name, write, buffer, lenp, ppos)
    if write:
        sch_api.qdisc_set_default(table._kernel, str(name.value))


def proc_do_dev_weight(table: ctl_table, write: int, buffer: bytearray, lenp: Box, ppos: Box) -> None:
    """Packets that one poll of the processor's queue takes in."""
    proc_dointvec_minmax(table, write, buffer, lenp, ppos)
    if write:
        kernel = table._kernel
        kernel.softnet_data.backlog.weight = kernel.weight_p * kernel.dev_weight_rx_bias


def proc_do_rss_key(table: ctl_table, write: int, buffer: bytearray, lenp: Box, ppos: Box) -> None:
    """The key by which packets are spread over processors: none, as nobody asked for it."""
    _with_data(proc_dostring, table, cast(Pointer, table.data), write, buffer, lenp, ppos, len(RSS_KEY) + 1)


def rps_sock_flow_sysctl(table: ctl_table, write: int, buffer: bytearray, lenp: Box, ppos: Box) -> None:
    """Entries of the table that steers flows to processors."""
    proc_dointvec(table, write, buffer, lenp, ppos)


def flow_limit_cpu_sysctl(table: ctl_table, write: int, buffer: bytearray, lenp: Box, ppos: Box) -> None:
    """Processors that limit single flows, as a bitmap in hex."""
    _with_data(proc_dostring, table, cast(Pointer, table.data), write, buffer, lenp, ppos, 8)


def flow_limit_table_len_sysctl(table: ctl_table, write: int, buffer: bytearray, lenp: Box, ppos: Box) -> None:
    """Size of the table for that."""
    proc_dointvec(table, write, buffer, lenp, ppos)


def proc_dointvec_minmax_bpf_enable(table: ctl_table, write: int, buffer: bytearray, lenp: Box, ppos: Box) -> None:
    """Whether filters are compiled. EPERM."""
    if write and not capable(table._kernel.current, CAP_SYS_ADMIN):
        raise KernelError(EPERM)
    proc_dointvec_minmax(table, write, buffer, lenp, ppos)


def proc_dointvec_minmax_bpf_restricted(table: ctl_table, write: int, buffer: bytearray, lenp: Box, ppos: Box) -> None:
    """What only CAP_SYS_ADMIN may know. EPERM."""
    if not capable(table._kernel.current, CAP_SYS_ADMIN):
        raise KernelError(EPERM)
    proc_dointvec_minmax(table, write, buffer, lenp, ppos)


def proc_dolongvec_minmax_bpf_restricted(table: ctl_table, write: int, buffer: bytearray, lenp: Box, ppos: Box) -> None:
    """As before, of type long. EPERM."""
    if not capable(table._kernel.current, CAP_SYS_ADMIN):
        raise KernelError(EPERM)
    proc_doulongvec_minmax(table, write, buffer, lenp, ppos)


def proc_do_static_key(table: ctl_table, write: int, buffer: bytearray, lenp: Box, ppos: Box) -> None:
    """A switch in the code."""
    proc_dointvec_minmax(table, write, buffer, lenp, ppos)


net_core_table = (
    ctl_table("wmem_max", "sysctl_wmem_max", 4, 0o644, proc_dointvec_minmax, SOCK_MIN_SNDBUF),
    ctl_table("rmem_max", "sysctl_rmem_max", 4, 0o644, proc_dointvec_minmax, SOCK_MIN_RCVBUF),
    ctl_table("wmem_default", "sysctl_wmem_default", 4, 0o644, proc_dointvec_minmax, SOCK_MIN_SNDBUF),
    ctl_table("rmem_default", "sysctl_rmem_default", 4, 0o644, proc_dointvec_minmax, SOCK_MIN_RCVBUF),
    ctl_table("mem_pcpu_rsv", initial(256), 4, 0o644, proc_dointvec_minmax, SYSCTL_ONE),
    ctl_table("dev_weight", "weight_p", 4, 0o644, proc_do_dev_weight, SYSCTL_ONE),
    ctl_table("dev_weight_rx_bias", "dev_weight_rx_bias", 4, 0o644, proc_do_dev_weight, SYSCTL_ONE),
    ctl_table("dev_weight_tx_bias", "dev_weight_tx_bias", 4, 0o644, proc_do_dev_weight, SYSCTL_ONE),
    ctl_table("netdev_max_backlog", "netdev_max_backlog", 4, 0o644, proc_dointvec),
    ctl_table("netdev_rss_key", initial(RSS_KEY), 4, 0o444, proc_do_rss_key),
    ctl_table("bpf_jit_enable", initial(1), 4, 0o644, proc_dointvec_minmax_bpf_enable, SYSCTL_ZERO, SYSCTL_TWO),
    ctl_table("bpf_jit_harden", initial(0), 4, 0o600, proc_dointvec_minmax_bpf_restricted, SYSCTL_ZERO, SYSCTL_TWO),
    ctl_table("bpf_jit_kallsyms", initial(1), 4, 0o600, proc_dointvec_minmax_bpf_restricted, SYSCTL_ZERO, SYSCTL_ONE),
    ctl_table(
        "bpf_jit_limit", initial(BPF_JIT_LIMIT_MAX), 8, 0o600, proc_dolongvec_minmax_bpf_restricted,
        SYSCTL_LONG_ONE, BPF_JIT_LIMIT_MAX,
    ),
    ctl_table("netdev_tstamp_prequeue", initial(1), 4, 0o644, proc_dointvec),
    ctl_table("message_cost", initial(5 * HZ), 4, 0o644, proc_dointvec_jiffies),
    ctl_table("message_burst", initial(10), 4, 0o644, proc_dointvec),
    ctl_table("optmem_max", "sysctl_optmem_max", 4, 0o644, proc_dointvec),
    ctl_table("tstamp_allow_data", "sysctl_tstamp_allow_data", 4, 0o644, proc_dointvec_minmax, SYSCTL_ZERO, SYSCTL_ONE),
    ctl_table("rps_sock_flow_entries", initial(0), 4, 0o644, rps_sock_flow_sysctl),
    ctl_table("flow_limit_cpu_bitmap", initial("0"), 0, 0o644, flow_limit_cpu_sysctl),
    ctl_table("flow_limit_table_len", initial(4096), 4, 0o644, flow_limit_table_len_sysctl),
    ctl_table("busy_poll", initial(0), 4, 0o644, proc_dointvec_minmax, SYSCTL_ZERO),
    ctl_table("busy_read", "sysctl_net_busy_read", 4, 0o644, proc_dointvec_minmax, SYSCTL_ZERO),
    ctl_table("default_qdisc", None, 16, 0o644, set_default_qdisc),
    ctl_table("netdev_budget", "netdev_budget", 4, 0o644, proc_dointvec),
    ctl_table("warnings", initial(0), 4, 0o644, proc_dointvec),
    ctl_table("max_skb_frags", initial(MAX_SKB_FRAGS), 4, 0o644, proc_dointvec_minmax, SYSCTL_ONE, MAX_SKB_FRAGS),
    ctl_table("netdev_budget_usecs", initial(8000), 4, 0o644, proc_dointvec_minmax, USER_TICK_USEC * 4 // 10),
    ctl_table("fb_tunnels_only_for_init_net", initial(0), 4, 0o644, proc_dointvec_minmax, SYSCTL_ZERO, SYSCTL_TWO),
    ctl_table(
        "devconf_inherit_init_net", "sysctl_devconf_inherit_init_net", 4, 0o644, proc_dointvec_minmax,
        SYSCTL_ZERO, SYSCTL_THREE,
    ),
    ctl_table("high_order_alloc_disable", initial(0), 16, 0o644, proc_do_static_key, SYSCTL_ZERO, SYSCTL_ONE),
    ctl_table("gro_normal_batch", initial(8), 4, 0o644, proc_dointvec_minmax, SYSCTL_ONE),
    ctl_table("netdev_unregister_timeout_secs", initial(10), 4, 0o644, proc_dointvec_minmax, SYSCTL_ONE, 3600),
    ctl_table("skb_defer_max", initial(64), 4, 0o644, proc_dointvec_minmax, SYSCTL_ZERO),
)  # fmt: skip

netns_core_table = (
    ctl_table("somaxconn", "init_net.core.sysctl_somaxconn", 4, 0o644, proc_dointvec_minmax, SYSCTL_ZERO),
    ctl_table("txrehash", "init_net.core.sysctl_txrehash", 1, 0o644, proc_dou8vec_minmax, SYSCTL_ZERO, SYSCTL_ONE),
)


def sysctl_core_net_init(net: net) -> None:
    """A namespace comes, with settings of its own."""
    net.core.sysctl_hdr = register_net_sysctl(net, "net/core", netns_core_table)


def sysctl_core_net_exit(net: net) -> None:
    """A namespace goes."""
    unregister_net_sysctl_table(net.core.sysctl_hdr)


sysctl_core_ops = pernet_operations(init=sysctl_core_net_init, exit=sysctl_core_net_exit)


def sysctl_core_init(kernel: Kernel) -> None:
    """Initcall: /proc/sys/net/core."""
    register_net_sysctl(kernel.init_net, "net/core", net_core_table)
    register_pernet_subsys(kernel, sysctl_core_ops)
