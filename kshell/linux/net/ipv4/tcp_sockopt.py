"""setsockopt(SOL_TCP) (part of net/ipv4/tcp.c)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kshell.abi import tcp as abi
from kshell.abi.capability import CAP_NET_ADMIN
from kshell.abi.errno import EFBIG, EINVAL, ENOPROTOOPT, EOPNOTSUPP, EPERM
from kshell.abi.socket import SOL_TCP
from kshell.abi.tcp import (
    TCP_CLOSE,
    TCP_ESTABLISHED,
    TCP_LISTEN,
    TCPF_CLOSE,
    TCPF_CLOSE_WAIT,
    TCPF_ESTABLISHED,
    TCPF_LISTEN,
    TCPOPT_MSS,
    TCPOPT_SACK_PERM,
    TCPOPT_TIMESTAMP,
    TCPOPT_WINDOW,
)
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.jiffies import HZ
from kshell.linux.include.linux.sockptr import copy_from_sockptr, copy_from_sockptr_offset
from kshell.linux.include.linux.tcp import TCP_SACK_SEEN, tcp_sock
from kshell.linux.include.linux.uaccess import strncpy_from_user
from kshell.linux.include.net.inet_connection_sock import ICSK_ACK_PUSHED, ICSK_ACK_SCHED, TCP_PINGPONG_THRESH
from kshell.linux.include.net.sock import SK_FORCE_REUSE, SK_NO_REUSE, SOCK_KEEPOPEN, SOCK_MIN_RCVBUF
from kshell.linux.include.net.tcp import (
    MAX_TCP_KEEPCNT,
    MAX_TCP_KEEPIDLE,
    MAX_TCP_KEEPINTVL,
    MAX_TCP_SYNCNT,
    MAX_TCP_WINDOW,
    TCP_CA_NAME_MAX,
    TCP_FIN_TIMEOUT_MAX,
    TCP_MAX_WSCALE,
    TCP_MIN_MSS,
    TCP_NAGLE_CORK,
    TCP_NAGLE_OFF,
    TCP_NAGLE_PUSH,
    TCP_RTO_MAX,
    TCP_TIMEOUT_INIT,
    TCP_ULP_NAME_MAX,
    TFO_CLIENT_ENABLE,
    U32,
    after,
)
from kshell.linux.include.net.tcp_times import keepalive_time_elapsed
from kshell.linux.net.core.sock import sockopt_lock_sock, sockopt_ns_capable, sockopt_release_sock
from kshell.linux.net.ipv4 import tcp, tcp_ipv4_md5, tcp_output_ack, tcp_recvmsg
from kshell.linux.net.ipv4.inet_connection_sock import inet_csk_reset_keepalive_timer
from kshell.linux.net.ipv4.tcp_cong import tcp_set_congestion_control
from kshell.linux.net.ipv4.tcp_fastopen import tcp_fastopen_init_key_once, tcp_fastopen_reset_cipher
from kshell.linux.net.ipv4.tcp_output import tcp_push_pending_frames
from kshell.linux.net.ipv4.tcp_output_mss import tcp_adjust_rcv_ssthresh, tcp_mtup_init
from kshell.linux.net.ipv4.tcp_ulp import tcp_set_ulp

if TYPE_CHECKING:
    from kshell.linux.include.linux.sockptr import sockptr_t

_ULONG = 0xFFFFFFFFFFFFFFFF
_IDLE = TCPF_CLOSE | TCPF_LISTEN


def _invalid(condition: bool) -> None:
    if condition:
        raise KernelError(EINVAL)


def tcp_can_repair_sock(sk: tcp_sock) -> bool:
    """TCP_REPAIR is for CAP_NET_ADMIN, and not on listeners."""
    return sockopt_ns_capable(sk, CAP_NET_ADMIN) and sk.skc_state != TCP_LISTEN


def tcp_repair_set_window(tp: tcp_sock, optbuf: sockptr_t, length: int) -> None:
    """TCP_REPAIR_WINDOW. EPERM, EINVAL, EFAULT."""
    if not tp.repair:
        raise KernelError(EPERM)
    _invalid(length != 20)
    raw = copy_from_sockptr(optbuf, 20)
    snd_wl1, snd_wnd, max_window, rcv_wnd, rcv_wup = (int.from_bytes(raw[i : i + 4], "little") for i in range(0, 20, 4))
    _invalid(max_window < snd_wnd)
    _invalid(after(snd_wl1, tp.rcv_nxt + rcv_wnd & U32))
    _invalid(after(rcv_wup, tp.rcv_nxt))
    tp.snd_wl1, tp.snd_wnd, tp.max_window, tp.rcv_wnd, tp.rcv_wup = snd_wl1, snd_wnd, max_window, rcv_wnd, rcv_wup


def tcp_repair_options_est(sk: tcp_sock, optbuf: sockptr_t, length: int) -> None:
    """TCP_REPAIR_OPTIONS. EFAULT, EFBIG, EINVAL."""
    rx_opt = sk.rx_opt
    for offset in range(0, length - 7, 8):
        raw = copy_from_sockptr_offset(optbuf, offset, 8)
        code, value = int.from_bytes(raw[:4], "little"), int.from_bytes(raw[4:], "little")
        if code == TCPOPT_MSS:
            rx_opt.mss_clamp = value & 0xFFFF
            tcp_mtup_init(sk)
        elif code == TCPOPT_WINDOW:
            if value & 0xFFFF > TCP_MAX_WSCALE or value >> 16 > TCP_MAX_WSCALE:
                raise KernelError(EFBIG)
            rx_opt.snd_wscale, rx_opt.rcv_wscale = value & 0xFFFF, value >> 16
            rx_opt.wscale_ok = 1
        elif code == TCPOPT_SACK_PERM:
            _invalid(value != 0)
            rx_opt.sack_ok |= TCP_SACK_SEEN
        elif code == TCPOPT_TIMESTAMP:
            _invalid(value != 0)
            rx_opt.tstamp_ok = 1


def __tcp_sock_set_cork(sk: tcp_sock, on: int) -> None:
    """TCP_CORK: hold partial segments back; off sends them."""
    if on:
        sk.nonagle |= TCP_NAGLE_CORK
        return
    sk.nonagle &= ~TCP_NAGLE_CORK
    if sk.nonagle & TCP_NAGLE_OFF:
        sk.nonagle |= TCP_NAGLE_PUSH
    if sk.sk_write_queue.next is not None:
        tcp_push_pending_frames(sk)


def __tcp_sock_set_nodelay(sk: tcp_sock, on: int) -> None:
    """TCP_NODELAY."""
    if on:
        sk.nonagle |= TCP_NAGLE_OFF | TCP_NAGLE_PUSH
        if sk.sk_write_queue.next is not None:
            tcp_push_pending_frames(sk)
    else:
        sk.nonagle &= ~TCP_NAGLE_OFF


def __tcp_sock_set_quickack(sk: tcp_sock, val: int) -> None:
    """TCP_QUICKACK: acknowledge what is due at once."""
    ack = sk.icsk_ack
    if not val:
        ack.pingpong = TCP_PINGPONG_THRESH
        return
    ack.pingpong = 0
    if (TCPF_ESTABLISHED | TCPF_CLOSE_WAIT) >> sk.skc_state & 1 and ack.pending & ICSK_ACK_SCHED:
        ack.pending |= ICSK_ACK_PUSHED
        tcp_recvmsg.tcp_cleanup_rbuf(sk, 1)
        if not val & 1:
            ack.pingpong = TCP_PINGPONG_THRESH


def tcp_sock_set_keepidle_locked(sk: tcp_sock, val: int) -> None:
    """TCP_KEEPIDLE. EINVAL."""
    _invalid(val < 1 or val > MAX_TCP_KEEPIDLE)
    sk.keepalive_time = val * HZ
    if sk.skc_flags >> SOCK_KEEPOPEN & 1 and not _IDLE >> sk.skc_state & 1:
        inet_csk_reset_keepalive_timer(sk, max(sk.keepalive_time - keepalive_time_elapsed(sk), 0))


def tcp_set_window_clamp(sk: tcp_sock, val: int) -> None:
    """TCP_WINDOW_CLAMP. EINVAL."""
    if not val:
        _invalid(sk.skc_state != TCP_CLOSE)
        sk.window_clamp = 0
        return
    old = sk.window_clamp
    new = max(val & _ULONG, SOCK_MIN_RCVBUF // 2) & U32
    if new == old:
        return
    sk.window_clamp = new
    if new < old:
        tcp_adjust_rcv_ssthresh(sk, new)
    else:
        sk.rcv_ssthresh = max(min(sk.rcv_wnd, new), sk.rcv_ssthresh)


def _cork(sk: tcp_sock, c: _call) -> None:
    if c.val:
        sk.nonagle |= TCP_NAGLE_CORK
    else:
        __tcp_sock_set_cork(sk, 0)


class _call:
    """One setsockopt(): its int, and where the whole value lies."""

    __slots__ = ("optlen", "optname", "optval", "val")

    def __init__(self, optname: int, val: int, optval: sockptr_t, optlen: int) -> None:
        self.optname = optname
        self.val = val
        self.optval = optval
        self.optlen = optlen


def _maxseg(sk: tcp_sock, c: _call) -> None:
    _invalid(bool(c.val) and not TCP_MIN_MSS <= c.val <= MAX_TCP_WINDOW)
    sk.rx_opt.user_mss = c.val


def _thin_lto(sk: tcp_sock, c: _call) -> None:
    _invalid(not 0 <= c.val <= 1)
    sk.thin_lto = c.val


def _thin_dupack(sk: tcp_sock, c: _call) -> None:
    _invalid(not 0 <= c.val <= 1)


def _repair(sk: tcp_sock, c: _call) -> None:
    if not tcp_can_repair_sock(sk):
        raise KernelError(EPERM)
    if c.val == abi.TCP_REPAIR_ON:
        sk.repair = 1
        sk.skc_reuse = SK_FORCE_REUSE
        sk.repair_queue = abi.TCP_NO_QUEUE
    elif c.val in (abi.TCP_REPAIR_OFF, abi.TCP_REPAIR_OFF_NO_WP):
        sk.repair = 0
        sk.skc_reuse = SK_NO_REUSE
        if c.val == abi.TCP_REPAIR_OFF:
            tcp_output_ack.tcp_send_window_probe(sk)
    else:
        raise KernelError(EINVAL)


def _repair_queue(sk: tcp_sock, c: _call) -> None:
    if not sk.repair:
        raise KernelError(EPERM)
    _invalid(not 0 <= c.val < abi.TCP_QUEUES_NR)
    sk.repair_queue = c.val


def _queue_seq(sk: tcp_sock, c: _call) -> None:
    if sk.skc_state != TCP_CLOSE:
        raise KernelError(EPERM)
    if sk.repair_queue == abi.TCP_SEND_QUEUE:
        if sk.tcp_rtx_queue:
            raise KernelError(EPERM)
        sk.write_seq = c.val & U32
    elif sk.repair_queue == abi.TCP_RECV_QUEUE:
        if sk.rcv_nxt != sk.copied_seq:
            raise KernelError(EPERM)
        sk.rcv_nxt = sk.copied_seq = c.val & U32
    else:
        raise KernelError(EINVAL)


def _repair_options(sk: tcp_sock, c: _call) -> None:
    _invalid(not sk.repair)
    if sk.skc_state != TCP_ESTABLISHED or sk.bytes_sent:
        raise KernelError(EPERM)
    tcp_repair_options_est(sk, c.optval, c.optlen)


def _keepintvl(sk: tcp_sock, c: _call) -> None:
    _invalid(not 1 <= c.val <= MAX_TCP_KEEPINTVL)
    sk.keepalive_intvl = c.val * HZ


def _keepcnt(sk: tcp_sock, c: _call) -> None:
    _invalid(not 1 <= c.val <= MAX_TCP_KEEPCNT)
    sk.keepalive_probes = c.val


def _syncnt(sk: tcp_sock, c: _call) -> None:
    _invalid(not 1 <= c.val <= MAX_TCP_SYNCNT)
    sk.icsk_syn_retries = c.val


def _save_syn(sk: tcp_sock, c: _call) -> None:
    _invalid(not 0 <= c.val <= 2)
    sk.save_syn = c.val


def _linger2(sk: tcp_sock, c: _call) -> None:
    sk.linger2 = -1 if c.val < 0 else min(c.val * HZ, TCP_FIN_TIMEOUT_MAX)


def _defer_accept(sk: tcp_sock, c: _call) -> None:
    retrans = tcp.secs_to_retrans(c.val, TCP_TIMEOUT_INIT // HZ, TCP_RTO_MAX // HZ)
    sk.icsk_accept_queue.rskq_defer_accept = retrans


def _user_timeout(sk: tcp_sock, c: _call) -> None:
    _invalid(c.val < 0)
    sk.icsk_user_timeout = c.val


def _fastopen(sk: tcp_sock, c: _call) -> None:
    _invalid(c.val < 0 or not _IDLE >> sk.skc_state & 1)
    tcp_fastopen_init_key_once(sk.skc_net)
    sk.icsk_accept_queue.fastopenq.max_qlen = min(c.val, sk.skc_net.core.sysctl_somaxconn)


def _fastopen_connect(sk: tcp_sock, c: _call) -> None:
    _invalid(not 0 <= c.val <= 1)
    if not sk.skc_net.ipv4.sysctl_tcp_fastopen & TFO_CLIENT_ENABLE:
        raise KernelError(EOPNOTSUPP)
    _invalid(sk.skc_state != TCP_CLOSE)
    sk.fastopen_connect = c.val


def _fastopen_no_cookie(sk: tcp_sock, c: _call) -> None:
    _invalid(not 0 <= c.val <= 1 or not _IDLE >> sk.skc_state & 1)
    sk.fastopen_no_cookie = c.val


def _timestamp(sk: tcp_sock, c: _call) -> None:
    if not sk.repair:
        raise KernelError(EPERM)
    kernel = sk.skc_net.kernel
    sk.tsoffset = c.val - (kernel.clock.now - kernel.boot_ns) // 1_000_000 & U32


def _notsent_lowat(sk: tcp_sock, c: _call) -> None:
    sk.notsent_lowat = c.val & U32
    sk.sk_write_space(sk)


def _inq(sk: tcp_sock, c: _call) -> None:
    _invalid(not 0 <= c.val <= 1)
    sk.recvmsg_inq = c.val


def _tx_delay(sk: tcp_sock, c: _call) -> None:
    sk.tcp_tx_delay = c.val & U32


def _md5(sk: tcp_sock, c: _call) -> None:
    tcp_ipv4_md5.tcp_v4_parse_md5_keys(sk, c.optname, c.optval, c.optlen)


_OPTIONS: dict[int, Callable[[tcp_sock, _call], None]] = {
    abi.TCP_MAXSEG: _maxseg,
    abi.TCP_NODELAY: lambda sk, c: __tcp_sock_set_nodelay(sk, c.val),
    abi.TCP_THIN_LINEAR_TIMEOUTS: _thin_lto,
    abi.TCP_THIN_DUPACK: _thin_dupack,
    abi.TCP_REPAIR: _repair,
    abi.TCP_REPAIR_QUEUE: _repair_queue,
    abi.TCP_QUEUE_SEQ: _queue_seq,
    abi.TCP_REPAIR_OPTIONS: _repair_options,
    abi.TCP_CORK: _cork,
    abi.TCP_KEEPIDLE: lambda sk, c: tcp_sock_set_keepidle_locked(sk, c.val),
    abi.TCP_KEEPINTVL: _keepintvl,
    abi.TCP_KEEPCNT: _keepcnt,
    abi.TCP_SYNCNT: _syncnt,
    abi.TCP_SAVE_SYN: _save_syn,
    abi.TCP_LINGER2: _linger2,
    abi.TCP_DEFER_ACCEPT: _defer_accept,
    abi.TCP_WINDOW_CLAMP: lambda sk, c: tcp_set_window_clamp(sk, c.val),
    abi.TCP_QUICKACK: lambda sk, c: __tcp_sock_set_quickack(sk, c.val),
    abi.TCP_MD5SIG: _md5,
    abi.TCP_MD5SIG_EXT: _md5,
    abi.TCP_USER_TIMEOUT: _user_timeout,
    abi.TCP_FASTOPEN: _fastopen,
    abi.TCP_FASTOPEN_CONNECT: _fastopen_connect,
    abi.TCP_FASTOPEN_NO_COOKIE: _fastopen_no_cookie,
    abi.TCP_TIMESTAMP: _timestamp,
    abi.TCP_REPAIR_WINDOW: lambda sk, c: tcp_repair_set_window(sk, c.optval, c.optlen),
    abi.TCP_NOTSENT_LOWAT: _notsent_lowat,
    abi.TCP_INQ: _inq,
    abi.TCP_TX_DELAY: _tx_delay,
}


def _name_from(optval: sockptr_t, count: int) -> str:
    """strncpy_from_sockptr(). EFAULT."""
    if optval.current is not None:
        raw = strncpy_from_user(optval.current, optval.user, count)
    else:
        raw = bytes((optval.kernel or bytearray())[:count])
    return raw.split(b"\0")[0].decode("latin-1")


def _set_by_name(sk: tcp_sock, optname: int, optval: sockptr_t, optlen: int) -> None:
    _invalid(optlen < 1)
    limit = TCP_CA_NAME_MAX if optname == abi.TCP_CONGESTION else TCP_ULP_NAME_MAX
    name = _name_from(optval, min(limit - 1, optlen))
    sockopt_lock_sock(sk)
    try:
        if optname == abi.TCP_CONGESTION:
            tcp_set_congestion_control(sk, name, True, sockopt_ns_capable(sk, CAP_NET_ADMIN))
        else:
            tcp_set_ulp(sk, name)
    finally:
        sockopt_release_sock(sk)


def _fastopen_key(sk: tcp_sock, optval: sockptr_t, optlen: int) -> None:
    _invalid(optlen not in (16, 32))
    key = copy_from_sockptr(optval, optlen)
    tcp_fastopen_reset_cipher(sk.skc_net, sk, key[:16], key[16:] or None)


def do_tcp_setsockopt(sk: tcp_sock, level: int, optname: int, optval: sockptr_t, optlen: int) -> int:
    """Set an option. EINVAL, EFAULT, EPERM, ENOPROTOOPT …"""
    if optname in (abi.TCP_CONGESTION, abi.TCP_ULP):
        _set_by_name(sk, optname, optval, optlen)
        return 0
    if optname == abi.TCP_FASTOPEN_KEY:
        _fastopen_key(sk, optval, optlen)
        return 0
    _invalid(optlen < 4)
    val = int.from_bytes(copy_from_sockptr(optval, 4), "little", signed=True)
    option = _OPTIONS.get(optname)
    sockopt_lock_sock(sk)
    try:
        if option is None:
            raise KernelError(ENOPROTOOPT)
        option(sk, _call(optname, val, optval, optlen))
    finally:
        sockopt_release_sock(sk)
    return 0


def tcp_setsockopt(sk: tcp_sock, level: int, optname: int, optval: sockptr_t, optlen: int) -> int:
    """proto.setsockopt of TCP: other levels are the IP layer's."""
    if level != SOL_TCP:
        return sk.icsk_af_ops.setsockopt(sk, level, optname, optval, optlen)
    return do_tcp_setsockopt(sk, level, optname, optval, optlen)
