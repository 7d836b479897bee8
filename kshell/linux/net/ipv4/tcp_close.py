"""Shutdown and close (part of net/ipv4/tcp.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import ECONNABORTED, ECONNRESET, ENOENT
from kshell.abi.tcp import (
    TCP_ACTION_FIN,
    TCP_CLOSE,
    TCP_CLOSE_WAIT,
    TCP_CLOSING,
    TCP_ESTABLISHED,
    TCP_FIN_WAIT1,
    TCP_FIN_WAIT2,
    TCP_LAST_ACK,
    TCP_LISTEN,
    TCP_STATE_MASK,
    TCP_SYN_RECV,
    TCP_SYN_SENT,
    TCPF_CLOSE_WAIT,
    TCPF_CLOSING,
    TCPF_ESTABLISHED,
    TCPF_FIN_WAIT1,
    TCPF_FIN_WAIT2,
    TCPF_LAST_ACK,
    TCPF_SYN_RECV,
    TCPF_SYN_SENT,
)
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.skbuff import __skb_dequeue
from kshell.linux.include.linux.snmp import (
    LINUX_MIB_TCPABORTONCLOSE,
    LINUX_MIB_TCPABORTONDATA,
    LINUX_MIB_TCPABORTONLINGER,
    LINUX_MIB_TCPABORTONMEMORY,
    TCP_MIB_ATTEMPTFAILS,
)
from kshell.linux.include.linux.tcp import tcp_options_received, tcp_rack, tcp_sock
from kshell.linux.include.net.inet_connection_sock import inet_csk_delack_init
from kshell.linux.include.net.sock import (
    SEND_SHUTDOWN,
    SHUTDOWN_MASK,
    SOCK_DEAD,
    SOCK_DONE,
    SOCK_LINGER,
    sk_error_report,
)
from kshell.linux.include.net.sock_dst import __sk_dst_reset
from kshell.linux.include.net.tcp import (
    TCP_CHRONO_BUSY,
    TCP_DELACK_MAX,
    TCP_INFINITE_SSTHRESH,
    TCP_INIT_CWND,
    TCP_MIN_MSS,
    TCP_RTO_MIN,
    TCP_TIMEOUT_INIT,
    TCP_TIMEWAIT_LEN,
    TCPHDR_FIN,
    U32,
    TCP_CA_Open,
    after,
    tcp_skb_cb,
)
from kshell.linux.include.net.tcp_times import tcp_fin_time
from kshell.linux.kernel.time.hrtimer import hrtimer_try_to_cancel
from kshell.linux.net.core.dst import dst_release
from kshell.linux.net.core.request_sock import reqsk_fastopen_remove
from kshell.linux.net.core.skbuff import __kfree_skb, __skb_queue_purge
from kshell.linux.net.core.sock import lock_sock, release_sock, sock_put
from kshell.linux.net.core.sock_lock import __release_sock
from kshell.linux.net.core.stream import sk_stream_wait_close
from kshell.linux.net.ipv4 import (
    inet_hashtables_bind,
    tcp,
    tcp_fastopen,
    tcp_input_data,
    tcp_input_loss,
    tcp_input_state,
    tcp_minisocks_timewait,
    tcp_output,
    tcp_output_ack,
    tcp_sendmsg,
)
from kshell.linux.net.ipv4.inet_connection_sock import (
    inet_csk_clear_xmit_timers,
    inet_csk_destroy_sock,
    inet_csk_listen_stop,
    inet_csk_reset_keepalive_timer,
)
from kshell.linux.net.ipv4.tcp_cong import tcp_set_ca_state

if TYPE_CHECKING:
    from kshell.linux.include.linux.sched import Rest

_DEAD = 1 << SOCK_DEAD

# new_state: what close() makes of a state, and whether a FIN goes out
_NEW_STATE = {
    TCP_ESTABLISHED: TCP_FIN_WAIT1 | TCP_ACTION_FIN,
    TCP_SYN_RECV: TCP_FIN_WAIT1 | TCP_ACTION_FIN,
    TCP_FIN_WAIT1: TCP_FIN_WAIT1,
    TCP_FIN_WAIT2: TCP_FIN_WAIT2,
    TCP_CLOSE_WAIT: TCP_LAST_ACK | TCP_ACTION_FIN,
    TCP_LAST_ACK: TCP_LAST_ACK,
    TCP_CLOSING: TCP_CLOSING,
}


def tcp_close_state(sk: tcp_sock) -> int:
    """Move on to closing; nonzero when a FIN has to be sent."""
    return _close_state(sk)


def _close_state(sk: tcp_sock) -> int:
    following = _NEW_STATE.get(sk.skc_state, TCP_CLOSE)
    tcp.tcp_set_state(sk, following & TCP_STATE_MASK)
    return following & TCP_ACTION_FIN


def tcp_shutdown(sk: tcp_sock, how: int) -> None:
    """proto.shutdown: send FIN if the sending side ends."""
    if not how & SEND_SHUTDOWN:
        return
    if (TCPF_ESTABLISHED | TCPF_SYN_SENT | TCPF_CLOSE_WAIT) >> sk.skc_state & 1 and tcp_close_state(sk):
        tcp_output_ack.tcp_send_fin(sk)


def tcp_clear_xmit_timers(sk: tcp_sock) -> None:
    """Stop all timers."""
    for timer in (sk.pacing_timer, sk.compressed_ack_timer):
        if hrtimer_try_to_cancel(timer):
            sk.skc_refcnt -= 1
        if timer._owner is not None:
            timer._owner = None  # who arms it again makes a new one
    inet_csk_clear_xmit_timers(sk)


def _drop_unread(sk: tcp_sock) -> bool:
    """Free the receive queue; True when data in it was not read."""
    unread = False
    while (skb := __skb_dequeue(sk.sk_receive_queue)) is not None:
        cb: tcp_skb_cb = skb.cb  # type: ignore[assignment]
        end_seq = cb.end_seq - 1 & U32 if cb.tcp_flags & TCPHDR_FIN else cb.end_seq
        if after(end_seq, sk.copied_seq):
            unread = True
        __kfree_skb(skb)
    return unread


def _say_goodbye(sk: tcp_sock, unread: bool) -> None:
    """FIN, or RST when the peer's data is thrown away or SO_LINGER is 0."""
    if sk.repair:
        tcp_disconnect(sk, 0)
    elif unread:
        sk.skc_net.mib.net_statistics[LINUX_MIB_TCPABORTONCLOSE] += 1
        tcp.tcp_set_state(sk, TCP_CLOSE)
        tcp_output_ack.tcp_send_active_reset(sk)
    elif sk.skc_flags >> SOCK_LINGER & 1 and not sk.sk_lingertime:
        tcp_disconnect(sk, 0)
        sk.skc_net.mib.net_statistics[LINUX_MIB_TCPABORTONDATA] += 1
    elif _close_state(sk):
        tcp_output_ack.tcp_send_fin(sk)


