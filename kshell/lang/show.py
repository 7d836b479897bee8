"""Bytes of user memory to strace's text: structs, socket addresses, control messages, buffers."""

from collections.abc import Callable
from typing import Final, Protocol

from kshell.abi import errno, names, structs
from kshell.abi.signal import SIGCHLD
from kshell.abi.socket import AF_INET, AF_INET6, AF_NETLINK, AF_PACKET, AF_UNIX
from kshell.abi.stat import S_IFBLK, S_IFCHR, S_IFMT
from kshell.abi.structs import Struct, Value
from kshell.lang import netlink_show, text
from kshell.lang.ipaddr import ipv4_text, ipv6_text
from kshell.lang.marshal_options import option_type
from kshell.lang.messages import control_type
from kshell.lang.struct_formats import FORMATS

_SA_RESTORER: Final = 0x4000000
#: lists longer than this end in ``...``, as with strace -s 32
DEFAULT_LIMIT: Final = 32


class Reader(Protocol):
    """User memory to look at."""

    def read(self, address: int, size: int) -> bytes | None:
        """The bytes there; fewer or None where nothing is mapped."""


def loopback_only(index: int) -> str | None:
    """A machine that has but ``lo``."""
    return "lo" if index == 1 else None


class Shower:
    """Shows values of one task's memory. string_limit: longer strings are cut, None: none is."""

    __slots__ = ("arch", "interface_name", "memory", "string_limit")

    def __init__(
        self,
        memory: Reader,
        arch: str = "x86_64",
        string_limit: int | None = DEFAULT_LIMIT,
        interface_name: Callable[[int], str | None] = loopback_only,
    ) -> None:
        self.memory = memory
        self.arch = arch
        self.string_limit = string_limit
        self.interface_name = interface_name

    def over(self, memory: Reader) -> "Shower":
        """The same for other memory."""
        return Shower(memory, self.arch, self.string_limit, self.interface_name)

    # ---- memory ----

    def bytes_at(self, address: int, size: int) -> bytes | None:
        """All the bytes of a stretch, None if some are not there."""
        if not address or size < 0:
            return None
        data = self.memory.read(address, size) if size else b""
        return data if data is not None and len(data) == size else None

    def string_at(self, address: int, most: int = 4096) -> bytes | None:
        """The bytes up to a zero byte."""
        data = b""
        while len(data) < most:
            step = 256 - (address + len(data)) % 256
            piece = self.memory.read(address + len(data), step)
            if not piece:
                return None
            end = piece.find(b"\0")
            if end >= 0:
                return data + piece[:end]
            data += piece
        return data

    def words_at(self, address: int, count: int, width: int, signed: bool = True) -> list[int] | None:
        """An array of numbers."""
        data = self.bytes_at(address, count * width)
        if data is None:
            return None
        pieces = (data[i : i + width] for i in range(0, len(data), width))
        return [int.from_bytes(piece, "little", signed=signed) for piece in pieces]

    # ---- simple values ----

    def buffer(self, address: int, size: int) -> str:
        """A buffer's bytes as a string, the address if they are not there."""
        shown = size if self.string_limit is None else min(size, self.string_limit + 1)
        data = self.bytes_at(address, shown)
        if data is None:
            return text.address(address)
        return text.quote(data, self.string_limit) + ("..." if shown < size and self.string_limit is None else "")

    def payload(self, address: int, size: int) -> str:
        """What goes through a socket: netlink messages as such, anything else as a string."""
        if 16 <= size <= 65536:
            data = self.bytes_at(address, size)
            shown = netlink_show.show(data, self.struct, self.interface) if data is not None else None
            if shown is not None:
                return shown
        return self.buffer(address, size)

    def path(self, address: int) -> str:
        """A path, whole."""
        if not address:
            return "NULL"
        data = self.string_at(address)
        return text.address(address) if data is None else text.quote(data)

    def ints(self, address: int, count: int, width: int = 4, signed: bool = True) -> str:
        """``[3, 4]``"""
        values = self.words_at(address, count, width, signed)
        return text.address(address) if values is None else f"[{', '.join(map(str, values))}]"

    def interface(self, index: int) -> str:
        """``if_nametoindex("lo")``, or the number."""
        name = self.interface_name(index) if index else None
        return f'if_nametoindex("{name}")' if name else str(index)

    # ---- structs ----

    def struct_at(self, name: str, address: int) -> str:
        """A struct in memory."""
        data = self.bytes_at(address, structs.sizeof(name, self.arch))
        return text.address(address) if data is None else self.struct(name, data)

    def struct(self, name: str, data: bytes) -> str:
        """A struct's bytes, only as many fields as there are bytes for."""
        special = _SPECIAL.get(name)
        if special is not None:
            return special(self, data)
        layout = structs.layout(name, self.arch)
        values = layout.unpack(data)
        parts = []
        for field, form in FORMATS.get(name) or tuple((f.name, "") for f in layout.visible_fields()):
            if field == "...":
                parts.append("...")
            elif field in values:
                parts.append(f"{field}={self.field(layout, field, form, values[field])}")
        return f"{{{', '.join(parts)}}}"

    def field(self, layout: Struct, name: str, form: str, value: Value) -> str:
        """One field's value in its format."""
        if isinstance(value, dict):
            return self._nested(layout, name, form, value)
        if isinstance(value, list):
            shown = ", ".join(str(v) for v in value)
            return f"{{val=[{shown}]}}" if name == "f_fsid" else f"[{shown}]"
        if isinstance(value, bytes):
            return _BYTE_FORMATS.get(form, _plain_bytes)(value)
        return self.number(form, value)

    def _nested(self, layout: Struct, name: str, form: str, value: dict[str, Value]) -> str:
        found = layout.field(name)
        inner = found.inner if found is not None else None
        assert inner is not None, name
        packed = inner.pack(value)
        if form == "hardware":
            return hardware_address(packed)
        if form in ("sockaddr", "storage"):
            return self.sockaddr(packed)
        return self.struct(inner.name, packed)

    def number(self, form: str, value: int) -> str:
        """A number in one of struct_formats' formats."""
        kind, _, table = form.partition(":")
        if kind == "e":
            return names.enumeration(table).text(value)
        if kind == "f":
            return names.flags(table).text(value & 0xFFFFFFFF)
        if kind == "if":
            return self.interface(value)
        return _NUMBER_FORMATS.get(kind, str)(value)

    # ---- sockets ----

    def sockaddr_at(self, address: int, size: int) -> str:
        """A socket address in memory."""
        data = self.bytes_at(address, min(size, 128)) if size >= 0 else None
        return text.address(address) if data is None else self.sockaddr(data)

    def sockaddr(self, data: bytes) -> str:
        """A socket address: ``{sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("127.0.0.1")}``."""
        if len(data) < 2:
            return text.quote(data) if data else '""'
        family = int.from_bytes(data[:2], "little")
        name = names.enumeration("af").text(family)
        show = _FAMILIES.get(family)
        rest = show(self, data) if show is not None else None
        if rest is None:
            rest = f"sa_data={text.quote(data[2:])}" if len(data) > 2 else ""
        return f"{{sa_family={name}, {rest}}}" if rest else f"{{sa_family={name}}}"

    def control(self, address: int, size: int) -> str:
        """The control messages of a msghdr."""
        data = self.bytes_at(address, size)
        if data is None:
            return text.address(address)
        header = structs.layout("cmsghdr", self.arch)
        align, position, parts = 4 if self.arch == "i386" else 8, 0, []
        while position + header.size <= len(data):
            fields = header.numbers(data[position:])
            length = fields["cmsg_len"]
            body = data[position + header.size : position + length]
            parts.append(self._control_message(fields, body))
            if length < header.size:
                break
            position += -(-length // align) * align
        return f"[{', '.join(parts)}]"

    def _control_message(self, fields: dict[str, int], body: bytes) -> str:
        level, kind, length = fields["cmsg_level"], fields["cmsg_type"], fields["cmsg_len"]
        shown = f"cmsg_len={length}, cmsg_level={names.enumeration('sockopt_level').text(level)}"
        shown += f", cmsg_type={self._control_name(level, kind)}"
        return f"{{{shown}, cmsg_data={self.typed(control_type(level, kind), body)}}}" if body else f"{{{shown}}}"

    def _control_name(self, level: int, kind: int) -> str:
        tables = {0: "opt_ip", 1: "scm", 6: "opt_tcp", 17: "opt_udp", 41: "opt_ipv6"}
        name = names.enumeration(tables[level]).name(kind) if level in tables else None
        if name is None and level == 1:
            name = names.enumeration("opt_socket").name(kind)
        return name or hex(kind)

    def option(self, level: int, optname: int, data: bytes) -> str:
        """A socket option's value."""
        return self.typed(option_type(level, optname), data)

    def typed(self, kind: str, data: bytes) -> str:
        """A value of a type of option_types."""
        special = _TYPED.get(kind)
        if special is not None:
            return special(self, data)
        if kind.startswith("enum:") and len(data) >= 4:
            return f"[{names.enumeration(kind[5:]).text(int.from_bytes(data[:4], 'little'))}]"
        if kind == "ip_mreqn" and 8 <= len(data) < 12:
            kind = "ip_mreq"
        if structs.has(kind) and len(data) >= min(structs.sizeof(kind, self.arch), 8):
            return self.struct(kind, data)
        if kind == "int" and len(data) >= 4:
            return f"[{int.from_bytes(data[:4], 'little', signed=True)}]"
        return text.quote(data)


# ---- single formats ----


def _plain_bytes(value: bytes) -> str:
    return text.quote(value)


def _c_string(value: bytes) -> str:
    return text.quote(value.split(b"\0", 1)[0])


_BYTE_FORMATS: Final[dict[str, Callable[[bytes], str]]] = {
    "s": _c_string,
    "ip6": lambda v: f'inet_pton(AF_INET6, "{ipv6_text(v)}")',
}

_NUMBER_FORMATS: Final[dict[str, Callable[[int], str]]] = {
    "x": lambda v: hex(v) if v else "0",
    "o": text.octal,
    "p": text.address,
    "sig": names.signal_name,
    "mask": text.signal_set,
    "ip4": lambda v: f'inet_addr("{ipv4_text(v)}")',
    "htonl": lambda v: f"htonl({v})",
    "htons": lambda v: f"htons({v})",
    "mode": text.file_mode,
    "dev": text.device,
    "id": lambda v: "-1" if v == 0xFFFFFFFF else str(v),
    "rlim": text.limit,
    "handler": lambda v: {0: "SIG_DFL", 1: "SIG_IGN"}.get(v, hex(v)),
}


# ---- address families ----


def _inet(shower: Shower, data: bytes) -> str | None:
    if len(data) < 16:
        return None
    fields = structs.layout("sockaddr_in").numbers(data)
    return f'sin_port=htons({fields["sin_port"]}), sin_addr=inet_addr("{ipv4_text(fields["sin_addr"])}")'


def _inet6(shower: Shower, data: bytes) -> str | None:
    if len(data) < 24:
        return None
    fields = structs.layout("sockaddr_in6").numbers(data)
    shown = f"sin6_port=htons({fields['sin6_port']}), sin6_flowinfo=htonl({fields['sin6_flowinfo']})"
    shown += f', inet_pton(AF_INET6, "{ipv6_text(data[8:24])}", &sin6_addr)'
    return shown + (f", sin6_scope_id={shower.interface(fields['sin6_scope_id'])}" if len(data) >= 28 else "")


def _unix(shower: Shower, data: bytes) -> str | None:
    path = data[2:110]
    if not path:
        return ""
    if path[0]:
        return f"sun_path={text.quote(path.split(bytes(1), 1)[0])}"
    return f"sun_path=@{text.quote(path[1:])}"


def _netlink(shower: Shower, data: bytes) -> str | None:
    if len(data) < 12:
        return None
    fields = structs.layout("sockaddr_nl").numbers(data)
    groups = fields["nl_groups"]
    return f"nl_pid={fields['nl_pid']}, nl_groups={f'{groups:#08x}' if groups else '00000000'}"


def _packet(shower: Shower, data: bytes) -> str | None:
    if len(data) < 12:
        return None
    fields = structs.layout("sockaddr_ll").numbers(data.ljust(20, b"\0"))
    length = fields["sll_halen"]
    shown = ", ".join(f"{byte:#04x}" for byte in data[12 : 12 + min(length, 8)])
    parts = [
        f"sll_protocol=htons({names.enumeration('ethertype').text(fields['sll_protocol'])})",
        f"sll_ifindex={shower.interface(fields['sll_ifindex'])}",
        f"sll_hatype={names.enumeration('arphrd').text(fields['sll_hatype'])}",
        f"sll_pkttype={names.enumeration('pkttype').text(fields['sll_pkttype'])}",
        f"sll_halen={length}",
    ]
    return ", ".join(parts + ([f"sll_addr=[{shown}]"] if length else []))


_FAMILIES: Final[dict[int, Callable[[Shower, bytes], str | None]]] = {
    AF_UNIX: _unix, AF_INET: _inet, AF_INET6: _inet6, AF_NETLINK: _netlink, AF_PACKET: _packet,
}  # fmt: skip


def hardware_address(data: bytes) -> str:
    """``{sa_family=ARPHRD_ETHER, sa_data=02:00:00:00:00:01}``"""
    kind = names.enumeration("arphrd").text(int.from_bytes(data[:2], "little"))
    return f"{{sa_family={kind}, sa_data={text.mac(data[2:8])}}}"


# ---- structs with ways of their own ----


def _stat(shower: Shower, data: bytes) -> str:
    fields = structs.layout("stat", shower.arch).numbers(data)
    mode, size, rdev = fields["st_mode"], fields["st_size"], fields["st_rdev"]
    if mode & S_IFMT in (S_IFCHR, S_IFBLK):
        return f"{{st_mode={text.file_mode(mode)}, st_rdev={text.device(rdev)}, ...}}"
    return f"{{st_mode={text.file_mode(mode)}, st_size={size}, ...}}"


def _statx(shower: Shower, data: bytes) -> str:
    fields = structs.layout("statx", shower.arch).numbers(data)
    mask, mode, attributes = fields["stx_mask"], fields["stx_mode"], fields["stx_attributes"]
    shown = f"stx_mask={names.flags('statx').text(mask)}"
    shown += f", stx_attributes={names.flags('statx_attributes').text(attributes)}"
    return f"{{{shown}, stx_mode={text.file_mode(mode)}, stx_size={fields['stx_size']}, ...}}"


def _epoll_event(shower: Shower, data: bytes) -> str:
    events, value = int.from_bytes(data[:4], "little"), int.from_bytes(data[4:12], "little")
    low = value & 0xFFFFFFFF
    return f"{{events={names.flags('epoll').text(events)}, data={{u32={low}, u64={value}}}}}"


def _siginfo(shower: Shower, data: bytes) -> str:
    fields = structs.layout("siginfo", shower.arch).numbers(data)
    number, code = fields["si_signo"], fields["si_code"]
    kind = "cld_code" if number == SIGCHLD and code > 0 else "si_code"
    shown = f"si_signo={names.signal_name(number)}, si_code={names.enumeration(kind).text(code)}"
    shown += f", si_pid={fields['si_pid']}, si_uid={fields['si_uid']}"
    if kind == "cld_code":
        shown += f", si_status={fields['si_status']}, si_utime={fields['si_utime']}, si_stime={fields['si_stime']}"
    return f"{{{shown}}}"


def _sigaction(shower: Shower, data: bytes) -> str:
    fields = structs.layout("sigaction", shower.arch).numbers(data)
    handler, mask, flags, restorer = (fields[f"sa_{n}"] for n in ("handler", "mask", "flags", "restorer"))
    shown = f"sa_handler={_NUMBER_FORMATS['handler'](handler)}, sa_mask={text.signal_set(mask)}"
    shown += f", sa_flags={names.flags('sigaction').text(flags)}"
    return f"{{{shown}" + (f", sa_restorer={text.address(restorer)}" if flags & _SA_RESTORER else "") + "}"


def _tcp_info(shower: Shower, data: bytes) -> str:
    layout = structs.layout("tcp_info", shower.arch)
    values = layout.unpack(data)
    scale, bits = values.pop("tcpi_wscale", None), values.pop("tcpi_bits", None)
    if isinstance(scale, int):
        values |= {"tcpi_snd_wscale": scale & 0xF, "tcpi_rcv_wscale": scale >> 4}
    if isinstance(bits, int):
        values |= {"tcpi_delivery_rate_app_limited": bits & 1, "tcpi_fastopen_client_fail": bits >> 1 & 3}
    shown = [f"{n}={shower.field(layout, n, form, values[n])}" for n, form in FORMATS["tcp_info"] if n in values]
    return f"{{{', '.join(shown)}}}"


_SPECIAL: Final[dict[str, Callable[[Shower, bytes], str]]] = {
    "stat": _stat, "statx": _statx, "epoll_event": _epoll_event, "siginfo": _siginfo, "sigaction": _sigaction,
    "tcp_info": _tcp_info,
}  # fmt: skip


# ---- values of options and control messages ----


def _errno_value(shower: Shower, data: bytes) -> str:
    value = int.from_bytes(data[:4], "little", signed=True)
    return f"[{errno.errno_name(value) if value > 0 else value}]"


def _int_list(shower: Shower, data: bytes) -> str:
    pieces = (data[i : i + 4] for i in range(0, len(data) & ~3, 4))
    return f"[{', '.join(str(int.from_bytes(p, 'little', signed=True)) for p in pieces)}]"


def _icmp_filter(shower: Shower, data: bytes) -> str:
    bits = int.from_bytes(data[:4], "little")
    absent = bits.bit_count() > 16
    table = names.enumeration("icmp_type").by_value
    shown = " ".join(table.get(n, str(n)) for n in range(32) if (bits >> n & 1) != absent)
    return f"{'~' if absent else ''}[{shown}]"


_TYPED: Final[dict[str, Callable[[Shower, bytes], str]]] = {
    "errno": _errno_value,
    "ints": _int_list,
    "bytelist": lambda shower, data: f"[{', '.join(f'{b:#x}' if b else '0' for b in data)}]",
    "u64": lambda shower, data: f"[{int.from_bytes(data[:8], 'little')}]",
    "long": lambda shower, data: f"[{int.from_bytes(data[:8], 'little', signed=True)}]",
    "string": lambda shower, data: text.quote(data),
    "bytes": lambda shower, data: text.quote(data, shower.string_limit),
    "sockaddr": lambda shower, data: shower.sockaddr(data),
    "timeval64": lambda shower, data: shower.struct("timeval", data),
    "icmp_filter": _icmp_filter,
}
