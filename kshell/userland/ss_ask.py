"""Asking the kernel for sockets by NETLINK_SOCK_DIAG, family by family, as ss does."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from kshell.abi import sock_diag as d
from kshell.abi.inet import IPPROTO_RAW, IPPROTO_TCP, IPPROTO_UDP
from kshell.abi.socket import AF_INET, AF_NETLINK, AF_PACKET, AF_UNIX
from kshell.userland import names
from kshell.userland.addresses import ipv4
from kshell.userland.rtnl import Message, NetlinkError, attribute, number, text
from kshell.userland.ss_info import TcpInfo, skmem, timer
from kshell.userland.ss_table import Row

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from kshell.userland.ss import Query

STATES: Final = (
    "UNKNOWN", "ESTAB", "SYN-SENT", "SYN-RECV", "FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT", "UNCONN", "CLOSE-WAIT",
    "LAST-ACK", "LISTEN", "CLOSING",
)  # fmt: skip
ESTABLISHED, CLOSE, LISTEN = 1 << 1, 1 << 7, 1 << 10
_UNIX_TYPES: Final = {1: ("unix_stream", "u_str"), 2: ("unix_dgram", "u_dgr"), 5: ("unix_seqpacket", "u_seq")}
_NETLINKS: Final = {
    0: "rtnl", 4: "tcpdiag", 7: "selinux", 8: "iscsi", 9: "audit", 10: "fiblookup", 11: "connector", 12: "nft",
    15: "uevent", 16: "genl",
}  # fmt: skip
_ETHERTYPES: Final = {0x0800: "ip", 0x0806: "arp", 0x86DD: "ipv6", 0x8100: "802.1Q", 0x0001: "802.3"}
RCV_SHUTDOWN, SEND_SHUTDOWN = 1, 2


async def tcp(q: Query) -> list[Row]:
    """TCP's sockets."""
    return await _inet(q, IPPROTO_TCP, "tcp")


async def udp(q: Query) -> list[Row]:
    """UDP's sockets."""
    return await _inet(q, IPPROTO_UDP, "udp")


async def raw(q: Query) -> list[Row]:
    """Raw sockets. What ss calls them is no name, since it looks for that of protocol 255."""
    return await _inet(q, IPPROTO_RAW, "???")


async def _inet(q: Query, protocol: int, netid: str) -> list[Row]:
    o = q.options
    if o.family not in (0, AF_INET) or q.filter.path:
        return []
    wanted = 1 << d.INET_DIAG_MEMINFO - 1 | 1 << d.INET_DIAG_SKMEMINFO - 1 if o.memory else 0
    if o.info:
        wanted |= 1 << d.INET_DIAG_INFO - 1 | 1 << d.INET_DIAG_VEGASINFO - 1 | 1 << d.INET_DIAG_CONG - 1
    body = struct.pack("<BBBxI", AF_INET, protocol, wanted, o.states) + bytes(36) + b"\0" * 4 + b"\xff" * 8
    body += attribute(d.INET_DIAG_REQ_BYTECODE, q.filter.program) if q.filter.program else b""
    try:
        messages = await q.net.dump(d.SOCK_DIAG_BY_FAMILY, body)
    except NetlinkError as error:
        if error.errno != 2:  # ENOENT: the protocol's module is not there
            raise
        return []
    return [_inet_row(q, message, protocol, netid) for message in messages]


def _shutdown(data: bytes | None) -> str:
    if data is None:
        return ""
    mask = number(data)
    return f" {'-' if mask & RCV_SHUTDOWN else '<'}-{'-' if mask & SEND_SHUTDOWN else '>'}"


