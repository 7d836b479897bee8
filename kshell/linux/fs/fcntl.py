"""Who is told by signal that a file is ready: O_ASYNC, F_SETOWN (fs/fcntl.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from kshell.abi.errno import EINVAL, ESRCH
from kshell.abi.signal import POLL_IN, SI_KERNEL, SIGIO, SIGURG
from kshell.linux.include.linux.cred import ROOT_UID
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fs import FASYNC, fasync_struct, fown_struct
from kshell.linux.include.linux.sched import PIDTYPE_PGID, PIDTYPE_PID, PIDTYPE_TGID, kernel_siginfo
from kshell.linux.kernel.pid import find_vpid, get_pid, pid_task, pid_vnr, put_pid
from kshell.linux.kernel.signal import do_send_sig_info
from kshell.linux.mm.slab_common import kmem_cache_create
from kshell.linux.mm.slub import kmem_cache_alloc, kmem_cache_free
from kshell.linux.security.security import security_file_send_sigiotask, security_file_set_fowner

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import file
    from kshell.linux.include.linux.sched import pid, task_struct
    from kshell.linux.init.kernel import Kernel

FASYNC_STRUCT_SIZE = 48
INT_MIN = -(1 << 31)
NSIGPOLL = 6
BAND = (0x41, 0x304, 0x444, 0x8, 0x82, 0x10)
"""poll() events of POLL_IN, POLL_OUT, POLL_MSG, POLL_ERR, POLL_PRI, POLL_HUP."""


def fcntl_init(kernel: Kernel) -> None:
    """Set up the cache of fasync entries."""
    kernel.fasync_cache = kmem_cache_create(kernel, "fasync_cache", FASYNC_STRUCT_SIZE)


def _owner(filp: file) -> fown_struct:
    if filp.f_owner is None:
        filp.f_owner = fown_struct()
    return filp.f_owner


def __f_setown(filp: file, who: pid | None, type: int, force: int) -> None:
    """Set the owner; without force only when there is none."""
    owner = _owner(filp)
    if force or owner.pid is None:
        old, owner.pid = owner.pid, get_pid(who) if who is not None else None
        owner.pid_type = type
        put_pid(filp._kernel, old)
        if who is not None:
            cred = filp._kernel.current.cred
            security_file_set_fowner(filp)
            owner.uid, owner.euid = cred.uid, cred.euid


def f_setown(filp: file, arg: int, force: int) -> None:
    """fcntl(F_SETOWN): a process, or a group by negative number. EINVAL, ESRCH."""
    who, type = arg, PIDTYPE_TGID
    if who < 0:
        if who == INT_MIN:
            raise KernelError(EINVAL)
        who, type = -who, PIDTYPE_PGID
    found = None
    if who:
        found = find_vpid(filp._kernel.current, who)
        if found is None:
            raise KernelError(ESRCH)
    __f_setown(filp, found, type, force)


def f_getown(filp: file) -> int:
    """fcntl(F_GETOWN): process, or group as a negative number; 0: none, or gone."""
    owner = filp.f_owner
    if owner is None or pid_task(owner.pid, owner.pid_type) is None:
        return 0
    nr = pid_vnr(owner.pid)
    return -nr if owner.pid_type == PIDTYPE_PGID else nr


def sigio_perm(p: task_struct, fown: fown_struct, sig: int) -> bool:
    """Whether the one who set the owner may signal the task."""
    cred = p.cred
    return fown.euid == ROOT_UID or bool({fown.euid, fown.uid} & {cred.suid, cred.uid})


def send_sigio_to_task(p: task_struct, fown: fown_struct, fd: int, reason: int, type: int) -> None:
    """Signal one task: SIGIO, or the signal of F_SETSIG with descriptor and event."""
    signum = fown.signum
    if not sigio_perm(p, fown, signum):
        return
    security_file_send_sigiotask(p, fown, signum)
    if not signum:
        do_send_sig_info(SIGIO, kernel_siginfo(SIGIO, SI_KERNEL), p, type)
        return
    info = kernel_siginfo(signum, reason)
    info.si_fd = fd
    if POLL_IN <= reason <= NSIGPOLL:
        info.si_band = BAND[reason - POLL_IN]
    do_send_sig_info(signum, info, p, type)


def _tasks_of(fown: fown_struct) -> list[task_struct]:
    assert fown.pid is not None
    if fown.pid_type in (PIDTYPE_PID, PIDTYPE_TGID):
        task = pid_task(fown.pid, fown.pid_type)
        return [] if task is None else [task]
    return list(fown.pid.tasks[fown.pid_type])


def send_sigio(fown: fown_struct, fd: int, band: int) -> None:
    """Signal the owner that the file is ready."""
    if fown.pid is not None:
        for task in _tasks_of(fown):
            send_sigio_to_task(task, fown, fd, band, fown.pid_type)


def send_sigurg_to_task(p: task_struct, fown: fown_struct, type: int) -> None:
    """SIGURG to one task."""
    if sigio_perm(p, fown, SIGURG):
        do_send_sig_info(SIGURG, kernel_siginfo(SIGURG, SI_KERNEL), p, type)


def send_sigurg(filp: file) -> bool:
    """SIGURG to the owner: urgent data came. False: there is no owner."""
    fown = filp.f_owner
    if fown is None or fown.pid is None:
        return False
    for task in _tasks_of(fown):
        send_sigurg_to_task(task, fown, fown.pid_type)
    return True


def fasync_insert_entry(fd: int, filp: file, fapp: object, field: str) -> bool:
    """Add the file to a chain, or set the descriptor of its entry; True when it was added."""
    head = cast("fasync_struct | None", getattr(fapp, field))
    entry = head
    while entry is not None:
        if entry.fa_file is filp:
            entry.fa_fd = fd
            return False
        entry = entry.fa_next
    new = kmem_cache_alloc(filp._kernel.fasync_cache, fasync_struct)
    new.fa_file = filp
    new.fa_fd = fd
    new.fa_next = head
    setattr(fapp, field, new)
    filp.f_flags |= FASYNC
    return True


def fasync_remove_entry(filp: file, fapp: object, field: str) -> int:
    """Take the file out of a chain; 1 when it was there."""
    filp.f_flags &= ~FASYNC
    previous: fasync_struct | None = None
    entry = cast("fasync_struct | None", getattr(fapp, field))
    while entry is not None:
        if entry.fa_file is filp:
            if previous is None:
                setattr(fapp, field, entry.fa_next)
            else:
                previous.fa_next = entry.fa_next
            entry.fa_file = None
            entry.fa_next = None
            kmem_cache_free(filp._kernel.fasync_cache, entry)
            return 1
        previous, entry = entry, entry.fa_next
    return 0


def fasync_helper(fd: int, filp: file, on: int, fapp: object, field: str) -> int:
    """f_op->fasync(): put the file into the chain that begins at attribute `field` of fapp, or take it out."""
    if not on:
        return fasync_remove_entry(filp, fapp, field)
    return int(fasync_insert_entry(fd, filp, fapp, field))


def kill_fasync(fp: fasync_struct | None, sig: int, band: int) -> None:
    """Signal all owners of a chain."""
    if fp is not None:
        kill_fasync_rcu(fp, sig, band)


def kill_fasync_rcu(fa: fasync_struct | None, sig: int, band: int) -> None:
    """As kill_fasync()."""
    while fa is not None:
        if fa.fa_file is not None:
            fown = fa.fa_file.f_owner
            if fown is not None and not (sig == SIGURG and fown.signum == 0):
                send_sigio(fown, fa.fa_fd, band)
        fa = fa.fa_next
