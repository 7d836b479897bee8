"""A parsed call to a system call number and six registers, its arguments placed in the task's memory.

Socket calls go in directly (``abi="x86_64"``) or through i386's socketcall (``abi="socketcall"``), whose argument words
and structs then have that architecture's layout.
"""

from typing import Final

from kshell.abi.syscalls import BY_NUMBER, SOCKETCALL_NUMBERS, SOCKETCALLS, Param, Syscall, signature
from kshell.lang import marshal_values as values
from kshell.lang.ast import Annotated, Array, Call, Change, Dots, Name, Named, Node, Number, String, Unary, Unknown
from kshell.lang.ast import Struct as StructNode
from kshell.lang.encode import UNSEEN, Encoder, Memory, before
from kshell.lang.lexer import Source
from kshell.lang.marshal_context import Context
from kshell.lang.marshal_options import is_meant
from kshell.lang.nearest import nearest_call
from kshell.lang.numbers import Variables, constant_of

SOCKETCALL_NR: Final = 102
_MASK32: Final = 0xFFFFFFFF
_MASK64: Final = (1 << 64) - 1
_ZEROS: Final = (0,) * 6

#: arguments that may be left out at the end, by style
_OPTIONAL: Final = frozenset({"open_mode", "fcntl", "ioctl", "hidden", "prctl"})

#: calls whose C wrapper takes as many arguments as the case needs
_VARIADIC: Final = frozenset({"clone", "prctl", "futex"})

#: strace's names of clone()'s arguments
_STRACE_NAMES: Final = {
    "clone": {"child_stack": "newsp", "flags": "clone_flags", "parent_tid": "parent_tidptr",
              "child_tid": "child_tidptr"},
}  # fmt: skip


class Marshalled:
    """A call ready to be made, and what is needed to show it afterwards.

    number and registers go to the kernel; compat: it enters as an i386 call, arch: whose struct layouts it uses.
    syscall and values are the call that is meant, name: its name; for socketcall the one behind it, with its argument
    words. spelled: how the user wrote it, "call", "socketcall" or "syscall".
    """

    __slots__ = ("arch", "call", "compat", "name", "number", "registers", "spelled", "syscall", "values")

    def __init__(
        self,
        number: int,
        registers: tuple[int, ...],
        compat: bool,
        syscall: Syscall,
        values: tuple[int, ...],
        call: Call,
        spelled: str,
    ) -> None:
        self.number = number
        self.registers = registers
        self.compat = compat
        self.arch = "i386" if compat else "x86_64"
        self.syscall = syscall
        self.name = syscall.name
        self.values = values
        self.call = call
        self.spelled = spelled


def marshal(
    call: Call,
    source: Source,
    memory: Memory,
    variables: Variables | None = None,
    *,
    abi: str = "x86_64",
    replay: bool = False,
    fill: bool = False,
) -> Marshalled:
    """Number and registers of a call; LangError for unknown calls and names, wrong counts and shapes of arguments.

    replay: the call comes from a log, so that its addresses mean nothing here and buffers are supplied for them;
    fill: its buffers get what the log shows them to hold after the call, so that it can be decoded without being made.
    """
    if call.name == "syscall":
        return _raw(call, source, memory, variables)
    if call.name == "socketcall":
        return _socketcall(call, source, memory, variables, replay)
    syscall = _find(call, source)
    through = abi == "socketcall" and call.name in SOCKETCALL_NUMBERS
    if syscall.number < 0:
        through = True
    encoder = Encoder(source, memory, variables, "i386" if through else "x86_64", UNSEEN if replay else b"\0")
    registers = _arguments(call, syscall, encoder, replay, fill)
    if through:
        return _through_socketcall(call, syscall, registers, memory)
    return Marshalled(syscall.number, _six(registers), False, syscall, tuple(registers), call, "call")


def _six(registers: list[int]) -> tuple[int, ...]:
    return (*[value & _MASK64 for value in registers], *_ZEROS[len(registers) :])


def _find(call: Call, source: Source) -> Syscall:
    syscall = signature(call.name)
    if syscall is None:
        raise source.error(f"unknown system call {call.name}", call.span[0], call.span[0] + len(call.name),
                           nearest=nearest_call(call.name))  # fmt: skip
    return syscall


