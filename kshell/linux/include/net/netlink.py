"""Building and taking apart netlink messages (include/net/netlink.h): real bytes, little endian.

A message is a 16-byte nlmsghdr (length, type, flags, sequence, port), a family header, then attributes:
a 4-byte nlattr (length with itself, type) and its payload, padded to 4 bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from kshell.abi.errno import EINVAL, EMSGSIZE
from kshell.abi.netlink import NLA_F_NESTED, NLM_F_DUMP_INTR, NLM_F_ECHO, NLMSG_HDRLEN
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.skbuff import skb_tailroom
from kshell.linux.include.net.nlattr import (
    NL_SET_ERR_MSG,
    NL_VALIDATE_DEPRECATED_STRICT,
    NL_VALIDATE_LIBERAL,
    nla_for_each_attr,
    nla_policies,
    nlattr,
    nlattrs,
)
from kshell.linux.lib.nlattr import __nla_validate_parse
from kshell.linux.net.core.skbuff import __alloc_skb, skb_put, skb_trim

if TYPE_CHECKING:
    from kshell.linux.include.linux.netlink import netlink_callback, netlink_ext_ack
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.init.kernel import Kernel

NLMSGHDR: Final = struct.Struct("<IHHII")
NLATTR: Final = struct.Struct("<HH")


class nlmsghdr:
    """The header of a message taken apart; _payload: what follows it, _raw: all its bytes."""

    __slots__ = ("_payload", "_raw", "nlmsg_flags", "nlmsg_len", "nlmsg_pid", "nlmsg_seq", "nlmsg_type")
    nlmsg_len: int
    nlmsg_type: int
    nlmsg_flags: int
    nlmsg_seq: int
    nlmsg_pid: int

    def __init__(self, raw: bytes) -> None:
        self.nlmsg_len, self.nlmsg_type, self.nlmsg_flags, self.nlmsg_seq, self.nlmsg_pid = NLMSGHDR.unpack_from(raw)
        self._raw = raw[: self.nlmsg_len]
        self._payload = raw[NLMSG_HDRLEN : self.nlmsg_len]


def NLMSG_ALIGN(length: int) -> int:
    """Up to a multiple of 4."""
    return (length + 3) & ~3


def nlmsg_len(nlh: nlmsghdr) -> int:
    """Bytes of payload."""
    return nlh.nlmsg_len - NLMSG_HDRLEN


def nlmsg_new(kernel: Kernel, payload: int) -> sk_buff:
    """An empty message with room for payload bytes."""
    return __alloc_skb(kernel, NLMSG_HDRLEN + NLMSG_ALIGN(payload))


def __nlmsg_put(skb: sk_buff, portid: int, seq: int, type: int, length: int, flags: int) -> int:
    """Append a header and length zero bytes of payload; where the header begins in skb.data."""
    start = len(skb.data)
    total = NLMSG_HDRLEN + length
    header = NLMSGHDR.pack(total, type, flags, seq, portid)
    skb_put(skb, header + bytes(NLMSG_ALIGN(total) - NLMSG_HDRLEN))
    return start


def nlmsg_put(skb: sk_buff, portid: int, seq: int, type: int, payload: bytes, flags: int) -> int:
    """Append a header and its family header; where it begins in skb.data. EMSGSIZE: no room."""
    if skb_tailroom(skb) < NLMSG_HDRLEN + NLMSG_ALIGN(len(payload)):
        raise KernelError(EMSGSIZE)
    start = __nlmsg_put(skb, portid, seq, type, len(payload), flags)
    end = start + NLMSG_HDRLEN + len(payload)
    skb.data = skb.data[: start + NLMSG_HDRLEN] + payload + skb.data[end:]
    return start


def nlmsg_end(skb: sk_buff, start: int) -> None:
    """Write the length of the message that begins at start."""
    skb.data = skb.data[:start] + struct.pack("<I", len(skb.data) - start) + skb.data[start + 4 :]


def nlmsg_cancel(skb: sk_buff, start: int) -> None:
    """Take the message that begins at start off again."""
    skb_trim(skb, start)


def nla_put(skb: sk_buff, attrtype: int, data: bytes) -> None:
    """Append an attribute. EMSGSIZE: no room."""
    length = NLATTR.size + len(data)
    if skb_tailroom(skb) < NLMSG_ALIGN(length):
        raise KernelError(EMSGSIZE)
    skb_put(skb, (NLATTR.pack(length, attrtype) + data).ljust(NLMSG_ALIGN(length), b"\0"))


def nla_append(skb: sk_buff, data: bytes) -> None:
    """Append bytes that are no attribute. EMSGSIZE: no room."""
    if skb_tailroom(skb) < NLMSG_ALIGN(len(data)):
        raise KernelError(EMSGSIZE)
    skb_put(skb, data.ljust(NLMSG_ALIGN(len(data)), b"\0"))


def nla_put_u8(skb: sk_buff, attrtype: int, value: int) -> None:
    """Append a byte."""
    nla_put(skb, attrtype, bytes((value & 0xFF,)))


def nla_put_u16(skb: sk_buff, attrtype: int, value: int) -> None:
    """Append 16 bits."""
    nla_put(skb, attrtype, struct.pack("<H", value & 0xFFFF))


def nla_put_u32(skb: sk_buff, attrtype: int, value: int) -> None:
    """Append 32 bits."""
    nla_put(skb, attrtype, struct.pack("<I", value & 0xFFFFFFFF))


def nla_put_s32(skb: sk_buff, attrtype: int, value: int) -> None:
    """Append 32 bits with sign."""
    nla_put(skb, attrtype, struct.pack("<i", value))


def nla_put_64bit(skb: sk_buff, attrtype: int, data: bytes, padattr: int) -> None:
    """Append an attribute of 64-bit values; x86 needs no padding in front."""
    nla_put(skb, attrtype, data)


def nla_put_u64_64bit(skb: sk_buff, attrtype: int, value: int, padattr: int) -> None:
    """Append 64 bits."""
    nla_put_64bit(skb, attrtype, struct.pack("<Q", value & 0xFFFFFFFFFFFFFFFF), padattr)


def nla_put_in_addr(skb: sk_buff, attrtype: int, addr: int) -> None:
    """Append an IPv4 address (host order inside the kernel, network order in the message)."""
    nla_put(skb, attrtype, addr.to_bytes(4, "big"))


def nla_put_string(skb: sk_buff, attrtype: int, text: str) -> None:
    """Append a C string with its NUL."""
    nla_put(skb, attrtype, text.encode("latin-1") + b"\0")


def nla_nest_start_noflag(skb: sk_buff, attrtype: int) -> int:
    """Open an attribute that holds attributes; where it begins, for nla_nest_end()."""
    start = len(skb.data)
    nla_put(skb, attrtype, b"")
    return start


def nla_nest_cancel(skb: sk_buff, start: int) -> None:
    """Take the attribute that begins at start off again, with what is in it."""
    skb_trim(skb, start)


def nla_nest_start(skb: sk_buff, attrtype: int) -> int:
    """As nla_nest_start_noflag, marked NLA_F_NESTED."""
    return nla_nest_start_noflag(skb, attrtype | NLA_F_NESTED)


def nla_nest_end(skb: sk_buff, start: int) -> None:
    """Close the attribute that begins at start."""
    skb.data = skb.data[:start] + struct.pack("<H", len(skb.data) - start) + skb.data[start + 2 :]


def _nlmsg_parse(
    nlh: nlmsghdr,
    hdrlen: int,
    maxtype: int,
    policy: nla_policies | None,
    validate: int,
    extack: netlink_ext_ack | None,
) -> nlattrs:
    """__nlmsg_parse(): the attributes behind a family header. EINVAL, ERANGE."""
    if nlmsg_len(nlh) < hdrlen:
        NL_SET_ERR_MSG(extack, "Invalid header length")
        raise KernelError(EINVAL)
    start = NLMSG_ALIGN(hdrlen)
    return __nla_validate_parse(nlh._payload[start:], NLMSG_HDRLEN + start, maxtype, policy, validate, extack)


def nlmsg_parse_deprecated(
    nlh: nlmsghdr, hdrlen: int, maxtype: int, policy: nla_policies | None, extack: netlink_ext_ack | None
) -> nlattrs:
    """The attributes behind a family header, as old messages are read: unknown ones are skipped. EINVAL, ERANGE."""
    return _nlmsg_parse(nlh, hdrlen, maxtype, policy, NL_VALIDATE_LIBERAL, extack)


def nlmsg_parse_deprecated_strict(
    nlh: nlmsghdr, hdrlen: int, maxtype: int, policy: nla_policies | None, extack: netlink_ext_ack | None
) -> nlattrs:
    """As nlmsg_parse_deprecated(), but unknown attributes and rests are errors. EINVAL, ERANGE."""
    return _nlmsg_parse(nlh, hdrlen, maxtype, policy, NL_VALIDATE_DEPRECATED_STRICT, extack)


def nlmsg_for_each_attr(nlh: nlmsghdr, hdrlen: int) -> Iterator[nlattr]:
    """The attributes behind a family header one by one."""
    start = NLMSG_ALIGN(hdrlen)
    return nla_for_each_attr(nlh._payload[start:], NLMSG_HDRLEN + start)


def nlmsg_attrlen(nlh: nlmsghdr, hdrlen: int) -> int:
    """Bytes behind a family header."""
    return nlmsg_len(nlh) - NLMSG_ALIGN(hdrlen)


def nlmsg_report(nlh: nlmsghdr | None) -> bool:
    """Whether the sender wants to be told of what its request changed."""
    return nlh is not None and bool(nlh.nlmsg_flags & NLM_F_ECHO)


def nlmsg_total_size(payload: int) -> int:
    """Room that a message takes with header and padding."""
    return NLMSG_ALIGN(NLMSG_HDRLEN + payload)


def nl_dump_check_consistent(cb: netlink_callback, skb: sk_buff, start: int) -> None:
    """Mark the message at start if what is dumped changed since the dump began."""
    if cb.prev_seq and cb.seq != cb.prev_seq:
        flags = int.from_bytes(skb.data[start + 6 : start + 8], "little") | NLM_F_DUMP_INTR
        skb.data = skb.data[: start + 6] + flags.to_bytes(2, "little") + skb.data[start + 8 :]
    cb.prev_seq = cb.seq


def nla_get_u8(data: bytes) -> int:
    """An 8-bit attribute's value."""
    return data[0]


def nla_get_u32(data: bytes) -> int:
    """A 32-bit attribute's value."""
    return int.from_bytes(data[:4], "little")


def nla_get_s32(data: bytes) -> int:
    """A signed 32-bit attribute's value."""
    return int.from_bytes(data[:4], "little", signed=True)


def nla_get_in_addr(data: bytes) -> int:
    """An IPv4 address attribute in host order."""
    return int.from_bytes(data[:4], "big")
