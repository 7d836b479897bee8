"""Registering /proc entries (fs/proc/generic.c)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kshell.abi.errno import ECHILD, EEXIST, ENOENT
from kshell.abi.stat import S_IALLUGO, S_IFDIR, S_IFLNK, S_IFMT, S_IFREG, S_IRUGO, S_IWUGO, S_IXUGO
from kshell.linux.fs.dcache import d_set_d_op, d_splice_alias
from kshell.linux.fs.libfs import generic_read_dir
from kshell.linux.fs.libfs_dir import dir_emit_dots
from kshell.linux.fs.proc import inode as proc_inode_c
from kshell.linux.fs.read_write import generic_file_llseek
from kshell.linux.fs.seq_file import seq_lseek, seq_open, seq_read_iter, seq_release, single_open, single_release
from kshell.linux.fs.stat import generic_fillattr
from kshell.linux.include.linux.dcache import dentry, dentry_operations
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fs import DOTS, dir_context, file_operations, inode, inode_operations
from kshell.linux.include.linux.namei import LOOKUP_RCU
from kshell.linux.include.linux.proc_fs import proc_dir_entry, proc_ops
from kshell.linux.include.linux.proc_ns import PROC_DYNAMIC_FIRST
from kshell.linux.mm.slub import kmem_cache_alloc, kmem_cache_free

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import delayed_call, file
    from kshell.linux.include.linux.path import path
    from kshell.linux.include.linux.sched import user_namespace
    from kshell.linux.include.linux.seq_file import seq_file, seq_operations
    from kshell.linux.include.linux.stat import kstat
    from kshell.linux.init.kernel import Kernel

Show = Callable[["seq_file", object], "int | None"]


def proc_alloc_inum(kernel: Kernel) -> int:
    """A number for an entry."""
    used = kernel.proc_inum_ida
    number = len(used)
    while number in used:
        number += 1
    used.add(number)
    return PROC_DYNAMIC_FIRST + number


def proc_free_inum(kernel: Kernel, inum: int) -> None:
    """Give the number back."""
    kernel.proc_inum_ida.discard(inum - PROC_DYNAMIC_FIRST)


def pde_subdir_find(dir: proc_dir_entry, name: bytes) -> proc_dir_entry | None:
    """The entry of that name in a directory."""
    return dir.subdir.get(name)


def __xlate_proc_name(
    kernel: Kernel, name: str, parent: proc_dir_entry | None
) -> tuple[proc_dir_entry, bytes]:
    """The directory of a name with slashes, and its last part. ENOENT."""
    de = parent or kernel.proc_root
    *dirs, residual = name.encode("latin-1").split(b"/")
    for part in dirs:
        found = pde_subdir_find(de, part)
        if found is None:
            raise KernelError(ENOENT)
        de = found
    return de, residual


def __proc_create(
    kernel: Kernel, parent: proc_dir_entry | None, name: str, mode: int, nlink: int
) -> tuple[proc_dir_entry, proc_dir_entry]:
    """A new entry and its directory; not registered yet."""
    directory, last = __xlate_proc_name(kernel, name, parent)
    ent = kmem_cache_alloc(kernel.proc_dir_entry_cache, lambda: proc_dir_entry(kernel, last, mode))
    ent.nlink = nlink
    ent.proc_dops = proc_misc_dentry_ops
    return ent, directory


def proc_register(dir: proc_dir_entry, dp: proc_dir_entry) -> proc_dir_entry:
    """Put an entry into its directory. EEXIST: the name is taken (Linux warns and gives no entry)."""
    if dp.name in dir.subdir:
        raise KernelError(EEXIST)
    dp.low_ino = proc_alloc_inum(dp._kernel)
    dp.parent = dir
    if dp.mode & S_IFMT == S_IFDIR:
        dir.nlink += 1
    dir.subdir[dp.name] = dp
    return dp


def proc_symlink(kernel: Kernel, name: str, parent: proc_dir_entry | None, dest: str) -> proc_dir_entry:
    """Make a symbolic link."""
    ent, directory = __proc_create(kernel, parent, name, S_IFLNK | S_IRUGO | S_IWUGO | S_IXUGO, 1)
    ent.data = dest.encode("latin-1")
    ent.size = len(dest)
    ent.proc_iops = proc_link_inode_operations
    return proc_register(directory, ent)


def _proc_mkdir(
    kernel: Kernel, name: str, mode: int, parent: proc_dir_entry | None, data: object
) -> proc_dir_entry:
    """Make a directory."""
    ent, directory = __proc_create(kernel, parent, name, S_IFDIR | (mode or S_IRUGO | S_IXUGO), 2)
    ent.data = data
    ent.proc_dir_ops = proc_dir_operations
    ent.proc_iops = proc_dir_inode_operations
    return proc_register(directory, ent)


def proc_mkdir(kernel: Kernel, name: str, parent: proc_dir_entry | None) -> proc_dir_entry:
    """Make a directory that all may list."""
    return _proc_mkdir(kernel, name, 0, parent, None)


def proc_create_mount_point(kernel: Kernel, name: str) -> proc_dir_entry:
    """Make an empty directory to mount on."""
    ent, directory = __proc_create(kernel, None, name, S_IFDIR | S_IRUGO | S_IXUGO, 2)
    ent.proc_dir_ops = proc_dir_operations
    ent.proc_iops = proc_dir_inode_operations
    return proc_register(directory, ent)


def proc_create_reg(
    kernel: Kernel, name: str, mode: int, parent: proc_dir_entry | None, data: object
) -> tuple[proc_dir_entry, proc_dir_entry]:
    """A new file entry and its directory; mode 0: all may read."""
    if not mode & S_IFMT:
        mode |= S_IFREG
    if not mode & S_IALLUGO:
        mode |= S_IRUGO
    ent, directory = __proc_create(kernel, parent, name, mode, 1)
    ent.proc_iops = proc_file_inode_operations
    ent.data = data
    return ent, directory


def proc_seq_open(inode: inode, file: file) -> None:
    """open() of a file made by proc_create_seq()."""
    de = proc_inode_c.PDE(inode)
    assert de.seq_ops is not None
    m = seq_open(file, de.seq_ops)
    if de._state_cls is not None:
        m.private = de._state_cls()


def proc_seq_release(inode: inode, file: file) -> None:
    """release() of such a file."""
    seq_release(inode, file)


def proc_create_seq_private(
    kernel: Kernel,
    name: str,
    mode: int,
    parent: proc_dir_entry | None,
    ops: seq_operations,
    state: Callable[[], object] | None,
    data: object,
) -> proc_dir_entry:
    """Make a file with an iteration; state() makes a reader's private part."""
    ent, directory = proc_create_reg(kernel, name, mode, parent, data)
    ent.proc_ops = proc_seq_ops
    ent.seq_ops = ops
    ent._state_cls = state
    return proc_register(directory, ent)


