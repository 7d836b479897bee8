"""ss, as in iproute2: sockets by NETLINK_SOCK_DIAG."""

from __future__ import annotations

import struct
from os import strerror
from typing import TYPE_CHECKING, Final

from kshell.abi import sock_diag as d
from kshell.abi.inet import IPPROTO_RAW, IPPROTO_TCP, IPPROTO_UDP
from kshell.abi.netlink import NETLINK_SOCK_DIAG
from kshell.abi.socket import AF_INET, AF_NETLINK, AF_PACKET, AF_UNIX
from kshell.userland.addresses import ipv4, parse_prefix
from kshell.userland.owners import Owners
from kshell.userland.rtnl import Message, Netlink, NetlinkError, attribute, number, text
from kshell.userland.runtime import ProgramError

if TYPE_CHECKING:
    from kshell.userland.runtime import Process

STATES: Final = (
    "UNKNOWN", "ESTAB", "SYN-SENT", "SYN-RECV", "FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT", "UNCONN", "CLOSE-WAIT",
    "LAST-ACK", "LISTEN", "CLOSING",
)  # fmt: skip
STATE_WORDS: Final = {
    "established": 1 << 1, "syn-sent": 1 << 2, "syn-recv": 1 << 3, "fin-wait-1": 1 << 4, "fin-wait-2": 1 << 5,
    "time-wait": 1 << 6, "closed": 1 << 7, "close-wait": 1 << 8, "last-ack": 1 << 9, "listening": 1 << 10,
    "listen": 1 << 10, "closing": 1 << 11, "all": 0xFFF, "connected": 0xFFF & ~(1 << 7 | 1 << 10),
    "synchronized": 0xFFF & ~(1 << 2 | 1 << 3 | 1 << 7 | 1 << 10), "bucket": 1 << 3 | 1 << 6,
    "big": 0xFFF & ~(1 << 3 | 1 << 6),
}  # fmt: skip
CONNECTED: Final = 0xFFF & ~(1 << 10 | 1 << 7 | 1 << 6 | 1 << 3)
TIMERS: Final = ("off", "on", "keepalive", "timewait", "persist", "unknown")
_TYPES: Final = {1: "u_str", 2: "u_dgr", 5: "u_seq"}
_NETIDS: Final = {IPPROTO_TCP: "tcp", IPPROTO_UDP: "udp", IPPROTO_RAW: "raw"}
_NETLINKS: Final = {
    0: "rtnl", 4: "tcpdiag", 7: "selinux", 9: "audit", 10: "fiblookup", 11: "connector", 15: "uevent", 16: "genl",
}  # fmt: skip
_PORTS: Final = {22: "ssh", 53: "domain", 80: "http", 443: "https", 25: "smtp", 21: "ftp", 23: "telnet"}


class Options:
    """What is asked for."""

    def __init__(self) -> None:
        self.kinds: list[str] = []
        self.all = self.listening = self.numeric = self.processes = self.extended = self.memory = False
        self.info = self.timers = self.no_header = False
        self.states = 0
        self.filter: list[str] = []


class Row:
    """A line: the columns, and what comes behind and below them."""

    def __init__(self, netid: str, state: int, queues: tuple[int, int], local: tuple[str, str], peer: tuple[str, str]):
        self.netid = netid
        self.state = STATES[state]
        self.queues = queues
        self.local = local
        self.peer = peer
        self.behind = ""
        self.below = ""


async def main_ss(p: Process, argv: list[str]) -> int:
    """ss [-tuwxlanpemio0] [state STATE] [FILTER]"""
    options = _options(argv[1:])
    net = await Netlink.open(p, NETLINK_SOCK_DIAG, strict=False)
    try:
        owners = await Owners.read(p) if options.processes else None
        rows: list[Row] = []
        for kind in options.kinds:
            rows += await _ASK[kind](net, options, owners)
    except NetlinkError as error:
        raise ProgramError(f"RTNETLINK answers: {strerror(error.errno)}", 1) from None
    finally:
        await net.close()
    for line in table(rows, options):
        p.print(line)
    return 0


