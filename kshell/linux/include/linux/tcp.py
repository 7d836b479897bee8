"""include/linux/tcp.h: the TCP header and the state of a connection.

A struct that Linux embeds without a name (`icsk_ack`, `rack`, `rcvq_space` …) is a small class here. Fields of a
connection have slots that stay empty until a connection needs them; reading one gives Linux's zero.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.linux.include.linux.hrtimer import hrtimer
from kshell.linux.include.net.inet_connection_sock import _embedded, inet_connection_sock
from kshell.linux.include.net.inet_sock import inet_request_sock
from kshell.linux.include.net.inet_timewait_sock import inet_timewait_sock
from kshell.linux.include.net.sock import sock

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.request_sock import request_sock, saved_syn
    from kshell.linux.include.net.tcp import tcp_fastopen_request, tcp_md5sig_info, tcp_request_sock_ops

TCP_FASTOPEN_COOKIE_MIN = 4
TCP_FASTOPEN_COOKIE_MAX = 16
TCP_FASTOPEN_COOKIE_SIZE = 8

TCP_SACK_SEEN = 1 << 0
TCP_DSACK_SEEN = 1 << 2
TCP_NUM_SACKS = 4
TCP_RACK_RECOVERY_THRESH = 16

TSQ_THROTTLED = 0
TSQ_QUEUED = 1
TCP_TSQ_DEFERRED = 2
TCP_WRITE_TIMER_DEFERRED = 3
TCP_DELACK_TIMER_DEFERRED = 4
TCP_MTU_REDUCED_DEFERRED = 5
TSQF_THROTTLED = 1 << TSQ_THROTTLED
TSQF_QUEUED = 1 << TSQ_QUEUED
TCPF_TSQ_DEFERRED = 1 << TCP_TSQ_DEFERRED
TCPF_WRITE_TIMER_DEFERRED = 1 << TCP_WRITE_TIMER_DEFERRED
TCPF_DELACK_TIMER_DEFERRED = 1 << TCP_DELACK_TIMER_DEFERRED
TCPF_MTU_REDUCED_DEFERRED = 1 << TCP_MTU_REDUCED_DEFERRED


class tcp_sack_block:
    """One received range beyond a hole: [start_seq, end_seq)."""

    __slots__ = ("end_seq", "start_seq")

    def __init__(self, start_seq: int = 0, end_seq: int = 0) -> None:
        self.start_seq = start_seq
        self.end_seq = end_seq


class tcp_fastopen_cookie:
    """A Fast Open cookie; `len` is -1 when there is none, 0 for a request of one."""

    __slots__ = ("exp", "len", "val")

    def __init__(self, length: int = -1, val: bytes = b"", exp: bool = False) -> None:
        self.len = length
        self.val = val
        self.exp = exp


class tcp_options_received:
    """What the peer's options said, on the SYN and on the latest segment."""

    __slots__ = (
        "dsack",
        "mss_clamp",
        "num_sacks",
        "rcv_tsecr",
        "rcv_tsval",
        "rcv_wscale",
        "sack_ok",
        "saw_tstamp",
        "saw_unknown",
        "snd_wscale",
        "ts_recent",
        "ts_recent_stamp",
        "tstamp_ok",
        "user_mss",
        "wscale_ok",
    )

    def __init__(self) -> None:
        self.ts_recent_stamp = 0
        self.ts_recent = 0
        self.rcv_tsval = 0
        self.rcv_tsecr = 0
        self.saw_tstamp = 0
        self.tstamp_ok = 0
        self.dsack = 0
        self.wscale_ok = 0
        self.sack_ok = 0
        self.snd_wscale = 0
        self.rcv_wscale = 0
        self.saw_unknown = 0
        self.num_sacks = 0
        self.user_mss = 0
        self.mss_clamp = 0


