"""What had to be true for an error: the tests in the source that led to its line, in C, and the values they looked at."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from linecache import getlines
from textwrap import dedent
from types import CodeType, FrameType
from typing import Final

from kshell.abi.errno import NUMBERS, errno_name
from kshell.abi.names import all_constants
from kshell.lens.names import constant, ipv4, table
from kshell.lens.why_c import BITS, UNKNOWN, NoC, Writer

MAX_CONDITIONS: Final = 2
SHORT: Final = 60
"""Characters of a second condition: a longer one leads away from the first."""

MAX_VALUE: Final = 60
KINDS: Final = {
    "sk_state": "sk_state", "sk_shutdown": "sk_shutdown", "f_flags": "f_flags", "i_mode": "i_mode", "sk_type": "sock_type",
    "skc_state": "sk_state",
}  # fmt: skip
"""Fields whose values have names."""

_ADDRESS: Final = re.compile(r"(.*_)?[sd]?addr")
_PREFIX: Final = re.compile(r"[A-Z]+_")
_ERRORS: Final = frozenset({"err", "error", "ret", "retval", "sk_err"})
_SMALL: Final = 10
_OTHERS: Final = ("MT", "MASK", "LOCK")
"""Ends of names of masks: they are no values."""

_EQUALITY: Final = (ast.Eq, ast.NotEq, ast.In, ast.NotIn)


@dataclass(frozen=True, slots=True)
class Condition:
    """One test: its text in C, whether it held, and the values of what it names."""

    text: str
    held: bool
    values: tuple[tuple[str, str], ...] = ()


def conditions(frame: FrameType, line: int, errno: int) -> Iterator[Condition]:
    """The innermost tests that led to a line that raised an error, nearest first."""
    tree, before = _parsed(frame.f_code)
    way = _way_to(tree, line - before)
    telling = [(test, held) for test, held in way if not _tells_no_more_than(test, errno, frame)]
    if len(telling) < len(way):
        telling = telling or _way_to_assignment(tree, errno)
    found = 0
    for test, held in telling:
        seen = _condition(test, held, frame, errno)
        if seen is not None and (not found or len(seen.text) <= SHORT):
            yield seen
            found += 1
        if found == MAX_CONDITIONS:
            break


def _condition(test: ast.expr, held: bool, frame: FrameType, errno: int) -> Condition | None:
    """The test as C has it; None if C has no words for it."""
    if not held and isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        test, held = test.operand, True
    writer = Writer(lambda node: _look(node, frame))
    try:
        return Condition(writer.text(test), held, tuple(_values(test, frame, writer, errno)))
    except NoC:
        return None


# ---- the source


@lru_cache(maxsize=256)
def _parsed(code: CodeType) -> tuple[ast.Module, int]:
    """The source of a function, and how many lines of its file stand before it."""
    before = code.co_firstlineno - 1
    last = max(end for _, end, _, _ in code.co_positions() if end is not None)
    return ast.parse(dedent("".join(getlines(code.co_filename)[before:last]))), before


def _way_to(tree: ast.AST, line: int) -> list[tuple[ast.expr, bool]]:
    """The tests that stand around a line, and whether it is where each is true; the innermost first."""
    way = []
    for outer, inner in reversed(list(pairwise(_path_to(tree, line)))):
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef):
            break
        if isinstance(outer, ast.If | ast.While) and not isinstance(outer.test, ast.Constant):
            way.append((outer.test, any(inner is statement for statement in outer.body)))
    return way


def _path_to(tree: ast.AST, line: int) -> list[ast.AST]:
    """The nodes from the module down to the smallest statement at a line."""
    path: list[ast.AST] = [tree]
    node: ast.AST | None = tree
    while node is not None:
        children = [c for c in ast.iter_child_nodes(node) if isinstance(c, ast.stmt | ast.excepthandler)]
        node = next((c for c in children if c.lineno <= line <= (c.end_lineno or c.lineno)), None)
        if node is not None:
            path.append(node)
    return path


def _tells_no_more_than(test: ast.expr, errno: int, frame: FrameType) -> bool:
    """Whether a test is `if err:`: that there was an error is known."""
    return isinstance(test, ast.Name) and test.id in _ERRORS and frame.f_locals.get(test.id) in (errno, -errno)


def _way_to_assignment(tree: ast.AST, errno: int) -> list[tuple[ast.expr, bool]]:
    """The tests around `err = ENOTCONN`, if that stands in one place only."""
    name = errno_name(errno)
    places = [node for node in ast.walk(tree) if isinstance(node, ast.Assign) and isinstance(node.value, ast.Name)
              and node.value.id == name]  # fmt: skip
    return _way_to(tree, places[0].lineno) if len(places) == 1 else []


# ---- the values


def _values(test: ast.expr, frame: FrameType, writer: Writer, errno: int) -> Iterator[tuple[str, str]]:
    """The names and fields in a test that are not constants, with what they hold."""
    seen: set[str] = set()
    for node, argument in _operands(test):
        try:
            text, value = writer.text(node), _look(node, frame)
        except (NoC, *UNKNOWN):
            continue
        shown = _told_of(node, value, errno) or _shown(node, value, test, frame)
        if text in seen or text.isupper() or text[:1].isdigit() or not shown or (argument and shown.startswith("0xffff")):
            continue
        seen.add(text)
        yield text, shown


def _told_of(node: ast.expr, value: object, errno: int) -> str:
    """What `sk->sk_err` held before sock_error() gave it as this error, and took it away; "" of all else."""
    taken = isinstance(node, ast.Attribute) and node.attr == "sk_err" and value == 0
    return f"{errno_name(errno)}; told once, it is 0 again" if taken else ""


def _operands(node: ast.AST, argument: bool = False) -> Iterator[tuple[ast.expr, bool]]:
    """The outermost names, fields and items under a node; of a call its arguments, marked as such."""
    if isinstance(node, ast.Attribute | ast.Name | ast.Subscript):
        yield node, argument
        return
    called = isinstance(node, ast.Call)
    children = node.args if isinstance(node, ast.Call) else ast.iter_child_nodes(node)
    for child in children:
        yield from _operands(child, argument or called)


def _look(node: ast.expr, frame: FrameType) -> object:
    """The value of a name, a field or an item, without running any code of the model."""
    if isinstance(node, ast.Name):
        return frame.f_locals[node.id] if node.id in frame.f_locals else frame.f_globals[node.id]
    if isinstance(node, ast.Attribute):
        return getattr(_look(node.value, frame), node.attr)
    if isinstance(node, ast.Subscript):
        container, index = _look(node.value, frame), _look(node.slice, frame)
        if isinstance(container, list | tuple | dict):
            return container[index]  # type: ignore[index,call-overload,unused-ignore]  # a wrong type is caught above
        raise TypeError
    if isinstance(node, ast.Constant):
        return node.value
    raise TypeError


def _shown(node: ast.expr, value: object, test: ast.expr, frame: FrameType) -> str:
    """A value in Linux's words; "" if it would say nothing (a function, a container, a static table by its own name)."""
    if callable(value) or isinstance(value, list | tuple | dict | set | frozenset):
        return ""
    if isinstance(value, int):
        return _number(node, value, test, frame)
    if isinstance(node, ast.Name) and node.id not in frame.f_locals:
        return ""
    text = table(value)
    if text.startswith("("):
        return ""
    return text if len(text) <= MAX_VALUE else text[: MAX_VALUE - 1] + "…"


