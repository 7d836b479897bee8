"""net/socket.c: the system calls that make, name, connect, close and configure sockets."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kshell.abi.errno import EBADF, ECONNABORTED, EINVAL, ENOTSOCK, EOPNOTSUPP
from kshell.abi.socket import SOCK_CLOEXEC, SOCK_NONBLOCK, SOL_SOCKET
from kshell.linux.fs.file import __fdget, fd_install, get_unused_fd_flags, put_unused_fd
from kshell.linux.fs.file_table import fput
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.net import SOCK_TYPE_MASK
from kshell.linux.include.linux.socket import SOCKADDR_STORAGE_SIZE
from kshell.linux.include.linux.sockptr import USER_SOCKPTR
from kshell.linux.include.linux.syscalls import SYSCALL_DEFINE
from kshell.linux.include.linux.uaccess import copy_from_user, copy_to_user, get_user, put_user
from kshell.linux.kernel.module.main import __module_get
from kshell.linux.net.core.sock_getsockopt import sock_getsockopt
from kshell.linux.net.core.sock_setsockopt import sock_setsockopt
from kshell.linux.net.socket import (
    fput_light,
    sock_alloc,
    sock_alloc_file,
    sock_create,
    sock_from_file,
    sock_map_fd,
    sock_release,
    sockfd_lookup_light,
)
from kshell.linux.security.security import (
    security_socket_accept,
    security_socket_bind,
    security_socket_connect,
    security_socket_getpeername,
    security_socket_getsockname,
    security_socket_getsockopt,
    security_socket_listen,
    security_socket_setsockopt,
    security_socket_shutdown,
    security_socket_socketpair,
)

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import file
    from kshell.linux.include.linux.net import socket
    from kshell.linux.include.linux.sched import task_struct

_TYPE_FLAGS = SOCK_CLOEXEC | SOCK_NONBLOCK  # the same bits as O_CLOEXEC and O_NONBLOCK


def move_addr_to_kernel(current: task_struct, uaddr: int, ulen: int) -> bytes:
    """A socket address from user memory. EINVAL: longer than sockaddr_storage; EFAULT."""
    if ulen < 0 or ulen > SOCKADDR_STORAGE_SIZE:
        raise KernelError(EINVAL)
    if ulen == 0:
        return b""
    return copy_from_user(current, uaddr, ulen)


def move_addr_to_user(current: task_struct, kaddr: bytes, uaddr: int, ulen: int) -> None:
    """Store a socket address, cut to *ulen, and its full length in *ulen. EFAULT, EINVAL."""
    length = get_user(current, ulen)
    klen = len(kaddr)
    if length > klen:
        length = klen
    if length < 0:
        raise KernelError(EINVAL)
    if length:
        copy_to_user(current, uaddr, kaddr if length == klen else kaddr[:length])
    put_user(current, ulen, klen)


def __sys_socket_create(current: task_struct, family: int, type: int, protocol: int) -> socket:
    """The socket of socket(). EINVAL: unknown flags in type."""
    if type & ~SOCK_TYPE_MASK & ~_TYPE_FLAGS:
        raise KernelError(EINVAL)
    return sock_create(current, family, type & SOCK_TYPE_MASK, protocol)


def __sys_socket(current: task_struct, family: int, type: int, protocol: int) -> int:
    """socket()."""
    sock = __sys_socket_create(current, family, type, protocol)
    return sock_map_fd(current, sock, type & _TYPE_FLAGS)


@SYSCALL_DEFINE
def sys_socket(current: task_struct, family: int, type: int, protocol: int) -> int:
    """A new socket's descriptor."""
    return __sys_socket(current, family, type, protocol)


def __sys_socketpair(current: task_struct, family: int, type: int, protocol: int, usockvec: int) -> int:
    """socketpair()."""
    flags = type & ~SOCK_TYPE_MASK
    if flags & ~_TYPE_FLAGS:
        raise KernelError(EINVAL)
    type &= SOCK_TYPE_MASK
    fd1 = get_unused_fd_flags(current, flags)
    try:
        fd2 = get_unused_fd_flags(current, flags)
    except KernelError:
        put_unused_fd(current, fd1)
        raise
    try:
        put_user(current, usockvec, fd1)
        put_user(current, usockvec + 4, fd2)
        newfile1, newfile2 = _pair(current, family, type, protocol, flags)
    except KernelError:
        put_unused_fd(current, fd2)
        put_unused_fd(current, fd1)
        raise
    fd_install(current, fd1, newfile1)
    fd_install(current, fd2, newfile2)
    return 0


def _pair(current: task_struct, family: int, type: int, protocol: int, flags: int) -> tuple[file, file]:
    sock1 = sock_create(current, family, type, protocol)
    try:
        sock2 = sock_create(current, family, type, protocol)
    except KernelError:
        sock_release(sock1)
        raise
    try:
        security_socket_socketpair(sock1, sock2)
        assert sock1.ops is not None
        sock1.ops.socketpair(sock1, sock2)
    except KernelError:
        sock_release(sock2)
        sock_release(sock1)
        raise
    try:
        newfile1 = sock_alloc_file(current, sock1, flags, None)
    except KernelError:
        sock_release(sock2)
        raise
    try:
        return newfile1, sock_alloc_file(current, sock2, flags, None)
    except KernelError:
        fput(newfile1)
        raise


