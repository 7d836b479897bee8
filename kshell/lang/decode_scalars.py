"""How values in registers are shown: a table from style to function; and a call that has entered."""

from collections.abc import Callable
from functools import cache
from typing import Final

from kshell.abi import names
from kshell.abi.fcntl import AT_FDCWD, O_CREAT
from kshell.abi.socket import AF_INET, AF_INET6, AF_NETLINK, AF_PACKET
from kshell.abi.syscalls import Param, Syscall
from kshell.lang import text
from kshell.lang.option_types import OPTION_NAMES
from kshell.lang.show import Shower

_TMPFILE: Final = 0o20000000
MASK32: Final = 0xFFFFFFFF


class Entered:
    """A call that has entered: C values of its arguments, and what its pointers pointed to then, as text."""

    def __init__(self, shower: Shower, syscall: Syscall, args: dict[str, int]) -> None:
        self.shower = shower
        self.syscall = syscall
        self.args = args
        self.before: dict[str, str] = {}

    def number(self, name: str) -> int:
        """A sibling argument's value; a pointer to a length gives the length now."""
        if name.isdigit():
            return int(name)
        param = self.syscall.param(name)
        value = self.args.get(name, 0)
        if param is not None and param.kind.style == "socklen":
            words = self.shower.words_at(value, 1, 4)
            return words[0] if words else -1
        return value


Show = Callable[[Entered, Param, int], "str | None"]
ShowAfter = Callable[[Entered, Param, int, "int | None"], str]

#: strace's order and names of clone()'s arguments
CLONE_NAMES: Final = {
    "newsp": "child_stack", "clone_flags": "flags", "parent_tidptr": "parent_tid", "tls": "tls",
    "child_tidptr": "child_tidptr",
}  # fmt: skip
CLONE_NEEDS: Final = {"parent_tidptr": 0x00100000 | 0x1000, "tls": 0x00080000, "child_tidptr": 0x01200000}


@cache
def shown_order(syscall: Syscall) -> tuple[Param, ...]:
    """The parameters in the order in which strace shows them."""
    if syscall.name != "clone":
        return syscall.params
    return tuple(param for name in CLONE_NAMES for param in syscall.params if param.name == name)


# ---- values in registers ----


def _enum(entered: Entered, param: Param, value: int) -> str:
    table = param.kind.args[0]
    if table == "ioctl":
        return _ioctl_name(value)
    return names.enumeration(table).text(value)


def _ioctl_name(value: int) -> str:
    known = names.enumeration("ioctl").name(value)
    if known is not None:
        return known
    if 0x89F0 <= value <= 0x89FF:
        return "SIOCDEVPRIVATE" + (f"+{value - 0x89F0}" if value > 0x89F0 else "")
    if 0x89E0 <= value <= 0x89EF:
        return "SIOCPROTOPRIVATE" + (f"+{value - 0x89E0}" if value > 0x89E0 else "")
    direction = ("_IOC_NONE", "_IOC_WRITE", "_IOC_READ", "_IOC_READ|_IOC_WRITE")[value >> 30 & 3]
    return f"_IOC({direction}, {value >> 8 & 0xFF:#x}, {value & 0xFF:#x}, {value >> 16 & 0x3FFF:#x})"


def _flags(entered: Entered, param: Param, value: int) -> str:
    table = param.kind.args[0]
    if table == "open":
        return text.open_flags(value & MASK32)
    if table == "open_only":
        return text.open_flags(value & MASK32, modes=False)
    if table == "clone":
        return names.flags("clone").text(value)
    if table == "at_statx":
        return _statx_flags(value & MASK32)
    return names.flags(table).text(value & MASK32)


def _statx_flags(value: int) -> str:
    """The kind of synchronization always has a name, even when it is 0."""
    kinds = {0: "AT_STATX_SYNC_AS_STAT", 0x2000: "AT_STATX_FORCE_SYNC", 0x4000: "AT_STATX_DONT_SYNC"}
    rest = value & ~0x6000
    return "|".join([kinds.get(value & 0x6000, hex(value & 0x6000))] + ([names.flags("at").text(rest)] if rest else []))


def _open_mode(entered: Entered, param: Param, value: int) -> str | None:
    flags = entered.number(param.kind.args[0])
    return text.octal(value) if flags & O_CREAT or flags & _TMPFILE == _TMPFILE else None


def _dirfd(entered: Entered, param: Param, value: int) -> str:
    return "AT_FDCWD" if value == AT_FDCWD else str(value)


def _protocol(entered: Entered, param: Param, value: int) -> str:
    family = entered.number(param.kind.args[0])
    if family in (AF_INET, AF_INET6):
        return names.enumeration("ipproto").name(value) or str(value)
    if family == AF_NETLINK:
        return names.enumeration("netlink_family").text(value)
    if family == AF_PACKET:
        swapped = int.from_bytes((value & 0xFFFF).to_bytes(2, "little"), "big")
        return f"htons({names.enumeration('ethertype').text(swapped)})"
    return str(value)


def _optname(entered: Entered, param: Param, value: int) -> str:
    table = OPTION_NAMES.get(entered.number(param.kind.args[0]))
    if table is None:
        return str(value)
    return names.enumeration(table).text(value)


def _clone_flags(entered: Entered, param: Param, value: int) -> str:
    return f"flags={text.clone_flags(value)}"


def _pointer(entered: Entered, param: Param, value: int) -> str | None:
    if entered.syscall.name == "clone":
        needs = CLONE_NEEDS.get(param.name)
        if needs is not None and not entered.args.get("clone_flags", 0) & needs:
            return None
        return f"{CLONE_NAMES[param.name]}={text.address(value)}"
    return text.address(value)


def _hex(entered: Entered, param: Param, value: int) -> str | None:
    if entered.syscall.name == "prctl" and not value:
        return None
    return hex(value) if value else "0"


def _prctl(entered: Entered, param: Param, value: int) -> str:
    if entered.args.get("option") == 15:  # PR_SET_NAME
        return entered.shower.path(value)
    return text.address(value) if value > 4096 else str(value)


SCALARS: Final[dict[str, Show]] = {
    "int": lambda entered, param, value: str(value),
    "uint": lambda entered, param, value: str(value),
    "fd": lambda entered, param, value: str(((value & MASK32) ^ 0x80000000) - 0x80000000),
    "id": lambda entered, param, value: "-1" if value == MASK32 else str(value),
    "hex": _hex,
    "offset_hex": lambda entered, param, value: hex(value) if value else "0",
    "octal": lambda entered, param, value: text.octal(value),
    "open_mode": _open_mode,
    "file_mode": lambda entered, param, value: text.file_mode(value),
    "device": lambda entered, param, value: text.device(value),
    "dirfd": _dirfd,
    "enum": _enum,
    "flags": _flags,
    "signal": lambda entered, param, value: names.signal_name(value),
    "socktype": lambda entered, param, value: text.socket_type(value),
    "protocol": _protocol,
    "optname": _optname,
    "clone_flags": _clone_flags,
    "pointer": _pointer,
    "hidden": lambda entered, param, value: None,
    "prctl": _prctl,
}
