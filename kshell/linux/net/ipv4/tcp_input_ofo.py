"""Data out of order: the queue of it, SACK blocks, memory pressure (part of net/ipv4/tcp_input.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.linux.include.linux.skbuff import SKB_TRUESIZE, __skb_queue_tail, __skb_unlink
from kshell.linux.include.linux.snmp import (
    LINUX_MIB_OFOPRUNED,
    LINUX_MIB_PRUNECALLED,
    LINUX_MIB_RCVPRUNED,
    LINUX_MIB_TCPACKCOMPRESSED,
    LINUX_MIB_TCPDSACKOFOSENT,
    LINUX_MIB_TCPDSACKOLDSENT,
    LINUX_MIB_TCPOFODROP,
    LINUX_MIB_TCPOFOMERGE,
    LINUX_MIB_TCPOFOQUEUE,
    LINUX_MIB_TCPRCVCOLLAPSED,
)
from kshell.linux.include.linux.tcp import TCP_NUM_SACKS, tcp_sack_block
from kshell.linux.include.net.dropreason import (
    SKB_DROP_REASON_PROTO_MEM,
    SKB_DROP_REASON_TCP_OFO_DROP,
    SKB_DROP_REASON_TCP_OFO_QUEUE_PRUNE,
    SKB_DROP_REASON_TCP_OFOMERGE,
)
from kshell.linux.include.net.inet_connection_sock import ICSK_ACK_SCHED
from kshell.linux.include.net.sock_mem import sk_rmem_schedule
from kshell.linux.include.net.tcp import TCPHDR_FIN, TCPHDR_SYN, after, before, tcp_skb_cb
from kshell.linux.kernel.time.hrtimer import hrtimer_try_to_cancel
from kshell.linux.net.core.skbuff import __kfree_skb
from kshell.linux.net.core.sock_mem import skb_set_owner_r
from kshell.linux.net.ipv4 import tcp_input_data, tcp_output_ack
from kshell.linux.net.ipv4.tcp_input_rtt import tcp_clamp_window, tcp_ecn_check_ce, tcp_grow_window
from kshell.linux.net.ipv4.tcp_output_mss import tcp_adjust_rcv_ssthresh

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.linux.tcp import tcp_sock

TCP_SACK_BLOCKS_EXPECTED = 2


def tcp_sack_extend(sp: tcp_sack_block, seq: int, end_seq: int) -> bool:
    """Widen a block by a range that touches it; False when it does not."""
    if after(seq, sp.end_seq) or after(sp.start_seq, end_seq):
        return False
    if before(seq, sp.start_seq):
        sp.start_seq = seq
    if after(end_seq, sp.end_seq):
        sp.end_seq = end_seq
    return True


def tcp_dsack_set(sk: tcp_sock, seq: int, end_seq: int) -> None:
    """Report a range as received twice."""
    if sk.rx_opt.sack_ok and sk.skc_net.ipv4.sysctl_tcp_dsack:
        mib = LINUX_MIB_TCPDSACKOLDSENT if before(seq, sk.rcv_nxt) else LINUX_MIB_TCPDSACKOFOSENT
        sk.skc_net.mib.net_statistics[mib] += 1
        sk.rx_opt.dsack = 1
        sk.duplicate_sack = (tcp_sack_block(seq, end_seq),)


def tcp_dsack_extend(sk: tcp_sock, seq: int, end_seq: int) -> None:
    """Report one more range."""
    if not sk.rx_opt.dsack:
        tcp_dsack_set(sk, seq, end_seq)
    else:
        tcp_sack_extend(sk.duplicate_sack[0], seq, end_seq)


def tcp_rcv_spurious_retrans(sk: tcp_sock, skb: sk_buff) -> None:
    """The peer sends the same data again and again: our ACKs may be lost on their path."""


def tcp_sack_compress_send_ack(sk: tcp_sock) -> None:
    """Send the ACK that was held back."""
    if not sk.compressed_ack:
        return
    if hrtimer_try_to_cancel(sk.compressed_ack_timer) == 1:
        sk.skc_refcnt -= 1
    sk.skc_net.mib.net_statistics[LINUX_MIB_TCPACKCOMPRESSED] += sk.compressed_ack - 1
    sk.compressed_ack = 0
    tcp_output_ack.tcp_send_ack(sk)


def _set_sacks(sk: tcp_sock, blocks: list[tcp_sack_block]) -> None:
    sk.selective_acks = tuple(blocks)
    sk.rx_opt.num_sacks = len(blocks)


def tcp_sack_maybe_coalesce(tp: tcp_sock, blocks: list[tcp_sack_block]) -> None:
    """Merge blocks that the first one has come to touch."""
    first = blocks[0]
    blocks[1:] = [block for block in blocks[1:] if not tcp_sack_extend(first, block.start_seq, block.end_seq)]


def tcp_sack_new_ofo_skb(sk: tcp_sock, seq: int, end_seq: int) -> None:
    """Report a range beyond a hole first, as the newest."""
    blocks = list(sk.selective_acks[: sk.rx_opt.num_sacks])
    for at, block in enumerate(blocks):
        if tcp_sack_extend(block, seq, end_seq):
            if at >= TCP_SACK_BLOCKS_EXPECTED:
                tcp_sack_compress_send_ack(sk)
            blocks.insert(0, blocks.pop(at))
            tcp_sack_maybe_coalesce(sk, blocks)
            _set_sacks(sk, blocks)
            return
    if len(blocks) >= TCP_SACK_BLOCKS_EXPECTED:
        tcp_sack_compress_send_ack(sk)
    _set_sacks(sk, [tcp_sack_block(seq, end_seq), *blocks[: TCP_NUM_SACKS - 1]])


def tcp_sack_remove(tp: tcp_sock) -> None:
    """Forget blocks that rcv_nxt has passed."""
    if not tp.out_of_order_queue:
        tp.rx_opt.num_sacks = 0
        return
    num = tp.rx_opt.num_sacks
    _set_sacks(tp, [block for block in tp.selective_acks[:num] if before(tp.rcv_nxt, block.start_seq)])


def tcp_ofo_queue(sk: tcp_sock) -> None:
    """The hole is filled: move what has become in order to the receive queue."""
    dsack_high = sk.rcv_nxt
    ooo = sk.out_of_order_queue
    while ooo:
        skb = ooo[0]
        cb: tcp_skb_cb = skb.cb  # type: ignore[assignment]
        if after(cb.seq, sk.rcv_nxt):
            break
        if before(cb.seq, dsack_high):
            tcp_dsack_extend(sk, cb.seq, cb.end_seq if before(cb.end_seq, dsack_high) else dsack_high)
        del ooo[0]
        if not after(cb.end_seq, sk.rcv_nxt):
            tcp_input_data.tcp_drop_reason(sk, skb, SKB_DROP_REASON_TCP_OFO_DROP)
            continue
        tail = sk.sk_receive_queue.prev
        eaten = tail is not None and tcp_input_data.tcp_try_coalesce(sk, tail, skb)
        tcp_input_data.tcp_rcv_nxt_update(sk, cb.end_seq)
        fin = cb.tcp_flags & TCPHDR_FIN
        if eaten:
            __kfree_skb(skb)
        else:
            __skb_queue_tail(sk.sk_receive_queue, skb)
        if fin:
            tcp_input_data.tcp_fin(sk)
            break
    sk.ooo_last_skb = ooo[-1] if ooo else None


def tcp_try_rmem_schedule(sk: tcp_sock, skb: sk_buff, size: int) -> bool:
    """Make sure that a received packet can be charged, by throwing others out if need be."""
    if sk.sk_rmem_alloc > sk.sk_rcvbuf or not sk_rmem_schedule(sk, skb, size):
        if not tcp_prune_queue(sk):
            return False
        while not sk_rmem_schedule(sk, skb, size):
            if not tcp_prune_ofo_queue(sk):
                return False
    return True


def tcp_ooo_try_coalesce(sk: tcp_sock, to: sk_buff, from_: sk_buff) -> bool:
    """Merge a packet into the one before it in the queue of what is out of order."""
    return tcp_input_data.tcp_try_coalesce(sk, to, from_)


def tcp_data_queue_ofo(sk: tcp_sock, skb: sk_buff) -> None:
    """Put a segment aside until the hole before it is filled, and report it by SACK."""
    if sk.ecn_flags:
        tcp_ecn_check_ce(sk, skb)
    stats = sk.skc_net.mib.net_statistics
    if not tcp_try_rmem_schedule(sk, skb, skb.truesize):
        stats[LINUX_MIB_TCPOFODROP] += 1
        sk.sk_data_ready(sk)
        tcp_input_data.tcp_drop_reason(sk, skb, SKB_DROP_REASON_PROTO_MEM)
        return
    sk.pred_flags = 0
    sk.icsk_ack.pending |= ICSK_ACK_SCHED
    sk.rcv_ooopack += max(1, skb._shinfo.gso_segs if skb._shinfo is not None else 1)
    stats[LINUX_MIB_TCPOFOQUEUE] += 1
    cb: tcp_skb_cb = skb.cb  # type: ignore[assignment]
    seq, end_seq = cb.seq, cb.end_seq
    queued = _insert_ofo(sk, skb)
    sk.ooo_last_skb = sk.out_of_order_queue[-1]
    sack_ok = sk.rx_opt.sack_ok
    if sack_ok:
        tcp_sack_new_ofo_skb(sk, seq, end_seq)
        if queued != "merged":
            tcp_grow_window(sk, skb, queued == "coalesced")
    if queued == "coalesced":
        __kfree_skb(skb)
    elif queued == "inserted":
        skb_set_owner_r(skb, sk)


def _insert_ofo(sk: tcp_sock, skb: sk_buff) -> str:
    """What became of the segment: inserted, coalesced with its neighbour, or merged (it brought nothing new)."""
    ooo = sk.out_of_order_queue
    cb: tcp_skb_cb = skb.cb  # type: ignore[assignment]
    at = len(ooo)
    while at and before(cb.seq, ooo[at - 1].cb.seq):  # type: ignore[attr-defined]
        at -= 1
    if at:
        prev = ooo[at - 1]
        pcb: tcp_skb_cb = prev.cb  # type: ignore[assignment]
        if before(cb.seq, pcb.end_seq):
            if not after(cb.end_seq, pcb.end_seq):
                sk.skc_net.mib.net_statistics[LINUX_MIB_TCPOFOMERGE] += 1
                tcp_input_data.tcp_drop_reason(sk, skb, SKB_DROP_REASON_TCP_OFOMERGE)
                tcp_dsack_set(sk, cb.seq, cb.end_seq)
                return "merged"
            if after(cb.seq, pcb.seq):
                tcp_dsack_set(sk, cb.seq, pcb.end_seq)
            else:
                tcp_dsack_extend(sk, pcb.seq, pcb.end_seq)
                at -= 1
                _drop_merged(sk, at)
        elif tcp_ooo_try_coalesce(sk, prev, skb):
            return "coalesced"
    while at < len(ooo) and after(cb.end_seq, ooo[at].cb.seq):  # type: ignore[attr-defined]
        ncb: tcp_skb_cb = ooo[at].cb  # type: ignore[assignment]
        if before(cb.end_seq, ncb.end_seq):
            tcp_dsack_extend(sk, ncb.seq, cb.end_seq)
            break
        tcp_dsack_extend(sk, ncb.seq, ncb.end_seq)
        _drop_merged(sk, at)
    ooo.insert(at, skb)
    return "inserted"


def _drop_merged(sk: tcp_sock, at: int) -> None:
    sk.skc_net.mib.net_statistics[LINUX_MIB_TCPOFOMERGE] += 1
    tcp_input_data.tcp_drop_reason(sk, sk.out_of_order_queue.pop(at), SKB_DROP_REASON_TCP_OFOMERGE)


def tcp_collapse(sk: tcp_sock) -> None:
    """Merge small packets of the receive queue into large ones, which use memory better."""
    queue = sk.sk_receive_queue
    skb = queue.next
    while skb is not None and skb.next is not None:
        following = skb.next
        cb: tcp_skb_cb = skb.cb  # type: ignore[assignment]
        ncb: tcp_skb_cb = following.cb  # type: ignore[assignment]
        if (
            (cb.tcp_flags | ncb.tcp_flags) & (TCPHDR_SYN | TCPHDR_FIN)
            or cb.end_seq != ncb.seq
            or skb.len + following.len > 3776
        ):
            skb = following
            continue
        skb.data += following.data
        skb.len += following.len
        cb.end_seq = ncb.end_seq
        __skb_unlink(following, queue)
        __kfree_skb(following)
        sk.skc_net.mib.net_statistics[LINUX_MIB_TCPRCVCOLLAPSED] += 1
        truesize = SKB_TRUESIZE(1 << (skb.len + 320).bit_length()) - 320
        sk.sk_rmem_alloc += truesize - skb.truesize
        sk.sk_forward_alloc -= truesize - skb.truesize
        skb.truesize = truesize


def tcp_prune_ofo_queue(sk: tcp_sock) -> bool:
    """Throw out of order data away, an eighth of the buffer at a time; False when there was none."""
    ooo = sk.out_of_order_queue
    if not ooo:
        return False
    sk.skc_net.mib.net_statistics[LINUX_MIB_OFOPRUNED] += 1
    goal = sk.sk_rcvbuf >> 3
    while ooo:
        skb = ooo.pop()
        goal -= skb.truesize
        tcp_input_data.tcp_drop_reason(sk, skb, SKB_DROP_REASON_TCP_OFO_QUEUE_PRUNE)
        if not ooo or goal <= 0:
            if sk.sk_rmem_alloc <= sk.sk_rcvbuf and not sk.skc_net.kernel.tcp_memory_pressure:
                break
            goal = sk.sk_rcvbuf >> 3
    sk.ooo_last_skb = ooo[-1] if ooo else None
    if sk.rx_opt.sack_ok:
        sk.rx_opt.dsack = 0
        sk.rx_opt.num_sacks = 0
    return True


def tcp_prune_queue(sk: tcp_sock) -> bool:
    """The receive buffer is full: enlarge it, merge, throw away; False when nothing helped."""
    stats = sk.skc_net.mib.net_statistics
    stats[LINUX_MIB_PRUNECALLED] += 1
    if sk.sk_rmem_alloc >= sk.sk_rcvbuf:
        tcp_clamp_window(sk)
    elif sk.skc_net.kernel.tcp_memory_pressure:
        tcp_adjust_rcv_ssthresh(sk, 4 * sk.advmss)
    if sk.sk_rmem_alloc <= sk.sk_rcvbuf:
        return True
    tcp_collapse(sk)
    if sk.sk_rmem_alloc <= sk.sk_rcvbuf:
        return True
    tcp_prune_ofo_queue(sk)
    if sk.sk_rmem_alloc <= sk.sk_rcvbuf:
        return True
    stats[LINUX_MIB_RCVPRUNED] += 1
    sk.pred_flags = 0
    return False
