"""Extended attributes (fs/xattr.c): only sockets have one, the name of their protocol; files of tmpfs might, but do not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import E2BIG, EBADF, ENODATA, EOPNOTSUPP, EPERM, ERANGE
from kshell.abi.fcntl import AT_FDCWD
from kshell.abi.resource import XATTR_NAME_MAX, XATTR_SIZE_MAX
from kshell.abi.stat import S_IFDIR, S_IFLNK, S_IFMT, S_IFREG
from kshell.linux.fs.file import __fdget, fdput
from kshell.linux.fs.namei import path_put, user_path_at
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fs import SB_POSIXACL
from kshell.linux.include.linux.namei import LOOKUP_FOLLOW
from kshell.linux.include.linux.syscalls import SYSCALL_DEFINE
from kshell.linux.include.linux.uaccess import copy_to_user, strncpy_from_user

if TYPE_CHECKING:
    from kshell.linux.include.linux.dcache import dentry
    from kshell.linux.include.linux.sched import task_struct

POSIX_ACL_NAMES = frozenset({b"system.posix_acl_access", b"system.posix_acl_default"})
XATTR_NAME_SOCKPROTONAME = b"system.sockprotoname"


def sockfs_xattr_get(entry: dentry, size: int) -> bytes:
    """The name of a socket's protocol (net/socket.c). ERANGE: it does not fit."""
    value = entry.d_name.name + b"\0"
    if size and len(value) > size:
        raise KernelError(ERANGE)
    return value


def _is_socket(entry: dentry) -> bool:
    return entry.d_sb.s_type.name == "sockfs"


def vfs_getxattr(entry: dentry, name: bytes, size: int) -> bytes:
    """The value of an attribute. EOPNOTSUPP: the file system has none of the kind; ENODATA, EPERM."""
    inode = entry.d_inode
    assert inode is not None
    if name == XATTR_NAME_SOCKPROTONAME and _is_socket(entry):
        return sockfs_xattr_get(entry, size)
    if name.startswith(b"user.") and inode.i_mode & S_IFMT not in (S_IFREG, S_IFDIR):
        raise KernelError(ENODATA)
    if name in POSIX_ACL_NAMES and entry.d_sb.s_flags & SB_POSIXACL and inode.i_mode & S_IFMT != S_IFLNK:
        raise KernelError(ENODATA)
    if name.startswith((b"security.", b"trusted.")) and entry.d_sb.s_type.name in ("tmpfs", "rootfs"):
        raise KernelError(ENODATA)
    raise KernelError(EOPNOTSUPP)


def getxattr(current: task_struct, entry: dentry, name: int, value: int, size: int) -> int:
    """Give user space the value of an attribute, or with size 0 its length. ERANGE, EFAULT."""
    kname = strncpy_from_user(current, name, XATTR_NAME_MAX + 1)
    if not kname or len(kname) > XATTR_NAME_MAX:
        raise KernelError(ERANGE)
    data = vfs_getxattr(entry, kname, min(size, XATTR_SIZE_MAX))
    if size:
        copy_to_user(current, value, data)
    return len(data)


def listxattr(current: task_struct, entry: dentry, names: int, size: int) -> int:
    """Give user space the names of the attributes. ERANGE, EFAULT."""
    data = XATTR_NAME_SOCKPROTONAME + b"\0" if _is_socket(entry) else b""
    if size:
        if len(data) > size:
            raise KernelError(ERANGE)
        copy_to_user(current, names, data)
    return len(data)


def setxattr(current: task_struct, entry: dentry, name: int, size: int) -> int:
    """Attributes cannot be set. ERANGE, E2BIG, EPERM, EOPNOTSUPP."""
    kname = strncpy_from_user(current, name, XATTR_NAME_MAX + 1)
    if not kname or len(kname) > XATTR_NAME_MAX:
        raise KernelError(ERANGE)
    if size > XATTR_SIZE_MAX:
        raise KernelError(E2BIG)
    inode = entry.d_inode
    assert inode is not None
    if kname.startswith(b"user.") and inode.i_mode & S_IFMT not in (S_IFREG, S_IFDIR):
        raise KernelError(EPERM)
    raise KernelError(EOPNOTSUPP)


@SYSCALL_DEFINE
def sys_fgetxattr(current: task_struct, fd: int, name: int, value: int, size: int) -> int:
    """fgetxattr(fd, name, value, size)."""
    f, flags = __fdget(current, fd)
    if f is None:
        raise KernelError(EBADF)
    try:
        return getxattr(current, f.f_path.dentry, name, value, size)
    finally:
        fdput(f, flags)


def path_getxattr(current: task_struct, pathname: int, name: int, value: int, size: int, lookup: int) -> int:
    """getxattr() by name."""
    place = user_path_at(current, AT_FDCWD, pathname, lookup)
    try:
        return getxattr(current, place.dentry, name, value, size)
    finally:
        path_put(place)


@SYSCALL_DEFINE
def sys_getxattr(current: task_struct, pathname: int, name: int, value: int, size: int) -> int:
    """getxattr(pathname, name, value, size)."""
    return path_getxattr(current, pathname, name, value, size, LOOKUP_FOLLOW)


@SYSCALL_DEFINE
def sys_lgetxattr(current: task_struct, pathname: int, name: int, value: int, size: int) -> int:
    """lgetxattr(pathname, name, value, size)."""
    return path_getxattr(current, pathname, name, value, size, 0)


@SYSCALL_DEFINE
def sys_flistxattr(current: task_struct, fd: int, list: int, size: int) -> int:
    """flistxattr(fd, list, size)."""
    f, flags = __fdget(current, fd)
    if f is None:
        raise KernelError(EBADF)
    try:
        return listxattr(current, f.f_path.dentry, list, size)
    finally:
        fdput(f, flags)


@SYSCALL_DEFINE
def sys_fsetxattr(current: task_struct, fd: int, name: int, value: int, size: int, flags: int) -> int:
    """fsetxattr(fd, name, value, size, flags)."""
    f, fput_needed = __fdget(current, fd)
    if f is None:
        raise KernelError(EBADF)
    try:
        return setxattr(current, f.f_path.dentry, name, size)
    finally:
        fdput(f, fput_needed)
