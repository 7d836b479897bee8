"""getsockopt(SOL_TCP) (part of net/ipv4/tcp.c)."""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct
from typing import TYPE_CHECKING

from kshell.abi import tcp as abi
from kshell.abi.errno import EINVAL, EIO, ENOPROTOOPT, ENOTCONN, EPERM
from kshell.abi.socket import MSG_DONTWAIT, SOL_TCP
from kshell.abi.tcp import TCP_LISTEN, TCPF_CLOSE, TCPF_LISTEN
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.jiffies import HZ
from kshell.linux.include.linux.socket import msghdr
from kshell.linux.include.linux.sockptr import (
    USER_SOCKPTR,
    copy_from_sockptr,
    copy_from_sockptr_offset,
    copy_to_sockptr,
)
from kshell.linux.include.linux.tcp import tcp_saved_syn_len, tcp_sock
from kshell.linux.include.net.inet_connection_sock import TCP_PINGPONG_THRESH
from kshell.linux.include.net.sock import SOCK_DONE, sock_error
from kshell.linux.include.net.tcp import (
    TCP_CA_NAME_MAX,
    TCP_NAGLE_CORK,
    TCP_NAGLE_OFF,
    TCP_RTO_MAX,
    TCP_TIMEOUT_INIT,
    TCP_ULP_NAME_MAX,
    U32,
)
from kshell.linux.include.net.tcp_times import keepalive_intvl_when, keepalive_probes, keepalive_time_when
from kshell.linux.include.net.tcp_window import tcp_inq
from kshell.linux.lib.iov_iter import import_single_range
from kshell.linux.net.core.sock import sockopt_lock_sock, sockopt_release_sock
from kshell.linux.net.ipv4 import tcp, tcp_recvmsg
from kshell.linux.net.ipv4.tcp_fastopen import tcp_fastopen_get_cipher
from kshell.linux.net.ipv4.tcp_info import tcp_get_info

if TYPE_CHECKING:
    from kshell.linux.include.linux.sockptr import sockptr_t

_ZEROCOPY = Struct("<QIIIiQiIQQII")  # struct tcp_zerocopy_receive
_ITER_DEST = 0


def _get_len(optlen: sockptr_t) -> int:
    return int.from_bytes(copy_from_sockptr(optlen, 4), "little", signed=True)


def _put(optval: sockptr_t, optlen: sockptr_t, data: bytes) -> None:
    """The value, cut to the room there is (an unsigned length); the length first."""
    data = data[: min(_get_len(optlen) & U32, len(data))]
    copy_to_sockptr(optlen, len(data).to_bytes(4, "little"))
    copy_to_sockptr(optval, data)


def _maxseg(sk: tcp_sock) -> int:
    if sk.repair:
        return sk.rx_opt.mss_clamp
    user_mss = sk.rx_opt.user_mss
    return user_mss if user_mss and (TCPF_CLOSE | TCPF_LISTEN) >> sk.skc_state & 1 else sk.mss_cache


def _linger2(sk: tcp_sock) -> int:
    val = sk.linger2
    return val if val < 0 else (val or sk.skc_net.ipv4.sysctl_tcp_fin_timeout) // HZ


def _repair_queue(sk: tcp_sock) -> int:
    if not sk.repair:
        raise KernelError(EINVAL)
    return sk.repair_queue


def _queue_seq(sk: tcp_sock) -> int:
    if sk.repair_queue == abi.TCP_SEND_QUEUE:
        return sk.write_seq
    if sk.repair_queue == abi.TCP_RECV_QUEUE:
        return sk.rcv_nxt
    raise KernelError(EINVAL)


def _timestamp(sk: tcp_sock) -> int:
    kernel = sk.skc_net.kernel
    return (kernel.clock.now - kernel.boot_ns) // 1_000_000 + sk.tsoffset & U32


