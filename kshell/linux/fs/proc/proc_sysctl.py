"""The files below /proc/sys (fs/proc/proc_sysctl.c)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from kshell.abi.errno import EACCES, ECHILD, EFAULT, EINVAL, ENOENT, ENOMEM, EPERM
from kshell.abi.poll import EPOLLERR, EPOLLHUP, EPOLLIN, EPOLLPRI, EPOLLRDNORM
from kshell.abi.stat import S_IFDIR, S_IFLNK, S_IFMT, S_IFREG
from kshell.linux.fs.attr import setattr_copy, setattr_prepare
from kshell.linux.fs.dcache import d_alloc, d_lookup, d_set_d_op, d_splice_alias, dput
from kshell.linux.fs.inode import current_time, get_next_ino, new_inode
from kshell.linux.fs.libfs import generic_read_dir
from kshell.linux.fs.libfs_dir import dir_emit_dots
from kshell.linux.fs.proc.generic import proc_mkdir
from kshell.linux.fs.proc.inode import PROC_I
from kshell.linux.fs.proc.proc_sysctl_register import find_entry, setup_sysctl_set, sysctl_follow_link
from kshell.linux.fs.read_write import default_llseek, generic_file_llseek
from kshell.linux.fs.splice_to_file import iter_file_splice_write
from kshell.linux.fs.splice_to_pipe import generic_file_splice_read
from kshell.linux.fs.stat import generic_fillattr
from kshell.linux.include.linux.dcache import dentry, dentry_operations, qstr
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fs import (
    DOTS,
    MAY_EXEC,
    MAY_NOT_BLOCK,
    MAY_READ,
    MAY_WRITE,
    dir_context,
    file_operations,
    inode,
    inode_operations,
)
from kshell.linux.include.linux.fs_attr import ATTR_GID, ATTR_MODE, ATTR_UID
from kshell.linux.include.linux.namei import LOOKUP_RCU
from kshell.linux.include.linux.poll import DEFAULT_POLLMASK, poll_wait
from kshell.linux.include.linux.sysctl import (
    _bind,
    ctl_dir,
    ctl_table,
    ctl_table_header,
    ctl_table_poll,
    ctl_table_root,
    ctl_table_set,
)
from kshell.linux.kernel.groups import in_egroup_p
from kshell.linux.kernel.sysctl_tables import sysctl_init_bases
from kshell.linux.lib.iov_iter import copy_from_iter_full, copy_to_iter

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import file, kiocb, super_block
    from kshell.linux.include.linux.fs_attr import iattr
    from kshell.linux.include.linux.path import path
    from kshell.linux.include.linux.poll import poll_table_struct
    from kshell.linux.include.linux.sched import task_struct, user_namespace
    from kshell.linux.include.linux.stat import kstat
    from kshell.linux.include.linux.uio import iov_iter
    from kshell.linux.init.kernel import Kernel

KMALLOC_MAX_SIZE = 4 << 20


def sysctl_head_grab(head: ctl_table_header) -> ctl_table_header:
    """Use a table for a while. ENOENT: it is being taken away."""
    if head.unregistering:
        raise KernelError(ENOENT)
    return head


def _dir_of(inode: inode) -> ctl_dir:
    place = PROC_I(inode).sysctl
    if isinstance(place, ctl_dir):
        return place
    return inode.i_sb.kernel.sysctl_table_root.default_set.dir


def grab_header(inode: inode) -> ctl_table_header:
    """The table or directory of an inode. ENOENT."""
    place = PROC_I(inode).sysctl
    if isinstance(place, ctl_table_header):
        return sysctl_head_grab(place)
    return sysctl_head_grab(_dir_of(inode).header)


def test_perm(current: task_struct, mode: int, op: int) -> None:
    """Compare with the bits of root, its group or others. EACCES."""
    if current.cred.euid == 0:
        mode >>= 6
    elif in_egroup_p(current, 0):
        mode >>= 3
    if op & ~mode & (MAY_READ | MAY_WRITE | MAY_EXEC):
        raise KernelError(EACCES)


def sysctl_perm(head: ctl_table_header, table: ctl_table, op: int) -> None:
    """Whether current may read or write a setting; being root does not help where nobody may. EACCES."""
    permissions = head.root.permissions
    mode = permissions(head, table) if permissions is not None else table.mode
    test_perm(head.set._kernel.current, mode, op)


def proc_sys_make_inode(sb: super_block, place: ctl_table_header | ctl_dir, table: ctl_table) -> inode:
    """An inode of a setting or of a directory."""
    head = place.header if isinstance(place, ctl_dir) else place
    inode = new_inode(sb)
    inode.i_ino = get_next_ino(sb.kernel)
    info = PROC_I(inode)
    info.sysctl = place
    info.sysctl_entry = table if isinstance(place, ctl_dir) else _bind(head, table)
    if head.inodes is None:
        head.inodes = []
    head.inodes.append(inode)
    head.count += 1
    inode.i_atime = inode.i_mtime = inode.i_ctime = current_time(inode)
    if isinstance(place, ctl_dir):
        inode.i_mode = table.mode | S_IFDIR
        inode.i_op, inode.i_fop = proc_sys_dir_operations, proc_sys_dir_file_operations
    else:
        inode.i_mode = table.mode | S_IFREG
        inode.i_op, inode.i_fop = proc_sys_inode_operations, proc_sys_file_operations
    if head.root.set_ownership is not None:
        inode.i_uid, inode.i_gid = head.root.set_ownership(head)
    return inode


def proc_sys_lookup(dir: inode, entry: dentry, flags: int) -> dentry | None:
    """Find a name. ENOENT."""
    grab_header(dir)
    name = entry.d_name.name.decode("latin-1")
    found = find_entry(_dir_of(dir), name)
    if found is None:
        raise KernelError(ENOENT)
    place, table = found
    if table.mode & S_IFMT == S_IFLNK:
        assert isinstance(place, ctl_table_header)
        place, table = sysctl_follow_link(dir.i_sb.kernel.current, place, name, table)
    inode = proc_sys_make_inode(dir.i_sb, place, table)
    d_set_d_op(entry, proc_sys_dentry_operations)
    return d_splice_alias(inode, entry)


def proc_sys_call_handler(iocb: kiocb, iter: iov_iter, write: int) -> int:
    """Read or write a setting. EPERM, EINVAL, ENOMEM, EFAULT, and what the handler raises."""
    inode = iocb.ki_filp.f_inode
    head = grab_header(inode)
    table = PROC_I(inode).sysctl_entry
    assert table is not None
    try:
        sysctl_perm(head, table, MAY_WRITE if write else MAY_READ)
    except KernelError:
        raise KernelError(EPERM) from None
    if table.proc_handler is None:
        raise KernelError(EINVAL)
    count = [iter.count]
    if count[0] >= KMALLOC_MAX_SIZE:
        raise KernelError(ENOMEM)
    kbuf = bytearray(copy_from_iter_full(iter, count[0])) if write else bytearray()
    pos = [iocb.ki_pos]
    table.proc_handler(table, write, kbuf, count, pos)
    iocb.ki_pos = pos[0]
    if not write and copy_to_iter(bytes(kbuf), iter) < count[0]:
        raise KernelError(EFAULT)
    return count[0]


async def proc_sys_read(iocb: kiocb, iter: iov_iter) -> int:
    """Read a setting."""
    return proc_sys_call_handler(iocb, iter, 0)


async def proc_sys_write(iocb: kiocb, iter: iov_iter) -> int:
    """Write a setting."""
    return proc_sys_call_handler(iocb, iter, 1)


def _poll_of(inode: inode) -> ctl_table_poll | None:
    """The struct whose name in the kernel's globals stands in the row."""
    table = PROC_I(inode).sysctl_entry
    name = table.poll if table is not None else None
    return None if name is None else getattr(inode.i_sb.kernel, name)


