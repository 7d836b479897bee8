"""signalfd: signals that are read instead of handled (fs/signalfd.c)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final, cast

from kshell.abi.errno import EAGAIN, EBADF, EINVAL
from kshell.abi.fcntl import O_CLOEXEC, O_NONBLOCK, O_RDWR
from kshell.abi.poll import EPOLLIN, SFD_CLOEXEC, SFD_NONBLOCK
from kshell.abi.signal import SIGKILL, SIGSTOP
from kshell.linux.fs.anon_inodes import anon_inode_getfd
from kshell.linux.fs.file import fdget, fdput
from kshell.linux.fs.read_write import noop_llseek
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fs import file_operations
from kshell.linux.include.linux.poll import poll_table, poll_wait
from kshell.linux.include.linux.syscalls import SYSCALL_DEFINE
from kshell.linux.include.linux.uaccess import copy_to_user, get_user
from kshell.linux.kernel.sched.wait import wait_event_interruptible, wake_up
from kshell.linux.kernel.signal import sigmask
from kshell.linux.kernel.signal_deliver import dequeue_signal, next_signal
from kshell.linux.mm.slab_common import kfree, kzalloc

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import file, inode
    from kshell.linux.include.linux.fs_ops import Ppos
    from kshell.linux.include.linux.sched import kernel_siginfo, task_struct
    from kshell.linux.init.kernel import Kernel

SIGINFO: Final = struct.Struct("<IiiIIiIIIIiiQQQQ")
SIZEOF_SIGINFO: Final = 128
ALL_SIGNALS: Final = (1 << 64) - 1


class signalfd_ctx:
    """sigmask: the signals that are not read."""

    __slots__ = ("_addr", "_kernel", "sigmask")
    _addr: int
    _kernel: Kernel

    def __init__(self) -> None:
        self.sigmask = 0


def signalfd_release(inode: inode, f: file) -> None:
    """The last descriptor is closed."""
    ctx = cast(signalfd_ctx, f.private_data)
    kfree(ctx._kernel, ctx, 8)


def _pending(current: task_struct, mask: int) -> bool:
    return bool(next_signal(current._pending, mask) or next_signal(current.signal.shared_pending, mask))


def signalfd_poll(f: file, wait: poll_table | None) -> int:
    """Readable while one of the signals is pending for the caller."""
    ctx = cast(signalfd_ctx, f.private_data)
    current = ctx._kernel.current
    poll_wait(f, current._sighand.signalfd_wqh, wait)
    return EPOLLIN if _pending(current, ctx.sigmask) else 0


def signalfd_copyinfo(info: kernel_siginfo) -> bytes:
    """struct signalfd_siginfo."""
    fields = (
        info.si_signo, info.si_errno, info.si_code, info.si_pid, info.si_uid, info.si_fd, 0, info.si_band,
        0, 0, info.si_status, 0, 0, 0, 0, info.si_addr,
    )  # fmt: skip
    return SIGINFO.pack(*fields).ljust(SIZEOF_SIGINFO, b"\0")


async def signalfd_dequeue(ctx: signalfd_ctx, nonblock: int) -> kernel_siginfo:
    """The next signal, for which it waits. EAGAIN, ERESTARTSYS."""
    current = ctx._kernel.current
    while True:
        info = dequeue_signal(current, ctx.sigmask)
        if info is not None:
            return info
        if nonblock:
            raise KernelError(EAGAIN)
        wqh = current._sighand.signalfd_wqh
        await wait_event_interruptible(ctx._kernel, wqh, lambda: _pending(current, ctx.sigmask))


async def signalfd_read(f: file, buf: int, count: int, ppos: Ppos) -> int:
    """As many siginfos as fit. EINVAL: not even one does."""
    ctx = cast(signalfd_ctx, f.private_data)
    if count < SIZEOF_SIGINFO:
        raise KernelError(EINVAL)
    total = 0
    nonblock = f.f_flags & O_NONBLOCK
    try:
        while count - total >= SIZEOF_SIGINFO:
            info = await signalfd_dequeue(ctx, nonblock)
            copy_to_user(ctx._kernel.current, buf + total, signalfd_copyinfo(info))
            total += SIZEOF_SIGINFO
            nonblock = 1
    except KernelError:
        if not total:
            raise
    return total


signalfd_fops = file_operations(
    release=signalfd_release, poll=signalfd_poll, read=signalfd_read, llseek=noop_llseek
)


def do_signalfd4(current: task_struct, ufd: int, mask: int, flags: int) -> int:
    """A new signalfd, or other signals for an old one. EINVAL, EBADF, EMFILE."""
    if flags & ~(SFD_CLOEXEC | SFD_NONBLOCK):
        raise KernelError(EINVAL)
    kernel = current.kernel
    left_out = ~(mask & ~(sigmask(SIGKILL) | sigmask(SIGSTOP))) & ALL_SIGNALS
    if ufd == -1:
        ctx = kzalloc(kernel, signalfd_ctx, 8)
        ctx._kernel = kernel
        ctx.sigmask = left_out
        try:
            mode = O_RDWR | flags & (O_CLOEXEC | O_NONBLOCK)
            return anon_inode_getfd(current, "[signalfd]", signalfd_fops, ctx, mode)
        except KernelError:
            kfree(kernel, ctx, 8)
            raise
    f, put = fdget(current, ufd)
    if f is None:
        raise KernelError(EBADF)
    if f.f_op is not signalfd_fops:
        fdput(f, put)
        raise KernelError(EINVAL)
    cast(signalfd_ctx, f.private_data).sigmask = left_out
    wake_up(current._sighand.signalfd_wqh)
    fdput(f, put)
    return ufd


@SYSCALL_DEFINE
def sys_signalfd4(current: task_struct, ufd: int, user_mask: int, sizemask: int, flags: int) -> int:
    """int signalfd4(int ufd, const sigset_t *user_mask, size_t sizemask, int flags)."""
    if sizemask != 8:
        raise KernelError(EINVAL)
    return do_signalfd4(current, ufd, get_user(current, user_mask, 8, signed=False), flags)


@SYSCALL_DEFINE
def sys_signalfd(current: task_struct, ufd: int, user_mask: int, sizemask: int) -> int:
    """int signalfd(int ufd, const sigset_t *user_mask, size_t sizemask)."""
    if sizemask != 8:
        raise KernelError(EINVAL)
    return do_signalfd4(current, ufd, get_user(current, user_mask, 8, signed=False), 0)
