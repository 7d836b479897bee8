"""The state of a path walk: where it begins, what it holds, how it ends (fs/namei.c).

A walk begins in RCU mode (LOOKUP_RCU), in which no references are taken; where that does not do (a name that
is not in the cache, a file system that wants to be asked), try_to_unlazy() takes them and goes on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EBADF, ENOENT, ENOTDIR
from kshell.abi.fcntl import AT_FDCWD
from kshell.linux.fs.dcache import dput
from kshell.linux.fs.file import __fdget_raw, fdput
from kshell.linux.fs.namei_path import path_get, path_put
from kshell.linux.fs.namespace import mntget, mntput
from kshell.linux.include.linux.dcache import (
    DCACHE_OP_REVALIDATE,
    DCACHE_OP_WEAK_REVALIDATE,
    d_can_lookup,
    dentry,
    qstr,
)
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fs import delayed_call
from kshell.linux.include.linux.mount import vfsmount
from kshell.linux.include.linux.namei import (
    LAST_ROOT,
    LOOKUP_RCU,
)
from kshell.linux.include.linux.path import path
from kshell.linux.include.linux.path import path as path_t

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import filename, inode
    from kshell.linux.include.linux.sched import task_struct

ND_ROOT_PRESET = 1
ND_ROOT_GRABBED = 2
ND_JUMPED = 4


class saved:
    """A symbolic link on the way: what is left of the path after it."""

    __slots__ = ("done", "link", "name")

    def __init__(self, link: path) -> None:
        self.link = link
        self.done = delayed_call()
        self.name = b""


class nameidata:
    """A path walk: where it has come to, and what is left.

    _trailing: whether slashes follow the last component. _taken: the result was handed out with the references.
    """

    __slots__ = (
        "_current", "_taken", "_trailing", "depth", "dfd", "dir_mode", "dir_uid", "flags", "inode", "last", "last_type",
        "name", "path", "root", "saved", "stack", "state", "total_link_count",
    )  # fmt: skip
    path: path_t
    inode: inode
    last: qstr

    def __init__(self, current: task_struct, dfd: int, name: filename, root: path_t | None = None) -> None:
        self._current = current
        self.dfd = dfd
        self.name = name
        self.flags = 0
        self.state = 0
        self.depth = 0
        self.total_link_count = 0
        self.last_type = LAST_ROOT
        self._trailing = self._taken = False
        self.stack: list[saved] = []
        self.dir_uid = 0
        self.dir_mode = 0
        self.root: path_t | None = root
        if root is not None:
            self.state = ND_ROOT_PRESET
        self.saved = current.kernel._nameidata
        current.kernel._nameidata = self


def restore_nameidata(nd: nameidata) -> None:
    """The walk is over; one that was under way when it began goes on."""
    nd._current.kernel._nameidata = nd.saved
    nd.saved = None


def set_root(nd: nameidata) -> None:
    """Find the root of the walk: the task's."""
    fs_root = nd._current.fs.root
    if not nd.flags & LOOKUP_RCU:
        path_get(fs_root)
        nd.state |= ND_ROOT_GRABBED
    nd.root = path(fs_root.mnt, fs_root.dentry)


def nd_jump_root(nd: nameidata) -> None:
    """Go to the root."""
    if nd.root is None:
        set_root(nd)
    root = nd.root
    assert root is not None
    if nd.flags & LOOKUP_RCU:
        nd.path = path(root.mnt, root.dentry)
    else:
        path_put(nd.path)
        nd.path = path(root.mnt, root.dentry)
        path_get(nd.path)
    assert nd.path.dentry.d_inode is not None
    nd.inode = nd.path.dentry.d_inode
    nd.state |= ND_JUMPED


def nd_jump_link(nd: nameidata, place: path) -> None:
    """Go straight to a place: the way of links like /proc/self/exe. Takes over the references of place."""
    path_put(nd.path)
    nd.path = place
    assert place.dentry.d_inode is not None
    nd.inode = place.dentry.d_inode
    nd.state |= ND_JUMPED


