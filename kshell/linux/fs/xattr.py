"""Extended attributes (fs/xattr.c): of the model's file systems only sockfs has one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EBADF, EOPNOTSUPP, ERANGE
from kshell.linux.fs.file import fdget, fdput
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.syscalls import SYSCALL_DEFINE
from kshell.linux.include.linux.uaccess import copy_to_user, strncpy_from_user

if TYPE_CHECKING:
    from kshell.linux.include.linux.dcache import dentry
    from kshell.linux.include.linux.sched import task_struct

XATTR_NAME_MAX = 255


def vfs_getxattr(dentry: dentry, name: bytes) -> bytes:
    """The value of an attribute. EOPNOTSUPP: the file system knows no such attribute."""
    for known, get in dentry.d_sb.s_xattr:
        if known == name:
            return get(dentry)
    raise KernelError(EOPNOTSUPP)


def getxattr(current: task_struct, dentry: dentry, name: int, value: int, size: int) -> int:
    """Copy an attribute to user space; its length. ERANGE: it is longer than size, or the name is bad; EFAULT."""
    kname = strncpy_from_user(current, name, XATTR_NAME_MAX + 1)
    if not kname or len(kname) > XATTR_NAME_MAX:
        raise KernelError(ERANGE)
    data = vfs_getxattr(dentry, kname)
    if size:
        if len(data) > size:
            raise KernelError(ERANGE)
        copy_to_user(current, value, data)
    return len(data)


@SYSCALL_DEFINE
def sys_fgetxattr(current: task_struct, fd: int, name: int, value: int, size: int) -> int:
    """ssize_t fgetxattr(int fd, const char *name, void *value, size_t size)."""
    f, put = fdget(current, fd)
    if f is None:
        raise KernelError(EBADF)
    try:
        return getxattr(current, f.f_path.dentry, name, value, size)
    finally:
        fdput(f, put)
