"""Packets drawn: a line each with the states of both ends beside it, or as a diagram with two lifelines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, Protocol

from kshell.lens.style import PLAIN, Line, Style
from kshell.lens.text import cells, one_line

WIDE: Final = 90
"""Columns from which packets are drawn as a diagram."""

MOST: Final = 120
"""Columns that a diagram takes at most."""

MARGIN: Final = 11


class Packet(Protocol):
    """What is drawn of a packet (`kshell.session.events.Packet`)."""

    time: int
    device: str
    text: str
    source: str
    target: str
    flow: int
    forth: bool
    before: list[str]
    after: list[str]


def draw_packets(packets: Iterable[Packet], style: Style = PLAIN) -> Iterator[Line]:
    """Packets one below the other, in the form that the width allows."""
    flow = 0
    for packet in packets:
        yield from draw_packet(packet, style, flow)
        flow = packet.flow


def draw_packet(packet: Packet, style: Style = PLAIN, flow: int = 0) -> Iterator[Line]:
    """One packet; `flow` is the number of the connection whose packet was drawn before it (0: none)."""
    if style.width >= WIDE and style.glyphs == "boxes" and packet.source:
        yield from _arrow(packet, style, packet.flow != flow)
    else:
        yield from _listed(packet, style)


def _time(packet: Packet) -> str:
    return f"{packet.time / 1e9:9.6f}"


def _place(packet: Packet) -> str:
    """`client.eth0  `: the host and device, where there are several hosts; else ""."""
    return f"{one_line(packet.device)}  " if "." in packet.device else ""


def _listed(packet: Packet, style: Style) -> Iterator[Line]:
    head: Line = [("folded", _time(packet) + " "), ("folded", _place(packet)), ("packet", one_line(packet.text))]
    states = _states(packet, style)
    if not states:
        yield head
    elif style.words:
        yield [*head, ("", f"; {states}")]
    elif not style.width or MARGIN + cells(_place(packet)) + cells(packet.text) + cells(states) + 1 <= style.width:
        yield [*head, ("state", f"  {states}")]
    else:
        yield head
        yield [("state", " " * (MARGIN - 1) + states)]


def _states(packet: Packet, style: Style) -> str:
    """`35778 TCP_CLOSE → TCP_SYN_SENT, 8080 TCP_LISTEN`; "" for a protocol without states."""
    if not any(packet.before) and not any(packet.after):
        return ""
    pairs = zip((packet.source, packet.target), packet.before, packet.after, strict=True)
    return ", ".join(f"{end.rpartition('.')[2]} {_change(before, after, style)}" for end, before, after in pairs)


def _change(before: str, after: str, style: Style) -> str:
    if before == after:
        return after or "no socket"
    if style.words:
        return f"was {before or 'no socket'}, now {after}"
    return f"{before or 'no socket'} {style.arrow} {after}"


def _arrow(packet: Packet, style: Style, heading: bool) -> Iterator[Line]:
    """The packet as an arrow between the lifelines of its two ends, the states below where they changed."""
    inner = min(style.width, MOST) - MARGIN - 2
    left, right = (packet.source, packet.target) if packet.forth else (packet.target, packet.source)
    before = packet.before if packet.forth else packet.before[::-1]
    after = packet.after if packet.forth else packet.after[::-1]
    blank = " " * MARGIN
    if heading:
        yield [("", blank), ("struct", left), ("", " " * (inner + 2 - cells(left) - cells(right))), ("struct", right)]
        if any(before):
            yield [("", blank), *_between(before[0] or "no socket", before[1] or "no socket", inner)]
    label = _label(packet, inner - 6)
    line = "─" * (inner - cells(label) - 5)
    drawn = f"── {label} {line}▶" if packet.forth else f"◀─ {label} {line}─"
    yield [("folded", _time(packet) + "  "), ("", "│"), ("packet", drawn), ("", "│")]
    changed = [new if old != new else "" for old, new in zip(before, after, strict=True)]
    if any(changed):
        yield [("", blank), *_between(changed[0] or "│", changed[1] or "│", inner)]


def _between(left: str, right: str, inner: int) -> Line:
    gap = " " * (inner + 2 - cells(left) - cells(right))
    return [("state" if left != "│" else "", left), ("", gap), ("state" if right != "│" else "", right)]


def _label(packet: Packet, room: int) -> str:
    """What stands on the arrow: the text behind the addresses, TCP's options only of a SYN if there is room."""
    text = _place(packet) + one_line(packet.text.partition(": ")[2] or packet.text)
    if "options [" in text and (cells(text) > room or "Flags [S" not in text):
        start, _, rest = text.partition("options [")
        text = start + rest.partition("], ")[2]
    return text if cells(text) <= room else text[: room - 1] + "…"
