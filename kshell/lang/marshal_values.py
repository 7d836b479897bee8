"""What each style of argument becomes: a table from style to the function that places the value in memory."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from kshell.abi import names, structs
from kshell.abi.stat import S_IFMT
from kshell.abi.syscalls import Param, Syscall
from kshell.lang import messages
from kshell.lang.ast import Apply, Array, Binary, Change, Dots, Name, Named, Node, Number, String, Unary
from kshell.lang.ast import Struct as StructNode
from kshell.lang.encode import MAX_BUFFER, Encoder, before
from kshell.lang.numbers import Buffer, constant_of
from kshell.lang.option_types import FCNTL_TYPES, IOCTL_TYPES, OPTION_NAMES, OPTION_TYPES

__all__ = ["POINTERS", "SCALARS", "Context", "PointerEncoder", "StructNode", "constant_of"]

_DEFAULT_SIZES: Final = {"socklen": 4, "wstatus": 4, "fdpair": 8, "offset": 8, "sigset": 8, "path": 4096, "fdset": 128}


@dataclass(slots=True)
class Context:
    """One call on its way into registers."""

    encoder: Encoder
    syscall: Syscall
    nodes: dict[str, Node]
    sizes: dict[str, int]  # parameter that holds a length → the length that was placed
    replay: bool
    fill: bool = False  # buffers get what they will hold after the call, as a log shows it

    def only_room(self, param: Param) -> bool:
        """Whether the kernel fills this pointer's target, so that room is all it needs."""
        return param.kind.direction == "out" and not self.fill

    def pick(self, node: Node) -> Node:
        """What a value was before the call; after it when buffers are filled."""
        if isinstance(node, Change):
            return node.after if self.fill else node.before
        return node

    def number_of(self, name: str) -> int | None:
        """The value of a sibling argument, None if it is not there or no number."""
        if name.isdigit():
            return int(name)
        node = self.nodes.get(name)
        if isinstance(node, Array) and node.items:
            node = node.items[0]
        if node is None or isinstance(node, Dots | String | StructNode):
            return None
        return self.encoder.number(before(node))

    def sized(self, param: Param, size: int) -> None:
        """The length parameter of this pointer, should it be missing, is this."""
        if param.kind.args:
            self.sizes.setdefault(param.kind.args[-1], size)

    def supplied(self, param: Param) -> int:
        """The address of a buffer large enough for what the kernel may write."""
        return self.encoder.memory.reserve(self.room(param))

    def named_buffer(self, param: Param, name: str) -> int:
        """As supplied, and the name stands for it from now on."""
        size = self.room(param)
        address = self.encoder.memory.reserve(size)
        self.encoder.variables.remember(name, Buffer(address, size))
        return address

    def room(self, param: Param) -> int:
        """How many bytes an argument of this kind needs when nothing is known of its value."""
        style, args = param.kind.style, param.kind.args
        arch = self.encoder.arch
        if style in ("struct", "remaining"):
            return structs.sizeof(args[0], arch)
        if style in _DEFAULT_SIZES:
            return _DEFAULT_SIZES[style]
        count = self.number_of(args[-1]) if args else None
        if style == "array":
            most = self.number_of("maxevents") if args[-1] == "return" else count
            return structs.sizeof(args[0], arch) * max(1, min(most or 1, 65536))
        if style == "pollfds":
            return 8 * max(1, min(count or 1, 65536))
        if style in ("ints", "longs"):
            return 4 * 1024 if args[-1] == "return" else 8 * max(1, count or 1)
        if style == "optval":
            return max(4, min(self.number_of("optlen") or 256, MAX_BUFFER))
        if style in ("bytes", "sockaddr", "dirents", "clone_args"):
            return max(1, min(count if count is not None and count >= 0 else 1, MAX_BUFFER))
        return 1024


PointerEncoder = Callable[[Context, Param, Node], int]


def _bytes(context: Context, param: Param, node: Node) -> int:
    length = context.number_of(param.kind.args[0])
    if context.only_room(param):
        context.sized(param, len(node.data) if isinstance(node, String) else 0)
        return context.supplied(param)
    data = messages.encode(context.encoder, node) if messages.is_message(node) else None
    if data is None:
        data = context.encoder.data(node, length if length is not None and length >= 0 else None)
    context.sized(param, len(data))
    return context.encoder.memory.place(data + b"\0" if isinstance(node, String) else data)


def _path(context: Context, param: Param, node: Node) -> int:
    return context.encoder.memory.place(context.encoder.data(node) + b"\0")


