"""net/ipv4/syncookies.c: handshakes without memory, when the SYN queue is full."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.socket import SOCK_RCVBUF_LOCK
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.jiffies import HZ
from kshell.linux.include.linux.snmp import LINUX_MIB_SYNCOOKIESFAILED, LINUX_MIB_SYNCOOKIESRECV
from kshell.linux.include.linux.tcp import TCP_SACK_SEEN, tcp_clear_options, tcp_options_received
from kshell.linux.include.linux.tcp_header import tcphdr
from kshell.linux.include.net.dst import dst_metric
from kshell.linux.include.net.flow import flowi4, flowi4_init_output
from kshell.linux.include.net.inet_sock import inet_request_bound_dev_if, inet_request_mark, inet_sk_flowi_flags
from kshell.linux.include.net.route import RT_CONN_FLAGS, ip_route_output_key
from kshell.linux.include.net.rtable import skb_rtable
from kshell.linux.include.net.tcp import TCPHDR_ACK, TCPHDR_RST, U32
from kshell.linux.include.net.tcp_window import tcp_full_space
from kshell.linux.net.core.secure_seq import _mix, net_secret_init, secure_tcp_seq_and_ts_off
from kshell.linux.net.core.sock import net_tx_rndhash, sock_put
from kshell.linux.net.ipv4.inet_connection_sock import __reqsk_free, reqsk_free, reqsk_put
from kshell.linux.net.ipv4.inet_connection_sock_req import inet_csk_reqsk_queue_add
from kshell.linux.net.ipv4.syncookies_timestamp import TS_OPT_ECN, TS_OPT_SACK, TS_OPT_WSCALE_MASK
from kshell.linux.net.ipv4.tcp_input_options import tcp_parse_options
from kshell.linux.net.ipv4.tcp_input_request import inet_reqsk_alloc
from kshell.linux.net.ipv4.tcp_output_mss import tcp_select_initial_window

if TYPE_CHECKING:
    from kshell.linux.include.linux.ip import iphdr
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.linux.tcp import tcp_request_sock, tcp_sock
    from kshell.linux.include.net.dst import dst_entry
    from kshell.linux.include.net.net_namespace import net
    from kshell.linux.include.net.sock import sock
    from kshell.linux.init.kernel import Kernel

COOKIEBITS = 24
COOKIEMASK = (1 << COOKIEBITS) - 1
MAX_SYNCOOKIE_AGE = 2
TCP_SYNCOOKIE_PERIOD = 60 * HZ
TCP_SYNCOOKIE_VALID = MAX_SYNCOOKIE_AGE * TCP_SYNCOOKIE_PERIOD
msstab = (536, 1300, 1440, 1460)


def _cookie_hash(net: net, iph: iphdr, th: tcphdr, count: int, c: int) -> int:
    return _mix(net_secret_init(net.kernel) + 2 + c, iph.saddr, iph.daddr, th.source << 16 | th.dest, count) & U32


def _cookie_time(kernel: Kernel) -> int:
    return kernel.jiffies // TCP_SYNCOOKIE_PERIOD


def tcp_synq_overflow(sk: tcp_sock) -> None:
    """Note that cookies were sent; rx_opt.ts_recent_stamp of a listener keeps when."""
    now = sk.skc_net.kernel.jiffies
    if not sk.rx_opt.ts_recent_stamp <= now < sk.rx_opt.ts_recent_stamp + 250:
        sk.rx_opt.ts_recent_stamp = now


def tcp_synq_no_recent_overflow(sk: tcp_sock) -> bool:
    """True when no cookie can be valid."""
    stamp = sk.rx_opt.ts_recent_stamp
    now = sk.skc_net.kernel.jiffies
    return not (stamp and stamp - 250 <= now <= stamp + TCP_SYNCOOKIE_VALID)


def cookie_v4_init_sequence(skb: sk_buff, mss: int) -> tuple[int, int]:
    """(initial sequence number that tells all that is needed later, MSS as it can tell it)."""
    iph: iphdr = skb.network_header  # type: ignore[assignment]
    th: tcphdr = skb.transport_header  # type: ignore[assignment]
    rt = skb_rtable(skb)
    assert rt is not None
    net = rt.dev.nd_net  # skb.dev is no more
    mssind = max((i for i, value in enumerate(msstab) if mss >= value), default=0)
    count = _cookie_time(net.kernel)
    data = _cookie_hash(net, iph, th, count, 1) + mssind & COOKIEMASK
    cookie = _cookie_hash(net, iph, th, 0, 0) + th.seq + (count << COOKIEBITS) + data & U32
    return cookie, msstab[mssind]


def __cookie_v4_check(net: net, iph: iphdr, th: tcphdr, cookie: int) -> int:
    """The MSS that a cookie tells, 0 when it is not good."""
    count = _cookie_time(net.kernel)
    cookie = cookie - _cookie_hash(net, iph, th, 0, 0) - (th.seq - 1) & U32
    diff = count - (cookie >> COOKIEBITS) & U32 >> COOKIEBITS
    if diff >= MAX_SYNCOOKIE_AGE:
        return 0
    mssind = cookie - _cookie_hash(net, iph, th, count - diff, 1) & COOKIEMASK
    return msstab[mssind] if mssind < len(msstab) else 0


def tcp_get_cookie_sock(
    sk: tcp_sock, skb: sk_buff, req: tcp_request_sock, dst: dst_entry, tsoff: int
) -> sock | None:
    """The connection of a good cookie, in the accept queue."""
    child: tcp_sock | None = sk.icsk_af_ops.syn_recv_sock(sk, skb, req, dst, None, [False])  # type: ignore[assignment]
    if child is None:
        __reqsk_free(req)
        return None
    req.rsk_refcnt = 1
    child.tsoffset = tsoff
    if inet_csk_reqsk_queue_add(sk, req, child) is not None:
        return child
    sock_put(child)
    reqsk_put(req)
    return None


def cookie_timestamp_decode(net: net, opt: tcp_options_received) -> bool:
    """The options that the echoed timestamp tells; False when they are not allowed any more."""
    ipv4 = net.ipv4
    if not opt.saw_tstamp:
        tcp_clear_options(opt)
        return True
    if not ipv4.sysctl_tcp_timestamps:
        return False
    options = opt.rcv_tsecr
    opt.sack_ok = TCP_SACK_SEEN if options & TS_OPT_SACK else 0
    if opt.sack_ok and not ipv4.sysctl_tcp_sack:
        return False
    if options & TS_OPT_WSCALE_MASK == TS_OPT_WSCALE_MASK:
        return True
    opt.wscale_ok = 1
    opt.snd_wscale = options & TS_OPT_WSCALE_MASK
    return bool(ipv4.sysctl_tcp_window_scaling)


def _request_of_cookie(sk: tcp_sock, skb: sk_buff, mss: int, opt: tcp_options_received) -> tcp_request_sock:
    th: tcphdr = skb.transport_header  # type: ignore[assignment]
    iph: iphdr = skb.network_header  # type: ignore[assignment]
    req = inet_reqsk_alloc(tcp_ipv4_reqops.tcp_request_sock_ops, sk, False)
    req.af_specific = tcp_ipv4_reqops.tcp_request_sock_ipv4_ops
    req.syn_tos = skb.cb.ip_dsfield  # type: ignore[attr-defined]
    req.rcv_isn = th.seq - 1 & U32
    req.snt_isn = th.ack_seq - 1 & U32
    req.rcv_nxt = th.seq
    req.ts_off = 0
    req.txhash = net_tx_rndhash(sk.skc_net.kernel)
    req.mss = mss
    req.ir_num = th.dest
    req.ir_rmt_port = th.source
    req.ir_loc_addr = iph.daddr
    req.ir_rmt_addr = iph.saddr
    req.ir_mark = inet_request_mark(sk, skb)
    req.snd_wscale = opt.snd_wscale
    req.sack_ok = opt.sack_ok
    req.wscale_ok = opt.wscale_ok
    req.tstamp_ok = opt.saw_tstamp
    req.ts_recent = opt.rcv_tsval if opt.saw_tstamp else 0
    req.snt_synack = req.last_oow_ack_time = 0
    req.tfo_listener = False
    req.ir_iif = inet_request_bound_dev_if(sk, skb)
    return req


def cookie_v4_check(sk: tcp_sock, skb: sk_buff) -> sock | None:
    """An ACK at a listener: the connection that its cookie stands for, else `sk`; None when it is dropped."""
    th: tcphdr = skb.transport_header  # type: ignore[assignment]
    net = sk.skc_net
    if not net.ipv4.sysctl_tcp_syncookies or th._flags & (TCPHDR_ACK | TCPHDR_RST) != TCPHDR_ACK:
        return sk
    if tcp_synq_no_recent_overflow(sk):
        return sk
    iph: iphdr = skb.network_header  # type: ignore[assignment]
    mss = __cookie_v4_check(net, iph, th, th.ack_seq - 1 & U32)
    if mss == 0:
        net.mib.net_statistics[LINUX_MIB_SYNCOOKIESFAILED] += 1
        return sk
    net.mib.net_statistics[LINUX_MIB_SYNCOOKIESRECV] += 1
    opt = tcp_options_received()
    tcp_parse_options(net, skb, opt, False, None)
    tsoff = 0
    if opt.saw_tstamp and opt.rcv_tsecr:
        _, tsoff = secure_tcp_seq_and_ts_off(net, iph.daddr, iph.saddr, th.dest, th.source)
        opt.rcv_tsecr = opt.rcv_tsecr - tsoff & U32
    if not cookie_timestamp_decode(net, opt):
        return sk
    req = _request_of_cookie(sk, skb, mss, opt)
    fl4 = flowi4()
    flowi4_init_output(
        fl4, req.ir_iif, req.ir_mark, RT_CONN_FLAGS(sk), 0, 6, inet_sk_flowi_flags(sk),
        req.ir_rmt_addr, req.ir_loc_addr, th.source, th.dest, sk.sk_uid,
    )  # fmt: skip
    try:
        dst = ip_route_output_key(net, fl4)
    except KernelError:
        reqsk_free(req)
        return None
    window_clamp = sk.window_clamp or dst_metric(dst, 3)
    full_space = tcp_full_space(sk)
    if sk.sk_userlocks & SOCK_RCVBUF_LOCK and (window_clamp > full_space or window_clamp == 0):
        window_clamp = full_space
    req.rsk_rcv_wnd, req.rsk_window_clamp, req.rcv_wscale = tcp_select_initial_window(
        sk, full_space, mss, window_clamp, req.wscale_ok, dst_metric(dst, 14)
    )
    req.ecn_ok = int(bool(opt.rcv_tsecr & TS_OPT_ECN and net.ipv4.sysctl_tcp_ecn))
    return tcp_get_cookie_sock(sk, skb, req, dst, tsoff)


from kshell.linux.net.ipv4 import tcp_ipv4_reqops  # noqa: E402  its tables name functions that stand above
