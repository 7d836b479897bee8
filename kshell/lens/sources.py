"""Where a kernel function is: its source in the model, Linux's file, who calls it and whom it calls."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from types import CodeType, FunctionType
from typing import Final

from kshell.lens.debug.frames import true_code
from kshell.lens.loaded import KERNEL, kernel_modules
from kshell.lens.trace_twins import is_shown, kernel_functions

LESSONS: Final = Path(__file__).resolve().parent.parent / "lessons"


def callees(function: FunctionType) -> list[str]:
    """The kernel functions whose names its code uses, in the order of the code."""
    known = _known()
    return [name for name in _names_in(function) if name in known and name != function.__name__]


def callers(function: FunctionType) -> list[str]:
    """The kernel functions whose code uses its name."""
    return list(_callers().get(function.__name__, ()))


def tables(function: FunctionType) -> list[str]:
    """The operations that are this function: `tcp_prot.connect`."""
    return [f"{table}.{field}" for table, field, value in _operations() if value is function]


def lessons(name: str) -> Iterator[tuple[str, int, str]]:
    """Lines of lessons that speak of a function: file, number, text."""
    word = re.compile(rf"\b{re.escape(name)}\b")
    for path in sorted(LESSONS.glob("*.ks")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if word.search(line):
                yield path.name, number, line.strip("# ")


def _names_in(function: FunctionType) -> dict[str, None]:
    """The names that a function's code uses, those of the model's own helpers that it calls included."""
    found: dict[str, None] = {}
    waiting, seen = [function.__code__], set[CodeType]()
    while waiting:
        code = true_code(waiting.pop(0))
        if code in seen:
            continue
        seen.add(code)
        for name in code.co_names:
            found[name] = None
            helper = function.__globals__.get(name)
            if isinstance(helper, FunctionType) and helper.__module__ == function.__module__ and not is_shown(name):
                waiting.append(helper.__code__)
        waiting += [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    return found


@cache
def _functions(modules: int) -> tuple[FunctionType, ...]:
    return tuple(kernel_functions())


def _all() -> Iterable[FunctionType]:
    """Every kernel function; looked for again when modules were imported since."""
    return _functions(len(sys.modules))


def _known() -> frozenset[str]:
    return frozenset(function.__name__ for function in _all())


@cache
def _callers_of(modules: int) -> dict[str, dict[str, None]]:
    known, found = _known(), dict[str, dict[str, None]]()
    for function in _all():
        for name in _names_in(function):
            if name in known and name != function.__name__:
                found.setdefault(name, {})[function.__name__] = None
    return found


def _callers() -> dict[str, dict[str, None]]:
    return _callers_of(len(sys.modules))


def _operations() -> Iterator[tuple[str, str, object]]:
    """Table, field and function of every table of operations."""
    for module in kernel_modules():
        for name, value in sorted(vars(module).items()):
            if type(value).__module__.startswith(KERNEL) and not callable(value):
                for field in (slot for cls in type(value).__mro__ for slot in getattr(cls, "__slots__", ())):
                    yield name, field, getattr(value, field, None)
