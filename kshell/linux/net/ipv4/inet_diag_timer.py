"""net/ipv4/inet_diag.c: which timer of a connection runs, and for how long yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.linux.include.linux.jiffies import jiffies_to_msecs
from kshell.linux.include.net.inet_connection_sock import (
    ICSK_TIME_LOSS_PROBE,
    ICSK_TIME_PROBE0,
    ICSK_TIME_REO_TIMEOUT,
    ICSK_TIME_RETRANS,
    inet_connection_sock,
)
from kshell.linux.include.net.inet_timewait_sock import inet_timewait_sock
from kshell.linux.include.net.request_sock import request_sock
from kshell.linux.kernel.time.timer import timer_list, timer_pending

if TYPE_CHECKING:
    from kshell.linux.include.net.sock import sock_common

OFF, ON, KEEPALIVE, TIMEWAIT, PERSIST = range(5)  # as ss names them


def _left(timer: timer_list | None, jiffies: int) -> int:
    return 0 if timer is None else jiffies_to_msecs(max(0, timer.expires - jiffies))


def _timer_of(sk: sock_common) -> tuple[int, int, int]:
    """Kind of the timer that runs, how often it ended, milliseconds that are left."""
    jiffies = sk.skc_net.kernel.jiffies
    if isinstance(sk, inet_timewait_sock):
        return TIMEWAIT, 0, _left(sk.tw_timer, jiffies)
    if isinstance(sk, request_sock):
        return ON, sk.num_retrans, _left(sk.rsk_timer, jiffies)
    if not isinstance(sk, inet_connection_sock):
        return OFF, 0, 0
    left = jiffies_to_msecs(max(0, sk.icsk_timeout - jiffies)) if sk.icsk_pending else 0
    if sk.icsk_pending in (ICSK_TIME_RETRANS, ICSK_TIME_REO_TIMEOUT, ICSK_TIME_LOSS_PROBE):
        return ON, sk.icsk_retransmits, left
    if sk.icsk_pending == ICSK_TIME_PROBE0:
        return PERSIST, sk.icsk_probes_out, left
    if timer_pending(sk.icsk_keepalive_timer):
        return KEEPALIVE, sk.icsk_probes_out, _left(sk.icsk_keepalive_timer, jiffies)
    return OFF, 0, 0
