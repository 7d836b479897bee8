"""Locks on files: flock() and POSIX record locks (fs/locks.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EAGAIN, EDEADLK
from kshell.abi.fcntl import F_UNLCK, F_WRLCK
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fs import inode
from kshell.linux.include.linux.fs_lock import FL_ACCESS, FL_FLOCK, FL_POSIX, OFFSET_MAX, file_lock, file_lock_context
from kshell.linux.include.linux.wait import wait_queue_head
from kshell.linux.kernel.sched.wait import wait_event_interruptible, wake_up

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import file


def locks_get_lock_context(inode: inode) -> file_lock_context:
    """The locks of an inode, made when first needed."""
    ctx = inode.i_flctx
    if ctx is None:
        ctx = inode.i_flctx = file_lock_context()
        ctx._flc_wait = wait_queue_head()
    return ctx


def locks_conflict(caller: file_lock, sys: file_lock) -> bool:
    """Whether the kinds exclude each other."""
    return F_WRLCK in (sys.fl_type, caller.fl_type)


def locks_overlap(fl1: file_lock, fl2: file_lock) -> bool:
    """Whether the ranges meet."""
    return fl1.fl_end >= fl2.fl_start and fl2.fl_end >= fl1.fl_start


def posix_same_owner(fl1: file_lock, fl2: file_lock) -> bool:
    """Whether one owner holds both."""
    return fl1.fl_owner is fl2.fl_owner


def posix_locks_conflict(caller: file_lock, sys: file_lock) -> bool:
    """Whether one must wait for the other."""
    return not posix_same_owner(caller, sys) and locks_overlap(caller, sys) and locks_conflict(caller, sys)


def posix_test_lock(filp: file, fl: file_lock) -> file_lock | None:
    """A lock that stands in the way."""
    ctx = filp.f_inode.i_flctx
    if ctx is None:
        return None
    return next((other for other in ctx.flc_posix if posix_locks_conflict(fl, other)), None)


def _piece(fl: file_lock, start: int, end: int) -> file_lock:
    piece = file_lock(fl.fl_owner, fl.fl_flags, fl.fl_type)
    piece.fl_pid, piece.fl_file, piece.fl_start, piece.fl_end = fl.fl_pid, fl.fl_file, start, end
    return piece


def posix_lock_inode(inode: inode, request: file_lock) -> None:
    """Set or clear a record lock; the owner's own locks are split and joined. EAGAIN: another's is in the way."""
    ctx = locks_get_lock_context(inode)
    if request.fl_type != F_UNLCK and any(posix_locks_conflict(request, other) for other in ctx.flc_posix):
        raise KernelError(EAGAIN)
    if request.fl_flags & FL_ACCESS:
        return
    start, end = request.fl_start, request.fl_end
    kept: list[file_lock] = []
    for fl in ctx.flc_posix:
        if not posix_same_owner(fl, request):
            kept.append(fl)
        elif fl.fl_type == request.fl_type and fl.fl_end >= start - 1 and fl.fl_start <= end + 1:
            start, end = min(start, fl.fl_start), max(end, fl.fl_end)
        elif not locks_overlap(fl, request):
            kept.append(fl)
        else:
            if fl.fl_start < request.fl_start:
                kept.append(_piece(fl, fl.fl_start, request.fl_start - 1))
            if fl.fl_end > request.fl_end:
                kept.append(_piece(fl, request.fl_end + 1, fl.fl_end))
    if request.fl_type != F_UNLCK:
        kept.append(_piece(request, start, end))
    ctx.flc_posix = sorted(kept, key=lambda fl: fl.fl_start)
    locks_wake_up_blocks(ctx)


def locks_wake_up_blocks(ctx: file_lock_context) -> None:
    """Those who wait for a lock look again."""
    assert isinstance(ctx._flc_wait, wait_queue_head)
    wake_up(ctx._flc_wait)


def flock_lock_inode(inode: inode, request: file_lock) -> None:
    """Set or clear a flock() lock of an open file. EAGAIN: another open file's is in the way."""
    ctx = locks_get_lock_context(inode)
    mine = [fl for fl in ctx.flc_flock if fl.fl_owner is request.fl_owner]
    if any(fl.fl_type == request.fl_type for fl in mine):
        return
    if mine:
        ctx.flc_flock.remove(mine[0])
        locks_wake_up_blocks(ctx)
    if request.fl_type == F_UNLCK:
        return
    if any(fl.fl_owner is not request.fl_owner and locks_conflict(request, fl) for fl in ctx.flc_flock):
        raise KernelError(EAGAIN)
    if not request.fl_flags & FL_ACCESS:
        ctx.flc_flock.append(request)


