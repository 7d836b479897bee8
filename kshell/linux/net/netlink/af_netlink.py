"""AF_NETLINK sockets: making, naming and finding them (net/netlink/af_netlink.c).

Sending and receiving is in af_netlink_msg, requests, acknowledgements and dumps in af_netlink_rcv.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from kshell.abi.capability import CAP_NET_ADMIN
from kshell.abi.errno import EADDRINUSE, EBUSY, EINVAL, EPERM, EPROTONOSUPPORT, ESOCKTNOSUPPORT
from kshell.abi.netlink import NETLINK_CONNECTED, NETLINK_UNCONNECTED, NETLINK_USERSOCK
from kshell.abi.socket import AF_NETLINK, AF_UNSPEC, PF_NETLINK, SOCK_DGRAM, SOCK_RAW, SS_UNCONNECTED
from kshell.linux.fs.inode import iput
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.errno import ENOIOCTLCMD
from kshell.linux.include.linux.limits import S32_MIN
from kshell.linux.include.linux.net import SOCK_INODE, net_proto_family, proto_ops, socket
from kshell.linux.include.linux.netlink import (
    NETLINK_F_KERNEL_SOCKET,
    NL_CFG_F_NONROOT_RECV,
    NL_CFG_F_NONROOT_SEND,
    netlink_is_kernel,
    netlink_kernel_cfg,
    netlink_sock,
    netlink_table,
    nlk_sk,
)
from kshell.linux.include.linux.random import prandom_u32_max
from kshell.linux.include.linux.sched import PIDTYPE_TGID
from kshell.linux.include.linux.wait import wait_queue_head
from kshell.linux.include.net.net_namespace import pernet_operations
from kshell.linux.include.net.sock import SOCK_DEAD, sock, sock_hold, sock_orphan
from kshell.linux.include.net.sock_proto import proto
from kshell.linux.kernel.capability import ns_capable
from kshell.linux.kernel.kmod import __request_module
from kshell.linux.kernel.module.main import module_put, try_module_get
from kshell.linux.kernel.pid import __task_pid_nr_ns
from kshell.linux.kernel.printk import pr_err
from kshell.linux.kernel.rcu.tree import call_rcu
from kshell.linux.kernel.sched.wait import wake_up_interruptible_all
from kshell.linux.net import socket as net_socket
from kshell.linux.net.core import rtnetlink
from kshell.linux.net.core.datagram import datagram_poll
from kshell.linux.net.core.net_namespace import register_pernet_subsys
from kshell.linux.net.core.skbuff import kfree_skb, skb_queue_purge
from kshell.linux.net.core.sock import sk_alloc, sock_init_data, sock_put
from kshell.linux.net.core.sock_lock import lock_sock, release_sock
from kshell.linux.net.core.sock_no import (
    sock_no_accept,
    sock_no_listen,
    sock_no_mmap,
    sock_no_sendpage,
    sock_no_shutdown,
    sock_no_socketpair,
)
from kshell.linux.net.core.sock_proto import proto_register, sock_prot_inuse_add
from kshell.linux.net.netlink.af_netlink_deliver import netlink_lock_table, netlink_unlock_table
from kshell.linux.net.netlink.af_netlink_msg import netlink_recvmsg, netlink_sendmsg
from kshell.linux.net.netlink.af_netlink_opt import (
    netlink_getsockopt,
    netlink_realloc_groups,
    netlink_setsockopt,
    netlink_update_subscriptions,
)
from kshell.linux.net.netlink.af_netlink_proc import netlink_net_exit, netlink_net_init

if TYPE_CHECKING:
    from kshell.linux.include.net.net_namespace import net as net_t
    from kshell.linux.init.kernel import Kernel

MAX_LINKS: Final = 32
SOCKADDR_NL: Final = struct.Struct("<HHII")  # family, pad, port id, groups


def netlink_sock_destruct(sk: sock) -> None:
    """The last reference is gone."""
    skb_queue_purge(sk.sk_receive_queue)
    if not sk.sk_flags >> SOCK_DEAD & 1:
        pr_err(sk.sk_net.kernel, f"Freeing alive netlink socket {sk._addr:x}")


def _table(sk: sock) -> netlink_table:
    return sk.sk_net.kernel.nl_table[sk.sk_protocol]


def __netlink_insert(table: netlink_table, sk: netlink_sock) -> None:
    key = (sk.sk_net._addr, sk.portid)
    if key in table.hash:
        raise KernelError(EADDRINUSE)
    table.hash[key] = sk


def netlink_insert(sk: netlink_sock, portid: int) -> None:
    """Give the socket its port id. EADDRINUSE; EBUSY: it has another."""
    lock_sock(sk)
    try:
        if sk.bound:
            if sk.portid != portid:
                raise KernelError(EBUSY)
            return
        sk.portid = portid
        sock_hold(sk)
        try:
            __netlink_insert(_table(sk), sk)
        except KernelError:
            sock_put(sk)
            raise
        sk.bound = bool(portid)
    finally:
        release_sock(sk)


def netlink_remove(sk: netlink_sock) -> None:
    """Take the socket out of the tables."""
    table = _table(sk)
    key = (sk.sk_net._addr, sk.portid)
    if table.hash.get(key) is sk:
        del table.hash[key]
        sock_put(sk)
    if sk.subscriptions:
        table.mc_list.remove(sk)


def __netlink_create(net: net_t, sock: socket, protocol: int, kern: int) -> netlink_sock:
    sock.ops = netlink_ops
    sk = nlk_sk(sk_alloc(net, PF_NETLINK, netlink_proto, kern))
    sock_init_data(sock, sk)
    sk.sk_destruct = netlink_sock_destruct
    sk.sk_protocol = protocol
    sk.sk_state = NETLINK_UNCONNECTED
    return sk


def netlink_create(net: net_t, sock: socket, protocol: int, kern: int) -> int:
    """socket(AF_NETLINK, …). ESOCKTNOSUPPORT, EPROTONOSUPPORT."""
    sock.state = SS_UNCONNECTED
    if sock.type not in (SOCK_RAW, SOCK_DGRAM):
        raise KernelError(ESOCKTNOSUPPORT)
    if not 0 <= protocol < MAX_LINKS:
        raise KernelError(EPROTONOSUPPORT)
    kernel = net.kernel
    table = kernel.nl_table[protocol]
    netlink_lock_table(kernel)
    if not table.registered:
        netlink_unlock_table(kernel)
        __request_module(kernel, True, f"net-pf-{PF_NETLINK}-proto-{protocol}")
        netlink_lock_table(kernel)
    found = bool(table.registered) and (table.module is None or try_module_get(table.module))
    netlink_unlock_table(kernel)
    if not found:
        raise KernelError(EPROTONOSUPPORT)
    sk = __netlink_create(net, sock, protocol, kern)
    sock_prot_inuse_add(net, netlink_proto, 1)
    sk.module = table.module
    sk.netlink_bind = table.bind
    sk.netlink_unbind = table.unbind
    return 0


def deferred_put_nlk_sk(head: object) -> None:
    """End of the grace period of a released socket."""
    assert isinstance(head, netlink_sock)
    head.groups = 0
    sock_put(head)


def netlink_release(sock: socket) -> None:
    """close()."""
    if sock.sk is None:
        return
    sk = nlk_sk(sock.sk)
    netlink_remove(sk)
    sock_orphan(sk)
    if not netlink_is_kernel(sk):
        sock_prot_inuse_add(sk.sk_net, netlink_proto, -1)
    if sk.netlink_unbind is not None:
        for group in range(sk.ngroups):
            if sk.groups >> group & 1:
                sk.netlink_unbind(sk.sk_net, group + 1)
    sock.sk = None
    wake_up_interruptible_all(sk.wait)
    skb_queue_purge(sk.sk_write_queue)
    if sk.cb_running and sk.cb is not None:
        if sk.cb.done is not None:
            sk.cb.done(sk.cb)
        module_put(sk.cb.module)
        kfree_skb(sk.cb.skb)
    sk.cb = None
    module_put(sk.module)
    if netlink_is_kernel(sk):
        _unregister(_table(sk))
    call_rcu(sk.sk_net.kernel, deferred_put_nlk_sk, sk)


def _unregister(table: netlink_table) -> None:
    table.registered -= 1
    if table.registered == 0:
        table.module = table.bind = table.unbind = None
        table.flags = 0


def netlink_autobind(sk: netlink_sock) -> None:
    """Give the socket the process id as port id, or a random negative one if that is taken."""
    kernel = sk.sk_net.kernel
    portid = __task_pid_nr_ns(kernel.current, PIDTYPE_TGID)
    rover = -4097
    while True:
        if (sk.sk_net._addr, portid) not in _table(sk).hash:
            try:
                netlink_insert(sk, portid)
            except KernelError as error:
                if error.errno == EBUSY:  # it was bound meanwhile
                    return
                if error.errno != EADDRINUSE:
                    raise
            else:
                return
        if rover == -4097:
            rover = S32_MIN + prandom_u32_max(kernel, -4096 - S32_MIN)
        else:
            rover -= 1
        portid = rover & 0xFFFFFFFF


def netlink_allowed(sk: netlink_sock, flag: int) -> bool:
    """Whether the caller may listen to groups or send to others, by the protocol's flags or CAP_NET_ADMIN."""
    if _table(sk).flags & flag:
        return True
    return ns_capable(sk.sk_net.kernel.current, sk.sk_net.user_ns, CAP_NET_ADMIN)


