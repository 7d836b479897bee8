"""The tracer records calls of kernel functions, over sleeps and failures, and leaves no trace of itself."""

import re
import sys
from collections.abc import Iterator
from types import FunctionType, ModuleType

import pytest

from kshell.lens.trace import Tracer
from kshell.lens.trace_text import chain_text
from kshell.lens.trace_tree import Node
from kshell.lens.trace_twins import Function
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.sched import task_struct
from kshell.linux.include.linux.syscalls import SYSCALL_DEFINE
from kshell.world.clock import VirtualClock

SOURCE = '''
from kshell.linux.include.linux.err import KernelError

def outer(current, n, *, extra=1):
    middle(n, extra)
    middle(n)
    return _hidden(n)

def _hidden(n):
    return leaf(n)

def middle(n, extra=2):
    return leaf(n + extra)

def leaf(n):
    if n < 0:
        raise KernelError(22)
    return n

def fails(current):
    try:
        middle(-9)
    except KernelError:
        leaf(1)
        raise

async def schedule(kernel):
    await kernel.switch

async def waits(current, kernel):
    leaf(0)
    await schedule(kernel)
    return leaf(5)
'''


class Switch:
    def __await__(self) -> Iterator[None]:
        yield


class FakeKernel:
    def __init__(self) -> None:
        self.switch = Switch()
        self.nr_context_switches = 0
        self.clock = VirtualClock()
        self.current: task_struct


@pytest.fixture
def module() -> Iterator[ModuleType]:
    made = ModuleType("kshell.linux.test_trace_module")
    exec(compile(SOURCE, "test_trace_module.py", "exec"), made.__dict__)
    for name in ("outer", "fails", "waits"):
        SYSCALL_DEFINE(getattr(made, name))
    sys.modules[made.__name__] = made
    yield made
    del sys.modules[made.__name__]


def new_task(comm: str, kernel: FakeKernel | None = None) -> task_struct:
    task = task_struct(kernel)  # type: ignore[arg-type]
    task.comm = comm
    return task


def trace(tracer: Tracer) -> str:
    return chain_text(tracer.trees())


def test_calls_become_a_tree_without_private_helpers_and_with_repeats_folded(module: ModuleType) -> None:
    with Tracer() as tracer:
        assert module.outer(new_task("a"), 3) == 3
    assert trace(tracer) == "__x64_sys_outer\n  middle   [x2]\n    leaf\n  leaf\n"


def test_defaults_and_keyword_arguments_reach_the_function(module: ModuleType) -> None:
    with Tracer(arguments=True) as tracer:
        module.outer(new_task("a"), 3, extra=10)
    (root,) = next(iter(tracer.trees().values()))
    assert [(child.name, child.arguments, child.result) for child in root.children] == [
        ("middle", (3, 10), 13), ("middle", (3, 2), 5), ("leaf", (3,), 3),
    ]  # fmt: skip


def test_an_error_is_marked_where_it_arises_and_where_it_passes(module: ModuleType) -> None:
    tracer = Tracer()
    with tracer, pytest.raises(KernelError):
        module.fails(new_task("a"))
    (root,) = next(iter(tracer.trees().values()))
    middle, after = root.children
    assert (root.errno, root.raised) == (22, False)
    assert (middle.errno, middle.raised) == (22, False)
    assert (middle.children[0].errno, middle.children[0].raised) == (22, True)
    assert (after.errno, after.returned) == (0, True)


def test_a_sleeping_call_goes_on_in_its_own_tree(module: ModuleType) -> None:
    kernel = FakeKernel()
    first, second = new_task("first"), new_task("second")
    with Tracer() as tracer:
        kernel.current = first
        sleeping = module.waits(first, kernel)
        sleeping.send(None)
        kernel.current = second
        module.outer(second, 1)
        kernel.nr_context_switches += 1
        kernel.current = first
        with pytest.raises(StopIteration):
            sleeping.send(None)
    assert trace(tracer) == (
        "# task 1: first\n__x64_sys_waits\n  leaf\n  schedule   [sleeps]\n  leaf\n"
        "# task 2: second\n__x64_sys_outer\n  middle   [x2]\n    leaf\n  leaf\n"
    )


