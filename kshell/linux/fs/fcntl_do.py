"""fcntl() (fs/fcntl.c)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from kshell.abi.errno import EBADF, EINVAL, EPERM, ESRCH
from kshell.abi.fcntl import (
    F_ADD_SEALS,
    F_DUPFD,
    F_DUPFD_CLOEXEC,
    F_GET_RW_HINT,
    F_GET_SEALS,
    F_GETFD,
    F_GETFL,
    F_GETLEASE,
    F_GETLK,
    F_GETOWN,
    F_GETOWN_EX,
    F_GETOWNER_UIDS,
    F_GETPIPE_SZ,
    F_GETSIG,
    F_OFD_GETLK,
    F_OFD_SETLK,
    F_OFD_SETLKW,
    F_OWNER_PGRP,
    F_OWNER_PID,
    F_OWNER_TID,
    F_SET_RW_HINT,
    F_SETFD,
    F_SETFL,
    F_SETLEASE,
    F_SETLK,
    F_SETLKW,
    F_SETOWN,
    F_SETOWN_EX,
    F_SETPIPE_SZ,
    F_SETSIG,
    F_UNLCK,
    FD_CLOEXEC,
    O_APPEND,
    O_CLOEXEC,
    O_DIRECT,
    O_NOATIME,
    O_NONBLOCK,
)
from kshell.abi.stat import S_IFIFO, S_IFMT, S_IFREG
from kshell.linux.fs.fcntl import __f_setown, _owner, f_getown, f_setown
from kshell.linux.fs.file import __fdget_raw, fdput, get_close_on_exec, set_close_on_exec
from kshell.linux.fs.file_dup import f_dupfd
from kshell.linux.fs.inode import inode_owner_or_capable
from kshell.linux.fs.locks_fcntl import fcntl_getlk, fcntl_setlk
from kshell.linux.fs.pipe import pipe_fcntl
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fs import FASYNC, FMODE_CAN_ODIRECT, FMODE_PATH, S_APPEND
from kshell.linux.include.linux.sched import PIDTYPE_PGID, PIDTYPE_PID, PIDTYPE_TGID
from kshell.linux.include.linux.signal import valid_signal
from kshell.linux.include.linux.syscalls import SYSCALL_DEFINE
from kshell.linux.include.linux.uaccess import copy_from_user, copy_to_user, get_user, put_user
from kshell.linux.kernel.pid import find_vpid, pid_task, pid_vnr
from kshell.linux.mm.memfd import memfd_fcntl
from kshell.linux.security.security import security_file_fcntl

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import file
    from kshell.linux.include.linux.sched import task_struct

SETFL_MASK = O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME | FASYNC
OWNER_EX = struct.Struct("<ii")
OWNER_TYPES = {F_OWNER_TID: PIDTYPE_PID, F_OWNER_PID: PIDTYPE_TGID, F_OWNER_PGRP: PIDTYPE_PGID}
RW_HINTS = range(6)


def setfl(fd: int, filp: file, arg: int) -> None:
    """F_SETFL. EPERM; EINVAL: O_DIRECT."""
    inode = filp.f_inode
    if (arg ^ filp.f_flags) & O_APPEND and inode.i_flags & S_APPEND:
        raise KernelError(EPERM)
    fresh = arg & O_NOATIME and not filp.f_flags & O_NOATIME
    if fresh and not inode_owner_or_capable(filp.f_path.mnt.mnt_userns, inode):
        raise KernelError(EPERM)
    if inode.i_mode & S_IFMT != S_IFIFO and arg & O_DIRECT and not filp.f_mode & FMODE_CAN_ODIRECT:
        raise KernelError(EINVAL)
    if filp.f_op.check_flags:
        filp.f_op.check_flags(arg)
    if (arg ^ filp.f_flags) & FASYNC and filp.f_op.fasync:
        filp.f_op.fasync(fd, filp, int(arg & FASYNC != 0))
    filp.f_flags = arg & SETFL_MASK | filp.f_flags & ~SETFL_MASK


def f_setown_ex(current: task_struct, filp: file, arg: int) -> None:
    """F_SETOWN_EX. EFAULT, EINVAL, ESRCH."""
    type, nr = OWNER_EX.unpack(copy_from_user(current, arg, 8))
    if type not in OWNER_TYPES:
        raise KernelError(EINVAL)
    who = find_vpid(current, nr)
    if nr and who is None:
        raise KernelError(ESRCH)
    __f_setown(filp, who, OWNER_TYPES[type], 1)


def f_getown_ex(current: task_struct, filp: file, arg: int) -> None:
    """F_GETOWN_EX. EFAULT."""
    owner = _owner(filp)
    nr = pid_vnr(owner.pid) if pid_task(owner.pid, owner.pid_type) is not None else 0
    type = next(user for user, kind in OWNER_TYPES.items() if kind == owner.pid_type)
    copy_to_user(current, arg, OWNER_EX.pack(type, nr))


def f_getowner_uids(current: task_struct, filp: file, arg: int) -> None:
    """F_GETOWNER_UIDS. EFAULT."""
    owner = _owner(filp)
    put_user(current, arg, owner.uid)
    put_user(current, arg + 4, owner.euid)


def fcntl_rw_hint(current: task_struct, filp: file, cmd: int, arg: int) -> int:
    """F_GET_RW_HINT, F_SET_RW_HINT: how long written data will live. EINVAL, EFAULT."""
    inode = filp.f_inode
    if cmd == F_GET_RW_HINT:
        put_user(current, arg, inode.i_write_hint, 8)
    else:
        hint = get_user(current, arg, 8, False)
        if hint not in RW_HINTS:
            raise KernelError(EINVAL)
        inode.i_write_hint = hint
    return 0


def _ownership(current: task_struct, filp: file, cmd: int, arg: int) -> int:
    if cmd == F_GETOWN:
        return f_getown(filp)
    if cmd == F_SETOWN:
        who = arg & 0xFFFFFFFF
        f_setown(filp, who - (1 << 32) if who >> 31 else who, 1)
    elif cmd == F_GETOWN_EX:
        f_getown_ex(current, filp, arg)
    elif cmd == F_SETOWN_EX:
        f_setown_ex(current, filp, arg)
    elif cmd == F_GETOWNER_UIDS:
        f_getowner_uids(current, filp, arg)
    elif cmd == F_GETSIG:
        return filp.f_owner.signum if filp.f_owner is not None else 0
    elif not valid_signal(arg):
        raise KernelError(EINVAL)
    else:
        _owner(filp).signum = arg
    return 0


def fcntl_getlease(filp: file) -> int:
    """F_GETLEASE: nobody has one."""
    return F_UNLCK


def fcntl_setlease(current: task_struct, filp: file, arg: int) -> int:
    """F_SETLEASE: leases are not modelled. EINVAL: not a regular file."""
    if filp.f_inode.i_mode & S_IFMT != S_IFREG:
        raise KernelError(EINVAL)
    raise KernelError(EINVAL)


async def do_fcntl(current: task_struct, fd: int, cmd: int, arg: int, filp: file) -> int:
    """One command. May sleep (F_SETLKW). EINVAL: no such command."""
    if cmd == F_GETFL:
        return filp.f_flags
    if cmd == F_SETFL:
        setfl(fd, filp, arg)
        return 0
    if cmd == F_GETFD:
        return FD_CLOEXEC if get_close_on_exec(current, fd) else 0
    if cmd == F_SETFD:
        set_close_on_exec(current, fd, arg & FD_CLOEXEC)
        return 0
    if cmd == F_DUPFD:
        return f_dupfd(current, arg, filp, 0)
    if cmd == F_DUPFD_CLOEXEC:
        return f_dupfd(current, arg, filp, O_CLOEXEC)
    if cmd in (F_GETLK, F_OFD_GETLK):
        return fcntl_getlk(current, filp, cmd, arg)
    if cmd in (F_SETLK, F_SETLKW, F_OFD_SETLK, F_OFD_SETLKW):
        return await fcntl_setlk(current, fd, filp, cmd, arg)
    return _do_rare_fcntl(current, cmd, arg, filp)


def _do_rare_fcntl(current: task_struct, cmd: int, arg: int, filp: file) -> int:
    if cmd in (F_GETOWN, F_SETOWN, F_GETOWN_EX, F_SETOWN_EX, F_GETOWNER_UIDS, F_GETSIG, F_SETSIG):
        return _ownership(current, filp, cmd, arg)
    if cmd in (F_SETPIPE_SZ, F_GETPIPE_SZ):
        return pipe_fcntl(filp, cmd, arg)
    if cmd in (F_ADD_SEALS, F_GET_SEALS):
        return memfd_fcntl(filp, cmd, arg)
    if cmd in (F_GET_RW_HINT, F_SET_RW_HINT):
        return fcntl_rw_hint(current, filp, cmd, arg)
    if cmd == F_GETLEASE:
        return fcntl_getlease(filp)
    if cmd == F_SETLEASE:
        return fcntl_setlease(current, filp, arg)
    raise KernelError(EINVAL)


def check_fcntl_cmd(cmd: int) -> bool:
    """Whether a file opened with O_PATH knows the command."""
    return cmd in (F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL)


@SYSCALL_DEFINE
async def sys_fcntl(current: task_struct, fd: int, cmd: int, arg: int) -> int:
    """fcntl(fd, cmd, arg). EBADF."""
    f, flags = __fdget_raw(current, fd)
    if f is None:
        raise KernelError(EBADF)
    try:
        if f.f_mode & FMODE_PATH and not check_fcntl_cmd(cmd):
            raise KernelError(EBADF)
        security_file_fcntl(f, cmd, arg)
        return await do_fcntl(current, fd, cmd, arg, f)
    finally:
        fdput(f, flags)
