"""net/core/sock.c: operations that a family or protocol does not have, and those that go to its struct proto."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import ENODEV, EOPNOTSUPP
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.socket import msghdr
from kshell.linux.include.linux.uio import _kvec_iter

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import file
    from kshell.linux.include.linux.net import socket
    from kshell.linux.include.linux.sockptr import sockptr_t
    from kshell.linux.include.net.sock import sock


async def sock_no_connect(sock: socket, saddr: bytes, length: int, flags: int) -> int:
    """The family cannot connect. EOPNOTSUPP."""
    raise KernelError(EOPNOTSUPP)


def sock_no_socketpair(sock1: socket, sock2: socket) -> int:
    """The family has no pairs. EOPNOTSUPP."""
    raise KernelError(EOPNOTSUPP)


async def sock_no_accept(sock: socket, newsock: socket, flags: int, kern: bool) -> int:
    """The family takes no connections. EOPNOTSUPP."""
    raise KernelError(EOPNOTSUPP)


def sock_no_listen(sock: socket, backlog: int) -> int:
    """The family cannot listen. EOPNOTSUPP."""
    raise KernelError(EOPNOTSUPP)


def sock_no_shutdown(sock: socket, how: int) -> int:
    """The family cannot shut down. EOPNOTSUPP."""
    raise KernelError(EOPNOTSUPP)


def sock_no_mmap(file: file, sock: socket, vma: object) -> int:
    """The family's sockets cannot be mapped. ENODEV."""
    raise KernelError(ENODEV)


async def sock_no_sendpage(sock: socket, page: bytes, flags: int) -> int:
    """sendpage by way of sendmsg."""
    assert sock.ops is not None
    assert sock.sk is not None
    current = sock.sk.skc_net.kernel.current
    return await sock.ops.sendmsg(sock, msghdr(current, _kvec_iter(page), flags), len(page))


def sock_common_getsockopt(sock: socket, level: int, optname: int, optval: int, optlen: int) -> int:
    """An option of the protocol."""
    sk = sock.sk
    assert sk is not None
    getsockopt = sk.skc_prot.getsockopt
    assert getsockopt is not None
    return getsockopt(sk, level, optname, optval, optlen)


def sock_common_setsockopt(sock: socket, level: int, optname: int, optval: sockptr_t, optlen: int) -> int:
    """Set an option of the protocol."""
    sk = sock.sk
    assert sk is not None
    setsockopt = sk.skc_prot.setsockopt
    assert setsockopt is not None
    return setsockopt(sk, level, optname, optval, optlen)


def sk_set_peek_off(sk: sock, val: int) -> int:
    """SO_PEEK_OFF."""
    sk.sk_peek_off = val
    return 0
