"""The name of a place (fs/d_path.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import ENAMETOOLONG, ENOENT, ERANGE
from kshell.abi.resource import PATH_MAX
from kshell.linux.include.linux.dcache import d_unlinked, dentry
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.mount import real_mount
from kshell.linux.include.linux.syscalls import SYSCALL_DEFINE
from kshell.linux.include.linux.uaccess import copy_to_user

if TYPE_CHECKING:
    from kshell.linux.include.linux.path import path
    from kshell.linux.include.linux.sched import task_struct


def prepend_path(place: path, root: path) -> tuple[bytes, bool]:
    """The name below root, and whether the walk up met root (else the place is outside)."""
    parts: list[bytes] = []
    entry, mnt = place.dentry, real_mount(place.mnt)
    while entry is not root.dentry or mnt is not root.mnt:
        if entry is mnt.mnt_root:
            if mnt.mnt_parent is mnt:
                return b"/" + b"/".join(reversed(parts)), mnt.mnt_ns is None or root.mnt is not mnt
            entry, mnt = mnt.mnt_mountpoint, mnt.mnt_parent
            continue
        if entry._d_parent is None:
            break
        parts.append(entry.d_name.name)
        entry = entry._d_parent
    return b"/" + b"/".join(reversed(parts)), False


def d_path(current: task_struct, place: path) -> bytes:
    """The name of a place as current sees it; " (deleted)" follows that of a removed file."""
    op = place.dentry.d_op
    if op is not None and op.d_dname and (place.dentry._d_parent is not None or place.dentry is not place.mnt.mnt_root):
        return op.d_dname(place.dentry, b"", PATH_MAX)
    name, _ = prepend_path(place, current.fs.root)
    return name + b" (deleted)" if d_unlinked(place.dentry) else name


def dentry_path_raw(entry: dentry) -> bytes:
    """The name within the file system."""
    parts: list[bytes] = []
    while entry._d_parent is not None:
        parts.append(entry.d_name.name)
        entry = entry._d_parent
    return b"/" + b"/".join(reversed(parts))


@SYSCALL_DEFINE
def sys_getcwd(current: task_struct, buf: int, size: int) -> int:
    """getcwd(buf, size): bytes stored, the NUL included. ENOENT: it was removed; ERANGE, ENAMETOOLONG, EFAULT."""
    pwd = current.fs.pwd
    if d_unlinked(pwd.dentry):
        raise KernelError(ENOENT)
    name, unreachable = prepend_path(pwd, current.fs.root)
    data = (b"(unreachable)" if unreachable else b"") + name + b"\0"
    if len(data) > PATH_MAX:
        raise KernelError(ENAMETOOLONG)
    if len(data) > size:
        raise KernelError(ERANGE)
    copy_to_user(current, buf, data)
    return len(data)
