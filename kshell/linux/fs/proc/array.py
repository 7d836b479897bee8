"""Texts about a task: status and stat (fs/proc/array.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.linux.fs.seq_file import seq_puts
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
    from kshell.linux.include.linux.sched import task_struct
    from kshell.linux.include.linux.seq_file import seq_file

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
    size = sum(len(vma._data) for vma in p.mm._vmas) >> 10
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


def proc_tgid_stat(m: seq_file, p: task_struct) -> None:
    """/proc/PID/stat; fields about memory and processor time are 0."""
    pgrp, session = __task_pid_nr_ns(p, PIDTYPE_PGID), __task_pid_nr_ns(p, PIDTYPE_SID)
    head = f"{p.pid} ({p.comm}) {get_task_state(p)[0]} {p.real_parent.tgid} {pgrp} {session} 0 -1 {p.flags}"
    seq_puts(m, head + " 0" * 10 + f" 20 0 {p.signal.nr_threads}" + " 0" * 32 + "\n")
