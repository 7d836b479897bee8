"""The namespaces of a task (kernel/nsproxy.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.capability import CAP_SYS_ADMIN
from kshell.abi.errno import EBADF, EINVAL, EPERM
from kshell.abi.sched import (
    CLONE_NEWCGROUP,
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWTIME,
    CLONE_NEWUTS,
)
from kshell.linux.fs.file import fget
from kshell.linux.fs.file_table import fput
from kshell.linux.fs.namespace_tree import copy_mnt_ns, put_mnt_ns
from kshell.linux.fs.nsfs import proc_ns_file
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.nsproxy import nsset
from kshell.linux.include.linux.proc_ns import get_proc_ns
from kshell.linux.include.linux.sched import nsproxy
from kshell.linux.include.linux.syscalls import SYSCALL_DEFINE
from kshell.linux.kernel.capability import ns_capable
from kshell.linux.kernel.utsname import copy_utsname, put_uts_ns
from kshell.linux.mm.slab_common import kmem_cache_create
from kshell.linux.mm.slub import kmem_cache_alloc, kmem_cache_free
from kshell.linux.net.core.net_namespace import copy_net_ns, put_net

if TYPE_CHECKING:
    from kshell.linux.include.linux.ns_common import namespace
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
    uts_ns = copy_utsname(current, flags, old.uts_ns)
    net_ns = copy_net_ns(kernel, flags, current.cred.user_ns, old.net_ns)
    return kmem_cache_alloc(
        kernel.nsproxy_cachep, lambda: nsproxy(uts_ns, mnt_ns, net_ns, old.pid_ns_for_children)
    )


def unshare_nsproxy_namespaces(current: task_struct, unshare_flags: int) -> nsproxy | None:
    """New namespaces for unshare(); None when none is asked for. EPERM, EINVAL."""
    if not unshare_flags & CLONE_NS_ALL:
        return None
    _check(current, unshare_flags)
    return create_new_namespaces(unshare_flags, current)


def switch_task_namespaces(p: task_struct, new: nsproxy | None) -> None:
    """Give p other namespaces, None when it dies."""
    old = p.nsproxy
    p.nsproxy = new  # type: ignore[assignment]
    old.count -= 1
    if old.count == 0:
        free_nsproxy(p.kernel, old)


def free_nsproxy(kernel: Kernel, ns: nsproxy) -> None:
    """Drop the references of a dead nsproxy."""
    if ns.mnt_ns is not None:
        put_mnt_ns(ns.mnt_ns)
    put_uts_ns(ns.uts_ns)
    put_net(ns.net_ns)
    kmem_cache_free(kernel.nsproxy_cachep, ns)


def exit_task_namespaces(p: task_struct) -> None:
    """Leave the namespaces."""
    switch_task_namespaces(p, None)




def prepare_nsset(current: task_struct, flags: int) -> nsset:
    """A copy of current's namespaces, of which one is to be changed."""
    return nsset(flags, create_new_namespaces(0, current), current.fs, current.cred)


def put_nsset(nsset: nsset) -> None:
    """Let go of what was not committed."""
    if nsset.nsproxy is not None:
        free_nsproxy(nsset.nsproxy.net_ns.kernel, nsset.nsproxy)


def validate_ns(nsset: nsset, ns: namespace) -> None:
    """Put a namespace into the set. EPERM, EINVAL."""
    assert ns.ns.ops is not None
    ns.ns.ops.install(nsset, ns)


def commit_nsset(current: task_struct, nsset: nsset) -> None:
    """Give the set to current."""
    switch_task_namespaces(current, nsset.nsproxy)
    nsset.nsproxy = None


@SYSCALL_DEFINE
def sys_setns(current: task_struct, fd: int, flags: int) -> int:
    """Enter the namespace that a descriptor of /proc/PID/ns stands for. EBADF; EINVAL: no namespace, or not of the
    kind that flags name; EPERM."""
    file = fget(current, fd)
    if file is None:
        raise KernelError(EBADF)
    try:
        if not proc_ns_file(file):
            raise KernelError(EINVAL)
        ns = get_proc_ns(file.f_inode)
        assert ns.ns.ops is not None
        if flags and ns.ns.ops.type != flags:
            raise KernelError(EINVAL)
        nsset = prepare_nsset(current, ns.ns.ops.type)
        try:
            validate_ns(nsset, ns)
            commit_nsset(current, nsset)
        finally:
            put_nsset(nsset)
    finally:
        fput(file)
    return 0
