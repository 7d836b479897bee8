"""Attributes of netlink messages and the policies they are held to (include/net/netlink.h)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

from kshell.abi.netlink import NLA_F_NESTED, NLA_HDRLEN, NLA_TYPE_MASK

if TYPE_CHECKING:
    from kshell.linux.include.linux.netlink import netlink_ext_ack


# nla_policy.type
NLA_UNSPEC: Final = 0
NLA_U8: Final = 1
NLA_U16: Final = 2
NLA_U32: Final = 3
NLA_U64: Final = 4
NLA_STRING: Final = 5
NLA_FLAG: Final = 6
NLA_MSECS: Final = 7
NLA_NESTED: Final = 8
NLA_NESTED_ARRAY: Final = 9
NLA_NUL_STRING: Final = 10
NLA_BINARY: Final = 11
NLA_S8: Final = 12
NLA_S16: Final = 13
NLA_S32: Final = 14
NLA_S64: Final = 15
NLA_BITFIELD32: Final = 16
NLA_REJECT: Final = 17
NLA_BE16: Final = 18
NLA_BE32: Final = 19

# how strictly a message is read
NL_VALIDATE_LIBERAL: Final = 0
NL_VALIDATE_TRAILING: Final = 1
NL_VALIDATE_MAXTYPE: Final = 2
NL_VALIDATE_UNSPEC: Final = 4
NL_VALIDATE_STRICT_ATTRS: Final = 8
NL_VALIDATE_NESTED: Final = 16
NL_VALIDATE_DEPRECATED_STRICT: Final = NL_VALIDATE_TRAILING | NL_VALIDATE_MAXTYPE
NL_VALIDATE_STRICT: Final = (
    NL_VALIDATE_TRAILING | NL_VALIDATE_MAXTYPE | NL_VALIDATE_UNSPEC | NL_VALIDATE_STRICT_ATTRS | NL_VALIDATE_NESTED
)


class nlattr(bytes):
    """The payload of an attribute, which knows its type and where its header stands in the message (_offset)."""

    nla_type: int
    _offset: int

    @property
    def _nested(self) -> bool:
        return bool(self.nla_type & NLA_F_NESTED)


#: attributes by type, the last one of each: what C code has in `struct nlattr *tb[]`
nlattrs = dict[int, nlattr]


class nla_policy:
    """What an attribute must look like: type, longest (or shortest) length, range of an integer."""

    __slots__ = ("len", "max", "min", "nested_policy", "strict_start_type", "type", "validate")

    def __init__(
        self,
        type: int = NLA_UNSPEC,
        *,
        len: int = 0,
        min: int | None = None,
        max: int | None = None,
        nested_policy: nla_policies | None = None,
        strict_start_type: int = 0,
        validate: Callable[[nlattr, netlink_ext_ack | None], None] | None = None,
    ) -> None:
        self.type = type
        self.len = len
        self.min = min
        self.max = max
        self.nested_policy = nested_policy
        self.strict_start_type = strict_start_type
        self.validate = validate


#: policies by type of attribute; entry 0 may hold strict_start_type
nla_policies = Mapping[int, nla_policy]


def nla_for_each_attr(data: bytes, offset: int = 0) -> Iterator[nlattr]:
    """The attributes in data, which begins `offset` bytes into its message; ends at the first damaged one."""
    at = 0
    while at + NLA_HDRLEN <= len(data):
        length = int.from_bytes(data[at : at + 2], "little")
        if length < NLA_HDRLEN or at + length > len(data):
            return
        attr = nlattr(data[at + NLA_HDRLEN : at + length])
        attr.nla_type = int.from_bytes(data[at + 2 : at + 4], "little")
        attr._offset = offset + at
        yield attr
        at += (length + 3) & ~3


def nla_for_each_nested(nest: nlattr) -> Iterator[nlattr]:
    """The attributes in an attribute."""
    return nla_for_each_attr(nest, nest._offset + NLA_HDRLEN)


def nla_type(attr: nlattr) -> int:
    """An attribute's type without flags."""
    return attr.nla_type & NLA_TYPE_MASK


def nla_total_size(payload: int) -> int:
    """Room that an attribute takes with header and padding."""
    return (NLA_HDRLEN + payload + 3) & ~3


def NL_SET_ERR_MSG(extack: netlink_ext_ack | None, msg: str) -> None:
    """Say what was wrong."""
    if extack is not None:
        extack._msg = msg


def NL_SET_BAD_ATTR(extack: netlink_ext_ack | None, attr: nlattr | None) -> None:
    """Say where it was wrong."""
    if extack is not None and attr is not None:
        extack._offset = attr._offset


def NL_SET_ERR_MSG_ATTR(extack: netlink_ext_ack | None, attr: nlattr | None, msg: str) -> None:
    """Say what was wrong, and where."""
    NL_SET_ERR_MSG(extack, msg)
    NL_SET_BAD_ATTR(extack, attr)
