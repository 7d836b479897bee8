"""Evaluates C expressions over the live kernel objects, read-only.

Kernel structs are Python objects with Linux's field names, pointers and the structs they point to are one thing, NULL
is None. ``evaluate(node, scope)`` gives an int, bytes, str, None, a list or dict, a function (of an operations table)
or a kernel object; LangError says what does not exist and which field comes nearest.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from kshell.abi import structs as user_structs
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
from kshell.lang.lexer import Source, short
from kshell.lang.nearest import nearest, nearest_constant
from kshell.lang.numbers import Numbers, constant_of
from kshell.lens import layouts, names

#: members that embed a struct at its beginning: the model has one object for both
_EMBEDDED: Final = frozenset(
    {"sk", "inet", "inet_conn", "icsk_inet", "inet_sk", "__sk_common", "tw_sk", "req", "ireq", "__tw_common"}
)
#: names of fields of sock_common, by which Linux's macros know them
_COMMON: Final = {
    "skc_family": "sk_family", "skc_state": "sk_state", "skc_reuse": "sk_reuse", "skc_reuseport": "sk_reuseport",
    "skc_bound_dev_if": "sk_bound_dev_if", "skc_prot": "sk_prot", "skc_net": "sk_net", "skc_daddr": "inet_daddr",
    "skc_rcv_saddr": "inet_rcv_saddr", "skc_dport": "inet_dport", "skc_num": "inet_num", "skc_hash": "sk_hash",
    "skc_refcnt": "sk_refcnt", "skc_cookie": "sk_cookie", "skc_flags": "sk_flags",
}  # fmt: skip
_ALIASES: Final = {"__state": "state"}
#: Linux's casts from one struct to the one around it
_SAME: Final = frozenset({"inet_sk", "tcp_sk", "udp_sk", "unix_sk", "raw_sk", "inet_csk", "nlk_sk", "pkt_sk"})


class Scope(Record):
    """What names mean: roots such as ``current``, the kernel whose attributes are Linux's globals, helpers."""

    roots: Mapping[str, object]
    kernel: object
    variables: Mapping[str, object] = MappingProxyType({})
    helpers: Mapping[str, Callable[..., object]] = MappingProxyType({})
    at: Callable[[int, str], object] | None = None
    """The object of a struct at an address, as trees show it; None if there is none."""
    words: Collection[str] = ()
    """What a name that is unknown may have been meant for."""


def evaluate(node: Node, scope: Scope, source: Source | None = None) -> object:
    """The value of a parsed expression; source: the text it came from, for the places of errors."""
    return _Evaluator(scope, source or Source("")).value(node)


def members(value: object) -> list[str]:
    """The fields that ``->`` finds in a value, Linux's names only."""
    return [name for name in _attributes(value) if not name.startswith("_") and name != "kernel"]


def struct_name(value: object) -> str:
    """The name of the struct that a kernel object is."""
    return names.struct_name(value) or type(value).__name__


def truth(value: object) -> bool:
    """C's idea of true: not 0 and not NULL."""
    return value is not None and value != 0 and value is not False


