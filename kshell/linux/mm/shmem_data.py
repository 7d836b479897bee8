"""tmpfs: the contents of files (mm/shmem.c). A page is made when it is first written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EFAULT, EINTR, ENOSPC, ENXIO, EOPNOTSUPP, EPERM
from kshell.abi.fcntl import (
    F_SEAL_FUTURE_WRITE,
    F_SEAL_GROW,
    F_SEAL_WRITE,
    FALLOC_FL_KEEP_SIZE,
    FALLOC_FL_PUNCH_HOLE,
    SEEK_DATA,
    SEEK_HOLE,
)
from kshell.linux.fs.attr import inode_newsize_ok
from kshell.linux.fs.inode_times import file_accessed, file_modified
from kshell.linux.fs.read_write import generic_file_llseek_size, vfs_setpos
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fs import MAX_LFS_FILESIZE, address_space, file, inode
from kshell.linux.include.linux.mm_types import PAGE_SHIFT, PAGE_SIZE
from kshell.linux.include.linux.sched import signal_pending
from kshell.linux.lib.iov_iter import copy_to_iter
from kshell.linux.mm.shmem_fs import BLOCKS_PER_PAGE, SHMEM_I, SHMEM_SB, ZERO_PAGE

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import kiocb
    from kshell.linux.include.linux.mm_types import vm_area_struct
    from kshell.linux.include.linux.uio import iov_iter


def _pages(inode: inode) -> dict[int, bytearray | None]:
    mapping = inode.i_mapping
    if mapping is None:
        mapping = inode.i_mapping = address_space()
    return mapping.i_pages


def shmem_get_folio_gfp(inode: inode, index: int) -> bytearray:
    """The page to write to, made when absent. ENOSPC: the file system is full."""
    pages = _pages(inode)
    page = pages.get(index)
    if page is None:
        if index not in pages:
            _account(inode, 1)
        page = pages[index] = bytearray(PAGE_SIZE)
    return page


def _account(inode: inode, pages: int) -> None:
    sbinfo = SHMEM_SB(inode.i_sb)
    if sbinfo.max_blocks and sbinfo.used_blocks + pages > sbinfo.max_blocks:
        raise KernelError(ENOSPC)
    sbinfo.used_blocks += pages
    SHMEM_I(inode).alloced += pages
    inode.i_blocks += pages * BLOCKS_PER_PAGE


def shmem_recalc_inode(inode: inode) -> None:
    """Give back what the file system counted for pages that are gone."""
    info = SHMEM_I(inode)
    if inode.i_mapping is None:
        return
    freed = info.alloced - len(inode.i_mapping.i_pages)
    if freed > 0:
        info.alloced -= freed
        inode.i_blocks -= freed * BLOCKS_PER_PAGE
        SHMEM_SB(inode.i_sb).used_blocks -= freed


def shmem_write_begin(file: file, pos: int, length: int) -> bytearray:
    """The page that a write at pos goes to. EPERM: a seal forbids it; ENOSPC."""
    inode = file.f_inode
    seals = SHMEM_I(inode).seals
    if seals & (F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE):
        if seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE):
            raise KernelError(EPERM)
        if seals & F_SEAL_GROW and pos + length > inode.i_size:
            raise KernelError(EPERM)
    return shmem_get_folio_gfp(inode, pos >> PAGE_SHIFT)


def shmem_write_end(inode: inode, pos: int, copied: int) -> int:
    """The bytes are in the page: the file may have grown."""
    if pos + copied > inode.i_size:
        inode.i_size = pos + copied
    return copied


def copy_page_to_iter(page: bytearray | bytes, offset: int, length: int, i: iov_iter) -> int:
    """Give user space a part of a page; how many bytes went."""
    return copy_to_iter(bytes(page[offset : offset + length]), i)


async def shmem_file_read_iter(iocb: kiocb, to: iov_iter) -> int:
    """read() of a tmpfs file; holes read as zeros. EFAULT."""
    inode = iocb.ki_filp.f_inode
    pages = inode.i_mapping.i_pages if inode.i_mapping else {}
    pos, retval = iocb.ki_pos, 0
    while pos < inode.i_size and to.count:
        offset = pos & (PAGE_SIZE - 1)
        want = min(PAGE_SIZE - offset, inode.i_size - pos, to.count)
        copied = copy_page_to_iter(pages.get(pos >> PAGE_SHIFT) or ZERO_PAGE, offset, want, to)
        retval += copied
        pos += copied
        if copied < want:
            if not retval:
                raise KernelError(EFAULT)
            break
    iocb.ki_pos = pos
    file_accessed(iocb.ki_filp)
    return retval


def shmem_mmap(file: file, vma: vm_area_struct) -> int:
    """Copy the file into the mapping, which later writes to either do not reach."""
    inode = file.f_inode
    pages = inode.i_mapping.i_pages if inode.i_mapping else {}
    for at in range(0, len(vma._data), PAGE_SIZE):
        page = pages.get(vma.vm_pgoff + at // PAGE_SIZE)
        if page is not None:
            vma._data[at : at + PAGE_SIZE] = page
    return 0


def shmem_file_llseek(file: file, offset: int, whence: int) -> int:
    """lseek() with SEEK_DATA and SEEK_HOLE. ENXIO: beyond the end."""
    if whence not in (SEEK_DATA, SEEK_HOLE):
        return generic_file_llseek_size(file, offset, whence, MAX_LFS_FILESIZE, file.f_inode.i_size)
    if offset < 0:
        raise KernelError(ENXIO)
    offset = mapping_seek_hole_data(file.f_inode, offset, file.f_inode.i_size, whence)
    return vfs_setpos(file, offset, MAX_LFS_FILESIZE)


def mapping_seek_hole_data(inode: inode, start: int, end: int, whence: int) -> int:
    """The next position with data, or in a hole (allocated but never written, too; the end of file). ENXIO."""
    if start >= end:
        raise KernelError(ENXIO)
    pages = _pages(inode)
    index = start >> PAGE_SHIFT
    if whence == SEEK_DATA:
        later = [at for at, page in pages.items() if page is not None and at >= index and at << PAGE_SHIFT < end]
        if not later:
            raise KernelError(ENXIO)
        return max(start, min(later) << PAGE_SHIFT)
    while pages.get(index) is not None:
        index += 1
    return min(max(start, index << PAGE_SHIFT), end)


def shmem_undo_range(inode: inode, lstart: int, lend: int) -> None:
    """Free the pages from lstart to lend (the last byte), and clear the parts of pages at both ends."""
    mapping = inode.i_mapping
    if mapping is None:
        return
    pages = mapping.i_pages
    first, end = (lstart + PAGE_SIZE - 1) >> PAGE_SHIFT, (lend + 1) >> PAGE_SHIFT
    for index in [at for at in pages if first <= at < end]:
        del pages[index]
    head, tail = lstart >> PAGE_SHIFT, end
    if head < first:
        stop = PAGE_SIZE if head < tail else (lend & (PAGE_SIZE - 1)) + 1
        _clear(pages, head, lstart & (PAGE_SIZE - 1), stop)
    if tail != head or head >= first:
        _clear(pages, tail, 0, (lend + 1) & (PAGE_SIZE - 1))
    shmem_recalc_inode(inode)


def _clear(pages: dict[int, bytearray | None], index: int, start: int, stop: int) -> None:
    page = pages.get(index)
    if page is not None and start < stop:
        page[start:stop] = bytes(stop - start)


def shmem_truncate_range(inode: inode, lstart: int, lend: int) -> None:
    """Free contents; counts as a change."""
    shmem_undo_range(inode, lstart, lend)


def shmem_fallocate(file: file, mode: int, offset: int, length: int) -> int:
    """fallocate(): get pages now, or punch a hole. EOPNOTSUPP, ENOSPC, EPERM (seals), EINTR."""
    if mode & ~(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE):
        raise KernelError(EOPNOTSUPP)
    inode = file.f_inode
    info = SHMEM_I(inode)
    if mode & FALLOC_FL_PUNCH_HOLE:
        if info.seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE):
            raise KernelError(EPERM)
        shmem_truncate_range(inode, offset, offset + length - 1)
    else:
        inode_newsize_ok(inode, offset + length)
        if info.seals & F_SEAL_GROW and offset + length > inode.i_size:
            raise KernelError(EPERM)
        _allocate(file, offset, length)
        if not mode & FALLOC_FL_KEEP_SIZE and offset + length > inode.i_size:
            inode.i_size = offset + length
    file_modified(file)
    return 0


def _allocate(file: file, offset: int, length: int) -> None:
    inode = file.f_inode
    start, end = offset >> PAGE_SHIFT, (offset + length + PAGE_SIZE - 1) >> PAGE_SHIFT
    sbinfo = SHMEM_SB(inode.i_sb)
    if sbinfo.max_blocks and end - start > sbinfo.max_blocks:
        raise KernelError(ENOSPC)
    if signal_pending(file._kernel.current):
        raise KernelError(EINTR)
    pages = _pages(inode)
    fresh = [index for index in range(start, end) if index not in pages]
    _account(inode, len(fresh))
    pages.update(dict.fromkeys(fresh))
