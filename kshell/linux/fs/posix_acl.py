"""Access control lists (fs/posix_acl.c): no file has one, the plain mode rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.stat import S_IFLNK, S_IFMT
from kshell.linux.fs.fs_struct import current_umask

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import inode


def posix_acl_create(dir: inode, mode: int) -> int:
    """The mode of a new file in a directory without a default list: less the umask."""
    if mode & S_IFMT == S_IFLNK:
        return mode
    return mode & ~current_umask(dir.i_sb.kernel.current)


def simple_acl_create(dir: inode, inode: inode) -> None:
    """Give a new inode its mode."""
    inode.i_mode = posix_acl_create(dir, inode.i_mode)
