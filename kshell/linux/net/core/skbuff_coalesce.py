"""Merging received packets (the part of net/core/skbuff.c that TCP and UNIX streams use)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.linux.include.linux.skbuff import MAX_SKB_FRAGS, SKB_FCLONE_UNAVAILABLE, SKB_TRUESIZE, skb_shinfo

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff

HEAD_ROOM = 704  # linear area of a packet allocated for MAX_TCP_HEADER bytes


def _data_is_shared(skb: sk_buff) -> bool:
    """True while another packet holds the same data: the sender keeps its own until it is acknowledged."""
    if not skb.cloned:
        return False
    return skb.fclone == SKB_FCLONE_UNAVAILABLE or skb._fclones is not None


def skb_try_coalesce(to: sk_buff, from_: sk_buff) -> int | None:
    """Append the data of `from_` to `to`; the memory that `to` gained, None when they can't be merged."""
    if _data_is_shared(to):
        return None
    shinfo = skb_shinfo(to)
    if shinfo.nr_frags + 1 > MAX_SKB_FRAGS:
        return None
    shinfo.nr_frags += 1
    to.data += from_.data
    to.len += from_.len
    delta = max(from_.truesize - SKB_TRUESIZE(HEAD_ROOM), from_.len)
    to.truesize += delta
    return delta
