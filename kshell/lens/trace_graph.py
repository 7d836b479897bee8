"""A trace as text, the way ftrace's function_graph tracer shows one.

Each line has the depth, `s` in a softirq or `t` in a timer, the call, and its Linux source file at the right
margin. A call that calls nothing is `name();`, any other `name() {` with its `}` below. A deep tree is indented
less, and starts again at the left where the screen ends.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kshell.abi.errno import errno_name
from kshell.abi.socket import AF_INET, AF_UNIX
from kshell.lens import fields, names
from kshell.lens.trace_parts import Part, Segment
from kshell.lens.trace_text import shown_name
from kshell.lens.trace_tree import Node

WIDTH = 100
"""Columns when nobody knows how wide the screen is."""

FOR_NAMES = 44
GUTTER = 7
LONGEST_VALUE = 28
SOCKET_ADDRESSES = frozenset({"uaddr", "address", "addr", "sockaddr", "sunaddr"})
ADDRESSES = frozenset({"laddr", "faddr", "nexthop", "gateway", "src_ip", "dest_ip"})
MOST_ITEMS = 4


@dataclass(frozen=True, slots=True)
class GraphLine:
    """A line in two halves; style: "", head, error (one passes), raised (it arises here) or sleeps."""

    left: str
    right: str
    style: str = ""

    def halves(self, width: int) -> tuple[str, str]:
        """The left half, and the right one with the blanks before it; "" where there is no room for it.

        width: of the screen, 0 if lines may be of any length.
        """
        if len(self.left) > width > 0:
            return self.left[: width - 1] + "…", ""
        room = (width or WIDTH) - len(self.left) - 2
        right = self.right if len(self.right) <= room else self.right.rpartition("/")[2]
        return self.left, f"{right:>{room + 2}}" if 0 < len(right) <= room else ""

    def text(self, width: int) -> str:
        """The line with its right half at the margin."""
        return "".join(self.halves(width))


def graph(
    segments: Sequence[Segment], boot_ns: int = 0, width: int = 0, arguments: bool = False
) -> list[GraphLine]:
    """The lines of a trace. boot_ns: when time began; width: of the screen, 0 if lines may be of any length;
    arguments: with the values that came and went."""
    deepest = max((part.depth for segment in segments for root in segment.parts for part in root.walk()), default=0)
    return list(_Lines(width, deepest, arguments, boot_ns).all(segments))


class _Lines:
    def __init__(self, width: int, deepest: int, arguments: bool, boot_ns: int) -> None:
        self._columns = max(8, (width or WIDTH) - FOR_NAMES - GUTTER)
        self._step = 2 if deepest * 2 <= self._columns else 1
        self._arguments = arguments
        self._width = width
        self._boot_ns = boot_ns

    def all(self, segments: Sequence[Segment]) -> Iterator[GraphLine]:
        """Every segment under its head."""
        for segment in segments:
            seconds = f"{(segment.time - self._boot_ns) / 1e9:.6f} s"
            yield GraphLine(f"------ {segment.name} ", f" {seconds} ------", "head")
            for part in segment.parts:
                yield from self._part(part)

    def _part(self, part: Part) -> Iterator[GraphLine]:
        node = part.node
        if not part.opens:
            yield from self._line(part, f"}} /* {shown_name(node)} */{self._outcome(node)}", "", _style(node))
            return
        call = f"{'~' if node.function.inline else ''}{shown_name(node)}({self._given(node)})"
        times = f"   [x{part.count}]" if part.count > 1 else ""
        if not part.parts:
            end = self._outcome(node) if part.closes else _unclosed(node)
            opens = " { … }" if node.children else ";" if part.closes or node.sleeps else " {"
            style = _style(node) if part.closes else "sleeps"
            yield from self._line(part, call + opens + end + times, node.file, style)
            return
        yield from self._line(part, call + " {" + times, node.file)
        for below in part.parts:
            yield from self._part(below)
        if part.closes:
            yield from self._line(part, "}" + self._outcome(node), "", _style(node))

    def _line(self, part: Part, text: str, file: str, style: str = "") -> Iterator[GraphLine]:
        """The line, broken behind a comma where it is too long."""
        indent = " " * (part.depth * self._step % self._columns)
        first, *more = self._broken(text, len(indent))
        yield GraphLine(f"{part.depth:3} {part.flag or ' '}| {indent}{first}", file, style)
        for rest in more:
            yield GraphLine(f"{'':4}{part.flag or ' '}| {indent}    {rest}", "", style)

    def _broken(self, text: str, indent: int) -> list[str]:
        room = self._width - GUTTER - indent
        if not self._width or len(text) <= room:
            return [text]
        lines = [""]
        for piece in text.replace(", ", ",\0").split("\0"):
            if lines[-1] and len(lines[-1]) + 1 + len(piece) > room - (4 if len(lines) > 1 else 0):
                lines.append(piece)
            else:
                lines[-1] = f"{lines[-1]} {piece}".lstrip()
        return lines

    def _given(self, node: Node) -> str:
        if not self._arguments or node.arguments is None:
            return ""
        return ", ".join(argument_texts(node))

    def _outcome(self, node: Node) -> str:
        if node.errno:
            return f" = -{errno_name(node.errno)}" + ("   <-- arises here" if node.raised else "")
        shown = self._arguments and node.returned and node.result is not None
        return f" = {value_text(node.result)}" if shown else ""


def _unclosed(node: Node) -> str:
    if node.sleeps:
        return f"   sleeps {duration(node.slept)}" if node.slept else "   sleeps"
    below = node
    while below.children:
        below = below.children[-1]
        if below.sleeps:
            return "   sleeps below"
    return "   sleeps below" if node.returned or node.errno else "   does not return"


def _style(node: Node) -> str:
    if node.errno:
        return "raised" if node.raised else "error"
    return ""


def duration(ns: int) -> str:
    """`60.000 ms`: a stretch of virtual time in the unit that fits."""
    for unit, size in (("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1000)):
        if ns >= size:
            return f"{ns / size:.3f} {unit}"
    return f"{ns} ns"


def argument_texts(node: Node) -> list[str]:
    """`name=value` of each argument."""
    given = zip(node.function.parameters, node.arguments or (), strict=False)
    return [f"{name}={named_text(name, value)}" for name, value in given if name not in ("current", "kernel")]


def named_text(name: str, value: object) -> str:
    """A variable's value; its name may tell that it is an address or a constant."""
    kind = fields.BY_NAME.get(name, "ipv4" if name in ADDRESSES else "")
    if kind and isinstance(value, int) and not isinstance(value, bool):
        return fields.constant(kind, value)
    if name in SOCKET_ADDRESSES and isinstance(value, bytes):
        return _socket_address(value)
    return value_text(value)


