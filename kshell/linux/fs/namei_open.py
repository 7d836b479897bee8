"""The last step of open(): find or make the file, and open it (fs/namei.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import (
    EACCES,
    ECHILD,
    EEXIST,
    EISDIR,
    ELOOP,
    ENOENT,
    ENOTDIR,
    EOPNOTSUPP,
    EPERM,
    EROFS,
)
from kshell.abi.fcntl import (
    __O_TMPFILE,
    O_ACCMODE,
    O_APPEND,
    O_CREAT,
    O_EXCL,
    O_NOATIME,
    O_PATH,
    O_RDWR,
    O_TRUNC,
    O_WRONLY,
)
from kshell.abi.stat import (
    S_IFBLK,
    S_IFCHR,
    S_IFDIR,
    S_IFIFO,
    S_IFLNK,
    S_IFMT,
    S_IFREG,
    S_IFSOCK,
    S_ISVTX,
)
from kshell.linux.fs.attr import notify_change
from kshell.linux.fs.dcache import d_alloc, d_lookup, dput
from kshell.linux.fs.file_table import alloc_empty_file, fput
from kshell.linux.fs.inode import inode_owner_or_capable
from kshell.linux.fs.namei import path_lookupat
from kshell.linux.fs.namei_nd import (
    complete_walk,
    nameidata,
    path_init,
    restore_nameidata,
    terminate_walk,
    try_to_unlazy,
)
from kshell.linux.fs.namei_path import path_put
from kshell.linux.fs.namei_permission import inode_permission
from kshell.linux.fs.namei_vfs import vfs_prepare_mode
from kshell.linux.fs.namei_walk import (
    WALK_TRAILING,
    _lookup,
    d_alloc_parallel,
    handle_dots,
    link_path_walk,
    lookup_fast,
    put_link,
    step_into,
)
from kshell.linux.fs.namespace import mnt_drop_write, mnt_want_write
from kshell.linux.fs.open_file import finish_open, get_write_access, put_write_access, vfs_open
from kshell.linux.include.linux.dcache import SLASH_NAME, d_can_lookup, d_is_dir, qstr
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fs import FMODE_CREATED, I_LINKABLE, MAY_EXEC, MAY_OPEN, MAY_WRITE, S_APPEND, S_DEAD
from kshell.linux.include.linux.fs_attr import ATTR_CTIME, ATTR_FILE, ATTR_MTIME, ATTR_OPEN, ATTR_SIZE, iattr
from kshell.linux.include.linux.fs_ops import FMODE_OPENED
from kshell.linux.include.linux.mount import MNT_NODEV, MNT_NOEXEC
from kshell.linux.include.linux.namei import (
    LAST_NORM,
    LOOKUP_CREATE,
    LOOKUP_DIRECTORY,
    LOOKUP_EXCL,
    LOOKUP_FOLLOW,
    LOOKUP_OPEN,
    LOOKUP_RCU,
)
from kshell.linux.include.linux.path import path
from kshell.linux.security.security import security_inode_create, security_path_mknod, security_path_truncate

if TYPE_CHECKING:
    from kshell.linux.fs.internal import open_flags
    from kshell.linux.include.linux.dcache import dentry
    from kshell.linux.include.linux.fs import file, filename, inode
    from kshell.linux.include.linux.sched import task_struct, user_namespace


def may_open_dev(place: path) -> bool:
    """Whether device nodes work on the mount."""
    return not place.mnt.mnt_flags & MNT_NODEV


def may_open(mnt_userns: user_namespace, place: path, acc_mode: int, flag: int) -> None:
    """Check that a file may be opened so. ELOOP, EISDIR, EACCES, EPERM, EROFS."""
    inode = place.dentry.d_inode
    if inode is None:
        raise KernelError(ENOENT)
    kind = inode.i_mode & S_IFMT
    if kind == S_IFLNK:
        raise KernelError(ELOOP)
    if kind == S_IFDIR:
        if acc_mode & MAY_WRITE:
            raise KernelError(EISDIR)
        if acc_mode & MAY_EXEC:
            raise KernelError(EACCES)
    elif kind in (S_IFBLK, S_IFCHR, S_IFIFO, S_IFSOCK):
        if acc_mode & MAY_EXEC or (kind in (S_IFBLK, S_IFCHR) and not may_open_dev(place)):
            raise KernelError(EACCES)
        flag &= ~O_TRUNC
    elif acc_mode & MAY_EXEC and place.mnt.mnt_flags & MNT_NOEXEC:
        raise KernelError(EACCES)
    inode_permission(mnt_userns, inode, MAY_OPEN | acc_mode)
    if inode.i_flags & S_APPEND and (
        (flag & O_ACCMODE and not flag & O_APPEND) or flag & O_TRUNC
    ):
        raise KernelError(EPERM)
    if flag & O_NOATIME and not inode_owner_or_capable(mnt_userns, inode):
        raise KernelError(EPERM)


def handle_truncate(mnt_userns: user_namespace, filp: file) -> None:
    """O_TRUNC. ETXTBSY, and what notify_change() raises."""
    inode = filp.f_path.dentry.d_inode
    assert inode is not None
    get_write_access(inode)
    try:
        security_path_truncate(filp.f_path)
        do_truncate(mnt_userns, filp.f_path.dentry, 0, ATTR_MTIME | ATTR_CTIME | ATTR_OPEN, filp)
    finally:
        put_write_access(inode)


def do_truncate(
    mnt_userns: user_namespace, dentry: dentry, length: int, time_attrs: int, filp: file | None
) -> None:
    """Set the size (fs/open.c). EINVAL: negative; EPERM, EFBIG."""
    attrs = iattr(ATTR_SIZE | time_attrs)
    attrs.ia_size = length
    if filp is not None:
        attrs.ia_file = filp
        attrs.ia_valid |= ATTR_FILE
    notify_change(mnt_userns, dentry, attrs)


def may_create_in_sticky(nd: nameidata, inode: inode) -> None:
    """fs.protected_fifos, fs.protected_regular: O_CREAT of others' files in sticky directories. EACCES."""
    kernel = nd._current.kernel
    kind = inode.i_mode & S_IFMT
    level = {S_IFIFO: kernel.sysctl_protected_fifos, S_IFREG: kernel.sysctl_protected_regular}.get(kind, 1)
    if not level or not nd.dir_mode & S_ISVTX or inode.i_uid in (nd.dir_uid, nd._current.cred.fsuid):
        return
    if nd.dir_mode & 0o002 or (nd.dir_mode & 0o020 and level >= 2):
        raise KernelError(EACCES)


