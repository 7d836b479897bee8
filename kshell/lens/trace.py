"""The function graph tracer: what ftrace's function_graph shows, for the model's kernel functions.

    tracer = Tracer()
    with tracer:
        machine.syscall(task, nr, args)
    print(chain_text(tracer.trees()))
"""

from types import CodeType, TracebackType

from kshell.lens.trace_tree import Context, Failed, Mark, Node, Sleep, TreeBuilder, Wake
from kshell.lens.trace_twins import Function, Left, TwinMaker, kernel_functions
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.sched import task_struct
from kshell.linux.init.kernel import Kernel


class Tracer:
    """Records calls of kernel functions while it is on; `arguments` also keeps what they were called with.

    Function code is swapped for the whole process, so two tracers must not be on at the same time.
    """

    def __init__(self, arguments: bool = False) -> None:
        self._events: list[object] = []
        self._twins: list[tuple[Function, CodeType]] = []
        self._on = False
        self._maker = TwinMaker(
            {
                "\0append": self._events.append,
                "\0extend": self._events.extend,
                "\0fail": self._fail,
                "\0sleep": self._sleep,
                "\0wake": self._wake,
            },
            arguments,
        )

    def start(self) -> None:
        """Swap the traced twins in."""
        if self._on:
            return
        self._on = True
        known = {function.twin_of for function, _ in self._twins}
        for found in kernel_functions():
            if found not in known:
                function = Function(found)
                self._twins.append((function, self._maker.twin(function)))
        for function, code in self._twins:
            function.twin_of.__code__ = code

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
        builder = TreeBuilder()
        builder.feed(self._events)
        return builder.finish()

    def _fail(self, leave: Left, error: BaseException) -> None:
        errno = error.errno if isinstance(error, KernelError) else 0
        self._events.append(Failed(leave.function, errno, error))

    def _sleep(self, function: Function, kernel: Kernel) -> None:
        self._events.append(Sleep(function, kernel.current, kernel.nr_context_switches))

    def _wake(self, leave: Left, kernel: Kernel) -> None:
        self._events.append(Wake(leave.function, kernel.current, kernel.nr_context_switches))


__all__ = ["Context", "Node", "Tracer", "task_struct"]
