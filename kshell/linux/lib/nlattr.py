"""lib/nlattr.c: holding the attributes of a netlink message to a policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kshell.abi.errno import EINVAL, ERANGE
from kshell.abi.netlink import NLA_HDRLEN
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.net.nlattr import (
    NL_SET_ERR_MSG,
    NL_SET_ERR_MSG_ATTR,
    NL_VALIDATE_MAXTYPE,
    NL_VALIDATE_NESTED,
    NL_VALIDATE_STRICT,
    NL_VALIDATE_STRICT_ATTRS,
    NL_VALIDATE_TRAILING,
    NL_VALIDATE_UNSPEC,
    NLA_BE16,
    NLA_BE32,
    NLA_BINARY,
    NLA_BITFIELD32,
    NLA_FLAG,
    NLA_MSECS,
    NLA_NESTED,
    NLA_NESTED_ARRAY,
    NLA_NUL_STRING,
    NLA_REJECT,
    NLA_S8,
    NLA_S16,
    NLA_S32,
    NLA_S64,
    NLA_STRING,
    NLA_U8,
    NLA_U16,
    NLA_U32,
    NLA_U64,
    NLA_UNSPEC,
    nla_for_each_attr,
    nla_policies,
    nla_policy,
    nla_type,
    nlattr,
    nlattrs,
)
from kshell.linux.kernel.printk import pr_warn

if TYPE_CHECKING:
    from kshell.linux.include.linux.netlink import netlink_ext_ack

NLA_ATTR_LEN: Final = {
    NLA_U8: 1, NLA_U16: 2, NLA_U32: 4, NLA_U64: 8, NLA_S8: 1, NLA_S16: 2, NLA_S32: 4, NLA_S64: 8, NLA_BE16: 2,
    NLA_BE32: 4,
}  # fmt: skip
NLA_ATTR_MINLEN: Final = {**NLA_ATTR_LEN, NLA_MSECS: 8, NLA_NESTED: NLA_HDRLEN}
_SIGNED: Final = (NLA_S8, NLA_S16, NLA_S32, NLA_S64)
_BIG_ENDIAN: Final = (NLA_BE16, NLA_BE32)
MAX_POLICY_RECURSION_DEPTH: Final = 10


def _refuse(extack: netlink_ext_ack | None, nla: nlattr, pt: nla_policy, msg: str, errno: int = EINVAL) -> KernelError:
    """NL_SET_ERR_MSG_ATTR_POL(): what, where, and the policy it breaks."""
    NL_SET_ERR_MSG_ATTR(extack, nla, msg)
    if extack is not None:
        extack.policy = pt
    return KernelError(errno)


def _warn(extack: netlink_ext_ack | None, text: str) -> None:
    """Complain in the kernel's log about the process whose message it is."""
    if extack is not None and extack._current is not None:
        pr_warn(extack._current.kernel, "netlink: " + text.format(extack._current.comm))


def _check_lengths(
    nla: nlattr, pt: nla_policy, validate: int, extack: netlink_ext_ack | None
) -> None:
    wanted = NLA_ATTR_LEN.get(pt.type)
    if wanted is not None and len(nla) != wanted:
        _warn(extack, f"'{{}}': attribute type {nla_type(nla)} has an invalid length.")
        if validate & NL_VALIDATE_STRICT_ATTRS:
            raise _refuse(extack, nla, pt, "invalid attribute length")
    if not validate & NL_VALIDATE_NESTED:
        return
    nests = pt.type in (NLA_NESTED, NLA_NESTED_ARRAY)
    if nests and not nla._nested:
        raise _refuse(extack, nla, pt, "NLA_F_NESTED is missing")
    if not nests and pt.type != NLA_UNSPEC and nla._nested:
        raise _refuse(extack, nla, pt, "NLA_F_NESTED not expected")


def _string_ok(nla: nlattr, pt: nla_policy) -> bool:
    length = len(nla) - (nla[-1:] == b"\0")
    return bool(nla) and not (pt.len and length > pt.len)


def _check_type(nla: nlattr, pt: nla_policy) -> int:
    """0 or the errno by which an attribute fails its policy."""
    kind, size = pt.type, len(nla)
    if kind == NLA_REJECT:
        return EINVAL
    if kind == NLA_NUL_STRING and b"\0" not in nla[: min(size, pt.len + 1) if pt.len else size]:
        return EINVAL
    if kind in (NLA_STRING, NLA_NUL_STRING):
        return 0 if _string_ok(nla, pt) else ERANGE
    if kind == NLA_FLAG:
        return ERANGE if size else 0
    if kind == NLA_BITFIELD32:
        return 0 if size == 8 else ERANGE
    if kind == NLA_BINARY:
        return ERANGE if pt.len and size > pt.len else 0
    if kind in (NLA_NESTED, NLA_NESTED_ARRAY):
        return ERANGE if 0 < size < NLA_HDRLEN else 0
    return ERANGE if size < (pt.len or NLA_ATTR_MINLEN.get(kind, 0)) else 0


