"""splice(), tee(), and what sendfile() stands on (fs/splice.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EAGAIN, EBADF, EINVAL, EPIPE, ESPIPE
from kshell.abi.fcntl import O_APPEND, O_NONBLOCK, SPLICE_F_MORE, SPLICE_F_NONBLOCK
from kshell.abi.signal import SIGPIPE
from kshell.linux.fs.file import fdget, fdput
from kshell.linux.fs.inode_times import file_accessed
from kshell.linux.fs.pipe import get_pipe_info
from kshell.linux.fs.pipe_info import alloc_pipe_info
from kshell.linux.fs.pipe_rw import _slot, pipe_wait_readable, pipe_wait_writable
from kshell.linux.fs.read_write import rw_verify_area
from kshell.linux.fs.splice_to_file import wakeup_pipe_writers
from kshell.linux.fs.splice_to_pipe import wakeup_pipe_readers
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.errno import ERESTARTSYS
from kshell.linux.include.linux.fs import FMODE_PREAD, FMODE_PWRITE, FMODE_READ, FMODE_WRITE, MAX_RW_COUNT
from kshell.linux.include.linux.fs_ops import FMODE_LSEEK
from kshell.linux.include.linux.mm_types import PAGE_SHIFT
from kshell.linux.include.linux.pipe_fs_i import (
    PIPE_BUF_FLAG_CAN_MERGE,
    PIPE_BUF_FLAG_GIFT,
    pipe_buf_get,
    pipe_buf_release,
    pipe_empty,
    pipe_full,
    pipe_inode_info,
    pipe_occupancy,
)
from kshell.linux.include.linux.sched import signal_pending
from kshell.linux.include.linux.splice import SPLICE_F_ALL, splice_desc, splice_direct_actor
from kshell.linux.include.linux.syscalls import SYSCALL_DEFINE
from kshell.linux.include.linux.uaccess import get_user, put_user
from kshell.linux.include.linux.uio import READ, WRITE
from kshell.linux.kernel.signal import send_sig

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import file
    from kshell.linux.include.linux.fs_ops import Ppos
    from kshell.linux.include.linux.sched import task_struct


async def do_splice_from(pipe: pipe_inode_info, out: file, ppos: Ppos, length: int, flags: int) -> int:
    """From a pipe to a file, by its splice_write. EINVAL: it has none."""
    if out.f_op.splice_write is None:
        raise KernelError(EINVAL)
    return await out.f_op.splice_write(pipe, out, ppos, length, flags)


async def do_splice_to(in_: file, ppos: Ppos, pipe: pipe_inode_info, length: int, flags: int) -> int:
    """From a file to a pipe, as much as it has room for. EBADF, EINVAL: the file has no splice_read."""
    if not in_.f_mode & FMODE_READ:
        raise KernelError(EBADF)
    space = pipe.max_usage - pipe_occupancy(pipe.head, pipe.tail)
    length = min(length, space << PAGE_SHIFT)
    rw_verify_area(READ, in_, ppos, length)
    length = min(length, MAX_RW_COUNT)
    if in_.f_op.splice_read is None:
        raise KernelError(EINVAL)
    return await in_.f_op.splice_read(in_, ppos, pipe, length, flags)


def _drain(pipe: pipe_inode_info) -> None:
    for buf in pipe.bufs:
        if buf is not None and buf.ops is not None:
            pipe_buf_release(pipe, buf)
    pipe.head = pipe.tail = 0


async def splice_direct_to_actor(in_: file, sd: splice_desc, actor: splice_direct_actor) -> int:
    """From a file through a pipe of the task's own to the actor. EINVAL: the file can't be seeked."""
    if not in_.f_mode & FMODE_LSEEK:
        raise KernelError(EINVAL)
    current = sd._current
    pipe = current.splice_pipe
    if pipe is None:
        pipe = current.splice_pipe = alloc_pipe_info(current.kernel)
        pipe.readers = 1
    done = 0
    left = sd.total_len
    flags = sd.flags
    sd.flags &= ~SPLICE_F_NONBLOCK
    more = sd.flags & SPLICE_F_MORE
    try:
        while left:
            pos = [sd.pos]
            before = sd.pos
            read_len = await do_splice_to(in_, pos, pipe, left, flags)
            if read_len <= 0:
                if not more and done and sd.file.f_op.splice_eof is not None:
                    sd.file.f_op.splice_eof(sd.file)
                break
            sd.total_len = read_len
            if read_len < left:
                sd.flags |= SPLICE_F_MORE
            elif not more:
                sd.flags &= ~SPLICE_F_MORE
            ret = await actor(pipe, sd)
            sd.pos = before + max(ret, 0) if ret < read_len else pos[0]
            done += max(ret, 0)
            left -= max(ret, 0)
            if ret < read_len:
                break
    except KernelError:
        if not done:
            raise
    finally:
        _drain(pipe)
        file_accessed(in_)
    return done


async def direct_splice_actor(pipe: pipe_inode_info, sd: splice_desc) -> int:
    """Actor: to a file, at sd.opos."""
    opos = [sd.opos]
    try:
        return await do_splice_from(pipe, sd.file, opos, sd.total_len, sd.flags)
    finally:
        sd.opos = opos[0]


async def do_splice_direct(
    current: task_struct, in_: file, ppos: Ppos, out: file, opos: Ppos, length: int, flags: int
) -> int:
    """From one file to another, neither a pipe; both positions move. EBADF, EINVAL."""
    if not out.f_mode & FMODE_WRITE:
        raise KernelError(EBADF)
    if out.f_flags & O_APPEND:
        raise KernelError(EINVAL)
    rw_verify_area(WRITE, out, opos, length)
    sd = splice_desc(current, out, length, flags, pos=ppos[0], opos=opos[0])
    try:
        ret = await splice_direct_to_actor(in_, sd, direct_splice_actor)
    finally:
        opos[0] = sd.opos
    if ret > 0:
        ppos[0] = sd.pos
    return ret


async def wait_for_space(pipe: pipe_inode_info, flags: int) -> None:
    """Wait for a free slot. EPIPE with SIGPIPE, EAGAIN, ERESTARTSYS."""
    current = pipe._kernel.current
    while True:
        if not pipe.readers:
            send_sig(SIGPIPE, current, 0)
            raise KernelError(EPIPE)
        if not pipe_full(pipe.head, pipe.tail, pipe.max_usage):
            return
        if flags & SPLICE_F_NONBLOCK:
            raise KernelError(EAGAIN)
        if signal_pending(current):
            raise KernelError(ERESTARTSYS)
        await pipe_wait_writable(pipe)


async def splice_file_to_pipe(in_: file, opipe: pipe_inode_info, offset: Ppos, length: int, flags: int) -> int:
    """From a file into a user's pipe."""
    await wait_for_space(opipe, flags)
    ret = await do_splice_to(in_, offset, opipe, length, flags)
    if ret > 0:
        wakeup_pipe_readers(opipe)
    return ret


