"""Changing owner, mode, size and times (fs/attr.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.capability import CAP_CHOWN, CAP_FSETID
from kshell.abi.errno import EFBIG, EINVAL, EOPNOTSUPP, EPERM
from kshell.abi.resource import RLIM_INFINITY, RLIMIT_FSIZE
from kshell.abi.signal import SIGXFSZ
from kshell.abi.stat import S_IFLNK, S_IFMT, S_IFREG, S_ISGID, S_ISUID, S_IXGRP
from kshell.linux.fs.inode import current_time, in_group_p, inode_owner_or_capable
from kshell.linux.fs.namei_permission import capable_wrt_inode_uidgid, inode_permission
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fs import MAY_WRITE, S_APPEND, S_IMMUTABLE, inode
from kshell.linux.include.linux.fs_attr import (
    ATTR_ATIME,
    ATTR_ATIME_SET,
    ATTR_CTIME,
    ATTR_FORCE,
    ATTR_GID,
    ATTR_KILL_SGID,
    ATTR_KILL_SUID,
    ATTR_MODE,
    ATTR_MTIME,
    ATTR_MTIME_SET,
    ATTR_SIZE,
    ATTR_TIMES_SET,
    ATTR_TOUCH,
    ATTR_UID,
    iattr,
)
from kshell.linux.kernel.capability import capable
from kshell.linux.kernel.signal import send_sig
from kshell.linux.security.security import security_inode_setattr

if TYPE_CHECKING:
    from kshell.linux.include.linux.dcache import dentry
    from kshell.linux.include.linux.sched import user_namespace


def in_group_or_capable(mnt_userns: user_namespace, inode: inode, gid: int) -> bool:
    """Whether current is in the group, or may set S_ISGID for groups it is not in."""
    cred = inode.i_sb.kernel.current.cred
    return in_group_p(cred.group_info, cred.fsgid, gid) or capable_wrt_inode_uidgid(mnt_userns, inode, CAP_FSETID)


def setattr_should_drop_sgid(mnt_userns: user_namespace, inode: inode) -> int:
    """ATTR_KILL_SGID when a write or chown takes S_ISGID away."""
    if not inode.i_mode & S_ISGID:
        return 0
    if inode.i_mode & S_IXGRP or not in_group_or_capable(mnt_userns, inode, inode.i_gid):
        return ATTR_KILL_SGID
    return 0


def setattr_should_drop_suidgid(mnt_userns: user_namespace, inode: inode) -> int:
    """Which of ATTR_KILL_SUID, ATTR_KILL_SGID a write by current takes away."""
    kill = ATTR_KILL_SUID if inode.i_mode & S_ISUID else 0
    kill |= setattr_should_drop_sgid(mnt_userns, inode)
    if kill and inode.i_mode & S_IFMT == S_IFREG and not capable(inode.i_sb.kernel.current, CAP_FSETID):
        return kill
    return 0


def chown_ok(mnt_userns: user_namespace, inode: inode, uid: int) -> bool:
    """Whether current may give the inode this owner."""
    cred = inode.i_sb.kernel.current.cred
    if cred.fsuid == inode.i_uid and uid == inode.i_uid:
        return True
    return capable_wrt_inode_uidgid(mnt_userns, inode, CAP_CHOWN)


def chgrp_ok(mnt_userns: user_namespace, inode: inode, gid: int) -> bool:
    """Whether current may give the inode this group."""
    cred = inode.i_sb.kernel.current.cred
    if cred.fsuid == inode.i_uid and (gid == inode.i_gid or in_group_p(cred.group_info, cred.fsgid, gid)):
        return True
    return capable_wrt_inode_uidgid(mnt_userns, inode, CAP_CHOWN)


def setattr_prepare(mnt_userns: user_namespace, dentry: dentry, attr: iattr) -> None:
    """Check that current may change what attr says. EPERM; EFBIG, EINVAL: the size."""
    inode = dentry.d_inode
    assert inode is not None
    valid = attr.ia_valid
    if valid & ATTR_SIZE:
        inode_newsize_ok(inode, attr.ia_size)
    if valid & ATTR_FORCE:
        return
    if valid & ATTR_UID and not chown_ok(mnt_userns, inode, attr.ia_uid):
        raise KernelError(EPERM)
    if valid & ATTR_GID and not chgrp_ok(mnt_userns, inode, attr.ia_gid):
        raise KernelError(EPERM)
    if valid & ATTR_MODE:
        if not inode_owner_or_capable(mnt_userns, inode):
            raise KernelError(EPERM)
        gid = attr.ia_gid if valid & ATTR_GID else inode.i_gid
        if not in_group_or_capable(mnt_userns, inode, gid):
            attr.ia_mode &= ~S_ISGID
    times = valid & (ATTR_MTIME_SET | ATTR_ATIME_SET | ATTR_TIMES_SET)
    if times and not inode_owner_or_capable(mnt_userns, inode):
        raise KernelError(EPERM)


def inode_newsize_ok(inode: inode, offset: int) -> None:
    """Check a new size. EINVAL: negative; EFBIG: above RLIMIT_FSIZE (SIGXFSZ too) or the file system's limit."""
    if offset < 0:
        raise KernelError(EINVAL)
    if inode.i_size >= offset:
        return
    current = inode.i_sb.kernel.current
    limit = current.signal.rlim[RLIMIT_FSIZE][0]
    if limit != RLIM_INFINITY and offset > limit:
        send_sig(SIGXFSZ, current, 0)
        raise KernelError(EFBIG)
    if offset > inode.i_sb.s_maxbytes:
        raise KernelError(EFBIG)


