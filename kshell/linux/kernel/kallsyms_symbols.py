"""The symbols of the kernel and of its modules, by address: what /proc/kallsyms lists.

The model has no machine code. An address stands for a function: they follow each other in the order of the source
files, 16 bytes for each line of the source, and are the same in every run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from kshell.linux.include.linux.syscalls import _entry_name

if TYPE_CHECKING:
    from kshell.linux.include.linux.module import _module_file
    from kshell.linux.init.kernel import Kernel

_ROOT: Final = Path(__file__).parents[1]
_LINK_ORDER: Final = ("init", "arch", "kernel", "mm", "fs", "ipc", "security", "lib", "drivers", "net")
_DEFINITION: Final = re.compile(r"^(@(?:COMPAT_)?SYSCALL_DEFINE\n)?(?:async )?def (\w+)", re.MULTILINE)
_START: Final = 0xFFFFFFFF81000000
_BYTES_A_LINE: Final = 16


class kallsym_iter(NamedTuple):
    """A symbol; module_name is empty for what is built in."""

    value: int
    type: str
    name: str
    module_name: str = ""


def _functions(file: Path) -> Iterator[tuple[str, int]]:
    """Name and size of each function of a source file."""
    text = file.read_text(encoding="utf-8")
    found = list(_DEFINITION.finditer(text))
    ends = [match.start() for match in found[1:]] + [len(text)]
    for match, end in zip(found, ends, strict=False):  # a file may have no functions
        marked, name = match.groups()
        if not name.startswith("_") or name.startswith("__"):
            yield _entry_name(name) if marked else name, text.count("\n", match.start(), end) * _BYTES_A_LINE


@cache
def _text_of(files: tuple[Path, ...], start: int, module_name: str) -> tuple[kallsym_iter, ...]:
    """The symbols of source files, from an address on."""
    symbols = []
    for file in files:
        for name, size in _functions(file):
            symbols.append(kallsym_iter(start, "T" if not module_name else "t", name, module_name))
            start += size
    return tuple(symbols)


def _module_sources(file: _module_file) -> tuple[Path, ...]:
    """The source files of a module: all of a directory of its name, or the one that holds its init function."""
    path = _ROOT.joinpath(*file._python_module().split(".")[2:]).with_suffix(".py")
    return tuple(sorted(path.parent.glob("*.py"))) if path.parent.name == file.name else (path,)


def _built_in(kernel: Kernel) -> tuple[kallsym_iter, ...]:
    elsewhere = {source for file in kernel.module_files for source in _module_sources(file)}
    files = (path for part in _LINK_ORDER for path in sorted((_ROOT / part).rglob("*.py")))
    text = _text_of(tuple(path for path in files if path not in elsewhere), _START, "")
    return (kallsym_iter(_START, "T", "_stext"), kallsym_iter(_START, "T", "_text"), *text)


def _symbols(kernel: Kernel) -> list[kallsym_iter]:
    """All symbols, those of modules last."""
    found = list(_built_in(kernel))
    for file in kernel.module_files:
        module = kernel.modules.get(file.name)
        if module is not None:
            found += _text_of(_module_sources(file), module._addr, file.name)
    return found
