"""SYNs to a listener (part of net/ipv4/tcp_input.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from kshell.abi.tcp import TCP_NEW_SYN_RECV
from kshell.linux.include.linux.snmp import (
    LINUX_MIB_LISTENDROPS,
    LINUX_MIB_LISTENOVERFLOWS,
    LINUX_MIB_SYNCOOKIESSENT,
    LINUX_MIB_TCPREQQFULLDOCOOKIES,
    LINUX_MIB_TCPREQQFULLDROP,
)
from kshell.linux.include.linux.tcp import (
    tcp_clear_options,
    tcp_fastopen_cookie,
    tcp_options_received,
    tcp_request_sock,
)
from kshell.linux.include.net.flow import flowi4
from kshell.linux.include.net.inet_sock import inet_request_bound_dev_if, inet_request_mark
from kshell.linux.include.net.request_sock import reqsk_queue_len, request_sock_ops, saved_syn
from kshell.linux.include.net.sock import sk_acceptq_is_full, sock_hold
from kshell.linux.include.net.tcp import (
    TCP_SYNACK_COOKIE,
    TCP_SYNACK_FASTOPEN,
    TCP_SYNACK_NORMAL,
    TCP_TIMEOUT_INIT,
    TCPHDR_CWR,
    TCPHDR_ECE,
    U32,
    tcp_request_sock_ops,
    tcp_skb_cb,
)
from kshell.linux.kernel.printk import pr_info
from kshell.linux.mm.slub import kmem_cache_alloc
from kshell.linux.net.core.dst import dst_release
from kshell.linux.net.core.skbuff_bytes import _skb_to_bytes
from kshell.linux.net.core.sock import net_tx_rndhash, sock_put
from kshell.linux.net.ipv4 import syncookies, tcp_fastopen, tcp_minisocks
from kshell.linux.net.ipv4.inet_connection_sock import __reqsk_free, reqsk_free, reqsk_put
from kshell.linux.net.ipv4.inet_connection_sock_req import inet_csk_reqsk_queue_add, inet_csk_reqsk_queue_hash_add
from kshell.linux.net.ipv4.tcp_input_options import tcp_parse_options
from kshell.linux.net.ipv4.tcp_metrics import tcp_peer_is_proven

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.linux.tcp import tcp_sock
    from kshell.linux.include.linux.tcp_header import tcphdr


def tcp_listendrop(sk: tcp_sock) -> None:
    """Count a SYN that was dropped."""
    sk.sk_drops += 1
    sk.skc_net.mib.net_statistics[LINUX_MIB_LISTENDROPS] += 1


def reqsk_alloc(ops: request_sock_ops, sk_listener: tcp_sock, attach_listener: bool) -> tcp_request_sock:
    """A request from the slab; it holds its listener when attached."""
    req = kmem_cache_alloc(sk_listener.skc_net.kernel.rsk_slab[ops], tcp_request_sock)
    if attach_listener:
        sock_hold(sk_listener)
        req.rsk_listener = sk_listener
    req.rsk_ops = ops
    req.skc_prot = sk_listener.skc_prot
    return req


def inet_reqsk_alloc(ops: request_sock_ops, sk_listener: tcp_sock, attach_listener: bool) -> tcp_request_sock:
    """A request in TCP_NEW_SYN_RECV."""
    req = reqsk_alloc(ops, sk_listener, attach_listener)
    req.ireq_state = TCP_NEW_SYN_RECV
    req.ireq_net = sk_listener.skc_net
    req.ireq_family = sk_listener.skc_family
    req.timeout = TCP_TIMEOUT_INIT
    return req


def tcp_ecn_create_request(req: tcp_request_sock, skb: sk_buff, listen_sk: tcp_sock) -> None:
    """Agree to ECN if the SYN offers it."""
    cb: tcp_skb_cb = skb.cb  # type: ignore[assignment]
    both = TCPHDR_ECE | TCPHDR_CWR
    if cb.tcp_flags & both == both and not cb.ip_dsfield & 3 and listen_sk.skc_net.ipv4.sysctl_tcp_ecn:
        req.ecn_ok = 1


def tcp_openreq_init(req: tcp_request_sock, rx_opt: tcp_options_received, skb: sk_buff, sk: tcp_sock) -> None:
    """Note what the SYN says."""
    cb: tcp_skb_cb = skb.cb  # type: ignore[assignment]
    th: tcphdr = skb.transport_header  # type: ignore[assignment]
    req.rcv_isn = cb.seq
    req.rcv_nxt = cb.seq + 1 & U32
    req.snt_synack = 0
    req.last_oow_ack_time = 0
    req.mss = rx_opt.mss_clamp
    req.ts_recent = rx_opt.rcv_tsval if rx_opt.saw_tstamp else 0
    req.tstamp_ok = rx_opt.tstamp_ok
    req.sack_ok = rx_opt.sack_ok
    req.snd_wscale = rx_opt.snd_wscale
    req.wscale_ok = rx_opt.wscale_ok
    req.ir_rmt_port = th.source
    req.ir_num = th.dest
    req.ir_mark = inet_request_mark(sk, skb)


def tcp_syn_flood_action(sk: tcp_sock, proto: str) -> bool:
    """The SYN queue is full: True to answer with a cookie. Said once in the log."""
    net = sk.skc_net
    queue = sk.icsk_accept_queue
    cookies = net.ipv4.sysctl_tcp_syncookies
    net.mib.net_statistics[LINUX_MIB_TCPREQQFULLDOCOOKIES if cookies else LINUX_MIB_TCPREQQFULLDROP] += 1
    if not queue.synflood_warned and cookies != 2:
        queue.synflood_warned = 1
        action = "Sending cookies" if cookies else "Dropping request"
        pr_info(
            net.kernel,
            f"TCP: {proto}: Possible SYN flooding on port {sk.skc_num}. {action}.  Check SNMP counters.",
        )
    return bool(cookies)


def tcp_reqsk_record_syn(sk: tcp_sock, req: tcp_request_sock, skb: sk_buff) -> None:
    """TCP_SAVE_SYN: keep the SYN's headers."""
    if sk.save_syn:
        th: tcphdr = skb.transport_header  # type: ignore[assignment]
        tcp_len = th.doff * 4
        ip_len = 20
        data = _skb_to_bytes(skb)
        mac_len = 14 if sk.save_syn == 2 else 0
        start = max(len(data) - len(skb.data) - tcp_len - ip_len - mac_len, 0)
        req.saved_syn = saved_syn(mac_len, ip_len, tcp_len, data[start : start + mac_len + ip_len + tcp_len])


