"""Registering settings: trees of directories and the tables in them (fs/proc/proc_sysctl.c).

The machine's tree holds what belongs to all. A namespace's tables stand in a tree of its own; the machine's tree has
a link for each of their entries, which leads everybody to the entry of his namespace.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EEXIST, EINVAL, ENOENT, ENOTDIR, EROFS
from kshell.abi.stat import S_IFDIR, S_IFLNK, S_IFMT, S_IRUGO, S_IRWXUGO, S_IWUGO, S_IXUGO
from kshell.linux.fs.dcache_shrink import d_invalidate
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.sysctl import (
    ctl_dir,
    ctl_table,
    ctl_table_header,
    ctl_table_root,
    ctl_table_set,
    table_copy,
)
from kshell.linux.kernel.printk import pr_err
from kshell.linux.kernel.sysctl import proc_dou8vec_minmax, proc_douintvec, proc_douintvec_minmax

if TYPE_CHECKING:
    from collections.abc import Callable

    from kshell.linux.include.linux.fs import inode
    from kshell.linux.include.linux.sched import task_struct
    from kshell.linux.init.kernel import Kernel

Table = tuple[ctl_table, ...]
DIR_MODE = S_IFDIR | S_IRUGO | S_IXUGO
RW_UGO = S_IRUGO | S_IWUGO
SIZES: dict[object, int] = {proc_douintvec: 4, proc_douintvec_minmax: 4, proc_dou8vec_minmax: 1}

root_table = (ctl_table("", mode=DIR_MODE),)
sysctl_mount_point: Table = ()


def _empty(header: ctl_table_header) -> bool:
    return header.ctl_table[:1] != () and header.ctl_table[0].child is sysctl_mount_point


def find_entry(dir: ctl_dir, name: str) -> tuple[ctl_table_header | ctl_dir, ctl_table] | None:
    """The entry of that name, with the directory it is or the registration that holds it."""
    return dir.root.get(name)


def sysctl_print_dir(dir: ctl_dir) -> str:
    """The path of a directory, for messages."""
    parent = dir.header.parent
    return f"{sysctl_print_dir(parent) if parent is not None else ''}{dir.header.ctl_table[0].procname}/"


def _insert_entries(head: ctl_table_header, holder: ctl_table_header | ctl_dir) -> None:
    """Put the entries of a table into its directory. EEXIST."""
    assert head.parent is not None
    root = head.parent.root
    for entry in head.ctl_table:
        if root.setdefault(entry.procname, (holder, entry))[1] is not entry:
            pr_err(head.set._kernel, f"sysctl duplicate entry: {sysctl_print_dir(head.parent)}{entry.procname}")
            raise KernelError(EEXIST)


def erase_header(head: ctl_table_header) -> None:
    """Take the entries of a table out of its directory."""
    assert head.parent is not None
    root = head.parent.root
    for name in [name for name, (holder, entry) in root.items() if _header_of(holder) is head]:
        del root[name]


def _header_of(holder: ctl_table_header | ctl_dir) -> ctl_table_header:
    return holder.header if isinstance(holder, ctl_dir) else holder


def insert_header(dir: ctl_dir, header: ctl_table_header, holder: ctl_dir | None = None) -> None:
    """Put a table into a directory (holder: the directory that it describes). EROFS, EINVAL, EEXIST."""
    if _empty(dir.header):
        raise KernelError(EROFS)
    if header.ctl_table is sysctl_mount_point:
        if dir.root:
            raise KernelError(EINVAL)
        dir.header.ctl_table = (ctl_table(dir.header.ctl_table[0].procname, mode=DIR_MODE, child=sysctl_mount_point),)
    dir.header.nreg += 1
    header.parent = dir
    try:
        insert_links(header)
        _insert_entries(header, holder or header)
    except KernelError:
        erase_header(header)
        put_links(header)
        header.parent = None
        drop_sysctl_table(dir.header)
        raise


def _core(set: ctl_table_set) -> ctl_table_set:
    return set._kernel.sysctl_table_root.default_set


def find_subdir(dir: ctl_dir, name: str) -> ctl_dir:
    """The directory of that name in a directory. ENOENT, ENOTDIR."""
    found = dir.root.get(name)
    if found is None:
        raise KernelError(ENOENT)
    if not isinstance(found[0], ctl_dir):
        raise KernelError(ENOTDIR)
    return found[0]


def new_dir(set: ctl_table_set, name: str) -> ctl_dir:
    """An empty directory."""
    return ctl_dir(ctl_table_header(set.dir.header.root, set, (ctl_table(name, mode=DIR_MODE),)))


def get_subdir(dir: ctl_dir, name: str) -> ctl_dir:
    """The directory of that name, made if need be; the caller's registration moves from dir to it. ENOTDIR."""
    found = dir.root.get(name)
    if found is None:
        subdir = new_dir(dir.header.set, name)
        insert_header(dir, subdir.header, subdir)
    else:
        subdir = find_subdir(dir, name)
        subdir.header.nreg += 1
    drop_sysctl_table(dir.header)
    return subdir


