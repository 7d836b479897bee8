"""net/core/sock.c: the life of sockets, and what they do by default.

Parts stand in modules of their own and can be imported from here: sock_mem (accounting), sock_lock, sock_proto (registry
of protocols), sock_setsockopt, sock_getsockopt, sock_no (operations that a family lacks), sock_queue (receiving).
"""

from __future__ import annotations

from functools import cache
from operator import attrgetter
from typing import TYPE_CHECKING

from kshell.abi.capability import CAP_NET_RAW
from kshell.abi.errno import EINVAL, ENOBUFS, EPERM, EPIPE
from kshell.abi.poll import EPOLLERR, EPOLLPRI, EPOLLRDBAND, EPOLLWRBAND
from kshell.abi.tcp import TCP_CLOSE
from kshell.linux.fs import fcntl
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.net import (
    SOCK_WAKE_IO,
    SOCK_WAKE_SPACE,
    SOCK_WAKE_URG,
    SOCK_WAKE_WAITD,
    SOCKWQ_ASYNC_WAITDATA,
)
from kshell.linux.include.linux.netdev_features import NETIF_F_GSO, NETIF_F_GSO_SOFTWARE
from kshell.linux.include.linux.poll import EPOLLIN, EPOLLOUT, EPOLLRDNORM, EPOLLWRNORM
from kshell.linux.include.linux.random import get_random_u32
from kshell.linux.include.linux.sched import TASK_INTERRUPTIBLE
from kshell.linux.include.linux.skbuff import sk_buff_head
from kshell.linux.include.linux.wait import wait_queue_entry
from kshell.linux.include.net.sock import (
    SK_FLAGS_TIMESTAMP,
    SOCK_BINDPORT_LOCK,
    SOCK_DONE,
    SOCK_FASYNC,
    SOCK_ZAPPED,
    __sock_put,
    sk_sockets_allocated_inc,
    sock,
    sock_orphan,
)
from kshell.linux.include.net.sock_dst import __sk_dst_set, sk_dst_get, sk_dst_reset
from kshell.linux.include.net.sock_wait import sk_clear_bit, sk_set_bit
from kshell.linux.kernel.capability import ns_capable
from kshell.linux.kernel.module.main import try_module_get
from kshell.linux.kernel.sched.wait import (
    __wake_up,
    __wake_up_sync_key,
    add_wait_queue,
    remove_wait_queue,
    wait_woken,
    woken_wake_function,
)
from kshell.linux.kernel.time.timer import mod_timer, timer_delete
from kshell.linux.mm.slab_common import kzalloc
from kshell.linux.mm.slub import kmem_cache_alloc
from kshell.linux.net.core import filter as net_filter
from kshell.linux.net.core.sock_free import sock_put as sock_put
from kshell.linux.net.core.sock_lock import lock_sock as lock_sock
from kshell.linux.net.core.sock_lock import release_sock as release_sock
from kshell.linux.net.socket_async import sock_wake_async
from kshell.linux.security.security import security_sk_alloc, security_sk_clone

if TYPE_CHECKING:
    from kshell.linux.include.linux.net import socket
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.dst import dst_entry
    from kshell.linux.include.net.net_namespace import net
    from kshell.linux.include.net.sock_proto import proto
    from kshell.linux.init.kernel import Kernel
    from kshell.linux.kernel.time.timer import timer_list

_READABLE = EPOLLIN | EPOLLPRI | EPOLLRDNORM | EPOLLRDBAND
_WRITABLE = EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND
_FASYNC, _ZAPPED = 1 << SOCK_FASYNC, 1 << SOCK_ZAPPED
POLL_IN, POLL_OUT, POLL_MSG, POLL_ERR, POLL_PRI, POLL_HUP = 1, 2, 3, 4, 5, 6


def sk_prot_alloc(kernel: Kernel, prot: proto) -> sock:
    """A struct for a socket of protocol `prot`, from its slab if it has one."""
    slab = kernel.proto_slab.get(prot)
    if slab is not None:
        sk = kmem_cache_alloc(slab, prot._cls)
    else:
        sk = kzalloc(kernel, prot._cls, prot.obj_size)
    security_sk_alloc(sk)
    if prot.owner is not None and not try_module_get(prot.owner):
        raise KernelError(ENOBUFS)
    return sk


