"""Generic netlink: families by name, and the controller that finds them (net/netlink/genetlink.c)."""

from __future__ import annotations

import struct
from collections.abc import Callable
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from kshell.abi.capability import CAP_NET_ADMIN
from kshell.abi.errno import EINVAL, ENOENT, EOPNOTSUPP, EPERM
from kshell.abi.netlink import (
    CTRL_ATTR_FAMILY_ID,
    CTRL_ATTR_FAMILY_NAME,
    CTRL_ATTR_HDRSIZE,
    CTRL_ATTR_MAX,
    CTRL_ATTR_MAXATTR,
    CTRL_ATTR_OP_FLAGS,
    CTRL_ATTR_OP_ID,
    CTRL_ATTR_OPS,
    CTRL_ATTR_VERSION,
    CTRL_CMD_GETFAMILY,
    CTRL_CMD_NEWFAMILY,
    GENL_ADMIN_PERM,
    GENL_HDRLEN,
    GENL_ID_CTRL,
    GENL_NAMSIZ,
    NETLINK_GENERIC,
    NLM_F_DUMP,
    NLM_F_MULTI,
)  # fmt: skip
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.netlink import (
    NETLINK_CB,
    NL_CFG_F_NONROOT_RECV,
    netlink_callback,
    netlink_dump_control,
    netlink_ext_ack,
    netlink_kernel_cfg,
)
from kshell.linux.include.net.net_namespace import pernet_operations
from kshell.linux.include.net.netlink import (
    nla_nest_end,
    nla_nest_start_noflag,
    nla_put_string,
    nla_put_u16,
    nla_put_u32,
    nlmsg_end,
    nlmsg_len,
    nlmsg_new,
    nlmsg_parse_deprecated,
    nlmsg_put,
    nlmsghdr,
)
from kshell.linux.include.net.nlattr import NLA_NUL_STRING, NLA_U16, nla_policy
from kshell.linux.kernel.capability import capable
from kshell.linux.net.core.net_namespace import register_pernet_subsys
from kshell.linux.net.netlink.af_netlink import netlink_kernel_create, netlink_kernel_release, nlk_sk
from kshell.linux.net.netlink.af_netlink_deliver import nlmsg_unicast
from kshell.linux.net.netlink.af_netlink_rcv import netlink_dump_start, netlink_rcv_skb

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.net_namespace import net as net_t
    from kshell.linux.init.kernel import Kernel

CMD_CAPS: Final = 0x0E  # GENL_CMD_CAP_DO | GENL_CMD_CAP_DUMP | GENL_CMD_CAP_HASPOL


class genl_ops:
    """What a family does on one command."""

    __slots__ = ("cmd", "doit", "dumpit", "flags")

    def __init__(
        self,
        cmd: int,
        doit: Callable[[sk_buff, nlmsghdr, netlink_ext_ack], None] | None,
        dumpit: Callable[[sk_buff, netlink_callback], int] | None = None,
        flags: int = 0,
    ) -> None:
        self.cmd = cmd
        self.doit = doit
        self.dumpit = dumpit
        self.flags = flags


class genl_family:
    """A family: its number is its message type."""

    __slots__ = ("hdrsize", "id", "maxattr", "name", "ops", "version")

    def __init__(self, id: int, name: str, version: int, maxattr: int, ops: tuple[genl_ops, ...]) -> None:
        self.id = id
        self.name = name
        self.version = version
        self.maxattr = maxattr
        self.hdrsize = 0
        self.ops = ops


def genl_register_family(kernel: Kernel, family: genl_family) -> None:
    """Make a family known."""
    kernel.genl_fam_idr[family.id] = family


def genl_get_cmd(cmd: int, family: genl_family) -> genl_ops | None:
    """What a family does on a command."""
    return next((op for op in family.ops if op.cmd == cmd), None)


def genl_rcv(skb: sk_buff) -> None:
    """A packet from user space."""
    netlink_rcv_skb(skb, genl_rcv_msg)


def genl_rcv_msg(skb: sk_buff, nlh: nlmsghdr, extack: netlink_ext_ack) -> None:
    """Find the family of a message. ENOENT: there is none."""
    assert skb.sk is not None
    family = skb.sk.sk_net.kernel.genl_fam_idr.get(nlh.nlmsg_type)
    if family is None:
        raise KernelError(ENOENT)
    genl_family_rcv_msg(family, skb, nlh, extack)


def genl_family_rcv_msg(family: genl_family, skb: sk_buff, nlh: nlmsghdr, extack: netlink_ext_ack) -> None:
    """Answer one command. EINVAL, EOPNOTSUPP, EPERM."""
    assert skb.sk is not None
    if nlmsg_len(nlh) < GENL_HDRLEN + family.hdrsize:
        raise KernelError(EINVAL)
    op = genl_get_cmd(nlh._payload[0], family)
    if op is None:
        raise KernelError(EOPNOTSUPP)
    if op.flags & GENL_ADMIN_PERM and not capable(skb.sk.sk_net.kernel.current, CAP_NET_ADMIN):
        raise KernelError(EPERM)
    if nlh.nlmsg_flags & NLM_F_DUMP == NLM_F_DUMP:
        if op.dumpit is None:
            raise KernelError(EOPNOTSUPP)
        genl_sock = skb.sk.sk_net.genl_sock
        assert genl_sock is not None
        netlink_dump_start(genl_sock, skb, nlh, netlink_dump_control(op.dumpit))
        return
    if op.doit is None:
        raise KernelError(EOPNOTSUPP)
    op.doit(skb, nlh, extack)


