"""net/ipv4/tcp_fastopen.c: data on the SYN, for peers that show a cookie."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.linux.include.linux.jiffies import HZ
from kshell.linux.include.linux.random import get_random_bytes
from kshell.linux.include.linux.skbuff import __skb_queue_tail
from kshell.linux.include.linux.snmp import (
    LINUX_MIB_TCPFASTOPENACTIVEFAIL,
    LINUX_MIB_TCPFASTOPENBLACKHOLE,
    LINUX_MIB_TCPFASTOPENCOOKIEREQD,
    LINUX_MIB_TCPFASTOPENLISTENOVERFLOW,
    LINUX_MIB_TCPFASTOPENPASSIVE,
    LINUX_MIB_TCPFASTOPENPASSIVEALTKEY,
    LINUX_MIB_TCPFASTOPENPASSIVEFAIL,
)
from kshell.linux.include.linux.tcp import TCP_FASTOPEN_COOKIE_SIZE, tcp_fastopen_cookie
from kshell.linux.include.linux.tcp_header import tcphdr
from kshell.linux.include.net.inet_connection_sock import ICSK_TIME_RETRANS
from kshell.linux.include.net.tcp import (
    TCP_RTO_MAX,
    TCP_TIMEOUT_INIT,
    TCPHDR_FIN,
    TCPHDR_SYN,
    TFO_CLIENT_NO_COOKIE,
    TFO_SERVER_COOKIE_NOT_REQD,
    TFO_SERVER_ENABLE,
    U32,
    tcp_fastopen_request,
    tcp_skb_cb,
)
from kshell.linux.net.core.secure_seq import _mix
from kshell.linux.net.core.skbuff import skb_clone, skb_dst_drop, skb_pull
from kshell.linux.net.core.sock_mem import skb_set_owner_r
from kshell.linux.net.ipv4 import tcp_input_data, tcp_input_synsent, tcp_output
from kshell.linux.net.ipv4.inet_connection_sock import inet_csk_reset_xmit_timer, reqsk_put
from kshell.linux.net.ipv4.tcp_metrics import tcp_fastopen_cache_get

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.linux.socket import msghdr
    from kshell.linux.include.linux.tcp import tcp_request_sock, tcp_sock
    from kshell.linux.include.net.dst import dst_entry
    from kshell.linux.include.net.net_namespace import net

TFO_COOKIE_UNAVAILABLE = 1


class tcp_fastopen_context:
    """The keys that make cookies: 16 bytes each, one or two."""

    __slots__ = ("key",)

    def __init__(self, key: tuple[bytes, ...]) -> None:
        self.key = key


def tcp_fastopen_init_key_once(net: net) -> None:
    """Draw a key when the first listener wants one."""
    if net.ipv4.tcp_fastopen_ctx is None:
        tcp_fastopen_reset_cipher(net, None, get_random_bytes(net.kernel, 16), None)


def tcp_fastopen_destroy_cipher(sk: tcp_sock) -> None:
    """A listener goes away, with its keys."""
    if sk.sk_max_ack_backlog:
        sk.icsk_accept_queue.fastopenq.ctx = None


def tcp_fastopen_reset_cipher(net: net, sk: tcp_sock | None, primary_key: bytes, backup_key: bytes | None) -> None:
    """New keys for the namespace, or for one listener."""
    ctx = tcp_fastopen_context((primary_key,) if backup_key is None else (primary_key, backup_key))
    if sk is not None:
        sk.icsk_accept_queue.fastopenq.ctx = ctx
    else:
        net.ipv4.tcp_fastopen_ctx = ctx


def tcp_fastopen_get_cipher(net: net, sk: tcp_sock | None) -> bytes:
    """The keys in force."""
    ctx = sk.icsk_accept_queue.fastopenq.ctx if sk is not None else net.ipv4.tcp_fastopen_ctx
    return b"".join(ctx.key) if isinstance(ctx, tcp_fastopen_context) else b""


def _cookie_of(skb: sk_buff, key: bytes) -> bytes:
    ip = skb.network_header
    value = _mix(int.from_bytes(key, "little"), ip.saddr, ip.daddr)  # type: ignore[attr-defined]
    return value.to_bytes(TCP_FASTOPEN_COOKIE_SIZE, "little")


def _keys(sk: tcp_sock) -> tuple[bytes, ...]:
    ctx = sk.icsk_accept_queue.fastopenq.ctx or sk.skc_net.ipv4.tcp_fastopen_ctx
    return ctx.key if isinstance(ctx, tcp_fastopen_context) else ()


def tcp_fastopen_cookie_gen(sk: tcp_sock, skb: sk_buff, foc: tcp_fastopen_cookie) -> None:
    """The cookie for the sender of a SYN."""
    for key in _keys(sk)[:1]:
        foc.val = _cookie_of(skb, key)
        foc.len = TCP_FASTOPEN_COOKIE_SIZE


def tcp_fastopen_cookie_gen_check(
    sk: tcp_sock, skb: sk_buff, orig: tcp_fastopen_cookie, valid_foc: tcp_fastopen_cookie
) -> int:
    """Which key the cookie fits: 1, 2, or 0 for none."""
    for index, key in enumerate(_keys(sk)):
        val = _cookie_of(skb, key)
        if index == 0:
            valid_foc.val, valid_foc.len = val, TCP_FASTOPEN_COOKIE_SIZE
        if orig.val == val:
            return index + 1
    return 0


def tcp_fastopen_add_skb(sk: tcp_sock, skb: sk_buff) -> None:
    """Take the data of a SYN or SYN-ACK."""
    cb: tcp_skb_cb = skb.cb  # type: ignore[assignment]
    if cb.end_seq == sk.rcv_nxt:
        return
    th: tcphdr = skb.transport_header  # type: ignore[assignment]
    skb = skb_clone(skb)
    skb_dst_drop(skb)
    sk.segs_in = 1
    sk.data_segs_in = 1
    skb_pull(skb, th.doff * 4)
    tcp_output.sk_forced_mem_schedule(sk, skb.truesize)
    skb_set_owner_r(skb, sk)
    cb = tcp_skb_cb(cb.seq + 1 & U32, cb.end_seq, cb.tcp_flags & ~TCPHDR_SYN, cb.ack_seq)
    skb.cb = cb
    sk.rcv_nxt = cb.end_seq
    __skb_queue_tail(sk.sk_receive_queue, skb)
    sk.syn_data_acked = 1
    sk.bytes_received = skb.len
    if cb.tcp_flags & TCPHDR_FIN:
        tcp_input_data.tcp_fin(sk)


def tcp_fastopen_create_child(sk: tcp_sock, skb: sk_buff, req: tcp_request_sock) -> tcp_sock | None:
    """A connection in SYN_RECV that already has data."""
    child: tcp_sock | None = sk.icsk_af_ops.syn_recv_sock(sk, skb, req, None, None, [False])  # type: ignore[assignment]
    if child is None:
        return None
    th: tcphdr = skb.transport_header  # type: ignore[assignment]
    sk.icsk_accept_queue.fastopenq.qlen += 1
    child.fastopen_rsk = req
    req.tfo_listener = True
    child.snd_wnd = child.max_window = th.window
    req.timeout = TCP_TIMEOUT_INIT
    inet_csk_reset_xmit_timer(child, ICSK_TIME_RETRANS, req.timeout, TCP_RTO_MAX)
    req.rsk_refcnt = 2
    tcp_input_synsent.tcp_init_transfer(child, skb)
    child.rcv_nxt = skb.cb.seq + 1 & U32  # type: ignore[attr-defined]
    tcp_fastopen_add_skb(child, skb)
    req.rcv_nxt = child.rcv_wup = child.rcv_nxt
    return child


def tcp_fastopen_queue_check(sk: tcp_sock) -> bool:
    """True when the listener takes one more such connection."""
    queue = sk.icsk_accept_queue.fastopenq
    if queue.max_qlen == 0:
        return False
    if queue.qlen >= queue.max_qlen:
        req = queue.rskq_rst_head
        if req is None or req.rsk_timer is None or req.rsk_timer.expires > sk.skc_net.kernel.jiffies:
            sk.skc_net.mib.net_statistics[LINUX_MIB_TCPFASTOPENLISTENOVERFLOW] += 1
            return False
        queue.rskq_rst_head = req.dl_next
        queue.qlen -= 1
        reqsk_put(req)
    return True


def tcp_fastopen_no_cookie(sk: tcp_sock, dst: dst_entry | None, flag: int) -> bool:
    """True when no cookie is asked for."""
    return bool(sk.skc_net.ipv4.sysctl_tcp_fastopen & flag or sk.fastopen_no_cookie)


def tcp_try_fastopen(
    sk: tcp_sock, skb: sk_buff, req: tcp_request_sock, foc: tcp_fastopen_cookie, dst: dst_entry
) -> tcp_sock | None:
    """A SYN with a Fast Open option: the connection it opens, if its cookie is good; `foc` becomes the answer."""
    cb: tcp_skb_cb = skb.cb  # type: ignore[assignment]
    stats = sk.skc_net.mib.net_statistics
    syn_data = cb.end_seq != cb.seq + 1 & U32
    if foc.len == 0:
        stats[LINUX_MIB_TCPFASTOPENCOOKIEREQD] += 1
    enabled = sk.skc_net.ipv4.sysctl_tcp_fastopen & TFO_SERVER_ENABLE
    if not (enabled and (syn_data or foc.len >= 0) and tcp_fastopen_queue_check(sk)):
        foc.len = -1
        return None
    valid_foc = tcp_fastopen_cookie()
    which = 0
    if tcp_fastopen_no_cookie(sk, dst, TFO_SERVER_COOKIE_NOT_REQD):
        which = 1
    elif foc.len == 0:
        tcp_fastopen_cookie_gen(sk, skb, valid_foc)
    elif foc.len > 0:
        which = tcp_fastopen_cookie_gen_check(sk, skb, foc, valid_foc)
        if not which:
            stats[LINUX_MIB_TCPFASTOPENPASSIVEFAIL] += 1
    if which:
        child = tcp_fastopen_create_child(sk, skb, req)
        if child is not None:
            if which == 2:
                foc.len, foc.val = valid_foc.len, valid_foc.val
                stats[LINUX_MIB_TCPFASTOPENPASSIVEALTKEY] += 1
            else:
                foc.len = -1
            stats[LINUX_MIB_TCPFASTOPENPASSIVE] += 1
            return child
        stats[LINUX_MIB_TCPFASTOPENPASSIVEFAIL] += 1
    foc.len, foc.val = valid_foc.len, valid_foc.val
    return None


def tcp_fastopen_cookie_check(sk: tcp_sock, mss: int, cookie: tcp_fastopen_cookie) -> tuple[bool, int]:
    """(whether data may go on the SYN, the peer's MSS); `cookie` is filled in from the cache."""
    mss = tcp_fastopen_cache_get(sk, mss, cookie)
    if tcp_fastopen_active_should_disable(sk):
        cookie.len = -1
        return False, mss
    if tcp_fastopen_no_cookie(sk, sk.sk_dst_cache, TFO_CLIENT_NO_COOKIE):
        cookie.len = -1
        return True, mss
    if cookie.len > 0:
        return True, mss
    sk.fastopen_client_fail = TFO_COOKIE_UNAVAILABLE
    return False, mss


def tcp_fastopen_defer_connect(sk: tcp_sock) -> bool:
    """TCP_FASTOPEN_CONNECT: True when connect() leaves the SYN to the first send()."""
    if sk.fastopen_connect and sk.fastopen_req is None:
        cookie = tcp_fastopen_cookie(0)
        usable, _ = tcp_fastopen_cookie_check(sk, 0, cookie)
        if usable:
            sk.defer_connect = 1
            return True
        sk.fastopen_req = _request(cookie)
    return False


def _request(cookie: tcp_fastopen_cookie, data: msghdr | None = None, size: int = 0) -> tcp_fastopen_request:
    req = tcp_fastopen_request(data, size)  # type: ignore[arg-type]
    req.cookie = cookie
    return req


def tcp_fastopen_active_disable(sk: tcp_sock) -> None:
    """The network seems to eat such SYNs: stop for a while."""
    ipv4 = sk.skc_net.ipv4
    if not ipv4.sysctl_tcp_fastopen_blackhole_timeout:
        return
    ipv4.tfo_active_disable_stamp = sk.skc_net.kernel.jiffies
    ipv4.tfo_active_disable_times += 1
    sk.skc_net.mib.net_statistics[LINUX_MIB_TCPFASTOPENBLACKHOLE] += 1


def tcp_fastopen_active_should_disable(sk: tcp_sock) -> bool:
    """True while it is stopped."""
    ipv4 = sk.skc_net.ipv4
    timeout = ipv4.sysctl_tcp_fastopen_blackhole_timeout
    if not timeout or not ipv4.tfo_active_disable_times:
        return False
    multiplier = 1 << min(ipv4.tfo_active_disable_times - 1, 6)
    if sk.skc_net.kernel.jiffies < ipv4.tfo_active_disable_stamp + multiplier * timeout * HZ:
        return True
    sk.syn_fastopen_ch = 1
    return False


def tcp_fastopen_active_disable_ofo_check(sk: tcp_sock) -> None:
    """A Fast Open connection ends: nothing but a FIN out of order came, so the network ate the data."""
    if not sk.syn_fastopen:
        return
    if not sk.data_segs_in:
        queue = sk.out_of_order_queue
        if len(queue) == 1 and queue[0].cb.tcp_flags & TCPHDR_FIN:  # type: ignore[attr-defined]
            tcp_fastopen_active_disable(sk)
    elif sk.syn_fastopen_ch and sk.skc_net.ipv4.tfo_active_disable_times:
        dst = sk.sk_dst_cache
        if dst is None or not dst.dev.flags & 8:  # IFF_LOOPBACK
            sk.skc_net.ipv4.tfo_active_disable_times = 0


def tcp_fastopen_active_detect_blackhole(sk: tcp_sock, expired: bool) -> None:
    """Timeouts of a Fast Open connection: perhaps the network is to blame."""
    timeouts = sk.icsk_retransmits
    if (sk.syn_fastopen or sk.syn_data or sk.syn_data_acked) and (timeouts == 2 or (timeouts < 2 and expired)):
        tcp_fastopen_active_disable(sk)
        sk.skc_net.mib.net_statistics[LINUX_MIB_TCPFASTOPENACTIVEFAIL] += 1
