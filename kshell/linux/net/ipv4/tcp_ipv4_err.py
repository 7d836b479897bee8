"""ICMP errors (part of net/ipv4/tcp_ipv4.c)."""


from __future__ import annotations

from typing import TYPE_CHECKING, cast

from kshell.abi.errno import EHOSTUNREACH, ENOENT, EPROTO
from kshell.abi.inet import (
    ICMP_DEST_UNREACH,
    ICMP_FRAG_NEEDED,
    ICMP_HOST_UNREACH,
    ICMP_NET_UNREACH,
    ICMP_PARAMETERPROB,
    ICMP_REDIRECT,
    ICMP_TIME_EXCEEDED,
)
from kshell.abi.tcp import (
    TCP_CLOSE,
    TCP_LISTEN,
    TCP_NEW_SYN_RECV,
    TCP_SYN_RECV,
    TCP_SYN_SENT,
    TCP_TIME_WAIT,
)
from kshell.linux.include.linux.icmp import NR_ICMP_UNREACH, icmphdr
from kshell.linux.include.linux.ip import iphdr
from kshell.linux.include.linux.snmp import (
    ICMP_MIB_INERRORS,
    LINUX_MIB_LOCKDROPPEDICMPS,
    LINUX_MIB_OUTOFWINDOWICMPS,
)
from kshell.linux.include.linux.tcp import (
    TCP_MTU_REDUCED_DEFERRED,
    tcp_request_sock,
    tcp_sock,
)
from kshell.linux.include.net.inet_connection_sock import ICSK_TIME_RETRANS
from kshell.linux.include.net.sock import sk_error_report
from kshell.linux.include.net.tcp import TCP_RTO_MAX, TCP_TIMEOUT_INIT, between
from kshell.linux.net.core.sock import sock_put
from kshell.linux.net.ipv4 import (
    icmp,
    inet_hashtables,
    route_redirect,
    tcp_output_retransmit,
)
from kshell.linux.net.ipv4.inet_connection_sock import (
    inet_csk_reset_xmit_timer,
    inet_csk_update_pmtu,
    reqsk_put,
)
from kshell.linux.net.ipv4.inet_connection_sock_req import inet_csk_reqsk_queue_drop
from kshell.linux.net.ipv4.inet_timewait_sock import inet_twsk_put
from kshell.linux.net.ipv4.ip_sockglue import ip_icmp_error
from kshell.linux.net.ipv4.tcp_input_state import tcp_done_with_error
from kshell.linux.net.ipv4.tcp_output_mss import tcp_sync_mss

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff


def tcp_v4_mtu_reduced(sk: tcp_sock) -> None:
    """A router said that packets are too big."""
    if (1 << TCP_LISTEN | 1 << TCP_CLOSE) >> sk.skc_state & 1:
        return
    mtu = sk.mtu_info
    dst = inet_csk_update_pmtu(sk, mtu)
    if dst is None:
        return
    if mtu < dst.ops.mtu(dst) and sk.pmtudisc != 0:
        sk.sk_err_soft = 90  # EMSGSIZE
    mtu = dst.ops.mtu(dst)
    if sk.pmtudisc != 0 and sk.icsk_pmtu_cookie > mtu:
        tcp_sync_mss(sk, mtu)
        tcp_output_retransmit.tcp_xmit_retransmit_queue(sk)


def tcp_req_err(req: tcp_request_sock, seq: int, abort: bool) -> None:
    """An ICMP error about a SYN-ACK: forget the request if it is not to be retried."""
    if seq != req.snt_isn:
        req.skc_net.mib.net_statistics[LINUX_MIB_OUTOFWINDOWICMPS] += 1
    elif abort:
        inet_csk_reqsk_queue_drop(req.rsk_listener, req)  # type: ignore[arg-type]
        cast(tcp_sock, req.rsk_listener).sk_drops += 1
    reqsk_put(req)


def tcp_ld_RTO_revert(sk: tcp_sock, seq: int) -> None:
    """The network was unreachable for a while: a retransmission timeout was not its congestion."""
    if not sk.icsk_retransmits or not sk.icsk_backoff or seq != sk.snd_una:
        return
    if not sk.tcp_rtx_queue:
        return
    sk.icsk_backoff -= 1
    sk.icsk_rto = min((sk.srtt_us >> 3) + sk.rttvar_us, 120000000) // 4000 if sk.srtt_us else TCP_TIMEOUT_INIT
    sk.icsk_rto = min(sk.icsk_rto << sk.icsk_backoff, TCP_RTO_MAX)
    inet_csk_reset_xmit_timer(sk, ICSK_TIME_RETRANS, sk.icsk_rto, TCP_RTO_MAX)


