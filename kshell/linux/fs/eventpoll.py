"""epoll: watched files and the list of those that are ready (fs/eventpoll.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from kshell.abi.errno import ENOSPC
from kshell.abi.poll import EPOLLEXCLUSIVE, EPOLLIN, EPOLLOUT, EPOLLRDNORM, POLLFREE
from kshell.linux.fs import file_table
from kshell.linux.fs.eventpoll_loop import list_file, reverse_path_check
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.eventpoll import (
    EP_PRIVATE_BITS,
    EPOLLINOUT_BITS,
    epitem,
    epitems_head,
    epoll_event,
    epoll_filefd,
    eppoll_entry,
    eventpoll,
)
from kshell.linux.include.linux.poll import init_poll_funcptr, poll_table, poll_wait, vfs_poll
from kshell.linux.include.linux.sched import TASK_NORMAL
from kshell.linux.include.linux.wait import wait_queue_entry, wait_queue_head, waitqueue_active
from kshell.linux.kernel.rcu.tree import call_rcu
from kshell.linux.kernel.sched.wait import (
    __wake_up_sync,
    _unlink,
    add_wait_queue,
    add_wait_queue_exclusive,
    remove_wait_queue,
    wake_up,
    wake_up_poll,
)
from kshell.linux.kernel.user import _current_user, free_uid
from kshell.linux.mm.slab_common import kfree, kzalloc
from kshell.linux.mm.slub import kmem_cache_alloc, kmem_cache_free

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import file
    from kshell.linux.init.kernel import Kernel

SIZEOF_EVENTPOLL: Final = 200


class ep_pqueue:
    """A poll table that queues an epitem."""

    __slots__ = ("epi", "pt")

    def __init__(self, epi: epitem) -> None:
        self.epi = epi
        self.pt = poll_table(None, self)


def free_ephead(kernel: Kernel, head: epitems_head | None) -> None:
    """Free the list of a file's epitems."""
    if head is not None:
        kmem_cache_free(kernel.ephead_cache, head)


def is_file_epoll(f: file) -> bool:
    """Whether the file is an epoll instance."""
    return isinstance(f.private_data, eventpoll)


def ep_is_linked(epi: epitem) -> bool:
    """Whether the item stands in a ready list."""
    return epi.rdllink


def ep_events_available(ep: eventpoll) -> bool:
    """Whether an item is, or may be, ready."""
    return bool(ep.rdllist) or ep.ovflist is not None


def ep_poll_safewake(ep: eventpoll, epi: epitem | None, pollflags: int) -> None:
    """Wake those who poll the epoll file itself."""
    wake_up_poll(ep.poll_wait, EPOLLIN | pollflags)


def _link(ep: eventpoll, epi: epitem) -> None:
    ep.rdllist[epi] = None
    epi.rdllink = True


def ep_remove_wait_queue(pwq: eppoll_entry) -> None:
    """Leave the wait queue of a watched file."""
    if pwq.whead is not None:
        remove_wait_queue(pwq.whead, pwq.wait)


def ep_unregister_pollwait(ep: eventpoll, epi: epitem) -> None:
    """Leave all wait queues of a watched file."""
    while (pwq := epi.pwqlist) is not None:
        epi.pwqlist = pwq.next
        ep_remove_wait_queue(pwq)
        pwq.wait._owner = None
        kmem_cache_free(ep._kernel.pwq_cache, pwq)


def ep_start_scan(ep: eventpoll) -> dict[epitem, None]:
    """Take the ready list; what becomes ready meanwhile goes to ovflist."""
    txlist, ep.rdllist = ep.rdllist, {}
    ep.ovflist = []
    return txlist


def ep_done_scan(ep: eventpoll, txlist: dict[epitem, None]) -> None:
    """Put what is left of the list back, before what became ready meanwhile."""
    missed = ep.ovflist or ()
    ep.ovflist = None
    if txlist or missed:
        later = ep.rdllist
        ep.rdllist = txlist
        for epi in missed:
            epi._overflowed = False
            if not ep_is_linked(epi):
                _link(ep, epi)
        ep.rdllist.update(later)
    if ep.rdllist and waitqueue_active(ep.wq):
        wake_up(ep.wq)


def ep_get(ep: eventpoll) -> None:
    """Take a reference: each epitem has one."""
    ep.refcount += 1


def ep_refcount_dec_and_test(ep: eventpoll) -> bool:
    """Drop a reference; whether it was the last."""
    ep.refcount -= 1
    return not ep.refcount


