"""net/x25/af_x25.c: X.25 sockets, a family that is built as a module. No route leads to any X.25 address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import (
    EADDRNOTAVAIL,
    EAFNOSUPPORT,
    EAGAIN,
    EINVAL,
    EISCONN,
    ENETUNREACH,
    ENOTCONN,
    EOPNOTSUPP,
    EPIPE,
    ESOCKTNOSUPPORT,
)
from kshell.abi.ioctl import SIOCINQ, SIOCOUTQ
from kshell.abi.signal import SIGPIPE
from kshell.abi.socket import AF_X25, MSG_DONTWAIT, MSG_EOR, MSG_OOB, SOCK_SEQPACKET, SS_UNCONNECTED
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.errno import ENOIOCTLCMD, ERESTARTSYS
from kshell.linux.include.linux.module import _module_file
from kshell.linux.include.linux.net import net_proto_family, proto_ops
from kshell.linux.include.linux.sched import TASK_INTERRUPTIBLE, signal_pending
from kshell.linux.include.linux.uaccess import put_user
from kshell.linux.include.net.sock import (
    RCV_SHUTDOWN,
    SEND_SHUTDOWN,
    SOCK_ZAPPED,
    sock,
    sock_flag,
    sock_orphan,
    sock_reset_flag,
)
from kshell.linux.include.net.sock_proto import proto
from kshell.linux.include.net.sock_wait import sk_sleep
from kshell.linux.kernel.sched.wait import finish_wait, init_wait, prepare_to_wait_exclusive
from kshell.linux.kernel.signal import send_sig
from kshell.linux.kernel.time.timer import schedule_timeout
from kshell.linux.net.core.datagram import datagram_poll
from kshell.linux.net.core.skbuff import skb_queue_purge
from kshell.linux.net.core.sock import sk_alloc, sock_init_data, sock_put
from kshell.linux.net.core.sock_lock import lock_sock, release_sock
from kshell.linux.net.core.sock_no import sock_no_mmap, sock_no_sendpage, sock_no_shutdown, sock_no_socketpair
from kshell.linux.net.core.sock_proto import proto_register, proto_unregister
from kshell.linux.net.socket import sock_register, sock_unregister

if TYPE_CHECKING:
    from kshell.linux.include.linux.module import module
    from kshell.linux.include.linux.net import socket
    from kshell.linux.include.linux.socket import msghdr
    from kshell.linux.include.net.net_namespace import net
    from kshell.linux.init.kernel import Kernel

TCP_ESTABLISHED, TCP_CLOSE, TCP_LISTEN = 1, 7, 10
X25_ADDR_LEN = 16
SIZEOF_SOCKADDR_X25 = 18
_SEND_FLAGS = MSG_DONTWAIT | MSG_OOB | MSG_EOR | 0x80000000


class x25_sock(sock):
    """struct x25_sock: addresses are strings of digits."""

    __slots__ = ("dest_addr", "source_addr")
    source_addr: bytes
    dest_addr: bytes

    def __init__(self) -> None:
        super().__init__()
        self.source_addr = self.dest_addr = b""


def x25_sk(sk: sock | None) -> x25_sock:
    """The X.25 part of a socket."""
    assert isinstance(sk, x25_sock)
    return sk


def _address(uaddr: bytes, addr_len: int) -> bytes:
    """The digits of a sockaddr_x25. EINVAL."""
    if addr_len != SIZEOF_SOCKADDR_X25 or int.from_bytes(uaddr[:2], "little") != AF_X25 or 0 not in uaddr[2:18]:
        raise KernelError(EINVAL)
    return uaddr[2:18].split(b"\0", 1)[0]


def x25_release(sock: socket) -> None:
    """The descriptor is closed."""
    sk = sock.sk
    if sk is not None:
        sock_orphan(sk)
        skb_queue_purge(sk.sk_receive_queue)
        sock.sk = None
        sock_put(sk)


def x25_bind(sock: socket, uaddr: bytes, addr_len: int) -> int:
    """Take an address, once. EINVAL."""
    sk = x25_sk(sock.sk)
    address = _address(uaddr, addr_len)
    if address and address.strip(b" ") and not address.isdigit():
        raise KernelError(EINVAL)
    lock_sock(sk)
    try:
        if not sock_flag(sk, SOCK_ZAPPED):
            raise KernelError(EINVAL)
        sk.source_addr = address
        sock_reset_flag(sk, SOCK_ZAPPED)
    finally:
        release_sock(sk)
    return 0


async def x25_connect(sock: socket, uaddr: bytes, addr_len: int, flags: int) -> int:
    """Call an address. EISCONN, EINVAL, ENETUNREACH: no route leads there."""
    sk = x25_sk(sock.sk)
    if sk.sk_state == TCP_ESTABLISHED:
        raise KernelError(EISCONN)
    sk.sk_state = TCP_CLOSE
    sock.state = SS_UNCONNECTED
    _address(uaddr, addr_len)
    raise KernelError(ENETUNREACH)


async def x25_accept(sock: socket, newsock: socket, flags: int, kern: bool) -> int:
    """Wait for a call. EINVAL: not listening; EAGAIN, EINTR."""
    sk = x25_sk(sock.sk)
    if sk.sk_state != TCP_LISTEN:
        raise KernelError(EINVAL)
    kernel = sk.skc_net.kernel
    timeout = sk.sk_rcvtimeo
    wait = init_wait(kernel.current)
    try:
        while not sk.sk_shutdown & RCV_SHUTDOWN and sk.sk_receive_queue.next is None:
            prepare_to_wait_exclusive(sk_sleep(sk), wait, TASK_INTERRUPTIBLE)
            if signal_pending(kernel.current):
                raise KernelError(ERESTARTSYS)
            if not timeout:
                raise KernelError(EAGAIN)
            timeout = await schedule_timeout(kernel, timeout)
    finally:
        finish_wait(sk_sleep(sk), wait)
    raise KernelError(EINVAL)


def x25_getname(sock: socket, peer: int) -> bytes:
    """getsockname(), getpeername(). ENOTCONN."""
    sk = x25_sk(sock.sk)
    if peer and sk.sk_state != TCP_ESTABLISHED:
        raise KernelError(ENOTCONN)
    address = sk.dest_addr if peer else sk.source_addr
    return AF_X25.to_bytes(2, "little") + address.ljust(X25_ADDR_LEN, b"\0")


def x25_ioctl(sock: socket, cmd: int, arg: int) -> int:
    """TIOCOUTQ, TIOCINQ."""
    sk = x25_sk(sock.sk)
    current = sk.skc_net.kernel.current
    if cmd == SIOCOUTQ:
        put_user(current, arg, max(sk.sk_sndbuf - (sk.sk_wmem_alloc - 1), 0))
    elif cmd == SIOCINQ:
        skb = sk.sk_receive_queue.next
        put_user(current, arg, 0 if skb is None else skb.len)
    else:
        raise KernelError(ENOIOCTLCMD)
    return 0


def x25_listen(sock: socket, backlog: int) -> int:
    """Take calls. EINVAL: in a call; EOPNOTSUPP: listening already."""
    sk = x25_sk(sock.sk)
    if sock.state != SS_UNCONNECTED:
        raise KernelError(EINVAL)
    if sk.sk_state == TCP_LISTEN:
        raise KernelError(EOPNOTSUPP)
    sk.sk_max_ack_backlog = backlog
    sk.sk_state = TCP_LISTEN
    return 0


async def x25_sendmsg(sock: socket, msg: msghdr, length: int) -> int:
    """Send a record. EINVAL: without MSG_EOR; EADDRNOTAVAIL: not bound; EPIPE; ENETUNREACH: in no call."""
    sk = x25_sk(sock.sk)
    if msg.msg_flags & ~_SEND_FLAGS or not msg.msg_flags & (MSG_EOR | MSG_OOB):
        raise KernelError(EINVAL)
    if sock_flag(sk, SOCK_ZAPPED):
        raise KernelError(EADDRNOTAVAIL)
    if sk.sk_shutdown & SEND_SHUTDOWN:
        send_sig(SIGPIPE, sk.skc_net.kernel.current, 0)
        raise KernelError(EPIPE)
    raise KernelError(ENETUNREACH)


async def x25_recvmsg(sock: socket, msg: msghdr, size: int, flags: int) -> int:
    """Receive a record. ENOTCONN: in no call."""
    raise KernelError(ENOTCONN)


def x25_create(net: net, sock: socket, protocol: int, kern: int) -> int:
    """socket(AF_X25, SOCK_SEQPACKET, 0). EAFNOSUPPORT: not in the first namespace; ESOCKTNOSUPPORT, EINVAL."""
    if net is not net.kernel.init_net:
        raise KernelError(EAFNOSUPPORT)
    if sock.type != SOCK_SEQPACKET:
        raise KernelError(ESOCKTNOSUPPORT)
    if protocol:
        raise KernelError(EINVAL)
    x25_proto, x25_proto_ops = _tables(net.kernel)
    sk = sk_alloc(net, AF_X25, x25_proto, kern)
    sock_init_data(sock, sk)
    sock.ops = x25_proto_ops
    return 0


def _tables(kernel: Kernel) -> tuple[proto, proto_ops]:
    """The module's tables: each loading has its own, which name the module as their owner."""
    tables = kernel.modules["x25"]._data
    assert isinstance(tables, tuple)
    return tables