async def proc_sys_open(inode: inode, filp: file) -> None:
    """open(): remember how often the setting has changed. ENOENT."""
    grab_header(inode)
    poll = _poll_of(inode)
    if poll is not None:
        filp.private_data = poll.event


def proc_sys_poll(filp: file, wait: poll_table_struct | None) -> int:
    """poll(): an exception says that the setting has changed since it was last asked."""
    poll = _poll_of(filp.f_inode)
    try:
        grab_header(filp.f_inode)
    except KernelError:
        return EPOLLERR | EPOLLHUP
    if poll is None:
        return DEFAULT_POLLMASK
    poll_wait(filp, poll.wait, wait)
    if filp.private_data == poll.event:
        return DEFAULT_POLLMASK
    filp.private_data = poll.event
    return EPOLLIN | EPOLLRDNORM | EPOLLERR | EPOLLPRI


def proc_sys_fill_cache(
    file: file, ctx: dir_context, place: ctl_table_header | ctl_dir, name: bytes, table: ctl_table
) -> bool:
    """Tell readdir() of one entry, whose inode is made for its number. False: there is no room."""
    dir = file.f_path.dentry
    child = d_lookup(dir, qstr(name))
    if child is None:
        child = d_alloc(dir, qstr(name))
        d_set_d_op(child, proc_sys_dentry_operations)
        d_splice_alias(proc_sys_make_inode(dir.d_sb, place, table), child)
    inode = child.d_inode
    assert inode is not None
    number, kind = inode.i_ino, inode.i_mode >> 12
    dput(child)
    return bool(ctx.actor(ctx, name, ctx.pos, number, kind))