def ctrl_fill_info(family: genl_family, portid: int, seq: int, flags: int, skb: sk_buff, cmd: int) -> None:
    """Describe a family. EMSGSIZE: no room."""
    start = nlmsg_put(skb, portid, seq, GENL_ID_CTRL, struct.pack("<BBH", cmd, 2, 0), flags)
    nla_put_string(skb, CTRL_ATTR_FAMILY_NAME, family.name)
    nla_put_u16(skb, CTRL_ATTR_FAMILY_ID, family.id)
    nla_put_u32(skb, CTRL_ATTR_VERSION, family.version)
    nla_put_u32(skb, CTRL_ATTR_HDRSIZE, family.hdrsize)
    nla_put_u32(skb, CTRL_ATTR_MAXATTR, family.maxattr)
    if family.ops:
        ops = nla_nest_start_noflag(skb, CTRL_ATTR_OPS)
        for number, op in enumerate(family.ops, 1):
            nest = nla_nest_start_noflag(skb, number)
            nla_put_u32(skb, CTRL_ATTR_OP_ID, op.cmd)
            nla_put_u32(skb, CTRL_ATTR_OP_FLAGS, op.flags | CMD_CAPS)
            nla_nest_end(skb, nest)
        nla_nest_end(skb, ops)
    nlmsg_end(skb, start)


def ctrl_dumpfamily(skb: sk_buff, cb: netlink_callback) -> int:
    """All families, as many as fit; how many bytes."""
    assert cb.skb.sk is not None
    families = list(cb.skb.sk.sk_net.kernel.genl_fam_idr.values())
    for family in families[cb.args[0] :]:
        before = len(skb.data)
        try:
            ctrl_fill_info(
                family, NETLINK_CB(cb.skb).portid, cb.nlh.nlmsg_seq, NLM_F_MULTI, skb, CTRL_CMD_NEWFAMILY
            )
        except KernelError:
            skb.data = skb.data[:before]
            skb.len = before
            break
        cb.args[0] += 1
    return skb.len


ctrl_policy_family: Final = MappingProxyType(
    {
        CTRL_ATTR_FAMILY_ID: nla_policy(NLA_U16),
        CTRL_ATTR_FAMILY_NAME: nla_policy(NLA_NUL_STRING, len=GENL_NAMSIZ - 1),
    }
)


def ctrl_getfamily(skb: sk_buff, nlh: nlmsghdr, extack: netlink_ext_ack) -> None:
    """One family by id or name. EINVAL: neither given; ENOENT."""
    assert skb.sk is not None
    kernel = skb.sk.sk_net.kernel
    attrs = nlmsg_parse_deprecated(nlh, GENL_HDRLEN, CTRL_ATTR_MAX, ctrl_policy_family, extack)
    if CTRL_ATTR_FAMILY_ID in attrs:
        family = kernel.genl_fam_idr.get(int.from_bytes(attrs[CTRL_ATTR_FAMILY_ID][:2], "little"))
    elif CTRL_ATTR_FAMILY_NAME in attrs:
        name = attrs[CTRL_ATTR_FAMILY_NAME].partition(b"\0")[0].decode("latin-1")
        family = next((f for f in kernel.genl_fam_idr.values() if f.name == name), None)
    else:
        raise KernelError(EINVAL)
    if family is None:
        raise KernelError(ENOENT)
    reply = nlmsg_new(kernel, 1024)
    portid = NETLINK_CB(skb).portid
    ctrl_fill_info(family, portid, nlh.nlmsg_seq, 0, reply, CTRL_CMD_NEWFAMILY)
    nlmsg_unicast(skb.sk, reply, portid)


def genl_pernet_init(net: net_t) -> None:
    """NETLINK_GENERIC of a namespace."""
    net.genl_sock = netlink_kernel_create(
        net, NETLINK_GENERIC, netlink_kernel_cfg(flags=NL_CFG_F_NONROOT_RECV, input=genl_rcv)
    )


def genl_pernet_exit(net: net_t) -> None:
    """The namespace goes."""
    assert net.genl_sock is not None
    netlink_kernel_release(nlk_sk(net.genl_sock))
    net.genl_sock = None


def genl_init(kernel: Kernel) -> None:
    """core_initcall: the controller and the protocol."""
    genl_register_family(kernel, genl_ctrl)
    register_pernet_subsys(kernel, genl_pernet_ops)


genl_ctrl = genl_family(
    GENL_ID_CTRL, "nlctrl", version=2, maxattr=10, ops=(genl_ops(CTRL_CMD_GETFAMILY, ctrl_getfamily, ctrl_dumpfamily),)
)
genl_pernet_ops = pernet_operations(init=genl_pernet_init, exit=genl_pernet_exit)
