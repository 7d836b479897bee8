"""/proc/net/tcp (net/ipv4/tcp_ipv4.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from kshell.abi.socket import AF_INET
from kshell.abi.tcp import TCP_LISTEN, TCP_NEW_SYN_RECV, TCP_SYN_RECV, TCP_TIME_WAIT
from kshell.linux.fs.proc.generic import remove_proc_entry
from kshell.linux.fs.proc.proc_net import proc_create_net_data, seq_file_net
from kshell.linux.fs.seq_file import seq_pad, seq_printf, seq_puts, seq_setwidth
from kshell.linux.include.linux.in_ import _be32
from kshell.linux.include.linux.jiffies import jiffies_delta_to_clock_t, jiffies_to_clock_t
from kshell.linux.include.linux.seq_file import SEQ_START_TOKEN, seq_file, seq_net_private, seq_operations
from kshell.linux.include.linux.tcp import tcp_sock
from kshell.linux.include.net.inet_connection_sock import (
    ICSK_TIME_LOSS_PROBE,
    ICSK_TIME_PROBE0,
    ICSK_TIME_REO_TIMEOUT,
    ICSK_TIME_RETRANS,
    inet_csk_in_pingpong_mode,
)
from kshell.linux.include.net.inet_sock import inet_request_sock
from kshell.linux.include.net.inet_timewait_sock import inet_timewait_sock
from kshell.linux.include.net.net_namespace import pernet_operations
from kshell.linux.include.net.request_sock import request_sock
from kshell.linux.include.net.tcp import TCP_INFINITE_SSTHRESH
from kshell.linux.kernel.time.timer import timer_pending
from kshell.linux.lib.vsprintf import restricted_pointer
from kshell.linux.net.core.net_namespace import register_pernet_subsys
from kshell.linux.net.core.sock import sock_i_ino, sock_i_uid

if TYPE_CHECKING:
    from kshell.linux.include.net.net_namespace import net as net_t
    from kshell.linux.include.net.sock import sock_common
    from kshell.linux.init.kernel import Kernel

TCP_SEQ_STATE_LISTENING = 0
TCP_SEQ_STATE_ESTABLISHED = 1
TMPSZ = 150
TITLES = (
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"
)
RETRANSMITS = (ICSK_TIME_RETRANS, ICSK_TIME_REO_TIMEOUT, ICSK_TIME_LOSS_PROBE)


class tcp_iter_state(seq_net_private):
    """A reader's place: which table, the bucket (of those in use, in order) and the line."""

    def __init__(self) -> None:
        self.state = TCP_SEQ_STATE_LISTENING
        self.bucket = 0
        self.num = 0
        self._buckets: list[int] = []


def _state(seq: seq_file) -> tcp_iter_state:
    return cast(tcp_iter_state, seq.private)


def seq_sk_match(seq: seq_file, sk: sock_common) -> bool:
    """Whether a socket is IPv4's and of the reader's namespace."""
    return sk.skc_family == AF_INET and sk.skc_net is seq_file_net(seq)


def _first_from(seq: seq_file, table: dict[int, list[sock_common]]) -> sock_common | None:
    st = _state(seq)
    while st.bucket < len(st._buckets):
        for sk in table.get(st._buckets[st.bucket], ()):
            if seq_sk_match(seq, sk):
                return sk
        st.bucket += 1
    return None


def _next_after(seq: seq_file, table: dict[int, list[sock_common]], cur: sock_common) -> sock_common | None:
    """The next match in cur's bucket; None: go on with the next bucket."""
    st = _state(seq)
    chain = table.get(st._buckets[st.bucket], [])
    rest = chain[chain.index(cur) + 1 :] if cur in chain else []
    return next((sk for sk in rest if seq_sk_match(seq, sk)), None)


def _table(seq: seq_file, state: int) -> dict[int, list[sock_common]]:
    hinfo = seq_file_net(seq).ipv4.tcp_death_row.hashinfo
    return cast("dict[int, list[sock_common]]", hinfo.ehash if state else hinfo.lhash2)


def _enter(seq: seq_file, state: int) -> None:
    st = _state(seq)
    st.state = state
    st.bucket = 0
    st._buckets = sorted(key for key, chain in _table(seq, state).items() if chain)


