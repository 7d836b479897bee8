"""Who may do what (kernel/capability.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.capability import CAP_SYS_ADMIN
from kshell.abi.errno import EPERM
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.sched import PF_SUPERPRIV

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import file
    from kshell.linux.include.linux.nsproxy import nsset
    from kshell.linux.include.linux.sched import task_struct, user_namespace


def ns_capable(current: task_struct, ns: user_namespace, cap: int) -> bool:
    """Whether current has capability cap towards what belongs to ns."""
    if current.cred.cap_effective >> cap & 1:
        current.flags |= PF_SUPERPRIV
        return True
    return False


def ns_capable_noaudit(current: task_struct, ns: user_namespace, cap: int) -> bool:
    """ns_capable() that leaves no trace in the audit log."""
    if current.cred.cap_effective >> cap & 1:
        current.flags |= PF_SUPERPRIV
        return True
    return False


def capable(current: task_struct, cap: int) -> bool:
    """Whether current has capability cap in the initial namespace."""
    if current.cred.cap_effective >> cap & 1:
        current.flags |= PF_SUPERPRIV
        return True
    return False


def has_capability_noaudit(t: task_struct, cap: int) -> bool:
    """Whether a task has capability cap in the initial namespace, without marking that it was used."""
    return bool(t.cred.cap_effective >> cap & 1)


def file_ns_capable(file: file, ns: user_namespace, cap: int) -> bool:
    """Whether the opener of file had capability cap."""
    return bool(file.f_cred.cap_effective >> cap & 1)


def _may_setns(current: task_struct, owner: user_namespace, nsset: nsset, cap: int = CAP_SYS_ADMIN) -> None:
    """What setns() asks for: CAP_SYS_ADMIN where the namespace belongs to, and `cap` where the task will be. EPERM."""
    if not ns_capable(current, owner, CAP_SYS_ADMIN) or not ns_capable(current, nsset.cred.user_ns, cap):
        raise KernelError(EPERM)
