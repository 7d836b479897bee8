"""net/core/rtnetlink.c: what the attributes of messages about links must look like."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from kshell.abi import if_link as i
from kshell.abi.netdevice import IFALIASZ, IFNAMSIZ, MAX_ADDR_LEN
from kshell.linux.include.linux.netdevice import MAX_PHYS_ITEM_ID_LEN
from kshell.linux.include.net.nlattr import (
    NLA_BINARY,
    NLA_NESTED,
    NLA_NUL_STRING,
    NLA_REJECT,
    NLA_S32,
    NLA_STRING,
    NLA_U8,
    NLA_U32,
    nla_policy,
)
from kshell.linux.include.net.tcp import MAX_TCP_HEADER

ALTIFNAMSIZ: Final = 128
SIZEOF_RTNL_LINK_IFMAP: Final = 32

_U32 = nla_policy(NLA_U32)
_U8 = nla_policy(NLA_U8)
_S32 = nla_policy(NLA_S32)
_NEST = nla_policy(NLA_NESTED)
_REJECT = nla_policy(NLA_REJECT)

ifla_policy: Final = MappingProxyType(
    {
        i.IFLA_IFNAME: nla_policy(NLA_STRING, len=IFNAMSIZ - 1),
        i.IFLA_ADDRESS: nla_policy(NLA_BINARY, len=MAX_ADDR_LEN),
        i.IFLA_BROADCAST: nla_policy(NLA_BINARY, len=MAX_ADDR_LEN),
        i.IFLA_MAP: nla_policy(len=SIZEOF_RTNL_LINK_IFMAP),
        i.IFLA_MTU: _U32,
        i.IFLA_LINK: _U32,
        i.IFLA_MASTER: _U32,
        i.IFLA_CARRIER: _U8,
        i.IFLA_TXQLEN: _U32,
        i.IFLA_WEIGHT: _U32,
        i.IFLA_OPERSTATE: _U8,
        i.IFLA_LINKMODE: _U8,
        i.IFLA_LINKINFO: _NEST,
        i.IFLA_NET_NS_PID: _U32,
        i.IFLA_NET_NS_FD: _U32,
        i.IFLA_IFALIAS: nla_policy(NLA_BINARY, len=IFALIASZ - 1),
        i.IFLA_VFINFO_LIST: _NEST,
        i.IFLA_VF_PORTS: _NEST,
        i.IFLA_PORT_SELF: _NEST,
        i.IFLA_AF_SPEC: _NEST,
        i.IFLA_EXT_MASK: _U32,
        i.IFLA_PROMISCUITY: _U32,
        i.IFLA_NUM_TX_QUEUES: _U32,
        i.IFLA_NUM_RX_QUEUES: _U32,
        i.IFLA_GSO_MAX_SEGS: _U32,
        i.IFLA_GSO_MAX_SIZE: nla_policy(NLA_U32, min=MAX_TCP_HEADER + 1),
        i.IFLA_PHYS_PORT_ID: nla_policy(NLA_BINARY, len=MAX_PHYS_ITEM_ID_LEN),
        i.IFLA_CARRIER_CHANGES: _U32,
        i.IFLA_PHYS_SWITCH_ID: nla_policy(NLA_BINARY, len=MAX_PHYS_ITEM_ID_LEN),
        i.IFLA_LINK_NETNSID: _S32,
        i.IFLA_PROTO_DOWN: _U8,
        i.IFLA_XDP: _NEST,
        i.IFLA_EVENT: _U32,
        i.IFLA_GROUP: _U32,
        i.IFLA_TARGET_NETNSID: _S32,
        i.IFLA_CARRIER_UP_COUNT: _U32,
        i.IFLA_CARRIER_DOWN_COUNT: _U32,
        i.IFLA_MIN_MTU: _U32,
        i.IFLA_MAX_MTU: _U32,
        i.IFLA_PROP_LIST: _NEST,
        i.IFLA_ALT_IFNAME: nla_policy(NLA_STRING, len=ALTIFNAMSIZ - 1),
        i.IFLA_PERM_ADDRESS: _REJECT,
        i.IFLA_PROTO_DOWN_REASON: _NEST,
        i.IFLA_NEW_IFINDEX: nla_policy(NLA_S32, min=1),
        i.IFLA_PARENT_DEV_NAME: nla_policy(NLA_NUL_STRING),
        i.IFLA_GRO_MAX_SIZE: _U32,
        i.IFLA_TSO_MAX_SIZE: _REJECT,
        i.IFLA_TSO_MAX_SEGS: _REJECT,
        i.IFLA_ALLMULTI: _REJECT,
    }
)

ifla_info_policy: Final = MappingProxyType(
    {
        i.IFLA_INFO_KIND: nla_policy(NLA_STRING),
        i.IFLA_INFO_DATA: _NEST,
        i.IFLA_INFO_SLAVE_KIND: nla_policy(NLA_STRING),
        i.IFLA_INFO_SLAVE_DATA: _NEST,
    }
)
