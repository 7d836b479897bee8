"""Reading, writing and polling a pipe (fs/pipe.c)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from kshell.abi.errno import EAGAIN, EFAULT, ENOBUFS, EPIPE
from kshell.abi.fcntl import O_DIRECT, O_NONBLOCK
from kshell.abi.ioctl import FIONREAD
from kshell.abi.poll import EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLOUT, EPOLLRDNORM, EPOLLWRNORM
from kshell.abi.signal import POLL_IN, POLL_OUT, SIGIO, SIGPIPE
from kshell.linux.fs.fcntl import kill_fasync
from kshell.linux.fs.inode_times import file_accessed, file_update_time
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.errno import ENOIOCTLCMD, ERESTARTSYS
from kshell.linux.include.linux.fs import FMODE_READ, FMODE_WRITE, IOCB_NOWAIT
from kshell.linux.include.linux.mm_types import PAGE_SIZE
from kshell.linux.include.linux.pipe_fs_i import (
    PIPE_BUF_FLAG_CAN_MERGE,
    PIPE_BUF_FLAG_PACKET,
    PIPE_BUF_FLAG_WHOLE,
    page,
    pipe_buf_confirm,
    pipe_buf_operations,
    pipe_buf_release,
    pipe_buffer,
    pipe_empty,
    pipe_full,
    pipe_inode_info,
)
from kshell.linux.include.linux.poll import poll_table, poll_wait
from kshell.linux.include.linux.sched import TASK_INTERRUPTIBLE, signal_pending
from kshell.linux.include.linux.uaccess import put_user
from kshell.linux.include.linux.wait import WQ_FLAG_EXCLUSIVE, wait_queue_entry, wait_queue_head
from kshell.linux.kernel.sched.core import schedule
from kshell.linux.kernel.sched.wait import (
    autoremove_wake_function,
    finish_wait,
    init_wait_entry,
    prepare_to_wait_event,
    wait_event_interruptible,
    wake_up_interruptible_sync_poll,
)
from kshell.linux.kernel.signal import send_sig
from kshell.linux.lib.iov_iter import copy_from_iter, copy_to_iter

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import file, kiocb
    from kshell.linux.include.linux.uio import iov_iter


def _slot(pipe: pipe_inode_info, index: int) -> pipe_buffer:
    """The ring's buffer for an ever-growing index, made when first used."""
    at = index & (pipe.ring_size - 1)
    buf = pipe.bufs[at]
    if buf is None:
        buf = pipe.bufs[at] = pipe_buffer()
    return buf


def anon_pipe_buf_release(pipe: pipe_inode_info, buf: pipe_buffer) -> None:
    """Keep one page for the next write; let the others go."""
    old = buf.page
    buf.page = None
    assert old is not None
    if old._refcount == 1 and pipe.tmp_page is None:
        pipe.tmp_page = old
    else:
        old._refcount -= 1


def anon_pipe_buf_try_steal(pipe: pipe_inode_info, buf: pipe_buffer) -> bool:
    """Whether nobody else uses the page, so that it can be given away."""
    return buf.page is not None and buf.page._refcount == 1


generic_pipe_buf_try_steal = anon_pipe_buf_try_steal


def generic_pipe_buf_get(pipe: pipe_inode_info, buf: pipe_buffer) -> bool:
    """One more user of the page."""
    assert buf.page is not None
    buf.page._refcount += 1
    return True


def generic_pipe_buf_release(pipe: pipe_inode_info, buf: pipe_buffer) -> None:
    """One user of the page less."""
    assert buf.page is not None
    buf.page._refcount -= 1
    buf.page = None


anon_pipe_buf_ops = pipe_buf_operations(
    release=anon_pipe_buf_release, try_steal=anon_pipe_buf_try_steal, get=generic_pipe_buf_get
)


def pipe_readable(pipe: pipe_inode_info) -> bool:
    """Whether a reader has no need to sleep: data, or end of file."""
    return pipe.head != pipe.tail or not pipe.writers


def pipe_writable(pipe: pipe_inode_info) -> bool:
    """Whether a writer has no need to sleep: room, or no reader any more."""
    return pipe.head - pipe.tail < pipe.max_usage or not pipe.readers


async def pipe_wait_readable(pipe: pipe_inode_info) -> None:
    """Sleep until there is data or no writer; a signal ends it too."""
    try:
        await wait_event_interruptible(pipe._kernel, pipe.rd_wait, lambda: pipe_readable(pipe))
    except KernelError:
        pass


async def pipe_wait_writable(pipe: pipe_inode_info) -> None:
    """Sleep until there is room or no reader; a signal ends it too."""
    try:
        await wait_event_interruptible(pipe._kernel, pipe.wr_wait, lambda: pipe_writable(pipe))
    except KernelError:
        pass


