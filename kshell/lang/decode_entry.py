"""What pointers point to when a call enters: a table from style to function."""

from collections.abc import Callable, Iterator
from typing import Final

from kshell.abi import names, structs
from kshell.abi.poll import EPOLL_CTL_DEL
from kshell.abi.syscalls import SOCKETCALLS, Param
from kshell.lang import text
from kshell.lang.decode_scalars import MASK32, Entered
from kshell.lang.marshal_options import option_type
from kshell.lang.option_types import FCNTL_TYPES, IOCTL_TYPES
from kshell.lang.show import hardware_address


def _path(entered: Entered, param: Param, value: int) -> str:
    return entered.shower.path(value)


def _bytes_in(entered: Entered, param: Param, value: int) -> str:
    if not value:
        return "NULL"
    show = entered.shower.payload if entered.syscall.name in ("sendto", "send") else entered.shower.buffer
    return show(value, entered.number(param.kind.args[0]))


def _struct_in(entered: Entered, param: Param, value: int) -> str:
    if entered.args.get("op") == EPOLL_CTL_DEL and entered.syscall.name == "epoll_ctl":
        return text.address(value)  # ignored
    return entered.shower.struct_at(param.kind.args[0], value)


def _array_in(entered: Entered, param: Param, value: int) -> str:
    return array(entered, param.kind.args[0], value, entered.number(param.kind.args[1]))


def array(entered: Entered, struct_name: str, value: int, count: int) -> str:
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
    fds = list(pollfds(entered, value))
    if not value or not fds:
        return text.address(value) if value and entered.number("nfds") else "[]" if value else "NULL"
    return f"[{', '.join(_one_pollfd(fd, events) for fd, events, _ in fds)}]"


def pollfds(entered: Entered, value: int) -> Iterator[tuple[int, int, int]]:
    """The descriptor, events and revents of each entry of a pollfd array."""
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


def socklen(entered: Entered, param: Param, value: int) -> str:
    """``[16]``"""
    words = entered.shower.words_at(value, 1, 4) if value else None
    return text.address(value) if words is None else f"[{words[0]}]"


def _iovec_in(entered: Entered, param: Param, value: int) -> str:
    return iovec(entered, value, entered.number(param.kind.args[0]), None)


def iovec(entered: Entered, value: int, count: int, filled: int | None) -> str:
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
        show = shower.payload if count == 1 else shower.buffer
        buffer = "NULL" if not base else show(base, shown)
        items.append(f"{{iov_base={buffer}, iov_len={length}}}")
    return f"[{', '.join(items)}]"


def _msghdr_in(entered: Entered, param: Param, value: int) -> str:
    if param.kind.direction == "inout":  # only the length is needed later
        fields = _msghdr_fields(entered, value)
        return str(fields["msg_namelen"]) if fields else ""
    return msghdr(entered, value, None, "")


def _msghdr_fields(entered: Entered, value: int) -> dict[str, int]:
    layout = structs.layout("msghdr", entered.shower.arch)
    data = entered.shower.bytes_at(value, layout.size)
    return layout.numbers(data) if data is not None else {}