def _init_request(
    req: tcp_request_sock, sk: tcp_sock, skb: sk_buff, foc: tcp_fastopen_cookie, af_ops: tcp_request_sock_ops
) -> tcp_options_received:
    req.af_specific = af_ops
    req.ts_off = 0
    tmp_opt = tcp_options_received()
    tmp_opt.mss_clamp = af_ops.mss_clamp
    tmp_opt.user_mss = sk.rx_opt.user_mss
    tcp_parse_options(sk.skc_net, skb, tmp_opt, False, None if req.syncookie else foc)
    if req.syncookie and not tmp_opt.saw_tstamp:
        tcp_clear_options(tmp_opt)
    tmp_opt.tstamp_ok = tmp_opt.saw_tstamp
    tcp_openreq_init(req, tmp_opt, skb, sk)
    req.no_srccheck = sk.transparent
    req.ir_iif = inet_request_bound_dev_if(sk, skb)
    return tmp_opt


def _backlog_allows(sk: tcp_sock, req: tcp_request_sock, dst: object) -> bool:
    ipv4 = sk.skc_net.ipv4
    max_syn_backlog = ipv4.sysctl_max_syn_backlog
    return (
        bool(ipv4.sysctl_tcp_syncookies)
        or max_syn_backlog - reqsk_queue_len(sk.icsk_accept_queue) >= max_syn_backlog >> 2
        or tcp_peer_is_proven(req, dst)  # type: ignore[arg-type]
    )


def _drop_syn(sk: tcp_sock, req: tcp_request_sock) -> int:
    __reqsk_free(req)
    tcp_listendrop(sk)
    return 0