async def _wait_exclusive(
    pipe: pipe_inode_info, wq: wait_queue_head, condition: Callable[[pipe_inode_info], bool]
) -> None:
    """wait_event_interruptible_exclusive(wq, condition(pipe)). ERESTARTSYS."""
    if condition(pipe):
        return
    kernel = pipe._kernel
    entry = wait_queue_entry(kernel.current, autoremove_wake_function)
    init_wait_entry(entry, WQ_FLAG_EXCLUSIVE)
    while True:
        prepare_to_wait_event(wq, entry, TASK_INTERRUPTIBLE)
        if condition(pipe):
            break
        await schedule(kernel)
    finish_wait(wq, entry)


def _take(pipe: pipe_inode_info, to: iov_iter, total_len: int) -> tuple[int, int, int]:
    """Read from the first buffer: bytes got, bytes still wanted, errno."""
    buf = _slot(pipe, pipe.tail)
    chars = buf.len
    if chars > total_len:
        if buf.flags & PIPE_BUF_FLAG_WHOLE:
            return 0, total_len, ENOBUFS
        chars = total_len
    try:
        pipe_buf_confirm(pipe, buf)
    except KernelError as error:
        return 0, total_len, error.errno
    assert buf.page is not None
    if copy_to_iter(buf.page._data[buf.offset : buf.offset + chars], to) < chars:
        return 0, total_len, EFAULT
    buf.offset += chars
    buf.len -= chars
    if buf.flags & PIPE_BUF_FLAG_PACKET:
        total_len = chars
        buf.len = 0
    if not buf.len:
        pipe_buf_release(pipe, buf)
        pipe.tail += 1
    return chars, total_len - chars, 0


async def pipe_read(iocb: kiocb, to: iov_iter) -> int:
    """Read what there is, sleeping for the first byte. EAGAIN, EFAULT, ERESTARTSYS."""
    total_len = to.count
    filp = iocb.ki_filp
    pipe = cast(pipe_inode_info, filp.private_data)
    if total_len == 0:
        return 0
    ret = 0
    wake_next_reader = False
    was_full = pipe_full(pipe.head, pipe.tail, pipe.max_usage)
    while True:
        if not pipe_empty(pipe.head, pipe.tail):
            chars, total_len, error = _take(pipe, to, total_len)
            ret += chars
            if error:
                ret = ret or -error
                break
            if not total_len:
                break
            if not pipe_empty(pipe.head, pipe.tail):
                continue
        if not pipe.writers or ret:
            break
        if filp.f_flags & O_NONBLOCK or iocb.ki_flags & IOCB_NOWAIT:
            ret = -EAGAIN
            break
        if was_full:
            wake_up_interruptible_sync_poll(pipe.wr_wait, EPOLLOUT | EPOLLWRNORM)
        kill_fasync(pipe.fasync_writers, SIGIO, POLL_OUT)
        await _wait_exclusive(pipe, pipe.rd_wait, pipe_readable)
        was_full = pipe_full(pipe.head, pipe.tail, pipe.max_usage)
        wake_next_reader = True
    if was_full:
        wake_up_interruptible_sync_poll(pipe.wr_wait, EPOLLOUT | EPOLLWRNORM)
    if wake_next_reader and not pipe_empty(pipe.head, pipe.tail):
        wake_up_interruptible_sync_poll(pipe.rd_wait, EPOLLIN | EPOLLRDNORM)
    kill_fasync(pipe.fasync_writers, SIGIO, POLL_OUT)
    if ret < 0:
        raise KernelError(-ret)
    if ret > 0:
        file_accessed(filp)
    return ret


def is_packetized(filp: file) -> bool:
    """Whether each write is a packet of its own (O_DIRECT)."""
    return bool(filp.f_flags & O_DIRECT)


def _merge(pipe: pipe_inode_info, from_: iov_iter, total_len: int) -> int:
    """Append the odd part of a write to the last buffer when it fits there. EFAULT."""
    chars = total_len & (PAGE_SIZE - 1)
    if not chars or pipe_empty(pipe.head, pipe.tail):
        return 0
    buf = _slot(pipe, pipe.head - 1)
    offset = buf.offset + buf.len
    if not buf.flags & PIPE_BUF_FLAG_CAN_MERGE or offset + chars > PAGE_SIZE:
        return 0
    pipe_buf_confirm(pipe, buf)
    data = copy_from_iter(from_, chars)
    assert buf.page is not None
    buf.page._data = buf.page._data[:offset] + data
    if len(data) < chars:
        raise KernelError(EFAULT)
    buf.len += chars
    return chars


