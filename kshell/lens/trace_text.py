"""Call trees as plain text in the `.chain` format: two blanks a level, one function a line."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from kshell.lens.trace_tree import Context, Node
from kshell.linux.include.linux.syscalls import _entry_name

# Functions whose callees the recordings leave out: allocators, the scheduler, time, the dentry cache, sysfs.
LEAVES = frozenset({
    "call_rcu", "default_wake_function", "dput", "file_update_time", "hrtimer_cancel", "kernfs_fop_read_iter",
    "kernfs_fop_write_iter", "kmem_cache_alloc", "kmem_cache_free", "mntput", "path_put", "proc_create_net_data",
    "proc_create_net_single", "proc_create_seq_private", "proc_create_single_data", "queue_work_on", "schedule",
    "sysfs_create_dir_ns", "sysfs_create_group", "sysfs_create_groups", "timer_delete_sync", "touch_atime",
})  # fmt: skip

# So many siblings at most are folded together when they repeat.
LARGEST_GROUP = 4


@dataclass(slots=True)
class _Block:
    """The lines of a call, made `count` times together with the siblings after it, `size` in all.

    size: 0 for those siblings, which are counted with the first.
    """

    lines: list[str]
    count: int = 1
    size: int = field(default=1, compare=False)


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
    blocks: list[_Block] = []
    for node in nodes:
        callees = [] if node.function.name in LEAVES else node.children
        blocks.append(_Block([_label(node, depth), *_lines(callees, depth + 1)]))
        while _fold(blocks):
            pass
    for block in blocks:
        head, *rest = block.lines
        yield head + _repeats(block)
        yield from rest


def _fold(blocks: list[_Block]) -> bool:
    """Drop the last few blocks when they repeat those before them, and count them there."""
    for size in range(1, min(LARGEST_GROUP, len(blocks) // 2) + 1):
        first, *rest = blocks[-size:]
        earlier, *between = blocks[-2 * size : -size]
        may_head = earlier.size == size or (earlier.size == 1 and earlier.count == 1)
        if may_head and first.count == 1 and first.lines == earlier.lines and rest == between:
            earlier.size, earlier.count = size, earlier.count + 1
            for block in between:
                block.size = 0
            del blocks[-size:]
            return True
    return False


def _repeats(block: _Block) -> str:
    if block.count == 1:
        return ""
    group = f"this and the next {block.size - 1} siblings, " if block.size > 1 else ""
    return f"   [{group}x{block.count}]"


def _label(node: Node, depth: int) -> str:
    mark = "   [sleeps]" if node.sleeps else "   [does not return here]" if not node.returned and not node.errno else ""
    return "  " * depth + ("~" if node.function.inline else "") + shown_name(node) + mark


def shown_name(node: Node) -> str:
    """The name as ftrace gives it: entry functions bear their architecture's prefix."""
    function = node.function
    if not function.is_syscall:
        return function.name
    name = _entry_name(function.name)
    if len(function.parameters) == 1:
        return name.replace("__x64_sys_", "__do_sys_")
    return name