def tcp_clear_options(rx_opt: tcp_options_received) -> None:
    """Forget what the SYN negotiated."""
    rx_opt.tstamp_ok = rx_opt.sack_ok = 0
    rx_opt.wscale_ok = rx_opt.snd_wscale = 0


class tcp_rack:
    """RACK: the latest delivered transmission, by which older ones are judged lost."""

    __slots__ = (
        "advanced", "dsack_seen", "end_seq", "last_delivered", "mstamp", "reo_wnd_persist", "reo_wnd_steps", "rtt_us",
    )

    def __init__(self) -> None:
        self.mstamp = 0
        self.rtt_us = 0
        self.end_seq = 0
        self.last_delivered = 0
        self.reo_wnd_steps = 1
        self.reo_wnd_persist = 0
        self.dsack_seen = 0
        self.advanced = 0


class rcv_rtt_est:
    """Receiver side RTT: µs << 3, the sequence and time (µs) of the running measurement."""

    __slots__ = ("rtt_us", "seq", "time")

    def __init__(self) -> None:
        self.rtt_us = 0
        self.seq = 0
        self.time = 0


class rcvq_space:
    """How fast the reader drains the queue: the measure by which the receive buffer grows."""

    __slots__ = ("seq", "space", "time")

    def __init__(self) -> None:
        self.space = 0
        self.seq = 0
        self.time = 0


class minmax:
    """lib/win_minmax: a running minimum or maximum over a time window, three samples (time, value)."""

    __slots__ = ("s",)

    def __init__(self) -> None:
        sample = (0, 0xFFFFFFFF)
        self.s: list[tuple[int, int]] = [sample, sample, sample]


def _never(timer: hrtimer) -> int:
    return 0


_IDLE_HRTIMER = hrtimer(_never)


NO_PACKETS: list[sk_buff] = ()  # type: ignore[assignment]  # the queues of a socket that was never connected


