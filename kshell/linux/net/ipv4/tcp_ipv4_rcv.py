"""Segments from the IP layer (part of net/ipv4/tcp_ipv4.c)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, cast

from kshell.abi.inet import IPPROTO_TCP
from kshell.abi.packet import PACKET_HOST
from kshell.abi.tcp import (
    TCP_ESTABLISHED,
    TCP_LISTEN,
    TCP_NEW_SYN_RECV,
    TCP_TIME_WAIT,
)
from kshell.linux.include.linux.ip import _checksum
from kshell.linux.include.linux.skbuff import CHECKSUM_NONE, skb_shinfo
from kshell.linux.include.linux.snmp import (
    LINUX_MIB_TCPBACKLOGCOALESCE,
    LINUX_MIB_TCPBACKLOGDROP,
    LINUX_MIB_TCPMINTTLDROP,
    TCP_MIB_CSUMERRORS,
    TCP_MIB_INERRS,
    TCP_MIB_INSEGS,
)
from kshell.linux.include.linux.tcp import tcp_request_sock, tcp_sock, tcp_timewait_sock
from kshell.linux.include.linux.tcp_header import tcphdr
from kshell.linux.include.net.dropreason import (
    SKB_DROP_REASON_NO_SOCKET,
    SKB_DROP_REASON_NOT_SPECIFIED,
    SKB_DROP_REASON_PKT_TOO_SMALL,
    SKB_DROP_REASON_SOCKET_BACKLOG,
    SKB_DROP_REASON_SOCKET_FILTER,
    SKB_DROP_REASON_TCP_CSUM,
)
from kshell.linux.include.net.rtable import inet_iif
from kshell.linux.include.net.sock_space import sk_add_backlog
from kshell.linux.include.net.tcp import (
    TCP_TW_ACK,
    TCP_TW_RST,
    TCP_TW_SYN,
    TCPHDR_ACK,
    TCPHDR_CWR,
    TCPHDR_ECE,
    TCPHDR_FIN,
    TCPHDR_RST,
    TCPHDR_SYN,
    TCPHDR_URG,
    U32,
    before,
    tcp_skb_cb,
)
from kshell.linux.net.core.dst import dst_release
from kshell.linux.net.core.filter import sk_filter_trim_cap
from kshell.linux.net.core.skbuff import (
    __kfree_skb,
    kfree_skb_reason,
    skb_condense,
    skb_dst_drop,
    skb_pull,
    skb_push,
)
from kshell.linux.net.core.skbuff_coalesce import skb_try_coalesce
from kshell.linux.net.core.sock_free import sk_free
from kshell.linux.net.ipv4 import (
    inet_hashtables,
    syncookies,
    tcp_input,
    tcp_input_state,
    tcp_ipv4_reply,
    tcp_minisocks,
    tcp_minisocks_timewait,
)
from kshell.linux.net.ipv4.inet_connection_sock import reqsk_put
from kshell.linux.net.ipv4.inet_connection_sock_req import inet_csk_reqsk_queue_drop_and_put
from kshell.linux.net.ipv4.inet_timewait_sock import inet_twsk_deschedule_put
from kshell.linux.net.ipv4.tcp_ipv4_md5 import tcp_inbound_md5_hash

if TYPE_CHECKING:
    from kshell.linux.include.linux.ip import iphdr
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.net_namespace import net
    from kshell.linux.include.net.sock import sock, sock_common


def _put(sk: sock) -> None:
    """sock_put(), which the compiler inlined."""
    sk.skc_refcnt -= 1
    if not sk.skc_refcnt:
        sk_free(sk)


def tcp_v4_cookie_check(sk: tcp_sock, skb: sk_buff) -> sock | None:
    """A segment at a listener: what a SYN cookie in it stands for."""
    th: tcphdr = skb.transport_header  # type: ignore[assignment]
    return sk if th._flags & TCPHDR_SYN else syncookies.cookie_v4_check(sk, skb)


def _check_rx_dst(sk: tcp_sock, skb: sk_buff) -> None:
    dst = sk.sk_rx_dst
    if dst is not None and (sk.sk_rx_dst_ifindex != skb.skb_iif or dst.ops.check(dst, 0) is None):
        sk.sk_rx_dst = None
        dst_release(dst)


def tcp_v4_do_rcv(sk: tcp_sock, skb: sk_buff) -> int:
    """Process a segment for a socket that nobody owns, or that its owner lets go of. Always 0."""
    state = sk.skc_state
    if state == TCP_ESTABLISHED:
        if sk.sk_rx_dst is not None:
            _check_rx_dst(sk, skb)
        tcp_input.tcp_rcv_established(sk, skb)
        return 0
    if state == TCP_LISTEN:
        nsk = tcp_v4_cookie_check(sk, skb)
        if nsk is None:
            kfree_skb_reason(skb, SKB_DROP_REASON_NOT_SPECIFIED)
            return 0
        if nsk is not sk:
            if tcp_minisocks.tcp_child_process(sk, cast(tcp_sock, nsk), skb):
                tcp_ipv4_reply.tcp_v4_send_reset(nsk, skb)
                kfree_skb_reason(skb, SKB_DROP_REASON_NOT_SPECIFIED)
            return 0
    if tcp_input_state.tcp_rcv_state_process(sk, skb):
        tcp_ipv4_reply.tcp_v4_send_reset(sk, skb)
        kfree_skb_reason(skb, SKB_DROP_REASON_NOT_SPECIFIED)
    return 0


def _can_join(tail: sk_buff, skb: sk_buff, thtail: tcphdr, th: tcphdr) -> bool:
    a: tcp_skb_cb = tail.cb  # type: ignore[assignment]
    b: tcp_skb_cb = skb.cb  # type: ignore[assignment]
    return (
        a.end_seq == b.seq
        and a.ip_dsfield == b.ip_dsfield
        and not (a.tcp_flags | b.tcp_flags) & (TCPHDR_SYN | TCPHDR_RST | TCPHDR_URG)
        and bool(a.tcp_flags & b.tcp_flags & TCPHDR_ACK)
        and not (a.tcp_flags ^ b.tcp_flags) & (TCPHDR_ECE | TCPHDR_CWR)
        and thtail._options == th._options
    )


def _join_backlog(sk: tcp_sock, tail: sk_buff, skb: sk_buff) -> bool:
    """Make a segment part of the last one in the backlog."""
    th: tcphdr = skb.transport_header  # type: ignore[assignment]
    thtail: tcphdr = tail.transport_header  # type: ignore[assignment]
    if not _can_join(tail, skb, thtail, th):
        return False
    hdrlen = th.doff * 4
    skb_pull(skb, hdrlen)
    a: tcp_skb_cb = tail.cb  # type: ignore[assignment]
    b: tcp_skb_cb = skb.cb  # type: ignore[assignment]
    tail_info, info = skb_shinfo(tail), skb_shinfo(skb)
    gso_size, gso_segs = info.gso_size or skb.len, info.gso_segs or 1
    tail_size, tail_segs = tail_info.gso_size or tail.len - hdrlen, tail_info.gso_segs or 1
    delta = skb_try_coalesce(tail, skb)
    if delta is None:
        skb_push(skb, hdrlen)
        return False
    a.end_seq = b.end_seq
    if not before(b.ack_seq, a.ack_seq):
        a.ack_seq = b.ack_seq
        thtail.window = th.window
    thtail._flags |= th._flags & TCPHDR_FIN
    a.tcp_flags |= b.tcp_flags
    if b.has_rxtstamp:
        a.has_rxtstamp = 1
        tail.tstamp = skb.tstamp
    tail_info.gso_size = max(gso_size, tail_size)
    tail_info.gso_segs = min(gso_segs + tail_segs, 0xFFFF)
    assert sk.sk_backlog is not None
    sk.sk_backlog.len += delta
    sk.skc_net.mib.net_statistics[LINUX_MIB_TCPBACKLOGCOALESCE] += 1
    __kfree_skb(skb)
    return True


def tcp_add_backlog(sk: tcp_sock, skb: sk_buff) -> int:
    """Leave a segment to the task that owns the socket; why it cannot be taken (SKB_DROP_REASON_*), 0 if it is."""
    skb_condense(skb)
    if skb._skb_refdst is not None:
        skb_dst_drop(skb)
    backlog = sk.sk_backlog
    if backlog is not None and backlog.tail is not None and _join_backlog(sk, backlog.tail, skb):
        return 0
    limit = (sk.sk_rcvbuf << 1) + (sk.sk_sndbuf >> 1) + 64 * 1024
    if sk_add_backlog(sk, skb, min(limit, U32)):
        sk.skc_net.mib.net_statistics[LINUX_MIB_TCPBACKLOGDROP] += 1
        return SKB_DROP_REASON_SOCKET_BACKLOG
    return 0


def tcp_filter(sk: tcp_sock, skb: sk_buff) -> int:
    """Run SO_ATTACH_FILTER's program; nonzero to drop the segment."""
    th: tcphdr = skb.transport_header  # type: ignore[assignment]
    return sk_filter_trim_cap(sk, skb, th.doff * 4)


