"""Values in Linux's own words: constants, operation tables, paths, addresses."""

from __future__ import annotations

import sys
from functools import cache, lru_cache
from types import FunctionType, ModuleType
from typing import Final

from kshell.abi.fcntl import O_LARGEFILE

_STATES = (
    "TCP_ESTABLISHED",
    "TCP_SYN_SENT",
    "TCP_SYN_RECV",
    "TCP_FIN_WAIT1",
    "TCP_FIN_WAIT2",
    "TCP_TIME_WAIT",
    "TCP_CLOSE",
    "TCP_CLOSE_WAIT",
    "TCP_LAST_ACK",
    "TCP_LISTEN",
    "TCP_CLOSING",
    "TCP_NEW_SYN_RECV",
)
_TABLES: dict[str, dict[int, str]] = {
    "sk_state": dict(enumerate(_STATES, 1)),
    "socket_state": dict(enumerate(("SS_FREE", "SS_UNCONNECTED", "SS_CONNECTING", "SS_CONNECTED", "SS_DISCONNECTING"))),
    "sock_type": {
        1: "SOCK_STREAM",
        2: "SOCK_DGRAM",
        3: "SOCK_RAW",
        4: "SOCK_RDM",
        5: "SOCK_SEQPACKET",
        6: "SOCK_DCCP",
        10: "SOCK_PACKET",
    },
    "sk_shutdown": {0: "0", 1: "RCV_SHUTDOWN", 2: "SEND_SHUTDOWN", 3: "RCV_SHUTDOWN|SEND_SHUTDOWN"},
    "task_state": {
        0: "TASK_RUNNING",
        1: "TASK_INTERRUPTIBLE",
        2: "TASK_UNINTERRUPTIBLE",
        0x20: "EXIT_ZOMBIE",
        0x10: "EXIT_DEAD",
        0x80: "TASK_DEAD",
    },
}
_ACCESS = ("O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE")
_FILE_FLAGS = (
    (0o100, "O_CREAT"),
    (0o200, "O_EXCL"),
    (0o400, "O_NOCTTY"),
    (0o1000, "O_TRUNC"),
    (0o2000, "O_APPEND"),
    (0o4000, "O_NONBLOCK"),
    (0o20000, "O_ASYNC"),
    (0o40000, "O_DIRECT"),
    (0o200000, "O_DIRECTORY"),
    (0o400000, "O_NOFOLLOW"),
    (0o2000000, "O_CLOEXEC"),
    (0o10000000, "O_PATH"),
)
_INODE_TYPES = {
    0o140000: "S_IFSOCK",
    0o120000: "S_IFLNK",
    0o100000: "S_IFREG",
    0o060000: "S_IFBLK",
    0o040000: "S_IFDIR",
    0o020000: "S_IFCHR",
    0o010000: "S_IFIFO",
}


def constant(kind: str, value: object) -> str:
    """The name of a constant of the given kind, or the number."""
    if kind == "d_name":
        return quoted(_text(getattr(value, "name", value)))
    if not isinstance(value, int):
        return describe(value)
    if kind == "f_flags":
        return file_flags(value)
    if kind == "i_mode":
        return inode_mode(value)
    return _TABLES[kind].get(value, str(value))


def file_flags(value: int) -> str:
    """f_flags as O_… names; O_LARGEFILE, which every open sets on x86-64, is left out."""
    rest = value & ~3 & ~O_LARGEFILE
    words = [_ACCESS[value & 3]] + [name for bit, name in _FILE_FLAGS if rest & bit]
    return "|".join(words)


def inode_mode(value: int) -> str:
    """i_mode as strace writes it."""
    kind = _INODE_TYPES.get(value & 0o170000)
    bits = f"{value & 0o7777:#05o}".replace("o", "")
    return f"{kind}|{bits}" if kind else bits


def errno(value: int) -> str:
    """The name of an error number; 0 for none."""
    from_table = _errno_names()
    return from_table.get(abs(value), str(value)) if value else "0"


@cache
def _errno_names() -> dict[int, str]:
    module = sys.modules.get("kshell.abi.errno")
    return (
        {value: name for name, value in vars(module).items() if name[0] == "E" and isinstance(value, int)}
        if module
        else {}
    )


@cache
def _tables(modules: int) -> dict[int, str]:
    """Names of the operation tables and protos: module-level instances of kshell.linux's classes.

    modules: how many modules are loaded, so that the names of those that come later are found too.
    """
    found: dict[int, str] = {}
    for module in reversed([name for name in sys.modules if name.startswith("kshell.linux")]):
        found.update(_tables_of(module))  # where it was loaded first is where it is defined
    return found


_NEVER_TABLES: Final = frozenset({int, str, bool, type, FunctionType, ModuleType})
"""What nearly everything at the top of a module is."""


@cache
def _tables_of(module: str) -> dict[int, str]:
    found: dict[int, str] = {}
    for name, value in vars(sys.modules[module]).items():
        kind = type(value)
        if kind in _NEVER_TABLES or name.startswith("_"):
            continue
        if kind is tuple:
            found.update((id(each), f"{name}[{i}]") for i, each in enumerate(value) if _is_table(type(each).__mro__))
        elif _is_table(kind.__mro__):
            found.setdefault(id(value), name)
    return found


@cache
def _is_table(mro: tuple[type, ...]) -> bool:
    """Whether values of a class are static objects of the kernel: not numbers, functions, classes."""
    return mro[0].__module__.startswith("kshell.linux") and not any("__call__" in vars(base) for base in mro)


