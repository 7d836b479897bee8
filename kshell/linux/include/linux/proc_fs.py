"""Entries below /proc (include/linux/proc_fs.h, fs/proc/internal.h)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kshell.linux.include.linux.dcache import dentry, dentry_operations
    from kshell.linux.include.linux.fs import file, file_operations, inode, inode_operations, kiocb, super_block
    from kshell.linux.include.linux.fs_ops import Ppos
    from kshell.linux.include.linux.poll import poll_table_struct
    from kshell.linux.include.linux.seq_file import seq_file, seq_operations
    from kshell.linux.include.linux.uio import iov_iter
    from kshell.linux.include.net.net_namespace import net
    from kshell.linux.init.kernel import Kernel

PROC_ENTRY_PERMANENT = 1


class proc_ops:
    """What a /proc file can do."""

    __slots__ = (
        "proc_flags",
        "proc_ioctl",
        "proc_lseek",
        "proc_open",
        "proc_poll",
        "proc_read",
        "proc_read_iter",
        "proc_release",
        "proc_write",
    )

    def __init__(
        self,
        *,
        proc_flags: int = 0,
        proc_open: Callable[[inode, file], None] | None = None,
        proc_read: Callable[[file, int, int, Ppos], Awaitable[int]] | None = None,
        proc_read_iter: Callable[[kiocb, iov_iter], Awaitable[int]] | None = None,
        proc_write: Callable[[file, int, int, Ppos], Awaitable[int]] | None = None,
        proc_lseek: Callable[[file, int, int], int] | None = None,
        proc_release: Callable[[inode, file], None] | None = None,
        proc_poll: Callable[[file, poll_table_struct | None], int] | None = None,
        proc_ioctl: Callable[[file, int, int], int] | None = None,
    ) -> None:
        self.proc_flags = proc_flags
        self.proc_open = proc_open
        self.proc_read = proc_read
        self.proc_read_iter = proc_read_iter
        self.proc_write = proc_write
        self.proc_lseek = proc_lseek
        self.proc_release = proc_release
        self.proc_poll = proc_poll
        self.proc_ioctl = proc_ioctl


class proc_fs_info:
    """What a mounted /proc holds on to."""

    __slots__ = ("_addr", "proc_self", "proc_thread_self")
    _addr: int
    proc_self: dentry
    proc_thread_self: dentry


def proc_sb_info(sb: super_block) -> proc_fs_info:
    """The proc_fs_info of a super block."""
    assert isinstance(sb.s_fs_info, proc_fs_info)
    return sb.s_fs_info


class proc_dir_entry:
    """A registered /proc entry. `_kernel` leads to the machine, `_net` to the namespace of a net entry."""

    __slots__ = (
        "_addr",
        "_kernel",
        "_net",
        "_state_cls",
        "data",
        "flags",
        "gid",
        "low_ino",
        "mode",
        "name",
        "nlink",
        "parent",
        "proc_dir_ops",
        "proc_dops",
        "proc_iops",
        "proc_ops",
        "refcnt",
        "seq_ops",
        "single_show",
        "size",
        "state_size",
        "subdir",
        "uid",
        "write",
    )
    _addr: int

    def __init__(self, kernel: Kernel, name: bytes, mode: int) -> None:
        self._kernel = kernel
        self._net: net | None = None
        self.name = name
        self.mode = mode
        self.refcnt = 1
        self.proc_iops: inode_operations | None = None
        self.proc_ops: proc_ops | None = None
        self.proc_dir_ops: file_operations | None = None
        self.proc_dops: dentry_operations | None = None
        self.seq_ops: seq_operations | None = None
        self.single_show: Callable[[seq_file, object], int | None] | None = None
        self.write: Callable[[file, bytes, int], int] | None = None
        self.data: object = None
        self.state_size = 0
        self._state_cls: Callable[[], object] | None = None
        self.low_ino = 0
        self.nlink = 1
        self.uid = 0
        self.gid = 0
        self.size = 0
        self.parent: proc_dir_entry | None = None
        self.subdir: dict[bytes, proc_dir_entry] = {}
        self.flags = 0
