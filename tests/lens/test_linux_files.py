"""Every function of the model is said to lie where Linux has it."""

from pathlib import Path

from kshell.lens.linux_files import LinuxFiles, linux_file
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


def test_a_part_of_a_file_belongs_to_it() -> None:
    files = LinuxFiles({"net/ipv4": ["tcp_input", "tcp", "posix-timers"]}, {})
    assert files.file_of_module("kshell.linux.net.ipv4.tcp_input_ack") == "net/ipv4/tcp_input.c"
    assert files.file_of_module("kshell.linux.net.ipv4.tcp_splice") == "net/ipv4/tcp.c"
    assert files.file_of_module("kshell.linux.net.ipv4.posix_timers") == "net/ipv4/posix-timers.c"
    assert files.file_of_module("kshell.linux.include.linux.in_") == "include/linux/in.h"
