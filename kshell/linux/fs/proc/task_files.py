"""Texts about a task: limits, maps, mounts, mountinfo (fs/proc/base.c, task_mmu.c, fs/proc_namespace.c)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from kshell.abi.errno import EINVAL, ENOENT
from kshell.abi.resource import RLIM_INFINITY
from kshell.linux.fs.proc_namespace import show_mountinfo, show_vfsmnt
from kshell.linux.fs.seq_file import seq_printf, seq_putc, seq_puts, seq_setwidth
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.mm_types import VM_EXEC, VM_READ, VM_SHARED, VM_WRITE

if TYPE_CHECKING:
    from kshell.linux.include.linux.mm_types import vm_area_struct
    from kshell.linux.include.linux.mount import mount
    from kshell.linux.include.linux.sched import task_struct
    from kshell.linux.include.linux.seq_file import seq_file

lnames = (
    ("Max cpu time", "seconds"), ("Max file size", "bytes"), ("Max data size", "bytes"), ("Max stack size", "bytes"),
    ("Max core file size", "bytes"), ("Max resident set", "bytes"), ("Max processes", "processes"),
    ("Max open files", "files"), ("Max locked memory", "bytes"), ("Max address space", "bytes"),
    ("Max file locks", "locks"), ("Max pending signals", "signals"), ("Max msgqueue size", "bytes"),
    ("Max nice priority", ""), ("Max realtime priority", ""), ("Max realtime timeout", "us"),
)  # fmt: skip


def _limit(value: int) -> str:
    return "unlimited" if value & RLIM_INFINITY == RLIM_INFINITY else str(value)


def proc_pid_limits(m: seq_file, task: task_struct) -> None:
    """/proc/PID/limits."""
    seq_puts(m, "Limit                     Soft Limit           Hard Limit           Units     \n")
    for (name, unit), (soft, hard) in zip(lnames, task.signal.rlim, strict=True):
        seq_printf(m, f"{name:<25} {_limit(soft):<20} {_limit(hard):<20} ")
        seq_puts(m, f"{unit:<10}\n" if unit else "\n")


def show_vma_header_prefix(m: seq_file, vma: vm_area_struct) -> None:
    """Addresses, rights, offset, and the file's device and inode: nothing but memory of its own is mapped by files."""
    flags = vma.vm_flags
    rights = "".join(
        letter if flags & bit else "-" for letter, bit in (("r", VM_READ), ("w", VM_WRITE), ("x", VM_EXEC))
    )
    seq_setwidth(m, 25 + 6 * 8 - 1)
    shared = "s" if flags & VM_SHARED else "p"
    seq_printf(m, f"{vma.vm_start:08x}-{vma.vm_end:08x} {rights}{shared} {vma.vm_pgoff << 12:08x} 00:00 0 ")


def show_map_vma(m: seq_file, vma: vm_area_struct) -> None:
    """A line of /proc/PID/maps."""
    show_vma_header_prefix(m, vma)
    seq_putc(m, "\n")


def show_map(m: seq_file, task: task_struct) -> None:
    """/proc/PID/maps; a kernel thread has none."""
    for vma in task.mm._vmas if task.mm is not None else ():
        show_map_vma(m, vma)


def _mounts(p: task_struct) -> Iterable[mount]:
    """The mounts of the task's namespace. EINVAL, ENOENT: it is dead or dying."""
    if p.nsproxy is None or p.nsproxy.mnt_ns is None:
        raise KernelError(EINVAL)
    if p.fs is None:
        raise KernelError(ENOENT)
    return p.nsproxy.mnt_ns.list


def _mounts_show(m: seq_file, p: task_struct) -> None:
    """/proc/PID/mounts: the mounts of the task's namespace."""
    for mnt in _mounts(p):
        show_vfsmnt(m, mnt, p.fs.root)


def _mountinfo_show(m: seq_file, p: task_struct) -> None:
    """/proc/PID/mountinfo: the same with numbers and roots."""
    for mnt in _mounts(p):
        show_mountinfo(m, mnt, p.fs.root)
