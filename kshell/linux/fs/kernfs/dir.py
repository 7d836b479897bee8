"""Nodes and directories of kernfs (fs/kernfs/dir.c, inode.c, symlink.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from kshell.abi.errno import ECHILD, EEXIST, ENOENT
from kshell.abi.stat import S_IFDIR, S_IFLNK, S_IFMT, S_IFREG
from kshell.linux.fs.attr import setattr_copy, setattr_prepare
from kshell.linux.fs.dcache import d_set_d_op, d_splice_alias
from kshell.linux.fs.inode import current_time, new_inode
from kshell.linux.fs.kernfs import file as kernfs_file
from kshell.linux.fs.libfs import generic_read_dir
from kshell.linux.fs.libfs_dir import dir_emit_dots
from kshell.linux.fs.read_write import generic_file_llseek
from kshell.linux.fs.stat import generic_fillattr
from kshell.linux.include.linux.dcache import dentry, dentry_operations
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fs import DOTS, dir_context, file_operations, inode, inode_operations
from kshell.linux.include.linux.fs_attr import ATTR_MODE
from kshell.linux.include.linux.kernfs import KERNFS_DIR, KERNFS_LINK, _kernfs_is_dir, attribute_group, kernfs_node
from kshell.linux.include.linux.mm_types import PAGE_SIZE
from kshell.linux.include.linux.namei import LOOKUP_RCU

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import file, super_block
    from kshell.linux.include.linux.fs_attr import iattr
    from kshell.linux.include.linux.path import path
    from kshell.linux.include.linux.sched import user_namespace
    from kshell.linux.include.linux.stat import kstat
    from kshell.linux.include.net.net_namespace import net
    from kshell.linux.init.kernel import Kernel


def kernfs_new_node(kernel: Kernel, parent: kernfs_node | None, name: str, mode: int, ns: net | None) -> kernfs_node:
    """A node, in its parent's directory if it has one. EEXIST."""
    kn = kernfs_node(kernel, name, mode, parent, ns)
    if parent is not None:
        if kernfs_find_ns(parent, name, ns) is not None:
            raise KernelError(EEXIST)
        parent.children[name, ns] = kn
    return kn


def kernfs_create_dir_ns(parent: kernfs_node, name: str, priv: object, ns: net | None) -> kernfs_node:
    """Make a directory. EEXIST."""
    kn = kernfs_new_node(parent._kernel, parent, name, KERNFS_DIR, ns)
    kn.priv = priv
    return kn


def kernfs_create_link(parent: kernfs_node, name: str, target: kernfs_node) -> kernfs_node:
    """Make a link to a node, seen where the node is seen. EEXIST."""
    kn = kernfs_new_node(parent._kernel, parent, name, KERNFS_LINK, target.ns)
    kn.symlink = target
    return kn


def kernfs_remove(kn: kernfs_node | None) -> None:
    """Remove a node and all below it."""
    if kn is None or kn.parent is None:
        return
    for child in list(kn.children.values()):
        kernfs_remove(child)
    kn.parent.children.pop((kn.name, kn.ns), None)
    kn.parent = None


def kernfs_remove_by_name_ns(parent: kernfs_node, name: str, ns: net | None) -> None:
    """Remove a node by name."""
    kernfs_remove(parent.children.get((name, ns)))


def kernfs_rename_ns(kn: kernfs_node, new_name: str, new_ns: net | None) -> None:
    """Give a node another name in its directory, or show it in another namespace."""
    assert kn.parent is not None
    del kn.parent.children[kn.name, kn.ns]
    kn.name, kn.ns = new_name, new_ns
    kn.parent.children[new_name, new_ns] = kn


def kernfs_path(kn: kernfs_node) -> list[str]:
    """The names from the root to a node."""
    return [*kernfs_path(kn.parent), kn.name] if kn.parent is not None else []


def _from_groups(parent: kernfs_node, name: str) -> kernfs_node | None:
    """Make the file of an attribute that was registered with the directory."""
    for group in parent._groups:
        for attr in group.attrs if not group.name else ():
            if attr.name == name:
                kn = _kernfs_new_node_unchecked(parent, name, S_IFREG | attr.mode)
                kn.attr = attr
                kn.priv = parent.priv
                return kn
    return None


def _kernfs_new_node_unchecked(parent: kernfs_node, name: str, mode: int) -> kernfs_node:
    """A node whose name is known to be free."""
    kn = kernfs_node(parent._kernel, name, mode, parent)
    parent.children[name, None] = kn
    return kn


def kernfs_find_ns(parent: kernfs_node, name: str, ns: net | None) -> kernfs_node | None:
    """The node of that name which the namespace sees."""
    if parent._live is not None:
        parent._live(parent)
    found = parent.children.get((name, ns)) or parent.children.get((name, None))
    return found if found is not None else _from_groups(parent, name)


