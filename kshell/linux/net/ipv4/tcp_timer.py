"""net/ipv4/tcp_timer.c: retransmission, probes, delayed ACKs, keepalive."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from kshell.abi.tcp import (
    TCP_ESTABLISHED,
    TCP_FIN_WAIT2,
    TCP_LISTEN,
    TCPF_CLOSE,
    TCPF_LISTEN,
    TCPF_SYN_RECV,
    TCPF_SYN_SENT,
)
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.hrtimer import hrtimer
from kshell.linux.include.linux.jiffies import HZ, msecs_to_jiffies
from kshell.linux.include.linux.snmp import (
    LINUX_MIB_DELAYEDACKLOCKED,
    LINUX_MIB_DELAYEDACKS,
    LINUX_MIB_TCPKEEPALIVE,
    LINUX_MIB_TCPLOSSFAILURES,
    LINUX_MIB_TCPRENOFAILURES,
    LINUX_MIB_TCPRENORECOVERYFAIL,
    LINUX_MIB_TCPSACKFAILURES,
    LINUX_MIB_TCPSACKRECOVERYFAIL,
    LINUX_MIB_TCPTIMEOUTS,
)
from kshell.linux.include.linux.tcp import TCP_DELACK_TIMER_DEFERRED, TCP_WRITE_TIMER_DEFERRED, tcp_sock
from kshell.linux.include.net.inet_connection_sock import (
    ICSK_ACK_SCHED,
    ICSK_ACK_TIMER,
    ICSK_TIME_LOSS_PROBE,
    ICSK_TIME_PROBE0,
    ICSK_TIME_REO_TIMEOUT,
    ICSK_TIME_RETRANS,
    TCP_PINGPONG_THRESH,
    inet_csk_rto_backoff,
)
from kshell.linux.include.net.sock import SOCK_DEAD, SOCK_KEEPOPEN
from kshell.linux.include.net.sock_dst import __sk_dst_reset
from kshell.linux.include.net.tcp import (
    TCP_ATO_MIN,
    TCP_RESOURCE_PROBE_INTERVAL,
    TCP_RTO_MAX,
    TCP_TIMEWAIT_LEN,
    U32,
    TCP_CA_Disorder,
    TCP_CA_Loss,
    TCP_CA_Recovery,
    _s32,
    tcp_stream_is_thin,
)
from kshell.linux.include.net.tcp_times import (
    keepalive_intvl_when,
    keepalive_probes,
    keepalive_time_elapsed,
    keepalive_time_when,
    tcp_fin_time,
)
from kshell.linux.kernel.time.timer import timer_list
from kshell.linux.net.core.sock import sk_reset_timer, sock_put
from kshell.linux.net.ipv4 import (
    tcp_close,
    tcp_input_loss,
    tcp_input_ofo,
    tcp_input_rtt,
    tcp_minisocks_timewait,
    tcp_output_ack,
    tcp_output_retransmit,
    tcp_output_xmit,
    tcp_recovery,
    tcp_timer_giveup,
)
from kshell.linux.net.ipv4.inet_connection_sock import (
    inet_csk_delete_keepalive_timer,
    inet_csk_init_xmit_timers,
    inet_csk_reset_keepalive_timer,
    inet_csk_reset_xmit_timer,
)
from kshell.linux.net.ipv4.inet_connection_sock_req import inet_rtx_syn_ack

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.linux.tcp import tcp_request_sock
    from kshell.linux.include.net.request_sock import request_sock

TCP_THIN_LINEAR_RETRIES = 6
_DONE = TCPF_CLOSE | TCPF_LISTEN


def tcp_delack_timer_handler(sk: tcp_sock) -> None:
    """Send the ACK that was put off."""
    if _DONE >> sk.skc_state & 1:
        return
    if sk.compressed_ack:
        tcp_output_xmit.tcp_mstamp_refresh(sk)
        tcp_input_ofo.tcp_sack_compress_send_ack(sk)
        return
    ack = sk.icsk_ack
    if not ack.pending & ICSK_ACK_TIMER:
        return
    if ack.timeout > sk.skc_net.kernel.jiffies:
        sk_reset_timer(sk, sk.icsk_delack_timer, ack.timeout)
        return
    ack.pending &= ~ICSK_ACK_TIMER
    if ack.pending & ICSK_ACK_SCHED:
        if ack.pingpong < TCP_PINGPONG_THRESH:
            ack.ato = min(ack.ato << 1, sk.icsk_rto)
        else:
            ack.pingpong = 0
            ack.ato = TCP_ATO_MIN
        tcp_output_xmit.tcp_mstamp_refresh(sk)
        tcp_output_ack.tcp_send_ack(sk)
        sk.skc_net.mib.net_statistics[LINUX_MIB_DELAYEDACKS] += 1


def tcp_delack_timer(t: timer_list) -> None:
    """The delayed ACK timer went off."""
    sk: tcp_sock = t._owner  # type: ignore[assignment]
    if not sk.sk_lock:
        tcp_delack_timer_handler(sk)
    else:
        sk.skc_net.mib.net_statistics[LINUX_MIB_DELAYEDACKLOCKED] += 1
        if not sk.sk_tsq_flags >> TCP_DELACK_TIMER_DEFERRED & 1:
            sk.sk_tsq_flags |= 1 << TCP_DELACK_TIMER_DEFERRED
            sk.skc_refcnt += 1
    sock_put(sk)


def tcp_probe_timer(sk: tcp_sock) -> None:
    """The peer's window is closed: probe it, or give up."""
    if sk.packets_out or sk.sk_write_queue.next is None:
        sk.icsk_probes_out = 0
        sk.icsk_probes_tstamp = 0
        return
    now = sk.skc_net.kernel.jiffies & U32
    if not sk.icsk_probes_tstamp:
        sk.icsk_probes_tstamp = now
    elif sk.icsk_user_timeout and _s32(now - sk.icsk_probes_tstamp) >= msecs_to_jiffies(sk.icsk_user_timeout):
        tcp_timer_giveup.tcp_write_err(sk)
        return
    max_probes = sk.skc_net.ipv4.sysctl_tcp_retries2
    if sk.skc_flags >> SOCK_DEAD & 1:
        alive = inet_csk_rto_backoff(sk, TCP_RTO_MAX) < TCP_RTO_MAX
        max_probes = tcp_timer_giveup.tcp_orphan_retries(sk, alive)
        if not alive and sk.icsk_backoff >= max_probes:
            tcp_timer_giveup.tcp_write_err(sk)
            return
        if tcp_timer_giveup.tcp_out_of_resources(sk, True):
            return
    if sk.icsk_probes_out >= max_probes:
        tcp_timer_giveup.tcp_write_err(sk)
    else:
        tcp_output_ack.tcp_send_probe0(sk)