def __tcp_close(sk: tcp_sock, timeout: int) -> Rest | None:
    """End the connection, and leave the socket to itself."""
    sk.sk_shutdown = SHUTDOWN_MASK
    if sk.skc_state == TCP_LISTEN:
        tcp.tcp_set_state(sk, TCP_CLOSE)
        inet_csk_listen_stop(sk)
    else:
        unread = sk.sk_receive_queue.next is not None and _drop_unread(sk)
        if sk.skc_state != TCP_CLOSE:
            _say_goodbye(sk, unread)
            rest = sk_stream_wait_close(sk, timeout)
            if rest is not None:
                return _rest_of___tcp_close(sk, rest)
    _make_orphan(sk)
    return None


async def _rest_of___tcp_close(sk: tcp_sock, rest: Rest) -> None:
    await rest
    _make_orphan(sk)


def _make_orphan(sk: tcp_sock) -> None:
    """Nobody waits for the socket any more: destroy it if the connection is over."""
    state = sk.skc_state
    sk.skc_refcnt += 1
    sk.skc_flags |= _DEAD  # sock_orphan()
    sk.sk_socket = sk.sk_wq = None
    __release_sock(sk)
    sk.skc_net.kernel.tcp_orphan_count += 1
    if sk.skc_state != TCP_CLOSE:
        if sk.skc_state == TCP_FIN_WAIT2 and _orphan_in_fin_wait2(sk):
            return
        if sk.skc_state != TCP_CLOSE and tcp.tcp_check_oom(sk, 0):
            tcp.tcp_set_state(sk, TCP_CLOSE)
            tcp_output_ack.tcp_send_active_reset(sk)
            sk.skc_net.mib.net_statistics[LINUX_MIB_TCPABORTONMEMORY] += 1
    elif state != TCP_CLOSE:
        return
    if sk.skc_state == TCP_CLOSE:
        if sk.fastopen_rsk is not None:
            reqsk_fastopen_remove(sk, sk.fastopen_rsk, False)  # type: ignore[arg-type]
        inet_csk_destroy_sock(sk)


