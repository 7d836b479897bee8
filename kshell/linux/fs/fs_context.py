"""Setting a mount up: options, then the tree (fs/fs_context.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EINVAL
from kshell.linux.fs.dcache import dput
from kshell.linux.fs.filesystems import get_filesystem, put_filesystem
from kshell.linux.fs.super import deactivate_super
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fs import SB_RDONLY
from kshell.linux.include.linux.fs_context import FS_CONTEXT_FOR_MOUNT, FS_CONTEXT_FOR_RECONFIGURE, fs_context
from kshell.linux.security.security import security_free_mnt_opts, security_fs_context_parse_param

if TYPE_CHECKING:
    from kshell.linux.include.linux.dcache import dentry
    from kshell.linux.include.linux.fs import file_system_type
    from kshell.linux.init.kernel import Kernel

SB_SYNCHRONOUS = 1 << 4
SB_DIRSYNC = 1 << 7
SB_MANDLOCK = 1 << 6
SB_LAZYTIME = 1 << 25

common_set_sb_flag = {
    "dirsync": SB_DIRSYNC,
    "lazytime": SB_LAZYTIME,
    "mand": SB_MANDLOCK,
    "ro": SB_RDONLY,
    "sync": SB_SYNCHRONOUS,
}
common_clear_sb_flag = {
    "async": SB_SYNCHRONOUS,
    "nolazytime": SB_LAZYTIME,
    "nomand": SB_MANDLOCK,
    "rw": SB_RDONLY,
}


def lookup_constant(table: dict[str, int], name: str, not_found: int) -> int:
    """The value of a name."""
    return table.get(name, not_found)


def alloc_fs_context(
    kernel: Kernel, fs_type: file_system_type, reference: dentry | None, sb_flags: int, purpose: int
) -> fs_context:
    """A context of the file system's own making."""
    fc = fs_context(kernel, fs_type)
    fc.purpose = purpose
    fc.sb_flags = sb_flags
    fc.cred = kernel.current.cred
    get_filesystem(fs_type)
    fc.user_ns = kernel.init_user_ns
    fc.net_ns = kernel.current.nsproxy.net_ns
    if reference is not None:
        reference.d_lockref += 1
        reference.d_sb.s_active += 1
        fc.root = reference
    fs_type.init_fs_context(fc)
    return fc


def fs_context_for_mount(kernel: Kernel, fs_type: file_system_type, sb_flags: int) -> fs_context:
    """A context for a new mount."""
    return alloc_fs_context(kernel, fs_type, None, sb_flags, FS_CONTEXT_FOR_MOUNT)


def fs_context_for_reconfigure(root: dentry, sb_flags: int) -> fs_context:
    """A context for a remount."""
    sb = root.d_sb
    return alloc_fs_context(sb.kernel, sb.s_type, root, sb_flags, FS_CONTEXT_FOR_RECONFIGURE)


def vfs_parse_sb_flag(fc: fs_context, key: str) -> bool:
    """Take an option that every file system has."""
    token = lookup_constant(common_set_sb_flag, key, 0)
    if token:
        fc.sb_flags |= token
        return True
    token = lookup_constant(common_clear_sb_flag, key, 0)
    if token:
        fc.sb_flags &= ~token
        return True
    return False


def vfs_parse_fs_param_source(fc: fs_context, key: str, value: str | None) -> bool:
    """Take the option `source`: what is mounted, as /proc/mounts shows it. EINVAL: a second one."""
    if key != "source":
        return False
    if fc.source is not None:
        raise KernelError(EINVAL)
    fc.source = (value or "").encode("latin-1")
    return True


def vfs_parse_fs_param(fc: fs_context, key: str, value: str | None) -> None:
    """Take one option. EINVAL: the file system does not know it."""
    if vfs_parse_sb_flag(fc, key):
        return
    security_fs_context_parse_param(fc, key, value)
    if fc.ops.parse_param:
        fc.ops.parse_param(fc, key, value)
    elif not vfs_parse_fs_param_source(fc, key, value):
        raise KernelError(EINVAL)


def vfs_parse_fs_string(fc: fs_context, key: str, value: str | None) -> None:
    """Take one option, given as strings."""
    vfs_parse_fs_param(fc, key, value)


def generic_parse_monolithic(fc: fs_context, data: str) -> None:
    """Take the options of mount(): `key=value,key,…`."""
    for option in filter(None, data.split(",")):
        key, equals, value = option.partition("=")
        if key:
            vfs_parse_fs_string(fc, key, value if equals else None)


def parse_monolithic_mount_data(fc: fs_context, data: str) -> None:
    """Take the fifth argument of mount()."""
    generic_parse_monolithic(fc, data)


def put_fs_context(fc: fs_context) -> None:
    """Done with it: drop what it holds."""
    if fc.root is not None:
        sb = fc.root.d_sb
        dput(fc.root)
        fc.root = None
        deactivate_super(sb)
    if fc.ops.free:
        fc.ops.free(fc)
    security_free_mnt_opts(fc)
    put_filesystem(fc.fs_type)
