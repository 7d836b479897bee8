"""poll() and ppoll() (fs/select.c)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from kshell.abi.errno import EFAULT, EINVAL
from kshell.abi.poll import EPOLLERR, EPOLLHUP, EPOLLNVAL
from kshell.abi.resource import RLIMIT_NOFILE
from kshell.linux.fs.file import fdget, fdput
from kshell.linux.fs.select import (
    PT_TIMESPEC,
    get_timespec64,
    poll_freewait,
    poll_initwait,
    poll_schedule_timeout,
    poll_select_finish,
    poll_select_set_timeout,
    poll_wqueues,
    select_estimate_accuracy,
)
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.errno import ERESTART_RESTARTBLOCK, ERESTARTNOHAND
from kshell.linux.include.linux.poll import demangle_poll, mangle_poll, poll_table, vfs_poll
from kshell.linux.include.linux.sched import TASK_INTERRUPTIBLE, signal_pending
from kshell.linux.include.linux.syscalls import SYSCALL_DEFINE
from kshell.linux.include.linux.time64 import NSEC_PER_MSEC
from kshell.linux.include.linux.uaccess import access_ok, copy_from_user, copy_to_user
from kshell.linux.kernel.signal_deliver import set_user_sigmask

if TYPE_CHECKING:
    from kshell.linux.include.linux.sched import task_struct

MSEC_PER_SEC: Final = 1000
SIZEOF_POLLFD: Final = 8


class pollfd:
    """What the user waits for on one descriptor. events, revents: POLL* bits."""

    __slots__ = ("events", "fd", "revents")

    def __init__(self, fd: int, events: int) -> None:
        self.fd = fd
        self.events = events
        self.revents = 0


def do_pollfd(current: task_struct, pfd: pollfd, pwait: poll_table) -> int:
    """Poll one descriptor, leaving the events that came in revents."""
    mask = 0
    if pfd.fd >= 0:
        mask = EPOLLNVAL
        filp, put = fdget(current, pfd.fd)
        if filp is not None:
            filter_ = demangle_poll(pfd.events) | EPOLLERR | EPOLLHUP
            pwait._key = filter_
            mask = vfs_poll(filp, pwait) & filter_
            if put:
                fdput(filp, put)
    pfd.revents = mangle_poll(mask)
    return mask


async def do_poll(current: task_struct, fds: list[pollfd], wait: poll_wqueues, end_time: int | None) -> int:
    """Wait until a descriptor is ready; how many are, or -ERESTARTNOHAND."""
    pt = wait.pt
    timed_out = end_time == 0
    if timed_out:
        pt._qproc = None
    slack = select_estimate_accuracy(current.kernel, end_time) if end_time else 0
    while True:
        count = 0
        for pfd in fds:
            if do_pollfd(current, pfd, pt):
                count += 1
                pt._qproc = None
        pt._qproc = None
        if not count and signal_pending(current):
            count = -ERESTARTNOHAND
        if count or timed_out:
            return count
        timed_out = await poll_schedule_timeout(wait, TASK_INTERRUPTIBLE, end_time, slack)


async def do_sys_poll(current: task_struct, ufds: int, nfds: int, end_time: int | None) -> int:
    """poll() on the user's array; end_time in ns, 0 not to wait. EINVAL, EFAULT, ERESTARTNOHAND."""
    if nfds > current.signal.rlim[RLIMIT_NOFILE][0]:
        raise KernelError(EINVAL)
    raw = copy_from_user(current, ufds, nfds * SIZEOF_POLLFD) if nfds else b""
    fds = [pollfd(fd, events) for fd, events, _ in struct.iter_unpack("<iHH", raw)]
    table = poll_wqueues(current)
    poll_initwait(table)
    try:
        fdcount = await do_poll(current, fds, table, end_time)
    finally:
        poll_freewait(table)
    if not access_ok(ufds, nfds * SIZEOF_POLLFD):
        raise KernelError(EFAULT)
    for at, pfd in enumerate(fds):
        copy_to_user(current, ufds + at * SIZEOF_POLLFD + 6, pfd.revents.to_bytes(2, "little"))
    if fdcount < 0:
        raise KernelError(-fdcount)
    return fdcount


async def do_restart_poll(current: task_struct, ufds: int, nfds: int, end_time: int | None) -> int:
    """Go on with a poll() that a signal without handler interrupted."""
    return await _poll_by_restart_block(current, ufds, nfds, end_time)


async def _poll_by_restart_block(current: task_struct, ufds: int, nfds: int, end_time: int | None) -> int:
    try:
        return await do_sys_poll(current, ufds, nfds, end_time)
    except KernelError as error:
        if error.errno == ERESTARTNOHAND:
            current._restart_block.fn = lambda: do_restart_poll(current, ufds, nfds, end_time)
            error.errno = ERESTART_RESTARTBLOCK
        raise


@SYSCALL_DEFINE
async def sys_poll(current: task_struct, ufds: int, nfds: int, timeout_msecs: int) -> int:
    """int poll(struct pollfd *ufds, unsigned int nfds, int timeout_msecs)."""
    end_time = None
    if timeout_msecs >= 0:
        end_time = poll_select_set_timeout(
            current.kernel, timeout_msecs // MSEC_PER_SEC, NSEC_PER_MSEC * (timeout_msecs % MSEC_PER_SEC)
        )
    return await _poll_by_restart_block(current, ufds, nfds, end_time)


@SYSCALL_DEFINE
async def sys_ppoll(
    current: task_struct, ufds: int, nfds: int, tsp: int, sigmask: int, sigsetsize: int
) -> int:
    """int ppoll(struct pollfd *ufds, unsigned int nfds, struct timespec *tsp, const sigset_t *mask, size_t size)."""
    end_time = None
    if tsp:
        end_time = poll_select_set_timeout(current.kernel, *get_timespec64(current, tsp))
    set_user_sigmask(current, sigmask, sigsetsize)
    try:
        ret = await do_sys_poll(current, ufds, nfds, end_time)
    except KernelError as error:
        error.errno = -poll_select_finish(current, end_time, tsp, PT_TIMESPEC, -error.errno)
        raise
    return poll_select_finish(current, end_time, tsp, PT_TIMESPEC, ret)