def _number(node: ast.expr, value: int, test: ast.expr, frame: FrameType) -> str:
    """A number by the name that it has where it is: of a state, a constant that it is compared with, an error, an address."""
    name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    if name in KINDS:
        return constant(KINDS[name], value)
    if name in _ERRORS and abs(value) in NUMBERS.values():
        return errno_name(abs(value)) if value > 0 else f"-{errno_name(-value)}"
    if _ADDRESS.fullmatch(name) and value > 0xFFFF and "/net/" in frame.f_code.co_filename:
        return ipv4(value)
    if _is_bits(node, test) and value > _SMALL:
        return f"{value:#x}"
    return _by_prefix(node, value, test, frame) or (str(int(value)) if value < 1 << 32 else f"{value:#x}")


def _is_bits(node: ast.expr, test: ast.expr) -> bool:
    """Whether a test looks at the bits of an operand."""
    operations = (each for each in ast.walk(test) if isinstance(each, ast.BinOp) and type(each.op) in BITS)
    return any(node in (each.left, each.right) for each in operations)


def _by_prefix(node: ast.expr, value: int, test: ast.expr, frame: FrameType) -> str:
    """The constant of a value that is compared with constants: of those that begin as they do, and that the file knows."""
    for each in ast.walk(test):
        if isinstance(each, ast.Compare) and node in (each.left, *each.comparators) and isinstance(each.ops[0], _EQUALITY):
            prefixes = tuple({found[0] for name in _constants(each) if (found := _PREFIX.match(name))})
            for name, other in [*frame.f_globals.items(), *_of_the_abi(prefixes)]:
                fits = name.startswith(prefixes) and not name.endswith(_OTHERS)
                if fits and type(other) is int and other == value:
                    return name
    return ""


def _of_the_abi(prefixes: tuple[str, ...]) -> Iterator[tuple[str, int]]:
    return all_constants() if any(prefix in ("AF_", "SOCK_", "SOL_", "IPPROTO_") for prefix in prefixes) else iter(())


def _constants(node: ast.AST) -> Iterator[str]:
    return (each.id for each in ast.walk(node) if isinstance(each, ast.Name) and each.id.isupper())
