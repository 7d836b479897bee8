"""include/net/protocol.h: how transport protocols hook into IPv4 and into socket()."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kshell.linux.include.linux.net import proto_ops
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.sock_proto import proto


INET_PROTOSW_REUSE = 1
INET_PROTOSW_PERMANENT = 2
INET_PROTOSW_ICSK = 4


class net_protocol:
    """What IPv4 calls for a protocol number: packets in, ICMP errors in."""

    __slots__ = ("err_handler", "handler", "icmp_strict_tag_validation", "no_policy")

    def __init__(
        self, *, handler: Callable[[sk_buff], int], err_handler: Callable[[sk_buff, int], int] | None = None,
        no_policy: int = 0, icmp_strict_tag_validation: int = 0,
    ) -> None:  # fmt: skip
        self.handler = handler
        self.err_handler = err_handler
        self.no_policy = no_policy
        self.icmp_strict_tag_validation = icmp_strict_tag_validation


class inet_protosw:
    """What socket(AF_INET, type, protocol) finds."""

    __slots__ = ("flags", "ops", "prot", "protocol", "type")

    def __init__(self, *, type: int, protocol: int, prot: proto, ops: proto_ops, flags: int) -> None:
        self.type = type
        self.protocol = protocol
        self.prot = prot
        self.ops = ops
        self.flags = flags
