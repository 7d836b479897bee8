"""What the kernel tells its observers: typed records, as tracepoints would give them.

Raised by `kernel.emit(record)`; when nobody listens (`kernel.listening` is False) none is made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff


@dataclass(frozen=True, slots=True)
class Printk:
    """A line of the kernel log. level: 0 (emergency) to 7 (debug)."""

    level: int
    text: str


@dataclass(frozen=True, slots=True)
class SchedWakeup:
    """A sleeping task was made runnable."""

    pid: int
    comm: str


@dataclass(frozen=True, slots=True)
class SignalDeliver:
    """A signal reached its task: action is "ignored", "handler", "terminate", "stop" or "continue"."""

    pid: int
    signo: int
    code: int
    sender: int
    status: int
    action: str


@dataclass(frozen=True, slots=True)
class ProcessExit:
    """A task ended. code: as wait4() gives it."""

    pid: int
    comm: str
    code: int


@dataclass(frozen=True, slots=True)
class ConsoleWrite:
    """A task wrote to the terminal."""

    pid: int
    data: bytes


@dataclass(frozen=True, slots=True)
class NetDevXmit:
    """A packet leaves by a device; skb as the driver gets it."""

    dev: str
    skb: sk_buff


@dataclass(frozen=True, slots=True)
class NetifReceive:
    """A packet came in by a device, before any protocol sees it."""

    dev: str
    skb: sk_buff


@dataclass(frozen=True, slots=True)
class ModuleLoad:
    """A module was loaded or, when gone, removed."""

    name: str
    gone: bool = False


Record = Printk | SchedWakeup | SignalDeliver | ProcessExit | ConsoleWrite | NetDevXmit | NetifReceive | ModuleLoad
