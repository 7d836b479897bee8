"""Naming AF_UNIX sockets (net/unix/af_unix.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EADDRINUSE, EEXIST, EINVAL, ENOSPC
from kshell.abi.fcntl import AT_FDCWD
from kshell.abi.socket import AF_UNIX
from kshell.abi.stat import S_IFSOCK
from kshell.linux.fs.fs_struct import current_umask
from kshell.linux.fs.namei import done_path_create, kern_path_create
from kshell.linux.fs.namei_vfs import vfs_mknod, vfs_unlink
from kshell.linux.fs.namespace import mntget
from kshell.linux.include.linux.dcache import d_backing_inode, dget
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.mount import mnt_user_ns
from kshell.linux.include.linux.net import SOCK_INODE
from kshell.linux.include.linux.path import path
from kshell.linux.include.linux.random import get_random_u32
from kshell.linux.include.net.af_unix import SUN_PATH_OFFSET, unix_sk
from kshell.linux.net.unix.af_unix_table import (
    __unix_find_socket_byname,
    __unix_set_addr_hash,
    unix_abstract_hash,
    unix_bsd_hash,
    unix_create_addr,
    unix_insert_bsd_socket,
    unix_mkname_bsd,
    unix_release_addr,
    unix_validate_addr,
)
from kshell.linux.security.security import security_path_mknod

if TYPE_CHECKING:
    from kshell.linux.include.linux.dcache import dentry
    from kshell.linux.include.linux.net import socket
    from kshell.linux.include.net.af_unix import unix_address, unix_sock

FAMILY = AF_UNIX.to_bytes(2, "little")
AUTOBIND_LEN = SUN_PATH_OFFSET + 6  # NUL and five hex digits


def unix_autobind(sk: unix_sock) -> int:
    """Give the socket a free abstract name of five hex digits. ENOSPC: all are taken."""
    if sk.addr is not None:
        return 0
    net = sk.skc_net
    ordernum = get_random_u32(net.kernel)
    lastnum = ordernum & 0xFFFFF
    while True:
        ordernum = (ordernum + 1) & 0xFFFFF
        name = FAMILY + b"\0%05x" % ordernum
        new_hash = unix_abstract_hash(name, AUTOBIND_LEN, sk.sk_type)
        if __unix_find_socket_byname(net, name, AUTOBIND_LEN, new_hash) is None:
            break
        if ordernum == lastnum:
            raise KernelError(ENOSPC)
    __unix_set_addr_hash(net, sk, unix_create_addr(net.kernel, name, AUTOBIND_LEN), new_hash)
    return 0


def _make_node(sk: unix_sock, addr: unix_address, parent: path, child: dentry, mode: int) -> None:
    """Make the file, and let it lead to the socket. EINVAL: it has a name already."""
    ns = mnt_user_ns(parent.mnt)
    security_path_mknod(parent, child, mode, 0)
    vfs_mknod(ns, d_backing_inode(parent.dentry), child, mode, 0)
    if sk.addr is not None:
        vfs_unlink(ns, d_backing_inode(parent.dentry), child)
        raise KernelError(EINVAL)
    sk.path = path(mntget(parent.mnt), dget(child))
    __unix_set_addr_hash(sk.skc_net, sk, addr, unix_bsd_hash(d_backing_inode(child)))
    unix_insert_bsd_socket(sk)


def unix_bind_bsd(sk: unix_sock, sunaddr: bytes, addr_len: int) -> int:
    """Bind to a path, made now. EADDRINUSE: it exists; EINVAL: bound already; what mknod() gives."""
    kernel = sk.skc_net.kernel
    assert sk.sk_socket is not None
    mode = S_IFSOCK | SOCK_INODE(sk.sk_socket).i_mode & ~current_umask(kernel.current) & 0o7777
    name = unix_mkname_bsd(sunaddr, addr_len)
    addr = unix_create_addr(kernel, FAMILY + name + b"\0", SUN_PATH_OFFSET + len(name) + 1)
    try:
        child, parent = kern_path_create(kernel.current, AT_FDCWD, name, 0)
        try:
            _make_node(sk, addr, parent, child, mode)
        finally:
            done_path_create(parent, child)
    except KernelError as error:
        unix_release_addr(kernel, addr)
        if error.errno == EEXIST:
            error.errno = EADDRINUSE
        raise
    return 0


def unix_bind_abstract(sk: unix_sock, sunaddr: bytes, addr_len: int) -> int:
    """Bind to a name that is in no file system. EADDRINUSE, EINVAL: bound already."""
    net = sk.skc_net
    addr = unix_create_addr(net.kernel, sunaddr, addr_len)
    try:
        if sk.addr is not None:
            raise KernelError(EINVAL)
        new_hash = unix_abstract_hash(addr.name, addr_len, sk.sk_type)
        if __unix_find_socket_byname(net, addr.name, addr_len, new_hash) is not None:
            raise KernelError(EADDRINUSE)
    except KernelError:
        unix_release_addr(net.kernel, addr)
        raise
    __unix_set_addr_hash(net, sk, addr, new_hash)
    return 0


def unix_bind(sock: socket, uaddr: bytes, addr_len: int) -> int:
    """bind(): a path, an abstract name (first byte NUL), or, with the family alone, one that is free."""
    assert sock.sk is not None
    sk = unix_sk(sock.sk)
    if addr_len == SUN_PATH_OFFSET and uaddr[:2] == FAMILY:
        return unix_autobind(sk)
    unix_validate_addr(uaddr, addr_len)
    if uaddr[SUN_PATH_OFFSET]:
        return unix_bind_bsd(sk, uaddr, addr_len)
    return unix_bind_abstract(sk, uaddr, addr_len)
