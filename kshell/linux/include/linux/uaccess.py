"""Copying between user memory and the kernel (include/linux/uaccess.h)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EFAULT
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.mm_types import TASK_SIZE_MAX, mm_struct

if TYPE_CHECKING:
    from kshell.linux.include.linux.sched import task_struct


def _mm(current: task_struct) -> mm_struct:
    if current.mm is None:
        raise KernelError(EFAULT)
    return current.mm


def access_ok(addr: int, size: int) -> bool:
    """Whether the range lies in user space at all (mapped or not)."""
    return addr + size <= TASK_SIZE_MAX


def raw_copy_from_user(current: task_struct, addr: int, n: int) -> bytes:
    """The first of n bytes at addr, up to the first bad page."""
    return _mm(current).read_short(addr, n) if addr + n <= TASK_SIZE_MAX else b""


def raw_copy_to_user(current: task_struct, addr: int, data: bytes) -> int:
    """Store data at addr up to the first bad page; how many bytes were stored."""
    return _mm(current).write_short(addr, data) if addr + len(data) <= TASK_SIZE_MAX else 0


def copy_from_user(current: task_struct, addr: int, n: int) -> bytes:
    """n bytes at addr. EFAULT: not all can be read."""
    data = raw_copy_from_user(current, addr, n)
    if len(data) != n:
        raise KernelError(EFAULT)
    return data


def copy_to_user(current: task_struct, addr: int, data: bytes) -> None:
    """Store data at addr. EFAULT: not all could be stored."""
    if raw_copy_to_user(current, addr, data) != len(data):
        raise KernelError(EFAULT)


def get_user(current: task_struct, addr: int, size: int = 4, signed: bool = True) -> int:
    """The integer of size bytes at addr. EFAULT."""
    return int.from_bytes(copy_from_user(current, addr, size), "little", signed=signed)


def put_user(current: task_struct, addr: int, value: int, size: int = 4) -> None:
    """Store an integer of size bytes at addr. EFAULT."""
    copy_to_user(current, addr, (value & ((1 << 8 * size) - 1)).to_bytes(size, "little"))


def strncpy_from_user(current: task_struct, addr: int, count: int) -> bytes:
    """The C string at addr without its NUL; count bytes when none is among them. EFAULT."""
    data = raw_copy_from_user(current, addr, count)
    end = data.find(0)
    if end >= 0:
        return data[:end]
    if len(data) < count:
        raise KernelError(EFAULT)
    return data
