"""net/core/sock_diag.c: the kernel's end of NETLINK_SOCK_DIAG."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from kshell.abi.errno import ENOENT
from kshell.abi.netlink import NETLINK_SOCK_DIAG
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.netlink import NL_CFG_F_NONROOT_RECV, netlink_ext_ack, netlink_kernel_cfg
from kshell.linux.include.net.net_namespace import pernet_operations
from kshell.linux.net.core.net_namespace import register_pernet_subsys
from kshell.linux.net.netlink.af_netlink import netlink_kernel_create, netlink_kernel_release
from kshell.linux.net.netlink.af_netlink_rcv import netlink_rcv_skb

if TYPE_CHECKING:
    from kshell.linux.include.linux.netlink import netlink_sock
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.net_namespace import net
    from kshell.linux.include.net.netlink import nlmsghdr
    from kshell.linux.init.kernel import Kernel

SKNLGRP_MAX = 4


def sock_diag_rcv_msg(skb: sk_buff, nlh: nlmsghdr, extack: netlink_ext_ack) -> None:
    """A request: no family's diag module is there. ENOENT."""
    raise KernelError(ENOENT)


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