def proc_create_seq(
    kernel: Kernel, name: str, mode: int, parent: proc_dir_entry | None, ops: seq_operations
) -> proc_dir_entry:
    """Make a file with an iteration."""
    return proc_create_seq_private(kernel, name, mode, parent, ops, None, None)


def proc_single_open(inode: inode, file: file) -> None:
    """open() of a file made by proc_create_single()."""
    de = proc_inode_c.PDE(inode)
    assert de.single_show is not None
    single_open(file, de.single_show, de.data)


def proc_create_single_data(
    kernel: Kernel, name: str, mode: int, parent: proc_dir_entry | None, show: Show, data: object
) -> proc_dir_entry:
    """Make a file that is one record; show(m, v) finds data in m.private."""
    ent, directory = proc_create_reg(kernel, name, mode, parent, data)
    ent.single_show = show
    ent.proc_ops = proc_single_ops
    return proc_register(directory, ent)


def proc_create_single(
    kernel: Kernel, name: str, mode: int, parent: proc_dir_entry | None, show: Show
) -> proc_dir_entry:
    """Make a file that is one record."""
    return proc_create_single_data(kernel, name, mode, parent, show, None)


def proc_remove(de: proc_dir_entry | None) -> None:
    """Remove an entry and all below it."""
    if de is None or de.parent is None:
        return
    for child in list(de.subdir.values()):
        proc_remove(child)
    if de.mode & S_IFMT == S_IFDIR:
        de.parent.nlink -= 1
    del de.parent.subdir[de.name]
    de.parent = None
    pde_put(de)