def _struct(context: Context, param: Param, node: Node) -> int:
    if context.only_room(param):
        return context.supplied(param)
    return context.encoder.memory.place(context.encoder.struct(param.kind.args[0], context.pick(node)))


def _array(context: Context, param: Param, node: Node) -> int:
    if context.only_room(param):
        return context.supplied(param)
    items = _items(context, node)
    data = b"".join(context.encoder.struct(param.kind.args[0], before(i)) for i in items)
    context.sized(param, len(items))
    return context.encoder.memory.place(data)


def _pollfds(context: Context, param: Param, node: Node) -> int:
    items = _items(context, node)
    data = b"".join(context.encoder.struct("pollfd", i) for i in items)
    context.sized(param, len(items))
    missing = (context.number_of("nfds") or 0) - len(items) if context.replay else 0
    return context.encoder.memory.place(data + b"\xff" * (8 * max(0, min(missing, 1024))))


def _items(context: Context, node: Node) -> tuple[Node, ...]:
    node = context.pick(node)
    if not isinstance(node, Array):
        raise context.encoder.error("not a list", node, expected="[{…}, …]")
    return node.items


def _sockaddr(context: Context, param: Param, node: Node) -> int:
    if context.only_room(param):
        return context.supplied(param)
    data = context.encoder.sockaddr(before(node))
    context.sized(param, len(data))
    return context.encoder.memory.place(data)


def _socklen(context: Context, param: Param, node: Node) -> int:
    inner: Node = node
    if isinstance(node, Array) and node.items:
        inner = node.items[0]
    value = context.encoder.number(context.pick(inner)) & 0xFFFFFFFF
    return context.encoder.memory.place(value.to_bytes(4, "little"))


def _iovec(context: Context, param: Param, node: Node) -> int:
    address, count = place_iovec(context.encoder, node, context.only_room(param))
    context.sized(param, count)
    return address


def place_iovec(encoder: Encoder, node: Node, out: bool) -> tuple[int, int]:
    """An array of iovec with what it points to: its address and length."""
    if not isinstance(node, Array):
        raise encoder.error("not a list of buffers", node, expected='[{"abc", 3}]')
    layout = structs.layout("iovec", encoder.arch)
    data = b""
    for item in node.items:
        base, length = _one_iovec(encoder, item, out)
        data += layout.pack({"iov_base": base, "iov_len": length})
    return encoder.memory.place(data), len(node.items)


def _one_iovec(encoder: Encoder, item: Node, out: bool) -> tuple[int, int]:
    if isinstance(item, String):
        return encoder.memory.place(item.data), len(item.data)
    if not isinstance(item, StructNode):
        raise encoder.error("not a buffer", item, expected='{"abc", 3}')
    fields = _fields(encoder, item, ("iov_base", "iov_len"))
    base, length_node = fields.get("iov_base"), fields.get("iov_len")
    length = encoder.number(length_node) if length_node is not None else None
    if base is None or (isinstance(base, Name) and base.name == "NULL"):
        return 0, length or 0
    if messages.is_message(base) and not out:
        data = messages.encode(encoder, base) or b""
        return encoder.memory.place(data), len(data) if length is None else length
    if isinstance(base, String | Array | Dots | StructNode):
        room = min(length if length is not None and length >= 0 else 0, MAX_BUFFER)
        if out or isinstance(base, Dots):
            own = len(base.data) if isinstance(base, String) else 0
            return encoder.memory.reserve(max(1, room, own)), own if length is None else length
        data = encoder.data(base, length)
        return encoder.memory.place(data), len(data) if length is None else length
    if isinstance(base, Name) and (buffer := encoder.variables.buffer(base.name)) is not None:
        return buffer.address, buffer.size if length is None else length
    if out and isinstance(base, Name) and constant_of(base.name) is None:
        address = encoder.memory.reserve(max(1, min(length or 1, MAX_BUFFER)))
        encoder.variables.remember(base.name, Buffer(address, length or 1))
        return address, length or 1
    return encoder.number(base), length or 0


def _fields(encoder: Encoder, node: StructNode, order: tuple[str, ...]) -> dict[str, Node]:
    """The items of a struct by name; those without one go by their place."""
    fields: dict[str, Node] = {}
    position = 0
    for item in node.items:
        if isinstance(item, Named):
            if item.name not in order:
                raise encoder.error(f"no field {item.name}", item, expected=f"one of {', '.join(order)}")
            fields[item.name] = item.value
        elif position < len(order):
            fields[order[position]] = item
            position += 1
        else:
            raise encoder.error("too many fields", item, expected=", ".join(order))
    return fields


