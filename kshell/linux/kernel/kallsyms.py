"""/proc/kallsyms: the functions of the kernel and of its modules, with addresses (kernel/kallsyms.c).

The model has no machine code. An address stands for a function: they follow each other in the order of the source
files, 16 bytes for each line of the source, and are the same in every run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, cast

from kshell.abi.capability import CAP_SYSLOG
from kshell.linux.fs.proc.generic import proc_create_seq
from kshell.linux.fs.seq_file import seq_list_next, seq_list_start, seq_printf
from kshell.linux.include.linux.seq_file import seq_file, seq_operations
from kshell.linux.include.linux.syscalls import entry_name

if TYPE_CHECKING:
    from kshell.linux.include.linux.cred import cred
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


def kallsyms_show_value(kernel: Kernel, cred: cred) -> bool:
    """Whether whoever has these credentials may see addresses: CAP_SYSLOG, and kernel.kptr_restrict below 2."""
    return kernel.kptr_restrict < 2 and bool(cred.cap_effective >> CAP_SYSLOG & 1)


def _functions(file: Path) -> Iterator[tuple[str, int]]:
    """Name and size of each function of a source file."""
    text = file.read_text(encoding="utf-8")
    found = list(_DEFINITION.finditer(text))
    ends = [match.start() for match in found[1:]] + [len(text)]
    for match, end in zip(found, ends, strict=False):  # a file may have no functions
        marked, name = match.groups()
        if not name.startswith("_") or name.startswith("__"):
            yield entry_name(name) if marked else name, text.count("\n", match.start(), end) * _BYTES_A_LINE


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
    symbols = list(_built_in(kernel))
    for file in kernel.module_files:
        module = kernel.modules.get(file.name)
        if module is not None:
            symbols += _text_of(_module_sources(file), module._addr, file.name)
    return symbols


def s_start(m: seq_file, pos: list[int]) -> object:
    """The symbol at a position. A reader that begins sees the modules of that moment."""
    if m.private is None or not pos[0]:
        m.private = _symbols(m.file._kernel)
    return seq_list_start(cast("list[kallsym_iter]", m.private), pos[0])


def s_next(m: seq_file, p: object, pos: list[int]) -> object:
    """The next symbol."""
    return seq_list_next(p, cast("list[kallsym_iter]", m.private), pos)


def s_stop(m: seq_file, p: object) -> None:
    """The end of a read."""


def s_show(m: seq_file, p: object) -> None:
    """A line: address (0 for who may not see it), type, name, module."""
    symbol = cast("kallsym_iter", p)
    value = symbol.value if kallsyms_show_value(m.file._kernel, m.file.f_cred) else 0
    module = f"\t[{symbol.module_name}]" if symbol.module_name else ""
    seq_printf(m, f"{value:016x} {symbol.type} {symbol.name}{module}\n")


kallsyms_op = seq_operations(start=s_start, next=s_next, stop=s_stop, show=s_show)


def kallsyms_init(kernel: Kernel) -> None:
    """Initcall: /proc/kallsyms."""
    proc_create_seq(kernel, "kallsyms", 0o444, None, kallsyms_op)