def remove_proc_entry(kernel: Kernel, name: str, parent: proc_dir_entry | None) -> None:
    """Remove an entry by name."""
    directory, last = __xlate_proc_name(kernel, name, parent)
    proc_remove(pde_subdir_find(directory, last))


def pde_get(pde: proc_dir_entry) -> proc_dir_entry:
    """Take a reference."""
    pde.refcnt += 1
    return pde


def pde_put(pde: proc_dir_entry) -> None:
    """Drop a reference; the last frees the entry."""
    pde.refcnt -= 1
    if not pde.refcnt:
        proc_free_inum(pde._kernel, pde.low_ino)
        kmem_cache_free(pde._kernel.proc_dir_entry_cache, pde)


def proc_misc_d_revalidate(dentry: dentry, flags: int) -> int:
    """Whether the entry is still registered; asked outside RCU mode only."""
    if flags & LOOKUP_RCU:
        return -ECHILD
    inode = dentry.d_inode
    assert inode is not None
    return int(proc_inode_c.PDE(inode).parent is not None)


def proc_misc_d_delete(dentry: dentry) -> int:
    """An unused dentry of a removed entry is worth nothing."""
    inode = dentry.d_inode
    assert inode is not None
    return int(proc_inode_c.PDE(inode).parent is None)


proc_misc_dentry_ops = dentry_operations(d_revalidate=proc_misc_d_revalidate, d_delete=proc_misc_d_delete)


def proc_lookup_de(dir: inode, entry: dentry, de: proc_dir_entry) -> dentry | None:
    """Find a name in a directory. ENOENT."""
    found = pde_subdir_find(de, entry.d_name.name)
    if found is None:
        raise KernelError(ENOENT)
    pde_get(found)
    inode = proc_inode_c.proc_get_inode(dir.i_sb, found)
    d_set_d_op(entry, found.proc_dops)
    return d_splice_alias(inode, entry)


def proc_lookup(dir: inode, entry: dentry, flags: int) -> dentry | None:
    """lookup() of a directory of registered entries."""
    return proc_lookup_de(dir, entry, proc_inode_c.PDE(dir))


def proc_readdir_de(file: file, ctx: dir_context, de: proc_dir_entry) -> None:
    """List a directory of registered entries, by name."""
    if not dir_emit_dots(file, ctx):
        return
    entries = sorted(de.subdir.values(), key=lambda child: (len(child.name), child.name))
    for child in entries[ctx.pos - DOTS :]:
        if not ctx.actor(ctx, child.name, ctx.pos, child.low_ino, child.mode >> 12 & 15):
            return
        ctx.pos += 1


def proc_readdir(file: file, ctx: dir_context) -> None:
    """List a directory of registered entries."""
    proc_readdir_de(file, ctx, proc_inode_c.PDE(file.f_inode))


def proc_getattr(
    mnt_userns: user_namespace, path: path, stat: kstat, request_mask: int, query_flags: int
) -> None:
    """Attributes; the link count is the entry's."""
    inode = path.dentry.d_inode
    assert inode is not None
    de = proc_inode_c.PDE(inode)
    inode.i_nlink = de.nlink
    generic_fillattr(mnt_userns, inode, stat)


def proc_put_link(p: object) -> None:
    """A link's text was used."""


def proc_get_link(dentry: dentry | None, inode: inode, done: delayed_call) -> bytes | None:
    """The text of a link."""
    done.fn = proc_put_link
    data = proc_inode_c.PDE(inode).data
    assert isinstance(data, bytes)
    return data


proc_dir_operations = file_operations(
    llseek=generic_file_llseek, read=generic_read_dir, iterate_shared=proc_readdir
)
proc_dir_inode_operations = inode_operations(lookup=proc_lookup, getattr=proc_getattr)
proc_file_inode_operations = inode_operations()
proc_link_inode_operations = inode_operations(get_link=proc_get_link)
proc_seq_ops = proc_ops(
    proc_open=proc_seq_open,
    proc_read_iter=seq_read_iter,
    proc_lseek=seq_lseek,
    proc_release=proc_seq_release,
)
proc_single_ops = proc_ops(
    proc_open=proc_single_open,
    proc_read_iter=seq_read_iter,
    proc_lseek=seq_lseek,
    proc_release=single_release,
)
