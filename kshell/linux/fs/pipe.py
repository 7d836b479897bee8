"""Making pipes and opening fifos (fs/pipe.c)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, cast

from kshell.abi.errno import EBADF, EFAULT, EINVAL, ENOPKG, ENXIO
from kshell.abi.fcntl import F_GETPIPE_SZ, F_SETPIPE_SZ, O_CLOEXEC, O_DIRECT, O_NONBLOCK, O_RDONLY, O_WRONLY
from kshell.abi.signal import POLL_IN, SIGIO
from kshell.abi.stat import PIPEFS_MAGIC, S_IFIFO, S_IRUSR, S_IWUSR
from kshell.linux.fs.fcntl import fasync_helper, kill_fasync
from kshell.linux.fs.file import fd_install, get_unused_fd_flags, put_unused_fd
from kshell.linux.fs.file_table import alloc_file_clone, alloc_file_pseudo, fput
from kshell.linux.fs.filesystems import register_filesystem
from kshell.linux.fs.inode import current_time, free_inode_nonrcu, get_next_ino, iput, new_inode_pseudo
from kshell.linux.fs.libfs import init_pseudo, simple_statfs
from kshell.linux.fs.namespace import kern_mount
from kshell.linux.fs.open_file import stream_open
from kshell.linux.fs.pipe_info import (
    alloc_pipe_info,
    free_pipe_info,
    pipe_set_size,
    put_pipe_info,
)
from kshell.linux.fs.pipe_rw import POLL_OUT, pipe_ioctl, pipe_poll, pipe_read, pipe_write
from kshell.linux.fs.proc.proc_sysctl_register import register_sysctl_init
from kshell.linux.fs.splice_to_file import iter_file_splice_write
from kshell.linux.fs.super import kill_anon_super
from kshell.linux.fs.sysctls import fs_pipe_sysctls
from kshell.linux.include.linux.dcache import d_inode, dentry_operations
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.errno import ERESTARTSYS
from kshell.linux.include.linux.fs import (
    FMODE_READ,
    FMODE_WRITE,
    file_operations,
    file_system_type,
    super_operations,
)
from kshell.linux.include.linux.mm_types import PAGE_SIZE
from kshell.linux.include.linux.pipe_fs_i import pipe_inode_info
from kshell.linux.include.linux.sched import TASK_INTERRUPTIBLE, signal_pending
from kshell.linux.include.linux.syscalls import SYSCALL_DEFINE
from kshell.linux.include.linux.uaccess import copy_to_user
from kshell.linux.kernel.sched.core import schedule
from kshell.linux.kernel.sched.wait import (
    finish_wait,
    init_wait,
    prepare_to_wait,
    wake_up_interruptible,
    wake_up_interruptible_all,
)

if TYPE_CHECKING:
    from kshell.linux.include.linux.dcache import dentry
    from kshell.linux.include.linux.fs import file, inode
    from kshell.linux.include.linux.fs_context import fs_context
    from kshell.linux.include.linux.sched import task_struct
    from kshell.linux.init.kernel import Kernel

I_DIRTY = 0x7
O_NOTIFICATION_PIPE = 0o200  # O_EXCL


def pipe_release(inode: inode, filp: file) -> None:
    """One end less; the other end's sleepers find out."""
    pipe = cast(pipe_inode_info, filp.private_data)
    if filp.f_mode & FMODE_READ:
        pipe.readers -= 1
    if filp.f_mode & FMODE_WRITE:
        pipe.writers -= 1
    if (not pipe.readers) != (not pipe.writers):
        wake_up_interruptible_all(pipe.rd_wait)
        wake_up_interruptible_all(pipe.wr_wait)
        kill_fasync(pipe.fasync_readers, SIGIO, POLL_IN)
        kill_fasync(pipe.fasync_writers, SIGIO, POLL_OUT)
    put_pipe_info(inode, pipe)


def get_pipe_inode(kernel: Kernel) -> inode:
    """A new pipe in pipefs, with both ends counted as open. ENFILE."""
    ino = new_inode_pseudo(kernel.pipe_mnt.mnt_sb)
    ino.i_ino = get_next_ino(kernel)
    try:
        pipe = alloc_pipe_info(kernel)
    except KernelError:
        iput(ino)
        raise
    ino.i_pipe = pipe
    pipe.files = 2
    pipe.readers = pipe.writers = 1
    ino.i_fop = pipefifo_fops
    ino.i_state = I_DIRTY
    ino.i_mode = S_IFIFO | S_IRUSR | S_IWUSR
    cred = kernel.current.cred
    ino.i_uid = cred.fsuid
    ino.i_gid = cred.fsgid
    ino.i_atime = ino.i_mtime = ino.i_ctime = current_time(ino)
    return ino


