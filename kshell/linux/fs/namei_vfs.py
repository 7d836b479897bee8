"""Making and removing names, checked (fs/namei.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.capability import CAP_MKNOD
from kshell.abi.errno import EACCES, EBUSY, EEXIST, EISDIR, EMLINK, ENOENT, ENOTDIR, EPERM, EXDEV
from kshell.abi.fcntl import RENAME_EXCHANGE
from kshell.abi.stat import S_IALLUGO, S_IFBLK, S_IFCHR, S_IFDIR, S_IFMT, S_IFREG, S_IRWXUGO, S_ISVTX
from kshell.linux.fs.dcache import __d_drop, d_delete, d_exchange, d_move, dput
from kshell.linux.fs.dcache_shrink import shrink_dcache_parent
from kshell.linux.fs.inode import ihold, iput, mode_strip_sgid
from kshell.linux.fs.namei_permission import check_sticky, inode_permission
from kshell.linux.fs.namespace import is_local_mountpoint
from kshell.linux.include.linux.dcache import IS_ROOT, d_is_dir, d_is_negative, dget, dont_mount
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fs import (
    FS_RENAME_DOES_D_MOVE,
    I_LINKABLE,
    MAY_EXEC,
    MAY_WRITE,
    S_APPEND,
    S_DEAD,
    S_IMMUTABLE,
    SB_POSIXACL,
)
from kshell.linux.kernel.capability import capable
from kshell.linux.security.security import (
    security_inode_create,
    security_inode_link,
    security_inode_mkdir,
    security_inode_mknod,
    security_inode_rename,
    security_inode_rmdir,
    security_inode_symlink,
    security_inode_unlink,
)

if TYPE_CHECKING:
    from kshell.linux.include.linux.dcache import dentry
    from kshell.linux.include.linux.fs import inode
    from kshell.linux.include.linux.sched import user_namespace

WHITEOUT_DEV = 0


def may_create(mnt_userns: user_namespace, dir: inode, child: dentry) -> None:
    """Check that a name can be made. EEXIST, ENOENT, EACCES."""
    if child.d_inode is not None:
        raise KernelError(EEXIST)
    if dir.i_flags & S_DEAD:
        raise KernelError(ENOENT)
    inode_permission(mnt_userns, dir, MAY_WRITE | MAY_EXEC)


def may_delete(mnt_userns: user_namespace, dir: inode, victim: dentry, isdir: bool) -> None:
    """Check that a name can be removed. ENOENT, EACCES, EPERM, ENOTDIR, EISDIR, EBUSY."""
    inode = victim.d_inode
    if d_is_negative(victim) or inode is None:
        raise KernelError(ENOENT)
    inode_permission(mnt_userns, dir, MAY_WRITE | MAY_EXEC)
    if dir.i_flags & S_APPEND or check_sticky(mnt_userns, dir, inode) or inode.i_flags & (S_APPEND | S_IMMUTABLE):
        raise KernelError(EPERM)
    if isdir:
        if not d_is_dir(victim):
            raise KernelError(ENOTDIR)
        if IS_ROOT(victim):
            raise KernelError(EBUSY)
    elif d_is_dir(victim):
        raise KernelError(EISDIR)
    if dir.i_flags & S_DEAD:
        raise KernelError(ENOENT)


def vfs_prepare_mode(mnt_userns: user_namespace, dir: inode, mode: int, mask_perms: int, type: int) -> int:
    """The mode that a new file begins with; the umask is taken off here unless the file system does."""
    mode = mode_strip_sgid(mnt_userns, dir, mode)
    if not dir.i_sb.s_flags & SB_POSIXACL:
        mode &= ~dir.i_sb.kernel.current.fs.umask
    return mode & (mask_perms & ~S_IFMT) | type


def vfs_create(mnt_userns: user_namespace, dir: inode, dentry: dentry, mode: int, want_excl: bool) -> None:
    """Make a regular file. EEXIST, ENOENT, EACCES, ENOSPC."""
    may_create(mnt_userns, dir, dentry)
    if not dir.i_op.create:
        raise KernelError(EACCES)
    mode = vfs_prepare_mode(mnt_userns, dir, mode, S_IALLUGO, S_IFREG)
    security_inode_create(dir, dentry, mode)
    dir.i_op.create(mnt_userns, dir, dentry, mode, want_excl)


def vfs_mknod(mnt_userns: user_namespace, dir: inode, dentry: dentry, mode: int, dev: int) -> None:
    """Make a device, fifo or socket. EPERM: a device without CAP_MKNOD, or the file system has none."""
    is_whiteout = mode & S_IFMT == S_IFCHR and dev == WHITEOUT_DEV
    may_create(mnt_userns, dir, dentry)
    is_device = mode & S_IFMT in (S_IFCHR, S_IFBLK) and not is_whiteout
    if is_device and not capable(dir.i_sb.kernel.current, CAP_MKNOD):
        raise KernelError(EPERM)
    if not dir.i_op.mknod:
        raise KernelError(EPERM)
    mode = vfs_prepare_mode(mnt_userns, dir, mode, mode, mode & S_IFMT)
    security_inode_mknod(dir, dentry, mode, dev)
    dir.i_op.mknod(mnt_userns, dir, dentry, mode, dev)


def vfs_mkdir(mnt_userns: user_namespace, dir: inode, dentry: dentry, mode: int) -> None:
    """Make a directory. EEXIST, ENOENT, EACCES, EPERM, ENOSPC."""
    may_create(mnt_userns, dir, dentry)
    if not dir.i_op.mkdir:
        raise KernelError(EPERM)
    mode = vfs_prepare_mode(mnt_userns, dir, mode, S_IRWXUGO | S_ISVTX, 0)
    security_inode_mkdir(dir, dentry, mode)
    dir.i_op.mkdir(mnt_userns, dir, dentry, mode)


def vfs_rmdir(mnt_userns: user_namespace, dir: inode, dentry: dentry) -> None:
    """Remove an empty directory. ENOTEMPTY, EBUSY, and what may_delete() raises."""
    may_delete(mnt_userns, dir, dentry, True)
    if not dir.i_op.rmdir:
        raise KernelError(EPERM)
    dget(dentry)
    try:
        if is_local_mountpoint(dentry):
            raise KernelError(EBUSY)
        security_inode_rmdir(dir, dentry)
        dir.i_op.rmdir(dir, dentry)
        shrink_dcache_parent(dentry)
        assert dentry.d_inode is not None
        dentry.d_inode.i_flags |= S_DEAD
        dont_mount(dentry)
    finally:
        dput(dentry)
    d_delete_notify(dentry)


def d_delete_notify(dentry: dentry) -> None:
    """Take a removed name out of the cache (include/linux/fsnotify.h)."""
    inode = dentry.d_inode
    assert inode is not None
    ihold(inode)
    d_delete(dentry)
    iput(inode)


def vfs_unlink(mnt_userns: user_namespace, dir: inode, dentry: dentry) -> None:
    """Remove a name that is not a directory. EBUSY, and what may_delete() raises."""
    may_delete(mnt_userns, dir, dentry, False)
    if not dir.i_op.unlink:
        raise KernelError(EPERM)
    if is_local_mountpoint(dentry):
        raise KernelError(EBUSY)
    security_inode_unlink(dir, dentry)
    dir.i_op.unlink(dir, dentry)
    dont_mount(dentry)
    inode = dentry.d_inode
    assert inode is not None
    ihold(inode)
    d_delete(dentry)
    iput(inode)


def vfs_symlink(mnt_userns: user_namespace, dir: inode, dentry: dentry, oldname: bytes) -> None:
    """Make a symbolic link. EEXIST, ENOENT, EACCES, EPERM, ENAMETOOLONG."""
    may_create(mnt_userns, dir, dentry)
    if not dir.i_op.symlink:
        raise KernelError(EPERM)
    security_inode_symlink(dir, dentry, oldname)
    dir.i_op.symlink(mnt_userns, dir, dentry, oldname)


def vfs_link(old_dentry: dentry, mnt_userns: user_namespace, dir: inode, new_dentry: dentry) -> None:
    """Give a file another name. ENOENT, EXDEV, EPERM (a directory), EMLINK."""
    inode = old_dentry.d_inode
    if inode is None:
        raise KernelError(ENOENT)
    may_create(mnt_userns, dir, new_dentry)
    if dir.i_sb is not inode.i_sb:
        raise KernelError(EXDEV)
    if inode.i_flags & (S_APPEND | S_IMMUTABLE) or not dir.i_op.link or inode.i_mode & S_IFMT == S_IFDIR:
        raise KernelError(EPERM)
    security_inode_link(old_dentry, dir, new_dentry)
    if inode.i_nlink == 0 and not inode.i_state & I_LINKABLE:
        raise KernelError(ENOENT)
    if inode.i_nlink >= 0xFFFFFFFF:
        raise KernelError(EMLINK)
    dir.i_op.link(old_dentry, dir, new_dentry)
    inode.i_state &= ~I_LINKABLE


def vfs_rename(
    mnt_userns: user_namespace,
    old_dir: inode,
    old_dentry: dentry,
    new_dir: inode,
    new_dentry: dentry,
    flags: int,
) -> None:
    """Move a name, onto another perhaps. What may_delete() and may_create() raise; EBUSY, ENOTEMPTY."""
    source, target = old_dentry.d_inode, new_dentry.d_inode
    if source is target:
        return
    is_dir, new_is_dir = d_is_dir(old_dentry), d_is_dir(new_dentry)
    may_delete(mnt_userns, old_dir, old_dentry, is_dir)
    assert source is not None
    if target is None:
        may_create(mnt_userns, new_dir, new_dentry)
    else:
        may_delete(mnt_userns, new_dir, new_dentry, new_is_dir if flags & RENAME_EXCHANGE else is_dir)
    if not old_dir.i_op.rename:
        raise KernelError(EPERM)
    if new_dir is not old_dir:
        if is_dir:
            inode_permission(mnt_userns, source, MAY_WRITE)
        if flags & RENAME_EXCHANGE and new_is_dir:
            assert target is not None
            inode_permission(mnt_userns, target, MAY_WRITE)
    security_inode_rename(old_dir, old_dentry, new_dir, new_dentry, flags)
    dget(new_dentry)
    try:
        _rename(mnt_userns, old_dir, old_dentry, new_dir, new_dentry, flags)
    finally:
        dput(new_dentry)


def _rename(
    mnt_userns: user_namespace,
    old_dir: inode,
    old_dentry: dentry,
    new_dir: inode,
    new_dentry: dentry,
    flags: int,
) -> None:
    if is_local_mountpoint(old_dentry) or is_local_mountpoint(new_dentry):
        raise KernelError(EBUSY)
    target = new_dentry.d_inode
    rename = old_dir.i_op.rename
    assert rename is not None
    rename(mnt_userns, old_dir, old_dentry, new_dir, new_dentry, flags)
    if not flags & RENAME_EXCHANGE and target is not None:
        if d_is_dir(old_dentry):
            shrink_dcache_parent(new_dentry)
            target.i_flags |= S_DEAD
        dont_mount(new_dentry)
    if not old_dir.i_sb.s_type.fs_flags & FS_RENAME_DOES_D_MOVE:
        if flags & RENAME_EXCHANGE:
            d_exchange(old_dentry, new_dentry)
        else:
            d_move(old_dentry, new_dentry)
            __d_drop(new_dentry)
