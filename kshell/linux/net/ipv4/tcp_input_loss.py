"""Loss recovery: states Open, Disorder, CWR, Recovery, Loss, and the way back (part of net/ipv4/tcp_input.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.tcp import TCP_CA_CWR
from kshell.linux.include.linux.snmp import (
    LINUX_MIB_TCPLOSSPROBERECOVERY,
    LINUX_MIB_TCPLOSTRETRANSMIT,
    LINUX_MIB_TCPRENORECOVERY,
    LINUX_MIB_TCPRENOREORDER,
    LINUX_MIB_TCPSACKRECOVERY,
    LINUX_MIB_TCPSACKRENEGING,
)
from kshell.linux.include.net.inet_connection_sock import ICSK_TIME_RETRANS
from kshell.linux.include.net.tcp import (
    CA_EVENT_LOSS,
    TCP_RACK_LOSS_DETECTION,
    TCP_RTO_MAX,
    TCPCB_LOST,
    TCPCB_SACKED_ACKED,
    TCPCB_SACKED_RETRANS,
    U32,
    TCP_CA_Disorder,
    TCP_CA_Loss,
    TCP_CA_Open,
    TCP_CA_Recovery,
    after,
    before,
    tcp_current_ssthresh,
    tcp_in_cwnd_reduction,
    tcp_packets_in_flight,
    tcp_skb_cb,
)
from kshell.linux.net.ipv4 import tcp_input_undo, tcp_output_retransmit
from kshell.linux.net.ipv4.inet_connection_sock import inet_csk_reset_xmit_timer
from kshell.linux.net.ipv4.tcp_cong import tcp_set_ca_state
from kshell.linux.net.ipv4.tcp_input_flags import (
    FLAG_DATA_SACKED,
    FLAG_DSACK_TLP,
    FLAG_ECE,
    FLAG_LOST_RETRANS,
    FLAG_NOT_DUP,
    FLAG_ORIG_SACK_ACKED,
    FLAG_SACK_RENEGING,
    FLAG_SET_XMIT_TIMER,
    FLAG_SND_UNA_ADVANCED,
)
from kshell.linux.net.ipv4.tcp_input_reduce import (
    _ca_event,
    tcp_ecn_queue_cwr,
    tcp_end_cwnd_reduction,
    tcp_enter_cwr,
    tcp_init_cwnd_reduction,
)
from kshell.linux.net.ipv4.tcp_input_sack import tcp_highest_sack_seq
from kshell.linux.net.ipv4.tcp_recovery import tcp_newreno_mark_lost, tcp_rack_mark_lost, tcp_rack_skb_timeout

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.linux.tcp import tcp_sock

REXMIT_NONE = 0
REXMIT_LOST = 1
REXMIT_NEW = 2


def tcp_mark_skb_lost(sk: tcp_sock, skb: sk_buff) -> None:
    """A sent packet is taken for lost."""
    cb: tcp_skb_cb = skb.cb  # type: ignore[assignment]
    sacked = cb.sacked
    if sacked & TCPCB_SACKED_ACKED:
        return
    hint = sk.retransmit_skb_hint
    if (hint is None and sk.retrans_out >= sk.lost_out) or (
        hint is not None and before(cb.seq, hint.cb.seq)  # type: ignore[attr-defined]
    ):
        sk.retransmit_skb_hint = skb
    pcount = cb.tcp_gso_segs
    if sacked & TCPCB_LOST:
        if sacked & TCPCB_SACKED_RETRANS:
            cb.sacked &= ~TCPCB_SACKED_RETRANS
            sk.retrans_out -= pcount
            sk.skc_net.mib.net_statistics[LINUX_MIB_TCPLOSTRETRANSMIT] += pcount
            sk.lost += pcount
    else:
        sk.lost_out += pcount
        cb.sacked |= TCPCB_LOST
        sk.lost += pcount


def tcp_clear_all_retrans_hints(tp: tcp_sock) -> None:
    """Forget where retransmission stood."""
    if tp.lost_skb_hint is not None:
        tp.lost_skb_hint = None
    if tp.retransmit_skb_hint is not None:
        tp.retransmit_skb_hint = None


def tcp_limit_reno_sacked(tp: tcp_sock) -> bool:
    """Without SACK, never believe more segments received than can be."""
    holes = min(max(tp.lost_out, 1), tp.packets_out)
    if tp.sacked_out + holes > tp.packets_out:
        tp.sacked_out = tp.packets_out - holes
        return True
    return False


def tcp_check_reno_reordering(sk: tcp_sock, addend: int) -> None:
    """More duplicate ACKs than segments: the network reorders."""
    if tcp_limit_reno_sacked(sk):
        net = sk.skc_net
        sk.reordering = min(sk.packets_out + addend, net.ipv4.sysctl_tcp_max_reordering)
        sk.reord_seen += 1
        net.mib.net_statistics[LINUX_MIB_TCPRENOREORDER] += 1


def tcp_add_reno_sack(sk: tcp_sock, num_dupack: int, ece_ack: bool) -> None:
    """A duplicate ACK without SACK: some segment was received."""
    if num_dupack:
        prior_sacked = sk.sacked_out
        sk.sacked_out += num_dupack
        tcp_check_reno_reordering(sk, 0)
        tcp_count_delivered(sk, max(sk.sacked_out - prior_sacked, 0), ece_ack)


def tcp_remove_reno_sacks(sk: tcp_sock, acked: int, ece_ack: bool) -> None:
    """`acked` segments left the queue: one filled the hole, the others had been counted."""
    if acked > 0:
        tcp_count_delivered(sk, max(acked - sk.sacked_out, 1), ece_ack)
        sk.sacked_out = max(sk.sacked_out - (acked - 1), 0)
    tcp_check_reno_reordering(sk, acked)


def tcp_count_delivered(tp: tcp_sock, delivered: int, ece_ack: bool) -> None:
    """Count segments that reached the peer."""
    tp.delivered += delivered
    if ece_ack:
        tp.delivered_ce += delivered


def tcp_clear_retrans(tp: tcp_sock) -> None:
    """Nothing is lost or sent again."""
    tp.retrans_out = 0
    tp.lost_out = 0
    tp.undo_marker = 0
    tp.undo_retrans = -1
    tp.sacked_out = 0


def tcp_init_undo(tp: tcp_sock) -> None:
    """Note what must come true for a reduction to be undone."""
    tp.undo_marker = tp.snd_una
    tp.undo_retrans = tp.retrans_out + (1 if tp.tlp_high_seq and tp.tlp_retrans else 0) or -1


def tcp_is_rack(sk: tcp_sock) -> bool:
    """True when RACK detects losses, not three duplicate ACKs."""
    return bool(sk.skc_net.ipv4.sysctl_tcp_recovery & TCP_RACK_LOSS_DETECTION)


def tcp_timeout_mark_lost(sk: tcp_sock) -> None:
    """The RTO expired: what was sent long enough ago is lost."""
    rtx = sk.tcp_rtx_queue
    head = rtx[0] if rtx else None
    is_reneg = head is not None and bool(head.cb.sacked & TCPCB_SACKED_ACKED)  # type: ignore[attr-defined]
    if is_reneg:
        sk.skc_net.mib.net_statistics[LINUX_MIB_TCPSACKRENEGING] += 1
        sk.sacked_out = 0
        sk.is_sack_reneg = 1
    elif not sk.rx_opt.sack_ok:
        sk.sacked_out = 0
    rack = tcp_is_rack(sk)
    for skb in rtx:
        if is_reneg:
            skb.cb.sacked &= ~TCPCB_SACKED_ACKED  # type: ignore[attr-defined]
        elif rack and skb is not head and tcp_rack_skb_timeout(sk, skb, 0) > 0:
            continue
        tcp_mark_skb_lost(sk, skb)
    tcp_clear_all_retrans_hints(sk)


def tcp_enter_loss(sk: tcp_sock) -> None:
    """The RTO expired: begin again with a window of one segment."""
    net = sk.skc_net
    new_recovery = sk.icsk_ca_state < TCP_CA_Recovery
    tcp_timeout_mark_lost(sk)
    if (
        sk.icsk_ca_state <= TCP_CA_Disorder
        or not after(sk.high_seq, sk.snd_una)
        or (sk.icsk_ca_state == TCP_CA_Loss and not sk.icsk_retransmits)
    ):
        sk.prior_ssthresh = tcp_current_ssthresh(sk)
        sk.prior_cwnd = sk.snd_cwnd
        sk.snd_ssthresh = sk.icsk_ca_ops.ssthresh(sk)
        _ca_event(sk, CA_EVENT_LOSS)
        tcp_init_undo(sk)
    sk.snd_cwnd = tcp_packets_in_flight(sk) + 1
    sk.snd_cwnd_cnt = 0
    sk.snd_cwnd_stamp = net.kernel.jiffies & U32
    reordering = net.ipv4.sysctl_tcp_reordering
    if sk.icsk_ca_state <= TCP_CA_Disorder and sk.sacked_out >= reordering:
        sk.reordering = min(sk.reordering, reordering)
    tcp_set_ca_state(sk, TCP_CA_Loss)
    sk.high_seq = sk.snd_nxt
    sk.tlp_high_seq = 0
    tcp_ecn_queue_cwr(sk)
    sk.frto = int(
        bool(net.ipv4.sysctl_tcp_frto)
        and (new_recovery or bool(sk.icsk_retransmits))
        and not sk.icsk_mtup.probe_size
    )


def tcp_check_sack_reneging(sk: tcp_sock, flag: int) -> int | None:
    """The peer took a SACK back: the flags for a quick RTO, None when it did not."""
    if flag & FLAG_SACK_RENEGING and flag & FLAG_SND_UNA_ADVANCED:
        delay = max(((sk.srtt_us >> 4) + 3999) // 4000, 3)
        inet_csk_reset_xmit_timer(sk, ICSK_TIME_RETRANS, delay, TCP_RTO_MAX)
        return flag & ~FLAG_SET_XMIT_TIMER
    return None


def tcp_time_to_recover(sk: tcp_sock) -> bool:
    """True when something is known to be lost."""
    return bool(sk.lost_out) or (not tcp_is_rack(sk) and sk.sacked_out + 1 > sk.reordering)


def tcp_mark_head_lost(sk: tcp_sock, packets: int, mark_head: bool) -> None:
    """Without RACK: mark what lies below the `packets` highest SACKed segments."""
    cnt = 0
    for skb in sk.tcp_rtx_queue:
        cb: tcp_skb_cb = skb.cb  # type: ignore[assignment]
        if after(cb.end_seq, sk.snd_nxt):
            break
        if cb.sacked & TCPCB_SACKED_ACKED:
            cnt += cb.tcp_gso_segs
        if cnt > packets:
            break
        if not cb.sacked & TCPCB_LOST:
            tcp_mark_skb_lost(sk, skb)
        if mark_head:
            break


def tcp_update_scoreboard(sk: tcp_sock, fast_rexmit: bool) -> None:
    """Without RACK: mark what is lost."""
    if sk.rx_opt.sack_ok:
        sacked_upto = sk.sacked_out - sk.reordering
        if sacked_upto >= 0:
            tcp_mark_head_lost(sk, sacked_upto, False)
        elif fast_rexmit:
            tcp_mark_head_lost(sk, 1, True)


def tcp_try_keep_open(sk: tcp_sock) -> None:
    """Open, or Disorder while something is SACKed, lost or was sent again."""
    state = TCP_CA_Disorder if sk.sacked_out + sk.lost_out or tcp_input_undo.tcp_any_retrans_done(sk) else TCP_CA_Open
    if sk.icsk_ca_state != state:
        tcp_set_ca_state(sk, state)
        sk.high_seq = sk.snd_nxt


def tcp_try_to_open(sk: tcp_sock, flag: int) -> None:
    """No loss is known."""
    if not tcp_input_undo.tcp_any_retrans_done(sk):
        sk.retrans_stamp = 0
    if flag & FLAG_ECE:
        tcp_enter_cwr(sk)
    if sk.icsk_ca_state != TCP_CA_CWR:
        tcp_try_keep_open(sk)


def tcp_non_congestion_loss_retransmit(sk: tcp_sock) -> None:
    """Send again without a smaller window."""
    if sk.icsk_ca_state != TCP_CA_Loss:
        sk.high_seq = sk.snd_nxt
        sk.snd_ssthresh = tcp_current_ssthresh(sk)
        sk.prior_ssthresh = 0
        sk.undo_marker = 0
        tcp_set_ca_state(sk, TCP_CA_Loss)
    tcp_output_retransmit.tcp_xmit_retransmit_queue(sk)


def tcp_enter_recovery(sk: tcp_sock, ece_ack: bool) -> None:
    """Begin fast recovery."""
    if not tcp_input_undo.tcp_any_retrans_done(sk):
        sk.retrans_stamp = 0
    mib = LINUX_MIB_TCPSACKRECOVERY if sk.rx_opt.sack_ok else LINUX_MIB_TCPRENORECOVERY
    sk.skc_net.mib.net_statistics[mib] += 1
    sk.prior_ssthresh = 0
    tcp_init_undo(sk)
    if not tcp_in_cwnd_reduction(sk):
        if not ece_ack:
            sk.prior_ssthresh = tcp_current_ssthresh(sk)
        tcp_init_cwnd_reduction(sk)
    tcp_set_ca_state(sk, TCP_CA_Recovery)


def tcp_process_loss(sk: tcp_sock, flag: int, num_dupack: int) -> int:
    """An ACK in state Loss: find out whether the timeout was spurious (F-RTO); REXMIT_*."""
    recovered = not before(sk.snd_una, sk.high_seq)
    if (flag & FLAG_SND_UNA_ADVANCED or sk.fastopen_rsk is not None) and tcp_input_undo.tcp_try_undo_loss(sk, False):
        return REXMIT_NONE
    if sk.frto:
        if flag & FLAG_ORIG_SACK_ACKED and tcp_input_undo.tcp_try_undo_loss(sk, True):
            return REXMIT_NONE
        if after(sk.snd_nxt, sk.high_seq):
            if flag & FLAG_DATA_SACKED or num_dupack:
                sk.frto = 0
        elif flag & FLAG_SND_UNA_ADVANCED and not recovered:
            sk.high_seq = sk.snd_nxt
            if sk.write_seq != sk.snd_nxt and after(sk.snd_una + sk.snd_wnd, sk.snd_nxt):
                return REXMIT_NEW
            sk.frto = 0
    if recovered:
        tcp_input_undo.tcp_try_undo_recovery(sk)
        return REXMIT_NONE
    if not sk.rx_opt.sack_ok:
        if after(sk.snd_nxt, sk.high_seq) and num_dupack:
            tcp_add_reno_sack(sk, num_dupack, bool(flag & FLAG_ECE))
        elif flag & FLAG_SND_UNA_ADVANCED:
            sk.sacked_out = 0
    return REXMIT_LOST


def tcp_force_fast_retransmit(sk: tcp_sock) -> bool:
    """True when SACKs reach further than reordering explains."""
    return after(tcp_highest_sack_seq(sk), sk.snd_una + sk.reordering * sk.mss_cache)


def tcp_identify_packet_loss(sk: tcp_sock, flag: int) -> int:
    """Mark what the ACK shows to be lost; the flags, changed accordingly."""
    if not sk.tcp_rtx_queue:
        return flag
    if not sk.rx_opt.sack_ok:
        tcp_newreno_mark_lost(sk, bool(flag & FLAG_SND_UNA_ADVANCED))
    elif tcp_is_rack(sk):
        prior_retrans = sk.retrans_out
        if tcp_rack_mark_lost(sk):
            flag &= ~FLAG_SET_XMIT_TIMER
        if prior_retrans > sk.retrans_out:
            flag |= FLAG_LOST_RETRANS
    return flag


def tcp_fastretrans_alert(sk: tcp_sock, prior_snd_una: int, num_dupack: int, flag: int) -> tuple[int, int]:
    """The state machine of recovery, for a dubious ACK: (flags, REXMIT_*)."""
    ece_ack = bool(flag & FLAG_ECE)
    do_lost = bool(num_dupack) or bool(flag & FLAG_DATA_SACKED and tcp_force_fast_retransmit(sk))
    if not sk.packets_out and sk.sacked_out:
        sk.sacked_out = 0
    if ece_ack:
        sk.prior_ssthresh = 0
    reneged = tcp_check_sack_reneging(sk, flag)
    if reneged is not None:
        return reneged, REXMIT_NONE
    if sk.icsk_ca_state == TCP_CA_Open:
        sk.retrans_stamp = 0
    elif not before(sk.snd_una, sk.high_seq):
        if sk.icsk_ca_state == TCP_CA_CWR:
            if sk.snd_una != sk.high_seq:
                tcp_end_cwnd_reduction(sk)
                tcp_set_ca_state(sk, TCP_CA_Open)
        elif sk.icsk_ca_state == TCP_CA_Recovery:
            if not sk.rx_opt.sack_ok:
                sk.sacked_out = 0
            if tcp_input_undo.tcp_try_undo_recovery(sk):
                return flag, REXMIT_NONE
            tcp_end_cwnd_reduction(sk)
    return _fastretrans_state(sk, prior_snd_una, num_dupack, flag, do_lost)


def _fastretrans_state(
    sk: tcp_sock, prior_snd_una: int, num_dupack: int, flag: int, do_lost: bool
) -> tuple[int, int]:
    ece_ack = bool(flag & FLAG_ECE)
    rexmit = REXMIT_NONE
    fast_rexmit = False
    if sk.icsk_ca_state == TCP_CA_Recovery:
        if not flag & FLAG_SND_UNA_ADVANCED:
            if not sk.rx_opt.sack_ok:
                tcp_add_reno_sack(sk, num_dupack, ece_ack)
        else:
            wait, do_lost = tcp_input_undo.tcp_try_undo_partial(sk, prior_snd_una)
            if wait:
                return flag, rexmit
        if tcp_input_undo.tcp_try_undo_dsack(sk):
            tcp_try_to_open(sk, flag)
        flag = tcp_identify_packet_loss(sk, flag)
        if sk.icsk_ca_state != TCP_CA_Recovery:
            if not tcp_time_to_recover(sk):
                return flag, rexmit
            tcp_enter_recovery(sk, ece_ack)
    else:
        if sk.icsk_ca_state == TCP_CA_Loss:
            rexmit = tcp_process_loss(sk, flag, num_dupack)
            flag = tcp_identify_packet_loss(sk, flag)
            if sk.icsk_ca_state != TCP_CA_Open and not flag & FLAG_LOST_RETRANS:
                return flag, rexmit
        if not sk.rx_opt.sack_ok:
            if flag & FLAG_SND_UNA_ADVANCED:
                sk.sacked_out = 0
            tcp_add_reno_sack(sk, num_dupack, ece_ack)
        if sk.icsk_ca_state <= TCP_CA_Disorder:
            tcp_input_undo.tcp_try_undo_dsack(sk)
        flag = tcp_identify_packet_loss(sk, flag)
        if not tcp_time_to_recover(sk):
            tcp_try_to_open(sk, flag)
            return flag, rexmit
        tcp_enter_recovery(sk, ece_ack)
        fast_rexmit = True
    if not tcp_is_rack(sk) and do_lost:
        tcp_update_scoreboard(sk, fast_rexmit)
    return flag, REXMIT_LOST


def tcp_process_tlp_ack(sk: tcp_sock, ack: int, flag: int) -> None:
    """An ACK beyond a loss probe: was the probe needed?"""
    if before(ack, sk.tlp_high_seq):
        return
    if not sk.tlp_retrans or flag & FLAG_DSACK_TLP:
        sk.tlp_high_seq = 0
    elif after(ack, sk.tlp_high_seq):
        tcp_init_cwnd_reduction(sk)
        tcp_set_ca_state(sk, TCP_CA_CWR)
        tcp_end_cwnd_reduction(sk)
        tcp_try_keep_open(sk)
        sk.skc_net.mib.net_statistics[LINUX_MIB_TCPLOSSPROBERECOVERY] += 1
    elif not flag & (FLAG_SND_UNA_ADVANCED | FLAG_NOT_DUP | FLAG_DATA_SACKED):
        sk.tlp_high_seq = 0
