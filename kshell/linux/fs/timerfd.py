"""timerfd: timers that are read and polled (fs/timerfd.c)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final, cast

from kshell.abi.capability import CAP_WAKE_ALARM
from kshell.abi.errno import EAGAIN, EBADF, EINVAL, EPERM
from kshell.abi.fcntl import O_CLOEXEC, O_NONBLOCK, O_RDWR
from kshell.abi.poll import (
    EPOLLIN,
    TFD_CLOEXEC,
    TFD_NONBLOCK,
    TFD_TIMER_ABSTIME,
    TFD_TIMER_CANCEL_ON_SET,
)
from kshell.abi.time import CLOCK_BOOTTIME, CLOCK_BOOTTIME_ALARM, CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_REALTIME_ALARM
from kshell.linux.fs.anon_inodes import anon_inode_getfd
from kshell.linux.fs.file import fdget, fdput
from kshell.linux.fs.read_write import noop_llseek
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fs import file_operations
from kshell.linux.include.linux.hrtimer import HRTIMER_NORESTART, hrtimer
from kshell.linux.include.linux.poll import poll_table, poll_wait
from kshell.linux.include.linux.syscalls import SYSCALL_DEFINE
from kshell.linux.include.linux.uaccess import copy_from_user, copy_to_user, put_user
from kshell.linux.include.linux.wait import wait_queue_head
from kshell.linux.kernel.capability import capable
from kshell.linux.kernel.sched.wait import wait_event_interruptible, wake_up_poll
from kshell.linux.kernel.time.hrtimer import hrtimer_cancel, hrtimer_forward, hrtimer_start
from kshell.linux.kernel.time.timekeeping import ktime_get, ktime_get_real
from kshell.linux.mm.slab_common import kfree, kzalloc

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import file, inode
    from kshell.linux.include.linux.fs_ops import Ppos
    from kshell.linux.include.linux.sched import task_struct
    from kshell.linux.init.kernel import Kernel

NSEC: Final = 1_000_000_000
SIZEOF_CTX: Final = 224
ITIMERSPEC: Final = struct.Struct("<qqqq")


class timerfd_ctx:
    """The timer, how often it went off since the last read (ticks), and its interval in ns (tintv)."""

    __slots__ = ("_addr", "_kernel", "clockid", "expired", "settime_flags", "ticks", "tintv", "tmr", "wqh")
    _addr: int
    _kernel: Kernel

    def __init__(self) -> None:
        self.clockid = self.expired = self.settime_flags = self.ticks = self.tintv = 0
        self.wqh = wait_queue_head()
        self.tmr = hrtimer(timerfd_tmrproc, self)


def timerfd_tmrproc(timer: hrtimer) -> int:
    """The timer went off."""
    ctx = cast(timerfd_ctx, timer._owner)
    ctx.expired = 1
    ctx.ticks += 1
    wake_up_poll(ctx.wqh, EPOLLIN)
    return HRTIMER_NORESTART


def _offset(ctx: timerfd_ctx) -> int:
    """What the timer's clock is ahead of CLOCK_MONOTONIC, in ns."""
    if ctx.clockid in (CLOCK_REALTIME, CLOCK_REALTIME_ALARM):
        return ktime_get_real(ctx._kernel) - ktime_get(ctx._kernel)
    return 0


def timerfd_get_remaining(ctx: timerfd_ctx) -> int:
    """ns until the timer goes off, 0 when it is not armed."""
    if ctx.tmr._event is None:
        return 0
    return max(ctx.tmr._softexpires - ktime_get(ctx._kernel), 0)


def timerfd_setup(ctx: timerfd_ctx, flags: int, value: int, interval: int) -> None:
    """Arm the timer for value (ns, absolute with TFD_TIMER_ABSTIME); 0 leaves it off."""
    ctx.expired = ctx.ticks = 0
    ctx.tintv = interval
    if value:
        now = ktime_get(ctx._kernel)
        expires = value - _offset(ctx) if flags & TFD_TIMER_ABSTIME else now + value
        hrtimer_start(ctx._kernel, ctx.tmr, max(expires, now))
    ctx.settime_flags = flags


def timerfd_release(inode: inode, f: file) -> None:
    """The last descriptor is closed."""
    ctx = cast(timerfd_ctx, f.private_data)
    hrtimer_cancel(ctx.tmr)
    ctx.tmr._owner = None
    kfree(ctx._kernel, ctx, SIZEOF_CTX)


def timerfd_poll(f: file, wait: poll_table | None) -> int:
    """Readable once the timer went off."""
    ctx = cast(timerfd_ctx, f.private_data)
    poll_wait(f, ctx.wqh, wait)
    return EPOLLIN if ctx.ticks else 0