_INTS: dict[int, Callable[[tcp_sock], int]] = {
    abi.TCP_MAXSEG: _maxseg,
    abi.TCP_NODELAY: lambda sk: int(bool(sk.nonagle & TCP_NAGLE_OFF)),
    abi.TCP_CORK: lambda sk: int(bool(sk.nonagle & TCP_NAGLE_CORK)),
    abi.TCP_KEEPIDLE: lambda sk: keepalive_time_when(sk) // HZ,
    abi.TCP_KEEPINTVL: lambda sk: keepalive_intvl_when(sk) // HZ,
    abi.TCP_KEEPCNT: keepalive_probes,
    abi.TCP_SYNCNT: lambda sk: sk.icsk_syn_retries or sk.skc_net.ipv4.sysctl_tcp_syn_retries,
    abi.TCP_LINGER2: _linger2,
    abi.TCP_DEFER_ACCEPT: lambda sk: tcp.retrans_to_secs(
        sk.icsk_accept_queue.rskq_defer_accept, TCP_TIMEOUT_INIT // HZ, TCP_RTO_MAX // HZ
    ),
    abi.TCP_WINDOW_CLAMP: lambda sk: sk.window_clamp,
    abi.TCP_QUICKACK: lambda sk: int(sk.icsk_ack.pingpong < TCP_PINGPONG_THRESH),
    abi.TCP_THIN_LINEAR_TIMEOUTS: lambda sk: sk.thin_lto,
    abi.TCP_THIN_DUPACK: lambda sk: 0,
    abi.TCP_REPAIR: lambda sk: sk.repair,
    abi.TCP_REPAIR_QUEUE: _repair_queue,
    abi.TCP_QUEUE_SEQ: _queue_seq,
    abi.TCP_USER_TIMEOUT: lambda sk: sk.icsk_user_timeout,
    abi.TCP_FASTOPEN: lambda sk: sk.icsk_accept_queue.fastopenq.max_qlen,
    abi.TCP_FASTOPEN_CONNECT: lambda sk: sk.fastopen_connect,
    abi.TCP_FASTOPEN_NO_COOKIE: lambda sk: sk.fastopen_no_cookie,
    abi.TCP_TX_DELAY: lambda sk: sk.tcp_tx_delay,
    abi.TCP_TIMESTAMP: _timestamp,
    abi.TCP_NOTSENT_LOWAT: lambda sk: sk.notsent_lowat,
    abi.TCP_INQ: lambda sk: sk.recvmsg_inq,
    abi.TCP_SAVE_SYN: lambda sk: sk.save_syn,
}


def _info(sk: tcp_sock, optval: sockptr_t, optlen: sockptr_t) -> None:
    _put(optval, optlen, tcp_get_info(sk))


def _cc_info(sk: tcp_sock, optval: sockptr_t, optlen: sockptr_t) -> None:
    get_info = sk.icsk_ca_ops.get_info
    _put(optval, optlen, get_info(sk, U32) if get_info is not None else b"")


def _congestion(sk: tcp_sock, optval: sockptr_t, optlen: sockptr_t) -> None:
    _put(optval, optlen, sk.icsk_ca_ops.name.encode().ljust(TCP_CA_NAME_MAX, b"\0"))


def _ulp(sk: tcp_sock, optval: sockptr_t, optlen: sockptr_t) -> None:
    ops = sk.icsk_ulp_ops
    if ops is None:
        _get_len(optlen)
        copy_to_sockptr(optlen, bytes(4))
        return
    _put(optval, optlen, ops.name.encode().ljust(TCP_ULP_NAME_MAX, b"\0"))


def _fastopen_key(sk: tcp_sock, optval: sockptr_t, optlen: sockptr_t) -> None:
    own = sk.icsk_accept_queue.fastopenq.ctx is not None
    _put(optval, optlen, tcp_fastopen_get_cipher(sk.skc_net, sk if own else None))


def _repair_window(sk: tcp_sock, optval: sockptr_t, optlen: sockptr_t) -> None:
    if _get_len(optlen) != 20:
        raise KernelError(EINVAL)
    if not sk.repair:
        raise KernelError(EPERM)
    values = (sk.snd_wl1, sk.snd_wnd, sk.max_window, sk.rcv_wnd, sk.rcv_wup)
    copy_to_sockptr(optval, b"".join(value.to_bytes(4, "little") for value in values))


def _saved_syn(sk: tcp_sock, optval: sockptr_t, optlen: sockptr_t) -> None:
    room = _get_len(optlen)
    saved = sk.saved_syn
    if saved is None:
        copy_to_sockptr(optlen, bytes(4))
        return
    need = tcp_saved_syn_len(saved)
    copy_to_sockptr(optlen, need.to_bytes(4, "little"))
    if room < need:
        raise KernelError(EINVAL)
    copy_to_sockptr(optval, saved.data)
    sk.saved_syn = None


class _zerocopy:
    """struct tcp_zerocopy_receive."""

    __slots__ = (
        "address", "copybuf_address", "copybuf_len", "err", "flags", "inq", "length", "msg_control", "msg_controllen",
        "msg_flags", "recv_skip_hint", "reserved",
    )  # fmt: skip

    def __init__(self, raw: bytes) -> None:
        (
            self.address, self.length, self.recv_skip_hint, self.inq, self.err, self.copybuf_address, self.copybuf_len,
            self.flags, self.msg_control, self.msg_controllen, self.msg_flags, self.reserved,
        ) = _ZEROCOPY.unpack(raw.ljust(64, b"\0"))  # fmt: skip

    def _to_bytes(self) -> bytes:
        return _ZEROCOPY.pack(
            self.address, self.length, self.recv_skip_hint, self.inq, self.err, self.copybuf_address, self.copybuf_len,
            self.flags, self.msg_control, self.msg_controllen, self.msg_flags, self.reserved,
        )  # fmt: skip


