"""/proc/net: entries of network namespaces (fs/proc/proc_net.c)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kshell.abi.errno import EINVAL
from kshell.abi.stat import S_IFDIR, S_IRUGO, S_IXUGO
from kshell.linux.fs.libfs import generic_read_dir
from kshell.linux.fs.proc.generic import (
    _proc_mkdir,
    proc_create_reg,
    proc_lookup_de,
    proc_readdir_de,
    proc_register,
    proc_remove,
    proc_symlink,
)
from kshell.linux.fs.proc.inode import PDE, PROC_I
from kshell.linux.fs.read_write import generic_file_llseek
from kshell.linux.fs.seq_file import (
    __seq_open_private,
    seq_lseek,
    seq_read,
    seq_release,
    single_open,
    single_release,
)
from kshell.linux.fs.stat import generic_fillattr
from kshell.linux.include.linux.dcache import DCACHE_DONTCACHE, dentry
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fs import dir_context, file_operations, inode, inode_operations
from kshell.linux.include.linux.proc_fs import proc_dir_entry, proc_ops
from kshell.linux.include.linux.sched import PIDTYPE_PID
from kshell.linux.include.linux.seq_file import seq_net_private
from kshell.linux.include.net.net_namespace import pernet_operations
from kshell.linux.kernel.pid import pid_task
from kshell.linux.mm.slub import kmem_cache_alloc, kmem_cache_free
from kshell.linux.net.core.net_namespace import register_pernet_subsys

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import file
    from kshell.linux.include.linux.path import path
    from kshell.linux.include.linux.sched import user_namespace
    from kshell.linux.include.linux.seq_file import seq_file, seq_operations
    from kshell.linux.include.linux.stat import kstat
    from kshell.linux.include.net.net_namespace import net
    from kshell.linux.init.kernel import Kernel

Show = Callable[["seq_file", object], "int | None"]
State = Callable[[], seq_net_private]


def _net_of(de: proc_dir_entry) -> net:
    while de._net is None:
        assert de.parent is not None
        de = de.parent
    return de._net


def get_proc_net(inode: inode) -> net:
    """The namespace that an entry shows."""
    return _net_of(PDE(inode))


def seq_file_net(seq: seq_file) -> net:
    """The namespace that a reader sees."""
    private = seq.private
    assert isinstance(private, seq_net_private)
    return private.net


def seq_open_net(inode: inode, file: file) -> None:
    """open() of a file with an iteration."""
    de = PDE(inode)
    assert de.seq_ops is not None
    state = __seq_open_private(file, de.seq_ops, de._state_cls or seq_net_private)
    assert isinstance(state, seq_net_private)
    state.net = get_proc_net(inode)


def seq_release_net(inode: inode, file: file) -> None:
    """release() of such a file."""
    seq_release(inode, file)


def single_open_net(inode: inode, file: file) -> None:
    """open() of a file that is one record."""
    de = PDE(inode)
    assert de.single_show is not None
    single_open(file, de.single_show, get_proc_net(inode))


def single_release_net(ino: inode, f: file) -> None:
    """release() of such a file."""
    single_release(ino, f)


proc_net_seq_ops = proc_ops(
    proc_open=seq_open_net, proc_read=seq_read, proc_lseek=seq_lseek, proc_release=seq_release_net
)
proc_net_single_ops = proc_ops(
    proc_open=single_open_net, proc_read=seq_read, proc_lseek=seq_lseek, proc_release=single_release_net
)


def proc_create_net_data(
    kernel: Kernel,
    name: str,
    mode: int,
    parent: proc_dir_entry,
    ops: seq_operations,
    state: State | None,
    data: object,
) -> proc_dir_entry:
    """Make a file with an iteration in a namespace's directory.

    state: class of a reader's private part (a seq_net_private, whose `net` is set); parent: net.proc_net.
    """
    ent, directory = proc_create_reg(kernel, name, mode, parent, data)
    ent.proc_ops = proc_net_seq_ops
    ent.seq_ops = ops
    ent._state_cls = state
    return proc_register(directory, ent)


def proc_create_net(
    kernel: Kernel, name: str, mode: int, parent: proc_dir_entry, ops: seq_operations, state: State | None = None
) -> proc_dir_entry:
    """As proc_create_net_data(), without data."""
    return proc_create_net_data(kernel, name, mode, parent, ops, state, None)


def proc_create_net_single(
    kernel: Kernel, name: str, mode: int, parent: proc_dir_entry, show: Show, data: object = None
) -> proc_dir_entry:
    """Make a file that is one record; show(m, v) finds the namespace in m.private."""
    ent, directory = proc_create_reg(kernel, name, mode, parent, data)
    ent.single_show = show
    ent.proc_ops = proc_net_single_ops
    return proc_register(directory, ent)


def proc_net_mkdir(net: net, name: str, parent: proc_dir_entry) -> proc_dir_entry:
    """Make a directory in a namespace's directory."""
    return _proc_mkdir(net.kernel, name, 0, parent, net)


