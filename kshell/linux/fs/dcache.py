"""The directory cache (fs/dcache.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.stat import S_IFDIR, S_IFMT, S_IFREG
from kshell.linux.fs.inode import iput
from kshell.linux.include.linux.dcache import (
    DCACHE_CANT_MOUNT,
    DCACHE_DENTRY_KILLED,
    DCACHE_DIRECTORY_TYPE,
    DCACHE_DONTCACHE,
    DCACHE_ENTRY_TYPE,
    DCACHE_NORCU,
    DCACHE_OP_COMPARE,
    DCACHE_OP_DELETE,
    DCACHE_OP_PRUNE,
    DCACHE_REGULAR_TYPE,
    DCACHE_SPECIAL_TYPE,
    DCACHE_SYMLINK_TYPE,
    SLASH_NAME,
    dentry,
    dentry_operations,
    qstr,
)
from kshell.linux.kernel.rcu.tree import call_rcu
from kshell.linux.mm.slab_common import kmem_cache_create
from kshell.linux.mm.slub import kmem_cache_alloc_lru, kmem_cache_free
from kshell.linux.security.security import security_d_instantiate

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import inode, super_block
    from kshell.linux.init.kernel import Kernel

DENTRY_SIZE = 192
NO_ENTRY_TYPE = ~DCACHE_ENTRY_TYPE


def dcache_init(kernel: Kernel) -> None:
    """Set up the cache of dentries and its hash table."""
    kernel.dentry_cache = kmem_cache_create(kernel, "dentry", DENTRY_SIZE)


def always_delete_dentry(dentry: dentry) -> int:
    """d_delete of file systems whose unused dentries are worth nothing."""
    return 1


def __d_alloc(sb: super_block, name: qstr) -> dentry:
    """A dentry that is its own parent."""
    new = kmem_cache_alloc_lru(sb.kernel.dentry_cache, dentry)
    new.d_name = name
    new.d_lockref = 1
    new.d_flags = new.d_time = 0
    new.d_hash = False
    new.d_inode = new._d_parent = new.d_u = new.d_subdirs = new.d_fsdata = None
    new.d_sb = sb
    d_set_d_op(new, sb.s_d_op)
    return new


def d_alloc(parent: dentry, name: qstr) -> dentry:
    """A negative dentry in a directory; lookups do not find it yet."""
    new = __d_alloc(parent.d_sb, name)
    parent.d_lockref += 1
    new._d_parent = parent
    children = parent.d_subdirs
    if children is None:
        children = parent.d_subdirs = {}
    children[new] = None
    return new


def d_alloc_anon(sb: super_block) -> dentry:
    """A dentry for a root."""
    return __d_alloc(sb, SLASH_NAME)


def d_alloc_pseudo(sb: super_block, name: qstr) -> dentry:
    """A dentry of a file that no directory holds (socket, pipe, …)."""
    new = __d_alloc(sb, name)
    new.d_flags |= DCACHE_NORCU
    return new


def d_set_d_op(dentry: dentry, op: dentry_operations | None) -> None:
    """Give the dentry its operations."""
    dentry.d_op = op
    if op is not None:
        dentry.d_flags |= op._flags


def d_flags_for_inode(inode: inode | None) -> int:
    """The kind of a dentry of this inode, as DCACHE_ENTRY_TYPE."""
    if inode is None:
        return 0
    kind = inode.i_mode & S_IFMT
    if kind == S_IFDIR:
        return DCACHE_DIRECTORY_TYPE
    if inode.i_op.get_link:
        return DCACHE_SYMLINK_TYPE
    return DCACHE_REGULAR_TYPE if kind == S_IFREG else DCACHE_SPECIAL_TYPE


def __d_instantiate(dentry: dentry, inode: inode) -> None:
    dentry.d_flags = dentry.d_flags & NO_ENTRY_TYPE | d_flags_for_inode(inode)
    dentry.d_u = inode.i_dentry
    inode.i_dentry = dentry
    dentry.d_inode = inode


def d_instantiate(entry: dentry, inode: inode | None) -> None:
    """Make a negative dentry stand for the inode, whose reference it takes over."""
    if inode is not None:
        security_d_instantiate(entry, inode)
        __d_instantiate(entry, inode)


def d_make_root(root_inode: inode) -> dentry:
    """The root dentry of a file system."""
    root = d_alloc_anon(root_inode.i_sb)
    d_instantiate(root, root_inode)
    return root


def __d_rehash(entry: dentry) -> None:
    assert entry._d_parent is not None
    entry.d_sb.kernel.dentry_hashtable[entry._d_parent, entry.d_name.name] = entry
    entry.d_hash = True


def d_add(entry: dentry, inode: inode | None) -> None:
    """Instantiate a dentry (None: the name does not exist) and let lookups find it."""
    if inode is not None:
        security_d_instantiate(entry, inode)
        __d_instantiate(entry, inode)
    __d_rehash(entry)


def d_splice_alias(inode: inode | None, entry: dentry) -> dentry | None:
    """The end of a lookup(): d_add(); None says that entry itself is the result."""
    d_add(entry, inode)
    return None


def ___d_drop(entry: dentry) -> None:
    table = entry.d_sb.kernel.dentry_hashtable
    assert entry._d_parent is not None
    if table.get((entry._d_parent, entry.d_name.name)) is entry:
        del table[entry._d_parent, entry.d_name.name]


def __d_drop(entry: dentry) -> None:
    """Let lookups no longer find the dentry."""
    if entry.d_hash:
        ___d_drop(entry)
        entry.d_hash = False


def d_same_name(entry: dentry, parent: dentry, name: qstr) -> bool:
    """Whether the dentry bears the name, in the file system's opinion."""
    if entry.d_flags & DCACHE_OP_COMPARE:
        assert entry.d_op is not None
        assert entry.d_op.d_compare is not None
        return entry.d_op.d_compare(entry, len(entry.d_name.name), entry.d_name.name, name) == 0
    return entry.d_name.name == name.name


