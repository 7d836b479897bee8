"""A test of the model's source as C would have it: `not sk.peer and n & MASK` is `!sk->peer && (n & MASK)`.

What C has no words for (a helper of the model, a slice, a comprehension) has no text: NoC.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from types import ModuleType
from typing import Final

from kshell.linux.init.kernel import Kernel

Look = Callable[[ast.expr], object]
"""What gives the value of a name, a field or an item; it raises a LookupError, AttributeError or TypeError."""

UNKNOWN: Final = (LookupError, AttributeError, TypeError)
BY_VALUE: Final = frozenset({"path", "qstr", "netns_ipv4", "netns_core", "netns_unix", "timespec64", "list_head"})
"""Structs that stand inside another, or on the stack: their members follow a dot."""

WITHOUT_CURRENT: Final = frozenset({"capable", "ns_capable", "rlimit", "in_compat_syscall", "may_mount"})
"""Functions that take the current task from the CPU in Linux, and as an argument in the model."""

BUILT_IN: Final = (str, bytes, list, tuple, dict, set, int)
PYTHONS: Final = frozenset({"len", "any", "all", "sum", "type", "isinstance", "min", "max"})
"""Methods of these types, and these functions, are Python's."""

BITS: Final[dict[type[ast.operator], str]] = {
    ast.BitAnd: "&", ast.BitOr: "|", ast.BitXor: "^", ast.LShift: "<<", ast.RShift: ">>",
}  # fmt: skip
SUMS: Final[dict[type[ast.operator], str]] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Mod: "%", ast.FloorDiv: "/"}
COMPARED: Final[dict[type[ast.cmpop], str]] = {
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Is: "==", ast.IsNot: "!=",
}  # fmt: skip
NEGATED: Final = {"==": "!=", "!=": "==", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}
LARGE: Final = 4096


class NoC(Exception):
    """A test that C could not say."""


