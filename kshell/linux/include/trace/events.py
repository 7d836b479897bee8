"""What the kernel tells its observers: typed records, as tracepoints would give them.

Raised by `kernel.emit(record)`; when nobody listens (`kernel.listening` is False) none is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi import record

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff


class Printk(record.Record):
    """A line of the kernel log. level: 0 (emergency) to 7 (debug)."""

    level: int
    text: str


class SchedWakeup(record.Record):
    """A sleeping task was made runnable."""

    pid: int
    comm: str


class SignalDeliver(record.Record):
    """A signal reached its task: action is "ignored", "handler", "terminate", "stop" or "continue"."""

    pid: int
    signo: int
    code: int
    sender: int
    status: int
    action: str


class ProcessExit(record.Record):
    """A task ended. code: as wait4() gives it."""

    pid: int
    comm: str
    code: int


class ConsoleWrite(record.Record):
    """A task wrote to the terminal."""

    pid: int
    data: bytes


class NetDevXmit(record.Record):
    """A packet leaves by a device; skb as the driver gets it."""

    dev: str
    skb: sk_buff


class NetifReceive(record.Record):
    """A packet came in by a device, before any protocol sees it."""

    dev: str
    skb: sk_buff


class ModuleLoad(record.Record):
    """A module was loaded or, when gone, removed."""

    name: str
    gone: bool = False


Record = Printk | SchedWakeup | SignalDeliver | ProcessExit | ConsoleWrite | NetDevXmit | NetifReceive | ModuleLoad
