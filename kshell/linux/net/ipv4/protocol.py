"""net/ipv4/protocol.c: which transport protocol gets which IP protocol number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.linux.include.net.protocol import net_protocol

if TYPE_CHECKING:
    from kshell.linux.init.kernel import Kernel


def inet_add_protocol(kernel: Kernel, prot: net_protocol, protocol: int) -> int:
    """Register what handles packets of a protocol number; -1 if the number is taken."""
    if protocol in kernel.inet_protos:
        return -1
    kernel.inet_protos[protocol] = prot
    return 0