def _kernfs_add_groups(kn: kernfs_node, groups: tuple[attribute_group, ...]) -> None:
    """Give a directory more attributes; a named group is a directory of its own."""
    kn._groups += groups
    for group in groups:
        if group.name:
            below = kernfs_create_dir_ns(kn, group.name, kn.priv, None)
            below._groups = (attribute_group(group.attrs),)


def _node(inode: inode) -> kernfs_node:
    return cast(kernfs_node, inode.i_private)


def kernfs_get_inode(sb: super_block, kn: kernfs_node) -> inode:
    """An inode for a node."""
    inode = new_inode(sb)
    inode.i_ino = kn.id
    inode.i_private = kn
    inode.i_mode = kn.mode
    inode.i_atime = inode.i_mtime = inode.i_ctime = current_time(inode)
    inode.i_op = kernfs_iops
    kind = kn.mode & S_IFMT
    if kind == S_IFDIR:
        inode.i_op, inode.i_fop = kernfs_dir_iops, kernfs_dir_fops
        inode.i_nlink = 2 + sum(_kernfs_is_dir(child) for child in kn.children.values())
    elif kind == S_IFLNK:
        inode.i_op = kernfs_symlink_iops
    else:
        inode.i_fop = kernfs_file.kernfs_file_fops
        inode.i_size = PAGE_SIZE
    return inode


def kernfs_iop_lookup(dir: inode, entry: dentry, flags: int) -> dentry | None:
    """Find a name. ENOENT."""
    ns = cast("net | None", dir.i_sb.s_fs_info)
    kn = kernfs_find_ns(_node(dir), entry.d_name.name.decode("latin-1"), ns)
    if kn is None:
        raise KernelError(ENOENT)
    d_set_d_op(entry, kernfs_dops)
    return d_splice_alias(kernfs_get_inode(dir.i_sb, kn), entry)


def kernfs_fop_readdir(file: file, ctx: dir_context) -> None:
    """List a directory, by name."""
    if not dir_emit_dots(file, ctx):
        return
    kn = _node(file.f_inode)
    if kn._live is not None:
        kn._live(kn)
    ns = file.f_inode.i_sb.s_fs_info
    for group in kn._groups:
        for attr in group.attrs if not group.name else ():
            kernfs_find_ns(kn, attr.name, None)
    seen = sorted((child.name, child) for child in kn.children.values() if child.ns is None or child.ns is ns)
    for name, child in seen[ctx.pos - DOTS :]:
        if not ctx.actor(ctx, name.encode("latin-1"), ctx.pos, child.id, child.mode >> 12):
            return
        ctx.pos += 1


def kernfs_iop_get_link(dentry: dentry | None, inode: inode, done: object) -> bytes | None:
    """The way from the link to its target: up to the root that both have, then down."""
    if dentry is None:
        raise KernelError(ECHILD)
    kn = _node(inode)
    assert kn.symlink is not None
    assert kn.parent is not None
    here, there = kernfs_path(kn.parent), kernfs_path(kn.symlink)
    common = next((i for i, (a, b) in enumerate(zip(here, there, strict=False)) if a != b), min(len(here), len(there)))
    return "/".join([".."] * (len(here) - common) + there[common:]).encode("latin-1")


def kernfs_dop_revalidate(dentry: dentry, flags: int) -> int:
    """Whether the node is still there, under this name; asked outside RCU mode only."""
    if flags & LOOKUP_RCU:
        return -ECHILD
    inode = dentry.d_inode
    if inode is None:
        return 0
    kn = _node(inode)
    return int(kn.parent is not None and kn.name.encode("latin-1") == dentry.d_name.name)


def kernfs_iop_setattr(mnt_userns: user_namespace, dentry: dentry, attr: iattr) -> None:
    """Owner and mode can be changed while the inode lives."""
    inode = dentry.d_inode
    assert inode is not None
    setattr_prepare(mnt_userns, dentry, attr)
    setattr_copy(mnt_userns, inode, attr)
    if attr.ia_valid & ATTR_MODE:
        _node(inode).mode = inode.i_mode


def kernfs_iop_getattr(
    mnt_userns: user_namespace, path: path, stat: kstat, request_mask: int, query_flags: int
) -> None:
    """Attributes."""
    inode = path.dentry.d_inode
    assert inode is not None
    generic_fillattr(mnt_userns, inode, stat)


kernfs_dops = dentry_operations(d_revalidate=kernfs_dop_revalidate)
kernfs_iops = inode_operations(setattr=kernfs_iop_setattr, getattr=kernfs_iop_getattr)
kernfs_dir_iops = inode_operations(lookup=kernfs_iop_lookup, setattr=kernfs_iop_setattr, getattr=kernfs_iop_getattr)
kernfs_symlink_iops = inode_operations(
    get_link=kernfs_iop_get_link, setattr=kernfs_iop_setattr, getattr=kernfs_iop_getattr
)
kernfs_dir_fops = file_operations(
    read=generic_read_dir, iterate_shared=kernfs_fop_readdir, llseek=generic_file_llseek
)
