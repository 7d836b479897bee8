"""The call tree of a boot, and of each initcall in it."""

from kshell.lens.trace import Tracer
from kshell.lens.trace_text import chain_text
from kshell.lens.trace_tree import Context, Node, Step
from kshell.world.machine import Machine

# Functions whose direct callees the recordings treat as trees of their own.
CALLERS = frozenset({"do_one_initcall", "start_kernel", "vfs_caches_init", "mnt_init", "net_ns_init"})


def boot_trees(seed: int = 0) -> dict[Context, list[Node]]:
    """Everything that ran while a new machine booted."""
    with Tracer() as tracer:
        Machine(seed=seed)
    return tracer.trees()


def boot_steps(seed: int = 0, arguments: bool = False) -> tuple[list[Step], int]:
    """The same in order of time, and the time at which the machine was switched on."""
    with Tracer(arguments) as tracer:
        machine = Machine(seed=seed)
    return tracer.steps(), machine.kernel.boot_ns


def trace_boot(seed: int = 0) -> str:
    """The whole boot as a chain."""
    return chain_text(boot_trees(seed), with_irq=True)


def initcall_trees(seed: int = 0) -> dict[str, Node]:
    """The tree of every function that the boot calls as one of its steps, by name."""
    found: dict[str, Node] = {}
    waiting = [node for roots in boot_trees(seed).values() for node in roots]
    while waiting:
        node = waiting.pop(0)
        if node.name in CALLERS:
            for child in node.children:
                found.setdefault(child.name, child)
        waiting.extend(node.children)
    return found
