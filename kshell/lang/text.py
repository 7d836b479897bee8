"""Values as strace writes them: strings, numbers, addresses, sets."""

import re
from collections.abc import Iterable
from typing import Final

from kshell.abi import names
from kshell.abi.socket import SOCK_CLOEXEC, SOCK_NONBLOCK
from kshell.abi.stat import S_IFMT, S_ISGID, S_ISUID, S_ISVTX

_SHORT_ESCAPES: Final = {9: "\\t", 10: "\\n", 11: "\\v", 12: "\\f", 13: "\\r", 34: '\\"', 92: "\\\\"}
_UNPRINTABLE: Final = [b for b in range(256) if not 32 <= b < 127 and b not in _SHORT_ESCAPES]
#: an unprintable byte before an octal digit needs all three of its own; such bytes are moved up by this for a moment
_LONG: Final = 0xE000
_ESCAPES: Final = (
    _SHORT_ESCAPES | {b: f"\\{b:o}" for b in _UNPRINTABLE} | {_LONG + b: f"\\{b:03o}" for b in _UNPRINTABLE}
)
_BEFORE_DIGIT: Final = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\xff](?=[0-7])")


def quote(data: bytes, limit: int | None = None) -> str:
    """A C string: ``"hi\\n"``; octal for what cannot be printed; ``"..."...`` when longer than limit."""
    cut = limit is not None and len(data) > limit
    shown = (data[:limit] if cut else data).decode("latin-1")
    shown = _BEFORE_DIGIT.sub(lambda match: chr(_LONG + ord(match[0])), shown).translate(_ESCAPES)
    return f'"{shown}"' + ("..." if cut else "")


def address(value: int) -> str:
    """``NULL`` or the number."""
    return hex(value) if value else "NULL"


def octal(value: int) -> str:
    """A mode: ``0644``, ``000``."""
    return f"0{value:o}" if value > 0o77 else f"{value:03o}"


def file_mode(mode: int) -> str:
    """``S_IFREG|0644``, ``S_IFDIR|S_ISVTX|0777``."""
    kind = names.enumeration("file_type").name(mode & S_IFMT)
    parts = [kind] if kind else []
    parts += [name for bit, name in ((S_ISUID, "S_ISUID"), (S_ISGID, "S_ISGID"), (S_ISVTX, "S_ISVTX")) if mode & bit]
    return "|".join([*parts, octal(mode & 0o777)])


def device(value: int) -> str:
    """``makedev(0x1, 0x3)``"""
    major = (value >> 8 & 0xFFF) | (value >> 32 & ~0xFFF)
    minor = (value & 0xFF) | (value >> 12 & ~0xFF)
    return f"makedev({major:#x}, {minor & 0xFFFFFFFF:#x})"


def mac(data: bytes) -> str:
    """``00:00:00:00:00:00``"""
    return ":".join(f"{byte:02x}" for byte in data)


def signal_set(mask: int) -> str:
    """``[INT TERM]``; ``~[KILL]`` when most are in it."""
    members = [n for n in range(1, 65) if mask >> (n - 1) & 1]
    if len(members) >= 43:
        absent = [n for n in range(1, 65) if not mask >> (n - 1) & 1]
        return f"~[{_signals(absent)}]"
    return f"[{_signals(members)}]"


def _signals(numbers: Iterable[int]) -> str:
    return " ".join(names.signal_name(n).removeprefix("SIG") for n in numbers)


def descriptor_set(bits: int, count: int) -> str:
    """``[0 3]``"""
    return f"[{' '.join(str(n) for n in range(min(count, bits.bit_length())) if bits >> n & 1)}]"


def socket_type(value: int) -> str:
    """``SOCK_STREAM|SOCK_CLOEXEC``"""
    known = value & (SOCK_CLOEXEC | SOCK_NONBLOCK)
    base = names.enumeration("sock_type").text(value & ~known & 0xFFFFFFFF)
    return f"{base}|{names.flags('sock').text(known)}" if known else base


def open_flags(value: int, *, modes: bool = True) -> str:
    """``O_RDWR|O_CREAT``; modes False: the access mode does not count, as for pipe2."""
    if not modes:
        return names.flags("open").text(value)
    access = names.enumeration("accmode").text(value & 3)
    rest = value & ~3 & 0xFFFFFFFF
    if not rest:
        return access
    flags, unknown = names.flags("open").split(rest)
    return "|".join([access, *flags] + ([hex(unknown)] if unknown else []))


def clone_flags(value: int) -> str:
    """``CLONE_VM|SIGCHLD``"""
    flags, rest = names.flags("clone").split(value & ~0xFF & ((1 << 64) - 1))
    signal = value & 0xFF
    parts = flags + ([hex(rest)] if rest else [])
    if signal:
        parts.append(names.signal_name(signal))
    return "|".join(parts) or "0"


def wait_status(status: int) -> str:
    """``[{WIFEXITED(s) && WEXITSTATUS(s) == 0}]``"""
    signal = status & 0x7F
    if status == 0xFFFF:
        return "[{WIFCONTINUED(s)}]"
    if status & 0xFF == 0x7F:
        return f"[{{WIFSTOPPED(s) && WSTOPSIG(s) == {names.signal_name(status >> 8 & 0xFF)}}}]"
    if signal == 0:
        return f"[{{WIFEXITED(s) && WEXITSTATUS(s) == {status >> 8 & 0xFF}}}]"
    core = " && WCOREDUMP(s)" if status & 0x80 else ""
    return f"[{{WIFSIGNALED(s) && WTERMSIG(s) == {names.signal_name(signal)}{core}}}]"


def limit(value: int, bits: int = 64) -> str:
    """A resource limit: ``1024``, ``8192*1024``, ``RLIM64_INFINITY``."""
    if value == (1 << bits) - 1:
        return "RLIM64_INFINITY" if bits == 64 else "RLIM_INFINITY"
    if value > 1024 and value % 1024 == 0:
        return f"{value // 1024}*1024"
    return str(value)
