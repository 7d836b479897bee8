"""Process ids and groups, limits, names (kernel/sys.c); sys_ids.py has users and groups."""

from __future__ import annotations

import struct
from typing import Final

from kshell.abi.capability import CAP_SYS_ADMIN, CAP_SYS_RESOURCE
from kshell.abi.errno import EACCES, EINVAL, EPERM, ESRCH
from kshell.abi.resource import RLIM_NLIMITS, RLIMIT_NOFILE
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.sched import (
    PF_FORKNOEXEC,
    PIDTYPE_PGID,
    PIDTYPE_SID,
    PIDTYPE_TGID,
    TASK_COMM_LEN,
    task_struct,
)
from kshell.linux.include.linux.syscalls import SYSCALL_DEFINE
from kshell.linux.include.linux.uaccess import copy_from_user, copy_to_user, strncpy_from_user
from kshell.linux.kernel.capability import capable, ns_capable
from kshell.linux.kernel.pid import change_pid, find_task_by_vpid, find_vpid, pid_vnr
from kshell.linux.kernel.time.timekeeping import ktime_get

__NEW_UTS_LEN: Final = 64
QUERY: Final = 0xFFFFFFFF
PR_SET_PDEATHSIG, PR_GET_DUMPABLE, PR_SET_NAME, PR_GET_NAME = 1, 3, 15, 16
RLIMIT: Final = struct.Struct("<QQ")
SYSINFO: Final = struct.Struct("<q3Q6QHxxxxxxQQIxxxx")  # uptime, loads, memory, procs, high memory, unit


@SYSCALL_DEFINE
def sys_getpid(current: task_struct) -> int:
    """The process id."""
    return current.tgid


@SYSCALL_DEFINE
def sys_gettid(current: task_struct) -> int:
    """The thread id."""
    return current.pid


@SYSCALL_DEFINE
def sys_getppid(current: task_struct) -> int:
    """The parent's process id."""
    return current.group_leader.real_parent.tgid


@SYSCALL_DEFINE
def sys_getuid(current: task_struct) -> int:
    """The real user id."""
    return current.cred.uid


@SYSCALL_DEFINE
def sys_geteuid(current: task_struct) -> int:
    """The effective user id."""
    return current.cred.euid


@SYSCALL_DEFINE
def sys_getgid(current: task_struct) -> int:
    """The real group id."""
    return current.cred.gid


@SYSCALL_DEFINE
def sys_getegid(current: task_struct) -> int:
    """The effective group id."""
    return current.cred.egid


@SYSCALL_DEFINE
def sys_uname(current: task_struct, name: int) -> int:
    """struct new_utsname: six strings of 65 bytes."""
    uts = current.nsproxy.uts_ns.name
    fields = (uts.sysname, uts.nodename, uts.release, uts.version, uts.machine, uts.domainname)
    copy_to_user(current, name, b"".join(text.encode("latin-1").ljust(65, b"\0") for text in fields))
    return 0


def _set_uts(current: task_struct, name: int, length: int, field: str) -> int:
    if not ns_capable(current, current.cred.user_ns, CAP_SYS_ADMIN):
        raise KernelError(EPERM)
    if not 0 <= length <= __NEW_UTS_LEN:
        raise KernelError(EINVAL)
    setattr(current.nsproxy.uts_ns.name, field, copy_from_user(current, name, length).decode("latin-1"))
    return 0


@SYSCALL_DEFINE
def sys_sethostname(current: task_struct, name: int, length: int) -> int:
    """Set the host name. EPERM, EINVAL."""
    return _set_uts(current, name, length, "nodename")


@SYSCALL_DEFINE
def sys_setdomainname(current: task_struct, name: int, length: int) -> int:
    """Set the NIS domain name. EPERM, EINVAL."""
    return _set_uts(current, name, length, "domainname")


def do_prlimit(tsk: task_struct, resource: int, new: tuple[int, int] | None) -> tuple[int, int]:
    """Read and set a limit (soft, hard). EINVAL; EPERM: raising the hard limit."""
    current = tsk.kernel.current
    if not 0 <= resource < RLIM_NLIMITS:
        raise KernelError(EINVAL)
    old = tsk.signal.rlim[resource]
    if new is not None:
        soft, hard = new
        if soft > hard:
            raise KernelError(EINVAL)
        if resource == RLIMIT_NOFILE and hard > current.kernel.sysctl_nr_open:
            raise KernelError(EPERM)
        if hard > old[1] and not capable(current, CAP_SYS_RESOURCE):
            raise KernelError(EPERM)
        tsk.signal.rlim[resource] = new
    return old


@SYSCALL_DEFINE
def sys_getrlimit(current: task_struct, resource: int, rlim: int) -> int:
    """Soft and hard limit."""
    copy_to_user(current, rlim, RLIMIT.pack(*do_prlimit(current, resource, None)))
    return 0


@SYSCALL_DEFINE
def sys_setrlimit(current: task_struct, resource: int, rlim: int) -> int:
    """Set soft and hard limit. EINVAL, EPERM, EFAULT."""
    soft, hard = RLIMIT.unpack(copy_from_user(current, rlim, 16))
    do_prlimit(current, resource, (soft, hard))
    return 0