def table(value: object) -> str:
    """The name of an operations table (`inet_stream_ops`) or of a proto (`tcp_prot`)."""
    kind = type(value)
    if kind is int:
        return str(value)
    if kind in _PLAIN or hasattr(value, "_addr") or not _is_table(kind.__mro__):
        return describe(value)
    near = _near(value) if kind.__hash__ is object.__hash__ else ""
    return near or _tables(len(sys.modules)).get(id(value)) or describe(value)


_PLAIN: Final = frozenset({bool, str, bytes, type(None)})


@lru_cache(64)
def _near(value: object) -> str:
    """The name of a table that stands in the module of one of its functions, as most do; "" for others."""
    looked_into = set()
    for field in getattr(value, "__slots__", ()):
        module = getattr(getattr(value, field, None), "__module__", "")
        if module not in looked_into and module in sys.modules:
            looked_into.add(module)
            name = _tables_of(module).get(id(value))
            if name:
                return name
    return ""


def describe(value: object) -> str:
    """Any value, in short."""
    if value is None:
        return "NULL"
    if isinstance(value, (bool, int)):
        return str(int(value))
    if isinstance(value, (str, bytes)):
        return quoted(_text(value))
    where = getattr(value, "_addr", None)
    if where:
        return f"{where:#x}"
    counter = getattr(value, "counter", None)
    return str(counter) if isinstance(counter, int) else f"({type(value).__name__})"


@lru_cache(maxsize=1000)
def ipv4(value: int) -> str:
    return ".".join(str(value >> shift & 0xFF) for shift in (24, 16, 8, 0))


def unix_address(value: object) -> str:
    """A unix_address: a path, or @name for an abstract one."""
    name = getattr(value, "name", None)
    return unix_name(name) if isinstance(name, (bytes, bytearray)) else describe(value)


def unix_name(name: bytes | bytearray) -> str:
    """The name in the bytes of a sockaddr_un."""
    body = bytes(name)[2:]
    return quoted(f"@{_text(body[1:])}" if body[:1] == b"\0" else _text(body.split(bytes(1), 1)[0]))


def data(value: bytes) -> str:
    """Bytes in quotes: text as it is (any language), the rest as C escapes."""
    text = value.decode("utf-8", "surrogateescape")
    return '"' + "".join(_shown(char) for char in text) + '"'


def _shown(char: str) -> str:
    if "\udc80" <= char <= "\udcff":
        return f"\\x{ord(char) - 0xDC00:02x}"
    return _ESCAPES.get(char) or (char if char.isprintable() else f"\\x{ord(char):02x}")


_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def quoted(text: str) -> str:
    """A string in quotes, on one line: quotes, newlines and their like are written as in C."""
    return '"' + "".join(_ESCAPES.get(char, char) for char in text) + '"'


def _text(value: object) -> str:
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)


_MAGIC: Final = {0o140000: "socket", 0o010000: "pipe"}


def path_of(file: object) -> str:
    """What /proc/PID/fd/N would show: a path, socket:[ino], pipe:[ino], anon_inode:[…]."""
    path = getattr(file, "f_path", None)
    dentry = getattr(path, "dentry", None)
    inode = getattr(file, "f_inode", None)
    if dentry is None or inode is None:
        return ""
    kind = inode.i_mode & 0o170000
    magic = _MAGIC.get(kind)
    if magic and getattr(dentry, "d_parent", None) in (None, dentry):
        return f"{magic}:[{inode.i_ino}]"
    return place(dentry, getattr(path, "mnt", None)) or dentry_path(dentry)


def place(dentry: object, mnt: object) -> str:
    """The path of a dentry from the root of all mounts on; "" for one that is its file system's root."""
    parts: list[str] = []
    while dentry is not None:
        above = getattr(mnt, "mnt_parent", None)
        root = mnt.mnt_root if above is not None and above is not mnt else None  # type: ignore[attr-defined]
        while dentry is not root and (parent := dentry.d_parent) is not dentry and parent is not None:  # type: ignore[attr-defined]
            parts.append(_text(dentry.d_name.name))  # type: ignore[attr-defined]
            dentry = parent
        if dentry is not root:
            break
        dentry, mnt = mnt.mnt_mountpoint, above  # type: ignore[attr-defined]
    parts.reverse()
    return "/" + "/".join(parts) if parts else ""


def dentry_path(dentry: object) -> str:
    """The path of a dentry within its file system; the name alone of one without a parent."""
    parts: list[str] = []
    while getattr(dentry, "d_parent", None) not in (None, dentry):
        parts.append(_text(dentry.d_name.name))  # type: ignore[attr-defined]
        dentry = dentry.d_parent  # type: ignore[attr-defined]
    if parts:
        return "/" + "/".join(reversed(parts))
    return _text(dentry.d_name.name) or "/"  # type: ignore[attr-defined]


def struct_name(value: object) -> str:
    """Linux's name of the struct: the Python class's, "" if it is no kernel object."""
    return _struct_of(type(value))  # type: ignore[arg-type]  # mypy: a class might not be hashable


@cache
def _struct_of(cls: type) -> str:
    for base in cls.__mro__:
        if not base.__module__.startswith("kshell.linux"):
            return ""
        if not base.__name__.startswith("_"):
            return base.__name__
    return ""