def x25_init(kernel: Kernel, mod: module) -> None:
    """The module is loaded."""
    x25_proto = proto(name="X25", cls=x25_sock, obj_size=1008, owner=mod)
    x25_proto_ops = proto_ops(
        family=AF_X25, owner=mod, release=x25_release, bind=x25_bind, connect=x25_connect,
        socketpair=sock_no_socketpair, accept=x25_accept, getname=x25_getname, poll=datagram_poll, ioctl=x25_ioctl,
        listen=x25_listen, shutdown=sock_no_shutdown, sendmsg=x25_sendmsg, recvmsg=x25_recvmsg, mmap=sock_no_mmap,
        sendpage=sock_no_sendpage,
    )  # fmt: skip
    mod._data = (x25_proto, x25_proto_ops)
    proto_register(kernel, x25_proto, 0)
    sock_register(kernel, net_proto_family(family=AF_X25, create=x25_create, owner=mod))


def x25_exit(kernel: Kernel, mod: module) -> None:
    """The module is removed."""
    sock_unregister(kernel, AF_X25)
    proto_unregister(kernel, _tables(kernel)[0])


# Debian has it loaded by name only: what a socket call asks for (net-pf-9) is no alias of it
X25_MODULE = _module_file(name="x25", aliases=(), init=x25_init, exit=x25_exit, size=61440)
