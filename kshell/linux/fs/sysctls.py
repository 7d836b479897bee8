"""/proc/sys/fs (fs/sysctls.c and the tables of the files of fs/); each file registers its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EINVAL
from kshell.linux.fs.proc.proc_sysctl_register import register_sysctl_init
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.mm_types import PAGE_SIZE
from kshell.linux.include.linux.sysctl import (
    SYSCTL_INT_MAX,
    SYSCTL_LONG_MAX,
    SYSCTL_LONG_ZERO,
    SYSCTL_MAXOLDUID,
    SYSCTL_ONE,
    SYSCTL_TWO,
    SYSCTL_ZERO,
    Box,
    ctl_table,
    data_local,
    initial,
)
from kshell.linux.kernel.sysctl import (
    _with_data,
    do_proc_douintvec,
    proc_dointvec,
    proc_dointvec_minmax,
    proc_douintvec_minmax,
    proc_doulongvec_minmax,
)

if TYPE_CHECKING:
    from kshell.linux.init.kernel import Kernel

NR_OPEN_MIN = 64
NR_OPEN_MAX = 0x7FFFFFC0
PIPE_MAX = 1 << 31


def proc_nr_files(table: ctl_table, write: int, buffer: bytearray, lenp: Box, ppos: Box) -> None:
    """Open files, free ones, and how many there may be."""
    stat = table._kernel.files_stat
    numbers = data_local([stat.nr_files, stat.nr_free_files, stat.max_files])
    _with_data(proc_doulongvec_minmax, table, numbers, write, buffer, lenp, ppos)


def proc_nr_dentry(table: ctl_table, write: int, buffer: bytearray, lenp: Box, ppos: Box) -> None:
    """Directory entries: all, unused, age limit, wanted back, names that do not exist, 0."""
    kernel = table._kernel
    cached = kernel.dentry_hashtable.values()
    unused = [each for each in cached if not each.d_lockref]
    negative = sum(each.d_inode is None for each in unused)
    numbers = data_local([kernel.dentry_cache._inuse, len(unused), 45, 0, negative, 0])
    _with_data(proc_doulongvec_minmax, table, numbers, write, buffer, lenp, ppos)


def proc_nr_inodes(table: ctl_table, write: int, buffer: bytearray, lenp: Box, ppos: Box) -> None:
    """Inodes: all, unused (none is kept without use)."""
    numbers = data_local([table._kernel.nr_inodes, 0, 0, 0, 0, 0, 0])
    _with_data(proc_doulongvec_minmax, table, numbers, write, buffer, lenp, ppos)


def do_proc_dopipe_max_size_conv(value: int, write: int, data: object) -> int:
    """Bytes of a pipe, rounded up to a power of two. EINVAL: over 2 GiB."""
    if not write:
        return value
    if value > PIPE_MAX:
        raise KernelError(EINVAL)
    return 1 << (max(value, PAGE_SIZE) - 1).bit_length()


def proc_dopipe_max_size(table: ctl_table, write: int, buffer: bytearray, lenp: Box, ppos: Box) -> None:
    """The size up to which an unprivileged user may grow a pipe."""
    do_proc_douintvec(table, write, buffer, lenp, ppos, do_proc_dopipe_max_size_conv, None)


def proc_dointvec_minmax_coredump(table: ctl_table, write: int, buffer: bytearray, lenp: Box, ppos: Box) -> None:
    """Whether programs that change their user may dump core: none does here."""
    proc_dointvec_minmax(table, write, buffer, lenp, ppos)


fs_dcache_sysctls = (ctl_table("dentry-state", None, 48, 0o444, proc_nr_dentry),)
inodes_sysctls = (
    ctl_table("inode-nr", None, 16, 0o444, proc_nr_inodes),
    ctl_table("inode-state", None, 56, 0o444, proc_nr_inodes),
)
fs_stat_sysctls = (
    ctl_table("file-nr", None, 24, 0o444, proc_nr_files),
    ctl_table(
        "file-max", "files_stat.max_files", 8, 0o644, proc_doulongvec_minmax, SYSCTL_LONG_ZERO, SYSCTL_LONG_MAX
    ),
    ctl_table("nr_open", "sysctl_nr_open", 4, 0o644, proc_douintvec_minmax, NR_OPEN_MIN, NR_OPEN_MAX),
)
fs_exec_sysctls = (
    ctl_table("suid_dumpable", initial(0), 4, 0o644, proc_dointvec_minmax_coredump, SYSCTL_ZERO, SYSCTL_TWO),
)
namei_sysctls = (
    ctl_table("protected_symlinks", "sysctl_protected_symlinks", 4, 0o644, proc_dointvec_minmax, SYSCTL_ZERO, SYSCTL_ONE),
    ctl_table("protected_hardlinks", "sysctl_protected_hardlinks", 4, 0o644, proc_dointvec_minmax, SYSCTL_ZERO, SYSCTL_ONE),
    ctl_table("protected_fifos", "sysctl_protected_fifos", 4, 0o644, proc_dointvec_minmax, SYSCTL_ZERO, SYSCTL_TWO),
    ctl_table("protected_regular", "sysctl_protected_regular", 4, 0o644, proc_dointvec_minmax, SYSCTL_ZERO, SYSCTL_TWO),
)
locks_sysctls = (
    ctl_table("leases-enable", initial(1), 4, 0o644, proc_dointvec),
    ctl_table("lease-break-time", initial(45), 4, 0o644, proc_dointvec),
)
fs_namespace_sysctls = (ctl_table("mount-max", "sysctl_mount_max", 4, 0o644, proc_dointvec_minmax, SYSCTL_ONE),)
fs_shared_sysctls = (
    ctl_table("overflowuid", initial(65534), 4, 0o644, proc_dointvec_minmax, SYSCTL_ZERO, SYSCTL_MAXOLDUID),
    ctl_table("overflowgid", initial(65534), 4, 0o644, proc_dointvec_minmax, SYSCTL_ZERO, SYSCTL_MAXOLDUID),
)
fs_pipe_sysctls = (
    ctl_table("pipe-max-size", "pipe_max_size", 4, 0o644, proc_dopipe_max_size),
    ctl_table("pipe-user-pages-hard", "pipe_user_pages_hard", 8, 0o644, proc_doulongvec_minmax),
    ctl_table("pipe-user-pages-soft", "pipe_user_pages_soft", 8, 0o644, proc_doulongvec_minmax),
)
epoll_table = (
    ctl_table("max_user_watches", "max_user_watches", 8, 0o644, proc_doulongvec_minmax, 0, SYSCTL_INT_MAX << 32 | 0xFFFFFFFF),
)


def init_fs_sysctls(kernel: Kernel) -> None:
    """Initcall: what no single file of fs/ owns."""
    register_sysctl_init(kernel, "fs", fs_shared_sysctls)


def init_fs_dcache_sysctls(kernel: Kernel) -> None:
    """Initcall: fs/dcache.c."""
    register_sysctl_init(kernel, "fs", fs_dcache_sysctls)


def init_fs_inode_sysctls(kernel: Kernel) -> None:
    """Initcall: fs/inode.c."""
    register_sysctl_init(kernel, "fs", inodes_sysctls)


def init_fs_stat_sysctls(kernel: Kernel) -> None:
    """Initcall: fs/file_table.c."""
    register_sysctl_init(kernel, "fs", fs_stat_sysctls)


def init_fs_exec_sysctls(kernel: Kernel) -> None:
    """Initcall: fs/exec.c."""
    register_sysctl_init(kernel, "fs", fs_exec_sysctls)


def init_fs_namei_sysctls(kernel: Kernel) -> None:
    """Initcall: fs/namei.c."""
    register_sysctl_init(kernel, "fs", namei_sysctls)


def init_fs_locks_sysctls(kernel: Kernel) -> None:
    """Initcall: fs/locks.c."""
    register_sysctl_init(kernel, "fs", locks_sysctls)


def init_fs_namespace_sysctls(kernel: Kernel) -> None:
    """Initcall: fs/namespace.c."""
    register_sysctl_init(kernel, "fs", fs_namespace_sysctls)
