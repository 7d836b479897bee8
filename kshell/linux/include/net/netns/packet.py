"""include/net/netns/packet.h: net.packet."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kshell.linux.net.packet.internal import packet_sock


class netns_packet:
    """The packet sockets of a network namespace, in the order of creation."""

    def __init__(self) -> None:
        self.sklist: dict[packet_sock, None] = {}
