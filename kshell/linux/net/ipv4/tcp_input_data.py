"""Data of incoming segments, in order (part of net/ipv4/tcp_input.c)."""

from __future__ import annotations

from bisect import insort
from typing import TYPE_CHECKING

from kshell.abi.errno import ENOMEM
from kshell.abi.signal import POLL_HUP, POLL_IN
from kshell.abi.socket import SOCK_SNDBUF_LOCK
from kshell.abi.tcp import (
    TCP_CLOSE,
    TCP_CLOSE_WAIT,
    TCP_CLOSING,
    TCP_ESTABLISHED,
    TCP_FIN_WAIT1,
    TCP_FIN_WAIT2,
    TCP_SYN_RECV,
    TCP_TIME_WAIT,
)
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.net import SOCK_WAKE_WAITD
from kshell.linux.include.linux.skbuff import __skb_queue_tail
from kshell.linux.include.linux.snmp import (
    LINUX_MIB_DELAYEDACKLOST,
    LINUX_MIB_TCPRCVCOALESCE,
    LINUX_MIB_TCPRCVQDROP,
    LINUX_MIB_TCPZEROWINDOWDROP,
)
from kshell.linux.include.net.dropreason import (
    SKB_DROP_REASON_PROTO_MEM,
    SKB_DROP_REASON_TCP_OLD_DATA,
    SKB_DROP_REASON_TCP_OVERWINDOW,
    SKB_DROP_REASON_TCP_ZEROWINDOW,
)
from kshell.linux.include.net.inet_connection_sock import ICSK_ACK_NOW, ICSK_ACK_SCHED, TCP_PINGPONG_THRESH
from kshell.linux.include.net.sock import RCV_SHUTDOWN, SHUTDOWN_MASK, SOCK_DEAD, SOCK_DONE, sock_flag, sock_set_flag
from kshell.linux.include.net.sock_space import sk_prot_mem_limits
from kshell.linux.include.net.tcp import (
    TCP_CHRONO_SNDBUF_LIMITED,
    TCP_MAX_QUICKACKS,
    TCPHDR_FIN,
    U32,
    _s32,
    after,
    before,
    tcp_packets_in_flight,
    tcp_skb_cb,
)
from kshell.linux.include.net.tcp_window import tcp_epollin_ready, tcp_receive_window
from kshell.linux.lib.iov_iter import copy_from_iter
from kshell.linux.net.core.skbuff import (
    __kfree_skb,
    alloc_skb_with_frags,
    kfree_skb,
    kfree_skb_reason,
    skb_dst_drop,
)
from kshell.linux.net.core.skbuff_coalesce import skb_try_coalesce
from kshell.linux.net.core.sock import sk_wake_async
from kshell.linux.net.core.sock_mem import skb_set_owner_r
from kshell.linux.net.ipv4 import tcp, tcp_input_ofo, tcp_minisocks_timewait, tcp_output, tcp_output_ack
from kshell.linux.net.ipv4.tcp_input_ack import tcp_fast_path_check
from kshell.linux.net.ipv4.tcp_input_rtt import tcp_enter_quickack_mode, tcp_event_data_recv, tcp_sndbuf_expand

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.linux.socket import msghdr
    from kshell.linux.include.linux.tcp import tcp_sock
    from kshell.linux.include.net.sock import sock


def tcp_rbtree_insert(root: list[sk_buff], skb: sk_buff) -> None:
    """Insert a packet by its sequence number."""
    if not root or not before(skb.cb.seq, root[-1].cb.seq):  # type: ignore[attr-defined]
        root.append(skb)
        return
    base: int = root[0].cb.seq  # type: ignore[attr-defined]
    insort(root, skb, key=lambda entry: _s32(entry.cb.seq - base))  # type: ignore[attr-defined]


def skb_rbtree_purge(root: list[sk_buff]) -> int:
    """Drop all packets of a sorted queue; the memory they held."""
    if not root:
        return 0
    total = sum(skb.truesize for skb in root)
    for skb in root:
        kfree_skb(skb)
    root.clear()
    return total


def tcp_drop_reason(sk: sock, skb: sk_buff, reason: int) -> None:
    """Drop a segment and count it at the socket."""
    sk.sk_drops += 1
    kfree_skb_reason(skb, reason)


def tcp_rcv_nxt_update(tp: tcp_sock, seq: int) -> None:
    """Everything below `seq` has been received."""
    tp.bytes_received += seq - tp.rcv_nxt & U32
    tp.rcv_nxt = seq


