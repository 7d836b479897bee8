"""The path walk, component by component (fs/namei.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EACCES, ECHILD, ELOOP, ENOENT, ENOTDIR
from kshell.abi.stat import S_ISVTX, S_IWOTH
from kshell.linux.fs.dcache import __d_lookup, __d_lookup_rcu, d_alloc, dput
from kshell.linux.fs.dcache_shrink import d_invalidate
from kshell.linux.fs.inode_times import atime_needs_update, touch_atime
from kshell.linux.fs.namei_nd import (
    ND_JUMPED,
    d_revalidate,
    nameidata,
    nd_jump_root,
    saved,
    set_root,
    try_to_unlazy,
    try_to_unlazy_next,
)
from kshell.linux.fs.namei_path import path_get, path_put
from kshell.linux.fs.namei_permission import inode_permission
from kshell.linux.fs.namespace import __lookup_mnt, mntget, mntput
from kshell.linux.include.linux.dcache import (
    DCACHE_ENTRY_TYPE,
    DCACHE_MOUNTED,
    DCACHE_OP_REVALIDATE,
    DCACHE_SYMLINK_TYPE,
    d_can_lookup,
    dentry,
    qstr,
)
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fs import MAY_EXEC, MAY_NOT_BLOCK, S_DEAD
from kshell.linux.include.linux.mount import MNT_NOSYMFOLLOW, mount, real_mount
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
from kshell.linux.security.security import security_inode_follow_link

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import inode

WALK_TRAILING = 1
WALK_MORE = 2
WALK_NOFOLLOW = 4


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
        dput(last.link.dentry)
        mntput(last.link.mnt)


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