@SYSCALL_DEFINE
def sys_prlimit64(current: task_struct, pid: int, resource: int, new_rlim: int, old_rlim: int) -> int:
    """Set and read a limit of a process. ESRCH, EPERM, EINVAL."""
    tsk = find_task_by_vpid(current, pid) if pid else current
    if tsk is None:
        raise KernelError(ESRCH)
    if tsk is not current and tsk.cred.uid != current.cred.uid and not capable(current, CAP_SYS_RESOURCE):
        raise KernelError(EPERM)
    new = None
    if new_rlim:
        soft, hard = RLIMIT.unpack(copy_from_user(current, new_rlim, 16))
        new = (soft, hard)
    old = do_prlimit(tsk, resource, new)
    if old_rlim:
        copy_to_user(current, old_rlim, RLIMIT.pack(*old))
    return 0


@SYSCALL_DEFINE
def sys_getrusage(current: task_struct, who: int, ru: int) -> int:
    """All zero: the model does not count CPU time. EINVAL."""
    if who not in (0, -1, 1):
        raise KernelError(EINVAL)
    copy_to_user(current, ru, bytes(144))
    return 0


@SYSCALL_DEFINE
def sys_times(current: task_struct, tbuf: int) -> int:
    """CPU times (zero), and 1/100 s since boot."""
    if tbuf:
        copy_to_user(current, tbuf, bytes(32))
    return ktime_get(current.kernel) // 10_000_000


@SYSCALL_DEFINE
def sys_sysinfo(current: task_struct, info: int) -> int:
    """Uptime, memory and number of tasks."""
    uptime = ktime_get(current.kernel) // 1_000_000_000
    total, free = 2 << 30, 1 << 30
    memory = (total, free, 0, 0, 0, 0)
    copy_to_user(current, info, SYSINFO.pack(uptime, 0, 0, 0, *memory, current.kernel.nr_threads, 0, 0, 1))
    return 0


def _group_member(current: task_struct, nr: int) -> task_struct:
    p = find_task_by_vpid(current, nr) if nr else current
    if p is None:
        raise KernelError(ESRCH)
    return p.group_leader


@SYSCALL_DEFINE
def sys_setpgid(current: task_struct, pid: int, pgid: int) -> int:
    """Put a process into a process group. EINVAL, ESRCH, EACCES, EPERM."""
    if pgid < 0:
        raise KernelError(EINVAL)
    p = _group_member(current, pid)
    pgid = pgid or p.tgid
    leader = current.group_leader
    if p is not leader:
        if p.real_parent.group_leader is not leader:
            raise KernelError(ESRCH)
        if p.signal.pids[PIDTYPE_SID] is not leader.signal.pids[PIDTYPE_SID]:
            raise KernelError(EPERM)
        if not p.flags & PF_FORKNOEXEC:
            raise KernelError(EACCES)
    if p.signal.leader:
        raise KernelError(EPERM)
    struct_pid = p.signal.pids[PIDTYPE_TGID]
    if pgid != p.tgid:
        struct_pid = find_vpid(current, pgid)
        members = struct_pid.tasks[PIDTYPE_PGID] if struct_pid else []
        if not members or members[0].signal.pids[PIDTYPE_SID] is not leader.signal.pids[PIDTYPE_SID]:
            raise KernelError(EPERM)
    assert struct_pid is not None
    if p.signal.pids[PIDTYPE_PGID] is not struct_pid:
        change_pid(p, PIDTYPE_PGID, struct_pid)
    return 0


@SYSCALL_DEFINE
def sys_getpgid(current: task_struct, pid: int) -> int:
    """The process group of a process. ESRCH."""
    return pid_vnr(_group_member(current, pid).signal.pids[PIDTYPE_PGID])


@SYSCALL_DEFINE
def sys_getpgrp(current: task_struct) -> int:
    """Our process group."""
    return pid_vnr(current.signal.pids[PIDTYPE_PGID])


@SYSCALL_DEFINE
def sys_getsid(current: task_struct, pid: int) -> int:
    """The session of a process. ESRCH."""
    return pid_vnr(_group_member(current, pid).signal.pids[PIDTYPE_SID])


@SYSCALL_DEFINE
def sys_setsid(current: task_struct) -> int:
    """A new session and process group. EPERM: we lead a group already."""
    leader = current.group_leader
    own = leader.thread_pid
    if leader.signal.leader or own.tasks[PIDTYPE_PGID]:
        raise KernelError(EPERM)
    leader.signal.leader = 1
    change_pid(leader, PIDTYPE_SID, own)
    change_pid(leader, PIDTYPE_PGID, own)
    return own.numbers


@SYSCALL_DEFINE
def sys_prctl(current: task_struct, option: int, arg2: int, arg3: int, arg4: int, arg5: int) -> int:
    """The name of the thread; other operations are not modelled: EINVAL."""
    if option == PR_SET_NAME:
        current.comm = strncpy_from_user(current, arg2, TASK_COMM_LEN - 1).decode("latin-1")
    elif option == PR_GET_NAME:
        copy_to_user(current, arg2, current.comm.encode("latin-1").ljust(TASK_COMM_LEN, b"\0"))
    elif option == PR_GET_DUMPABLE:
        return 1
    elif option != PR_SET_PDEATHSIG:
        raise KernelError(EINVAL)
    return 0


@SYSCALL_DEFINE
def sys_personality(current: task_struct, personality: int) -> int:
    """Read and set the execution domain."""
    old = current.personality
    if personality != QUERY:
        current.personality = personality
    return old


