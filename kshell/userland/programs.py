"""The programs by name: where each lies, so that only those that are run are read; and whether one may sleep."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from kshell.userland.runtime import Main

#: program → module of this package
PROGRAMS: Final = {
    "cat": "coreutils", "ls": "coreutils", "echo": "coreutils", "sysctl": "procps", "dmesg": "util_linux",
    "mount": "util_linux", "modprobe": "kmod", "rmmod": "kmod", "lsmod": "kmod", "ifconfig": "ifconfig",
    "route": "route", "arp": "arp", "netstat": "netstat", "ip": "iproute", "ss": "ss", "ping": "ping", "nc": "nc",
    "tcpdump": "tcpdump", "ethtool": "ethtool",
}  # fmt: skip
SLEEPERS: Final = frozenset({"ping", "nc", "tcpdump"})
"""Programs that may sleep: they get a task of their own."""


def main_of(name: str) -> Main:
    """The main function of a program: `main_NAME` of its module."""
    main: Main = getattr(import_module(f"kshell.userland.{PROGRAMS[name]}"), f"main_{name}")
    return main
