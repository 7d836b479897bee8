"""Root, working directory and umask of tasks (fs/fs_struct.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.linux.fs.namei_path import path_get, path_put
from kshell.linux.include.linux.fs_struct import fs_struct
from kshell.linux.include.linux.path import path
from kshell.linux.mm.slub import kmem_cache_alloc, kmem_cache_free

if TYPE_CHECKING:
    from kshell.linux.include.linux.sched import task_struct
    from kshell.linux.init.kernel import Kernel


def _init_fs(kernel: Kernel) -> fs_struct:
    """That of the first task; init_mount_tree() sets its places."""
    return kmem_cache_alloc(kernel.fs_cachep, fs_struct)


def set_fs_root(fs: fs_struct, place: path) -> None:
    """Change the root."""
    path_get(place)
    old, fs.root = fs.root, path(place.mnt, place.dentry)
    path_put(old)


def set_fs_pwd(fs: fs_struct, place: path) -> None:
    """Change the working directory."""
    path_get(place)
    old, fs.pwd = fs.pwd, path(place.mnt, place.dentry)
    path_put(old)


def copy_fs_struct(kernel: Kernel, old: fs_struct) -> fs_struct:
    """A copy, for fork()."""
    fs = kmem_cache_alloc(kernel.fs_cachep, fs_struct)
    fs.umask = old.umask
    path_get(old.root)
    fs.root = path(old.root.mnt, old.root.dentry)
    path_get(old.pwd)
    fs.pwd = path(old.pwd.mnt, old.pwd.dentry)
    return fs


def free_fs_struct(kernel: Kernel, fs: fs_struct) -> None:
    """The last user has gone."""
    path_put(fs.root)
    path_put(fs.pwd)
    kmem_cache_free(kernel.fs_cachep, fs)


def exit_fs(tsk: task_struct) -> None:
    """A task ends: it lets go of its places."""
    fs = tsk.fs
    if fs is not None:
        tsk.fs = None  # type: ignore[assignment]
        fs.users -= 1
        if not fs.users:
            free_fs_struct(tsk.kernel, fs)


def unshare_fs_struct(current: task_struct) -> None:
    """Stop sharing root, working directory and umask with other tasks."""
    old = current.fs
    new = copy_fs_struct(current.kernel, old)
    current.fs = new
    old.users -= 1
    if not old.users:
        free_fs_struct(current.kernel, old)


def current_umask(current: task_struct) -> int:
    """The permission bits that new files of the task do not get."""
    return current.fs.umask
