"""include/net/rtnetlink.h: who answers rtnetlink messages, and kinds of virtual devices."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from kshell.abi.socket import AF_UNSPEC

if TYPE_CHECKING:
    from kshell.linux.include.linux.netdevice import net_device
    from kshell.linux.include.linux.netlink import netlink_callback, netlink_ext_ack
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.net_namespace import net
    from kshell.linux.include.net.netlink import nlmsghdr
    from kshell.linux.include.net.nlattr import nla_policies, nlattr, nlattrs

rtnl_doit_func = Callable[["sk_buff", "nlmsghdr", "netlink_ext_ack"], None]
rtnl_dumpit_func = Callable[["sk_buff", "netlink_callback"], int]

RTNL_FLAG_DOIT_UNLOCKED: Final = 1
RTNL_FLAG_BULK_DEL_SUPPORTED: Final = 2
RTNL_KIND_NEW, RTNL_KIND_DEL, RTNL_KIND_GET, RTNL_KIND_SET = range(4)

RTNL_LINK_INITIALIZED: Final = 0
RTNL_LINK_INITIALIZING: Final = 1


class rtnl_link:
    """What a family does on one type of message."""

    __slots__ = ("doit", "dumpit", "flags")

    def __init__(self, doit: rtnl_doit_func | None, dumpit: rtnl_dumpit_func | None, flags: int) -> None:
        self.doit = doit
        self.dumpit = dumpit
        self.flags = flags


class rtnl_link_ops:
    """A kind of device that `ip link add … type KIND` makes. Constant.

    `alloc` (or `setup` for alloc_netdev_mqs) makes the net_device, `newlink` configures and registers it (without it
    register_netdevice() does); all raise KernelError. `validate`, `newlink`, `changelink` get the attributes of the
    link (tb), those of IFLA_INFO_DATA (data, None if there are none) and the extended ack. `fill_info` puts the
    attributes of IFLA_INFO_DATA into the message. `dellink` takes the device away: unregister_netdevice if not given.
    """

    __slots__ = (
        "alloc", "changelink", "dellink", "fill_info", "fill_slave_info", "fill_xstats", "get_link_net",
        "get_num_rx_queues", "get_num_tx_queues", "get_size", "get_slave_size", "get_xstats_size", "kind", "maxtype",
        "netns_refund", "newlink", "policy", "setup", "slave_changelink", "slave_maxtype", "slave_policy", "validate",
    )  # fmt: skip

    def __init__(
        self,
        *,
        kind: str,
        setup: Callable[[net_device], None] | None = None,
        alloc: Callable[[nlattrs, str, int, int, int], net_device] | None = None,
        netns_refund: bool = False,
        maxtype: int = 0,
        policy: nla_policies | None = None,
        validate: Callable[[nlattrs, nlattrs | None, netlink_ext_ack | None], None] | None = None,
        newlink: Callable[[net, net_device, nlattrs, nlattrs | None, netlink_ext_ack | None], None] | None = None,
        changelink: Callable[[net_device, nlattrs, nlattrs | None, netlink_ext_ack | None], None] | None = None,
        dellink: Callable[[net_device], None] | None = None,
        get_size: Callable[[net_device], int] | None = None,
        fill_info: Callable[[sk_buff, net_device], None] | None = None,
        get_xstats_size: Callable[[net_device], int] | None = None,
        fill_xstats: Callable[[sk_buff, net_device], None] | None = None,
        get_num_tx_queues: Callable[[], int] | None = None,
        get_num_rx_queues: Callable[[], int] | None = None,
        slave_maxtype: int = 0,
        slave_policy: nla_policies | None = None,
        slave_changelink: (
            Callable[[net_device, net_device, nlattrs, nlattrs | None, netlink_ext_ack | None], None] | None
        ) = None,
        get_slave_size: Callable[[net_device, net_device], int] | None = None,
        fill_slave_info: Callable[[sk_buff, net_device, net_device], None] | None = None,
        get_link_net: Callable[[net_device], net] | None = None,
    ) -> None:
        self.kind = kind
        self.setup = setup
        self.alloc = alloc
        self.netns_refund = netns_refund
        self.maxtype = maxtype
        self.policy = policy
        self.validate = validate
        self.newlink = newlink
        self.changelink = changelink
        self.dellink = dellink
        self.get_size = get_size
        self.fill_info = fill_info
        self.get_xstats_size = get_xstats_size
        self.fill_xstats = fill_xstats
        self.get_num_tx_queues = get_num_tx_queues
        self.get_num_rx_queues = get_num_rx_queues
        self.slave_maxtype = slave_maxtype
        self.slave_policy = slave_policy
        self.slave_changelink = slave_changelink
        self.get_slave_size = get_slave_size
        self.fill_slave_info = fill_slave_info
        self.get_link_net = get_link_net


class rtnl_af_ops:
    """What an address family says of a device in IFLA_AF_SPEC. Constant; ENODATA from fill_link_af: nothing."""

    __slots__ = ("family", "fill_link_af", "get_link_af_size", "set_link_af", "validate_link_af")

    def __init__(
        self,
        *,
        family: int,
        fill_link_af: Callable[[sk_buff, net_device, int], None] | None = None,
        get_link_af_size: Callable[[net_device, int], int] | None = None,
        validate_link_af: Callable[[net_device | None, nlattr, netlink_ext_ack | None], None] | None = None,
        set_link_af: Callable[[net_device, nlattr, netlink_ext_ack | None], None] | None = None,
    ) -> None:
        self.family = family
        self.fill_link_af = fill_link_af
        self.get_link_af_size = get_link_af_size
        self.validate_link_af = validate_link_af
        self.set_link_af = set_link_af


def rtnl_msgtype_kind(msgtype: int) -> int:
    """NEW, DEL, GET or SET."""
    return msgtype & 3


def rtnl_msg_family(nlh: nlmsghdr) -> int:
    """The family a message is about: its first byte."""
    return nlh._payload[0] if nlh._payload else AF_UNSPEC
