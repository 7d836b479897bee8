"""getdents() (fs/readdir.c)."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import TYPE_CHECKING

from kshell.abi.errno import EBADF, EINVAL, ENOENT, ENOTDIR
from kshell.linux.fs.file import __fdget_pos, fdput
from kshell.linux.fs.inode_times import file_accessed
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fs import MAY_READ, S_DEAD, dir_context
from kshell.linux.include.linux.syscalls import SYSCALL_DEFINE
from kshell.linux.include.linux.uaccess import copy_to_user
from kshell.linux.security.security import security_file_permission

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import file
    from kshell.linux.include.linux.sched import task_struct

TAIL = struct.Struct("<HB")
Pieces = tuple[tuple[int, bytes], ...]
Fill = Callable[[bytes, int, int], tuple[int, Pieces]]


def iterate_dir(file: file, ctx: dir_context) -> None:
    """List a directory from its position on. ENOTDIR; ENOENT: it was removed."""
    if not file.f_op.iterate_shared:
        raise KernelError(ENOTDIR)
    security_file_permission(file, MAY_READ)
    inode = file.f_inode
    if inode.i_flags & S_DEAD:
        raise KernelError(ENOENT)
    ctx.pos = file.f_pos
    file.f_op.iterate_shared(file, ctx)
    file.f_pos = ctx.pos
    file_accessed(file)


class getdents_callback(dir_context):
    """Entries collected for one call; `cut` when one did not fit any more.

    An entry is its position, its length in user memory, and the pieces stored there: Linux leaves the
    bytes between them as they are.
    """

    __slots__ = ("cut", "fill", "records", "room")

    def __init__(self, fill: Fill, count: int) -> None:
        super().__init__(_collect)
        self.fill = fill
        self.room = count
        self.records: list[tuple[int, int, Pieces]] = []
        self.cut = False


def filldir64(name: bytes, ino: int, d_type: int) -> tuple[int, Pieces]:
    """One struct linux_dirent64: its length, and what follows d_off."""
    size = (19 + len(name) + 1 + 7) & ~7
    return size, ((0, ino.to_bytes(8, "little")), (16, TAIL.pack(size, d_type) + name + b"\0"))


def filldir(name: bytes, ino: int, d_type: int) -> tuple[int, Pieces]:
    """One struct linux_dirent: the type is the last byte."""
    size = (18 + len(name) + 2 + 7) & ~7
    text = size.to_bytes(2, "little") + name + b"\0"
    return size, ((0, ino.to_bytes(8, "little")), (16, text), (size - 1, bytes((d_type,))))


def _collect(ctx: dir_context, name: bytes, offset: int, ino: int, d_type: int) -> bool:
    assert isinstance(ctx, getdents_callback)
    size, pieces = ctx.fill(name, ino, d_type)
    if size > ctx.room:
        ctx.cut = True
        return False
    ctx.room -= size
    ctx.records.append((offset, size, pieces))
    return True


def _store(current: task_struct, dirent: int, ctx: getdents_callback) -> None:
    """d_off of an entry is the position after it: that of the next one."""
    offsets = [offset for offset, _, _ in ctx.records[1:]] + [ctx.pos]
    for (_, size, pieces), offset in zip(ctx.records, offsets, strict=True):
        for at, data in pieces:
            copy_to_user(current, dirent + at, data)
        copy_to_user(current, dirent + 8, offset.to_bytes(8, "little"))
        dirent += size


def _getdents(current: task_struct, fd: int, dirent: int, count: int, fill: Fill) -> int:
    f, flags = __fdget_pos(current, fd)
    if f is None:
        raise KernelError(EBADF)
    try:
        ctx = getdents_callback(fill, count)
        iterate_dir(f, ctx)
        if not ctx.records:
            if ctx.cut:
                raise KernelError(EINVAL)
            return 0
        _store(current, dirent, ctx)
        return count - ctx.room
    finally:
        fdput(f, flags)


@SYSCALL_DEFINE
def sys_getdents64(current: task_struct, fd: int, dirent: int, count: int) -> int:
    """getdents64(fd, dirent, count). EINVAL: not even one entry fits."""
    return _getdents(current, fd, dirent, count, filldir64)


@SYSCALL_DEFINE
def sys_getdents(current: task_struct, fd: int, dirent: int, count: int) -> int:
    """getdents(fd, dirent, count)."""
    return _getdents(current, fd, dirent, count, filldir)
