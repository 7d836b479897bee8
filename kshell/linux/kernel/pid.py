"""Process ids (kernel/pid.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kshell.abi.errno import EAGAIN
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.ns_common import ns_common
from kshell.linux.include.linux.proc_ns import PROC_PID_INIT_INO
from kshell.linux.include.linux.sched import PIDTYPE_PID, pid, pid_namespace
from kshell.linux.kernel.pid_namespace import pidns_operations
from kshell.linux.mm.slab_common import kmem_cache_create
from kshell.linux.mm.slub import kmem_cache_alloc, kmem_cache_free

if TYPE_CHECKING:
    from kshell.linux.include.linux.sched import task_struct
    from kshell.linux.init.kernel import Kernel

RESERVED_PIDS: Final = 300


def pid_idr_init(kernel: Kernel) -> None:
    """Set up the initial pid namespace."""
    kernel.init_pid_ns = pid_namespace(kernel.init_user_ns, ns_common(pidns_operations, PROC_PID_INIT_INO))
    kernel.pid_cachep = kmem_cache_create(kernel, "pid", 128)


def alloc_pid(kernel: Kernel, ns: pid_namespace) -> pid:
    """The next free number, going round at pid_max. EAGAIN: none left."""
    for step in range(1, kernel.pid_max):
        nr = ns.last_pid + step
        if nr >= kernel.pid_max:
            nr = nr - kernel.pid_max + RESERVED_PIDS
        if nr not in ns.idr:
            break
    else:
        raise KernelError(EAGAIN)
    ns.last_pid = nr
    ns.pid_allocated += 1
    struct = kmem_cache_alloc(kernel.pid_cachep, lambda: pid(nr))
    ns.idr[nr] = struct
    return struct


def free_pid(kernel: Kernel, struct: pid) -> None:
    """The number may be used again."""
    kernel.init_pid_ns.idr.pop(struct.numbers, None)
    put_pid(kernel, struct)


def get_pid(struct: pid) -> pid:
    """Another reference."""
    struct.count += 1
    return struct


def put_pid(kernel: Kernel, struct: pid | None) -> None:
    """Drop a reference; the last frees."""
    if struct is None:
        return
    struct.count -= 1
    if struct.count == 0:
        kmem_cache_free(kernel.pid_cachep, struct)


def get_task_pid(task: task_struct, kind: int) -> pid:
    """The pid of one kind of task, referenced."""
    return get_pid(_task_pid(task, kind))


def _task_pid(task: task_struct, kind: int) -> pid:
    if kind == PIDTYPE_PID:
        return task.thread_pid
    found = task.signal.pids[kind]
    assert found is not None
    return found


def attach_pid(task: task_struct, kind: int) -> None:
    """Enter task among those that bear the pid."""
    _task_pid(task, kind).tasks[kind].append(task)


def detach_pid(task: task_struct, kind: int) -> None:
    """Take task off its pid of one kind; a pid that nobody bears is freed."""
    struct = _task_pid(task, kind)
    if task in struct.tasks[kind]:
        struct.tasks[kind].remove(task)
    if not any(struct.tasks):
        free_pid(task.kernel, struct)


def change_pid(task: task_struct, kind: int, struct: pid) -> None:
    """Move task to another process group or session."""
    detach_pid(task, kind)
    task.signal.pids[kind] = struct
    attach_pid(task, kind)


def find_vpid(current: task_struct, nr: int) -> pid | None:
    """The pid with number nr as current sees it."""
    return current.kernel.init_pid_ns.idr.get(nr)


def pid_task(struct: pid | None, kind: int) -> task_struct | None:
    """The first task that bears the pid."""
    return struct.tasks[kind][0] if struct and struct.tasks[kind] else None


def get_pid_task(struct: pid | None, kind: int) -> task_struct | None:
    """pid_task() that lasts: no counting is needed here."""
    return struct.tasks[kind][0] if struct and struct.tasks[kind] else None


def find_task_by_vpid(current: task_struct, nr: int) -> task_struct | None:
    """The task with number nr."""
    return pid_task(find_vpid(current, nr), PIDTYPE_PID)


def pid_vnr(struct: pid | None) -> int:
    """The number of a pid as current sees it, 0 for none."""
    return struct.numbers if struct else 0


def task_active_pid_ns(task: task_struct) -> pid_namespace:
    """The pid namespace that task lives in: there is one."""
    return task.kernel.init_pid_ns


def __task_pid_nr_ns(task: task_struct, kind: int) -> int:
    return _task_pid(task, kind).numbers
