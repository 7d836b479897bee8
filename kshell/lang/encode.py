"""Values of arguments to the bytes that a program would have put into its memory."""

from typing import Final, Protocol

from kshell.abi import names, structs
from kshell.abi.socket import AF_INET, AF_INET6, AF_NETLINK, AF_PACKET, AF_UNIX
from kshell.abi.structs import Field, Struct, Value
from kshell.lang.ast import Apply, Array, Change, Dots, Name, Named, Node, Number, String, Unary, Unknown
from kshell.lang.ast import Struct as StructNode
from kshell.lang.ipaddr import ip_bytes
from kshell.lang.lexer import Source
from kshell.lang.numbers import Numbers, Variables

#: no reserved buffer is larger, whatever length a call names
MAX_BUFFER: Final = 16 << 20
_MAX_ADDRESS_STRING: Final = 4096


class Memory(Protocol):
    """User memory that can be given out, of the task that will make the call."""

    def place(self, data: bytes) -> int:
        """The address of a new piece of memory with these bytes."""

    def reserve(self, size: int) -> int:
        """The address of a new piece of zeroed memory."""


#: the struct of an address family, and the order of values in the short form ``{AF_INET, 80, "0.0.0.0"}``
_SOCKADDRS: Final = {
    AF_UNIX: ("sockaddr_un", ("sun_family", "sun_path")),
    AF_INET: ("sockaddr_in", ("sin_family", "sin_port", "sin_addr")),
    AF_INET6: ("sockaddr_in6", ("sin6_family", "sin6_port", "sin6_addr", "sin6_scope_id", "sin6_flowinfo")),
    AF_NETLINK: ("sockaddr_nl", ("nl_family", "nl_pid", "nl_groups")),
    AF_PACKET: (
        "sockaddr_ll",
        ("sll_family", "sll_protocol", "sll_ifindex", "sll_hatype", "sll_pkttype", "sll_halen", "sll_addr"),
    ),
}
_FAMILY_FIELDS: Final = frozenset(
    {"sa_family", "sin_family", "sin6_family", "sun_family", "nl_family", "sll_family", "ss_family"}
)
#: fields that hold an address of any family
_ADDRESS_FIELDS: Final = frozenset({"rt_dst", "rt_gateway", "rt_genmask", "arp_pa", "arp_ha", "arp_netmask"})
#: how strace names fields that the layouts name otherwise
_FIELD_ALIASES: Final = {
    "onoff": "l_onoff", "linger": "l_linger", "imr_interface": "imr_address",
    "u64": "data", "tcpi_snd_wscale": "tcpi_wscale",
}  # fmt: skip


#: what stands for bytes that a log does not show
UNSEEN: Final = b"\xa5"
#: what utimensat() takes in the place of a time
_UTIMES: Final = {"UTIME_NOW": (1 << 30) - 1, "UTIME_OMIT": (1 << 30) - 2}