def proc_sys_readdir(file: file, ctx: dir_context) -> None:
    """List a directory in the order of the names."""
    grab_header(file.f_inode)
    if not dir_emit_dots(file, ctx):
        return
    entries = sorted(_dir_of(file.f_inode).root.items())
    for name, (place, table) in entries[ctx.pos - DOTS :]:
        if table.mode & S_IFMT == S_IFLNK:
            assert isinstance(place, ctl_table_header)
            try:
                place, table = sysctl_follow_link(file._kernel.current, place, name, table)
            except KernelError:
                ctx.pos += 1
                continue
        if not proc_sys_fill_cache(file, ctx, place, name.encode("latin-1"), table):
            return
        ctx.pos += 1


def proc_sys_permission(mnt_userns: user_namespace, inode: inode, mask: int) -> None:
    """Permission: the table's mode, capabilities or not. EACCES."""
    if mask & MAY_EXEC and inode.i_mode & S_IFMT == S_IFREG:
        raise KernelError(EACCES)
    head = grab_header(inode)
    table = PROC_I(inode).sysctl_entry
    if table is not None:
        sysctl_perm(head, table, mask & ~MAY_NOT_BLOCK)
    elif mask & MAY_WRITE:
        raise KernelError(EACCES)


def proc_sys_setattr(mnt_userns: user_namespace, dentry: dentry, attr: iattr) -> None:
    """Mode and owner are fixed. EPERM."""
    if attr.ia_valid & (ATTR_MODE | ATTR_UID | ATTR_GID):
        raise KernelError(EPERM)
    inode = dentry.d_inode
    assert inode is not None
    setattr_prepare(mnt_userns, dentry, attr)
    setattr_copy(mnt_userns, inode, attr)


def proc_sys_getattr(
    mnt_userns: user_namespace, path: path, stat: kstat, request_mask: int, query_flags: int
) -> None:
    """Attributes. ENOENT."""
    inode = path.dentry.d_inode
    assert inode is not None
    grab_header(inode)
    generic_fillattr(mnt_userns, inode, stat)
    table = PROC_I(inode).sysctl_entry
    if table is not None:
        stat.mode = stat.mode & S_IFMT | table.mode & ~S_IFMT


proc_sys_file_operations = file_operations(
    open=proc_sys_open,
    poll=proc_sys_poll,
    read_iter=proc_sys_read,
    write_iter=proc_sys_write,
    splice_read=generic_file_splice_read,
    splice_write=iter_file_splice_write,
    llseek=default_llseek,
)
proc_sys_dir_file_operations = file_operations(
    read=generic_read_dir, iterate_shared=proc_sys_readdir, llseek=generic_file_llseek
)
proc_sys_inode_operations = inode_operations(
    permission=proc_sys_permission, setattr=proc_sys_setattr, getattr=proc_sys_getattr
)
proc_sys_dir_operations = inode_operations(
    lookup=proc_sys_lookup, permission=proc_sys_permission, setattr=proc_sys_setattr, getattr=proc_sys_getattr
)


