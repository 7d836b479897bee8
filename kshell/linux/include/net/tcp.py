"""include/net/tcp.h: TCP's constants, control blocks and small functions.

Inline functions of Linux that only test or set a field are written out where they are used.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kshell.abi.tcp import TCPF_CA_CWR
from kshell.linux.include.linux.jiffies import HZ
from kshell.linux.include.linux.tcp import tcp_fastopen_cookie, tcp_sock

if TYPE_CHECKING:
    from kshell.linux.include.linux.module import module
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.linux.socket import msghdr
    from kshell.linux.include.net.dst import dst_entry
    from kshell.linux.include.net.flow import flowi4
    from kshell.linux.include.net.net_namespace import net
    from kshell.linux.include.net.request_sock import request_sock
    from kshell.linux.include.net.sock import sock


TCP_CA_Open = 0
TCP_CA_Disorder = 1
TCP_CA_Recovery = 3
TCP_CA_Loss = 4
TCPF_CA_Recovery = 1 << TCP_CA_Recovery

MAX_TCP_HEADER = 320
MAX_TCP_OPTION_SPACE = 40
TCP_MIN_SND_MSS = 48
MAX_TCP_WINDOW = 32767
TCP_MIN_MSS = 88
TCP_FASTRETRANS_THRESH = 3
TCP_MAX_QUICKACKS = 16
TCP_MAX_WSCALE = 14
TCP_URG_VALID = 0x0100
TCP_URG_NOTYET = 0x0200
TCP_URG_READ = 0x0400
TCP_TIMEWAIT_LEN = 60 * HZ
TCP_FIN_TIMEOUT = TCP_TIMEWAIT_LEN
TCP_FIN_TIMEOUT_MAX = 120 * HZ
TCP_DELACK_MAX = HZ // 5
TCP_DELACK_MIN = HZ // 25
TCP_ATO_MIN = HZ // 25
TCP_RTO_MAX = 120 * HZ
TCP_RTO_MIN = HZ // 5
TCP_TIMEOUT_MIN = 2
TCP_TIMEOUT_MIN_US = 2000
TCP_TIMEOUT_INIT = HZ
TCP_TIMEOUT_FALLBACK = 3 * HZ
TCP_RESOURCE_PROBE_INTERVAL = HZ // 2
TCP_KEEPALIVE_TIME = 120 * 60 * HZ
TCP_KEEPALIVE_INTVL = 75 * HZ
MAX_TCP_KEEPIDLE = 32767
MAX_TCP_KEEPINTVL = 32767
MAX_TCP_KEEPCNT = 127
MAX_TCP_SYNCNT = 127

TCPOPT_EXP = 254
TCPOPT_FASTOPEN_MAGIC = 0xF989
TCPOLEN_MSS = 4
TCPOLEN_WINDOW = 3
TCPOLEN_SACK_PERM = 2
TCPOLEN_TIMESTAMP = 10
TCPOLEN_MD5SIG = 18
TCPOLEN_FASTOPEN_BASE = 2
TCPOLEN_EXP_FASTOPEN_BASE = 4
TCPOLEN_TSTAMP_ALIGNED = 12
TCPOLEN_WSCALE_ALIGNED = 4
TCPOLEN_SACKPERM_ALIGNED = 4
TCPOLEN_SACK_BASE = 2
TCPOLEN_SACK_BASE_ALIGNED = 4
TCPOLEN_SACK_PERBLOCK = 8
TCPOLEN_MD5SIG_ALIGNED = 20
TCPOLEN_MSS_ALIGNED = 4

TCPHDR_FIN = 0x01
TCPHDR_SYN = 0x02
TCPHDR_RST = 0x04
TCPHDR_PSH = 0x08
TCPHDR_ACK = 0x10
TCPHDR_URG = 0x20
TCPHDR_ECE = 0x40
TCPHDR_CWR = 0x80
TCPHDR_SYN_ECN = TCPHDR_SYN | TCPHDR_ECE | TCPHDR_CWR

TCP_NAGLE_OFF = 1
TCP_NAGLE_CORK = 2
TCP_NAGLE_PUSH = 4

TCP_INIT_CWND = 10
TCP_INFINITE_SSTHRESH = 0x7FFFFFFF
TFO_CLIENT_ENABLE = 1
TFO_SERVER_ENABLE = 2
TFO_CLIENT_NO_COOKIE = 4
TFO_SERVER_COOKIE_NOT_REQD = 0x200
TFO_SERVER_WO_SOCKOPT1 = 0x400

TCP_RACK_LOSS_DETECTION = 1
TCP_RACK_STATIC_REO_WND = 2
TCP_RACK_NO_DUPTHRESH = 4

TCP_ECN_OK = 1
TCP_ECN_QUEUE_CWR = 2
TCP_ECN_DEMAND_CWR = 4
TCP_ECN_SEEN = 8

TCP_TW_SUCCESS = 0
TCP_TW_RST = 1
TCP_TW_ACK = 2
TCP_TW_SYN = 3

TCPCB_SACKED_ACKED = 0x01
TCPCB_SACKED_RETRANS = 0x02
TCPCB_LOST = 0x04
TCPCB_TAGBITS = 0x07
TCPCB_REPAIRED = 0x10
TCPCB_EVER_RETRANS = 0x80
TCPCB_RETRANS = TCPCB_SACKED_RETRANS | TCPCB_EVER_RETRANS | TCPCB_REPAIRED

CA_EVENT_TX_START = 0
CA_EVENT_CWND_RESTART = 1
CA_EVENT_COMPLETE_CWR = 2
CA_EVENT_LOSS = 3
CA_EVENT_ECN_NO_CE = 4
CA_EVENT_ECN_IS_CE = 5
CA_ACK_SLOWPATH = 1
CA_ACK_WIN_UPDATE = 2
CA_ACK_ECE = 4

TCP_CA_NAME_MAX = 16
TCP_CA_UNSPEC = 0
TCP_CONG_NON_RESTRICTED = 1
TCP_CONG_NEEDS_ECN = 2

TCP_CHRONO_UNSPEC = 0
TCP_CHRONO_BUSY = 1
TCP_CHRONO_RWND_LIMITED = 2
TCP_CHRONO_SNDBUF_LIMITED = 3

TCP_SYNACK_NORMAL = 0
TCP_SYNACK_FASTOPEN = 1
TCP_SYNACK_COOKIE = 2

TCP_FRAG_IN_WRITE_QUEUE = 0
TCP_FRAG_IN_RTX_QUEUE = 1

TCP_ULP_NAME_MAX = 16
U32 = 0xFFFFFFFF


class tcp_skb_cb:
    """struct tcp_skb_cb: what TCP notes on each of its packets, in `skb.cb`. `h4` is the IP layer's (header.h4).

    delivered, first_tx_mstamp and is_app_limited are set when the packet is sent; delivered_mstamp is 0 until then.
    """

    __slots__ = (
        "ack_seq", "delivered", "delivered_mstamp", "end_seq", "eor", "first_tx_mstamp", "h4", "has_rxtstamp",
        "ip_dsfield", "is_app_limited", "sacked", "seq", "tcp_flags", "tcp_gso_segs", "tcp_gso_size", "tcp_tw_isn",
        "txstamp_ack",
    )

    delivered: int
    first_tx_mstamp: int
    is_app_limited: int

    def __init__(self, seq: int = 0, end_seq: int = 0, tcp_flags: int = 0, ack_seq: int = 0) -> None:
        self.seq = seq
        self.end_seq = end_seq
        self.tcp_flags = tcp_flags
        self.ack_seq = ack_seq
        self.tcp_tw_isn = 0
        self.tcp_gso_segs = 0
        self.tcp_gso_size = 0
        self.sacked = 0
        self.ip_dsfield = 0
        self.txstamp_ack = 0
        self.eor = 0
        self.has_rxtstamp = 0
        self.delivered_mstamp = 0
        self.h4: object | None = None


class ack_sample:
    """What a congestion module learns from an ACK."""

    __slots__ = ("in_flight", "pkts_acked", "rtt_us")

    def __init__(self, pkts_acked: int, rtt_us: int, in_flight: int) -> None:
        self.pkts_acked = pkts_acked
        self.rtt_us = rtt_us
        self.in_flight = in_flight


class rate_sample:
    """The delivery rate over the flight that one ACK acknowledges; times in µs."""

    __slots__ = (
        "acked_sacked", "delivered", "interval_us", "is_ack_delayed", "is_app_limited", "is_retrans", "last_end_seq",
        "losses", "prior_delivered", "prior_in_flight", "prior_mstamp", "rcv_interval_us", "rtt_us", "snd_interval_us",
    )

    def __init__(self) -> None:
        self.prior_mstamp = 0
        self.prior_delivered = 0
        self.delivered = 0
        self.interval_us = 0
        self.snd_interval_us = 0
        self.rcv_interval_us = 0
        self.rtt_us = 0
        self.losses = 0
        self.acked_sacked = 0
        self.prior_in_flight = 0
        self.last_end_seq = 0
        self.is_app_limited = False
        self.is_retrans = False
        self.is_ack_delayed = False


class tcp_congestion_ops:
    """A congestion control module; `flags` TCP_CONG_*."""

    __slots__ = (
        "cong_avoid", "cong_control", "cwnd_event", "flags", "get_info", "in_ack_event", "init", "key", "min_tso_segs",
        "name", "owner", "pkts_acked", "release", "set_state", "sndbuf_expand", "ssthresh", "undo_cwnd",
    )

    def __init__(
        self,
        *,
        name: str,
        ssthresh: Callable[[tcp_sock], int],
        undo_cwnd: Callable[[tcp_sock], int],
        cong_avoid: Callable[[tcp_sock, int, int], None] | None = None,
        set_state: Callable[[tcp_sock, int], None] | None = None,
        cwnd_event: Callable[[tcp_sock, int], None] | None = None,
        in_ack_event: Callable[[tcp_sock, int], None] | None = None,
        pkts_acked: Callable[[tcp_sock, ack_sample], None] | None = None,
        min_tso_segs: Callable[[tcp_sock], int] | None = None,
        cong_control: Callable[[tcp_sock, rate_sample], None] | None = None,
        sndbuf_expand: Callable[[tcp_sock], int] | None = None,
        get_info: Callable[[tcp_sock, int], bytes] | None = None,
        init: Callable[[tcp_sock], None] | None = None,
        release: Callable[[tcp_sock], None] | None = None,
        flags: int = 0,
        key: int = 0,
        owner: module | None = None,
    ) -> None:
        self.name = name
        self.ssthresh = ssthresh
        self.undo_cwnd = undo_cwnd
        self.cong_avoid = cong_avoid
        self.set_state = set_state
        self.cwnd_event = cwnd_event
        self.in_ack_event = in_ack_event
        self.pkts_acked = pkts_acked
        self.min_tso_segs = min_tso_segs
        self.cong_control = cong_control
        self.sndbuf_expand = sndbuf_expand
        self.get_info = get_info
        self.init = init
        self.release = release
        self.flags = flags
        self.key = key
        self.owner = owner


class tcp_ulp_ops:
    """An upper layer protocol that can be put upon a socket by TCP_ULP."""

    __slots__ = ("init", "name", "release")

    def __init__(
        self, *, name: str, init: Callable[[sock], None], release: Callable[[sock], None] | None = None
    ) -> None:
        self.name = name
        self.init = init
        self.release = release


class tcp_request_sock_ops:
    """What the handshake leaves to the IP version below it."""

    __slots__ = ("cookie_init_seq", "init_seq_and_ts_off", "mss_clamp", "req_md5_lookup", "route_req", "send_synack")

    def __init__(
        self,
        *,
        mss_clamp: int,
        req_md5_lookup: Callable[[sock, sock], object | None],
        cookie_init_seq: Callable[[sk_buff, int], tuple[int, int]],
        route_req: Callable[[sock, sk_buff, flowi4, request_sock], dst_entry | None],
        init_seq_and_ts_off: Callable[[net, sk_buff], tuple[int, int]],
        send_synack: Callable[..., None],
    ) -> None:
        self.mss_clamp = mss_clamp
        self.req_md5_lookup = req_md5_lookup
        self.cookie_init_seq = cookie_init_seq
        self.route_req = route_req
        self.init_seq_and_ts_off = init_seq_and_ts_off
        self.send_synack = send_synack


class tcp_fastopen_request:
    """Data that waits for connect() to carry it on the SYN."""

    __slots__ = ("cookie", "copied", "data", "size")

    def __init__(self, data: msghdr, size: int) -> None:
        self.cookie = tcp_fastopen_cookie(0)
        self.data = data
        self.size = size
        self.copied = 0


class tcp_md5sig_key:
    """A TCP-MD5 key for a peer (address, prefix length)."""

    __slots__ = ("addr", "family", "flags", "key", "l3index", "prefixlen")

    def __init__(self, addr: int, family: int, prefixlen: int, l3index: int, flags: int, key: bytes) -> None:
        self.addr = addr
        self.family = family
        self.prefixlen = prefixlen
        self.l3index = l3index
        self.flags = flags
        self.key = key


class tcp_md5sig_info:
    """The keys of one socket."""

    __slots__ = ("head",)

    def __init__(self) -> None:
        self.head: list[tcp_md5sig_key] = []


def before(seq1: int, seq2: int) -> bool:
    """seq1 < seq2 in 32-bit sequence arithmetic."""
    return (seq1 - seq2) & 0x80000000 != 0


def after(seq2: int, seq1: int) -> bool:
    """seq2 > seq1 in 32-bit sequence arithmetic."""
    return (seq1 - seq2) & 0x80000000 != 0


def between(seq1: int, seq2: int, seq3: int) -> bool:
    """seq2 <= seq1 <= seq3 in 32-bit sequence arithmetic."""
    return (seq3 - seq2) & U32 >= (seq1 - seq2) & U32


def _s32(value: int) -> int:
    """A difference of two u32 as C's signed 32-bit int."""
    return ((value + 0x80000000) & U32) - 0x80000000


