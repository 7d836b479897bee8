"""Answers to segments out of place, and timestamps (part of net/ipv4/tcp_input.c)."""


from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.linux.include.linux.jiffies import HZ
from kshell.linux.include.linux.random import prandom_u32_max
from kshell.linux.include.linux.snmp import (
    LINUX_MIB_TCPACKSKIPPEDCHALLENGE,
    LINUX_MIB_TCPCHALLENGEACK,
)
from kshell.linux.include.net.tcp import TCPHDR_SYN, U32, _s32, after, tcp_skb_cb
from kshell.linux.include.net.tcp_times import tcp_paws_check
from kshell.linux.net.ipv4 import (
    tcp_output_ack,
)

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.linux.tcp import tcp_request_sock, tcp_sock
    from kshell.linux.include.net.net_namespace import net


def __tcp_oow_rate_limited(net: net, mib: int, last: int) -> int | None:
    """The time to note when an ACK to an odd segment may be sent, None when one was just now."""
    now = net.kernel.jiffies & U32
    if last and 0 <= _s32(now - last) < net.ipv4.sysctl_tcp_invalid_ratelimit:
        net.mib.net_statistics[mib] += 1
        return None
    return now


def tcp_oow_rate_limited(net: net, skb: sk_buff, mib: int, last: int) -> int | None:
    """The same; segments with data are always answered."""
    cb: tcp_skb_cb = skb.cb  # type: ignore[assignment]
    if cb.seq != cb.end_seq and not cb.tcp_flags & TCPHDR_SYN:
        return last
    return __tcp_oow_rate_limited(net, mib, last)


def tcp_challenge_ack_allowed(net: net) -> bool:
    """False when tcp_challenge_ack_limit of them left in this second."""
    ipv4 = net.ipv4
    ack_limit = ipv4.sysctl_tcp_challenge_ack_limit
    if ack_limit == 0x7FFFFFFF:
        return True
    now = net.kernel.jiffies // HZ
    if now != ipv4.tcp_challenge_timestamp:
        ipv4.tcp_challenge_timestamp = now
        ipv4.tcp_challenge_count = (ack_limit + 1 >> 1) + prandom_u32_max(net.kernel, ack_limit)
    if ipv4.tcp_challenge_count > 0:
        ipv4.tcp_challenge_count -= 1
        return True
    return False


def _challenge_ack_is_due(net: net, holder: tcp_sock | tcp_request_sock) -> bool:
    stamp = __tcp_oow_rate_limited(net, LINUX_MIB_TCPACKSKIPPEDCHALLENGE, holder.last_oow_ack_time)
    if stamp is None:
        return False
    holder.last_oow_ack_time = stamp
    if not tcp_challenge_ack_allowed(net):
        return False
    net.mib.net_statistics[LINUX_MIB_TCPCHALLENGEACK] += 1
    return True


def tcp_send_challenge_ack(sk: tcp_sock) -> None:
    """Answer a suspicious segment with an ACK, which tells a true peer where we are (RFC 5961)."""
    if _challenge_ack_is_due(sk.skc_net, sk):
        tcp_output_ack.tcp_send_ack(sk)


def tcp_reqsk_send_challenge_ack(sk: tcp_sock, skb: sk_buff, req: tcp_request_sock) -> None:
    """The same for a handshake under way."""
    if _challenge_ack_is_due(sk.skc_net, req):
        req.rsk_ops.send_ack(sk, skb, req)


def _now_seconds(sk: tcp_sock) -> int:
    kernel = sk.skc_net.kernel
    return (kernel.clock.now - kernel.boot_ns) // 1_000_000_000 + 1


def tcp_store_ts_recent(tp: tcp_sock) -> None:
    """The timestamp to echo."""
    tp.rx_opt.ts_recent = tp.rx_opt.rcv_tsval
    tp.rx_opt.ts_recent_stamp = _now_seconds(tp)


def tcp_replace_ts_recent(tp: tcp_sock, seq: int) -> None:
    """Echo a segment's timestamp if it is in order and not older."""
    rx_opt = tp.rx_opt
    if rx_opt.saw_tstamp and not after(seq, tp.rcv_wup) and tcp_paws_check(rx_opt, 0, _now_seconds(tp)):
        tcp_store_ts_recent(tp)
