"""Names and paths: what the rest of the kernel calls (fs/namei.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import ECHILD, EEXIST, ENAMETOOLONG, ENOENT, ENOTDIR
from kshell.abi.fcntl import AT_EMPTY_PATH, AT_FDCWD
from kshell.abi.resource import PATH_MAX
from kshell.linux.fs.dcache import d_alloc, d_lookup, dput
from kshell.linux.fs.dcache_shrink import d_invalidate
from kshell.linux.fs.namei_nd import (
    complete_walk,
    d_revalidate,
    nameidata,
    path_init,
    restore_nameidata,
    terminate_walk,
)
from kshell.linux.fs.namei_path import path_put as path_put
from kshell.linux.fs.namei_walk import (
    _lookup,
    handle_lookup_down,
    link_path_walk,
    lookup_last,
)
from kshell.linux.fs.namespace import mnt_drop_write, mnt_want_write, mntput
from kshell.linux.include.linux.dcache import DCACHE_OP_REVALIDATE, d_can_lookup, dentry, qstr
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fs import S_DEAD, filename
from kshell.linux.include.linux.namei import (
    LAST_NORM,
    LOOKUP_CREATE,
    LOOKUP_DIRECTORY,
    LOOKUP_DOWN,
    LOOKUP_EMPTY,
    LOOKUP_EXCL,
    LOOKUP_MOUNTPOINT,
    LOOKUP_RCU,
    LOOKUP_REVAL,
)
from kshell.linux.include.linux.path import path
from kshell.linux.include.linux.uaccess import strncpy_from_user
from kshell.linux.mm.slub import kmem_cache_alloc, kmem_cache_free

if TYPE_CHECKING:
    from kshell.linux.include.linux.sched import task_struct


def getname_flags(current: task_struct, uname: int, flags: int) -> filename:
    """Copy a path name in. EFAULT, ENAMETOOLONG; ENOENT: it is empty (unless LOOKUP_EMPTY)."""
    result = kmem_cache_alloc(current.kernel.names_cachep, filename)
    try:
        name = strncpy_from_user(current, uname, PATH_MAX)
        if len(name) >= PATH_MAX:
            raise KernelError(ENAMETOOLONG)
        if not name and not flags & LOOKUP_EMPTY:
            raise KernelError(ENOENT)
    except KernelError:
        putname(current, result)
        raise
    result.name = name
    result.uptr = uname
    return result


def getname(current: task_struct, uname: int) -> filename:
    """Copy a path name in that must not be empty."""
    return getname_flags(current, uname, 0)


def getname_uflags(current: task_struct, uname: int, uflags: int) -> filename:
    """Copy a path name in that may be empty with AT_EMPTY_PATH."""
    return getname_flags(current, uname, LOOKUP_EMPTY if uflags & AT_EMPTY_PATH else 0)


def getname_kernel(current: task_struct, name: bytes) -> filename:
    """A path name of the kernel's own. ENAMETOOLONG."""
    result = kmem_cache_alloc(current.kernel.names_cachep, filename)
    if len(name) >= PATH_MAX:
        putname(current, result)
        raise KernelError(ENAMETOOLONG)
    result.name = name
    return result


def putname(current: task_struct, name: filename) -> None:
    """Done with a path name."""
    kmem_cache_free(current.kernel.names_cachep, name)


def path_lookupat(nd: nameidata, flags: int) -> path:
    """Walk the whole path; the result holds references. ECHILD: not in RCU mode."""
    s: bytes | None = path_init(nd, flags)
    try:
        if flags & LOOKUP_DOWN:
            handle_lookup_down(nd)
        while s is not None:
            if s:
                link_path_walk(s, nd)
            s = lookup_last(nd)
        if flags & LOOKUP_MOUNTPOINT:
            handle_lookup_down(nd)
        complete_walk(nd)
        if nd.flags & LOOKUP_DIRECTORY and not d_can_lookup(nd.path.dentry):
            raise KernelError(ENOTDIR)
        nd._taken = True
        return nd.path
    finally:
        terminate_walk(nd)


def filename_lookup(
    current: task_struct, dfd: int, name: filename, flags: int, root: path | None = None
) -> path:
    """Find a path, relative to dfd. All the errors of a walk."""
    nd = nameidata(current, dfd, name, root)
    try:
        try:
            return path_lookupat(nd, flags | LOOKUP_RCU)
        except KernelError as error:
            if error.errno != ECHILD:
                raise
        return path_lookupat(nd, flags)
    finally:
        restore_nameidata(nd)


