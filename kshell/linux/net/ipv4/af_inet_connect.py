"""net/ipv4/af_inet.c: listen(), connect() and accept() of AF_INET sockets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EALREADY, ECONNABORTED, EINPROGRESS, EINVAL, EISCONN, EPIPE
from kshell.abi.fcntl import O_NONBLOCK
from kshell.abi.inet import IPPROTO_TCP
from kshell.abi.socket import (
    AF_UNSPEC,
    SOCK_STREAM,
    SS_CONNECTED,
    SS_CONNECTING,
    SS_DISCONNECTING,
    SS_UNCONNECTED,
)
from kshell.abi.tcp import (
    TCP_CLOSE,
    TCP_LISTEN,
    TCPF_CLOSE,
    TCPF_LISTEN,
    TCPF_SYN_RECV,
    TCPF_SYN_SENT,
)
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.net import SOCK_SUPPORT_ZC, socket
from kshell.linux.include.linux.sched import TASK_INTERRUPTIBLE, signal_pending
from kshell.linux.include.net.inet_connection_sock import inet_csk
from kshell.linux.include.net.inet_sock import inet_sk
from kshell.linux.include.net.sock import sock, sock_error, sock_graft
from kshell.linux.include.net.sock_wait import sk_sleep, sock_intr_errno, sock_sndtimeo
from kshell.linux.kernel.sched.wait import (
    DEFINE_WAIT_FUNC,
    add_wait_queue,
    remove_wait_queue,
    wait_woken,
    woken_wake_function,
)
from kshell.linux.net.core.sock_lock import lock_sock_nested as lock_sock
from kshell.linux.net.core.sock_lock import release_sock
from kshell.linux.net.ipv4 import af_inet, inet_connection_sock

if TYPE_CHECKING:
    from kshell.linux.include.linux.tcp import tcp_sock


def inet_listen(sock: socket, backlog: int) -> int:
    """listen(): EINVAL unless an unconnected stream socket."""
    sk = sock.sk
    assert sk is not None
    lock_sock(sk)
    try:
        if sock.state != SS_UNCONNECTED or sock.type != SOCK_STREAM:
            raise KernelError(EINVAL)
        old_state = sk.sk_state
        if not (1 << old_state) & (TCPF_CLOSE | TCPF_LISTEN):
            raise KernelError(EINVAL)
        sk.sk_max_ack_backlog = backlog
        if old_state != TCP_LISTEN:
            inet_connection_sock.inet_csk_listen_start(inet_csk(sk))
    finally:
        release_sock(sk)
    return 0


async def inet_dgram_connect(sock: socket, uaddr: bytes, addr_len: int, flags: int) -> int:
    """connect() of sockets without connections; AF_UNSPEC disconnects. EINVAL, EAGAIN."""
    sk = sock.sk
    assert sk is not None
    prot = sk.sk_prot
    if addr_len < 2:
        raise KernelError(EINVAL)
    if int.from_bytes(uaddr[:2], "little") == AF_UNSPEC:
        assert prot.disconnect is not None
        return prot.disconnect(sk, flags)
    if not inet_sk(sk).inet_num:
        af_inet.inet_autobind(sk)
    assert prot.connect is not None
    return await prot.connect(sk, uaddr, addr_len)


async def inet_wait_for_connect(sk: sock, timeo: int, writebias: int) -> int:
    """Sleep until the handshake is over, a signal comes or time runs out; the ticks left."""
    current = sk.skc_net.kernel.current
    wait = DEFINE_WAIT_FUNC(current, woken_wake_function)
    add_wait_queue(sk_sleep(sk), wait)
    sk.sk_write_pending += writebias
    try:
        while (1 << sk.sk_state) & (TCPF_SYN_SENT | TCPF_SYN_RECV):
            release_sock(sk)
            timeo = await wait_woken(wait, TASK_INTERRUPTIBLE, timeo)
            lock_sock(sk)
            if signal_pending(current) or not timeo:
                break
    finally:
        remove_wait_queue(sk_sleep(sk), wait)
        sk.sk_write_pending -= writebias
    return timeo


def _disconnect(sock: socket, sk: sock, flags: int) -> None:
    """sk_prot->disconnect with the effect on the socket's state."""
    disconnect = sk.sk_prot.disconnect
    assert disconnect is not None
    sk.sk_disconnects += 1
    try:
        disconnect(sk, flags)
        sock.state = SS_UNCONNECTED
    except KernelError:
        sock.state = SS_DISCONNECTING
        raise


