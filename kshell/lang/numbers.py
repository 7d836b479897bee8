"""What a node is worth as a number: constants, variables, C's operators and the macros of socket programs."""

import operator
from collections.abc import Callable
from typing import Final, Protocol

from kshell.abi import names, structs, syscalls
from kshell.abi.record import Record
from kshell.lang.ast import (
    Annotated,
    Apply,
    Binary,
    Cast,
    Index,
    Member,
    Name,
    Node,
    Number,
    String,
    Ternary,
    TypeName,
    Unary,
)
from kshell.lang.ipaddr import ipv4_number
from kshell.lang.lexer import Source, short
from kshell.lang.nearest import nearest_constant

_MASK64: Final = (1 << 64) - 1

_ARITHMETIC: Final[dict[str, Callable[[int, int], int]]] = {
    "|": operator.or_,
    "&": operator.and_,
    "^": operator.xor,
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "==": lambda a, b: int(a == b),
    "!=": lambda a, b: int(a != b),
    "<": lambda a, b: int(a < b),
    ">": lambda a, b: int(a > b),
    "<=": lambda a, b: int(a <= b),
    ">=": lambda a, b: int(a >= b),
    "&&": lambda a, b: int(bool(a) and bool(b)),
    "||": lambda a, b: int(bool(a) or bool(b)),
}

_WIDTHS: Final = {
    "char": 1, "short": 2, "int": 4, "long": 8, "u8": 1, "u16": 2, "u32": 4, "u64": 8, "s8": 1, "s16": 2, "s32": 4,
    "s64": 8, "uint8_t": 1, "uint16_t": 2, "uint32_t": 4, "uint64_t": 8, "size_t": 8, "ssize_t": 8, "socklen_t": 4,
    "pid_t": 4, "uid_t": 4, "gid_t": 4, "off_t": 8, "mode_t": 4, "void *": 8, "in_addr_t": 4, "in_port_t": 2,
    "sa_family_t": 2, "float": 4, "double": 8, "bool": 1, "__be16": 2, "__be32": 4,
}  # fmt: skip


class Buffer(Record):
    """A piece of user memory that has a name."""

    address: int
    size: int


class Variables(Protocol):
    """Where names that are no constants get their values."""

    def buffer(self, name: str) -> Buffer | None:
        """The memory that a variable names, as ``buf`` in ``read(fd, buf, 64)``; None if there is none."""

    def remember(self, name: str, buffer: Buffer) -> None:
        """A call's argument was a name that nothing knew: it now names this memory."""

    def number(self, name: str) -> int | None:
        """The value of a variable that holds a number or an address; None if there is none."""

    def evaluate(self, node: Node) -> int | None:
        """The value of an expression over kernel objects, such as ``current->pid``; None if it is not a number."""

    def interface_index(self, name: str) -> int | None:
        """The index of a network interface."""


class NoVariables:
    """Constants only, and ``lo``."""

    def buffer(self, name: str) -> Buffer | None:
        """None: there are no variables."""

    def remember(self, name: str, buffer: Buffer) -> None:
        """Forgotten at once."""

    def number(self, name: str) -> int | None:
        """None: there are no variables."""

    def evaluate(self, node: Node) -> int | None:
        """None: there are no objects."""

    def interface_index(self, name: str) -> int | None:
        """``lo`` is 1."""
        return 1 if name == "lo" else None


def constant_of(name: str) -> int | None:
    """The value of a constant, a signal's name (short ones too), ``__NR_x`` or NULL."""
    if name == "NULL":
        return 0
    value = names.constant(name)
    if value is not None:
        return value
    for prefix in ("__NR_", "SYS_", "NR_"):
        call = syscalls.BY_NAME.get(name.removeprefix(prefix)) if name.startswith(prefix) else None
        if call is not None:
            return call.number
    return names.signal_number(name) if name.startswith("SIG") else _ODD_NAMES.get(name)


_ODD_NAMES: Final = {
    "O_ACCMODE": 3, "FASYNC": 0o20000, "RLIM_INFINITY": _MASK64, "RLIM64_INFINITY": _MASK64, "true": 1, "false": 0,
    "IP_RECVORIGDSTADDR": 20, "INADDR_ANY": 0, "_IOC_NONE": 0, "_IOC_WRITE": 1, "_IOC_READ": 2,
}  # fmt: skip


