"""/proc/kallsyms: the functions of the kernel and of its modules, with addresses (kernel/kallsyms.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from kshell.abi.capability import CAP_SYSLOG
from kshell.linux.fs.proc.generic import proc_create_seq
from kshell.linux.fs.seq_file import seq_list_next, seq_list_start, seq_printf
from kshell.linux.include.linux.seq_file import seq_file, seq_operations
from kshell.linux.kernel.kallsyms_symbols import _symbols, kallsym_iter

if TYPE_CHECKING:
    from kshell.linux.include.linux.cred import cred
    from kshell.linux.init.kernel import Kernel


def kallsyms_show_value(kernel: Kernel, cred: cred) -> bool:
    """Whether whoever has these credentials may see addresses: CAP_SYSLOG, and kernel.kptr_restrict below 2."""
    return kernel.kptr_restrict < 2 and bool(cred.cap_effective >> CAP_SYSLOG & 1)


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
    symbol = cast(kallsym_iter, p)
    value = symbol.value if kallsyms_show_value(m.file._kernel, m.file.f_cred) else 0
    module = f"\t[{symbol.module_name}]" if symbol.module_name else ""
    seq_printf(m, f"{value:016x} {symbol.type} {symbol.name}{module}\n")


kallsyms_op = seq_operations(start=s_start, next=s_next, stop=s_stop, show=s_show)


def kallsyms_init(kernel: Kernel) -> None:
    """Initcall: /proc/kallsyms."""
    proc_create_seq(kernel, "kallsyms", 0o444, None, kallsyms_op)