def ep_free(ep: eventpoll) -> None:
    """Free the instance."""
    free_uid(ep.user)
    kfree(ep._kernel, ep, SIZEOF_EVENTPOLL)


def epi_fget(epi: epitem) -> file | None:
    """The watched file, with a reference; None while it is being closed."""
    f = epi.ffd.file
    if not f.f_count:
        return None
    f.f_count += 1
    return f


def ep_remove_file(ep: eventpoll, epi: epitem, f: file) -> None:
    """Take the item out of the file's list."""
    head = f.f_ep
    to_free = None
    assert head is not None
    head.remove(epi)
    if not head:
        f.f_ep = None
        if isinstance(head, epitems_head) and not head._listed:
            to_free = head
    free_ephead(ep._kernel, to_free)


def ep_remove_epi(ep: eventpoll, epi: epitem) -> bool:
    """Take the item out of the instance, and free it after a grace period."""
    del ep.rbr[epi.ffd.file, epi.ffd.fd]
    if ep_is_linked(epi):
        ep.rdllist.pop(epi, None)
        epi.rdllink = False
    call_rcu(ep._kernel, epi_rcu_free, epi)
    ep.user.epoll_watches -= 1
    return True


def epi_rcu_free(head: object) -> None:
    """RCU callback: free an epitem."""
    epi = cast(epitem, head)
    kmem_cache_free(epi.ep._kernel.epi_cache, epi)


def ep_remove(ep: eventpoll, epi: epitem) -> None:
    """Watch a file no longer."""
    ep_unregister_pollwait(ep, epi)
    if epi.dying:
        return
    f = epi_fget(epi)
    if f is None:
        return
    ep_remove_file(ep, epi, f)
    if ep_remove_epi(ep, epi):
        ep_refcount_dec_and_test(ep)
    file_table.fput(f)


def ep_clear_and_put(ep: eventpoll) -> None:
    """The epoll file is closed: watch nothing any more."""
    if waitqueue_active(ep.poll_wait):
        ep_poll_safewake(ep, None, 0)
    for epi in tuple(ep.rbr.values()):
        ep_unregister_pollwait(ep, epi)
    for epi in tuple(ep.rbr.values()):
        ep_remove(ep, epi)
    if ep_refcount_dec_and_test(ep):
        ep_free(ep)


def eventpoll_release_file(f: file) -> None:
    """A watched file is closed: forget it everywhere."""
    while f.f_ep:
        epi = f.f_ep[0]
        epi.dying = True
        ep = epi.ep
        ep_unregister_pollwait(ep, epi)
        ep_remove_file(ep, epi, f)
        if ep_remove_epi(ep, epi) and ep_refcount_dec_and_test(ep):
            ep_free(ep)


def __ep_eventpoll_poll(f: file, wait: poll_table | None, depth: int) -> int:
    ep = cast(eventpoll, f.private_data)
    pt = poll_table()
    poll_wait(f, ep.poll_wait, wait)
    res = 0
    txlist = ep_start_scan(ep)
    for epi in tuple(txlist):
        if ep_item_poll(epi, pt, depth + 1):
            res = EPOLLIN | EPOLLRDNORM
            break
        del txlist[epi]
        epi.rdllink = False
    ep_done_scan(ep, txlist)
    return res


def ep_item_poll(epi: epitem, pt: poll_table, depth: int) -> int:
    """The wanted events that the file is ready for now."""
    f = epi_fget(epi)
    if f is None:
        return 0
    pt._key = epi.event.events
    res = __ep_eventpoll_poll(f, pt, depth) if is_file_epoll(f) else vfs_poll(f, pt)
    file_table.fput(f)
    return res & epi.event.events


def ep_eventpoll_poll(f: file, wait: poll_table | None) -> int:
    """An epoll file is readable when a watched file is ready."""
    return __ep_eventpoll_poll(f, wait, 0)


def ep_alloc(kernel: Kernel) -> eventpoll:
    """A new instance."""
    ep = kzalloc(kernel, eventpoll, SIZEOF_EVENTPOLL)
    ep._kernel = kernel
    ep.user = _current_user(kernel.current)
    return ep


def ep_find(ep: eventpoll, f: file, fd: int) -> epitem | None:
    """The item of a file under a descriptor."""
    return ep.rbr.get((f, fd))


def _queue_ready(ep: eventpoll, epi: epitem) -> None:
    if ep.ovflist is not None:
        if not epi._overflowed:
            epi._overflowed = True
            ep.ovflist.append(epi)
    elif not ep_is_linked(epi):
        _link(ep, epi)


