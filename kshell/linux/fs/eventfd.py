"""eventfd(): a counter that can be waited for (fs/eventfd.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from kshell.abi.errno import EAGAIN, EFAULT, EINVAL
from kshell.abi.fcntl import O_CLOEXEC, O_NONBLOCK, O_RDWR
from kshell.abi.poll import EFD_CLOEXEC, EFD_NONBLOCK, EFD_SEMAPHORE, EPOLLERR, EPOLLIN, EPOLLOUT
from kshell.linux.fs.anon_inodes import anon_inode_getfile
from kshell.linux.fs.file import fd_install, get_unused_fd_flags, put_unused_fd
from kshell.linux.fs.read_write import noop_llseek
from kshell.linux.fs.seq_file import seq_printf
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fs import FMODE_NOWAIT, IOCB_NOWAIT, file_operations
from kshell.linux.include.linux.poll import poll_table, poll_wait
from kshell.linux.include.linux.syscalls import SYSCALL_DEFINE
from kshell.linux.include.linux.uaccess import get_user
from kshell.linux.include.linux.wait import wait_queue_head, waitqueue_active
from kshell.linux.kernel.sched.wait import wait_event_interruptible, wake_up_poll
from kshell.linux.lib.iov_iter import copy_to_iter
from kshell.linux.mm.slab_common import kfree, kzalloc

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import file, inode, kiocb
    from kshell.linux.include.linux.fs_ops import Ppos
    from kshell.linux.include.linux.sched import task_struct
    from kshell.linux.include.linux.seq_file import seq_file
    from kshell.linux.include.linux.uio import iov_iter
    from kshell.linux.init.kernel import Kernel

ULLONG_MAX: Final = (1 << 64) - 1
SIZEOF_CTX: Final = 48
EFD_FLAGS_SET: Final = EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE


class eventfd_ctx:
    """The counter: write() adds to it, read() takes all, or 1 with EFD_SEMAPHORE."""

    __slots__ = ("_addr", "_kernel", "count", "flags", "id", "wqh")
    _addr: int
    _kernel: Kernel

    def __init__(self) -> None:
        self.count = self.flags = self.id = 0
        self.wqh = wait_queue_head()


def eventfd_release(inode: inode, f: file) -> None:
    """The last descriptor is closed."""
    ctx = cast(eventfd_ctx, f.private_data)
    kfree(ctx._kernel, ctx, SIZEOF_CTX)


def eventfd_poll(f: file, wait: poll_table | None) -> int:
    """Readable above 0, writable when 1 can be added, an error at the very top."""
    ctx = cast(eventfd_ctx, f.private_data)
    poll_wait(f, ctx.wqh, wait)
    events = 0
    if ctx.count > 0:
        events |= EPOLLIN
    if ctx.count == ULLONG_MAX:
        events |= EPOLLERR
    if ctx.count < ULLONG_MAX - 1:
        events |= EPOLLOUT
    return events


def eventfd_ctx_do_read(ctx: eventfd_ctx) -> int:
    """Take from the counter."""
    taken = 1 if ctx.flags & EFD_SEMAPHORE and ctx.count else ctx.count
    ctx.count -= taken
    return taken


async def eventfd_read(iocb: kiocb, to: iov_iter) -> int:
    """Read 8 bytes, waiting for the counter to be above 0. EINVAL, EAGAIN, EFAULT, ERESTARTSYS."""
    f = iocb.ki_filp
    ctx = cast(eventfd_ctx, f.private_data)
    if to.count < 8:
        raise KernelError(EINVAL)
    if not ctx.count:
        if f.f_flags & O_NONBLOCK or iocb.ki_flags & IOCB_NOWAIT:
            raise KernelError(EAGAIN)
        await wait_event_interruptible(ctx._kernel, ctx.wqh, lambda: ctx.count > 0)
    taken = eventfd_ctx_do_read(ctx)
    if waitqueue_active(ctx.wqh):
        wake_up_poll(ctx.wqh, EPOLLOUT)
    if copy_to_iter(taken.to_bytes(8, "little"), to) != 8:
        raise KernelError(EFAULT)
    return 8


async def eventfd_write(f: file, buf: int, count: int, ppos: Ppos) -> int:
    """Add 8 bytes' worth, waiting while that would overflow. EINVAL, EAGAIN, EFAULT, ERESTARTSYS."""
    ctx = cast(eventfd_ctx, f.private_data)
    if count < 8:
        raise KernelError(EINVAL)
    value = get_user(ctx._kernel.current, buf, 8, signed=False)
    if value == ULLONG_MAX:
        raise KernelError(EINVAL)
    if ULLONG_MAX - ctx.count <= value:
        if f.f_flags & O_NONBLOCK:
            raise KernelError(EAGAIN)
        await wait_event_interruptible(ctx._kernel, ctx.wqh, lambda: ULLONG_MAX - ctx.count > value)
    ctx.count += value
    if waitqueue_active(ctx.wqh):
        wake_up_poll(ctx.wqh, EPOLLIN)
    return 8


def eventfd_show_fdinfo(m: seq_file, f: file) -> None:
    """The counter, in /proc/PID/fdinfo."""
    ctx = cast(eventfd_ctx, f.private_data)
    seq_printf(m, f"eventfd-count: {ctx.count:16x}\neventfd-id: {ctx.id}\n")


eventfd_fops = file_operations(
    show_fdinfo=eventfd_show_fdinfo,
    release=eventfd_release,
    poll=eventfd_poll,
    read_iter=eventfd_read,
    write=eventfd_write,
    llseek=noop_llseek,
)


def do_eventfd(current: task_struct, count: int, flags: int) -> int:
    """A counter that starts at count, under a new descriptor. EINVAL, EMFILE, ENFILE."""
    if flags & ~EFD_FLAGS_SET:
        raise KernelError(EINVAL)
    kernel = current.kernel
    ctx = kzalloc(kernel, eventfd_ctx, SIZEOF_CTX)
    ctx._kernel = kernel
    ctx.count = count
    ctx.flags = flags
    ctx.id = kernel.eventfd_ida
    kernel.eventfd_ida += 1
    flags = flags & (O_CLOEXEC | O_NONBLOCK) | O_RDWR
    try:
        fd = get_unused_fd_flags(current, flags)
        try:
            f = anon_inode_getfile(kernel, "[eventfd]", eventfd_fops, ctx, flags)
        except KernelError:
            put_unused_fd(current, fd)
            raise
    except KernelError:
        kfree(kernel, ctx, SIZEOF_CTX)
        raise
    f.f_mode |= FMODE_NOWAIT
    fd_install(current, fd, f)
    return fd


@SYSCALL_DEFINE
def sys_eventfd2(current: task_struct, count: int, flags: int) -> int:
    """int eventfd2(unsigned int count, int flags)."""
    return do_eventfd(current, count, flags)


@SYSCALL_DEFINE
def sys_eventfd(current: task_struct, count: int) -> int:
    """int eventfd(unsigned int count)."""
    return do_eventfd(current, count, 0)