class Encoder(Numbers):
    """Turns nodes into bytes for one architecture, placing in memory what they point to.

    filler: the byte that stands for what a log does not show of a string.
    """

    def __init__(
        self,
        source: Source,
        memory: Memory,
        variables: Variables | None = None,
        arch: str = "x86_64",
        filler: bytes = b"\0",
    ) -> None:
        super().__init__(source, variables)
        self.memory = memory
        self.arch = arch
        self.filler = filler

    # ---- bytes ----

    def data(self, node: Node, length: int | None = None) -> bytes:
        """The bytes of a string, of a list of bytes, or zeros for ``...``; a truncated string is filled up."""
        match node:
            case String(data=data, truncated=truncated, abstract=abstract):
                if abstract:
                    data = b"\0" + data
                if truncated and length is not None and len(data) < length:
                    data += self.filler * (min(length, MAX_BUFFER) - len(data))
                return data
            case Array(items=items) if all(isinstance(i, Number) for i in items):
                return bytes(self.number(i) & 0xFF for i in items)
            case Dots() | Unknown():
                return bytes(min(length or 0, MAX_BUFFER))
            case _:
                raise self.error("not a string", node, expected='bytes such as "abc"')

    def integers(self, node: Node, width: int = 4) -> bytes:
        """``[1, 2]`` as numbers of that many bytes each."""
        items = node.items if isinstance(node, Array) else (node,)
        mask = (1 << 8 * width) - 1
        return b"".join((self.number(before(i)) & mask).to_bytes(width, "little") for i in items)

    def sigset(self, node: Node, width: int = 8) -> bytes:
        """``[INT TERM]``, ``~[KILL]`` as a mask."""
        inverted = isinstance(node, Unary) and node.op == "~"
        array = node.operand if isinstance(node, Unary) and inverted else node
        if not isinstance(array, Array):
            return (self.number(node) & ((1 << 8 * width) - 1)).to_bytes(width, "little")
        mask = 0
        for item in array.items:
            number = names.signal_number(item.name) if isinstance(item, Name) else self.number(item)
            if number is None or not 0 < number <= 64:
                raise self.error("not a signal", item, expected="a name such as INT")
            mask |= 1 << (number - 1)
        mask = ~mask if inverted else mask
        return (mask & ((1 << 8 * width) - 1)).to_bytes(width, "little")

    def fdset(self, node: Node, count: int) -> bytes:
        """``[0 3]`` as the bits of a fd_set."""
        if not isinstance(node, Array):
            raise self.error("not a set of descriptors", node, expected="[3 4]")
        bits = 0
        for item in node.items:
            number = self.number(item)
            if not 0 <= number < 65536:
                raise self.error("not a descriptor", item, expected="0 to 65535")
            bits |= 1 << number
        size = max(128, -(-max(count, bits.bit_length()) // 64) * 8)
        return bits.to_bytes(size, "little")

    # ---- structs ----

    def struct(self, name: str, node: Node) -> bytes:
        """The bytes of ``struct name`` from ``{…}``, fields named or in order."""
        layout = structs.layout(name, self.arch)
        if isinstance(node, String):
            return node.data
        if name == "timespec" and isinstance(node, Name) and node.name in _UTIMES:
            return layout.pack({"tv_sec": 0, "tv_nsec": _UTIMES[node.name]})
        if not isinstance(node, StructNode):
            raise self.error(f"not a struct {name}", node, expected="{field=value, …}")
        values: dict[str, Value] = {}
        position = 0
        visible = list(layout.visible_fields())
        for item in node.items:
            if isinstance(item, Apply) and item.function == "inet_pton":
                values[self._pton_field(item)] = self.pton(item)
                continue
            if isinstance(item, Named):
                field, value = self._named_field(layout, item), item.value
            else:
                if position >= len(visible):
                    raise self.error(f"struct {name} has only {len(visible)} fields", item)
                field, value = visible[position], item
                position += 1
            if field is not None:
                values[field.name] = self.field(field, before(value), name)
        return layout.pack(values)

    def _named_field(self, layout: Struct, item: Named) -> Field | None:
        found = layout.field(item.name) or layout.field(_FIELD_ALIASES.get(item.name, ""))
        if found is None:
            known = ", ".join(f.name for f in layout.visible_fields())
            raise self.error(f"struct {layout.name} has no field {item.name}", item, expected=f"one of {known}")
        return found

    def field(self, field: Field, node: Node, struct_name: str = "") -> Value:
        """The value of one field."""
        if field.name in _ADDRESS_FIELDS:
            return structs.layout("sockaddr", self.arch).unpack(self.sockaddr(node).ljust(16, b"\0"))
        if field.type == "struct sockaddr_storage":
            return structs.layout("sockaddr_storage", self.arch).unpack(self.sockaddr(node).ljust(128, b"\0"))
        if field.name == "sa_mask":
            return int.from_bytes(self.sigset(node), "little")
        if struct_name == "epoll_event" and field.name == "data":
            return self._epoll_data(node)
        if field.is_bytes:
            return self._address_bytes(node, field.size) if field.size == 16 else self.data(node, field.size)
        if field.inner is not None:
            inner = self.struct(field.inner.name, node)
            return field.inner.unpack(inner)
        if field.count:
            items = node.items if isinstance(node, Array) else (node,)
            return [self.number(item) for item in items]
        if field.type == "ptr" and isinstance(node, String):
            return self.memory.place(node.data + b"\0")
        return self.host_number(node) if field.code.startswith(">") else self.number(node)

    def _epoll_data(self, node: Node) -> int:
        if not isinstance(node, StructNode):
            return self.number(node)
        fields = {i.name: self.number(i.value) for i in node.items if isinstance(i, Named)}
        return fields.get("u64", fields.get("u32", fields.get("fd", fields.get("ptr", 0))))

    # ---- addresses ----

    def sockaddr(self, node: Node) -> bytes:
        """The bytes of a socket address: strace's form, C's with names, or ``{AF_INET, 80, "0.0.0.0"}``.

        An AF_UNIX path gets its zero byte; ``@"name"`` is abstract and gets none.
        """
        if isinstance(node, String):
            return node.data
        if not isinstance(node, StructNode):
            raise self.error("not a socket address", node, expected='{AF_INET, 80, "127.0.0.1"}')
        if not node.items:
            return b""
        family = self._family(node.items[0])
        if family not in _SOCKADDRS or any(isinstance(i, Named) and i.name == "sa_data" for i in node.items):
            return self._other_sockaddr(family, node)
        struct_name, order = _SOCKADDRS[family]
        layout = structs.layout(struct_name, self.arch)
        values: dict[str, Value] = {order[0]: family}
        for position, item in enumerate(node.items[1:], 1):
            self._address_field(layout, order, position, item, values)
        packed = layout.pack(values)
        if family == AF_UNIX:
            return packed[: 2 + self._path_length(values.get("sun_path", b""))]
        return packed

    def _family(self, item: Node) -> int:
        value = item.value if isinstance(item, Named) else item
        if isinstance(item, Named) and item.name not in _FAMILY_FIELDS:
            raise self.error("an address begins with its family", item, expected="sa_family=AF_INET or AF_INET")
        return self.number(value) & 0xFFFF

    def _other_sockaddr(self, family: int, node: StructNode) -> bytes:
        head = family.to_bytes(2, "little")
        rest = [i.value if isinstance(i, Named) else i for i in node.items[1:]]
        return head + b"".join(self.data(item, 14) for item in rest) if rest else head

    def _path_length(self, path: Value) -> int:
        if not isinstance(path, bytes) or not path:
            return 0
        if path[0] == 0:
            return len(path)
        return min(len(path) + 1, 108)

    def _address_field(
        self, layout: Struct, order: tuple[str, ...], position: int, item: Node, values: dict[str, Value]
    ) -> None:
        if isinstance(item, Apply) and item.function == "inet_pton":
            values[self._pton_field(item)] = self.pton(item)
            return
        if isinstance(item, Named):
            name, value = item.name, item.value
        elif position < len(order):
            name, value = order[position], item
        else:
            raise self.error(f"struct {layout.name} has only {len(order)} values in its short form", item)
        field = layout.field(name)
        if field is None:
            known = ", ".join(order[1:])
            raise self.error(f"struct {layout.name} has no field {name}", item, expected=f"one of {known}")
        values[name] = self._address_value(field, value)

    def _address_value(self, field: Field, node: Node) -> Value:
        if field.name == "sin_addr" and isinstance(node, StructNode) and node.items:  # {s_addr=…}
            inner = node.items[0]
            return self.host_number(inner.value if isinstance(inner, Named) else inner)
        if field.name in ("sin_port", "sin6_port"):
            return self._port(node)
        if field.name == "sin6_addr":
            return self._address_bytes(node, 16)
        if field.name == "sun_path":
            return self.data(node)[:_MAX_ADDRESS_STRING]
        if field.is_bytes:
            return self.data(node, field.size)
        return self.host_number(node) if field.code.startswith(">") else self.number(node)

    def _port(self, node: Node) -> int:
        if isinstance(node, String):
            raise self.error("a port is a number", node, expected='{AF_INET, 80, "127.0.0.1"}')
        port = self.host_number(node)
        if isinstance(node, Number) and port > 0xFFFF:
            raise self.error(f"{port} is no port", node, expected="0 to 65535")
        return port

    def _address_bytes(self, node: Node, size: int) -> bytes:
        """An IPv6 address as text, or plain bytes (a device's name, say)."""
        data = self.data(node.args[1] if isinstance(node, Apply) and len(node.args) > 1 else node, size)
        packed = ip_bytes(data.decode(errors="replace")) if b":" in data else None
        return packed if packed is not None else data

    def pton(self, node: Apply) -> bytes:
        """The bytes of ``inet_pton(AF_INET6, "::1", …)``."""
        if len(node.args) not in (2, 3) or not isinstance(node.args[1], String):
            raise self.error("not an inet_pton()", node, expected='inet_pton(AF_INET6, "::1", &sin6_addr)')
        text = node.args[1].data.decode(errors="replace")
        packed = ip_bytes(text)
        if packed is None:
            raise self.error(f"{text!r} is no IP address", node)
        return packed

    def _pton_field(self, node: Apply) -> str:
        match node.args:
            case (_, _, Unary(op="&", operand=Name(name=name))):
                return name
            case _:
                raise self.error("not an inet_pton()", node, expected='inet_pton(AF_INET6, "::1", &sin6_addr)')


def before(node: Node) -> Node:
    """What a value was before the call, if strace shows both."""
    return node.before if isinstance(node, Change) else node
