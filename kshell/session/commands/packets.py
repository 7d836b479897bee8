"""Commands that show what went over the wire, and what lies in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from kshell.lens.hexdump import hexdump
from kshell.lens.sequence import draw_packet
from kshell.lens.style import Line, Style
from kshell.session.commands import CommandError, command
from kshell.session.events import Drawing, Packet
from kshell.session.expressions import value_of

if TYPE_CHECKING:
    from kshell.session.session import Session

MOST_BYTES = 1 << 16


@command("packets [last|N] [-x]", section="look", completion="packets")
def do_packets(session: Session, arguments: str) -> None:
    """Show the packets that passed a device, as tcpdump writes them, with the TCP states of both ends.

    packets        all packets of the session: a diagram with two lifelines where the screen is wide
                   enough, else a line each; sequence numbers count from the start of the connection
    packets last   those of the last command that had any
    packets 7      those of command 7
    packets -x     with their bytes, from the IP header on
    """
    words = arguments.split()
    dumped = "-x" in words
    found = _chosen(session, [word for word in words if word != "-x"])
    session.emit(Drawing, lambda style: _drawn(found, style, dumped))


def _chosen(session: Session, words: list[str]) -> Sequence[Packet]:
    commands = [c for c in session.timeline.done if c.packets]
    if words and words != ["last"]:
        if len(words) > 1 or not words[0].isdigit():
            raise CommandError(f"packets takes last or the number of a command, not {' '.join(words)!r}")
        commands = [c for c in commands if c.n == int(words[0])]
        if not commands:
            raise CommandError(f"command {words[0]} sent no packets", "packets without a number shows all")
    elif words:
        commands = commands[-1:]
    if not commands:
        raise CommandError("no packet has passed a device yet", "connect(), sendto() and their like send some")
    return [packet for c in commands for packet in c.packets]


def _drawn(packets: Sequence[Packet], style: Style, dumped: bool) -> Iterator[Line]:
    number = flow = 0
    for packet in packets:
        if packet.n != number:
            number = packet.n
            yield [("folded", f"command {number}")]
        yield from draw_packet(packet, style, flow)
        flow = packet.flow
        if dumped:
            yield from ([("", f"           {row}")] for row in hexdump(packet._captured.to_bytes()))


@command("hexdump BUFFER|ADDRESS LENGTH|EXPR", section="look", completion="expr")
def do_hexdump(session: Session, arguments: str) -> None:
    """Show bytes: offset or address, sixteen of them a row, and their ASCII.

    hexdump buf              a buffer that a call named, in the memory of the current task
    hexdump 0x7f0000001000 64    so many bytes from an address there
    hexdump EXPR             a string or a packet (struct sk_buff) that a C expression gives
    """
    words = arguments.split()
    if not words:
        raise CommandError("hexdump wants a buffer, an address with a length, or an expression")
    buffer = session.current.buffers.get(words[0]) if len(words) == 1 else None
    if buffer is not None:
        start, data = buffer.address, _memory(session, buffer.address, buffer.size)
    elif len(words) == 2 and session.is_number(words[0]) and session.is_number(words[1]):
        start = session.number(words[0])
        data = _memory(session, start, session.number(words[1]))
    else:
        start, data = 0, _bytes_of(session, arguments)
    session.say("\n".join(hexdump(data, start)) or "no bytes")


def _memory(session: Session, address: int, length: int) -> bytes:
    if not 0 <= length <= MOST_BYTES:
        raise CommandError(f"{length} is no length: from 0 to {MOST_BYTES}")
    mm = session.task.mm
    data = mm.read_short(address, length) if mm is not None else b""
    if len(data) < length:
        raise CommandError(f"only {len(data)} of {length} bytes at {address:#x} are mapped in {session.task_name}")
    return data


def _bytes_of(session: Session, text: str) -> bytes:
    value = value_of(session, text)
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    if type(value).__name__ == "sk_buff":
        from kshell.linux.net.core.skbuff_bytes import _skb_network_bytes

        return _skb_network_bytes(value)  # type: ignore[arg-type]
    raise CommandError(f"{text.strip()} has no bytes", "a buffer, a string, a sk_buff or a field such as skb->data has")
