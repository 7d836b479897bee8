"""tmpfs: mounting (mm/shmem.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EINVAL
from kshell.abi.stat import S_IFDIR, TMPFS_MAGIC
from kshell.linux.fs.dcache import d_make_root
from kshell.linux.fs.filesystems import register_filesystem
from kshell.linux.fs.fs_context import vfs_parse_fs_param_source
from kshell.linux.fs.inode import generic_delete_inode
from kshell.linux.fs.namespace import kern_mount
from kshell.linux.fs.super import get_tree_nodev, kill_litter_super
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fs import (
    FS_USERNS_MOUNT,
    SB_I_VERSION,
    SB_KERNMOUNT,
    SB_NOSEC,
    SB_NOUSER,
    SB_POSIXACL,
    file_system_type,
    inode,
    super_block,
    super_operations,
)
from kshell.linux.include.linux.fs_context import fs_context, fs_context_operations
from kshell.linux.include.linux.mm_types import PAGE_SIZE
from kshell.linux.mm.shmem import shmem_evict_inode, shmem_get_inode
from kshell.linux.mm.shmem_fs import SHMEM_SB, TOTALRAM_PAGES, shmem_inode_info, shmem_options, shmem_sb_info
from kshell.linux.mm.slab_common import kfree, kmem_cache_create, kzalloc
from kshell.linux.mm.slub import kmem_cache_alloc_lru, kmem_cache_free

if TYPE_CHECKING:
    from kshell.linux.include.linux.dcache import dentry
    from kshell.linux.include.linux.seq_file import seq_file
    from kshell.linux.include.linux.statfs import kstatfs
    from kshell.linux.init.kernel import Kernel

SHMEM_INODE_SIZE = 760
SHMEM_SB_INFO_SIZE = 184
SIZE_SUFFIXES = {"k": 10, "m": 20, "g": 30, "t": 40}


def shmem_default_max_blocks() -> int:
    """Half of the memory."""
    return TOTALRAM_PAGES // 2


def shmem_default_max_inodes() -> int:
    """One for each two pages of memory."""
    return TOTALRAM_PAGES // 2


def shmem_alloc_inode(sb: super_block) -> inode:
    """A new struct for an inode."""
    return kmem_cache_alloc_lru(sb.kernel.shmem_inode_cachep, shmem_inode_info)


def shmem_destroy_inode(inode: inode) -> None:
    """Nothing but the struct is left to free."""


def shmem_free_in_core_inode(inode: inode) -> None:
    """Free the struct."""
    inode.i_link = None
    inode.i_mapping = None
    kmem_cache_free(inode.i_sb.kernel.shmem_inode_cachep, inode)


def memparse(text: str) -> int:
    """A number with an optional suffix k, m, g, t. EINVAL."""
    shift = SIZE_SUFFIXES.get(text[-1:].lower(), 0)
    digits = text[:-1] if shift else text
    if not digits.isdecimal():
        raise KernelError(EINVAL)
    return int(digits) << shift


def _size_in_pages(value: str) -> int:
    if value.endswith("%"):
        return memparse(value[:-1]) * TOTALRAM_PAGES // 100
    return -(-memparse(value) // PAGE_SIZE)


def shmem_parse_one(fc: fs_context, key: str, value: str | None) -> None:
    """Take one mount option. EINVAL."""
    if vfs_parse_fs_param_source(fc, key, value):
        return
    ctx = fc.fs_private
    assert isinstance(ctx, shmem_options)
    if not value:
        raise KernelError(EINVAL)
    if key == "size":
        ctx.blocks = _size_in_pages(value)
    elif key == "nr_blocks":
        ctx.blocks = memparse(value)
    elif key == "nr_inodes":
        ctx.inodes = memparse(value)
    elif key == "mode":
        ctx.mode = _octal(value) & 0o7777
    elif key == "uid":
        ctx.uid = memparse(value)
    elif key == "gid":
        ctx.gid = memparse(value)
    else:
        raise KernelError(EINVAL)


def _octal(value: str) -> int:
    if not value or set(value) - set("01234567"):
        raise KernelError(EINVAL)
    return int(value, 8)


def shmem_fill_super(sb: super_block, fc: fs_context) -> None:
    """A new tmpfs with an empty root directory."""
    ctx = fc.fs_private
    assert isinstance(ctx, shmem_options)
    sbinfo = kzalloc(sb.kernel, shmem_sb_info, SHMEM_SB_INFO_SIZE)
    sb.s_fs_info = sbinfo
    if sb.s_flags & SB_KERNMOUNT:
        sb.s_flags |= SB_NOUSER
    else:
        sbinfo.max_blocks = shmem_default_max_blocks() if ctx.blocks is None else ctx.blocks
        sbinfo.max_inodes = shmem_default_max_inodes() if ctx.inodes is None else ctx.inodes
    sb.s_flags |= SB_NOSEC | SB_I_VERSION | SB_POSIXACL
    sbinfo.free_inodes = sbinfo.max_inodes
    sbinfo.uid, sbinfo.gid, sbinfo.mode = ctx.uid, ctx.gid, ctx.mode
    sb.s_magic = TMPFS_MAGIC
    sb.s_op = shmem_ops
    root = shmem_get_inode(sb, None, S_IFDIR | sbinfo.mode, 0)
    root.i_uid = sbinfo.uid
    root.i_gid = sbinfo.gid
    sb.s_root = d_make_root(root)


def shmem_put_super(sb: super_block) -> None:
    """Free what tmpfs keeps of the mount."""
    kfree(sb.kernel, SHMEM_SB(sb), SHMEM_SB_INFO_SIZE)
    sb.s_fs_info = None


def shmem_get_tree(fc: fs_context) -> None:
    """Mount."""
    get_tree_nodev(fc, shmem_fill_super)


def shmem_free_fc(fc: fs_context) -> None:
    """The options are no longer needed."""
    fc.fs_private = None


def shmem_reconfigure(fc: fs_context) -> None:
    """Remount with other limits. EINVAL: below what is used."""
    ctx = fc.fs_private
    assert isinstance(ctx, shmem_options)
    assert fc.root is not None
    sbinfo = SHMEM_SB(fc.root.d_sb)
    if ctx.blocks is not None:
        if 0 < ctx.blocks < sbinfo.used_blocks:
            raise KernelError(EINVAL)
        sbinfo.max_blocks = ctx.blocks
    if ctx.inodes is not None:
        used = sbinfo.max_inodes - sbinfo.free_inodes
        if ctx.inodes < used:
            raise KernelError(EINVAL)
        sbinfo.max_inodes, sbinfo.free_inodes = ctx.inodes, ctx.inodes - used


def shmem_init_fs_context(fc: fs_context) -> None:
    """Begin to mount: default options."""
    ctx = shmem_options()
    cred = fc.kernel.current.cred
    ctx.uid, ctx.gid = cred.fsuid, cred.fsgid
    fc.fs_private = ctx
    fc.ops = shmem_fs_context_ops


def shmem_statfs(dentry: dentry, buf: kstatfs) -> None:
    """statfs(): the limits and what is left of them."""
    sbinfo = SHMEM_SB(dentry.d_sb)
    buf.f_type = TMPFS_MAGIC
    buf.f_bsize = PAGE_SIZE
    buf.f_namelen = 255
    if sbinfo.max_blocks:
        buf.f_blocks = sbinfo.max_blocks
        buf.f_bfree = buf.f_bavail = sbinfo.max_blocks - sbinfo.used_blocks
    if sbinfo.max_inodes:
        buf.f_files = sbinfo.max_inodes
        buf.f_ffree = sbinfo.free_inodes


def shmem_show_options(seq: seq_file, root: dentry) -> None:
    """The options that differ from the default, for /proc/mounts."""
    sbinfo = SHMEM_SB(root.d_sb)
    text = ""
    if sbinfo.max_blocks != shmem_default_max_blocks():
        text += f",size={sbinfo.max_blocks * (PAGE_SIZE >> 10)}k"
    if sbinfo.max_inodes != shmem_default_max_inodes():
        text += f",nr_inodes={sbinfo.max_inodes}"
    if sbinfo.mode != 0o1777:
        text += f",mode={sbinfo.mode:03o}"
    if sbinfo.uid:
        text += f",uid={sbinfo.uid}"
    if sbinfo.gid:
        text += f",gid={sbinfo.gid}"
    text += ",inode64"
    assert seq.buf is not None
    seq.buf += text.encode("latin-1")
    seq.count = len(seq.buf)


shmem_ops = super_operations(
    alloc_inode=shmem_alloc_inode,
    free_inode=shmem_free_in_core_inode,
    destroy_inode=shmem_destroy_inode,
    statfs=shmem_statfs,
    show_options=shmem_show_options,
    evict_inode=shmem_evict_inode,
    drop_inode=generic_delete_inode,
    put_super=shmem_put_super,
)
shmem_fs_context_ops = fs_context_operations(
    free=shmem_free_fc,
    get_tree=shmem_get_tree,
    parse_param=shmem_parse_one,
    reconfigure=shmem_reconfigure,
)
shmem_fs_type = file_system_type(
    name="tmpfs",
    init_fs_context=shmem_init_fs_context,
    kill_sb=kill_litter_super,
    fs_flags=FS_USERNS_MOUNT,
)


def shmem_init_inodecache(kernel: Kernel) -> None:
    """Set up the cache of inodes."""
    kernel.shmem_inode_cachep = kmem_cache_create(kernel, "shmem_inode_cache", SHMEM_INODE_SIZE)


def shmem_init(kernel: Kernel) -> None:
    """Register tmpfs and mount the instance that serves memory without a name."""
    shmem_init_inodecache(kernel)
    register_filesystem(kernel, shmem_fs_type)
    kernel.shm_mnt = kern_mount(kernel, shmem_fs_type)
