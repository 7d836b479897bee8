"""Host names of namespaces (kernel/utsname.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.sched import CLONE_NEWUTS
from kshell.linux.include.linux.ns_common import ns_common
from kshell.linux.include.linux.proc_ns import ns_alloc_inum, proc_ns_operations
from kshell.linux.include.linux.sched import new_utsname, uts_namespace
from kshell.linux.kernel.capability import _may_setns

if TYPE_CHECKING:
    from kshell.linux.include.linux.ns_common import namespace
    from kshell.linux.include.linux.nsproxy import nsset
    from kshell.linux.include.linux.sched import task_struct, user_namespace


def copy_utsname(current: task_struct, flags: int, old_ns: uts_namespace) -> uts_namespace:
    """The namespace of a new nsproxy: the old one, or with CLONE_NEWUTS one whose host name can be changed apart."""
    if flags & CLONE_NEWUTS:
        return clone_uts_ns(current, old_ns)
    old_ns.ns.count += 1
    return old_ns


def clone_uts_ns(current: task_struct, old_ns: uts_namespace) -> uts_namespace:
    """A copy."""
    name = new_utsname(old_ns.name.release, old_ns.name.version)
    name.nodename, name.domainname = old_ns.name.nodename, old_ns.name.domainname
    ns = ns_common(utsns_operations, ns_alloc_inum(current.kernel))
    return uts_namespace(name, current.cred.user_ns, ns)


def put_uts_ns(ns: uts_namespace) -> None:
    """Drop a reference."""
    ns.ns.count -= 1


def to_uts_ns(ns: namespace) -> uts_namespace:
    """The UTS namespace that this is."""
    assert isinstance(ns, uts_namespace)
    return ns


def utsns_get(task: task_struct) -> uts_namespace | None:
    """That of a task, referenced."""
    if task.nsproxy is None:
        return None
    task.nsproxy.uts_ns.ns.count += 1
    return task.nsproxy.uts_ns


def utsns_put(ns: namespace) -> None:
    """Drop a reference."""
    put_uts_ns(to_uts_ns(ns))


def utsns_install(nsset: nsset, new: namespace) -> None:
    """Have setns() change to this host name. EPERM."""
    ns, proxy = to_uts_ns(new), nsset.nsproxy
    assert proxy is not None
    current = proxy.net_ns.kernel.current
    _may_setns(current, ns.user_ns, nsset)
    ns.ns.count += 1
    put_uts_ns(proxy.uts_ns)
    proxy.uts_ns = ns


def utsns_owner(ns: namespace) -> user_namespace:
    """The user namespace it belongs to."""
    return to_uts_ns(ns).user_ns


utsns_operations = proc_ns_operations(
    name="uts", type=CLONE_NEWUTS, get=utsns_get, put=utsns_put, install=utsns_install, owner=utsns_owner
)
