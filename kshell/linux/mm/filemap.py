"""Writing to files by pages (mm/filemap.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EFAULT
from kshell.linux.fs.inode_times import file_remove_privs, file_update_time
from kshell.linux.fs.read_write import generic_write_checks
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.mm_types import PAGE_SIZE
from kshell.linux.lib.iov_iter import copy_from_iter
from kshell.linux.mm.shmem_data import shmem_write_begin, shmem_write_end

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import kiocb
    from kshell.linux.include.linux.uio import iov_iter


def generic_perform_write(iocb: kiocb, i: iov_iter) -> int:
    """Copy page by page; fewer bytes than wanted after the first page that fails. EFAULT, ENOSPC, EPERM."""
    file = iocb.ki_filp
    inode = file.f_inode
    pos, written = iocb.ki_pos, 0
    try:
        while i.count:
            offset = pos & (PAGE_SIZE - 1)
            want = min(PAGE_SIZE - offset, i.count)
            data = copy_from_iter(i, want)
            if not data:
                raise KernelError(EFAULT)
            page = shmem_write_begin(file, pos, want)
            page[offset : offset + len(data)] = data
            pos += shmem_write_end(inode, pos, len(data))
            written += len(data)
    except KernelError:
        if not written:
            raise
    iocb.ki_pos += written
    return written


def __generic_file_write_iter(iocb: kiocb, from_: iov_iter) -> int:
    """Write, checked already."""
    file_remove_privs(iocb.ki_filp)
    file_update_time(iocb.ki_filp)
    return generic_perform_write(iocb, from_)


async def generic_file_write_iter(iocb: kiocb, from_: iov_iter) -> int:
    """write_iter() of a file in the page cache. EFBIG, EFAULT, ENOSPC, EPERM."""
    if generic_write_checks(iocb, from_) <= 0:
        return 0
    return __generic_file_write_iter(iocb, from_)