def test_a_call_that_is_still_asleep_is_shown_so(module: ModuleType) -> None:
    kernel = FakeKernel()
    kernel.current = new_task("a")
    with Tracer() as tracer:
        sleeping = module.waits(kernel.current, kernel)
        sleeping.send(None)
        text = trace(tracer)
    sleeping.close()
    assert "schedule   [sleeps]" in text


def test_what_runs_outside_of_any_task_is_kept_apart(module: ModuleType) -> None:
    with Tracer() as tracer:
        module.leaf(1)
        module.outer(new_task("a"), 1)
    assert trace(tracer).startswith("__x64_sys_outer")
    assert chain_text(tracer.trees(), with_irq=True).startswith("# task 1: softirq\nleaf\n")


def test_turning_it_off_restores_every_function(module: ModuleType) -> None:
    before = {name: value.__code__ for name, value in vars(module).items() if isinstance(value, FunctionType)}
    tracer = Tracer()
    for _ in range(3):
        with tracer:
            assert module.middle.__code__ is not before["middle"]
            module.outer(new_task("a"), 1)
        after = {name: value.__code__ for name, value in vars(module).items() if isinstance(value, FunctionType)}
        assert after == before


def test_a_call_entered_before_tracing_began_does_not_unbalance_the_tree(module: ModuleType) -> None:
    kernel = FakeKernel()
    kernel.current = new_task("a")
    sleeping = module.waits(kernel.current, kernel)
    sleeping.send(None)
    with Tracer() as tracer, pytest.raises(StopIteration):
        sleeping.send(None)
    assert [node.name for roots in tracer.trees().values() for node in roots] == ["leaf"]


def test_a_call_that_hands_out_a_coroutine_goes_on_in_it(module: ModuleType) -> None:
    exec("def dispatch(current, kernel):\n    return waits(current, kernel)\n", module.__dict__)
    SYSCALL_DEFINE(module.dispatch)
    kernel = FakeKernel()
    kernel.current = new_task("a")
    with Tracer() as tracer:
        call = module.dispatch(kernel.current, kernel)
        call.send(None)
        kernel.nr_context_switches += 1
        with pytest.raises(StopIteration):
            call.send(None)
    assert trace(tracer) == "__x64_sys_dispatch\n  __x64_sys_waits\n    leaf\n    schedule   [sleeps]\n    leaf\n"


RESTS = """
def whole(current, kernel):
    return _rest_of_whole(inner(kernel))

async def _rest_of_whole(rest):
    await rest
    leaf(2)

def inner(kernel):
    leaf(0)
    return _rest_of_inner(kernel)

async def _rest_of_inner(kernel):
    await schedule(kernel)
    leaf(1)
"""


def test_the_rest_of_a_plain_function_that_waits_belongs_to_it(module: ModuleType) -> None:
    exec(RESTS, module.__dict__)
    SYSCALL_DEFINE(module.whole)
    kernel = FakeKernel()
    kernel.current = new_task("a")
    with Tracer() as tracer:
        call = module.whole(kernel.current, kernel)
        call.send(None)
        kernel.nr_context_switches += 1
        with pytest.raises(StopIteration):
            call.send(None)
    assert trace(tracer) == "__x64_sys_whole\n  inner\n    leaf\n    schedule   [sleeps]\n    leaf\n  leaf\n"


@pytest.mark.parametrize(
    ("calls", "lines"),
    [
        ("a a a", "a[x3]"),
        ("a b a b a b c", "a[this and the next 1 siblings, x3] b c"),
        ("a b c d a b c d", "a[this and the next 3 siblings, x2] b c d"),
        ("a b c d e a b c d e", "a b c d e a b c d e"),
        ("a b b a b b", "a[this and the next 1 siblings, x2] b[x2]"),
        ("a b a b b", "a[this and the next 1 siblings, x2] b b"),
        ("a a b a a b", "a[x2] b a[x2] b"),
    ],
)
def test_repeated_groups_of_siblings_are_folded_as_in_recordings(calls: str, lines: str) -> None:
    text = chain_text({None: [node_of(name) for name in calls.split()]}, with_irq=True)
    assert text.replace("   [", "[").splitlines() == re.findall(r"\w(?:\[.*?\])?", lines)


def node_of(name: str) -> Node:
    made = {"__name__": "kshell.linux.test_trace_siblings"}
    exec(f"def {name}(): ...", made)
    node = Node(Function(made[name]))  # type: ignore[arg-type]
    node.returned = True
    return node