def create_pipe_files(kernel: Kernel, flags: int) -> tuple[file, file]:
    """The reading and the writing end of a new pipe. ENFILE."""
    ino = get_pipe_inode(kernel)
    pipe = ino.i_pipe
    assert pipe is not None
    try:
        writer = alloc_file_pseudo(
            ino, kernel.pipe_mnt, "", O_WRONLY | flags & (O_NONBLOCK | O_DIRECT), pipefifo_fops
        )
    except KernelError:
        free_pipe_info(pipe)
        iput(ino)
        raise
    writer.private_data = pipe
    try:
        reader = alloc_file_clone(writer, O_RDONLY | flags & O_NONBLOCK, pipefifo_fops)
    except KernelError:
        put_pipe_info(ino, pipe)
        fput(writer)
        raise
    reader.private_data = pipe
    stream_open(ino, reader)
    stream_open(ino, writer)
    return reader, writer


def __do_pipe_flags(current: task_struct, flags: int) -> tuple[int, int, file, file]:
    if flags & ~(O_CLOEXEC | O_NONBLOCK | O_DIRECT | O_NOTIFICATION_PIPE):
        raise KernelError(EINVAL)
    if flags & O_NOTIFICATION_PIPE:
        raise KernelError(ENOPKG)  # Debian builds no watch queues
    reader, writer = create_pipe_files(current.kernel, flags)
    try:
        fdr = get_unused_fd_flags(current, flags)
        try:
            fdw = get_unused_fd_flags(current, flags)
        except KernelError:
            put_unused_fd(current, fdr)
            raise
    except KernelError:
        fput(reader)
        fput(writer)
        raise
    return fdr, fdw, reader, writer


def do_pipe2(current: task_struct, fildes: int, flags: int) -> int:
    """pipe2(): two ints go to fildes. EINVAL, EMFILE, ENFILE, EFAULT."""
    fdr, fdw, reader, writer = __do_pipe_flags(current, flags)
    try:
        copy_to_user(current, fildes, struct.pack("<ii", fdr, fdw))
    except KernelError:
        fput(reader)
        fput(writer)
        put_unused_fd(current, fdr)
        put_unused_fd(current, fdw)
        raise KernelError(EFAULT) from None
    fd_install(current, fdr, reader)
    fd_install(current, fdw, writer)
    return 0


@SYSCALL_DEFINE
def sys_pipe2(current: task_struct, fildes: int, flags: int) -> int:
    """int pipe2(int fildes[2], int flags)."""
    return do_pipe2(current, fildes, flags)


@SYSCALL_DEFINE
def sys_pipe(current: task_struct, fildes: int) -> int:
    """int pipe(int fildes[2])."""
    return do_pipe2(current, fildes, 0)


async def wait_for_partner(pipe: pipe_inode_info, counter: str) -> None:
    """Sleep until the other end is opened: pipe.r_counter or w_counter moves. ERESTARTSYS."""
    current = pipe._kernel.current
    before: int = getattr(pipe, counter)
    entry = init_wait(current)
    while before == getattr(pipe, counter):
        prepare_to_wait(pipe.rd_wait, entry, TASK_INTERRUPTIBLE)
        await schedule(pipe._kernel)
        finish_wait(pipe.rd_wait, entry)
        if signal_pending(current):
            break
    if before == getattr(pipe, counter):
        raise KernelError(ERESTARTSYS)


def wake_up_partner(pipe: pipe_inode_info) -> None:
    """End the wait_for_partner() of the other end."""
    wake_up_interruptible_all(pipe.rd_wait)


async def _open_reader(pipe: pipe_inode_info, filp: file, is_pipe: bool) -> None:
    pipe.r_counter += 1
    pipe.readers += 1
    if pipe.readers == 1:
        wake_up_partner(pipe)
    if is_pipe or pipe.writers:
        return
    if filp.f_flags & O_NONBLOCK:
        filp.f_version = pipe.w_counter  # no POLLHUP before there was a writer
        return
    try:
        await wait_for_partner(pipe, "w_counter")
    except KernelError:
        pipe.readers -= 1
        if not pipe.readers:
            wake_up_interruptible(pipe.wr_wait)
        raise