def netlink_bind(sock: socket, addr: bytes, addr_len: int) -> int:
    """bind(): port id (0: choose one) and groups. EINVAL, EPERM, EADDRINUSE."""
    sk = nlk_sk(sock.sk)  # type: ignore[arg-type]  # an open socket has its sk
    if addr_len < SOCKADDR_NL.size:
        raise KernelError(EINVAL)
    family, _, nl_pid, groups = SOCKADDR_NL.unpack_from(addr)
    if family != AF_NETLINK:
        raise KernelError(EINVAL)
    if groups:
        if not netlink_allowed(sk, NL_CFG_F_NONROOT_RECV):
            raise KernelError(EPERM)
        netlink_realloc_groups(sk)
    if sk.ngroups < 64:
        groups &= (1 << sk.ngroups) - 1
    if sk.bound and nl_pid != sk.portid:
        raise KernelError(EINVAL)
    _join_groups(sk, groups)
    netlink_lock_table(sk.sk_net.kernel)
    try:
        if not sk.bound:
            netlink_insert(sk, nl_pid) if nl_pid else netlink_autobind(sk)
    except KernelError:
        netlink_undo_bind(32, groups, sk)
        raise
    finally:
        netlink_unlock_table(sk.sk_net.kernel)
    if groups or sk.groups & 0xFFFFFFFF:
        change = groups.bit_count() - (sk.groups & 0xFFFFFFFF).bit_count()
        netlink_update_subscriptions(sk, sk.subscriptions + change)
        sk.groups = (sk.groups & ~0xFFFFFFFF) | groups
    return 0


