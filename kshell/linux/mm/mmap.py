"""mmap(), munmap(), mprotect() (mm/mmap.c, mm/mprotect.c). A mapped file is copied when it is mapped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kshell.abi.errno import EACCES, EBADF, EINVAL, ENODEV, ENOMEM, EOPNOTSUPP, EOVERFLOW, EPERM
from kshell.abi.mman import (
    MAP_ANONYMOUS,
    MAP_FIXED,
    MAP_FIXED_NOREPLACE,
    MAP_PRIVATE,
    MAP_SHARED,
    MAP_SHARED_VALIDATE,
    MAP_TYPE,
    PROT_EXEC,
    PROT_READ,
    PROT_WRITE,
)
from kshell.linux.fs.file import fget
from kshell.linux.fs.file_table import fput
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fs import FMODE_READ, FMODE_WRITE
from kshell.linux.include.linux.mm_types import (
    PAGE_SIZE,
    TASK_SIZE_MAX,
    VM_EXEC,
    VM_READ,
    VM_SHARED,
    VM_WRITE,
    mm_struct,
    vm_area_struct,
)
from kshell.linux.include.linux.syscalls import SYSCALL_DEFINE
from kshell.linux.security.security import security_mmap_file

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import file
    from kshell.linux.include.linux.sched import task_struct

MMAP_BASE: Final = 0x7FFFF7FFF000
KNOWN_FLAGS: Final = 0x1FFFF  # LEGACY_MAP_MASK, as far as it matters
MAX_LEN: Final = 1 << 30  # more than that the model has no memory for


def get_unmapped_area(mm: mm_struct, addr: int, length: int, flags: int) -> int:
    """Where to map length bytes: at addr if it is free, else below all mappings. ENOMEM, EINVAL."""
    if flags & (MAP_FIXED | MAP_FIXED_NOREPLACE):
        if addr % PAGE_SIZE:
            raise KernelError(EINVAL)
        if addr + length > TASK_SIZE_MAX:
            raise KernelError(ENOMEM)
        return addr
    addr = -(-addr // PAGE_SIZE) * PAGE_SIZE
    if addr and addr + length <= TASK_SIZE_MAX and not _overlaps(mm, addr, length):
        return addr
    top = MMAP_BASE
    for vma in reversed(mm._vmas):
        if vma.vm_end <= top - length:
            break
        top = min(top, vma.vm_start)
    if top - length < PAGE_SIZE:
        raise KernelError(ENOMEM)
    return top - length


def _overlaps(mm: mm_struct, addr: int, length: int) -> bool:
    return any(vma.vm_start < addr + length and addr < vma.vm_end for vma in mm._vmas)


def _check_file(filp: file, prot: int, flags: int) -> None:
    """EACCES: opened the wrong way; ENODEV: the file can't be mapped; EINVAL."""
    kind = flags & MAP_TYPE
    if kind == MAP_SHARED_VALIDATE and flags & ~KNOWN_FLAGS:
        raise KernelError(EOPNOTSUPP)
    if kind not in (MAP_SHARED, MAP_SHARED_VALIDATE, MAP_PRIVATE):
        raise KernelError(EINVAL)
    shared = kind != MAP_PRIVATE
    if shared and prot & PROT_WRITE and not filp.f_mode & FMODE_WRITE:
        raise KernelError(EACCES)
    if not filp.f_mode & FMODE_READ:
        raise KernelError(EACCES)
    if filp.f_op.mmap is None:
        raise KernelError(ENODEV)


def _vm_flags(prot: int, flags: int) -> int:
    bits = ((PROT_READ, VM_READ), (PROT_WRITE, VM_WRITE), (PROT_EXEC, VM_EXEC))
    shared = VM_SHARED if flags & MAP_TYPE in (MAP_SHARED, MAP_SHARED_VALIDATE) else 0
    return sum(vm for want, vm in bits if prot & want) | shared


def mmap_region(mm: mm_struct, filp: file | None, addr: int, length: int, vm_flags: int, pgoff: int) -> int:
    """Make the mapping, in place of what was there."""
    do_munmap(mm, addr, length)
    vma = mm.map(addr, length, vm_flags)
    vma.vm_pgoff = pgoff
    if filp is not None and filp.f_op.mmap is not None:
        try:
            filp.f_op.mmap(filp, vma)
        except KernelError:
            mm.unmap(addr)
            raise
    return addr


