"""The programs by name: where each lies, so that only those that are run are read; and whether one may sleep."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from kshell.userland.runtime import Main

#: program → module of this package
PROGRAMS: Final = {
    "cat": "coreutils", "ls": "ls", "echo": "coreutils", "sysctl": "procps", "dmesg": "util_linux",
    "mount": "util_linux", "modprobe": "kmod", "rmmod": "kmod", "lsmod": "kmod", "ifconfig": "ifconfig",
    "route": "route", "arp": "arp", "netstat": "netstat", "ip": "iproute", "ss": "ss", "ping": "ping", "nc": "nc",
    "tcpdump": "tcpdump", "ethtool": "ethtool",
}  # fmt: skip
SLEEPERS: Final = frozenset({"ping", "nc", "tcpdump"})
"""Programs that may sleep."""

_OBJECTS: Final = ("monitor", "netns")


def wants_a_task(argv: list[str]) -> bool:
    """Whether a program gets a task of its own: it may sleep, or goes into another namespace."""
    if argv[0] != "ip":
        return argv[0] in SLEEPERS
    options = [word for word in argv[1:] if word.startswith("-")]
    first = next((word for word in argv[1:] if not word.startswith("-")), "")
    elsewhere = any(len(word) > 1 and "-netns".startswith("-" + word.lstrip("-")) for word in options)
    return elsewhere or any(len(first) > 1 and name.startswith(first) for name in _OBJECTS)


def main_of(name: str) -> Main:
    """The main function of a program: `main_NAME` of its module."""
    main: Main = getattr(import_module(f"kshell.userland.{PROGRAMS[name]}"), f"main_{name}")
    return main