async def locks_lock_inode_wait(inode: inode, fl: file_lock) -> None:
    """Set a lock, waiting for it as long as it takes. ERESTARTSYS; EDEADLK: two would wait for each other."""
    lock = posix_lock_inode if fl.fl_flags & FL_POSIX else flock_lock_inode
    while True:
        try:
            lock(inode, fl)
            return
        except KernelError as error:
            if error.errno != EAGAIN:
                raise
        await _wait_for_lock(inode, locks_get_lock_context(inode), fl)


async def _wait_for_lock(inode: inode, ctx: file_lock_context, fl: file_lock) -> None:
    kernel = inode.i_sb.kernel
    wait = ctx._flc_wait
    assert isinstance(wait, wait_queue_head)
    posix_locks_deadlock(kernel._blocked_locks, ctx, fl)
    kernel._blocked_locks[fl] = inode
    try:
        await wait_event_interruptible(kernel, wait, lambda: not _blocked(ctx, fl))
    finally:
        del kernel._blocked_locks[fl]


def _blocked(ctx: file_lock_context, fl: file_lock) -> bool:
    if fl.fl_flags & FL_POSIX:
        return any(posix_locks_conflict(fl, other) for other in ctx.flc_posix)
    return any(other.fl_owner is not fl.fl_owner and locks_conflict(fl, other) for other in ctx.flc_flock)


def posix_locks_deadlock(waiting: dict[file_lock, inode], ctx: file_lock_context, caller: file_lock) -> None:
    """EDEADLK: the holder of what the caller wants waits, by some way round, for the caller."""
    if not caller.fl_flags & FL_POSIX:
        return
    owners = [fl.fl_owner for fl in ctx.flc_posix if posix_locks_conflict(caller, fl)]
    for owner in owners:
        if owner is caller.fl_owner:
            raise KernelError(EDEADLK)
        for request, wanted in waiting.items():
            if request.fl_owner is owner and wanted.i_flctx is not None:
                found = [fl.fl_owner for fl in wanted.i_flctx.flc_posix if posix_locks_conflict(request, fl)]
                owners.extend(each for each in found if each not in owners)


def locks_remove_posix(filp: file, owner: object) -> None:
    """A descriptor is closed: the process loses all its record locks on the file."""
    inode = filp.f_inode
    ctx = inode.i_flctx
    if ctx is None or not ctx.flc_posix:
        return
    everything = file_lock(owner, FL_POSIX, F_UNLCK)
    everything.fl_start, everything.fl_end = 0, OFFSET_MAX
    posix_lock_inode(inode, everything)


def locks_remove_flock(filp: file, ctx: file_lock_context) -> None:
    """The open file ends: so does its flock() lock."""
    if ctx.flc_flock:
        flock_lock_inode(filp.f_inode, file_lock(filp, FL_FLOCK, F_UNLCK))


def locks_remove_file(filp: file) -> None:
    """The open file ends: so do all its locks."""
    ctx = filp.f_inode.i_flctx
    if ctx is None:
        return
    locks_remove_posix(filp, filp)
    locks_remove_flock(filp, ctx)
