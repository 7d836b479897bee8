"""net/core/secure_seq.c: sequence numbers, timestamp offsets and ports that an outsider cannot guess.

The secrets come from the kernel's seed; Python's hash of a tuple of ints stands for siphash.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.linux.include.linux.random import get_random_u64
from kshell.linux.include.net.tcp import U32

if TYPE_CHECKING:
    from kshell.linux.include.net.net_namespace import net
    from kshell.linux.init.kernel import Kernel


def net_secret_init(kernel: Kernel) -> int:
    """The secret, drawn when first needed."""
    if not kernel.net_secret:
        kernel.net_secret = get_random_u64(kernel) or 1
    return kernel.net_secret


def _mix(secret: int, *values: int) -> int:
    h = hash((secret, *values)) & 0xFFFFFFFFFFFFFFFF
    h = (h ^ h >> 33) * 0xFF51AFD7ED558CCD & 0xFFFFFFFFFFFFFFFF
    return h ^ h >> 33


def seq_scale(kernel: Kernel, seq: int) -> int:
    """Initial sequence numbers advance by one every 64 ns."""
    return seq + (kernel.epoch_ns + kernel.clock.now >> 6) & U32


def secure_tcp_seq_and_ts_off(net: net, saddr: int, daddr: int, sport: int, dport: int) -> tuple[int, int]:
    """(initial sequence number, timestamp offset) of a connection."""
    kernel = net.kernel
    h = _mix(net_secret_init(kernel), saddr, daddr, sport, dport)
    ts_off = h >> 32 if net.ipv4.sysctl_tcp_timestamps == 1 else 0
    return seq_scale(kernel, h), ts_off


def secure_ipv4_port_ephemeral(net: net, saddr: int, daddr: int, dport: int) -> int:
    """Where the search for an ephemeral port begins, for a pair of addresses."""
    return _mix(net_secret_init(net.kernel) ^ 1, saddr, daddr, dport)
