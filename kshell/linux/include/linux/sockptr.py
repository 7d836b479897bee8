"""An option value in user or in kernel memory (include/linux/sockptr.h)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EFAULT
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.uaccess import copy_from_user, copy_to_user

if TYPE_CHECKING:
    from kshell.linux.include.linux.sched import task_struct


class sockptr_t:
    """user: the address, when current is set; else kernel: the bytes."""

    __slots__ = ("current", "kernel", "user")

    def __init__(self, current: task_struct | None, user: int, kernel: bytearray | None) -> None:
        self.current = current
        self.user = user
        self.kernel = kernel


def USER_SOCKPTR(current: task_struct, addr: int) -> sockptr_t:
    """A value at addr in user memory."""
    return sockptr_t(current, addr, None)


def copy_from_sockptr(src: sockptr_t, size: int) -> bytes:
    """The first size bytes. EFAULT."""
    return copy_from_sockptr_offset(src, 0, size)


def copy_from_sockptr_offset(src: sockptr_t, offset: int, size: int) -> bytes:
    """size bytes from offset on. EFAULT."""
    if src.current is not None:
        return copy_from_user(src.current, src.user + offset, size)
    if src.kernel is None or len(src.kernel) < offset + size:
        raise KernelError(EFAULT)
    return bytes(src.kernel[offset : offset + size])


def copy_to_sockptr(dst: sockptr_t, data: bytes) -> None:
    """Store data. EFAULT."""
    copy_to_sockptr_offset(dst, 0, data)


def copy_to_sockptr_offset(dst: sockptr_t, offset: int, data: bytes) -> None:
    """Store data at offset. EFAULT."""
    if dst.current is not None:
        copy_to_user(dst.current, dst.user + offset, data)
    elif dst.kernel is None:
        raise KernelError(EFAULT)
    else:
        dst.kernel[offset : offset + len(data)] = data
