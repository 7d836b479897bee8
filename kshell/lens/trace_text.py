"""Call trees as plain text in the `.chain` format: two blanks a level, one function a line."""

from collections.abc import Iterable, Iterator, Mapping

from kshell.lens.trace_tree import Context, Node

# System calls whose C function has another name than the call.
C_NAMES = {"sendfile": "sendfile64", "uname": "newuname", "fstat": "newfstat", "stat": "newstat", "lstat": "newlstat"}

# Functions whose callees the recordings leave out: allocators, the scheduler, time, the dentry cache.
LEAVES = frozenset({
    "call_rcu", "default_wake_function", "dput", "file_update_time", "kmem_cache_alloc", "kmem_cache_free", "mntput",
    "proc_create_net_data", "proc_create_net_single", "proc_create_seq_private", "proc_create_single_data", "schedule",
    "touch_atime",
})  # fmt: skip


def chain_text(trees: Mapping[Context, Iterable[Node]], with_irq: bool = False) -> str:
    """The trees of all tasks, headed `# task N: comm` when there are several."""
    tasks = {task: list(roots) for task, roots in trees.items() if task is not None or with_irq}
    lines = []
    for number, (task, roots) in enumerate(tasks.items(), 1):
        if len(tasks) > 1:
            lines.append(f"# task {number}: {task.comm if task is not None else 'softirq'}")
        lines.extend(_lines(roots, 0))
    return "".join(line + "\n" for line in lines)


def _lines(nodes: list[Node], depth: int) -> Iterator[str]:
    """Sibling subtrees that repeat one after the other are folded into one with its count."""
    blocks: list[tuple[list[str], int]] = []
    for node in nodes:
        callees = [] if node.function.name in LEAVES else node.children
        block = [_label(node, depth), *_lines(callees, depth + 1)]
        if blocks and blocks[-1][0] == block:
            blocks[-1] = (block, blocks[-1][1] + 1)
        else:
            blocks.append((block, 1))
    for (head, *rest), count in blocks:
        yield f"{head}   [x{count}]" if count > 1 else head
        yield from rest


def _label(node: Node, depth: int) -> str:
    mark = "   [sleeps]" if node.sleeps else "   [does not return here]" if not node.returned and not node.errno else ""
    return "  " * depth + ("~" if node.function.inline else "") + shown_name(node) + mark


def shown_name(node: Node) -> str:
    """The name as ftrace gives it: entry functions bear their architecture's prefix."""
    function = node.function
    if not function.is_syscall:
        return function.name
    if function.name.startswith("compat_sys_"):
        return f"__ia32_{function.name}"
    name = function.name.removeprefix("sys_")
    name = C_NAMES.get(name, name)
    if len(function.parameters) == 1:
        return f"__do_sys_{name}"
    return f"__x64_sys_{name}"
