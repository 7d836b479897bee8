"""Asking about AF_UNIX sockets, and shutting them down (net/unix/af_unix.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.capability import CAP_NET_ADMIN
from kshell.abi.errno import EINVAL, ENOENT, ENOTCONN, EPERM
from kshell.abi.fcntl import O_CLOEXEC, O_PATH
from kshell.abi.ioctl import SIOCATMARK, SIOCINQ, SIOCOUTQ
from kshell.abi.poll import (
    EPOLLERR,
    EPOLLHUP,
    EPOLLIN,
    EPOLLPRI,
    EPOLLRDHUP,
    EPOLLRDNORM,
)
from kshell.abi.signal import POLL_HUP, POLL_IN
from kshell.abi.socket import AF_UNIX, SHUT_RD, SHUT_RDWR, SOCK_DGRAM, SOCK_SEQPACKET, SOCK_STREAM
from kshell.abi.tcp import TCP_CLOSE, TCP_LISTEN
from kshell.linux.fs.file import fd_install, get_unused_fd_flags, put_unused_fd
from kshell.linux.fs.namei_path import path_get, path_put
from kshell.linux.fs.open_file import dentry_open
from kshell.linux.fs.seq_file import seq_printf
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.errno import ENOIOCTLCMD
from kshell.linux.include.linux.net import SOCK_WAKE_WAITD
from kshell.linux.include.linux.path import path
from kshell.linux.include.linux.poll import poll_requested_events, poll_table, poll_wait
from kshell.linux.include.linux.uaccess import put_user
from kshell.linux.include.net.af_unix import _sk_of, unix_sk
from kshell.linux.include.net.sock import (
    RCV_SHUTDOWN,
    SEND_SHUTDOWN,
    SHUTDOWN_MASK,
    SOCK_SELECT_ERR_QUEUE,
    sock_flag,
    sock_hold,
)
from kshell.linux.include.net.sock_space import sk_wmem_alloc_get
from kshell.linux.kernel.capability import ns_capable
from kshell.linux.net.core.sock import sk_wake_async, sock_put
from kshell.linux.net.unix.af_unix_peer import (
    WRITABLE,
    unix_dgram_peer_wake_me,
    unix_peer_get,
    unix_recvq_full_lockless,
    unix_skb_len,
    unix_writable,
)

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import file
    from kshell.linux.include.linux.net import socket
    from kshell.linux.include.linux.seq_file import seq_file
    from kshell.linux.include.net.af_unix import unix_sock
    from kshell.linux.include.net.sock import sock as sock_t

SIOCUNIXFILE = 0x89E0
READABLE = EPOLLIN | EPOLLRDNORM


def unix_getname(sock: socket, peer: int) -> bytes:
    """The socket's own or its peer's address: the family alone without a name. ENOTCONN."""
    sk: unix_sock | None = _sk_of(sock)
    assert sk is not None
    if peer:
        sk = unix_peer_get(sk)
        if sk is None:
            raise KernelError(ENOTCONN)
    else:
        sock_hold(sk)
    name = sk.addr.name if sk.addr is not None else AF_UNIX.to_bytes(2, "little")
    sock_put(sk)
    return name


def unix_shutdown(sock: socket, mode: int) -> int:
    """shutdown(): the peer of a stream sees the other half. EINVAL."""
    if not SHUT_RD <= mode <= SHUT_RDWR:
        raise KernelError(EINVAL)
    mode += 1
    sk = _sk_of(sock)
    sk.sk_shutdown |= mode
    other = sk.peer
    if other is not None:
        sock_hold(other)
    sk.sk_state_change(sk)
    if other is None:
        return 0
    if sk.sk_type in (SOCK_STREAM, SOCK_SEQPACKET):
        peer_mode = 0
        if other.skc_prot.unhash is not None:
            other.skc_prot.unhash(other)
        if mode & RCV_SHUTDOWN:
            peer_mode |= SEND_SHUTDOWN
        if mode & SEND_SHUTDOWN:
            peer_mode |= RCV_SHUTDOWN
        other.sk_shutdown |= peer_mode
        other.sk_state_change(other)
        if peer_mode == SHUTDOWN_MASK:
            sk_wake_async(other, SOCK_WAKE_WAITD, POLL_HUP)
        elif peer_mode & RCV_SHUTDOWN:
            sk_wake_async(other, SOCK_WAKE_WAITD, POLL_IN)
    sock_put(other)
    return 0


def unix_inq_len(sk: unix_sock) -> int:
    """Bytes to read: all of a stream, the first message of a datagram socket. EINVAL: listening."""
    if sk.skc_state == TCP_LISTEN:
        raise KernelError(EINVAL)
    queue = sk.sk_receive_queue
    if sk.sk_type in (SOCK_STREAM, SOCK_SEQPACKET):
        return sum(unix_skb_len(skb) for skb in queue)
    return queue.next.len if queue.next is not None else 0


def unix_outq_len(sk: unix_sock) -> int:
    """Bytes charged for what the peer has not read."""
    return sk_wmem_alloc_get(sk)


def unix_open_file(sk: unix_sock) -> int:
    """SIOCUNIXFILE: an O_PATH descriptor of the file the socket is bound to. EPERM, ENOENT, EMFILE."""
    current = sk.skc_net.kernel.current
    if not ns_capable(current, sk.skc_net.user_ns, CAP_NET_ADMIN):
        raise KernelError(EPERM)
    if sk.addr is None or sk.path is None:
        raise KernelError(ENOENT)
    place = path(sk.path.mnt, sk.path.dentry)
    path_get(place)
    try:
        fd = get_unused_fd_flags(current, O_CLOEXEC)
        try:
            filp = _open_path(place)
        except KernelError:
            put_unused_fd(current, fd)
            raise
    finally:
        path_put(place)
    fd_install(current, fd, filp)
    return fd


def _open_path(place: path) -> file:
    """dentry_open() of an O_PATH file, which has no open() that could sleep."""
    opening = dentry_open(place, O_PATH, place.dentry.d_sb.kernel.current.cred)
    try:
        opening.send(None)
    except StopIteration as done:
        opened: file = done.value
        return opened
    raise AssertionError("open(O_PATH) slept")


def unix_ioctl(sock: socket, cmd: int, arg: int) -> int:
    """SIOCOUTQ, SIOCINQ, SIOCATMARK (an int at arg), SIOCUNIXFILE. ENOIOCTLCMD, EFAULT."""
    sk = _sk_of(sock)
    current = sk.skc_net.kernel.current
    if cmd == SIOCOUTQ:
        put_user(current, arg, unix_outq_len(sk))
    elif cmd == SIOCINQ:
        put_user(current, arg, unix_inq_len(sk))
    elif cmd == SIOCUNIXFILE:
        return unix_open_file(sk)
    elif cmd == SIOCATMARK:
        first = sk.sk_receive_queue.next
        put_user(current, arg, int(first is not None and first is sk.oob_skb))
    else:
        raise KernelError(ENOIOCTLCMD)
    return 0


def unix_compat_ioctl(sock: socket, cmd: int, arg: int) -> int:
    """unix_ioctl() for 32-bit programs; arg is a pointer."""
    return unix_ioctl(sock, cmd, arg & 0xFFFFFFFF)


def _poll_shutdown(sk: unix_sock) -> int:
    mask = 0
    if sk.sk_shutdown == SHUTDOWN_MASK:
        mask |= EPOLLHUP
    if sk.sk_shutdown & RCV_SHUTDOWN:
        mask |= EPOLLRDHUP | READABLE
    if sk.sk_receive_queue.next is not None:
        mask |= READABLE
    return mask


def unix_poll(filp: file, sock: socket, wait: poll_table | None) -> int:
    """What a stream is ready for; it stays writable after the peer shut down, so that writers find out."""
    sk = _sk_of(sock)
    poll_wait(filp, sock.wq.wait, wait)
    mask = _poll_shutdown(sk)
    if sk.sk_err:
        mask |= EPOLLERR
    if sk.oob_skb is not None:
        mask |= EPOLLPRI
    if sk.skc_state == TCP_CLOSE and sk.sk_type in (SOCK_STREAM, SOCK_SEQPACKET):
        mask |= EPOLLHUP
    if unix_writable(sk, sk.skc_state):
        mask |= WRITABLE
    return mask


def unix_dgram_poll(filp: file, sock: socket, wait: poll_table | None) -> int:
    """What a datagram or seqpacket socket is ready for; a full receiver makes it unwritable."""
    sk = _sk_of(sock)
    poll_wait(filp, sock.wq.wait, wait)
    mask = _poll_shutdown(sk)
    if sk.sk_err or sk.sk_error_queue.next is not None:
        mask |= EPOLLERR
        if sock_flag(sk, SOCK_SELECT_ERR_QUEUE):
            mask |= EPOLLPRI
    if sk.sk_type == SOCK_SEQPACKET and sk.skc_state == TCP_CLOSE:
        mask |= EPOLLHUP
    if not poll_requested_events(wait) & WRITABLE:
        return mask
    if unix_writable(sk, sk.skc_state):
        other = sk.peer
        full = other is not None and other.peer is not sk and unix_recvq_full_lockless(other)
        if not (full and other is not None and unix_dgram_peer_wake_me(sk, other)):
            mask |= WRITABLE
    return mask


def unix_set_peek_off(sk: sock_t, val: int) -> int:
    """SO_PEEK_OFF: where MSG_PEEK reads next, -1 for the start."""
    sk.sk_peek_off = val
    return 0


def unix_count_nr_fds(sk: unix_sock) -> int:
    """Descriptors waiting at the connections that wait to be accepted."""
    return sum(unix_sk(skb.sk).scm_stat.nr_fds for skb in sk.sk_receive_queue if skb.sk is not None)


def unix_show_fdinfo(m: seq_file, sock: socket) -> None:
    """The socket's line in /proc/PID/fdinfo."""
    if sock.sk is None:
        return
    sk = _sk_of(sock)
    if sock.type != SOCK_DGRAM and sk.skc_state == TCP_LISTEN:
        nr_fds = unix_count_nr_fds(sk)
    else:
        nr_fds = sk.scm_stat.nr_fds
    seq_printf(m, f"scm_fds: {nr_fds}\n")
