"""The handshake at a listener (part of net/ipv4/tcp_ipv4.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.random import get_random_u16
from kshell.linux.include.linux.skbuff import SKB_GSO_TCPV4
from kshell.linux.include.linux.snmp import LINUX_MIB_LISTENOVERFLOWS
from kshell.linux.include.linux.tcp import tcp_mss_clamp, tcp_request_sock, tcp_sock
from kshell.linux.include.net.flow import flowi4
from kshell.linux.include.net.sock import sk_acceptq_is_full
from kshell.linux.net.core.dst import dst_release
from kshell.linux.net.core.secure_seq import secure_tcp_seq_and_ts_off
from kshell.linux.net.core.sock import sk_setup_caps, sock_put
from kshell.linux.net.ipv4 import (
    inet_hashtables,
    inet_hashtables_bind,
    tcp_close,
    tcp_input_request,
    tcp_minisocks,
    tcp_output_syn,
)
from kshell.linux.net.ipv4.inet_connection_sock import (
    inet_csk_prepare_forced_close,
    inet_csk_route_child_sock,
    inet_csk_route_req,
)
from kshell.linux.net.ipv4.ip_output import ip_build_and_send_pkt
from kshell.linux.net.ipv4.tcp_input_rtt import tcp_initialize_rcv_mss
from kshell.linux.net.ipv4.tcp_ipv4_md5 import tcp_md5_do_lookup
from kshell.linux.net.ipv4.tcp_output_mss import _dst_advmss, tcp_sync_mss

if TYPE_CHECKING:
    from kshell.linux.include.linux.ip import iphdr
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.linux.tcp import tcp_fastopen_cookie
    from kshell.linux.include.linux.tcp_header import tcphdr
    from kshell.linux.include.net.dst import dst_entry
    from kshell.linux.include.net.net_namespace import net
    from kshell.linux.include.net.request_sock import request_sock
    from kshell.linux.include.net.sock import sock


def __tcp_v4_send_check(skb: sk_buff, saddr: int, daddr: int) -> None:
    """The checksum is written when somebody looks at the bytes."""


def tcp_v4_init_seq_and_ts_off(net: net, skb: sk_buff) -> tuple[int, int]:
    """(initial sequence number, timestamp offset) for the answer to a SYN."""
    iph: iphdr = skb.network_header  # type: ignore[assignment]
    th: tcphdr = skb.transport_header  # type: ignore[assignment]
    return secure_tcp_seq_and_ts_off(net, iph.daddr, iph.saddr, th.dest, th.source)


def tcp_v4_init_req(req: tcp_request_sock, sk_listener: tcp_sock, skb: sk_buff) -> None:
    """The addresses of a request."""
    iph: iphdr = skb.network_header  # type: ignore[assignment]
    req.ir_loc_addr = iph.daddr
    req.ir_rmt_addr = iph.saddr


def tcp_v4_route_req(sk: tcp_sock, skb: sk_buff, fl4: flowi4, req: tcp_request_sock) -> dst_entry | None:
    """The route to who sent a SYN."""
    tcp_v4_init_req(req, sk, skb)
    return inet_csk_route_req(sk, fl4, req)


def tcp_v4_send_synack(
    sk: tcp_sock, dst: dst_entry | None, fl: flowi4 | None, req: tcp_request_sock, foc: tcp_fastopen_cookie | None,
    synack_type: int, syn_skb: sk_buff | None,
) -> bool:  # fmt: skip
    """Send SYN-ACK; False when that failed."""
    if dst is None:
        dst = inet_csk_route_req(sk, flowi4(), req)
        if dst is None:
            return False
    skb = tcp_output_syn.tcp_make_synack(sk, dst, req, foc, synack_type)
    __tcp_v4_send_check(skb, req.ir_loc_addr, req.ir_rmt_addr)
    tos = sk.tos
    if sk.skc_net.ipv4.sysctl_tcp_reflect_tos:
        tos = (req.syn_tos & ~3) | (tos & 3)
    try:
        ip_build_and_send_pkt(skb, sk, req.ir_loc_addr, req.ir_rmt_addr, req.ireq_opt, tos)
    except KernelError:
        return False
    return True


def tcp_v4_reqsk_destructor(req: request_sock) -> None:
    """A request goes away with its IP options."""
    cast(tcp_request_sock, req).ireq_opt = None


def inet_sk_rx_dst_set(sk: sock, skb: sk_buff) -> None:
    """Keep the route by which the connection's packets come."""
    dst = skb._skb_refdst
    if dst is not None and dst.refcnt > 0:
        dst.refcnt += 1
        sk.sk_rx_dst = dst
        sk.sk_rx_dst_ifindex = skb.skb_iif