def _error_of(sk: tcp_sock, icmph: icmphdr, seq: int, info: int) -> int:
    """The errno that an ICMP error means, 0 when there is nothing more to do."""
    kind, code = icmph.type, icmph.code
    if kind == ICMP_PARAMETERPROB:
        return EPROTO
    if kind == ICMP_TIME_EXCEEDED:
        return EHOSTUNREACH
    if kind != ICMP_DEST_UNREACH or code > NR_ICMP_UNREACH:
        return 0
    if code == ICMP_FRAG_NEEDED:
        if sk.skc_state == TCP_LISTEN:
            return 0
        sk.mtu_info = info
        if not sk.sk_lock:
            tcp_v4_mtu_reduced(sk)
        elif not sk.sk_tsq_flags >> TCP_MTU_REDUCED_DEFERRED & 1:
            sk.sk_tsq_flags |= 1 << TCP_MTU_REDUCED_DEFERRED
            sk.skc_refcnt += 1
        return 0
    if sk.fastopen_rsk is None and code in (ICMP_NET_UNREACH, ICMP_HOST_UNREACH):
        tcp_ld_RTO_revert(sk, seq)
    return icmp.icmp_err_convert[code].errno


def tcp_v4_err(skb: sk_buff, info: int) -> int:
    """An ICMP error about the segment in skb.data: tell the connection. -ENOENT if there is none."""
    assert skb.dev is not None
    net = skb.dev.nd_net
    icmph = skb.transport_header
    assert isinstance(icmph, icmphdr)
    iph = iphdr._from_bytes(skb.data)
    ihl = iph.ihl * 4
    head = skb.data[ihl : ihl + 8]
    source, dest = int.from_bytes(head[:2], "big"), int.from_bytes(head[2:4], "big")
    seq = int.from_bytes(head[4:8], "big")
    found = inet_hashtables.__inet_lookup_established(
        net, net.ipv4.tcp_death_row.hashinfo, iph.daddr, dest, iph.saddr, source, skb.dev.ifindex, 0
    )
    if found is None:
        net.mib.icmp_statistics[ICMP_MIB_INERRORS] += 1
        return -ENOENT
    kind, code = icmph.type, icmph.code
    if found.skc_state == TCP_TIME_WAIT:
        inet_twsk_put(found)  # type: ignore[arg-type]
        return 0
    if found.skc_state == TCP_NEW_SYN_RECV:
        abort = kind in (ICMP_PARAMETERPROB, ICMP_TIME_EXCEEDED) or (
            kind == ICMP_DEST_UNREACH and code in (ICMP_NET_UNREACH, ICMP_HOST_UNREACH)
        )
        tcp_req_err(cast(tcp_request_sock, found), seq, abort)
        return 0
    sk = cast(tcp_sock, found)
    if sk.sk_lock and not (kind == ICMP_DEST_UNREACH and code == ICMP_FRAG_NEEDED):
        net.mib.net_statistics[LINUX_MIB_LOCKDROPPEDICMPS] += 1
    if kind == ICMP_REDIRECT:
        if not sk.sk_lock:
            route_redirect.ipv4_sk_redirect(skb, sk)
    elif sk.skc_state != TCP_CLOSE:
        _icmp_error(sk, skb, icmph, seq, dest, info, ihl + 20)
    sock_put(sk)
    return 0


def _icmp_error(sk: tcp_sock, skb: sk_buff, icmph: icmphdr, seq: int, dest: int, info: int, payload: int) -> None:
    fastopen = sk.fastopen_rsk
    snd_una = cast(tcp_request_sock, fastopen).snt_isn if fastopen is not None else sk.snd_una
    if sk.skc_state != TCP_LISTEN and not between(seq, snd_una, sk.snd_nxt):
        sk.skc_net.mib.net_statistics[LINUX_MIB_OUTOFWINDOWICMPS] += 1
        return
    err = _error_of(sk, icmph, seq, info)
    if not err:
        return
    if sk.skc_state in (TCP_SYN_SENT, TCP_SYN_RECV) and (fastopen is None or fastopen.sk is not None):
        ip_icmp_error(sk, skb, err, dest, info, payload)
        if not sk.sk_lock:
            tcp_done_with_error(sk, err)
        else:
            sk.sk_err_soft = err
        return
    if not sk.sk_lock and sk.recverr:
        sk.sk_err = err
        sk_error_report(sk)
    else:
        sk.sk_err_soft = err
