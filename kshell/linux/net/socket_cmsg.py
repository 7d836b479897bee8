"""net/socket.c: control messages that a receiver asked for by socket options."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from kshell.abi import socket as so
from kshell.abi.socket import (
    SCM_TIMESTAMPING_OPT_STATS,
    SOF_TIMESTAMPING_RAW_HARDWARE,
    SOF_TIMESTAMPING_RX_SOFTWARE,
    SOF_TIMESTAMPING_SOFTWARE,
)
from kshell.linux.include.linux.errqueue import SKB_EXT_ERR, sock_exterr_skb
from kshell.linux.include.net.sock import (
    SOCK_RCVMARK,
    SOCK_RCVTSTAMP,
    SOCK_RCVTSTAMPNS,
    SOCK_RXQ_OVFL,
    SOCK_TIMESTAMP,
    SOCK_TSTAMP_NEW,
    sock_flag,
)
from kshell.linux.kernel.time.timekeeping import ktime_get_real
from kshell.linux.net.core.scm import put_cmsg

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.linux.socket import msghdr
    from kshell.linux.include.net.sock import sock

SK_DEFAULT_STAMP = -1_000_000_000
_FLAGS_RECV_CMSGS = 1 << SOCK_RXQ_OVFL | 1 << SOCK_RCVTSTAMP | 1 << SOCK_RCVMARK
_TSFLAGS_ANY = SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_RAW_HARDWARE


def _put(msg: msghdr, kind: int, data: bytes) -> None:
    put_cmsg(msg, so.SOL_SOCKET, kind, len(data), data)


def __sock_recv_timestamp(msg: msghdr, sk: sock, skb: sk_buff) -> None:
    """SO_TIMESTAMP, SO_TIMESTAMPNS and SO_TIMESTAMPING, in the layout asked for."""
    new = sock_flag(sk, SOCK_TSTAMP_NEW)
    if sock_flag(sk, SOCK_RCVTSTAMP):
        if not skb.tstamp:
            skb.tstamp = ktime_get_real(sk.skc_net.kernel)
        sec, nsec = divmod(skb.tstamp, 1_000_000_000)
        if sock_flag(sk, SOCK_RCVTSTAMPNS):
            _put(msg, so.SO_TIMESTAMPNS_NEW if new else so.SO_TIMESTAMPNS_OLD, struct.pack("<qq", sec, nsec))
        else:
            _put(msg, so.SO_TIMESTAMP_NEW if new else so.SO_TIMESTAMP_OLD, struct.pack("<qq", sec, nsec // 1000))
    if sk.sk_tsflags & SOF_TIMESTAMPING_SOFTWARE and skb.tstamp:
        stamps = struct.pack("<qqqqqq", *divmod(skb.tstamp, 1_000_000_000), 0, 0, 0, 0)
        _put(msg, so.SO_TIMESTAMPING_NEW if new else so.SO_TIMESTAMPING_OLD, stamps)
        if isinstance(skb.cb, sock_exterr_skb) and skb.len and SKB_EXT_ERR(skb).opt_stats:
            _put(msg, SCM_TIMESTAMPING_OPT_STATS, skb.data)


def sock_recv_timestamp(msg: msghdr, sk: sock, skb: sk_buff) -> None:
    """The time stamps asked for, or note the time for SIOCGSTAMP."""
    stamp = skb.tstamp
    tsflags = sk.sk_tsflags
    if (
        sock_flag(sk, SOCK_RCVTSTAMP)
        or tsflags & SOF_TIMESTAMPING_RX_SOFTWARE
        or (stamp and tsflags & SOF_TIMESTAMPING_SOFTWARE)
    ):
        __sock_recv_timestamp(msg, sk, skb)
    else:
        sk.sk_stamp = stamp


def sock_recv_drops(msg: msghdr, sk: sock, skb: sk_buff) -> None:
    """SO_RXQ_OVFL: how many packets the socket had dropped when this one came."""
    if sock_flag(sk, SOCK_RXQ_OVFL) and skb._dropcount:
        _put(msg, so.SO_RXQ_OVFL, skb._dropcount.to_bytes(4, "little"))


def sock_recv_mark(msg: msghdr, sk: sock, skb: sk_buff) -> None:
    """SO_RCVMARK: the packet's mark."""
    if sock_flag(sk, SOCK_RCVMARK):
        _put(msg, so.SO_MARK, skb.mark.to_bytes(4, "little"))


def __sock_recv_cmsgs(msg: msghdr, sk: sock, skb: sk_buff) -> None:
    """All control messages of SOL_SOCKET."""
    sock_recv_timestamp(msg, sk, skb)
    sock_recv_drops(msg, sk, skb)
    sock_recv_mark(msg, sk, skb)


def sock_recv_cmsgs(msg: msghdr, sk: sock, skb: sk_buff) -> None:
    """The control messages of SOL_SOCKET, if any were asked for."""
    if sk.skc_flags & _FLAGS_RECV_CMSGS or sk.sk_tsflags & _TSFLAGS_ANY:
        __sock_recv_cmsgs(msg, sk, skb)
    elif sk.skc_flags >> SOCK_TIMESTAMP & 1:
        sk.sk_stamp = skb.tstamp
    elif sk.sk_stamp == SK_DEFAULT_STAMP:
        sk.sk_stamp = 0
