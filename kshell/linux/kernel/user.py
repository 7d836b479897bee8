"""The user_struct of a uid (kernel/user.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kshell.linux.include.linux.user import user_struct
from kshell.linux.mm.slab_common import kmem_cache_create
from kshell.linux.mm.slub import kmem_cache_alloc, kmem_cache_free

if TYPE_CHECKING:
    from kshell.linux.include.linux.sched import task_struct
    from kshell.linux.init.kernel import Kernel

SIZEOF_USER: Final = 136


def uid_cache_init(kernel: Kernel) -> None:
    """Initcall: the cache of user_structs."""
    kernel.uid_cachep = kmem_cache_create(kernel, "uid_cache", SIZEOF_USER)
    kernel.uidhash_table = {}


def find_user(kernel: Kernel, uid: int) -> user_struct | None:
    """The user of a uid, with a reference, if it has one."""
    up = kernel.uidhash_table.get(uid)
    if up is not None:
        up._count += 1
    return up


def alloc_uid(kernel: Kernel, uid: int) -> user_struct:
    """The user of a uid, made if need be, with a reference."""
    up = find_user(kernel, uid)
    if up is None:
        up = kmem_cache_alloc(kernel.uid_cachep, lambda: user_struct(uid))
        up._kernel = kernel
        kernel.uidhash_table[uid] = up
    return up


def get_uid(u: user_struct) -> user_struct:
    """Take a reference."""
    u._count += 1
    return u


def free_uid(up: user_struct | None) -> None:
    """Drop a reference; the last one frees the struct."""
    if up is None:
        return
    up._count -= 1
    if not up._count:
        del up._kernel.uidhash_table[up.uid]
        kmem_cache_free(up._kernel.uid_cachep, up)


def _current_user(current: task_struct) -> user_struct:
    """get_current_user(): the user that current's credentials point to, with a reference."""
    kernel = current.kernel
    up = kernel.uidhash_table.get(current.cred.uid)
    if up is None:
        return alloc_uid(kernel, current.cred.uid)
    up._count += 1
    return up
