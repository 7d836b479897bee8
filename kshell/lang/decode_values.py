"""How each style of argument is shown: tables from style to function, for entry, for exit, and for results."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from kshell.abi import names, structs
from kshell.abi.fcntl import AT_FDCWD, O_CREAT
from kshell.abi.poll import EPOLL_CTL_DEL
from kshell.abi.socket import AF_INET, AF_INET6, AF_NETLINK, AF_PACKET
from kshell.abi.syscalls import SOCKETCALLS, Param, Syscall
from kshell.lang import text
from kshell.lang.marshal_values import option_type
from kshell.lang.option_types import FCNTL_TYPES, IOCTL_TYPES, OPTION_NAMES
from kshell.lang.show import Shower, hardware_address

_TMPFILE: Final = 0o20000000
_MASK32: Final = 0xFFFFFFFF


@dataclass(slots=True)
class Entered:
    """A call that has entered: C values of its arguments, and what its pointers pointed to then, as text."""

    shower: Shower
    syscall: Syscall
    args: dict[str, int]
    before: dict[str, str] = field(default_factory=dict)

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
_CLONE: Final = {
    "newsp": "child_stack", "clone_flags": "flags", "parent_tidptr": "parent_tid", "tls": "tls",
    "child_tidptr": "child_tidptr",
}  # fmt: skip
_CLONE_NEEDS: Final = {"parent_tidptr": 0x00100000 | 0x1000, "tls": 0x00080000, "child_tidptr": 0x01200000}


@cache
def shown_order(syscall: Syscall) -> tuple[Param, ...]:
    """The parameters in the order in which strace shows them."""
    if syscall.name != "clone":
        return syscall.params
    return tuple(param for name in _CLONE for param in syscall.params if param.name == name)


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
        return text.open_flags(value & _MASK32)
    if table == "open_only":
        return text.open_flags(value & _MASK32, modes=False)
    if table == "clone":
        return names.flags("clone").text(value)
    if table == "at_statx":
        return _statx_flags(value & _MASK32)
    return names.flags(table).text(value & _MASK32)


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
        needs = _CLONE_NEEDS.get(param.name)
        if needs is not None and not entered.args.get("clone_flags", 0) & needs:
            return None
        return f"{_CLONE[param.name]}={text.address(value)}"
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
    "fd": lambda entered, param, value: str(((value & _MASK32) ^ 0x80000000) - 0x80000000),
    "id": lambda entered, param, value: "-1" if value == _MASK32 else str(value),
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


# ---- what pointers point to, when the call enters ----


def _path(entered: Entered, param: Param, value: int) -> str:
    return entered.shower.path(value)


def _bytes_in(entered: Entered, param: Param, value: int) -> str:
    if not value:
        return "NULL"
    return entered.shower.buffer(value, entered.number(param.kind.args[0]))


def _struct_in(entered: Entered, param: Param, value: int) -> str:
    if entered.args.get("op") == EPOLL_CTL_DEL and entered.syscall.name == "epoll_ctl":
        return text.address(value)  # ignored
    return entered.shower.struct_at(param.kind.args[0], value)


def _array_in(entered: Entered, param: Param, value: int) -> str:
    return _array(entered, param.kind.args[0], value, entered.number(param.kind.args[1]))


def _array(entered: Entered, struct_name: str, value: int, count: int) -> str:
    """``[{…}, {…}]``, at most as many as the limit says."""
    if not value:
        return "NULL"
    limit = entered.shower.string_limit
    shown = count if limit is None else min(count, limit)
    size = structs.sizeof(struct_name, entered.shower.arch)
    data = entered.shower.bytes_at(value, max(0, shown) * size)
    if data is None:
        return text.address(value)
    items = [entered.shower.struct(struct_name, data[i * size : (i + 1) * size]) for i in range(shown)]
    return f"[{', '.join(items + (['...'] if shown < count else []))}]"


def _pollfds_in(entered: Entered, param: Param, value: int) -> str:
    fds = list(_pollfds(entered, value))
    if not value or not fds:
        return text.address(value) if value and entered.number("nfds") else "[]" if value else "NULL"
    return f"[{', '.join(_one_pollfd(fd, events) for fd, events, _ in fds)}]"


def _pollfds(entered: Entered, value: int) -> Iterator[tuple[int, int, int]]:
    count = min(entered.number("nfds"), 65536)
    data = entered.shower.bytes_at(value, 8 * count) or b""
    layout = structs.layout("pollfd")
    for start in range(0, len(data), 8):
        values = layout.numbers(data[start : start + 8])
        yield values["fd"], values["events"], values["revents"]


def _one_pollfd(fd: int, events: int) -> str:
    return f"{{fd={fd}}}" if fd < 0 else f"{{fd={fd}, events={names.flags('poll').text(events)}}}"


def _sockaddr_in(entered: Entered, param: Param, value: int) -> str:
    return entered.shower.sockaddr_at(value, entered.number(param.kind.args[0]))


def _socklen_in(entered: Entered, param: Param, value: int) -> str:
    words = entered.shower.words_at(value, 1, 4) if value else None
    return text.address(value) if words is None else f"[{words[0]}]"


def _iovec_in(entered: Entered, param: Param, value: int) -> str:
    return _iovec(entered, value, entered.number(param.kind.args[0]), None)


def _iovec(entered: Entered, value: int, count: int, filled: int | None) -> str:
    """An array of iovec; filled: only so many bytes of what they point to mean something."""
    if not value:
        return "NULL"
    shower = entered.shower
    if not 0 <= count <= 1024:
        return text.address(value)
    layout = structs.layout("iovec", shower.arch)
    data = shower.bytes_at(value, layout.size * count)
    if data is None:
        return text.address(value)
    items = []
    for index in range(count):
        fields = layout.numbers(data[index * layout.size :])
        base, length = fields["iov_base"], fields["iov_len"]
        shown = length if filled is None else min(length, filled)
        filled = None if filled is None else filled - shown
        buffer = "NULL" if not base else shower.buffer(base, shown)
        items.append(f"{{iov_base={buffer}, iov_len={length}}}")
    return f"[{', '.join(items)}]"


def _msghdr_in(entered: Entered, param: Param, value: int) -> str:
    if param.kind.direction == "inout":  # only the length is needed later
        fields = _msghdr_fields(entered, value)
        return str(fields["msg_namelen"]) if fields else ""
    return _msghdr(entered, value, None, "")


def _msghdr_fields(entered: Entered, value: int) -> dict[str, int]:
    layout = structs.layout("msghdr", entered.shower.arch)
    data = entered.shower.bytes_at(value, layout.size)
    return layout.numbers(data) if data is not None else {}


def _msghdr(entered: Entered, value: int, filled: int | None, length_before: str) -> str:
    fields = _msghdr_fields(entered, value)
    if not fields:
        return text.address(value)
    shower, name, length = entered.shower, fields["msg_name"], fields["msg_namelen"]
    had = f"{length_before} => " if length_before and length_before != str(length) else ""
    shown = [
        f"msg_name={shower.sockaddr_at(name, length) if length else text.address(name)}",
        f"msg_namelen={had}{length}",
        f"msg_iov={_iovec(entered, fields['msg_iov'], fields['msg_iovlen'], filled)}",
        f"msg_iovlen={fields['msg_iovlen']}",
    ]
    if fields["msg_control"] and fields["msg_controllen"]:
        shown.append(f"msg_control={shower.control(fields['msg_control'], fields['msg_controllen'])}")
    shown.append(f"msg_controllen={fields['msg_controllen']}")
    shown.append(f"msg_flags={names.flags('msg').text(fields['msg_flags'])}")
    return f"{{{', '.join(shown)}}}"


def _mmsghdr_in(entered: Entered, param: Param, value: int) -> str:
    if param.kind.direction == "inout":
        return ""
    return _mmsghdr(entered, value, entered.number(param.kind.args[0]), False)


def _mmsghdr(entered: Entered, value: int, count: int, received: bool) -> str:
    size = structs.sizeof("mmsghdr", entered.shower.arch)
    offset = structs.sizeof("msghdr", entered.shower.arch)
    items = []
    for index in range(max(0, min(count, 1024))):
        words = entered.shower.words_at(value + index * size + offset, 1, 4)
        if words is None:
            return text.address(value)
        shown = _msghdr(entered, value + index * size, words[0] if received else None, "")
        items.append(f"{{msg_hdr={shown}" + (f", msg_len={words[0]}}}" if received or words[0] else "}"))
    return f"[{', '.join(items)}]"


def _optval_in(entered: Entered, param: Param, value: int) -> str:
    level, option, length = (entered.number(name) for name in param.kind.args)
    if not value:
        return "NULL"
    data = entered.shower.bytes_at(value, min(length, 4096)) if length >= 0 else None
    if data is not None and length < 4 and option_type(level, option) == "int" and level != 0:
        data = None  # too short for a number
    return text.address(value) if data is None else entered.shower.option(level, option, data)


def _fdset_in(entered: Entered, param: Param, value: int) -> str:
    bits = _fdset_bits(entered, value) if entered.number("n") >= 0 else None
    return text.address(value) if bits is None else text.descriptor_set(bits, entered.number("n"))


def _fdset_bits(entered: Entered, value: int) -> int | None:
    count = max(0, min(entered.number("n"), 65536))
    data = entered.shower.bytes_at(value, -(-count // 64) * 8) if value else None
    return int.from_bytes(data, "little") if data is not None else None


def _sigset_in(entered: Entered, param: Param, value: int) -> str:
    usable = value and (not param.kind.args or entered.number(param.kind.args[0]) == 8)
    words = entered.shower.words_at(value, 1, 8, signed=False) if usable else None
    return text.address(value) if words is None else text.signal_set(words[0])


def _sigset_argpack_in(entered: Entered, param: Param, value: int) -> str:
    words = entered.shower.words_at(value, 2, 8, signed=False) if value else None
    if words is None:
        return text.address(value)
    mask = _sigset_in(entered, param, words[0])
    return f"{{sigmask={mask}, sigsetsize={words[1]}}}"


def _strings_in(entered: Entered, param: Param, value: int) -> str:
    pointers = _pointers(entered, value)
    if pointers is None:
        return text.address(value)
    limit = entered.shower.string_limit
    shown = [entered.shower.path(p) for p in (pointers if limit is None else pointers[:limit])]
    return f"[{', '.join(shown + (['...'] if len(shown) < len(pointers) else []))}]"


def _environment_in(entered: Entered, param: Param, value: int) -> str:
    pointers = _pointers(entered, value)
    if pointers is None:
        return text.address(value)
    return f"{value:#x} /* {len(pointers)} var{'' if len(pointers) == 1 else 's'} */"


def _pointers(entered: Entered, value: int) -> list[int] | None:
    """The pointers of an array that NULL ends."""
    found: list[int] = []
    while value and len(found) < 4096:
        words = entered.shower.words_at(value + 8 * len(found), 1, 8, signed=False)
        if words is None:
            return None
        if not words[0]:
            return found
        found.append(words[0])
    return None


def _offset_in(entered: Entered, param: Param, value: int) -> str:
    words = entered.shower.words_at(value, 1, 8) if value else None
    return text.address(value) if words is None else f"[{words[0]}]"


def _ints_in(entered: Entered, param: Param, value: int) -> str:
    return entered.shower.ints(value, max(0, min(entered.number(param.kind.args[0]), 1024)), signed=False)


def _ioctl_in(entered: Entered, param: Param, value: int) -> str:
    direction, kind = _ioctl_type(entered)
    if direction in ("in", "inout") and kind:
        return _ioctl_value(entered, kind, value, complete=direction == "in")
    if direction == "any" and not value:
        return "0"
    return text.address(value) if direction or value > 0xFFFF else str(value)


def _ioctl_type(entered: Entered) -> tuple[str, str]:
    request = names.enumeration("ioctl").name(entered.args.get("cmd", 0)) or ""
    return IOCTL_TYPES.get(request, ("any", ""))


def _ioctl_value(entered: Entered, kind: str, value: int, *, complete: bool) -> str:
    """What an ioctl's argument points to; not complete: only what the caller has filled in."""
    shower = entered.shower
    if not value:
        return "NULL"
    if kind.startswith("ifreq:"):
        return _ifreq(entered, kind.partition(":")[2], value, complete)
    if kind == "ifconf":
        return _ifconf(entered, value, complete)
    if structs.has(kind):
        return shower.struct_at(kind, value)
    if kind == "string":
        return shower.path(value)
    width = 8 if kind == "long" else 4
    return shower.ints(value, 1, width)


