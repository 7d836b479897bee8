"""net/core/skbuff.c: MSG_ZEROCOPY. Data is always copied here, as over loopback, and the completion says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.socket import SO_EE_CODE_ZEROCOPY_COPIED, SO_EE_ORIGIN_ZEROCOPY
from kshell.linux.include.linux.errqueue import sock_extended_err, sock_exterr_skb
from kshell.linux.include.net.sock import SOCK_DEAD, sk_error_report
from kshell.linux.net.core.skbuff import __skb_queue_tail, alloc_skb
from kshell.linux.net.core.skbuff_error import _own_error_queue, sock_rmem_free

if TYPE_CHECKING:
    from kshell.linux.include.net.sock import sock



class ubuf_info_msgzc:
    """struct ubuf_info_msgzc: the number of one send, which its completion reports."""

    __slots__ = ("id", "len")

    def __init__(self, number: int) -> None:
        self.id = number
        self.len = 1


def msg_zerocopy_realloc(sk: sock, size: int) -> ubuf_info_msgzc:
    """Number a send with MSG_ZEROCOPY."""
    number = sk.sk_zckey
    sk.sk_zckey = number + 1 & 0xFFFFFFFF
    return ubuf_info_msgzc(number)


def skb_zerocopy_notify_extend(sk: sock, lo: int, hi: int) -> bool:
    """Join the completion with the last one in the queue, if it continues it."""
    tail = sk.sk_error_queue.prev
    if tail is None or not isinstance(tail.cb, sock_exterr_skb):
        return False
    ee = tail.cb.ee
    if ee.ee_origin != SO_EE_ORIGIN_ZEROCOPY or ee.ee_code != SO_EE_CODE_ZEROCOPY_COPIED:
        return False
    if lo != ee.ee_data + 1 & 0xFFFFFFFF:
        return False
    ee.ee_data = hi
    return True


def net_zcopy_put(sk: sock, uarg: ubuf_info_msgzc) -> None:
    """The data of a send is free again: tell its socket by the error queue."""
    lo, hi = uarg.id, uarg.id + uarg.len - 1 & 0xFFFFFFFF
    if sk.skc_flags >> SOCK_DEAD & 1:
        return
    if not skb_zerocopy_notify_extend(sk, lo, hi):
        skb = alloc_skb(sk.skc_net.kernel, 0)
        ee = sock_extended_err(0, SO_EE_ORIGIN_ZEROCOPY, ee_code=SO_EE_CODE_ZEROCOPY_COPIED, ee_info=lo)
        ee.ee_data = hi
        skb.cb = sock_exterr_skb(ee)
        skb.sk = sk
        skb.destructor = sock_rmem_free
        sk.sk_rmem_alloc += skb.truesize
        __skb_queue_tail(_own_error_queue(sk), skb)
    sk_error_report(sk)
