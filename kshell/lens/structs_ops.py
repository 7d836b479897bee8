"""Holding the kernel's tables of operations to those of a real Linux, entry by entry.

An entry that the model leaves empty is not compared; one that is filled must hold the function of that name.
"""

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import FunctionType, ModuleType
from typing import cast

import kshell.linux
from kshell.lens.loaded import kernel_modules
from kshell.linux.init.kernel import Kernel

Entries = dict[str, object]

# Offsets into struct net are names of settings here.
OFFSETS = {
    1200: "sysctl_tcp_wmem", 1212: "sysctl_tcp_rmem", 1296: "sysctl_udp_wmem_min", 1300: "sysctl_udp_rmem_min",
}  # fmt: skip

# Filled at run time, while the recording shows tables as they were linked; and a union that it leaves out.
NOT_LINKED = frozenset({"slab", "slab_name", "twsk_slab", "twsk_slab_name", "id", "h"})
NOT_LINKED_BY_STRUCT = {"neigh_table": frozenset({"gc_work", "parms_list", "proxy_queue", "proxy_timer", "stats"})}

# Of type __be16: in host order here.
NETWORK_ORDER = frozenset({("packet_type", "type"), ("neigh_table", "protocol")})


@dataclass(slots=True)
class TableResult:
    """One table: how many of its filled entries agree, and what is wrong with the others."""

    name: str
    agreeing: int = 0
    problems: list[tuple[str, str, str]] = field(default_factory=list)  # entry, expected, got

    @property
    def total(self) -> int:
        return self.agreeing + len(self.problems)


def import_kernel() -> list[str]:
    """Import every module of the kernel; what could not be imported."""
    failed = []
    for info in pkgutil.walk_packages(kshell.linux.__path__, "kshell.linux."):
        try:
            importlib.import_module(info.name)
        except ImportError as error:
            failed.append(f"{info.name}: {error}")
    return failed


def check_tables(recorded: Mapping[str, Mapping[str, object]], kernel: Kernel | None) -> list[TableResult]:
    """Compare every recorded table that the model has, at module level or as a global of `kernel`."""
    results = []
    for name, expected in recorded.items():
        table = _find(name, kernel)
        if table is not None:
            results.append(_check(name, expected, table))
    return results


def _find(name: str, kernel: Kernel | None) -> object | None:
    for module in kernel_modules():
        value = vars(module).get(name)
        if value is not None and not isinstance(value, FunctionType | type | ModuleType):
            return cast(object, value)
    return getattr(kernel, name, None) if kernel is not None else None


def _check(name: str, expected: Mapping[str, object], table: object) -> TableResult:
    result = TableResult(name)
    if "elements" in expected:
        rows = list(cast("list[object]", table))
        for i, row in enumerate(cast("list[Entries]", expected["elements"])):
            if i >= len(rows):
                result.problems.append((f"[{i}]", str(row), "missing"))
            else:
                _check_entries(result, f"[{i}].", row, rows[i])
    else:
        _check_entries(result, "", cast(Entries, expected["nonzero"]), table)
    return result


def _check_entries(result: TableResult, prefix: str, expected: Entries, table: object) -> None:
    struct = type(table).__name__
    not_linked = NOT_LINKED | NOT_LINKED_BY_STRUCT.get(struct, frozenset())
    for entry, value in _filled(table):
        if entry.startswith("_") or entry in not_linked:
            continue
        wanted = expected.get(entry)
        if (struct, entry) in NETWORK_ORDER and isinstance(wanted, int):
            wanted = int.from_bytes(wanted.to_bytes(2, "little"), "big")
        if _agree(wanted, value):
            result.agreeing += 1
        elif not (wanted is None and _is_zero(value)):
            result.problems.append((prefix + entry, str(wanted), _shown(value)))


def _filled(table: object) -> Iterator[tuple[str, object]]:
    names = [slot for kind in type(table).__mro__ for slot in getattr(kind, "__slots__", ())]
    names += [name for name in getattr(table, "__dict__", {}) if name not in names]
    for name in dict.fromkeys(names):
        if name not in ("__dict__", "__weakref__"):
            value = getattr(table, name, None)
            if value is not None:
                yield name, value


def _is_zero(value: object) -> bool:
    return value in (0, "", (), False) or (isinstance(value, list | dict | set) and not value)


def _agree(wanted: object, value: object) -> bool:
    if isinstance(wanted, dict):
        return all(_agree(inner, getattr(value, name, None)) for name, inner in wanted.items() if name != "tbl")
    if isinstance(wanted, int) and isinstance(value, str):
        return OFFSETS.get(wanted) == value
    if isinstance(wanted, int):
        return isinstance(value, int) and (value == wanted or value & 0xFFFFFFFF == wanted & 0xFFFFFFFF)
    return wanted is not None and _shown(value) == str(wanted)


def _shown(value: object) -> str:
    """The name of a function or of the global that this object is."""
    if isinstance(value, FunctionType):
        return value.__name__
    if isinstance(value, str | int):
        return str(value)
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    for module in kernel_modules():
        for name, candidate in vars(module).items():
            if candidate is value:
                return name
    return str(getattr(value, "name", type(value).__name__))