def listening_get_first(seq: seq_file) -> sock_common | None:
    """The first listening socket from the bucket on."""
    return _first_from(seq, _table(seq, TCP_SEQ_STATE_LISTENING))


def listening_get_next(seq: seq_file, cur: sock_common) -> sock_common | None:
    """The listening socket after cur."""
    found = _next_after(seq, _table(seq, TCP_SEQ_STATE_LISTENING), cur)
    if found is None:
        _state(seq).bucket += 1
        return listening_get_first(seq)
    return found


def established_get_first(seq: seq_file) -> sock_common | None:
    """The first connected socket from the bucket on."""
    return _first_from(seq, _table(seq, TCP_SEQ_STATE_ESTABLISHED))


def established_get_next(seq: seq_file, cur: sock_common) -> sock_common | None:
    """The connected socket after cur."""
    found = _next_after(seq, _table(seq, TCP_SEQ_STATE_ESTABLISHED), cur)
    if found is None:
        _state(seq).bucket += 1
        return established_get_first(seq)
    return found


def listening_get_idx(seq: seq_file, pos: list[int]) -> sock_common | None:
    """The listening socket at a position, which is counted down."""
    _enter(seq, TCP_SEQ_STATE_LISTENING)
    rc = listening_get_first(seq)
    while pos[0] and rc is not None:
        rc = listening_get_next(seq, rc)
        pos[0] -= 1
    return rc


def established_get_idx(seq: seq_file, pos: int) -> sock_common | None:
    """The connected socket at a position."""
    _enter(seq, TCP_SEQ_STATE_ESTABLISHED)
    rc = established_get_first(seq)
    while pos and rc is not None:
        rc = established_get_next(seq, rc)
        pos -= 1
    return rc


def tcp_get_idx(seq: seq_file, pos: int) -> sock_common | None:
    """The socket at a position: listening ones come first."""
    left = [pos]
    rc = listening_get_idx(seq, left)
    return rc if rc is not None else established_get_idx(seq, left[0])


def tcp_seq_start(seq: seq_file, pos: list[int]) -> object:
    """The socket at a position, or the titles."""
    st = _state(seq)
    st.num = max(pos[0] - 1, 0)
    return tcp_get_idx(seq, pos[0] - 1) if pos[0] else SEQ_START_TOKEN


def tcp_seq_next(seq: seq_file, v: object, pos: list[int]) -> object:
    """The next socket."""
    st = _state(seq)
    rc: sock_common | None
    if v is SEQ_START_TOKEN:
        rc = tcp_get_idx(seq, 0)
    else:
        st.num += 1
        if st.state == TCP_SEQ_STATE_LISTENING:
            rc = listening_get_next(seq, cast("sock_common", v))
            if rc is None:
                _enter(seq, TCP_SEQ_STATE_ESTABLISHED)
                rc = established_get_first(seq)
        else:
            rc = established_get_next(seq, cast("sock_common", v))
    pos[0] += 1
    return rc


def tcp_seq_stop(seq: seq_file, v: object) -> None:
    """The end of a read."""


def _ends(src: int, srcp: int, dest: int, destp: int) -> str:
    return f"{_be32(src):08X}:{srcp:04X} {_be32(dest):08X}:{destp:04X}"


def _clock(seq: seq_file, expires: int) -> int:
    return jiffies_delta_to_clock_t(expires - seq.file._kernel.jiffies)


def get_openreq4(req: request_sock, f: seq_file, i: int) -> None:
    """A connection that is being made."""
    ireq = cast(inet_request_sock, req)
    listener = req.rsk_listener
    assert req.rsk_timer is not None
    pointer = restricted_pointer(f.file._kernel.current, req._addr)
    seq_printf(
        f,
        f"{i:4}: {_ends(ireq.ir_loc_addr, ireq.ir_num, ireq.ir_rmt_addr, ireq.ir_rmt_port)} "
        f"{TCP_SYN_RECV:02X} {0:08X}:{0:08X} 01:{_clock(f, req.rsk_timer.expires):08X} {req.num_timeout:08X} "
        f"{sock_i_uid(listener) if listener is not None else 0:5} {0:8} 0 0 {pointer}",
    )


