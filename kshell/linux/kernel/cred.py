"""Changing credentials by copy (kernel/cred.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EAGAIN
from kshell.abi.resource import RLIMIT_NPROC
from kshell.linux.include.linux.cred import cred
from kshell.linux.include.linux.err import KernelError
from kshell.linux.kernel.user import free_uid, get_uid
from kshell.linux.mm.slab_common import kmem_cache_create
from kshell.linux.mm.slub import kmem_cache_alloc, kmem_cache_free
from kshell.linux.security.security import security_cred_free, security_prepare_creds

if TYPE_CHECKING:
    from kshell.linux.include.linux.sched import task_struct
    from kshell.linux.init.kernel import Kernel

_COPIED = (
    "uid", "gid", "suid", "sgid", "euid", "egid", "fsuid", "fsgid", "securebits", "cap_inheritable", "cap_permitted",
    "cap_effective", "cap_bset", "cap_ambient", "group_info", "user_ns", "user",
)  # fmt: skip


def cred_init(kernel: Kernel) -> None:
    """Set up the cache of credentials."""
    kernel.cred_jar = kmem_cache_create(kernel, "cred_jar", 176)


def prepare_creds(current: task_struct) -> cred:
    """A copy of current's credentials to change and commit."""
    old = current.cred
    new = kmem_cache_alloc(current.kernel.cred_jar, cred)
    for name in _COPIED:
        setattr(new, name, getattr(old, name))
    get_uid(new.user)
    security_prepare_creds(new, old)
    return new


def commit_creds(current: task_struct, new: cred) -> None:
    """Install new credentials in place of current's."""
    old = current.cred
    current.real_cred = current.cred = new
    put_cred(current.kernel, old)


def put_cred(kernel: Kernel, cred: cred) -> None:
    """Drop a reference; the last frees."""
    cred.usage -= 1
    if cred.usage == 0:
        security_cred_free(cred)
        free_uid(cred.user)
        kmem_cache_free(kernel.cred_jar, cred)


def copy_creds(p: task_struct, clone_flags: int) -> None:
    """Credentials of a new task: shared by threads, else copied. EAGAIN: RLIMIT_NPROC (checked by the caller)."""
    parent = p.kernel.current
    new = prepare_creds(parent)
    p.cred = p.real_cred = new


def _check_nproc(p: task_struct) -> None:
    """Raise EAGAIN when p's user has as many tasks as RLIMIT_NPROC allows."""
    limit = p.signal.rlim[RLIMIT_NPROC][0]
    count = sum(t.cred.uid == p.cred.uid for t in p.kernel.tasklist)
    if count >= limit and p.cred.uid != 0:
        raise KernelError(EAGAIN)
