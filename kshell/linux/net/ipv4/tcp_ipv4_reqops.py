"""How TCP answers connection requests over IPv4: the tables (net/ipv4/tcp_ipv4.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.socket import AF_INET
from kshell.abi.tcp import TCP_MSS_DEFAULT
from kshell.linux.include.linux.tcp import tcp_request_sock, tcp_sock
from kshell.linux.include.net.request_sock import request_sock_ops
from kshell.linux.include.net.rtable import RTCF_BROADCAST, RTCF_MULTICAST
from kshell.linux.include.net.tcp import tcp_request_sock_ops as _tcp_request_sock_af_ops
from kshell.linux.net.ipv4 import syncookies, tcp_input_request, tcp_ipv4_reply, tcp_output_syn
from kshell.linux.net.ipv4.tcp_ipv4_md5 import tcp_v4_md5_lookup
from kshell.linux.net.ipv4.tcp_ipv4_request import (
    tcp_v4_init_seq_and_ts_off,
    tcp_v4_reqsk_destructor,
    tcp_v4_route_req,
    tcp_v4_send_synack,
)
from kshell.linux.net.ipv4.tcp_timer import tcp_syn_ack_timeout

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff


def tcp_v4_conn_request(sk: tcp_sock, skb: sk_buff) -> int:
    """A SYN for a listener; never one to a broadcast address."""
    rt = skb._skb_refdst
    if rt is not None and rt.rt_flags & (RTCF_BROADCAST | RTCF_MULTICAST):  # type: ignore[attr-defined]
        tcp_input_request.tcp_listendrop(sk)
        return 0
    return tcp_input_request.tcp_conn_request(tcp_request_sock_ops, tcp_request_sock_ipv4_ops, sk, skb)


tcp_request_sock_ops = request_sock_ops(
    family=AF_INET,
    obj_size=304,
    cls=tcp_request_sock,
    rtx_syn_ack=tcp_output_syn.tcp_rtx_synack,  # type: ignore[arg-type]
    send_ack=tcp_ipv4_reply.tcp_v4_reqsk_send_ack,
    destructor=tcp_v4_reqsk_destructor,
    send_reset=tcp_ipv4_reply.tcp_v4_send_reset,
    syn_ack_timeout=tcp_syn_ack_timeout,
    slab_name="request_sock_TCP",
)

tcp_request_sock_ipv4_ops = _tcp_request_sock_af_ops(
    mss_clamp=TCP_MSS_DEFAULT,
    req_md5_lookup=tcp_v4_md5_lookup,
    cookie_init_seq=syncookies.cookie_v4_init_sequence,
    route_req=tcp_v4_route_req,  # type: ignore[arg-type]
    init_seq_and_ts_off=tcp_v4_init_seq_and_ts_off,
    send_synack=tcp_v4_send_synack,  # type: ignore[arg-type]
)
