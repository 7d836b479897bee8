"""Every function of the model is said to lie where Linux has it."""

from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import kshell.linux
from kshell.lens.linux_files import TABLE, LinuxFiles, linux_file
from kshell.lens.trace_twins import kernel_functions
from kshell.world.machine import Machine

FUNCTIONS = Path(__file__).resolve().parents[1] / "conformance" / "functions.tsv"


def test_files_are_those_of_the_real_kernel() -> None:
    Machine()
    recorded = dict(row.split("\t") for row in FUNCTIONS.read_text().splitlines()[1:])
    wrong = {
        function.__name__: linux_file(function)
        for function in kernel_functions()
        if function.__name__ in recorded and linux_file(function) not in recorded[function.__name__].split(",")
    }
    assert wrong == {}


def test_no_function_is_in_a_file_that_linux_does_not_have() -> None:
    for module in walk_packages(kshell.linux.__path__, "kshell.linux."):
        import_module(module.name)
    files = set[str]()
    for kind, name, value in (row.split("\t") for row in TABLE.read_text().splitlines()[1:]):
        suffix = ".h" if name.startswith("include") else ".c"
        files |= {f"{name}/{stem}{suffix}" for stem in value.split()} if kind == "dir" else set(value.split(","))
    assert {f.__qualname__: linux_file(f) for f in kernel_functions() if linux_file(f) not in files} == {}


def test_a_part_of_a_file_belongs_to_it() -> None:
    folders = {"net/ipv4": ["tcp_input", "tcp", "posix-timers"], "include/net": ["sock", "sock_reuseport"]}
    files = LinuxFiles(folders, {})
    assert files.file_of_module("kshell.linux.net.ipv4.tcp_input_ack") == "net/ipv4/tcp_input.c"
    assert files.file_of_module("kshell.linux.net.ipv4.tcp_splice") == "net/ipv4/tcp.c"
    assert files.file_of_module("kshell.linux.net.ipv4.posix_timers") == "net/ipv4/posix-timers.c"
    assert files.file_of_module("kshell.linux.include.linux.in_") == "include/linux/in.h"
    assert files.file_of_module("kshell.linux.include.net.sock_mem") == "include/net/sock.h"
    assert files.file_of_module("kshell.linux.include.net.sock_reuseport") == "include/net/sock_reuseport.h"
