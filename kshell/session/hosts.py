"""The hosts of a session: each a machine with its tasks by name and an ear at its kernel. The first has no name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from kshell.session.commands import CommandError
from kshell.session.tasks import Tasks
from kshell.session.watch import Watch
from kshell.world.machine import LOCALHOST

if TYPE_CHECKING:
    from kshell.session.captured import Capture
    from kshell.session.events import Packet
    from kshell.session.session import Session
    from kshell.session.tasks import UserTask
    from kshell.world.machine import Machine


class Host:
    """One machine of a session."""

    __slots__ = ("machine", "name", "tasks", "watch")

    def __init__(self, name: str, machine: Machine) -> None:
        self.name = name
        self.machine = machine
        self.tasks = Tasks(machine, name)
        self.watch: Watch | None = None

    def device(self, name: str) -> str:
        """What a device is called where several hosts are meant: `client.eth0`."""
        return f"{self.name or LOCALHOST}.{name}" if self.machine.world is not None else name


class Hosts:
    """The hosts by name; the first is ""."""

    def __init__(self, session: Session, machines: Mapping[str, Machine]) -> None:
        self._session = session
        self._by_name = {name: Host(name, machine) for name, machine in machines.items()}
        self.first = self._by_name[""]
        self._capture: Capture | None = None

    def __iter__(self) -> Iterator[Host]:
        return iter(self._by_name.values())

    def __len__(self) -> int:
        return len(self._by_name)

    def __getitem__(self, name: str) -> Host:
        return self._by_name[name]

    def get(self, name: str) -> Host | None:
        """The host that commands call so."""
        return self._by_name.get("" if name == LOCALHOST else name)

    def add(self, name: str, machine: Machine) -> Host:
        """A host that has just booted."""
        host = self._by_name[name] = Host(name, machine)
        host.watch = Watch(self._session, host)
        return host

    def listen(self) -> None:
        """Hear what the kernels tell."""
        for host in self:
            host.watch = Watch(self._session, host)

    def close(self) -> None:
        """Hear it no more."""
        for host in self:
            if host.watch is not None:
                host.watch.close()

    def capture(self) -> Capture:
        """Who takes the packets of all hosts."""
        if self._capture is None:
            from kshell.session.captured import Capture

            self._capture = Capture(self._session)
        return self._capture

    def begin(self) -> None:
        """A command begins."""
        for host in self:
            if host.watch is not None:
                host.watch.begin()

    def settle(self) -> tuple[Packet, ...]:
        """A command is over: its packets, with what became of them."""
        return self._capture.settle() if self._capture is not None else ()

    def named(self, name: str) -> UserTask | None:
        """The task with that full name: `server`, `server/worker`, `worker` (of the first host)."""
        return next((user for host in self for user in host.tasks if user.name == name), None)

    def user(self, name: str, current: Host) -> UserTask:
        """The task that `@name` means: a host's init, `host/task`, or a task of the current host; a new one is forked."""
        place, slash, local = name.partition("/")
        host = self.get(place)
        if slash:
            if host is None:
                raise CommandError(f"there is no host {place!r}", f"host {place} makes one; there are: {self.text()}")
            return host.tasks.get(local) or host.tasks.fork(local)
        if host is not None and place:
            return host.tasks.init
        return current.tasks.get(name) or current.tasks.fork(name)

    def text(self) -> str:
        """The names of all hosts."""
        return ", ".join(host.name or LOCALHOST for host in self)