def xlate_dir(set: ctl_table_set, dir: ctl_dir) -> ctl_dir | None:
    """The directory of the same path in another tree."""
    if dir.header.parent is None:
        return set.dir
    parent = xlate_dir(set, dir.header.parent)
    found = parent.root.get(dir.header.ctl_table[0].procname) if parent is not None else None
    return found[0] if found is not None and isinstance(found[0], ctl_dir) else None


def new_links(dir: ctl_dir, table: Table, link_root: ctl_table_root) -> ctl_table_header:
    """Links to the entries of a namespace's table."""
    links = ctl_table_header(dir.header.root, dir.header.set, ())
    links.nreg = len(table)
    links.parent = dir
    dir.header.nreg += 1
    link = (links, ctl_table("", link_root, mode=S_IFLNK | S_IRWXUGO))
    dir.root.update(dict.fromkeys([entry.procname for entry in table], link))
    return links


def get_links(dir: ctl_dir, table: Table, link_root: ctl_table_root) -> bool:
    """Whether the machine's tree has a link for each entry; if so, count one more user of each."""
    found = [dir.root.get(entry.procname) for entry in table]
    for entry, place in zip(table, found, strict=True):
        if place is None or not _leads_to(place[1], entry, link_root):
            return False
    for place in found:
        assert place is not None
        _header_of(place[0]).nreg += 1
    return True


def _leads_to(link: ctl_table, entry: ctl_table, link_root: ctl_table_root) -> bool:
    if link.mode & S_IFMT == S_IFDIR:
        return entry.mode & S_IFMT == S_IFDIR
    return link.mode & S_IFMT == S_IFLNK and link.data is link_root


def insert_links(head: ctl_table_header) -> None:
    """Have the machine's tree lead to a namespace's table."""
    core = _core(head.set)
    if head.set is core:
        return
    assert head.parent is not None
    core_parent = xlate_dir(core, head.parent)
    if core_parent is not None and not get_links(core_parent, head.ctl_table, head.root):
        new_links(core_parent, head.ctl_table, head.root)


def put_links(header: ctl_table_header) -> None:
    """A namespace's table goes: its links lose a user."""
    core = _core(header.set)
    if header.set is core or header.parent is None:
        return
    core_parent = xlate_dir(core, header.parent)
    for entry in header.ctl_table if core_parent is not None else ():
        assert core_parent is not None
        place = core_parent.root.get(entry.procname)
        if place is not None and _leads_to(place[1], entry, header.root):
            drop_sysctl_table(_header_of(place[0]))


def sysctl_check_table(kernel: Kernel, path: str, table: Table) -> None:
    """Refuse tables that make no sense. EINVAL."""
    mistakes = [(entry, mistake) for entry in table if (mistake := _mistake(entry))]
    for entry, mistake in mistakes:
        pr_err(kernel, f"sysctl table check failed: {path}/{entry.procname} {mistake}")
    if mistakes:
        raise KernelError(EINVAL)


def _mistake(entry: ctl_table) -> str:
    handler, mode = entry.proc_handler, entry.mode
    if handler is None:
        return "No proc_handler"
    if handler in SIZES and SIZES[handler] != entry.maxlen:
        return "array not allowed"
    if entry.child is not None:
        return "Not a file"
    return f"bogus .mode 0{mode:o}" if mode & ~RW_UGO else ""


