"""/proc/PID/fdinfo: of each descriptor its place, flags, mount and inode (fs/proc/fd.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import ENOENT
from kshell.abi.fcntl import O_CLOEXEC
from kshell.abi.stat import S_IFREG, S_IRUGO
from kshell.linux.fs.dcache import d_set_d_op, d_splice_alias
from kshell.linux.fs.libfs import generic_read_dir
from kshell.linux.fs.proc import base_inode
from kshell.linux.fs.proc.fd import proc_readfd, tid_fd_mode
from kshell.linux.fs.proc.inode import PROC_I
from kshell.linux.fs.read_write import generic_file_llseek
from kshell.linux.fs.seq_file import seq_lseek, seq_printf, seq_read_iter, single_open, single_release
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fdtable import close_on_exec
from kshell.linux.include.linux.fs import dir_context, file_operations, inode, inode_operations
from kshell.linux.include.linux.mount import real_mount

if TYPE_CHECKING:
    from kshell.linux.include.linux.dcache import dentry
    from kshell.linux.include.linux.fs import file
    from kshell.linux.include.linux.seq_file import seq_file


def seq_show(m: seq_file, v: object) -> None:
    """A descriptor; what kind of file it is may add lines. ENOENT: it was closed."""
    inode = m.private
    assert inode is not None
    task, fd = base_inode.get_proc_task(inode), PROC_I(inode).fd  # type: ignore[arg-type]  # seq_fdinfo_open() gave an inode
    fdt = task.files.fdt if task is not None and task.files is not None else None
    f = fdt.fd[fd] if fdt is not None and fd < fdt.max_fds else None
    if f is None or fdt is None:
        raise KernelError(ENOENT)
    flags = f.f_flags | (O_CLOEXEC if close_on_exec(fd, fdt) else 0)
    mnt_id = real_mount(f.f_path.mnt).mnt_id
    seq_printf(m, f"pos:\t{f.f_pos}\nflags:\t0{flags:o}\nmnt_id:\t{mnt_id}\nino:\t{f.f_inode.i_ino}\n")
    if f.f_op.show_fdinfo is not None:
        f.f_op.show_fdinfo(m, f)


async def seq_fdinfo_open(inode: inode, file: file) -> None:
    """open()."""
    single_open(file, seq_show, inode)


proc_fdinfo_file_operations = file_operations(
    open=seq_fdinfo_open, read_iter=seq_read_iter, llseek=seq_lseek, release=single_release
)
proc_fdinfo_file_inode_operations = inode_operations()


def proc_lookupfdinfo(dir: inode, entry: dentry, flags: int) -> dentry | None:
    """Find a descriptor. ENOENT."""
    task = base_inode.get_proc_task(dir)
    fd = base_inode.name_to_int(entry.d_name)
    if task is None or not tid_fd_mode(task, fd):
        raise KernelError(ENOENT)
    inode = base_inode.proc_pid_make_inode(dir.i_sb, task, S_IFREG | S_IRUGO)
    PROC_I(inode).fd = fd
    inode.i_op = proc_fdinfo_file_inode_operations
    inode.i_fop = proc_fdinfo_file_operations
    d_set_d_op(entry, base_inode.pid_dentry_operations)
    return d_splice_alias(inode, entry)


def proc_readfdinfo(file: file, ctx: dir_context) -> None:
    """List the descriptors."""
    proc_readfd(file, ctx)


proc_fdinfo_inode_operations = inode_operations(lookup=proc_lookupfdinfo)
proc_fdinfo_operations = file_operations(
    read=generic_read_dir, iterate_shared=proc_readfdinfo, llseek=generic_file_llseek
)
