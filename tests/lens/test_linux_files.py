"""Every function of the model is said to lie where Linux has it."""

from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from types import FunctionType

import pytest

import kshell.linux
from kshell.lens.linux_files import TABLE, LinuxFiles, linux_file
from kshell.lens.loaded import kernel_modules
from kshell.lens.trace_twins import HIDDEN, kernel_functions
from kshell.world.machine import Machine

CONFORMANCE = Path(__file__).resolve().parents[1] / "conformance"


@pytest.fixture(scope="module")
def shown() -> list[FunctionType]:
    """Every function that a trace can show."""
    Machine()
    for module in walk_packages(kshell.linux.__path__, "kshell.linux."):
        import_module(module.name)
    return list(kernel_functions())


@pytest.fixture(scope="module")
def linux() -> dict[str, list[str]]:
    """The functions of Linux 6.1, each with its files: recorded ones, and what else the model has of its source."""
    tables = (CONFORMANCE / "unrecorded.tsv", CONFORMANCE / "functions.tsv")
    rows = (row.split("\t") for table in tables for row in table.read_text().splitlines()[1:])
    return {name: files.split(",") for name, files in rows}


def test_traces_show_only_functions_that_linux_has(shown: list[FunctionType], linux: dict[str, list[str]]) -> None:
    assert {f.__name__: f.__module__ for f in shown if f.__name__ not in linux} == {}


def test_functions_are_in_the_files_of_the_real_kernel(shown: list[FunctionType], linux: dict[str, list[str]]) -> None:
    assert {f.__name__: linux_file(f) for f in shown if linux_file(f) not in linux.get(f.__name__, [linux_file(f)])} == {}


def test_what_is_hidden_from_traces_is_there(shown: list[FunctionType]) -> None:
    there = {name for module in kernel_modules() for name, value in vars(module).items() if isinstance(value, FunctionType)}
    assert there >= HIDDEN


def test_no_function_is_in_a_file_that_linux_does_not_have(shown: list[FunctionType]) -> None:
    files = set[str]()
    for kind, name, value in (row.split("\t") for row in TABLE.read_text().splitlines()[1:]):
        suffix = ".h" if name.startswith("include") else ".c"
        files |= {f"{name}/{stem}{suffix}" for stem in value.split()} if kind == "dir" else set(value.split(","))
    assert {f.__qualname__: linux_file(f) for f in shown if linux_file(f) not in files} == {}


def test_a_part_of_a_file_belongs_to_it() -> None:
    folders = {"net/ipv4": ["tcp_input", "tcp", "posix-timers"], "include/net": ["sock", "sock_reuseport"]}
    files = LinuxFiles(folders, {})
    assert files.file_of_module("kshell.linux.net.ipv4.tcp_input_ack") == "net/ipv4/tcp_input.c"
    assert files.file_of_module("kshell.linux.net.ipv4.tcp_splice") == "net/ipv4/tcp.c"
    assert files.file_of_module("kshell.linux.net.ipv4.posix_timers") == "net/ipv4/posix-timers.c"
    assert files.file_of_module("kshell.linux.include.linux.in_") == "include/linux/in.h"
    assert files.file_of_module("kshell.linux.include.net.sock_mem") == "include/net/sock.h"
    assert files.file_of_module("kshell.linux.include.net.sock_reuseport") == "include/net/sock_reuseport.h"
