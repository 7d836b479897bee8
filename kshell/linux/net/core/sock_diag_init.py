"""net/core/sock_diag.c: NETLINK_SOCK_DIAG: questions about sockets, answered by a module for each family."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar, cast

from kshell.abi.errno import EBUSY, EINVAL, EMSGSIZE, ENOENT, EOPNOTSUPP, ESTALE
from kshell.abi.netlink import NETLINK_SOCK_DIAG
from kshell.abi.sock_diag import INET_DIAG_NOCOOKIE, SKNLGRP_MAX, SOCK_DESTROY, SOCK_DIAG_BY_FAMILY, TCPDIAG_GETSOCK
from kshell.abi.socket import AF_INET, AF_MAX, PF_NETLINK
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.netlink import (
    NL_CFG_F_NONROOT_RECV,
    netlink_dump_control,
    netlink_ext_ack,
    netlink_kernel_cfg,
)
from kshell.linux.include.net.net_namespace import pernet_operations
from kshell.linux.include.net.netlink import nla_put, nlmsg_len
from kshell.linux.kernel.kmod import request_module
from kshell.linux.net.core.net_namespace import register_pernet_subsys
from kshell.linux.net.core.sock_diag import __sock_gen_cookie, sk_get_meminfo
from kshell.linux.net.netlink.af_netlink import netlink_kernel_create, netlink_kernel_release
from kshell.linux.net.netlink.af_netlink_rcv import netlink_dump_start, netlink_rcv_skb

if TYPE_CHECKING:
    from kshell.linux.include.linux.netlink import netlink_callback, netlink_sock
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.linux.sock_diag import sock_diag_handler
    from kshell.linux.include.net.net_namespace import net
    from kshell.linux.include.net.netlink import nlmsghdr
    from kshell.linux.include.net.sock import sock
    from kshell.linux.init.kernel import Kernel

S = TypeVar("S", bound="sock")

DCCPDIAG_GETSOCK = 19


def sock_diag_register(kernel: Kernel, hndl: sock_diag_handler) -> None:
    """Answer questions about a family's sockets. EINVAL, EBUSY."""
    if hndl.family >= AF_MAX:
        raise KernelError(EINVAL)
    if hndl.family in kernel.sock_diag_handlers:
        raise KernelError(EBUSY)
    kernel.sock_diag_handlers[hndl.family] = hndl


def sock_diag_unregister(kernel: Kernel, hndl: sock_diag_handler) -> None:
    """Answer no more."""
    kernel.sock_diag_handlers.pop(hndl.family, None)


def sock_load_diag_module(kernel: Kernel, family: int, protocol: int) -> None:
    """Ask for the module that knows a family, or a protocol of it."""
    name = f"net-pf-{PF_NETLINK}-proto-{NETLINK_SOCK_DIAG}-type-{family}"
    request_module(kernel, f"{name}-{protocol}" if protocol else name)


def sock_diag_save_cookie(sk: sock) -> tuple[int, int]:
    """A socket's cookie as two words."""
    cookie = __sock_gen_cookie(sk)
    return cookie & 0xFFFFFFFF, cookie >> 32


def _start_dump(skb: sk_buff, h: nlmsghdr, dump: Callable[[sk_buff, netlink_callback], int]) -> None:
    """Answer a question about all sockets of a family."""
    assert skb.sk is not None
    nlsk = skb.sk.sk_net.diag_nlsk
    assert nlsk is not None
    netlink_dump_start(nlsk, skb, h, netlink_dump_control(dump))


def _dump_sockets(
    skb: sk_buff, cb: netlink_callback, at: int, sockets: Sequence[S], fill: Callable[[S], None]
) -> int:
    """Append a message about each socket, as many as fit; cb.args[at]: those that are done."""
    try:
        for sk in sockets[cb.args[at] :]:
            fill(sk)
            cb.args[at] += 1
    except KernelError as error:
        if error.errno != EMSGSIZE or not skb.len:
            raise
    return skb.len


def sock_diag_check_cookie(sk: sock, cookie: tuple[int, int]) -> None:
    """ESTALE: the socket asked for was another."""
    if cookie != (INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE) and cookie != sock_diag_save_cookie(sk):
        raise KernelError(ESTALE)


def sock_diag_put_meminfo(sk: sock, skb: sk_buff, attrtype: int) -> None:
    """Append SK_MEMINFO_*."""
    nla_put(skb, attrtype, struct.pack("<9I", *(value & 0xFFFFFFFF for value in sk_get_meminfo(sk))))


def __sock_diag_cmd(skb: sk_buff, nlh: nlmsghdr) -> None:
    """A question or order about sockets of a family. EINVAL, ENOENT: no module knows it; EOPNOTSUPP."""
    assert skb.sk is not None
    kernel = skb.sk.sk_net.kernel
    if nlmsg_len(nlh) < 2 or nlh._payload[0] >= AF_MAX:
        raise KernelError(EINVAL)
    family = nlh._payload[0]
    if family not in kernel.sock_diag_handlers:
        sock_load_diag_module(kernel, family, 0)
    hndl = kernel.sock_diag_handlers.get(family)
    if hndl is None:
        raise KernelError(ENOENT)
    if nlh.nlmsg_type == SOCK_DIAG_BY_FAMILY:
        hndl.dump(skb, nlh)
    elif hndl.destroy is not None:
        hndl.destroy(skb, nlh)
    else:
        raise KernelError(EOPNOTSUPP)


def sock_diag_rcv_msg(skb: sk_buff, nlh: nlmsghdr, extack: netlink_ext_ack) -> None:
    """A request. EINVAL: none that is known; EOPNOTSUPP: the way TCP was asked about before Linux 3.3."""
    assert skb.sk is not None
    if nlh.nlmsg_type in (SOCK_DIAG_BY_FAMILY, SOCK_DESTROY):
        __sock_diag_cmd(skb, nlh)
    elif nlh.nlmsg_type in (TCPDIAG_GETSOCK, DCCPDIAG_GETSOCK):
        if AF_INET not in skb.sk.sk_net.kernel.sock_diag_handlers:
            sock_load_diag_module(skb.sk.sk_net.kernel, AF_INET, 0)
        raise KernelError(EOPNOTSUPP)
    else:
        raise KernelError(EINVAL)


def sock_diag_rcv(skb: sk_buff) -> None:
    """Requests from user space."""
    netlink_rcv_skb(skb, sock_diag_rcv_msg)


def diag_net_init(net: net) -> None:
    """A namespace comes."""
    net.diag_nlsk = netlink_kernel_create(
        net, NETLINK_SOCK_DIAG, netlink_kernel_cfg(groups=SKNLGRP_MAX, flags=NL_CFG_F_NONROOT_RECV, input=sock_diag_rcv)
    )  # fmt: skip


def diag_net_exit(net: net) -> None:
    """The namespace goes."""
    if net.diag_nlsk is not None:
        netlink_kernel_release(cast("netlink_sock", net.diag_nlsk))
    net.diag_nlsk = None


diag_net_ops = pernet_operations(init=diag_net_init, exit=diag_net_exit)


def sock_diag_init(kernel: Kernel) -> None:
    """Initcall: NETLINK_SOCK_DIAG."""
    register_pernet_subsys(kernel, diag_net_ops)
