"""net/ipv4/af_inet.c: the operations of AF_INET sockets. Connecting is in af_inet_connect, start-up in af_inet_init."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.capability import CAP_NET_BIND_SERVICE, CAP_NET_RAW
from kshell.abi.errno import (
    EACCES,
    EADDRNOTAVAIL,
    EAFNOSUPPORT,
    EAGAIN,
    EINVAL,
    ENOTCONN,
    EPERM,
    EPROTONOSUPPORT,
    ESOCKTNOSUPPORT,
)
from kshell.abi.fcntl import O_NONBLOCK
from kshell.abi.inet import IP_PMTUDISC_DONT, IP_PMTUDISC_WANT, IPPROTO_IP, IPPROTO_MAX, IPPROTO_RAW
from kshell.abi.rtnetlink import RT_TABLE_LOCAL, RTN_BROADCAST, RTN_MULTICAST
from kshell.abi.socket import (
    AF_INET,
    AF_UNSPEC,
    PF_INET,
    SOCK_RAW,
    SOCK_STREAM,
    SS_CONNECTED,
    SS_CONNECTING,
    SS_DISCONNECTING,
    SS_UNCONNECTED,
)
from kshell.abi.tcp import (
    TCP_CLOSE,
    TCP_LISTEN,
    TCP_SYN_SENT,
    TCPF_CLOSE,
    TCPF_SYN_RECV,
    TCPF_SYN_SENT,
)
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.net import socket
from kshell.linux.include.linux.sched import PF_EXITING
from kshell.linux.include.net.inet_sock import (
    _cork_of,
    inet_addr_valid_or_nonlocal,
    inet_port_requires_bind_service,
    inet_sk,
    inet_sock,
)
from kshell.linux.include.net.protocol import INET_PROTOSW_ICSK, INET_PROTOSW_REUSE, inet_protosw
from kshell.linux.include.net.route import RT_CONN_FLAGS, ip_route_connect, ip_route_output_ports
from kshell.linux.include.net.sock import (
    RCV_SHUTDOWN,
    SHUTDOWN_MASK,
    SK_CAN_REUSE,
    SOCK_BINDADDR_LOCK,
    SOCK_BINDPORT_LOCK,
    SOCK_DEAD,
    SOCK_LINGER,
    sock,
)
from kshell.linux.include.net.sock_dst import sk_dst_reset
from kshell.linux.include.net.sock_mem import sk_mem_reclaim_final
from kshell.linux.kernel.capability import ns_capable
from kshell.linux.kernel.kmod import __request_module
from kshell.linux.kernel.printk import pr_err
from kshell.linux.net.core.dst import dst_release
from kshell.linux.net.core.skbuff import __skb_queue_purge
from kshell.linux.net.core.sock import __sk_dst_check, sk_alloc, sk_common_release, sk_setup_caps, sock_init_data
from kshell.linux.net.core.sock_lock import lock_sock_nested as lock_sock
from kshell.linux.net.core.sock_lock import release_sock
from kshell.linux.net.ipv4 import fib_frontend, igmp
from kshell.linux.net.l3mdev import l3mdev_fib_table_by_index

if TYPE_CHECKING:
    from kshell.linux.include.linux.sched import Rest
    from kshell.linux.include.linux.socket import msghdr
    from kshell.linux.include.net.net_namespace import net as net_t
    from kshell.linux.init.kernel import Kernel

BIND_FORCE_ADDRESS_NO_PORT = 1
BIND_WITH_LOCK = 2
BIND_NO_CAP_NET_BIND_SERVICE = 8


_SIN_LEN = 16
_DEAD, _LINGER = 1 << SOCK_DEAD, 1 << SOCK_LINGER


def inet_sock_destruct(sk: sock) -> None:
    """The last reference is gone: free what the socket still holds."""
    if sk.sk_receive_queue.next is not None:
        __skb_queue_purge(sk.sk_receive_queue)
    if sk.sk_error_queue.next is not None:
        __skb_queue_purge(sk.sk_error_queue)
    if sk.sk_forward_alloc:
        sk_mem_reclaim_final(sk)
    kernel = sk.skc_net.kernel
    if sk.sk_type == SOCK_STREAM and sk.sk_state != TCP_CLOSE:
        pr_err(kernel, f"IPv4: Attempt to release TCP socket in state {sk.sk_state} {sk._addr:x}")
        return
    if not sk.skc_flags & _DEAD:
        pr_err(kernel, f"IPv4: Attempt to release alive inet socket {sk._addr:x}")
        return
    if sk.inet_opt is not None:  # type: ignore[attr-defined]
        sk.inet_opt = None  # type: ignore[attr-defined]
    if sk.sk_dst_cache is not None:
        dst_release(sk.sk_dst_cache)
        sk.sk_dst_cache = None
    if sk.sk_rx_dst is not None:
        dst_release(sk.sk_rx_dst)
        sk.sk_rx_dst = None


def inet_autobind(sk: sock) -> None:
    """Give a socket without a local port one. EAGAIN if there is none."""
    lock_sock(sk)
    inet = inet_sk(sk)
    try:
        if not inet.inet_num:
            try:
                assert sk.sk_prot.get_port is not None
                sk.sk_prot.get_port(sk, 0)
            except KernelError:
                raise KernelError(EAGAIN) from None
            inet.inet_sport = inet.inet_num
    finally:
        release_sock(sk)


def _lookup_protosw(kernel: Kernel, type: int, protocol: int) -> inet_protosw | None:
    """The entry of inetsw[type] for a protocol; IPPROTO_IP, on either side, is a wild card."""
    for answer in kernel.inetsw[type]:
        if protocol == answer.protocol:
            if protocol != IPPROTO_IP:
                return answer
        elif protocol == IPPROTO_IP or answer.protocol == IPPROTO_IP:
            return answer
    return None


def _load_protosw(kernel: Kernel, type: int, protocol: int) -> inet_protosw:
    """The entry that a module brings. ESOCKTNOSUPPORT, EPROTONOSUPPORT: none does."""
    for name in (f"net-pf-{PF_INET}-proto-{protocol}-type-{type}", f"net-pf-{PF_INET}-proto-{protocol}"):
        __request_module(kernel, True, name)
        answer = _lookup_protosw(kernel, type, protocol)
        if answer is not None:
            return answer
    raise KernelError(EPROTONOSUPPORT if kernel.inetsw[type] else ESOCKTNOSUPPORT)


def inet_create(net: net_t, sock: socket, protocol: int, kern: int) -> int:
    """socket(AF_INET, …): EINVAL, ESOCKTNOSUPPORT, EPROTONOSUPPORT, EPERM (raw without CAP_NET_RAW), EACCES (ping)."""
    if protocol < 0 or protocol >= IPPROTO_MAX:
        raise KernelError(EINVAL)
    kernel = net.kernel
    type_ = sock.type
    answer = _lookup_protosw(kernel, type_, protocol) or _load_protosw(kernel, type_, protocol)
    if protocol == IPPROTO_IP:
        protocol = answer.protocol
    if type_ == SOCK_RAW and not kern and not ns_capable(kernel.current, net.user_ns, CAP_NET_RAW):
        raise KernelError(EPERM)
    sock.ops = answer.ops
    prot = answer.prot
    sk = sk_alloc(net, PF_INET, prot, kern)
    flags = answer.flags
    if flags & INET_PROTOSW_REUSE:
        sk.sk_reuse = SK_CAN_REUSE
    inet: inet_sock = sk  # type: ignore[assignment]
    if flags & INET_PROTOSW_ICSK:
        inet.is_icsk = 1
    if type_ == SOCK_RAW:
        inet.inet_num = protocol
        if protocol == IPPROTO_RAW:
            inet.hdrincl = 1
    inet.pmtudisc = IP_PMTUDISC_DONT if net.ipv4.sysctl_ip_no_pmtu_disc else IP_PMTUDISC_WANT
    sock_init_data(sock, sk)
    sk.sk_destruct = inet_sock_destruct
    sk.sk_protocol = protocol
    if net.core.sysctl_txrehash != 1:
        sk.sk_txrehash = net.core.sysctl_txrehash
    sk.sk_backlog_rcv = prot.backlog_rcv  # type: ignore[assignment]
    try:
        if inet.inet_num:
            inet.inet_sport = inet.inet_num
            assert prot.hash is not None
            prot.hash(sk)
        if prot.init is not None:
            prot.init(sk)
    except KernelError:
        sk_common_release(sk)
        sock.sk = None
        raise
    return 0


def inet_release(sock: socket) -> Rest | None:
    """The descriptor is closed: let the protocol close, waiting if SO_LINGER says so."""
    sk = sock.sk
    if sk is not None:
        igmp.ip_mc_drop_socket(sk)
        timeout = 0
        if sk.skc_flags & _LINGER and not sk.skc_net.kernel.current.flags & PF_EXITING:
            timeout = sk.sk_lingertime
        close = sk.sk_prot.close
        assert close is not None
        rest = close(sk, timeout)
        if rest is not None:
            return _rest_of_inet_release(sock, rest)
        sock.sk = None
    return None


async def _rest_of_inet_release(sock: socket, rest: Rest) -> None:
    await rest
    sock.sk = None


def inet_bind(sock: socket, uaddr: bytes, addr_len: int) -> int:
    """bind(): EINVAL for a short address."""
    sk = sock.sk
    assert sk is not None
    if sk.sk_prot.bind is not None:
        return sk.sk_prot.bind(sk, uaddr, addr_len)
    if addr_len < _SIN_LEN:
        raise KernelError(EINVAL)
    return __inet_bind(sk, uaddr, addr_len, BIND_WITH_LOCK)


def _sin_of(uaddr: bytes) -> tuple[int, int, int]:
    """(family, port, address) of a struct sockaddr_in."""
    return int.from_bytes(uaddr[:2], "little"), int.from_bytes(uaddr[2:4], "big"), int.from_bytes(uaddr[4:8], "big")


def _sin_bytes(addr: int, port: int) -> bytes:
    """struct sockaddr_in of an address."""
    return b"\x02\0" + port.to_bytes(2, "big") + addr.to_bytes(4, "big") + bytes(8)


def __inet_bind(sk: sock, uaddr: bytes, addr_len: int, flags: int) -> int:
    """bind() proper: EAFNOSUPPORT, EADDRNOTAVAIL, EACCES, EINVAL (bound already), EADDRINUSE."""
    family, snum, saddr = _sin_of(uaddr)
    if family != AF_INET and (family != AF_UNSPEC or saddr):
        raise KernelError(EAFNOSUPPORT)
    inet = inet_sk(sk)
    net = sk.skc_net
    tb_id = l3mdev_fib_table_by_index(net, sk.sk_bound_dev_if) or RT_TABLE_LOCAL
    chk_addr_ret = fib_frontend.inet_addr_type_table(net, saddr, tb_id)
    if not inet_addr_valid_or_nonlocal(net, inet, saddr, chk_addr_ret):
        raise KernelError(EADDRNOTAVAIL)
    if (
        snum
        and not flags & BIND_NO_CAP_NET_BIND_SERVICE
        and inet_port_requires_bind_service(net, snum)
        and not ns_capable(net.kernel.current, net.user_ns, CAP_NET_BIND_SERVICE)
    ):
        raise KernelError(EACCES)
    if flags & BIND_WITH_LOCK:
        lock_sock(sk)
    try:
        if sk.sk_state != TCP_CLOSE or inet.inet_num:
            raise KernelError(EINVAL)
        inet.inet_rcv_saddr = inet.inet_saddr = saddr
        if chk_addr_ret in (RTN_MULTICAST, RTN_BROADCAST):
            inet.inet_saddr = 0
        if snum or not (inet.bind_address_no_port or flags & BIND_FORCE_ADDRESS_NO_PORT):
            get_port = sk.sk_prot.get_port
            assert get_port is not None
            try:
                get_port(sk, snum)
            except KernelError:
                inet.inet_saddr = inet.inet_rcv_saddr = 0
                raise
        if inet.inet_rcv_saddr:
            sk.sk_userlocks |= SOCK_BINDADDR_LOCK
        if snum:
            sk.sk_userlocks |= SOCK_BINDPORT_LOCK
        inet.inet_sport = inet.inet_num
        inet.inet_daddr = 0
        inet.inet_dport = 0
        sk_dst_reset(sk)
    finally:
        if flags & BIND_WITH_LOCK:
            release_sock(sk)
    return 0


def inet_getname(sock: socket, peer: int) -> bytes:
    """struct sockaddr_in of our end (peer 0) or the other (1; 2 also while unconnected). ENOTCONN."""
    sk = sock.sk
    assert sk is not None
    inet = inet_sk(sk)
    lock_sock(sk)
    try:
        if not peer:
            return _sin_bytes(inet.inet_rcv_saddr or inet.inet_saddr, inet.inet_sport)
        if not inet.inet_dport or (peer == 1 and (1 << sk.sk_state) & (TCPF_CLOSE | TCPF_SYN_SENT)):
            raise KernelError(ENOTCONN)
        return _sin_bytes(inet.inet_daddr, inet.inet_dport)
    finally:
        release_sock(sk)


def inet_send_prepare(sk: sock) -> None:
    """Bind the socket before its first message. EAGAIN."""
    if not inet_sk(sk).inet_num and not sk.sk_prot.no_autobind:
        inet_autobind(sk)


async def inet_sendmsg(sock: socket, msg: msghdr, size: int) -> int:
    """sendmsg(): the protocol's."""
    sk = sock.sk
    assert sk is not None
    inet_send_prepare(sk)
    sendmsg = sk.sk_prot.sendmsg
    assert sendmsg is not None
    return await sendmsg(sk, msg, size)


