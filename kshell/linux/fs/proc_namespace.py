"""The text of /proc/mounts (fs/proc_namespace.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.linux.fs.d_path import dentry_path_raw, prepend_path
from kshell.linux.fs.namespace import __mnt_is_readonly
from kshell.linux.fs.seq_file import seq_path, seq_putc, seq_puts
from kshell.linux.include.linux.mount import (
    MNT_NOATIME,
    MNT_NODEV,
    MNT_NODIRATIME,
    MNT_NOEXEC,
    MNT_NOSUID,
    MNT_NOSYMFOLLOW,
    MNT_RELATIME,
    mount,
)
from kshell.linux.include.linux.path import path

if TYPE_CHECKING:
    from kshell.linux.include.linux.seq_file import seq_file

mnt_opts = (
    (MNT_NOSUID, ",nosuid"),
    (MNT_NODEV, ",nodev"),
    (MNT_NOEXEC, ",noexec"),
    (MNT_NOATIME, ",noatime"),
    (MNT_NODIRATIME, ",nodiratime"),
    (MNT_RELATIME, ",relatime"),
    (MNT_NOSYMFOLLOW, ",nosymfollow"),
)


def show_mnt_opts(m: seq_file, mnt: mount) -> None:
    """The flags of a mount."""
    for flag, text in mnt_opts:
        if mnt.mnt_flags & flag:
            seq_puts(m, text)


def show_type(m: seq_file, mnt: mount) -> None:
    """The kind of file system."""
    seq_puts(m, mnt.mnt_sb.s_type.name)


def show_mountinfo(m: seq_file, mnt: mount, root: path) -> None:
    """One line: numbers, device, root, place, options, kind, device name, options of the file system."""
    name, unreachable = prepend_path(path(mnt, mnt.mnt_root), root)
    if unreachable:
        return
    sb = mnt.mnt_sb
    seq_puts(m, f"{mnt.mnt_id} {mnt.mnt_parent.mnt_id} {sb.s_dev >> 20}:{sb.s_dev & 0xFFFFF} ")
    if sb.s_op.show_path:
        sb.s_op.show_path(m, mnt.mnt_root)
    else:
        seq_path(m, dentry_path_raw(mnt.mnt_root))
    seq_putc(m, " ")
    seq_path(m, name)
    seq_puts(m, " ro" if __mnt_is_readonly(mnt) else " rw")
    show_mnt_opts(m, mnt)
    seq_puts(m, " - ")
    show_type(m, mnt)
    seq_putc(m, " ")
    seq_path(m, mnt.mnt_devname or b"none")
    seq_puts(m, " rw")
    if sb.s_op.show_options:
        sb.s_op.show_options(m, mnt.mnt_root)
    seq_putc(m, "\n")


def show_vfsmnt(m: seq_file, mnt: mount, root: path) -> None:
    """One line: device, place, kind, options."""
    name, unreachable = prepend_path(path(mnt, mnt.mnt_root), root)
    if unreachable:
        return
    seq_path(m, mnt.mnt_devname or b"none")
    seq_putc(m, " ")
    seq_path(m, name)
    seq_putc(m, " ")
    show_type(m, mnt)
    seq_puts(m, " ro" if __mnt_is_readonly(mnt) else " rw")
    show_mnt_opts(m, mnt)
    show_options = mnt.mnt_sb.s_op.show_options
    if show_options:
        show_options(m, mnt.mnt_root)
    seq_puts(m, " 0 0\n")
