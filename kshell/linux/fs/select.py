"""select() and pselect6(), and the waiting they share with poll() (fs/select.c)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final, cast

from kshell.abi.errno import EBADF, EINTR, EINVAL
from kshell.abi.poll import (
    EPOLLERR,
    EPOLLHUP,
    EPOLLIN,
    EPOLLNVAL,
    EPOLLOUT,
    EPOLLPRI,
    EPOLLRDBAND,
    EPOLLRDNORM,
    EPOLLWRBAND,
    EPOLLWRNORM,
)
from kshell.abi.time import NSEC_PER_SEC
from kshell.linux.fs.file import fdget, fdput
from kshell.linux.fs.file_table import fput
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.errno import ERESTARTNOHAND
from kshell.linux.include.linux.fs import get_file
from kshell.linux.include.linux.hrtimer import KTIME_MAX
from kshell.linux.include.linux.poll import init_poll_funcptr, poll_table, vfs_poll
from kshell.linux.include.linux.sched import TASK_INTERRUPTIBLE, TASK_RUNNING, signal_pending
from kshell.linux.include.linux.syscalls import SYSCALL_DEFINE
from kshell.linux.include.linux.uaccess import copy_from_user, copy_to_user
from kshell.linux.include.linux.wait import wait_queue_entry, wait_queue_head
from kshell.linux.kernel.sched.core import default_wake_function
from kshell.linux.kernel.sched.wait import add_wait_queue, remove_wait_queue
from kshell.linux.kernel.signal_deliver import restore_saved_sigmask_unless, set_user_sigmask
from kshell.linux.kernel.time.hrtimer import schedule_hrtimeout_range
from kshell.linux.kernel.time.timekeeping import ktime_get

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import file
    from kshell.linux.include.linux.sched import task_struct
    from kshell.linux.init.kernel import Kernel

TIMER_SLACK_NS: Final = 50_000  # task_struct.timer_slack_ns, as every task has it
MAX_SLACK: Final = 100_000_000
STICKY_TIMEOUTS: Final = 0x4000000  # personality(): timeouts are not written back

PT_TIMEVAL: Final = 0
PT_TIMESPEC: Final = 2

POLLIN_SET: Final = EPOLLRDNORM | EPOLLRDBAND | EPOLLIN | EPOLLHUP | EPOLLERR | EPOLLNVAL
POLLOUT_SET: Final = EPOLLWRBAND | EPOLLWRNORM | EPOLLOUT | EPOLLERR | EPOLLNVAL
POLLEX_SET: Final = EPOLLPRI | EPOLLNVAL


def select_estimate_accuracy(kernel: Kernel, end_time: int) -> int:
    """By how many ns the timer may be late: 0.1 % of the time to wait, 50 us to 100 ms."""
    return max(TIMER_SLACK_NS, min((end_time - ktime_get(kernel)) // 1000, MAX_SLACK))


class poll_table_entry:
    """A wait queue that a poller stands in. key: the events that may wake it."""

    __slots__ = ("filp", "key", "wait", "wait_address")

    def __init__(self, filp: file, key: int, wait_address: wait_queue_head) -> None:
        self.filp = filp
        self.key = key
        self.wait_address = wait_address
        self.wait: wait_queue_entry


class poll_wqueues:
    """All the wait queues that one poll() or select() stands in."""

    __slots__ = ("_dummy_wait", "_entries", "polling_task", "pt", "triggered")

    def __init__(self, current: task_struct) -> None:
        self.polling_task = current
        self._dummy_wait = wait_queue_entry(current, default_wake_function)
        self.triggered = 0
        self._entries: list[poll_table_entry] = []
        self.pt = poll_table(None, self)


def poll_initwait(pwq: poll_wqueues) -> None:
    """Have the files polled with pwq.pt queue the caller."""
    init_poll_funcptr(pwq.pt, __pollwait)


def free_poll_entry(entry: poll_table_entry) -> None:
    """Leave one wait queue."""
    remove_wait_queue(entry.wait_address, entry.wait)
    fput(entry.filp)


def poll_freewait(pwq: poll_wqueues) -> None:
    """Leave all wait queues."""
    pwq.pt._owner = None
    for entry in pwq._entries:
        free_poll_entry(entry)
        entry.wait._owner = None


def __pollwake(pwq: poll_wqueues, mode: int, sync: int, key: int) -> int:
    pwq.triggered = 1
    return default_wake_function(pwq._dummy_wait, mode, sync, key)


def pollwake(wait: wait_queue_entry, mode: int, sync: int, key: int) -> int:
    """Wake function: wake the poller when one of its events may have come."""
    entry, pwq = cast("tuple[poll_table_entry, poll_wqueues]", wait._owner)
    if key and not key & entry.key:
        return 0
    return __pollwake(pwq, mode, sync, key)


def __pollwait(filp: file, wait_address: wait_queue_head, p: poll_table) -> None:
    pwq = cast(poll_wqueues, p._owner)
    entry = poll_table_entry(get_file(filp), p._key, wait_address)
    entry.wait = wait_queue_entry(None, pollwake, (entry, pwq))
    pwq._entries.append(entry)
    add_wait_queue(wait_address, entry.wait)


async def poll_schedule_timeout(pwq: poll_wqueues, state: int, expires: int | None, slack: int) -> bool:
    """Sleep unless woken since the last call, until expires (ns); True when time ran out."""
    current = pwq.polling_task
    timed_out = False
    current.state = state
    if not pwq.triggered:
        timed_out = await schedule_hrtimeout_range(current.kernel, expires, slack)
    current.state = TASK_RUNNING
    pwq.triggered = 0
    return timed_out


def poll_select_set_timeout(kernel: Kernel, sec: int, nsec: int) -> int:
    """When a wait of this length ends, in ns of CLOCK_MONOTONIC; 0 for a wait of 0. EINVAL."""
    if sec < 0 or not 0 <= nsec < NSEC_PER_SEC:
        raise KernelError(EINVAL)
    if not sec and not nsec:
        return 0
    return min(ktime_get(kernel) + sec * NSEC_PER_SEC + nsec, KTIME_MAX)


def put_timespec64(current: task_struct, ns: int, uts: int) -> None:
    """Write a timespec. EFAULT."""
    copy_to_user(current, uts, struct.pack("<qq", *divmod(ns, NSEC_PER_SEC)))


def get_timespec64(current: task_struct, uts: int) -> tuple[int, int]:
    """Read a timespec: seconds, nanoseconds. EFAULT."""
    sec, nsec = struct.unpack("<qq", copy_from_user(current, uts, 16))
    return sec, nsec


def poll_select_finish(current: task_struct, end_time: int | None, p: int, pt_type: int, ret: int) -> int:
    """Write the time left to p. The result, where -ERESTARTNOHAND becomes -EINTR if that fails."""
    restore_saved_sigmask_unless(current, ret == -ERESTARTNOHAND)
    if not p:
        return ret
    if current.personality & STICKY_TIMEOUTS:
        return -EINTR if ret == -ERESTARTNOHAND else ret
    if not end_time:
        return ret
    left = max(end_time - ktime_get(current.kernel), 0)
    try:
        if pt_type == PT_TIMEVAL:
            sec, nsec = divmod(left, NSEC_PER_SEC)
            copy_to_user(current, p, struct.pack("<qq", sec, nsec // 1000))
        else:
            put_timespec64(current, left, p)
    except KernelError:
        if ret == -ERESTARTNOHAND:
            return -EINTR
    return ret


class fd_set_bits:
    """The three sets asked for and the three found, each an int with bit N for descriptor N."""

    __slots__ = ("ex", "in_", "out", "res_ex", "res_in", "res_out")

    def __init__(self, in_: int, out: int, ex: int) -> None:
        self.in_, self.out, self.ex = in_, out, ex
        self.res_in = self.res_out = self.res_ex = 0


def _fds_bytes(nr: int) -> int:
    return (nr + 63) // 64 * 8


def get_fd_set(current: task_struct, nr: int, ufdset: int) -> int:
    """Read a set, whole longs of it. EFAULT."""
    return int.from_bytes(copy_from_user(current, ufdset, _fds_bytes(nr)), "little") if ufdset else 0


def set_fd_set(current: task_struct, nr: int, ufdset: int, fdset: int) -> None:
    """Write a set. EFAULT."""
    if ufdset:
        copy_to_user(current, ufdset, fdset.to_bytes(_fds_bytes(nr), "little"))


def max_select_fd(current: task_struct, n: int, fds: fd_set_bits) -> int:
    """One more than the highest descriptor asked for. EBADF: one of them is not open."""
    wanted = (fds.in_ | fds.out | fds.ex) & ((1 << n) - 1)
    open_fds = current.files.fdt.open_fds
    rest = wanted
    for word in open_fds:
        if not rest:
            break
        if rest & 0xFFFFFFFFFFFFFFFF & ~word:
            raise KernelError(EBADF)
        rest >>= 64
    if rest:
        raise KernelError(EBADF)
    return wanted.bit_length()


def wait_key_set(wait: poll_table, in_: int, out: int, bit: int) -> None:
    """Say which events matter for a descriptor."""
    wait._key = POLLEX_SET | (POLLIN_SET if in_ & bit else 0) | (POLLOUT_SET if out & bit else 0)


def _select_fd(current: task_struct, fds: fd_set_bits, fd: int, wait: poll_table) -> int:
    """Poll one descriptor; in how many sets it is found."""
    bit = 1 << fd
    mask = EPOLLNVAL
    filp, put = fdget(current, fd)
    if filp is not None:
        wait_key_set(wait, fds.in_, fds.out, bit)
        mask = vfs_poll(filp, wait)
        if put:
            fdput(filp, put)
    found = 0
    if mask & POLLIN_SET and fds.in_ & bit:
        fds.res_in |= bit
        found += 1
    if mask & POLLOUT_SET and fds.out & bit:
        fds.res_out |= bit
        found += 1
    if mask & POLLEX_SET and fds.ex & bit:
        fds.res_ex |= bit
        found += 1
    return found


async def do_select(current: task_struct, n: int, fds: fd_set_bits, end_time: int | None) -> int:
    """Wait until a descriptor is found ready; how many bits are set in the results. EBADF."""
    n = max_select_fd(current, n, fds)
    table = poll_wqueues(current)
    poll_initwait(table)
    wait = table.pt
    timed_out = end_time == 0
    if timed_out:
        wait._qproc = None
    slack = select_estimate_accuracy(current.kernel, end_time) if end_time else 0
    wanted = (fds.in_ | fds.out | fds.ex) & ((1 << n) - 1)
    numbers = [fd for fd in range(n) if wanted >> fd & 1]
    try:
        while True:
            retval = 0
            for fd in numbers:
                found = _select_fd(current, fds, fd, wait)
                if found:
                    retval += found
                    wait._qproc = None
            wait._qproc = None
            if retval or timed_out or signal_pending(current):
                return retval
            timed_out = await poll_schedule_timeout(table, TASK_INTERRUPTIBLE, end_time, slack)
    finally:
        poll_freewait(table)


async def core_sys_select(
    current: task_struct, n: int, inp: int, outp: int, exp: int, end_time: int | None
) -> int:
    """select() on the user's sets. EINVAL, EFAULT, EBADF, ERESTARTNOHAND."""
    if n < 0:
        raise KernelError(EINVAL)
    n = min(n, current.files.fdt.max_fds)
    fds = fd_set_bits(get_fd_set(current, n, inp), get_fd_set(current, n, outp), get_fd_set(current, n, exp))
    ret = await do_select(current, n, fds, end_time)
    if not ret and signal_pending(current):
        raise KernelError(ERESTARTNOHAND)
    set_fd_set(current, n, inp, fds.res_in)
    set_fd_set(current, n, outp, fds.res_out)
    set_fd_set(current, n, exp, fds.res_ex)
    return ret


