"""epoll_create(), epoll_ctl(), epoll_wait() (fs/eventpoll.c)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, cast

from kshell.abi.capability import CAP_BLOCK_SUSPEND
from kshell.abi.errno import EBADF, EEXIST, EFAULT, EINTR, EINVAL, ENOENT, EPERM
from kshell.abi.fcntl import O_CLOEXEC, O_RDWR
from kshell.abi.poll import (
    EPOLL_CLOEXEC,
    EPOLL_CTL_ADD,
    EPOLL_CTL_DEL,
    EPOLL_CTL_MOD,
    EPOLLERR,
    EPOLLET,
    EPOLLEXCLUSIVE,
    EPOLLHUP,
    EPOLLONESHOT,
    EPOLLWAKEUP,
)
from kshell.linux.fs.anon_inodes import anon_inode_getfile
from kshell.linux.fs.eventpoll import (
    ep_alloc,
    ep_clear_and_put,
    ep_done_scan,
    ep_eventpoll_poll,
    ep_events_available,
    ep_find,
    ep_insert,
    ep_item_poll,
    ep_modify,
    ep_remove,
    ep_start_scan,
    is_file_epoll,
)
from kshell.linux.fs.eventpoll_loop import clear_tfile_check_list, ep_loop_check
from kshell.linux.fs.file import fd_install, fdget, fdput, get_unused_fd_flags, put_unused_fd
from kshell.linux.fs.proc.proc_sysctl_register import register_sysctl
from kshell.linux.fs.read_write import noop_llseek
from kshell.linux.fs.select import get_timespec64, poll_select_set_timeout, select_estimate_accuracy
from kshell.linux.fs.seq_file import seq_printf
from kshell.linux.fs.sysctls import epoll_table
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.eventpoll import (
    EP_MAX_EVENTS,
    EP_PRIVATE_BITS,
    EPOLL_EVENT_SIZE,
    EPOLLEXCLUSIVE_OK_BITS,
    epoll_event,
    eventpoll,
)
from kshell.linux.include.linux.fs import file_operations
from kshell.linux.include.linux.poll import file_can_poll, poll_table
from kshell.linux.include.linux.sched import (
    TASK_INTERRUPTIBLE,
    TASK_RUNNING,
    fatal_signal_pending,
    signal_pending,
)
from kshell.linux.include.linux.syscalls import SYSCALL_DEFINE
from kshell.linux.include.linux.time64 import NSEC_PER_MSEC
from kshell.linux.include.linux.uaccess import access_ok, copy_from_user, copy_to_user
from kshell.linux.include.linux.wait import WQ_FLAG_EXCLUSIVE, wait_queue_entry
from kshell.linux.kernel.capability import capable
from kshell.linux.kernel.sched.core import default_wake_function
from kshell.linux.kernel.sched.wait import _insert, _unlink
from kshell.linux.kernel.signal_deliver import restore_saved_sigmask_unless, set_user_sigmask
from kshell.linux.kernel.time.hrtimer import schedule_hrtimeout_range
from kshell.linux.kernel.time.timekeeping import ktime_get
from kshell.linux.mm.slab_common import kmem_cache_create

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import file, inode
    from kshell.linux.include.linux.sched import task_struct
    from kshell.linux.include.linux.seq_file import seq_file
    from kshell.linux.init.kernel import Kernel



def ep_eventpoll_release(inode: inode, f: file) -> None:
    """The epoll file is closed."""
    ep_clear_and_put(cast(eventpoll, f.private_data))
    f.private_data = None


def ep_show_fdinfo(m: seq_file, f: file) -> None:
    """The watched files, in /proc/PID/fdinfo."""
    ep = cast(eventpoll, f.private_data)
    for epi in sorted(ep.rbr.values(), key=lambda item: (item.ffd.file._addr, item.ffd.fd)):
        inode = epi.ffd.file.f_inode
        seq_printf(
            m,
            f"tfd: {epi.ffd.fd:8d} events: {epi.event.events:8x} data: {epi.event.data:16x} "
            f" pos:{epi.ffd.file.f_pos} ino:{inode.i_ino:x} sdev:{inode.i_sb.s_dev:x}\n",
        )


eventpoll_fops = file_operations(
    show_fdinfo=ep_show_fdinfo, release=ep_eventpoll_release, poll=ep_eventpoll_poll, llseek=noop_llseek
)


def do_epoll_create(current: task_struct, flags: int) -> int:
    """A new epoll instance under a new descriptor. EINVAL, EMFILE, ENFILE."""
    if flags & ~EPOLL_CLOEXEC:
        raise KernelError(EINVAL)
    ep = ep_alloc(current.kernel)
    try:
        fd = get_unused_fd_flags(current, O_RDWR | flags & O_CLOEXEC)
        try:
            f = anon_inode_getfile(
                current.kernel, "[eventpoll]", eventpoll_fops, ep, O_RDWR | flags & O_CLOEXEC
            )
        except KernelError:
            put_unused_fd(current, fd)
            raise
    except KernelError:
        ep_clear_and_put(ep)
        raise
    ep.file = f
    fd_install(current, fd, f)
    return fd


@SYSCALL_DEFINE
def sys_epoll_create1(current: task_struct, flags: int) -> int:
    """int epoll_create1(int flags)."""
    return do_epoll_create(current, flags)


@SYSCALL_DEFINE
def sys_epoll_create(current: task_struct, size: int) -> int:
    """int epoll_create(int size)."""
    if size <= 0:
        raise KernelError(EINVAL)
    return do_epoll_create(current, 0)


def ep_op_has_event(op: int) -> bool:
    """Whether the operation reads a struct epoll_event."""
    return op != EPOLL_CTL_DEL


def _check_ctl(op: int, f: file, tf: file, epds: epoll_event) -> None:
    """EPERM: the target can't be polled; EINVAL: no epoll file, itself, or a bad EPOLLEXCLUSIVE."""
    if not file_can_poll(tf):
        raise KernelError(EPERM)
    kernel = f.f_inode.i_sb.kernel
    if ep_op_has_event(op) and epds.events & EPOLLWAKEUP and not capable(kernel.current, CAP_BLOCK_SUSPEND):
        epds.events &= ~EPOLLWAKEUP
    if f is tf or not is_file_epoll(f):
        raise KernelError(EINVAL)
    if ep_op_has_event(op) and epds.events & EPOLLEXCLUSIVE:
        bad = is_file_epoll(tf) or epds.events & ~EPOLLEXCLUSIVE_OK_BITS
        if op == EPOLL_CTL_MOD or (op == EPOLL_CTL_ADD and bad):
            raise KernelError(EINVAL)