def receive_fallback_to_copy(sk: tcp_sock, zc: _zerocopy, inq: int) -> None:
    """Little data: copy it."""
    current = sk.skc_net.kernel.current
    zc.length = zc.recv_skip_hint = 0
    msg = msghdr(current, import_single_range(current, _ITER_DEST, zc.copybuf_address, inq))
    reading = tcp_recvmsg.tcp_recvmsg_locked(sk, msg, inq, MSG_DONTWAIT)
    try:
        reading.send(None)  # it does not sleep
    except StopIteration as done:
        zc.copybuf_len = done.value[0]


def tcp_zerocopy_receive(sk: tcp_sock, zc: _zerocopy) -> None:
    """Copy what is little; there are no pages of packets to map. EINVAL, ENOTCONN, EIO."""
    copybuf_len = zc.copybuf_len
    inq = tcp_inq(sk)
    zc.copybuf_len = zc.msg_flags = 0
    if zc.address & 4095:
        raise KernelError(EINVAL)
    if sk.skc_state == TCP_LISTEN:
        raise KernelError(ENOTCONN)
    if inq and inq <= copybuf_len:
        receive_fallback_to_copy(sk, zc, inq)
        return
    if inq >= 4096:
        raise KernelError(EINVAL)
    zc.length = 0
    zc.recv_skip_hint = inq
    if not inq and sk.skc_flags >> SOCK_DONE & 1:
        raise KernelError(EIO)


def _zerocopy_receive(sk: tcp_sock, optval: sockptr_t, optlen: sockptr_t) -> None:
    length = _get_len(optlen)
    if length < 12:
        raise KernelError(EINVAL)
    if length > 64:
        if any(copy_from_sockptr_offset(optval, 64, length - 64)):
            raise KernelError(EINVAL)
        length = 64
        copy_to_sockptr(optlen, length.to_bytes(4, "little"))
    zc = _zerocopy(copy_from_sockptr(optval, length))
    if zc.reserved or zc.msg_flags & ~2:
        raise KernelError(EINVAL)
    sockopt_lock_sock(sk)
    try:
        tcp_zerocopy_receive(sk, zc)
    finally:
        sockopt_release_sock(sk)
    if length >= 60:
        zc.msg_flags = 0
    if length >= 24:
        zc.err = -sock_error(sk)
    if length >= 20:
        zc.inq = tcp_recvmsg.tcp_inq_hint(sk)
    copy_to_sockptr(optval, zc._to_bytes()[:length])


_BYTES: dict[int, Callable[[tcp_sock, sockptr_t, sockptr_t], None]] = {
    abi.TCP_INFO: _info,
    abi.TCP_CC_INFO: _cc_info,
    abi.TCP_CONGESTION: _congestion,
    abi.TCP_ULP: _ulp,
    abi.TCP_FASTOPEN_KEY: _fastopen_key,
    abi.TCP_REPAIR_WINDOW: _repair_window,
    abi.TCP_SAVED_SYN: _saved_syn,
    abi.TCP_ZEROCOPY_RECEIVE: _zerocopy_receive,
}


def do_tcp_getsockopt(sk: tcp_sock, level: int, optname: int, optval: sockptr_t, optlen: sockptr_t) -> int:
    """Read an option. EFAULT, EINVAL, EPERM, ENOPROTOOPT."""
    length = _get_len(optlen)
    if length < 0:
        raise KernelError(EINVAL)
    get_int = _INTS.get(optname)
    if get_int is None:
        get_bytes = _BYTES.get(optname)
        if get_bytes is None:
            raise KernelError(ENOPROTOOPT)
        get_bytes(sk, optval, optlen)
        return 0
    val = get_int(sk)
    length = min(length, 4)
    copy_to_sockptr(optlen, length.to_bytes(4, "little"))
    copy_to_sockptr(optval, (val & U32).to_bytes(4, "little")[:length])
    return 0


def tcp_bpf_bypass_getsockopt(level: int, optname: int) -> bool:
    """Whether BPF must keep out of an option."""
    return level == SOL_TCP and optname == abi.TCP_ZEROCOPY_RECEIVE


def tcp_getsockopt(sk: tcp_sock, level: int, optname: int, optval: int, optlen: int) -> int:
    """proto.getsockopt of TCP: other levels are the IP layer's."""
    if level != SOL_TCP:
        return sk.icsk_af_ops.getsockopt(sk, level, optname, optval, optlen)
    current = sk.skc_net.kernel.current
    return do_tcp_getsockopt(sk, level, optname, USER_SOCKPTR(current, optval), USER_SOCKPTR(current, optlen))