def may_o_create(mnt_userns: user_namespace, dir: path, dentry: dentry, mode: int) -> None:
    """Check that open() may make the file. EACCES."""
    security_path_mknod(dir, dentry, mode, 0)
    inode = dir.dentry.d_inode
    assert inode is not None
    inode_permission(mnt_userns, inode, MAY_WRITE | MAY_EXEC)
    security_inode_create(inode, dentry, mode)


def lookup_open(nd: nameidata, f: file, op: open_flags, got_write: bool) -> dentry:
    """Find the last component, or make the file (FMODE_CREATED). ENOENT, EACCES, EROFS."""
    dir = nd.path.dentry
    dir_inode = dir.d_inode
    assert dir_inode is not None
    if dir_inode.i_flags & S_DEAD:
        raise KernelError(ENOENT)
    open_flag = op.open_flag
    f.f_mode &= ~FMODE_CREATED
    dentry = d_lookup(dir, nd.last)
    if dentry is None:
        dentry = _lookup(dir, d_alloc_parallel(dir, nd.last), nd.flags)
    if dentry.d_inode is not None or not open_flag & O_CREAT:
        return dentry
    mnt_userns = nd.path.mnt.mnt_userns
    try:
        mode = vfs_prepare_mode(mnt_userns, dir_inode, op.mode, op.mode, op.mode)
        if not got_write:
            raise KernelError(EROFS)
        may_o_create(mnt_userns, nd.path, dentry, mode)
        if not dir_inode.i_op.create:
            raise KernelError(EACCES)
        dir_inode.i_op.create(mnt_userns, dir_inode, dentry, mode, bool(open_flag & O_EXCL))
    except KernelError:
        dput(dentry)
        raise
    f.f_mode |= FMODE_CREATED
    return dentry


def open_last_lookups(nd: nameidata, f: file, op: open_flags) -> bytes | None:
    """Go to the last component, made if wanted; the text of the link it is. EISDIR: slashes follow."""
    open_flag = op.open_flag
    nd.flags |= op.intent
    if nd.last_type != LAST_NORM:
        if nd.depth:
            put_link(nd)
        return handle_dots(nd, nd.last_type)
    dentry = None
    if not open_flag & O_CREAT:
        if nd._trailing:
            nd.flags |= LOOKUP_FOLLOW | LOOKUP_DIRECTORY
        dentry = lookup_fast(nd)
    else:
        if nd.flags & LOOKUP_RCU:
            try_to_unlazy(nd)
        if nd._trailing:
            raise KernelError(EISDIR)
    if dentry is None:
        dentry = _lookup_for_write(nd, f, op)
        if f.f_mode & (FMODE_OPENED | FMODE_CREATED):
            dput(nd.path.dentry)
            nd.path.dentry = dentry
            return None
    if nd.depth:
        put_link(nd)
    link = step_into(nd, WALK_TRAILING, dentry)
    if link:
        nd.flags &= ~(LOOKUP_OPEN | LOOKUP_CREATE | LOOKUP_EXCL)
    return link


