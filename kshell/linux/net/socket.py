"""net/socket.c: sockets as inodes and files: how they are made, found and released; their families.

What is done with such a file is in socket_file, the system calls are in socket_syscalls, socket_msg and socket_ioctl.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from kshell.abi.errno import EAFNOSUPPORT, EBADF, EEXIST, EINVAL, ENOENT, ENOTSOCK, ERANGE
from kshell.abi.fcntl import O_NONBLOCK, O_RDWR
from kshell.abi.socket import PF_INET, PF_PACKET, SOCK_PACKET, SS_UNCONNECTED
from kshell.abi.stat import SOCKFS_MAGIC
from kshell.linux.fs.attr import simple_setattr
from kshell.linux.fs.file import __fdget, fd_install, get_unused_fd_flags, put_unused_fd
from kshell.linux.fs.file_table import alloc_file_pseudo, fput
from kshell.linux.fs.filesystems import register_filesystem
from kshell.linux.fs.inode import get_next_ino, iput, new_inode_pseudo
from kshell.linux.fs.libfs import init_pseudo, simple_statfs
from kshell.linux.fs.namespace import kern_mount
from kshell.linux.fs.open_file import stream_open
from kshell.linux.fs.splice_to_file import generic_splice_sendpage
from kshell.linux.fs.super import kill_anon_super
from kshell.linux.include.linux.dcache import d_inode, dentry_operations
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fs import file_operations, file_system_type, inode, inode_operations, super_operations
from kshell.linux.include.linux.net import (
    NPROTO,
    SOCK_MAX,
    SOCKET_I,
    net_proto_family,
    socket,
    socket_alloc,
    socket_wq,
)
from kshell.linux.include.linux.uaccess import copy_to_user
from kshell.linux.kernel.kmod import request_module
from kshell.linux.kernel.module.main import module_put, try_module_get
from kshell.linux.kernel.printk import pr_info
from kshell.linux.mm.slab_common import kmem_cache_create
from kshell.linux.mm.slub import kmem_cache_alloc_lru, kmem_cache_free
from kshell.linux.net.core.skbuff import skb_init
from kshell.linux.net.netfilter.core import netfilter_init
from kshell.linux.net.socket_file import (
    sock_fasync,
    sock_mmap,
    sock_poll,
    sock_read_iter,
    sock_sendpage,
    sock_show_fdinfo,
    sock_splice_eof,
    sock_splice_read,
    sock_write_iter,
)
from kshell.linux.net.socket_ioctl import compat_sock_ioctl, sock_ioctl
from kshell.linux.net.sysctl_net import net_sysctl_init
from kshell.linux.security.security import security_socket_create, security_socket_post_create

if TYPE_CHECKING:
    from kshell.linux.include.linux.dcache import dentry
    from kshell.linux.include.linux.fs import file, super_block
    from kshell.linux.include.linux.fs_attr import iattr
    from kshell.linux.include.linux.fs_context import fs_context
    from kshell.linux.include.linux.sched import Rest, task_struct
    from kshell.linux.include.net.net_namespace import net
    from kshell.linux.init.kernel import Kernel

SOCKET_ALLOC_SIZE = 768
VFS_INODE_OFFSET = 128
_S_IFSOCK_RWX = 0o140777
_XATTR_NAME_SOCKPROTONAME = b"system.sockprotoname"


class _sockfs_inode(inode):
    """struct inode as it lies inside a socket_alloc."""

    __slots__ = ("_alloc",)
    _alloc: socket_alloc

    @property
    def _addr(self) -> int:  # type: ignore[override]
        return self._alloc._addr + VFS_INODE_OFFSET


def sock_alloc_inode(sb: super_block) -> inode:
    """sockfs: a socket and its inode are one slab object."""
    ei = kmem_cache_alloc_lru(sb.kernel.sock_inode_cachep, socket_alloc)
    sock = ei.socket = socket()
    new = ei.vfs_inode = _sockfs_inode()
    sock._addr = ei._addr
    sock._alloc = new._alloc = ei
    sock.wq = socket_wq()
    sock.state = SS_UNCONNECTED
    sock.type = sock.flags = 0
    sock.ops = sock.sk = sock.file = None
    return new


def sock_free_inode(inode: inode) -> None:
    """Give the slab object back."""
    ei = inode._alloc  # type: ignore[attr-defined]  # a _sockfs_inode
    ei.socket._alloc = None
    del ei.socket, ei.vfs_inode
    kmem_cache_free(inode.i_sb.kernel.sock_inode_cachep, ei)


def init_inodecache(kernel: Kernel) -> None:
    """Set up the cache of sockets."""
    kernel.sock_inode_cachep = kmem_cache_create(kernel, "sock_inode_cache", SOCKET_ALLOC_SIZE)


sockfs_ops = super_operations(alloc_inode=sock_alloc_inode, free_inode=sock_free_inode, statfs=simple_statfs)


def sockfs_dname(dentry: dentry, buffer: bytes, buflen: int) -> bytes:
    """The name that /proc/PID/fd shows."""
    return b"socket:[%d]" % d_inode(dentry).i_ino


sockfs_dentry_operations = dentry_operations(d_dname=sockfs_dname)


def sockfs_listxattr(dentry: dentry, buffer: int, size: int) -> int:
    """Names of extended attributes: one tells the protocol. ERANGE: no room at user address `buffer` (0: ask)."""
    names = _XATTR_NAME_SOCKPROTONAME + b"\0"
    if buffer:
        if size < len(names):
            raise KernelError(ERANGE)
        copy_to_user(d_inode(dentry).i_sb.kernel.current, buffer, names)
    return len(names)


def sockfs_setattr(mnt_userns: object, dentry: dentry, iattr: iattr) -> None:
    """chown() and chmod() of a socket: the owner counts for the socket, too. ENOENT: it is closed."""
    simple_setattr(mnt_userns, dentry, iattr)  # type: ignore[arg-type]
    if iattr.ia_valid & 2:
        sk = SOCKET_I(d_inode(dentry)).sk
        if sk is None:
            raise KernelError(ENOENT)
        sk.sk_uid = iattr.ia_uid


sockfs_inode_ops = inode_operations(setattr=sockfs_setattr, listxattr=sockfs_listxattr)


def sockfs_init_fs_context(fc: fs_context) -> None:
    """Describe sockfs to the mount code."""
    ctx = init_pseudo(fc, SOCKFS_MAGIC)
    ctx.ops = sockfs_ops
    ctx.dops = sockfs_dentry_operations


sock_fs_type = file_system_type(name="sockfs", init_fs_context=sockfs_init_fs_context, kill_sb=kill_anon_super)


def sock_alloc(kernel: Kernel) -> socket:
    """A new socket with its inode, of no family yet."""
    inode = new_inode_pseudo(kernel.sock_mnt.mnt_sb)
    inode.i_ino = get_next_ino(kernel)
    inode.i_mode = _S_IFSOCK_RWX
    cred = kernel.current.cred
    inode.i_uid = cred.fsuid
    inode.i_gid = cred.fsgid
    inode.i_op = sockfs_inode_ops
    return inode._alloc.socket  # type: ignore[attr-defined,no-any-return]  # a _sockfs_inode


def __sock_release(sock: socket, inode: inode | None) -> Rest | None:
    """Let the family close the socket. Without a file the inode goes, too."""
    ops = sock.ops
    if ops is not None:
        rest = ops.release(sock)
        if rest is not None:
            return _rest_of___sock_release(sock, rest)
        sock.sk = sock.ops = None
        if ops.owner is not None:
            module_put(ops.owner)
    if sock.file is None:
        assert sock._alloc is not None
        iput(sock._alloc.vfs_inode)
    sock.file = None
    return None


async def _rest_of___sock_release(sock: socket, rest: Rest) -> None:
    await rest
    ops = sock.ops
    assert ops is not None
    sock.sk = sock.ops = sock.file = None
    if ops.owner is not None:
        module_put(ops.owner)


def sock_release(sock: socket) -> None:
    """Close a socket that never got a file, and therefore has nothing to wait for."""
    rest = __sock_release(sock, None)
    assert rest is None


def sock_alloc_file(current: task_struct, sock: socket, flags: int, dname: str | None) -> file:
    """An open file for the socket. ENFILE: the socket is released."""
    if dname is None:
        dname = sock.sk.sk_prot_creator.name if sock.sk is not None else ""
    alloc = sock._alloc
    assert alloc is not None
    try:
        f = alloc_file_pseudo(
            alloc.vfs_inode, current.kernel.sock_mnt, dname, O_RDWR | flags & O_NONBLOCK, socket_file_ops
        )
    except KernelError:
        sock_release(sock)
        raise
    sock.file = f
    f.private_data = sock
    stream_open(alloc.vfs_inode, f)
    return f


def sock_map_fd(current: task_struct, sock: socket, flags: int) -> int:
    """A descriptor for the socket. EMFILE, ENFILE: the socket is released."""
    try:
        fd = get_unused_fd_flags(current, flags)
    except KernelError:
        sock_release(sock)
        raise
    try:
        newfile = sock_alloc_file(current, sock, flags, None)
    except KernelError:
        put_unused_fd(current, fd)
        raise
    fd_install(current, fd, newfile)
    return fd


def sock_from_file(f: file) -> socket | None:
    """The socket behind a file, None if it is none."""
    return cast("socket | None", f.private_data) if f.f_op is socket_file_ops else None


def sockfd_lookup_light(current: task_struct, fd: int) -> tuple[socket, int]:
    """The socket of a descriptor, and fput_light()'s flags. EBADF, ENOTSOCK."""
    f, flags = __fdget(current, fd)
    if f is None:
        raise KernelError(EBADF)
    if f.f_op is not socket_file_ops:
        if flags:
            fput(f)
        raise KernelError(ENOTSOCK)
    return cast("socket", f.private_data), flags