def _change(ep: eventpoll, op: int, tf: file, fd: int, epds: epoll_event, full_check: bool) -> None:
    epi = ep_find(ep, tf, fd)
    if op == EPOLL_CTL_ADD:
        if epi is not None:
            raise KernelError(EEXIST)
        epds.events |= EPOLLERR | EPOLLHUP
        ep_insert(ep, epds, tf, fd, full_check)
        return
    if op not in (EPOLL_CTL_DEL, EPOLL_CTL_MOD):
        raise KernelError(EINVAL)
    if epi is None:
        raise KernelError(ENOENT)
    if op == EPOLL_CTL_DEL:
        ep_remove(ep, epi)
        return
    if epi.event.events & EPOLLEXCLUSIVE:
        raise KernelError(EINVAL)
    epds.events |= EPOLLERR | EPOLLHUP
    ep_modify(ep, epi, epds)


def _ctl(kernel: Kernel, op: int, f: file, tf: file, fd: int, epds: epoll_event) -> None:
    _check_ctl(op, f, tf, epds)
    ep = cast(eventpoll, f.private_data)
    full_check = op == EPOLL_CTL_ADD and (
        f.f_ep is not None or ep.gen == kernel.loop_check_gen or is_file_epoll(tf)
    )
    if not full_check:
        _change(ep, op, tf, fd, epds, False)
        return
    kernel.loop_check_gen += 1
    try:
        if is_file_epoll(tf):
            ep_loop_check(kernel, ep, cast(eventpoll, tf.private_data))
        _change(ep, op, tf, fd, epds, True)
    finally:
        clear_tfile_check_list(kernel)
        kernel.loop_check_gen += 1