def nla_validate_int_range(pt: nla_policy, nla: nlattr, extack: netlink_ext_ack | None) -> None:
    """Hold an integer (or the length of a binary attribute) to its range. ERANGE."""
    if pt.min is None and pt.max is None:
        return
    value = len(nla)
    if pt.type in _BIG_ENDIAN:
        value = int.from_bytes(nla[: NLA_ATTR_LEN[pt.type]], "big")
    elif pt.type != NLA_BINARY:
        value = int.from_bytes(nla[: NLA_ATTR_LEN[pt.type]], "little", signed=pt.type in _SIGNED)
    if (pt.min is not None and value < pt.min) or (pt.max is not None and value > pt.max):
        what = "binary attribute size out of range" if pt.type == NLA_BINARY else "integer out of range"
        raise _refuse(extack, nla, pt, what, ERANGE)


def validate_nla(
    nla: nlattr,
    maxtype: int,
    policy: nla_policies,
    validate: int,
    extack: netlink_ext_ack | None,
    depth: int,
) -> None:
    """Hold one attribute to the policy of its type. EINVAL, ERANGE."""
    kind = nla_type(nla)
    first = policy.get(0)
    if first is not None and first.strict_start_type and kind >= first.strict_start_type:
        validate |= NL_VALIDATE_STRICT
    if not 0 < kind <= maxtype:
        return
    pt = policy.get(kind) or nla_policy()
    _check_lengths(nla, pt, validate, extack)
    if pt.type == NLA_UNSPEC and validate & NL_VALIDATE_UNSPEC:
        NL_SET_ERR_MSG_ATTR(extack, nla, "Unsupported attribute")
        raise KernelError(EINVAL)
    errno = _check_type(nla, pt)
    if errno:
        raise _refuse(extack, nla, pt, "Attribute failed policy validation", errno)
    if pt.nested_policy is not None and nla:
        __nla_validate_parse(
            nla, nla._offset + NLA_HDRLEN, max(pt.nested_policy), pt.nested_policy, validate, extack, depth + 1
        )
    nla_validate_int_range(pt, nla, extack)
    if pt.validate is not None:
        pt.validate(nla, extack)


def __nla_validate_parse(
    data: bytes,
    offset: int,
    maxtype: int,
    policy: nla_policies | None,
    validate: int,
    extack: netlink_ext_ack | None,
    depth: int = 0,
) -> nlattrs:
    """The attributes in data by type, each held to its policy. EINVAL, ERANGE."""
    if depth >= MAX_POLICY_RECURSION_DEPTH:
        NL_SET_ERR_MSG(extack, "allowed policy recursion depth exceeded")
        raise KernelError(EINVAL)
    tb: nlattrs = {}
    end = 0
    for nla in nla_for_each_attr(data, offset):
        end = nla._offset - offset + ((NLA_HDRLEN + len(nla) + 3) & ~3)
        kind = nla_type(nla)
        if not 0 < kind <= maxtype:
            if validate & NL_VALIDATE_MAXTYPE:
                NL_SET_ERR_MSG_ATTR(extack, nla, "Unknown attribute type")
                raise KernelError(EINVAL)
            continue
        if policy is not None:
            validate_nla(nla, maxtype, policy, validate, extack, depth)
        tb[kind] = nla
    if end < len(data):
        _warn(extack, f"{len(data) - end} bytes leftover after parsing attributes in process `{{}}'.")
        NL_SET_ERR_MSG(extack, "bytes leftover after parsing attributes")
        if validate & NL_VALIDATE_TRAILING:
            raise KernelError(EINVAL)
    return tb


def nla_parse_nested_deprecated(
    nest: nlattr, maxtype: int, policy: nla_policies | None, extack: netlink_ext_ack | None
) -> nlattrs:
    """The attributes in an attribute, read as old programs write them. EINVAL, ERANGE."""
    return __nla_validate_parse(nest, nest._offset + NLA_HDRLEN, maxtype, policy, 0, extack)


def nla_strscpy(nla: bytes, dstsize: int) -> str:
    """A string attribute up to its NUL, as much of it as a buffer of dstsize bytes holds with one."""
    return nla.partition(b"\0")[0][: dstsize - 1].decode("latin-1")


def nla_strcmp(nla: bytes, text: str) -> int:
    """Which of a string attribute and a string comes first: negative, 0 for equal ones, positive."""
    own, other = nla.partition(b"\0")[0], text.encode("latin-1")
    return (own > other) - (own < other)