def __d_lookup_rcu(parent: dentry, name: qstr) -> dentry | None:
    """The child of that name, without a reference."""
    found = parent.d_sb.kernel.dentry_hashtable.get((parent, name.name))
    if found is not None and found.d_flags & DCACHE_OP_COMPARE and not d_same_name(found, parent, name):
        return None
    return found


def __d_lookup(parent: dentry, name: qstr) -> dentry | None:
    """The child of that name, with a reference."""
    found = parent.d_sb.kernel.dentry_hashtable.get((parent, name.name))
    if found is None or not d_same_name(found, parent, name):
        return None
    found.d_lockref += 1
    return found


def d_lookup(parent: dentry, name: qstr) -> dentry | None:
    """The child of that name, with a reference."""
    return __d_lookup(parent, name)


def dentry_unlink_inode(entry: dentry) -> None:
    """Make the dentry negative; the inode loses a name."""
    inode = entry.d_inode
    assert inode is not None
    entry.d_flags &= NO_ENTRY_TYPE
    entry.d_inode = None
    if inode.i_dentry is entry:
        inode.i_dentry = entry.d_u
    else:
        _unlink_alias(inode, entry)
    entry.d_u = None
    op = entry.d_op
    if op is not None and op.d_iput:
        op.d_iput(entry, inode)
    else:
        iput(inode)


def _unlink_alias(inode: inode, entry: dentry) -> None:
    alias = inode.i_dentry
    while alias is not None and alias.d_u is not entry:
        alias = alias.d_u
    assert alias is not None
    alias.d_u = entry.d_u


def dput(entry: dentry | None) -> None:
    """Drop a reference; a dentry that nobody uses and no lookup can find goes, and then perhaps its parent."""
    while entry is not None:
        entry.d_lockref -= 1
        if entry.d_lockref > 0 or (entry.d_hash and retain_dentry(entry)):
            return
        entry = __dentry_kill(entry)