_LETTERS: Final = {"t": "tcp", "u": "udp", "w": "raw", "x": "unix", "0": "packet"}
_WORDS: Final = {
    "--tcp": "t", "--udp": "u", "--raw": "w", "--unix": "x", "--packet": "0", "--listening": "l", "--all": "a",
    "--numeric": "n", "--processes": "p", "--extended": "e", "--memory": "m", "--info": "i", "--options": "o",
    "--no-header": "H",
}  # fmt: skip


def _options(words: list[str]) -> Options:
    o = Options()
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word in ("state", "exclude"):
            given = STATE_WORDS.get(rest.pop(0).lower() if rest else "")
            if given is None:
                raise ProgramError("wrong state name", 255)
            o.states = o.states | given if word == "state" else (o.states or CONNECTED) & ~given
        elif word.startswith("-") and word != "-":
            if word in ("-A", "-f", "--query", "--family"):
                given_kinds = rest.pop(0).split(",") if rest else []
                o.kinds += [{"inet": "tcp"}.get(kind, kind) for kind in given_kinds if kind in _ASK]
                continue
            for letter in _WORDS.get(word, word.lstrip("-")):
                _letter(o, letter)
        else:
            o.filter.append(word)
    o.kinds = o.kinds or ["netlink", "packet", "unix", "raw", "udp", "tcp"]
    o.kinds.sort(key=["netlink", "packet", "unix", "raw", "udp", "tcp"].index)
    if not o.states:
        o.states = 0xFFF if o.all else (1 << 10 | 1 << 7) if o.listening else CONNECTED
    return o


def _letter(o: Options, letter: str) -> None:
    if letter in _LETTERS:
        o.kinds.append(_LETTERS[letter])
        return
    names = {"a": "all", "l": "listening", "n": "numeric", "p": "processes", "e": "extended", "m": "memory",
             "i": "info", "o": "timers", "H": "no_header"}  # fmt: skip
    if letter in "4r":
        return
    if letter not in names:
        raise ProgramError(f"invalid option -- '{letter}'", 255)
    setattr(o, names[letter], True)


# ---- asking


_IDIAG: Final = struct.Struct("<BBBB")


async def _inet(net: Netlink, options: Options, owners: Owners | None, protocol: int) -> list[Row]:
    wanted = 1 << d.INET_DIAG_SKMEMINFO - 1 if options.memory else 0
    wanted |= 1 << d.INET_DIAG_INFO - 1 | 1 << d.INET_DIAG_CONG - 1 if options.info else 0
    states = options.states
    if protocol != IPPROTO_TCP and options.listening and not options.all:
        states = 1 << 7
    elif options.listening and not options.all and states == 1 << 10 | 1 << 7:
        states = 1 << 10
    body = struct.pack("<BBBxI", AF_INET, protocol, wanted, states) + bytes(36) + b"\0" * 4 + b"\xff" * 8
    bytecode = compile_filter(options.filter)
    body += attribute(d.INET_DIAG_REQ_BYTECODE, bytecode) if bytecode else b""
    try:
        messages = await net.dump(d.SOCK_DIAG_BY_FAMILY, body)
    except NetlinkError as error:
        if error.errno != 2:  # ENOENT: the protocol's module is not there
            raise
        return []
    return [_inet_row(message, protocol, options, owners) for message in messages]


async def _tcp(net: Netlink, options: Options, owners: Owners | None) -> list[Row]:
    return await _inet(net, options, owners, IPPROTO_TCP)


async def _udp(net: Netlink, options: Options, owners: Owners | None) -> list[Row]:
    return await _inet(net, options, owners, IPPROTO_UDP)


async def _raw(net: Netlink, options: Options, owners: Owners | None) -> list[Row]:
    return await _inet(net, options, owners, IPPROTO_RAW)


def _service(port: int, numeric: bool) -> str:
    if not port:
        return "*"
    return str(port) if numeric else _PORTS.get(port, str(port))