_IFREQ_NUMBERS: Final = frozenset({"ifr_metric", "ifr_mtu", "ifr_qlen", "ifr_ivalue", "ifr_index"})


def _ifreq(entered: Entered, union: str, value: int, complete: bool) -> str:
    data = entered.shower.bytes_at(value, structs.sizeof("ifreq", entered.shower.arch))
    if data is None:
        return text.address(value)
    name = text.quote(data[:16].split(b"\0", 1)[0])
    if union == "ifr_index":
        index = int.from_bytes(data[16:20], "little", signed=True)
        return f"{{ifr_ifindex={index}, ifr_name={name}}}" if complete else f"{{ifr_ifindex={index}}}"
    if not complete:
        return f"{{ifr_name={name}}}"
    return f"{{ifr_name={name}, {union}={_ifreq_union(entered, union, data[16:])}}}"


def _ifreq_union(entered: Entered, union: str, data: bytes) -> str:
    if union == "ifr_flags":
        return names.flags("iff").text(int.from_bytes(data[:2], "little"))
    if union == "ifr_ifindex":
        return entered.shower.interface(int.from_bytes(data[:4], "little", signed=True))
    if union in _IFREQ_NUMBERS:
        return str(int.from_bytes(data[:4], "little", signed=True))
    if union == "ifr_hwaddr":
        return hardware_address(data)
    if union == "ifr_map":
        return entered.shower.struct("ifmap", data)
    if union == "ifr_newname":
        return text.quote(data[:16].split(b"\0", 1)[0])
    if union == "ifr_data":
        return text.address(int.from_bytes(data[:8], "little"))
    return entered.shower.sockaddr(data[:16])