def tcp_fastopen_synack_timer(sk: tcp_sock, req: tcp_request_sock) -> None:
    """Send the SYN-ACK of a Fast Open connection again."""
    req.rsk_ops.syn_ack_timeout(req)
    max_retries = sk.icsk_syn_retries or sk.skc_net.ipv4.sysctl_tcp_synack_retries + 1
    if req.num_timeout >= max_retries:
        tcp_timer_giveup.tcp_write_err(sk)
        return
    if sk.icsk_retransmits == 1:
        tcp_input_loss.tcp_enter_loss(sk)
    inet_rtx_syn_ack(sk, req)
    req.num_timeout += 1
    sk.icsk_retransmits += 1
    if not sk.retrans_stamp:
        sk.retrans_stamp = tcp_timer_giveup._tcp_time_stamp(sk)
    inet_csk_reset_xmit_timer(sk, ICSK_TIME_RETRANS, req.timeout << req.num_timeout, TCP_RTO_MAX)


def tcp_rtx_probe0_timed_out(sk: tcp_sock, skb: sk_buff) -> bool:
    """True when a peer that took its window back is to be given up."""
    timeout = TCP_RTO_MAX * 2
    stamp = sk.retrans_stamp or skb.tstamp // 1000000 & U32
    rtx_delta = msecs_to_jiffies(tcp_timer_giveup._tcp_time_stamp(sk) - stamp & U32)
    user_timeout = sk.icsk_user_timeout
    if user_timeout:
        if rtx_delta > user_timeout:
            return True
        timeout = min(timeout, msecs_to_jiffies(user_timeout))
    if _s32(sk.icsk_timeout - sk.rcv_tstamp) <= timeout:
        return False
    return rtx_delta > timeout


def _count_timeout(sk: tcp_sock) -> None:
    mib = 0
    is_sack = sk.rx_opt.sack_ok
    state = sk.icsk_ca_state
    if state == TCP_CA_Recovery:
        mib = LINUX_MIB_TCPSACKRECOVERYFAIL if is_sack else LINUX_MIB_TCPRENORECOVERYFAIL
    elif state == TCP_CA_Loss:
        mib = LINUX_MIB_TCPLOSSFAILURES
    elif state == TCP_CA_Disorder or sk.sacked_out:
        mib = LINUX_MIB_TCPSACKFAILURES if is_sack else LINUX_MIB_TCPRENOFAILURES
    if mib:
        sk.skc_net.mib.net_statistics[mib] += 1


