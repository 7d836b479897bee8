"""tmpfs: files in memory (mm/shmem.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EINVAL, ENAMETOOLONG, ENOSPC, ENOTEMPTY, EPERM
from kshell.abi.fcntl import F_SEAL_GROW, F_SEAL_SEAL, F_SEAL_SHRINK, RENAME_EXCHANGE, RENAME_NOREPLACE
from kshell.abi.stat import (
    S_IFDIR,
    S_IFLNK,
    S_IFMT,
    S_IFREG,
    STATX_ATTR_APPEND,
    STATX_ATTR_IMMUTABLE,
    STATX_ATTR_NODUMP,
    STATX_BTIME,
)
from kshell.linux.fs.attr import setattr_copy, setattr_prepare
from kshell.linux.fs.dcache import d_instantiate, dput
from kshell.linux.fs.inode import (
    clear_inode,
    current_time,
    drop_nlink,
    ihold,
    inc_nlink,
    inode_init_owner,
    inode_maybe_inc_iversion,
    new_inode,
)
from kshell.linux.fs.inode_special import init_special_inode
from kshell.linux.fs.libfs import noop_fsync, simple_empty, simple_get_link, simple_lookup, simple_rename_exchange
from kshell.linux.fs.libfs_dir import simple_dir_operations
from kshell.linux.fs.posix_acl import simple_acl_create
from kshell.linux.fs.splice_to_file import iter_file_splice_write
from kshell.linux.fs.splice_to_pipe import generic_file_splice_read
from kshell.linux.fs.stat import generic_fillattr
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fs import file_operations, inode, inode_operations
from kshell.linux.include.linux.fs_attr import ATTR_SIZE
from kshell.linux.include.linux.mm_types import PAGE_SIZE
from kshell.linux.include.linux.random import get_random_u32
from kshell.linux.mm.filemap import generic_file_write_iter
from kshell.linux.mm.shmem_data import (
    shmem_fallocate,
    shmem_file_llseek,
    shmem_file_read_iter,
    shmem_mmap,
    shmem_recalc_inode,
    shmem_truncate_range,
    shmem_undo_range,
)
from kshell.linux.mm.shmem_fs import BOGO_DIRENT_SIZE, SHMEM_I, SHMEM_SB, SHORT_SYMLINK_LEN
from kshell.linux.security.security import security_inode_init_security

if TYPE_CHECKING:
    from kshell.linux.include.linux.dcache import dentry
    from kshell.linux.include.linux.fs import file, super_block
    from kshell.linux.include.linux.fs_attr import iattr
    from kshell.linux.include.linux.path import path
    from kshell.linux.include.linux.sched import user_namespace
    from kshell.linux.include.linux.stat import kstat

END_OF_FILE = (1 << 63) - 1


def shmem_reserve_inode(sb: super_block) -> int:
    """Count an inode and give it a number. ENOSPC: too many."""
    sbinfo = SHMEM_SB(sb)
    if sbinfo.max_inodes:
        if not sbinfo.free_inodes:
            raise KernelError(ENOSPC)
        sbinfo.free_inodes -= 1
    sbinfo.next_ino += 1
    return sbinfo.next_ino


def shmem_free_inode(sb: super_block) -> None:
    """One inode less."""
    sbinfo = SHMEM_SB(sb)
    if sbinfo.max_inodes:
        sbinfo.free_inodes += 1


def shmem_get_inode(sb: super_block, dir: inode | None, mode: int, dev: int) -> inode:
    """A new inode in a directory. ENOSPC."""
    ino = shmem_reserve_inode(sb)
    inode = new_inode(sb)
    inode.i_ino = ino
    inode_init_owner(sb.s_user_ns, inode, dir, mode)
    inode.i_atime = inode.i_mtime = inode.i_ctime = current_time(inode)
    inode.i_generation = get_random_u32(sb.kernel)
    info = SHMEM_I(inode)
    info.seals = F_SEAL_SEAL
    info.i_crtime = inode.i_mtime
    kind = mode & S_IFMT
    if kind == S_IFREG:
        inode.i_op = shmem_inode_operations
        inode.i_fop = shmem_file_operations
    elif kind == S_IFDIR:
        inc_nlink(inode)
        inode.i_size = 2 * BOGO_DIRENT_SIZE
        inode.i_op = shmem_dir_inode_operations
        inode.i_fop = simple_dir_operations
    elif kind != S_IFLNK:
        inode.i_op = shmem_special_inode_operations
        init_special_inode(inode, mode, dev)
    return inode


def shmem_mknod(mnt_userns: user_namespace, dir: inode, dentry: dentry, mode: int, dev: int) -> None:
    """Make a file of any kind. ENOSPC."""
    inode = shmem_get_inode(dir.i_sb, dir, mode, dev)
    simple_acl_create(dir, inode)
    security_inode_init_security(inode, dir, dentry.d_name)
    _enter(dir, dentry, inode)


def _enter(dir: inode, dentry: dentry, inode: inode) -> None:
    dir.i_size += BOGO_DIRENT_SIZE
    dir.i_ctime = dir.i_mtime = current_time(dir)
    inode_maybe_inc_iversion(dir)
    d_instantiate(dentry, inode)
    dentry.d_lockref += 1


def shmem_tmpfile(mnt_userns: user_namespace, dir: inode, file: file, mode: int) -> None:
    """Make a regular file without a name (O_TMPFILE); the caller opens it."""
    inode = shmem_get_inode(dir.i_sb, dir, mode, 0)
    security_inode_init_security(inode, dir, None)
    simple_acl_create(dir, inode)
    inode.i_nlink = 0
    d_instantiate(file.f_path.dentry, inode)


def shmem_mkdir(mnt_userns: user_namespace, dir: inode, dentry: dentry, mode: int) -> None:
    """Make a directory. ENOSPC."""
    shmem_mknod(mnt_userns, dir, dentry, mode | S_IFDIR, 0)
    inc_nlink(dir)


def shmem_create(mnt_userns: user_namespace, dir: inode, dentry: dentry, mode: int, excl: bool) -> None:
    """Make a regular file. ENOSPC."""
    shmem_mknod(mnt_userns, dir, dentry, mode | S_IFREG, 0)


def shmem_link(old_dentry: dentry, dir: inode, dentry: dentry) -> None:
    """Give an inode another name. ENOSPC: a name counts as an inode."""
    inode = old_dentry.d_inode
    assert inode is not None
    if inode.i_nlink:
        shmem_reserve_inode(inode.i_sb)
        SHMEM_SB(inode.i_sb).next_ino -= 1
    inode.i_ctime = current_time(inode)
    inc_nlink(inode)
    ihold(inode)
    _enter(dir, dentry, inode)


def shmem_unlink(dir: inode, dentry: dentry) -> None:
    """Take a name away."""
    inode = dentry.d_inode
    assert inode is not None
    if inode.i_nlink > 1 and inode.i_mode & S_IFMT != S_IFDIR:
        shmem_free_inode(inode.i_sb)
    dir.i_size -= BOGO_DIRENT_SIZE
    inode.i_ctime = dir.i_ctime = dir.i_mtime = current_time(inode)
    inode_maybe_inc_iversion(dir)
    drop_nlink(inode)
    dput(dentry)


def shmem_rmdir(dir: inode, dentry: dentry) -> None:
    """Remove an empty directory. ENOTEMPTY."""
    if not simple_empty(dentry):
        raise KernelError(ENOTEMPTY)
    assert dentry.d_inode is not None
    drop_nlink(dentry.d_inode)
    drop_nlink(dir)
    shmem_unlink(dir, dentry)


def shmem_rename2(
    mnt_userns: user_namespace,
    old_dir: inode,
    old_dentry: dentry,
    new_dir: inode,
    new_dentry: dentry,
    flags: int,
) -> None:
    """Move a name. EINVAL, ENOTEMPTY."""
    if flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE):
        raise KernelError(EINVAL)
    if flags & RENAME_EXCHANGE:
        simple_rename_exchange(old_dir, old_dentry, new_dir, new_dentry)
        return
    if not simple_empty(new_dentry):
        raise KernelError(ENOTEMPTY)
    inode = old_dentry.d_inode
    assert inode is not None
    they_are_dirs = inode.i_mode & S_IFMT == S_IFDIR
    target = new_dentry.d_inode
    if target is not None:
        shmem_unlink(new_dir, new_dentry)
        if they_are_dirs:
            drop_nlink(target)
            drop_nlink(old_dir)
    elif they_are_dirs:
        drop_nlink(old_dir)
        inc_nlink(new_dir)
    old_dir.i_size -= BOGO_DIRENT_SIZE
    new_dir.i_size += BOGO_DIRENT_SIZE
    old_dir.i_ctime = old_dir.i_mtime = new_dir.i_ctime = new_dir.i_mtime = inode.i_ctime = current_time(old_dir)
    inode_maybe_inc_iversion(old_dir)
    inode_maybe_inc_iversion(new_dir)


def shmem_symlink(mnt_userns: user_namespace, dir: inode, dentry: dentry, symname: bytes) -> None:
    """Make a symbolic link. ENAMETOOLONG, ENOSPC."""
    if len(symname) + 1 > PAGE_SIZE:
        raise KernelError(ENAMETOOLONG)
    inode = shmem_get_inode(dir.i_sb, dir, S_IFLNK | 0o777, 0)
    security_inode_init_security(inode, dir, dentry.d_name)
    inode.i_size = len(symname)
    inode.i_link = symname
    short = len(symname) + 1 <= SHORT_SYMLINK_LEN
    inode.i_op = shmem_short_symlink_operations if short else shmem_symlink_inode_operations
    _enter(dir, dentry, inode)


def shmem_get_link(dentry: dentry | None, inode: inode, done: object) -> bytes | None:
    """The text of a link that fills a page of its own."""
    return inode.i_link


def shmem_setattr(mnt_userns: user_namespace, dentry: dentry, attr: iattr) -> None:
    """Change attributes, the size included. EPERM: not allowed, or sealed; EFBIG."""
    inode = dentry.d_inode
    assert inode is not None
    setattr_prepare(mnt_userns, dentry, attr)
    update_mtime, update_ctime = False, True
    if inode.i_mode & S_IFMT == S_IFREG and attr.ia_valid & ATTR_SIZE:
        oldsize = inode.i_size
        newsize = attr.ia_size
        seals = SHMEM_I(inode).seals
        if (newsize < oldsize and seals & F_SEAL_SHRINK) or (newsize > oldsize and seals & F_SEAL_GROW):
            raise KernelError(EPERM)
        update_mtime = update_ctime = newsize != oldsize
        inode.i_size = newsize
        if newsize <= oldsize and SHMEM_I(inode).alloced:
            shmem_truncate_range(inode, newsize, END_OF_FILE)
    setattr_copy(mnt_userns, inode, attr)
    if update_ctime:
        inode.i_ctime = current_time(inode)
        if update_mtime:
            inode.i_mtime = inode.i_ctime
        inode_maybe_inc_iversion(inode)


def shmem_getattr(
    mnt_userns: user_namespace, path: path, stat: kstat, request_mask: int, query_flags: int
) -> None:
    """Attributes, the time of birth among them."""
    inode = path.dentry.d_inode
    assert inode is not None
    shmem_recalc_inode(inode)
    stat.attributes_mask |= STATX_ATTR_APPEND | STATX_ATTR_IMMUTABLE | STATX_ATTR_NODUMP
    generic_fillattr(mnt_userns, inode, stat)
    if request_mask & STATX_BTIME:
        stat.result_mask |= STATX_BTIME
        stat.btime = SHMEM_I(inode).i_crtime


def shmem_evict_inode(inode: inode) -> None:
    """The inode goes: so do its contents and its count."""
    if SHMEM_I(inode).alloced:
        shmem_undo_range(inode, 0, END_OF_FILE)
    inode_maybe_inc_iversion(inode)
    shmem_free_inode(inode.i_sb)
    clear_inode(inode)


shmem_file_operations = file_operations(
    llseek=shmem_file_llseek,
    read_iter=shmem_file_read_iter,
    write_iter=generic_file_write_iter,
    mmap=shmem_mmap,
    fsync=noop_fsync,
    splice_read=generic_file_splice_read,
    splice_write=iter_file_splice_write,
    fallocate=shmem_fallocate,
)
shmem_inode_operations = inode_operations(getattr=shmem_getattr, setattr=shmem_setattr)
shmem_dir_inode_operations = inode_operations(
    getattr=shmem_getattr,
    create=shmem_create,
    lookup=simple_lookup,
    link=shmem_link,
    unlink=shmem_unlink,
    symlink=shmem_symlink,
    mkdir=shmem_mkdir,
    rmdir=shmem_rmdir,
    mknod=shmem_mknod,
    rename=shmem_rename2,
    tmpfile=shmem_tmpfile,
    setattr=shmem_setattr,
)
shmem_special_inode_operations = inode_operations(getattr=shmem_getattr, setattr=shmem_setattr)
shmem_short_symlink_operations = inode_operations(
    getattr=shmem_getattr, setattr=shmem_setattr, get_link=simple_get_link
)
shmem_symlink_inode_operations = inode_operations(
    getattr=shmem_getattr, setattr=shmem_setattr, get_link=shmem_get_link
)
