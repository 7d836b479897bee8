"""The arguments whose type another argument decides: socket options, ioctl and fcntl."""


from kshell.abi import names, structs
from kshell.abi.fcntl import F_UNLCK, F_WRLCK
from kshell.abi.syscalls import Param
from kshell.lang import messages
from kshell.lang.ast import Array, Node, String, Unary
from kshell.lang.ast import Struct as StructNode
from kshell.lang.encode import Encoder, before
from kshell.lang.marshal_context import Context
from kshell.lang.option_types import FCNTL_TYPES, IOCTL_TYPES, OPTION_NAMES, OPTION_TYPES

#: fcntl commands that ask for a lock; strace shows what came out of the struct
_LOCK_TESTS = frozenset({"F_GETLK", "F_OFD_GETLK"})


def optval(context: Context, param: Param, node: Node) -> int:
    """A socket option's value; room for it when the kernel fills it."""
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


def ioctl(context: Context, param: Param, node: Node) -> int:
    """What an ioctl takes, by its request."""
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


def is_meant(context: Context, param: Param) -> bool:
    """Whether a number in a log is a value to be passed on, not an address of the recorded program."""
    if param.kind.style == "ioctl":
        request = names.enumeration("ioctl").name(context.number_of("cmd") or 0) or ""
        return request in IOCTL_TYPES and IOCTL_TYPES[request][0] in ("", "none")
    if param.kind.style == "fcntl":
        command = names.enumeration("fcntl").name(context.number_of("cmd") or 0) or ""
        return not structs.has(FCNTL_TYPES.get(command, "").partition(":")[2])
    return param.kind.style == "path"


def fcntl(context: Context, param: Param, node: Node) -> int:
    """What an fcntl command takes."""
    command = names.enumeration("fcntl").name(context.number_of("cmd") or 0) or ""
    direction, _, kind = FCNTL_TYPES.get(command, "").partition(":")
    if direction == "out" and not context.fill:
        return context.encoder.memory.reserve(structs.sizeof(kind))
    if structs.has(kind):
        data = context.encoder.struct(kind, before(node))
        asks = context.replay and not context.fill and command in _LOCK_TESTS
        return context.encoder.memory.place(_asked(data) if asks else data)
    raise context.encoder.error(f"{command or 'this command'} takes a number", node)


def _asked(flock: bytes) -> bytes:
    """What F_GETLK was asked, from what it gave: F_UNLCK is no question, and means that any lock could be had."""
    return F_WRLCK.to_bytes(2, "little") + flock[2:] if flock[:2] == F_UNLCK.to_bytes(2, "little") else flock