@SYSCALL_DEFINE
def sys_socketpair(current: task_struct, family: int, type: int, protocol: int, usockvec: int) -> int:
    """Two connected sockets."""
    return __sys_socketpair(current, family, type, protocol, usockvec)


def __sys_bind(current: task_struct, fd: int, umyaddr: int, addrlen: int) -> int:
    """bind()."""
    sock, flags = sockfd_lookup_light(current, fd)
    try:
        address = move_addr_to_kernel(current, umyaddr, addrlen)
        security_socket_bind(sock, address, addrlen)
        return sock.ops.bind(sock, address, addrlen)  # type: ignore[union-attr]
    finally:
        if flags:
            fput_light(sock.file, flags)


@SYSCALL_DEFINE
def sys_bind(current: task_struct, fd: int, umyaddr: int, addrlen: int) -> int:
    """Give a socket a name."""
    return __sys_bind(current, fd, umyaddr, addrlen)


def __sys_listen(current: task_struct, fd: int, backlog: int) -> int:
    """listen()."""
    sock, flags = sockfd_lookup_light(current, fd)
    try:
        assert sock.sk is not None
        assert sock.ops is not None
        somaxconn = sock.sk.skc_net.core.sysctl_somaxconn
        if backlog & 0xFFFFFFFF > somaxconn:
            backlog = somaxconn
        security_socket_listen(sock, backlog)
        return sock.ops.listen(sock, backlog)
    finally:
        if flags:
            fput_light(sock.file, flags)


@SYSCALL_DEFINE
def sys_listen(current: task_struct, fd: int, backlog: int) -> int:
    """Have a socket take connections."""
    return __sys_listen(current, fd, backlog)


async def do_accept(
    current: task_struct, f: file, file_flags: int, upeer_sockaddr: int, upeer_addrlen: int, flags: int
) -> file:
    """The file of a connection that came; made before it waits for one."""
    sock = sock_from_file(f)
    if sock is None:
        raise KernelError(ENOTSOCK)
    newsock = sock_alloc(current.kernel)
    newsock.type = sock.type
    newsock.ops = sock.ops
    assert sock.ops is not None
    assert sock.sk is not None
    __module_get(sock.ops.owner)
    newfile = sock_alloc_file(current, newsock, flags, sock.sk.sk_prot_creator.name)
    try:
        security_socket_accept(sock, newsock)
        await sock.ops.accept(sock, newsock, f.f_flags | file_flags, False)
        if upeer_sockaddr:
            try:
                address = newsock.ops.getname(newsock, 2)  # type: ignore[union-attr]
            except KernelError:
                raise KernelError(ECONNABORTED) from None
            move_addr_to_user(current, address, upeer_sockaddr, upeer_addrlen)
    except KernelError:
        fput(newfile)
        raise
    return newfile


async def __sys_accept4_file(
    current: task_struct, f: file, upeer_sockaddr: int, upeer_addrlen: int, flags: int
) -> int:
    """accept4() on a file. EINVAL: unknown flags; EMFILE."""
    if flags & ~_TYPE_FLAGS:
        raise KernelError(EINVAL)
    newfd = get_unused_fd_flags(current, flags)
    try:
        newfile = await do_accept(current, f, 0, upeer_sockaddr, upeer_addrlen, flags)
    except KernelError:
        put_unused_fd(current, newfd)
        raise
    fd_install(current, newfd, newfile)
    return newfd


async def __sys_accept4(current: task_struct, fd: int, upeer_sockaddr: int, upeer_addrlen: int, flags: int) -> int:
    """accept4()."""
    f, fput_needed = __fdget(current, fd)
    if f is None:
        raise KernelError(EBADF)
    try:
        return await __sys_accept4_file(current, f, upeer_sockaddr, upeer_addrlen, flags)
    finally:
        if fput_needed:
            fput(f)


@SYSCALL_DEFINE
async def sys_accept4(current: task_struct, fd: int, upeer_sockaddr: int, upeer_addrlen: int, flags: int) -> int:
    """Take a connection, for which it waits."""
    return await __sys_accept4(current, fd, upeer_sockaddr, upeer_addrlen, flags)


@SYSCALL_DEFINE
async def sys_accept(current: task_struct, fd: int, upeer_sockaddr: int, upeer_addrlen: int) -> int:
    """Take a connection, for which it waits."""
    return await __sys_accept4(current, fd, upeer_sockaddr, upeer_addrlen, 0)


async def __sys_connect_file(f: file, address: bytes, addrlen: int, file_flags: int) -> int:
    """connect() on a file. ENOTSOCK."""
    sock = sock_from_file(f)
    if sock is None:
        raise KernelError(ENOTSOCK)
    security_socket_connect(sock, address, addrlen)
    return await sock.ops.connect(sock, address, addrlen, f.f_flags | file_flags)  # type: ignore[union-attr]


