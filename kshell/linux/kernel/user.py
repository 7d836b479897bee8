"""One user_struct a uid (kernel/user.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.linux.include.linux.user import user_struct
from kshell.linux.mm.slab_common import kmem_cache_create
from kshell.linux.mm.slub import kmem_cache_alloc, kmem_cache_free

if TYPE_CHECKING:
    from kshell.linux.include.linux.sched import task_struct
    from kshell.linux.init.kernel import Kernel


ROOT_USER_ADDR = 0xFFFFFFFF82E54A00  # root_user is linked in, not allocated


def uid_cache_init(kernel: Kernel) -> None:
    """subsys_initcall: the cache of users."""
    kernel.uid_cachep = kmem_cache_create(kernel, "uid_cache", 128)


def _root_user(kernel: Kernel) -> user_struct:
    root = user_struct(0)
    root._addr = ROOT_USER_ADDR
    root._kernel = kernel
    kernel.uidhash_table = {0: root}
    return root


def find_user(kernel: Kernel, uid: int) -> user_struct | None:
    """The user_struct of uid, referenced, where there is one."""
    user = kernel.uidhash_table.get(uid)
    if user is not None:
        user._count += 1
    return user


def alloc_uid(kernel: Kernel, uid: int) -> user_struct:
    """The user_struct of uid, referenced, made when needed."""
    user = find_user(kernel, uid)
    if user is None:
        user = kmem_cache_alloc(kernel.uid_cachep, lambda: user_struct(uid))
        user._kernel = kernel
        kernel.uidhash_table[uid] = user
    return user


def get_uid(user: user_struct) -> user_struct:
    """Another reference."""
    user._count += 1
    return user


def free_uid(user: user_struct | None) -> None:
    """Drop a reference; the last frees it."""
    if user is None:
        return
    user._count -= 1
    if user._count == 0:
        kernel = user._kernel
        del kernel.uidhash_table[user.uid]
        kmem_cache_free(kernel.uid_cachep, user)


def _current_user(current: task_struct) -> user_struct:
    """get_current_user(): the user_struct of current's real uid, referenced."""
    return get_uid(current.cred.user)
