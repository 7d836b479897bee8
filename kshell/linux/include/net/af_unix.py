"""include/net/af_unix.h: sockets within one machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.linux.include.linux.net import socket_wq
from kshell.linux.include.net.sock import sock

if TYPE_CHECKING:
    from kshell.linux.include.linux.net import socket
    from kshell.linux.include.linux.path import path
    from kshell.linux.include.linux.sched import pid
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.linux.wait import wait_queue_entry, wait_queue_head
    from kshell.linux.include.net.scm import scm_fp_list

SUN_PATH_OFFSET = 2  # offsetof(struct sockaddr_un, sun_path)
SIZEOF_SOCKADDR_UN = 110


class unix_address:
    """A name: a whole sockaddr_un, as long as it was given (a path with its NUL)."""

    __slots__ = ("_addr", "len", "name", "refcnt")
    _addr: int

    def __init__(self) -> None:
        self.refcnt = 1
        self.len = 0
        self.name = b""


class unix_skb_parms:
    """What a message carries besides its data. uid, gid: INVALID_ID when nobody asked for them.

    consumed: bytes of a stream's skb that were read.
    """

    __slots__ = ("consumed", "fp", "gid", "pid", "secid", "uid")

    def __init__(self) -> None:
        self.pid: pid | None = None
        self.uid = self.gid = self.secid = self.consumed = 0
        self.fp: scm_fp_list | None = None


class scm_stat:
    """Descriptors that wait in a socket's receive queue, and how many of them are AF_UNIX sockets."""

    __slots__ = ("nr_fds", "nr_unix_fds")

    def __init__(self) -> None:
        self.nr_fds = self.nr_unix_fds = 0


class unix_edge:
    """One socket in flight: predecessor is on its way to successor."""

    __slots__ = ("predecessor", "successor")

    def __init__(self, predecessor: unix_sock, successor: unix_sock) -> None:
        self.predecessor = predecessor
        self.successor = successor


class unix_vertex:
    """A socket that is in flight at least once; edges lead to the sockets in whose queues it lies."""

    __slots__ = ("_addr", "_component", "edges", "index", "out_degree", "scc_index")
    _addr: int

    def __init__(self) -> None:
        self.edges: dict[unix_edge, None] = {}
        self.out_degree = self.index = self.scc_index = 0
        self._component: list[unix_vertex] | None = None  # scc_entry: the vertices grouped with it


class unix_sock(sock):
    """An AF_UNIX socket.

    listener: the listening socket while the connection has not been accepted; peer_wake: stands in
    the peer's queue while its receive queue is full, None otherwise (Linux: its private is NULL).
    """

    __slots__ = ("addr", "listener", "oob_skb", "path", "peer", "peer_wake", "peer_wq", "scm_stat", "vertex")
    addr: unix_address | None
    path: path | None
    peer: unix_sock | None
    listener: unix_sock | None
    vertex: unix_vertex | None
    peer_wq: socket_wq
    peer_wake: wait_queue_entry | None
    scm_stat: scm_stat
    oob_skb: sk_buff | None

    def __init__(self) -> None:
        sock.__init__(self)
        self.addr = self.path = self.peer = self.listener = self.vertex = self.peer_wake = self.oob_skb = None
        self.peer_wq = socket_wq()
        self.scm_stat = scm_stat()


def unix_sk(sk: sock) -> unix_sock:
    """The socket as an AF_UNIX one."""
    return sk  # type: ignore[return-value]  # the same struct, as in Linux; cast() costs a call


def _sk_of(sock: socket) -> unix_sock:
    """unix_sk(sock->sk)"""
    assert sock.sk is not None
    return unix_sk(sock.sk)


def peer_wait(u: unix_sock) -> wait_queue_head:
    """u->peer_wait: where those sleep who want to connect or send to u."""
    return u.peer_wq.wait


def UNIXCB(skb: sk_buff) -> unix_skb_parms:
    """The message's control block."""
    cb = skb.cb
    if cb is None:
        cb = skb.cb = unix_skb_parms()
    return cb  # type: ignore[return-value]  # AF_UNIX puts nothing else there
