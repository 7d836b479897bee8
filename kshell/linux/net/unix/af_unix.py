"""AF_UNIX: sockets between processes of one machine (net/unix/af_unix.c): their making, end and tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import ECONNRESET, ENFILE, EPROTONOSUPPORT, ESOCKTNOSUPPORT
from kshell.abi.signal import POLL_HUP
from kshell.abi.socket import PF_UNIX, SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET, SOCK_STREAM, SS_UNCONNECTED
from kshell.abi.tcp import TCP_CLOSE, TCP_LISTEN
from kshell.linux.fs.file_table import get_max_files
from kshell.linux.fs.namei_path import path_put
from kshell.linux.fs.proc.generic import remove_proc_entry
from kshell.linux.fs.proc.proc_net import proc_create_net
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.net import SOCK_WAKE_WAITD, net_proto_family, proto_ops
from kshell.linux.include.net.af_unix import UNIXCB, peer_wait, unix_sk, unix_sock
from kshell.linux.include.net.net_namespace import pernet_operations
from kshell.linux.include.net.netns_unix import netns_unix
from kshell.linux.include.net.sock import SHUTDOWN_MASK, SOCK_DEAD, sock_flag, sock_orphan
from kshell.linux.include.net.sock_proto import proto
from kshell.linux.kernel.printk import pr_info
from kshell.linux.kernel.sched.wait import wake_up_interruptible_all
from kshell.linux.net import socket as net_socket
from kshell.linux.net.core.net_namespace import register_pernet_subsys
from kshell.linux.net.core.skbuff import kfree_skb, skb_dequeue, skb_queue_purge
from kshell.linux.net.core.sock import (
    sk_alloc,
    sk_wake_async,
    sock_init_data,
    sock_put,
)
from kshell.linux.net.core.sock_no import sock_no_accept, sock_no_listen, sock_no_mmap, sock_no_sendpage
from kshell.linux.net.core.sock_proto import proto_register, sock_prot_inuse_add
from kshell.linux.net.unix.af_unix_bind import unix_bind
from kshell.linux.net.unix.af_unix_connect import (
    unix_accept,
    unix_dgram_connect,
    unix_listen,
    unix_socketpair,
    unix_stream_connect,
)
from kshell.linux.net.unix.af_unix_dgram import (
    unix_dgram_recvmsg,
    unix_dgram_sendmsg,
    unix_seqpacket_recvmsg,
    unix_seqpacket_sendmsg,
)
from kshell.linux.net.unix.af_unix_peer import unix_dgram_peer_wake_disconnect, unix_skb_len, unix_write_space
from kshell.linux.net.unix.af_unix_poll import (
    unix_compat_ioctl,
    unix_dgram_poll,
    unix_getname,
    unix_ioctl,
    unix_poll,
    unix_set_peek_off,
    unix_show_fdinfo,
    unix_shutdown,
)
from kshell.linux.net.unix.af_unix_proc import unix_seq_ops
from kshell.linux.net.unix.af_unix_read import unix_stream_recvmsg, unix_stream_splice_read
from kshell.linux.net.unix.af_unix_stream import unix_stream_sendmsg, unix_stream_sendpage
from kshell.linux.net.unix.af_unix_table import (
    unix_insert_unbound_socket,
    unix_release_addr,
    unix_remove_bsd_socket,
    unix_remove_socket,
    unix_unbound_hash,
)
from kshell.linux.net.unix.garbage import _new_gc_state, unix_gc
from kshell.linux.net.unix.sysctl_net_unix import unix_sysctl_register, unix_sysctl_unregister

if TYPE_CHECKING:
    from kshell.linux.include.linux.net import socket
    from kshell.linux.include.net.net_namespace import net
    from kshell.linux.include.net.sock import sock as sock_t
    from kshell.linux.init.kernel import Kernel



def unix_sock_destructor(sk: sock_t) -> None:
    """The last reference is gone."""
    kernel = sk.skc_net.kernel
    u = unix_sk(sk)
    skb_queue_purge(sk.sk_receive_queue)
    if not sock_flag(sk, SOCK_DEAD):
        pr_info(kernel, f"Attempt to release alive unix socket: {sk._addr:x}")
        return
    if u.addr is not None:
        unix_release_addr(kernel, u.addr)
    kernel.unix_nr_socks -= 1
    sock_prot_inuse_add(sk.skc_net, sk.skc_prot, -1)


def _tell_peer(sk: unix_sock, skpair: unix_sock, embrion: int) -> None:
    """The other end of a stream sees the end, as ECONNRESET when data was not read."""
    if sk.sk_type in (SOCK_STREAM, SOCK_SEQPACKET):
        skb = sk.sk_receive_queue.next
        if skb is not None and not unix_skb_len(skb):
            skb = skb.next
        skpair.sk_shutdown = SHUTDOWN_MASK
        if skb is not None or embrion:
            skpair.sk_err = ECONNRESET
        skpair.sk_state_change(skpair)
        sk_wake_async(skpair, SOCK_WAKE_WAITD, POLL_HUP)
    unix_dgram_peer_wake_disconnect(sk, skpair)
    sock_put(skpair)


def unix_release_sock(sk: unix_sock, embrion: int) -> None:
    """Close a socket; embrion: one that was never accepted."""
    net = sk.skc_net
    unix_remove_socket(net, sk)
    unix_remove_bsd_socket(sk)
    sock_orphan(sk)
    sk.sk_shutdown = SHUTDOWN_MASK
    place = sk.path
    sk.path = None
    state = sk.skc_state
    sk.skc_state = TCP_CLOSE
    skpair = sk.peer
    sk.peer = None
    sk.oob_skb = None
    wake_up_interruptible_all(peer_wait(sk))
    if skpair is not None:
        _tell_peer(sk, skpair, embrion)
    while (skb := skb_dequeue(sk.sk_receive_queue)) is not None:
        if state == TCP_LISTEN and skb.sk is not None:
            unix_release_sock(unix_sk(skb.sk), 1)
        UNIXCB(skb).consumed = skb.len
        kfree_skb(skb)
    sk.listener = None
    if place is not None:
        path_put(place)
    sock_put(sk)
    if net.kernel.unix_tot_inflight:
        unix_gc(net.kernel)


def unix_close(sk: sock_t, timeout: int) -> None:
    """Nothing to do: unix_release() does it."""


def unix_unhash(sk: sock_t) -> None:
    """Nothing to do: unix_release() does it."""


unix_dgram_proto = proto(name="UNIX", cls=unix_sock, obj_size=1024, close=unix_close)
unix_stream_proto = proto(
    name="UNIX-STREAM", cls=unix_sock, obj_size=1024, close=unix_close, unhash=unix_unhash
)


def unix_create1(net: net, sock: socket | None, kern: int, type: int) -> unix_sock:
    """A new, unbound socket. ENFILE: twice as many as files may be open."""
    kernel = net.kernel
    kernel.unix_nr_socks += 1
    if kernel.unix_nr_socks > 2 * get_max_files(kernel):
        kernel.unix_nr_socks -= 1
        raise KernelError(ENFILE)
    prot = unix_stream_proto if type == SOCK_STREAM else unix_dgram_proto
    try:
        sk = unix_sk(sk_alloc(net, PF_UNIX, prot, kern))
    except KernelError:
        kernel.unix_nr_socks -= 1
        raise
    sock_init_data(sock, sk)
    sk.skc_hash = unix_unbound_hash(sk)
    sk.sk_write_space = unix_write_space
    sk.sk_max_ack_backlog = net.unx.sysctl_max_dgram_qlen
    sk.sk_destruct = unix_sock_destructor
    unix_insert_unbound_socket(net, sk)
    sock_prot_inuse_add(net, prot, 1)
    return sk


def unix_create(net: net, sock: socket, protocol: int, kern: int) -> int:
    """socket(AF_UNIX, …). EPROTONOSUPPORT, ESOCKTNOSUPPORT, ENFILE."""
    if protocol and protocol != PF_UNIX:
        raise KernelError(EPROTONOSUPPORT)
    sock.state = SS_UNCONNECTED
    if sock.type == SOCK_STREAM:
        sock.ops = unix_stream_ops
    elif sock.type in (SOCK_DGRAM, SOCK_RAW):
        sock.type = SOCK_DGRAM
        sock.ops = unix_dgram_ops
    elif sock.type == SOCK_SEQPACKET:
        sock.ops = unix_seqpacket_ops
    else:
        raise KernelError(ESOCKTNOSUPPORT)
    unix_create1(net, sock, kern, sock.type)
    return 0


def unix_release(sock: socket) -> None:
    """The last descriptor is closed."""
    sk = sock.sk
    if sk is None:
        return
    assert sk.skc_prot.close is not None
    sk.skc_prot.close(sk, 0)
    unix_release_sock(unix_sk(sk), 0)
    sock.sk = None


unix_stream_ops = proto_ops(
    family=PF_UNIX,
    release=unix_release,
    bind=unix_bind,
    connect=unix_stream_connect,
    socketpair=unix_socketpair,
    accept=unix_accept,
    getname=unix_getname,
    poll=unix_poll,
    ioctl=unix_ioctl,
    compat_ioctl=unix_compat_ioctl,
    listen=unix_listen,
    shutdown=unix_shutdown,
    sendmsg=unix_stream_sendmsg,
    recvmsg=unix_stream_recvmsg,
    mmap=sock_no_mmap,
    sendpage=unix_stream_sendpage,
    splice_read=unix_stream_splice_read,
    set_peek_off=unix_set_peek_off,
    show_fdinfo=unix_show_fdinfo,
)
unix_dgram_ops = proto_ops(
    family=PF_UNIX,
    release=unix_release,
    bind=unix_bind,
    connect=unix_dgram_connect,
    socketpair=unix_socketpair,
    accept=sock_no_accept,
    getname=unix_getname,
    poll=unix_dgram_poll,
    ioctl=unix_ioctl,
    compat_ioctl=unix_compat_ioctl,
    listen=sock_no_listen,
    shutdown=unix_shutdown,
    sendmsg=unix_dgram_sendmsg,
    recvmsg=unix_dgram_recvmsg,
    mmap=sock_no_mmap,
    sendpage=sock_no_sendpage,
    set_peek_off=unix_set_peek_off,
    show_fdinfo=unix_show_fdinfo,
)
unix_seqpacket_ops = proto_ops(
    family=PF_UNIX,
    release=unix_release,
    bind=unix_bind,
    connect=unix_stream_connect,
    socketpair=unix_socketpair,
    accept=unix_accept,
    getname=unix_getname,
    poll=unix_dgram_poll,
    ioctl=unix_ioctl,
    compat_ioctl=unix_compat_ioctl,
    listen=unix_listen,
    shutdown=unix_shutdown,
    sendmsg=unix_seqpacket_sendmsg,
    recvmsg=unix_seqpacket_recvmsg,
    mmap=sock_no_mmap,
    sendpage=sock_no_sendpage,
    set_peek_off=unix_set_peek_off,
    show_fdinfo=unix_show_fdinfo,
)
unix_family_ops = net_proto_family(family=PF_UNIX, create=unix_create)


def unix_net_init(net: net) -> None:
    """A new namespace has a table of AF_UNIX sockets of its own."""
    net.unx = netns_unix()
    unix_sysctl_register(net)
    proc_create_net(net.kernel, "unix", 0, net.proc_net, unix_seq_ops)


def unix_net_exit(net: net) -> None:
    """A namespace is gone."""
    unix_sysctl_unregister(net)
    remove_proc_entry(net.kernel, "unix", net.proc_net)


unix_net_ops = pernet_operations(init=unix_net_init, exit=unix_net_exit)


def af_unix_init(kernel: Kernel) -> None:
    """Initcall: make AF_UNIX known."""
    kernel.unix_nr_socks = 0
    kernel.bsd_socket_buckets = [None] * 256
    kernel.unix_tot_inflight = 0
    kernel.unix_gc_state = _new_gc_state(kernel)
    proto_register(kernel, unix_dgram_proto, 1)
    proto_register(kernel, unix_stream_proto, 1)
    net_socket.sock_register(kernel, unix_family_ops)
    register_pernet_subsys(kernel, unix_net_ops)
