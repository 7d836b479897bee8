"""From a pipe into a file or a socket (fs/splice.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EAGAIN, EINVAL
from kshell.abi.fcntl import SPLICE_F_MORE, SPLICE_F_NONBLOCK
from kshell.abi.signal import SIGIO
from kshell.abi.socket import MSG_MORE
from kshell.linux.fs.fcntl import kill_fasync
from kshell.linux.fs.pipe_rw import POLL_OUT, _slot, pipe_wait_readable
from kshell.linux.fs.read_write_vec import vfs_iter_write
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.errno import ERESTARTSYS
from kshell.linux.include.linux.pipe_fs_i import (
    pipe_buf_confirm,
    pipe_buf_release,
    pipe_buffer,
    pipe_empty,
    pipe_inode_info,
    pipe_occupancy,
)
from kshell.linux.include.linux.sched import signal_pending
from kshell.linux.include.linux.socket import MSG_SENDPAGE_NOTLAST
from kshell.linux.include.linux.splice import splice_actor, splice_desc
from kshell.linux.include.linux.uio import _kvec_iter
from kshell.linux.include.linux.wait import waitqueue_active
from kshell.linux.kernel.sched.wait import wake_up_interruptible

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import file
    from kshell.linux.include.linux.fs_ops import Ppos


def _bytes_of(buf: pipe_buffer, length: int) -> bytes:
    assert buf.page is not None
    return buf.page._data[buf.offset : buf.offset + length]


async def pipe_to_sendpage(pipe: pipe_inode_info, buf: pipe_buffer, sd: splice_desc) -> int:
    """Actor: hand a buffer to a socket. EINVAL: the file takes no pages."""
    sendpage = sd.file.f_op.sendpage
    if sendpage is None:
        raise KernelError(EINVAL)
    more = MSG_MORE if sd.flags & SPLICE_F_MORE else 0
    if sd.len < sd.total_len and pipe_occupancy(pipe.head, pipe.tail) > 1:
        more |= MSG_SENDPAGE_NOTLAST
    return await sendpage(sd.file, _bytes_of(buf, sd.len), 0, sd.len, [sd.pos], more)


def wakeup_pipe_writers(pipe: pipe_inode_info) -> None:
    """There is room."""
    if waitqueue_active(pipe.wr_wait):
        wake_up_interruptible(pipe.wr_wait)
    kill_fasync(pipe.fasync_writers, SIGIO, POLL_OUT)


def _consume(pipe: pipe_inode_info, buf: pipe_buffer, sd: splice_desc, count: int) -> None:
    buf.offset += count
    buf.len -= count
    if not buf.len:
        pipe_buf_release(pipe, buf)
        pipe.tail += 1
        if pipe.files:
            sd.need_wakeup = True


async def splice_from_pipe_feed(pipe: pipe_inode_info, sd: splice_desc, actor: splice_actor) -> bool:
    """Hand buffers to the actor; whether more are wanted."""
    while not pipe_empty(pipe.head, pipe.tail):
        buf = _slot(pipe, pipe.tail)
        sd.len = min(buf.len, sd.total_len)
        pipe_buf_confirm(pipe, buf)
        ret = await actor(pipe, buf, sd)
        if ret <= 0:
            return False
        sd.num_spliced += ret
        sd.len -= ret
        sd.pos += ret
        sd.total_len -= ret
        _consume(pipe, buf, sd, ret)
        if not sd.total_len:
            return False
    return True


def eat_empty_buffer(pipe: pipe_inode_info) -> bool:
    """Drop a first buffer that holds nothing."""
    buf = _slot(pipe, pipe.tail)
    if buf.len:
        return False
    pipe_buf_release(pipe, buf)
    pipe.tail += 1
    return True


async def splice_from_pipe_next(pipe: pipe_inode_info, sd: splice_desc) -> bool:
    """Wait for a buffer; False at the end. EAGAIN, ERESTARTSYS."""
    if signal_pending(sd._current):
        raise KernelError(ERESTARTSYS)
    while True:
        while pipe_empty(pipe.head, pipe.tail):
            if not pipe.writers or sd.num_spliced:
                return False
            if sd.flags & SPLICE_F_NONBLOCK:
                raise KernelError(EAGAIN)
            if signal_pending(sd._current):
                raise KernelError(ERESTARTSYS)
            if sd.need_wakeup:
                wakeup_pipe_writers(pipe)
                sd.need_wakeup = False
            await pipe_wait_readable(pipe)
        if not eat_empty_buffer(pipe):
            return True


def splice_from_pipe_end(pipe: pipe_inode_info, sd: splice_desc) -> None:
    """Wake the writers if there is room now."""
    if sd.need_wakeup:
        wakeup_pipe_writers(pipe)


async def __splice_from_pipe(pipe: pipe_inode_info, sd: splice_desc, actor: splice_actor) -> int:
    sd.num_spliced = 0
    sd.need_wakeup = False
    try:
        while await splice_from_pipe_next(pipe, sd):
            if not await splice_from_pipe_feed(pipe, sd, actor):
                break
    except KernelError:
        if not sd.num_spliced:
            raise
    finally:
        splice_from_pipe_end(pipe, sd)
    return sd.num_spliced


def pipe_lock(pipe: pipe_inode_info) -> None:
    """Keep other users of the pipe out (here nobody sleeps with it)."""


def pipe_unlock(pipe: pipe_inode_info) -> None:
    """Let other users in again."""


async def splice_from_pipe(
    pipe: pipe_inode_info, out: file, ppos: Ppos, length: int, flags: int, actor: splice_actor
) -> int:
    """Hand up to length bytes of a pipe to the actor; how many went."""
    sd = splice_desc(pipe._kernel.current, out, length, flags, pos=ppos[0])
    pipe_lock(pipe)
    ret = await __splice_from_pipe(pipe, sd, actor)
    pipe_unlock(pipe)
    return ret


def _gather(pipe: pipe_inode_info, wanted: int) -> bytes:
    parts = []
    for at in range(pipe.tail, pipe.head):
        if not wanted:
            break
        buf = _slot(pipe, at)
        pipe_buf_confirm(pipe, buf)
        parts.append(_bytes_of(buf, min(buf.len, wanted)))
        wanted -= len(parts[-1])
    return b"".join(parts)


async def iter_file_splice_write(pipe: pipe_inode_info, out: file, ppos: Ppos, length: int, flags: int) -> int:
    """splice_write of files that have write_iter; ppos moves."""
    sd = splice_desc(pipe._kernel.current, out, length, flags, pos=ppos[0])
    try:
        while sd.total_len and await splice_from_pipe_next(pipe, sd):
            data = _gather(pipe, sd.total_len)
            pos = [sd.pos]
            ret = await vfs_iter_write(out, _kvec_iter(data), pos, 0)
            sd.pos = pos[0]
            if ret <= 0:
                break
            sd.num_spliced += ret
            sd.total_len -= ret
            ppos[0] = sd.pos
            while ret:
                buf = _slot(pipe, pipe.tail)
                eaten = min(ret, buf.len)
                _consume(pipe, buf, sd, eaten)
                ret -= eaten
    except KernelError:
        if not sd.num_spliced:
            raise
    finally:
        splice_from_pipe_end(pipe, sd)
    return sd.num_spliced


async def generic_splice_sendpage(
    pipe: pipe_inode_info, out: file, ppos: Ppos, length: int, flags: int
) -> int:
    """splice_write of sockets."""
    return await splice_from_pipe(pipe, out, ppos, length, flags, pipe_to_sendpage)
