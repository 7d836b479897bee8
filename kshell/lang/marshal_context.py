"""A call on its way into registers: its arguments, its lengths, and the buffers it gets."""

from typing import Final

from kshell.abi import structs
from kshell.abi.syscalls import Param, Syscall
from kshell.lang.ast import Array, Change, Dots, Named, Node, String
from kshell.lang.ast import Struct as StructNode
from kshell.lang.encode import MAX_BUFFER, Encoder, before
from kshell.lang.numbers import Buffer

_DEFAULT_SIZES: Final = {"socklen": 4, "wstatus": 4, "fdpair": 8, "offset": 8, "sigset": 8, "path": 4096, "fdset": 128}


class Context:
    """One call on its way into registers.

    sizes: by parameter that holds a length the length that was placed; fill: buffers get what they will hold after the
    call, as a log shows it.
    """

    __slots__ = ("encoder", "fill", "nodes", "replay", "sizes", "syscall")

    def __init__(self, encoder: Encoder, syscall: Syscall, nodes: dict[str, Node], replay: bool, fill: bool) -> None:
        self.encoder = encoder
        self.syscall = syscall
        self.nodes = nodes
        self.sizes: dict[str, int] = {}
        self.replay = replay
        self.fill = fill

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
        if node is None or isinstance(node, (Dots, String, StructNode)):
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


def items_of(context: Context, node: Node) -> tuple[Node, ...]:
    """The items of a list."""
    node = context.pick(node)
    if not isinstance(node, Array):
        raise context.encoder.error("not a list", node, expected="[{…}, …]")
    return node.items


def fields_of(encoder: Encoder, node: StructNode, order: tuple[str, ...]) -> dict[str, Node]:
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
