"""Taking a reduction of the window back (part of net/ipv4/tcp_input.c)."""


from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.tcp import TCP_SYN_SENT
from kshell.linux.include.linux.snmp import (
    LINUX_MIB_TCPDSACKUNDO,
    LINUX_MIB_TCPFULLUNDO,
    LINUX_MIB_TCPLOSSUNDO,
    LINUX_MIB_TCPPARTIALUNDO,
    LINUX_MIB_TCPSPURIOUSRTOS,
)
from kshell.linux.include.linux.tcp import TCP_RACK_RECOVERY_THRESH
from kshell.linux.include.net.tcp import (
    TCP_ECN_QUEUE_CWR,
    TCPCB_EVER_RETRANS,
    TCPCB_LOST,
    TCPCB_RETRANS,
    U32,
    TCP_CA_Loss,
    TCP_CA_Open,
    before,
)
from kshell.linux.net.ipv4.tcp_cong import tcp_set_ca_state
from kshell.linux.net.ipv4.tcp_input_sack import tcp_check_sack_reordering

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.linux.tcp import tcp_sock
from kshell.linux.net.ipv4 import tcp_input_loss


def tcp_tsopt_ecr_before(tp: tcp_sock, when: int) -> bool:
    """True when the ACK echoes a timestamp older than `when`."""
    rx_opt = tp.rx_opt
    return bool(rx_opt.saw_tstamp and rx_opt.rcv_tsecr) and before(rx_opt.rcv_tsecr, when)


def tcp_skb_spurious_retrans(tp: tcp_sock, skb: sk_buff) -> bool:
    """True when the original of a retransmitted packet was acknowledged."""
    return bool(skb.cb.sacked & TCPCB_RETRANS) and tcp_tsopt_ecr_before(  # type: ignore[attr-defined]
        tp, skb.tstamp // 1_000_000 & U32
    )


def tcp_packet_delayed(tp: tcp_sock) -> bool:
    """True when the retransmission was needless: the original was only late."""
    if tp.retrans_stamp:
        return tcp_tsopt_ecr_before(tp, tp.retrans_stamp)
    if not tp.rx_opt.sack_ok and not before(tp.snd_una, tp.high_seq):
        return False
    return tp.skc_state != TCP_SYN_SENT


def tcp_any_retrans_done(sk: tcp_sock) -> bool:
    """True when something in flight was sent more than once."""
    rtx = sk.tcp_rtx_queue
    return bool(sk.retrans_out) or bool(rtx and rtx[0].cb.sacked & TCPCB_EVER_RETRANS)  # type: ignore[attr-defined]


def tcp_undo_cwnd_reduction(sk: tcp_sock, unmark_loss: bool) -> None:
    """Give the window back that a false alarm took."""
    if unmark_loss:
        for skb in sk.tcp_rtx_queue:
            skb.cb.sacked &= ~TCPCB_LOST  # type: ignore[attr-defined]
        sk.lost_out = 0
        tcp_input_loss.tcp_clear_all_retrans_hints(sk)
    if sk.prior_ssthresh:
        sk.snd_cwnd = sk.icsk_ca_ops.undo_cwnd(sk)
        if sk.prior_ssthresh > sk.snd_ssthresh:
            sk.snd_ssthresh = sk.prior_ssthresh
            sk.ecn_flags &= ~TCP_ECN_QUEUE_CWR
    sk.snd_cwnd_stamp = sk.skc_net.kernel.jiffies & U32
    sk.undo_marker = 0
    sk.rack.advanced = 1


def tcp_may_undo(tp: tcp_sock) -> bool:
    """True when the last reduction proved needless."""
    return bool(tp.undo_marker) and (not tp.undo_retrans or tcp_packet_delayed(tp))


def tcp_is_non_sack_preventing_reopen(sk: tcp_sock) -> bool:
    """Without SACK, stay until something above high_seq is acknowledged."""
    if sk.snd_una == sk.high_seq and not sk.rx_opt.sack_ok:
        if not tcp_any_retrans_done(sk):
            sk.retrans_stamp = 0
        return True
    return False


def tcp_try_undo_recovery(sk: tcp_sock) -> bool:
    """All that was in flight is acknowledged: undo if it was needless, and open; True to stay as we are."""
    if tcp_may_undo(sk):
        tcp_undo_cwnd_reduction(sk, False)
        mib = LINUX_MIB_TCPLOSSUNDO if sk.icsk_ca_state == TCP_CA_Loss else LINUX_MIB_TCPFULLUNDO
        sk.skc_net.mib.net_statistics[mib] += 1
    elif sk.rack.reo_wnd_persist:
        sk.rack.reo_wnd_persist -= 1
    if tcp_is_non_sack_preventing_reopen(sk):
        return True
    tcp_set_ca_state(sk, TCP_CA_Open)
    sk.is_sack_reneg = 0
    return False


def tcp_try_undo_dsack(sk: tcp_sock) -> bool:
    """Every retransmission was reported as a duplicate: undo."""
    if sk.undo_marker and not sk.undo_retrans:
        sk.rack.reo_wnd_persist = min(TCP_RACK_RECOVERY_THRESH, sk.rack.reo_wnd_persist + 1)
        tcp_undo_cwnd_reduction(sk, False)
        sk.skc_net.mib.net_statistics[LINUX_MIB_TCPDSACKUNDO] += 1
        return True
    return False


def tcp_try_undo_loss(sk: tcp_sock, frto_undo: bool) -> bool:
    """The timeout was spurious: undo."""
    if not frto_undo and not tcp_may_undo(sk):
        return False
    tcp_undo_cwnd_reduction(sk, True)
    stats = sk.skc_net.mib.net_statistics
    stats[LINUX_MIB_TCPLOSSUNDO] += 1
    if frto_undo:
        stats[LINUX_MIB_TCPSPURIOUSRTOS] += 1
    sk.icsk_retransmits = 0
    if not tcp_is_non_sack_preventing_reopen(sk) and (frto_undo or sk.rx_opt.sack_ok):
        tcp_set_ca_state(sk, TCP_CA_Open)
        sk.is_sack_reneg = 0
    return True


def tcp_try_undo_partial(sk: tcp_sock, prior_snd_una: int) -> tuple[bool, bool]:
    """A partial ACK in recovery: (wait for more, mark losses)."""
    if sk.undo_marker and tcp_packet_delayed(sk):
        tcp_check_sack_reordering(sk, prior_snd_una, 1)
        if sk.retrans_out:
            return True, False
        if not tcp_any_retrans_done(sk):
            sk.retrans_stamp = 0
        tcp_undo_cwnd_reduction(sk, True)
        sk.skc_net.mib.net_statistics[LINUX_MIB_TCPPARTIALUNDO] += 1
        tcp_input_loss.tcp_try_keep_open(sk)
        return False, False
    return False, tcp_input_loss.tcp_force_fast_retransmit(sk)
