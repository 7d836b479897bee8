"""Requests, what is common to all protocols (net/core/request_sock.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from kshell.abi.tcp import TCP_LISTEN
from kshell.linux.include.linux.jiffies import HZ
from kshell.linux.include.net.inet_connection_sock import inet_connection_sock
from kshell.linux.include.net.request_sock import request_sock, request_sock_queue
from kshell.linux.kernel.time.timer import timer_list
from kshell.linux.net.ipv4 import inet_connection_sock as net_inet_connection_sock

if TYPE_CHECKING:
    from kshell.linux.include.linux.tcp import tcp_request_sock, tcp_sock


def reqsk_queue_alloc(queue: request_sock_queue) -> None:
    """Make a listener's queues empty."""
    queue.fastopenq.rskq_rst_head = None
    queue.fastopenq.rskq_rst_tail = None
    queue.fastopenq.qlen = 0
    queue.rskq_accept_head = None
    queue.rskq_accept_tail = None


def reqsk_fastopen_remove(sk: tcp_sock, req: tcp_request_sock, reset: bool) -> None:
    """Part a Fast Open socket from its request; after a RST the request is kept a minute, against floods."""
    lsk = cast(inet_connection_sock, req.rsk_listener)
    fastopenq = lsk.icsk_accept_queue.fastopenq
    sk.fastopen_rsk = None
    fastopenq.qlen -= 1
    req.tfo_listener = False
    if req.sk is not None:
        return
    if not reset or lsk.sk_state != TCP_LISTEN:
        net_inet_connection_sock.reqsk_put(req)
        return
    if req.rsk_timer is None:
        req.rsk_timer = timer_list()
    req.rsk_timer.expires = lsk.sk_net.kernel.jiffies + 60 * HZ
    tail: request_sock | None = fastopenq.rskq_rst_tail
    if fastopenq.rskq_rst_head is None or tail is None:
        fastopenq.rskq_rst_head = req
    else:
        tail.dl_next = req
    req.dl_next = None
    fastopenq.rskq_rst_tail = req
    fastopenq.qlen += 1
