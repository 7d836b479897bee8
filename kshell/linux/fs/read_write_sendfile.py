"""sendfile() (fs/read_write.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EBADF, EOVERFLOW, ESPIPE
from kshell.abi.fcntl import O_NONBLOCK, SPLICE_F_NONBLOCK
from kshell.linux.fs.file import fdget, fdput
from kshell.linux.fs.pipe import get_pipe_info
from kshell.linux.fs.read_write import rw_verify_area
from kshell.linux.fs.splice import do_splice_direct, splice_file_to_pipe
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fs import FMODE_PREAD, FMODE_READ, FMODE_WRITE, MAX_RW_COUNT
from kshell.linux.include.linux.syscalls import SYSCALL_DEFINE
from kshell.linux.include.linux.uaccess import get_user, put_user
from kshell.linux.include.linux.uio import READ, WRITE

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import file
    from kshell.linux.include.linux.fs_ops import Ppos
    from kshell.linux.include.linux.sched import task_struct


async def _send(current: task_struct, in_: file, pos: Ppos, out: file, count: int) -> int:
    opipe = get_pipe_info(out, True)
    if opipe is not None:
        fl = SPLICE_F_NONBLOCK if out.f_flags & O_NONBLOCK else 0
        return await splice_file_to_pipe(in_, opipe, pos, count, fl)
    out_pos = [out.f_pos]
    rw_verify_area(WRITE, out, out_pos, count)
    ret = await do_splice_direct(current, in_, pos, out, out_pos, count, 0)
    if ret > 0:
        out.f_pos = out_pos[0]
    return ret


async def do_sendfile(
    current: task_struct, out_fd: int, in_fd: int, ppos: Ppos | None, count: int, limit: int
) -> int:
    """From a file that can be seeked to any other. EBADF, ESPIPE, EINVAL, EOVERFLOW."""
    in_, iput = fdget(current, in_fd)
    if in_ is None:
        raise KernelError(EBADF)
    try:
        if not in_.f_mode & FMODE_READ:
            raise KernelError(EBADF)
        if ppos is not None and not in_.f_mode & FMODE_PREAD:
            raise KernelError(ESPIPE)
        pos = [in_.f_pos if ppos is None else ppos[0]]
        rw_verify_area(READ, in_, pos, count)
        count = min(count, MAX_RW_COUNT)
        out, oput = fdget(current, out_fd)
        if out is None:
            raise KernelError(EBADF)
        try:
            if not out.f_mode & FMODE_WRITE:
                raise KernelError(EBADF)
            limit = limit or min(in_.f_inode.i_sb.s_maxbytes, out.f_inode.i_sb.s_maxbytes)
            if pos[0] + count > limit:
                if pos[0] >= limit:
                    raise KernelError(EOVERFLOW)
                count = limit - pos[0]
            ret = await _send(current, in_, pos, out, count)
        finally:
            fdput(out, oput)
        if ret > 0:
            if ppos is not None:
                ppos[0] = pos[0]
            else:
                in_.f_pos = pos[0]
        if pos[0] > limit:
            raise KernelError(EOVERFLOW)
        return ret
    finally:
        fdput(in_, iput)


@SYSCALL_DEFINE
async def sys_sendfile64(current: task_struct, out_fd: int, in_fd: int, offset: int, count: int) -> int:
    """ssize_t sendfile64(int out_fd, int in_fd, loff_t *offset, size_t count)."""
    if not offset:
        return await do_sendfile(current, out_fd, in_fd, None, count, 0)
    pos = [get_user(current, offset, 8)]
    try:
        return await do_sendfile(current, out_fd, in_fd, pos, count, 0)
    finally:
        put_user(current, offset, pos[0], 8)


sys_sendfile = sys_sendfile64