def _inet_row(message: Message, protocol: int, options: Options, owners: Owners | None) -> Row:
    b = message.body
    _, state, timer, retrans = _IDIAG.unpack_from(b)
    sport, dport, src, dst = struct.unpack_from(">HHI12xI", b, 4)
    expires, rqueue, wqueue, uid, inode = struct.unpack_from("<IIIII", b, 52)
    if protocol == IPPROTO_RAW:
        names = {1: "icmp", 2: "igmp", 6: "tcp", 17: "udp"}
        local = (ipv4(src), names.get(sport, str(sport)) if not options.numeric else str(sport))
    else:
        local = (ipv4(src), _service(sport, options.numeric))
    peer = (ipv4(dst) if dst or protocol != IPPROTO_RAW else "*", _service(dport, options.numeric))
    row = Row(_NETIDS[protocol], state, (rqueue, wqueue), local, peer)
    if owners is not None:
        row.behind += owners.of(inode)
    if (options.timers or options.extended) and timer:
        row.behind += f" timer:({TIMERS[min(timer, 5)]},{_duration(expires)},{retrans})"
    if options.extended:
        row.behind += (f" uid:{uid}" if uid else "") + (f" ino:{inode}" if inode else "")
        row.behind += f" sk:{number(b[44:52]):x}"
    attrs = message.attrs(72)
    if options.memory and d.INET_DIAG_SKMEMINFO in attrs:
        row.below += " " + _skmem(attrs[d.INET_DIAG_SKMEMINFO])
    if options.info and d.INET_DIAG_INFO in attrs:
        row.below += _tcp_info(attrs)
    return row


