"""include/net/inet_connection_sock.h: what every connection-oriented INET socket has."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kshell.linux.include.linux.jiffies import HZ
from kshell.linux.include.net.inet_sock import inet_sock
from kshell.linux.include.net.request_sock import request_sock_queue
from kshell.linux.kernel.time.timer import timer_list

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.linux.sockptr import sockptr_t
    from kshell.linux.include.net.inet_hashtables import inet_bind2_bucket, inet_bind_bucket
    from kshell.linux.include.net.request_sock import request_sock
    from kshell.linux.include.net.sock import sock
    from kshell.linux.include.net.tcp import tcp_congestion_ops, tcp_ulp_ops

ICSK_TIME_RETRANS = 1
ICSK_TIME_DACK = 2
ICSK_TIME_PROBE0 = 3
ICSK_TIME_LOSS_PROBE = 5
ICSK_TIME_REO_TIMEOUT = 6

ICSK_ACK_SCHED = 1
ICSK_ACK_TIMER = 2
ICSK_ACK_PUSHED = 4
ICSK_ACK_PUSHED2 = 8
ICSK_ACK_NOW = 16

TCP_PINGPONG_THRESH = 1


class inet_connection_sock_af_ops:
    """What TCP leaves to the IP version below it."""

    __slots__ = (
        "addr2sockaddr", "conn_request", "getsockopt", "mtu_reduced", "net_header_len", "queue_xmit",
        "rebuild_header", "send_check", "setsockopt", "sk_rx_dst_set", "sockaddr_len", "syn_recv_sock",
    )

    def __init__(
        self,
        *,
        queue_xmit: Callable[[sock, sk_buff, object], int],
        send_check: Callable[[sock, sk_buff], None],
        rebuild_header: Callable[[sock], None],
        sk_rx_dst_set: Callable[[sock, sk_buff], None],
        conn_request: Callable[[sock, sk_buff], int],
        syn_recv_sock: Callable[..., sock | None],
        net_header_len: int,
        sockaddr_len: int,
        setsockopt: Callable[[sock, int, int, sockptr_t, int], int],
        getsockopt: Callable[[sock, int, int, int, int], int],
        addr2sockaddr: Callable[[sock], bytes],
        mtu_reduced: Callable[[sock], None],
    ) -> None:
        self.queue_xmit = queue_xmit
        self.send_check = send_check
        self.rebuild_header = rebuild_header
        self.sk_rx_dst_set = sk_rx_dst_set
        self.conn_request = conn_request
        self.syn_recv_sock = syn_recv_sock
        self.net_header_len = net_header_len
        self.sockaddr_len = sockaddr_len
        self.setsockopt = setsockopt
        self.getsockopt = getsockopt
        self.addr2sockaddr = addr2sockaddr
        self.mtu_reduced = mtu_reduced


class icsk_ack:
    """Delayed ACK control: `pending` ICSK_ACK_* bits, `quick` ACKs left, `ato` and times in jiffies."""

    __slots__ = ("ato", "last_seg_size", "lrcvtime", "pending", "pingpong", "quick", "rcv_mss", "retry", "timeout")

    def __init__(self) -> None:
        self.pending = 0
        self.quick = 0
        self.pingpong = 0
        self.retry = 0
        self.ato = 0
        self.timeout = 0
        self.lrcvtime = 0
        self.last_seg_size = 0
        self.rcv_mss = 0


class icsk_mtup:
    """Path MTU probing."""

    __slots__ = ("enabled", "probe_size", "probe_timestamp", "search_high", "search_low")

    def __init__(self) -> None:
        self.search_high = 0
        self.search_low = 0
        self.probe_size = 0
        self.enabled = 0
        self.probe_timestamp = 0


class _embedded:
    """A struct embedded in a socket, made when first looked at; without __set__, the made one hides it."""

    __slots__ = ("_make", "_name")

    def __init__(self, make: Callable[[], object]) -> None:
        self._make = make

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, sk: object, owner: type) -> object:
        if sk is None:
            return self
        value = self._make()
        setattr(sk, self._name, value)
        return value


class inet_connection_sock(inet_sock):
    """struct inet_connection_sock. Embedded structs come up on first use."""

    __slots__ = (
        "icsk_af_ops", "icsk_bind2_hash", "icsk_bind_hash",
        "icsk_ca_ops", "icsk_ca_priv", "icsk_ca_state", "icsk_delack_timer", "icsk_keepalive_timer",
        "icsk_pending", "icsk_retransmit_timer", "icsk_rto", "icsk_timeout",
    )

    icsk_accept_queue: request_sock_queue
    icsk_bind_hash: inet_bind_bucket | None
    icsk_bind2_hash: inet_bind2_bucket | None
    icsk_timeout: int
    icsk_rto: int
    icsk_ca_ops: tcp_congestion_ops
    icsk_af_ops: inet_connection_sock_af_ops
    icsk_ca_state: int
    icsk_pending: int
    icsk_ack: icsk_ack
    icsk_mtup: icsk_mtup
    icsk_ca_priv: object | None

    icsk_retransmit_timer: timer_list  # shared and idle until first armed
    icsk_delack_timer: timer_list
    icsk_keepalive_timer: timer_list
    icsk_sync_mss: Callable[[sock, int], int] | None = None
    icsk_ulp_ops: tcp_ulp_ops | None = None
    icsk_rto_min: int = HZ // 5  # TCP_RTO_MIN
    icsk_delack_max: int = HZ // 5  # TCP_DELACK_MAX
    icsk_pmtu_cookie: int = 0
    icsk_retransmits: int = 0
    icsk_backoff: int = 0
    icsk_probes_out: int = 0
    icsk_ca_initialized: int = 0
    icsk_ca_setsockopt: int = 0
    icsk_ca_dst_locked: int = 0
    icsk_syn_retries: int = 0
    icsk_ext_hdr_len: int = 0
    icsk_probes_tstamp: int = 0
    icsk_user_timeout: int = 0

    if not TYPE_CHECKING:
        icsk_accept_queue = _embedded(request_sock_queue)
        icsk_ack = _embedded(icsk_ack)
        icsk_mtup = _embedded(icsk_mtup)


def inet_csk(sk: sock) -> inet_connection_sock:
    """The connection part of a socket, for callers that only know a sock."""
    assert isinstance(sk, inet_connection_sock)
    return sk


def inet_csk_schedule_ack(icsk: inet_connection_sock) -> None:
    """An ACK is owed."""
    icsk.icsk_ack.pending |= ICSK_ACK_SCHED


def inet_csk_delack_init(icsk: inet_connection_sock) -> None:
    """Start delayed ACK control from nothing."""
    icsk.icsk_ack = icsk_ack()


def inet_csk_rto_backoff(icsk: inet_connection_sock, max_when: int) -> int:
    """The retransmission timeout, doubled per timeout, in jiffies."""
    return min(icsk.icsk_rto << icsk.icsk_backoff, max_when)


def reqsk_timeout(req: request_sock, max_timeout: int) -> int:
    """The SYN-ACK timeout of a request, doubled per timeout, in jiffies."""
    return min(req.timeout << req.num_timeout, max_timeout)


def inet_csk_in_pingpong_mode(icsk: inet_connection_sock) -> bool:
    """True while ACKs wait for a reply to ride on."""
    return icsk.icsk_ack.pingpong >= TCP_PINGPONG_THRESH