def _ifconf(entered: Entered, value: int, complete: bool) -> str:
    shower = entered.shower
    layout = structs.layout("ifconf", shower.arch)
    data = shower.bytes_at(value, layout.size)
    if data is None:
        return text.address(value)
    fields = layout.numbers(data)
    if not complete or not fields["ifc_buf"]:
        return f"{{ifc_len={fields['ifc_len']}, ifc_buf={text.address(fields['ifc_buf'])}}}"
    size = structs.sizeof("ifreq", shower.arch)
    count = min(fields["ifc_len"], 65536) // size
    items = [_ifreq(entered, "ifr_addr", fields["ifc_buf"] + i * size, True) for i in range(count)]
    had = entered.before.get("arg", "").partition(",")[0].removeprefix("{ifc_len=")
    change = f"{had} => " if had.isdigit() and had != str(fields["ifc_len"]) else ""
    return f"{{ifc_len={change}{fields['ifc_len']}, ifc_buf=[{', '.join(items)}]}}"


def _fcntl_in(entered: Entered, param: Param, value: int) -> str:
    command = names.enumeration("fcntl").name(entered.args.get("cmd", 0))
    form = FCNTL_TYPES.get(command or "", "hex")
    if form == "open":
        return text.open_flags(value & _MASK32)
    if form == "signal":
        return names.signal_name(value)
    if form == "int":
        return str(((value & _MASK32) ^ 0x80000000) - 0x80000000)
    kind, _, what = form.partition(":")
    if kind == "flags":
        return names.flags(what).text(value & _MASK32)
    return entered.shower.struct_at(what, value) if what else text.address(value)


