"""Files, inodes and file systems (include/linux/fs.h)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kshell.linux.include.linux.fs_ops import file_operations as file_operations
from kshell.linux.include.linux.fs_ops import inode_operations as inode_operations
from kshell.linux.include.linux.fs_ops import super_operations as super_operations
from kshell.linux.include.linux.time64 import TIME64_ZERO, timespec64

if TYPE_CHECKING:
    from kshell.linux.include.linux.cred import cred
    from kshell.linux.include.linux.dcache import dentry, dentry_operations
    from kshell.linux.include.linux.eventpoll import epitem
    from kshell.linux.include.linux.fs_context import fs_context
    from kshell.linux.include.linux.fs_lock import file_lock_context
    from kshell.linux.include.linux.path import path
    from kshell.linux.include.linux.pipe_fs_i import pipe_inode_info
    from kshell.linux.include.linux.sched import pid, user_namespace
    from kshell.linux.init.kernel import Kernel

MAY_EXEC = 0x01
MAY_WRITE = 0x02
MAY_READ = 0x04
MAY_APPEND = 0x08
MAY_ACCESS = 0x10
MAY_OPEN = 0x20
MAY_CHDIR = 0x40
MAY_NOT_BLOCK = 0x80

FMODE_READ = 0x1
FMODE_WRITE = 0x2
FMODE_PREAD = 0x8
FMODE_PWRITE = 0x10
FMODE_EXEC = 0x20
FMODE_WRITER = 0x100
FMODE_CAN_ODIRECT = 0x400000
FMODE_PATH = 0x4000
FMODE_ATOMIC_POS = 0x8000
FMODE_WRITER_SB = 0x10000
FMODE_CREATED = 0x100000
FMODE_STREAM = 0x200000
FMODE_NONOTIFY = 0x4000000
FMODE_NOWAIT = 0x8000000
FMODE_NEED_UNMOUNT = 0x10000000
FMODE_NOACCOUNT = 0x20000000

IOCB_EVENTFD = 1 << 16
IOCB_APPEND = 1 << 4
IOCB_NOWAIT = 1 << 3
IOCB_HIPRI = 1 << 0
IOCB_DSYNC = 1 << 1
IOCB_SYNC = 1 << 2
IOCB_DIRECT = 1 << 17
IOCB_WRITE = 1 << 18
IOCB_NOIO = 1 << 20

S_SYNC = 1 << 0
S_NOATIME = 1 << 1
S_APPEND = 1 << 2
S_IMMUTABLE = 1 << 3
S_DEAD = 1 << 4
S_NOCMTIME = 1 << 7
S_PRIVATE = 1 << 9
S_NOSEC = 1 << 12

SB_RDONLY = 1 << 0
SB_NOSUID = 1 << 1
SB_NODEV = 1 << 2
SB_NOEXEC = 1 << 3
SB_POSIXACL = 1 << 16
SB_KERNMOUNT = 1 << 22
SB_I_VERSION = 1 << 23
SB_NOSEC = 1 << 28
SB_BORN = 1 << 29
SB_ACTIVE = 1 << 30
SB_NOUSER = 1 << 31
SB_I_NOEXEC = 0x00000002
SB_I_NODEV = 0x00000004
SB_I_USERNS_VISIBLE = 0x00000010

FS_REQUIRES_DEV = 1
FS_USERNS_MOUNT = 8
FS_DISALLOW_NOTIFY_PERM = 16
FS_RENAME_DOES_D_MOVE = 32768

I_NEW = 1 << 3
I_WILL_FREE = 1 << 4
I_FREEING = 1 << 5
I_CLEAR = 1 << 6
I_REFERENCED = 1 << 8
I_LINKABLE = 1 << 10
I_CREATING = 1 << 15
I_DONTCACHE = 1 << 16

FASYNC = 0o20000
MAX_LFS_FILESIZE = (1 << 63) - 1
MAX_NON_LFS = (1 << 31) - 1
MAX_RW_COUNT = 0x7FFFF000
DOTS = 2  # position in a directory behind "." and ".."


class file_system_type:
    """A kind of file system, as register_filesystem() knows it."""

    __slots__ = ("fs_flags", "init_fs_context", "kill_sb", "name", "owner")

    def __init__(
        self,
        *,
        name: str,
        fs_flags: int = 0,
        init_fs_context: Callable[[fs_context], None],
        kill_sb: Callable[[super_block], None],
        owner: object | None = None,
    ) -> None:
        self.name = name
        self.fs_flags = fs_flags
        self.init_fs_context = init_fs_context
        self.kill_sb = kill_sb
        self.owner = owner


class super_block:
    """A mounted instance of a file system. `kernel` leads to the machine."""

    __slots__ = (
        "__dict__",
        "_addr",
        "kernel",
        "s_d_op",
        "s_dev",
        "s_flags",
        "s_inodes",
        "s_op",
        "s_root",
        "s_type",
    )
    _addr: int
    s_type: file_system_type
    s_root: dentry | None
    s_blocksize_bits: int = 12
    s_blocksize: int = 4096
    s_maxbytes: int = MAX_LFS_FILESIZE
    s_iflags: int = 0
    s_magic: int = 0
    s_count: int = 1
    s_active: int = 1
    s_fs_info: object = None
    s_time_gran: int = 1
    s_id: str = ""
    s_xattr: tuple[tuple[bytes, Callable[[dentry], bytes]], ...] = ()
    s_user_ns: user_namespace
    s_op: super_operations
    s_inodes: dict[inode, None]
    """Inodes that new_inode() made, for unmounting."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.s_flags = 0
        self.s_dev = 0
        self.s_root = None
        self.s_d_op: dentry_operations | None = None
        self.s_inodes = {}