async def __inet_stream_connect(sock: socket, uaddr: bytes | None, addr_len: int, flags: int, is_sendmsg: int) -> int:
    """connect() of stream sockets: EINPROGRESS, EALREADY, EISCONN, EINVAL, EINTR and what the handshake ends in."""
    sk = sock.sk
    assert sk is not None
    if uaddr is not None:
        if addr_len < 2:
            raise KernelError(EINVAL)
        if int.from_bytes(uaddr[:2], "little") == AF_UNSPEC:
            _disconnect(sock, sk, flags)
            return 0
    if sock.state == SS_CONNECTED:
        raise KernelError(EISCONN)
    if sock.state == SS_CONNECTING:
        if inet_sk(sk).defer_connect:
            err = EINPROGRESS if is_sendmsg else EISCONN
        else:
            err = EALREADY
    elif sock.state == SS_UNCONNECTED:
        if sk.sk_state != TCP_CLOSE:
            raise KernelError(EISCONN)
        connect = sk.sk_prot.connect
        assert connect is not None
        await connect(sk, uaddr, addr_len)  # type: ignore[arg-type]
        sock.state = SS_CONNECTING
        if inet_sk(sk).defer_connect:
            return 0
        err = EINPROGRESS
    else:
        raise KernelError(EINVAL)
    if (1 << sk.sk_state) & (TCPF_SYN_SENT | TCPF_SYN_RECV):
        await _wait_for_connect(sk, sock_sndtimeo(sk, flags & O_NONBLOCK), err)
    if sk.sk_state == TCP_CLOSE:
        errno = sock_error(sk) or ECONNABORTED
        try:
            _disconnect(sock, sk, flags)
        except KernelError:
            pass
        raise KernelError(errno)
    sock.state = SS_CONNECTED
    return 0


async def _wait_for_connect(sk: sock, timeo: int, err: int) -> None:
    """Wait for the end of the handshake; `err` if the caller will not, or time runs out."""
    tp: tcp_sock = sk  # type: ignore[assignment]
    writebias = 0
    if sk.sk_protocol == IPPROTO_TCP:
        fastopen_req = tp.fastopen_req
        writebias = int(fastopen_req is not None and bool(fastopen_req.data))
    dis = sk.sk_disconnects
    if not timeo:
        raise KernelError(err)
    timeo = await inet_wait_for_connect(sk, timeo, writebias)
    if not timeo:
        raise KernelError(err)
    if signal_pending(sk.skc_net.kernel.current):
        raise KernelError(sock_intr_errno(timeo))
    if dis != sk.sk_disconnects:
        raise KernelError(EPIPE)


async def inet_stream_connect(sock: socket, uaddr: bytes, addr_len: int, flags: int) -> int:
    """connect() of stream sockets."""
    sk = sock.sk
    assert sk is not None
    lock_sock(sk)
    try:
        return await __inet_stream_connect(sock, uaddr, addr_len, flags, 0)
    finally:
        release_sock(sk)


def __inet_accept(sock: socket, newsock: socket, newsk: sock) -> None:
    """Tie an accepted connection to its new socket."""
    if sock.flags >> SOCK_SUPPORT_ZC & 1:
        newsock.flags |= 1 << SOCK_SUPPORT_ZC
    sock_graft(newsk, newsock)
    newsock.state = SS_CONNECTED


async def inet_accept(sock: socket, newsock: socket, flags: int, kern: bool) -> int:
    """accept(): the protocol's errors (EINVAL unless listening, EAGAIN)."""
    sk1 = sock.sk
    assert sk1 is not None
    accept = sk1.sk_prot.accept
    assert accept is not None
    sk2 = await accept(sk1, flags, kern)
    lock_sock(sk2)
    __inet_accept(sock, newsock, sk2)
    release_sock(sk2)
    return 0
