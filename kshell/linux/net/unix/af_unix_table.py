"""Names of AF_UNIX sockets and the tables that find them (net/unix/af_unix.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import ECONNREFUSED, EINVAL, EPROTOTYPE
from kshell.abi.socket import AF_UNIX
from kshell.abi.stat import S_ISSOCK
from kshell.linux.fs.inode_times import touch_atime
from kshell.linux.fs.namei import kern_path
from kshell.linux.fs.namei_path import path_put
from kshell.linux.fs.namei_permission import inode_permission
from kshell.linux.include.linux.dcache import d_backing_inode
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fs import MAY_WRITE
from kshell.linux.include.linux.mount import mnt_user_ns
from kshell.linux.include.linux.namei import LOOKUP_FOLLOW
from kshell.linux.include.net.af_unix import SIZEOF_SOCKADDR_UN, SUN_PATH_OFFSET, unix_address, unix_sock
from kshell.linux.include.net.netns_unix import UNIX_HASH_MOD
from kshell.linux.include.net.sock import sock_hold
from kshell.linux.mm.slab_common import kfree, kzalloc
from kshell.linux.net.core.sock import sock_put

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import inode
    from kshell.linux.include.net.net_namespace import net
    from kshell.linux.init.kernel import Kernel

SIZEOF_ADDRESS = 8


def unix_unbound_hash(sk: unix_sock) -> int:
    """Bucket of a socket without a name."""
    value = sk._addr
    value ^= value >> 16
    value ^= value >> 8
    return (value ^ sk.sk_type) & UNIX_HASH_MOD


def unix_bsd_hash(i: inode) -> int:
    """Bucket of a socket with a path."""
    return i.i_ino & UNIX_HASH_MOD


def unix_abstract_hash(sunaddr: bytes, addr_len: int, type: int) -> int:
    """Bucket of a socket with an abstract name, by the internet checksum of the name."""
    folded = ~(int.from_bytes(sunaddr[:addr_len], "little") % 0xFFFF) & 0xFFFF
    folded ^= folded >> 8
    return UNIX_HASH_MOD + 1 + ((folded ^ type) & UNIX_HASH_MOD)


def unix_create_addr(kernel: Kernel, sunaddr: bytes, addr_len: int) -> unix_address:
    """A name to be shared by a socket and the connections accepted on it."""
    addr = kzalloc(kernel, unix_address, SIZEOF_ADDRESS + addr_len)
    addr.len = addr_len
    addr.name = sunaddr[:addr_len]
    return addr


def unix_release_addr(kernel: Kernel, addr: unix_address) -> None:
    """Drop a reference to a name."""
    addr.refcnt -= 1
    if not addr.refcnt:
        kfree(kernel, addr, SIZEOF_ADDRESS + addr.len)


def unix_validate_addr(sunaddr: bytes, addr_len: int) -> None:
    """EINVAL: too short or too long, or of another family."""
    if addr_len <= SUN_PATH_OFFSET or addr_len > SIZEOF_SOCKADDR_UN:
        raise KernelError(EINVAL)
    if int.from_bytes(sunaddr[:2], "little") != AF_UNIX:
        raise KernelError(EINVAL)


def unix_mkname_bsd(sunaddr: bytes, addr_len: int) -> bytes:
    """The path in an address, which need not end in NUL."""
    return sunaddr[SUN_PATH_OFFSET:addr_len].split(b"\0", 1)[0]


def __unix_remove_socket(sk: unix_sock) -> None:
    bucket = sk.skc_net.unx.table.buckets[sk.skc_hash]
    if bucket is not None and sk in bucket:
        del bucket[sk]
        sk.skc_refcnt -= 1


def __unix_insert_socket(net: net, sk: unix_sock) -> None:
    buckets = net.unx.table.buckets
    bucket = buckets[sk.skc_hash]
    if bucket is None:
        buckets[sk.skc_hash] = {sk: None}
    else:
        bucket[sk] = None
    sk.skc_refcnt += 1


def __unix_set_addr_hash(net: net, sk: unix_sock, addr: unix_address, hash: int) -> None:
    __unix_remove_socket(sk)
    sk.addr = addr
    sk.skc_hash = hash
    __unix_insert_socket(net, sk)


def unix_remove_socket(net: net, sk: unix_sock) -> None:
    """Take a socket out of its namespace's table."""
    __unix_remove_socket(sk)


