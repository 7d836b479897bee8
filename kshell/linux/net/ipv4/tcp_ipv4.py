"""net/ipv4/tcp_ipv4.c: TCP over IPv4: connect, ICMP errors, and the tables of operations.

Further parts: tcp_ipv4_rcv, tcp_ipv4_request, tcp_ipv4_reply, tcp_ipv4_md5, tcp_ipv4_init.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from kshell.abi.errno import EAFNOSUPPORT, EINVAL, ENETUNREACH
from kshell.abi.socket import AF_INET
from kshell.abi.tcp import TCP_CLOSE, TCP_FIN_WAIT2, TCP_MSS_DEFAULT, TCP_SYN_SENT
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.random import get_random_u16
from kshell.linux.include.linux.skbuff import SKB_GSO_TCPV4
from kshell.linux.include.linux.snmp import IPSTATS_MIB_OUTNOROUTES
from kshell.linux.include.linux.tcp import tcp_sock, tcp_timewait_sock
from kshell.linux.include.net.flow import LOOPBACK_IFINDEX
from kshell.linux.include.net.inet_connection_sock import inet_connection_sock_af_ops
from kshell.linux.include.net.inet_sock import _cork_of
from kshell.linux.include.net.inet_timewait_sock import timewait_sock_ops
from kshell.linux.include.net.protocol import net_protocol
from kshell.linux.include.net.route import ip_route_connect, ip_route_newports, ip_rt_put
from kshell.linux.include.net.rtable import RTCF_BROADCAST, RTCF_MULTICAST
from kshell.linux.include.net.sock_proto import proto
from kshell.linux.include.net.tcp import U32, _s32
from kshell.linux.net.core.secure_seq import secure_tcp_seq_and_ts_off
from kshell.linux.net.core.sock import sk_set_txhash, sk_setup_caps
from kshell.linux.net.ipv4 import (
    af_inet,
    inet_hashtables,
    inet_hashtables_bind,
    tcp,
    tcp_close,
    tcp_input_data,
    tcp_ipv4_err,
    tcp_timer,
)
from kshell.linux.net.ipv4.inet_connection_sock import inet_csk_accept, inet_csk_addr2sockaddr
from kshell.linux.net.ipv4.inet_connection_sock_bind import inet_csk_get_port
from kshell.linux.net.ipv4.inet_hashtables_connect import inet_hash_connect
from kshell.linux.net.ipv4.ip_output import ip_queue_xmit
from kshell.linux.net.ipv4.ip_sockglue_opt import ip_getsockopt, ip_setsockopt
from kshell.linux.net.ipv4.tcp_cong import tcp_cleanup_congestion_control
from kshell.linux.net.ipv4.tcp_fastopen import (
    tcp_fastopen_active_disable_ofo_check,
    tcp_fastopen_defer_connect,
    tcp_fastopen_destroy_cipher,
)
from kshell.linux.net.ipv4.tcp_getsockopt import tcp_bpf_bypass_getsockopt, tcp_getsockopt
from kshell.linux.net.ipv4.tcp_ipv4_rcv import tcp_v4_do_rcv, tcp_v4_rcv
from kshell.linux.net.ipv4.tcp_ipv4_reqops import tcp_request_sock_ops, tcp_v4_conn_request
from kshell.linux.net.ipv4.tcp_ipv4_request import inet_sk_rx_dst_set, tcp_v4_syn_recv_sock
from kshell.linux.net.ipv4.tcp_minisocks_timewait import tcp_twsk_destructor
from kshell.linux.net.ipv4.tcp_output_syn import tcp_connect
from kshell.linux.net.ipv4.tcp_output_xmit import tcp_release_cb
from kshell.linux.net.ipv4.tcp_recvmsg import tcp_recvmsg
from kshell.linux.net.ipv4.tcp_sendmsg import tcp_free_fastopen_req, tcp_sendmsg, tcp_splice_eof
from kshell.linux.net.ipv4.tcp_sendpage import tcp_sendpage
from kshell.linux.net.ipv4.tcp_sockopt import tcp_setsockopt
from kshell.linux.net.ipv4.tcp_ulp import tcp_cleanup_ulp

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.flow import flowi4
    from kshell.linux.include.net.inet_timewait_sock import inet_timewait_sock
    from kshell.linux.include.net.rtable import rtable
    from kshell.linux.include.net.sock import sock


def tcp_v4_send_check(sk: sock, skb: sk_buff) -> None:
    """The checksum is written when somebody looks at the bytes."""


def _is_loopback(tw: inet_timewait_sock) -> bool:
    return (
        tw.tw_bound_dev_if == LOOPBACK_IFINDEX or tw.tw_daddr >> 24 == 127 or tw.tw_rcv_saddr >> 24 == 127
    )


def tcp_twsk_unique(sk: sock, sktw: inet_timewait_sock, twp: bool) -> bool:
    """May a connection in TIME_WAIT be replaced by a new one between the same ports? Then it goes on after it."""
    tw = cast(tcp_timewait_sock, sktw)
    tp = cast(tcp_sock, sk)
    reuse: int = sk.skc_net.ipv4.sysctl_tcp_tw_reuse
    if tw.tw_substate == TCP_FIN_WAIT2:
        reuse = 0
    if reuse == 2 and not _is_loopback(tw):
        reuse = 0
    kernel = sk.skc_net.kernel
    now = (kernel.clock.now - kernel.boot_ns) // 1_000_000_000 + 1
    if tw.tw_ts_recent_stamp and (not twp or (reuse and _s32(tw.tw_ts_recent_stamp - now) < 0)):
        tw.skc_refcnt += 1
        if not tp.repair:
            tp.write_seq = (tw.tw_snd_nxt + 65535 + 2 & U32) or 1
            tp.rx_opt.ts_recent = tw.tw_ts_recent
            tp.rx_opt.ts_recent_stamp = tw.tw_ts_recent_stamp
        return True
    return False


def tcp_v4_pre_connect(sk: sock, uaddr: bytes, addr_len: int) -> int:
    """EINVAL: the address is too short."""
    if addr_len < 16:
        raise KernelError(EINVAL)
    return 0


def _route_to_peer(sk: tcp_sock, fl4: flowi4, nexthop: int, dport: int) -> rtable:
    """The route of a connection; fl4 gets the addresses. ENETUNREACH: none, or the peer is no single host."""
    try:
        rt = ip_route_connect(fl4, nexthop, sk.inet_saddr, sk.skc_bound_dev_if, 6, sk.inet_sport, dport, sk)
    except KernelError as e:
        if e.errno == ENETUNREACH:
            sk.skc_net.mib.ip_statistics[IPSTATS_MIB_OUTNOROUTES] += 1
        raise
    if rt.rt_flags & (RTCF_MULTICAST | RTCF_BROADCAST):
        ip_rt_put(rt)
        raise KernelError(ENETUNREACH)
    return rt


def _forget_other_peer(sk: tcp_sock, daddr: int) -> None:
    """Timestamps of the last connection say nothing of another peer."""
    rx_opt = sk.rx_opt
    if rx_opt.ts_recent_stamp and sk.inet_daddr != daddr:
        rx_opt.ts_recent = rx_opt.ts_recent_stamp = 0
        if not sk.repair:
            sk.write_seq = 0


async def tcp_v4_connect(sk: tcp_sock, uaddr: bytes, addr_len: int) -> int:
    """Begin a connection: route, local address and port, SYN. EINVAL, EAFNOSUPPORT, ENETUNREACH, EADDRNOTAVAIL …"""
    if addr_len < 16:
        raise KernelError(EINVAL)
    if int.from_bytes(uaddr[:2], "little") != AF_INET:
        raise KernelError(EAFNOSUPPORT)
    nexthop = daddr = int.from_bytes(uaddr[4:8], "big")
    dport = int.from_bytes(uaddr[2:4], "big")
    net = sk.skc_net
    inet_opt = sk.inet_opt
    srr = inet_opt is not None and inet_opt.opt.srr
    if srr and inet_opt is not None:
        if not daddr:
            raise KernelError(EINVAL)
        nexthop = inet_opt.opt.faddr
    orig_sport = sk.inet_sport
    fl4 = _cork_of(sk).fl
    rt = _route_to_peer(sk, fl4, nexthop, dport)
    if not srr:
        daddr = fl4.daddr
    if not sk.inet_saddr:
        inet_hashtables_bind.inet_bhash2_update_saddr(sk, fl4.saddr, AF_INET)
    else:
        sk.skc_rcv_saddr = sk.inet_saddr
    _forget_other_peer(sk, daddr)
    sk.inet_dport = dport
    sk.skc_daddr = daddr
    if inet_opt is not None or sk.icsk_ext_hdr_len:
        sk.icsk_ext_hdr_len = inet_opt.opt.optlen if inet_opt is not None else 0
    sk.rx_opt.mss_clamp = TCP_MSS_DEFAULT
    tcp.tcp_set_state(sk, TCP_SYN_SENT)
    ours: rtable | None = rt  # the reference that is still to be dropped on failure
    try:
        inet_hash_connect(net.ipv4.tcp_death_row, sk)
        sk_set_txhash(sk)
        ours = None
        ours = rt = ip_route_newports(fl4, rt, orig_sport, dport, sk.inet_sport, dport, sk)
        sk.sk_gso_type = SKB_GSO_TCPV4
        sk_setup_caps(sk, rt)
        ours = None
        _start(sk, dport)
    except KernelError:
        tcp.tcp_set_state(sk, TCP_CLOSE)
        inet_hashtables_bind.inet_bhash2_reset_saddr(sk)
        ip_rt_put(ours)
        sk.sk_route_caps = 0
        sk.inet_dport = 0
        raise
    return 0


def _start(sk: tcp_sock, dport: int) -> None:
    if not sk.repair:
        seq, ts_off = secure_tcp_seq_and_ts_off(sk.skc_net, sk.inet_saddr, sk.inet_daddr, sk.inet_sport, dport)
        if not sk.write_seq:
            sk.write_seq = seq
        sk.tsoffset = ts_off
    sk.inet_id = get_random_u16(sk.skc_net.kernel)
    if tcp_fastopen_defer_connect(sk):
        return
    tcp_connect(sk)


def tcp_v4_init_sock(sk: tcp_sock) -> int:
    """proto.init."""
    tcp.tcp_init_sock(sk)
    sk.icsk_af_ops = ipv4_specific
    return 0


def tcp_v4_destroy_sock(sk: tcp_sock) -> None:
    """proto.destroy: the socket lets go of all it has."""
    tcp_close.tcp_clear_xmit_timers(sk)
    sk.icsk_retransmit_timer = tcp_timer._IDLE_WRITE_TIMER
    sk.icsk_delack_timer = tcp_timer._IDLE_DELACK_TIMER
    sk.icsk_keepalive_timer = tcp_timer._IDLE_KEEPALIVE_TIMER
    tcp_cleanup_congestion_control(sk)
    tcp_cleanup_ulp(sk)
    tcp_close.tcp_write_queue_purge(sk)
    tcp_fastopen_active_disable_ofo_check(sk)
    tcp_input_data.skb_rbtree_purge(sk.out_of_order_queue)
    if sk.md5sig_info is not None:
        sk.md5sig_info = None
    if sk.icsk_bind_hash is not None:
        inet_hashtables_bind.inet_put_port(sk)
    tcp_free_fastopen_req(sk)
    tcp_fastopen_destroy_cipher(sk)
    sk.skc_net.kernel.tcp_sockets_allocated -= 1


def tcp_stream_memory_free(sk: sock, wake: int) -> bool:
    """False while more unsent data than TCP_NOTSENT_LOWAT is queued; for a wake-up, more than half of it."""
    tp = cast(tcp_sock, sk)
    notsent = tp.write_seq - tp.snd_nxt & U32
    return notsent << wake < (tp.notsent_lowat or sk.skc_net.ipv4.sysctl_tcp_notsent_lowat)


ipv4_specific = inet_connection_sock_af_ops(
    queue_xmit=ip_queue_xmit,  # type: ignore[arg-type]
    send_check=tcp_v4_send_check,
    rebuild_header=af_inet.inet_sk_rebuild_header,  # type: ignore[arg-type]
    sk_rx_dst_set=inet_sk_rx_dst_set,
    conn_request=tcp_v4_conn_request,  # type: ignore[arg-type]
    syn_recv_sock=tcp_v4_syn_recv_sock,
    net_header_len=20,
    setsockopt=ip_setsockopt,
    getsockopt=ip_getsockopt,
    addr2sockaddr=inet_csk_addr2sockaddr,  # type: ignore[arg-type]
    sockaddr_len=16,
    mtu_reduced=tcp_ipv4_err.tcp_v4_mtu_reduced,  # type: ignore[arg-type]
)

tcp_timewait_sock_ops = timewait_sock_ops(
    twsk_slab_name="tw_sock_TCP",
    twsk_obj_size=264,
    twsk_unique=tcp_twsk_unique,
    twsk_destructor=tcp_twsk_destructor,
)

tcp_prot = proto(
    name="TCP",
    cls=tcp_sock,
    obj_size=2280,
    close=tcp_close.tcp_close,  # type: ignore[arg-type]
    pre_connect=tcp_v4_pre_connect,
    connect=tcp_v4_connect,  # type: ignore[arg-type]
    disconnect=tcp_close.tcp_disconnect,  # type: ignore[arg-type]
    accept=inet_csk_accept,  # type: ignore[arg-type]
    ioctl=tcp.tcp_ioctl,  # type: ignore[arg-type]
    init=tcp_v4_init_sock,  # type: ignore[arg-type]
    destroy=tcp_v4_destroy_sock,  # type: ignore[arg-type]
    shutdown=tcp_close.tcp_shutdown,  # type: ignore[arg-type]
    setsockopt=tcp_setsockopt,  # type: ignore[arg-type]
    getsockopt=tcp_getsockopt,  # type: ignore[arg-type]
    bpf_bypass_getsockopt=tcp_bpf_bypass_getsockopt,
    keepalive=tcp_timer.tcp_set_keepalive,  # type: ignore[arg-type]
    recvmsg=tcp_recvmsg,  # type: ignore[arg-type]
    sendmsg=tcp_sendmsg,  # type: ignore[arg-type]
    splice_eof=tcp_splice_eof,
    sendpage=tcp_sendpage,  # type: ignore[arg-type]
    backlog_rcv=tcp_v4_do_rcv,  # type: ignore[arg-type]
    release_cb=tcp_release_cb,
    hash=inet_hashtables.inet_hash,  # type: ignore[arg-type]
    unhash=inet_hashtables.inet_unhash,
    get_port=inet_csk_get_port,  # type: ignore[arg-type]
    put_port=inet_hashtables_bind.inet_put_port,
    enter_memory_pressure=tcp.tcp_enter_memory_pressure,
    leave_memory_pressure=tcp.tcp_leave_memory_pressure,
    stream_memory_free=tcp_stream_memory_free,
    sockets_allocated="tcp_sockets_allocated",
    orphan_count="tcp_orphan_count",
    memory_allocated="tcp_memory_allocated",
    memory_pressure="tcp_memory_pressure",
    sysctl_mem="sysctl_tcp_mem",
    sysctl_wmem_offset="sysctl_tcp_wmem",
    sysctl_rmem_offset="sysctl_tcp_rmem",
    max_header=320,
    slab_flags=0x80000,
    twsk_prot=tcp_timewait_sock_ops,
    rsk_prot=tcp_request_sock_ops,
    no_autobind=True,
    diag_destroy=tcp_close.tcp_abort,  # type: ignore[arg-type]
)

tcp_protocol = net_protocol(
    handler=tcp_v4_rcv, err_handler=tcp_ipv4_err.tcp_v4_err, no_policy=1, icmp_strict_tag_validation=1
)