def retain_dentry(entry: dentry) -> bool:
    """Whether an unused dentry that lookups find is worth keeping."""
    if entry.d_flags & DCACHE_DONTCACHE:
        return False
    if entry.d_flags & DCACHE_OP_DELETE:
        assert entry.d_op is not None
        assert entry.d_op.d_delete is not None
        return not entry.d_op.d_delete(entry)
    return True


def __dentry_kill(entry: dentry) -> dentry | None:
    """Free an unused dentry; the parent, of which a reference is now to be dropped."""
    parent = entry._d_parent
    if entry.d_flags & DCACHE_OP_PRUNE:
        entry.d_op.d_prune(entry)  # type: ignore[union-attr,misc]  # the flag says that it is there
    if parent is not None:
        if entry.d_hash:
            __d_drop(entry)
        assert parent.d_subdirs is not None
        del parent.d_subdirs[entry]
    entry.d_flags |= DCACHE_DENTRY_KILLED
    if entry.d_inode is not None:
        dentry_unlink_inode(entry)
    if entry.d_op is not None and entry.d_op.d_release:
        entry.d_op.d_release(entry)
    dentry_free(entry)
    return parent


def dentry_free(entry: dentry) -> None:
    """Free the struct, after a grace period if a lookup could have seen it."""
    if entry.d_flags & DCACHE_NORCU:
        __d_free(entry)
    else:
        call_rcu(entry.d_sb.kernel, __d_free, entry)  # type: ignore[arg-type]  # the head is always a dentry


def __d_free(head: dentry) -> None:
    if head._d_parent is not None:
        head._d_parent = None
    if head.d_subdirs is not None:
        head.d_subdirs = None
    kmem_cache_free(head.d_sb.kernel.dentry_cache, head)


def d_delete(entry: dentry) -> None:
    """The name was removed: make the dentry negative, or unhash it when it is still in use."""
    if entry.d_lockref == 1:
        entry.d_flags &= ~DCACHE_CANT_MOUNT
        dentry_unlink_inode(entry)
    else:
        __d_drop(entry)


def d_move(entry: dentry, target: dentry) -> None:
    """The file was renamed: entry takes the name and place of target, which lookups no longer find."""
    __d_move(entry, target, False)


def d_exchange(entry: dentry, target: dentry) -> None:
    """Both files were renamed to each other's name."""
    __d_move(entry, target, True)


def __d_move(entry: dentry, target: dentry, exchange: bool) -> None:
    old_parent, new_parent = entry._d_parent, target._d_parent
    assert old_parent is not None
    assert new_parent is not None
    __d_drop(entry)
    __d_drop(target)
    if exchange:
        entry.d_name, target.d_name = target.d_name, entry.d_name
        _reparent(target, new_parent, old_parent)
    else:
        entry.d_name = target.d_name
    _reparent(entry, old_parent, new_parent)
    __d_rehash(entry)
    if exchange:
        __d_rehash(target)


def _reparent(entry: dentry, old: dentry, new: dentry) -> None:
    if old is new:
        return
    assert old.d_subdirs is not None
    del old.d_subdirs[entry]
    if new.d_subdirs is None:
        new.d_subdirs = {}
    new.d_subdirs[entry] = None
    entry._d_parent = new
    new.d_lockref += 1
    old.d_lockref -= 1


def is_subdir(new_dentry: dentry, old_dentry: dentry) -> bool:
    """Whether new_dentry is old_dentry or lies below it."""
    return new_dentry is old_dentry or d_ancestor(old_dentry, new_dentry) is not None


def d_ancestor(p1: dentry, p2: dentry) -> dentry | None:
    """The child of p1 that is p2 or leads to it; None when p2 does not lie below p1."""
    p = p2
    while p._d_parent is not None:
        if p._d_parent is p1:
            return p
        p = p._d_parent
    return None
