"""SACK blocks on the sender's side (part of net/ipv4/tcp_input.c)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from kshell.abi.errno import EINVAL
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.snmp import (
    LINUX_MIB_TCPDSACKIGNOREDDUBIOUS,
    LINUX_MIB_TCPDSACKIGNOREDNOUNDO,
    LINUX_MIB_TCPDSACKIGNOREDOLD,
    LINUX_MIB_TCPDSACKOFORECV,
    LINUX_MIB_TCPDSACKRECV,
    LINUX_MIB_TCPDSACKRECVSEGS,
    LINUX_MIB_TCPSACKDISCARD,
    LINUX_MIB_TCPSACKREORDER,
    LINUX_MIB_TCPTSREORDER,
)
from kshell.linux.include.linux.tcp import TCP_DSACK_SEEN, TCP_NUM_SACKS, tcp_sack_block
from kshell.linux.include.linux.tcp_header import tcphdr
from kshell.linux.include.net.tcp import (
    TCP_FRAG_IN_RTX_QUEUE,
    TCPCB_LOST,
    TCPCB_RETRANS,
    TCPCB_SACKED_ACKED,
    TCPCB_SACKED_RETRANS,
    U32,
    TCP_CA_Loss,
    after,
    before,
    rate_sample,
    tcp_skb_cb,
)
from kshell.linux.net.ipv4 import tcp_output_segs
from kshell.linux.net.ipv4.tcp_input_flags import (
    FLAG_DATA_SACKED,
    FLAG_DSACK_TLP,
    FLAG_DSACKING_ACK,
    FLAG_ORIG_SACK_ACKED,
)
from kshell.linux.net.ipv4.tcp_rate import tcp_rate_skb_delivered
from kshell.linux.net.ipv4.tcp_recovery import tcp_rack_advance

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.linux.tcp import tcp_sock


class tcp_sacktag_state:
    """What the processing of one ACK's SACK blocks found."""

    __slots__ = ("first_sackt", "flag", "last_sackt", "rate", "reord", "sack_delivered")

    def __init__(self) -> None:
        self.first_sackt = 0
        self.last_sackt = 0
        self.reord = 0
        self.sack_delivered = 0
        self.flag = 0
        self.rate = rate_sample()


def tcp_highest_sack_seq(tp: tcp_sock) -> int:
    """Where the highest SACKed packet begins."""
    if not tp.sacked_out:
        return tp.snd_una
    if tp.highest_sack is None:
        return tp.snd_nxt
    seq: int = tp.highest_sack.cb.seq  # type: ignore[attr-defined]
    return seq