def sk_alloc(net: net, family: int, prot: proto, kern: int) -> sock:
    """A new socket of a protocol; one of the kernel's own does not hold the namespace."""
    sk = sk_prot_alloc(net.kernel, prot)
    sk.skc_family = family
    sk.skc_prot = sk.sk_prot_creator = prot
    if kern:
        sk.sk_kern_sock = kern
        sk.sk_net_refcnt = 0
    else:
        net.ns.count += 1
        net.core.prot_inuse.all += 1
    sk.skc_net = net
    sk.sk_wmem_alloc = 1
    return sk


def sk_init_common(sk: sock) -> None:
    """Empty queues."""
    sk.sk_receive_queue = sk_buff_head()
    sk.sk_write_queue = sk_buff_head()


@cache
def _slots_of(cls: type[sock]) -> tuple[str, ...]:
    names = [name for base in cls.__mro__ for name in base.__dict__.get("__slots__", ())]
    return tuple(name for name in dict.fromkeys(names) if name not in ("_addr", "__dict__", "skc_node"))


@cache
def _getter(cls: type[sock]) -> attrgetter[tuple[object, ...]]:
    return attrgetter(*_slots_of(cls))  # type: ignore[arg-type]


def sock_copy(nsk: sock, osk: sock) -> None:
    """Copy a socket as it is; objects that stand for embedded structs are shared until their owner makes new ones."""
    cls = type(osk)
    for name, value in zip(_slots_of(cls), _getter(cls)(osk), strict=True):  # type: ignore[arg-type]
        setattr(nsk, name, value)
    nsk.__dict__.update(osk.__dict__)


_NOT_CLONED = (
    "sk_error_queue", "sk_rx_dst", "sk_timer", "sk_omem_alloc", "sk_dst_pending_confirm", "sk_reserved_mem",
    "sk_drops", "sk_send_head", "sk_zckey", "sk_err_soft", "sk_priority", "sk_reuseport_cb", "sk_tx_queue_mapping",
    "sk_peer_pid", "sk_peer_cred",
)  # fmt: skip


def sk_clone_lock(sk: sock) -> sock:
    """A copy of a listener for a connection that came, with two references; its owner makes embedded structs anew."""
    net = sk.skc_net
    newsk = sk_prot_alloc(net.kernel, sk.skc_prot)
    sock_copy(newsk, sk)
    newsk.sk_prot_creator = sk.skc_prot
    security_sk_clone(sk, newsk)
    if newsk.sk_net_refcnt:
        net.ns.count += 1
        net.core.prot_inuse.all += 1
    newsk.sk_lock = 0
    newsk.sk_backlog = newsk.sk_dst_cache = newsk.sk_wq = newsk.sk_socket = None
    newsk.sk_rmem_alloc = newsk.sk_wmem_queued = newsk.sk_forward_alloc = 0
    newsk.sk_err = 0
    newsk.sk_wmem_alloc = 1
    sk_init_common(newsk)
    for name in _NOT_CLONED:
        newsk.__dict__.pop(name, None)
    newsk.sk_userlocks = sk.sk_userlocks & ~SOCK_BINDPORT_LOCK
    newsk.skc_flags &= ~(1 << SOCK_DONE)
    if newsk.sk_filter is not None and not net_filter.sk_filter_charge(newsk, newsk.sk_filter):
        newsk.sk_filter = None
    newsk.sk_incoming_cpu = 0
    newsk.skc_refcnt = 2
    sk_sockets_allocated_inc(newsk)
    if newsk.skc_flags & SK_FLAGS_TIMESTAMP:
        net.kernel.netstamp_needed += 1
    return newsk


def sk_setup_caps(sk: sock, dst: dst_entry) -> None:
    """Use a route: its device says what packets may look like."""
    dev = dst.dev
    caps = dev.features
    if sk.sk_protocol == 6:
        caps |= NETIF_F_GSO
    if caps & NETIF_F_GSO:
        caps |= NETIF_F_GSO_SOFTWARE
    sk.sk_route_caps = caps | 1 | 1 << 3
    sk.sk_gso_max_size = dev.gso_max_size - 321
    sk.sk_gso_max_segs = dev.gso_max_segs
    __sk_dst_set(sk, dst)


def __sk_dst_check(sk: sock, cookie: int) -> dst_entry | None:
    """The cached route if it may still be used."""
    dst = sk.sk_dst_cache
    if dst is not None and dst.obsolete and dst.ops.check(dst, cookie) is None:
        sk.sk_dst_pending_confirm = 0
        __sk_dst_set(sk, None)
        return None
    return dst


