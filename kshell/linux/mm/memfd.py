"""Files without a name that can be sealed (mm/memfd.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EBUSY, EINVAL, EPERM
from kshell.abi.fcntl import (
    F_ADD_SEALS,
    F_SEAL_FUTURE_WRITE,
    F_SEAL_GROW,
    F_SEAL_SEAL,
    F_SEAL_SHRINK,
    F_SEAL_WRITE,
    MFD_ALLOW_SEALING,
    MFD_CLOEXEC,
    O_CLOEXEC,
    O_LARGEFILE,
    O_RDWR,
)
from kshell.abi.stat import S_IFREG, S_IRWXUGO
from kshell.linux.fs.file import fd_install, get_unused_fd_flags, put_unused_fd
from kshell.linux.fs.file_table import alloc_file_pseudo
from kshell.linux.fs.inode import clear_nlink, iput
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fs import FMODE_PREAD, FMODE_PWRITE, FMODE_WRITE
from kshell.linux.include.linux.fs_ops import FMODE_LSEEK
from kshell.linux.include.linux.syscalls import SYSCALL_DEFINE
from kshell.linux.include.linux.uaccess import strncpy_from_user
from kshell.linux.mm.shmem import shmem_file_operations, shmem_get_inode
from kshell.linux.mm.shmem_fs import SHMEM_I

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import file
    from kshell.linux.include.linux.sched import task_struct

F_ALL_SEALS = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE
MFD_ALL_FLAGS = MFD_CLOEXEC | MFD_ALLOW_SEALING
MFD_NAME_MAX = 249


def memfd_add_seals(file: file, seals: int) -> int:
    """F_ADD_SEALS. EPERM: not open for writing, or sealed against it; EINVAL; EBUSY."""
    if not file.f_mode & FMODE_WRITE:
        raise KernelError(EPERM)
    if seals & ~F_ALL_SEALS or file.f_op is not shmem_file_operations:
        raise KernelError(EINVAL)
    info = SHMEM_I(file.f_inode)
    if info.seals & F_SEAL_SEAL:
        raise KernelError(EPERM)
    if seals & F_SEAL_WRITE and not info.seals & F_SEAL_WRITE and file.f_inode.i_writecount > 1:
        raise KernelError(EBUSY)
    info.seals |= seals
    return 0


def memfd_get_seals(file: file) -> int:
    """F_GET_SEALS. EINVAL: not a file in memory."""
    if file.f_op is not shmem_file_operations:
        raise KernelError(EINVAL)
    return SHMEM_I(file.f_inode).seals


def memfd_fcntl(file: file, cmd: int, arg: int) -> int:
    """The fcntl() commands of seals."""
    return memfd_add_seals(file, arg & 0xFFFFFFFF) if cmd == F_ADD_SEALS else memfd_get_seals(file)


def shmem_file_setup(current: task_struct, name: str, size: int, flags: int) -> file:
    """A file in memory that only its descriptors know (mm/shmem.c)."""
    mnt = current.kernel.shm_mnt
    inode = shmem_get_inode(mnt.mnt_sb, None, S_IFREG | S_IRWXUGO, 0)
    inode.i_size = size
    clear_nlink(inode)
    try:
        return alloc_file_pseudo(inode, mnt, name, O_RDWR, shmem_file_operations)
    except KernelError:
        iput(inode)
        raise


@SYSCALL_DEFINE
def sys_memfd_create(current: task_struct, uname: int, flags: int) -> int:
    """memfd_create(uname, flags). EINVAL: flags, or the name is too long; EFAULT, EMFILE."""
    if flags & ~MFD_ALL_FLAGS:
        raise KernelError(EINVAL)
    name = strncpy_from_user(current, uname, MFD_NAME_MAX + 1)
    if len(name) > MFD_NAME_MAX:
        raise KernelError(EINVAL)
    fd = get_unused_fd_flags(current, O_CLOEXEC if flags & MFD_CLOEXEC else 0)
    try:
        f = shmem_file_setup(current, "memfd:" + name.decode("latin-1"), 0, 0)
    except KernelError:
        put_unused_fd(current, fd)
        raise
    f.f_mode |= FMODE_LSEEK | FMODE_PREAD | FMODE_PWRITE
    f.f_flags |= O_LARGEFILE
    if flags & MFD_ALLOW_SEALING:
        SHMEM_I(f.f_inode).seals &= ~F_SEAL_SEAL
    fd_install(current, fd, f)
    return fd