class address_space:
    """The contents of a file, page by page; a page that is absent reads as zeros."""

    __slots__ = ("i_pages",)

    def __init__(self) -> None:
        self.i_pages: dict[int, bytearray | None] = {}
        """None: a page of zeros."""

    @property
    def nrpages(self) -> int:
        """Pages in memory."""
        return len(self.i_pages)


class inode:
    """A file as such: its kind, owner, size and times, whatever its names."""

    __slots__ = (
        "__dict__",
        "_addr",
        "i_count",
        "i_dentry",
        "i_flags",
        "i_flctx",
        "i_fop",
        "i_gid",
        "i_ino",
        "i_mode",
        "i_nlink",
        "i_op",
        "i_sb",
        "i_state",
        "i_uid",
    )
    _addr: int
    i_mode: int
    i_uid: int
    i_gid: int
    i_flags: int
    i_op: inode_operations
    i_sb: super_block
    i_ino: int
    i_nlink: int
    i_count: int
    i_state: int
    i_fop: file_operations
    i_flctx: file_lock_context | None
    i_dentry: dentry | None
    """The first name; dentry.d_u leads on to the others."""
    i_mapping: address_space | None = None
    i_rdev: int = 0
    i_size: int = 0
    i_atime: timespec64 = TIME64_ZERO
    i_mtime: timespec64 = TIME64_ZERO
    i_ctime: timespec64 = TIME64_ZERO
    i_blkbits: int = 12
    i_blocks: int = 0
    i_version: int = 0
    i_writecount: int = 0
    i_readcount: int = 0
    i_pipe: pipe_inode_info | None = None
    i_link: bytes | None = None
    i_generation: int = 0
    i_write_hint: int = 0
    i_private: object = None


class fown_struct:
    """Whom SIGIO and SIGURG of a file go to."""

    __slots__ = ("euid", "pid", "pid_type", "signum", "uid")

    def __init__(self) -> None:
        self.pid: pid | None = None
        self.pid_type = 0
        self.uid = 0
        self.euid = 0
        self.signum = 0


class file:
    """An open file: what a descriptor stands for. __alloc_file() gives every field its first value."""

    __slots__ = (
        "_addr",
        "_kernel",
        "f_count",
        "f_cred",
        "f_ep",
        "f_flags",
        "f_inode",
        "f_mapping",
        "f_mode",
        "f_op",
        "f_owner",
        "f_path",
        "f_pos",
        "f_version",
        "private_data",
    )
    _addr: int
    f_path: path
    f_inode: inode
    f_op: file_operations
    f_cred: cred
    _kernel: Kernel
    f_count: int
    f_flags: int
    f_mode: int
    f_pos: int
    f_owner: fown_struct | None
    f_version: int
    f_ep: list[epitem] | None
    f_mapping: address_space | None
    private_data: object


class fasync_struct:
    """Someone who wants SIGIO when a file becomes ready; one link of a chain."""

    __slots__ = ("_addr", "fa_fd", "fa_file", "fa_next")
    _addr: int
    fa_file: file | None
    fa_next: fasync_struct | None

    def __init__(self) -> None:
        self.fa_fd = -1
        self.fa_file = None
        self.fa_next = None


class kiocb:
    """One read or write on its way: the file, the position, how to do it."""

    __slots__ = ("ki_filp", "ki_flags", "ki_pos")

    def __init__(self, ki_filp: file, ki_pos: int, ki_flags: int) -> None:
        self.ki_filp = ki_filp
        self.ki_pos = ki_pos
        self.ki_flags = ki_flags


class filename:
    """A path name copied in from user space."""

    __slots__ = ("_addr", "name", "refcnt", "uptr")
    _addr: int

    def __init__(self) -> None:
        self.name = b""
        self.uptr = 0
        self.refcnt = 1


class delayed_call:
    """What is to be done once a link's text has been used."""

    __slots__ = ("arg", "fn")

    def __init__(self) -> None:
        self.fn: Callable[[object], None] | None = None
        self.arg: object = None


class dir_context:
    """Where a directory listing goes: `actor(ctx, name, offset, ino, d_type)`, False to stop."""

    __slots__ = ("actor", "pos")

    def __init__(self, actor: Callable[[dir_context, bytes, int, int, int], bool], pos: int = 0) -> None:
        self.actor = actor
        self.pos = pos


class files_stat_struct:
    """/proc/sys/fs/file-nr."""

    __slots__ = ("max_files", "nr_files", "nr_free_files")

    def __init__(self, max_files: int) -> None:
        self.nr_files = 0
        self.nr_free_files = 0
        self.max_files = max_files


def get_file(f: file) -> file:
    """Take a reference."""
    f.f_count += 1
    return f


def file_count(f: file) -> int:
    """References held."""
    return f.f_count
