"""Cables and switches: what frames cross between network adapters, in virtual time.

An adapter has a `Port`. A `Link` joins two ports, or a port and a `Switch`; it delays frames, lets so many bits a
second pass, and loses some by a seeded generator. Frames are values that belong to no machine.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Protocol

from kshell.linux.drivers.net.frame import FCS_AND_GAP, Frame

if TYPE_CHECKING:
    from kshell.linux.include.linux.netdevice import net_device
    from kshell.linux.include.linux.random import Random
    from kshell.world.clock import VirtualClock

SECOND: Final = 1_000_000_000
MAC_AGEING: Final = 300 * SECOND


class Socket(Protocol):
    """Where a cable can be plugged in: it takes frames from the cable, and hears when the cable comes or goes."""

    link: Link | None

    def arrive(self, frame: Frame) -> None:
        """A frame came."""

    def plugged(self) -> None:
        """The cable came or went."""


class Traffic:
    """Frames in flight: how many are on their way, so that who waits for one knows whether to wait."""

    __slots__ = ("flying", "lost", "sent")

    def __init__(self) -> None:
        self.flying = self.sent = self.lost = 0


class Link:
    """A cable. delay: ns from end to end; rate: bits per second (0: unlimited); loss: 0 to 1, of each frame."""

    __slots__ = ("_free", "_random", "clock", "delay", "ends", "loss", "rate", "traffic", "up")

    def __init__(
        self, clock: VirtualClock, traffic: Traffic, random: Random, delay: int = 0, rate: int = 0, loss: float = 0.0
    ) -> None:
        self.clock = clock
        self.traffic = traffic
        self._random = random
        self.delay = delay
        self.rate = rate
        self.loss = loss
        self.ends: list[Socket] = []
        self.up = True
        self._free: dict[int, int] = {}

    def plug(self, a: Socket, b: Socket) -> None:
        """Join two sockets."""
        self.ends = [a, b]
        a.link = b.link = self
        a.plugged()
        b.plugged()

    def pull(self) -> None:
        """Take the cable out."""
        ends, self.ends = self.ends, []
        for end in ends:
            end.link = None
            end.plugged()

    def set(self, up: bool) -> None:
        """Cut the cable, or mend it."""
        self.up = up
        for end in self.ends:
            end.plugged()

    def other(self, end: Socket) -> Socket:
        """The socket opposite."""
        return self.ends[1] if self.ends[0] is end else self.ends[0]

    def carry(self, source: Socket, frame: Frame) -> int:
        """Send a frame from one end: ns from now until the wire is free again at that end."""
        now = self.clock.now
        start = max(now, self._free.get(id(source), 0))
        sent = start + ((frame.len + FCS_AND_GAP) * 8 * SECOND // self.rate if self.rate else 0)
        if self.rate:
            self._free[id(source)] = sent
        traffic = self.traffic
        traffic.sent += 1
        if self.loss and self._random.random() < self.loss:
            traffic.lost += 1
            return sent - now
        traffic.flying += 1
        target = self.other(source)
        self.clock.call_at(sent + self.delay, lambda: self._deliver(target, frame))
        return sent - now

    def _deliver(self, target: Socket, frame: Frame) -> None:
        self.traffic.flying -= 1
        if self.up and target.link is self:
            target.arrive(frame)


class Port:
    """The end of a cable in an adapter (the driver's Phy), which belongs to `device`."""

    __slots__ = ("_changed", "_receive", "device", "link", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self.link: Link | None = None
        self.device: net_device | None = None
        self._receive: Callable[[Frame], None] | None = None
        self._changed: Callable[[], None] | None = None

    def connect(
        self, device: net_device | None, receive: Callable[[Frame], None] | None, changed: Callable[[], None] | None
    ) -> None:
        """A driver has taken the adapter over (None: left it): it gets the frames, and hears of the cable."""
        self.device = device
        self._receive = receive
        self._changed = changed

    def carrier(self) -> bool:
        """Whether a cable leads somewhere."""
        return self.link is not None and self.link.up

    def transmit(self, frame: Frame) -> int:
        """Put a frame on the wire: ns from now until that is free again. Without a cable it is gone."""
        link = self.link
        return link.carry(self, frame) if link is not None and link.up else 0

    def arrive(self, frame: Frame) -> None:
        """A frame came by the cable."""
        if self._receive is not None:
            self._receive(frame)

    def plugged(self) -> None:
        """The cable came or went."""
        if self._changed is not None:
            self._changed()


class SwitchPort:
    """A socket of a switch."""

    __slots__ = ("link", "number", "switch")

    def __init__(self, switch: Switch, number: int) -> None:
        self.switch = switch
        self.number = number
        self.link: Link | None = None

    def arrive(self, frame: Frame) -> None:
        """A frame came by the cable."""
        self.switch.forward(self, frame)

    def plugged(self) -> None:
        """The cable came or went: what was behind it is forgotten."""
        if self.link is None or not self.link.up:
            self.switch.forget(self)


class Switch:
    """A learning Ethernet switch: frames go where their address was last seen, to all ports if it was not."""

    __slots__ = ("clock", "macs", "name", "ports")

    def __init__(self, name: str, clock: VirtualClock) -> None:
        self.name = name
        self.clock = clock
        self.ports: list[SwitchPort] = []
        self.macs: dict[bytes, tuple[SwitchPort, int]] = {}
        """Address to port, and when it was last seen (ns)."""

    def port(self) -> SwitchPort:
        """A socket that is free."""
        free = next((port for port in self.ports if port.link is None), None)
        if free is None:
            free = SwitchPort(self, len(self.ports) + 1)
            self.ports.append(free)
        return free

    def forget(self, port: SwitchPort) -> None:
        """Forget what was learnt from a port."""
        for mac in [mac for mac, (where, _) in self.macs.items() if where is port]:
            del self.macs[mac]

    def forward(self, source: SwitchPort, frame: Frame) -> None:
        """Learn where the sender is; send the frame on."""
        now = self.clock.now
        if not frame.h_source[0] & 1:
            self.macs[frame.h_source] = (source, now)
        known = self.macs.get(frame.h_dest)
        if known is not None and now - known[1] <= MAC_AGEING:
            if known[0] is not source and known[0].link is not None:
                known[0].link.carry(known[0], frame)
            return
        targets = [port for port in self.ports if port is not source and port.link is not None]
        for number, port in enumerate(targets):
            assert port.link is not None
            port.link.carry(port, frame.copy() if number else frame)