async def __sys_connect(current: task_struct, fd: int, uservaddr: int, addrlen: int) -> int:
    """connect(). The descriptor need not be a socket's for a bad address to be EFAULT."""
    f, fput_needed = __fdget(current, fd)
    if f is None:
        raise KernelError(EBADF)
    try:
        address = move_addr_to_kernel(current, uservaddr, addrlen)
        return await __sys_connect_file(f, address, addrlen, 0)
    finally:
        if fput_needed:
            fput(f)


@SYSCALL_DEFINE
async def sys_connect(current: task_struct, fd: int, uservaddr: int, addrlen: int) -> int:
    """Connect a socket to an address."""
    return await __sys_connect(current, fd, uservaddr, addrlen)


def _getname(
    current: task_struct, fd: int, usockaddr: int, usockaddr_len: int, security: Callable[[socket], None], peer: int
) -> int:
    sock, flags = sockfd_lookup_light(current, fd)
    try:
        security(sock)
        address = sock.ops.getname(sock, peer)  # type: ignore[union-attr]
        move_addr_to_user(current, address, usockaddr, usockaddr_len)
        return 0
    finally:
        if flags:
            fput_light(sock.file, flags)


def __sys_getsockname(current: task_struct, fd: int, usockaddr: int, usockaddr_len: int) -> int:
    """getsockname()."""
    return _getname(current, fd, usockaddr, usockaddr_len, security_socket_getsockname, 0)


@SYSCALL_DEFINE
def sys_getsockname(current: task_struct, fd: int, usockaddr: int, usockaddr_len: int) -> int:
    """The socket's own name."""
    return __sys_getsockname(current, fd, usockaddr, usockaddr_len)


def __sys_getpeername(current: task_struct, fd: int, usockaddr: int, usockaddr_len: int) -> int:
    """getpeername()."""
    return _getname(current, fd, usockaddr, usockaddr_len, security_socket_getpeername, 1)


@SYSCALL_DEFINE
def sys_getpeername(current: task_struct, fd: int, usockaddr: int, usockaddr_len: int) -> int:
    """The name of the socket at the other end."""
    return __sys_getpeername(current, fd, usockaddr, usockaddr_len)


def __sys_setsockopt(
    current: task_struct, fd: int, level: int, optname: int, user_optval: int, optlen: int
) -> int:
    """setsockopt(). EINVAL: negative length; EOPNOTSUPP: the family has no options at this level."""
    if optlen < 0:
        raise KernelError(EINVAL)
    sock, flags = sockfd_lookup_light(current, fd)
    try:
        security_socket_setsockopt(sock, level, optname)
        optval = USER_SOCKPTR(current, user_optval)
        if level == SOL_SOCKET:
            return sock_setsockopt(sock, level, optname, optval, optlen)
        setsockopt = sock.ops.setsockopt  # type: ignore[union-attr]
        if setsockopt is None:
            raise KernelError(EOPNOTSUPP)
        return setsockopt(sock, level, optname, optval, optlen)
    finally:
        if flags:
            fput_light(sock.file, flags)


@SYSCALL_DEFINE
def sys_setsockopt(current: task_struct, fd: int, level: int, optname: int, optval: int, optlen: int) -> int:
    """Set an option."""
    return __sys_setsockopt(current, fd, level, optname, optval, optlen)


def __sys_getsockopt(current: task_struct, fd: int, level: int, optname: int, optval: int, optlen: int) -> int:
    """getsockopt(). EOPNOTSUPP: the family has no options at this level."""
    sock, flags = sockfd_lookup_light(current, fd)
    try:
        security_socket_getsockopt(sock, level, optname)
        if level == SOL_SOCKET:
            return sock_getsockopt(sock, level, optname, optval, optlen)
        getsockopt = sock.ops.getsockopt  # type: ignore[union-attr]
        if getsockopt is None:
            raise KernelError(EOPNOTSUPP)
        return getsockopt(sock, level, optname, optval, optlen)
    finally:
        if flags:
            fput_light(sock.file, flags)


@SYSCALL_DEFINE
def sys_getsockopt(current: task_struct, fd: int, level: int, optname: int, optval: int, optlen: int) -> int:
    """Read an option."""
    return __sys_getsockopt(current, fd, level, optname, optval, optlen)


def __sys_shutdown_sock(sock: socket, how: int) -> int:
    """shutdown() on a socket."""
    security_socket_shutdown(sock, how)
    return sock.ops.shutdown(sock, how)  # type: ignore[union-attr]


def __sys_shutdown(current: task_struct, fd: int, how: int) -> int:
    """shutdown()."""
    sock, flags = sockfd_lookup_light(current, fd)
    try:
        return __sys_shutdown_sock(sock, how)
    finally:
        if flags:
            fput_light(sock.file, flags)


@SYSCALL_DEFINE
def sys_shutdown(current: task_struct, fd: int, how: int) -> int:
    """End a connection in one or both directions."""
    return __sys_shutdown(current, fd, how)