# ---- arguments ----


def _arguments(
    call: Call, syscall: Syscall, encoder: Encoder, replay: bool, fill: bool = False
) -> list[int]:
    if not syscall.known:
        return [_untyped(encoder, _value(argument)) for argument in call.args]
    nodes = _by_param(call, syscall, encoder.source)
    context = Context(encoder, syscall, nodes, replay, fill)
    registers = {}
    for param in syscall.pointers_first:
        node = nodes.get(param.name)
        if node is None:
            registers[param.name] = _missing(call, param, context)
        elif isinstance(node, Dots) and not param.kind.direction:
            registers[param.name] = context.sizes.get(param.name, 0)
        else:
            registers[param.name] = encode_argument(context, param, node)
    return [registers[name] for name in syscall.names]


def _value(node: Node) -> Node:
    return node.value if isinstance(node, Named) else node


def _untyped(encoder: Encoder, node: Node) -> int:
    """An argument of a call whose signature is not in the table: a number, or the address of what it holds."""
    if isinstance(node, (String, Array)):
        return encoder.memory.place(encoder.data(node) + b"\0")
    return 0 if isinstance(node, StructNode | Dots | Unknown) else encoder.number(before(node))


def _by_param(call: Call, syscall: Syscall, source: Source) -> dict[str, Node]:
    """The argument of each parameter; strace's ``name=value`` finds its own."""
    aliases = _STRACE_NAMES.get(syscall.name, {})
    shown = syscall.shown
    nodes: dict[str, Node] = {}
    for position, node in enumerate(call.args):
        if isinstance(node, Named):
            name = aliases.get(node.name, node.name)
            if syscall.param(name) is None:
                raise source.error(f"{syscall.name} has no argument {node.name}", *node.span,
                                   expected=syscall.prototype())  # fmt: skip
            nodes[name] = node.value
        elif position < len(shown):
            nodes[shown[position].name] = node
        elif position >= len(syscall.params) and syscall.name != "rt_sigreturn":
            raise source.error("too many arguments", *node.span, expected=syscall.prototype())
        elif syscall.params:
            nodes[syscall.params[position].name] = node
    return nodes


def _missing(call: Call, param: Param, context: Context) -> int:
    if param.name in context.sizes:
        return context.sizes[param.name]
    if param.kind.style in _OPTIONAL or context.replay or call.name in _VARIADIC:
        return 0
    end = call.span[1]
    raise context.encoder.source.error(
        f"missing argument {param.name}", max(call.span[0], end - 1), end, expected=context.syscall.prototype()
    )


def encode_argument(context: Context, param: Param, node: Node) -> int:
    """The register of one argument; what it points to is placed in memory."""
    if param.kind.direction:
        encode = values.POINTERS.get(param.kind.style)
        assert encode is not None, param.kind
        return _pointer(context, param, node, encode)
    special = values.SCALARS.get(param.kind.style)
    if special is not None:
        return special(context, param, node)
    if isinstance(node, Number):
        return node.value
    if isinstance(node, Unary) and node.op == "&" and isinstance(node.operand, Name):
        node = node.operand
    if isinstance(node, Name) and (buffer := context.encoder.variables.buffer(node.name)) is not None:
        return buffer.address
    if isinstance(node, (String, Array)) and param.kind.style in ("pointer", "hex"):
        return context.encoder.memory.place(_loose_bytes(context, node))
    return context.encoder.number(before(node))


def _loose_bytes(context: Context, node: Node) -> bytes:
    return node.data + b"\0" if isinstance(node, String) else context.encoder.integers(node)


def _pointer(context: Context, param: Param, node: Node, encode: "values.PointerEncoder") -> int:
    """NULL, an address, a named buffer, ``...``, or what the pointer's style makes of the value."""
    if isinstance(node, Unary) and node.op == "&" and isinstance(node.operand, Name):
        node = node.operand
    encoder, out = context.encoder, param.kind.direction != "in"
    if isinstance(node, Name):
        buffer = encoder.variables.buffer(node.name)
        if buffer is not None:
            context.sized(param, buffer.size)
            return buffer.address
        if out and _is_new(encoder, node.name):
            return context.named_buffer(param, node.name)
    if isinstance(node, (Dots, Unknown)):
        return context.supplied(param)
    if _is_address(node):
        address = encoder.number(node)
        if address and context.replay and not is_meant(context, param):
            return context.supplied(param)
        return address
    return encode(context, param, node)


