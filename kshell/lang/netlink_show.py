"""Netlink messages in buffers to strace's text; ``messages`` does the way back."""

from collections.abc import Callable, Iterator
from typing import Final

from kshell.abi import errno, names, structs
from kshell.lang import text
from kshell.lang.ipaddr import ipv4_text, ipv6_text

_HEADER: Final = 16
_ALIGN: Final = 4
_TYPES: Final = range(1, 124)
_NESTED: Final = 0x8000

#: what follows the header: part of the message type's name → struct, kind of the attributes' names
_BODIES: Final = {
    "LINK": ("ifinfomsg", "ifla"),
    "ADDR": ("ifaddrmsg", "ifa"),
    "ROUTE": ("rtmsg", "rta"),
    "NEIGH": ("ndmsg", "nda"),
}

_STRINGS: Final = frozenset({"IFLA_IFNAME", "IFLA_QDISC", "IFLA_IFALIAS", "IFA_LABEL", "IFLA_PHYS_PORT_NAME"})
_MACS: Final = frozenset({"IFLA_ADDRESS", "IFLA_BROADCAST", "IFLA_PERM_ADDRESS", "NDA_LLADDR"})
_ADDRESSES: Final = frozenset(
    {"IFA_ADDRESS", "IFA_LOCAL", "IFA_BROADCAST", "RTA_DST", "RTA_SRC", "RTA_GATEWAY", "RTA_PREFSRC", "NDA_DST"}
)
_INTERFACES: Final = frozenset({"RTA_OIF", "RTA_IIF", "IFLA_LINK", "IFLA_MASTER"})
_NESTS: Final = frozenset({"IFLA_XDP"})
_STRUCTS: Final = {
    "IFLA_MAP": "rtnl_link_ifmap",
    "IFLA_STATS": "rtnl_link_stats",
    "IFLA_STATS64": "rtnl_link_stats64",
    "IFA_CACHEINFO": "ifa_cacheinfo",
    "RTA_CACHEINFO": "rta_cacheinfo",
    "NDA_CACHEINFO": "nda_cacheinfo",
}

#: struct and its bytes → text
ShowStruct = Callable[[str, bytes], str]
ShowInterface = Callable[[int], str]


def show(data: bytes, struct: ShowStruct, interface: ShowInterface) -> str | None:
    """The messages that fill a buffer exactly, None if it holds anything else."""
    found = list(_messages(data))
    if not found:
        return None
    shown = [_message(message, struct, interface) for message in found]
    return shown[0] if len(shown) == 1 else f"[{', '.join(shown)}]"


