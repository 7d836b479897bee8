"""The TCP states of both ends of a connection before and after each of its packets.

States are read from the sockets in the kernel's own tables when a packet passes a device, and again when the next
one of the connection does or the command is over: what lies between has been done by the packet.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final, Protocol

from kshell.lens.names import constant
from kshell.lens.packets import Bases, ends
from kshell.linux.include.linux.ip import iphdr
from kshell.linux.include.linux.tcp_header import tcphdr
from kshell.linux.net.ipv4.inet_hashtables import inet_ehashfn

if TYPE_CHECKING:
    from kshell.linux.init.kernel import Kernel

NO_SOCKET: Final = ""
States = tuple[str, str]
"""The state of the sender and of the receiver; "" where no socket answers, or the protocol has no states."""

_OWN: Final = frozenset({0x02, 0x01, 0x11, 0x04, 0x14, 0x19})
"""Flags of segments whose sender changes its state before it sends them: SYN, FIN, RST, with or without ACK."""


class Passed:
    """A packet that passed: number of its connection, whether the end that began it sent it, states around it.

    `after` is a list that goes on changing while the packet is on its way to another host.
    """

    __slots__ = ("after", "before", "flow", "forth")

    def __init__(self, flow: int, forth: bool, before: States) -> None:
        self.flow = flow
        self.forth = forth
        self.before = before
        self.after = list(before)

    @property
    def settled(self) -> States:
        """The states after it, as far as it has come."""
        return self.after[0], self.after[1]

    @classmethod
    def of(cls, flow: int, forth: bool, after: Sequence[str]) -> Passed:
        """A packet that passed earlier."""
        return cls(flow, forth, (after[0], after[1]))


class Headers(Protocol):
    """What is looked at of a packet."""

    network_header: object | None
    transport_header: object | None


class _Flow:
    __slots__ = ("key", "last", "number", "open")

    def __init__(self, number: int, key: tuple[str, str]) -> None:
        self.number = number
        self.key = key
        self.last: States | None = None
        self.open: Passed | None = None


class Flows:
    """The connections of a session, in the order in which they were first seen."""

    def __init__(self) -> None:
        self.bases = Bases()
        self._flows: dict[tuple[str, str], _Flow] = {}
        self._next = 0
        self._open: list[tuple[Passed, _Flow, Headers, tuple[Kernel, ...]]] = []

    def restore(self, skb: Headers, passed: Passed) -> None:
        """A packet that passed before these flows were watched."""
        key = ends(skb) if passed.forth else ends(skb)[::-1]
        flow = self._flows.setdefault(key, _Flow(passed.flow, key))
        self._next = max(self._next, passed.flow)
        flow.last = passed.settled if passed.forth else passed.settled[::-1]
        if isinstance(skb.transport_header, tcphdr):
            self.bases.relative(skb.network_header, skb.transport_header)

    def passed(self, skb: Headers, kernels: tuple[Kernel, ...]) -> Passed:
        """A packet passes a device of one of these kernels now."""
        source, target = ends(skb)
        flow = self._flows.get((source, target)) or self._flows.get((target, source))
        if flow is None:
            self._next += 1
            flow = self._flows[source, target] = _Flow(self._next, (source, target))
        forth = flow.key == (source, target)
        now = self._states(skb, kernels)
        known = flow.last if forth or flow.last is None else flow.last[::-1]
        passed = Passed(flow.number, forth, self._before(skb, now, known))
        if flow.open is not None:
            after = passed.before if flow.open.forth == forth else passed.before[::-1]
            flow.open.after[:] = _closed(flow.open.before, after)
        flow.open = passed
        flow.last = now if forth else now[::-1]
        self._open.append((passed, flow, skb, kernels))
        return passed

    def _before(self, skb: Headers, now: States, known: States | None) -> States:
        """The states before a packet: what its sender did in order to send it has been done by it."""
        flags = getattr(skb.transport_header, "_flags", 0)
        if flags in _OWN:
            first = "TCP_CLOSE" if flags == 0x02 and now[0] else now[0]
            return (known[0] if known else first), now[1]
        return now

    def settle(self) -> None:
        """The command is over: what the last packet of each connection did has been done."""
        for passed, flow, skb, kernels in self._open:
            if flow.open is passed:
                passed.after[:] = _closed(passed.before, self._states(skb, kernels))
                flow.last = passed.settled if passed.forth else passed.settled[::-1]
                if len(kernels) == 1:
                    flow.open = None
        self._open.clear()

    def _states(self, skb: Headers, kernels: Iterable[Kernel]) -> States:
        ip, tcp = skb.network_header, skb.transport_header
        if not isinstance(tcp, tcphdr) or not isinstance(ip, iphdr):
            return NO_SOCKET, NO_SOCKET
        here, there = (ip.saddr, tcp.source), (ip.daddr, tcp.dest)
        opens = tcp.syn and not tcp.ack
        return state_of(kernels, here, there), state_of(kernels, there, here, listening=bool(opens))


def _closed(before: States, after: States) -> States:
    """A socket that stands in no table any more is in TCP_CLOSE, or gone."""
    return after[0] or (before[0] and "TCP_CLOSE"), after[1] or (before[1] and "TCP_CLOSE")


End = tuple[int, int]
"""Address and port."""


def state_of(kernels: Iterable[Kernel], local: End, remote: End, listening: bool = False) -> str:
    """The state of the socket of a connection at its end `local`, else (listening) of the listener there; "": none."""
    for kernel in kernels:
        for net in kernel.net_namespace_list:
            for sk in kernel.tcp_hashinfo.ehash.get(inet_ehashfn(net, *local, *remote), ()):
                found = (sk.skc_rcv_saddr, sk.skc_num), (sk.skc_daddr, sk.skc_dport)
                if found == (local, remote) and sk.skc_net is net:
                    return constant("sk_state", sk.skc_state)
    for kernel in kernels if listening else ():
        for chain in kernel.tcp_hashinfo.lhash2.values():
            for listener in chain:
                if listener.skc_num == local[1] and listener.skc_rcv_saddr in (0, local[0]):
                    return constant("sk_state", listener.skc_state)
    return NO_SOCKET