def _socketcall_in(entered: Entered, param: Param, value: int) -> str:
    inner = SOCKETCALLS.get(entered.args.get("call", 0))
    words = entered.shower.words_at(value, inner[1], 4, signed=False) if inner else None
    return text.address(value) if words is None else f"[{', '.join(hex(w) if w > 9 else str(w) for w in words)}]"


#: style → text of what is pointed to at entry
ENTRY: Final[dict[str, Callable[[Entered, Param, int], str]]] = {
    "path": _path,
    "bytes": _bytes_in,
    "struct": _struct_in,
    "array": _array_in,
    "pollfds": _pollfds_in,
    "sockaddr": _sockaddr_in,
    "socklen": _socklen_in,
    "iovec": _iovec_in,
    "msghdr": _msghdr_in,
    "mmsghdr": _mmsghdr_in,
    "optval": _optval_in,
    "fdset": _fdset_in,
    "sigset": _sigset_in,
    "sigset_argpack": _sigset_argpack_in,
    "strings": _strings_in,
    "environment": _environment_in,
    "offset": _offset_in,
    "ints": _ints_in,
    "ioctl": _ioctl_in,
    "fcntl": _fcntl_in,
    "clone_args": lambda entered, param, value: entered.shower.struct_at("clone_args", value),
    "socketcall": _socketcall_in,
}


