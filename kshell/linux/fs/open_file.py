"""Opening and closing a `struct file` once its path is known (fs/open.c)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from kshell.abi.errno import EINVAL, ETXTBSY
from kshell.abi.fcntl import O_CREAT, O_DIRECT, O_EXCL, O_NOCTTY, O_PATH, O_TRUNC
from kshell.abi.stat import S_IFDIR, S_IFMT, S_IFREG
from kshell.linux.fs.file_table import alloc_empty_file, fput
from kshell.linux.fs.locks import locks_remove_posix
from kshell.linux.fs.namei_path import path_get, path_put
from kshell.linux.fs.namespace import __mnt_drop_write, __mnt_want_write
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fs import (
    FMODE_ATOMIC_POS,
    FMODE_PATH,
    FMODE_PREAD,
    FMODE_PWRITE,
    FMODE_READ,
    FMODE_STREAM,
    FMODE_WRITE,
    FMODE_WRITER,
    file,
    file_operations,
    inode,
)
from kshell.linux.include.linux.fs_ops import FMODE_LSEEK, FMODE_OPENED
from kshell.linux.include.linux.path import path
from kshell.linux.security.security import security_file_open

if TYPE_CHECKING:
    from kshell.linux.include.linux.cred import cred

NO_POSITION = ~(FMODE_LSEEK | FMODE_PREAD | FMODE_PWRITE | FMODE_ATOMIC_POS)

empty_fops = file_operations()
"""What a file opened with O_PATH can do: nothing."""

open_func_t = Callable[[inode, file], Awaitable[None]]


def special_file(mode: int) -> bool:
    """Whether contents are not the file system's affair: a device, a fifo or a socket."""
    return mode & S_IFMT not in (S_IFREG, S_IFDIR) and mode & S_IFMT != 0o120000


def get_write_access(inode: inode) -> None:
    """Count a writer. ETXTBSY: the file is being executed."""
    if inode.i_writecount < 0:
        raise KernelError(ETXTBSY)
    inode.i_writecount += 1


def put_write_access(inode: inode) -> None:
    """One writer less."""
    inode.i_writecount -= 1


async def do_dentry_open(f: file, inode: inode, open: open_func_t | None) -> None:
    """Open the inode that f_path names, by its own open() or by the given one. May sleep (fifo)."""
    path_get(f.f_path)
    f.f_inode = inode
    f.f_mapping = inode.i_mapping
    if f.f_flags & O_PATH:
        f.f_mode = FMODE_PATH | FMODE_OPENED
        f.f_op = empty_fops
        return
    try:
        _count_opener(f, inode)
    except KernelError:
        path_put(f.f_path)
        raise
    if inode.i_mode & S_IFMT in (S_IFREG, S_IFDIR):
        f.f_mode |= FMODE_ATOMIC_POS
    f.f_op = inode.i_fop
    try:
        security_file_open(f)
        f.f_mode |= FMODE_LSEEK | FMODE_PREAD | FMODE_PWRITE
        open = open or f.f_op.open
        if open:
            await open(inode, f)
    except KernelError:
        put_file_access(f)
        path_put(f.f_path)
        raise
    _settle_mode(f)


def _count_opener(f: file, inode: inode) -> None:
    if f.f_mode & (FMODE_READ | FMODE_WRITE) == FMODE_READ:
        inode.i_readcount += 1
    elif f.f_mode & FMODE_WRITE and not special_file(inode.i_mode):
        get_write_access(inode)
        try:
            __mnt_want_write(f.f_path.mnt)
        except KernelError:
            put_write_access(inode)
            raise
        f.f_mode |= FMODE_WRITER


def _settle_mode(f: file) -> None:
    caps = f.f_op._caps[f.f_mode & 3]
    f.f_mode |= caps & ~FMODE_LSEEK
    if not caps & FMODE_LSEEK:
        f.f_mode &= ~FMODE_LSEEK
    f.f_flags &= ~(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC)
    file_ra_state_init(f)
    if f.f_flags & O_DIRECT:
        raise KernelError(EINVAL)


def file_ra_state_init(f: file) -> None:
    """Nothing is read ahead: all files live in memory."""


def put_file_access(f: file) -> None:
    """Undo what do_dentry_open() counted."""
    inode = f.f_inode
    if f.f_mode & (FMODE_READ | FMODE_WRITE) == FMODE_READ:
        inode.i_readcount -= 1
    elif f.f_mode & FMODE_WRITER:
        put_write_access(inode)
        __mnt_drop_write(f.f_path.mnt)


async def finish_open(f: file, dentry: object, open: open_func_t | None) -> None:
    """The end of an atomic_open() or tmpfile()."""
    inode = f.f_path.dentry.d_inode
    assert inode is not None
    await do_dentry_open(f, inode, open)


async def vfs_open(place: path, f: file) -> None:
    """Open the file at a path."""
    f.f_path = path(place.mnt, place.dentry)
    inode = place.dentry.d_inode
    assert inode is not None
    await do_dentry_open(f, inode, None)


async def dentry_open(place: path, flags: int, cred: cred) -> file:
    """A new open file at a path that is already looked up."""
    f = alloc_empty_file(place.mnt.mnt_sb.kernel, flags, cred)
    try:
        await vfs_open(place, f)
    except KernelError:
        fput(f)
        raise
    return f


def filp_close(filp: file, id: object) -> None:
    """Drop a descriptor's hold on a file. id: the descriptor table (files_struct), owner of its locks."""
    flush = filp.f_op.flush
    try:
        if flush:
            flush(filp, id)
    finally:
        if not filp.f_mode & FMODE_PATH:
            dnotify_flush(filp, id)
            locks_remove_posix(filp, id)
        fput(filp)


def dnotify_flush(filp: file, id: object) -> None:
    """Directory notification (F_NOTIFY) is not built in."""


def stream_open(inode: inode, filp: file) -> None:
    """As nonseekable_open(), and reads and writes do not even share a position."""
    filp.f_mode = filp.f_mode & NO_POSITION | FMODE_STREAM
