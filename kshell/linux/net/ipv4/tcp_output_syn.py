"""SYN and SYN-ACK (part of net/ipv4/tcp_output.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import ECONNREFUSED
from kshell.abi.rtnetlink import RTAX_INITRWND, RTAX_WINDOW
from kshell.abi.socket import SOCK_RCVBUF_LOCK
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.skbuff import CHECKSUM_PARTIAL, skb_dst_set
from kshell.linux.include.linux.snmp import (
    LINUX_MIB_TCPORIGDATASENT,
    LINUX_MIB_TCPSYNRETRANS,
    TCP_MIB_ACTIVEOPENS,
    TCP_MIB_OUTSEGS,
    TCP_MIB_RETRANSSEGS,
)
from kshell.linux.include.linux.tcp import tcp_fastopen_cookie, tcp_mss_clamp, tcp_request_sock, tcp_sock
from kshell.linux.include.linux.tcp_header import tcphdr
from kshell.linux.include.linux.time64 import NSEC_PER_MSEC
from kshell.linux.include.net.flow import flowi4
from kshell.linux.include.net.inet_connection_sock import ICSK_TIME_RETRANS
from kshell.linux.include.net.sock import SOCK_DONE, sock_reset_flag
from kshell.linux.include.net.tcp import (
    MAX_TCP_HEADER,
    MAX_TCP_OPTION_SPACE,
    TCP_CHRONO_BUSY,
    TCP_ECN_OK,
    TCP_RTO_MAX,
    TCP_SYNACK_COOKIE,
    TCP_SYNACK_FASTOPEN,
    TCP_SYNACK_NORMAL,
    TCP_TIMEOUT_INIT,
    TCPHDR_ACK,
    TCPHDR_CWR,
    TCPHDR_ECE,
    TCPHDR_PSH,
    TCPHDR_SYN,
    TCPOLEN_MD5SIG_ALIGNED,
    TCPOLEN_TSTAMP_ALIGNED,
    U32,
    tcp_skb_cb,
)
from kshell.linux.include.net.tcp_window import tcp_full_space
from kshell.linux.lib.iov_iter import copy_from_iter
from kshell.linux.net.core.skbuff import __skb_queue_tail, alloc_skb, skb_push
from kshell.linux.net.core.sock import net_tx_rndhash
from kshell.linux.net.core.sock_mem import skb_set_owner_w
from kshell.linux.net.ipv4 import (
    syncookies_timestamp,
    tcp_close,
    tcp_fastopen,
    tcp_input_data,
    tcp_input_loss,
    tcp_input_rtt,
    tcp_input_synsent,
    tcp_ipv4_md5,
    tcp_output,
    tcp_output_xmit,
    tcp_sendmsg,
)
from kshell.linux.net.ipv4.inet_connection_sock import inet_csk_reset_xmit_timer
from kshell.linux.net.ipv4.tcp_output_mss import (
    __tcp_mtu_to_mss,
    _dst_advmss,
    tcp_mtup_init,
    tcp_select_initial_window,
    tcp_sync_mss,
)
from kshell.linux.net.ipv4.tcp_output_options import (
    bpf_skops_write_hdr_opt,
    tcp_options_write,
    tcp_out_options,
    tcp_synack_options,
)

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.dst import dst_entry
    from kshell.linux.include.net.request_sock import request_sock
    from kshell.linux.include.net.sock import sock



def tcp_send_synack(sk: tcp_sock) -> None:
    """Simultaneous open: send the SYN again, with an ACK."""
    skb = sk.tcp_rtx_queue[0]
    cb: tcp_skb_cb = skb.cb  # type: ignore[assignment]
    if not cb.tcp_flags & TCPHDR_ACK:
        cb.tcp_flags |= TCPHDR_ACK
        cb.tcp_flags &= ~TCPHDR_CWR
        if not sk.ecn_flags & TCP_ECN_OK:
            cb.tcp_flags &= ~TCPHDR_ECE
    tcp_output_xmit.__tcp_transmit_skb(sk, skb, True, sk.rcv_nxt)


def tcp_make_synack(
    sk: tcp_sock, dst: dst_entry, req: tcp_request_sock, foc: tcp_fastopen_cookie | None, synack_type: int
) -> sk_buff:
    """Build the SYN-ACK for a request; takes over the reference to `dst`."""
    kernel = sk.skc_net.kernel
    skb = alloc_skb(kernel, MAX_TCP_HEADER)
    if synack_type == TCP_SYNACK_NORMAL:
        skb_set_owner_w(skb, req)  # type: ignore[arg-type]
    elif synack_type == TCP_SYNACK_FASTOPEN:
        skb_set_owner_w(skb, sk)
    skb_dst_set(skb, dst)
    mss = tcp_mss_clamp(sk, _dst_advmss(dst))
    opts = tcp_out_options()
    now = kernel.clock.now - kernel.boot_ns + 1000  # zero means never
    if synack_type == TCP_SYNACK_COOKIE and req.tstamp_ok:
        skb.tstamp = syncookies_timestamp.cookie_init_timestamp(req, now)
    else:
        skb.tstamp = now
        if not req.snt_synack:
            req.snt_synack = now // 1000
    skb.hash = req.txhash
    md5 = req.af_specific.req_md5_lookup(sk, req)  # type: ignore[arg-type]
    header_size = tcp_synack_options(sk, req, mss, skb, opts, md5, foc, synack_type) + 20  # type: ignore[arg-type]
    skb_push(skb, header_size)
    flags = TCPHDR_SYN | TCPHDR_ACK | (TCPHDR_ECE if req.ecn_ok else 0)
    skb.mark = req.ir_mark
    skb.ip_summed = CHECKSUM_PARTIAL
    skb.transport_header = tcphdr(
        req.ir_num, req.ir_rmt_port, req.snt_isn, req.rcv_nxt, flags, min(req.rsk_rcv_wnd, 65535), 0,
        tcp_options_write(None, opts),
    )  # fmt: skip
    sk.skc_net.mib.tcp_statistics[TCP_MIB_OUTSEGS] += 1
    bpf_skops_write_hdr_opt(sk, skb)
    skb.tstamp = now
    return skb


def tcp_connect_init(sk: tcp_sock) -> None:
    """Everything a connection starts with: MSS, window, sequence numbers, timeouts."""
    ipv4 = sk.skc_net.ipv4
    dst = sk.sk_dst_cache
    assert dst is not None
    rx_opt = sk.rx_opt
    sk.tcp_header_len = 20 + (TCPOLEN_TSTAMP_ALIGNED if ipv4.sysctl_tcp_timestamps else 0)
    if tcp_ipv4_md5.tcp_v4_md5_lookup(sk, sk) is not None:
        sk.tcp_header_len += TCPOLEN_MD5SIG_ALIGNED
    if rx_opt.user_mss:
        rx_opt.mss_clamp = rx_opt.user_mss
    sk.max_window = 0
    sk.out_of_order_queue, sk.tcp_rtx_queue = [], []
    tcp_mtup_init(sk)
    tcp_sync_mss(sk, dst.ops.mtu(dst))
    metrics = dst._metrics or {}
    if not sk.window_clamp:
        sk.window_clamp = metrics.get(RTAX_WINDOW, 0)
    sk.advmss = tcp_mss_clamp(sk, _dst_advmss(dst))
    tcp_input_rtt.tcp_initialize_rcv_mss(sk)
    full_space = tcp_full_space(sk)
    if sk.sk_userlocks & SOCK_RCVBUF_LOCK and (sk.window_clamp > full_space or sk.window_clamp == 0):
        sk.window_clamp = full_space
    mss = sk.advmss - (sk.tcp_header_len - 20 if rx_opt.ts_recent_stamp else 0)
    sk.rcv_wnd, sk.window_clamp, rx_opt.rcv_wscale = tcp_select_initial_window(
        sk, full_space, mss, sk.window_clamp, ipv4.sysctl_tcp_window_scaling, metrics.get(RTAX_INITRWND, 0)
    )
    sk.rcv_ssthresh = sk.rcv_wnd
    sk.sk_err = 0
    sock_reset_flag(sk, SOCK_DONE)
    sk.snd_wnd = 0
    sk.snd_wl1 = 0
    tcp_close.tcp_write_queue_purge(sk)
    sk.snd_una = sk.snd_sml = sk.snd_up = sk.snd_nxt = sk.write_seq
    if not sk.repair:
        sk.rcv_nxt = 0
    else:
        sk.rcv_tstamp = sk.skc_net.kernel.jiffies & U32
    sk.rcv_wup = sk.copied_seq = sk.rcv_nxt
    sk.icsk_rto = TCP_TIMEOUT_INIT
    sk.icsk_retransmits = 0
    tcp_input_loss.tcp_clear_retrans(sk)


def tcp_connect_queue_skb(sk: tcp_sock, skb: sk_buff) -> None:
    """Charge the SYN (with its data) to the socket and count it as sent."""
    cb: tcp_skb_cb = skb.cb  # type: ignore[assignment]
    cb.end_seq = cb.end_seq + skb.len & U32
    sk.sk_wmem_queued += skb.truesize
    sk.sk_forward_alloc -= skb.truesize
    sk.write_seq = cb.end_seq
    sk.packets_out += cb.tcp_gso_segs


def tcp_ecn_send_syn(sk: tcp_sock, skb: sk_buff) -> None:
    """Offer ECN on the SYN where tcp_ecn is 1."""
    sk.ecn_flags = 0
    if sk.skc_net.ipv4.sysctl_tcp_ecn == 1:
        skb.cb.tcp_flags |= TCPHDR_ECE | TCPHDR_CWR  # type: ignore[attr-defined]
        sk.ecn_flags = TCP_ECN_OK


def tcp_send_syn_data(sk: tcp_sock, syn: sk_buff) -> None:
    """Fast Open: send the SYN with the data that waits, or plain when there is no cookie."""
    fo = sk.fastopen_req
    assert fo is not None
    rx_opt = sk.rx_opt
    rx_opt.mss_clamp = sk.advmss
    usable, mss = tcp_fastopen.tcp_fastopen_cookie_check(sk, rx_opt.mss_clamp, fo.cookie)
    if not usable:
        if fo.cookie.len > 0:
            fo.cookie.len = 0
        tcp_output_xmit.__tcp_transmit_skb(sk, syn, True, sk.rcv_nxt)
        fo.cookie.len = -1
        return
    rx_opt.mss_clamp = tcp_mss_clamp(sk, mss)
    tcp_sync_mss(sk, sk.icsk_pmtu_cookie)
    space = min(__tcp_mtu_to_mss(sk, sk.icsk_pmtu_cookie) - MAX_TCP_OPTION_SPACE, fo.size)
    syn_data = tcp_sendmsg.tcp_stream_alloc_skb(sk, space, False)
    assert syn_data is not None
    syn_cb: tcp_skb_cb = syn.cb  # type: ignore[assignment]
    cb = syn_data.cb = tcp_skb_cb(syn_cb.seq, syn_cb.end_seq, syn_cb.tcp_flags)
    cb.tcp_gso_segs = 1
    if space:
        syn_data.data = copy_from_iter(fo.data.msg_iter, space)
        syn_data.len = space = len(syn_data.data)
    fo.copied = space
    tcp_connect_queue_skb(sk, syn_data)
    if syn_data.len:
        tcp_output.tcp_chrono_start(sk, TCP_CHRONO_BUSY)
    try:
        tcp_output_xmit.__tcp_transmit_skb(sk, syn_data, True, sk.rcv_nxt)
    except KernelError:
        cb.seq = cb.seq + 1 & U32
        cb.tcp_flags = TCPHDR_ACK | TCPHDR_PSH
        __skb_queue_tail(sk.sk_write_queue, syn_data)
        sk.packets_out -= 1
        fo.cookie.len = -1
        raise
    syn.tstamp = syn_data.tstamp
    cb.seq = cb.seq + 1 & U32
    cb.tcp_flags = TCPHDR_ACK | TCPHDR_PSH
    sk.syn_data = int(fo.copied > 0)
    tcp_input_data.tcp_rbtree_insert(sk.tcp_rtx_queue, syn_data)
    sk.skc_net.mib.net_statistics[LINUX_MIB_TCPORIGDATASENT] += 1
    fo.cookie.len = -1


def tcp_connect(sk: tcp_sock) -> None:
    """Send the SYN. ECONNREFUSED when the route refuses; any other failure to send is left to the timer."""
    sk.icsk_af_ops.rebuild_header(sk)
    tcp_connect_init(sk)
    if sk.repair:
        tcp_input_synsent.tcp_finish_connect(sk, None)
        return
    buff = tcp_sendmsg.tcp_stream_alloc_skb(sk, 0, True)
    assert buff is not None
    tcp_output_xmit.tcp_init_nondata_skb(buff, sk.write_seq, TCPHDR_SYN)
    sk.write_seq = sk.write_seq + 1 & U32
    tcp_output_xmit._mstamp_refresh(sk)
    sk.retrans_stamp = sk.tcp_clock_cache // NSEC_PER_MSEC & U32
    tcp_connect_queue_skb(sk, buff)
    tcp_ecn_send_syn(sk, buff)
    tcp_input_data.tcp_rbtree_insert(sk.tcp_rtx_queue, buff)
    try:
        if sk.fastopen_req is not None:
            tcp_send_syn_data(sk, buff)
        else:
            tcp_output_xmit.__tcp_transmit_skb(sk, buff, True, sk.rcv_nxt)
    except KernelError as e:
        if e.errno == ECONNREFUSED:
            raise
    sk.snd_nxt = sk.pushed_seq = sk.write_seq
    head = sk.sk_write_queue.next
    if head is not None:
        sk.snd_nxt = sk.pushed_seq = head.cb.seq  # type: ignore[attr-defined]
    sk.skc_net.mib.tcp_statistics[TCP_MIB_ACTIVEOPENS] += 1
    inet_csk_reset_xmit_timer(sk, ICSK_TIME_RETRANS, sk.icsk_rto, TCP_RTO_MAX)


def tcp_rtx_synack(sk: sock, req: request_sock) -> None:
    """Send the SYN-ACK of a request again."""
    assert isinstance(sk, tcp_sock)
    assert isinstance(req, tcp_request_sock)
    net = sk.skc_net
    if sk.sk_txrehash == 1:
        req.txhash = net_tx_rndhash(net.kernel)
    req.af_specific.send_synack(sk, None, flowi4(), req, None, TCP_SYNACK_NORMAL, None)
    net.mib.tcp_statistics[TCP_MIB_RETRANSSEGS] += 1
    net.mib.net_statistics[LINUX_MIB_TCPSYNRETRANS] += 1
