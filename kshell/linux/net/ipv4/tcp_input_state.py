"""The state machine for all states but ESTABLISHED (part of net/ipv4/tcp_input.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import ECONNREFUSED, ECONNRESET, EPIPE
from kshell.abi.tcp import (
    TCP_CLOSE,
    TCP_CLOSE_WAIT,
    TCP_CLOSING,
    TCP_ESTABLISHED,
    TCP_FIN_WAIT1,
    TCP_FIN_WAIT2,
    TCP_LAST_ACK,
    TCP_LISTEN,
    TCP_SYN_RECV,
    TCP_SYN_SENT,
    TCP_TIME_WAIT,
)
from kshell.linux.include.linux.net import SOCK_WAKE_IO
from kshell.linux.include.linux.snmp import LINUX_MIB_TCPABORTONDATA
from kshell.linux.include.linux.tcp import tcp_request_sock
from kshell.linux.include.net.dropreason import (
    SKB_DROP_REASON_NOT_SPECIFIED,
    SKB_DROP_REASON_TCP_CLOSE,
    SKB_DROP_REASON_TCP_FASTOPEN,
    SKB_DROP_REASON_TCP_FLAGS,
    SKB_DROP_REASON_TCP_RESET,
)
from kshell.linux.include.net.sock import RCV_SHUTDOWN, SEND_SHUTDOWN, SOCK_DEAD, sk_error_report, sock_flag
from kshell.linux.include.net.tcp import (
    TCP_TIMEWAIT_LEN,
    TCPHDR_ACK,
    TCPHDR_FIN,
    TCPHDR_RST,
    TCPHDR_SYN,
    TCPOLEN_TSTAMP_ALIGNED,
    U32,
    TCP_CA_Loss,
    after,
    before,
    tcp_skb_cb,
)
from kshell.linux.include.net.tcp_times import tcp_fin_time
from kshell.linux.net.core.request_sock import reqsk_fastopen_remove
from kshell.linux.net.core.skbuff import __kfree_skb, consume_skb
from kshell.linux.net.core.sock import POLL_OUT, sk_wake_async
from kshell.linux.net.ipv4 import (
    tcp,
    tcp_close,
    tcp_fastopen,
    tcp_input,
    tcp_input_data,
    tcp_input_synsent,
    tcp_input_timer,
    tcp_input_undo,
    tcp_metrics,
    tcp_minisocks,
    tcp_minisocks_timewait,
)
from kshell.linux.net.ipv4.inet_connection_sock import inet_csk_reset_keepalive_timer
from kshell.linux.net.ipv4.tcp_input_ack import tcp_ack, tcp_fast_path_on
from kshell.linux.net.ipv4.tcp_input_challenge import tcp_send_challenge_ack
from kshell.linux.net.ipv4.tcp_input_flags import FLAG_NO_CHALLENGE_ACK, FLAG_SLOWPATH, FLAG_UPDATE_TS_RECENT
from kshell.linux.net.ipv4.tcp_input_rtt import tcp_initialize_rcv_mss, tcp_synack_rtt_meas, tcp_update_pacing_rate
from kshell.linux.net.ipv4.tcp_output_xmit import tcp_mstamp_refresh

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.linux.tcp import tcp_sock
    from kshell.linux.include.linux.tcp_header import tcphdr


def tcp_done_with_error(sk: tcp_sock, err: int) -> None:
    """End the connection; the application finds `err` (a positive errno)."""
    sk.sk_err = err
    tcp_close.tcp_write_queue_purge(sk)
    tcp_close.tcp_done(sk)
    if not sock_flag(sk, SOCK_DEAD):
        sk_error_report(sk)


def tcp_reset(sk: tcp_sock, skb: sk_buff | None) -> None:
    """The peer sent RST: ECONNREFUSED, EPIPE after its FIN, else ECONNRESET."""
    state = sk.skc_state
    if state == TCP_SYN_SENT:
        tcp_done_with_error(sk, ECONNREFUSED)
    elif state == TCP_CLOSE_WAIT:
        tcp_done_with_error(sk, EPIPE)
    elif state != TCP_CLOSE:
        tcp_done_with_error(sk, ECONNRESET)


def tcp_rcv_synrecv_state_fastopen(sk: tcp_sock) -> None:
    """Fast Open: the ACK of the handshake came."""
    if sk.icsk_ca_state == TCP_CA_Loss and not sk.packets_out:
        tcp_input_undo.tcp_try_undo_recovery(sk)
    sk.retrans_stamp = 0
    sk.icsk_retransmits = 0
    req = sk.fastopen_rsk
    assert isinstance(req, tcp_request_sock)
    reqsk_fastopen_remove(sk, req, False)
    tcp_input_timer.tcp_rearm_rto(sk)


def _listen(sk: tcp_sock, skb: sk_buff, th: tcphdr) -> int:
    flags = th._flags
    if flags & TCPHDR_ACK:
        return 1
    if flags & TCPHDR_RST:
        tcp_input_data.tcp_drop_reason(sk, skb, SKB_DROP_REASON_TCP_RESET)
    elif flags & TCPHDR_SYN and not flags & TCPHDR_FIN:
        if sk.icsk_af_ops.conn_request(sk, skb) < 0:
            return 1
        consume_skb(skb)
    else:
        tcp_input_data.tcp_drop_reason(sk, skb, SKB_DROP_REASON_TCP_FLAGS)
    return 0


def _syn_recv(sk: tcp_sock, skb: sk_buff, th: tcphdr, req: tcp_request_sock | None) -> None:
    cb: tcp_skb_cb = skb.cb  # type: ignore[assignment]
    sk.delivered += 1
    if not sk.srtt_us:
        tcp_synack_rtt_meas(sk, req)
    if sk.rx_opt.tstamp_ok:
        sk.advmss -= TCPOLEN_TSTAMP_ALIGNED
    if req is not None:
        tcp_rcv_synrecv_state_fastopen(sk)
    else:
        tcp_input_synsent.tcp_try_undo_spurious_syn(sk)
        sk.retrans_stamp = 0
        tcp_input_synsent.tcp_init_transfer(sk, skb)
        sk.copied_seq = sk.rcv_nxt
    tcp.tcp_set_state(sk, TCP_ESTABLISHED)
    sk.sk_state_change(sk)
    if sk.sk_socket is not None:
        sk_wake_async(sk, SOCK_WAKE_IO, POLL_OUT)
    sk.snd_una = cb.ack_seq
    sk.snd_wnd = th.window << sk.rx_opt.snd_wscale
    sk.snd_wl1 = cb.seq
    if sk.icsk_ca_ops.cong_control is None:
        tcp_update_pacing_rate(sk)
    sk.lsndtime = sk.skc_net.kernel.jiffies & U32
    tcp_initialize_rcv_mss(sk)
    tcp_fast_path_on(sk)
    if sk.sk_shutdown & SEND_SHUTDOWN:
        tcp_close.tcp_shutdown(sk, SEND_SHUTDOWN)


def _new_data(sk: tcp_sock, skb: sk_buff) -> bool:
    cb: tcp_skb_cb = skb.cb  # type: ignore[assignment]
    fin = cb.tcp_flags & TCPHDR_FIN
    return cb.end_seq != cb.seq and after(cb.end_seq - fin, sk.rcv_nxt)


def _abort_on_data(sk: tcp_sock) -> int:
    tcp_close.tcp_done(sk)
    sk.skc_net.mib.net_statistics[LINUX_MIB_TCPABORTONDATA] += 1
    return 1


def _fin_wait1(sk: tcp_sock, skb: sk_buff, th: tcphdr, req: tcp_request_sock | None) -> int | None:
    """Our FIN may be acknowledged: 1 to answer with RST, 0 when the segment was freed, None to go on."""
    if req is not None:
        tcp_rcv_synrecv_state_fastopen(sk)
    if sk.snd_una != sk.write_seq:
        return None
    tcp.tcp_set_state(sk, TCP_FIN_WAIT2)
    sk.sk_shutdown |= SEND_SHUTDOWN
    if not sock_flag(sk, SOCK_DEAD):
        sk.sk_state_change(sk)
        return None
    if sk.linger2 < 0:
        return _abort_on_data(sk)
    if _new_data(sk, skb):
        if sk.syn_fastopen and th._flags & TCPHDR_FIN:
            tcp_fastopen.tcp_fastopen_active_disable(sk)
        return _abort_on_data(sk)
    tmo = tcp_fin_time(sk)
    if tmo > TCP_TIMEWAIT_LEN:
        inet_csk_reset_keepalive_timer(sk, tmo - TCP_TIMEWAIT_LEN)
    elif th._flags & TCPHDR_FIN or sk.sk_lock:
        inet_csk_reset_keepalive_timer(sk, tmo)
    else:
        tcp_minisocks_timewait.tcp_time_wait(sk, TCP_FIN_WAIT2, tmo)
        __kfree_skb(skb)
        return 0
    return None


def _closing(sk: tcp_sock, skb: sk_buff, th: tcphdr, req: tcp_request_sock | None) -> int | None:
    """What an ACK means to a state in which our FIN is under way; as _fin_wait1()."""
    state = sk.skc_state
    if state == TCP_SYN_RECV:
        _syn_recv(sk, skb, th, req)
    elif state == TCP_FIN_WAIT1:
        return _fin_wait1(sk, skb, th, req)
    elif state == TCP_CLOSING and sk.snd_una == sk.write_seq:
        tcp_minisocks_timewait.tcp_time_wait(sk, TCP_TIME_WAIT, 0)
        __kfree_skb(skb)
        return 0
    elif state == TCP_LAST_ACK and sk.snd_una == sk.write_seq:
        tcp_metrics.tcp_update_metrics(sk)
        tcp_close.tcp_done(sk)
        __kfree_skb(skb)
        return 0
    return None


def _queue_data(sk: tcp_sock, skb: sk_buff) -> int | None:
    """Take the data if the state has a use for it: 1 to answer with RST, 0 when it was taken, None when not."""
    state = sk.skc_state
    if state in (TCP_CLOSE_WAIT, TCP_CLOSING, TCP_LAST_ACK):
        if not before(skb.cb.seq, sk.rcv_nxt):  # type: ignore[attr-defined]
            return None
    elif state not in (TCP_FIN_WAIT1, TCP_FIN_WAIT2, TCP_ESTABLISHED):
        return None
    if state != TCP_ESTABLISHED and sk.sk_shutdown & RCV_SHUTDOWN and _new_data(sk, skb):
        sk.skc_net.mib.net_statistics[LINUX_MIB_TCPABORTONDATA] += 1
        tcp_reset(sk, skb)
        return 1
    tcp_input_data.tcp_data_queue(sk, skb)
    return 0


def _syn_sent(sk: tcp_sock, skb: sk_buff, th: tcphdr) -> int:
    queued = tcp_input_synsent.tcp_rcv_synsent_state_process(sk, skb, th)
    if queued >= 0:
        return queued
    tcp_input.tcp_urg(sk, skb, th)
    __kfree_skb(skb)
    tcp_input_data.tcp_data_snd_check(sk)
    return 0


def tcp_rcv_state_process(sk: tcp_sock, skb: sk_buff) -> int:
    """A segment in any state but ESTABLISHED and TIME_WAIT; nonzero: answer it with RST."""
    th: tcphdr = skb.transport_header  # type: ignore[assignment]
    state = sk.skc_state
    if state == TCP_LISTEN:
        return _listen(sk, skb, th)
    if state == TCP_CLOSE:
        tcp_input_data.tcp_drop_reason(sk, skb, SKB_DROP_REASON_TCP_CLOSE)
        return 0
    tcp_mstamp_refresh(sk)
    sk.rx_opt.saw_tstamp = 0
    if state == TCP_SYN_SENT:
        return _syn_sent(sk, skb, th)
    req = sk.fastopen_rsk
    if req is not None:
        assert isinstance(req, tcp_request_sock)
        if tcp_minisocks.tcp_check_req(sk, skb, req, True, [False]) is None:
            tcp_input_data.tcp_drop_reason(sk, skb, SKB_DROP_REASON_TCP_FASTOPEN)
            return 0
    if not th._flags & (TCPHDR_ACK | TCPHDR_RST | TCPHDR_SYN):
        tcp_input_data.tcp_drop_reason(sk, skb, SKB_DROP_REASON_TCP_FLAGS)
        return 0
    if not tcp_input.tcp_validate_incoming(sk, skb, th, False):
        return 0
    good = tcp_ack(sk, skb, FLAG_SLOWPATH | FLAG_UPDATE_TS_RECENT | FLAG_NO_CHALLENGE_ACK)
    if good <= 0:
        if sk.skc_state == TCP_SYN_RECV:
            return 1
        if good < 0:
            tcp_send_challenge_ack(sk)
            tcp_input_data.tcp_drop_reason(sk, skb, SKB_DROP_REASON_NOT_SPECIFIED)
            return 0
    done = _closing(sk, skb, th, req)
    if done is not None:
        return done
    tcp_input.tcp_urg(sk, skb, th)
    queued_data = _queue_data(sk, skb)
    if queued_data:
        return 1
    if sk.skc_state != TCP_CLOSE:
        tcp_input_data.tcp_data_snd_check(sk)
        tcp_input.tcp_ack_snd_check(sk)
    if queued_data is None:
        tcp_input_data.tcp_drop_reason(sk, skb, SKB_DROP_REASON_NOT_SPECIFIED)
    return 0