def do_epoll_ctl(current: task_struct, epfd: int, op: int, fd: int, epds: epoll_event) -> int:
    """Add, change or remove a watched file. EBADF, EPERM, EINVAL, EEXIST, ENOENT, ELOOP, ENOSPC."""
    f, put = fdget(current, epfd)
    if f is None:
        raise KernelError(EBADF)
    try:
        tf, tput = fdget(current, fd)
        if tf is None:
            raise KernelError(EBADF)
        try:
            _ctl(current.kernel, op, f, tf, fd, epds)
        finally:
            fdput(tf, tput)
    finally:
        fdput(f, put)
    return 0


@SYSCALL_DEFINE
def sys_epoll_ctl(current: task_struct, epfd: int, op: int, fd: int, event: int) -> int:
    """int epoll_ctl(int epfd, int op, int fd, struct epoll_event *event)."""
    events = data = 0
    if ep_op_has_event(op):
        events, data = struct.unpack("<IQ", copy_from_user(current, event, EPOLL_EVENT_SIZE))
    return do_epoll_ctl(current, epfd, op, fd, epoll_event(events, data))


def ep_send_events(current: task_struct, ep: eventpoll, events: int, maxevents: int) -> int:
    """Tell the user of up to maxevents ready files; how many. EINTR: about to be killed; EFAULT."""
    if fatal_signal_pending(current):
        raise KernelError(EINTR)
    pt = poll_table()
    res = 0
    fault = False
    txlist = ep_start_scan(ep)
    for epi in tuple(txlist):
        if res >= maxevents:
            break
        revents = ep_item_poll(epi, pt, 1)
        if revents:
            try:
                copy_to_user(
                    current, events + res * EPOLL_EVENT_SIZE, struct.pack("<IQ", revents, epi.event.data)
                )
            except KernelError:
                fault = True
                break
            res += 1
        del txlist[epi]
        epi.rdllink = False
        if not revents:
            continue
        if epi.event.events & EPOLLONESHOT:
            epi.event.events &= EP_PRIVATE_BITS
        elif not epi.event.events & EPOLLET:
            ep.rdllist[epi] = None
            epi.rdllink = True
    ep_done_scan(ep, txlist)
    if fault and not res:
        raise KernelError(EFAULT)
    return res


def ep_timeout_to_timespec(kernel: Kernel, ms: int) -> int | None:
    """When a wait of ms ends (ns); 0 not to wait, None for ever."""
    if ms < 0:
        return None
    return ktime_get(kernel) + ms * NSEC_PER_MSEC if ms else 0


def ep_autoremove_wake_function(wq_entry: wait_queue_entry, mode: int, sync: int, key: int) -> int:
    """Wake the waiter and take it out of the queue in any case."""
    ret = default_wake_function(wq_entry, mode, sync, key)
    _unlink(wq_entry)
    return ret


async def ep_poll(
    current: task_struct, ep: eventpoll, events: int, maxevents: int, timeout: int | None
) -> int:
    """Wait for ready files until timeout (ns); how many were told. EINTR, EFAULT."""
    kernel = current.kernel
    timed_out = timeout == 0
    slack = select_estimate_accuracy(kernel, timeout) if timeout else 0
    eavail = ep_events_available(ep)
    while True:
        if eavail:
            res = ep_send_events(current, ep, events, maxevents)
            if res:
                return res
        if timed_out:
            return 0
        if signal_pending(current):
            raise KernelError(EINTR)
        wait = wait_queue_entry(current, ep_autoremove_wake_function)
        current.state = TASK_INTERRUPTIBLE
        eavail = ep_events_available(ep)
        if not eavail:
            wait.flags = WQ_FLAG_EXCLUSIVE
            _insert(ep.wq, wait, at_end=False)  # the last one to wait is woken first
            timed_out = await schedule_hrtimeout_range(kernel, timeout, slack)
        current.state = TASK_RUNNING
        eavail = True
        if wait.entry is not None:
            eavail = not timed_out
            _unlink(wait)


