"""net/netlink/policy.c: telling user space the policy that an attribute breaks (NLMSGERR_ATTR_POLICY)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from kshell.abi import netlink as n
from kshell.linux.include.net.netlink import (
    nla_nest_cancel,
    nla_nest_end,
    nla_nest_start,
    nla_put,
    nla_put_u32,
    nla_put_u64_64bit,
)
from kshell.linux.include.net.nlattr import (
    NLA_BINARY,
    NLA_BITFIELD32,
    NLA_FLAG,
    NLA_MSECS,
    NLA_NESTED,
    NLA_NESTED_ARRAY,
    NLA_NUL_STRING,
    NLA_S8,
    NLA_S16,
    NLA_S32,
    NLA_S64,
    NLA_STRING,
    NLA_U8,
    NLA_U16,
    NLA_U32,
    NLA_U64,
    nla_policy,
    nla_total_size,
)

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff

_UNSIGNED: Final = {
    NLA_U8: (n.NL_ATTR_TYPE_U8, 8), NLA_U16: (n.NL_ATTR_TYPE_U16, 16), NLA_U32: (n.NL_ATTR_TYPE_U32, 32),
    NLA_U64: (n.NL_ATTR_TYPE_U64, 64), NLA_MSECS: (n.NL_ATTR_TYPE_U64, 64),
}  # fmt: skip
_SIGNED: Final = {
    NLA_S8: (n.NL_ATTR_TYPE_S8, 8), NLA_S16: (n.NL_ATTR_TYPE_S16, 16), NLA_S32: (n.NL_ATTR_TYPE_S32, 32),
    NLA_S64: (n.NL_ATTR_TYPE_S64, 64),
}  # fmt: skip
_STRINGS: Final = {
    NLA_STRING: n.NL_ATTR_TYPE_STRING, NLA_NUL_STRING: n.NL_ATTR_TYPE_NUL_STRING, NLA_BINARY: n.NL_ATTR_TYPE_BINARY,
}  # fmt: skip
_OTHERS: Final = {
    NLA_NESTED: n.NL_ATTR_TYPE_NESTED, NLA_NESTED_ARRAY: n.NL_ATTR_TYPE_NESTED_ARRAY, NLA_FLAG: n.NL_ATTR_TYPE_FLAG,
    NLA_BITFIELD32: n.NL_ATTR_TYPE_BITFIELD32,
}  # fmt: skip


def netlink_policy_dump_attr_size_estimate(pt: nla_policy) -> int:
    """Room that the description of a policy takes at most."""
    return nla_total_size(0) + 3 * nla_total_size(8)


def netlink_policy_dump_write_attr(skb: sk_buff, pt: nla_policy, nestattr: int) -> None:
    """Append the description of a policy; nothing for those that only reject."""
    attr = nla_nest_start(skb, nestattr)
    if pt.type in _UNSIGNED:
        kind, bits = _UNSIGNED[pt.type]
        nla_put_u64_64bit(skb, n.NL_POLICY_TYPE_ATTR_MIN_VALUE_U, pt.min or 0, n.NL_POLICY_TYPE_ATTR_PAD)
        most = (1 << bits) - 1 if pt.max is None else pt.max
        nla_put_u64_64bit(skb, n.NL_POLICY_TYPE_ATTR_MAX_VALUE_U, most, n.NL_POLICY_TYPE_ATTR_PAD)
    elif pt.type in _SIGNED:
        kind, bits = _SIGNED[pt.type]
        least, most = -(1 << bits - 1), (1 << bits - 1) - 1
        for value, bound, attrtype in (
            (pt.min, least, n.NL_POLICY_TYPE_ATTR_MIN_VALUE_S),
            (pt.max, most, n.NL_POLICY_TYPE_ATTR_MAX_VALUE_S),
        ):
            nla_put(skb, attrtype, struct.pack("<q", bound if value is None else value))
    elif pt.type in _STRINGS:
        kind = _STRINGS[pt.type]
        if pt.len:
            nla_put_u32(skb, n.NL_POLICY_TYPE_ATTR_MAX_LENGTH, pt.len)
    elif pt.type in _OTHERS:
        kind = _OTHERS[pt.type]
    else:
        nla_nest_cancel(skb, attr)
        return
    nla_put_u32(skb, n.NL_POLICY_TYPE_ATTR_TYPE, kind)
    nla_nest_end(skb, attr)
