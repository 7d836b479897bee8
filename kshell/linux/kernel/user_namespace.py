"""The user namespace as a file (kernel/user_namespace.c). There is but one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EINVAL, EPERM
from kshell.abi.sched import CLONE_NEWUSER
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.proc_ns import proc_ns_operations
from kshell.linux.include.linux.sched import user_namespace

if TYPE_CHECKING:
    from kshell.linux.include.linux.ns_common import namespace
    from kshell.linux.include.linux.nsproxy import nsset
    from kshell.linux.include.linux.sched import task_struct


def to_user_ns(ns: namespace) -> user_namespace:
    """The user namespace that this is."""
    assert isinstance(ns, user_namespace)
    return ns


def userns_get(task: task_struct) -> user_namespace:
    """That of a task, referenced."""
    task.cred.user_ns.ns.count += 1
    return task.cred.user_ns


def userns_put(ns: namespace) -> None:
    """Drop a reference."""
    ns.ns.count -= 1


def userns_install(nsset: nsset, ns: namespace) -> None:
    """EINVAL: a task cannot enter the user namespace that it is in, and there is no other."""
    raise KernelError(EINVAL)


def userns_owner(ns: namespace) -> user_namespace:
    """The one it belongs to: itself, the first."""
    return to_user_ns(ns)


def ns_get_owner(ns: namespace) -> namespace:
    """The one around it. EPERM: it is the first."""
    raise KernelError(EPERM)


userns_operations = proc_ns_operations(
    name="user", type=CLONE_NEWUSER, get=userns_get, put=userns_put, install=userns_install, owner=userns_owner,
    get_parent=ns_get_owner,
)  # fmt: skip