def fput_light(f: file | None, flags: int) -> None:
    """End what sockfd_lookup_light() began."""
    if flags & 1 and f is not None:
        fput(f)


def sock_create_lite(kernel: Kernel, family: int, type: int, protocol: int) -> socket:
    """A socket for the kernel itself, without what the family would set up."""
    security_socket_create(family, type, protocol, 1)
    sock = sock_alloc(kernel)
    sock.type = type
    security_socket_post_create(sock, family, type, protocol, 1)
    return sock


def __sock_create(net: net, family: int, type: int, protocol: int, kern: int) -> socket:
    """A socket as its family makes it. EAFNOSUPPORT, EINVAL, and what the family says."""
    if not 0 <= family < NPROTO:
        raise KernelError(EAFNOSUPPORT)
    if not 0 <= type < SOCK_MAX:
        raise KernelError(EINVAL)
    kernel = net.kernel
    if type == SOCK_PACKET and family == PF_INET:
        _obsolete_packet(kernel)
        family = PF_PACKET
    security_socket_create(family, type, protocol, kern)
    sock = sock_alloc(kernel)
    sock.type = type
    families = kernel.net_families
    pf = families[family]
    if pf is None:
        request_module(kernel, f"net-pf-{family}")
        pf = families[family]
    if pf is None or not try_module_get(pf.owner):
        sock_release(sock)
        raise KernelError(EAFNOSUPPORT)
    try:
        pf.create(net, sock, protocol, kern)
        assert sock.ops is not None
        if not try_module_get(sock.ops.owner):
            raise KernelError(EAFNOSUPPORT)
    except KernelError:
        sock.sk = None
        sock.ops = None
        module_put(pf.owner)
        sock_release(sock)
        raise
    module_put(pf.owner)
    security_socket_post_create(sock, family, type, protocol, kern)
    return sock


