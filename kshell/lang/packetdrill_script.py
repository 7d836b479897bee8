"""What a packetdrill script says: timed packets, system calls, shell commands and Python blocks. Times are in ns."""

from collections.abc import Mapping
from typing import TypeAlias

from kshell.abi.record import Record


class When(Record):
    """When an event is due: relative to the one before, absolute, or any time; until: the end of a range."""

    relative: bool
    any_time: bool
    start: int
    until: int | None = None


class TcpOption(Record):
    """An option of a TCP header: kind as written ("mss", "nop", "sack", "TS", …) and its values."""

    kind: str
    values: tuple[int | str, ...] = ()


class Packet(Record):
    """A packet into (inbound) the stack or out of it.

    seq: start, end and length; None in what is not written: ack, window, urgent, options (an empty tuple means none,
    None for ``<...>`` that anything goes). ip: ECN marks and the like. For ICMP type, code and mtu.
    """

    inbound: bool
    protocol: str  # "tcp", "icmp" or "udp"
    flags: str = ""
    seq: tuple[int, int, int] | None = None
    ack: int | None = None
    window: int | None = None
    urgent: int | None = None
    options: tuple[TcpOption, ...] | None = ()
    ip: tuple[str, ...] = ()
    icmp: tuple[str, str, int | None] | None = None
    ports: tuple[int, int] | None = None


class Expression(Record):
    """A value in a call: kind "...", "int", "word", "string", "or", "array", "struct" or "named"."""

    kind: str
    value: int | str | bytes = 0
    items: tuple["Expression", ...] = ()


class SystemCall(Record):
    """A call; until: it sleeps, and ends at this time after the event's base."""

    name: str
    args: tuple[Expression, ...]
    result: Expression
    errno: str = ""
    until: int | None = None


class Shell(Record):
    """A shell command in backticks."""

    command: str


class Code(Record):
    """A Python block."""

    text: str


Action: TypeAlias = Packet | SystemCall | Shell | Code


class Event(Record):
    """One timed action and the line it stands on."""

    when: When
    action: Action
    line: int


class Script(Record):
    """A whole script."""

    options: Mapping[str, str]
    setup: str | None
    events: tuple[Event, ...]
    cleanup: str | None
