"""Replays a strace log once: each call is executed by the model, and its outcome held to the recorded one.

The log's processes are the model's, under the same pids; the virtual clock follows the log's time stamps. A call that
the log shows in two parts took effect somewhere between them: it starts at its first line, or, where that does not
agree with what the log shows, at its second (`late`), as another interleaving of the same processors may have it;
interleavings.py chooses.
"""

from __future__ import annotations

import re
import traceback
from typing import TYPE_CHECKING

from kshell.abi.errno import EINTR
from kshell.abi.signal import SIG_DFL, SIG_IGN
from kshell.lang.errors import LangError
from kshell.linux.fs.proc.proc_sysctl import _sysctl_set
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.sched import kernel_siginfo
from kshell.linux.include.trace.events import Record, SignalDeliver
from kshell.linux.kernel.signal_deliver import handle_signal, set_current_blocked
from kshell.session import bridge
from kshell.session.strace.far import Far
from kshell.session.strace.groups import group_leaders
from kshell.session.strace.lines import Log, LogCall, LogEvent
from kshell.session.strace.machine import RecordedRandom, ReplayMachine
from kshell.session.strace.ports import PATH as PORT_RANGE
from kshell.session.strace.ports import Ports
from kshell.session.strace.report import CallVerdict, StraceReport
from kshell.session.strace.start import Start
from kshell.session.strace.tables import ENDS, FORKS, READS, WAITS, gives_descriptor, is_interface, passed_over
from kshell.session.strace.world import World
from kshell.session.tasks import UserTask
from kshell.world.machine import SyscallInProgress

if TYPE_CHECKING:
    from kshell.linux.include.linux.sched import task_struct
SECOND_NS = 1_000_000_000
SLACK_NS = 50_000_000
"""How far time may run ahead of the log for a call that the log shows finished."""

_UNTIL = re.compile(r"clock_nanosleep\(CLOCK_MONOTONIC, TIMER_ABSTIME, \{tv_sec=(\d+), tv_nsec=(\d+)\}")
FOREVER = 1 << 62
ALL_PORTS = "32768 60999"


class Running:
    """A call of the log that the model is executing."""

    __slots__ = ("call", "prepared", "progress", "result")

    def __init__(self, call: LogCall, prepared: bridge.Prepared) -> None:
        self.call = call
        self.prepared = prepared
        self.progress: SyscallInProgress | None = None
        self.result: int | None = None

    @property
    def done(self) -> bool:
        return self.progress is None or self.progress.done

    @property
    def outcome(self) -> int | None:
        return self.result if self.progress is None else self.progress.result


