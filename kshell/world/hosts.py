"""A world of several machines: hosts, switches, and the links between them, on one virtual clock.

A world is made around a first machine, whose name is `localhost`, when something is to be joined to it. What is done
to a world is done by `World.do`, by name and plain values, so that it can be written down and done again.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final
from zlib import crc32

from kshell.linux.include.linux.random import Random
from kshell.linux.net.core.dev_register import dev_valid_name
from kshell.world.machine import LOCALHOST, WorldError
from kshell.world.nic import plug_in
from kshell.world.wire import Link, Port, Socket, Switch, Traffic

if TYPE_CHECKING:
    from kshell.linux.net.core.dev_register import dev_valid_name
from kshell.world.machine import Machine, SyscallInProgress

FIRST_MAC: Final = 0x525400123456
MOST_EVENTS: Final = 100_000
"""Events at one moment: more means frames that go round in a loop of switches or bridges for ever."""


class Cable:
    """A link with the names of its ends (`client.eth0`, or a switch)."""

    __slots__ = ("a", "b", "link")

    def __init__(self, a: str, b: str, link: Link) -> None:
        self.a = a
        self.b = b
        self.link = link


class World:
    """Machines by name, switches, and cables. make: a new machine for a host of that name, with that seed."""

    def __init__(self, machines: dict[str, Machine], make: Callable[[str, int], Machine], seed: int) -> None:
        first = machines[""]
        self.machines = machines
        self.clock = first.clock
        self.seed = seed
        self.random = Random(seed)
        self.traffic = Traffic()
        self.switches: dict[str, Switch] = {}
        self.cables: list[Cable] = []
        self.ports: dict[str, Port] = {}
        self._make = make
        self._joined: list[Machine] = []
        self._woken: set[int] = set()
        """Which of those that joined have something to do."""
        self._join(first)

    def _join(self, machine: Machine) -> None:
        """A machine is part of this world, and will say when it has something to do."""
        number = len(self._joined)
        self._joined.append(machine)
        machine.world = self
        machine.kernel.kick_idle_cpu = partial(self._woken.add, number)
        self._woken.add(number)

    # ---- what can be done to a world

    def do(self, what: str, *values: object) -> None:
        """Do one of `host`, `switch`, `link`, `unlink`, `set`. WorldError."""
        getattr(self, f"_do_{what}")(*values)

    def _do_host(self, name: str) -> None:
        """A new host boots."""
        self._check_name(name)
        machine = self._make(name, self.seed ^ crc32(name.encode()))
        self._join(machine)
        self.machines[name] = machine

    def _do_switch(self, name: str) -> None:
        """A new switch."""
        self._check_name(name)
        self.switches[name] = Switch(name, self.clock)

    def _do_link(self, a: str, b: str, delay: int, rate: int, loss: float) -> None:
        """A cable between two devices, or a device and a switch; devices that are not there are plugged in."""
        if a == b:
            raise WorldError("a cable needs two ends", "link client.eth0 server.eth0")
        for end in (a, b):
            self._check_end(end)
        link = Link(self.clock, self.traffic, self.random, delay, rate, loss)
        link.plug(self._socket(a), self._socket(b))
        self.cables.append(Cable(a, b, link))

    def _do_unlink(self, end: str) -> None:
        """Take a cable out."""
        cable = self.cable(end)
        cable.link.pull()
        self.cables.remove(cable)

    def _do_set(self, end: str, up: bool | None, delay: int | None, rate: int | None, loss: float | None) -> None:
        """Change a cable: cut it or mend it, its delay, rate, loss (None: as it is)."""
        link = self.cable(end).link
        link.delay = link.delay if delay is None else delay
        link.rate = link.rate if rate is None else rate
        link.loss = link.loss if loss is None else loss
        if up is not None:
            link.set(up)

    # ---- names

    def _check_name(self, name: str) -> None:
        if not name.isidentifier():
            raise WorldError(f"{name!r} is no name for a host or switch", "letters, digits and _")
        if name in self.machines or name == LOCALHOST:
            raise WorldError(f"there is a host {name} already")
        if name in self.switches:
            raise WorldError(f"there is a switch {name} already")

    def machine(self, name: str) -> Machine:
        """The machine of a host. WorldError: there is none."""
        machine = self.machines.get("" if name == LOCALHOST else name)
        if machine is None:
            known = ", ".join(host or LOCALHOST for host in self.machines)
            raise WorldError(f"there is no host {name!r}", f"host {name} makes one; there are: {known}")
        return machine

    def _check_end(self, end: str) -> None:
        host, dot, device = end.partition(".")
        if not dot:
            if end not in self.switches:
                raise WorldError(f"{end!r} is no switch, and no device of a host", f"{end}.eth0, or: switch {end}")
            return
        devices = self.machine(host).kernel.init_net.dev_name_head
        if not dev_valid_name(device):
            raise WorldError(f"{device!r} is no name for a device", f"{host}.eth0")
        if end in self.ports:
            if self.ports[end].link is not None:
                raise WorldError(f"{end} has a cable already", f"unlink {end}")
        elif device in devices:
            free = next(f"eth{n}" for n in range(len(devices) + 1) if f"eth{n}" not in devices)
            raise WorldError(f"{end} is there already, and nothing that a cable fits into", f"{host}.{free}")

    def _socket(self, end: str) -> Socket:
        host, dot, device = end.partition(".")
        if not dot:
            return self.switches[end].port()
        if end not in self.ports:
            mac = (FIRST_MAC + len(self.ports)).to_bytes(6, "big")
            self.ports[end] = plug_in(self.machine(host).kernel, device, mac)
        return self.ports[end]

    def cable(self, end: str) -> Cable:
        """The cable at a device. WorldError: there is none."""
        for cable in self.cables:
            if end in (cable.a, cable.b):
                return cable
        raise WorldError(f"{end} has no cable", "link lists the cables")

    # ---- time

    def in_flight(self) -> int:
        """Frames that are on their way."""
        return self.traffic.flying

    def due(self) -> bool:
        """Whether something is to happen at this very moment."""
        when = self.clock.next_event()
        return when is not None and when <= self.clock.now

    def busy(self) -> bool:
        """Whether anything can be done without letting time pass."""
        return any(self._joined[number].kernel.runqueue for number in self._woken) or self.due()

    def run(self) -> list[SyscallInProgress]:
        """Run every task of every machine that can run, and what is due now; the calls that ended."""
        ended: list[SyscallInProgress] = []
        for _ in range(MOST_EVENTS):
            if self._woken:
                self._run_woken(ended)
            if not self.due():
                return ended
            self.clock.run_next()
        raise WorldError("frames go round without end", "is there a loop of switches or bridges?")

    def _run_woken(self, ended: list[SyscallInProgress]) -> None:
        """Run the machines that have something to do, the one that joined first first; a machine wakes only itself."""
        while self._woken:
            number = min(self._woken)
            self._woken.discard(number)
            machine = self._joined[number]
            ended += machine.run_own()
            machine.settle()