def get_proc_task_net(dir: inode) -> net | None:
    """The namespace of the task in whose directory `net` is looked at."""
    task = pid_task(PROC_I(dir).pid, PIDTYPE_PID)
    if task is None or task.nsproxy is None:
        return None
    return task.nsproxy.net_ns


def proc_tgid_net_lookup(dir: inode, dentry: dentry, flags: int) -> dentry | None:
    """Find an entry of the task's namespace. ENOENT."""
    net = get_proc_task_net(dir)
    if net is None:
        raise KernelError(EINVAL)
    found = proc_lookup_de(dir, dentry, net.proc_net)
    dentry.d_flags |= DCACHE_DONTCACHE
    return found


def proc_tgid_net_getattr(
    mnt_userns: user_namespace, path: path, stat: kstat, request_mask: int, query_flags: int
) -> None:
    """Attributes; the link count is the namespace's."""
    inode = path.dentry.d_inode
    assert inode is not None
    generic_fillattr(mnt_userns, inode, stat)
    net = get_proc_task_net(inode)
    if net is not None:
        stat.nlink = net.proc_net.nlink


def proc_tgid_net_readdir(file: file, ctx: dir_context) -> None:
    """List the task's namespace."""
    net = get_proc_task_net(file.f_inode)
    if net is None:
        raise KernelError(EINVAL)
    proc_readdir_de(file, ctx, net.proc_net)


proc_net_inode_operations = inode_operations(lookup=proc_tgid_net_lookup, getattr=proc_tgid_net_getattr)
proc_net_operations = file_operations(
    llseek=generic_file_llseek, read=generic_read_dir, iterate_shared=proc_tgid_net_readdir
)


def proc_net_ns_init(net: net) -> None:
    """Make the directory of a new namespace, and net/stat in it."""
    kernel = net.kernel
    mode = S_IFDIR | S_IRUGO | S_IXUGO
    netd = kmem_cache_alloc(kernel.proc_dir_entry_cache, lambda: proc_dir_entry(kernel, b"net", mode))
    netd.nlink = 2
    netd._net = net
    netd.parent = kernel.proc_root
    netd.data = net
    net.proc_net = netd
    net.proc_net_stat = proc_net_mkdir(net, "stat", netd)


def proc_net_ns_exit(net: net) -> None:
    """The namespace goes."""
    netd = net.proc_net
    for child in list(netd.subdir.values()):
        proc_remove(child)
    kmem_cache_free(net.kernel.proc_dir_entry_cache, netd)


proc_net_ns_ops = pernet_operations(init=proc_net_ns_init, exit=proc_net_ns_exit)


def proc_net_init(kernel: Kernel) -> None:
    """Make the link /proc/net, and have every namespace get its directory."""
    proc_symlink(kernel, "net", None, "self/net")
    register_pernet_subsys(kernel, proc_net_ns_ops)
