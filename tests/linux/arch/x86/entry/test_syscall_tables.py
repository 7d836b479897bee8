"""The tables of system calls name every body that the kernel has, and its module."""

import importlib
import pkgutil
from types import ModuleType

import pytest

import kshell.linux
from kshell.linux.arch.x86.entry.syscall_32 import COMPAT_MODULES
from kshell.linux.arch.x86.entry.syscall_64 import MODULES, X64_CALLS, Bodies, places


def modules() -> list[ModuleType]:
    found = pkgutil.walk_packages(kshell.linux.__path__, "kshell.linux.")
    return [importlib.import_module(info.name) for info in found]


@pytest.mark.parametrize(("table", "prefix"), [(MODULES, "sys_"), (COMPAT_MODULES, "compat_sys_")])
def test_every_marked_function_serves_its_call(table: dict[str, str], prefix: str) -> None:
    marked = {
        name.removeprefix(prefix): value
        for module in modules()
        for name, value in vars(module).items()
        if name.startswith(prefix) and getattr(value, "syscall", False) and value.__module__ == module.__name__
    }
    assert dict(Bodies(places(table, prefix))) == marked


def test_a_call_that_the_kernel_lacks_is_not_in_the_table() -> None:
    assert "ptrace" not in X64_CALLS
    with pytest.raises(KeyError):
        X64_CALLS["ptrace"]