# ---- what pointers point to, when the call has returned ----


def _failed(result: int | None) -> bool:
    return result is None or result < 0


def _bytes_out(entered: Entered, param: Param, value: int, result: int | None) -> str:
    if result is None or result < 0:
        return text.address(value)
    name = entered.syscall.name
    if name == "getcwd":
        return entered.shower.path(value)
    length = result
    if name in ("recv", "recvfrom"):  # MSG_TRUNC: longer than the buffer
        length = min(result, entered.number("size"))
    return entered.shower.buffer(value, length)


def _struct_out(entered: Entered, param: Param, value: int, result: int | None) -> str:
    if param.kind.direction == "inout":
        return entered.before[param.name]
    return text.address(value) if _failed(result) else entered.shower.struct_at(param.kind.args[0], value)


def _remaining_out(entered: Entered, param: Param, value: int, result: int | None) -> str:
    """What is left of a sleep: written only when it was interrupted."""
    interrupted = result is not None and -result in (4, 516)
    return entered.shower.struct_at(param.kind.args[0], value) if interrupted else text.address(value)


def _array_out(entered: Entered, param: Param, value: int, result: int | None) -> str:
    if result is None or result < 0:
        return text.address(value)
    count = result if param.kind.args[1] == "return" else entered.number(param.kind.args[1])
    return _array(entered, param.kind.args[0], value, count)


def _before(entered: Entered, param: Param, value: int, result: int | None) -> str:
    return entered.before.get(param.name, text.address(value))


def _sockaddr_out(entered: Entered, param: Param, value: int, result: int | None) -> str:
    if _failed(result):
        return text.address(value)
    length = entered.number(param.kind.args[0])
    room = entered.before.get(param.kind.args[0], "").strip("[]")
    most = int(room) if room.lstrip("-").isdigit() else length
    return entered.shower.sockaddr_at(value, min(length, most))


def _socklen_out(entered: Entered, param: Param, value: int, result: int | None) -> str:
    before, after = entered.before.get(param.name, ""), _socklen_in(entered, param, value)
    if before == after or not before or _failed(result):
        return before or after
    return f"[{before.strip('[]')} => {after.strip('[]')}]"


def _iovec_out(entered: Entered, param: Param, value: int, result: int | None) -> str:
    if result is None or result < 0:
        return _iovec_addresses(entered, value, entered.number(param.kind.args[0]))
    return _iovec(entered, value, entered.number(param.kind.args[0]), result)


