"""Who may do what to an inode (fs/namei.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.capability import CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER
from kshell.abi.errno import EACCES, EPERM, EROFS
from kshell.abi.stat import S_IFDIR, S_IFLNK, S_IFMT, S_IFREG, S_ISVTX, S_IXUGO
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fs import MAY_EXEC, MAY_READ, MAY_WRITE, S_IMMUTABLE, SB_RDONLY
from kshell.linux.kernel.capability import ns_capable
from kshell.linux.security.security import security_inode_permission

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import inode, super_block
    from kshell.linux.include.linux.sched import user_namespace


def capable_wrt_inode_uidgid(mnt_userns: user_namespace, inode: inode, cap: int) -> bool:
    """Whether current has the capability towards the inode."""
    return ns_capable(inode.i_sb.kernel.current, mnt_userns, cap)


def acl_permission_check(mnt_userns: user_namespace, inode: inode, mask: int) -> bool:
    """Whether the mode allows it: the owner's bits, or the group's, or the others'."""
    mode = inode.i_mode
    cred = inode.i_sb.kernel.current.cred
    if cred.fsuid == inode.i_uid:
        return not mask & 7 & ~(mode >> 6)
    if (mode >> 3 ^ mode) & 7 and (inode.i_gid == cred.fsgid or inode.i_gid in cred.group_info):
        mode >>= 3
    return not mask & 7 & ~mode


def generic_permission(mnt_userns: user_namespace, inode: inode, mask: int) -> None:
    """Check by mode, then by capability. EACCES."""
    if acl_permission_check(mnt_userns, inode, mask):
        return
    mask &= MAY_READ | MAY_WRITE | MAY_EXEC
    current = inode.i_sb.kernel.current
    if inode.i_mode & S_IFMT == S_IFDIR:
        if not mask & MAY_WRITE and ns_capable(current, mnt_userns, CAP_DAC_READ_SEARCH):
            return
        if ns_capable(current, mnt_userns, CAP_DAC_OVERRIDE):
            return
        raise KernelError(EACCES)
    if mask == MAY_READ and ns_capable(current, mnt_userns, CAP_DAC_READ_SEARCH):
        return
    executable = not mask & MAY_EXEC or inode.i_mode & S_IXUGO
    if not executable or not ns_capable(current, mnt_userns, CAP_DAC_OVERRIDE):
        raise KernelError(EACCES)


def do_inode_permission(mnt_userns: user_namespace, inode: inode, mask: int) -> None:
    """Check by the file system's own rule, or by the general one. EACCES."""
    permission = inode.i_op.permission
    if permission:
        permission(mnt_userns, inode, mask)
    else:
        generic_permission(mnt_userns, inode, mask)


def sb_permission(sb: super_block, inode: inode, mask: int) -> None:
    """EROFS: writing to a file of a file system that is read-only."""
    if mask & MAY_WRITE and sb.s_flags & SB_RDONLY and inode.i_mode & S_IFMT in (S_IFREG, S_IFDIR, S_IFLNK):
        raise KernelError(EROFS)


def inode_permission(mnt_userns: user_namespace, inode: inode, mask: int) -> None:
    """Check what a task may do to an inode. EACCES, EROFS; EPERM: the inode is immutable."""
    sb_permission(inode.i_sb, inode, mask)
    if mask & MAY_WRITE and inode.i_flags & S_IMMUTABLE:
        raise KernelError(EPERM)
    do_inode_permission(mnt_userns, inode, mask)
    security_inode_permission(inode, mask)


def __check_sticky(mnt_userns: user_namespace, dir: inode, inode: inode) -> bool:
    """Whether a sticky directory forbids current to remove the inode's name."""
    fsuid = dir.i_sb.kernel.current.cred.fsuid
    if fsuid in (inode.i_uid, dir.i_uid):
        return False
    return not capable_wrt_inode_uidgid(mnt_userns, inode, CAP_FOWNER)


def check_sticky(mnt_userns: user_namespace, dir: inode, inode: inode) -> bool:
    """As __check_sticky(), for any directory."""
    return bool(dir.i_mode & S_ISVTX) and __check_sticky(mnt_userns, dir, inode)