def _append(pipe: pipe_inode_info, filp: file, from_: iov_iter) -> int:
    """Fill a new buffer; -EFAULT leaves it in the ring, empty."""
    new = pipe.tmp_page or page()
    pipe.tmp_page = None
    buf = _slot(pipe, pipe.head)
    pipe.head += 1
    buf.page = new
    buf.ops = anon_pipe_buf_ops
    buf.offset = buf.len = 0
    buf.flags = PIPE_BUF_FLAG_PACKET if is_packetized(filp) else PIPE_BUF_FLAG_CAN_MERGE
    data = copy_from_iter(from_, PAGE_SIZE)
    new._data = data
    if len(data) < PAGE_SIZE and from_.count:
        return -EFAULT
    buf.len = len(data)
    return len(data)


def _wake_after_write(pipe: pipe_inode_info, was_empty: bool, wake_next_writer: bool) -> None:
    if was_empty or pipe.poll_usage:
        wake_up_interruptible_sync_poll(pipe.rd_wait, EPOLLIN | EPOLLRDNORM)
    kill_fasync(pipe.fasync_readers, SIGIO, POLL_IN)
    if wake_next_writer and not pipe_full(pipe.head, pipe.tail, pipe.max_usage):
        wake_up_interruptible_sync_poll(pipe.wr_wait, EPOLLOUT | EPOLLWRNORM)


async def pipe_write(iocb: kiocb, from_: iov_iter) -> int:
    """Write all, sleeping for room. EPIPE with SIGPIPE, EAGAIN, EFAULT, ERESTARTSYS."""
    filp = iocb.ki_filp
    pipe = cast(pipe_inode_info, filp.private_data)
    total_len = from_.count
    if total_len == 0:
        return 0
    current = pipe._kernel.current
    ret = 0
    was_empty = wake_next_writer = False
    try:
        if not pipe.readers:
            send_sig(SIGPIPE, current, 0)
            raise KernelError(EPIPE)
        was_empty = pipe_empty(pipe.head, pipe.tail)
        ret = _merge(pipe, from_, total_len)
        while from_.count:
            if not pipe.readers:
                send_sig(SIGPIPE, current, 0)
                ret = ret or -EPIPE
                break
            if not pipe_full(pipe.head, pipe.tail, pipe.max_usage):
                copied = _append(pipe, filp, from_)
                if copied < 0:
                    ret = ret or copied
                    break
                ret += copied
                continue
            if filp.f_flags & O_NONBLOCK:
                ret = ret or -EAGAIN
                break
            if signal_pending(current):
                ret = ret or -ERESTARTSYS
                break
            if was_empty:
                wake_up_interruptible_sync_poll(pipe.rd_wait, EPOLLIN | EPOLLRDNORM)
            kill_fasync(pipe.fasync_readers, SIGIO, POLL_IN)
            try:
                await _wait_exclusive(pipe, pipe.wr_wait, pipe_writable)
            except KernelError:
                pass  # the signal is looked at above, once room has been looked for
            was_empty = pipe_empty(pipe.head, pipe.tail)
            wake_next_writer = True
    finally:
        _wake_after_write(pipe, was_empty, wake_next_writer)
    if ret < 0:
        raise KernelError(-ret)
    if ret > 0:
        file_update_time(filp)
    return ret


def pipe_ioctl(filp: file, cmd: int, arg: int) -> int:
    """FIONREAD: the number of bytes buffered, an int, goes to arg. EFAULT, ENOIOCTLCMD."""
    pipe = cast(pipe_inode_info, filp.private_data)
    if cmd != FIONREAD:
        raise KernelError(ENOIOCTLCMD)
    count = sum(_slot(pipe, at).len for at in range(pipe.tail, pipe.head))
    put_user(pipe._kernel.current, arg, count)
    return 0


def pipe_poll(filp: file, wait: poll_table | None) -> int:
    """Readable with data, HUP without writer, writable with a free slot, ERR without reader."""
    pipe = cast(pipe_inode_info, filp.private_data)
    pipe.poll_usage = True
    if filp.f_mode & FMODE_READ:
        poll_wait(filp, pipe.rd_wait, wait)
    if filp.f_mode & FMODE_WRITE:
        poll_wait(filp, pipe.wr_wait, wait)
    mask = 0
    if filp.f_mode & FMODE_READ:
        if not pipe_empty(pipe.head, pipe.tail):
            mask |= EPOLLIN | EPOLLRDNORM
        if not pipe.writers and filp.f_version != pipe.w_counter:
            mask |= EPOLLHUP
    if filp.f_mode & FMODE_WRITE:
        if not pipe_full(pipe.head, pipe.tail, pipe.max_usage):
            mask |= EPOLLOUT | EPOLLWRNORM
        if not pipe.readers:
            mask |= EPOLLERR
    return mask
