"""Parts that file systems in memory are made of (fs/libfs.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EISDIR, ENAMETOOLONG
from kshell.abi.resource import NAME_MAX
from kshell.abi.stat import S_IFDIR, S_IFMT, S_IRUSR, S_IWUSR
from kshell.linux.fs.dcache import always_delete_dentry, d_add, d_make_root, d_set_d_op
from kshell.linux.fs.inode import (
    current_time,
    drop_nlink,
    get_next_ino,
    inc_nlink,
    new_inode,
    new_inode_pseudo,
)
from kshell.linux.fs.super import get_tree_nodev
from kshell.linux.include.linux.dcache import dentry, dentry_operations
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fs import (
    MAX_LFS_FILESIZE,
    S_PRIVATE,
    SB_NOUSER,
    file,
    inode,
    super_operations,
)
from kshell.linux.include.linux.fs_context import fs_context, fs_context_operations
from kshell.linux.include.linux.mm_types import PAGE_SIZE
from kshell.linux.include.linux.pseudo_fs import pseudo_fs_context

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import super_block
    from kshell.linux.include.linux.fs_ops import Ppos
    from kshell.linux.include.linux.statfs import kstatfs


def simple_statfs(dentry: dentry, buf: kstatfs) -> None:
    """statfs() of a file system without limits."""
    buf.f_fsid = dentry.d_sb.s_dev
    buf.f_type = dentry.d_sb.s_magic
    buf.f_bsize = PAGE_SIZE
    buf.f_namelen = NAME_MAX


simple_super_operations = super_operations(statfs=simple_statfs)
simple_dentry_operations = dentry_operations(d_delete=always_delete_dentry)


def pseudo_fs_fill_super(s: super_block, fc: fs_context) -> None:
    """A super block with a root directory and nothing in it."""
    ctx = fc.fs_private
    assert isinstance(ctx, pseudo_fs_context)
    s.s_maxbytes = MAX_LFS_FILESIZE
    s.s_magic = ctx.magic
    s.s_op = ctx.ops or simple_super_operations
    root = new_inode(s)
    root.i_ino = 1
    root.i_mode = S_IFDIR | S_IRUSR | S_IWUSR
    root.i_atime = root.i_mtime = root.i_ctime = current_time(root)
    s.s_root = d_make_root(root)
    s.s_d_op = ctx.dops


def pseudo_fs_get_tree(fc: fs_context) -> None:
    """get_tree() of a pseudo file system."""
    get_tree_nodev(fc, pseudo_fs_fill_super)


def pseudo_fs_free(fc: fs_context) -> None:
    """The context is no longer needed."""
    fc.fs_private = None


pseudo_fs_context_ops = fs_context_operations(free=pseudo_fs_free, get_tree=pseudo_fs_get_tree)


def init_pseudo(fc: fs_context, magic: int) -> pseudo_fs_context:
    """The init_fs_context() of a file system that no user mounts; set what differs in the result."""
    ctx = pseudo_fs_context()
    ctx.magic = magic
    fc.fs_private = ctx
    fc.ops = pseudo_fs_context_ops
    fc.sb_flags |= SB_NOUSER
    fc._global = True
    return ctx


def simple_lookup(dir: inode, dentry: dentry, flags: int) -> dentry | None:
    """lookup() of a file system whose names are all in the dcache: this one does not exist."""
    if len(dentry.d_name.name) > NAME_MAX:
        raise KernelError(ENAMETOOLONG)
    if dentry.d_sb.s_d_op is None:
        d_set_d_op(dentry, simple_dentry_operations)
    d_add(dentry, None)
    return None


def simple_positive(dentry: dentry) -> bool:
    """Whether the dentry is a name that exists."""
    return dentry.d_inode is not None and dentry.d_hash


def simple_empty(dentry: dentry) -> bool:
    """Whether a directory has no names in it."""
    return not any(simple_positive(child) for child in dentry.d_subdirs or ())


def simple_rename_exchange(
    old_dir: inode, old_dentry: dentry, new_dir: inode, new_dentry: dentry
) -> None:
    """Swap two names."""
    old, new = old_dentry.d_inode, new_dentry.d_inode
    assert old is not None
    assert new is not None
    if old_dir is not new_dir:
        old_is_dir, new_is_dir = old.i_mode & S_IFMT == S_IFDIR, new.i_mode & S_IFMT == S_IFDIR
        if old_is_dir and not new_is_dir:
            drop_nlink(old_dir)
            inc_nlink(new_dir)
        elif new_is_dir and not old_is_dir:
            drop_nlink(new_dir)
            inc_nlink(old_dir)
    now = current_time(old_dir)
    old_dir.i_ctime = old_dir.i_mtime = new_dir.i_ctime = new_dir.i_mtime = now
    old.i_ctime = new.i_ctime = now


def simple_get_link(dentry: dentry | None, inode: inode, callback: object) -> bytes | None:
    """The text of a link that is kept in i_link."""
    return inode.i_link


def noop_fsync(file: file, start: int, end: int, datasync: int) -> int:
    """Nothing waits to be written."""
    return 0


async def generic_read_dir(filp: file, buf: int, siz: int, ppos: Ppos) -> int:
    """read() of a directory. EISDIR."""
    raise KernelError(EISDIR)


def kfree_link(p: object) -> None:
    """The text of a link is no longer needed."""


def alloc_anon_inode(s: super_block) -> inode:
    """The inode that files without a name share; nothing is ever written through it."""
    ino = new_inode_pseudo(s)
    ino.i_ino = get_next_ino(s.kernel)
    ino.i_mode = S_IRUSR | S_IWUSR
    cred = s.kernel.current.cred
    ino.i_uid = cred.fsuid
    ino.i_gid = cred.fsgid
    ino.i_flags |= S_PRIVATE
    ino.i_atime = ino.i_mtime = ino.i_ctime = current_time(ino)
    return ino