def msghdr(entered: Entered, value: int, filled: int | None, length_before: str) -> str:
    """A message header with what it points to; filled: so many received bytes mean something."""
    fields = _msghdr_fields(entered, value)
    if not fields:
        return text.address(value)
    shower, name, length = entered.shower, fields["msg_name"], fields["msg_namelen"]
    had = f"{length_before} => " if length_before and length_before != str(length) else ""
    shown = [
        f"msg_name={shower.sockaddr_at(name, length) if length else text.address(name)}",
        f"msg_namelen={had}{length}",
        f"msg_iov={iovec(entered, fields['msg_iov'], fields['msg_iovlen'], filled)}",
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
    return mmsghdr(entered, value, entered.number(param.kind.args[0]), False)


def mmsghdr(entered: Entered, value: int, count: int, received: bool) -> str:
    """An array of messages; received: each with the length that the kernel wrote."""
    size = structs.sizeof("mmsghdr", entered.shower.arch)
    offset = structs.sizeof("msghdr", entered.shower.arch)
    items = []
    for index in range(max(0, min(count, 1024))):
        words = entered.shower.words_at(value + index * size + offset, 1, 4)
        if words is None:
            return text.address(value)
        shown = msghdr(entered, value + index * size, words[0] if received else None, "")
        items.append(f"{{msg_hdr={shown}" + (f", msg_len={words[0]}}}" if received or words[0] else "}"))
    return f"[{', '.join(items)}]"


def optval(entered: Entered, param: Param, value: int) -> str:
    """A socket option's value."""
    level, option, length = (entered.number(name) for name in param.kind.args)
    if not value:
        return "NULL"
    data = entered.shower.bytes_at(value, min(length, 4096)) if length >= 0 else None
    if data is not None and length < 4 and option_type(level, option) == "int" and level != 0:
        data = None  # too short for a number
    return text.address(value) if data is None else entered.shower.option(level, option, data)


def _fdset_in(entered: Entered, param: Param, value: int) -> str:
    bits = fdset_bits(entered, value) if entered.number("n") >= 0 else None
    return text.address(value) if bits is None else text.descriptor_set(bits, entered.number("n"))


def fdset_bits(entered: Entered, value: int) -> int | None:
    """The bits of a descriptor set, None if it is not there."""
    count = max(0, min(entered.number("n"), 65536))
    data = entered.shower.bytes_at(value, -(-count // 64) * 8) if value else None
    return int.from_bytes(data, "little") if data is not None else None


def sigset(entered: Entered, param: Param, value: int) -> str:
    """``[INT TERM]``"""
    usable = value and (not param.kind.args or entered.number(param.kind.args[0]) == 8)
    words = entered.shower.words_at(value, 1, 8, signed=False) if usable else None
    return text.address(value) if words is None else text.signal_set(words[0])


def _sigset_argpack_in(entered: Entered, param: Param, value: int) -> str:
    words = entered.shower.words_at(value, 2, 8, signed=False) if value else None
    if words is None:
        return text.address(value)
    mask = sigset(entered, param, words[0])
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


def offset(entered: Entered, param: Param, value: int) -> str:
    """``[0]``"""
    words = entered.shower.words_at(value, 1, 8) if value else None
    return text.address(value) if words is None else f"[{words[0]}]"


def _ints_in(entered: Entered, param: Param, value: int) -> str:
    return entered.shower.ints(value, max(0, min(entered.number(param.kind.args[0]), 1024)), signed=False)


def _ioctl_in(entered: Entered, param: Param, value: int) -> str:
    direction, kind = ioctl_type(entered)
    if direction in ("in", "inout") and kind:
        return ioctl_value(entered, kind, value, complete=direction == "in")
    if direction == "any" and not value:
        return "0"
    return text.address(value) if direction or value > 0xFFFF else str(value)


def ioctl_type(entered: Entered) -> tuple[str, str]:
    """What the request takes: a direction and a type of option_types."""
    request = names.enumeration("ioctl").name(entered.args.get("cmd", 0)) or ""
    return IOCTL_TYPES.get(request, ("any", ""))


def ioctl_value(entered: Entered, kind: str, value: int, *, complete: bool) -> str:
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
        return text.open_flags(value & MASK32)
    if form == "signal":
        return names.signal_name(value)
    if form == "int":
        return str(((value & MASK32) ^ 0x80000000) - 0x80000000)
    kind, _, what = form.partition(":")
    if kind == "flags":
        return names.flags(what).text(value & MASK32)
    return entered.shower.struct_at(what, value) if what else text.address(value)


def _socketcall_in(entered: Entered, param: Param, value: int) -> str:
    inner = SOCKETCALLS.get(entered.args.get("call", 0))
    words = entered.shower.words_at(value, inner[1], 4, signed=False) if inner else None
    return text.address(value) if words is None else f"[{', '.join(hex(w) if w > 9 else str(w) for w in words)}]"


ShowBefore = Callable[[Entered, Param, int], str]

#: style → text of what is pointed to at entry
ENTRY: Final[dict[str, ShowBefore]] = {
    "path": _path,
    "bytes": _bytes_in,
    "struct": _struct_in,
    "array": _array_in,
    "pollfds": _pollfds_in,
    "sockaddr": _sockaddr_in,
    "socklen": socklen,
    "iovec": _iovec_in,
    "msghdr": _msghdr_in,
    "mmsghdr": _mmsghdr_in,
    "optval": optval,
    "fdset": _fdset_in,
    "sigset": sigset,
    "sigset_argpack": _sigset_argpack_in,
    "strings": _strings_in,
    "environment": _environment_in,
    "offset": offset,
    "ints": _ints_in,
    "ioctl": _ioctl_in,
    "fcntl": _fcntl_in,
    "clone_args": lambda entered, param, value: entered.shower.struct_at("clone_args", value),
    "socketcall": _socketcall_in,
}