_MSGHDR: Final = (
    "msg_name", "msg_namelen", "msg_iov", "msg_iovlen", "msg_control", "msg_controllen", "msg_flags",
)  # fmt: skip


def _msghdr(context: Context, param: Param, node: Node) -> int:
    values = msghdr_values(context, node, param.kind.direction != "in" and not context.fill)
    return context.encoder.memory.place(structs.layout("msghdr", context.encoder.arch).pack(values))


def msghdr_values(context: Context, node: Node, out: bool) -> dict[str, structs.Value]:
    """The fields of a msghdr, its parts placed; lengths that are not given are those of what is there."""
    encoder = context.encoder
    if not isinstance(node, StructNode):
        raise encoder.error("not a msghdr", node, expected='{msg_iov=[{"abc", 3}]}')
    fields = _fields(encoder, node, _MSGHDR)
    values: dict[str, structs.Value] = {}
    values["msg_name"], values["msg_namelen"] = _message_name(context, fields, out)
    if (iov := fields.get("msg_iov")) is not None:
        address, count = (
            place_iovec(encoder, iov, out) if isinstance(iov, Array) else (encoder.number(iov), 0)
        )
        values["msg_iov"], values["msg_iovlen"] = address, count
    if (count_node := fields.get("msg_iovlen")) is not None:
        values["msg_iovlen"] = encoder.number(count_node)
    values["msg_control"], values["msg_controllen"] = _control(context, fields, out)
    if (flags := fields.get("msg_flags")) is not None and not out:
        values["msg_flags"] = encoder.number(flags)
    return values


def _message_name(context: Context, fields: dict[str, Node], out: bool) -> tuple[int, int]:
    encoder, name, given = context.encoder, fields.get("msg_name"), fields.get("msg_namelen")
    length = encoder.number(context.pick(given)) if given is not None else None
    if name is None or (isinstance(name, Name) and name.name == "NULL"):
        if out and name is None and length:
            return encoder.memory.reserve(min(length, 4096) if length > 0 else 1), length
        return 0, length or 0
    if isinstance(name, Number):
        return (encoder.memory.reserve(128) if context.replay else name.value), length or 0
    if out or isinstance(name, Dots):
        room = 128 if length is None else length
        return encoder.memory.reserve(max(1, min(room, 4096))), room
    data = encoder.sockaddr(name)
    return encoder.memory.place(data), len(data) if length is None else length


def _control(context: Context, fields: dict[str, Node], out: bool) -> tuple[int, int]:
    encoder, control, given = context.encoder, fields.get("msg_control"), fields.get("msg_controllen")
    length = encoder.number(before(given)) if given is not None else None
    if control is None and not (out and length):
        return 0, length or 0
    if isinstance(control, Name) and control.name == "NULL":
        return 0, length or 0
    if out:
        cut = isinstance(flags := fields.get("msg_flags"), Name) and flags.name == "MSG_CTRUNC"
        room = length or 0 if cut or not context.replay else max(length or 0, 1024)
        return encoder.memory.reserve(max(1, min(room, 65536))), room if room else 256
    assert control is not None
    if isinstance(control, Number):
        return control.value, length or 0
    data = messages.encode_control(encoder, control)
    return encoder.memory.place(data), len(data) if length is None else length


def _mmsghdr(context: Context, param: Param, node: Node) -> int:
    items = _items(context, node)
    layout = structs.layout("mmsghdr", context.encoder.arch)
    data = b""
    for item in items:
        if not isinstance(item, StructNode):
            raise context.encoder.error("not a mmsghdr", item, expected="{msg_hdr={…}}")
        fields = _fields(context.encoder, item, ("msg_hdr", "msg_len"))
        values = msghdr_values(context, fields["msg_hdr"], param.kind.direction != "in" and not context.fill)
        data += layout.pack({"msg_hdr": values})
    context.sized(param, len(items))
    return context.encoder.memory.place(data)


def _optval(context: Context, param: Param, node: Node) -> int:
    if context.only_room(param):
        return context.supplied(param)
    kind = option_type(context.number_of("level") or 0, context.number_of("optname") or 0)
    data = encode_typed(context.encoder, kind, node)
    context.sized(param, len(data))
    return context.encoder.memory.place(data + bytes(8))