def sk_dst_check(sk: sock, cookie: int) -> dst_entry | None:
    """The cached route with a reference, if it may still be used."""
    dst = sk_dst_get(sk)
    if dst is not None and dst.obsolete and dst.ops.check(dst, cookie) is None:
        sk_dst_reset(sk)
        dst.refcnt -= 1
        return None
    return dst


def sock_init_data(sock: socket | None, sk: sock) -> None:
    """Fill a new socket with what is common to all families."""
    sock_init_data_uid(sock, sk, 0 if sock is None or sock._alloc is None else sock._alloc.vfs_inode.i_uid)


def sock_init_data_uid(sock: socket | None, sk: sock, uid: int) -> None:
    """sock_init_data() with the owner's uid."""
    kernel = sk.skc_net.kernel
    sk.sk_rcvbuf = kernel.sysctl_rmem_default
    sk.sk_sndbuf = kernel.sysctl_wmem_default
    sk.skc_state = TCP_CLOSE
    sk.skc_flags |= _ZAPPED
    sk.sk_socket = sock
    if sock is not None:
        sk.sk_type = sock.type
        sk.sk_wq = sock.wq
        sock.sk = sk
    sk.sk_uid = uid
    sk.sk_state_change = sock_def_wakeup
    sk.sk_data_ready = sock_def_readable
    sk.sk_write_space = sock_def_write_space
    sk.sk_error_report = sock_def_error_report
    sk.sk_destruct = sock_def_destruct
    sk.sk_rcvlowat = 1
    sk.sk_pacing_rate = 0xFFFFFFFFFFFFFFFF
    sk.skc_refcnt = 1
    if kernel.sysctl_net_busy_read:
        sk.sk_ll_usec = kernel.sysctl_net_busy_read


def sk_wake_async(sk: sock, how: int, band: int) -> None:
    """Signal those who asked for SIGIO."""
    if sk.skc_flags & _FASYNC and sk.sk_wq is not None:
        sock_wake_async(sk.sk_wq, how, band)


def sock_def_wakeup(sk: sock) -> None:
    """The state changed: wake everybody."""
    wq = sk.sk_wq
    if wq is not None and wq.wait.head:
        __wake_up(wq.wait, TASK_INTERRUPTIBLE, 0, 0)


def sock_def_error_report(sk: sock) -> None:
    """An error is pending."""
    wq = sk.sk_wq
    if wq is not None and wq.wait.head:
        __wake_up(wq.wait, TASK_INTERRUPTIBLE, 1, EPOLLERR)
    if sk.skc_flags & _FASYNC:
        sk_wake_async(sk, SOCK_WAKE_IO, POLL_ERR)


def sock_def_readable(sk: sock) -> None:
    """Data came."""
    wq = sk.sk_wq
    if wq is not None and wq.wait.head:
        __wake_up_sync_key(wq.wait, TASK_INTERRUPTIBLE, _READABLE)
    if sk.skc_flags & _FASYNC:
        sk_wake_async(sk, SOCK_WAKE_WAITD, POLL_IN)


def sock_def_write_space(sk: sock) -> None:
    """Packets are gone: tell writers, if the room is worth it."""
    if sk.sk_wmem_alloc < sk.sk_sndbuf >> 1:
        wq = sk.sk_wq
        if wq is not None and wq.wait.head:
            __wake_up_sync_key(wq.wait, TASK_INTERRUPTIBLE, _WRITABLE)
        if sk.skc_flags & _FASYNC:
            sk_wake_async(sk, SOCK_WAKE_SPACE, POLL_OUT)


def sock_def_destruct(sk: sock) -> None:
    """Nothing of its own to destroy."""


def sk_send_sigurg(sk: sock) -> None:
    """Urgent data came: SIGURG to the owner of the descriptor."""
    if sk.sk_socket is not None and sk.sk_socket.file is not None and fcntl.send_sigurg(sk.sk_socket.file):
        sk_wake_async(sk, SOCK_WAKE_URG, POLL_PRI)


def sk_reset_timer(sk: sock, timer: timer_list, expires: int) -> None:
    """Start a timer, which holds the socket while it runs."""
    if not mod_timer(sk.skc_net.kernel, timer, expires):
        sk.skc_refcnt += 1


