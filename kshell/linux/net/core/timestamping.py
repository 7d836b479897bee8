"""Time stamps taken by the PHY (net/core/timestamping.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff


def skb_clone_tx_timestamp(skb: sk_buff) -> None:
    """No modelled device has a PHY that stamps packets."""