def option_type(level: int, option: int) -> str:
    """What an option of a level holds: "int" or a name of option_types."""
    kind = OPTION_NAMES.get(level)
    name = names.enumeration(kind).name(option) if kind else None
    level_name = names.enumeration("sockopt_level").name(level)
    return OPTION_TYPES.get(level_name or "", {}).get(name or "", "int")


def encode_typed(encoder: Encoder, kind: str, node: Node) -> bytes:
    """The bytes of a value of a type of option_types."""
    node = before(node)
    if isinstance(node, String):
        return node.data
    if isinstance(node, StructNode) and structs.has(kind):
        return encoder.struct(kind, node)
    if kind == "timeval64" and isinstance(node, StructNode):
        return encoder.struct("timeval", node)
    if kind == "sockaddr":
        return encoder.sockaddr(node)
    if kind == "icmp_filter":
        return _icmp_filter(encoder, node)
    return encoder.integers(_unreferenced(node), 8 if kind in ("u64", "long") else 4)


def _icmp_filter(encoder: Encoder, node: Node) -> bytes:
    """``~[ICMP_ECHOREPLY …]`` as bits."""
    inverted = isinstance(node, Unary) and node.op == "~"
    array = node.operand if isinstance(node, Unary) and inverted else node
    if not isinstance(array, Array):
        return encoder.integers(node)
    bits = sum(1 << (encoder.number(item) & 31) for item in array.items)
    return ((~bits if inverted else bits) & 0xFFFFFFFF).to_bytes(4, "little")


def _unreferenced(node: Node) -> Node:
    """``&1`` is a pointer to 1."""
    return node.operand if isinstance(node, Unary) and node.op == "&" else node


def _wstatus(context: Context, param: Param, node: Node) -> int:
    if context.fill and isinstance(node, Array) and len(node.items) == 1 and isinstance(node.items[0], StructNode):
        status = _status_of(context.encoder, node.items[0])
        return context.encoder.memory.place(status.to_bytes(4, "little"))
    return context.supplied(param)


def _status_of(encoder: Encoder, node: StructNode) -> int:
    """``{WIFEXITED(s) && WEXITSTATUS(s) == 1}`` as a wait status."""
    status = 0
    terms = [node.items[0]] if node.items else []
    while terms:
        term = terms.pop()
        if isinstance(term, Binary) and term.op == "&&":
            terms += [term.left, term.right]
        elif isinstance(term, Binary) and isinstance(term.left, Apply):
            value = encoder.number(term.right)
            status |= {"WEXITSTATUS": value << 8, "WTERMSIG": value, "WSTOPSIG": value << 8 | 0x7F}.get(
                term.left.function, 0
            )
        elif isinstance(term, Apply):
            status |= {"WCOREDUMP": 0x80, "WIFCONTINUED": 0xFFFF}.get(term.function, 0)
    return status


def _fdset(context: Context, param: Param, node: Node) -> int:
    return context.encoder.memory.place(context.encoder.fdset(node, context.number_of("n") or 0))


def _sigset(context: Context, param: Param, node: Node) -> int:
    if context.only_room(param):
        return context.supplied(param)
    context.sized(param, 8)
    return context.encoder.memory.place(context.encoder.sigset(node))


def _sigset_argpack(context: Context, param: Param, node: Node) -> int:
    """pselect6's last argument: ``{sigmask=[…], sigsetsize=8}``, or the bare set."""
    if isinstance(node, StructNode):
        fields = _fields(context.encoder, node, ("sigmask", "sigsetsize"))
        mask = fields.get("sigmask")
        size = context.encoder.number(fields["sigsetsize"]) if "sigsetsize" in fields else 8
        is_null = mask is None or (isinstance(mask, Name) and mask.name == "NULL")
        address = 0 if is_null or mask is None else context.encoder.memory.place(context.encoder.sigset(mask))
    else:
        address, size = context.encoder.memory.place(context.encoder.sigset(node)), 8
    return context.encoder.memory.place(address.to_bytes(8, "little") + size.to_bytes(8, "little"))


def _strings(context: Context, param: Param, node: Node) -> int:
    items = _items(context, node)
    addresses = [context.encoder.memory.place(context.encoder.data(i) + b"\0") for i in items]
    return context.encoder.memory.place(b"".join(a.to_bytes(8, "little") for a in [*addresses, 0]))


def _offset(context: Context, param: Param, node: Node) -> int:
    inner = context.pick(node)
    return context.encoder.memory.place(context.encoder.integers(inner, 8))


