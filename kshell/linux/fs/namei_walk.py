"""The path walk (fs/namei.c).

It begins in RCU mode (LOOKUP_RCU), in which no references are taken; where that does not do (a name that
is not in the cache, a file system that wants to be asked), try_to_unlazy() takes them and goes on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EACCES, EBADF, ECHILD, ELOOP, ENOENT, ENOTDIR
from kshell.abi.fcntl import AT_FDCWD
from kshell.abi.stat import S_ISVTX, S_IWOTH
from kshell.linux.fs.dcache import __d_lookup, __d_lookup_rcu, d_alloc, dput
from kshell.linux.fs.dcache_shrink import d_invalidate
from kshell.linux.fs.file import __fdget_raw, fdput
from kshell.linux.fs.inode_times import atime_needs_update, touch_atime
from kshell.linux.fs.namei_path import path_get, path_put
from kshell.linux.fs.namei_permission import inode_permission
from kshell.linux.fs.namespace import __lookup_mnt, mntget, mntput
from kshell.linux.include.linux.dcache import (
    DCACHE_ENTRY_TYPE,
    DCACHE_MOUNTED,
    DCACHE_OP_REVALIDATE,
    DCACHE_OP_WEAK_REVALIDATE,
    DCACHE_SYMLINK_TYPE,
    d_can_lookup,
    dentry,
    qstr,
)
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fs import MAY_EXEC, MAY_NOT_BLOCK, S_DEAD, delayed_call
from kshell.linux.include.linux.mount import MNT_NOSYMFOLLOW, mount, real_mount, vfsmount
from kshell.linux.include.linux.namei import (
    LAST_DOT,
    LAST_DOTDOT,
    LAST_NORM,
    LAST_ROOT,
    LOOKUP_DIRECTORY,
    LOOKUP_FOLLOW,
    LOOKUP_NO_SYMLINKS,
    LOOKUP_PARENT,
    LOOKUP_RCU,
    MAXSYMLINKS,
)
from kshell.linux.include.linux.path import path
from kshell.linux.include.linux.path import path as path_t
from kshell.linux.security.security import security_inode_follow_link

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import filename, inode
    from kshell.linux.include.linux.sched import task_struct

ND_ROOT_PRESET = 1
ND_ROOT_GRABBED = 2
ND_JUMPED = 4

WALK_TRAILING = 1
WALK_MORE = 2
WALK_NOFOLLOW = 4


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
            path_put(link.link)
        if nd.state & ND_ROOT_GRABBED:
            assert nd.root is not None
            path_put(nd.root)
            nd.state &= ~ND_ROOT_GRABBED
    nd.stack.clear()
    nd.depth = 0


def may_lookup(nd: nameidata) -> None:
    """Check that names may be looked up where the walk is. EACCES."""
    mask = MAY_EXEC | MAY_NOT_BLOCK if nd.flags & LOOKUP_RCU else MAY_EXEC
    inode_permission(nd.path.mnt.mnt_userns, nd.inode, mask)


def link_path_walk(name: bytes, nd: nameidata) -> None:
    """Walk all but the last component, which is left in nd.last. EACCES, ENOENT, ENOTDIR, ELOOP."""
    nd.last_type = LAST_ROOT
    nd.flags |= LOOKUP_PARENT
    name = name.lstrip(b"/")
    if not name:
        nd.dir_mode = 0
        return
    depth = 0
    while True:
        may_lookup(nd)
        component, slash, rest = name.partition(b"/")
        name = rest.lstrip(b"/")
        _take_component(nd, component)
        if name:
            link = walk_component(nd, WALK_MORE)
        else:
            nd._trailing = bool(slash)
            if not depth:
                nd.dir_uid = nd.inode.i_uid
                nd.dir_mode = nd.inode.i_mode
                nd.flags &= ~LOOKUP_PARENT
                return
            depth -= 1
            name = nd.stack[depth].name
            link = walk_component(nd, 0)
        if link:
            nd.stack[depth].name = name
            depth += 1
            name = link
            continue
        if not d_can_lookup(nd.path.dentry):
            if nd.flags & LOOKUP_RCU:
                try_to_unlazy(nd)
            raise KernelError(ENOTDIR)


def _take_component(nd: nameidata, component: bytes) -> None:
    nd.last = qstr(component)
    if component == b".":
        nd.last_type = LAST_DOT
    elif component == b"..":
        nd.last_type = LAST_DOTDOT
        nd.state |= ND_JUMPED
    else:
        nd.last_type = LAST_NORM
        nd.state &= ~ND_JUMPED


def put_link(nd: nameidata) -> None:
    """A link's text has been used up."""
    last = nd.stack.pop()
    nd.depth -= 1
    if last.done.fn:
        last.done.fn(last.done.arg)
    if not nd.flags & LOOKUP_RCU:
        path_put(last.link)


