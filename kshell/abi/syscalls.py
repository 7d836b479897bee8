"""The system calls of Linux 6.1: numbers, signatures, and what the model does of each.

``BY_NUMBER[41]`` and ``BY_NAME["socket"]`` are x86-64's; ``I386_BY_NUMBER[102]`` is i386's socketcall.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache, cached_property, lru_cache
from types import MappingProxyType
from typing import Final, Literal, TypeVar

from kshell.abi import socket as abi_socket
from kshell.abi.record import Record
from kshell.abi.syscall_numbers import I386, X86_64
from kshell.abi.syscall_table import PARTLY, SIGNATURES

Status = Literal["supported", "partly", "ENOSYS"]
"""How much of a call the model does."""


class Kind(Record):
    """How an argument is written and shown.

    style: "int", "uint", "hex", "octal", "pointer", "fd", "dirfd", "path", "flags", "enum", "signal",
    "bytes", "struct", "array", "sockaddr", "socklen", "iovec", "msghdr", …; direction: "" for a value in the
    register, "in", "out" or "inout" for what it points to; args: the name table or struct, then the sibling
    parameters that it needs (its length or count; "return" is the call's result).
    """

    style: str
    direction: str = ""
    args: tuple[str, ...] = ()


class Param(Record):
    """One parameter: Linux's name and C type, and its kind."""

    name: str
    ctype: str
    kind: Kind
    index: int

    def convert(self, register: int) -> int:
        """The C value of a 64-bit register: ``int`` keeps 32 bits with sign, ``size_t`` all 64 without."""
        return _CONVERT[_width(self.ctype)](register)


class Syscall(Record):
    """One system call of the table."""

    number: int
    name: str
    params: tuple[Param, ...]
    status: Status
    missing: str  # what PARTLY leaves out
    converters: tuple[Callable[[int], int], ...]  # register to C value, by position
    known: bool  # whether the signature is in the table

    def __hash__(self) -> int:
        return hash(self.name)

    def arguments(self, registers: tuple[int, ...] | list[int]) -> list[int]:
        """The registers as C values of the declared types."""
        return [convert(value) for convert, value in zip(self.converters, registers, strict=False)]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the parameters."""
        return tuple(param.name for param in self.params)

    @cached_property
    def shown(self) -> tuple[Param, ...]:
        """The parameters that strace shows and C's wrappers take."""
        return tuple(param for param in self.params if param.kind.style != "hidden")

    @cached_property
    def pointers_first(self) -> tuple[Param, ...]:
        """The parameters, those before the others whose targets have a kind: they give the lengths."""
        return tuple(sorted(self.params, key=lambda param: not param.kind.direction))

    def param(self, name: str) -> Param | None:
        """The parameter of that name."""
        return self._by_name.get(name)

    @cached_property
    def _by_name(self) -> dict[str, Param]:
        return {param.name: param for param in self.params}

    def prototype(self) -> str:
        """The C prototype: ``int socket(int family, int type, int protocol)`` without the result's type."""
        parts = [f"{p.ctype}{'' if p.ctype.endswith('*') else ' '}{p.name}" for p in self.params]
        return f"{self.name}({', '.join(parts) or 'void'})"


def _signed32(value: int) -> int:
    return ((value & 0xFFFFFFFF) ^ 0x80000000) - 0x80000000


def _unsigned32(value: int) -> int:
    return value & 0xFFFFFFFF


def _signed64(value: int) -> int:
    return ((value & 0xFFFFFFFFFFFFFFFF) ^ 0x8000000000000000) - 0x8000000000000000


def _unsigned64(value: int) -> int:
    return value & 0xFFFFFFFFFFFFFFFF


def _unsigned16(value: int) -> int:
    return value & 0xFFFF


_CONVERT: Final = {
    "s32": _signed32, "u32": _unsigned32, "s64": _signed64, "u64": _unsigned64, "u16": _unsigned16,
}  # fmt: skip

_WIDTHS: Final = {
    "int": "s32", "pid_t": "s32", "clockid_t": "s32", "__s32": "s32", "rwf_t": "s32",
    "unsigned int": "u32", "unsigned": "u32", "uid_t": "u32", "gid_t": "u32", "u32": "u32",
    "long": "s64", "off_t": "s64", "loff_t": "s64",
    "umode_t": "u16",
}  # fmt: skip

#: the kind of a parameter that says none, by its C type; any other pointer is "pointer"
_DEFAULT_KINDS: Final = {
    "s32": Kind("int"), "u32": Kind("uint"), "s64": Kind("int"), "u64": Kind("uint"), "u16": Kind("octal"),
}  # fmt: skip
_DEFAULT_BY_TYPE: Final = {"uid_t": Kind("id"), "gid_t": Kind("id"), "const char *": Kind("path", "in")}


def _width(ctype: str) -> str:
    return _WIDTHS.get(ctype.removeprefix("const "), "u64")


@cache
def _kind(text: str) -> Kind:
    name, _, rest = text.partition("(")
    style, _, direction = name.rpartition("_")
    if direction not in ("in", "out", "inout"):
        style, direction = name, ""
    if style == "path":
        direction = "in"
    return Kind(style, direction, tuple(rest.rstrip(")").split()))


@cache
def _type_and_kind(declaration: str, kind: str) -> tuple[str, Kind]:
    ctype = declaration
    if kind:
        return ctype, _kind(kind)
    if ctype in _DEFAULT_BY_TYPE:
        return ctype, _DEFAULT_BY_TYPE[ctype]
    if ctype.endswith("*"):
        return ctype, Kind("pointer")
    return ctype, _DEFAULT_KINDS[_width(ctype)]


_DECLARATION: Final = re.compile(r"(.*?)(\w+)$")


def _params(text: str) -> tuple[Param, ...]:
    params = []
    for index, part in enumerate(filter(None, text.split(", "))):
        declaration, _, kind_text = part.partition(" @ ")
        match = _DECLARATION.match(declaration)
        assert match is not None, declaration
        ctype, kind = _type_and_kind(match[1].strip(), kind_text.strip())
        params.append(Param(match[2], ctype, kind, index))
    return tuple(params)


def _signatures() -> dict[str, str]:
    entries = SIGNATURES.replace("\n   ", "").strip().splitlines()
    return {name: text.strip() for name, text in (entry.split(":", 1) for entry in entries)}


_SIGNATURES: Final = MappingProxyType(_signatures())


@cache
def _syscall(number: int, name: str, signature_of: str) -> Syscall:
    text = _SIGNATURES.get(signature_of)
    if text is None:
        return Syscall(number, name, (), "ENOSYS", "", (), False)
    params = _params(text)
    status: Status = "partly" if name in PARTLY else "supported"
    converters = tuple(_CONVERT[_width(p.ctype)] for p in params)
    return Syscall(number, name, params, status, PARTLY.get(name, ""), converters, True)


#: i386 calls whose signature stands under another name
_I386_SAME_AS: Final = {
    "fcntl64": "fcntl", "stat64": "stat", "lstat64": "lstat", "fstat64": "fstat", "fstatat64": "newfstatat",
    "umount": "umount2", "sendfile64": "sendfile", "truncate64": "truncate", "ftruncate64": "ftruncate",
    "setuid32": "setuid", "getuid32": "getuid", "geteuid32": "geteuid", "getgid32": "getgid",
    "getegid32": "getegid", "setgid32": "setgid", "chown32": "chown", "fchown32": "fchown",
    "lchown32": "lchown",
    "clock_gettime64": "clock_gettime", "clock_nanosleep_time64": "clock_nanosleep", "ppoll_time64": "ppoll",
    "pselect6_time64": "pselect6", "recvmmsg_time64": "recvmmsg",
}  # fmt: skip


_Key = TypeVar("_Key", int, str)


class _Table(Mapping[_Key, Syscall]):
    """Calls by number or name; made, and each signature parsed, when it is first asked for."""

    def __init__(self, entries: Callable[[], Mapping[_Key, tuple[int, str]]]) -> None:
        self._make: Callable[[], Mapping[_Key, tuple[int, str]]] = entries

    @cached_property
    def _entries(self) -> Mapping[_Key, tuple[int, str]]:
        return self._make()

    def __getitem__(self, key: _Key) -> Syscall:
        number, name = self._entries[key]
        return _syscall(number, name, _I386_SAME_AS.get(name, name))

    def __iter__(self) -> Iterator[_Key]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)