def _obsolete_packet(kernel: Kernel) -> None:
    if not kernel.warned_pf_inet_packet:
        kernel.warned_pf_inet_packet = True
        pr_info(kernel, f"{kernel.current.comm} uses obsolete (PF_INET,SOCK_PACKET)")


def sock_create(current: task_struct, family: int, type: int, protocol: int) -> socket:
    """A socket for a task."""
    return __sock_create(current.nsproxy.net_ns, family, type, protocol, 0)


def sock_create_kern(net: net, family: int, type: int, protocol: int) -> socket:
    """A socket for the kernel itself."""
    return __sock_create(net, family, type, protocol, 1)


def sock_close(inode: inode, f: file) -> Rest | None:
    """The last descriptor is closed."""
    rest = __sock_release(inode._alloc.socket, inode)  # type: ignore[attr-defined]  # a _sockfs_inode
    return None if rest is None else _rest_of_sock_close(rest)


async def _rest_of_sock_close(rest: Rest) -> None:
    await rest


socket_file_ops = file_operations(
    read_iter=sock_read_iter,
    write_iter=sock_write_iter,
    poll=sock_poll,
    unlocked_ioctl=sock_ioctl,
    compat_ioctl=compat_sock_ioctl,
    mmap=sock_mmap,
    release=sock_close,
    fasync=sock_fasync,
    sendpage=sock_sendpage,
    splice_write=generic_splice_sendpage,
    splice_read=sock_splice_read,
    splice_eof=sock_splice_eof,
    show_fdinfo=sock_show_fdinfo,
)


