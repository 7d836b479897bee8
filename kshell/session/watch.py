"""The session's ear at the kernel: records become events, snapshots before and after a call become trees."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.lens import objects, tree
from kshell.lens.packets import packet_text
from kshell.linux.include.trace.events import (
    ModuleLoad,
    NetDevXmit,
    Printk,
    ProcessExit,
    Record,
    SchedWakeup,
    SignalDeliver,
)
from kshell.session import events as ev
from kshell.session.signals import exit_text, signal_name, signal_text

if TYPE_CHECKING:
    from kshell.linux.include.linux.sched import task_struct
    from kshell.session.session import Session

LOOKED_AT = frozenset({"objects", "changes"})
PANELS: dict[type, str] = {NetDevXmit: "packets", Printk: "log", SchedWakeup: "wakeups", ModuleLoad: "log"}


class Watch:
    """Observes one kernel for one session."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.looking = bool(session.show & LOOKED_AT)
        self._stop = session.kernel.observe(self._record)

    def close(self) -> None:
        """Listen no more."""
        self._stop()

    def _record(self, record: Record) -> None:
        panel = PANELS.get(type(record))
        if panel is not None and panel not in self.session.show:
            return
        emit = self.session.emit
        if isinstance(record, SignalDeliver):
            emit(ev.Signal, record.pid, self._name(record.pid), signal_name(record.signo), signal_text(record))
        elif isinstance(record, ProcessExit):
            code, signo = record.code >> 8 & 0xFF, record.code & 0x7F
            name = signal_name(signo) if signo else ""
            emit(ev.Exit, record.pid, self._name(record.pid), code, name, exit_text(record.code))
        elif isinstance(record, NetDevXmit):
            emit(ev.Packet, record.dev, packet_text(record.skb), record.skb.len)
        elif isinstance(record, Printk):
            emit(ev.LogLine, record.text)
        elif isinstance(record, SchedWakeup):
            emit(ev.Wakeup, record.pid, self._name(record.pid), f"{record.comm} ({record.pid}) wakes up")

    def _name(self, pid: int) -> str:
        return self.session.tasks.name_of_pid(pid)

    def before(self, task: task_struct) -> objects.Node | None:
        """The state to compare with later; None if nobody looks."""
        return objects.snapshot(task) if self.looking else None

    def after(self, before: objects.Node | None, task: task_struct, named: list[int]) -> None:
        """Emit what is different now; `named`: descriptors the call was about."""
        if before is None:
            return
        now = objects.snapshot(task)
        show = self.session.show
        if "objects" in show:
            lines = tree.touched_lines(before, now, [f"fd_array[{fd}]" for fd in named])
            if lines:
                made = [ev.ObjectLine(x.depth, x.sign, x.struct, x.address, x.text, x.path, x.last) for x in lines]
                self.session.emit(ev.Objects, made)
        if "changes" in show:
            for change in tree.changes(before, now):
                self.session.emit(ev.Change, change.struct, change.address, change.field, change.old, change.new)