def _by_number(names: Mapping[int, str]) -> _Table[int]:
    return _Table(lambda: {number: (number, name) for number, name in names.items()})


def _by_name(names: Mapping[int, str]) -> _Table[str]:
    return _Table(lambda: {name: (number, name) for number, name in names.items()})


#: every x86-64 system call by number
BY_NUMBER: Final[Mapping[int, Syscall]] = _by_number(X86_64)
#: every x86-64 system call by name
BY_NAME: Final[Mapping[str, Syscall]] = _by_name(X86_64)
#: every i386 system call by number
I386_BY_NUMBER: Final[Mapping[int, Syscall]] = _by_number(I386)
#: every i386 system call by name
I386_BY_NAME: Final[Mapping[str, Syscall]] = _by_name(I386)

#: socketcall()'s sub-calls: number → (name of the call, number of argument words)
SOCKETCALLS: Final[Mapping[int, tuple[str, int]]] = MappingProxyType(
    {
        abi_socket.SYS_SOCKET: ("socket", 3),
        abi_socket.SYS_BIND: ("bind", 3),
        abi_socket.SYS_CONNECT: ("connect", 3),
        abi_socket.SYS_LISTEN: ("listen", 2),
        abi_socket.SYS_ACCEPT: ("accept", 3),
        abi_socket.SYS_GETSOCKNAME: ("getsockname", 3),
        abi_socket.SYS_GETPEERNAME: ("getpeername", 3),
        abi_socket.SYS_SOCKETPAIR: ("socketpair", 4),
        abi_socket.SYS_SEND: ("send", 4),
        abi_socket.SYS_RECV: ("recv", 4),
        abi_socket.SYS_SENDTO: ("sendto", 6),
        abi_socket.SYS_RECVFROM: ("recvfrom", 6),
        abi_socket.SYS_SHUTDOWN: ("shutdown", 2),
        abi_socket.SYS_SETSOCKOPT: ("setsockopt", 5),
        abi_socket.SYS_GETSOCKOPT: ("getsockopt", 5),
        abi_socket.SYS_SENDMSG: ("sendmsg", 3),
        abi_socket.SYS_RECVMSG: ("recvmsg", 3),
        abi_socket.SYS_ACCEPT4: ("accept4", 4),
        abi_socket.SYS_RECVMMSG: ("recvmmsg", 5),
        abi_socket.SYS_SENDMMSG: ("sendmmsg", 4),
    }
)
#: name of a socket call → its sub-call number
SOCKETCALL_NUMBERS: Final[Mapping[str, int]] = MappingProxyType(
    {name: number for number, (name, _) in SOCKETCALLS.items()}
)


@lru_cache(maxsize=1000)
def signature(name: str) -> Syscall | None:
    """The call by name on any architecture; ``send`` and ``recv`` are socketcall's alone (number -1)."""
    found = BY_NAME.get(name)
    if found is not None and found.known:
        return found
    return _syscall(-1, name, name) if name in _SIGNATURES else found
