"""How ip shows a device: its lines, those of -d and -s, and the one of -br."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from kshell.abi import if_link as f
from kshell.userland.addresses import LINK_KINDS, mac
from kshell.userland.rtnl import attributes, number, text

if TYPE_CHECKING:
    from kshell.userland.ip_link import Link
    from kshell.userland.iproute import Options

FLAGS: Final = (
    (0x8, "LOOPBACK"), (0x2, "BROADCAST"), (0x10, "POINTOPOINT"), (0x1000, "MULTICAST"), (0x80, "NOARP"),
    (0x200, "ALLMULTI"), (0x100, "PROMISC"), (0x400, "MASTER"), (0x800, "SLAVE"), (0x4, "DEBUG"), (0x8000, "DYNAMIC"),
    (0x4000, "AUTOMEDIA"), (0x2000, "PORTSEL"), (0x20, "NOTRAILERS"), (0x1, "UP"), (0x10000, "LOWER_UP"),
    (0x20000, "DORMANT"), (0x40000, "ECHO"),
)  # fmt: skip
OPERSTATES: Final = ("UNKNOWN", "NOTPRESENT", "DOWN", "LOWERLAYERDOWN", "TESTING", "DORMANT", "UP")
_STATS64: Final = struct.Struct("<25Q")


def flag_names(link: Link) -> str:
    """LOOPBACK,UP,LOWER_UP"""
    carrier = ["NO-CARRIER"] if link.flags & 1 and not link.flags & 0x40 else []
    return ",".join(carrier + [name for bit, name in FLAGS if link.flags & bit] + ["M-DOWN"] * link.below_down)


def full_name(link: Link, names: dict[int, str]) -> str:
    """veth0@veth1"""
    below = link.attrs.get(f.IFLA_LINK)
    if below is None:
        return link.name
    if link.abroad is not None:
        names = {}
    return f"{link.name}@{names.get(number(below), f'if{number(below)}') if number(below) else 'NONE'}"


def brief(link: Link, names: dict[int, str]) -> str:
    """One line: name, state, address, flags."""
    state = OPERSTATES[number(link.attrs.get(f.IFLA_OPERSTATE))]
    return f"{full_name(link, names):<16} {state:<14} {mac(link.attrs.get(f.IFLA_ADDRESS))} <{flag_names(link)}> "


def headline(link: Link, names: dict[int, str]) -> str:
    """1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 …"""
    a = link.attrs
    line = f"{link.index}: {full_name(link, names)}: <{flag_names(link)}> mtu {number(a.get(f.IFLA_MTU))} "
    if f.IFLA_QDISC in a:
        line += f"qdisc {text(a[f.IFLA_QDISC])} "
    if f.IFLA_MASTER in a:
        line += f"master {names.get(number(a[f.IFLA_MASTER]), '?')} "
    line += f"state {OPERSTATES[number(a.get(f.IFLA_OPERSTATE))]} "
    group = number(a.get(f.IFLA_GROUP))
    line += f"group {group or 'default'} "
    return line + (f"qlen {number(a[f.IFLA_TXQLEN])}" if number(a.get(f.IFLA_TXQLEN)) else "")


def describe(link: Link, names: dict[int, str], options: Options) -> list[str]:
    """The lines of `ip link show`."""
    a = link.attrs
    mode = "" if number(a.get(f.IFLA_LINKMODE)) else "mode DEFAULT "
    first = headline(link, names).replace("group ", mode + "group ", 1)
    lines = [first, *addresses(link, options)]
    if f.IFLA_IFALIAS in a:
        lines.append(f"    alias {text(a[f.IFLA_IFALIAS])}")
    return lines + statistics(link, options.statistics)


def addresses(link: Link, options: Options) -> list[str]:
    """The line of its link addresses, and those of -d."""
    kind = LINK_KINDS.get(link.kind, f"[{link.kind}]")
    line = f"    link/{kind}"
    if f.IFLA_ADDRESS in link.attrs:
        line += f" {mac(link.attrs[f.IFLA_ADDRESS])}"
    if f.IFLA_BROADCAST in link.attrs:
        line += f" {'peer' if link.flags & 0x10 else 'brd'} {mac(link.attrs[f.IFLA_BROADCAST])}"
    if link.netns:
        line += f" link-netns {link.netns}"
    elif link.abroad is not None:
        line += f" link-netnsid {'unknown' if link.abroad == 0xFFFFFFFF else link.abroad}"
    return (line + _details(link)).split("\n") if options.details else [line]


_BRIDGE: Final = (
    ("forward_delay", f.IFLA_BR_FORWARD_DELAY), ("hello_time", f.IFLA_BR_HELLO_TIME), ("max_age", f.IFLA_BR_MAX_AGE),
    ("ageing_time", f.IFLA_BR_AGEING_TIME), ("stp_state", f.IFLA_BR_STP_STATE), ("priority", f.IFLA_BR_PRIORITY),
    ("vlan_filtering", f.IFLA_BR_VLAN_FILTERING),
)  # fmt: skip


def _details(link: Link) -> str:
    a = link.attrs
    line = f" promiscuity {number(a.get(f.IFLA_PROMISCUITY))}  allmulti {number(a.get(f.IFLA_ALLMULTI))}"
    line += f" minmtu {number(a.get(f.IFLA_MIN_MTU))} maxmtu {number(a.get(f.IFLA_MAX_MTU))} "
    info = dict(attributes(a.get(f.IFLA_LINKINFO, b"")))
    data = dict(attributes(info.get(f.IFLA_INFO_DATA, b"")))
    if kind := text(info.get(f.IFLA_INFO_KIND)):
        line += f"\n    {kind} "
        line += "".join(f"{name} {number(data[at])} " for name, at in _BRIDGE if kind == "bridge" and at in data)
    if slave := text(info.get(f.IFLA_INFO_SLAVE_KIND)):
        line += f"\n    {slave}_slave "
    fields = (
        ("numtxqueues", f.IFLA_NUM_TX_QUEUES), ("numrxqueues", f.IFLA_NUM_RX_QUEUES),
        ("gso_max_size", f.IFLA_GSO_MAX_SIZE), ("gso_max_segs", f.IFLA_GSO_MAX_SEGS),
        ("tso_max_size", f.IFLA_TSO_MAX_SIZE), ("tso_max_segs", f.IFLA_TSO_MAX_SEGS),
        ("gro_max_size", f.IFLA_GRO_MAX_SIZE),
    )  # fmt: skip
    return line + "".join(f"{name} {number(a.get(kind))} " for name, kind in fields)


_COLUMNS: Final = (10, 7, 6, 7, 7, 7)


def statistics(link: Link, level: int) -> list[str]:
    """The lines of -s, and those of a second -s."""
    if not level:
        return []
    s = _STATS64.unpack_from(link.attrs[f.IFLA_STATS64])
    rx, tx = (s[2], s[0], s[4], s[6], s[15], s[8]), (s[3], s[1], s[5], s[7], s[17], s[9])
    rx_errors, tx_errors = (s[10], s[12], s[13], s[14], s[11]), (
        s[16], s[18], s[20], s[19], number(link.attrs.get(f.IFLA_CARRIER_CHANGES)),
    )  # fmt: skip
    values = (rx, tx) if level < 2 else (rx, tx, (0, *rx_errors), (0, *tx_errors))
    widths = [max(least, *(len(str(row[at])) for row in values)) for at, least in enumerate(_COLUMNS)]
    lines = _rows("RX:", ("bytes", "packets", "errors", "dropped", "missed", "mcast"), rx, widths)
    if level > 1:
        lines += _error_rows("RX errors:", ("length", "crc", "frame", "fifo", "overrun"), rx_errors, widths)
    lines += _rows("TX:", ("bytes", "packets", "errors", "dropped", "carrier", "collsns"), tx, widths)
    if level > 1:
        lines += _error_rows("TX errors:", ("aborted", "fifo", "window", "heartbt", "transns"), tx_errors, widths)
    return lines


def _rows(head: str, titles: tuple[str, ...], row: tuple[int, ...], widths: list[int]) -> list[str]:
    first = f"    {head} {titles[0]:>{widths[0] - 4}} "
    first += " ".join(f"{title:>{width}}" for title, width in zip(titles[1:], widths[1:], strict=True))
    return [first + " " * 11, "    " + "".join(f"{n:>{width}} " for n, width in zip(row, widths, strict=True))]


def _error_rows(head: str, titles: tuple[str, ...], row: tuple[int, ...], widths: list[int]) -> list[str]:
    first = f"    {head}{'':>{widths[0] - 10}} "
    first += " ".join(f"{title:>{width}}" for title, width in zip(titles, widths[1:], strict=True))
    numbers = "".join(f"{n:>{width}} " for n, width in zip(row, widths[1:], strict=True))
    return [first, f"    {'':>{widths[0]}} {numbers}"]