def _sysctl_of(dentry: dentry) -> ctl_table_header | None:
    inode = dentry.d_inode
    place = PROC_I(inode).sysctl if inode is not None else None
    return place.header if isinstance(place, ctl_dir) else place


def proc_sys_revalidate(dentry: dentry, flags: int) -> int:
    """Whether the setting is still registered; asked outside RCU mode only."""
    if flags & LOOKUP_RCU:
        return -ECHILD
    head = _sysctl_of(dentry)
    return int(head is not None and not head.unregistering)


def proc_sys_delete(dentry: dentry) -> int:
    """An unused dentry of a setting that went is worth nothing."""
    head = _sysctl_of(dentry)
    return int(head is None or head.unregistering)


def sysctl_is_seen(current: task_struct, p: ctl_table_header) -> bool:
    """Whether a setting belongs to a namespace that current is in."""
    if p.unregistering:
        return False
    return p.set.is_seen is None or p.set.is_seen(current, p.set)


def proc_sys_compare(dentry: dentry, length: int, text: bytes, name: qstr) -> int:
    """0: the dentry bears the name and belongs to current's namespace."""
    if name.name != text:
        return 1
    head = _sysctl_of(dentry)
    return int(head is None or not sysctl_is_seen(dentry.d_sb.kernel.current, head))


proc_sys_dentry_operations = dentry_operations(
    d_revalidate=proc_sys_revalidate, d_delete=proc_sys_delete, d_compare=proc_sys_compare
)


def _init_root(kernel: Kernel) -> None:
    """Make the root of the tree, which Linux links in."""
    root = kernel.sysctl_table_root = ctl_table_root()
    root.default_set = ctl_table_set(kernel)
    setup_sysctl_set(root.default_set, root, None)


def proc_sys_init(kernel: Kernel) -> None:
    """Make /proc/sys."""
    root = proc_mkdir(kernel, "sys", None)
    root.proc_iops = proc_sys_dir_operations
    root.proc_dir_ops = proc_sys_dir_file_operations
    root.nlink = 0
    sysctl_init_bases(kernel)


def _sysctl_rows(tree: ctl_table_set) -> Iterator[tuple[str, ctl_table]]:
    """Every setting of a tree with its path."""
    waiting = [("", tree.dir)]
    while waiting:
        prefix, dir = waiting.pop()
        for name, (place, table) in dir.root.items():
            if isinstance(place, ctl_dir):
                waiting.append((f"{prefix}{name}/", place))
            elif table.procname:
                yield prefix + name, table


def _sysctl_entry(kernel: Kernel, path: str) -> ctl_table:
    """The setting of a path such as net/ipv4/ip_forward, as the first namespace has it. KeyError: there is none."""
    place: ctl_table_header | ctl_dir = kernel.sysctl_table_root.default_set.dir
    table: ctl_table | None = None
    for name in path.split("/"):
        if not isinstance(place, ctl_dir) or name not in place.root:
            raise KeyError(path)
        place, table = place.root[name]
        if table.mode & S_IFMT == S_IFLNK:
            assert isinstance(place, ctl_table_header)
            place, table = sysctl_follow_link(kernel.init_task, place, name, table)
    if table is None or isinstance(place, ctl_dir):
        raise KeyError(path)
    return _bind(place, table)


def _sysctl_set(kernel: Kernel, path: str, value: str) -> None:
    """Write `value` to a setting as root does at the beginning of its file. KeyError, KernelError."""
    table = _sysctl_entry(kernel, path)
    assert table.proc_handler is not None
    text = bytearray(value.encode("latin-1"))
    table.proc_handler(table, 1, text, [len(text)], [0])


def _sysctl_get(kernel: Kernel, path: str) -> str:
    """What the file of a setting reads, without the newline. KeyError."""
    table = _sysctl_entry(kernel, path)
    assert table.proc_handler is not None
    text = bytearray()
    table.proc_handler(table, 0, text, [1 << 20], [0])
    return text.decode("latin-1").rstrip("\n")
