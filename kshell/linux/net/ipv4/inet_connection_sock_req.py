"""Requests of a listener: hash, SYN-ACK timer, hand-over to the accept queue (net/ipv4/inet_connection_sock.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from kshell.abi.tcp import TCP_LISTEN
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.tcp import tcp_request_sock
from kshell.linux.include.net.inet_connection_sock import inet_connection_sock, reqsk_timeout
from kshell.linux.include.net.inet_hashtables import tcp_or_dccp_get_hashinfo
from kshell.linux.include.net.request_sock import (
    reqsk_queue_added,
    reqsk_queue_len,
    reqsk_queue_len_young,
    reqsk_queue_removed,
    request_sock,
)
from kshell.linux.include.net.sock import sk_acceptq_added
from kshell.linux.include.net.tcp import TCP_RTO_MAX
from kshell.linux.kernel.time.timer import mod_timer, timer_delete_sync, timer_list
from kshell.linux.net.core.sock import sock_put
from kshell.linux.net.ipv4 import inet_hashtables
from kshell.linux.net.ipv4.inet_connection_sock import inet_child_forget, reqsk_put

if TYPE_CHECKING:
    from kshell.linux.include.net.sock import sock


def syn_ack_recalc(req: tcp_request_sock, max_syn_ack_retries: int, rskq_defer_accept: int) -> tuple[bool, bool]:
    """(give the request up, send the SYN-ACK again) for one timeout; TCP_DEFER_ACCEPT keeps a request alive."""
    if not rskq_defer_accept:
        return req.num_timeout >= max_syn_ack_retries, True
    expire = req.num_timeout >= max_syn_ack_retries and (not req.acked or req.num_timeout >= rskq_defer_accept)
    return expire, not req.acked or req.num_timeout >= rskq_defer_accept - 1


def inet_rtx_syn_ack(parent: sock, req: request_sock) -> bool:
    """Send the SYN-ACK again; False when that failed."""
    try:
        req.rsk_ops.rtx_syn_ack(parent, req)
    except KernelError:
        return False
    req.num_retrans += 1
    return True


def reqsk_queue_unlink(req: request_sock) -> bool:
    """Take a request out of the established hash; False when it was not there."""
    return inet_hashtables._ehash_del(tcp_or_dccp_get_hashinfo(req), req)


def __inet_csk_reqsk_queue_drop(sk: inet_connection_sock, req: request_sock, from_timer: bool) -> bool:
    unlinked = reqsk_queue_unlink(req)
    if not from_timer and req.rsk_timer is not None and timer_delete_sync(req.rsk_timer):
        reqsk_put(req)
    if unlinked:
        reqsk_queue_removed(sk.icsk_accept_queue, req)
        reqsk_put(req)
    return unlinked


def inet_csk_reqsk_queue_drop(sk: inet_connection_sock, req: request_sock) -> bool:
    """Forget a request: out of the hash, timer stopped. False when another did so before."""
    return __inet_csk_reqsk_queue_drop(sk, req, False)


def inet_csk_reqsk_queue_drop_and_put(sk: inet_connection_sock, req: request_sock) -> None:
    """Forget a request and drop the caller's reference."""
    inet_csk_reqsk_queue_drop(sk, req)
    reqsk_put(req)


def reqsk_timer_handler(timer: timer_list) -> None:
    """No ACK came: send the SYN-ACK again, or give up."""
    req = cast(tcp_request_sock, timer._owner)
    sk_listener = cast(inet_connection_sock, req.rsk_listener)
    if sk_listener.sk_state == TCP_LISTEN:
        net = sk_listener.sk_net
        retries = sk_listener.icsk_syn_retries or net.ipv4.sysctl_tcp_synack_retries
        queue = sk_listener.icsk_accept_queue
        qlen = reqsk_queue_len(queue)
        if qlen << 1 > max(8, sk_listener.sk_max_ack_backlog):
            young = reqsk_queue_len_young(queue) << 1
            while retries > 2 and qlen >= young:
                retries -= 1
                young <<= 1
        expire, resend = syn_ack_recalc(req, retries, queue.rskq_defer_accept)
        req.rsk_ops.syn_ack_timeout(req)
        if not expire and (not resend or inet_rtx_syn_ack(sk_listener, req) or req.acked):
            if req.num_timeout == 0:
                queue.young -= 1
            req.num_timeout += 1
            mod_timer(net.kernel, timer, net.kernel.jiffies + reqsk_timeout(req, TCP_RTO_MAX))
            return
    __inet_csk_reqsk_queue_drop(sk_listener, req, True)
    reqsk_put(req)


def reqsk_queue_hash_req(req: request_sock, timeout: int) -> bool:
    """Put a request into the established hash and start its timer; False when the connection stands there."""
    if not inet_hashtables.inet_ehash_insert(req, None, [False]):
        return False
    req.rsk_timer = timer_list(reqsk_timer_handler, req)
    kernel = req.skc_net.kernel
    mod_timer(kernel, req.rsk_timer, kernel.jiffies + timeout)
    req.rsk_refcnt = 2 + 1  # hash, timer, caller
    return True


def inet_csk_reqsk_queue_hash_add(sk: inet_connection_sock, req: request_sock, timeout: int) -> bool:
    """The same, counted at the listener."""
    if not reqsk_queue_hash_req(req, timeout):
        return False
    reqsk_queue_added(sk.icsk_accept_queue)
    return True


def inet_csk_reqsk_queue_add(sk: inet_connection_sock, req: request_sock, child: sock) -> sock | None:
    """Append a finished connection to the accept queue; None when the listener was closed."""
    queue = sk.icsk_accept_queue
    if sk.sk_state != TCP_LISTEN:
        inet_child_forget(sk, req, child)
        return None
    req.sk = child
    req.dl_next = None
    if queue.rskq_accept_tail is None:
        queue.rskq_accept_head = req
    else:
        queue.rskq_accept_tail.dl_next = req
    queue.rskq_accept_tail = req
    sk_acceptq_added(sk)
    return child


def inet_csk_complete_hashdance(
    sk: inet_connection_sock, child: sock, req: request_sock, own_req: bool
) -> sock | None:
    """The ACK came: the request leaves the SYN queue, its child enters the accept queue."""
    if own_req:
        listener = cast(inet_connection_sock, req.rsk_listener)
        inet_csk_reqsk_queue_drop(listener, req)
        reqsk_queue_removed(listener.icsk_accept_queue, req)
        if inet_csk_reqsk_queue_add(sk, req, child) is not None:
            return child
    sock_put(child)
    return None