def path_parentat(nd: nameidata, flags: int) -> path:
    """Walk all but the last component."""
    s = path_init(nd, flags)
    try:
        link_path_walk(s, nd)
        complete_walk(nd)
        nd._taken = True
        return nd.path
    finally:
        terminate_walk(nd)


def __filename_parentat(
    current: task_struct, dfd: int, name: filename, flags: int
) -> tuple[path, nameidata]:
    nd = nameidata(current, dfd, name)
    try:
        return path_parentat(nd, flags | LOOKUP_RCU), nd
    finally:
        restore_nameidata(nd)


def filename_parentat(current: task_struct, dfd: int, name: filename, flags: int) -> tuple[path, nameidata]:
    """Find the directory of a path; last, last_type and _trailing of the walk tell of the last component."""
    return __filename_parentat(current, dfd, name, flags)


def user_path_at_empty(current: task_struct, dfd: int, name: int, flags: int) -> path:
    """Find the path whose name is in user memory."""
    filename = getname_flags(current, name, flags)
    try:
        return filename_lookup(current, dfd, filename, flags)
    finally:
        putname(current, filename)


def user_path_at(current: task_struct, dfd: int, name: int, flags: int) -> path:
    """Find the path whose name is in user memory; not an empty one."""
    return user_path_at_empty(current, dfd, name, flags)


def kern_path(current: task_struct, name: bytes, flags: int) -> path:
    """Find a path; path_put() when done."""
    filename = getname_kernel(current, name)
    try:
        return filename_lookup(current, AT_FDCWD, filename, flags)
    finally:
        putname(current, filename)


def lookup_dcache(name: qstr, dir: dentry, flags: int) -> dentry | None:
    """Find a name in the cache."""
    entry = d_lookup(dir, name)
    if entry is not None and entry.d_flags & DCACHE_OP_REVALIDATE and d_revalidate(entry, flags) <= 0:
        d_invalidate(entry)
        dput(entry)
        return None
    return entry


def lookup_one_qstr_excl(name: qstr, base: dentry, flags: int) -> dentry:
    """Find a name in a directory, to be made or removed; negative when it does not exist. ENOENT: base is gone."""
    found = lookup_dcache(name, base, flags)
    if found is not None:
        return found
    dir = base.d_inode
    assert dir is not None
    if dir.i_flags & S_DEAD:
        raise KernelError(ENOENT)
    entry = d_alloc(base, name)
    if dir.i_op.lookup is None:
        return _lookup(base, entry, flags)
    try:
        old = dir.i_op.lookup(dir, entry, flags)
    except KernelError:
        dput(entry)
        raise
    if old is None:
        return entry
    dput(entry)
    return old


def filename_create(
    current: task_struct, dfd: int, name: filename, lookup_flags: int
) -> tuple[dentry, path]:
    """A negative dentry at which to make a file, and its directory; done_path_create() must follow.

    EEXIST; ENOENT: slashes follow the name and it is not to be a directory; EROFS.
    """
    want_flags = lookup_flags & (LOOKUP_REVAL | LOOKUP_DIRECTORY)
    create_flags = LOOKUP_CREATE | LOOKUP_EXCL
    place, nd = filename_parentat(current, dfd, name, want_flags & LOOKUP_REVAL)
    write_error: KernelError | None = None
    try:
        if nd.last_type != LAST_NORM:
            raise KernelError(EEXIST)
        try:
            mnt_want_write(place.mnt)
        except KernelError as error:
            write_error = error
        bare_name = nd._trailing and not want_flags & LOOKUP_DIRECTORY
        try:
            entry = lookup_one_qstr_excl(nd.last, place.dentry, want_flags | (0 if bare_name else create_flags))
            _check_creatable(entry, bare_name, write_error)
        except KernelError:
            if write_error is None:
                mnt_drop_write(place.mnt)
            raise
    except KernelError:
        path_put(place)
        raise
    return entry, place


def _check_creatable(entry: dentry, bare_name: bool, write_error: KernelError | None) -> None:
    try:
        if entry.d_inode is not None:
            raise KernelError(EEXIST)
        if bare_name:
            raise KernelError(ENOENT)
        if write_error is not None:
            raise write_error
    except KernelError:
        dput(entry)
        raise


def kern_path_create(current: task_struct, dfd: int, pathname: bytes, lookup_flags: int) -> tuple[dentry, path]:
    """As filename_create(), with a name of the kernel's own: (dentry, directory)."""
    filename = getname_kernel(current, pathname)
    try:
        return filename_create(current, dfd, filename, lookup_flags)
    finally:
        putname(current, filename)


def done_path_create(place: path, entry: dentry) -> None:
    """The file was made, or not."""
    dput(entry)
    mnt_drop_write(place.mnt)
    dput(place.dentry)
    mntput(place.mnt)