class tcp_sock(inet_connection_sock):
    """struct tcp_sock: sequence numbers, windows, timers and queues of one TCP socket."""

    __slots__ = (
        "advmss",
        "bytes_acked",
        "bytes_received",
        "bytes_sent",
        "copied_seq",
        "data_segs_in",
        "data_segs_out",
        "delivered",
        "lsndtime",
        "max_window",
        "mdev_us",
        "mss_cache",
        "nonagle",
        "out_of_order_queue",
        "packets_out",
        "pred_flags",
        "rcv_nxt",
        "rcv_ssthresh",
        "rcv_tstamp",
        "rcv_wnd",
        "rcv_wup",
        "reordering",
        "rttvar_us",
        "segs_in",
        "segs_out",
        "snd_cwnd",
        "snd_cwnd_cnt",
        "snd_cwnd_stamp",
        "snd_nxt",
        "snd_ssthresh",
        "snd_una",
        "snd_wl1",
        "snd_wnd",
        "srtt_us",
        "tcp_clock_cache",
        "tcp_header_len",
        "tcp_mstamp",
        "tcp_rtx_queue",
        "tcp_wstamp_ns",
        "window_clamp",
        "write_seq",
    )

    tcp_header_len: int
    pred_flags: int
    bytes_received: int
    segs_in: int
    data_segs_in: int
    rcv_nxt: int
    copied_seq: int
    rcv_wup: int
    snd_nxt: int
    segs_out: int
    data_segs_out: int
    bytes_sent: int
    bytes_acked: int
    snd_una: int
    rcv_tstamp: int
    lsndtime: int
    snd_wl1: int
    snd_wnd: int
    max_window: int
    mss_cache: int
    window_clamp: int
    rcv_ssthresh: int
    rack: tcp_rack
    advmss: int
    chrono_stat: list[int]
    nonagle: int
    tcp_wstamp_ns: int
    tcp_clock_cache: int
    tcp_mstamp: int
    srtt_us: int
    mdev_us: int
    rttvar_us: int
    rtt_min: minmax
    packets_out: int
    reordering: int
    rx_opt: tcp_options_received
    snd_ssthresh: int
    snd_cwnd: int
    snd_cwnd_cnt: int
    snd_cwnd_stamp: int
    delivered: int
    rcv_wnd: int
    write_seq: int
    out_of_order_queue: list[sk_buff]  # struct rb_root: sorted by sequence
    tcp_rtx_queue: list[sk_buff]  # struct rb_root of struct sock: sent and not acknowledged, sorted
    rcv_rtt_est: rcv_rtt_est
    rcvq_space: rcvq_space

    app_limited: int = 0xFFFFFFFF
    rate_app_limited: int = 1
    rate_delivered: int = 0
    rate_interval_us: int = 0
    chrono_start: int = 0
    chrono_type: int = 0
    compressed_ack: int = 0
    cwnd_usage_seq: int = 0
    high_seq: int = 0
    is_cwnd_limited: int = 0
    lost: int = 0
    lost_out: int = 0
    max_packets_out: int = 0
    mdev_max_us: int = 0
    pushed_seq: int = 0
    rcv_rtt_last_tsecr: int = 0
    retrans_out: int = 0
    rtt_seq: int = 0
    sacked_out: int = 0
    snd_cwnd_used: int = 0
    snd_sml: int = 0
    snd_up: int = 0
    tlp_high_seq: int = 0
    total_retrans: int = 0
    tsoffset: int = 0
    undo_marker: int = 0
    urg_data: int = 0
    gso_segs: int = 0
    first_tx_mstamp: int = 0
    delivered_mstamp: int = 0
    snd_cwnd_clamp: int = 0xFFFFFFFF
    dsack_dups: int = 0
    last_oow_ack_time: int = 0
    compressed_ack_rcv_nxt: int = 0
    dup_ack_counter: int = 0
    tlp_retrans: int = 0
    fastopen_connect: int = 0
    fastopen_no_cookie: int = 0
    is_sack_reneg: int = 0
    fastopen_client_fail: int = 0
    thin_lto: int = 0
    recvmsg_inq: int = 0
    repair: int = 0
    frto: int = 0
    repair_queue: int = 0
    save_syn: int = 0
    syn_data: int = 0
    syn_fastopen: int = 0
    syn_fastopen_exp: int = 0
    syn_fastopen_ch: int = 0
    syn_data_acked: int = 0
    tcp_tx_delay: int = 0
    ecn_flags: int = 0
    keepalive_probes: int = 0
    reord_seen: int = 0
    prior_cwnd: int = 0
    prr_delivered: int = 0
    prr_out: int = 0
    delivered_ce: int = 0
    notsent_lowat: int = 0
    pacing_timer: hrtimer = _IDLE_HRTIMER  # shared and idle until first armed
    compressed_ack_timer: hrtimer = _IDLE_HRTIMER
    lost_skb_hint: sk_buff | None = None
    retransmit_skb_hint: sk_buff | None = None
    ooo_last_skb: sk_buff | None = None
    duplicate_sack: tuple[tcp_sack_block, ...] = ()
    selective_acks: tuple[tcp_sack_block, ...] = ()
    recv_sack_cache: tuple[tcp_sack_block, ...] = ()
    highest_sack: sk_buff | None = None
    lost_cnt_hint: int = 0
    prior_ssthresh: int = 0
    retrans_stamp: int = 0
    undo_retrans: int = 0
    bytes_retrans: int = 0
    urg_seq: int = 0
    keepalive_time: int = 0
    keepalive_intvl: int = 0
    linger2: int = 0
    timeout_rehash: int = 0
    rcv_ooopack: int = 0
    mtu_info: int = 0
    md5sig_info: tcp_md5sig_info | None = None
    fastopen_req: tcp_fastopen_request | None = None
    fastopen_rsk: request_sock | None = None
    saved_syn: saved_syn | None = None

    if not TYPE_CHECKING:
        rx_opt = _embedded(tcp_options_received)
        rack = _embedded(tcp_rack)
        rtt_min = _embedded(minmax)
        rcv_rtt_est = _embedded(rcv_rtt_est)
        rcvq_space = _embedded(rcvq_space)
        chrono_stat = _embedded(lambda: [0, 0, 0])

    _EMBEDDED = (
        "icsk_accept_queue", "icsk_ack", "icsk_mtup", "rx_opt", "rack", "rtt_min", "rcv_rtt_est", "rcvq_space",
        "chrono_stat",
    )  # fmt: skip

    def __init__(self) -> None:
        """Zero, without what tcp_init_sock() gives a value anyway.

        The fields of inet_sock and inet_connection_sock are here, too: each step up costs every socket() a call.
        """
        sock.__init__(self)
        self.inet_saddr = self.inet_sport = self.inet_id = self.pmtudisc = self.is_icsk = 0
        self.icsk_ca_state = self.icsk_timeout = 0
        self.icsk_bind_hash = self.icsk_bind2_hash = self.icsk_ca_priv = None
        self.out_of_order_queue = self.tcp_rtx_queue = NO_PACKETS
        self.advmss = self.bytes_acked = self.bytes_received = self.bytes_sent = self.copied_seq = self.data_segs_in = 0
        self.data_segs_out = self.delivered = self.lsndtime = self.max_window = 0
        self.nonagle = self.packets_out = self.pred_flags = self.rcv_nxt = self.rcv_ssthresh = self.rcv_tstamp = 0
        self.rcv_wnd = self.rcv_wup = self.rttvar_us = self.segs_in = self.segs_out = 0
        self.snd_cwnd_cnt = self.snd_cwnd_stamp = self.snd_nxt = 0
        self.snd_una = self.snd_wl1 = self.snd_wnd = self.srtt_us = self.tcp_clock_cache = self.tcp_header_len = 0
        self.tcp_mstamp = self.tcp_wstamp_ns = self.window_clamp = self.write_seq = 0


