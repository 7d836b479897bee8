"""The pid namespace as a file (kernel/pid_namespace.c). There is but one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EPERM
from kshell.abi.sched import CLONE_NEWPID
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.proc_ns import proc_ns_operations
from kshell.linux.include.linux.sched import pid_namespace
from kshell.linux.kernel.capability import _may_setns

if TYPE_CHECKING:
    from kshell.linux.include.linux.ns_common import namespace
    from kshell.linux.include.linux.nsproxy import nsset
    from kshell.linux.include.linux.sched import task_struct, user_namespace


def to_pid_ns(ns: namespace) -> pid_namespace:
    """The pid namespace that this is."""
    assert isinstance(ns, pid_namespace)
    return ns


def pidns_get(task: task_struct) -> pid_namespace:
    """That of a task, referenced."""
    ns = task.kernel.init_pid_ns
    ns.ns.count += 1
    return ns


def pidns_for_children_get(task: task_struct) -> pid_namespace | None:
    """That of a task's children, referenced."""
    if task.nsproxy is None:
        return None
    task.nsproxy.pid_ns_for_children.ns.count += 1
    return task.nsproxy.pid_ns_for_children


def pidns_put(ns: namespace) -> None:
    """Drop a reference."""
    ns.ns.count -= 1


def pidns_install(nsset: nsset, ns: namespace) -> None:
    """Have setns() give later children these numbers: they have them already. EPERM."""
    assert nsset.nsproxy is not None
    current = nsset.nsproxy.net_ns.kernel.current
    _may_setns(current, to_pid_ns(ns).user_ns, nsset)


def pidns_get_parent(ns: namespace) -> namespace:
    """The one around it. EPERM: it is the first."""
    raise KernelError(EPERM)


def pidns_owner(ns: namespace) -> user_namespace:
    """The user namespace it belongs to."""
    return to_pid_ns(ns).user_ns


pidns_operations = proc_ns_operations(
    name="pid", type=CLONE_NEWPID, get=pidns_get, put=pidns_put, install=pidns_install, owner=pidns_owner,
    get_parent=pidns_get_parent,
)  # fmt: skip
pidns_for_children_operations = proc_ns_operations(
    name="pid_for_children", real_ns_name="pid", type=CLONE_NEWPID, get=pidns_for_children_get, put=pidns_put,
    install=pidns_install, owner=pidns_owner, get_parent=pidns_get_parent,
)  # fmt: skip
