"""net/ipv4/inet_diag.c: questions about the sockets of IPv4; each protocol's module knows where its sockets are."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from kshell.abi import sock_diag as d
from kshell.abi.capability import CAP_NET_ADMIN
from kshell.abi.errno import EINVAL, EMSGSIZE, ENOENT, EOPNOTSUPP, EPERM
from kshell.abi.netlink import NLM_F_DUMP, NLM_F_MULTI
from kshell.abi.socket import AF_INET, AF_INET6, AF_UNSPEC, SOCK_RAW
from kshell.abi.tcp import TCP_CLOSE, TCP_LISTEN, TCP_SYN_RECV
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.netlink import NETLINK_CB, NLMSG_GOODSIZE, netlink_callback, netlink_dump_control
from kshell.linux.include.linux.sock_diag import sock_diag_handler
from kshell.linux.include.net.inet_connection_sock import inet_connection_sock
from kshell.linux.include.net.inet_sock import inet_sk, inet_sock
from kshell.linux.include.net.inet_timewait_sock import inet_timewait_sock
from kshell.linux.include.net.netlink import (
    nla_put,
    nla_put_string,
    nla_put_u8,
    nla_put_u32,
    nlmsg_cancel,
    nlmsg_end,
    nlmsg_for_each_attr,
    nlmsg_len,
    nlmsg_new,
    nlmsg_put,
)
from kshell.linux.include.net.nlattr import nla_type
from kshell.linux.include.net.request_sock import request_sock
from kshell.linux.include.net.sock import sock
from kshell.linux.net.core.rtnetlink import netlink_net_capable
from kshell.linux.net.core.sock import sock_i_ino, sock_i_uid
from kshell.linux.net.core.sock_diag_init import (
    sock_diag_check_cookie,
    sock_diag_put_meminfo,
    sock_diag_register,
    sock_diag_save_cookie,
    sock_diag_unregister,
    sock_load_diag_module,
)
from kshell.linux.net.ipv4.inet_diag_bc import inet_diag_bc_audit, inet_diag_bc_sk
from kshell.linux.net.ipv4.inet_diag_timer import _timer_of
from kshell.linux.net.netlink.af_netlink_deliver import nlmsg_unicast
from kshell.linux.net.netlink.af_netlink_rcv import netlink_dump_start

if TYPE_CHECKING:
    from kshell.linux.include.linux.module import module
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.net_namespace import net as net_t
    from kshell.linux.include.net.netlink import nlmsghdr
    from kshell.linux.include.net.sock import sock_common
    from kshell.linux.init.kernel import Kernel

#: family, protocol, wanted attributes, pad, states; then the socket's id
INET_DIAG_REQ_V2: Final = struct.Struct("<BBBxI")
#: ports, addresses (big endian), interface, cookie
INET_DIAG_SOCKID: Final = struct.Struct(">HHI12xI12x")
SIZEOF_SOCKID: Final = 48
SIZEOF_REQ: Final = INET_DIAG_REQ_V2.size + SIZEOF_SOCKID


class inet_diag_req_v2:
    """A question: family, protocol, attributes wanted (idiag_ext), states, and which socket."""

    __slots__ = ("cookie", "daddr", "dport", "idiag_ext", "idiag_if", "idiag_states", "saddr", "sdiag_family",
                 "sdiag_protocol", "sport")  # fmt: skip

    def __init__(self, raw: bytes) -> None:
        fields = INET_DIAG_REQ_V2.unpack_from(raw)
        self.sdiag_family, self.sdiag_protocol, self.idiag_ext, self.idiag_states = fields
        self.sport, self.dport, self.saddr, self.daddr = INET_DIAG_SOCKID.unpack_from(raw, INET_DIAG_REQ_V2.size)
        self.idiag_if, *cookie = struct.unpack_from("<III", raw, INET_DIAG_REQ_V2.size + 36)
        self.cookie = (cookie[0], cookie[1])


class inet_diag_handler:
    """A protocol's part. sockets(net, request): those that the question may mean; queues(sk): lengths of both queues.

    info(sk): INET_DIAG_INFO; destroy(sk): SOCK_DESTROY. Constant.
    """

    __slots__ = ("_destroy", "_info", "_queues", "_sockets", "idiag_type")

    def __init__(
        self,
        *,
        idiag_type: int,
        sockets: Callable[[net_t, inet_diag_req_v2], Iterable[sock_common]],
        queues: Callable[[sock], tuple[int, int]],
        info: Callable[[sock], bytes] | None = None,
        destroy: Callable[[sock], None] | None = None,
    ) -> None:
        self.idiag_type = idiag_type
        self._sockets = sockets
        self._queues = queues
        self._info = info
        self._destroy = destroy


def inet_diag_register(kernel: Kernel, h: inet_diag_handler) -> None:
    """Answer questions about a protocol's sockets."""
    kernel.inet_diag_table[h.idiag_type] = h