def _timer(sk: tcp_sock, f: seq_file) -> tuple[int, int]:
    """Which timer runs (1 retransmission, 4 window probe, 2 keepalive, 0 none), and hundredths of seconds left."""
    if sk.icsk_pending in RETRANSMITS:
        return 1, _clock(f, sk.icsk_timeout)
    if sk.icsk_pending == ICSK_TIME_PROBE0:
        return 4, _clock(f, sk.icsk_timeout)
    if timer_pending(sk.icsk_keepalive_timer):
        return 2, _clock(f, sk.icsk_keepalive_timer.expires)
    return 0, 0


def get_tcp4_sock(sk: tcp_sock, f: seq_file, i: int) -> None:
    """A socket."""
    listening = sk.sk_state == TCP_LISTEN
    received = (sk.rcv_nxt - sk.copied_seq) & 0xFFFFFFFF
    rx_queue = sk.sk_ack_backlog if listening else (0 if received >> 31 else received)
    active, when = _timer(sk, f)
    slow = -1 if sk.snd_ssthresh >= TCP_INFINITE_SSTHRESH else sk.snd_ssthresh
    last = sk.icsk_accept_queue.fastopenq.max_qlen if listening else slow
    inode = sock_i_ino(sk)
    pointer = restricted_pointer(f.file._kernel.current, sk._addr)
    seq_printf(
        f,
        f"{i:4}: {_ends(sk.inet_rcv_saddr, sk.inet_sport, sk.inet_daddr, sk.inet_dport)} {sk.sk_state:02X} "
        f"{(sk.write_seq - sk.snd_una) & 0xFFFFFFFF:08X}:{rx_queue:08X} {active:02X}:{when:08X} "
        f"{sk.icsk_retransmits:08X} {sock_i_uid(sk):5} {sk.icsk_probes_out:8} {inode} {sk.sk_refcnt} "
        f"{pointer} {jiffies_to_clock_t(sk.icsk_rto)} {jiffies_to_clock_t(sk.icsk_ack.ato)} "
        f"{sk.icsk_ack.quick << 1 | inet_csk_in_pingpong_mode(sk)} {sk.snd_cwnd} {last}",
    )


def get_timewait4_sock(tw: inet_timewait_sock, f: seq_file, i: int) -> None:
    """A connection that has ended and waits for late packets."""
    seq_printf(
        f,
        f"{i:4}: {_ends(tw.tw_rcv_saddr, tw.tw_sport, tw.tw_daddr, tw.tw_dport)} {tw.tw_substate:02X} "
        f"{0:08X}:{0:08X} 03:{_clock(f, tw.tw_timer.expires):08X} {0:08X} {0:5} {0:8} 0 {tw.tw_refcnt} "
        f"{restricted_pointer(f.file._kernel.current, tw._addr)}",
    )


def tcp4_seq_show(seq: seq_file, v: object) -> None:
    """A line of /proc/net/tcp."""
    seq_setwidth(seq, TMPSZ - 1)
    num = _state(seq).num
    if v is SEQ_START_TOKEN:
        seq_puts(seq, TITLES)
    else:
        state = cast("sock_common", v).skc_state
        if state == TCP_TIME_WAIT:
            get_timewait4_sock(cast(inet_timewait_sock, v), seq, num)
        elif state == TCP_NEW_SYN_RECV:
            get_openreq4(cast(request_sock, v), seq, num)
        else:
            get_tcp4_sock(cast(tcp_sock, v), seq, num)
    seq_pad(seq, "\n")


tcp4_seq_ops = seq_operations(show=tcp4_seq_show, start=tcp_seq_start, next=tcp_seq_next, stop=tcp_seq_stop)


def tcp4_proc_init_net(net: net_t) -> None:
    """A namespace comes."""
    proc_create_net_data(net.kernel, "tcp", 0o444, net.proc_net, tcp4_seq_ops, tcp_iter_state, None)


def tcp4_proc_exit_net(net: net_t) -> None:
    """A namespace goes."""
    remove_proc_entry(net.kernel, "tcp", net.proc_net)


tcp4_net_ops = pernet_operations(init=tcp4_proc_init_net, exit=tcp4_proc_exit_net)


def tcp4_proc_init(kernel: Kernel) -> None:
    """Have every namespace get its file."""
    register_pernet_subsys(kernel, tcp4_net_ops)