async def timerfd_read(f: file, buf: int, count: int, ppos: Ppos) -> int:
    """How often it went off, a u64. EINVAL: less than 8 bytes; EAGAIN, EFAULT, ERESTARTSYS."""
    ctx = cast(timerfd_ctx, f.private_data)
    kernel = ctx._kernel
    if count < 8:
        raise KernelError(EINVAL)
    if not ctx.ticks:
        if f.f_flags & O_NONBLOCK:
            raise KernelError(EAGAIN)
        await wait_event_interruptible(kernel, ctx.wqh, lambda: ctx.ticks > 0)
    ticks = ctx.ticks
    if ctx.expired and ctx.tintv:
        ticks += hrtimer_forward(ctx.tmr, ktime_get(kernel), ctx.tintv) - 1
        hrtimer_start(kernel, ctx.tmr, ctx.tmr._softexpires)
    ctx.expired = ctx.ticks = 0
    put_user(kernel.current, buf, ticks, 8)
    return 8


timerfd_fops = file_operations(
    release=timerfd_release, poll=timerfd_poll, read=timerfd_read, llseek=noop_llseek
)


@SYSCALL_DEFINE
def sys_timerfd_create(current: task_struct, clockid: int, flags: int) -> int:
    """int timerfd_create(int clockid, int flags)."""
    alarm = clockid in (CLOCK_REALTIME_ALARM, CLOCK_BOOTTIME_ALARM)
    known = alarm or clockid in (CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_BOOTTIME)
    if flags & ~(TFD_CLOEXEC | TFD_NONBLOCK) or not known:
        raise KernelError(EINVAL)
    if alarm and not capable(current, CAP_WAKE_ALARM):
        raise KernelError(EPERM)
    kernel = current.kernel
    ctx = kzalloc(kernel, timerfd_ctx, SIZEOF_CTX)
    ctx._kernel = kernel
    ctx.clockid = clockid
    try:
        return anon_inode_getfd(
            current, "[timerfd]", timerfd_fops, ctx, O_RDWR | flags & (O_CLOEXEC | O_NONBLOCK)
        )
    except KernelError:
        kfree(kernel, ctx, SIZEOF_CTX)
        raise


def timerfd_fget(current: task_struct, fd: int) -> tuple[file, int]:
    """The file of a timerfd. EBADF, EINVAL: another kind of file."""
    f, put = fdget(current, fd)
    if f is None:
        raise KernelError(EBADF)
    if f.f_op is not timerfd_fops:
        fdput(f, put)
        raise KernelError(EINVAL)
    return f, put


def _catch_up(ctx: timerfd_ctx) -> None:
    """A periodic timer that went off and was not read: find its next expiry."""
    if ctx.expired and ctx.tintv:
        hrtimer_forward(ctx.tmr, ktime_get(ctx._kernel), ctx.tintv)


def _spec(interval: int, value: int) -> bytes:
    return ITIMERSPEC.pack(*divmod(interval, NSEC), *divmod(value, NSEC))


def do_timerfd_settime(
    current: task_struct, ufd: int, flags: int, spec: tuple[int, int, int, int]
) -> tuple[int, int]:
    """Arm or disarm; the interval and the remaining time of before (ns). EINVAL, EBADF."""
    isec, insec, vsec, vnsec = spec
    valid = isec >= 0 and vsec >= 0 and 0 <= insec < NSEC and 0 <= vnsec < NSEC
    if flags & ~(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET) or not valid:
        raise KernelError(EINVAL)
    f, put = timerfd_fget(current, ufd)
    ctx = cast(timerfd_ctx, f.private_data)
    left = timerfd_get_remaining(ctx)
    hrtimer_cancel(ctx.tmr)
    if ctx.expired and ctx.tintv:
        _catch_up(ctx)
        left = max(ctx.tmr._softexpires - ktime_get(ctx._kernel), 0)
    old = (ctx.tintv, left)
    timerfd_setup(ctx, flags, vsec * NSEC + vnsec, isec * NSEC + insec)
    fdput(f, put)
    return old


@SYSCALL_DEFINE
def sys_timerfd_settime(current: task_struct, ufd: int, flags: int, utmr: int, otmr: int) -> int:
    """int timerfd_settime(int ufd, int flags, const struct itimerspec *utmr, struct itimerspec *otmr)."""
    isec, insec, vsec, vnsec = ITIMERSPEC.unpack(copy_from_user(current, utmr, ITIMERSPEC.size))
    old = do_timerfd_settime(current, ufd, flags, (isec, insec, vsec, vnsec))
    if otmr:
        copy_to_user(current, otmr, _spec(*old))
    return 0


@SYSCALL_DEFINE
def sys_timerfd_gettime(current: task_struct, ufd: int, otmr: int) -> int:
    """int timerfd_gettime(int ufd, struct itimerspec *otmr)."""
    f, put = timerfd_fget(current, ufd)
    ctx = cast(timerfd_ctx, f.private_data)
    if ctx.expired and ctx.tintv:
        ctx.expired = 0
        ctx.ticks += hrtimer_forward(ctx.tmr, ktime_get(ctx._kernel), ctx.tintv) - 1
        hrtimer_start(ctx._kernel, ctx.tmr, ctx.tmr._softexpires)
    spec = _spec(ctx.tintv, timerfd_get_remaining(ctx))
    fdput(f, put)
    copy_to_user(current, otmr, spec)
    return 0