def inet_diag_unregister(kernel: Kernel, h: inet_diag_handler) -> None:
    """Answer no more."""
    kernel.inet_diag_table.pop(h.idiag_type, None)


def inet_diag_lock_handler(kernel: Kernel, proto: int) -> inet_diag_handler:
    """Who knows a protocol's sockets; its module is asked for. ENOENT."""
    if proto not in kernel.inet_diag_table:
        sock_load_diag_module(kernel, AF_INET, proto)
    handler = kernel.inet_diag_table.get(proto)
    if not isinstance(handler, inet_diag_handler):
        raise KernelError(ENOENT)
    return handler


# ---- the message ----


def _sockid(sk: sock_common) -> bytes:
    """inet_diag_msg_common_fill(): struct inet_diag_sockid of a socket, of a half open or of a finished connection."""
    addresses = (0, 0) if sk.skc_family == AF_INET6 else (sk.skc_rcv_saddr, sk.skc_daddr)
    ports = INET_DIAG_SOCKID.pack(sk.skc_num, sk.skc_dport, *addresses)
    cookie = sock_diag_save_cookie(sk) if isinstance(sk, sock) else (d.INET_DIAG_NOCOOKIE, d.INET_DIAG_NOCOOKIE)
    return ports + struct.pack("<III", sk.skc_bound_dev_if, *cookie)


def inet_diag_msg_attrs_fill(sk: inet_sock, skb: sk_buff, ext: int, net_admin: bool) -> None:
    """Append the attributes that sockets of all protocols have."""
    nla_put_u8(skb, d.INET_DIAG_SHUTDOWN, sk.sk_shutdown)
    if ext & 1 << d.INET_DIAG_TOS - 1:
        nla_put_u8(skb, d.INET_DIAG_TOS, sk.tos)
    if sk.skc_family == AF_INET6 and sk.skc_state in (TCP_LISTEN, TCP_CLOSE):
        nla_put_u8(skb, d.INET_DIAG_SKV6ONLY, sk.sk_ipv6only)
    if net_admin:
        nla_put_u32(skb, d.INET_DIAG_MARK, sk.sk_mark)
    if ext & (1 << d.INET_DIAG_CLASS_ID - 1 | 1 << d.INET_DIAG_TCLASS - 1):
        nla_put_u32(skb, d.INET_DIAG_CLASS_ID, sk.sk_priority)
    bits = (sk.recverr, sk.is_icsk, sk.freebind, sk.hdrincl, sk.mc_loop, sk.transparent, sk.mc_all, sk.nodefrag)
    more = (sk.bind_address_no_port, sk.recverr_rfc4884, sk.defer_connect)
    packed = [sum(bool(bit) << at for at, bit in enumerate(word)) for word in (bits, more)]
    nla_put(skb, d.INET_DIAG_SOCKOPT, bytes(packed))


def _header(sk: sock_common, state: int, timer: tuple[int, int, int], queues: tuple[int, int], who: tuple[int, int]) -> bytes:
    kind, retrans, expires = timer
    return (
        struct.pack("<BBBB", sk.skc_family, state, kind, retrans & 0xFF)
        + _sockid(sk)
        + struct.pack("<IIIII", max(0, expires), *queues, *who)
    )


class _fill:
    """Whom an answer goes to: port, sequence number, flags, and what is asked for."""

    __slots__ = ("flags", "net_admin", "portid", "req", "seq")

    def __init__(self, portid: int, seq: int, flags: int, req: inet_diag_req_v2, net_admin: bool) -> None:
        self.portid = portid
        self.seq = seq
        self.flags = flags
        self.req = req
        self.net_admin = net_admin