def tcp_retransmit_timer(sk: tcp_sock) -> None:
    """The retransmission timer went off: send the first unacknowledged packet again, twice as patient."""
    req = sk.fastopen_rsk
    if req is not None:
        tcp_fastopen_synack_timer(sk, req)  # type: ignore[arg-type]
        return
    if not sk.packets_out:
        return
    skb = sk.tcp_rtx_queue[0]
    if (
        not sk.snd_wnd
        and not sk.skc_flags >> SOCK_DEAD & 1
        and not (TCPF_SYN_SENT | TCPF_SYN_RECV) >> sk.skc_state & 1
    ):
        if tcp_rtx_probe0_timed_out(sk, skb):
            tcp_timer_giveup.tcp_write_err(sk)
            return
        tcp_input_loss.tcp_enter_loss(sk)
        tcp_output_retransmit.tcp_retransmit_skb(sk, skb, 1)
        __sk_dst_reset(sk)
        _restart_retransmit_timer(sk)
        return
    sk.skc_net.mib.net_statistics[LINUX_MIB_TCPTIMEOUTS] += 1
    if tcp_timer_giveup.tcp_write_timeout(sk):
        return
    if sk.icsk_retransmits == 0:
        _count_timeout(sk)
    tcp_input_loss.tcp_enter_loss(sk)
    sk.icsk_retransmits += 1
    if tcp_output_retransmit.tcp_retransmit_skb(sk, sk.tcp_rtx_queue[0], 1) > 0:
        inet_csk_reset_xmit_timer(sk, ICSK_TIME_RETRANS, TCP_RESOURCE_PROBE_INTERVAL, TCP_RTO_MAX)
        return
    sk.icsk_backoff += 1
    _restart_retransmit_timer(sk)


def _restart_retransmit_timer(sk: tcp_sock) -> None:
    ipv4 = sk.skc_net.ipv4
    if (
        sk.skc_state == TCP_ESTABLISHED
        and (sk.thin_lto or ipv4.sysctl_tcp_thin_linear_timeouts)
        and tcp_stream_is_thin(sk)
        and sk.icsk_retransmits <= TCP_THIN_LINEAR_RETRIES
    ):
        sk.icsk_backoff = 0
        tcp_input_rtt.tcp_set_rto(sk)
        sk.icsk_rto = min(max(sk.icsk_rto, sk.icsk_rto_min), TCP_RTO_MAX)
    else:
        sk.icsk_rto = min(sk.icsk_rto << 1, TCP_RTO_MAX)
    inet_csk_reset_xmit_timer(sk, ICSK_TIME_RETRANS, tcp_timer_giveup.tcp_clamp_rto_to_user_timeout(sk), TCP_RTO_MAX)
    if tcp_timer_giveup.retransmits_timed_out(sk, ipv4.sysctl_tcp_retries1 + 1, 0):
        __sk_dst_reset(sk)


def tcp_write_timer_handler(sk: tcp_sock) -> None:
    """Do what the retransmission timer was armed for."""
    event = sk.icsk_pending
    if _DONE >> sk.skc_state & 1 or not event:
        return
    if sk.icsk_timeout > sk.skc_net.kernel.jiffies:
        sk_reset_timer(sk, sk.icsk_retransmit_timer, sk.icsk_timeout)
        return
    tcp_output_xmit.tcp_mstamp_refresh(sk)
    if event == ICSK_TIME_REO_TIMEOUT:
        tcp_recovery.tcp_rack_reo_timeout(sk)
    elif event == ICSK_TIME_LOSS_PROBE:
        tcp_output_retransmit.tcp_send_loss_probe(sk)
    elif event == ICSK_TIME_RETRANS:
        sk.icsk_pending = 0
        tcp_retransmit_timer(sk)
    elif event == ICSK_TIME_PROBE0:
        sk.icsk_pending = 0
        tcp_probe_timer(sk)


def tcp_write_timer(t: timer_list) -> None:
    """The retransmission timer went off."""
    sk: tcp_sock = t._owner  # type: ignore[assignment]
    if not sk.sk_lock:
        tcp_write_timer_handler(sk)
    elif not sk.sk_tsq_flags >> TCP_WRITE_TIMER_DEFERRED & 1:
        sk.sk_tsq_flags |= 1 << TCP_WRITE_TIMER_DEFERRED
        sk.skc_refcnt += 1
    sock_put(sk)


