"""From the flat list of trace events to call trees, one list of roots a context.

A context is a task, or None: softirq, timer and work run while no task has the CPU. A parked task keeps its
open calls; they go on when its `schedule` returns.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from types import CoroutineType

from kshell.abi.errno import errno_name
from kshell.lens.trace_twins import Called, Function, Left
from kshell.linux.include.linux.sched import REST_OF, task_struct

Context = task_struct | None


@dataclass(slots=True, eq=False, repr=False)
class Node:
    """One call. `errno` is set when it failed; `raised` when the error arose here, not below.

    `time`: when it began, `slept`: for how long (schedule only), in ns of virtual time.
    `goes_on_in`: it returned the coroutine of this function, which whoever called it awaits.
    `mark`: of a root, the number given by the last `Tracer.mark` before it.
    """

    function: Function
    arguments: tuple[object, ...] | None = None
    result: object = None
    errno: int = 0
    raised: bool = False
    returned: bool = False
    sleeps: bool = False
    mark: int = 0
    time: int = 0
    slept: int = 0
    goes_on_in: str = ""
    children: list["Node"] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.function.name

    @property
    def file(self) -> str:
        return self.function.file

    def walk(self) -> Iterator["Node"]:
        """This call and all below it, in order."""
        yield self
        for child in self.children:
            yield from child.walk()

    def __repr__(self) -> str:
        outcome = f" = -{errno_name(self.errno)}" if self.errno else ""
        return f"<{self.name}(){outcome}, {sum(1 for _ in self.walk()) - 1} calls below>"


@dataclass(frozen=True, slots=True)
class Failed:
    """The event "left by an exception"."""

    function: Function
    errno: int
    error: BaseException


@dataclass(frozen=True, slots=True)
class Sleep:
    """The event "schedule entered" by a task."""

    function: Function
    task: task_struct
    switches: int
    time: int


@dataclass(frozen=True, slots=True)
class Wake:
    """The event "schedule returned" to a task."""

    function: Function
    task: task_struct
    switches: int
    time: int


@dataclass(frozen=True, slots=True)
class Tick:
    """The event "it is now `time`": a timer is about to run, or nobody knew the time yet."""

    time: int
    timer: bool = True


@dataclass(frozen=True, slots=True)
class Resume:
    """The event "a task has the CPU again", and the functions it is in, outermost first."""

    task: task_struct
    within: tuple[Function, ...]


@dataclass(frozen=True, slots=True)
class Park:
    """The event "a task has given the CPU away", or has ended its call."""

    task: task_struct
    done: bool


@dataclass(frozen=True, slots=True)
class Step:
    """A call entered or left, in order of time. `depth`: 0 for a root; `timer`: nobody's, a timer began it;
    `earlier`: it was entered before tracing began."""

    node: Node
    enters: bool
    context: Context
    depth: int
    time: int
    timer: bool
    earlier: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """The event "what follows belongs to number n"."""

    number: int


class TreeBuilder:
    """Turns events into trees; `roots` lists them by context, in order of first call.

    steps: the same in order of time, over all contexts.
    """

    def __init__(self) -> None:
        self.roots: dict[Context, list[Node]] = {}
        self.steps: list[Step] = []
        self._now = 0
        self._timer = False
        self._open: dict[Context, list[Node]] = {}
        self._context: Context = None
        self._running: Context = None  # the task that was given the CPU, between Resume and Park
        self._mark = 0
        self._parked: set[Context] = set()
        self._earlier: set[Context] = set()
        self._slept_at: dict[Context, int] = {}
        self._seen: set[int] = set()  # errors, which their events keep alive

    def feed(self, events: list[object]) -> None:
        """Take in a list of events, which must end between two of them."""
        stream = iter(events)
        for event in stream:
            if type(event) is Function:
                self._enter(Node(event))
            elif type(event) is Left:
                self._leave(event.function, next(stream))
            elif type(event) is Called:
                self._enter(Node(event.function, self._arguments(stream)))
            elif type(event) is Failed:
                self._fail(event)
            elif type(event) is Sleep:
                self._sleep(event)
            elif type(event) is Wake:
                self._wake(event)
            elif type(event) is Tick:
                self._now, self._timer = event.time, event.timer
            elif type(event) is Resume:
                self._resume(event)
            elif type(event) is Park:
                self._park(event)
            elif type(event) is Mark:
                self._mark = event.number

    @staticmethod
    def _arguments(stream: Iterator[object]) -> tuple[object, ...]:
        values = next(stream)
        assert isinstance(values, tuple)
        return values

    def _enter(self, node: Node) -> None:
        stack = self._open.get(self._context)
        if not stack or self._context in self._parked:
            given = (value for value in (node.arguments or ())[:2] if isinstance(value, task_struct))
            self._context = next(given, self._running)
            self._timer = self._timer and self._context is None
            stack = self._open.setdefault(self._context, [])
        if stack:
            stack[-1].children.append(node)
        else:
            node.mark = self._mark
            self.roots.setdefault(self._context, []).append(node)
        self._step(node, True, len(stack))
        node.time = self._now
        stack.append(node)

    def _resume(self, event: Resume) -> None:
        self._context, self._timer = event.task, False
        self._running = event.task
        if self._open.get(event.task) or not event.within:
            return
        stack = self._open[event.task] = []
        for function in event.within:
            node = Node(function, mark=self._mark, time=self._now)
            if stack:
                stack[-1].children.append(node)
            else:
                self.roots.setdefault(event.task, []).append(node)
            self.steps.append(Step(node, True, event.task, len(stack), self._now, False, True))
            stack.append(node)
        self._earlier.add(event.task)

    def _park(self, event: Park) -> None:
        self._context = self._running = None
        if event.done and event.task in self._earlier:
            self._earlier.discard(event.task)
            self._open[event.task].clear()

    def _step(self, node: Node, enters: bool, depth: int) -> None:
        self.steps.append(Step(node, enters, self._context, depth, self._now, self._timer))

    def _leave(self, function: Function, result: object) -> None:
        if isinstance(result, CoroutineType):
            self._go_on(function, result.cr_code.co_name.removeprefix(REST_OF))
            return
        node = self._close(function)
        if node is not None:
            node.result = result
            node.returned = True
            self._close_caller(node)

    def _go_on(self, function: Function, name: str) -> None:
        """Leave the innermost call of `function` open: the coroutine that it returned is a part of it."""
        for node in reversed(self._open.get(self._context, ())):
            if node.function is function:
                node.goes_on_in = name
                break

    def _close_caller(self, node: Node) -> None:
        stack = self._open.get(self._context)
        while stack and stack[-1].goes_on_in == node.name:
            caller = stack.pop()
            self._step(caller, False, len(stack))
            caller.result, caller.errno, caller.returned = node.result, node.errno, node.returned
            node = caller

    def _fail(self, event: Failed) -> None:
        node = self._close(event.function)
        if node is not None:
            node.errno = event.errno
            node.raised = self._is_new(event)
            self._seen.add(id(event.error))
            self._close_caller(node)

    def _is_new(self, event: Failed) -> bool:
        """Whether the error arises here: it is not that of a callee, nor made from one with the same errno."""
        cause = event.error.__context__
        again = id(cause) in self._seen and getattr(cause, "errno", None) == event.errno
        return id(event.error) not in self._seen and not again

    def _close(self, function: Function) -> Node | None:
        """End the innermost open call of `function`; one that was entered before tracing began is unknown."""
        stack = self._open.get(self._context, [])
        for depth in range(len(stack) - 1, -1, -1):
            if stack[depth].function is function:
                node = stack[depth]
                del stack[depth:]
                self._step(node, False, depth)
                return node
        return None

    def _sleep(self, event: Sleep) -> None:
        self._now = event.time
        if self._context is not event.task:
            self._context = event.task
        self._enter(Node(event.function, None))
        self._parked.add(event.task)
        self._slept_at[event.task] = event.switches

    def _wake(self, event: Wake) -> None:
        self._context, self._now = event.task, event.time
        self._parked.discard(event.task)
        node = self._close(event.function)
        if node is not None:
            node.returned = True
            node.slept = event.time - node.time
            node.sleeps = event.switches != self._slept_at.pop(event.task, event.switches)

    def finish(self) -> dict[Context, list[Node]]:
        """The trees so far; a call that is still asleep is marked so."""
        for context in self._parked:
            stack = self._open.get(context)
            if stack:
                stack[-1].sleeps = True
        return self.roots
