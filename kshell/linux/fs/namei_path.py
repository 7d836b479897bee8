"""Holding on to paths (fs/namei.c)."""

from __future__ import annotations

from kshell.linux.fs.dcache import dput
from kshell.linux.fs.namespace import mntput
from kshell.linux.include.linux.path import path


def path_get(path: path) -> None:
    """Take a reference to mount and dentry."""
    path.mnt._mnt_count += 1
    path.dentry.d_lockref += 1


def path_put(path: path) -> None:
    """Drop the references."""
    dput(path.dentry)
    mntput(path.mnt)