def tcp_syn_ack_timeout(req: request_sock) -> None:
    """Count a SYN-ACK that was not answered."""
    req.skc_net.mib.net_statistics[LINUX_MIB_TCPTIMEOUTS] += 1


def tcp_set_keepalive(sk: tcp_sock, val: int) -> None:
    """SO_KEEPALIVE: start or stop the timer."""
    if _DONE >> sk.skc_state & 1:
        return
    if val and not sk.skc_flags >> SOCK_KEEPOPEN & 1:
        inet_csk_reset_keepalive_timer(sk, keepalive_time_when(sk))
    elif not val:
        inet_csk_delete_keepalive_timer(sk)


def _keepalive(sk: tcp_sock) -> int | None:
    """Probe an idle peer; jiffies until the next look, None if there is none."""
    if not sk.skc_flags >> SOCK_KEEPOPEN & 1 or (TCPF_CLOSE | TCPF_SYN_SENT) >> sk.skc_state & 1:
        return None
    when = keepalive_time_when(sk)
    if sk.packets_out or sk.sk_write_queue.next is not None:
        return when
    elapsed = keepalive_time_elapsed(sk)
    if elapsed < when:
        return when - elapsed
    user_timeout = sk.icsk_user_timeout
    if (user_timeout and elapsed >= msecs_to_jiffies(user_timeout) and sk.icsk_probes_out > 0) or (
        not user_timeout and sk.icsk_probes_out >= keepalive_probes(sk)
    ):
        tcp_output_ack.tcp_send_active_reset(sk)
        tcp_timer_giveup.tcp_write_err(sk)
        return None
    with suppress(KernelError):
        tcp_output_ack.tcp_write_wakeup(sk, LINUX_MIB_TCPKEEPALIVE)
    sk.icsk_probes_out += 1
    return keepalive_intvl_when(sk)


def tcp_keepalive_timer(t: timer_list) -> None:
    """The keepalive timer went off; it also ends FIN_WAIT2."""
    sk: tcp_sock = t._owner  # type: ignore[assignment]
    if sk.sk_lock:
        inet_csk_reset_keepalive_timer(sk, HZ // 20)
    elif sk.skc_state != TCP_LISTEN:
        tcp_output_xmit.tcp_mstamp_refresh(sk)
        if sk.skc_state == TCP_FIN_WAIT2 and sk.skc_flags >> SOCK_DEAD & 1:
            _end_fin_wait2(sk)
        else:
            again = _keepalive(sk)
            if again is not None:
                inet_csk_reset_keepalive_timer(sk, again)
    sock_put(sk)


def _end_fin_wait2(sk: tcp_sock) -> None:
    if sk.linger2 >= 0:
        tmo = tcp_fin_time(sk) - TCP_TIMEWAIT_LEN
        if tmo > 0:
            tcp_minisocks_timewait.tcp_time_wait(sk, TCP_FIN_WAIT2, tmo)
            return
    tcp_output_ack.tcp_send_active_reset(sk)
    tcp_close.tcp_done(sk)


def tcp_compressed_ack_kick(timer: hrtimer) -> int:
    """ACKs of data out of order were put off: send one."""
    sk: tcp_sock = timer._owner  # type: ignore[assignment]
    if not sk.sk_lock:
        if sk.compressed_ack:
            sk.compressed_ack -= 1
            tcp_output_ack.tcp_send_ack(sk)
    elif not sk.sk_tsq_flags >> TCP_DELACK_TIMER_DEFERRED & 1:
        sk.sk_tsq_flags |= 1 << TCP_DELACK_TIMER_DEFERRED
        sk.skc_refcnt += 1
    sock_put(sk)
    return 0


_IDLE_WRITE_TIMER = timer_list(tcp_write_timer)
_IDLE_DELACK_TIMER = timer_list(tcp_delack_timer)
_IDLE_KEEPALIVE_TIMER = timer_list(tcp_keepalive_timer)


def tcp_init_xmit_timers(sk: tcp_sock) -> None:
    """Set the timers up; those that need hrtimers come up when first armed."""
    inet_csk_init_xmit_timers(sk, _IDLE_WRITE_TIMER, _IDLE_DELACK_TIMER, _IDLE_KEEPALIVE_TIMER)
