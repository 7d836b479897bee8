"""Inodes that are not files or directories (fs/inode.c)."""

from __future__ import annotations

from kshell.abi.stat import S_IFBLK, S_IFCHR, S_IFIFO, S_IFMT, S_IFSOCK
from kshell.linux.fs.char_dev import def_chr_fops
from kshell.linux.fs.pipe import pipefifo_fops
from kshell.linux.include.linux.fs import inode


def init_special_inode(inode: inode, mode: int, rdev: int) -> None:
    """Make the inode a device, a fifo or a socket."""
    inode.i_mode = mode
    kind = mode & S_IFMT
    if kind == S_IFCHR:
        inode.i_fop = def_chr_fops
        inode.i_rdev = rdev
    elif kind == S_IFBLK:
        inode.i_rdev = rdev
    elif kind == S_IFIFO:
        inode.i_fop = pipefifo_fops
    elif kind != S_IFSOCK:
        raise AssertionError(f"mode {mode:o}")