def walk_component(nd: nameidata, flags: int) -> bytes | None:
    """Go to the child nd.last; the text of the link it is, to be walked next."""
    if nd.last_type != LAST_NORM:
        if not flags & WALK_MORE and nd.depth:
            put_link(nd)
        return handle_dots(nd, nd.last_type)
    entry = lookup_fast(nd)
    if entry is None:
        entry = lookup_slow(nd.last, nd.path.dentry, nd.flags)
    if not flags & WALK_MORE and nd.depth:
        put_link(nd)
    return step_into(nd, flags, entry)


def lookup_fast(nd: nameidata) -> dentry | None:
    """Find nd.last in the cache; None: it is not there, and RCU mode is left."""
    parent = nd.path.dentry
    if nd.flags & LOOKUP_RCU:
        entry = __d_lookup_rcu(parent, nd.last)
        if entry is None:
            try_to_unlazy(nd)
            return None
        if not entry.d_flags & DCACHE_OP_REVALIDATE:
            return entry
        status = d_revalidate(entry, nd.flags)
        if status > 0:
            return entry
        try_to_unlazy_next(nd, entry)
        if status == -ECHILD:
            status = d_revalidate(entry, nd.flags)
    else:
        entry = __d_lookup(parent, nd.last)
        if entry is None:
            return None
        status = d_revalidate(entry, nd.flags)
    if status > 0:
        return entry
    d_invalidate(entry)
    dput(entry)
    return None


def lookup_slow(name: qstr, dir: dentry, flags: int) -> dentry:
    """Have the file system find a name."""
    return __lookup_slow(name, dir, flags)


def __lookup_slow(name: qstr, dir: dentry, flags: int) -> dentry:
    inode = dir.d_inode
    assert inode is not None
    if inode.i_flags & S_DEAD:
        raise KernelError(ENOENT)
    entry = d_alloc_parallel(dir, name)
    return _lookup(dir, entry, flags)


def _lookup(dir: dentry, entry: dentry, flags: int) -> dentry:
    inode = dir.d_inode
    assert inode is not None
    if inode.i_op.lookup is None:
        dput(entry)
        raise KernelError(ENOTDIR)
    try:
        old = inode.i_op.lookup(inode, entry, flags)
    except KernelError:
        dput(entry)
        raise
    if old is not None:
        dput(entry)
        return old
    return entry


def d_alloc_parallel(parent: dentry, name: qstr) -> dentry:
    """A dentry to look up; nobody else can be looking the name up (fs/dcache.c)."""
    return d_alloc(parent, name)


def handle_dots(nd: nameidata, type: int) -> bytes | None:
    """Go to `..`, or stay at `.`."""
    if type != LAST_DOTDOT:
        return None
    if nd.root is None:
        set_root(nd)
    return step_into(nd, WALK_NOFOLLOW, follow_dotdot(nd))


def follow_dotdot(nd: nameidata) -> dentry:
    """The directory above; mounts are left on the way, the root never."""
    rcu = nd.flags & LOOKUP_RCU
    root = nd.root
    assert root is not None
    here = nd.path
    if here.mnt is not root.mnt or here.dentry is not root.dentry:
        if here.dentry is here.mnt.mnt_root:
            up = choose_mountpoint(real_mount(here.mnt), root)
            if up is not None:
                if not rcu:
                    path_get(up)
                    path_put(here)
                nd.path = here = up
        if here.dentry is not here.mnt.mnt_root:
            parent = here.dentry.d_parent
            if not rcu:
                parent.d_lockref += 1
            return parent
    if not rcu:
        here.dentry.d_lockref += 1
    return here.dentry


def choose_mountpoint(m: mount, root: path) -> path | None:
    """The place on which a mount hangs, above all mounts that cover a whole one; None at the root."""
    while m.mnt_parent is not m:
        point = m.mnt_mountpoint
        m = m.mnt_parent
        if m is root.mnt and point is root.dentry:
            return None
        if point is not m.mnt_root:
            return path(m, point)
    return None


def handle_mounts(nd: nameidata, entry: dentry, place: path) -> None:
    """Go on to what is mounted there."""
    if nd.flags & LOOKUP_RCU:
        __follow_mount_rcu(nd, place)
        return
    while place.dentry.d_flags & DCACHE_MOUNTED:
        child = __lookup_mnt(place.mnt, place.dentry)
        if child is None:
            break
        child._mnt_count += 1
        child.mnt_root.d_lockref += 1
        dput(place.dentry)
        if place.mnt is not nd.path.mnt:
            mntput(place.mnt)
        place.mnt, place.dentry = child, child.mnt_root
        nd.state |= ND_JUMPED