def _inet_row(q: Query, message: Message, protocol: int, netid: str) -> Row:
    o, b = q.options, message.body
    _, state, kind, retrans = struct.unpack_from("<BBBB", b)
    sport, dport, src, dst = struct.unpack_from(">HHI12xI", b, 4)
    index, expires, rqueue, wqueue, uid, inode = struct.unpack_from("<I8xIIIII", b, 40)
    device = f"%{q.names.get(index, f'if{index}')}" if index else ""
    ends = [
        (f"{names.host(address) if o.resolve else ipv4(address)}{zone}:", _port(port, protocol, o.numeric))
        for address, zone, port in ((src, device, sport), (dst, "", dport))
    ]
    row = Row(netid, STATES[state], (rqueue, wqueue), ends[0], ends[1])
    attrs = message.attrs(72)
    row.behind += q.owners.of(inode) if q.owners is not None else ""
    row.behind += timer(kind, expires, retrans) if o.timers else ""
    if o.extended:
        row.behind += (f" uid:{uid}" if uid else "") + f" ino:{inode} sk:{number(b[44:52]):x}"
        row.behind += f" fwmark:{number(attrs[d.INET_DIAG_MARK]):#x}" if number(attrs.get(d.INET_DIAG_MARK)) else ""
        row.behind += _shutdown(attrs.get(d.INET_DIAG_SHUTDOWN))
    if o.memory or (o.info and protocol == IPPROTO_TCP):
        row.behind += "" if o.oneline else "\n\t"
        row.behind += skmem(attrs[d.INET_DIAG_SKMEMINFO]) if o.memory and d.INET_DIAG_SKMEMINFO in attrs else ""
        if o.info and d.INET_DIAG_INFO in attrs:
            info = TcpInfo(attrs[d.INET_DIAG_INFO])
            row.behind += "".join(
                f" {word}" for word in info.words(text(attrs.get(d.INET_DIAG_CONG)), o.timers, o.numeric)
            )
    return row


def _port(port: int, protocol: int, numeric: bool) -> str:
    if not port:
        return "*"
    if numeric:
        return str(port)
    if protocol == IPPROTO_RAW:
        name = names.protocol(port)
        return name if not name.isdecimal() else f"ipproto-{port}"
    return names.service(port, "tcp" if protocol == IPPROTO_TCP else "udp")


async def unix(q: Query) -> list[Row]:
    """Sockets with names of files."""
    o = q.options
    if o.family not in (0, AF_UNIX):
        return []
    show = d.UDIAG_SHOW_NAME | d.UDIAG_SHOW_PEER | d.UDIAG_SHOW_RQLEN
    show |= d.UDIAG_SHOW_MEMINFO if o.memory else 0
    show |= d.UDIAG_SHOW_VFS | d.UDIAG_SHOW_ICONS if o.extended else 0
    body = struct.pack("<BBxxIII", AF_UNIX, 0, o.states, 0, show) + b"\xff" * 8
    rows = []
    for message in await q.net.dump(d.SOCK_DIAG_BY_FAMILY, body):
        _, kind, state, inode = struct.unpack_from("<BBBxI", message.body)
        attrs = message.attrs(16)
        name = attrs.get(d.UNIX_DIAG_NAME, b"")
        shown = ("@" + name[1:].decode("latin-1").replace("\0", "@")) if name[:1] == b"\0" else text(name)
        wanted, netid = _UNIX_TYPES.get(kind, ("", "u_???"))
        if wanted not in o.unix_kinds or not q.filter.wants_name(shown):
            continue
        queues = struct.unpack("<II", attrs.get(d.UNIX_DIAG_RQLEN, bytes(8)))
        row = Row(netid, STATES[state], (queues[0], queues[1]), (f"{shown or '*'} ", str(inode)),
                  ("* ", str(number(attrs.get(d.UNIX_DIAG_PEER)))))  # fmt: skip
        row.behind += q.owners.of(inode) if q.owners is not None else ""
        row.behind += skmem(attrs[d.UNIX_DIAG_MEMINFO]) if d.UNIX_DIAG_MEMINFO in attrs else ""
        row.behind += _unix_details(attrs) if o.extended else ""
        rows.append(row)
    return rows


