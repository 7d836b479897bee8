"""include/linux/net.h: the BSD socket layer's structures."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from kshell.linux.include.linux.wait import wait_queue_head

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import fasync_struct, file, inode
    from kshell.linux.include.linux.fs_ops import Ppos
    from kshell.linux.include.linux.module import module
    from kshell.linux.include.linux.pipe_fs_i import pipe_inode_info
    from kshell.linux.include.linux.poll import poll_table_struct
    from kshell.linux.include.linux.sched import Rest
    from kshell.linux.include.linux.seq_file import seq_file
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.linux.socket import msghdr
    from kshell.linux.include.linux.sockptr import sockptr_t
    from kshell.linux.include.net.net_namespace import net
    from kshell.linux.include.net.sock import sock

NPROTO = 46

# socket.flags: bit numbers
SOCK_NOSPACE = 2
SOCK_PASSCRED = 3
SOCK_PASSSEC = 4
SOCK_SUPPORT_ZC = 5
# socket_wq.flags: bit numbers
SOCKWQ_ASYNC_NOSPACE = 0
SOCKWQ_ASYNC_WAITDATA = 1

SOCK_MAX = 11
SOCK_TYPE_MASK = 0xF

SOCK_WAKE_IO = 0
SOCK_WAKE_WAITD = 1
SOCK_WAKE_SPACE = 2
SOCK_WAKE_URG = 3


class socket_wq(wait_queue_head):
    """Who sleeps on a socket, and who is signalled (fasync). Its first member, `wait`, is the struct it derives from."""

    __slots__ = ("fasync_list", "flags")
    fasync_list: fasync_struct | None
    flags: int

    def __init__(self) -> None:
        self.head = self.fasync_list = None
        self.flags = 0

    @property
    def wait(self) -> wait_queue_head:
        return self


class socket:
    """A BSD socket: what a descriptor of a socket stands for. sock_alloc_inode() gives every field its first value."""

    __slots__ = ("_addr", "_alloc", "file", "flags", "ops", "sk", "state", "type", "wq")
    _addr: int
    state: int
    type: int
    flags: int
    file: file | None
    sk: sock | None
    ops: proto_ops | None
    wq: socket_wq
    _alloc: socket_alloc | None  # container_of(sock, struct socket_alloc, socket)


class socket_alloc:
    """A slab object of sock_inode_cache: the socket and its sockfs inode in one."""

    __slots__ = ("_addr", "socket", "vfs_inode")
    _addr: int
    socket: socket
    vfs_inode: inode


class proto_ops:
    """What a protocol family does for each socket system call."""

    __slots__ = (
        "accept",
        "bind",
        "compat_ioctl",
        "connect",
        "family",
        "getname",
        "getsockopt",
        "gettstamp",
        "ioctl",
        "listen",
        "mmap",
        "owner",
        "peek_len",
        "poll",
        "read_skb",
        "read_sock",
        "recvmsg",
        "release",
        "sendmsg",
        "sendmsg_locked",
        "sendpage",
        "sendpage_locked",
        "set_peek_off",
        "set_rcvlowat",
        "setsockopt",
        "show_fdinfo",
        "shutdown",
        "socketpair",
        "splice_eof",
        "splice_read",
    )  # fmt: skip

    def __init__(
        self,
        *,
        family: int,
        release: Callable[[socket], Rest | None],
        bind: Callable[[socket, bytes, int], int],
        connect: Callable[[socket, bytes, int, int], Awaitable[int]],
        socketpair: Callable[[socket, socket], int],
        accept: Callable[[socket, socket, int, bool], Awaitable[int]],
        getname: Callable[[socket, int], bytes],
        poll: Callable[[file, socket, poll_table_struct | None], int],
        ioctl: Callable[[socket, int, int], int],
        listen: Callable[[socket, int], int],
        shutdown: Callable[[socket, int], int],
        sendmsg: Callable[[socket, msghdr, int], Awaitable[int]],
        recvmsg: Callable[[socket, msghdr, int, int], Awaitable[int]],
        owner: module | None = None,
        compat_ioctl: Callable[[socket, int, int], int] | None = None,
        gettstamp: Callable[[socket, int, bool, bool], int] | None = None,
        setsockopt: Callable[[socket, int, int, sockptr_t, int], int] | None = None,
        getsockopt: Callable[[socket, int, int, int, int], int] | None = None,
        show_fdinfo: Callable[[seq_file, socket], None] | None = None,
        mmap: Callable[[file, socket, object], int] | None = None,
        sendpage: Callable[[socket, bytes, int], Awaitable[int]] | None = None,
        splice_read: Callable[[socket, Ppos, pipe_inode_info, int, int], Awaitable[int]] | None = None,
        splice_eof: Callable[[socket], None] | None = None,
        set_peek_off: Callable[[sock, int], int] | None = None,
        peek_len: Callable[[socket], int] | None = None,
        read_sock: Callable[[sock, object, object], int] | None = None,
        read_skb: Callable[[sock, Callable[[sock, sk_buff], int]], int] | None = None,
        sendpage_locked: Callable[[sock, bytes, int], Awaitable[int]] | None = None,
        sendmsg_locked: Callable[[sock, msghdr, int], Awaitable[int]] | None = None,
        set_rcvlowat: Callable[[sock, int], int] | None = None,
    ) -> None:
        self.family = family
        self.owner = owner
        self.release = release
        self.bind = bind
        self.connect = connect
        self.socketpair = socketpair
        self.accept = accept
        self.getname = getname
        self.poll = poll
        self.ioctl = ioctl
        self.compat_ioctl = compat_ioctl
        self.gettstamp = gettstamp
        self.listen = listen
        self.shutdown = shutdown
        self.setsockopt = setsockopt
        self.getsockopt = getsockopt
        self.show_fdinfo = show_fdinfo
        self.sendmsg = sendmsg
        self.recvmsg = recvmsg
        self.mmap = mmap
        self.sendpage = sendpage
        self.splice_read = splice_read
        self.splice_eof = splice_eof
        self.set_peek_off = set_peek_off
        self.peek_len = peek_len
        self.read_sock = read_sock
        self.read_skb = read_skb
        self.sendpage_locked = sendpage_locked
        self.sendmsg_locked = sendmsg_locked
        self.set_rcvlowat = set_rcvlowat


class net_proto_family:
    """A protocol family: its number and how it makes a socket."""

    __slots__ = ("create", "family", "owner")

    def __init__(
        self, *, family: int, create: Callable[[net, socket, int, int], int], owner: module | None = None
    ) -> None:
        self.family = family
        self.create = create
        self.owner = owner


def SOCKET_I(inode: inode) -> socket:
    """The socket of a sockfs inode."""
    alloc: socket_alloc = inode._alloc  # type: ignore[attr-defined]  # a sockfs inode
    return alloc.socket


def SOCK_INODE(socket: socket) -> inode:
    """The sockfs inode of a socket."""
    assert socket._alloc is not None
    return socket._alloc.vfs_inode
