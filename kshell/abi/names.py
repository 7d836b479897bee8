"""Names of the user ABI's values, by kind: what a number is called where it stands.

``enumeration("af").name(2)`` is ``AF_INET``; ``flags("open").text(0o102)`` is ``O_RDWR|O_CREAT``. Unknown values are
written as strace does: ``0x63 /* AF_??? */``, ``O_RDONLY|0x40000000``. ``constant("SO_LINGER")`` is 13, whatever the
kind. The order of the flags' names is strace's.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from types import MappingProxyType
from typing import Final

from kshell.abi import errno, name_tables, signal
from kshell.abi.record import Record

#: modules that hold constants, those that most programs use first; names are looked up in this order
MODULES: Final = (
    "socket", "fcntl", "inet", "tcp", "poll", "signal", "sched", "stat", "ioctl", "time", "resource", "netdevice",
    "packet", "netlink", "rtnetlink", "neighbour", "mman", "if_link", "sock_diag", "capability", "ethtool",
)  # fmt: skip


class Enumeration(Record):
    """Names of single values."""

    unknown: str
    by_value: Mapping[int, str]

    def name(self, value: int) -> str | None:
        """The name, or None."""
        return self.by_value.get(value)

    def text(self, value: int) -> str:
        """The name, or the number with a remark: ``0x63 /* AF_??? */``."""
        name = self.by_value.get(value)
        if name is not None:
            return name
        number = hex(value & 0xFFFFFFFF)
        return f"{number} /* {self.unknown} */" if self.unknown else number

    def names(self) -> tuple[str, ...]:
        """Every name, in the order of the values."""
        return tuple(self.by_value[value] for value in sorted(self.by_value))


class FlagSet(Record):
    """Names of bits that are or-ed together."""

    zero: str
    unknown: str
    bits: tuple[tuple[int, str], ...]

    def split(self, value: int) -> tuple[list[str], int]:
        """The names in a value, and the bits that have none."""
        names = []
        for bit, name in self.bits:
            if value & bit == bit:
                names.append(name)
                value &= ~bit
        return names, value

    def text(self, value: int) -> str:
        """The names with ``|`` between, unknown bits as a number at the end."""
        if not value:
            return self.zero or "0"
        names, rest = self.split(value)
        if not names:
            return f"{rest:#x} /* {self.unknown} */" if self.unknown else hex(rest)
        return "|".join(names + ([hex(rest)] if rest else []))

    def names(self) -> tuple[str, ...]:
        """Every name, in strace's order."""
        return tuple(name for _, name in self.bits)


@cache
def _module(name: str) -> Mapping[str, int]:
    values = vars(import_module(f"kshell.abi.{name}"))
    return {key: value for key, value in values.items() if isinstance(value, int) and key.upper()[0] == key[0]}


@cache
def constant(name: str) -> int | None:
    """The value of a constant of any kind (errno names included), or None."""
    for module in MODULES:
        value = _module(module).get(name)
        if value is not None:
            return value
    number = errno.NUMBERS.get(name)
    return number if number is not None else _extra().get(name)


@cache
def _extra() -> Mapping[str, int]:
    """Names that only the tables have: ``X=1``."""
    texts = [text for *_, text in (*name_tables.ENUMERATIONS.values(), *name_tables.FLAGS.values())]
    pairs = (item.split("=") for text in texts for item in text.split() if "=" in item)
    return {name: int(value, 0) for name, value in pairs}


def all_constants() -> Iterator[tuple[str, int]]:
    """Every constant with its value, for completion and for the nearest name to a misspelt one."""
    for module in MODULES:
        yield from _module(module).items()
    yield from errno.NUMBERS.items()


def _matching(pattern: str) -> Iterator[tuple[str, int]]:
    """The constants that a pattern of name_tables stands for."""
    where, _, glob = pattern.rpartition(":")
    name, _, value = glob.partition("=")
    if value:
        yield name, int(value, 0)
    elif "*" not in glob:
        found = constant(glob)
        assert found is not None, glob
        yield glob, found
    else:
        for module in (where,) if where else MODULES:
            found_here = [item for item in _module(module).items() if _fits(item[0], glob)]
            yield from found_here
            if found_here:
                return


def _fits(name: str, glob: str) -> bool:
    before, _, after = glob.partition("*")
    return name.startswith(before) and name.endswith(after)


def _resolve(text: str) -> list[tuple[int, str]]:
    patterns = text.split()
    dropped = [p[1:] for p in patterns if p.startswith("-")]
    found = [item for p in patterns if not p.startswith("-") for item in _matching(p)]
    return [
        (value, name)
        for name, value in found
        if not any(_fits(name, d) if "*" in d else name == d for d in dropped)
    ]


@cache
def enumeration(kind: str) -> Enumeration:
    """The names of a kind of single value, such as "af"; KeyError for a kind that does not exist."""
    unknown, text = name_tables.ENUMERATIONS[kind]
    by_value: dict[int, str] = {}
    for value, name in _resolve(text):
        by_value.setdefault(value, name)
    return Enumeration(unknown, MappingProxyType(by_value))


@cache
def flags(kind: str) -> FlagSet:
    """The names of a kind of flags, such as "msg"; KeyError for a kind that does not exist."""
    zero, unknown, text = name_tables.FLAGS[kind]
    return FlagSet(zero, unknown, tuple(_resolve(text)))


@cache
def signal_name(number: int) -> str:
    """``SIGPIPE``, ``SIGRT_1`` as strace has it, or the bare number."""
    if signal.SIGRTMIN <= number <= signal.SIGRTMAX:
        return "SIGRTMIN" if number == signal.SIGRTMIN else f"SIGRT_{number - signal.SIGRTMIN}"
    names = {v: k for k, v in reversed(list(_module("signal").items())) if k.startswith("SIG") and k[3] != "_"}
    return names.get(number, str(number)) if 0 < number < signal.SIGRTMIN else str(number)


def signal_number(name: str) -> int | None:
    """The number of ``SIGPIPE``, ``SIGRT_1``, ``PIPE``; None if there is no such signal."""
    full = name if name.startswith("SIG") else f"SIG{name}"
    if full.startswith("SIGRT_") and full[6:].isdigit():
        number = signal.SIGRTMIN + int(full[6:])
        return number if number <= signal.SIGRTMAX else None
    return _module("signal").get(full)
