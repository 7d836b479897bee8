"""Why a system call failed: where the error arose, the condition that held there, the values in it.

A failing kernel function raises KernelError, so the traceback that the error carries is the reason.
Nothing is recorded while calls succeed.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from linecache import getlines
from pathlib import Path
from textwrap import dedent
from types import CodeType, FrameType, TracebackType
from typing import Final

from kshell.abi.errno import errno_name, strerror
from kshell.lens.names import constant, describe
from kshell.linux.include.linux.err import KernelError

KERNEL_DIR: Final = Path(__file__).resolve().parent.parent / "linux"
ENTRY: Final = "arch/x86/entry/common.py"
MAX_CONDITIONS: Final = 2
MAX_VALUE: Final = 60
KINDS: Final = {
    "sk_state": "sk_state", "skc_state": "sk_state", "sk_shutdown": "sk_shutdown", "f_flags": "f_flags", "i_mode": "i_mode",
    "sk_type": "sock_type",
}  # fmt: skip
"""Fields whose values have names."""


@dataclass(frozen=True, slots=True)
class Step:
    """One function on the way to the error: its name and file in the model, the line it had reached."""

    function: str
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Condition:
    """What had to be true for the error: the text in the source and the values of what it names."""

    text: str
    held: bool
    values: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a call failed. chain runs from the system call to the function that raised the error."""

    errno: int
    chain: tuple[Step, ...]
    conditions: tuple[Condition, ...] = field(default=())

    @property
    def name(self) -> str:
        """EAGAIN and the like."""
        return errno_name(self.errno)

    @property
    def meaning(self) -> str:
        """strerror() of it."""
        return strerror(self.errno)

    @property
    def origin(self) -> Step | None:
        """The function that raised the error."""
        return self.chain[-1] if self.chain else None


def reason(error: KernelError) -> Reason:
    """What the error's traceback tells."""
    frames = list(_kernel_frames(error.__traceback__))
    chain = tuple(Step(f.f_code.co_name, _file(f), line) for f, line in frames)
    shown = tuple(step for step in chain if not _hidden(step.function))
    conditions: tuple[Condition, ...] = ()
    if frames:
        conditions = tuple(_conditions(*frames[-1]))
    return Reason(error.errno, shown, conditions)


def _hidden(function: str) -> bool:
    """Helpers that Linux does not have begin with one underscore; Python's own methods are none either."""
    return function.startswith("<") or function == "__init__" or (function.startswith("_") and not function.startswith("__"))


def kernel_function(frame: FrameType) -> str:
    """The name of the kernel function that a frame runs; "" for the model's helpers and all that is no kernel."""
    code = frame.f_code
    name, path = code.co_name, Path(code.co_filename)
    known = path.is_relative_to(KERNEL_DIR) and path != KERNEL_DIR / ENTRY
    return name if known and not _hidden(name) else ""


def _kernel_frames(trace: TracebackType | None) -> Iterator[tuple[FrameType, int]]:
    while trace is not None:
        code = trace.tb_frame.f_code
        path = Path(code.co_filename)
        if path.is_relative_to(KERNEL_DIR) and path != KERNEL_DIR / ENTRY:
            yield trace.tb_frame, trace.tb_lineno
        trace = trace.tb_next


def _file(frame: FrameType) -> str:
    return str(Path(frame.f_code.co_filename).relative_to(KERNEL_DIR))


@lru_cache(maxsize=256)
def _parsed(code: CodeType) -> tuple[ast.Module, int]:
    """The source of a function, and how many lines of its file stand before it."""
    before = code.co_firstlineno - 1
    last = max(end for _, end, _, _ in code.co_positions() if end is not None)
    return ast.parse(dedent("".join(getlines(code.co_filename)[before:last]))), before


def _conditions(frame: FrameType, line: int) -> Iterator[Condition]:
    """The innermost tests that led to a line, nearest first."""
    tree, before = _parsed(frame.f_code)
    path = _path_to(tree, line - before)
    found = 0
    for outer, inner in reversed(list(pairwise(path))):
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef):
            break
        if isinstance(outer, ast.If | ast.While) and not isinstance(outer.test, ast.Constant):
            yield Condition(ast.unparse(outer.test), _within(inner, outer.body), tuple(_values(outer.test, frame)))
            found += 1
        if found == MAX_CONDITIONS:
            break


def _within(node: ast.AST, body: list[ast.stmt]) -> bool:
    return any(node is statement for statement in body)


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


def _values(test: ast.expr, frame: FrameType) -> Iterator[tuple[str, str]]:
    """The names and fields in a test that are not constants, with what they hold."""
    seen: set[str] = set()
    for node in _operands(test):
        text = ast.unparse(node)
        if text in seen or text.isupper():
            continue
        seen.add(text)
        try:
            value = _look(node, frame)
        except (AttributeError, KeyError, IndexError, TypeError):
            continue
        if not callable(value):
            yield text, _named(node, value)


def _named(node: ast.expr, value: object) -> str:
    """A value as Linux names it, where its field says what kind of value it is."""
    kind = KINDS.get(node.attr, "") if isinstance(node, ast.Attribute) else ""
    return constant(kind, value) if kind and isinstance(value, int) else _short(value)


def _operands(node: ast.AST) -> Iterator[ast.expr]:
    """The outermost names, fields and items under a node; of a call only its arguments."""
    if isinstance(node, ast.Attribute | ast.Name | ast.Subscript):
        yield node
        return
    children = node.args if isinstance(node, ast.Call) else ast.iter_child_nodes(node)
    for child in children:
        yield from _operands(child)


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


def _short(value: object) -> str:
    text = describe(value)
    return text if len(text) <= MAX_VALUE else text[: MAX_VALUE - 1] + "…"