def inet_splice_eof(sock: socket) -> None:
    """The source of a splice into the socket ended."""
    sk = sock.sk
    assert sk is not None
    try:
        inet_send_prepare(sk)
    except KernelError:
        return
    if sk.sk_prot.splice_eof is not None:
        sk.sk_prot.splice_eof(sock)


async def inet_recvmsg(sock: socket, msg: msghdr, size: int, flags: int) -> int:
    """recvmsg(): the protocol's."""
    sk = sock.sk
    assert sk is not None
    recvmsg = sk.sk_prot.recvmsg
    assert recvmsg is not None
    return await recvmsg(sk, msg, size, flags)


def inet_shutdown(sock: socket, how: int) -> int:
    """shutdown(): EINVAL, ENOTCONN."""
    sk = sock.sk
    assert sk is not None
    how += 1
    if how & ~SHUTDOWN_MASK or not how:
        raise KernelError(EINVAL)
    err = 0
    lock_sock(sk)
    if sock.state == SS_CONNECTING:
        early = (1 << sk.sk_state) & (TCPF_SYN_SENT | TCPF_SYN_RECV | TCPF_CLOSE)
        sock.state = SS_DISCONNECTING if early else SS_CONNECTED
    state = sk.sk_state
    if state == TCP_SYN_SENT or (state == TCP_LISTEN and how & RCV_SHUTDOWN):
        disconnect = sk.sk_prot.disconnect
        assert disconnect is not None
        try:
            disconnect(sk, O_NONBLOCK)
            sock.state = SS_UNCONNECTED
        except KernelError as e:
            err = e.errno
            sock.state = SS_DISCONNECTING
    elif state != TCP_LISTEN:
        if state == TCP_CLOSE:
            err = ENOTCONN
        sk.sk_shutdown |= how
        if sk.sk_prot.shutdown is not None:
            sk.sk_prot.shutdown(sk, how)
    sk.sk_state_change(sk)
    release_sock(sk)
    if err:
        raise KernelError(err)
    return 0


