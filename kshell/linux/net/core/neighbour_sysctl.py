"""net/core/neighbour.c: neigh/default and neigh/DEV of /proc/sys/net/ipv4."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from kshell.abi.socket import AF_INET6
from kshell.linux.include.linux.jiffies import msecs_to_jiffies
from kshell.linux.include.linux.sysctl import (
    SYSCTL_INT_MAX,
    SYSCTL_ZERO,
    Box,
    Pointer,
    ctl_table,
    data_field,
    proc_handler,
    table_copy,
)
from kshell.linux.include.net.neighbour import (
    NEIGH_VAR_ANYCAST_DELAY,
    NEIGH_VAR_APP_PROBES,
    NEIGH_VAR_BASE_REACHABLE_TIME,
    NEIGH_VAR_DELAY_PROBE_TIME,
    NEIGH_VAR_GC_STALETIME,
    NEIGH_VAR_INTERVAL_PROBE_TIME_MS,
    NEIGH_VAR_LOCKTIME,
    NEIGH_VAR_MCAST_PROBES,
    NEIGH_VAR_MCAST_REPROBES,
    NEIGH_VAR_PROXY_DELAY,
    NEIGH_VAR_PROXY_QLEN,
    NEIGH_VAR_QUEUE_LEN_BYTES,
    NEIGH_VAR_RETRANS_TIME,
    NEIGH_VAR_UCAST_PROBES,
    neigh_parms,
)
from kshell.linux.kernel.sysctl import (
    _with_data,
    proc_dointvec,
    proc_dointvec_jiffies,
    proc_dointvec_minmax,
    proc_dointvec_ms_jiffies,
    proc_dointvec_ms_jiffies_minmax,
    proc_dointvec_userhz_jiffies,
)
from kshell.linux.net.core.neighbour import neigh_rand_reach_time
from kshell.linux.net.sysctl_net import register_net_sysctl, unregister_net_sysctl_table

if TYPE_CHECKING:
    from kshell.linux.include.linux.netdevice import net_device
    from kshell.linux.include.net.net_namespace import net as net_t

ETH_FRAME_TRUESIZE = 2090
"""SKB_TRUESIZE(ETH_FRAME_LEN): 1514 bytes and the two structs."""


class _scaled:
    """A Pointer to bytes that is read and written as packets."""

    def __init__(self, data: Pointer) -> None:
        self.data = data

    def get(self) -> object:
        return cast(int, self.data.get()) // ETH_FRAME_TRUESIZE

    def set(self, value: object) -> None:
        self.data.set(cast(int, value) * ETH_FRAME_TRUESIZE)


def neigh_copy_dflt_parms(net: net_t, p: neigh_parms, index: int) -> None:
    """Devices whose own value was never set follow the default."""
    for dst_p in p.tbl.parms_list:
        if dst_p.dev is not None and dst_p.dev.nd_net is net and not dst_p.data_state >> index & 1:
            dst_p.data[index] = p.data[index]


def neigh_proc_update(ctl: ctl_table, write: int) -> None:
    """After a write: the value no longer follows the default; others may follow it."""
    if not write:
        return
    p = cast(neigh_parms, ctl.extra2)
    index = cast(int, cast(data_field, ctl.data).key)
    p.data_state |= 1 << index
    if ctl.extra1 is None:
        assert ctl._net is not None
        neigh_copy_dflt_parms(ctl._net, p, index)


def _bounded(ctl: ctl_table, least: int, most: int | None) -> ctl_table:
    tmp = ctl_table(ctl.procname, ctl.data, ctl.maxlen, ctl.mode, None, least, most)
    tmp._kernel = ctl._kernel
    return tmp


def neigh_proc_dointvec_zero_intmax(ctl: ctl_table, write: int, buffer: bytearray, lenp: Box, ppos: Box) -> None:
    """A number from 0 on."""
    proc_dointvec_minmax(_bounded(ctl, SYSCTL_ZERO, SYSCTL_INT_MAX), write, buffer, lenp, ppos)
    neigh_proc_update(ctl, write)


def neigh_proc_dointvec_ms_jiffies_positive(
    ctl: ctl_table, write: int, buffer: bytearray, lenp: Box, ppos: Box
) -> None:
    """Milliseconds, at least 1."""
    proc_dointvec_ms_jiffies_minmax(_bounded(ctl, msecs_to_jiffies(1), None), write, buffer, lenp, ppos)
    neigh_proc_update(ctl, write)


def neigh_proc_dointvec(ctl: ctl_table, write: int, buffer: bytearray, lenp: Box, ppos: Box) -> None:
    """A number."""
    proc_dointvec(ctl, write, buffer, lenp, ppos)
    neigh_proc_update(ctl, write)


def neigh_proc_dointvec_jiffies(ctl: ctl_table, write: int, buffer: bytearray, lenp: Box, ppos: Box) -> None:
    """Seconds."""
    proc_dointvec_jiffies(ctl, write, buffer, lenp, ppos)
    neigh_proc_update(ctl, write)


def neigh_proc_dointvec_userhz_jiffies(ctl: ctl_table, write: int, buffer: bytearray, lenp: Box, ppos: Box) -> None:
    """Hundredths of a second."""
    proc_dointvec_userhz_jiffies(ctl, write, buffer, lenp, ppos)
    neigh_proc_update(ctl, write)


def neigh_proc_dointvec_ms_jiffies(ctl: ctl_table, write: int, buffer: bytearray, lenp: Box, ppos: Box) -> None:
    """Milliseconds."""
    proc_dointvec_ms_jiffies(ctl, write, buffer, lenp, ppos)
    neigh_proc_update(ctl, write)


def proc_unres_qlen(ctl: ctl_table, write: int, buffer: bytearray, lenp: Box, ppos: Box) -> None:
    """Packets that may wait for an address; the kernel counts their bytes."""
    tmp = _bounded(ctl, SYSCTL_ZERO, SYSCTL_INT_MAX // ETH_FRAME_TRUESIZE)
    _with_data(proc_dointvec_minmax, tmp, _scaled(cast(Pointer, ctl.data)), write, buffer, lenp, ppos)


def neigh_proc_dointvec_unres_qlen(ctl: ctl_table, write: int, buffer: bytearray, lenp: Box, ppos: Box) -> None:
    """Packets that may wait for an address."""
    proc_unres_qlen(ctl, write, buffer, lenp, ppos)
    neigh_proc_update(ctl, write)


def neigh_proc_base_reachable_time(ctl: ctl_table, write: int, buffer: bytearray, lenp: Box, ppos: Box) -> None:
    """For how long an address counts as confirmed, about; it is drawn anew at once."""
    if ctl.procname == "base_reachable_time":
        neigh_proc_dointvec_jiffies(ctl, write, buffer, lenp, ppos)
    else:
        neigh_proc_dointvec_ms_jiffies(ctl, write, buffer, lenp, ppos)
    if write:
        p = cast(neigh_parms, ctl.extra2)
        p.reachable_time = neigh_rand_reach_time(ctl._kernel, p.data[NEIGH_VAR_BASE_REACHABLE_TIME])


neigh_vars = (
    ctl_table("mcast_solicit", NEIGH_VAR_MCAST_PROBES, 4, 0o644, neigh_proc_dointvec_zero_intmax),
    ctl_table("ucast_solicit", NEIGH_VAR_UCAST_PROBES, 4, 0o644, neigh_proc_dointvec_zero_intmax),
    ctl_table("app_solicit", NEIGH_VAR_APP_PROBES, 4, 0o644, neigh_proc_dointvec_zero_intmax),
    ctl_table("mcast_resolicit", NEIGH_VAR_MCAST_REPROBES, 4, 0o644, neigh_proc_dointvec_zero_intmax),
    ctl_table("retrans_time", NEIGH_VAR_RETRANS_TIME, 4, 0o644, neigh_proc_dointvec_userhz_jiffies),
    ctl_table("base_reachable_time", NEIGH_VAR_BASE_REACHABLE_TIME, 4, 0o644, neigh_proc_base_reachable_time),
    ctl_table("delay_first_probe_time", NEIGH_VAR_DELAY_PROBE_TIME, 4, 0o644, neigh_proc_dointvec_jiffies),
    ctl_table(
        "interval_probe_time_ms", NEIGH_VAR_INTERVAL_PROBE_TIME_MS, 4, 0o644, neigh_proc_dointvec_ms_jiffies_positive
    ),
    ctl_table("gc_stale_time", NEIGH_VAR_GC_STALETIME, 4, 0o644, neigh_proc_dointvec_jiffies),
    ctl_table("unres_qlen_bytes", NEIGH_VAR_QUEUE_LEN_BYTES, 4, 0o644, neigh_proc_dointvec_zero_intmax),
    ctl_table("proxy_qlen", NEIGH_VAR_PROXY_QLEN, 4, 0o644, neigh_proc_dointvec_zero_intmax),
    ctl_table("anycast_delay", NEIGH_VAR_ANYCAST_DELAY, 4, 0o644, neigh_proc_dointvec_userhz_jiffies),
    ctl_table("proxy_delay", NEIGH_VAR_PROXY_DELAY, 4, 0o644, neigh_proc_dointvec_userhz_jiffies),
    ctl_table("locktime", NEIGH_VAR_LOCKTIME, 4, 0o644, neigh_proc_dointvec_userhz_jiffies),
    ctl_table("unres_qlen", NEIGH_VAR_QUEUE_LEN_BYTES, 4, 0o644, neigh_proc_dointvec_unres_qlen),
    ctl_table("retrans_time_ms", NEIGH_VAR_RETRANS_TIME, 4, 0o644, neigh_proc_dointvec_ms_jiffies),
    ctl_table("base_reachable_time_ms", NEIGH_VAR_BASE_REACHABLE_TIME, 4, 0o644, neigh_proc_base_reachable_time),
)


def _table_vars(tbl: str) -> tuple[ctl_table, ...]:
    """The settings of a whole table."""
    counts = ("gc_thresh1", "gc_thresh2", "gc_thresh3")
    return (
        ctl_table("gc_interval", f"{tbl}.gc_interval", 4, 0o644, proc_dointvec_jiffies),
        *(ctl_table(n, f"{tbl}.{n}", 4, 0o644, proc_dointvec_minmax, SYSCTL_ZERO, SYSCTL_INT_MAX) for n in counts),
    )


neigh_sysctl_template = neigh_vars + _table_vars("arp_tbl")
_ADVERTISED = ("retrans_time", "retrans_time_ms", "base_reachable_time", "base_reachable_time_ms")


def _with_handler(table: tuple[ctl_table, ...], handler: proc_handler) -> tuple[ctl_table, ...]:
    """The table, with a handler of the protocol's own for what its routers may advertise."""
    return tuple(
        ctl_table(row.procname, row.data, row.maxlen, row.mode, handler) if row.procname in _ADVERTISED else row
        for row in table
    )


def neigh_sysctl_register(
    net: net_t, dev: net_device | None, p: neigh_parms, handler: proc_handler | None = None
) -> None:
    """Register neigh/DEV, or (dev None) neigh/default. handler: of what routers may advertise."""
    six = p.tbl.family == AF_INET6
    path = f"net/{'ipv6' if six else 'ipv4'}/neigh/{dev.name if dev is not None else 'default'}"
    table = neigh_vars if dev is not None else neigh_vars + _table_vars("nd_tbl") if six else neigh_sysctl_template
    if handler is not None:
        table = _with_handler(table, handler)
    p.sysctl_table = register_net_sysctl(net, path, table, table_copy(p.data, dev, p))


def neigh_sysctl_unregister(p: neigh_parms) -> None:
    """Take it away."""
    header, p.sysctl_table = p.sysctl_table, None
    unregister_net_sysctl_table(header)