def _orphan_in_fin_wait2(sk: tcp_sock) -> bool:
    """Nobody waits for the peer's FIN any more: True when a TIME_WAIT socket does."""
    if sk.linger2 < 0:
        tcp.tcp_set_state(sk, TCP_CLOSE)
        tcp_output_ack.tcp_send_active_reset(sk)
        sk.skc_net.mib.net_statistics[LINUX_MIB_TCPABORTONLINGER] += 1
        return False
    tmo = tcp_fin_time(sk)
    if tmo > TCP_TIMEWAIT_LEN:
        inet_csk_reset_keepalive_timer(sk, tmo - TCP_TIMEWAIT_LEN)
        return False
    tcp_minisocks_timewait.tcp_time_wait(sk, TCP_FIN_WAIT2, tmo)
    return True


def tcp_close(sk: tcp_sock, timeout: int) -> Rest | None:
    """proto.close of TCP."""
    lock_sock(sk)
    rest = __tcp_close(sk, timeout)
    if rest is not None:
        return _rest_of_tcp_close(sk, rest)
    release_sock(sk)
    sock_put(sk)
    return None


async def _rest_of_tcp_close(sk: tcp_sock, rest: Rest) -> None:
    await rest
    release_sock(sk)
    sock_put(sk)


def tcp_need_reset(state: int) -> bool:
    """True when the peer of a connection that is dropped must be told."""
    return bool(
        (TCPF_ESTABLISHED | TCPF_CLOSE_WAIT | TCPF_FIN_WAIT1 | TCPF_FIN_WAIT2 | TCPF_SYN_RECV) >> state & 1
    )


def tcp_rtx_queue_purge(sk: tcp_sock) -> None:
    """Free what was sent and not acknowledged."""
    queue = sk.tcp_rtx_queue
    if sk.highest_sack is not None:
        sk.highest_sack = None
    if queue:
        sk.tcp_rtx_queue = []
        for skb in queue:
            tcp_sendmsg.tcp_wmem_free_skb(sk, skb)


def tcp_write_queue_purge(sk: tcp_sock) -> None:
    """Free all that was written."""
    tcp_output.tcp_chrono_stop(sk, TCP_CHRONO_BUSY)
    if sk.sk_write_queue.next is not None or sk.tcp_rtx_queue:
        while (skb := __skb_dequeue(sk.sk_write_queue)) is not None:
            tcp_sendmsg.tcp_wmem_free_skb(sk, skb)
        tcp_rtx_queue_purge(sk)
        tcp_input_loss.tcp_clear_all_retrans_hints(sk)
        sk.packets_out = 0
        sk.icsk_backoff = 0


def tcp_disconnect(sk: tcp_sock, flags: int) -> int:
    """Drop the connection, with RST where due; the socket is as new."""
    old_state = sk.skc_state
    if old_state != TCP_CLOSE:
        tcp.tcp_set_state(sk, TCP_CLOSE)
    if old_state == TCP_LISTEN:
        inet_csk_listen_stop(sk)
    elif sk.repair:
        sk.sk_err = ECONNABORTED
    elif tcp_need_reset(old_state) or (
        sk.snd_nxt != sk.write_seq and (TCPF_CLOSING | TCPF_LAST_ACK) >> old_state & 1
    ):
        tcp_output_ack.tcp_send_active_reset(sk)
        sk.sk_err = ECONNRESET
    elif old_state == TCP_SYN_SENT:
        sk.sk_err = ECONNRESET
    tcp_clear_xmit_timers(sk)
    __skb_queue_purge(sk.sk_receive_queue)
    sk.copied_seq = sk.rcv_nxt
    sk.urg_data = 0
    tcp_write_queue_purge(sk)
    tcp_fastopen.tcp_fastopen_active_disable_ofo_check(sk)
    tcp_input_data.skb_rbtree_purge(sk.out_of_order_queue)
    sk.inet_dport = 0
    inet_hashtables_bind.inet_bhash2_reset_saddr(sk)
    sk.sk_shutdown = 0
    sk.skc_flags &= ~(1 << SOCK_DONE)
    sk.write_seq = (sk.write_seq + sk.max_window + 2 & U32) or 1
    _reset_control(sk)
    _reset_counters(sk)
    __sk_dst_reset(sk)
    rx_dst = sk.sk_rx_dst
    if rx_dst is not None:
        sk.sk_rx_dst = None
        dst_release(rx_dst)
    if sk.fastopen_rsk is not None:
        reqsk_fastopen_remove(sk, sk.fastopen_rsk, False)  # type: ignore[arg-type]
    tcp_sendmsg.tcp_free_fastopen_req(sk)
    sk.defer_connect = 0
    sk.fastopen_client_fail = 0
    sk_error_report(sk)
    return 0


