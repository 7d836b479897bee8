"""Who may look into another task (kernel/ptrace.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.capability import CAP_SYS_PTRACE

if TYPE_CHECKING:
    from kshell.linux.include.linux.sched import task_struct


def ptrace_may_access(current: task_struct, task: task_struct) -> bool:
    """Whether current may look into the task."""
    cred, theirs = current.cred, task.cred
    if task.signal is current.signal or cred.cap_effective >> CAP_SYS_PTRACE & 1:
        return True
    same = cred.fsuid == theirs.uid == theirs.euid == theirs.suid
    return same and cred.fsgid == theirs.gid == theirs.egid == theirs.sgid
