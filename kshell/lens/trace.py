"""The function graph tracer: what ftrace's function_graph shows, for the model's kernel functions.

    tracer = Tracer()
    with tracer:
        machine.syscall(task, nr, args)
    print(chain_text(tracer.trees()))
"""

import sys
from collections.abc import Iterator
from types import CodeType, CoroutineType, TracebackType

from kshell.lens.trace_tree import Context, Failed, Mark, Node, Park, Resume, Sleep, Step, Tick, TreeBuilder, Wake
from kshell.lens.trace_twins import CLOCKWORK, DISPATCHER, TWIN_FILE, Function, Left, TwinMaker, kernel_functions, rests
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.sched import task_struct
from kshell.linux.init.kernel import Kernel
from kshell.world.clock import VirtualClock
from kshell.world.machine import Machine


class Tracer:
    """Records calls of kernel functions while it is on; `arguments` also keeps what they were called with.

    Function code is swapped for the whole process, so two tracers must not be on at the same time.
    """

    def __init__(self, arguments: bool = False) -> None:
        self._events: list[object] = []
        self._twins: list[tuple[Function, CodeType]] = []
        self._on = False
        self._modules = 0
        self._by_code: dict[CodeType, Function] = {}
        self._maker = TwinMaker(
            {
                "\0append": self._events.append,
                "\0extend": self._events.extend,
                "\0fail": self._fail,
                "\0sleep": self._sleep,
                "\0wake": self._wake,
                "\0tick": self._tick,
                "\0resume": self._resume,
                "\0resumed": self._resumed,
            },
            arguments,
        )

    def start(self) -> None:
        """Swap the traced twins in."""
        if self._on:
            return
        self._on = True
        if self._modules != len(sys.modules):
            self._modules = len(sys.modules)
            known = {function.twin_of for function, _ in self._twins}
            for found in (CLOCKWORK, DISPATCHER, *kernel_functions()):
                if found not in known:
                    self._add(Function(found))
            functions = {function.twin_of: function for function, _ in self._twins}
            for rest, whole in rests():
                if rest not in known:
                    self._add(Function(rest, functions[whole]))
        for function, code in self._twins:
            function.twin_of.__code__ = code

    def _add(self, function: Function) -> None:
        self._twins.append((function, self._maker.twin(function)))
        self._by_code[function.original] = function.whole or function

    def stop(self) -> None:
        """Put every function's own code back."""
        if self._on:
            self._on = False
            for function, _ in self._twins:
                function.twin_of.__code__ = function.original

    def __enter__(self) -> "Tracer":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def clear(self) -> None:
        """Forget what was recorded."""
        self._events.clear()

    def mark(self, number: int) -> None:
        """Have the roots that follow bear `number`, so that the calls of one command can be told apart."""
        self._events.append(Mark(number))

    def trees(self) -> dict[Context, list[Node]]:
        """The calls recorded so far: roots by task, None standing for softirq and timer context."""
        return self._built().finish()

    def steps(self) -> list[Step]:
        """The calls recorded so far, entered and left in order of time."""
        builder = self._built()
        builder.finish()
        return builder.steps

    def _built(self) -> TreeBuilder:
        builder = TreeBuilder()
        builder.feed(self._events)
        return builder

    def at(self, time: int) -> None:
        """Tell that it is now `time`, in ns of the machine's clock."""
        self._events.append(Tick(time, False))

    def _fail(self, leave: Left, error: BaseException) -> None:
        errno = error.errno if isinstance(error, KernelError) else 0
        self._events.append(Failed(leave.function, errno, error))

    def _sleep(self, function: Function, kernel: Kernel) -> None:
        self._events.append(Sleep(function, kernel.current, kernel.nr_context_switches, kernel.clock.now))

    def _wake(self, leave: Left, kernel: Kernel) -> None:
        self._events.append(Wake(leave.function, kernel.current, kernel.nr_context_switches, kernel.clock.now))

    def _tick(self, clock: VirtualClock) -> None:
        when = clock.next_event()
        if when is not None:
            self._events.append(Tick(when))

    def _resume(self, machine: Machine, task: task_struct, stack: object) -> None:
        codes = list(await_chain(stack))
        twins = any(code.co_filename == TWIN_FILE for code in codes)  # then the trace knows them already
        within = () if twins else tuple(self._by_code[code] for code in codes if code in self._by_code)
        self._events.append(Resume(task, within))

    def _resumed(self, machine: Machine, task: task_struct, stack: object) -> None:
        self._events.append(Park(task, task._stack is None))


def await_chain(stack: object) -> Iterator[CodeType]:
    """The code of the functions that a parked coroutine is in, outermost first."""
    while isinstance(stack, CoroutineType):
        yield stack.cr_code
        stack = stack.cr_await


__all__ = ["Context", "Node"]
