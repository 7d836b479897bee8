"""/proc/sys/kernel and /proc/sys/vm: what concerns the machine as a whole (kernel/sysctl.c, printk, drivers/char/random.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EINVAL
from kshell.abi.mman import FUTEX_TID_MASK
from kshell.linux.fs.proc.proc_sysctl_register import register_sysctl_base
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.jiffies import HZ
from kshell.linux.include.linux.sysctl import (
    SYSCTL_INT_MAX,
    SYSCTL_MAXOLDUID,
    SYSCTL_NEG_ONE,
    SYSCTL_ONE,
    SYSCTL_ONE_THOUSAND,
    SYSCTL_TWO,
    SYSCTL_TWO_HUNDRED,
    SYSCTL_ZERO,
    Box,
    ctl_table,
    data_local,
    initial,
)
from kshell.linux.kernel.sysctl import (
    _with_data,
    proc_dointvec,
    proc_dointvec_jiffies,
    proc_dointvec_minmax,
    proc_dostring,
    proc_doulongvec_minmax,
    proc_taint,
)
from kshell.linux.lib.uuid import _uuid_string, generate_random_uuid

if TYPE_CHECKING:
    from kshell.linux.init.kernel import Kernel

MIN_THREADS = 20
PID_MAX_MIN = 301
PID_MAX_LIMIT = 4194304
POOL_BITS = 256


def sysctl_max_threads(table: ctl_table, write: int, buffer: bytearray, lenp: Box, ppos: Box) -> None:
    """How many tasks there may be at once."""
    kernel = table._kernel
    threads = data_local(kernel.max_threads)
    tmp = ctl_table(table.procname, threads, 4, table.mode, proc_dointvec_minmax, SYSCTL_ONE, FUTEX_TID_MASK)
    tmp._kernel = kernel
    proc_dointvec_minmax(tmp, write, buffer, lenp, ppos)
    if write:
        kernel.max_threads = max(MIN_THREADS, int(str(threads.value)))


def proc_do_cad_pid(table: ctl_table, write: int, buffer: bytearray, lenp: Box, ppos: Box) -> None:
    """Who is told of Ctrl-Alt-Del: pid 1; nobody else can be."""
    pid = data_local(1)
    _with_data(proc_dointvec, table, pid, write, buffer, lenp, ppos)
    if write and pid.value != 1:
        raise KernelError(EINVAL)


def proc_do_uuid(table: ctl_table, write: int, buffer: bytearray, lenp: Box, ppos: Box) -> None:
    """A random UUID: that of this boot, or (uuid) another at each read."""
    kernel = table._kernel
    if table.procname == "uuid":
        text = _uuid_string(generate_random_uuid(kernel))
    else:
        kernel.sysctl_bootid = kernel.sysctl_bootid or _uuid_string(generate_random_uuid(kernel))
        text = kernel.sysctl_bootid
    _with_data(proc_dostring, table, data_local(text), write, buffer, lenp, ppos, 64)


def overcommit_policy_handler(table: ctl_table, write: int, buffer: bytearray, lenp: Box, ppos: Box) -> None:
    """Whether more memory may be promised than there is."""
    proc_dointvec_minmax(table, write, buffer, lenp, ppos)


def overcommit_ratio_handler(table: ctl_table, write: int, buffer: bytearray, lenp: Box, ppos: Box) -> None:
    """How much of it, in percent."""
    proc_dointvec(table, write, buffer, lenp, ppos)


random_table = (
    ctl_table("poolsize", initial(POOL_BITS), 4, 0o444, proc_dointvec),
    ctl_table("entropy_avail", initial(POOL_BITS), 4, 0o444, proc_dointvec),
    ctl_table("write_wakeup_threshold", initial(POOL_BITS), 4, 0o644, proc_dointvec),
    ctl_table("urandom_min_reseed_secs", initial(60), 4, 0o644, proc_dointvec),
    ctl_table("boot_id", None, 4, 0o444, proc_do_uuid),
    ctl_table("uuid", None, 4, 0o444, proc_do_uuid),
)

kern_table = (
    ctl_table("panic", initial(0), 4, 0o644, proc_dointvec),
    ctl_table("unprivileged_userns_clone", initial(1), 4, 0o644, proc_dointvec),
    ctl_table("tainted", None, 8, 0o644, proc_taint),
    ctl_table(
        "sysctl_writes_strict", "sysctl_writes_strict", 4, 0o644, proc_dointvec_minmax, SYSCTL_NEG_ONE, SYSCTL_ONE
    ),
    ctl_table("print-fatal-signals", initial(0), 4, 0o644, proc_dointvec),
    ctl_table("modprobe", "modprobe_path", 256, 0o644, proc_dostring),
    ctl_table("modules_disabled", "modules_disabled", 4, 0o644, proc_dointvec_minmax, SYSCTL_ONE, SYSCTL_ONE),
    ctl_table("cad_pid", None, 4, 0o600, proc_do_cad_pid),
    ctl_table("threads-max", None, 4, 0o644, sysctl_max_threads),
    ctl_table("overflowuid", initial(65534), 4, 0o644, proc_dointvec_minmax, SYSCTL_ZERO, SYSCTL_MAXOLDUID),
    ctl_table("overflowgid", initial(65534), 4, 0o644, proc_dointvec_minmax, SYSCTL_ZERO, SYSCTL_MAXOLDUID),
    ctl_table("pid_max", "pid_max", 4, 0o644, proc_dointvec_minmax, PID_MAX_MIN, PID_MAX_LIMIT),
    ctl_table("panic_on_oops", initial(0), 4, 0o644, proc_dointvec),
    ctl_table("panic_print", initial(0), 8, 0o644, proc_doulongvec_minmax),
    ctl_table("ngroups_max", initial(65536), 4, 0o444, proc_dointvec),
    ctl_table("cap_last_cap", initial(40), 4, 0o444, proc_dointvec),
    ctl_table("randomize_va_space", initial(2), 4, 0o644, proc_dointvec),
    ctl_table("panic_on_warn", initial(0), 4, 0o644, proc_dointvec_minmax, SYSCTL_ZERO, SYSCTL_ONE),
    ctl_table("ns_last_pid", "init_pid_ns.last_pid", 4, 0o666, proc_dointvec_minmax, SYSCTL_ZERO, PID_MAX_LIMIT),
    ctl_table("printk", initial((7, 4, 1, 7)), 16, 0o644, proc_dointvec),
    ctl_table("printk_ratelimit", initial(5 * HZ), 4, 0o644, proc_dointvec_jiffies),
    ctl_table("printk_ratelimit_burst", initial(10), 4, 0o644, proc_dointvec),
    ctl_table("dmesg_restrict", initial(1), 4, 0o644, proc_dointvec_minmax, SYSCTL_ZERO, SYSCTL_ONE),
    ctl_table("kptr_restrict", "kptr_restrict", 4, 0o644, proc_dointvec_minmax, SYSCTL_ZERO, SYSCTL_TWO),
    ctl_table("core_pattern", initial("core"), 128, 0o644, proc_dostring),
    ctl_table("core_uses_pid", initial(0), 4, 0o644, proc_dointvec),
    ctl_table("core_pipe_limit", initial(0), 4, 0o644, proc_dointvec),
    ctl_table("ctrl-alt-del", initial(1), 4, 0o644, proc_dointvec),
    ctl_table("poweroff_cmd", initial("/sbin/poweroff"), 256, 0o644, proc_dostring),
    ctl_table("random", child=random_table),
)

vm_table = (
    ctl_table("overcommit_memory", initial(0), 4, 0o644, overcommit_policy_handler, SYSCTL_ZERO, SYSCTL_TWO),
    ctl_table("overcommit_ratio", initial(50), 4, 0o644, overcommit_ratio_handler),
    ctl_table("page-cluster", initial(3), 4, 0o644, proc_dointvec_minmax, SYSCTL_ZERO),
    ctl_table("swappiness", initial(60), 4, 0o644, proc_dointvec_minmax, SYSCTL_ZERO, SYSCTL_TWO_HUNDRED),
    ctl_table("extfrag_threshold", initial(500), 4, 0o644, proc_dointvec_minmax, SYSCTL_ZERO, SYSCTL_ONE_THOUSAND),
    ctl_table("max_map_count", initial(65530), 4, 0o644, proc_dointvec_minmax, SYSCTL_ZERO),
    ctl_table("vfs_cache_pressure", initial(100), 4, 0o644, proc_dointvec_minmax, SYSCTL_ZERO),
    ctl_table("stat_interval", initial(250), 4, 0o644, proc_dointvec_jiffies),
    ctl_table("user_reserve_kbytes", initial(92216), 8, 0o644, proc_doulongvec_minmax),
    ctl_table("admin_reserve_kbytes", initial(8192), 8, 0o644, proc_doulongvec_minmax),
    ctl_table("watermark_boost_factor", initial(15000), 4, 0o644, proc_dointvec_minmax, SYSCTL_ZERO, SYSCTL_INT_MAX),
)


def sysctl_init_bases(kernel: Kernel) -> None:
    """The tables of kernel and vm."""
    register_sysctl_base(kernel, "kernel", kern_table)
    register_sysctl_base(kernel, "vm", vm_table)