def _join_groups(sk: netlink_sock, groups: int) -> None:
    if sk.netlink_bind is None or not groups:
        return
    for group in range(32):
        if groups >> group & 1:
            try:
                sk.netlink_bind(sk.sk_net, group + 1)
            except KernelError:
                netlink_undo_bind(group, groups, sk)
                raise


def netlink_undo_bind(group: int, groups: int, sk: netlink_sock) -> None:
    """Leave the groups below `group` again."""
    if sk.netlink_unbind is not None:
        for undo in range(group):
            if groups >> undo & 1:
                sk.netlink_unbind(sk.sk_net, undo + 1)


async def netlink_connect(sock: socket, addr: bytes, alen: int, flags: int) -> int:
    """connect(): where send() goes. EINVAL, EPERM."""
    sk = nlk_sk(sock.sk)  # type: ignore[arg-type]  # an open socket has its sk
    if alen < 2:
        raise KernelError(EINVAL)
    family = int.from_bytes(addr[:2], "little")
    if family == AF_UNSPEC:
        sk.sk_state = NETLINK_UNCONNECTED
        sk.dst_portid = sk.dst_group = 0
        return 0
    if family != AF_NETLINK or alen < SOCKADDR_NL.size:
        raise KernelError(EINVAL)
    _, _, nl_pid, groups = SOCKADDR_NL.unpack_from(addr)
    if (groups or nl_pid) and not netlink_allowed(sk, NL_CFG_F_NONROOT_SEND):
        raise KernelError(EPERM)
    if not sk.bound:
        netlink_autobind(sk)
    sk.sk_state = NETLINK_CONNECTED
    sk.dst_portid = nl_pid
    sk.dst_group = (groups & -groups).bit_length()
    return 0


