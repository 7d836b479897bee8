"""Files that share blocks (fs/remap_range.c): no file system of the model can do it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EOPNOTSUPP, EXDEV
from kshell.linux.fs.read_write_copy import generic_file_rw_checks
from kshell.linux.include.linux.err import KernelError

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import file


def do_clone_file_range(file_in: file, file_out: file) -> int:
    """Both files are fit for it. EXDEV, EISDIR, EINVAL, EBADF; EOPNOTSUPP: their file system is not."""
    if file_in.f_inode.i_sb is not file_out.f_inode.i_sb:
        raise KernelError(EXDEV)
    generic_file_rw_checks(file_in, file_out)
    raise KernelError(EOPNOTSUPP)


def vfs_clone_file_range(file_in: file, file_out: file) -> int:
    """Have file_out share blocks with file_in."""
    return do_clone_file_range(file_in, file_out)
