"""include/net/tcp.h: the window that a receiver can promise, and what there is to read and to send."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.tcp import TCP_MSS_DEFAULT, TCPF_SYN_RECV, TCPF_SYN_SENT
from kshell.linux.include.net.tcp import _s32, before

if TYPE_CHECKING:
    from kshell.linux.include.linux.tcp import tcp_sock
    from kshell.linux.include.net.sock import sock


def tcp_receive_window(tp: tcp_sock) -> int:
    """Bytes that the peer may still send."""
    win = _s32(tp.rcv_wup + tp.rcv_wnd - tp.rcv_nxt)
    return win if win > 0 else 0


def tcp_win_from_space(sk: sock, space: int) -> int:
    """The part of a buffer that can be promised as window."""
    scale: int = sk.skc_net.ipv4.sysctl_tcp_adv_win_scale
    return space >> -scale if scale <= 0 else space - (space >> scale)


def tcp_space(sk: sock) -> int:
    """Window that the free receive buffer allows."""
    backlog = sk.sk_backlog
    return tcp_win_from_space(sk, sk.sk_rcvbuf - (backlog.len if backlog is not None else 0) - sk.sk_rmem_alloc)


def tcp_full_space(sk: sock) -> int:
    """Window that an empty receive buffer allows."""
    return tcp_win_from_space(sk, sk.sk_rcvbuf)


def tcp_bound_to_half_wnd(tp: tcp_sock, pktsize: int) -> int:
    """No segment larger than half of the largest window ever offered."""
    cutoff = tp.max_window >> 1 if tp.max_window > TCP_MSS_DEFAULT else tp.max_window
    return max(cutoff, 68 - tp.tcp_header_len) if cutoff and pktsize > cutoff else pktsize


def tcp_epollin_ready(tp: tcp_sock, target: int) -> bool:
    """True when a reader that waits for `target` bytes should be woken."""
    avail = _s32(tp.rcv_nxt - tp.copied_seq)
    if avail <= 0:
        return False
    return avail >= target or tcp_rmem_pressure(tp) or tcp_receive_window(tp) <= tp.icsk_ack.rcv_mss


def tcp_rmem_pressure(sk: sock) -> bool:
    """True when the receive buffer is nearly full."""
    if sk.skc_net.kernel.tcp_memory_pressure:
        return True
    return sk.sk_rmem_alloc > sk.sk_rcvbuf - (sk.sk_rcvbuf >> 3)


def tcp_inq(tp: tcp_sock) -> int:
    """Bytes that can be read before the urgent mark (SIOCINQ)."""
    if (TCPF_SYN_SENT | TCPF_SYN_RECV) >> tp.sk_state & 1:
        return 0
    if (
        tp.sk_flags >> 2 & 1  # SOCK_URGINLINE
        or not tp.urg_data
        or before(tp.urg_seq, tp.copied_seq)
        or not before(tp.urg_seq, tp.rcv_nxt)
    ):
        answ = _s32(tp.rcv_nxt - tp.copied_seq)
        return answ - 1 if answ and tp.sk_flags >> 1 & 1 else answ  # SOCK_DONE: the FIN counts one
    return _s32(tp.urg_seq - tp.copied_seq)