def _reset_control(sk: tcp_sock) -> None:
    sk.srtt_us = 0
    sk.mdev_us = 1000000
    sk.rcv_rtt_last_tsecr = 0
    sk.icsk_backoff = sk.icsk_probes_out = sk.icsk_probes_tstamp = 0
    sk.icsk_rto = TCP_TIMEOUT_INIT
    sk.icsk_rto_min = TCP_RTO_MIN
    sk.icsk_delack_max = TCP_DELACK_MAX
    sk.snd_ssthresh = TCP_INFINITE_SSTHRESH
    sk.snd_cwnd = TCP_INIT_CWND
    sk.snd_cwnd_cnt = sk.is_cwnd_limited = sk.max_packets_out = sk.window_clamp = 0
    release = sk.icsk_ca_ops.release
    if release is not None:
        release(sk)
    sk.icsk_ca_priv = None
    sk.icsk_ca_initialized = 0
    tcp_set_ca_state(sk, TCP_CA_Open)
    sk.is_sack_reneg = 0
    tcp_input_loss.tcp_clear_retrans(sk)
    sk.total_retrans = 0
    inet_csk_delack_init(sk)
    sk.icsk_ack.rcv_mss = TCP_MIN_MSS
    sk.rx_opt = tcp_options_received()
    sk.rack = tcp_rack()
    sk.saved_syn = None


def _reset_counters(sk: tcp_sock) -> None:
    sk.delivered = sk.delivered_ce = sk.compressed_ack = 0
    sk.segs_in = sk.segs_out = sk.bytes_sent = sk.bytes_acked = sk.bytes_received = sk.bytes_retrans = 0
    sk.data_segs_in = sk.data_segs_out = 0
    sk.duplicate_sack = ()
    sk.dsack_dups = sk.reord_seen = sk.retrans_out = sk.sacked_out = sk.tlp_high_seq = 0
    sk.last_oow_ack_time = 0
    sk.app_limited = U32
    sk.rate_app_limited = 1
    sk.syn_data_acked = sk.rcv_ooopack = 0


def tcp_done(sk: tcp_sock) -> None:
    """The connection is over: tell its user, or free it if there is none."""
    req = sk.fastopen_rsk
    if sk.skc_state == TCP_SYN_SENT or sk.skc_state == TCP_SYN_RECV:
        sk.skc_net.mib.tcp_statistics[TCP_MIB_ATTEMPTFAILS] += 1
    tcp.tcp_set_state(sk, TCP_CLOSE)
    tcp_clear_xmit_timers(sk)
    if req is not None:
        reqsk_fastopen_remove(sk, req, False)  # type: ignore[arg-type]
    sk.sk_shutdown = SHUTDOWN_MASK
    if not sk.skc_flags >> SOCK_DEAD & 1:
        sk.sk_state_change(sk)
    else:
        inet_csk_destroy_sock(sk)


def tcp_abort(sk: tcp_sock, err: int) -> int:
    """Drop a connection from outside (SOCK_DESTROY). ENOENT."""
    lock_sock(sk)
    if sk.skc_state == TCP_CLOSE:
        release_sock(sk)
        raise KernelError(ENOENT)
    if sk.skc_state == TCP_LISTEN:
        tcp.tcp_set_state(sk, TCP_CLOSE)
        inet_csk_listen_stop(sk)
    if tcp_need_reset(sk.skc_state):
        tcp_output_ack.tcp_send_active_reset(sk)
    tcp_input_state.tcp_done_with_error(sk, err)
    release_sock(sk)
    return 0