def _restore_cb(skb: sk_buff) -> None:
    skb.cb = skb.cb.h4  # type: ignore[attr-defined]


def tcp_v4_fill_cb(skb: sk_buff, iph: iphdr, th: tcphdr) -> None:
    """Note the header's fields in the control block."""
    flags = th._flags
    seq = th.seq
    cb = tcp_skb_cb(seq, seq + (flags >> 1 & 1) + (flags & 1) + skb.len - th.doff * 4 & U32, flags, th.ack_seq)
    cb.h4 = skb.cb
    cb.ip_dsfield = iph.tos
    if skb.tstamp:
        cb.has_rxtstamp = 1
    skb.cb = cb


def _drop(skb: sk_buff, reason: int) -> int:
    kfree_skb_reason(skb, reason)
    return 0


def __inet_lookup_skb(skb: sk_buff, th: tcphdr, net: net) -> tuple[sock_common | None, bool]:
    """(socket for a segment, whether it holds a reference)."""
    early = skb.sk
    if early is not None:
        refcounted = skb.destructor is inet_hashtables.sock_edemux
        skb.destructor = None
        skb.sk = None
        return early, refcounted
    iph: iphdr = skb.network_header  # type: ignore[assignment]
    hashinfo = net.ipv4.tcp_death_row.hashinfo
    dif = inet_iif(skb)
    saddr, daddr = iph.saddr, iph.daddr
    sk = inet_hashtables.__inet_lookup_established(net, hashinfo, saddr, th.source, daddr, th.dest, dif, 0)
    if sk is not None:
        return sk, True
    listener = inet_hashtables.__inet_lookup_listener(
        net, hashinfo, skb, th.doff * 4, saddr, th.source, daddr, th.dest, dif, 0
    )
    return listener, False