def tcp_fin(sk: tcp_sock) -> None:
    """The peer's FIN: no more data will come."""
    sk.icsk_ack.pending |= ICSK_ACK_SCHED
    sk.sk_shutdown |= RCV_SHUTDOWN
    sock_set_flag(sk, SOCK_DONE)
    state = sk.skc_state
    if state in (TCP_SYN_RECV, TCP_ESTABLISHED):
        tcp.tcp_set_state(sk, TCP_CLOSE_WAIT)
        sk.icsk_ack.pingpong = TCP_PINGPONG_THRESH
    elif state == TCP_FIN_WAIT1:
        tcp_output_ack.tcp_send_ack(sk)
        tcp.tcp_set_state(sk, TCP_CLOSING)
    elif state == TCP_FIN_WAIT2:
        tcp_output_ack.tcp_send_ack(sk)
        tcp_minisocks_timewait.tcp_time_wait(sk, TCP_TIME_WAIT, 0)
    skb_rbtree_purge(sk.out_of_order_queue)
    if sk.rx_opt.sack_ok:
        sk.rx_opt.dsack = 0
        sk.rx_opt.num_sacks = 0
    if not sock_flag(sk, SOCK_DEAD):
        sk.sk_state_change(sk)
        if sk.sk_shutdown == SHUTDOWN_MASK or sk.skc_state == TCP_CLOSE:
            sk_wake_async(sk, SOCK_WAKE_WAITD, POLL_HUP)
        else:
            sk_wake_async(sk, SOCK_WAKE_WAITD, POLL_IN)


def tcp_try_coalesce(sk: tcp_sock, to: sk_buff, from_: sk_buff) -> bool:
    """Append a segment's data to the packet before it; the packet is then to be freed."""
    cb: tcp_skb_cb = to.cb  # type: ignore[assignment]
    fcb: tcp_skb_cb = from_.cb  # type: ignore[assignment]
    if fcb.seq != cb.end_seq:
        return False
    delta = skb_try_coalesce(to, from_)
    if delta is None:
        return False
    sk.sk_rmem_alloc += delta
    sk.sk_forward_alloc -= delta
    sk.skc_net.mib.net_statistics[LINUX_MIB_TCPRCVCOALESCE] += 1
    cb.end_seq = fcb.end_seq
    cb.ack_seq = fcb.ack_seq
    cb.tcp_flags |= fcb.tcp_flags
    if fcb.has_rxtstamp:
        cb.has_rxtstamp = 1
        to.tstamp = from_.tstamp
    return True


def tcp_queue_rcv(sk: tcp_sock, skb: sk_buff) -> bool:
    """Put a segment in order into the receive queue; True when it was merged with the last one there."""
    cb: tcp_skb_cb = skb.cb  # type: ignore[assignment]
    tail = sk.sk_receive_queue.prev
    eaten = tail is not None and tcp_try_coalesce(sk, tail, skb)
    tcp_rcv_nxt_update(sk, cb.end_seq)
    if not eaten:
        __skb_queue_tail(sk.sk_receive_queue, skb)
        skb_set_owner_r(skb, sk)
    return eaten


def tcp_send_rcvq(sk: tcp_sock, msg: msghdr, size: int) -> int:
    """TCP_REPAIR: put data into the receive queue as if the peer had sent it. ENOMEM."""
    if size == 0:
        return 0
    skb = alloc_skb_with_frags(sk.skc_net.kernel, size & 0xFFF, size & ~0xFFF)
    if not tcp_input_ofo.tcp_try_rmem_schedule(sk, skb, skb.truesize):
        sk.skc_net.mib.net_statistics[LINUX_MIB_TCPRCVQDROP] += 1
        kfree_skb(skb)
        raise KernelError(ENOMEM)
    skb.data = copy_from_iter(msg.msg_iter, size)
    skb.len = len(skb.data)
    skb.cb = tcp_skb_cb(sk.rcv_nxt, sk.rcv_nxt + skb.len & U32, 0, sk.snd_una - 1 & U32)
    if tcp_queue_rcv(sk, skb):
        __kfree_skb(skb)
    return size


def tcp_data_ready(sk: tcp_sock) -> None:
    """Wake readers when there is as much as they wait for."""
    if tcp_epollin_ready(sk, sk.sk_rcvlowat) or sk.skc_flags >> SOCK_DONE & 1:
        sk.sk_data_ready(sk)


def _out_of_window(sk: tcp_sock, skb: sk_buff, reason: int) -> None:
    tcp_enter_quickack_mode(sk, TCP_MAX_QUICKACKS)
    sk.icsk_ack.pending |= ICSK_ACK_SCHED
    tcp_drop_reason(sk, skb, reason)