async def ipipe_prep(pipe: pipe_inode_info, flags: int) -> None:
    """Wait for data, or the end of it. EAGAIN, ERESTARTSYS."""
    while pipe_empty(pipe.head, pipe.tail):
        if signal_pending(pipe._kernel.current):
            raise KernelError(ERESTARTSYS)
        if not pipe.writers:
            return
        if flags & SPLICE_F_NONBLOCK:
            raise KernelError(EAGAIN)
        await pipe_wait_readable(pipe)


async def opipe_prep(pipe: pipe_inode_info, flags: int) -> None:
    """Wait for room. EPIPE with SIGPIPE, EAGAIN, ERESTARTSYS."""
    current = pipe._kernel.current
    while pipe_full(pipe.head, pipe.tail, pipe.max_usage):
        if not pipe.readers:
            send_sig(SIGPIPE, current, 0)
            raise KernelError(EPIPE)
        if flags & SPLICE_F_NONBLOCK:
            raise KernelError(EAGAIN)
        if signal_pending(current):
            raise KernelError(ERESTARTSYS)
        await pipe_wait_writable(pipe)


def _link_buffer(ipipe: pipe_inode_info, at: int, opipe: pipe_inode_info, length: int) -> int:
    """Let the output pipe share up to length bytes of one buffer."""
    ibuf = _slot(ipipe, at)
    pipe_buf_get(ipipe, ibuf)
    obuf = _slot(opipe, opipe.head)
    opipe.head += 1
    obuf.page, obuf.offset, obuf.ops = ibuf.page, ibuf.offset, ibuf.ops
    obuf.flags = ibuf.flags & ~(PIPE_BUF_FLAG_GIFT | PIPE_BUF_FLAG_CAN_MERGE)
    obuf.len = min(ibuf.len, length)
    return obuf.len