def _exclusive_wake(epi: epitem, pollflags: int) -> int:
    """Whether an exclusive item's wake-up counts for one."""
    inout = pollflags & EPOLLINOUT_BITS
    if inout == EPOLLIN:
        return int(bool(epi.event.events & EPOLLIN))
    if inout == EPOLLOUT:
        return int(bool(epi.event.events & EPOLLOUT))
    return int(inout == 0)


def ep_poll_callback(wait: wait_queue_entry, mode: int, sync: int, key: int) -> int:
    """Wake function in a watched file's queue: the file may be ready."""
    pwq = cast(eppoll_entry, wait._owner)
    epi = pwq.base
    ep = epi.ep
    ewake = pwake = 0
    wanted = epi.event.events
    if wanted & ~EP_PRIVATE_BITS and (not key or key & wanted):
        _queue_ready(ep, epi)
        if waitqueue_active(ep.wq):
            if wanted & EPOLLEXCLUSIVE and not key & POLLFREE:
                ewake = _exclusive_wake(epi, key)
            if sync:
                __wake_up_sync(ep.wq, TASK_NORMAL)
            else:
                wake_up(ep.wq)
        pwake = waitqueue_active(ep.poll_wait)
    if pwake:
        ep_poll_safewake(ep, epi, 0)
    if not wanted & EPOLLEXCLUSIVE:
        ewake = 1
    if key & POLLFREE:
        _unlink(wait)
        pwq.whead = None
    return ewake


def ep_ptable_queue_proc(f: file, whead: wait_queue_head, pt: poll_table) -> None:
    """Have the item called back by a wait queue of its file."""
    epi = cast(ep_pqueue, pt._owner).epi
    pwq = kmem_cache_alloc(epi.ep._kernel.pwq_cache, eppoll_entry)
    pwq.wait = wait_queue_entry(None, ep_poll_callback, pwq)
    pwq.whead = whead
    pwq.base = epi
    if epi.event.events & EPOLLEXCLUSIVE:
        add_wait_queue_exclusive(whead, pwq.wait)
    else:
        add_wait_queue(whead, pwq.wait)
    pwq.next = epi.pwqlist
    epi.pwqlist = pwq


def attach_epitem(kernel: Kernel, f: file, epi: epitem) -> None:
    """Enter the item into the file's list."""
    if f.f_ep is None:
        if is_file_epoll(f):
            f.f_ep = cast(eventpoll, f.private_data).refs
        else:
            f.f_ep = kmem_cache_alloc(kernel.ephead_cache, epitems_head)
    f.f_ep.insert(0, epi)


def _wake_pollers(ep: eventpoll) -> None:
    if waitqueue_active(ep.wq):
        wake_up(ep.wq)
    if waitqueue_active(ep.poll_wait):
        ep_poll_safewake(ep, None, 0)


def _new_item(ep: eventpoll, event: epoll_event, tfile: file, fd: int) -> epitem:
    epi = kmem_cache_alloc(ep._kernel.epi_cache, epitem)
    epi.rdllink = epi.dying = epi._overflowed = False
    epi.pwqlist = None
    epi.ep = ep
    epi.ffd = epoll_filefd(tfile, fd)
    epi.event = event
    return epi


def ep_insert(ep: eventpoll, event: epoll_event, tfile: file, fd: int, full_check: bool) -> None:
    """EPOLL_CTL_ADD. ENOSPC: the user watches too many files; EINVAL: too many paths lead to the file."""
    kernel = ep._kernel
    if ep.user.epoll_watches >= kernel.max_user_watches:
        raise KernelError(ENOSPC)
    ep.user.epoll_watches += 1
    epi = _new_item(ep, event, tfile, fd)
    attach_epitem(kernel, tfile, epi)
    if full_check:
        list_file(kernel, tfile)
    ep.rbr[tfile, fd] = epi
    ep_get(ep)
    if full_check:
        try:
            reverse_path_check(kernel)
        except KernelError:
            ep_remove(ep, epi)
            raise
    epq = ep_pqueue(epi)
    init_poll_funcptr(epq.pt, ep_ptable_queue_proc)
    revents = ep_item_poll(epi, epq.pt, 1)
    epq.pt._owner = None
    if revents and not ep_is_linked(epi):
        _link(ep, epi)
        _wake_pollers(ep)


def ep_modify(ep: eventpoll, epi: epitem, event: epoll_event) -> None:
    """EPOLL_CTL_MOD: other events or other data; an event that is there already is reported again."""
    epi.event.events = event.events
    epi.event.data = event.data
    if ep_item_poll(epi, poll_table(), 1) and not ep_is_linked(epi):
        _link(ep, epi)
        _wake_pollers(ep)
