"""Stopping the kernel: a breakpoint is a twin of its function, steps and watchpoints are Python's own line events.

A function with a breakpoint runs through a twin while a command runs; its trap asks whether to stop, and only then are
line events turned on, which cost much. So a breakpoint that is not hit costs nothing, and none at all when none is set.
At a stop `on_stop` is called, in the middle of the kernel, and says how to go on. The kernel's own frames are what it
looks at; nothing of them is changed, so that the call ends as it would have.
"""

from __future__ import annotations

import dis
import sys
from collections.abc import Callable
from types import CodeType, FrameType, FunctionType
from typing import TYPE_CHECKING, Final

from kshell.abi.errno import errno_name, strerror
from kshell.lens.debug.frames import is_function, is_kernel, kernel_frames, source_line, true_code
from kshell.lens.debug.points import Breakpoint, Points, Watchpoint
from kshell.lens.trace_graph import value_text
from kshell.lens.trace_twins import Function, TwinMaker
from kshell.linux.include.linux.err import KernelError

if TYPE_CHECKING:
    from _typeshed import TraceFunction

WAITING: Final = frozenset({dis.opmap["YIELD_VALUE"], dis.opmap["RESUME"]})
RETURNING: Final = frozenset(dis.opmap[name] for name in ("RETURN_VALUE", "RETURN_CONST") if name in dis.opmap)
"""Instructions that a coroutine is at when it waits; from Python 3.13 on it is the one behind the yield."""


class Abandon(BaseException):
    """The stop was left by taking the call back: it does not go on."""


class Stop:
    """The kernel stands still in `frame`, before the line that frame has reached.

    reason: why, as gdb says it; point: which number stopped it, 0 for a step; frames: the kernel functions on the
    stack, innermost first; selected: the one that commands look at.
    """

    def __init__(self, frame: FrameType, reason: str, point: int = 0) -> None:
        self.frames = kernel_frames(frame)
        self.reason = reason
        self.point = point
        self.selected = 0

    @property
    def frame(self) -> FrameType:
        """The frame that commands look at."""
        return self.frames[self.selected]

    @property
    def text(self) -> str:
        """The line that comes next, or is being run in an outer frame."""
        return source_line(self.frame.f_code, self.frame.f_lineno)


class Action:
    """How to go on. kind: continue, step, next, finish, until; count: so many times; line: until where, 0 for beyond
    the present one; frame: whose end finish waits for."""

    def __init__(self, kind: str, count: int = 1, line: int = 0, frame: FrameType | None = None) -> None:
        self.kind = kind
        self.count = count
        self.line = line
        self.frame = frame


class _Goal:
    """What a step waits for; frames: the stopped function and its callers, innermost first, as far as they still run."""

    def __init__(self, action: Action, frames: list[FrameType]) -> None:
        self.kind = action.kind
        self.count = action.count
        self.frames = frames
        self.line = action.line
        self.start = frames[0].f_lineno if frames else 0
        self.frame = action.frame or (frames[0] if frames else None)


