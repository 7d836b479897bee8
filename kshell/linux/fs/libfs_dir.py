"""Directories whose names are all in the dcache (fs/libfs.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EINVAL
from kshell.abi.fcntl import SEEK_CUR, SEEK_SET
from kshell.linux.fs.libfs import generic_read_dir, noop_fsync, simple_positive
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fs import DOTS, dir_context, file, file_operations, inode

if TYPE_CHECKING:
    from kshell.linux.include.linux.dcache import dentry


class _cursor:
    """Where a reader of the directory stands: the names it is still to be shown.

    Names that are made after the reading began do not come up, as they go to the head of Linux's list.
    """

    __slots__ = ("pending", "pos")

    def __init__(self) -> None:
        self.pos = DOTS
        self.pending: list[dentry] | None = None


async def dcache_dir_open(inode: inode, file: file) -> None:
    """Begin to read."""
    file.private_data = _cursor()


def dcache_dir_close(inode: inode, file: file) -> None:
    """Done reading."""
    file.private_data = None


def dcache_dir_lseek(file: file, offset: int, whence: int) -> int:
    """Go to a place in the listing. EINVAL: negative, or not from the start or the present place."""
    if whence == SEEK_CUR:
        offset += file.f_pos
    elif whence != SEEK_SET:
        raise KernelError(EINVAL)
    if offset < 0:
        raise KernelError(EINVAL)
    if offset != file.f_pos:
        file.f_pos = offset
        cursor = file.private_data
        assert isinstance(cursor, _cursor)
        cursor.pos = DOTS
        cursor.pending = None
    return offset


def _names_left(file: file) -> list[dentry]:
    cursor = file.private_data
    assert isinstance(cursor, _cursor)
    if cursor.pending is None:
        children = list(file.f_path.dentry.d_subdirs or ())
        positive = [child for child in children if simple_positive(child)]
        skip = max(file.f_pos - DOTS, 0)
        cursor.pending = positive[: len(positive) - skip] if skip else positive
    return cursor.pending


def dcache_readdir(file: file, ctx: dir_context) -> None:
    """Show the names, the newest first, until ctx has no more room."""
    here = file.f_path.dentry
    if not dir_emit_dots(file, ctx):
        return
    pending = _names_left(file)
    while pending:
        child = pending[-1]
        inode = child.d_inode
        if inode is not None and child.d_hash and child._d_parent is here:
            if not ctx.actor(ctx, child.d_name.name, ctx.pos, inode.i_ino, dt_type(inode.i_mode)):
                return
            ctx.pos += 1
        pending.pop()


def dt_type(mode: int) -> int:
    """The d_type of a file of this mode: DT_REG and so on."""
    return mode >> 12 & 15


def dir_emit_dots(file: file, ctx: dir_context) -> bool:
    """Show `.` and `..`."""
    here = file.f_path.dentry
    for pos, name, entry in ((0, b".", here), (1, b"..", here.d_parent)):
        if ctx.pos == pos:
            assert entry.d_inode is not None
            if not ctx.actor(ctx, name, pos, entry.d_inode.i_ino, dt_type(entry.d_inode.i_mode)):
                return False
            ctx.pos = pos + 1
    return True


simple_dir_operations = file_operations(
    open=dcache_dir_open,
    release=dcache_dir_close,
    llseek=dcache_dir_lseek,
    read=generic_read_dir,
    iterate_shared=dcache_readdir,
    fsync=noop_fsync,
)
