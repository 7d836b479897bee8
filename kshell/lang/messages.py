"""Messages within buffers, from strace's notation to bytes: netlink, control messages, interface requests."""

from typing import Final

from kshell.abi import names, structs
from kshell.lang.ast import Apply, Array, Name, Named, Node, Number, String
from kshell.lang.ast import Struct as StructNode
from kshell.lang.encode import Encoder, before
from kshell.lang.numbers import constant_of
from kshell.lang.option_types import CMSG_TYPES

_ALIGN: Final = 4

#: structs that netlink messages and attributes hold, tried in this order for the one that has all named fields
_NETLINK_STRUCTS: Final = (
    "nlmsghdr", "nlmsgerr", "ifinfomsg", "ifaddrmsg", "rtmsg", "ndmsg", "rtgenmsg", "fib_rule_hdr", "tcmsg",
    "genlmsghdr", "inet_diag_req_v2", "inet_diag_msg", "unix_diag_req", "unix_diag_msg", "netlink_diag_req",
    "netlink_diag_msg", "packet_diag_req", "packet_diag_msg", "ifa_cacheinfo", "rta_cacheinfo", "nda_cacheinfo",
    "rtnl_link_stats", "rtnl_link_stats64", "rtnl_link_ifmap", "rtnexthop",
)  # fmt: skip


# ---- netlink ----


def is_message(node: Node) -> bool:
    """Whether a value is a netlink message, or several."""
    if isinstance(node, StructNode) and node.items and isinstance(node.items[0], Named):
        return node.items[0].name == "nlmsg_len"
    if isinstance(node, Array | StructNode) and node.items:
        return is_message(node.items[0])
    return False


def encode(encoder: Encoder, node: Node) -> bytes | None:
    """The bytes of one message or several."""
    if not isinstance(node, Array | StructNode):
        return None
    if _is_header(node):
        return _message(encoder, (node,))
    if _is_header(node.items[0]):
        return _message(encoder, node.items)
    return b"".join(_padded(encode(encoder, item) or b"") for item in node.items)


def _is_header(node: Node) -> bool:
    first = node.items[0] if isinstance(node, StructNode) and node.items else None
    return isinstance(first, Named) and first.name == "nlmsg_len"


def _message(encoder: Encoder, parts: tuple[Node, ...]) -> bytes:
    header = encoder.struct("nlmsghdr", parts[0])
    length = int.from_bytes(header[:4], "little")
    body = b"".join(_padded(_part(encoder, part, max(0, length - 16))) for part in parts[1:])
    return (header + body)[:length].ljust(min(length, 65536), b"\0")


def _part(encoder: Encoder, node: Node, room: int) -> bytes:
    if isinstance(node, StructNode):
        return _any_struct(encoder, node, room)
    if isinstance(node, Array):
        if is_message(node):
            return encode(encoder, node) or b""
        if node.items and _is_attribute(node):
            return _attribute(encoder, node)
        return b"".join(_padded(_attribute(encoder, item)) for item in node.items if isinstance(item, Array))
    return _scalar(encoder, node, room)


def _is_attribute(node: Array) -> bool:
    first = node.items[0]
    fields = first.items if isinstance(first, StructNode) else ()
    return bool(fields) and isinstance(fields[0], Named) and fields[0].name in ("nla_len", "rta_len")


def _attribute(encoder: Encoder, node: Array) -> bytes:
    header = node.items[0]
    fields = {i.name: i.value for i in header.items if isinstance(i, Named)} if isinstance(header, StructNode) else {}
    length = encoder.number(fields.get("nla_len", Number(4)))
    kind = encoder.number(fields.get("nla_type", Number(0)))
    room = max(0, length - 4)
    body = b"".join(_part(encoder, part, room) for part in node.items[1:])[:room].ljust(min(room, 65536), b"\0")
    return (length & 0xFFFF).to_bytes(2, "little") + (kind & 0xFFFF).to_bytes(2, "little") + body


def _any_struct(encoder: Encoder, node: StructNode, room: int) -> bytes:
    """A struct known by the names of its fields, zeros for one that is not; unnamed ones are parts in a row."""
    named = {item.name for item in node.items if isinstance(item, Named)}
    if node.items and not named:
        return b"".join(_part(encoder, item, room) for item in node.items)
    fields = {item.name: item.value for item in node.items if isinstance(item, Named)}
    if "error" in fields and "msg" in fields:
        error = encoder.number(fields["error"]) & 0xFFFFFFFF
        return error.to_bytes(4, "little") + (encode(encoder, fields["msg"]) or b"")
    for name in _NETLINK_STRUCTS:
        layout = structs.layout(name)
        if named <= {f.name for f in layout.fields}:
            return encoder.struct(name, node)
    return bytes(min(room, 65536))


def _scalar(encoder: Encoder, node: Node, room: int) -> bytes:
    if isinstance(node, String):
        return node.data[:room].ljust(min(room, 65536), b"\0")
    if isinstance(node, Apply) and node.function in ("inet_addr", "htonl", "htons"):
        return encoder.host_number(node).to_bytes(2 if node.function == "htons" else 4, "big")
    if isinstance(node, Apply) and node.function == "inet_pton":
        return encoder.pton(node)
    width = min(room, 8)
    if isinstance(node, Name) and constant_of(node.name) is None:  # a value of the answer that has no use here
        return bytes(width)
    return (encoder.number(node) & ((1 << 8 * width) - 1)).to_bytes(width, "little")


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % _ALIGN)


# ---- control messages ----