class _Evaluator:
    """One evaluation."""

    def __init__(self, scope: Scope, source: Source) -> None:
        self.scope = scope
        self.source = source

    def value(self, node: Node) -> object:
        """The value of any node."""
        match node:
            case Number(value=value):
                return value
            case String(data=data):
                return data
            case Name(name=name):
                return self._name(node, name)
            case Member(object=inner, name=name):
                return self._member(node, self.value(inner), name)
            case Index(object=inner, index=index):
                return self._index(node, self.value(inner), self.value(index))
            case Unary(op=op, operand=operand):
                return self._unary(node, op, operand)
            case Binary(op=op, left=left, right=right):
                return self._binary(node, op, left, right)
            case Ternary(condition=condition, then=then, otherwise=otherwise):
                return self.value(then if truth(self.value(condition)) else otherwise)
            case Cast(type=ctype, operand=operand):
                return self._cast(node, ctype, self.value(operand))
            case Apply(function=function):
                return self._apply(node, function)
            case Annotated(value=inner):
                return self.value(inner)
            case _:
                raise self.error("not an expression", node, expected="a value such as current->files")

    def error(self, message: str, node: Node, *, expected: str = "", near: str = "") -> Exception:
        """A LangError at a node."""
        return self.source.error(message, *node.span, expected=expected, nearest=near)

    # ---- names ----

    def _name(self, node: Node, name: str) -> object:
        for where in (self.scope.variables, self.scope.roots):
            if name in where:
                return where[name]
        if not name.startswith("_") and hasattr(self.scope.kernel, name):
            return getattr(self.scope.kernel, name)
        value = None if name == "NULL" else constant_of(name)
        if value is None and name != "NULL":
            known = [*self.scope.words, *self.scope.variables, *self.scope.roots, *members(self.scope.kernel)]
            raise self.error(f"unknown name {short(name)}", node, near=nearest(name, known) or nearest_constant(name))
        return value

    def _member(self, node: Node, value: object, name: str) -> object:
        node = Name(name, (node.span[1] - len(name), node.span[1]))  # where errors point
        if value is None:
            raise self.error(f"NULL has no field {name}", node)
        if isinstance(value, Mapping) and name in value:
            return value[name]
        for known in (name, _ALIASES.get(name, ""), _COMMON.get(name, "")):
            if known and not (known.startswith("_") and not known.startswith("__")) and hasattr(value, known):
                return getattr(value, known)
        if name in _EMBEDDED and _is_object(value):
            return value
        if not _is_object(value):
            raise self.error(f"{_kind(value)} has no fields", node)
        struct = struct_name(value)
        recorded = layouts.layout(struct)
        if recorded is not None and recorded.find(name) is not None:
            raise self.error(f"the model does not keep {name} of struct {struct}", node)
        raise self.error(f"struct {struct} has no field {name}", node, near=nearest(name, members(value)))

    def _index(self, node: Node, value: object, index: object) -> object:
        if value is None:
            raise self.error("NULL has no elements", node)
        if isinstance(value, Mapping):
            if index in value:
                return value[index]
            raise self.error(f"no element {index!r}", node)
        if not isinstance(value, Sequence) or not isinstance(index, int):
            raise self.error(f"{_kind(value)} has no elements", node)
        if not 0 <= index < len(value):
            raise self.error(f"index {index} out of range", node, expected=f"0 to {len(value) - 1}")
        element: object = value[index]
        return element

    # ---- operators ----

    def _unary(self, node: Node, op: str, operand: Node) -> object:
        value = self.value(operand)
        if op in "&*":
            if op == "*" and (value is None or isinstance(value, int)):
                raise self.error(f"{_kind(value)} points to nothing", node)
            return value
        if op == "!":
            return int(not truth(value))
        return self._numbers(Unary(op, Number(self._int(node, value))))

    def _binary(self, node: Node, op: str, left: Node, right: Node) -> object:
        first = self.value(left)
        if op == "&&":
            return int(truth(first) and truth(self.value(right)))
        if op == "||":
            return int(truth(first) or truth(self.value(right)))
        second = self.value(right)
        if op in ("==", "!="):
            return int(_same(first, second) == (op == "=="))
        pair = (Number(self._int(left, first)), Number(self._int(right, second)))
        return self._numbers(Binary(op, *pair, node.span))

    def _numbers(self, node: Node) -> int:
        return Numbers(self.source).number(node)

    def _int(self, node: Node, value: object) -> int:
        if isinstance(value, int):
            return int(value)
        if value is None:
            return 0
        address = getattr(value, "_addr", None)
        if isinstance(address, int):
            return address
        raise self.error(f"{_kind(value)} is no number", node)

    def _cast(self, node: Node, ctype: str, value: object) -> object:
        """A cast of an object holds only if it is that struct; of a number it wraps."""
        if isinstance(value, int) and not ctype.endswith("*"):
            return self._numbers(Cast(ctype, Number(value), node.span))
        wanted = ctype.removeprefix("const ").removeprefix("struct ").rstrip(" *")
        if isinstance(value, int) and value and ctype.startswith(("struct", "const struct")) and self.scope.at:
            found = self.scope.at(value, wanted)
            if found is None:
                raise self.error(f"there is no struct {wanted} at {value:#x}", node)
            return found
        if not _is_object(value) or wanted in ("void", "char") or not ctype.startswith(("struct", "const struct")):
            return value
        if wanted not in [cls.__name__ for cls in type(value).__mro__]:
            raise self.error(f"this is a struct {struct_name(value)}, not a struct {wanted}", node)
        return value

    # ---- functions ----

    def _apply(self, node: Apply, function: str) -> object:
        if function in ("sizeof", "offsetof", "container_of"):
            return self._layout(node, function)
        if function == "SOCKET_I" or function == "SOCK_INODE":
            return self._sockfs(node, function)
        if function in _SAME and len(node.args) == 1:
            return self.value(node.args[0])
        helper = self.scope.helpers.get(function)
        if helper is not None:
            return self._helper(node, helper)
        if function in ("htons", "htonl", "ntohs", "ntohl", "inet_addr", "makedev"):
            return self._numbers(node)
        known = [*self.scope.helpers, *_SAME, "SOCKET_I", "SOCK_INODE", "sizeof", "offsetof", "container_of"]
        raise self.error(f"unknown function {function}", node, near=nearest(function, known))

    def _helper(self, node: Apply, helper: Callable[..., object]) -> object:
        args = [self.value(arg) for arg in node.args]
        try:
            return helper(*args)
        except (TypeError, LookupError, AttributeError, ValueError):
            raise self.error(f"{node.function}() does not take these arguments", node) from None

    def _sockfs(self, node: Apply, function: str) -> object:
        """The socket and the inode of one struct socket_alloc."""
        value = self.value(node.args[0]) if len(node.args) == 1 else None
        part = "socket" if function == "SOCKET_I" else "vfs_inode"
        found: object = getattr(getattr(value, "_alloc", None), part, None)
        if found is None:
            wanted = "an inode of sockfs" if function == "SOCKET_I" else "a struct socket"
            raise self.error(f"{function}() takes {wanted}", node)
        return found

    def _layout(self, node: Apply, function: str) -> object:
        if function == "sizeof" and len(node.args) == 1:
            return self._sizeof(node, node.args[0])
        if function == "offsetof" and len(node.args) == 2 and isinstance(node.args[0], TypeName):
            struct, member = _struct(node.args[0].type), _path(node.args[1])
            offset = layouts.offsetof(struct, member)
            if offset is None:
                raise self.error(f"no offset of {member} in struct {struct} is recorded", node)
            return offset
        if function == "container_of" and len(node.args) == 3 and isinstance(node.args[1], TypeName):
            return self._container_of(node, _struct(node.args[1].type), _path(node.args[2]))
        raise self.error(f"{function}() does not take these arguments", node,
                         expected="sizeof(struct sock), offsetof(struct sock, sk_prot) or"
                         " container_of(inode, struct socket_alloc, vfs_inode)")  # fmt: skip

    def _sizeof(self, node: Node, operand: Node) -> int:
        if isinstance(operand, TypeName):
            name = _struct(operand.type)
        else:
            value = self.value(operand)
            if isinstance(value, int):
                return 4
            name = struct_name(value)
        if isinstance(operand, TypeName) and (operand.type.endswith("*") or not operand.type.startswith("struct")):
            return self._numbers(Apply("sizeof", (operand,), node.span))
        size = layouts.sizeof(name)
        if size is None and user_structs.has(name):
            size = user_structs.sizeof(name)
        if size is None:
            raise self.error(f"the size of struct {name} is not recorded", node, near=nearest(name, layouts.names()))
        return size

    def _container_of(self, node: Apply, struct: str, member: str) -> object:
        """The object around a member: the same object, or the one whose field it is."""
        value = self.value(node.args[0])
        around = getattr(value, "_alloc", None)
        for candidate in (value, around):
            if candidate is None or struct not in [cls.__name__ for cls in type(candidate).__mro__]:
                continue
            if candidate is value or getattr(candidate, member, None) is value:
                return candidate
        raise self.error(f"this {_kind(value)} is not the {member} of a struct {struct}", node)


