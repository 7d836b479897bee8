"""net/ipv4/tcp_ipv4.c: TCP over IPv4: connect, ICMP errors, and the tables of operations.

Further parts: tcp_ipv4_rcv, tcp_ipv4_request, tcp_ipv4_reply, tcp_ipv4_md5, tcp_ipv4_init.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from kshell.abi.errno import EAFNOSUPPORT, EHOSTUNREACH, EINVAL, ENETUNREACH, ENOENT, EPROTO
from kshell.abi.socket import AF_INET
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.icmp import (
    ICMP_DEST_UNREACH,
    ICMP_FRAG_NEEDED,
    ICMP_HOST_UNREACH,
    ICMP_NET_UNREACH,
    ICMP_PARAMETERPROB,
    ICMP_REDIRECT,
    ICMP_TIME_EXCEEDED,
    NR_ICMP_UNREACH,
    icmphdr,
)
from kshell.linux.include.linux.ip import iphdr
from kshell.linux.include.linux.random import get_random_u16
from kshell.linux.include.linux.skbuff import SKB_GSO_TCPV4
from kshell.linux.include.linux.snmp import (
    ICMP_MIB_INERRORS,
    IPSTATS_MIB_OUTNOROUTES,
    LINUX_MIB_LOCKDROPPEDICMPS,
    LINUX_MIB_OUTOFWINDOWICMPS,
)
from kshell.linux.include.linux.tcp import (
    TCP_MTU_REDUCED_DEFERRED,
    tcp_request_sock,
    tcp_sock,
    tcp_timewait_sock,
)
from kshell.linux.include.net.inet_connection_sock import ICSK_TIME_RETRANS, inet_connection_sock_af_ops
from kshell.linux.include.net.inet_sock import _cork_of
from kshell.linux.include.net.inet_timewait_sock import timewait_sock_ops
from kshell.linux.include.net.protocol import net_protocol
from kshell.linux.include.net.route import ip_route_connect, ip_route_newports, ip_rt_put
from kshell.linux.include.net.sock import proto, sk_error_report
from kshell.linux.include.net.tcp import (
    TCP_CLOSE,
    TCP_FIN_WAIT2,
    TCP_LISTEN,
    TCP_MSS_DEFAULT,
    TCP_NEW_SYN_RECV,
    TCP_RTO_MAX,
    TCP_SYN_RECV,
    TCP_SYN_SENT,
    TCP_TIME_WAIT,
    TCP_TIMEOUT_INIT,
    U32,
    _s32,
    between,
)
from kshell.linux.net.core.secure_seq import secure_tcp_seq_and_ts_off
from kshell.linux.net.core.sock import sk_set_txhash, sk_setup_caps, sock_put
from kshell.linux.net.ipv4 import (
    af_inet,
    icmp,
    inet_hashtables,
    tcp,
    tcp_close,
    tcp_input_data,
    tcp_output_retransmit,
    tcp_timer,
)
from kshell.linux.net.ipv4.inet_connection_sock import (
    inet_csk_accept,
    inet_csk_addr2sockaddr,
    inet_csk_reset_xmit_timer,
    inet_csk_update_pmtu,
    reqsk_put,
)
from kshell.linux.net.ipv4.inet_connection_sock_bind import inet_csk_get_port
from kshell.linux.net.ipv4.inet_connection_sock_req import inet_csk_reqsk_queue_drop
from kshell.linux.net.ipv4.inet_hashtables_connect import inet_hash_connect
from kshell.linux.net.ipv4.inet_timewait_sock import inet_twsk_put
from kshell.linux.net.ipv4.ip_output import ip_queue_xmit
from kshell.linux.net.ipv4.ip_sockglue import ip_icmp_error
from kshell.linux.net.ipv4.ip_sockglue_opt import ip_getsockopt, ip_setsockopt
from kshell.linux.net.ipv4.tcp_cong import tcp_cleanup_congestion_control
from kshell.linux.net.ipv4.tcp_fastopen import (
    tcp_fastopen_active_disable_ofo_check,
    tcp_fastopen_defer_connect,
    tcp_fastopen_destroy_cipher,
)
from kshell.linux.net.ipv4.tcp_getsockopt import tcp_bpf_bypass_getsockopt, tcp_getsockopt
from kshell.linux.net.ipv4.tcp_input_state import tcp_done_with_error
from kshell.linux.net.ipv4.tcp_ipv4_rcv import tcp_v4_do_rcv, tcp_v4_rcv
from kshell.linux.net.ipv4.tcp_ipv4_reqops import tcp_request_sock_ops, tcp_v4_conn_request
from kshell.linux.net.ipv4.tcp_ipv4_request import inet_sk_rx_dst_set, tcp_v4_syn_recv_sock
from kshell.linux.net.ipv4.tcp_minisocks import tcp_twsk_destructor
from kshell.linux.net.ipv4.tcp_output_mss import tcp_sync_mss
from kshell.linux.net.ipv4.tcp_output_syn import tcp_connect
from kshell.linux.net.ipv4.tcp_output_xmit import tcp_release_cb
from kshell.linux.net.ipv4.tcp_recvmsg import tcp_recvmsg
from kshell.linux.net.ipv4.tcp_sendmsg import tcp_free_fastopen_req, tcp_sendmsg, tcp_sendpage, tcp_splice_eof
from kshell.linux.net.ipv4.tcp_sockopt import tcp_setsockopt
from kshell.linux.net.ipv4.tcp_ulp import tcp_cleanup_ulp

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.inet_timewait_sock import inet_timewait_sock
    from kshell.linux.include.net.rtable import rtable
    from kshell.linux.include.net.sock import sock

RTCF_BROADCAST = 0x10000000
RTCF_MULTICAST = 0x20000000
LOOPBACK_IFINDEX = 1


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
    try:
        rt = ip_route_connect(fl4, nexthop, sk.inet_saddr, sk.skc_bound_dev_if, 6, orig_sport, dport, sk)
    except KernelError as e:
        if e.errno == ENETUNREACH:
            net.mib.ip_statistics[IPSTATS_MIB_OUTNOROUTES] += 1
        raise
    if rt.rt_flags & (RTCF_MULTICAST | RTCF_BROADCAST):
        ip_rt_put(rt)
        raise KernelError(ENETUNREACH)
    if not srr:
        daddr = fl4.daddr
    if not sk.inet_saddr:
        inet_hashtables.inet_bhash2_update_saddr(sk, fl4.saddr, AF_INET)
    else:
        sk.skc_rcv_saddr = sk.inet_saddr
    rx_opt = sk.rx_opt
    if rx_opt.ts_recent_stamp and sk.inet_daddr != daddr:
        rx_opt.ts_recent = rx_opt.ts_recent_stamp = 0
        if not sk.repair:
            sk.write_seq = 0
    sk.inet_dport = dport
    sk.skc_daddr = daddr
    if inet_opt is not None or sk.icsk_ext_hdr_len:
        sk.icsk_ext_hdr_len = inet_opt.opt.optlen if inet_opt is not None else 0
    rx_opt.mss_clamp = TCP_MSS_DEFAULT
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
        inet_hashtables.inet_bhash2_reset_saddr(sk)
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
    if sk.skc_state != TCP_CLOSE and kind != ICMP_REDIRECT:
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
    sk.__dict__.pop("pacing_timer", None)
    sk.__dict__.pop("compressed_ack_timer", None)
    tcp_cleanup_congestion_control(sk)
    tcp_cleanup_ulp(sk)
    tcp_close.tcp_write_queue_purge(sk)
    tcp_fastopen_active_disable_ofo_check(sk)
    tcp_input_data.skb_rbtree_purge(sk.out_of_order_queue)
    if sk.md5sig_info is not None:
        sk.md5sig_info = None
    if sk.icsk_bind_hash is not None:
        inet_hashtables.inet_put_port(sk)
    tcp_free_fastopen_req(sk)
    tcp_fastopen_destroy_cipher(sk)
    if sk.saved_syn is not None:
        sk.saved_syn = None
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
    mtu_reduced=tcp_v4_mtu_reduced,  # type: ignore[arg-type]
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
    put_port=inet_hashtables.inet_put_port,
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

tcp_protocol = net_protocol(handler=tcp_v4_rcv, err_handler=tcp_v4_err, no_policy=1, icmp_strict_tag_validation=1)