class Numbers:
    """Evaluates nodes; errors point into the source."""

    def __init__(self, source: Source, variables: Variables | None = None) -> None:
        self.source = source
        self.variables: Variables = variables if variables is not None else NoVariables()

    def number(self, node: Node) -> int:
        """The value of a node; a ``htons()`` gives what it does on x86: the bytes swapped."""
        match node:
            case Number(value=value):
                return value
            case Name(name=name):
                return self._name(node, name)
            case Unary(op=op, operand=operand):
                return self._unary(node, op, operand)
            case Binary():
                return self._binary(node)
            case Ternary(condition=condition, then=then, otherwise=otherwise):
                return self.number(then if self.number(condition) else otherwise)
            case Cast(type=ctype, operand=operand):
                return _cast(self.number(operand), ctype)
            case Annotated(value=value_node):
                return self.number(value_node)
            case Apply():
                return self._apply(node)
            case Member() | Index():
                return self._object(node)
            case _:
                raise self.error("not a number", node, expected="a number or a constant")

    def host_number(self, node: Node) -> int:
        """The value for a field kept in network order: ``htons(80)``, ``80`` and ``inet_addr("0.0.0.80")`` are 80."""
        match node:
            case Apply(function="htons" | "htonl", args=(inner,)):
                return self.number(inner)
            case Apply(function="inet_addr", args=(String(data=data),)) | String(data=data):
                return self._ipv4(node, data)
            case _:
                return self.number(node)

    def error(self, message: str, node: Node, *, expected: str = "", nearest: str = "") -> Exception:
        """A LangError at a node."""
        return self.source.error(message, *node.span, expected=expected, nearest=nearest)

    def _name(self, node: Node, name: str) -> int:
        value = self.variables.number(name)
        if value is None:
            value = constant_of(name)
        if value is None:
            raise self.error(f"unknown name {short(name)}", node, nearest=nearest_constant(name))
        return value

    def _object(self, node: Node) -> int:
        value = self.variables.evaluate(node)
        if value is None:
            raise self.error("not a number", node, expected="a number or a constant")
        return value

    def _unary(self, node: Node, op: str, operand: Node) -> int:
        if op in "*&":
            return self._object(node)
        value = self.number(operand)
        return {"-": -value, "+": value, "~": ~value, "!": int(not value)}[op]

    def _binary(self, node: Binary) -> int:
        if node.op == "or":
            known = isinstance(node.left, Name) and constant_of(node.left.name) is not None
            return self.number(node.left if known else node.right)
        left, right = self.number(node.left), self.number(node.right)
        if node.op in _ARITHMETIC:
            return _wrap(_ARITHMETIC[node.op](left, right))
        if node.op in ("<<", ">>"):
            if not 0 <= right < 64:
                raise self.error("shift out of range", node.right, expected="0 to 63")
            return _wrap(left << right if node.op == "<<" else left >> right)
        if right == 0:
            raise self.error("division by zero", node)
        quotient = abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
        return quotient if node.op == "/" else left - quotient * right

    def _apply(self, node: Apply) -> int:
        function, args = node.function, node.args
        match function, args:
            case ("htons" | "ntohs"), (inner,):
                return int.from_bytes((self.number(inner) & 0xFFFF).to_bytes(2, "big"), "little")
            case ("htonl" | "ntohl"), (inner,):
                return int.from_bytes((self.number(inner) & 0xFFFFFFFF).to_bytes(4, "big"), "little")
            case "inet_addr", (String(data=data),):
                return int.from_bytes(self._ipv4(node, data).to_bytes(4, "big"), "little")
            case "makedev", (major, minor):
                return makedev(self.number(major), self.number(minor))
            case "if_nametoindex", (String(data=data),):
                return self._interface(node, data)
            case "sizeof", (inner,):
                return self._sizeof(inner)
            case ("_IOC" | "_IO" | "_IOR" | "_IOW" | "_IOWR"), _:
                return self._ioc(node)
            case _:
                return self._object(node)

    def _interface(self, node: Node, data: bytes) -> int:
        name = data.decode(errors="replace")
        index = self.variables.interface_index(name)
        if index is None:
            raise self.error(f"no interface {name}", node)
        return index

    def _sizeof(self, node: Node) -> int:
        match node:
            case TypeName(type=ctype):
                name = ctype.removeprefix("struct ")
                if ctype.endswith("*"):
                    return 8
                width = _width(ctype)
                if width:
                    return width
                if structs.has(name):
                    return structs.sizeof(name)
                return self._object(Apply("sizeof", (node,), node.span))
            case String(data=data):
                return len(data) + 1
            case _:
                return self._object(Apply("sizeof", (node,), node.span))

    def _ipv4(self, node: Node, data: bytes) -> int:
        text = data.decode(errors="replace")
        value = ipv4_number(text)
        if value is None:
            raise self.error(f"{text!r} is no IPv4 address", node)
        return value

    def _ioc(self, node: Apply) -> int:
        args = [self.number(a) if not isinstance(a, TypeName) else self._sizeof(a) for a in node.args]
        directions = {"_IO": 0, "_IOW": 1, "_IOR": 2, "_IOWR": 3}
        if node.function != "_IOC":
            args.insert(0, directions[node.function])
        direction, kind, number, size = (*args, 0, 0, 0, 0)[:4]
        return direction << 30 | size << 16 | kind << 8 | number


def makedev(major: int, minor: int) -> int:
    """glibc's encoding of a device number."""
    return (major & 0xFFF) << 8 | (minor & 0xFF) | (minor & ~0xFF) << 12 | (major & ~0xFFF) << 32


def _width(ctype: str) -> int:
    words = [w for w in ctype.split() if w not in ("unsigned", "signed", "const", "volatile")]
    if not words:
        return 4
    if words[:2] == ["long", "long"] or words[0] == "long":
        return 8
    return _WIDTHS.get(words[0], 0)


def _cast(value: int, ctype: str) -> int:
    width = 8 if ctype.endswith("*") else _width(ctype) or 8
    value &= (1 << 8 * width) - 1
    unsigned = "unsigned" in ctype or ctype.startswith(("u", "__u", "size_t", "void")) or ctype.endswith("*")
    return value if unsigned or not value >> (8 * width - 1) else value - (1 << 8 * width)


def _wrap(value: int) -> int:
    """Keeps results within what 64 bits can hold, signed or not."""
    if -(1 << 63) <= value < 1 << 64:
        return value
    return value & _MASK64