def __follow_mount_rcu(nd: nameidata, place: path) -> None:
    while place.dentry.d_flags & DCACHE_MOUNTED:
        child = __lookup_mnt(place.mnt, place.dentry)
        if child is None:
            return
        place.mnt, place.dentry = child, child.mnt_root
        nd.state |= ND_JUMPED


def step_into(nd: nameidata, flags: int, entry: dentry) -> bytes | None:
    """Go to a child, through mounts; a link to follow gives its text. ENOENT: it does not exist."""
    place = path(nd.path.mnt, entry)
    if entry.d_flags & DCACHE_MOUNTED:
        handle_mounts(nd, entry, place)
        entry = place.dentry
    rcu = nd.flags & LOOKUP_RCU
    inode = entry.d_inode
    if (
        entry.d_flags & DCACHE_ENTRY_TYPE != DCACHE_SYMLINK_TYPE
        or flags & WALK_NOFOLLOW
        or (flags & WALK_TRAILING and not nd.flags & LOOKUP_FOLLOW)
    ):
        if inode is None:
            if not rcu:
                _drop(nd, place)
            raise KernelError(ENOENT)
        if not rcu:
            dput(nd.path.dentry)
            if nd.path.mnt is not place.mnt:
                mntput(nd.path.mnt)
        nd.path = place
        nd.inode = inode
        return None
    if not rcu and place.mnt is nd.path.mnt:
        mntget(place.mnt)
    assert inode is not None
    return pick_link(nd, place, inode, flags)


def _drop(nd: nameidata, place: path) -> None:
    dput(place.dentry)
    if place.mnt is not nd.path.mnt:
        mntput(place.mnt)


def may_follow_link(nd: nameidata, inode: inode) -> None:
    """fs.protected_symlinks: in /tmp only the owner's links are followed. EACCES."""
    kernel = nd._current.kernel
    if not kernel.sysctl_protected_symlinks or nd._current.cred.fsuid == inode.i_uid:
        return
    if nd.dir_mode & (S_ISVTX | S_IWOTH) != S_ISVTX | S_IWOTH or nd.dir_uid == inode.i_uid:
        return
    raise KernelError(EACCES)


def pick_link(nd: nameidata, link: path, inode: inode, flags: int) -> bytes | None:
    """Follow a symbolic link: its text, or None when it has led somewhere already. ELOOP."""
    last = reserve_stack(nd, link)
    if flags & WALK_TRAILING:
        may_follow_link(nd, inode)
    if nd.flags & LOOKUP_NO_SYMLINKS or link.mnt.mnt_flags & MNT_NOSYMFOLLOW:
        raise KernelError(ELOOP)
    if not nd.flags & LOOKUP_RCU:
        touch_atime(link)
    elif atime_needs_update(link, inode):
        try_to_unlazy(nd)
        touch_atime(link)
    security_inode_follow_link(link.dentry, inode)
    text = inode.i_link
    if not text:
        text = _get_link(nd, last, inode)
        if not text:
            put_link(nd)
            return None
    if text[:1] == b"/":
        nd_jump_root(nd)
        text = text.lstrip(b"/")
    if text:
        return text
    put_link(nd)
    return None


def reserve_stack(nd: nameidata, link: path) -> saved:
    """Remember a link. ELOOP: 40 were followed already."""
    nd.total_link_count += 1
    if nd.total_link_count > MAXSYMLINKS:
        if not nd.flags & LOOKUP_RCU:
            path_put(link)
        raise KernelError(ELOOP)
    last = saved(link)
    nd.stack.append(last)
    nd.depth += 1
    return last


def _get_link(nd: nameidata, last: saved, inode: inode) -> bytes | None:
    get = inode.i_op.get_link
    assert get is not None
    if nd.flags & LOOKUP_RCU:
        try:
            return get(None, inode, last.done)
        except KernelError as error:
            if error.errno != ECHILD:
                raise
            try_to_unlazy(nd)
    return get(last.link.dentry, inode, last.done)


def lookup_last(nd: nameidata) -> bytes | None:
    """Go to the last component."""
    if nd.last_type == LAST_NORM and nd._trailing:
        nd.flags |= LOOKUP_FOLLOW | LOOKUP_DIRECTORY
    return walk_component(nd, WALK_TRAILING)


def handle_lookup_down(nd: nameidata) -> None:
    """Go on to what is mounted where the walk is."""
    if not nd.flags & LOOKUP_RCU:
        nd.path.dentry.d_lockref += 1
    step_into(nd, WALK_NOFOLLOW, nd.path.dentry)