def tcp_packets_in_flight(tp: tcp_sock) -> int:
    """Segments thought to be in the network."""
    return tp.packets_out - tp.sacked_out - tp.lost_out + tp.retrans_out


def tcp_is_cwnd_limited(tp: tcp_sock) -> bool:
    """True when the congestion window held the sender back."""
    if tp.is_cwnd_limited:
        return True
    return tp.snd_cwnd < tp.snd_ssthresh and tp.snd_cwnd < 2 * tp.max_packets_out


def tcp_in_cwnd_reduction(tp: tcp_sock) -> bool:
    """True while the window is being brought down (CWR, Recovery)."""
    return bool((TCPF_CA_CWR | TCPF_CA_Recovery) >> tp.icsk_ca_state & 1)


def tcp_current_ssthresh(tp: tcp_sock) -> int:
    """The threshold after recovery, or three quarters of the window."""
    if tcp_in_cwnd_reduction(tp):
        return tp.snd_ssthresh
    return max(tp.snd_ssthresh, (tp.snd_cwnd >> 1) + (tp.snd_cwnd >> 2))


def tcp_stream_is_thin(tp: tcp_sock) -> bool:
    """True for an interactive stream with few packets in flight."""
    return tp.packets_out < 4 and tp.snd_ssthresh < TCP_INFINITE_SSTHRESH