def _queue_and_out(sk: tcp_sock, skb: sk_buff) -> None:
    cb: tcp_skb_cb = skb.cb  # type: ignore[assignment]
    if sk.sk_receive_queue.next is None:
        tcp_output.sk_forced_mem_schedule(sk, skb.truesize)
    elif not tcp_input_ofo.tcp_try_rmem_schedule(sk, skb, skb.truesize):
        sk.skc_net.mib.net_statistics[LINUX_MIB_TCPRCVQDROP] += 1
        sk.sk_data_ready(sk)
        tcp_drop_reason(sk, skb, SKB_DROP_REASON_PROTO_MEM)
        return
    eaten = tcp_queue_rcv(sk, skb)
    if skb.len:
        tcp_event_data_recv(sk, skb)
    if cb.tcp_flags & TCPHDR_FIN:
        tcp_fin(sk)
    if sk.out_of_order_queue:
        tcp_input_ofo.tcp_ofo_queue(sk)
        if not sk.out_of_order_queue:
            sk.icsk_ack.pending |= ICSK_ACK_NOW
    if sk.rx_opt.num_sacks:
        tcp_input_ofo.tcp_sack_remove(sk)
    tcp_fast_path_check(sk)
    if eaten:
        __kfree_skb(skb)
    if not sk.skc_flags >> SOCK_DEAD & 1:
        tcp_data_ready(sk)


def tcp_data_queue(sk: tcp_sock, skb: sk_buff) -> None:
    """Take the data of a segment: queue it, put it aside until the hole before it is filled, or drop it."""
    cb: tcp_skb_cb = skb.cb  # type: ignore[assignment]
    if cb.seq == cb.end_seq:
        __kfree_skb(skb)
        return
    skb_dst_drop(skb)
    skb.len -= skb.transport_header.doff * 4  # type: ignore[attr-defined]
    sk.rx_opt.dsack = 0
    stats = sk.skc_net.mib.net_statistics
    rcv_nxt = sk.rcv_nxt
    if cb.seq == rcv_nxt:
        if tcp_receive_window(sk) == 0:
            stats[LINUX_MIB_TCPZEROWINDOWDROP] += 1
            _out_of_window(sk, skb, SKB_DROP_REASON_TCP_ZEROWINDOW)
        else:
            _queue_and_out(sk, skb)
    elif not after(cb.end_seq, rcv_nxt):
        stats[LINUX_MIB_DELAYEDACKLOST] += 1
        tcp_input_ofo.tcp_rcv_spurious_retrans(sk, skb)
        tcp_input_ofo.tcp_dsack_set(sk, cb.seq, cb.end_seq)
        _out_of_window(sk, skb, SKB_DROP_REASON_TCP_OLD_DATA)
    elif not before(cb.seq, rcv_nxt + tcp_receive_window(sk)):
        _out_of_window(sk, skb, SKB_DROP_REASON_TCP_OVERWINDOW)
    elif before(cb.seq, rcv_nxt):
        tcp_input_ofo.tcp_dsack_set(sk, cb.seq, rcv_nxt)
        if not tcp_receive_window(sk):
            stats[LINUX_MIB_TCPZEROWINDOWDROP] += 1
            _out_of_window(sk, skb, SKB_DROP_REASON_TCP_ZEROWINDOW)
        else:
            _queue_and_out(sk, skb)
    else:
        tcp_input_ofo.tcp_data_queue_ofo(sk, skb)


def tcp_should_expand_sndbuf(sk: tcp_sock) -> bool:
    """True when more send buffer would mean more in flight."""
    if sk.sk_userlocks & SOCK_SNDBUF_LOCK:
        return False
    kernel = sk.skc_net.kernel
    if kernel.tcp_memory_pressure or kernel.tcp_memory_allocated >= sk_prot_mem_limits(sk, 0):
        return False
    return tcp_packets_in_flight(sk) < sk.snd_cwnd


def tcp_new_space(sk: tcp_sock) -> None:
    """Acknowledged data made room: wake writers."""
    if tcp_should_expand_sndbuf(sk):
        tcp_sndbuf_expand(sk)
        sk.snd_cwnd_stamp = sk.skc_net.kernel.jiffies & U32
    sk.sk_write_space(sk)


def tcp_check_space(sk: tcp_sock) -> None:
    """Wake writers if they wait and there is room."""
    socket = sk.sk_socket
    if socket is not None and socket.flags >> 2 & 1:  # SOCK_NOSPACE
        tcp_new_space(sk)
        if not socket.flags >> 2 & 1:
            tcp_output.tcp_chrono_stop(sk, TCP_CHRONO_SNDBUF_LIMITED)


def tcp_data_snd_check(sk: tcp_sock) -> None:
    """After an ACK: send what may be sent now, wake writers."""
    if sk.sk_write_queue.next is not None:
        tcp_output.tcp_push_pending_frames(sk)
    tcp_check_space(sk)