def unix_insert_unbound_socket(net: net, sk: unix_sock) -> None:
    """Enter a new socket."""
    __unix_insert_socket(net, sk)


def unix_insert_bsd_socket(sk: unix_sock) -> None:
    """Let a socket be found by the inode of its path, from any namespace."""
    buckets = sk.skc_net.kernel.bsd_socket_buckets
    bucket = buckets[sk.skc_hash]
    if bucket is None:
        bucket = buckets[sk.skc_hash] = {}
    bucket[sk] = None


def unix_remove_bsd_socket(sk: unix_sock) -> None:
    """The socket with a path is gone (its inode stays until it is unlinked)."""
    if sk.path is not None:
        bucket = sk.skc_net.kernel.bsd_socket_buckets[sk.skc_hash & UNIX_HASH_MOD]
        if bucket is not None:
            bucket.pop(sk, None)


def __unix_find_socket_byname(net: net, sunname: bytes, length: int, hash: int) -> unix_sock | None:
    wanted = sunname[:length]
    for s in reversed(net.unx.table.buckets[hash] or {}):
        if s.addr is not None and s.addr.name == wanted:
            return s
    return None


def unix_find_socket_byname(net: net, sunname: bytes, length: int, hash: int) -> unix_sock | None:
    """The socket with an abstract name, with a reference."""
    s = __unix_find_socket_byname(net, sunname, length, hash)
    if s is not None:
        sock_hold(s)
    return s


def unix_find_socket_byinode(kernel: Kernel, i: inode) -> unix_sock | None:
    """The socket bound to an inode, with a reference."""
    for s in reversed(kernel.bsd_socket_buckets[unix_bsd_hash(i)] or {}):
        if s.path is not None and d_backing_inode(s.path.dentry) is i:
            sock_hold(s)
            return s
    return None


def unix_find_bsd(net: net, sunaddr: bytes, addr_len: int, type: int) -> unix_sock:
    """The socket at a path. ENOENT and what else a path gives, EACCES, ECONNREFUSED, EPROTOTYPE."""
    kernel = net.kernel
    place = kern_path(kernel.current, unix_mkname_bsd(sunaddr, addr_len), LOOKUP_FOLLOW)
    try:
        inode = d_backing_inode(place.dentry)
        inode_permission(mnt_user_ns(place.mnt), inode, MAY_WRITE)
        if not S_ISSOCK(inode.i_mode):
            raise KernelError(ECONNREFUSED)
        sk = unix_find_socket_byinode(kernel, inode)
        if sk is None:
            raise KernelError(ECONNREFUSED)
        if sk.sk_type != type:
            sock_put(sk)
            raise KernelError(EPROTOTYPE)
        touch_atime(place)
        return sk
    finally:
        path_put(place)


def unix_find_abstract(net: net, sunaddr: bytes, addr_len: int, type: int) -> unix_sock:
    """The socket with an abstract name. ECONNREFUSED."""
    sk = unix_find_socket_byname(net, sunaddr, addr_len, unix_abstract_hash(sunaddr, addr_len, type))
    if sk is None:
        raise KernelError(ECONNREFUSED)
    if sk.path is not None:
        touch_atime(sk.path)
    return sk


def unix_find_other(net: net, sunaddr: bytes, addr_len: int, type: int) -> unix_sock:
    """The socket of a type at an address, with a reference."""
    if sunaddr[SUN_PATH_OFFSET]:
        return unix_find_bsd(net, sunaddr, addr_len, type)
    return unix_find_abstract(net, sunaddr, addr_len, type)
