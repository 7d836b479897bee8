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

HEADER = struct.Struct("<QqH")
Fill = Callable[[bytes, int, int, int], bytes]


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


def filldir64(name: bytes, offset: int, ino: int, d_type: int) -> bytes:
    """One struct linux_dirent64; d_off is still that of the entry itself."""
    size = (19 + len(name) + 1 + 7) & ~7
    return HEADER.pack(ino, offset, size) + bytes((d_type,)) + name + bytes(size - 19 - len(name))


def filldir(name: bytes, offset: int, ino: int, d_type: int) -> bytes:
    """One struct linux_dirent: the type is the last byte."""
    size = (18 + len(name) + 2 + 7) & ~7
    return HEADER.pack(ino, offset, size) + name + bytes(size - 19 - len(name)) + bytes((d_type,))


class getdents_callback(dir_context):
    """Entries collected for one call; `cut` when one did not fit any more."""

    __slots__ = ("cut", "fill", "records", "room")

    def __init__(self, fill: Fill, count: int) -> None:
        super().__init__(_collect)
        self.fill = fill
        self.room = count
        self.records: list[bytes] = []
        self.cut = False


def _collect(ctx: dir_context, name: bytes, offset: int, ino: int, d_type: int) -> bool:
    assert isinstance(ctx, getdents_callback)
    record = ctx.fill(name, offset, ino, d_type)
    if len(record) > ctx.room:
        ctx.cut = True
        return False
    ctx.room -= len(record)
    ctx.records.append(record)
    return True


def _with_next_offsets(ctx: getdents_callback) -> bytes:
    """d_off of an entry is the position after it: that of the next one."""
    offsets = [HEADER.unpack_from(record)[1] for record in ctx.records[1:]] + [ctx.pos]
    return b"".join(
        record[:8] + offset.to_bytes(8, "little") + record[16:]
        for record, offset in zip(ctx.records, offsets, strict=True)
    )


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
        copy_to_user(current, dirent, _with_next_offsets(ctx))
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