def _shrink(pipe: pipe_inode_info, count: int) -> bool:
    """Take bytes from the first buffer; whether that freed it."""
    buf = _slot(pipe, pipe.tail)
    buf.offset += count
    buf.len -= count
    if buf.len:
        return False
    pipe_buf_release(pipe, buf)
    pipe.tail += 1
    return True


def _broken(opipe: pipe_inode_info) -> None:
    if not opipe.readers:
        send_sig(SIGPIPE, opipe._kernel.current, 0)
        raise KernelError(EPIPE)


async def splice_pipe_to_pipe(ipipe: pipe_inode_info, opipe: pipe_inode_info, length: int, flags: int) -> int:
    """Move buffers from one pipe to another. EPIPE with SIGPIPE, EAGAIN, ERESTARTSYS."""
    moved = 0
    need_wakeup = False
    while True:
        await ipipe_prep(ipipe, flags)
        await opipe_prep(opipe, flags)
        while length:
            if not opipe.readers:
                if not moved:
                    _broken(opipe)
                break
            if pipe_empty(ipipe.head, ipipe.tail) or pipe_full(opipe.head, opipe.tail, opipe.max_usage):
                break
            count = _link_buffer(ipipe, ipipe.tail, opipe, length)
            need_wakeup |= _shrink(ipipe, count)
            moved += count
            length -= count
        if moved or not length or (not ipipe.writers and pipe_empty(ipipe.head, ipipe.tail)):
            break
        if flags & SPLICE_F_NONBLOCK:
            break
    if moved:
        wakeup_pipe_readers(opipe)
    if need_wakeup:
        wakeup_pipe_writers(ipipe)
    return moved


def link_pipe(ipipe: pipe_inode_info, opipe: pipe_inode_info, length: int, flags: int) -> int:
    """Let the output pipe share the input pipe's buffers. EPIPE with SIGPIPE."""
    done = 0
    at = ipipe.tail
    while length:
        if not opipe.readers:
            if not done:
                _broken(opipe)
            break
        if at == ipipe.head or pipe_full(opipe.head, opipe.tail, opipe.max_usage):
            break
        count = _link_buffer(ipipe, at, opipe, length)
        done += count
        length -= count
        at += 1
    if done:
        wakeup_pipe_readers(opipe)
    return done


async def _to_file(ipipe: pipe_inode_info, in_: file, out: file, off_out: Ppos | None, length: int, flags: int) -> int:
    if off_out is not None and not out.f_mode & FMODE_PWRITE:
        raise KernelError(EINVAL)
    offset = off_out if off_out is not None else [out.f_pos]
    if out.f_flags & O_APPEND:
        raise KernelError(EINVAL)
    rw_verify_area(WRITE, out, offset, length)
    if in_.f_flags & O_NONBLOCK:
        flags |= SPLICE_F_NONBLOCK
    ret = await do_splice_from(ipipe, out, offset, length, flags)
    if off_out is None:
        out.f_pos = offset[0]
    return ret


async def _from_file(in_: file, off_in: Ppos | None, opipe: pipe_inode_info, out: file, length: int, flags: int) -> int:
    if off_in is not None and not in_.f_mode & FMODE_PREAD:
        raise KernelError(EINVAL)
    offset = off_in if off_in is not None else [in_.f_pos]
    if out.f_flags & O_NONBLOCK:
        flags |= SPLICE_F_NONBLOCK
    ret = await splice_file_to_pipe(in_, opipe, offset, length, flags)
    if off_in is None:
        in_.f_pos = offset[0]
    return ret