def _is_new(encoder: Encoder, name: str) -> bool:
    return encoder.variables.number(name) is None and constant_of(name) is None


def _is_address(node: Node) -> bool:
    return not isinstance(node, (String, Array, StructNode, Change)) and not (
        isinstance(node, Unary) and node.op in "~&" and isinstance(node.operand, Array | StructNode | Number)
    )


# ---- socketcall and syscall ----


def _through_socketcall(call: Call, syscall: Syscall, registers: list[int], memory: Memory) -> Marshalled:
    number = SOCKETCALL_NUMBERS[syscall.name]
    words = tuple(value & _MASK32 for value in registers)
    address = memory.place(b"".join(word.to_bytes(4, "little") for word in words))
    return Marshalled(SOCKETCALL_NR, (number, address, 0, 0, 0, 0), True, syscall, words, call, "call")


def _socketcall(
    call: Call, source: Source, memory: Memory, variables: Variables | None, replay: bool
) -> Marshalled:
    """``socketcall(SYS_SOCKET, [AF_INET, SOCK_STREAM, 0])``"""
    encoder = Encoder(source, memory, variables, "i386")
    if len(call.args) != 2:
        raise source.error("socketcall takes two arguments", *call.span,
                           expected="socketcall(SYS_SOCKET, [AF_INET, SOCK_STREAM, 0])")  # fmt: skip
    number = encoder.number(call.args[0])
    inner, _ = SOCKETCALLS.get(number, ("", 0))
    syscall = signature(inner) if inner else None
    vector = call.args[1]
    outer = signature("socketcall")
    assert outer is not None
    if not isinstance(vector, Array):
        address = 0 if isinstance(vector, Name) and vector.name == "NULL" else encoder.number(vector)
        return Marshalled(SOCKETCALL_NR, (number & _MASK32, address, 0, 0, 0, 0), True, outer,
                          (number, address), call, "socketcall")  # fmt: skip
    if syscall is None:
        words = [encoder.number(item) for item in vector.items]
    else:
        words = _arguments(Call(inner, vector.items, vector.span), syscall, encoder, replay)
    data = b"".join((word & _MASK32).to_bytes(4, "little") for word in words)
    registers = (number & _MASK32, memory.place(data), 0, 0, 0, 0)
    return Marshalled(SOCKETCALL_NR, registers, True, syscall or outer,
                      tuple(w & _MASK32 for w in words) if syscall else (number, registers[1]),
                      call, "socketcall")  # fmt: skip


def _raw(call: Call, source: Source, memory: Memory, variables: Variables | None) -> Marshalled:
    """``syscall(41, 2, 1, 0)``: registers as they stand; a string is placed and its address passed."""
    if not call.args:
        raise source.error("missing the number of the call", *call.span, expected="syscall(41, 2, 1, 0)")
    if len(call.args) > 7:
        raise source.error("too many arguments", *call.args[7].span, expected="a number and six registers at most")
    encoder = Encoder(source, memory, variables)
    number = encoder.number(call.args[0])
    registers = [
        encoder.memory.place(encoder.data(a) + b"\0") if isinstance(a, String) else _raw_number(encoder, a)
        for a in call.args[1:]
    ]
    known = BY_NUMBER.get(number) or Syscall(number, f"syscall_{number:#x}", (), "ENOSYS", "", (), False)
    return Marshalled(number & _MASK64, _six(registers), False, known, _six(registers), call, "syscall")


def _raw_number(encoder: Encoder, node: Node) -> int:
    if isinstance(node, Name) and (buffer := encoder.variables.buffer(node.name)) is not None:
        return buffer.address
    if isinstance(node, Array):
        return encoder.memory.place(encoder.integers(node))
    return encoder.number(node.value if isinstance(node, Annotated) else node)