def _lookup_for_write(nd: nameidata, f: file, op: open_flags) -> dentry:
    got_write = False
    if op.open_flag & (O_CREAT | O_TRUNC | O_WRONLY | O_RDWR):
        try:
            mnt_want_write(nd.path.mnt)
            got_write = True
        except KernelError:
            pass
    try:
        return lookup_open(nd, f, op, got_write)
    finally:
        if got_write:
            mnt_drop_write(nd.path.mnt)


async def do_open(nd: nameidata, f: file, op: open_flags) -> None:
    """The file is found: check and open it. EEXIST, EISDIR, ENOTDIR, EACCES. May sleep (fifo)."""
    open_flag = op.open_flag
    if not f.f_mode & (FMODE_OPENED | FMODE_CREATED):
        complete_walk(nd)
    dentry = nd.path.dentry
    inode = dentry.d_inode
    assert inode is not None
    if open_flag & O_CREAT:
        if open_flag & O_EXCL and not f.f_mode & FMODE_CREATED:
            raise KernelError(EEXIST)
        if d_is_dir(dentry):
            raise KernelError(EISDIR)
        if not f.f_mode & FMODE_CREATED:
            may_create_in_sticky(nd, inode)
    if nd.flags & LOOKUP_DIRECTORY and not d_can_lookup(dentry):
        raise KernelError(ENOTDIR)
    truncate = False
    acc_mode = op.acc_mode
    if f.f_mode & FMODE_CREATED:
        open_flag &= ~O_TRUNC
        acc_mode = 0
    elif inode.i_mode & S_IFMT == S_IFREG and open_flag & O_TRUNC:
        mnt_want_write(nd.path.mnt)
        truncate = True
    mnt = nd.path.mnt
    try:
        may_open(mnt.mnt_userns, nd.path, acc_mode, open_flag)
        await vfs_open(nd.path, f)
        if truncate:
            handle_truncate(mnt.mnt_userns, f)
    finally:
        if truncate:
            mnt_drop_write(mnt)


async def vfs_tmpfile(mnt_userns: user_namespace, parentpath: path, f: file, mode: int) -> None:
    """Make and open a file without a name (O_TMPFILE). EOPNOTSUPP: the file system cannot."""
    dir = parentpath.dentry.d_inode
    assert dir is not None
    inode_permission(mnt_userns, dir, MAY_WRITE | MAY_EXEC)
    if not dir.i_op.tmpfile:
        raise KernelError(EOPNOTSUPP)
    child = d_alloc(parentpath.dentry, SLASH_NAME)
    try:
        f.f_path = path(parentpath.mnt, child)
        mode = vfs_prepare_mode(mnt_userns, dir, mode, mode, mode)
        dir.i_op.tmpfile(mnt_userns, dir, f, mode)
        inode = child.d_inode
        assert inode is not None
        child.d_name = qstr(b"#%d" % inode.i_ino)
        await finish_open(f, child, None)
    finally:
        dput(child)
    may_open(mnt_userns, f.f_path, 0, f.f_flags)
    if not f.f_flags & O_EXCL:
        inode.i_state |= I_LINKABLE


async def do_tmpfile(nd: nameidata, flags: int, op: open_flags, f: file) -> None:
    """O_TMPFILE."""
    place = path_lookupat(nd, flags | LOOKUP_DIRECTORY)
    try:
        mnt_want_write(place.mnt)
        try:
            await vfs_tmpfile(place.mnt.mnt_userns, place, f, op.mode)
        finally:
            mnt_drop_write(place.mnt)
    finally:
        path_put(place)


async def do_o_path(nd: nameidata, flags: int, f: file) -> None:
    """O_PATH: only hold on to the place."""
    place = path_lookupat(nd, flags)
    try:
        await vfs_open(place, f)
    finally:
        path_put(place)


async def path_openat(nd: nameidata, op: open_flags, flags: int) -> file:
    """Walk and open. ECHILD: not in RCU mode."""
    current = nd._current
    f = alloc_empty_file(current.kernel, op.open_flag, current.cred)
    try:
        if f.f_flags & __O_TMPFILE:
            await do_tmpfile(nd, flags, op, f)
        elif f.f_flags & O_PATH:
            await do_o_path(nd, flags, f)
        else:
            s: bytes | None = path_init(nd, flags)
            try:
                while s is not None:
                    link_path_walk(s, nd)
                    s = open_last_lookups(nd, f, op)
                await do_open(nd, f, op)
            finally:
                terminate_walk(nd)
    except KernelError:
        fput(f)
        raise
    return f


async def do_filp_open(current: task_struct, dfd: int, pathname: filename, op: open_flags) -> file:
    """Open the file of a name. All the errors of a walk, and of the file's open()."""
    nd = nameidata(current, dfd, pathname)
    try:
        try:
            return await path_openat(nd, op, op.lookup_flags | LOOKUP_RCU)
        except KernelError as error:
            if error.errno != ECHILD:
                raise
        return await path_openat(nd, op, op.lookup_flags)
    finally:
        restore_nameidata(nd)
