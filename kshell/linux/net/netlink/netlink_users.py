"""The kernel's ends of netlink protocols whose subsystems are otherwise not modelled.

kernel/audit.c, lib/kobject_uevent.c, drivers/connector/connector.c, security/selinux/netlink.c and
net/ipv4/fib_frontend.c make these sockets at boot, so that socket(AF_NETLINK, …, protocol) finds them. A request
to them is answered with EOPNOTSUPP, which the real ones would not do; notifications are sent by none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EOPNOTSUPP
from kshell.abi.netlink import (
    NETLINK_AUDIT,
    NETLINK_CONNECTOR,
    NETLINK_FIB_LOOKUP,
    NETLINK_KOBJECT_UEVENT,
    NETLINK_SELINUX,
)  # fmt: skip
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.netlink import NL_CFG_F_NONROOT_RECV, netlink_kernel_cfg, netlink_sock
from kshell.linux.include.net.net_namespace import pernet_operations
from kshell.linux.kernel.printk import pr_info
from kshell.linux.net.core.net_namespace import register_pernet_subsys
from kshell.linux.net.netlink.af_netlink import netlink_kernel_create, netlink_kernel_release, nlk_sk
from kshell.linux.net.netlink.af_netlink_proc import _connector_init
from kshell.linux.net.netlink.af_netlink_rcv import netlink_rcv_skb

if TYPE_CHECKING:
    from kshell.linux.include.linux.netlink import netlink_ext_ack
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.net_namespace import net
    from kshell.linux.include.net.netlink import nlmsghdr
    from kshell.linux.init.kernel import Kernel

def _refuse(skb: sk_buff, nlh: nlmsghdr, extack: netlink_ext_ack) -> None:
    raise KernelError(EOPNOTSUPP)


def _receive(skb: sk_buff) -> None:
    netlink_rcv_skb(skb, _refuse)


def audit_net_init(net: net) -> None:
    """NETLINK_AUDIT of a namespace."""
    net.gen["audit_net_id"] = netlink_kernel_create(net, NETLINK_AUDIT, netlink_kernel_cfg(groups=1, input=_receive))


def audit_net_exit(net: net) -> None:
    """The namespace goes."""
    sk = net.gen["audit_net_id"]
    assert isinstance(sk, netlink_sock)
    netlink_kernel_release(sk)


def audit_init(kernel: Kernel) -> None:
    """postcore_initcall: NETLINK_AUDIT."""
    pr_info(kernel, "audit: initializing netlink subsys (disabled)")
    register_pernet_subsys(kernel, pernet_operations(init=audit_net_init, exit=audit_net_exit))


class uevent_sock:
    """The kernel's end in one namespace."""

    __slots__ = ("sk",)

    def __init__(self, sk: netlink_sock) -> None:
        self.sk = sk


def uevent_net_init(net: net) -> None:
    """NETLINK_KOBJECT_UEVENT of a namespace."""
    cfg = netlink_kernel_cfg(groups=1, flags=NL_CFG_F_NONROOT_RECV)
    net.uevent_sock = uevent_sock(netlink_kernel_create(net, NETLINK_KOBJECT_UEVENT, cfg))


def uevent_net_exit(net: net) -> None:
    """The namespace goes."""
    assert net.uevent_sock is not None
    netlink_kernel_release(net.uevent_sock.sk)
    net.uevent_sock = None


def kobject_uevent_init(kernel: Kernel) -> None:
    """postcore_initcall: NETLINK_KOBJECT_UEVENT."""
    register_pernet_subsys(kernel, pernet_operations(init=uevent_net_init, exit=uevent_net_exit))


def cn_init(kernel: Kernel) -> None:
    """subsys_initcall: NETLINK_CONNECTOR, of the first namespace only."""
    netlink_kernel_create(kernel.init_net, NETLINK_CONNECTOR, netlink_kernel_cfg(groups=0xB, input=_receive))
    _connector_init(kernel)


def selnl_init(kernel: Kernel) -> None:
    """device_initcall: NETLINK_SELINUX, of the first namespace only."""
    netlink_kernel_create(
        kernel.init_net, NETLINK_SELINUX, netlink_kernel_cfg(groups=1, flags=NL_CFG_F_NONROOT_RECV)
    )


def nl_fib_lookup_init(net: net) -> None:
    """NETLINK_FIB_LOOKUP of a namespace, part of fib_net_init()."""
    net.ipv4.fibnl = netlink_kernel_create(net, NETLINK_FIB_LOOKUP, netlink_kernel_cfg(input=_receive))


def nl_fib_lookup_exit(net: net) -> None:
    """The namespace goes."""
    assert net.ipv4.fibnl is not None
    netlink_kernel_release(nlk_sk(net.ipv4.fibnl))
    net.ipv4.fibnl = None
