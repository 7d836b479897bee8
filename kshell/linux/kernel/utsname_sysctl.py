"""Names of the system as settings: kernel.hostname and its like (kernel/utsname_sysctl.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from kshell.linux.fs.proc.proc_sysctl_notify import proc_sys_poll_notify
from kshell.linux.fs.proc.proc_sysctl_register import register_sysctl
from kshell.linux.include.linux.sysctl import Box, ctl_table, ctl_table_poll, data_field
from kshell.linux.include.linux.wait import wait_queue_head
from kshell.linux.kernel.sysctl import _with_data, proc_dostring

if TYPE_CHECKING:
    from kshell.linux.init.kernel import Kernel

UTS_PROC_HOSTNAME = "hostname_poll"
UTS_PROC_DOMAINNAME = "domainname_poll"


def get_uts(table: ctl_table) -> data_field:
    """The name in current's namespace."""
    return data_field(table._kernel.current.nsproxy.uts_ns.name, cast(data_field, table.data).key)


def proc_do_uts_string(table: ctl_table, write: int, buffer: bytearray, lenp: Box, ppos: Box) -> None:
    """A name of the system, as current's namespace has it."""
    _with_data(proc_dostring, table, get_uts(table), write, buffer, lenp, ppos)
    if write and table.poll is not None:
        uts_proc_notify(table._kernel, table.poll)


def uts_proc_notify(kernel: Kernel, proc: str) -> None:
    """Tell who polls the file that the name has changed."""
    proc_sys_poll_notify(getattr(kernel, proc))


uts_kern_table = (
    ctl_table("arch", "init_uts_ns.name.machine", 65, 0o444, proc_do_uts_string),
    ctl_table("ostype", "init_uts_ns.name.sysname", 65, 0o444, proc_do_uts_string),
    ctl_table("osrelease", "init_uts_ns.name.release", 65, 0o444, proc_do_uts_string),
    ctl_table("version", "init_uts_ns.name.version", 65, 0o444, proc_do_uts_string),
    ctl_table("hostname", "init_uts_ns.name.nodename", 65, 0o644, proc_do_uts_string, poll=UTS_PROC_HOSTNAME),
    ctl_table("domainname", "init_uts_ns.name.domainname", 65, 0o644, proc_do_uts_string, poll=UTS_PROC_DOMAINNAME),
)


def utsname_sysctl_init(kernel: Kernel) -> None:
    """Initcall: the names below /proc/sys/kernel."""
    kernel.hostname_poll = ctl_table_poll(wait_queue_head())
    kernel.domainname_poll = ctl_table_poll(wait_queue_head())
    register_sysctl(kernel, "kernel", uts_kern_table)
