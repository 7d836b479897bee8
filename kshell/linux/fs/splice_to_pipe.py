"""From a file or a socket into a pipe (fs/splice.c; skb_splice_bits() is net/core/skbuff.c's)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EAGAIN, EFAULT, EPIPE
from kshell.abi.signal import POLL_IN, SIGIO, SIGPIPE
from kshell.linux.fs.fcntl import kill_fasync
from kshell.linux.fs.inode_times import file_accessed
from kshell.linux.fs.pipe_rw import _slot, generic_pipe_buf_get, generic_pipe_buf_release, generic_pipe_buf_try_steal
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fs import kiocb
from kshell.linux.include.linux.mm_types import PAGE_SIZE
from kshell.linux.include.linux.pipe_fs_i import page, pipe_buf_operations, pipe_full, pipe_inode_info, pipe_occupancy
from kshell.linux.include.linux.uio import _kvec_iter
from kshell.linux.include.linux.wait import waitqueue_active
from kshell.linux.kernel.sched.wait import wake_up_interruptible
from kshell.linux.kernel.signal import send_sig

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import file
    from kshell.linux.include.linux.fs_ops import Ppos
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.sock import sock

default_pipe_buf_ops = pipe_buf_operations(
    release=generic_pipe_buf_release, try_steal=generic_pipe_buf_try_steal, get=generic_pipe_buf_get
)
nosteal_pipe_buf_ops = pipe_buf_operations(release=generic_pipe_buf_release, get=generic_pipe_buf_get)


def wakeup_pipe_readers(pipe: pipe_inode_info) -> None:
    """There is data."""
    if waitqueue_active(pipe.rd_wait):
        wake_up_interruptible(pipe.rd_wait)
    kill_fasync(pipe.fasync_readers, SIGIO, POLL_IN)


def _push(pipe: pipe_inode_info, data: bytes, ops: pipe_buf_operations) -> None:
    buf = _slot(pipe, pipe.head)
    pipe.head += 1
    buf.page = page(data)
    buf.offset = 0
    buf.len = len(data)
    buf.ops = ops
    buf.flags = 0


def splice_to_pipe(pipe: pipe_inode_info, pieces: list[bytes]) -> int:
    """Put pieces (a page or less each) into a pipe; how many bytes went. EPIPE with SIGPIPE, EAGAIN."""
    if not pieces:
        return 0
    if not pipe.readers:
        send_sig(SIGPIPE, pipe._kernel.current, 0)
        raise KernelError(EPIPE)
    done = 0
    for data in pieces:
        if pipe_full(pipe.head, pipe.tail, pipe.max_usage):
            break
        _push(pipe, data, nosteal_pipe_buf_ops)
        done += len(data)
    if not done:
        raise KernelError(EAGAIN)
    return done


def skb_splice_bits(skb: sk_buff, sk: sock, offset: int, pipe: pipe_inode_info, tlen: int, flags: int) -> int:
    """Put tlen bytes of a packet's data from offset on into a pipe; how many went. EAGAIN, EPIPE."""
    data = skb.data[offset : offset + tlen]
    return splice_to_pipe(pipe, [data[at : at + PAGE_SIZE] for at in range(0, len(data), PAGE_SIZE)])


async def generic_file_splice_read(
    in_: file, ppos: Ppos, pipe: pipe_inode_info, length: int, flags: int
) -> int:
    """splice_read of files that have read_iter; ppos moves."""
    room = pipe.max_usage - pipe_occupancy(pipe.head, pipe.tail)
    first = PAGE_SIZE - ppos[0] % PAGE_SIZE
    length = min(length, first + (room - 1) * PAGE_SIZE)
    if length <= 0:
        raise KernelError(EAGAIN)
    to = _kvec_iter(None, length)
    iocb = kiocb(in_, ppos[0], 0)
    assert in_.f_op.read_iter is not None
    try:
        ret = await in_.f_op.read_iter(iocb, to)
    except KernelError as error:
        if error.errno == EFAULT:
            error.errno = EAGAIN
        raise
    if ret > 0:
        data = to.bytes()
        _push(pipe, data[:first], default_pipe_buf_ops)
        for at in range(first, ret, PAGE_SIZE):
            _push(pipe, data[at : at + PAGE_SIZE], default_pipe_buf_ops)
        ppos[0] = iocb.ki_pos
        file_accessed(in_)
    return ret