def sock_register(kernel: Kernel, ops: net_proto_family) -> None:
    """Make a protocol family known. ENOBUFS, EEXIST."""
    if not 0 <= ops.family < NPROTO:
        pr_info(kernel, f"protocol {ops.family} >= NPROTO({NPROTO})")
        raise KernelError(105)
    if kernel.net_families[ops.family] is not None:
        raise KernelError(EEXIST)
    kernel.net_families[ops.family] = ops
    pr_info(kernel, f"NET: Registered {_FAMILY_NAMES[ops.family]} protocol family")


def sock_unregister(kernel: Kernel, family: int) -> None:
    """Forget a protocol family."""
    kernel.net_families[family] = None
    pr_info(kernel, f"NET: Unregistered {_FAMILY_NAMES[family]} protocol family")


_FAMILY_NAMES = tuple(
    f"PF_{name}"
    for name in [
        "UNSPEC", "UNIX/PF_LOCAL", "INET", "AX25", "IPX", "APPLETALK", "NETROM", "BRIDGE", "ATMPVC", "X25",
        "INET6", "ROSE", "DECnet", "NETBEUI", "SECURITY", "KEY", "NETLINK/PF_ROUTE", "PACKET", "ASH", "ECONET",
        "ATMSVC", "RDS", "SNA", "IRDA", "PPPOX", "WANPIPE", "LLC", "IB", "MPLS", "CAN", "TIPC", "BLUETOOTH",
        "IUCV", "RXRPC", "ISDN", "PHONET", "IEEE802154", "CAIF", "ALG", "NFC", "VSOCK", "KCM", "QIPCRTR", "SMC",
        "XDP", "MCTP",
    ]
)  # fmt: skip


def sockfs_xattr_get(dentry: dentry) -> bytes:
    """The protocol's name, as a C string."""
    return dentry.d_name.name + b"\0"


sockfs_xattr_handlers = ((b"system.sockprotoname", sockfs_xattr_get),)


def sock_init(kernel: Kernel) -> None:
    """Initcall: caches, sockfs, and its mount."""
    net_sysctl_init(kernel)
    skb_init(kernel)
    init_inodecache(kernel)
    register_filesystem(kernel, sock_fs_type)
    kernel.sock_mnt = kern_mount(kernel, sock_fs_type)
    kernel.sock_mnt.mnt_sb.s_xattr = sockfs_xattr_handlers
    netfilter_init(kernel)
