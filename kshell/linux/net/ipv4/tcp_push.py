"""When what was written goes out, and in packets how large (part of net/ipv4/tcp.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.socket import MSG_MORE, MSG_OOB
from kshell.linux.include.linux.snmp import LINUX_MIB_TCPAUTOCORKING
from kshell.linux.include.linux.tcp import TSQ_THROTTLED
from kshell.linux.include.net.tcp import TCP_NAGLE_CORK, TCPHDR_PSH, U32, after
from kshell.linux.include.net.tcp_window import tcp_bound_to_half_wnd
from kshell.linux.net.ipv4 import tcp_output, tcp_output_mss

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.linux.tcp import tcp_sock


def tcp_mark_push(tp: tcp_sock, skb: sk_buff) -> None:
    """The receiver should hand this packet's data up."""
    skb.cb.tcp_flags |= TCPHDR_PSH  # type: ignore[attr-defined]
    tp.pushed_seq = tp.write_seq


def forced_push(tp: tcp_sock) -> bool:
    """True when more than half of the peer's window was written since the last push."""
    return after(tp.write_seq, tp.pushed_seq + (tp.max_window >> 1) & U32)


def tcp_should_autocork(sk: tcp_sock, skb: sk_buff, size_goal: int) -> bool:
    """True when a small packet should wait for one on its way, to be joined by later writes."""
    return bool(
        skb.len < size_goal
        and sk.tcp_rtx_queue
        and sk.sk_wmem_alloc > skb.truesize
        and sk.skc_net.ipv4.sysctl_tcp_autocorking
        and not skb.cb.eor  # type: ignore[attr-defined]
    )


def tcp_push(sk: tcp_sock, flags: int, mss_now: int, nonagle: int, size_goal: int) -> None:
    """Send what the rules of Nagle and cork let go."""
    skb = sk.sk_write_queue.prev
    if skb is None:
        return
    if not flags & MSG_MORE or forced_push(sk):
        skb.cb.tcp_flags |= TCPHDR_PSH  # type: ignore[attr-defined]
        sk.pushed_seq = sk.write_seq
    if flags & MSG_OOB:
        sk.snd_up = sk.write_seq
    if sk.tcp_rtx_queue and tcp_should_autocork(sk, skb, size_goal):
        if not sk.sk_tsq_flags >> TSQ_THROTTLED & 1:
            sk.skc_net.mib.net_statistics[LINUX_MIB_TCPAUTOCORKING] += 1
            sk.sk_tsq_flags |= 1 << TSQ_THROTTLED
        if sk.sk_wmem_alloc > skb.truesize:
            return
    if flags & MSG_MORE:
        nonagle = TCP_NAGLE_CORK
    tcp_output.__tcp_push_pending_frames(sk, mss_now, nonagle)


def tcp_xmit_size_goal(sk: tcp_sock, mss_now: int, large_allowed: bool) -> int:
    """Bytes to put into one packet: as many segments as the device cuts up by itself."""
    if not large_allowed:
        return mss_now
    new_size_goal = tcp_bound_to_half_wnd(sk, sk.sk_gso_max_size)
    size_goal = sk.gso_segs * mss_now
    if new_size_goal < size_goal or new_size_goal >= size_goal + mss_now:
        sk.gso_segs = min(new_size_goal // mss_now, sk.sk_gso_max_segs)
        size_goal = sk.gso_segs * mss_now
    return max(size_goal, mss_now)


def tcp_send_mss(sk: tcp_sock, flags: int) -> tuple[int, int]:
    """(MSS, bytes to put into one packet)."""
    mss_now = tcp_output_mss.tcp_current_mss(sk)
    return mss_now, tcp_xmit_size_goal(sk, mss_now, not flags & MSG_OOB)