def do_mmap(mm: mm_struct, filp: file | None, addr: int, length: int, prot: int, flags: int, pgoff: int) -> int:
    """Map length bytes of a file, or of zeros. EINVAL, ENOMEM, EOVERFLOW, and what the file has against it."""
    if not length:
        raise KernelError(EINVAL)
    length = -(-length // PAGE_SIZE) * PAGE_SIZE
    if length > MAX_LEN:
        raise KernelError(ENOMEM)
    if pgoff + length // PAGE_SIZE > 1 << 52:
        raise KernelError(EOVERFLOW)
    addr = get_unmapped_area(mm, addr, length, flags)
    if filp is not None:
        _check_file(filp, prot, flags)
    elif flags & MAP_TYPE not in (MAP_SHARED, MAP_PRIVATE):
        raise KernelError(EINVAL)
    return mmap_region(mm, filp, addr, length, _vm_flags(prot, flags), pgoff)


def ksys_mmap_pgoff(
    current: task_struct, addr: int, length: int, prot: int, flags: int, fd: int, pgoff: int
) -> int:
    """mmap() with the offset in pages. EBADF."""
    filp = None
    if not flags & MAP_ANONYMOUS:
        filp = fget(current, fd)
        if filp is None:
            raise KernelError(EBADF)
    try:
        security_mmap_file(filp, prot, flags)
        if current.mm is None:
            raise KernelError(EPERM)
        return do_mmap(current.mm, filp, addr, length, prot, flags, pgoff)
    finally:
        if filp is not None:
            fput(filp)


@SYSCALL_DEFINE
def sys_mmap(
    current: task_struct, addr: int, len: int, prot: int, flags: int, fd: int, off: int
) -> int:
    """void *mmap(void *addr, size_t len, int prot, int flags, int fd, off_t off)."""
    if off % PAGE_SIZE:
        raise KernelError(EINVAL)
    number = fd & 0xFFFFFFFF
    number = number - (1 << 32) if number >> 31 else number
    return ksys_mmap_pgoff(current, addr, len, prot, flags, number, off // PAGE_SIZE)


def _cut(mm: mm_struct, vma: vm_area_struct, start: int, end: int) -> list[vm_area_struct]:
    """Take a mapping apart at start and end, which may lie outside of it: what lies between."""
    parts = []
    mm.unmap(vma.vm_start)
    for low, high in (
        (vma.vm_start, min(start, vma.vm_end)),
        (max(start, vma.vm_start), min(end, vma.vm_end)),
        (max(end, vma.vm_start), vma.vm_end),
    ):
        if low < high:
            part = mm.map(low, high - low, vma.vm_flags)
            part._data[:] = vma._data[low - vma.vm_start : high - vma.vm_start]
            if start <= low and high <= end:
                parts.append(part)
    return parts


def _within(mm: mm_struct, start: int, length: int) -> list[vm_area_struct]:
    end = start + length
    hit = [vma for vma in mm._vmas if vma.vm_start < end and start < vma.vm_end]
    return [part for vma in hit for part in _cut(mm, vma, start, end)]


def do_munmap(mm: mm_struct, start: int, length: int) -> None:
    """Unmap a range, of which nothing need be mapped."""
    for vma in _within(mm, start, length):
        mm.unmap(vma.vm_start)


def _range(start: int, length: int) -> int:
    """The length in whole pages. EINVAL."""
    size = -(-length // PAGE_SIZE) * PAGE_SIZE
    if start % PAGE_SIZE or start + size > TASK_SIZE_MAX:
        raise KernelError(EINVAL)
    return size


@SYSCALL_DEFINE
def sys_munmap(current: task_struct, addr: int, len: int) -> int:
    """int munmap(void *addr, size_t len)."""
    size = _range(addr, len)
    if not size or current.mm is None:
        raise KernelError(EINVAL)
    do_munmap(current.mm, addr, size)
    return 0


@SYSCALL_DEFINE
def sys_mprotect(current: task_struct, start: int, len: int, prot: int) -> int:
    """int mprotect(void *start, size_t len, int prot)."""
    size = _range(start, len)
    if current.mm is None:
        raise KernelError(ENOMEM)
    if not size:
        return 0
    parts = _within(current.mm, start, size)
    for vma in parts:
        vma.vm_flags = vma.vm_flags & VM_SHARED | _vm_flags(prot, MAP_PRIVATE)
    if sum(vma.vm_end - vma.vm_start for vma in parts) < size:
        raise KernelError(ENOMEM)
    return 0
