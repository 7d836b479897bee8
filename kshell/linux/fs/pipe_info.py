"""The pipe_inode_info of a pipe: made, accounted to a user, resized, freed (fs/pipe.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kshell.abi.capability import CAP_SYS_ADMIN, CAP_SYS_RESOURCE
from kshell.abi.errno import EBUSY, EINVAL, ENFILE, EPERM
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.mm_types import PAGE_SHIFT, PAGE_SIZE
from kshell.linux.include.linux.pipe_fs_i import (
    PIPE_DEF_BUFFERS,
    PIPE_MIN_DEF_BUFFERS,
    pipe_buf_release,
    pipe_buffer,
    pipe_inode_info,
    pipe_occupancy,
)
from kshell.linux.kernel.capability import capable
from kshell.linux.kernel.sched.wait import wake_up_interruptible
from kshell.linux.kernel.user import _current_user, free_uid
from kshell.linux.mm.slab_common import kfree, kzalloc

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import inode
    from kshell.linux.include.linux.sched import task_struct
    from kshell.linux.include.linux.user import user_struct
    from kshell.linux.init.kernel import Kernel

SIZEOF_PIPE: Final = 168


def account_pipe_buffers(user: user_struct, old: int, new: int) -> int:
    """Charge a user for new instead of old pages; returns the total."""
    user.pipe_bufs += new - old
    return user.pipe_bufs


def too_many_pipe_buffers_soft(kernel: Kernel, user_bufs: int) -> bool:
    """Whether new pipes get 2 pages only (fs.pipe-user-pages-soft)."""
    return bool(kernel.pipe_user_pages_soft) and user_bufs > kernel.pipe_user_pages_soft


def too_many_pipe_buffers_hard(kernel: Kernel, user_bufs: int) -> bool:
    """Whether new pipes are refused (fs.pipe-user-pages-hard)."""
    return bool(kernel.pipe_user_pages_hard) and user_bufs > kernel.pipe_user_pages_hard


def pipe_is_unprivileged_user(current: task_struct) -> bool:
    """Whether the limits hold for current."""
    return not capable(current, CAP_SYS_RESOURCE) and not capable(current, CAP_SYS_ADMIN)


def alloc_pipe_info(kernel: Kernel) -> pipe_inode_info:
    """A new, empty pipe of 16 pages. ENFILE: the user has too many."""
    current = kernel.current
    user = _current_user(current)
    pipe = kzalloc(kernel, pipe_inode_info, SIZEOF_PIPE)
    pipe_bufs = PIPE_DEF_BUFFERS
    if pipe_bufs * PAGE_SIZE > kernel.pipe_max_size and not capable(current, CAP_SYS_RESOURCE):
        pipe_bufs = kernel.pipe_max_size >> PAGE_SHIFT
    user_bufs = account_pipe_buffers(user, 0, pipe_bufs)
    if too_many_pipe_buffers_soft(kernel, user_bufs) and pipe_is_unprivileged_user(current):
        user_bufs = account_pipe_buffers(user, pipe_bufs, PIPE_MIN_DEF_BUFFERS)
        pipe_bufs = PIPE_MIN_DEF_BUFFERS
    if too_many_pipe_buffers_hard(kernel, user_bufs) and pipe_is_unprivileged_user(current):
        account_pipe_buffers(user, pipe_bufs, 0)
        kfree(kernel, pipe, SIZEOF_PIPE)
        free_uid(user)
        raise KernelError(ENFILE)
    pipe._kernel = kernel
    pipe.bufs = [None] * pipe_bufs
    pipe.max_usage = pipe.ring_size = pipe.nr_accounted = pipe_bufs
    pipe.user = user
    return pipe


def free_pipe_info(pipe: pipe_inode_info) -> None:
    """Free a pipe and all that is in it."""
    account_pipe_buffers(pipe.user, pipe.nr_accounted, 0)
    free_uid(pipe.user)
    for buf in pipe.bufs:
        if buf is not None and buf.ops is not None:
            pipe_buf_release(pipe, buf)
    pipe.tmp_page = None
    kfree(pipe._kernel, pipe, SIZEOF_PIPE)


def put_pipe_info(inode: inode, pipe: pipe_inode_info) -> None:
    """One open file less; the last one frees the pipe."""
    pipe.files -= 1
    if not pipe.files:
        inode.i_pipe = None
        free_pipe_info(pipe)


def round_pipe_size(size: int) -> int:
    """The power of two in which size bytes fit, at least a page; 0 when there is none."""
    if size > 1 << 31:
        return 0
    if size < PAGE_SIZE:
        return PAGE_SIZE
    return 1 << (size - 1).bit_length()


def pipe_resize_ring(pipe: pipe_inode_info, nr_slots: int) -> None:
    """Change the number of slots. EBUSY: more are in use."""
    used = pipe_occupancy(pipe.head, pipe.tail)
    if nr_slots < used:
        raise KernelError(EBUSY)
    mask = pipe.ring_size - 1
    bufs: list[pipe_buffer | None] = [pipe.bufs[at & mask] for at in range(pipe.tail, pipe.head)]
    pipe.bufs = bufs + [None] * (nr_slots - used)
    pipe.ring_size = pipe.max_usage = pipe.nr_accounted = nr_slots
    pipe.tail = 0
    pipe.head = used
    wake_up_interruptible(pipe.wr_wait)


def pipe_set_size(pipe: pipe_inode_info, arg: int) -> int:
    """F_SETPIPE_SZ: room for arg bytes; returns the room there is. EINVAL, EPERM, EBUSY."""
    kernel = pipe._kernel
    current = kernel.current
    size = round_pipe_size(arg) & 0xFFFFFFFF
    nr_slots = size >> PAGE_SHIFT
    if not nr_slots:
        raise KernelError(EINVAL)
    growing = nr_slots > pipe.max_usage
    if growing and size > kernel.pipe_max_size and not capable(current, CAP_SYS_RESOURCE):
        raise KernelError(EPERM)
    accounted = pipe.nr_accounted
    user_bufs = account_pipe_buffers(pipe.user, accounted, nr_slots)
    try:
        over = too_many_pipe_buffers_hard(kernel, user_bufs) or too_many_pipe_buffers_soft(kernel, user_bufs)
        if growing and over and pipe_is_unprivileged_user(current):
            raise KernelError(EPERM)
        pipe_resize_ring(pipe, nr_slots)
    except KernelError:
        account_pipe_buffers(pipe.user, nr_slots, accounted)
        raise
    return pipe.max_usage * PAGE_SIZE
