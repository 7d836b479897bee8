"""The options of a SYN, hidden in the timestamp of its SYN cookie (net/ipv4/syncookies.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kshell.linux.include.linux.tcp import tcp_request_sock

TSBITS = 6
TS_OPT_WSCALE_MASK = 0xF
TS_OPT_SACK = 1 << 4
TS_OPT_ECN = 1 << 5


def cookie_init_timestamp(req: tcp_request_sock, now: int) -> int:
    """The time (ns) whose timestamp carries the options of a SYN in its low bits."""
    options = req.snd_wscale if req.wscale_ok else TS_OPT_WSCALE_MASK
    if req.sack_ok:
        options |= TS_OPT_SACK
    if req.ecn_ok:
        options |= TS_OPT_ECN
    ts_now = now // 1000000
    ts = ts_now >> TSBITS << TSBITS | options
    if ts > ts_now:
        ts -= 1 << TSBITS
    return ts * 1000000