def _unix_details(attrs: dict[int, bytes]) -> str:
    line = _shutdown(attrs.get(d.UNIX_DIAG_SHUTDOWN))
    if d.UNIX_DIAG_VFS in attrs:
        inode, device = struct.unpack_from("<II", attrs[d.UNIX_DIAG_VFS])
        line += f" ino:{inode} dev:{device >> 20 if device > 0xFFFF else device >> 8}/{device & 0xFF}"
    if attrs.get(d.UNIX_DIAG_ICONS):
        line += " peers:" + "".join(f" {each}" for (each,) in struct.iter_unpack("<I", attrs[d.UNIX_DIAG_ICONS]))
    return line


async def netlink(q: Query) -> list[Row]:
    """Netlink's sockets."""
    o = q.options
    if not o.states & CLOSE or o.family not in (0, AF_NETLINK) or not q.filter.wants_name(""):
        return []
    show = d.NDIAG_SHOW_GROUPS | d.NDIAG_SHOW_MEMINFO
    body = struct.pack("<BBxxII", AF_NETLINK, d.NDIAG_PROTO_ALL, 0, show) + b"\xff" * 8
    rows = []
    for message in await q.net.dump(d.SOCK_DIAG_BY_FAMILY, body):
        _, _, protocol, _, portid, dst, _, _ = struct.unpack_from("<BBBBIIII", message.body)
        memory = struct.unpack_from("<9I", message.attrs(28).get(d.NETLINK_DIAG_MEMINFO, bytes(36)))
        kind = str(protocol) if o.numeric else _NETLINKS.get(protocol, str(protocol))
        local = (f"{kind}:", await q.portid(portid))
        row = Row("nl", STATES[7], (memory[0], memory[2]), local, (f"*{dst}" if dst else "*", ""))
        row.behind += skmem(struct.pack("<9I", *memory)) if o.memory else ""
        if o.extended:
            row.behind += f" sk={number(message.body[20:28]):x} cb=0 groups=0x{_groups(message):08x}"
        rows.append(row)
    return rows


def _groups(message: Message) -> int:
    return number(message.attrs(28).get(d.NETLINK_DIAG_GROUPS, b"")[:4])


async def packet(q: Query) -> list[Row]:
    """Packet sockets."""
    o = q.options
    if not o.states & CLOSE or o.family not in (0, AF_PACKET) or not q.filter.wants_name(""):
        return []
    show = d.PACKET_SHOW_INFO | d.PACKET_SHOW_MEMINFO
    body = struct.pack("<BBxxII", AF_PACKET, 0, 0, show) + b"\xff" * 8
    rows = []
    for message in await q.net.dump(d.SOCK_DIAG_BY_FAMILY, body):
        _, kind, protocol, inode = struct.unpack_from("<BBHI", message.body)
        attrs = message.attrs(16)
        memory = attrs.get(d.PACKET_DIAG_MEMINFO, bytes(36))
        index, version, _, threshold, _, flags = struct.unpack_from("<6I", attrs.get(d.PACKET_DIAG_INFO, bytes(24)))
        known = "" if o.numeric else _ETHERTYPES.get(protocol, "")
        what = "*" if protocol == 3 else known or f"[{protocol}]"
        queues = struct.unpack_from("<IxxxxI", memory)
        device = q.names.get(index, f"if{index}") if index else "*"
        row = Row("p_raw" if kind == 3 else "p_dgr", STATES[7], (queues[0], queues[1]), (f"{what}:", device), ("*", ""))
        row.behind += q.owners.of(inode) if q.owners is not None else ""
        if o.extended:
            row.behind += f" ino:{inode} sk:{number(message.body[8:16]):x}\n\tver:{version} cpy_thresh:{threshold}"
            row.behind += f" flags( {_flag_names(flags)} )"
        row.behind += skmem(memory) if o.memory else ""
        rows.append(row)
    return rows


def _flag_names(flags: int) -> str:
    names_ = ("running", "auxdata", "origdev", "vnethdr", "loss")
    return ",".join(name for bit, name in enumerate(names_) if flags >> bit & 1) or "0"


ASK: Final[dict[str, Callable[[Query], Awaitable[list[Row]]]]] = {
    "netlink": netlink, "packet": packet, "unix": unix, "raw": raw, "udp": udp, "tcp": tcp,
}  # fmt: skip
"""In the order in which ss asks."""
