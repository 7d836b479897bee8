"""What names mean to the command language in one session: numbers, buffers, interfaces, expressions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from kshell.lang.ast import Node
from kshell.lang.numbers import Buffer

if TYPE_CHECKING:
    from kshell.session.tasks import UserTask
    from kshell.world.arena import Arena

Evaluate = Callable[[Node, "UserTask"], object]
RESERVED = frozenset({"current", "init_net", "kernel"})


class ArenaMemory:
    """The language's memory in a task: what a command names lies there until the call is over."""

    def __init__(self, arena: Arena) -> None:
        self.arena = arena

    def place(self, data: bytes) -> int:
        """The address of a new piece of memory with these bytes."""
        return self.arena.put(data)

    def reserve(self, size: int) -> int:
        """The address of a new piece of zeroed memory."""
        return self.arena.put(bytes(size))


class SessionVariables:
    """Variables of a session as one task sees them."""

    def __init__(self, values: Mapping[str, object], user: UserTask, evaluate: Evaluate | None = None) -> None:
        self.values = values
        self.user = user
        self._evaluate = evaluate

    def buffer(self, name: str) -> Buffer | None:
        """The memory that a variable names in this task; None if there is none."""
        return self.user.buffers.get(name)

    def remember(self, name: str, buffer: Buffer) -> None:
        """An unknown name in a call now names this memory, which stays."""
        self.user.buffers = {**self.user.buffers, name: buffer}
        self.user.arena.hold()

    def number(self, name: str) -> int | None:
        """The value of a variable that holds a number, or the address of a buffer."""
        value = self.values.get(name)
        if isinstance(value, int):
            return value
        buffer = self.user.buffers.get(name)
        return buffer.address if buffer is not None else None

    def evaluate(self, node: Node) -> int | None:
        """The value of an expression over kernel objects; None if it is no number."""
        value = self._evaluate(node, self.user) if self._evaluate is not None else None
        return int(value) if isinstance(value, int) else None

    def interface_index(self, name: str) -> int | None:
        """The index of a network interface of the task's network namespace."""
        nsproxy = self.user.task.nsproxy
        for device in nsproxy.net_ns.dev_base_head if nsproxy is not None else ():
            if device.name == name:
                return int(device.ifindex)
        return None