def sk_stop_timer(sk: sock, timer: timer_list) -> None:
    """Stop a timer."""
    if timer_delete(timer):
        __sock_put(sk)


async def sk_wait_data(sk: sock, timeo: int, skb: sk_buff | None) -> int:
    """Wait until the last packet of the receive queue is another than `skb`; what is left of the timeout in jiffies.

    The socket is disowned meanwhile. EPIPE: somebody disconnected it.
    """
    assert sk.sk_wq is not None
    wq = sk.sk_wq.wait
    wait = wait_queue_entry(sk.skc_net.kernel.current, woken_wake_function)
    disconnects = sk.sk_disconnects
    add_wait_queue(wq, wait)
    sk_set_bit(SOCKWQ_ASYNC_WAITDATA, sk)
    try:
        release_sock(sk)
        if sk.sk_receive_queue.prev is skb:
            timeo = await wait_woken(wait, TASK_INTERRUPTIBLE, timeo)
        lock_sock(sk)
    finally:
        sk_clear_bit(SOCKWQ_ASYNC_WAITDATA, sk)
        remove_wait_queue(wq, wait)
    if disconnects != sk.sk_disconnects:
        raise KernelError(EPIPE)
    return timeo


def sk_common_release(sk: sock) -> None:
    """close() of a socket without a life after it."""
    prot = sk.skc_prot
    if prot.destroy is not None:
        prot.destroy(sk)
    if prot.unhash is not None:
        prot.unhash(sk)
    if sk.sk_socket is not None:
        sk.sk_socket.sk = None
    sock_orphan(sk)
    sock_put(sk)


def sock_enable_timestamp(sk: sock, flag: int) -> None:
    """Have packets stamped when they are received."""
    if not sk.skc_flags >> flag & 1:
        previous = sk.skc_flags
        sk.skc_flags |= 1 << flag
        if not previous & SK_FLAGS_TIMESTAMP:
            sk.skc_net.kernel.netstamp_needed += 1


def sock_i_uid(sk: sock) -> int:
    """Owner of the socket's inode, root if it has none."""
    sock = sk.sk_socket
    return 0 if sock is None or sock._alloc is None else sock._alloc.vfs_inode.i_uid


def sock_i_ino(sk: sock) -> int:
    """Number of the socket's inode, 0 if it has none."""
    sock = sk.sk_socket
    return 0 if sock is None or sock._alloc is None else sock._alloc.vfs_inode.i_ino


def sock_bindtoindex_locked(sk: sock, ifindex: int) -> None:
    """Tie the socket to a device. EPERM, EINVAL."""
    net = sk.skc_net
    if sk.skc_bound_dev_if and not ns_capable(net.kernel.current, net.user_ns, CAP_NET_RAW):
        raise KernelError(EPERM)
    if ifindex < 0:
        raise KernelError(EINVAL)
    sk.skc_bound_dev_if = ifindex
    rehash = sk.skc_prot.rehash
    if rehash is not None:
        rehash(sk)
    sk_dst_reset(sk)


def sk_mc_loop(sk: sock | None) -> bool:
    """Whether multicast packets of this socket come back to the sender's host (IP_MULTICAST_LOOP)."""
    return sk is None or bool(getattr(sk, "mc_loop", 1))


def net_tx_rndhash(kernel: Kernel) -> int:
    """A hash for the flow of a new connection, never 0."""
    return get_random_u32(kernel) or 1


def sk_set_txhash(sk: sock) -> None:
    """Choose the hash of the socket's flow."""
    sk.sk_txhash = net_tx_rndhash(sk.skc_net.kernel)


def sockopt_lock_sock(sk: sock) -> None:
    """Own the socket for setsockopt()."""
    sk.sk_lock = 1


def sockopt_release_sock(sk: sock) -> None:
    """Disown it."""
    release_sock(sk)


def sockopt_ns_capable(sk: sock, cap: int) -> bool:
    """Whether the caller of setsockopt() has a capability towards the socket's namespace."""
    net = sk.skc_net
    return ns_capable(net.kernel.current, net.user_ns, cap)


def skb_page_frag_refill() -> bool:
    """Make sure that a page is at hand to copy the sender's data to; here there is always memory."""
    return True


def sk_page_frag_refill(sk: sock) -> bool:
    """The same for a stream socket, which would note memory pressure."""
    return skb_page_frag_refill()