def _take_addresses(newsk: tcp_sock, req: tcp_request_sock, skb: sk_buff) -> None:
    iph: iphdr = skb.network_header  # type: ignore[assignment]
    newsk.skc_daddr = req.ir_rmt_addr
    newsk.skc_rcv_saddr = req.ir_loc_addr
    newsk.skc_bound_dev_if = req.ir_iif
    newsk.inet_saddr = req.ir_loc_addr
    inet_opt = req.ireq_opt
    if newsk.inet_opt is not inet_opt:
        newsk.inet_opt = inet_opt
    if inet_opt is not None:
        newsk.icsk_ext_hdr_len = inet_opt.opt.optlen
    newsk.mc_ttl = iph.ttl
    if iph.tos or newsk.rcv_tos:
        newsk.rcv_tos = iph.tos
    newsk.inet_id = get_random_u16(newsk.skc_net.kernel)


def tcp_v4_syn_recv_sock(
    sk: tcp_sock, skb: sk_buff, req: tcp_request_sock, dst: dst_entry | None, req_unhash: tcp_request_sock | None,
    own_req: list[bool],
) -> tcp_sock | None:  # fmt: skip
    """The connection that a request becomes; None when the accept queue is full."""
    net = sk.skc_net
    if sk_acceptq_is_full(sk):
        net.mib.net_statistics[LINUX_MIB_LISTENOVERFLOWS] += 1
        if dst is not None:
            dst_release(dst)
        tcp_input_request.tcp_listendrop(sk)
        return None
    newsk = tcp_minisocks.tcp_create_openreq_child(sk, req, skb)
    newsk.sk_gso_type = SKB_GSO_TCPV4
    inet_sk_rx_dst_set(newsk, skb)
    _take_addresses(newsk, req, skb)
    if net.ipv4.sysctl_tcp_reflect_tos:
        newsk.tos = req.syn_tos & ~3
    if dst is None:
        dst = inet_csk_route_child_sock(sk, newsk, req)
        if dst is None:
            _give_up(sk, newsk)
            return None
    sk_setup_caps(newsk, dst)
    tcp_minisocks.tcp_ca_openreq_child(newsk, dst)
    tcp_sync_mss(newsk, dst.ops.mtu(dst))
    newsk.advmss = tcp_mss_clamp(sk, _dst_advmss(dst))
    tcp_initialize_rcv_mss(newsk)
    tcp_md5_do_lookup(sk, 0, newsk.skc_daddr)
    try:
        inet_hashtables_bind.__inet_inherit_port(sk, newsk)
    except KernelError:
        _give_up(sk, newsk)
        return None
    found_dup_sk = [False]
    own_req[0] = inet_hashtables.inet_ehash_nolisten(newsk, req_unhash, found_dup_sk)
    if own_req[0]:
        if req.saved_syn is not None:
            newsk.saved_syn = req.saved_syn  # type: ignore[assignment]
            req.saved_syn = None
        req.ireq_opt = None
    else:
        newsk.inet_opt = None
        if req_unhash is None and found_dup_sk[0]:
            sock_put(newsk)
            return None
    return newsk


def _give_up(sk: tcp_sock, newsk: tcp_sock) -> None:
    newsk.inet_opt = None
    inet_csk_prepare_forced_close(newsk)
    tcp_close.tcp_done(newsk)
    tcp_input_request.tcp_listendrop(sk)