def tcp_conn_request(rsk_ops: request_sock_ops, af_ops: tcp_request_sock_ops, sk: tcp_sock, skb: sk_buff) -> int:
    """A SYN: make a request, answer with SYN-ACK. Always 0: a SYN is dropped without an answer."""
    net = sk.skc_net
    isn: int = skb.cb.tcp_tw_isn  # type: ignore[attr-defined]
    queue = sk.icsk_accept_queue
    want_cookie = False
    if (net.ipv4.sysctl_tcp_syncookies == 2 or queue.qlen > sk.sk_max_ack_backlog) and not isn:
        want_cookie = tcp_syn_flood_action(sk, rsk_ops.slab_name)
        if not want_cookie:
            tcp_listendrop(sk)
            return 0
    if sk_acceptq_is_full(sk):
        net.mib.net_statistics[LINUX_MIB_LISTENOVERFLOWS] += 1
        tcp_listendrop(sk)
        return 0
    req = inet_reqsk_alloc(rsk_ops, sk, not want_cookie)
    req.syncookie = want_cookie
    foc = tcp_fastopen_cookie()
    tmp_opt = _init_request(req, sk, skb, foc, af_ops)
    fl4 = flowi4()
    dst = af_ops.route_req(sk, skb, fl4, req)
    if dst is None:
        return _drop_syn(sk, req)
    seq = ts_off = 0
    if tmp_opt.tstamp_ok or (not want_cookie and not isn):
        seq, ts_off = af_ops.init_seq_and_ts_off(net, skb)
    if tmp_opt.tstamp_ok:
        req.ts_off = ts_off
    if not want_cookie and not isn:
        if not _backlog_allows(sk, req, dst):
            dst_release(dst)
            return _drop_syn(sk, req)
        isn = seq
    tcp_ecn_create_request(req, skb, sk)
    if want_cookie:
        syncookies.tcp_synq_overflow(sk)
        net.mib.net_statistics[LINUX_MIB_SYNCOOKIESSENT] += 1
        isn, req.mss = af_ops.cookie_init_seq(skb, req.mss)
        if not tmp_opt.tstamp_ok:
            req.ecn_ok = 0
    req.snt_isn = isn
    req.txhash = net_tx_rndhash(net.kernel)
    req.syn_tos = skb.cb.ip_dsfield  # type: ignore[attr-defined]
    tcp_minisocks.tcp_openreq_init_rwin(req, sk, dst)
    _answer(sk, skb, req, dst, fl4, foc, want_cookie)
    return 0


def _answer(
    sk: tcp_sock, skb: sk_buff, req: tcp_request_sock, dst: object, fl4: flowi4, foc: tcp_fastopen_cookie,
    want_cookie: bool,
) -> None:  # fmt: skip
    send_synack = req.af_specific.send_synack
    fastopen_sk = None
    if not want_cookie:
        tcp_reqsk_record_syn(sk, req, skb)
        fastopen_sk = tcp_fastopen.tcp_try_fastopen(sk, skb, req, foc, dst)  # type: ignore[arg-type]
    if fastopen_sk is not None:
        send_synack(fastopen_sk, dst, fl4, req, foc, TCP_SYNACK_FASTOPEN, skb)
        if inet_csk_reqsk_queue_add(sk, req, fastopen_sk) is None:
            sock_put(fastopen_sk)
            reqsk_put(req)
            tcp_listendrop(sk)
            return
        sk.sk_data_ready(sk)
        sock_put(fastopen_sk)
        reqsk_put(req)
        return
    req.tfo_listener = False
    if want_cookie:
        send_synack(sk, dst, fl4, req, foc, TCP_SYNACK_COOKIE, skb)
        reqsk_free(req)
        return
    req.timeout = TCP_TIMEOUT_INIT
    if not inet_csk_reqsk_queue_hash_add(sk, req, req.timeout):
        reqsk_free(req)
        dst_release(cast("dst_entry", dst))
        return
    send_synack(sk, dst, fl4, req, foc, TCP_SYNACK_NORMAL, skb)
    reqsk_put(req)


if TYPE_CHECKING:
    from kshell.linux.include.net.dst import dst_entry