def __register_sysctl_table(
    set: ctl_table_set, path: str, table: Table, copy: table_copy | None = None
) -> ctl_table_header:
    """Put a table of files into the directory `path`, which is made as needed. EINVAL, EEXIST, ENOTDIR."""
    sysctl_check_table(set._kernel, path, table)
    header = ctl_table_header(set.dir.header.root, set, table)
    header._copy = copy
    dir = set.dir
    dir.header.nreg += 1
    for name in path.split("/"):
        if name:
            dir = get_subdir(dir, name)
    try:
        insert_header(dir, header)
    finally:
        drop_sysctl_table(dir.header)
    return header


def register_sysctl(kernel: Kernel, path: str, table: Table) -> ctl_table_header:
    """Register settings of the machine, such as "kernel" or "net/ipv4"."""
    return __register_sysctl_table(kernel.sysctl_table_root.default_set, path, table)


def __register_sysctl_init(kernel: Kernel, path: str, table: Table) -> None:
    register_sysctl(kernel, path, table)


def register_sysctl_init(kernel: Kernel, path: str, table: Table) -> None:
    """register_sysctl() of settings that stay for good."""
    __register_sysctl_init(kernel, path, table)


def register_leaf_sysctl_tables(kernel: Kernel, path: str, table: Table) -> None:
    """Register a table whose rows are files, or directories with tables of their own (child)."""
    files = tuple(entry for entry in table if entry.child is None)
    if files:
        register_sysctl(kernel, path, files)
    for entry in table:
        if entry.child is not None:
            register_leaf_sysctl_tables(kernel, f"{path}/{entry.procname}", entry.child)


def register_sysctl_base(kernel: Kernel, name: str, table: Table) -> None:
    """Register a directory of the root."""
    register_leaf_sysctl_tables(kernel, name, table)


def start_unregistering(header: ctl_table_header) -> None:
    """Nobody shall find the table any more."""
    header.unregistering = True
    proc_sys_invalidate_dcache(header)
    erase_header(header)


def proc_sys_invalidate_dcache(head: ctl_table_header) -> None:
    """Drop the dentries of a table that goes."""
    for inode in list(head.inodes or ()):
        if inode.i_dentry is not None:
            d_invalidate(inode.i_dentry)


def proc_sys_evict_inode(inode: inode, place: ctl_table_header | ctl_dir) -> None:
    """An inode goes."""
    head = place.header if isinstance(place, ctl_dir) else place
    assert head.inodes is not None
    head.inodes.remove(inode)
    head.count -= 1


def drop_sysctl_table(header: ctl_table_header) -> None:
    """One registration less; the last one takes the table, and perhaps its directory, away."""
    header.nreg -= 1
    if header.nreg:
        return
    parent = header.parent
    if parent is not None:
        put_links(header)
        start_unregistering(header)
    header.count -= 1
    if parent is not None:
        drop_sysctl_table(parent.header)


def unregister_sysctl_table(header: ctl_table_header | None) -> None:
    """Take a registered table away."""
    if header is not None:
        drop_sysctl_table(header)


def setup_sysctl_set(
    set: ctl_table_set, root: ctl_table_root, is_seen: Callable[[task_struct, ctl_table_set], bool] | None
) -> None:
    """Begin a tree."""
    set.is_seen = is_seen
    set.dir = ctl_dir(ctl_table_header(root, set, root_table))


def retire_sysctl_set(set: ctl_table_set) -> None:
    """A tree ends; its tables were unregistered before."""
    assert not set.dir.root


def lookup_header_set(current: task_struct, root: ctl_table_root) -> ctl_table_set:
    """The tree of a kind that current sees."""
    return root.lookup(current, root) if root.lookup is not None else root.default_set


def sysctl_follow_link(
    current: task_struct, head: ctl_table_header, name: str, link: ctl_table
) -> tuple[ctl_table_header | ctl_dir, ctl_table]:
    """The entry in current's namespace that a link leads to. ENOENT."""
    assert isinstance(link.data, ctl_table_root)
    assert head.parent is not None
    dir = xlate_dir(lookup_header_set(current, link.data), head.parent)
    found = dir.root.get(name) if dir is not None else None
    if found is None:
        raise KernelError(ENOENT)
    return found