def _parse(skb: sk_buff) -> tuple[tcphdr | None, int]:
    """(the header or None, why not), taken off the data and checked if it came as bytes."""
    data = skb.data
    if len(data) < 20 or not 20 <= (data[12] >> 4) * 4 <= len(data):
        return None, SKB_DROP_REASON_PKT_TOO_SMALL
    if skb.ip_summed == CHECKSUM_NONE:
        iph: iphdr = skb.network_header  # type: ignore[assignment]
        pseudo = struct.pack(">IIHH", iph.saddr, iph.daddr, IPPROTO_TCP, len(data))
        if _checksum(pseudo + data) not in (0, 0xFFFF):
            return None, SKB_DROP_REASON_TCP_CSUM
    th = tcphdr._from_bytes(data)
    skb.transport_header = th
    skb.data = data[th.doff * 4 :]
    return th, 0


def tcp_v4_rcv(skb: sk_buff) -> int:
    """A segment from the IP layer; its length counts from the TCP header."""
    assert skb.dev is not None
    net = skb.dev.nd_net
    if skb.pkt_type != PACKET_HOST:
        return _drop(skb, SKB_DROP_REASON_NOT_SPECIFIED)
    mib = net.mib.tcp_statistics
    mib[TCP_MIB_INSEGS] += 1
    th = skb.transport_header
    if not isinstance(th, tcphdr):
        th, reason = _parse(skb)
        if th is None:
            if reason == SKB_DROP_REASON_TCP_CSUM:
                mib[TCP_MIB_CSUMERRORS] += 1
            mib[TCP_MIB_INERRS] += 1
            return _drop(skb, reason)
    sk, refcounted = __inet_lookup_skb(skb, th, net)
    if sk is None:
        return _no_socket(skb, th)
    return _deliver(net, sk, skb, th, refcounted)


def _no_socket(skb: sk_buff, th: tcphdr) -> int:
    tcp_v4_fill_cb(skb, skb.network_header, th)  # type: ignore[arg-type]
    tcp_ipv4_reply.tcp_v4_send_reset(None, skb)
    return _drop(skb, SKB_DROP_REASON_NO_SOCKET)


def _deliver(net: net, found: sock_common, skb: sk_buff, th: tcphdr, refcounted: bool) -> int:
    state = found.skc_state
    if state == TCP_TIME_WAIT:
        return _time_wait(net, cast(tcp_timewait_sock, found), skb, th)
    if state == TCP_NEW_SYN_RECV:
        return _new_syn_recv(net, cast(tcp_request_sock, found), skb, th)
    return _to_socket(cast(tcp_sock, found), skb, th, refcounted)