def path_init(nd: nameidata, flags: int) -> bytes:
    """Begin: at the root, the working directory or a descriptor. Gives the name. EBADF, ENOTDIR."""
    s = nd.name.name
    if not s:
        flags &= ~LOOKUP_RCU
    nd.flags = flags
    nd.state |= ND_JUMPED
    nd.depth = 0
    nd._taken = False
    nd.stack.clear()
    if not nd.state & ND_ROOT_PRESET:
        nd.root = None
    if s[:1] == b"/":
        if not flags & LOOKUP_RCU:
            _start_at(nd, nd._current.fs.root)
        nd_jump_root(nd)
        return s
    if nd.dfd == AT_FDCWD:
        _start_at(nd, nd._current.fs.pwd)
        return s
    f, fput_needed = __fdget_raw(nd._current, nd.dfd)
    if f is None:
        raise KernelError(EBADF)
    try:
        if s and not d_can_lookup(f.f_path.dentry):
            raise KernelError(ENOTDIR)
        _start_at(nd, f.f_path)
    finally:
        fdput(f, fput_needed)
    return s


def _start_at(nd: nameidata, place: path) -> None:
    nd.path = path(place.mnt, place.dentry)
    assert place.dentry.d_inode is not None
    nd.inode = place.dentry.d_inode
    if not nd.flags & LOOKUP_RCU:
        mntget(place.mnt)
        place.dentry.d_lockref += 1


def __legitimize_mnt(bastard: vfsmount) -> None:
    """Take a reference to a mount met in RCU mode."""
    bastard._mnt_count += 1


def __legitimize_path(place: path) -> None:
    """Take references to a path met in RCU mode."""
    __legitimize_mnt(place.mnt)
    place.dentry.d_lockref += 1


def legitimize_links(nd: nameidata) -> None:
    """Take references to the links on the way."""
    for link in nd.stack:
        __legitimize_path(link.link)


def legitimize_root(nd: nameidata) -> None:
    """Take references to the root, when the walk has used it."""
    if nd.root is not None and not nd.state & ND_ROOT_PRESET:
        nd.state |= ND_ROOT_GRABBED
        __legitimize_path(nd.root)


def try_to_unlazy(nd: nameidata) -> None:
    """Leave RCU mode."""
    nd.flags &= ~LOOKUP_RCU
    legitimize_links(nd)
    __legitimize_path(nd.path)
    if nd.root is not None and not nd.state & ND_ROOT_PRESET:
        nd.state |= ND_ROOT_GRABBED
        nd.root.mnt._mnt_count += 1
        nd.root.dentry.d_lockref += 1


def try_to_unlazy_next(nd: nameidata, entry: dentry) -> None:
    """Leave RCU mode on the way to a child."""
    nd.flags &= ~LOOKUP_RCU
    legitimize_links(nd)
    __legitimize_mnt(nd.path.mnt)
    nd.path.dentry.d_lockref += 1
    entry.d_lockref += 1
    legitimize_root(nd)


def d_revalidate(entry: dentry, flags: int) -> int:
    """Ask the file system whether a name still holds: > 0 yes, 0 no, -ECHILD not in RCU mode."""
    if not entry.d_flags & DCACHE_OP_REVALIDATE:
        return 1
    assert entry.d_op is not None
    assert entry.d_op.d_revalidate is not None
    return entry.d_op.d_revalidate(entry, flags)


def complete_walk(nd: nameidata) -> None:
    """The last component is found: the result gets its references."""
    if nd.flags & LOOKUP_RCU:
        if not nd.state & ND_ROOT_PRESET:
            nd.root = None
        try_to_unlazy(nd)
    entry = nd.path.dentry
    if nd.state & ND_JUMPED and entry.d_flags & DCACHE_OP_WEAK_REVALIDATE:
        assert entry.d_op is not None
        assert entry.d_op.d_weak_revalidate is not None
        if entry.d_op.d_weak_revalidate(entry, nd.flags) <= 0:
            raise KernelError(ENOENT)


def terminate_walk(nd: nameidata) -> None:
    """Drop what the walk holds."""
    for link in nd.stack:
        done = link.done
        if done.fn:
            done.fn(done.arg)
    if nd.flags & LOOKUP_RCU:
        nd.flags &= ~LOOKUP_RCU
    else:
        dput(None if nd._taken else nd.path.dentry)
        mntput(None if nd._taken else nd.path.mnt)
        for link in nd.stack:
            dput(link.link.dentry)
            mntput(link.link.mnt)
        if nd.state & ND_ROOT_GRABBED:
            assert nd.root is not None
            dput(nd.root.dentry)
            mntput(nd.root.mnt)
            nd.state &= ~ND_ROOT_GRABBED
    nd.stack.clear()
    nd.depth = 0