def _messages(data: bytes) -> Iterator[bytes]:
    """The messages one behind the other; nothing at all once one is out of shape."""
    position = 0
    found: list[bytes] = []
    while position < len(data):
        if len(data) - position < _HEADER:
            return
        length = int.from_bytes(data[position : position + 4], "little")
        kind = int.from_bytes(data[position + 4 : position + 6], "little")
        if found and not any(data[position:]):  # a sender's buffer may be longer than its message
            found.append(data[position : position + _HEADER])
            break
        if not _HEADER <= length <= len(data) - position or kind not in _TYPES:
            return
        found.append(data[position : position + length])
        position += -(-length // _ALIGN) * _ALIGN
    yield from found


def _message(data: bytes, struct: ShowStruct, interface: ShowInterface) -> str:
    fields = structs.layout("nlmsghdr").numbers(data)
    kind = fields["nlmsg_type"]
    known = names.enumeration("nlmsg_type").name(kind) or names.enumeration("rtm_type").name(kind)
    name = known or f"{kind:#x} /* NLMSG_??? */" if kind else "0"
    shown = f"nlmsg_len={fields['nlmsg_len']}, nlmsg_type={name}"
    shown += f", nlmsg_flags={names.flags(_flags_of(name)).text(fields['nlmsg_flags'])}"
    header = f"{{{shown}, nlmsg_seq={fields['nlmsg_seq']}, nlmsg_pid={fields['nlmsg_pid']}}}"
    body = _body(name, data[_HEADER:], struct, interface)
    return f"[{header}, {body}]" if body else header


def _flags_of(name: str) -> str:
    if name.startswith("RTM_GET"):
        return "nlm_get"
    if name.startswith(("RTM_NEW", "RTM_SET")):
        return "nlm_new"
    return "nlm_ack" if name == "NLMSG_ERROR" else "nlm"


def _body(name: str, data: bytes, struct: ShowStruct, interface: ShowInterface) -> str:
    if not data:
        return ""
    if name == "NLMSG_DONE" and len(data) >= 4:
        return str(int.from_bytes(data[:4], "little", signed=True))
    if name == "NLMSG_ERROR" and len(data) >= 4:
        return _error(data, struct, interface)
    kind = next((part for part in _BODIES if name.endswith(part)), "")
    if not kind:
        return text.quote(data)
    struct_name, attributes = _BODIES[kind]
    size = structs.sizeof(struct_name)
    if len(data) < size:
        return f"{{rtgen_family={names.enumeration('af').text(data[0])}}}"
    rest = _attributes(data[-(-size // _ALIGN) * _ALIGN :], attributes, data[0], interface, struct)
    return struct(struct_name, data[:size]) + (f", {rest}" if rest else "")


def _error(data: bytes, struct: ShowStruct, interface: ShowInterface) -> str:
    number = int.from_bytes(data[:4], "little", signed=True)
    shown = f"-{errno.errno_name(-number)}" if number < 0 else str(number)
    inner = data[4:]
    message = _message(inner, struct, interface) if len(inner) >= _HEADER else text.quote(inner)
    return f"{{error={shown}, msg={message}}}"


def _attributes(data: bytes, kind: str, family: int, interface: ShowInterface, struct: ShowStruct) -> str:
    """``[[{nla_len=8, nla_type=IFLA_MTU}, 1500], …]``; a single one without the outer brackets."""
    shown, position = [], 0
    while position + 4 <= len(data):
        length = int.from_bytes(data[position : position + 2], "little")
        number = int.from_bytes(data[position + 2 : position + 4], "little")
        if length < 4 or position + length > len(data):
            break
        name = names.enumeration(kind).text(number & ~_NESTED)
        value = _value(name, data[position + 4 : position + length], family, interface, struct)
        flag = "NLA_F_NESTED|" if number & _NESTED else ""
        shown.append(f"[{{nla_len={length}, nla_type={flag}{name}}}" + (f", {value}]" if value else "]"))
        position += -(-length // _ALIGN) * _ALIGN
    return shown[0] if len(shown) == 1 else f"[{', '.join(shown)}]" if shown else ""


def _value(name: str, data: bytes, family: int, interface: ShowInterface, struct: ShowStruct) -> str:
    if not data:
        return ""
    if name in _STRINGS:
        return text.quote(data.rstrip(b"\0"))
    if name in _MACS:
        return text.mac(data)
    if name in _ADDRESSES and len(data) == 4 and family == 2:
        return f'inet_addr("{ipv4_text(int.from_bytes(data, "big"))}")'
    if name in _ADDRESSES and len(data) == 16:
        return f'inet_pton(AF_INET6, "{ipv6_text(data)}")'
    if name in _INTERFACES and len(data) == 4:
        return interface(int.from_bytes(data, "little"))
    if name in _STRUCTS and len(data) >= structs.sizeof(_STRUCTS[name]):
        return struct(_STRUCTS[name], data)
    if name == "IFLA_EXT_MASK" and len(data) == 4:
        return names.flags("rtext").text(int.from_bytes(data, "little"))
    if len(data) in (1, 2, 4, 8) and name not in _NESTS:
        return str(int.from_bytes(data, "little"))
    return text.quote(data)