def setattr_copy(mnt_userns: user_namespace, inode: inode, attr: iattr) -> None:
    """Change all but the size."""
    valid = attr.ia_valid
    if valid & ATTR_UID:
        inode.i_uid = attr.ia_uid
    if valid & ATTR_GID:
        inode.i_gid = attr.ia_gid
    if valid & ATTR_ATIME:
        inode.i_atime = attr.ia_atime
    if valid & ATTR_MTIME:
        inode.i_mtime = attr.ia_mtime
    if valid & ATTR_CTIME:
        inode.i_ctime = attr.ia_ctime
    if valid & ATTR_MODE:
        mode = attr.ia_mode
        if not in_group_or_capable(mnt_userns, inode, inode.i_gid):
            mode &= ~S_ISGID
        inode.i_mode = mode


def may_setattr(mnt_userns: user_namespace, inode: inode, ia_valid: int) -> None:
    """Check flags of the inode, and the right to touch it. EPERM, EACCES."""
    if ia_valid & (ATTR_MODE | ATTR_UID | ATTR_GID | ATTR_TIMES_SET) and inode.i_flags & (S_IMMUTABLE | S_APPEND):
        raise KernelError(EPERM)
    if ia_valid & ATTR_TOUCH:
        if inode.i_flags & S_IMMUTABLE:
            raise KernelError(EPERM)
        if not inode_owner_or_capable(mnt_userns, inode):
            inode_permission(mnt_userns, inode, MAY_WRITE)


def _kill_privileges(inode: inode, attr: iattr) -> None:
    if attr.ia_valid & ATTR_KILL_SUID and inode.i_mode & S_ISUID:
        attr.ia_valid |= ATTR_MODE
        attr.ia_mode = inode.i_mode & ~S_ISUID
    if attr.ia_valid & ATTR_KILL_SGID and inode.i_mode & S_ISGID:
        if not attr.ia_valid & ATTR_MODE:
            attr.ia_valid |= ATTR_MODE
            attr.ia_mode = inode.i_mode
        attr.ia_mode &= ~S_ISGID


def notify_change(mnt_userns: user_namespace, dentry: dentry, attr: iattr) -> None:
    """Change attributes, checked. EPERM, EACCES, EFBIG, EINVAL; EOPNOTSUPP: the mode of a link."""
    inode = dentry.d_inode
    assert inode is not None
    may_setattr(mnt_userns, inode, attr.ia_valid)
    if attr.ia_valid & ATTR_MODE and inode.i_mode & S_IFMT == S_IFLNK:
        raise KernelError(EOPNOTSUPP)
    now = current_time(inode)
    attr.ia_ctime = now
    if not attr.ia_valid & ATTR_ATIME_SET:
        attr.ia_atime = now
    if not attr.ia_valid & ATTR_MTIME_SET:
        attr.ia_mtime = now
    _kill_privileges(inode, attr)
    if not attr.ia_valid & ~(ATTR_KILL_SUID | ATTR_KILL_SGID):
        return
    security_inode_setattr(mnt_userns, dentry, attr)
    if inode.i_op.setattr:
        inode.i_op.setattr(mnt_userns, dentry, attr)
    else:
        simple_setattr(mnt_userns, dentry, attr)


def simple_setattr(mnt_userns: user_namespace, dentry: dentry, attr: iattr) -> None:
    """setattr() that only changes the inode (fs/libfs.c)."""
    inode = dentry.d_inode
    assert inode is not None
    setattr_prepare(mnt_userns, dentry, attr)
    if attr.ia_valid & ATTR_SIZE:
        inode.i_size = attr.ia_size
    setattr_copy(mnt_userns, inode, attr)