async def do_splice(
    in_: file, off_in: Ppos | None, out: file, off_out: Ppos | None, length: int, flags: int
) -> int:
    """From or to a pipe, or both. EBADF, ESPIPE, EINVAL: no pipe, or one with itself."""
    if not in_.f_mode & FMODE_READ or not out.f_mode & FMODE_WRITE:
        raise KernelError(EBADF)
    ipipe = get_pipe_info(in_, True)
    opipe = get_pipe_info(out, True)
    if ipipe is not None and opipe is not None:
        if off_in is not None or off_out is not None:
            raise KernelError(ESPIPE)
        if ipipe is opipe:
            raise KernelError(EINVAL)
        if (in_.f_flags | out.f_flags) & O_NONBLOCK:
            flags |= SPLICE_F_NONBLOCK
        return await splice_pipe_to_pipe(ipipe, opipe, length, flags)
    if ipipe is not None:
        return await _to_file(ipipe, in_, out, off_out, length, flags)
    if opipe is not None:
        return await _from_file(in_, off_in, opipe, out, length, flags)
    raise KernelError(EINVAL)


async def __do_splice(
    current: task_struct, in_: file, off_in: int, out: file, off_out: int, length: int, flags: int
) -> int:
    if (get_pipe_info(in_, True) is not None and off_in) or (get_pipe_info(out, True) is not None and off_out):
        raise KernelError(ESPIPE)
    pos_out = [get_user(current, off_out, 8)] if off_out else None
    pos_in = [get_user(current, off_in, 8)] if off_in else None
    ret = await do_splice(in_, pos_in, out, pos_out, length, flags)
    if pos_out is not None:
        put_user(current, off_out, pos_out[0], 8)
    if pos_in is not None:
        put_user(current, off_in, pos_in[0], 8)
    return ret


@SYSCALL_DEFINE
async def sys_splice(
    current: task_struct, fd_in: int, off_in: int, fd_out: int, off_out: int, len: int, flags: int
) -> int:
    """ssize_t splice(int fd_in, loff_t *off_in, int fd_out, loff_t *off_out, size_t len, unsigned int flags)."""
    if not len:
        return 0
    if flags & ~SPLICE_F_ALL:
        raise KernelError(EINVAL)
    in_, iput = fdget(current, fd_in)
    if in_ is None:
        raise KernelError(EBADF)
    try:
        out, oput = fdget(current, fd_out)
        if out is None:
            raise KernelError(EBADF)
        try:
            return await __do_splice(current, in_, off_in, out, off_out, len, flags)
        finally:
            fdput(out, oput)
    finally:
        fdput(in_, iput)


async def do_tee(in_: file, out: file, length: int, flags: int) -> int:
    """Copy from pipe to pipe without reading. EBADF, EINVAL."""
    if not in_.f_mode & FMODE_READ or not out.f_mode & FMODE_WRITE:
        raise KernelError(EBADF)
    ipipe = get_pipe_info(in_, True)
    opipe = get_pipe_info(out, True)
    if ipipe is None or opipe is None or ipipe is opipe:
        raise KernelError(EINVAL)
    if (in_.f_flags | out.f_flags) & O_NONBLOCK:
        flags |= SPLICE_F_NONBLOCK
    await ipipe_prep(ipipe, flags)
    await opipe_prep(opipe, flags)
    return link_pipe(ipipe, opipe, length, flags)


@SYSCALL_DEFINE
async def sys_tee(current: task_struct, fdin: int, fdout: int, len: int, flags: int) -> int:
    """ssize_t tee(int fdin, int fdout, size_t len, unsigned int flags)."""
    if flags & ~SPLICE_F_ALL:
        raise KernelError(EINVAL)
    if not len:
        return 0
    in_, iput = fdget(current, fdin)
    if in_ is None:
        raise KernelError(EBADF)
    try:
        out, oput = fdget(current, fdout)
        if out is None:
            raise KernelError(EBADF)
        try:
            return await do_tee(in_, out, len, flags)
        finally:
            fdput(out, oput)
    finally:
        fdput(in_, iput)