def netlink_getname(sock: socket, peer: int) -> bytes:
    """getsockname() and getpeername()."""
    sk = nlk_sk(sock.sk)  # type: ignore[arg-type]  # an open socket has its sk
    if peer:
        groups = netlink_group_mask(sk.dst_group)
        return SOCKADDR_NL.pack(AF_NETLINK, 0, sk.dst_portid, groups)
    netlink_lock_table(sk.sk_net.kernel)
    groups = sk.groups & 0xFFFFFFFF
    netlink_unlock_table(sk.sk_net.kernel)
    return SOCKADDR_NL.pack(AF_NETLINK, 0, sk.portid, groups)


def netlink_group_mask(group: int) -> int:
    """nl_groups of one group; 0 beyond the first 32."""
    return 1 << (group - 1) if 0 < group <= 32 else 0


def netlink_ioctl(sock: socket, cmd: int, arg: int) -> int:
    """No request of its own: those of every socket follow."""
    raise KernelError(ENOIOCTLCMD)


def netlink_kernel_create(net: net_t, unit: int, cfg: netlink_kernel_cfg) -> netlink_sock:
    """The kernel's end of a netlink protocol in one namespace."""
    return __netlink_kernel_create(net, unit, cfg)


def __netlink_kernel_create(net: net_t, unit: int, cfg: netlink_kernel_cfg) -> netlink_sock:
    sock = net_socket.sock_create_lite(net.kernel, PF_NETLINK, SOCK_DGRAM, unit)
    sk = __netlink_create(net, sock, unit, 1)
    sk.netlink_rcv = cfg.input
    netlink_insert(sk, 0)
    sk.flags |= 1 << NETLINK_F_KERNEL_SOCKET
    table = net.kernel.nl_table[unit]
    if not table.registered:
        table.groups = max(32, cfg.groups)
        table.bind, table.unbind, table.flags = cfg.bind, cfg.unbind, cfg.flags
    table.registered += 1
    return sk


def netlink_kernel_release(sk: netlink_sock) -> None:
    """Close the kernel's end: what sock_release() does to it."""
    netlink_remove(sk)
    assert sk.sk_socket is not None
    inode = SOCK_INODE(sk.sk_socket)
    sock_orphan(sk)
    _unregister(_table(sk))
    iput(inode)
    call_rcu(sk.sk_net.kernel, deferred_put_nlk_sk, sk)


def netlink_has_listeners(sk: sock, group: int) -> bool:
    """Whether anybody listens to a group of a kernel socket's protocol."""
    return any(listener.groups >> (group - 1) & 1 for listener in _table(sk).mc_list)


def netlink_add_usersock_entry(kernel: Kernel) -> None:
    """NETLINK_USERSOCK: for user programs among themselves."""
    table = kernel.nl_table[NETLINK_USERSOCK]
    table.groups = 32
    table.registered = 1
    table.flags = NL_CFG_F_NONROOT_SEND


def netlink_tap_init_net(net: net_t) -> None:
    """A namespace begins, with no monitors (nlmon)."""


def netlink_proto_init(kernel: Kernel) -> None:
    """core_initcall: the family and its first protocols."""
    proto_register(kernel, netlink_proto, 0)
    kernel.nl_table = [netlink_table() for _ in range(MAX_LINKS)]
    kernel.nl_table_wait = wait_queue_head()
    netlink_add_usersock_entry(kernel)
    net_socket.sock_register(kernel, netlink_family_ops)
    register_pernet_subsys(kernel, netlink_net_ops)
    register_pernet_subsys(kernel, netlink_tap_net_ops)
    rtnetlink.rtnetlink_init(kernel)


netlink_proto = proto(name="NETLINK", cls=netlink_sock, obj_size=1088)
netlink_family_ops = net_proto_family(family=PF_NETLINK, create=netlink_create)
netlink_net_ops = pernet_operations(init=netlink_net_init, exit=netlink_net_exit)
netlink_tap_net_ops = pernet_operations(init=netlink_tap_init_net)

netlink_ops = proto_ops(
    family=PF_NETLINK,
    release=netlink_release,
    bind=netlink_bind,
    connect=netlink_connect,
    socketpair=sock_no_socketpair,
    accept=sock_no_accept,
    getname=netlink_getname,
    poll=datagram_poll,
    ioctl=netlink_ioctl,
    listen=sock_no_listen,
    shutdown=sock_no_shutdown,
    setsockopt=netlink_setsockopt,
    getsockopt=netlink_getsockopt,
    sendmsg=netlink_sendmsg,
    recvmsg=netlink_recvmsg,
    mmap=sock_no_mmap,
    sendpage=sock_no_sendpage,
)