def _to_socket(sk: tcp_sock, skb: sk_buff, th: tcphdr, refcounted: bool) -> int:
    iph: iphdr = skb.network_header  # type: ignore[assignment]
    reason = 0
    if sk.min_ttl and iph.ttl < sk.min_ttl:
        sk.skc_net.mib.net_statistics[LINUX_MIB_TCPMINTTLDROP] += 1
        reason = SKB_DROP_REASON_NOT_SPECIFIED
    else:
        reason = tcp_inbound_md5_hash(sk, skb, 0)
    if not reason and tcp_filter(sk, skb):
        reason = SKB_DROP_REASON_SOCKET_FILTER
    if not reason:
        tcp_v4_fill_cb(skb, iph, th)
        skb.dev = None
        if sk.skc_state == TCP_LISTEN:
            ret = tcp_v4_do_rcv(sk, skb)
            if refcounted:
                _put(sk)
            return ret
        if sk.sk_incoming_cpu:
            sk.sk_incoming_cpu = 0
        info = skb._shinfo
        segs = (info.gso_segs or 1) if info is not None else 1
        sk.segs_in += segs
        if skb.len > th.doff * 4:
            sk.data_segs_in += segs
        if not sk.sk_lock:
            ret = tcp_v4_do_rcv(sk, skb)
            if refcounted:
                _put(sk)
            return ret
        reason = tcp_add_backlog(sk, skb)
        if not reason:
            if refcounted:
                _put(sk)
            return 0
    sk.sk_drops += 1
    if refcounted:
        _put(sk)
    return _drop(skb, reason)


def _new_syn_recv(net: net, req: tcp_request_sock, skb: sk_buff, th: tcphdr) -> int:
    sk = cast(tcp_sock, req.rsk_listener)
    reason = tcp_inbound_md5_hash(sk, skb, 0)
    if reason:
        sk.sk_drops += 1
        reqsk_put(req)
        return _drop(skb, reason)
    if sk.skc_state != TCP_LISTEN:
        inet_csk_reqsk_queue_drop_and_put(sk, req)
        again, refcounted = __inet_lookup_skb(skb, th, net)
        return _no_socket(skb, th) if again is None else _deliver(net, again, skb, th, refcounted)
    sk.skc_refcnt += 1
    nsk: sock | None = None
    stolen = [False]
    if not tcp_filter(sk, skb):
        tcp_v4_fill_cb(skb, skb.network_header, th)  # type: ignore[arg-type]
        nsk = tcp_minisocks.tcp_check_req(sk, skb, req, False, stolen)
    else:
        reason = SKB_DROP_REASON_SOCKET_FILTER
    if nsk is None:
        reqsk_put(req)
        if stolen[0]:
            _restore_cb(skb)
            _put(sk)
            again, refcounted = __inet_lookup_skb(skb, th, net)
            return _no_socket(skb, th) if again is None else _deliver(net, again, skb, th, refcounted)
        sk.sk_drops += 1
        _put(sk)
        return _drop(skb, reason or SKB_DROP_REASON_NOT_SPECIFIED)
    if nsk is sk:
        reqsk_put(req)
        _restore_cb(skb)
        return _to_socket(sk, skb, th, True)
    if tcp_minisocks.tcp_child_process(sk, cast(tcp_sock, nsk), skb):
        tcp_ipv4_reply.tcp_v4_send_reset(nsk, skb)
        sk.sk_drops += 1
        _put(sk)
        return _drop(skb, SKB_DROP_REASON_NOT_SPECIFIED)
    _put(sk)
    return 0


def _time_wait(net: net, tw: tcp_timewait_sock, skb: sk_buff, th: tcphdr) -> int:
    iph: iphdr = skb.network_header  # type: ignore[assignment]
    tcp_v4_fill_cb(skb, iph, th)
    verdict = tcp_minisocks_timewait.tcp_timewait_state_process(tw, skb, th)
    if verdict == TCP_TW_SYN:
        sk2 = inet_hashtables.__inet_lookup_listener(
            net, net.ipv4.tcp_death_row.hashinfo, skb, th.doff * 4, iph.saddr, th.source, iph.daddr, th.dest,
            inet_iif(skb), 0,
        )  # fmt: skip
        if sk2 is not None:
            inet_twsk_deschedule_put(tw)
            _restore_cb(skb)
            return _to_socket(cast(tcp_sock, sk2), skb, th, False)
    if verdict in (TCP_TW_SYN, TCP_TW_ACK):
        tcp_ipv4_reply.tcp_v4_timewait_ack(tw, skb)
    elif verdict == TCP_TW_RST:
        tcp_ipv4_reply.tcp_v4_send_reset(tw, skb)  # type: ignore[arg-type]
        inet_twsk_deschedule_put(tw)
    return _drop(skb, SKB_DROP_REASON_NOT_SPECIFIED)