async def do_epoll_wait(
    current: task_struct, epfd: int, events: int, maxevents: int, timeout: int | None
) -> int:
    """epoll_wait() with the end of the wait in ns. EINVAL, EFAULT, EBADF, EINTR."""
    if maxevents <= 0 or maxevents > EP_MAX_EVENTS:
        raise KernelError(EINVAL)
    if not access_ok(events, maxevents * EPOLL_EVENT_SIZE):
        raise KernelError(EFAULT)
    f, put = fdget(current, epfd)
    if f is None:
        raise KernelError(EBADF)
    try:
        if not is_file_epoll(f):
            raise KernelError(EINVAL)
        return await ep_poll(current, cast(eventpoll, f.private_data), events, maxevents, timeout)
    finally:
        fdput(f, put)


@SYSCALL_DEFINE
async def sys_epoll_wait(current: task_struct, epfd: int, events: int, maxevents: int, timeout: int) -> int:
    """int epoll_wait(int epfd, struct epoll_event *events, int maxevents, int timeout)."""
    to = ep_timeout_to_timespec(current.kernel, timeout) if timeout else 0
    return await do_epoll_wait(current, epfd, events, maxevents, to)


async def do_epoll_pwait(
    current: task_struct, epfd: int, events: int, maxevents: int, to: int | None, sigmask: int, sigsetsize: int
) -> int:
    """epoll_wait() with a signal mask for the time of the call."""
    set_user_sigmask(current, sigmask, sigsetsize)
    try:
        ret = await do_epoll_wait(current, epfd, events, maxevents, to)
    except KernelError as error:
        restore_saved_sigmask_unless(current, error.errno == EINTR)
        raise
    restore_saved_sigmask_unless(current, False)
    return ret


@SYSCALL_DEFINE
async def sys_epoll_pwait(
    current: task_struct, epfd: int, events: int, maxevents: int, timeout: int, sigmask: int, sigsetsize: int
) -> int:
    """int epoll_pwait(int epfd, struct epoll_event *events, int maxevents, int timeout, const sigset_t *, size_t)."""
    to = ep_timeout_to_timespec(current.kernel, timeout)
    return await do_epoll_pwait(current, epfd, events, maxevents, to, sigmask, sigsetsize)


@SYSCALL_DEFINE
async def sys_epoll_pwait2(
    current: task_struct, epfd: int, events: int, maxevents: int, timeout: int, sigmask: int, sigsetsize: int
) -> int:
    """int epoll_pwait2(int epfd, struct epoll_event *events, int maxevents, const struct timespec *, …)."""
    to = None
    if timeout:
        to = poll_select_set_timeout(current.kernel, *get_timespec64(current, timeout))
    return await do_epoll_pwait(current, epfd, events, maxevents, to, sigmask, sigsetsize)


def eventpoll_init(kernel: Kernel) -> None:
    """Initcall: the caches of epoll, and fs.epoll.max_user_watches."""
    kernel.max_user_watches = 658320  # 4 % of the memory of the recorded machine
    kernel.loop_check_gen = 2  # as after the first epoll_ctl(), which an early daemon made
    kernel.tfile_check_list = []
    kernel.epi_cache = kmem_cache_create(kernel, "eventpoll_epi", 128)
    kernel.pwq_cache = kmem_cache_create(kernel, "eventpoll_pwq", 64)
    register_sysctl(kernel, "fs/epoll", epoll_table)
    kernel.ephead_cache = kmem_cache_create(kernel, "ep_head", 16)
