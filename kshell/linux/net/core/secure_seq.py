"""Sequence numbers and ports that an outsider cannot guess (net/core/secure_seq.c)."""

from __future__ import annotations

import hashlib
import struct
from typing import TYPE_CHECKING

from kshell.linux.include.linux.random import get_random_bytes
from kshell.linux.kernel.time.timekeeping import ktime_get_real

if TYPE_CHECKING:
    from kshell.linux.include.net.net_namespace import net
    from kshell.linux.init.kernel import Kernel


def _keyed(kernel: Kernel, secret: str, *words: int) -> int:
    """A 64-bit keyed hash (siphash in Linux) of 32-bit words; each secret is drawn when it is first needed."""
    key = kernel.net_secrets.get(secret)
    if key is None:
        key = kernel.net_secrets[secret] = get_random_bytes(kernel, 16)
    data = struct.pack(f"<{len(words)}I", *words)
    return int.from_bytes(hashlib.blake2b(data, key=key, digest_size=8).digest(), "little")


def seq_scale(kernel: Kernel, seq: int) -> int:
    """Add a clock of 64 ns to a hash."""
    return seq + (ktime_get_real(kernel) >> 6) & 0xFFFFFFFF


def secure_tcp_ts_off(net: net, saddr: int, daddr: int) -> int:
    """Where the timestamps between two addresses begin; 0 unless tcp_timestamps is 1."""
    if net.ipv4.sysctl_tcp_timestamps != 1:
        return 0
    return _keyed(net.kernel, "ts", saddr, daddr) & 0xFFFFFFFF


def secure_tcp_seq(kernel: Kernel, saddr: int, daddr: int, sport: int, dport: int) -> int:
    """The initial sequence number of a connection (RFC 6528)."""
    return seq_scale(kernel, _keyed(kernel, "net", saddr, daddr, sport << 16 | dport))


def secure_ipv4_port_ephemeral(net: net, saddr: int, daddr: int, dport: int) -> int:
    """Where the search for a local port towards a destination begins (RFC 6056)."""
    return _keyed(net.kernel, "net", saddr, daddr, dport)