class Writer:
    """Writes tests in C."""

    def __init__(self, look: Look) -> None:
        self.look = look

    def text(self, node: ast.expr) -> str:
        """The C of a test; NoC if there is none."""
        handler = _HANDLERS.get(type(node))
        if handler is None:
            raise NoC
        return handler(self, node)

    def inner(self, node: ast.expr) -> str:
        """The same as an operand: in parentheses, if it has operands itself."""
        text = self.text(node)
        compound = isinstance(node, ast.BinOp | ast.BoolOp) or (isinstance(node, ast.Compare) and not _with_null(node))
        return f"({text})" if compound else text

    def value(self, node: ast.expr) -> object:
        """What a name or field holds; None if that cannot be told."""
        try:
            return self.look(node)
        except UNKNOWN:
            return None

    # ---- by kind of node

    def _name(self, node: ast.expr) -> str:
        assert isinstance(node, ast.Name)
        return self._own(node.id, node)

    def _own(self, name: str, node: ast.expr) -> str:
        """A name as Linux has it: a constant of the model's own by its value."""
        if not name.startswith("_") or name.startswith("__"):
            return name.rstrip("_") or name
        found = self.value(node)
        if name.isupper() and isinstance(found, int):
            return str(found) if found < LARGE else f"{found:#x}"
        raise NoC

    def _attribute(self, node: ast.expr) -> str:
        assert isinstance(node, ast.Attribute)
        base, name = self.value(node.value), node.attr
        if isinstance(base, Kernel | ModuleType):
            return name  # a global of the kernel
        if name == "size" and isinstance(self.value(node), int) and isinstance(node.value, ast.Name) and node.value.id.isupper():
            return str(self.value(node))
        if name.startswith("_"):
            raise NoC
        if name.startswith("skc_"):
            name = f"sk_{name.removeprefix('skc_')}"  # the macro that everybody writes
        return f"{self.inner(node.value)}{'.' if type(base).__name__ in BY_VALUE else '->'}{name}"

    def _constant(self, node: ast.expr) -> str:
        assert isinstance(node, ast.Constant)
        found = node.value
        if found is None:
            return "NULL"
        if isinstance(found, bool):
            return str(found).lower()
        if isinstance(found, int):
            return str(found) if abs(found) <= LARGE or found % 1000 == 0 else f"{found:#x}"
        raise NoC

    def _subscript(self, node: ast.expr) -> str:
        assert isinstance(node, ast.Subscript)
        return f"{self.inner(node.value)}[{self.text(node.slice)}]"

    def _call(self, node: ast.expr) -> str:
        assert isinstance(node, ast.Call)
        function = self.text(node.func)
        method = isinstance(node.func, ast.Attribute) and isinstance(self.value(node.func.value), BUILT_IN)
        if node.keywords or method or function in PYTHONS:
            raise NoC
        args = node.args[1:] if function in WITHOUT_CURRENT else node.args
        return f"{function}({', '.join(self.text(arg) for arg in args)})"

    def _unary(self, node: ast.expr) -> str:
        assert isinstance(node, ast.UnaryOp)
        if isinstance(node.op, ast.Not):
            return self._not(node.operand)
        sign = {ast.Invert: "~", ast.USub: "-"}.get(type(node.op), "")
        return f"{sign}{self.inner(node.operand)}"

    def _not(self, node: ast.expr) -> str:
        if isinstance(node, ast.Compare):
            if len(node.ops) > 1:
                return " || ".join(self._pair(*pair, negated=True) for pair in _pairs(node))
            if type(node.ops[0]) in COMPARED and not _with_null(node):
                return self._pair(*next(iter(_pairs(node))), negated=True)
        return f"!{self.inner(node)}"

    def _binary(self, node: ast.expr) -> str:
        assert isinstance(node, ast.BinOp)
        sign = BITS.get(type(node.op)) or SUMS.get(type(node.op))
        if sign is None:
            raise NoC
        sides = [self.text(side) if _same(side, node) else self.inner(side) for side in (node.left, node.right)]
        return f"{sides[0]} {sign} {sides[1]}"

    def _all_or_any(self, node: ast.expr) -> str:
        assert isinstance(node, ast.BoolOp)
        sign = " && " if isinstance(node.op, ast.And) else " || "
        return sign.join(self._side(value, sign) for value in node.values)

    def _side(self, node: ast.expr, sign: str) -> str:
        text = self.text(node)
        other = "||" if "&&" in sign else "&&"
        return f"({text})" if f" {other} " in text or isinstance(node, ast.BinOp) else text

    def _compare(self, node: ast.expr) -> str:
        assert isinstance(node, ast.Compare)
        if _with_null(node):
            inner = self.inner(node.left)
            return inner if isinstance(node.ops[0], ast.IsNot | ast.NotEq) else f"!{inner}"
        if isinstance(node.ops[0], ast.In | ast.NotIn):
            return self._among(node)
        return " && ".join(self._pair(*pair) for pair in _pairs(node))

    def _pair(self, left: ast.expr, op: ast.cmpop, right: ast.expr, negated: bool = False) -> str:
        sign = COMPARED.get(type(op))
        if sign is None:
            raise NoC
        if _is_constant(left) and not _is_constant(right) and sign in ("<", "<="):
            left, right, sign = right, left, sign.replace("<", ">")
        return f"{self._operand(left)} {NEGATED[sign] if negated else sign} {self._operand(right)}"

    def _operand(self, node: ast.expr) -> str:
        """Of a comparison: sums need no parentheses, bits do."""
        return self.text(node) if isinstance(node, ast.BinOp) and type(node.op) in SUMS else self.inner(node)

    def _among(self, node: ast.Compare) -> str:
        """`x in (A, B)`: x == A || x == B."""
        choices = node.comparators[0]
        if not isinstance(choices, ast.Tuple | ast.List | ast.Set) or not choices.elts:
            raise NoC
        sign, joint = ("==", " || ") if isinstance(node.ops[0], ast.In) else ("!=", " && ")
        left = self.inner(node.left)
        return joint.join(f"{left} {sign} {self.inner(choice)}" for choice in choices.elts)


def _is_constant(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) or (isinstance(node, ast.Name) and node.id.isupper())


def _with_null(node: ast.Compare) -> bool:
    right = node.comparators[0]
    return len(node.ops) == 1 and isinstance(right, ast.Constant) and right.value is None


def _same(side: ast.expr, node: ast.BinOp) -> bool:
    """Whether an operand may stand without parentheses: the same operator again, or a product in a sum."""
    if not isinstance(side, ast.BinOp):
        return False
    return type(side.op) is type(node.op) or (type(side.op) in SUMS and type(node.op) in (ast.Add, ast.Sub))


def _pairs(node: ast.Compare) -> list[tuple[ast.expr, ast.cmpop, ast.expr]]:
    sides = [node.left, *node.comparators]
    return list(zip(sides, node.ops, sides[1:], strict=False))


_HANDLERS: Final[dict[type[ast.expr], Callable[[Writer, ast.expr], str]]] = {
    ast.Name: Writer._name, ast.Attribute: Writer._attribute, ast.Constant: Writer._constant, ast.Subscript: Writer._subscript,
    ast.Call: Writer._call, ast.UnaryOp: Writer._unary, ast.BinOp: Writer._binary, ast.BoolOp: Writer._all_or_any,
    ast.Compare: Writer._compare,
}  # fmt: skip
