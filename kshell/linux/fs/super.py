"""Super blocks: file systems in use (fs/super.c)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kshell.abi.errno import EBUSY, EMFILE
from kshell.linux.fs.dcache_shrink import d_genocide, shrink_dcache_for_umount
from kshell.linux.fs.filesystems import get_filesystem, put_filesystem
from kshell.linux.fs.inode import evict_inodes
from kshell.linux.include.linux.cdev import MINORBITS
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fs import SB_ACTIVE, SB_BORN, super_block, super_operations
from kshell.linux.mm.slab_common import kfree, kzalloc
from kshell.linux.security.security import (
    security_sb_alloc,
    security_sb_delete,
    security_sb_free,
    security_sb_set_mnt_opts,
)

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs_context import fs_context
    from kshell.linux.init.kernel import Kernel

SUPER_BLOCK_SIZE = 1472

default_op = super_operations()


def alloc_super(fc: fs_context) -> super_block:
    """A new super block, with one reference."""
    kernel = fc.kernel
    sb = kzalloc(kernel, lambda: super_block(kernel), SUPER_BLOCK_SIZE)
    security_sb_alloc(sb)
    assert fc.user_ns is not None
    sb.s_user_ns = fc.user_ns
    sb.s_type = fc.fs_type
    sb.s_flags = fc.sb_flags
    sb.s_op = default_op
    return sb


def sget_fc(
    fc: fs_context,
    test: Callable[[super_block, fs_context], bool] | None,
    set: Callable[[super_block, fs_context], None],
) -> super_block:
    """The super block that test() finds fit for the mount, or a new one."""
    if test is not None:
        for old in fc.kernel.super_blocks:
            if old.s_type is fc.fs_type and test(old, fc):
                old.s_active += 1
                return old
    sb = alloc_super(fc)
    sb.s_fs_info = fc.s_fs_info
    set(sb, fc)
    fc.s_fs_info = None
    sb.s_iflags |= fc.s_iflags
    sb.s_id = sb.s_type.name[:31]
    fc.kernel.super_blocks.append(sb)
    get_filesystem(sb.s_type)
    return sb


def get_anon_bdev(kernel: Kernel) -> int:
    """A device number (major 0) for a file system without a device. EMFILE."""
    minor = next(n for n in range(1, len(kernel.unnamed_dev_ida) + 2) if n not in kernel.unnamed_dev_ida)
    if minor >= 1 << MINORBITS:
        raise KernelError(EMFILE)
    kernel.unnamed_dev_ida.add(minor)
    return minor


def free_anon_bdev(kernel: Kernel, dev: int) -> None:
    """Give the number back."""
    kernel.unnamed_dev_ida.discard(dev)


def set_anon_super_fc(sb: super_block, fc: fs_context) -> None:
    """Give the super block a device number."""
    sb.s_dev = get_anon_bdev(sb.kernel)


def test_single_super(s: super_block, fc: fs_context) -> bool:
    """One instance serves all mounts."""
    return True


def vfs_get_super(
    fc: fs_context,
    test: Callable[[super_block, fs_context], bool] | None,
    fill_super: Callable[[super_block, fs_context], None],
) -> None:
    """Find or fill the super block, and set fc.root."""
    sb = sget_fc(fc, test, set_anon_super_fc)
    if sb.s_root is None:
        try:
            fill_super(sb, fc)
        except KernelError:
            deactivate_locked_super(sb)
            raise
        sb.s_flags |= SB_ACTIVE
    assert sb.s_root is not None
    sb.s_root.d_lockref += 1
    fc.root = sb.s_root


def get_tree_nodev(fc: fs_context, fill_super: Callable[[super_block, fs_context], None]) -> None:
    """get_tree() of a file system with an instance for each mount."""
    vfs_get_super(fc, None, fill_super)


def get_tree_single(fc: fs_context, fill_super: Callable[[super_block, fs_context], None]) -> None:
    """get_tree() of a file system with one instance."""
    vfs_get_super(fc, test_single_super, fill_super)


def vfs_get_tree(fc: fs_context) -> None:
    """Have the file system set fc.root. EBUSY: it is set already."""
    if fc.root is not None:
        raise KernelError(EBUSY)
    fc.ops.get_tree(fc)
    assert fc.root is not None
    sb = fc.root.d_sb
    sb.s_flags |= SB_BORN
    security_sb_set_mnt_opts(sb)


def deactivate_super(s: super_block) -> None:
    """One mount less; the last one ends the file system."""
    s.s_active -= 1
    if not s.s_active:
        s.s_active = 1
        deactivate_locked_super(s)


def deactivate_locked_super(s: super_block) -> None:
    """As deactivate_super()."""
    s.s_active -= 1
    if not s.s_active:
        fs = s.s_type
        fs.kill_sb(s)
        put_filesystem(fs)
        put_super(s)


def put_super(sb: super_block) -> None:
    """Drop a reference to the struct."""
    __put_super(sb)


def __put_super(sb: super_block) -> None:
    sb.s_count -= 1
    if not sb.s_count:
        security_sb_free(sb)
        kfree(sb.kernel, sb, SUPER_BLOCK_SIZE)


def generic_shutdown_super(sb: super_block) -> None:
    """Free the dentries and inodes, then what the file system has of its own."""
    if sb.s_root is not None:
        shrink_dcache_for_umount(sb)
        sync_filesystem(sb)
        sb.s_flags &= ~SB_ACTIVE
        evict_inodes(sb)
        security_sb_delete(sb)
        if sb.s_op.put_super:
            sb.s_op.put_super(sb)
    sb.kernel.super_blocks.remove(sb)


def sync_filesystem(sb: super_block) -> None:
    """Nothing waits to be written: all files live in memory."""


def kill_anon_super(sb: super_block) -> None:
    """kill_sb of a file system without a device."""
    dev = sb.s_dev
    generic_shutdown_super(sb)
    free_anon_bdev(sb.kernel, dev)


def kill_litter_super(sb: super_block) -> None:
    """kill_sb of a file system whose names are pinned in memory."""
    if sb.s_root is not None:
        d_genocide(sb.s_root)
    kill_anon_super(sb)