def value_text(value: object) -> str:
    """A value in few characters: numbers, addresses, names of tables and functions, the beginning of text."""
    if isinstance(value, bool) or value is None:
        return names.describe(value)
    if isinstance(value, int):
        return str(value) if -4096 < value < 65536 else f"{value & 0xFFFFFFFFFFFFFFFF:#x}"
    if isinstance(value, (bytes, bytearray, str)):
        return _short_text(value)
    if isinstance(value, (tuple, list)):
        shown = ", ".join(value_text(item) for item in value[:MOST_ITEMS])
        return f"({shown}, …)" if len(value) > MOST_ITEMS else f"({shown})"
    if callable(value):
        return str(getattr(value, "__name__", "…"))
    return names.table(value)


def _short_text(value: bytes | bytearray | str) -> str:
    head = value[:LONGEST_VALUE]
    text, taken = "", 0
    for char in head if isinstance(head, str) else bytes(head).decode("latin-1"):
        shown = char.encode("unicode_escape").decode("ascii")
        if len(text) + len(shown) > LONGEST_VALUE:
            break
        text, taken = text + shown, taken + 1
    return f'"{text}"{"…" if taken < len(value) else ""}'


def _socket_address(value: bytes) -> str:
    """A struct sockaddr as the command language writes it."""
    family = int.from_bytes(value[:2], "little")
    if family == AF_INET and len(value) >= 8:
        return f"{{AF_INET, {int.from_bytes(value[2:4], 'big')}, {names.ipv4(int.from_bytes(value[4:8], 'big'))}}}"
    if family == AF_UNIX and len(value) > 2:
        return f"{{AF_UNIX, {names.unix_name(value)}}}"
    return _short_text(value)