def encode_control(encoder: Encoder, node: Node) -> bytes:
    """``[{cmsg_level=SOL_SOCKET, cmsg_type=SCM_RIGHTS, cmsg_data=[3]}]``; lengths that are missing are computed."""
    if isinstance(node, String):
        return node.data
    if not isinstance(node, Array):
        raise encoder.error("not a list of control messages", node,
                            expected="[{cmsg_level=SOL_SOCKET, cmsg_type=SCM_RIGHTS, cmsg_data=[3]}]")  # fmt: skip
    align = 4 if encoder.arch == "i386" else 8
    data = b""
    for item in node.items:
        data += bytes(-len(data) % align) + _control_message(encoder, item)
    return data + bytes(-len(data) % align)


def _control_message(encoder: Encoder, node: Node) -> bytes:
    order: tuple[str, ...] = ("cmsg_len", "cmsg_level", "cmsg_type", "cmsg_data")
    fields: dict[str, Node] = {}
    items = node.items if isinstance(node, StructNode) else ()
    if not any(isinstance(i, Named) for i in items) and len(items) == 3:
        order = order[1:]
    for position, item in enumerate(items[:4]):
        name, value = (item.name, item.value) if isinstance(item, Named) else (order[position], item)
        fields[name] = value
    layout = structs.layout("cmsghdr", encoder.arch)
    level = encoder.number(fields.get("cmsg_level", Number(0)))
    kind = encoder.number(fields.get("cmsg_type", Number(0)))
    body = _control_data(encoder, level, kind, fields["cmsg_data"]) if "cmsg_data" in fields else b""
    length = encoder.number(fields["cmsg_len"]) if "cmsg_len" in fields else layout.size + len(body)
    return layout.pack({"cmsg_len": length, "cmsg_level": level, "cmsg_type": kind}) + body


_CONTROL_NAMES: Final = {
    "SOL_SOCKET": "scm", "SOL_IP": "opt_ip", "SOL_IPV6": "opt_ipv6", "SOL_TCP": "opt_tcp", "SOL_UDP": "opt_udp",
}  # fmt: skip


def control_type(level: int, kind: int) -> str:
    """What a control message holds: a name of option_types, "" if unknown."""
    level_name = names.enumeration("sockopt_level").name(level) or ""
    if level_name not in _CONTROL_NAMES:
        return ""
    name = names.enumeration(_CONTROL_NAMES[level_name]).name(kind)
    if name is None and level_name == "SOL_SOCKET":
        name = names.enumeration("opt_socket").name(kind)
    return CMSG_TYPES.get((level_name, name or ""), "")


def _control_data(encoder: Encoder, level: int, kind: int, node: Node) -> bytes:
    if isinstance(node, String):
        return node.data
    held = control_type(level, kind)
    if held == "sockaddr":
        return encoder.sockaddr(node)
    if isinstance(node, StructNode):
        return encoder.struct(held if structs.has(held) else "ucred", node)
    return encoder.integers(node, 1 if held == "bytelist" else 4)


# ---- interface requests ----


def encode_ifreq(encoder: Encoder, node: StructNode) -> bytes:
    """``{ifr_name="lo", ifr_flags=IFF_UP}``: the name and one field of the union."""
    size = structs.sizeof("ifreq", encoder.arch)
    name, body = b"", b""
    for item in node.items:
        field, value = (item.name, before(item.value)) if isinstance(item, Named) else ("ifr_name", item)
        if field == "ifr_name":
            name = encoder.data(value)[:16]
        else:
            body = _ifreq_field(encoder, field, value)
    return (name.ljust(16, b"\0") + body).ljust(size, b"\0")


def _ifreq_field(encoder: Encoder, field: str, value: Node) -> bytes:
    if field in ("ifr_addr", "ifr_dstaddr", "ifr_broadaddr", "ifr_netmask"):
        return encoder.sockaddr(value)
    if field == "ifr_hwaddr":
        return _hardware_address(encoder, value)
    if field == "ifr_flags":
        return (encoder.number(value) & 0xFFFF).to_bytes(2, "little")
    if field == "ifr_map":
        return encoder.struct("ifmap", value)
    if field == "ifr_newname":
        return encoder.data(value)[:16].ljust(16, b"\0")
    if field == "ifr_data":
        return _pointer_bytes(encoder, value)
    return encoder.integers(value)


def _pointer_bytes(encoder: Encoder, value: Node) -> bytes:
    width = 4 if encoder.arch == "i386" else 8
    if isinstance(value, StructNode):
        address = encoder.memory.place(encoder.struct("ethtool_value", value) + bytes(256))
    else:
        address = encoder.number(value)
    return (address & ((1 << 8 * width) - 1)).to_bytes(width, "little")


def _hardware_address(encoder: Encoder, node: Node) -> bytes:
    """``{sa_family=ARPHRD_ETHER, sa_data=02:00:00:00:00:01}``"""
    if not isinstance(node, StructNode) or not node.items:
        return encoder.sockaddr(node)
    parts = [item.value if isinstance(item, Named) else item for item in node.items]
    family = encoder.number(parts[0]) & 0xFFFF
    data = encoder.data(parts[1], 14) if len(parts) > 1 else b""
    return family.to_bytes(2, "little") + data


def encode_ifconf(encoder: Encoder, node: StructNode) -> bytes:
    """``{ifc_len=4096 => 40, ifc_buf=[…]}``: the buffer is supplied, as long as it was before the call."""
    fields = {item.name: item.value for item in node.items if isinstance(item, Named)}
    length = encoder.number(before(fields["ifc_len"])) if "ifc_len" in fields else 4096
    buffer = fields.get("ifc_buf")
    if buffer is None or (isinstance(buffer, Name) and buffer.name == "NULL"):
        address = 0
    elif isinstance(buffer, Number):
        address = buffer.value
    else:
        address = encoder.memory.reserve(max(1, min(length, 1 << 20)))
    return structs.layout("ifconf", encoder.arch).pack({"ifc_len": length, "ifc_buf": address})