def inet_sk_reselect_saddr(sk: sock) -> int:
    """ip_dynaddr: move a connection attempt to the address that the route now has."""
    inet = inet_sk(sk)
    opt = inet.inet_opt
    daddr = opt.opt.faddr if opt is not None and opt.opt.srr else inet.inet_daddr
    fl4 = _cork_of(inet).fl
    rt = ip_route_connect(fl4, daddr, 0, sk.sk_bound_dev_if, sk.sk_protocol, inet.inet_sport, inet.inet_dport, sk)
    new_saddr = fl4.saddr
    if new_saddr == inet.inet_saddr:
        sk_setup_caps(sk, rt)
        return 0
    inet.inet_saddr = inet.inet_rcv_saddr = new_saddr
    sk_setup_caps(sk, rt)
    prot = sk.sk_prot
    assert prot.unhash is not None
    assert prot.hash is not None
    prot.unhash(sk)
    return prot.hash(sk)


def inet_sk_rebuild_header(sk: sock) -> int:
    """Make sure that the socket has a valid route; 0, or a positive errno which is also kept in sk_err_soft."""
    inet = inet_sk(sk)
    if __sk_dst_check(sk, 0) is not None:
        return 0
    opt = inet.inet_opt
    daddr = opt.opt.faddr if opt is not None and opt.opt.srr else inet.inet_daddr
    fl4 = _cork_of(inet).fl
    net = sk.skc_net
    try:
        rt = ip_route_output_ports(
            net, fl4, sk, daddr, inet.inet_saddr, inet.inet_dport, inet.inet_sport, sk.sk_protocol, RT_CONN_FLAGS(sk),
            sk.sk_bound_dev_if,
        )  # fmt: skip
    except KernelError as e:
        err = e.errno
    else:
        sk_setup_caps(sk, rt)
        return 0
    sk.sk_route_caps = 0
    if net.ipv4.sysctl_ip_dynaddr and sk.sk_state == TCP_SYN_SENT and not sk.sk_userlocks & SOCK_BINDADDR_LOCK:
        try:
            return inet_sk_reselect_saddr(sk)
        except KernelError as e:
            err = e.errno
    sk.sk_err_soft = err
    return err


def inet_sk_set_state(sk: sock, state: int) -> None:
    """Set sk_state."""
    sk.sk_state = state


def inet_sk_state_store(sk: sock, newstate: int) -> None:
    """Set sk_state for readers without a lock."""
    sk.sk_state = newstate
