"""The registered initcalls, in link order within each level (include/linux/init.h, vmlinux.lds).

The order is that of Debian 12's 6.1 kernel. What is not here does nothing the model would show.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from kshell.abi.record import Record
from kshell.linux.drivers.base.core import ksysfs_init, param_sysfs_init
from kshell.linux.drivers.char.mem import chr_dev_init
from kshell.linux.fs.anon_inodes import anon_inode_init
from kshell.linux.fs.eventpoll_calls import eventpoll_init
from kshell.linux.fs.fcntl import fcntl_init
from kshell.linux.fs.filesystems_proc import proc_filesystems_init
from kshell.linux.fs.pipe import init_pipe_fs
from kshell.linux.fs.proc.machine import (
    proc_cmdline_init,
    proc_cpuinfo_init,
    proc_devices_init,
    proc_loadavg_init,
    proc_meminfo_init,
    proc_modules_init,
    proc_softirqs_init,
    proc_stat_init,
    proc_uptime_init,
    proc_version_init,
    slab_proc_init,
)
from kshell.linux.fs.sysctls import (
    init_fs_dcache_sysctls,
    init_fs_exec_sysctls,
    init_fs_inode_sysctls,
    init_fs_locks_sysctls,
    init_fs_namei_sysctls,
    init_fs_namespace_sysctls,
    init_fs_stat_sysctls,
    init_fs_sysctls,
)
from kshell.linux.init.initramfs import populate_rootfs
from kshell.linux.kernel.kallsyms import kallsyms_init
from kshell.linux.kernel.user import uid_cache_init
from kshell.linux.kernel.utsname_sysctl import utsname_sysctl_init
from kshell.linux.net.core.dev_init import net_dev_init
from kshell.linux.net.core.fib_rules import fib_rules_init
from kshell.linux.net.core.neighbour_rtnl import neigh_init
from kshell.linux.net.core.net_namespace import net_defaults_init
from kshell.linux.net.core.sock_diag_init import sock_diag_init
from kshell.linux.net.core.sock_proto import net_inuse_init
from kshell.linux.net.core.sock_proto_proc import pktsched_init, proto_init
from kshell.linux.net.core.sysctl_net_core import sysctl_core_init
from kshell.linux.net.ipv4.af_inet_init import inet_init
from kshell.linux.net.ipv4.sysctl_net_ipv4_init import sysctl_ipv4_init
from kshell.linux.net.ipv4.tcp_cong import tcp_congestion_default
from kshell.linux.net.ipv4.tcp_cubic import cubictcp_register
from kshell.linux.net.ipv6.af_inet6 import inet6_init
from kshell.linux.net.netlink.af_netlink import netlink_proto_init
from kshell.linux.net.netlink.genetlink import genl_init
from kshell.linux.net.netlink.netlink_users import audit_init, cn_init, kobject_uevent_init, selnl_init
from kshell.linux.net.packet.af_packet import packet_init
from kshell.linux.net.socket import sock_init
from kshell.linux.net.unix.af_unix import af_unix_init

if TYPE_CHECKING:
    from kshell.linux.init.kernel import Kernel

LEVELS: Final = ("early", "pure", "core", "postcore", "arch", "subsys", "fs", "rootfs", "device", "late")


class Initcall(Record):
    """One registered function and the level of its registration (core_initcall, fs_initcall, …)."""

    level: str
    function: Callable[[Kernel], None]


INITCALLS: Final[tuple[Initcall, ...]] = (
    Initcall("early", init_fs_inode_sysctls),
    Initcall("early", init_fs_locks_sysctls),
    Initcall("early", init_fs_sysctls),
    Initcall("core", ksysfs_init),
    Initcall("core", sock_init),
    Initcall("core", net_inuse_init),
    Initcall("core", net_defaults_init),
    Initcall("core", netlink_proto_init),
    Initcall("core", genl_init),
    Initcall("postcore", audit_init),
    Initcall("postcore", kobject_uevent_init),
    Initcall("subsys", uid_cache_init),
    Initcall("subsys", param_sysfs_init),
    Initcall("subsys", cn_init),
    Initcall("subsys", proto_init),
    Initcall("subsys", net_dev_init),
    Initcall("subsys", neigh_init),
    Initcall("subsys", pktsched_init),
    Initcall("subsys", fib_rules_init),
    Initcall("fs", init_fs_stat_sysctls),
    Initcall("fs", init_fs_exec_sysctls),
    Initcall("fs", init_pipe_fs),
    Initcall("fs", init_fs_namei_sysctls),
    Initcall("fs", init_fs_dcache_sysctls),
    Initcall("fs", init_fs_namespace_sysctls),
    Initcall("fs", eventpoll_init),
    Initcall("fs", anon_inode_init),
    Initcall("fs", proc_cmdline_init),
    Initcall("fs", proc_cpuinfo_init),
    Initcall("fs", proc_devices_init),
    Initcall("fs", proc_loadavg_init),
    Initcall("fs", proc_meminfo_init),
    Initcall("fs", proc_stat_init),
    Initcall("fs", proc_uptime_init),
    Initcall("fs", proc_version_init),
    Initcall("fs", proc_softirqs_init),
    Initcall("fs", chr_dev_init),
    Initcall("fs", sysctl_core_init),
    Initcall("fs", inet_init),
    Initcall("fs", af_unix_init),
    Initcall("rootfs", populate_rootfs),
    Initcall("device", fcntl_init),
    Initcall("device", proc_modules_init),
    Initcall("device", kallsyms_init),
    Initcall("device", proc_filesystems_init),
    Initcall("device", utsname_sysctl_init),
    Initcall("device", slab_proc_init),
    Initcall("device", selnl_init),
    Initcall("device", sock_diag_init),
    Initcall("device", sysctl_ipv4_init),
    Initcall("device", cubictcp_register),
    Initcall("device", inet6_init),
    Initcall("device", packet_init),
    Initcall("late", tcp_congestion_default),
)
