"""Moving data through an iov_iter (lib/iov_iter.c)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from kshell.abi.errno import EFAULT, EINVAL
from kshell.abi.resource import UIO_MAXIOV
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fs import MAX_RW_COUNT
from kshell.linux.include.linux.sched import in_compat_syscall
from kshell.linux.include.linux.uaccess import access_ok, copy_from_user, raw_copy_from_user, raw_copy_to_user
from kshell.linux.include.linux.uio import iov_iter, iov_iter_ubuf

if TYPE_CHECKING:
    from kshell.linux.include.linux.sched import task_struct


def import_single_range(current: task_struct, rw: int, buf: int, length: int) -> iov_iter:
    """An iterator over one buffer of at most MAX_RW_COUNT bytes. EFAULT: not in user space."""
    length = min(length, MAX_RW_COUNT)
    if not access_ok(buf, length):
        raise KernelError(EFAULT)
    return iov_iter_ubuf(current, rw, buf, length)


def import_iovec(current: task_struct, rw: int, uvec: int, nr_segs: int, fast_segs: int = 8) -> iov_iter:
    """An iterator over the nr_segs struct iovec at uvec. EINVAL: too many, or a negative length; EFAULT."""
    return _iter_of_segments(current, rw, iovec_from_user(current, uvec, nr_segs, in_compat_syscall(current)))


def iovec_from_user(current: task_struct, uvec: int, nr_segs: int, compat: bool) -> list[tuple[int, int]]:
    """The segments (address, length) at uvec."""
    if nr_segs == 0:
        return []
    if nr_segs > UIO_MAXIOV:
        raise KernelError(EINVAL)
    layout = struct.Struct("<II" if compat else "<QQ")
    limit = 1 << (31 if compat else 63)
    segments = list(layout.iter_unpack(copy_from_user(current, uvec, nr_segs * layout.size)))
    if any(length >= limit for _, length in segments):
        raise KernelError(EINVAL)
    return segments


def _iter_of_segments(current: task_struct, rw: int, segments: list[tuple[int, int]]) -> iov_iter:
    total = 0
    capped: list[tuple[int, int]] = []
    for base, length in segments:
        if not access_ok(base, length):
            raise KernelError(EFAULT)
        length = min(length, MAX_RW_COUNT - total)
        capped.append((base, length))
        total += length
    return iov_iter(rw, current, tuple(capped), total)


def copy_from_iter(i: iov_iter, bytes_wanted: int) -> bytes:
    """Up to bytes_wanted bytes; fewer when memory is bad there. Advances by what it returns."""
    n = min(bytes_wanted, i.count)
    if i._kvec is not None:
        data = bytes(i._kvec[i.iov_offset : i.iov_offset + n])
        i.iov_offset += n
        i.count -= n
        return data
    assert i._current is not None
    if i._segment < len(i._segments):
        base, length = i._segments[i._segment]
        if i.iov_offset + n <= length:  # the usual case: one segment has it all
            data = raw_copy_from_user(i._current, base + i.iov_offset, n)
            i.iov_offset += len(data)
            i.count -= len(data)
            return data
    return _gather(i, n)


def _gather(i: iov_iter, n: int) -> bytes:
    assert i._current is not None
    parts: list[bytes] = []
    while n > 0:
        base, length = i._segments[i._segment]
        chunk = min(n, length - i.iov_offset)
        data = raw_copy_from_user(i._current, base + i.iov_offset, chunk)
        parts.append(data)
        iov_iter_advance(i, len(data))
        n -= len(data)
        if len(data) < chunk:
            break
    return b"".join(parts)


def copy_from_iter_full(i: iov_iter, bytes_wanted: int) -> bytes:
    """Exactly bytes_wanted bytes. EFAULT: not all can be read; the iterator has not moved then."""
    data = copy_from_iter(i, bytes_wanted)
    if len(data) != bytes_wanted:
        iov_iter_revert(i, len(data))
        raise KernelError(EFAULT)
    return data


def copy_to_iter(data: bytes, i: iov_iter) -> int:
    """Store data; how many bytes went before the room or the good memory ended."""
    n = min(len(data), i.count)
    if i._kvec is not None:
        i._kvec[i.iov_offset : i.iov_offset + n] = data[:n]
        i.iov_offset += n
        i.count -= n
        return n
    done = 0
    assert i._current is not None
    while done < n:
        base, length = i._segments[i._segment]
        chunk = min(n - done, length - i.iov_offset)
        stored = raw_copy_to_user(i._current, base + i.iov_offset, data[done : done + chunk])
        iov_iter_advance(i, stored)
        done += stored
        if stored < chunk:
            break
    return done


def iov_iter_advance(i: iov_iter, size: int) -> None:
    """Skip size bytes."""
    size = min(size, i.count)
    i.count -= size
    i.iov_offset += size
    if i._kvec is None:
        while i._segment < len(i._segments) and i.iov_offset >= i._segments[i._segment][1]:
            if i._segment == len(i._segments) - 1:
                break
            i.iov_offset -= i._segments[i._segment][1]
            i._segment += 1


def iov_iter_revert(i: iov_iter, unroll: int) -> None:
    """Go back by unroll bytes."""
    i.count += unroll
    while unroll > i.iov_offset and i._segment > 0:
        unroll -= i.iov_offset
        i._segment -= 1
        i.iov_offset = i._segments[i._segment][1]
    i.iov_offset -= unroll


def iov_iter_truncate(i: iov_iter, count: int) -> None:
    """Leave at most count bytes."""
    i.count = min(i.count, count)