def _iovec_addresses(entered: Entered, value: int, count: int) -> str:
    layout = structs.layout("iovec", entered.shower.arch)
    data = entered.shower.bytes_at(value, layout.size * count) if 0 <= count <= 1024 else None
    if data is None:
        return text.address(value)
    entries = (layout.numbers(data[i * layout.size :]) for i in range(count))
    shown = [f"{{iov_base={text.address(e['iov_base'])}, iov_len={e['iov_len']}}}" for e in entries]
    return f"[{', '.join(shown)}]"


def _msghdr_out(entered: Entered, param: Param, value: int, result: int | None) -> str:
    before = entered.before.get(param.name, "")
    if result is None or result < 0:
        return f"{{msg_namelen={before}}}" if before else text.address(value)
    return _msghdr(entered, value, result, before)


def _mmsghdr_out(entered: Entered, param: Param, value: int, result: int | None) -> str:
    return text.address(value) if result is None or result < 0 else _mmsghdr(entered, value, result, True)


def _optval_out(entered: Entered, param: Param, value: int, result: int | None) -> str:
    if _failed(result):
        return text.address(value)
    return _optval_in(entered, param, value)


def _wstatus_out(entered: Entered, param: Param, value: int, result: int | None) -> str:
    words = entered.shower.words_at(value, 1, 4) if result is not None and result > 0 else None
    return text.address(value) if words is None else text.wait_status(words[0])


def _fdpair_out(entered: Entered, param: Param, value: int, result: int | None) -> str:
    return text.address(value) if _failed(result) else entered.shower.ints(value, 2)


def _sigset_out(entered: Entered, param: Param, value: int, result: int | None) -> str:
    return text.address(value) if _failed(result) else _sigset_in(entered, param, value)


def _offset_out(entered: Entered, param: Param, value: int, result: int | None) -> str:
    before, after = entered.before.get(param.name, ""), _offset_in(entered, param, value)
    return before if before == after or _failed(result) else f"{before} => {after}"


def _ints_out(entered: Entered, param: Param, value: int, result: int | None) -> str:
    if result is None or result < 0:
        shown = text.address(value)
    else:
        count = result if param.kind.args[0] == "return" else entered.number(param.kind.args[0])
        shown = entered.shower.ints(value, max(0, min(count, 65536)), signed=False)
    if entered.syscall.name == "clone":
        return f"{_CLONE[param.name]}={shown}"
    return shown


def _longs_out(entered: Entered, param: Param, value: int, result: int | None) -> str:
    return text.address(value) if _failed(result) else entered.shower.ints(value, 1, 8)


def _dirents_out(entered: Entered, param: Param, value: int, result: int | None) -> str:
    """``0x… /* 5 entries */``"""
    if result is None or result < 0:
        return text.address(value)
    data = entered.shower.bytes_at(value, result) or b""
    position, count = 0, 0
    while position + 18 <= len(data):
        count += 1
        position += max(1, int.from_bytes(data[position + 16 : position + 18], "little"))
    return f"{text.address(value)} /* {count} entr{'y' if count == 1 else 'ies'} */"


def _ioctl_out(entered: Entered, param: Param, value: int, result: int | None) -> str:
    direction, kind = _ioctl_type(entered)
    before = entered.before.get(param.name, text.address(value))
    if direction not in ("out", "inout"):
        return before
    if _failed(result):
        return before if direction == "inout" else text.address(value)
    return _ioctl_value(entered, kind, value, complete=True)


def _fcntl_out(entered: Entered, param: Param, value: int, result: int | None) -> str:
    command = names.enumeration("fcntl").name(entered.args.get("cmd", 0))
    direction, _, what = FCNTL_TYPES.get(command or "", "").partition(":")
    if direction in ("out", "inout") and not _failed(result):
        return entered.shower.struct_at(what, value)
    return entered.before.get(param.name, text.address(value))