class Replay:
    """One pass over a log; `late`: indices of the two-part calls that start at their second line."""

    def __init__(self, path: str, log: Log, world: World, ports: Ports, late: frozenset[int], seed: int = 0) -> None:
        self.log = log
        self.ports = ports
        self.late = late
        self.report = StraceReport(path)
        self.report.unreadable = list(log.bad)
        self.machine = ReplayMachine(seed)
        self.kernel = self.machine.kernel
        self.kernel.pid_max = 1 << 22
        self.start = Start(self.machine, log, world)
        self.report.notes += self.start.notes
        self.far = Far(log, self.start.helper)
        self.users: dict[int, UserTask] = {}
        self._pids = frozenset(log.pids)
        self._random = self.kernel.random
        self.running: dict[int, Running] = {}
        self.verdicts: dict[int, CallVerdict] = {}
        self.delivered: list[tuple[int, int]] = []
        self._early: list[tuple[int, int]] = []
        self._last_errors: dict[int, BaseException | None] = {}
        self._forks = {c.ret: c for c in log.calls if c.name in FORKS and c.ret is not None and c.ret > 0}
        gone = {event.pid for event in log.events if event.kind == "exit"}
        self._ending = {c.index for c in log.calls if c.name in ENDS and c.pid in gone and c.index not in late}
        self._group_leaders = group_leaders(log)
        self._dying: dict[int, LogCall] = {}
        self._restarting: dict[int, Running] = {}
        first = next((event.time for event in log.events if event.time is not None), None)
        self.machine.run_until(self.kernel.boot_ns + _uptime(log))
        self._offset = None if first is None else self.machine.clock.now - first
        self._until = FOREVER
        whole_seconds = all(event.time is None or event.time % SECOND_NS == 0 for event in log.events)
        self._slack = SLACK_NS + (SECOND_NS if whole_seconds else 0)
        self._killed_by = {e.pid: e.value for e in log.events if e.kind == "exit" and not e.value.isdigit()}
        self.machine.hold = self._hold
        self.kernel.observe(self._record)

    def _record(self, record: Record) -> None:
        if isinstance(record, SignalDeliver):
            self.delivered.append((record.pid, record.signo))
            user = self.users.get(record.pid)
            if record.action == "terminate" and user is not None:
                self._last_errors[record.pid] = user.task._last_error

    def _hold(self, task: task_struct) -> bool:
        """Whether a runnable task has to wait for its line: it is about to die, or to take a signal."""
        if task.pid not in self.users:
            return False
        if task._syscall is None:
            return True
        signal = bridge.signal_number(self._killed_by.get(task.pid, ""))
        pending = task._pending.signal | task.signal.shared_pending.signal
        return bool(signal and pending >> (signal - 1) & 1)

    # ---- one pass

    def run(self) -> StraceReport:
        """Replay every event."""
        for index, event in enumerate(self.log.events):
            self._follow_clock(event)
            self._until = self._time_after(index)
            try:
                self._event(event)
            except (LangError, ValueError, MemoryError, RecursionError) as error:
                self._unreadable(event, error)
            except Exception as error:
                self._oops(event, error)
                break
        self.report.calls = [self.verdicts[index] for index in sorted(self.verdicts)]
        return self.report

    def _time_after(self, index: int) -> int:
        """When the log's next line was written: a call on one line is over by then."""
        later = self.log.events[index + 1 : index + 3]
        time = next((event.time for event in later if event.time is not None), None)
        if self._offset is None or time is None:
            return FOREVER
        return time + self._offset

    def _follow_clock(self, event: LogEvent) -> None:
        if self._offset is not None and event.time is not None:
            when = event.time + self._offset
            if when > self.machine.clock.now:
                self.machine.run_until(when)

    def _event(self, event: LogEvent) -> None:
        call = event.call
        if event.kind == "signal":
            self._signal(event)
        elif event.kind == "exit":
            self._exited(event)
        elif call is None:
            return
        elif event.kind == "start":
            if call.index in self._ending:
                self._dying[call.pid] = call
                self._leave(call)
            elif call.index not in self.late:
                self._begin(call)
        elif call.index not in self._ending:
            if call.index in self.late:
                self._begin(call)
            self._end(call)

    def _leave(self, call: LogCall) -> None:
        """A process that exits closes its files first; its parent hears of it at the line that says so."""
        user = self.users.get(call.pid)
        if user is not None and not user.task.exit_state and call.pid not in self.running:
            self.machine.enter(user.task)
            if user.task._syscall is None:
                self.start.close_all(user.task)
                self.machine.run()

    def _unreadable(self, event: LogEvent, error: Exception) -> None:
        if event.call is not None and event.call.index in self.verdicts:
            verdict = self.verdicts[event.call.index]
            verdict.equal = False
            verdict.reason = f"not understood: {error}"
            self.running.pop(event.pid, None)
            if event.call.end_line == 0 or (event.call.ret is None and event is self.log.events[-1]):
                del self.verdicts[event.call.index]
                self.report.notes.append(f"line {event.line} is cut off")

    def _oops(self, event: LogEvent, error: Exception) -> None:
        trace = "".join(traceback.format_exception(error, limit=-8))
        text = event.call.text if event.call else event.text
        self.report.oops = f"{self.report.path}:{event.line}: {text[:200]}\n{trace}"
        if event.call is not None and event.call.index in self.verdicts:
            verdict = self.verdicts[event.call.index]
            verdict.equal, verdict.reason = False, f"oops: {error!r}"

    # ---- tasks

    def user(self, pid: int) -> UserTask:
        """The model's task for a pid of the log."""
        user = self.users.get(pid)
        if user is None:
            task = self._find(pid)
            if task is None:
                task = self.start.first_task(pid)
            user = self.users[pid] = UserTask(str(pid), task, self.machine.arena(task))
            if pid in self._group_leaders:
                self.start.own_group(task)
        return user

    def _find(self, pid: int) -> task_struct | None:
        model_pid = pid
        if not self.users:
            return None
        return next((task for task in self.kernel.tasklist if task.pid == model_pid and task.mm is not None), None)

    # ---- calls

    def _begin(self, call: LogCall) -> None:
        if passed_over(call):
            self.report.passed_over[call.name] += 1
            return
        user = self.user(call.pid)
        self._not_yet(user)
        if call.pid in self._restarting and self._go_on(call, user):
            return
        group = "interface" if is_interface(call, user.task) else "covered"
        verdict = CallVerdict(call.start_line, call.pid, call.name, call.text, "", group)
        self.verdicts[call.index] = verdict
        self.machine.enter(user.task)
        if user.task.exit_state or user.task._syscall is not None:
            verdict.equal = False
            verdict.reason = "the model's task is " + ("gone" if user.task.exit_state else "still in another call")
            return
        user.arena.release()
        running = Running(call, self._prepared(call, user))
        user.task._last_error = None
        if gives_descriptor(call) and call.ret is not None:
            self.start.make_room(user.task, call.ret)
        self.running[call.pid] = running
        self._prepare_kernel(call, user)
        try:
            outcome = self.machine.syscall(user.task, running.prepared.number, running.prepared.registers)
        finally:
            self._restore_kernel(call)
        if isinstance(outcome, SyscallInProgress):
            running.progress = outcome
        else:
            running.result = outcome
            self._align(call, user, outcome)
            self.start.cover(call, user.task, outcome)
        self.machine.run()

    def _not_yet(self, user: UserTask) -> None:
        """A signal that the model has handled and the log has not, or never will: its handler has not run."""
        frames = user.task._sigframes
        for pid, number in [each for each in self.delivered if each[0] == user.task.pid]:
            self.delivered.remove((pid, number))
            if frames and user.task._sighand.action[number - 1].sa_handler not in (SIG_DFL, SIG_IGN):
                set_current_blocked(user.task, frames.pop()[1])
                self._early.append((pid, number))

    def _prepared(self, call: LogCall, user: UserTask) -> bridge.Prepared:
        if call.statement is None:
            call.statement = bridge.parse_call(call.text)
        return bridge.prepare(call.statement, call.text, user, replay=True)

    def _prepare_kernel(self, call: LogCall, user: UserTask) -> None:
        self.start.refresh(call)
        self.far.before(call, user.task)
        if call.name in READS and (data := self.start.random_bytes(call, user.task)) is not None:
            self._random, self.kernel.random = self.kernel.random, RecordedRandom(data)
        if call.name in FORKS and call.ret is not None and call.ret > 0:
            self.kernel.init_pid_ns.last_pid = call.ret - 1
        port = self.ports.chosen_by(call)
        if port:
            _sysctl_set(self.kernel, PORT_RANGE, f"{port} {port}")

    def _align(self, call: LogCall, user: UserTask, outcome: int) -> None:
        """One descriptor more or less than the log's: later numbers shall mean the same all the same."""
        if not gives_descriptor(call) or call.ret is None or (call.ret < 0) == (outcome < 0):
            return
        if outcome >= 0:
            self.start.close(user.task, outcome)
        else:
            self.start.hold_place(user.task, call.ret)

    def _restore_kernel(self, call: LogCall) -> None:
        if isinstance(self.kernel.random, RecordedRandom):
            self.kernel.random = self._random
        if call.name not in FORKS:
            _sysctl_set(self.kernel, PORT_RANGE, ALL_PORTS)

    def _end(self, call: LogCall) -> None:
        verdict = self.verdicts.get(call.index)
        running = self.running.get(call.pid)
        if verdict is None or running is None or running.call is not call:
            return
        del self.running[call.pid]
        if not running.done and not call.errno.startswith("ERESTART"):
            self._catch_up(running)
        if call.name in ENDS:
            verdict.equal = running.done or bool(self.user(call.pid).task.exit_state)
            return
        if call.errno.startswith("ERESTART") and self._interrupted(running):
            return
        if not running.done:
            self._give_up(running, verdict)
            return
        if running.outcome is not None:
            shown = bridge.shown(running.prepared, running.outcome)
            verdict.shown, verdict.args = shown.text, shown.args
            verdict.errno = bridge.error_of(running.outcome)
            verdict.ret = running.outcome
        verdict.time = self.machine.clock.now - self.kernel.boot_ns
        equal, expected, got, reason = bridge.verdict(running.prepared, self._outcome(running))
        verdict.equal, verdict.expected, verdict.got, verdict.reason = equal, expected, got, reason

    def _outcome(self, running: Running) -> int | None:
        """The call's result; where a signal killed the task on the way out, the error that it would have got."""
        error = self._last_errors.get(running.call.pid)
        return -error.errno if running.outcome is None and isinstance(error, KernelError) else running.outcome

    def _interrupted(self, running: Running) -> bool:
        """strace shows ERESTART… before the signal is handled: the caller gets EINTR, dies, or the call runs on."""
        if not running.done:
            self._restarting[running.call.pid] = running
            return True
        return running.outcome is None or running.outcome == -EINTR

    def _go_on(self, call: LogCall, user: UserTask) -> bool:
        """The call after an interrupted one: the handler's end, or the same call made again, is no new call here."""
        before = self._restarting[call.pid]
        if user.task.exit_state or before.done:
            del self._restarting[call.pid]
            return False
        if call.name in ("rt_sigreturn", "restart_syscall"):
            self.report.passed_over[call.name] += 1
            return True
        del self._restarting[call.pid]
        if call.name != before.call.name:
            self.start.abort(user.task)
            return False
        again = Running(call, bridge.again(before.prepared, bridge.parse_call(call.text), call.text))
        again.progress = before.progress
        self.verdicts[call.index] = CallVerdict(call.start_line, call.pid, call.name, call.text, "", "covered")
        self.running[call.pid] = again
        return True

    def _catch_up(self, running: Running) -> None:
        """The log says that the call is over: let what is due very soon happen; without time stamps, all it needs."""
        clock = self.machine.clock
        limit = max(clock.now, self._until) + self._slack if self._offset is not None else FOREVER
        self.machine.run()
        while not running.done:
            due = clock.next_event()
            if due is None or due > limit:
                return
            self.machine.run_next_event()

    def _give_up(self, running: Running, verdict: CallVerdict) -> None:
        """The model's call still sleeps: say so and take it out of the kernel, so that its task can go on."""
        verdict.equal = False
        verdict.expected = (
            f"= {running.call.ret if running.call.ret is not None else '?'} {running.call.errno}".rstrip()
        )
        verdict.got = "still sleeps"
        verdict.reason = self._why_asleep(running.call)
        self.start.abort(running.prepared.user.task)

    def _why_asleep(self, call: LogCall) -> str:
        if call.name in WAITS and call.ret is not None and call.ret > 0 and call.ret not in self._pids:
            return f"process {call.ret} is not in the log: strace -f follows children"
        return "the call sleeps in the model"

    # ---- signals and exits

    def _signal(self, event: LogEvent) -> None:
        user = self.users.get(event.pid)
        number = bridge.signal_number(event.value)
        if user is None or user.task.exit_state or not number:
            return
        deadly = self._killed_by.get(event.pid) == event.value
        if deadly and not self._from_outside(event):
            return
        self.machine.release(user.task)
        self.machine.run()
        if (user.task.pid, number) in self.delivered:
            self.delivered.remove((user.task.pid, number))
        elif (user.task.pid, number) in self._early:
            self._early.remove((user.task.pid, number))
            handle_signal(user.task, kernel_siginfo(number), user.task._sighand.action[number - 1], 0)
            self.delivered.remove((user.task.pid, number))
        elif self._from_outside(event):
            self.start.send_signal(number, user.task)
            self.machine.run()
            self.machine.release(user.task)
            if (user.task.pid, number) in self.delivered:
                self.delivered.remove((user.task.pid, number))

    def _from_outside(self, event: LogEvent) -> bool:
        """Whether nobody in the log sent the signal."""
        sender = bridge.number_behind(event.text, "si_pid=")
        return sender not in self.users or sender == 0

    def _exited(self, event: LogEvent) -> None:
        call = self._dying.pop(event.pid, None)
        if call is not None:
            self._begin(call)
            self._end(call)
        user = self.users.get(event.pid)
        if user is None or user.task.exit_state:
            return
        self.machine.run()
        self.machine.release(user.task)
        if not user.task.exit_state:
            self.start.kill(user.task)
            self.machine.run()
            self.machine.release(user.task)


def _uptime(log: Log) -> int:
    """How long the log's kernel had run when the log began (ns), as sleeps until a moment show it; 0 if none does."""
    first = next((event.time for event in log.events if event.time is not None), None)
    for position, event in enumerate(log.events):
        until = _UNTIL.search(event.call.text) if event.kind == "start" and event.call is not None else None
        if until is None or event.call is None or first is None or event.call.ret != 0:
            continue
        later = (e.time for e in log.events[position + 1 :] if e.pid == event.pid and e.time != event.time)
        ended = event.call.end_time if event.call.in_two_parts else next(later, None)
        if ended is not None:
            return max(0, int(until[1]) * 1_000_000_000 + int(until[2]) - (ended - first))
    return 0