class tcp_request_sock(inet_request_sock):
    """struct tcp_request_sock: sequence numbers of a handshake that has no socket yet."""

    __slots__ = (
        "af_specific", "last_oow_ack_time", "rcv_isn", "rcv_nxt", "snt_isn", "snt_synack", "syn_tos", "tfo_listener",
        "ts_off", "txhash",
    )

    af_specific: tcp_request_sock_ops
    snt_synack: int
    tfo_listener: bool
    txhash: int
    rcv_isn: int
    snt_isn: int
    ts_off: int
    last_oow_ack_time: int
    rcv_nxt: int
    syn_tos: int


class tcp_timewait_sock(inet_timewait_sock):
    """struct tcp_timewait_sock: the little that is kept of a closed connection for TIME_WAIT and FIN_WAIT2."""

    __slots__ = (
        "tw_last_oow_ack_time", "tw_rcv_wnd", "tw_ts_offset", "tw_ts_recent", "tw_ts_recent_stamp", "tw_tx_delay",
    )
    tw_md5_key: object | None = None

    tw_rcv_wnd: int
    tw_ts_offset: int
    tw_ts_recent: int
    tw_last_oow_ack_time: int
    tw_ts_recent_stamp: int
    tw_tx_delay: int


def tcp_saved_syn_len(saved: saved_syn) -> int:
    """Bytes of the saved headers."""
    return saved.mac_hdrlen + saved.network_hdrlen + saved.tcp_hdrlen


def tcp_mss_clamp(tp: tcp_sock, mss: int) -> int:
    """`mss` held to what TCP_MAXSEG asked for."""
    user_mss = tp.rx_opt.user_mss
    return user_mss if user_mss and user_mss < mss else mss


def tcp_sk(sk: sock) -> tcp_sock:
    """The tcp_sock of a stream socket, for callers that only know a sock."""
    assert isinstance(sk, tcp_sock)
    return sk