def _clone_args_out(entered: Entered, param: Param, value: int, result: int | None) -> str:
    return entered.before[param.name]


#: style → text of what is pointed to when the call has returned
EXIT: Final[dict[str, ShowAfter]] = {
    "bytes": _bytes_out,
    "struct": _struct_out,
    "remaining": _remaining_out,
    "array": _array_out,
    "pollfds": _before,
    "fdset": _before,
    "sockaddr": _sockaddr_out,
    "socklen": _socklen_out,
    "iovec": _iovec_out,
    "msghdr": _msghdr_out,
    "mmsghdr": _mmsghdr_out,
    "optval": _optval_out,
    "wstatus": _wstatus_out,
    "fdpair": _fdpair_out,
    "sigset": _sigset_out,
    "offset": _offset_out,
    "ints": _ints_out,
    "longs": _longs_out,
    "dirents": _dirents_out,
    "ioctl": _ioctl_out,
    "fcntl": _fcntl_out,
    "clone_args": _clone_args_out,
}


def takes_no_argument(entered: Entered, param: Param) -> bool:
    """Whether this ioctl or fcntl command has no third argument, or clone()'s flags make this one mean nothing."""
    if entered.syscall.name == "clone":
        return not entered.args.get("clone_flags", 0) & _CLONE_NEEDS.get(param.name, -1)
    if param.kind.style == "ioctl":
        return _ioctl_type(entered)[0] == "none"
    if param.kind.style == "fcntl":
        command = names.enumeration("fcntl").name(entered.args.get("cmd", 0))
        return command is not None and FCNTL_TYPES.get(command) == ""
    return False


# ---- results ----


def _fcntl_result(entered: Entered, result: int) -> str:
    command = names.enumeration("fcntl").name(entered.args.get("cmd", 0))
    if command == "F_GETFL":
        return f"{result:#x} (flags {text.open_flags(result)})"
    if command == "F_GETFD" and result:
        return f"{result:#x} (flags {names.flags('fd').text(result)})"
    if command == "F_GETSIG" and result:
        return f"{result} ({names.signal_name(result)})"
    if command == "F_GET_SEALS" and result:
        return f"{result:#x} (seals {names.flags('seal').text(result)})"
    return str(result)


def _left(entered: Entered, name: str, struct_name: str) -> str:
    """``left {…}``: what remains of a timeout that the call was given."""
    value = entered.args.get(name, 0)
    return f"left {entered.shower.struct_at(struct_name, value)}" if value else ""


def _poll_result(entered: Entered, result: int) -> str:
    if not result:
        return "0 (Timeout)"
    fds = [(fd, revents) for fd, _, revents in _pollfds(entered, entered.args["ufds"]) if revents]
    shown = ", ".join(f"{{fd={fd}, revents={names.flags('poll').text(revents)}}}" for fd, revents in fds)
    left = _left(entered, "tsp", "timespec") if "tsp" in entered.args else ""
    return f"{result} ([{shown}]{', ' + left if left else ''})"


def _select_result(entered: Entered, result: int) -> str:
    timeout = ("tsp", "timespec") if "tsp" in entered.args else ("tvp", "timeval")
    if not result:
        return "0 (Timeout)"
    parts = []
    for label, name in (("in", "inp"), ("out", "outp"), ("except", "exp")):
        bits = _fdset_bits(entered, entered.args[name])
        if bits:
            parts.append(f"{label} {text.descriptor_set(bits, entered.number('n'))}")
    left = _left(entered, *timeout)
    return f"{result} ({', '.join(parts + ([left] if left else []))})"


RESULTS: Final[dict[str, Callable[[Entered, int], str]]] = {
    "fcntl": _fcntl_result,
    "poll": _poll_result,
    "ppoll": _poll_result,
    "select": _select_result,
    "_newselect": _select_result,
    "pselect6": _select_result,
    "umask": lambda entered, result: text.octal(result),
}
