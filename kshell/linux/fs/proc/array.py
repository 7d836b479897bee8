"""Texts about a task: status and stat (fs/proc/array.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kshell.abi.resource import RLIMIT_RSS
from kshell.linux.fs.seq_file import seq_put_decimal_ll, seq_put_decimal_ull, seq_putc, seq_puts
from kshell.linux.include.linux.mm_types import PAGE_SHIFT
from kshell.linux.include.linux.sched import (
    EXIT_DEAD,
    EXIT_ZOMBIE,
    PIDTYPE_PGID,
    PIDTYPE_SID,
    TASK_IDLE,
    TASK_INTERRUPTIBLE,
    TASK_STOPPED,
    TASK_UNINTERRUPTIBLE,
)
from kshell.linux.kernel.pid import __task_pid_nr_ns

if TYPE_CHECKING:
    from kshell.linux.include.linux.mm_types import mm_struct
    from kshell.linux.include.linux.sched import task_struct
    from kshell.linux.include.linux.seq_file import seq_file

_INT_MAX: Final = 0x7FFFFFFF
STATES = (
    (TASK_INTERRUPTIBLE, "S (sleeping)"),
    (TASK_UNINTERRUPTIBLE, "D (disk sleep)"),
    (TASK_STOPPED & 0xFF, "T (stopped)"),
)


def get_task_state(tsk: task_struct) -> str:
    """The state, as a letter and a word."""
    if tsk.exit_state & EXIT_ZOMBIE:
        return "Z (zombie)"
    if tsk.exit_state & EXIT_DEAD:
        return "X (dead)"
    if tsk.state == TASK_IDLE:
        return "I (idle)"
    return next((text for bit, text in STATES if tsk.state & bit), "R (running)")


def _ignored_and_caught(p: task_struct) -> tuple[int, int]:
    ignored = caught = 0
    for number, action in enumerate(p._sighand.action):
        if action.sa_handler == 1:
            ignored |= 1 << number
        elif action.sa_handler:
            caught |= 1 << number
    return ignored, caught


def task_mem(p: task_struct) -> str:
    """The address space in kB, all of it resident; a kernel thread has none."""
    if p.mm is None:
        return ""
    size = task_vsize(p.mm) >> 10
    lines = ("VmPeak", size), ("VmSize", size), ("VmHWM", size), ("VmRSS", size), ("RssAnon", size), ("VmData", size)
    return "".join(f"{name}:\t{number:8} kB\n" for name, number in lines)


def proc_pid_status(m: seq_file, p: task_struct) -> None:
    """/proc/PID/status, less what the model has not: seccomp, NUMA, counts of page faults and switches."""
    cred = p.cred
    ignored, caught = _ignored_and_caught(p)
    fds = p.files.fdt.max_fds if p.files is not None else 0
    umask = p.fs.umask if p.fs is not None else 0
    pgrp, session = __task_pid_nr_ns(p, PIDTYPE_PGID), __task_pid_nr_ns(p, PIDTYPE_SID)
    seq_puts(
        m,
        f"Name:\t{p.comm}\nUmask:\t{umask:04o}\nState:\t{get_task_state(p)}\nTgid:\t{p.tgid}\nNgid:\t0\n"
        f"Pid:\t{p.pid}\nPPid:\t{p.real_parent.tgid}\nTracerPid:\t0\n"
        f"Uid:\t{cred.uid}\t{cred.euid}\t{cred.suid}\t{cred.fsuid}\n"
        f"Gid:\t{cred.gid}\t{cred.egid}\t{cred.sgid}\t{cred.fsgid}\n"
        f"FDSize:\t{fds}\nGroups:\t{''.join(f'{gid} ' for gid in cred.group_info) or ' '}\n"
        f"NStgid:\t{p.tgid}\nNSpid:\t{p.pid}\nNSpgid:\t{pgrp}\nNSsid:\t{session}\n{task_mem(p)}"
        f"Threads:\t{p.signal.nr_threads}\n"
        f"SigPnd:\t{p._pending.signal:016x}\nShdPnd:\t{p.signal.shared_pending.signal:016x}\n"
        f"SigBlk:\t{p._blocked:016x}\nSigIgn:\t{ignored:016x}\nSigCgt:\t{caught:016x}\n"
        f"CapInh:\t{cred.cap_inheritable:016x}\nCapPrm:\t{cred.cap_permitted:016x}\n"
        f"CapEff:\t{cred.cap_effective:016x}\nCapBnd:\t{cred.cap_bset:016x}\nCapAmb:\t{cred.cap_ambient:016x}\n"
        "Cpus_allowed:\t1\nCpus_allowed_list:\t0\n",
    )


def proc_task_name(m: seq_file, p: task_struct) -> None:
    """The name of a task."""
    seq_puts(m, p.comm)


def task_vsize(mm: mm_struct) -> int:
    """Bytes that are mapped."""
    return sum(len(vma._data) for vma in mm._vmas)


def do_task_stat(m: seq_file, task: task_struct, whole: int) -> None:
    """/proc/PID/stat. Page faults and processor time are 0, and there is neither terminal nor nice value."""
    pgid, sid = __task_pid_nr_ns(task, PIDTYPE_PGID), __task_pid_nr_ns(task, PIDTYPE_SID)
    vsize = task_vsize(task.mm) if task.mm is not None else 0
    sigign, sigcatch = _ignored_and_caught(task)
    state = get_task_state(task)[0]
    seq_put_decimal_ull(m, "", task.pid)
    seq_puts(m, " (")
    proc_task_name(m, task)
    seq_puts(m, ") ")
    seq_putc(m, state)
    for number in (task.real_parent.tgid, pgid, sid, 0, -1):
        seq_put_decimal_ll(m, " ", number)
    for number in (task.flags, *(0,) * 8, 20, 0, task.signal.nr_threads, 0, 0, vsize, vsize >> PAGE_SHIFT):
        seq_put_decimal_ull(m, " ", number)
    seq_put_decimal_ull(m, " ", task.signal.rlim[RLIMIT_RSS][0])
    for number in (
        *(0,) * 5, task._pending.signal & _INT_MAX, task._blocked & _INT_MAX, sigign & _INT_MAX, sigcatch & _INT_MAX,
        int(state != "R"), 0, 0, task.exit_signal, *(0,) * 13, task.exit_code,
    ):  # fmt: skip
        seq_put_decimal_ull(m, " ", number)
    seq_putc(m, "\n")


def proc_tgid_stat(m: seq_file, task: task_struct) -> None:
    """/proc/PID/stat of a thread group."""
    do_task_stat(m, task, 1)