class Debugger:
    """Breakpoints and steps of one machine.

    on_stop: what to do at a stop. holds: whether a breakpoint's condition and task hold, given the arguments.
    mine: whether it is the debugger's own machine that runs (copies of it may run too).
    """

    def __init__(
        self,
        on_stop: Callable[[Stop], Action],
        holds: Callable[[Breakpoint, dict[str, object]], bool] = lambda point, variables: True,
        mine: Callable[[], bool] = lambda: True,
    ) -> None:
        self.points = Points()
        self._on_stop = on_stop
        self._holds = holds
        self._mine = mine
        self._twins: list[tuple[Function, CodeType]] = []
        self._entering: tuple[CodeType, list[Breakpoint]] | None = None
        self._goal: _Goal | None = None
        self._last: tuple[FrameType | None, CodeType, int] | None = None
        self._raised: BaseException | None = None
        self._outer: TraceFunction | None = None  # whoever traced before: a measure of coverage, for instance
        self.armed = False
        self.stopped = False

    # ---- on and off

    @property
    def busy(self) -> bool:
        """Whether anything could stop the kernel."""
        return bool(self.points.all) or self._goal is not None

    @property
    def stepping(self) -> bool:
        """Whether a step has not come to its end yet: its function sleeps."""
        return self._goal is not None

    def arm(self) -> None:
        """Put the traps in."""
        self.armed = True
        self._outer = sys.gettrace()
        maker = TwinMaker({"\0hit": self._hit}, trap=True)
        for function in {f for point in self.points.breakpoints for f in point.functions}:
            found = Function(function)
            self._twins.append((found, found.original))
            function.__code__ = maker.twin(found)
        self._trace()

    def disarm(self) -> None:
        """Put every function's own code back, and turn line events off."""
        self.armed = False
        sys.settrace(self._outer)
        while self._twins:
            function, code = self._twins.pop()
            function.twin_of.__code__ = code
        self._entering = None

    def again(self) -> None:
        """The points have changed."""
        if self.armed:
            self.disarm()
            self.arm()

    def forget(self) -> None:
        """The machine is another one now: no step goes on."""
        self._goal = self._entering = self._last = None

    def _trace(self) -> None:
        wanted = self._entering or self._goal or self.points.watchpoints
        sys.settrace(self._on_call if wanted else self._outer)

    # ---- what Python tells

    def _hit(self, function: Function, values: tuple[object, ...]) -> None:
        """A function with breakpoints is being called."""
        if self.stopped or not self._mine():
            return
        variables = dict(zip(function.parameters, values, strict=False))
        points = [point for point in self.points.breakpoints if function.twin_of in point.functions]
        hit = [point for point in points if self._holds(point, variables)]
        if hit:
            self._entering = (true_code(function.original), hit)
            sys.settrace(self._on_call)

    def _on_call(self, frame: FrameType, event: str, arg: object) -> TraceFunction | None:
        """A function begins, or a coroutine goes on."""
        code, goal = frame.f_code, self._goal
        if not is_kernel(code) or self.stopped:
            return None
        if self._entering is not None and code is self._entering[0]:
            return self._in_frame
        if self.points.watchpoints or (goal is not None and (goal.kind == "step" or frame in goal.frames)):
            return self._in_frame
        return None

    def _in_frame(self, frame: FrameType, event: str, arg: object) -> TraceFunction:
        if event == "line":
            self._line(frame)
        elif event == "exception":
            assert isinstance(arg, tuple)
            self._raised = arg[1]
        elif event == "return":
            self._left(frame, arg)
        return self._in_frame

    def _line(self, frame: FrameType) -> None:
        self._raised = sys.exc_info()[1]  # is let through again without another event
        if self._entering is not None and frame.f_code is self._entering[0]:
            points, self._entering = self._entering[1], None
            for point in points:
                point.hits += 1
            first = points[0]
            for point in points:
                if point.once:
                    del self.points.all[point.number]
            self._look(frame)
            self._stop(frame, f"{'Temporary breakpoint' if first.once else 'Breakpoint'} {first.number}, ", first.number)
        elif not self._look(frame) and self._reached(frame):
            self._stop(frame, "")
        self._last = (frame, frame.f_code, frame.f_lineno)

    def _reached(self, frame: FrameType) -> bool:
        goal = self._goal
        if goal is None or not is_function(frame.f_code):
            return False
        if goal.kind == "step":
            wanted = True
        elif goal.kind == "until":
            here = bool(goal.frames) and frame is goal.frames[0]
            wanted = frame in goal.frames and (not here or frame.f_lineno >= (goal.line or goal.start + 1))
        else:
            wanted = goal.kind == "next" and frame in goal.frames
        if not wanted or not self._mine():
            return False
        goal.count -= 1
        return goal.count <= 0

    def _left(self, frame: FrameType, value: object) -> None:
        """A frame is left, by returning, raising or, a coroutine, by waiting."""
        self._look(frame)
        goal = self._goal
        if goal is None or frame.f_code.co_code[frame.f_lasti] in WAITING:
            return
        if frame in goal.frames:
            goal.frames.remove(frame)
        if goal.kind == "finish" and frame is goal.frame:
            self._finished(frame, value)
        elif not goal.frames:
            self._goal = None

    def _finished(self, frame: FrameType, value: object) -> None:
        failed = None if frame.f_code.co_code[frame.f_lasti] in RETURNING else self._raised
        given = f"returned {value_text(value)}" if value is not None else "returned"
        text = given if failed is None else f"fails: {_error_text(failed)}"
        reason = f"{frame.f_code.co_name}() {text}"
        outer = kernel_frames(frame.f_back)
        self._goal = None
        if outer:
            self._stop(outer[0], reason)

    # ---- watching

    def _look(self, frame: FrameType) -> bool:
        """Stop if a watched value has changed."""
        stopped = False
        for point in self.points.watchpoints:
            change = point.change()
            if change is not None:
                point.hits += 1
                self._stop(frame, self._changed(point, *change), point.number)
                stopped = True
        return stopped

    def _changed(self, point: Watchpoint, old: str, new: str) -> str:
        who = ""
        if self._last is not None:
            frame, code, line = self._last
            found = kernel_frames(frame)
            name = code.co_name if is_function(code) or not found else found[0].f_code.co_name
            who = f"\nchanged by {name}(), line {line}: {source_line(code, line).strip()}"
        return f"Watchpoint {point.number}: {point.text}\n\nOld value = {old}\nNew value = {new}{who}"

    # ---- stopping

    def _stop(self, frame: FrameType, reason: str, point: int = 0) -> None:
        """Ask how to go on, and arrange for it."""
        stop = Stop(frame, reason, point)
        if not stop.frames:
            return
        self._goal = None
        self.stopped = True
        try:
            action = self._on_stop(stop)
        finally:
            self.stopped = False
        if action.kind != "continue":
            self._goal = _Goal(action, list(stop.frames))
            for waiting in stop.frames:
                waiting.f_trace = self._in_frame
        if self.points.watchpoints:
            for waiting in stop.frames:
                waiting.f_trace = self._in_frame
        self._trace()


def _error_text(error: BaseException) -> str:
    """`-EPIPE (Broken pipe)`"""
    if isinstance(error, KernelError):
        return f"-{errno_name(error.errno)} ({strerror(error.errno)})"
    return f"{type(error).__name__} {error}".rstrip()


def named(functions: dict[str, list[FunctionType]], name: str) -> tuple[FunctionType, ...]:
    """The kernel functions of a name; `__x64_sys_bind` and `bind` are `sys_bind`."""
    bare = name
    for prefix in ("__x64_sys_", "__ia32_sys_", "__do_sys_", "__se_sys_", "SYSC_"):
        if name.startswith(prefix):
            bare = "sys_" + name.removeprefix(prefix)
    return tuple(functions.get(name) or functions.get(bare) or functions.get(f"sys_{name}") or ())
