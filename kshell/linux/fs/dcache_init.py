"""Setting the VFS up (fs/dcache.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.resource import PATH_MAX
from kshell.linux.fs.char_dev import chrdev_init
from kshell.linux.fs.dcache import dcache_init
from kshell.linux.fs.file_table import files_init, files_maxfiles_init
from kshell.linux.fs.inode import inode_init
from kshell.linux.fs.namespace_tree import mnt_init
from kshell.linux.mm.slab_common import kmem_cache_create_usercopy

if TYPE_CHECKING:
    from kshell.linux.init.kernel import Kernel


def vfs_caches_init_early(kernel: Kernel) -> None:
    """Begin with empty hash tables."""
    dcache_init_early(kernel)
    inode_init_early(kernel)


def dcache_init_early(kernel: Kernel) -> None:
    """The hash table of dentries."""
    kernel.dentry_hashtable = {}


def inode_init_early(kernel: Kernel) -> None:
    """No inode is found by hash: all file systems live in memory."""


def vfs_caches_init(kernel: Kernel) -> None:
    """Set up caches, mounts and devices."""
    kernel.names_cachep = kmem_cache_create_usercopy(kernel, "names_cache", PATH_MAX)
    dcache_init(kernel)
    inode_init(kernel)
    files_init(kernel)
    files_maxfiles_init(kernel)
    mnt_init(kernel)
    chrdev_init(kernel)