def inet_sk_diag_fill(sk: inet_sock, handler: inet_diag_handler, skb: sk_buff, to: _fill) -> None:
    """Append a message about a socket. EMSGSIZE: no room."""
    ext = to.req.idiag_ext
    header = _header(sk, sk.skc_state, _timer_of(sk), handler._queues(sk), (sock_i_uid(sk), sock_i_ino(sk)))
    nlh = nlmsg_put(skb, to.portid, to.seq, d.SOCK_DIAG_BY_FAMILY, header, to.flags)
    try:
        inet_diag_msg_attrs_fill(sk, skb, ext, to.net_admin)
        if ext & 1 << d.INET_DIAG_MEMINFO - 1:
            memory = (sk.sk_rmem_alloc, sk.sk_wmem_queued, max(0, sk.sk_forward_alloc), sk.sk_wmem_alloc - 1)
            nla_put(skb, d.INET_DIAG_MEMINFO, struct.pack("<4I", *memory))
        if ext & 1 << d.INET_DIAG_SKMEMINFO - 1:
            sock_diag_put_meminfo(sk, skb, d.INET_DIAG_SKMEMINFO)
        if sk.sk_type == SOCK_RAW:
            nla_put_u8(skb, d.INET_DIAG_PROTOCOL, sk.sk_protocol)
        if ext & 1 << d.INET_DIAG_INFO - 1 and handler._info is not None:
            nla_put(skb, d.INET_DIAG_INFO, handler._info(sk))
        if ext & 1 << d.INET_DIAG_CONG - 1 and isinstance(sk, inet_connection_sock) and sk.icsk_ca_ops is not None:
            nla_put_string(skb, d.INET_DIAG_CONG, sk.icsk_ca_ops.name)
    except KernelError:
        nlmsg_cancel(skb, nlh)
        raise
    nlmsg_end(skb, nlh)


def _small_diag_fill(sk: sock_common, state: int, timer: tuple[int, int, int], skb: sk_buff, to: _fill) -> None:
    header = _header(sk, state, timer, (0, 0), (0, 0))
    nlh = nlmsg_put(skb, to.portid, to.seq, d.SOCK_DIAG_BY_FAMILY, header, to.flags)
    try:
        if to.net_admin:
            nla_put_u32(skb, d.INET_DIAG_MARK, getattr(sk, "tw_mark", 0) or getattr(sk, "ir_mark", 0))
    except KernelError:
        nlmsg_cancel(skb, nlh)
        raise
    nlmsg_end(skb, nlh)


def inet_twsk_diag_fill(tw: inet_timewait_sock, skb: sk_buff, to: _fill) -> None:
    """Append a message about a finished connection. EMSGSIZE."""
    _small_diag_fill(tw, tw.tw_substate, _timer_of(tw), skb, to)


def inet_req_diag_fill(req: request_sock, skb: sk_buff, to: _fill) -> None:
    """Append a message about a half open connection. EMSGSIZE."""
    _small_diag_fill(req, TCP_SYN_RECV, _timer_of(req), skb, to)


def sk_diag_fill(sk: sock_common, handler: inet_diag_handler, skb: sk_buff, to: _fill) -> None:
    """Append a message about whatever stands in the table. EMSGSIZE."""
    if isinstance(sk, inet_timewait_sock):
        inet_twsk_diag_fill(sk, skb, to)
    elif isinstance(sk, request_sock):
        inet_req_diag_fill(sk, skb, to)
    else:
        assert isinstance(sk, sock)
        inet_sk_diag_fill(inet_sk(sk), handler, skb, to)


# ---- questions ----


def _state_of(sk: sock_common) -> int:
    if isinstance(sk, inet_timewait_sock):
        return sk.tw_substate
    return TCP_SYN_RECV if isinstance(sk, request_sock) else sk.skc_state


def _wanted(sk: sock_common, net: net_t, r: inet_diag_req_v2, bc: bytes) -> bool:
    return (
        sk.skc_net is net
        and bool(r.idiag_states >> _state_of(sk) & 1)
        and r.sdiag_family in (AF_UNSPEC, sk.skc_family)
        and r.sport in (0, sk.skc_num)
        and r.dport in (0, sk.skc_dport)
        and inet_diag_bc_sk(bc, sk)
    )


class inet_diag_dump_data:
    """What a dump asks for: the request and the filter program."""

    __slots__ = ("bytecode", "net_admin", "req")

    def __init__(self, req: inet_diag_req_v2, bytecode: bytes, net_admin: bool) -> None:
        self.req = req
        self.bytecode = bytecode
        self.net_admin = net_admin


def inet_diag_dump(skb: sk_buff, cb: netlink_callback) -> int:
    """All sockets that are asked for, as many as fit; args[1]: those that are done. ENOENT: unknown protocol."""
    assert cb.skb.sk is not None
    data = cb.data
    assert isinstance(data, inet_diag_dump_data)
    net = cb.skb.sk.sk_net
    handler = inet_diag_lock_handler(net.kernel, data.req.sdiag_protocol)
    to = _fill(NETLINK_CB(cb.skb).portid, cb.nlh.nlmsg_seq, NLM_F_MULTI, data.req, data.net_admin)
    try:
        for sk in list(handler._sockets(net, data.req))[cb.args[1] :]:
            if _wanted(sk, net, data.req, data.bytecode):
                sk_diag_fill(sk, handler, skb, to)
            cb.args[1] += 1
    except KernelError as error:
        if error.errno != EMSGSIZE or not skb.len:
            raise
    return skb.len


