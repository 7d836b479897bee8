"""include/net/sock.h: a transport protocol, as its sockets see it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kshell.linux.include.linux.module import module
    from kshell.linux.include.linux.net import socket
    from kshell.linux.include.linux.sched import Rest
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.linux.socket import msghdr
    from kshell.linux.include.linux.sockptr import sockptr_t
    from kshell.linux.include.net.inet_timewait_sock import timewait_sock_ops
    from kshell.linux.include.net.request_sock import request_sock_ops
    from kshell.linux.include.net.sock import sock


class proto:
    """A transport protocol of one address family: the operations on its sockets.

    What Linux keeps as a pointer to a global variable is here the name of that attribute of Kernel (memory_allocated,
    sysctl_mem, orphan_count, h …); sysctl_wmem_offset/sysctl_rmem_offset name an attribute of net.ipv4. The slab is
    `kernel.proto_slab[prot]`. Instances are constant.
    """

    __slots__ = (
        "_cls",
        "accept",
        "backlog_rcv",
        "bind",
        "bind_add",
        "bpf_bypass_getsockopt",
        "close",
        "compat_ioctl",
        "connect",
        "destroy",
        "diag_destroy",
        "disconnect",
        "enter_memory_pressure",
        "forward_alloc_get",
        "get_port",
        "getsockopt",
        "h",
        "hash",
        "init",
        "inuse_idx",
        "ioctl",
        "keepalive",
        "leave_memory_pressure",
        "max_header",
        "memory_allocated",
        "memory_pressure",
        "name",
        "no_autobind",
        "obj_size",
        "orphan_count",
        "owner",
        "per_cpu_fw_alloc",
        "pre_connect",
        "psock_update_sk_prot",
        "put_port",
        "recvmsg",
        "rehash",
        "release_cb",
        "rsk_prot",
        "sendmsg",
        "sendpage",
        "setsockopt",
        "shutdown",
        "slab_flags",
        "sock_is_readable",
        "sockets_allocated",
        "splice_eof",
        "stream_memory_free",
        "sysctl_mem",
        "sysctl_rmem",
        "sysctl_rmem_offset",
        "sysctl_wmem",
        "sysctl_wmem_offset",
        "twsk_prot",
        "unhash",
        "useroffset",
        "usersize",
    )  # fmt: skip

    def __init__(
        self,
        *,
        name: str,
        cls: type[sock],
        obj_size: int,
        owner: module | None = None,
        close: Callable[[sock, int], Rest | None] | None = None,
        pre_connect: Callable[[sock, bytes, int], int] | None = None,
        connect: Callable[[sock, bytes, int], Awaitable[int]] | None = None,
        disconnect: Callable[[sock, int], int] | None = None,
        accept: Callable[[sock, int, bool], Awaitable[sock]] | None = None,
        ioctl: Callable[[sock, int, int], int] | None = None,
        init: Callable[[sock], int] | None = None,
        destroy: Callable[[sock], None] | None = None,
        shutdown: Callable[[sock, int], None] | None = None,
        setsockopt: Callable[[sock, int, int, sockptr_t, int], int] | None = None,
        getsockopt: Callable[[sock, int, int, int, int], int] | None = None,
        keepalive: Callable[[sock, int], None] | None = None,
        compat_ioctl: Callable[[sock, int, int], int] | None = None,
        sendmsg: Callable[[sock, msghdr, int], Awaitable[int]] | None = None,
        recvmsg: Callable[[sock, msghdr, int, int], Awaitable[int]] | None = None,
        sendpage: Callable[[sock, bytes, int], Awaitable[int]] | None = None,
        splice_eof: Callable[[socket], None] | None = None,
        bind: Callable[[sock, bytes, int], int] | None = None,
        bind_add: Callable[[sock, bytes, int], int] | None = None,
        backlog_rcv: Callable[[sock, sk_buff], int] | None = None,
        bpf_bypass_getsockopt: Callable[[int, int], bool] | None = None,
        release_cb: Callable[[sock], None] | None = None,
        hash: Callable[[sock], int] | None = None,
        unhash: Callable[[sock], None] | None = None,
        rehash: Callable[[sock], None] | None = None,
        get_port: Callable[[sock, int], int] | None = None,
        put_port: Callable[[sock], None] | None = None,
        psock_update_sk_prot: Callable[[sock, object, bool], int] | None = None,
        forward_alloc_get: Callable[[sock], int] | None = None,
        stream_memory_free: Callable[[sock, int], bool] | None = None,
        sock_is_readable: Callable[[sock], bool] | None = None,
        enter_memory_pressure: Callable[[sock], None] | None = None,
        leave_memory_pressure: Callable[[sock], None] | None = None,
        memory_allocated: str | None = None,
        per_cpu_fw_alloc: str | None = None,
        sockets_allocated: str | None = None,
        memory_pressure: str | None = None,
        sysctl_mem: str | None = None,
        sysctl_wmem: str | None = None,
        sysctl_rmem: str | None = None,
        sysctl_wmem_offset: str | None = None,
        sysctl_rmem_offset: str | None = None,
        max_header: int = 0,
        no_autobind: bool = False,
        slab_flags: int = 0,
        useroffset: int = 0,
        usersize: int = 0,
        orphan_count: str | None = None,
        rsk_prot: request_sock_ops | None = None,
        twsk_prot: timewait_sock_ops | None = None,
        h: str | None = None,
        diag_destroy: Callable[[sock, int], int] | None = None,
    ) -> None:
        self.name = name
        self._cls = cls
        self.obj_size = obj_size
        self.owner = owner
        self.close = close
        self.pre_connect = pre_connect
        self.connect = connect
        self.disconnect = disconnect
        self.accept = accept
        self.ioctl = ioctl
        self.init = init
        self.destroy = destroy
        self.shutdown = shutdown
        self.setsockopt = setsockopt
        self.getsockopt = getsockopt
        self.keepalive = keepalive
        self.compat_ioctl = compat_ioctl
        self.sendmsg = sendmsg
        self.recvmsg = recvmsg
        self.sendpage = sendpage
        self.splice_eof = splice_eof
        self.bind = bind
        self.bind_add = bind_add
        self.backlog_rcv = backlog_rcv
        self.bpf_bypass_getsockopt = bpf_bypass_getsockopt
        self.release_cb = release_cb
        self.hash = hash
        self.unhash = unhash
        self.rehash = rehash
        self.get_port = get_port
        self.put_port = put_port
        self.psock_update_sk_prot = psock_update_sk_prot
        self.forward_alloc_get = forward_alloc_get
        self.stream_memory_free = stream_memory_free
        self.sock_is_readable = sock_is_readable
        self.enter_memory_pressure = enter_memory_pressure
        self.leave_memory_pressure = leave_memory_pressure
        self.memory_allocated = memory_allocated
        self.per_cpu_fw_alloc = per_cpu_fw_alloc
        self.sockets_allocated = sockets_allocated
        self.memory_pressure = memory_pressure
        self.sysctl_mem = sysctl_mem
        self.sysctl_wmem = sysctl_wmem
        self.sysctl_rmem = sysctl_rmem
        self.sysctl_wmem_offset = sysctl_wmem_offset
        self.sysctl_rmem_offset = sysctl_rmem_offset
        self.max_header = max_header
        self.no_autobind = no_autobind
        self.slab_flags = slab_flags
        self.useroffset = useroffset
        self.usersize = usersize
        self.orphan_count = orphan_count
        self.rsk_prot = rsk_prot
        self.twsk_prot = twsk_prot
        self.h = h
        self.diag_destroy = diag_destroy