async def _select_and_finish(
    current: task_struct, n: int, sets: tuple[int, int, int], end_time: int | None, p: int, pt_type: int
) -> int:
    try:
        ret = await core_sys_select(current, n, *sets, end_time)
    except KernelError as error:
        error.errno = -poll_select_finish(current, end_time, p, pt_type, -error.errno)
        raise
    return poll_select_finish(current, end_time, p, pt_type, ret)


async def kern_select(current: task_struct, n: int, inp: int, outp: int, exp: int, tvp: int) -> int:
    """select() with its struct timeval, which is left with the time not slept. EINVAL, EFAULT."""
    end_time = None
    if tvp:
        sec, usec = struct.unpack("<qq", copy_from_user(current, tvp, 16))
        whole = abs(usec) // 1_000_000 * (-1 if usec < 0 else 1)  # C division
        end_time = poll_select_set_timeout(current.kernel, sec + whole, (usec - whole * 1_000_000) * 1000)
    return await _select_and_finish(current, n, (inp, outp, exp), end_time, tvp, PT_TIMEVAL)


@SYSCALL_DEFINE
async def sys_select(current: task_struct, n: int, inp: int, outp: int, exp: int, tvp: int) -> int:
    """int select(int n, fd_set *inp, fd_set *outp, fd_set *exp, struct timeval *tvp)."""
    return await kern_select(current, n, inp, outp, exp, tvp)


async def do_pselect(
    current: task_struct, n: int, inp: int, outp: int, exp: int, tsp: int, sigmask: int, sigsetsize: int
) -> int:
    """select() with a timespec and a signal mask for the time of the call."""
    end_time = None
    if tsp:
        end_time = poll_select_set_timeout(current.kernel, *get_timespec64(current, tsp))
    set_user_sigmask(current, sigmask, sigsetsize)
    return await _select_and_finish(current, n, (inp, outp, exp), end_time, tsp, PT_TIMESPEC)


@SYSCALL_DEFINE
async def sys_pselect6(current: task_struct, n: int, inp: int, outp: int, exp: int, tsp: int, sig: int) -> int:
    """int pselect6(int n, fd_set *inp, fd_set *outp, fd_set *exp, struct timespec *tsp, struct sigset_argpack *sig)."""
    mask = size = 0
    if sig:
        mask, size = struct.unpack("<QQ", copy_from_user(current, sig, 16))
    return await do_pselect(current, n, inp, outp, exp, tsp, mask, size)