def _find_one(net: net_t, handler: inet_diag_handler, r: inet_diag_req_v2) -> sock_common:
    """The one socket that a request names: connection first, then listener. ENOENT, ESTALE."""
    best: sock_common | None = None
    for sk in handler._sockets(net, r):
        if sk.skc_net is not net or sk.skc_num != r.sport or r.idiag_if not in (0, sk.skc_bound_dev_if):
            continue
        if sk.skc_dport == r.dport and sk.skc_daddr == r.daddr and sk.skc_rcv_saddr == r.saddr:
            best = sk
            break
        if not sk.skc_dport and sk.skc_rcv_saddr in (0, r.saddr):
            best = best or sk
    if best is None:
        raise KernelError(ENOENT)
    if isinstance(best, sock):
        sock_diag_check_cookie(best, r.cookie)
    return best


def inet_diag_cmd_exact(cmd: int, skb: sk_buff, nlh: nlmsghdr, r: inet_diag_req_v2) -> None:
    """One socket: tell of it, or end it (SOCK_DESTROY). ENOENT, ESTALE, EPERM, EOPNOTSUPP."""
    assert skb.sk is not None
    net = skb.sk.sk_net
    handler = inet_diag_lock_handler(net.kernel, r.sdiag_protocol)
    if cmd == d.SOCK_DESTROY:
        _destroy_one(skb, handler, net, r)
        return
    sk = _find_one(net, handler, r)
    rep = nlmsg_new(net.kernel, NLMSG_GOODSIZE)
    portid = NETLINK_CB(skb).portid
    sk_diag_fill(sk, handler, rep, _fill(portid, nlh.nlmsg_seq, 0, r, netlink_net_capable(skb, CAP_NET_ADMIN)))
    nlmsg_unicast(skb.sk, rep, portid)


def _destroy_one(skb: sk_buff, handler: inet_diag_handler, net: net_t, r: inet_diag_req_v2) -> None:
    if not netlink_net_capable(skb, CAP_NET_ADMIN):
        raise KernelError(EPERM)
    if handler._destroy is None:
        raise KernelError(EOPNOTSUPP)
    sk = _find_one(net, handler, r)
    if not isinstance(sk, sock):
        raise KernelError(EOPNOTSUPP)
    handler._destroy(sk)


def inet_diag_handler_cmd(skb: sk_buff, h: nlmsghdr) -> None:
    """A question or an order about sockets of IPv4. EINVAL and what follows."""
    assert skb.sk is not None
    if nlmsg_len(h) < SIZEOF_REQ:
        raise KernelError(EINVAL)
    req = inet_diag_req_v2(h._payload)
    if h.nlmsg_type != d.SOCK_DIAG_BY_FAMILY or not h.nlmsg_flags & NLM_F_DUMP:
        inet_diag_cmd_exact(h.nlmsg_type, skb, h, req)
        return
    bytecode = b""
    net_admin = netlink_net_capable(skb, CAP_NET_ADMIN)
    for attr in nlmsg_for_each_attr(h, SIZEOF_REQ):
        if nla_type(attr) == d.INET_DIAG_REQ_BYTECODE:
            inet_diag_bc_audit(attr, net_admin)
            bytecode = bytes(attr)
        elif nla_type(attr) == d.INET_DIAG_REQ_PROTOCOL and len(attr) >= 4:
            req.sdiag_protocol = int.from_bytes(attr[:4], "little")
    data = inet_diag_dump_data(req, bytecode, net_admin)
    nlsk = skb.sk.sk_net.diag_nlsk
    assert nlsk is not None
    netlink_dump_start(nlsk, skb, h, netlink_dump_control(inet_diag_dump, data=data))


def inet_diag_init(kernel: Kernel, mod: module) -> None:
    """The module inet_diag is loaded."""
    for family in (AF_INET, AF_INET6):
        handler = sock_diag_handler(
            family=family, dump=inet_diag_handler_cmd, destroy=inet_diag_handler_cmd, owner=mod
        )
        sock_diag_register(kernel, handler)


def inet_diag_exit(kernel: Kernel, mod: module) -> None:
    """It is removed."""
    for family in (AF_INET, AF_INET6):
        sock_diag_unregister(kernel, kernel.sock_diag_handlers[family])
    kernel.inet_diag_table.clear()
