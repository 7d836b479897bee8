"""Connection-oriented sockets: accept queue, requests, timers, destruction (net/ipv4/inet_connection_sock.c).

Ports and bind conflicts are in inet_connection_sock_bind.py, requests in inet_connection_sock_req.py.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, cast

from kshell.abi.errno import EAGAIN, EINVAL
from kshell.abi.fcntl import O_NONBLOCK
from kshell.abi.socket import AF_INET
from kshell.abi.tcp import TCP_CLOSE, TCP_LISTEN, TCP_SYN_RECV
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.in_ import _be32
from kshell.linux.include.linux.sched import TASK_INTERRUPTIBLE, signal_pending
from kshell.linux.include.linux.snmp import IPSTATS_MIB_OUTNOROUTES
from kshell.linux.include.net.flow import flowi4, flowi4_init_output
from kshell.linux.include.net.inet_connection_sock import (
    ICSK_ACK_TIMER,
    ICSK_TIME_DACK,
    inet_connection_sock,
    inet_csk_delack_init,
)
from kshell.linux.include.net.inet_sock import _cork_of, inet_request_sock, inet_sk_flowi_flags
from kshell.linux.include.net.request_sock import (
    reqsk_queue_empty,
    reqsk_queue_remove,
    request_sock,
    request_sock_queue,
)
from kshell.linux.include.net.route import RT_CONN_FLAGS, ip_route_output_ports
from kshell.linux.include.net.sock import (
    SOCK_DEAD,
    SOCK_RCU_FREE,
    sock_hold,
    sock_orphan,
    sock_reset_flag,
    sock_set_flag,
)
from kshell.linux.include.net.sock_dst import sk_dst_reset
from kshell.linux.include.net.sock_wait import sk_sleep, sock_intr_errno, sock_rcvtimeo
from kshell.linux.kernel.sched.wait import finish_wait, init_wait, prepare_to_wait_exclusive
from kshell.linux.kernel.time.timer import schedule_timeout, timer_list
from kshell.linux.mm.slub import kmem_cache_free
from kshell.linux.net.core import request_sock as core_request_sock
from kshell.linux.net.core.sock import (
    __sk_dst_check,
    sk_clone_lock,
    sk_reset_timer,
    sk_setup_caps,
    sk_stop_timer,
    sock_put,
)
from kshell.linux.net.core.sock_lock import lock_sock, release_sock
from kshell.linux.net.core.stream import sk_stream_kill_queues
from kshell.linux.net.ipv4 import af_inet, route_output
from kshell.linux.security.security import security_inet_csk_clone, security_req_classify_flow

if TYPE_CHECKING:
    from kshell.linux.include.linux.tcp import tcp_sock
    from kshell.linux.include.net.dst import dst_entry
    from kshell.linux.include.net.sock import sock


async def inet_csk_wait_for_connect(sk: inet_connection_sock, timeo: int) -> None:
    """Sleep until a connection can be accepted. EINVAL, EAGAIN, ERESTARTSYS, EINTR."""
    kernel = sk.sk_net.kernel
    wait = init_wait(kernel.current)
    queue = sk.icsk_accept_queue
    wq = sk_sleep(sk)
    try:
        while True:
            prepare_to_wait_exclusive(wq, wait, TASK_INTERRUPTIBLE)
            release_sock(sk)
            if reqsk_queue_empty(queue):
                timeo = await schedule_timeout(kernel, timeo)
            lock_sock(sk)
            if not reqsk_queue_empty(queue):
                return
            if sk.sk_state != TCP_LISTEN:
                raise KernelError(EINVAL)
            if signal_pending(kernel.current):
                raise KernelError(sock_intr_errno(timeo))
            if not timeo:
                raise KernelError(EAGAIN)
    finally:
        finish_wait(wq, wait)


async def inet_csk_accept(sk: inet_connection_sock, flags: int, kern: bool) -> sock:
    """The next finished connection of a listener. EINVAL when it does not listen; EAGAIN and signals as a wait."""
    lock_sock(sk)
    req: request_sock | None = None
    try:
        if sk.sk_state != TCP_LISTEN:
            raise KernelError(EINVAL)
        queue = sk.icsk_accept_queue
        if reqsk_queue_empty(queue):
            timeo = sock_rcvtimeo(sk, flags & O_NONBLOCK)
            if not timeo:
                raise KernelError(EAGAIN)
            await inet_csk_wait_for_connect(sk, timeo)
        req = reqsk_queue_remove(queue, sk)
        assert req is not None
        assert req.sk is not None
        newsk = req.sk
        if req.tfo_listener:  # type: ignore[attr-defined]
            req.sk = None
            req = None
    finally:
        release_sock(sk)
    if req is not None:
        req.sk = None
        reqsk_put(req)
    return newsk


def reqsk_put(req: request_sock) -> None:
    """Drop a reference to a request."""
    req.rsk_refcnt -= 1
    if not req.rsk_refcnt:
        reqsk_free(req)


def reqsk_free(req: request_sock) -> None:
    """Free a request without references."""
    __reqsk_free(req)


def __reqsk_free(req: request_sock) -> None:
    """Free a request: its options, its hold on the listener, its slab object."""
    req.rsk_ops.destructor(req)
    kernel = req.skc_net.kernel
    listener = req.rsk_listener
    if listener is not None:
        req.rsk_listener = None
        sock_put(listener)
    if req.rsk_timer is not None:
        req.rsk_timer._owner = None  # a cancelled event of the clock may still hold the timer
        req.rsk_timer = None
    req.saved_syn = None
    kmem_cache_free(kernel.rsk_slab[req.rsk_ops], req)


def inet_csk_init_xmit_timers(
    sk: inet_connection_sock, retransmit_timer: timer_list, delack_timer: timer_list, keepalive_timer: timer_list
) -> None:
    """Set up the three timers: shared idle ones, of which the socket gets a copy when it first arms one."""
    sk.icsk_retransmit_timer = retransmit_timer
    sk.icsk_delack_timer = delack_timer
    sk.icsk_keepalive_timer = keepalive_timer
    sk.icsk_pending = 0


def inet_csk_clear_xmit_timers(sk: inet_connection_sock) -> None:
    """Stop all three timers."""
    if sk.icsk_pending or sk.icsk_delack_timer._owner is not None:
        sk.icsk_pending = 0
        sk.icsk_ack.pending = 0
    sk_stop_timer(sk, sk.icsk_retransmit_timer)
    sk_stop_timer(sk, sk.icsk_delack_timer)
    sk_stop_timer(sk, sk.icsk_keepalive_timer)


def inet_csk_reset_xmit_timer(sk: inet_connection_sock, what: int, when: int, max_when: int) -> None:
    """Arm the retransmission timer for purpose ICSK_TIME_*, or the delayed ACK timer, in `when` jiffies."""
    if when > max_when:
        when = max_when
    expires = sk.sk_net.kernel.jiffies + when
    if what == ICSK_TIME_DACK:
        sk.icsk_ack.pending |= ICSK_ACK_TIMER
        sk.icsk_ack.timeout = expires
        _reset_delack_timer(sk, expires)
        return
    sk.icsk_pending = what
    sk.icsk_timeout = expires
    timer = sk.icsk_retransmit_timer
    if timer._owner is None:
        timer = sk.icsk_retransmit_timer = timer_list(timer.function, sk)
    sk_reset_timer(sk, timer, expires)


def _reset_delack_timer(sk: inet_connection_sock, expires: int) -> None:
    timer = sk.icsk_delack_timer
    if timer._owner is None:
        timer = sk.icsk_delack_timer = timer_list(timer.function, sk)
    sk_reset_timer(sk, timer, expires)


def inet_csk_delete_keepalive_timer(sk: inet_connection_sock) -> None:
    """No more keepalive probes."""
    sk_stop_timer(sk, sk.icsk_keepalive_timer)


def inet_csk_reset_keepalive_timer(sk: inet_connection_sock, length: int) -> None:
    """Arm the keepalive (also FIN_WAIT2) timer, in jiffies from now."""
    timer = sk.icsk_keepalive_timer
    if timer._owner is None:
        timer = sk.icsk_keepalive_timer = timer_list(timer.function, sk)
    sk_reset_timer(sk, timer, sk.sk_net.kernel.jiffies + length)


def _route_to_client(sk: inet_connection_sock, fl4: flowi4, req: inet_request_sock, daddr: int) -> dst_entry | None:
    net = req.ireq_net
    flowi4_init_output(
        fl4, req.ir_iif, req.ir_mark, RT_CONN_FLAGS(sk), 0, sk.sk_protocol, inet_sk_flowi_flags(sk), daddr,
        req.ir_loc_addr, req.ir_rmt_port, req.ir_num, sk.sk_uid,
    )  # fmt: skip
    security_req_classify_flow(req, fl4)
    try:
        return route_output.ip_route_output_flow(net, fl4, sk)
    except KernelError:
        net.mib.ip_statistics[IPSTATS_MIB_OUTNOROUTES] += 1
        return None


def inet_csk_route_req(sk: inet_connection_sock, fl4: flowi4, req: inet_request_sock) -> dst_entry | None:
    """The route by which to answer a SYN; None when there is none."""
    opt = req.ireq_opt
    return _route_to_client(sk, fl4, req, opt.opt.faddr if opt is not None and opt.opt.srr else req.ir_rmt_addr)


def inet_csk_route_child_sock(
    sk: inet_connection_sock, newsk: inet_connection_sock, req: inet_request_sock
) -> dst_entry | None:
    """The route of a new connection; None when there is none."""
    return _route_to_client(sk, _cork_of(newsk).fl, req, req.ir_rmt_addr)


def inet_csk_clone_lock(sk: tcp_sock, req: inet_request_sock) -> tcp_sock:
    """A copy of the listener that becomes the connection, in SYN_RECV."""
    newsk = cast("tcp_sock", sk_clone_lock(sk))
    af_inet.inet_sk_set_state(newsk, TCP_SYN_RECV)
    newsk.icsk_bind_hash = None
    newsk.icsk_bind2_hash = None
    newsk.inet_dport = req.ir_rmt_port
    newsk.inet_num = newsk.inet_sport = req.ir_num
    sock_reset_flag(newsk, SOCK_RCU_FREE)
    newsk.mc_list = None
    newsk.sk_mark = req.ir_mark
    newsk.icsk_retransmits = 0
    newsk.icsk_backoff = 0
    newsk.icsk_probes_out = 0
    newsk.icsk_probes_tstamp = 0
    newsk.icsk_accept_queue = request_sock_queue()
    security_inet_csk_clone(newsk, req)
    return newsk


def inet_csk_destroy_sock(sk: inet_connection_sock) -> None:
    """End an orphan in TCP_CLOSE: queues, timers, port, and the reference of its creation."""
    destroy = sk.sk_prot.destroy
    assert destroy is not None
    destroy(sk)
    sk_stream_kill_queues(sk)
    sk.sk_net.kernel.tcp_orphan_count -= 1
    sock_put(sk)


def inet_csk_prepare_for_destroy_sock(sk: inet_connection_sock) -> None:
    """Make a socket that nobody ever saw an orphan."""
    sock_set_flag(sk, SOCK_DEAD)
    sk.sk_net.kernel.tcp_orphan_count += 1


def inet_csk_prepare_forced_close(sk: inet_connection_sock) -> None:
    """Ready a half made child for tcp_done()."""
    sock_put(sk)
    inet_csk_prepare_for_destroy_sock(sk)
    sk.inet_num = 0


def inet_csk_listen_start(sk: inet_connection_sock) -> None:
    """Begin to listen: queues, port, listener table. EADDRINUSE."""
    if sk.icsk_ulp_ops is not None:
        raise KernelError(EINVAL)
    core_request_sock.reqsk_queue_alloc(sk.icsk_accept_queue)
    sk.sk_ack_backlog = 0
    inet_csk_delack_init(sk)
    af_inet.inet_sk_state_store(sk, TCP_LISTEN)
    prot = sk.sk_prot
    assert prot.get_port is not None
    assert prot.hash is not None
    try:
        prot.get_port(sk, sk.inet_num)
        sk.inet_sport = sk.inet_num
        sk_dst_reset(sk)
        prot.hash(sk)
    except KernelError:
        af_inet.inet_sk_set_state(sk, TCP_CLOSE)
        raise


def inet_child_forget(sk: inet_connection_sock, req: request_sock, child: sock) -> None:
    """Reset and destroy a connection that was never accepted."""
    disconnect = sk.sk_prot.disconnect
    assert disconnect is not None
    disconnect(child, O_NONBLOCK)
    sock_orphan(child)
    sk.sk_net.kernel.tcp_orphan_count += 1
    if req.tfo_listener:  # type: ignore[attr-defined]
        child.fastopen_rsk = None  # type: ignore[attr-defined]
    inet_csk_destroy_sock(child)  # type: ignore[arg-type]


def inet_csk_listen_stop(sk: inet_connection_sock) -> None:
    """Stop listening: what waits to be accepted is reset, or moved to another listener of the reuseport group."""
    queue = sk.icsk_accept_queue
    while (req := reqsk_queue_remove(queue, sk)) is not None:
        child = req.sk
        assert child is not None
        sock_hold(child)
        inet_child_forget(sk, req, child)
        req.sk = None
        reqsk_put(req)
        sock_put(child)
    fastopenq = queue.fastopenq
    pending = fastopenq.rskq_rst_head
    fastopenq.rskq_rst_head = None
    while pending is not None:
        following = pending.dl_next
        reqsk_put(pending)
        pending = following


def inet_csk_addr2sockaddr(sk: inet_connection_sock) -> bytes:
    """The peer as a sockaddr_in."""
    return struct.pack("=HHI8x", AF_INET, _swap16(sk.inet_dport), _be32(sk.inet_daddr))


def _swap16(value: int) -> int:
    return int.from_bytes(value.to_bytes(2, "big"), "little")


def inet_csk_rebuild_route(sk: inet_connection_sock, fl4: flowi4) -> dst_entry | None:
    """Look the route up anew."""
    try:
        rt = ip_route_output_ports(
            sk.sk_net, fl4, sk, sk.inet_daddr, sk.inet_saddr, sk.inet_dport, sk.inet_sport, sk.sk_protocol,
            RT_CONN_FLAGS(sk), sk.sk_bound_dev_if,
        )  # fmt: skip
    except KernelError:
        return None
    sk_setup_caps(sk, rt)
    return rt


def inet_csk_update_pmtu(sk: inet_connection_sock, mtu: int) -> dst_entry | None:
    """Tell the route the path MTU that ICMP reported."""
    dst = __sk_dst_check(sk, 0)
    if dst is None:
        dst = inet_csk_rebuild_route(sk, _cork_of(sk).fl)
        if dst is None:
            return None
    if dst.ops.update_pmtu is not None:
        dst.ops.update_pmtu(dst, sk, None, mtu, True)  # type: ignore[arg-type]
    dst = __sk_dst_check(sk, 0)
    return dst if dst is not None else inet_csk_rebuild_route(sk, _cork_of(sk).fl)
