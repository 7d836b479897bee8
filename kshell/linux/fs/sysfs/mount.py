"""Mounting sysfs, and the functions by which the kernel fills it (fs/sysfs/mount.c, dir.c, group.c, symlink.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.stat import SYSFS_MAGIC
from kshell.linux.fs.dcache import d_make_root
from kshell.linux.fs.filesystems import register_filesystem
from kshell.linux.fs.inode import generic_delete_inode
from kshell.linux.fs.kernfs.dir import (
    _kernfs_add_groups,
    kernfs_create_dir_ns,
    kernfs_create_link,
    kernfs_dops,
    kernfs_get_inode,
    kernfs_new_node,
    kernfs_remove,
    kernfs_remove_by_name_ns,
    kernfs_rename_ns,
)
from kshell.linux.fs.libfs import simple_statfs
from kshell.linux.fs.super import get_tree_nodev, kill_anon_super
from kshell.linux.include.linux.fs import (
    FS_USERNS_MOUNT,
    SB_I_NODEV,
    SB_I_NOEXEC,
    file_system_type,
    super_block,
    super_operations,
)
from kshell.linux.include.linux.fs_context import fs_context, fs_context_operations
from kshell.linux.include.linux.kernfs import KERNFS_DIR, attribute_group, kernfs_node

if TYPE_CHECKING:
    from kshell.linux.include.net.net_namespace import net
    from kshell.linux.init.kernel import Kernel
    from kshell.linux.lib.kobject import kobject


kernfs_sops = super_operations(statfs=simple_statfs, drop_inode=generic_delete_inode)


def kernfs_fill_super(sb: super_block, fc: fs_context) -> None:
    """The tree, as the mounter's network namespace sees it."""
    sb.s_iflags |= SB_I_NOEXEC | SB_I_NODEV
    sb.s_magic = SYSFS_MAGIC
    sb.s_op = kernfs_sops
    sb.s_d_op = kernfs_dops
    sb.s_fs_info = sb.kernel.current.nsproxy.net_ns
    sb.s_root = d_make_root(kernfs_get_inode(sb, sb.kernel.sysfs_root))


def sysfs_get_tree(fc: fs_context) -> None:
    """Mount."""
    get_tree_nodev(fc, kernfs_fill_super)


def sysfs_fs_context_free(fc: fs_context) -> None:
    """Nothing of its own to free."""


sysfs_fs_context_ops = fs_context_operations(free=sysfs_fs_context_free, get_tree=sysfs_get_tree)


def sysfs_init_fs_context(fc: fs_context) -> None:
    """Begin to mount."""
    fc.ops = sysfs_fs_context_ops


def sysfs_kill_sb(sb: super_block) -> None:
    """Unmount."""
    kill_anon_super(sb)


sysfs_fs_type = file_system_type(
    name="sysfs", init_fs_context=sysfs_init_fs_context, kill_sb=sysfs_kill_sb, fs_flags=FS_USERNS_MOUNT
)


def sysfs_init(kernel: Kernel) -> None:
    """Make the root, and let sysfs be mounted."""
    kernel.sysfs_root = kernfs_new_node(kernel, None, "", KERNFS_DIR, None)
    register_filesystem(kernel, sysfs_fs_type)


def sysfs_create_dir_ns(kobj: kobject, ns: net | None) -> None:
    """Make a kobject's directory below its parent's. EEXIST."""
    parent: kernfs_node = kobj.parent.sd if kobj.parent is not None else kobj._kernel.sysfs_root
    kobj.sd = kernfs_create_dir_ns(parent, kobj.name, kobj._owner, ns)


def sysfs_create_group(kobj: kobject, grp: attribute_group) -> None:
    """Give a kobject attributes. EEXIST."""
    _kernfs_add_groups(kobj.sd, (grp,))


def sysfs_create_groups(kobj: kobject, groups: tuple[attribute_group, ...]) -> None:
    """Give a kobject groups of attributes. EEXIST."""
    _kernfs_add_groups(kobj.sd, groups)


def sysfs_create_link(kobj: kobject, target: kobject, name: str) -> None:
    """Make a link in a kobject's directory to another kobject. EEXIST."""
    kernfs_create_link(kobj.sd, name, target.sd)


def sysfs_delete_link(kobj: kobject, target: kobject, name: str) -> None:
    """Remove such a link."""
    kernfs_remove_by_name_ns(kobj.sd, name, target.sd.ns)


def sysfs_remove_dir(kobj: kobject) -> None:
    """Remove a kobject's directory with all in it."""
    kernfs_remove(kobj.sd)


def sysfs_rename_dir_ns(kobj: kobject, new_name: str, new_ns: net | None) -> None:
    """Give a kobject's directory another name, or show it in another namespace."""
    kernfs_rename_ns(kobj.sd, new_name, new_ns)
