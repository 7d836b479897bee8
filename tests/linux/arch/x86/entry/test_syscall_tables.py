"""The tables of system calls name every body that the kernel has, and its module."""

import importlib
import pkgutil
from types import ModuleType

import pytest

import kshell.linux
from kshell.linux.arch.x86.entry.syscall_32 import IA32_CALLS
from kshell.linux.arch.x86.entry.syscall_64 import X64_CALLS, Bodies

CALL_OF = {"recvmmsg_time32": "recvmmsg"}  # syscall_32.tbl: a call whose function has another name


def modules() -> list[ModuleType]:
    found = pkgutil.walk_packages(kshell.linux.__path__, "kshell.linux.")
    return [importlib.import_module(info.name) for info in found]


@pytest.mark.parametrize(("calls", "prefix"), [(X64_CALLS, "sys_"), (IA32_CALLS, "compat_sys_")])
def test_every_marked_function_serves_its_call(calls: Bodies, prefix: str) -> None:
    marked = {
        CALL_OF.get(name.removeprefix(prefix), name.removeprefix(prefix)): value
        for module in modules()
        for name, value in vars(module).items()
        if name.startswith(prefix) and getattr(value, "syscall", False) and value.__module__ == module.__name__
    }
    assert {call: body for call, body in calls.items() if body.__name__.startswith(prefix)} == marked


def test_a_call_that_the_kernel_lacks_is_not_in_the_table() -> None:
    assert "ptrace" not in X64_CALLS
    with pytest.raises(KeyError):
        X64_CALLS["ptrace"]
