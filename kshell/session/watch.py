"""The session's ear at the kernel: records become events, snapshots before and after a call become trees."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.lens import tree
from kshell.lens.objects import alive, snapshot
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
from kshell.session.tape import TapedMachine

if TYPE_CHECKING:
    from kshell.lens.objects import Snapshot
    from kshell.linux.include.linux.sched import task_struct
    from kshell.session.hosts import Host
    from kshell.session.session import Session

LOOKED_AT = frozenset({"objects", "changes"})
PANELS: dict[type, str] = {Printk: "log", SchedWakeup: "wakeups", ModuleLoad: "log"}


class Seen:
    """The objects of a moment that tasks reach; later ones of the same watch have higher numbers.

    moves: what the session's tape had counted by then.
    """

    __slots__ = ("moves", "number", "objects", "tasks", "watch")

    def __init__(self, watch: Watch, number: int, tasks: list[task_struct], moves: int, objects: Snapshot) -> None:
        self.watch = watch
        self.number = number
        self.tasks = tasks
        self.moves = moves
        self.objects = objects


class Watch:
    """Observes one kernel for one session."""

    def __init__(self, session: Session, host: Host) -> None:
        self.session = session
        self.host = host
        self._last: Seen | None = None
        self._shown: Seen | None = None
        self._stop = host.machine.kernel.observe(self._record)

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
            self.session.hosts.capture().take(self.host.device(record.dev), record.skb, self.host.machine.kernel)
        elif isinstance(record, Printk):
            emit(ev.LogLine, record.text)
        elif isinstance(record, SchedWakeup):
            emit(ev.Wakeup, record.pid, self._name(record.pid), f"{record.comm} ({record.pid}) wakes up")

    def _name(self, pid: int) -> str:
        return self.host.tasks.name_of_pid(pid)

    # ---- objects before and after a call

    @property
    def looking(self) -> bool:
        """Whether anybody wants to know what calls change."""
        return not self.session.show.isdisjoint(LOOKED_AT)

    def begin(self) -> None:
        """A command begins. If a call may come back in it that sleeps now, see what there is."""
        waiting = self.session.calls_of_tasks.pending and self.looking
        self._shown = self._see(self.host.tasks.init.task) if waiting else None

    def before(self, task: task_struct) -> Seen | None:
        """The state to compare with later; None if nobody looks."""
        return self._see(task) if self.looking else None

    def _see(self, task: task_struct) -> Seen:
        """What the task reaches, and the other tasks of the session: as it was seen last, if nothing moved since."""
        tasks = [task, *(user.task for user in self.host.tasks if user.task is not task and not user.dead)]
        moves, last = self.session.tape.moves, self._last
        taped = isinstance(self.host.machine, TapedMachine)
        if taped and last is not None and last.moves == moves and last.tasks == tasks:
            return last
        number, objects = (last.number + 1, last.objects) if last is not None else (1, None)
        seen = self._last = Seen(self, number, tasks, moves, snapshot(tasks, objects))
        return seen

    def after(self, before: Seen | None, task: task_struct, named: list[int]) -> None:
        """Emit what is different now; `named`: descriptors the call was about.

        A call that slept is compared with the beginning of the command in which it comes back, or with what that
        command has shown already, not with the time when it began.
        """
        if before is None:
            return
        shown = self._shown
        was = shown if shown is not None and (before.watch is not self or shown.number > before.number) else before
        now = self._shown = self._see(task)
        in_use = alive(self.host.machine.kernel)
        if "objects" in self.session.show:
            everything = self.session.settings["view"] == "full"
            edges = [f"fd_array[{fd}]" for fd in named]
            lines = tree.touched_lines(was.objects, now.objects, edges, everything, in_use)
            if lines:
                self.session.emit(ev.Objects, lines)
        if "changes" in self.session.show:
            for change in tree.changes(was.objects, now.objects, in_use):
                self.session.emit(ev.Change, change.struct, change.address, change.field, change.old, change.new)
