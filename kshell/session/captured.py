"""The packets of a command, kept for `packets`: events with what their bytes are made from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kshell.lens.flows import Flows, Passed
from kshell.lens.packets import ends, packet_text
from kshell.session import events as ev

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.init.kernel import Kernel
    from kshell.session.session import Session

MOST: Final = 1000
"""Packets of one command that are kept; a transfer of megabytes has more."""


class Captured:
    """The headers and data of a packet as they were when it passed; skb->data and headers are not changed later."""

    __slots__ = ("data", "len", "mac_header", "network_header", "transport_header")

    def __init__(self, skb: sk_buff) -> None:
        self.data = skb.data
        self.len = skb.len
        self.mac_header = skb.mac_header
        self.network_header = skb.network_header
        self.transport_header = skb.transport_header

    def to_bytes(self) -> bytes:
        """The packet from its network header on."""
        from kshell.linux.net.core.skbuff_bytes import _skb_network_bytes

        return _skb_network_bytes(self)  # type: ignore[arg-type]  # as much of an sk_buff as is looked at


class Capture:
    """Takes the packets that pass the devices of a session's machines. Those of the commands that have been done are
    known: a session that has travelled goes on with the same connections."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.flows = Flows()
        self._waiting: list[tuple[ev.Packet, Passed]] = []
        for command in session.timeline.done:
            for event in command.packets:
                self.flows.restore(event._captured, Passed.of(event.flow, event.forth, event.after))

    def take(self, device: str, skb: sk_buff, kernel: Kernel) -> None:
        """A packet passes a device: emit it, and keep it."""
        session = self.session
        kernels = (kernel,) if device.rpartition(".")[2] == "lo" else tuple(m.kernel for m in session.machines.values())
        captured = Captured(skb)
        passed = self.flows.passed(captured, kernels)
        source, target = ends(skb)
        event = session.emit(
            ev.Packet, device, packet_text(skb, self.flows.bases), skb.len, source, target, passed.flow, passed.forth
        )
        event._captured = captured
        self._waiting.append((event, passed))

    def settle(self) -> tuple[ev.Packet, ...]:
        """The command is over: the states after its packets are known. The packets to keep."""
        self.flows.settle()
        waiting, self._waiting = self._waiting, []
        for event, passed in waiting:
            event.before, event.after = list(passed.before), passed.after
        return tuple(event for event, _ in waiting[:MOST])