def tcp_dsack_seen(tp: tcp_sock, start_seq: int, end_seq: int, state: tcp_sacktag_state) -> int:
    """Count a duplicate that the peer reports; the segments it stands for, 0 when it is dubious."""
    if not before(start_seq, end_seq):
        return 0
    seq_len = end_seq - start_seq & U32
    if seq_len > tp.max_window:
        return 0
    dup_segs = 1
    if seq_len > tp.mss_cache:
        dup_segs = -(-seq_len // tp.mss_cache)
    elif tp.tlp_high_seq and tp.tlp_high_seq == end_seq:
        state.flag |= FLAG_DSACK_TLP
    tp.dsack_dups += dup_segs
    if tp.dsack_dups > tp.total_retrans:
        return 0
    tp.rx_opt.sack_ok |= TCP_DSACK_SEEN
    if tp.reord_seen and not state.flag & FLAG_DSACK_TLP:
        tp.rack.dsack_seen = 1
    state.flag |= FLAG_DSACKING_ACK
    state.sack_delivered += dup_segs
    return dup_segs


def tcp_check_sack_reordering(sk: tcp_sock, low_seq: int, ts: int) -> None:
    """A segment arrived late: the network reorders."""
    fack = tcp_highest_sack_seq(sk)
    if not before(low_seq, fack):
        return
    metric = fack - low_seq & U32
    mss = sk.mss_cache
    net = sk.skc_net
    if mss and metric > sk.reordering * mss:
        sk.reordering = min((metric + mss - 1) // mss, net.ipv4.sysctl_tcp_max_reordering)
    sk.reord_seen += 1
    net.mib.net_statistics[LINUX_MIB_TCPTSREORDER if ts else LINUX_MIB_TCPSACKREORDER] += 1


def tcp_is_sackblock_valid(tp: tcp_sock, is_dsack: bool, start_seq: int, end_seq: int) -> bool:
    """True when a block can be true of what was sent."""
    if after(end_seq, tp.snd_nxt) or not before(start_seq, end_seq) or not before(start_seq, tp.snd_nxt):
        return False
    if after(start_seq, tp.snd_una):
        return True
    if not is_dsack or not tp.undo_marker or after(end_seq, tp.snd_una):
        return False
    if not before(start_seq, tp.undo_marker):
        return True
    if not after(end_seq, tp.undo_marker):
        return False
    return not before(start_seq, end_seq - tp.max_window)


def tcp_check_dsack(
    sk: tcp_sock, ack_seq: int, sp: list[tuple[int, int]], prior_snd_una: int, state: tcp_sacktag_state
) -> bool:
    """True when the first block reports a duplicate."""
    start, end = sp[0]
    stats = sk.skc_net.mib.net_statistics
    if before(start, ack_seq):
        stats[LINUX_MIB_TCPDSACKRECV] += 1
    elif len(sp) > 1 and not after(end, sp[1][1]) and not before(start, sp[1][0]):
        stats[LINUX_MIB_TCPDSACKOFORECV] += 1
    else:
        return False
    dup_segs = tcp_dsack_seen(sk, start, end, state)
    if not dup_segs:
        stats[LINUX_MIB_TCPDSACKIGNOREDDUBIOUS] += 1
        return False
    stats[LINUX_MIB_TCPDSACKRECVSEGS] += dup_segs
    if sk.undo_marker and sk.undo_retrans > 0 and not after(end, prior_snd_una) and after(end, sk.undo_marker):
        sk.undo_retrans = max(0, sk.undo_retrans - dup_segs)
    return True


def tcp_match_skb_to_sack(sk: tcp_sock, skb: sk_buff, start_seq: int, end_seq: int) -> bool:
    """True when the block covers the packet, which is cut at a segment boundary if it does so in part. EINVAL."""
    cb: tcp_skb_cb = skb.cb  # type: ignore[assignment]
    in_sack = not after(start_seq, cb.seq) and not before(end_seq, cb.end_seq)
    if cb.tcp_gso_segs > 1 and not in_sack and after(cb.end_seq, start_seq):
        mss = cb.tcp_gso_size
        in_sack = not after(start_seq, cb.seq)
        pkt_len = (end_seq if in_sack else start_seq) - cb.seq & U32
        if pkt_len < mss:
            if in_sack:
                raise KernelError(EINVAL)
            pkt_len = mss
        elif pkt_len > mss:
            new_len = pkt_len // mss * mss
            pkt_len = new_len + mss if not in_sack and new_len < pkt_len else new_len
        if pkt_len >= skb.len and not in_sack:
            return False
        tcp_output_segs.tcp_fragment(sk, TCP_FRAG_IN_RTX_QUEUE, skb, pkt_len, mss)
    return in_sack


def tcp_sacktag_one(sk: tcp_sock, state: tcp_sacktag_state, skb: sk_buff, dup_sack: bool) -> None:
    """Mark a packet as received, and correct the counts it stood in."""
    cb: tcp_skb_cb = skb.cb  # type: ignore[assignment]
    sacked, pcount, xmit_time = cb.sacked, cb.tcp_gso_segs, skb.tstamp // 1000
    if dup_sack and sacked & TCPCB_RETRANS:
        if sk.undo_marker and sk.undo_retrans > 0 and after(cb.end_seq, sk.undo_marker):
            sk.undo_retrans = max(0, sk.undo_retrans - pcount)
        if sacked & TCPCB_SACKED_ACKED and before(cb.seq, state.reord):
            state.reord = cb.seq
    if not after(cb.end_seq, sk.snd_una):
        return
    if not sacked & TCPCB_SACKED_ACKED:
        tcp_rack_advance(sk, sacked, cb.end_seq, xmit_time)
        if sacked & TCPCB_SACKED_RETRANS:
            if sacked & TCPCB_LOST:
                sacked &= ~(TCPCB_LOST | TCPCB_SACKED_RETRANS)
                sk.lost_out -= pcount
                sk.retrans_out -= pcount
        else:
            if not sacked & TCPCB_RETRANS:
                if before(cb.seq, tcp_highest_sack_seq(sk)) and before(cb.seq, state.reord):
                    state.reord = cb.seq
                if not after(cb.end_seq, sk.high_seq):
                    state.flag |= FLAG_ORIG_SACK_ACKED
                if state.first_sackt == 0:
                    state.first_sackt = xmit_time
                state.last_sackt = xmit_time
            if sacked & TCPCB_LOST:
                sacked &= ~TCPCB_LOST
                sk.lost_out -= pcount
        sacked |= TCPCB_SACKED_ACKED
        state.flag |= FLAG_DATA_SACKED
        sk.sacked_out += pcount
        state.sack_delivered += pcount
    if dup_sack and sacked & TCPCB_SACKED_RETRANS:
        sacked &= ~TCPCB_SACKED_RETRANS
        sk.retrans_out -= pcount
    cb.sacked = sacked


def tcp_sacktag_walk(sk: tcp_sock, state: tcp_sacktag_state, start_seq: int, end_seq: int, dup_sack: bool) -> None:
    """Mark the packets that one block covers."""
    rtx = sk.tcp_rtx_queue
    at = 0
    while at < len(rtx):
        skb = rtx[at]
        cb: tcp_skb_cb = skb.cb  # type: ignore[assignment]
        if not before(cb.seq, end_seq):
            break
        try:
            in_sack = tcp_match_skb_to_sack(sk, skb, start_seq, end_seq)
        except KernelError:
            break
        at += 1
        if in_sack:
            tcp_sacktag_one(sk, state, skb, dup_sack)
            tcp_rate_skb_delivered(sk, skb, state.rate)
            if not before(cb.seq, tcp_highest_sack_seq(sk)):
                sk.highest_sack = rtx[at] if at < len(rtx) else None


def tcp_sacktag_write_queue(sk: tcp_sock, ack_skb: sk_buff, prior_snd_una: int, state: tcp_sacktag_state) -> int:
    """Apply the SACK option of an ACK to the packets in flight; FLAG_* of what it showed."""
    ack_cb: tcp_skb_cb = ack_skb.cb  # type: ignore[assignment]
    th: tcphdr = ack_skb.transport_header  # type: ignore[assignment]
    at = ack_cb.sacked - 20
    num_sacks = min(TCP_NUM_SACKS, th._options[at + 1] - 2 >> 3)
    sp_wire = list(struct.iter_unpack(">II", th._options[at + 2 : at + 2 + 8 * num_sacks]))
    state.flag = 0
    state.reord = sk.snd_nxt
    rtx = sk.tcp_rtx_queue
    if not sk.sacked_out:
        sk.highest_sack = rtx[0] if rtx else None
    found_dup_sack = tcp_check_dsack(sk, ack_cb.ack_seq, sp_wire, prior_snd_una, state)
    if before(ack_cb.ack_seq, prior_snd_una - sk.max_window):
        return 0
    if not sk.packets_out:
        return state.flag
    blocks = []
    for i, (start, end) in enumerate(sp_wire):
        dup_sack = not i and found_dup_sack
        if not tcp_is_sackblock_valid(sk, dup_sack, start, end):
            if dup_sack:
                mib = LINUX_MIB_TCPDSACKIGNOREDOLD if sk.undo_marker else LINUX_MIB_TCPDSACKIGNOREDNOUNDO
            elif ack_cb.ack_seq != sk.snd_una and not after(end, sk.snd_una):
                continue
            else:
                mib = LINUX_MIB_TCPSACKDISCARD
            sk.skc_net.mib.net_statistics[mib] += 1
        elif after(end, prior_snd_una):
            blocks.append((start - sk.snd_una & U32, start, end, dup_sack))
    blocks.sort()
    for _, start, end, dup_sack in blocks:
        tcp_sacktag_walk(sk, state, start, end, dup_sack)
    sk.recv_sack_cache = tuple(tcp_sack_block(start, end) for _, start, end, _ in blocks)
    if sk.icsk_ca_state != TCP_CA_Loss or sk.undo_marker:
        tcp_check_sack_reordering(sk, state.reord, 0)
    return state.flag
