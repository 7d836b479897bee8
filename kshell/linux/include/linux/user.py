"""What the processes of one user use together (include/linux/sched/user.h)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kshell.linux.init.kernel import Kernel


class user_struct:
    """Counters of a uid: epoll watches, descriptors in flight over AF_UNIX, pages of pipes."""

    __slots__ = ("_addr", "_count", "_kernel", "epoll_watches", "pipe_bufs", "uid", "unix_inflight")
    _addr: int
    _kernel: Kernel

    def __init__(self, uid: int) -> None:
        self._count = 1
        self.uid = uid
        self.epoll_watches = self.unix_inflight = self.pipe_bufs = 0
