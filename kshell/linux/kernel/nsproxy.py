"""The namespaces of a task (kernel/nsproxy.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.capability import CAP_SYS_ADMIN
from kshell.abi.errno import EINVAL, EPERM
from kshell.abi.sched import (
    CLONE_NEWCGROUP,
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWTIME,
    CLONE_NEWUTS,
)
from kshell.linux.fs.namespace_tree import copy_mnt_ns, put_mnt_ns
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.proc_ns import ns_alloc_inum
from kshell.linux.include.linux.sched import new_utsname, nsproxy, uts_namespace
from kshell.linux.kernel.capability import ns_capable
from kshell.linux.mm.slab_common import kmem_cache_create
from kshell.linux.mm.slub import kmem_cache_alloc, kmem_cache_free
from kshell.linux.net.core.net_namespace import copy_net_ns, put_net

if TYPE_CHECKING:
    from kshell.linux.include.linux.sched import task_struct
    from kshell.linux.init.kernel import Kernel

CLONE_NS_ALL = (
    CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWCGROUP | CLONE_NEWTIME
)
UNMODELLED = CLONE_NEWPID | CLONE_NEWTIME


def nsproxy_cache_init(kernel: Kernel) -> None:
    """Set up the cache."""
    kernel.nsproxy_cachep = kmem_cache_create(kernel, "nsproxy", 72)


def copy_namespaces(flags: int, tsk: task_struct) -> None:
    """Namespaces of a new task: shared unless clone flags ask for new ones. EPERM, EINVAL."""
    old = tsk.kernel.current.nsproxy
    if not flags & CLONE_NS_ALL:
        old.count += 1
        tsk.nsproxy = old
        return
    _check(tsk.kernel.current, flags)
    tsk.nsproxy = create_new_namespaces(flags, tsk.kernel.current)


def _check(current: task_struct, flags: int) -> None:
    if not ns_capable(current, current.cred.user_ns, CAP_SYS_ADMIN):
        raise KernelError(EPERM)
    if flags & UNMODELLED:
        raise KernelError(EINVAL)


def create_new_namespaces(flags: int, current: task_struct) -> nsproxy:
    """An nsproxy with new namespaces where flags say so. IPC and cgroup namespaces hold nothing here."""
    kernel, old = current.kernel, current.nsproxy
    mnt_ns = copy_mnt_ns(bool(flags & CLONE_NEWNS), current)
    uts_ns = copy_utsname(kernel, old.uts_ns) if flags & CLONE_NEWUTS else old.uts_ns
    net_ns = copy_net_ns(kernel, flags, current.cred.user_ns, old.net_ns)
    return kmem_cache_alloc(
        kernel.nsproxy_cachep, lambda: nsproxy(uts_ns, mnt_ns, net_ns, old.pid_ns_for_children)
    )


def copy_utsname(kernel: Kernel, old: uts_namespace) -> uts_namespace:
    """A host name that can be changed apart."""
    name = new_utsname(old.name.release, old.name.version)
    name.nodename, name.domainname = old.name.nodename, old.name.domainname
    return uts_namespace(name, ns_alloc_inum(kernel))


def unshare_nsproxy_namespaces(current: task_struct, unshare_flags: int) -> nsproxy | None:
    """New namespaces for unshare(); None when none is asked for. EPERM, EINVAL."""
    if not unshare_flags & CLONE_NS_ALL:
        return None
    _check(current, unshare_flags)
    return create_new_namespaces(unshare_flags, current)


def switch_task_namespaces(p: task_struct, new: nsproxy | None) -> None:
    """Give p other namespaces, None when it dies."""
    old = p.nsproxy
    if new is not None:
        p.nsproxy = new
    old.count -= 1
    if old.count == 0:
        free_nsproxy(p.kernel, old)


def free_nsproxy(kernel: Kernel, ns: nsproxy) -> None:
    """Drop the references of a dead nsproxy."""
    if ns.mnt_ns is not None:
        put_mnt_ns(ns.mnt_ns)
    put_net(ns.net_ns)
    kmem_cache_free(kernel.nsproxy_cachep, ns)


def exit_task_namespaces(p: task_struct) -> None:
    """Leave the namespaces."""
    switch_task_namespaces(p, None)


