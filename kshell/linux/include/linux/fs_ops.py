"""The tables by which the VFS calls file systems and drivers (include/linux/fs.h).

An entry that a file system does not have is None. Functions that can sleep are coroutines.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kshell.linux.include.linux.dcache import dentry
    from kshell.linux.include.linux.fs import delayed_call, dir_context, file, inode, kiocb, super_block
    from kshell.linux.include.linux.fs_attr import iattr
    from kshell.linux.include.linux.fs_lock import file_lock
    from kshell.linux.include.linux.mm_types import vm_area_struct
    from kshell.linux.include.linux.path import path
    from kshell.linux.include.linux.pipe_fs_i import pipe_inode_info
    from kshell.linux.include.linux.poll import poll_table_struct
    from kshell.linux.include.linux.sched import Rest, user_namespace
    from kshell.linux.include.linux.seq_file import seq_file
    from kshell.linux.include.linux.stat import kstat
    from kshell.linux.include.linux.statfs import kstatfs
    from kshell.linux.include.linux.uio import iov_iter

FMODE_LSEEK = 0x4
FMODE_CAN_READ = 0x20000
FMODE_CAN_WRITE = 0x40000
FMODE_OPENED = 0x80000

Ppos = list[int]
"""`loff_t *`: a box that holds one file position."""


class file_operations:
    """What an open file can do."""

    __slots__ = (
        "_caps",
        "check_flags",
        "compat_ioctl",
        "fallocate",
        "fasync",
        "flock",
        "flush",
        "fsync",
        "iterate_shared",
        "llseek",
        "lock",
        "mmap",
        "open",
        "owner",
        "poll",
        "read",
        "read_iter",
        "release",
        "sendpage",
        "show_fdinfo",
        "splice_eof",
        "splice_read",
        "splice_write",
        "unlocked_ioctl",
        "write",
        "write_iter",
    )

    def __init__(
        self,
        *,
        owner: object | None = None,
        llseek: Callable[[file, int, int], int] | None = None,
        read: Callable[[file, int, int, Ppos], Awaitable[int]] | None = None,
        write: Callable[[file, int, int, Ppos], Awaitable[int]] | None = None,
        read_iter: Callable[[kiocb, iov_iter], Awaitable[int]] | None = None,
        write_iter: Callable[[kiocb, iov_iter], Awaitable[int]] | None = None,
        iterate_shared: Callable[[file, dir_context], None] | None = None,
        poll: Callable[[file, poll_table_struct | None], int] | None = None,
        unlocked_ioctl: Callable[[file, int, int], int] | None = None,
        compat_ioctl: Callable[[file, int, int], int] | None = None,
        open: Callable[[inode, file], Awaitable[None]] | None = None,
        flush: Callable[[file, object], None] | None = None,
        release: Callable[[inode, file], Rest | None] | None = None,
        fsync: Callable[[file, int, int, int], int] | None = None,
        fasync: Callable[[int, file, int], int] | None = None,
        lock: Callable[[file, int, file_lock], int] | None = None,
        sendpage: Callable[[file, bytes, int, int, Ppos | None, int], Awaitable[int]] | None = None,
        check_flags: Callable[[int], int] | None = None,
        flock: Callable[[file, int, file_lock], int] | None = None,
        splice_write: Callable[[pipe_inode_info, file, Ppos, int, int], Awaitable[int]] | None = None,
        splice_read: Callable[[file, Ppos, pipe_inode_info, int, int], Awaitable[int]] | None = None,
        splice_eof: Callable[[file], None] | None = None,
        mmap: Callable[[file, vm_area_struct], int] | None = None,
        fallocate: Callable[[file, int, int, int], int] | None = None,
        show_fdinfo: Callable[[seq_file, file], None] | None = None,
    ) -> None:
        self.owner = owner
        self.llseek = llseek
        self.read = read
        self.write = write
        self.read_iter = read_iter
        self.write_iter = write_iter
        self.iterate_shared = iterate_shared
        self.poll = poll
        self.unlocked_ioctl = unlocked_ioctl
        self.compat_ioctl = compat_ioctl
        self.open = open
        self.flush = flush
        self.release = release
        self.fsync = fsync
        self.fasync = fasync
        self.lock = lock
        self.sendpage = sendpage
        self.check_flags = check_flags
        self.flock = flock
        self.splice_write = splice_write
        self.splice_read = splice_read
        self.splice_eof = splice_eof
        self.mmap = mmap
        self.fallocate = fallocate
        self.show_fdinfo = show_fdinfo
        can_read = FMODE_CAN_READ if read or read_iter else 0
        can_write = FMODE_CAN_WRITE if write or write_iter else 0
        common = FMODE_OPENED | (FMODE_LSEEK if llseek else 0)
        self._caps = (common, common | can_read, common | can_write, common | can_read | can_write)
        """What f_mode gets, by FMODE_READ | FMODE_WRITE."""


class inode_operations:
    """What can be done to an inode by name or by attribute. Errors are raised."""

    __slots__ = (
        "create",
        "get_link",
        "getattr",
        "link",
        "listxattr",
        "lookup",
        "mkdir",
        "mknod",
        "permission",
        "readlink",
        "rename",
        "rmdir",
        "setattr",
        "symlink",
        "tmpfile",
        "unlink",
        "update_time",
    )

    def __init__(
        self,
        *,
        lookup: Callable[[inode, dentry, int], dentry | None] | None = None,
        get_link: Callable[[dentry | None, inode, delayed_call], bytes | None] | None = None,
        permission: Callable[[user_namespace, inode, int], None] | None = None,
        readlink: Callable[[dentry, int, int], int] | None = None,
        create: Callable[[user_namespace, inode, dentry, int, bool], None] | None = None,
        link: Callable[[dentry, inode, dentry], None] | None = None,
        unlink: Callable[[inode, dentry], None] | None = None,
        symlink: Callable[[user_namespace, inode, dentry, bytes], None] | None = None,
        mkdir: Callable[[user_namespace, inode, dentry, int], None] | None = None,
        rmdir: Callable[[inode, dentry], None] | None = None,
        mknod: Callable[[user_namespace, inode, dentry, int, int], None] | None = None,
        rename: Callable[[user_namespace, inode, dentry, inode, dentry, int], None] | None = None,
        setattr: Callable[[user_namespace, dentry, iattr], None] | None = None,
        getattr: Callable[[user_namespace, path, kstat, int, int], None] | None = None,
        listxattr: Callable[[dentry, int, int], int] | None = None,
        update_time: Callable[[inode, object, int], None] | None = None,
        tmpfile: Callable[[user_namespace, inode, file, int], None] | None = None,
    ) -> None:
        self.lookup = lookup
        self.get_link = get_link
        self.permission = permission
        self.readlink = readlink
        self.create = create
        self.link = link
        self.unlink = unlink
        self.symlink = symlink
        self.mkdir = mkdir
        self.rmdir = rmdir
        self.mknod = mknod
        self.rename = rename
        self.setattr = setattr
        self.getattr = getattr
        self.listxattr = listxattr
        self.update_time = update_time
        self.tmpfile = tmpfile


class super_operations:
    """What a file system does about its inodes and about itself as a whole."""

    __slots__ = (
        "alloc_inode",
        "destroy_inode",
        "drop_inode",
        "evict_inode",
        "free_inode",
        "put_super",
        "show_options",
        "show_path",
        "statfs",
        "sync_fs",
        "umount_begin",
    )

    def __init__(
        self,
        *,
        alloc_inode: Callable[[super_block], inode] | None = None,
        destroy_inode: Callable[[inode], None] | None = None,
        free_inode: Callable[[inode], None] | None = None,
        drop_inode: Callable[[inode], int] | None = None,
        evict_inode: Callable[[inode], None] | None = None,
        put_super: Callable[[super_block], None] | None = None,
        sync_fs: Callable[[super_block, int], int] | None = None,
        statfs: Callable[[dentry, kstatfs], None] | None = None,
        umount_begin: Callable[[super_block], None] | None = None,
        show_options: Callable[[seq_file, dentry], None] | None = None,
        show_path: Callable[[seq_file, dentry], None] | None = None,
    ) -> None:
        self.alloc_inode = alloc_inode
        self.destroy_inode = destroy_inode
        self.free_inode = free_inode
        self.drop_inode = drop_inode
        self.evict_inode = evict_inode
        self.put_super = put_super
        self.sync_fs = sync_fs
        self.statfs = statfs
        self.umount_begin = umount_begin
        self.show_options = show_options
        self.show_path = show_path