def _duration(ms: int) -> str:
    """1.234ms, 12sec, 1min3sec"""
    if ms < 1000:
        return f"{ms}ms"
    minutes, seconds = divmod(ms // 1000, 60)
    text_ = f"{minutes}min" if minutes else ""
    if seconds or not minutes:
        text_ += f"{seconds}sec" if ms >= 9000 or minutes else f"{seconds}.{ms % 1000:03d}ms"
    return text_


def _skmem(data: bytes) -> str:
    v = struct.unpack_from("<9I", data.ljust(36, b"\0"))
    return f"skmem:(r{v[0]},rb{v[1]},t{v[2]},tb{v[3]},f{v[4]},w{v[5]},o{v[6]},bl{v[7]},d{v[8]})"


_TCP_INFO: Final = struct.Struct("<8B24I")


def _tcp_info(attrs: dict[int, bytes]) -> str:
    """The facts that ss -i puts first."""
    head = _TCP_INFO.unpack_from(attrs[d.INET_DIAG_INFO].ljust(_TCP_INFO.size, b"\0"))
    options, scales = head[5], head[6]
    words = [name for bit, name in ((1, "ts"), (2, "sack"), (8, "ecn")) if options & bit]
    if d.INET_DIAG_CONG in attrs:
        words.append(text(attrs[d.INET_DIAG_CONG]))
    if options & 4:
        words.append(f"wscale:{scales & 15},{scales >> 4}")
    rto, _, snd_mss, rcv_mss = head[8:12]
    if rto and rto != 3_000_000:
        words.append(f"rto:{rto / 1000:g}")
    pmtu, rtt, rttvar, cwnd, advmss = head[22], head[23], head[24], head[26], head[27]
    if rtt:
        words.append(f"rtt:{rtt / 1000:g}/{rttvar / 1000:g}")
    if snd_mss:
        words.append(f"mss:{snd_mss}")
    words += [f"pmtu:{pmtu}"] if pmtu else []
    words += [f"rcvmss:{rcv_mss}"] if rcv_mss else []
    words += [f"advmss:{advmss}"] if advmss else []
    words += [f"cwnd:{cwnd}"] if cwnd else []
    return "\t " + " ".join(words)


async def _unix(net: Netlink, options: Options, owners: Owners | None) -> list[Row]:
    show = d.UDIAG_SHOW_NAME | d.UDIAG_SHOW_PEER | d.UDIAG_SHOW_RQLEN
    show |= d.UDIAG_SHOW_MEMINFO if options.memory else 0
    states = options.states | (1 << 1 if not options.listening else 0)
    body = struct.pack("<BBxxIII", AF_UNIX, 0, states, 0, show) + b"\xff" * 8
    rows = []
    for message in await net.dump(d.SOCK_DIAG_BY_FAMILY, body):
        _, kind, state, inode = struct.unpack_from("<BBBxI", message.body)
        attrs = message.attrs(16)
        name = attrs.get(d.UNIX_DIAG_NAME, b"")
        shown = ("@" + name[1:].decode("latin-1").replace("\0", "@")) if name[:1] == b"\0" else text(name)
        queues = struct.unpack("<II", attrs.get(d.UNIX_DIAG_RQLEN, bytes(8)))
        row = Row(_TYPES.get(kind, "u_???"), state, (queues[0], queues[1]), (shown or "*", str(inode)),
                  ("*", str(number(attrs.get(d.UNIX_DIAG_PEER)))))  # fmt: skip
        if owners is not None:
            row.behind += owners.of(inode)
        if options.memory and d.UNIX_DIAG_MEMINFO in attrs:
            row.below += " " + _skmem(attrs[d.UNIX_DIAG_MEMINFO])
        rows.append(row)
    return rows


async def _netlink(net: Netlink, options: Options, owners: Owners | None) -> list[Row]:
    if not options.states & 1 << 7:
        return []
    show = d.NDIAG_SHOW_GROUPS | d.NDIAG_SHOW_MEMINFO
    body = struct.pack("<BBxxII", AF_NETLINK, d.NDIAG_PROTO_ALL, 0, show) + b"\xff" * 8
    rows = []
    for message in await net.dump(d.SOCK_DIAG_BY_FAMILY, body):
        _, _, protocol, _, portid, dst, _, inode = struct.unpack_from("<BBBBIIII", message.body)
        memory = struct.unpack_from("<9I", message.attrs(28).get(d.NETLINK_DIAG_MEMINFO, bytes(36)))
        owner = owners.name(portid) if owners is not None else ""
        peer = str(portid) if not portid else f"{owner}/{portid}" if owner else str(portid)
        local = (_NETLINKS.get(protocol, str(protocol)), peer if portid else "kernel")
        row = Row("nl", 7, (memory[0], memory[2]), local, ("*", str(dst) if dst else ""))
        if owners is not None:
            row.behind += owners.of(inode)
        rows.append(row)
    return rows


async def _packet(net: Netlink, options: Options, owners: Owners | None) -> list[Row]:
    if not options.states & 1 << 7:
        return []
    show = d.PACKET_SHOW_INFO | d.PACKET_SHOW_MEMINFO
    body = struct.pack("<BBxxII", AF_PACKET, 0, 0, show) + b"\xff" * 8
    rows = []
    for message in await net.dump(d.SOCK_DIAG_BY_FAMILY, body):
        _, kind, protocol, inode = struct.unpack_from("<BBHI", message.body)
        attrs = message.attrs(16)
        memory = struct.unpack_from("<9I", attrs.get(d.PACKET_DIAG_MEMINFO, bytes(36)))
        index = number(attrs.get(d.PACKET_DIAG_INFO, b"")[:4])
        what = "*" if protocol == 3 else f"[{protocol}]"
        device = f"if{index}" if index else "*"
        row = Row("p_raw" if kind == 3 else "p_dgr", 7, (memory[0], memory[2]), (what, device), ("*", ""))
        if owners is not None:
            row.behind += owners.of(inode)
        rows.append(row)
    return rows


_ASK: Final = {"tcp": _tcp, "udp": _udp, "raw": _raw, "unix": _unix, "netlink": _netlink, "packet": _packet}


# ---- filters


_COMPARE: Final = {"=": 0, "==": 0, "eq": 0, ">=": 1, "ge": 1, "<=": 2, "le": 2}
_PORT_OPS: Final = {
    "sport": (d.INET_DIAG_BC_S_EQ, d.INET_DIAG_BC_S_GE, d.INET_DIAG_BC_S_LE),
    "dport": (d.INET_DIAG_BC_D_EQ, d.INET_DIAG_BC_D_GE, d.INET_DIAG_BC_D_LE),
}  # fmt: skip


def compile_filter(words: list[str]) -> bytes:
    """The kernel's program for `sport = :80`, `dst 10.0.0.0/8`, with `and` between. ProgramError."""
    tokens = " ".join(words).replace("=", " = ").replace("> =", ">= ").replace("< =", "<= ").split()
    tokens = [token for token in tokens if token not in ("(", ")")]
    parts: list[bytes] = []
    while tokens:
        word = tokens.pop(0)
        if word in ("and", "&&", "&"):
            continue
        if word in ("or", "|", "||", "not", "!"):
            raise ProgramError(
                f"bison bellows: syntax error, unexpected '{word}': only `and` joins conditions here", 255
            )
        parts.append(_condition(word, tokens))
    total = sum(len(part) for part in parts)
    program, at = b"", 0
    for part in parts:
        code, yes = part[0], part[1]
        program += struct.pack("<BBH", code, yes, total - at + 4) + part[4:]
        at += len(part)
    return program


def _condition(word: str, tokens: list[str]) -> bytes:
    if word in _PORT_OPS and len(tokens) >= 2 and tokens[0] in _COMPARE:
        code = _PORT_OPS[word][_COMPARE[tokens.pop(0)]]
        given = tokens.pop(0).lstrip(":")
        port = int(given) if given.isdecimal() else next((k for k, v in _PORTS.items() if v == given), None)
        if port is None:
            raise ProgramError(f'Error: "{given}" does not look like a port.', 1)
        return struct.pack("<BBH", code, 8, 0) + struct.pack("<BBH", 0, 0, port)
    if word in ("src", "dst") and tokens:
        given = tokens.pop(0)
        given = tokens.pop(0) if given in _COMPARE and tokens else given
        address, _, port_text = given.partition(":")
        number_, length = parse_prefix(address) if address and address != "*" else (0, 0)
        code = d.INET_DIAG_BC_S_COND if word == "src" else d.INET_DIAG_BC_D_COND
        port = int(port_text) if port_text.isdecimal() else -1
        return struct.pack("<BBHBBxxi", code, 16, 0, AF_INET, length, port) + number_.to_bytes(4, "big")
    raise ProgramError(f"bison bellows: syntax error at '{word}': sport, dport, src or dst is expected", 255)


# ---- showing


def table(rows: list[Row], options: Options) -> list[str]:
    """The lines, with columns as wide as what is in them."""
    several = len(options.kinds) > 1 or options.kinds[0] in ("unix", "packet")
    one_state = bin(options.states).count("1") == 1
    heads = [("Netid", several), ("State", not one_state), ("Recv-Q", True), ("Send-Q", True)]
    cells = [[row.netid, row.state, str(row.queues[0]), str(row.queues[1])] for row in rows]
    kept = [at for at, (_, shown) in enumerate(heads) if shown]
    widths = {at: max([len(heads[at][0]), *(len(line[at]) for line in cells)]) for at in kept}
    ends = [(row.local, row.peer) for row in rows]
    host = [
        max([len(title), *(len(end[side][0]) for end in ends)])
        for side, title in ((0, "Local Address"), (1, "Peer Address"))
    ]
    port = [max([len("Port"), *(len(end[side][1]) for end in ends)]) for side in (0, 1)]

    def line(left: list[str], local: tuple[str, str], peer: tuple[str, str], sign: str, behind: str) -> str:
        begin = " ".join(f"{left[at]:<{widths[at]}}" for at in kept)
        middle = f"{local[0]:>{host[0]}}{sign}{local[1]:<{port[0]}} {peer[0]:>{host[1]}}{sign}{peer[1]:<{port[1]}}"
        return f"{begin} {middle}{behind:<{len('Process')}}"

    lines = [] if options.no_header else [
        line([head for head, _ in heads], ("Local Address", "Port"), ("Peer Address", "Port"), ":", "Process")
    ]  # fmt: skip
    for row, cell in zip(rows, cells, strict=True):
        sign = " " if row.netid.startswith("u_") else ":"
        lines.append(line(cell, row.local, row.peer, sign, row.behind))
        if row.below:
            lines.append(row.below)
    return lines