def _struct(ctype: str) -> str:
    return ctype.removeprefix("struct ").rstrip(" *")


def _path(node: Node) -> str:
    if isinstance(node, Member):
        return f"{_path(node.object)}.{node.name}"
    return node.name if isinstance(node, Name) else ""


def _is_object(value: object) -> bool:
    """Whether a value is a kernel struct."""
    plain = (int, str, bytes, bytearray, list, tuple, dict, set, frozenset, float)
    return value is not None and not isinstance(value, plain) and not callable(value)


def _same(left: object, right: object) -> bool:
    if left is right:
        return True
    for one, other in ((left, right), (right, left)):
        if one is None and isinstance(other, int):
            return other == 0
        if isinstance(one, int) and _is_object(other):
            return getattr(other, "_addr", None) == one
    if isinstance(left, str) and isinstance(right, bytes):
        return left.encode() == right
    if isinstance(left, bytes) and isinstance(right, str):
        return left == right.encode()
    return not _is_object(left) and not _is_object(right) and left == right


def _kind(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, int):
        return "a number"
    if isinstance(value, (str, bytes)):
        return "a string"
    if isinstance(value, (Mapping, Sequence)):
        return "a list"
    if callable(value):
        return "a function"
    return f"struct {struct_name(value)}"


def _attributes(value: object) -> list[str]:
    names: dict[str, None] = {}
    for cls in type(value).__mro__:
        slots = cls.__dict__.get("__slots__", ())
        names.update(dict.fromkeys((slots,) if isinstance(slots, str) else slots))
        if cls is not object:
            names.update(dict.fromkeys(n for n, v in vars(cls).items() if isinstance(v, property) or not callable(v)))
    names.update(dict.fromkeys(getattr(value, "__dict__", {})))
    return [name for name in names if not name.startswith("__")]
