"""Reading and writing files of kernfs (fs/kernfs/file.c, fs/sysfs/file.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from kshell.abi.errno import EACCES, EIO, ENODEV
from kshell.linux.fs.read_write import generic_file_llseek
from kshell.linux.fs.seq_file import seq_puts, seq_read_iter, seq_release, single_open
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fs import FMODE_READ, FMODE_WRITE, file_operations, inode
from kshell.linux.include.linux.kernfs import kernfs_node
from kshell.linux.include.linux.mm_types import PAGE_SIZE
from kshell.linux.lib.iov_iter import copy_from_iter_full

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import file, kiocb
    from kshell.linux.include.linux.seq_file import seq_file
    from kshell.linux.include.linux.uio import iov_iter


def _live_node(file: file) -> kernfs_node:
    """The node of an open file. ENODEV: what it told of is gone."""
    kn = cast(kernfs_node, file.f_inode.i_private)
    if kn.parent is None:
        raise KernelError(ENODEV)
    return kn


def sysfs_kf_seq_show(sf: seq_file, v: object) -> None:
    """The attribute's text. EIO: it cannot be read."""
    kn = _live_node(sf.file)
    if kn.attr is None or kn.attr.show is None:
        raise KernelError(EIO)
    seq_puts(sf, kn.attr.show(kn.priv))


async def kernfs_fop_open(inode: inode, file: file) -> None:
    """open(): the attribute must have what the file is opened for. EACCES."""
    attr = cast(kernfs_node, inode.i_private).attr
    assert attr is not None
    if file.f_mode & FMODE_WRITE and attr.store is None:
        raise KernelError(EACCES)
    if file.f_mode & FMODE_READ and attr.show is None:
        raise KernelError(EACCES)
    single_open(file, sysfs_kf_seq_show, None)


def kernfs_fop_release(inode: inode, file: file) -> None:
    """close()."""
    seq_release(inode, file)


async def kernfs_fop_read_iter(iocb: kiocb, iter: iov_iter) -> int:
    """read()."""
    return await seq_read_iter(iocb, iter)


async def kernfs_fop_write_iter(iocb: kiocb, iter: iov_iter) -> int:
    """write(): the whole text at once. EFAULT, and what the attribute says."""
    size = min(iter.count, PAGE_SIZE)
    text = copy_from_iter_full(iter, size)
    kn = _live_node(iocb.ki_filp)
    assert kn.attr is not None
    assert kn.attr.store is not None
    if size:
        kn.attr.store(kn.priv, text.decode("latin-1"))
    iocb.ki_pos += size
    return size


kernfs_file_fops = file_operations(
    open=kernfs_fop_open,
    release=kernfs_fop_release,
    read_iter=kernfs_fop_read_iter,
    write_iter=kernfs_fop_write_iter,
    llseek=generic_file_llseek,
)