def _ints(context: Context, param: Param, node: Node) -> int:
    if context.only_room(param):
        return context.supplied(param)
    items = _items(context, node)
    context.sized(param, len(items))
    return context.encoder.memory.place(context.encoder.integers(node))


def _supplied(context: Context, param: Param, node: Node) -> int:
    return context.supplied(param)


def _fdpair(context: Context, param: Param, node: Node) -> int:
    if context.fill and isinstance(node, Array):
        return context.encoder.memory.place(context.encoder.integers(node))
    return context.supplied(param)


def _ioctl(context: Context, param: Param, node: Node) -> int:
    encoder = context.encoder
    request = names.enumeration("ioctl").name(context.number_of("cmd") or 0) or ""
    direction, kind = IOCTL_TYPES.get(request, ("", ""))
    if direction == "out" and not context.fill:
        size = structs.sizeof(kind, encoder.arch) if structs.has(kind) else 40
        return encoder.memory.reserve(size)
    value = context.pick(node)
    if kind.startswith("ifreq:") and isinstance(value, StructNode):
        return encoder.memory.place(messages.encode_ifreq(encoder, value))
    if kind == "ifconf" and isinstance(value, StructNode):
        return encoder.memory.place(messages.encode_ifconf(encoder, value))
    if kind and structs.has(kind) and isinstance(value, StructNode):
        return encoder.memory.place(encoder.struct(kind, value))
    if isinstance(value, StructNode):
        raise encoder.error(f"{request or 'this ioctl'} takes no struct", value)
    return encoder.memory.place(encode_typed(encoder, kind or "int", value) + bytes(4))


def is_meant(context: Context, param: Param, number: int) -> bool:
    """Whether a number in a log is a value to be passed on, not an address of the recorded program."""
    if param.kind.style == "ioctl":
        request = names.enumeration("ioctl").name(context.number_of("cmd") or 0) or ""
        return request in IOCTL_TYPES and IOCTL_TYPES[request][0] in ("", "none")
    if param.kind.style == "fcntl":
        command = names.enumeration("fcntl").name(context.number_of("cmd") or 0) or ""
        return not structs.has(FCNTL_TYPES.get(command, "").partition(":")[2])
    return param.kind.style == "path"


def _fcntl(context: Context, param: Param, node: Node) -> int:
    command = names.enumeration("fcntl").name(context.number_of("cmd") or 0) or ""
    direction, _, kind = FCNTL_TYPES.get(command, "").partition(":")
    if direction == "out" and not context.fill:
        return context.encoder.memory.reserve(structs.sizeof(kind))
    if structs.has(kind):
        return context.encoder.memory.place(context.encoder.struct(kind, before(node)))
    raise context.encoder.error(f"{command or 'this command'} takes a number", node)


def _clone_args(context: Context, param: Param, node: Node) -> int:
    data = context.encoder.struct("clone_args", before(node))
    context.sized(param, len(data))
    return context.encoder.memory.place(data)


#: style of a pointer → what makes its register of a value that is no plain address
POINTERS: Final[dict[str, PointerEncoder]] = {
    "path": _path,
    "bytes": _bytes,
    "struct": _struct,
    "remaining": _supplied,
    "array": _array,
    "pollfds": _pollfds,
    "sockaddr": _sockaddr,
    "socklen": _socklen,
    "iovec": _iovec,
    "msghdr": _msghdr,
    "mmsghdr": _mmsghdr,
    "optval": _optval,
    "wstatus": _wstatus,
    "fdset": _fdset,
    "sigset": _sigset,
    "sigset_argpack": _sigset_argpack,
    "strings": _strings,
    "environment": _strings,
    "offset": _offset,
    "ints": _ints,
    "longs": _supplied,
    "fdpair": _fdpair,
    "dirents": _supplied,
    "ioctl": _ioctl,
    "fcntl": _fcntl,
    "clone_args": _clone_args,
}


def _signal(context: Context, param: Param, node: Node) -> int:
    if isinstance(node, Name):
        number = names.signal_number(node.name)
        if number is not None:
            return number
    return context.encoder.number(node)


def _file_mode(context: Context, param: Param, node: Node) -> int:
    return context.encoder.number(node) & (S_IFMT | 0o7777)


def _prctl(context: Context, param: Param, node: Node) -> int:
    if isinstance(node, String):
        return context.encoder.memory.place(node.data + b"\0")
    return context.encoder.number(node)


#: style of a value in a register → how to read it, where it is more than a number
SCALARS: Final[dict[str, PointerEncoder]] = {"signal": _signal, "file_mode": _file_mode, "prctl": _prctl}
