"""net/ipv4/devinet.c: the message that describes an address (RTM_NEWADDR), and telling listeners of it."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from kshell.abi.rtnetlink import (
    IFA_ADDRESS,
    IFA_BROADCAST,
    IFA_CACHEINFO,
    IFA_F_PERMANENT,
    IFA_FLAGS,
    IFA_LABEL,
    IFA_LOCAL,
    IFA_PROTO,
    IFA_RT_PRIORITY,
    RTNLGRP_IPV4_IFADDR,
)
from kshell.abi.socket import AF_INET
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.inetdevice import INFINITY_LIFE_TIME
from kshell.linux.include.linux.jiffies import HZ, INITIAL_JIFFIES, USER_HZ
from kshell.linux.include.net.netlink import (
    NLMSG_ALIGN,
    nla_put,
    nla_put_in_addr,
    nla_put_string,
    nla_put_u8,
    nla_put_u32,
    nlmsg_cancel,
    nlmsg_end,
    nlmsg_new,
    nlmsg_put,
)
from kshell.linux.include.net.nlattr import nla_total_size
from kshell.linux.net.core.rtnetlink_send import rtnl_notify

if TYPE_CHECKING:
    from kshell.linux.include.linux.inetdevice import in_ifaddr
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.netlink import nlmsghdr

IFADDRMSG: Final = struct.Struct("<BBBBi")  # family, prefix length, flags, scope, index
IFA_CACHEINFO_STRUCT: Final = struct.Struct("<IIII")  # preferred, valid (seconds), created, updated (1/100 s)


class inet_fill_args:
    """What a message about an address says of itself, and the one device a dump is restricted to (0: all)."""

    __slots__ = ("event", "flags", "ifindex", "portid", "seq")

    def __init__(self, portid: int, seq: int, event: int, flags: int = 0) -> None:
        self.portid = portid
        self.seq = seq
        self.event = event
        self.flags = flags
        self.ifindex = 0


def inet_nlmsg_size() -> int:
    """The most that an address's description takes, in bytes."""
    return (
        NLMSG_ALIGN(IFADDRMSG.size) + 5 * nla_total_size(4) + nla_total_size(16) + nla_total_size(1)
        + nla_total_size(IFA_CACHEINFO_STRUCT.size)
    )  # fmt: skip


def cstamp_delta(stamp: int) -> int:
    """Ticks of the machine's clock as hundredths of a second since it booted."""
    return (stamp - INITIAL_JIFFIES) * USER_HZ // HZ & 0xFFFFFFFF


def put_cacheinfo(skb: sk_buff, cstamp: int, tstamp: int, preferred: int, valid: int) -> None:
    """Append when the address came and how long it stays."""
    stamps = (cstamp_delta(cstamp), cstamp_delta(tstamp))
    nla_put(skb, IFA_CACHEINFO, IFA_CACHEINFO_STRUCT.pack(preferred, valid, *stamps))


def _lifetimes(ifa: in_ifaddr, jiffies: int) -> tuple[int, int]:
    """For how many seconds more an address is preferred and valid."""
    if ifa.ifa_flags & IFA_F_PERMANENT:
        return INFINITY_LIFE_TIME, INFINITY_LIFE_TIME
    preferred, valid = ifa.ifa_preferred_lft, ifa.ifa_valid_lft
    if preferred != INFINITY_LIFE_TIME:
        age = (jiffies - ifa.ifa_tstamp) // HZ
        preferred = max(0, preferred - age)
        if valid != INFINITY_LIFE_TIME:
            valid = max(0, valid - age)
    return preferred, valid


def inet_fill_ifaddr(skb: sk_buff, ifa: in_ifaddr, args: inet_fill_args) -> int:
    """Append a message that describes an address; where it begins. EMSGSIZE: no room."""
    assert ifa.ifa_dev is not None
    assert ifa.ifa_dev.dev is not None
    dev = ifa.ifa_dev.dev
    header = IFADDRMSG.pack(AF_INET, ifa.ifa_prefixlen, ifa.ifa_flags & 0xFF, ifa.ifa_scope, dev.ifindex)
    nlh = nlmsg_put(skb, args.portid, args.seq, args.event, header, args.flags)
    try:
        for attrtype, addr in (
            (IFA_ADDRESS, ifa.ifa_address),
            (IFA_LOCAL, ifa.ifa_local),
            (IFA_BROADCAST, ifa.ifa_broadcast),
        ):
            if addr:
                nla_put_in_addr(skb, attrtype, addr)
        if ifa.ifa_label:
            nla_put_string(skb, IFA_LABEL, ifa.ifa_label)
        if ifa.ifa_proto:
            nla_put_u8(skb, IFA_PROTO, ifa.ifa_proto)
        nla_put_u32(skb, IFA_FLAGS, ifa.ifa_flags)
        if ifa.ifa_rt_priority:
            nla_put_u32(skb, IFA_RT_PRIORITY, ifa.ifa_rt_priority)
        put_cacheinfo(skb, ifa.ifa_cstamp, ifa.ifa_tstamp, *_lifetimes(ifa, dev.nd_net.kernel.jiffies))
    except KernelError:
        nlmsg_cancel(skb, nlh)
        raise
    nlmsg_end(skb, nlh)
    return nlh


def rtmsg_ifa(event: int, ifa: in_ifaddr, nlh: nlmsghdr | None, portid: int) -> None:
    """Tell route sockets that an address came (RTM_NEWADDR) or went. nlh: the request that did it."""
    assert ifa.ifa_dev is not None
    assert ifa.ifa_dev.dev is not None
    net = ifa.ifa_dev.dev.nd_net
    skb = nlmsg_new(net.kernel, inet_nlmsg_size())
    inet_fill_ifaddr(skb, ifa, inet_fill_args(portid, nlh.nlmsg_seq if nlh is not None else 0, event))
    rtnl_notify(skb, net, portid, RTNLGRP_IPV4_IFADDR, nlh)
