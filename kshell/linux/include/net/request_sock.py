"""include/net/request_sock.h: connections on their way to a listener."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kshell.linux.include.net.sock import sock, sock_common

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.kernel.time.timer import timer_list


class saved_syn:
    """The headers of a SYN, kept for TCP_SAVED_SYN: lengths of its parts (bytes) and the bytes."""

    __slots__ = ("data", "mac_hdrlen", "network_hdrlen", "tcp_hdrlen")

    def __init__(self, mac_hdrlen: int, network_hdrlen: int, tcp_hdrlen: int, data: bytes) -> None:
        self.mac_hdrlen = mac_hdrlen
        self.network_hdrlen = network_hdrlen
        self.tcp_hdrlen = tcp_hdrlen
        self.data = data


class request_sock_ops:
    """How a transport handles its request sockets. Constant; the slab is kernel.rsk_slab[ops]."""

    __slots__ = (
        "_cls",
        "destructor",
        "family",
        "obj_size",
        "rtx_syn_ack",
        "send_ack",
        "send_reset",
        "slab_name",
        "syn_ack_timeout",
    )  # fmt: skip

    def __init__(
        self,
        *,
        family: int,
        obj_size: int,
        cls: type[request_sock],
        rtx_syn_ack: Callable[[sock, request_sock], int],
        send_ack: Callable[[sock, sk_buff, request_sock], None],
        send_reset: Callable[[sock | None, sk_buff], None],
        destructor: Callable[[request_sock], None],
        syn_ack_timeout: Callable[[request_sock], None],
        slab_name: str = "",
    ) -> None:
        self.family = family
        self.obj_size = obj_size
        self._cls = cls
        self.slab_name = slab_name
        self.rtx_syn_ack = rtx_syn_ack
        self.send_ack = send_ack
        self.send_reset = send_reset
        self.destructor = destructor
        self.syn_ack_timeout = syn_ack_timeout


class request_sock(sock_common):
    """A connection that has sent SYN, before it gets a socket of its own."""

    __slots__ = (
        "dl_next",
        "mss",
        "num_retrans",
        "num_timeout",
        "rsk_listener",
        "rsk_ops",
        "rsk_rcv_wnd",
        "rsk_timer",
        "rsk_window_clamp",
        "saved_syn",
        "sk",
        "syncookie",
        "timeout",
        "ts_recent",
    )  # fmt: skip
    if TYPE_CHECKING:
        rsk_refcnt: int
        rsk_hash: int
    else:
        rsk_refcnt = sock_common.skc_refcnt
        rsk_hash = sock_common.skc_hash
    rsk_listener: sock | None
    rsk_window_clamp: int
    rsk_rcv_wnd: int
    dl_next: request_sock | None
    mss: int
    num_retrans: int
    syncookie: int
    num_timeout: int
    ts_recent: int
    rsk_timer: timer_list | None
    rsk_ops: request_sock_ops
    sk: sock | None
    saved_syn: object | None
    timeout: int

    def __init__(self) -> None:
        super().__init__()
        self.rsk_listener = self.dl_next = self.rsk_timer = self.sk = self.saved_syn = None
        self.rsk_window_clamp = self.rsk_rcv_wnd = self.mss = self.num_retrans = self.syncookie = 0
        self.num_timeout = self.ts_recent = self.timeout = 0


class fastopen_queue:
    """Connections that TCP Fast Open let in early."""

    __slots__ = ("ctx", "max_qlen", "qlen", "rskq_rst_head", "rskq_rst_tail")

    def __init__(self) -> None:
        self.rskq_rst_head: request_sock | None = None
        self.rskq_rst_tail: request_sock | None = None
        self.qlen = self.max_qlen = 0
        self.ctx: object | None = None


class request_sock_queue:
    """A listener's queue of connections ready to be accepted, and its count of those on their way."""

    __slots__ = (
        "fastopenq",
        "qlen",
        "rskq_accept_head",
        "rskq_accept_tail",
        "rskq_defer_accept",
        "synflood_warned",
        "young",
    )  # fmt: skip

    def __init__(self) -> None:
        self.rskq_defer_accept = self.synflood_warned = self.qlen = self.young = 0
        self.rskq_accept_head: request_sock | None = None
        self.rskq_accept_tail: request_sock | None = None
        self.fastopenq = fastopen_queue()


def reqsk_queue_empty(queue: request_sock_queue) -> bool:
    """True if there is nothing to accept."""
    return queue.rskq_accept_head is None


def reqsk_queue_remove(queue: request_sock_queue, parent: sock) -> request_sock | None:
    """Take the connection that waited longest."""
    req = queue.rskq_accept_head
    if req is not None:
        parent.sk_ack_backlog -= 1
        queue.rskq_accept_head = req.dl_next
        if queue.rskq_accept_head is None:
            queue.rskq_accept_tail = None
    return req


def reqsk_queue_removed(queue: request_sock_queue, req: request_sock) -> None:
    """One request less on its way."""
    if req.num_timeout == 0:
        queue.young -= 1
    queue.qlen -= 1


def reqsk_queue_added(queue: request_sock_queue) -> None:
    """One request more on its way."""
    queue.young += 1
    queue.qlen += 1


def reqsk_queue_len(queue: request_sock_queue) -> int:
    """Requests on their way."""
    return queue.qlen


def reqsk_queue_len_young(queue: request_sock_queue) -> int:
    """Requests whose SYN-ACK was never retransmitted."""
    return queue.young