async def _open_writer(pipe: pipe_inode_info, filp: file, is_pipe: bool) -> None:
    if not is_pipe and filp.f_flags & O_NONBLOCK and not pipe.readers:
        raise KernelError(ENXIO)
    pipe.w_counter += 1
    pipe.writers += 1
    if pipe.writers == 1:
        wake_up_partner(pipe)
    if is_pipe or pipe.readers:
        return
    try:
        await wait_for_partner(pipe, "r_counter")
    except KernelError:
        pipe.writers -= 1
        if not pipe.writers:
            wake_up_interruptible_all(pipe.rd_wait)
        raise


async def fifo_open(inode: inode, filp: file) -> None:
    """open() of a fifo, or of a pipe by /proc/PID/fd. ENXIO, ERESTARTSYS."""
    kernel = inode.i_sb.kernel
    is_pipe = inode.i_sb.s_magic == PIPEFS_MAGIC
    filp.f_version = 0
    pipe = inode.i_pipe
    if pipe is None:
        pipe = inode.i_pipe = alloc_pipe_info(kernel)
    pipe.files += 1
    filp.private_data = pipe
    stream_open(inode, filp)
    try:
        mode = filp.f_mode & (FMODE_READ | FMODE_WRITE)
        if mode == FMODE_READ:
            await _open_reader(pipe, filp, is_pipe)
        elif mode == FMODE_WRITE:
            await _open_writer(pipe, filp, is_pipe)
        elif mode:
            pipe.readers += 1
            pipe.writers += 1
            pipe.r_counter += 1
            pipe.w_counter += 1
            if pipe.readers == 1 or pipe.writers == 1:
                wake_up_partner(pipe)
        else:
            raise KernelError(EINVAL)
    except KernelError:
        put_pipe_info(inode, pipe)
        raise


def pipe_fasync(fd: int, filp: file, on: int) -> int:
    """Have SIGIO sent when the pipe's state changes."""
    pipe = cast(pipe_inode_info, filp.private_data)
    retval = 0
    if filp.f_mode & FMODE_READ:
        retval = fasync_helper(fd, filp, on, pipe, "fasync_readers")
    if filp.f_mode & FMODE_WRITE:
        retval = fasync_helper(fd, filp, on, pipe, "fasync_writers")
    return retval


pipefifo_fops = file_operations(
    open=fifo_open,
    read_iter=pipe_read,
    write_iter=pipe_write,
    poll=pipe_poll,
    unlocked_ioctl=pipe_ioctl,
    release=pipe_release,
    fasync=pipe_fasync,
    splice_write=iter_file_splice_write,
)


def get_pipe_info(filp: file, for_splice: bool) -> pipe_inode_info | None:
    """The pipe behind a file, None when it is no pipe."""
    if filp.f_op is not pipefifo_fops:
        return None
    return cast("pipe_inode_info | None", filp.private_data)


def pipe_fcntl(filp: file, cmd: int, arg: int) -> int:
    """F_SETPIPE_SZ, F_GETPIPE_SZ: bytes of room. EBADF: no pipe; EINVAL, EPERM, EBUSY."""
    pipe = get_pipe_info(filp, False)
    if pipe is None:
        raise KernelError(EBADF)
    if cmd == F_SETPIPE_SZ:
        return pipe_set_size(pipe, arg)
    if cmd == F_GETPIPE_SZ:
        return pipe.max_usage * PAGE_SIZE
    raise KernelError(EINVAL)


def pipefs_dname(dentry: dentry, buffer: bytes, buflen: int) -> bytes:
    """The name that /proc/PID/fd shows."""
    return b"pipe:[%d]" % d_inode(dentry).i_ino


pipefs_ops = super_operations(destroy_inode=free_inode_nonrcu, statfs=simple_statfs)
pipefs_dentry_operations = dentry_operations(d_dname=pipefs_dname)


def pipefs_init_fs_context(fc: fs_context) -> None:
    """Describe pipefs to the mount code."""
    ctx = init_pseudo(fc, PIPEFS_MAGIC)
    ctx.ops = pipefs_ops
    ctx.dops = pipefs_dentry_operations


pipe_fs_type = file_system_type(name="pipefs", init_fs_context=pipefs_init_fs_context, kill_sb=kill_anon_super)


def init_pipe_fs(kernel: Kernel) -> None:
    """Initcall: mount pipefs, the home of all pipes."""
    kernel.pipe_max_size = 1048576
    kernel.pipe_user_pages_soft = 16384
    kernel.pipe_user_pages_hard = 0
    register_filesystem(kernel, pipe_fs_type)
    kernel.pipe_mnt = kern_mount(kernel, pipe_fs_type)
    register_sysctl_init(kernel, "fs", fs_pipe_sysctls)
