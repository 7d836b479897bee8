"""Tells the kinds of file apart that `kshell run` and `kshell check` take."""

from __future__ import annotations

import re
from typing import Literal

LOOK_AT = 1 << 16

_STRACE_PREFIX = (
    r"(?:\[pid +\d+\] +|\d+ +)?(?:\d{9,}\.\d+ |\d+\.\d{6} |\d\d:\d\d:\d\d(?:\.\d+)? )?"
    r"(?:\w+\(|<\.\.\. \w+ resumed>|--- SIG|\+\+\+ (?:exited|killed))"
)
_PLAIN_CALL = r"\w+\("
_PACKETDRILL = (
    r"(?m)^\s*(?:[+*]?\d*(?:\.\d+)?(?:~[+\d.]+)?\s*[<>]\s+(?:\[|[SFRPEWA.]+5?\s|icmp|udp|tcp)"
    r"|[+*]?\d+(?:\.\d+)?(?:\.\.\.[+\d.]+)?\s+(?:`|\w+\((?:[^()\"]*, *)?\.\.\.\s*[,)]))"
)
"""A time and a packet, a shell's command, or a call with an argument left out; strace's `...` ends a string or a struct."""


Kind = Literal["script", "strace log", "raw call records", "packetdrill script", "not text"]


def kind_of(name: str, data: bytes) -> Kind:
    """What `data` is; the name decides only where both readings are possible."""
    if data[:2] == b"\x1f\x8b":
        return "raw call records"
    head = data[:LOOK_AT]
    if b"\0" in head:
        return "not text"
    if name.endswith(".ks"):
        return "script"
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        if len(head) < len(data) and error.start > len(head) - 4:
            text = head[: error.start].decode("utf-8")
        else:
            return "not text"
    return _kind_of_text(name, text)


def _kind_of_text(name: str, text: str) -> Kind:
    lines = [line for line in text.split("\n", 40)[:40] if line.strip() and not line.lstrip().startswith(("#", "//"))]
    if lines and lines[0].lstrip().startswith('{"') and any(k in lines[0] for k in ('"format"', '"setup"', '"calls"')):
        return "raw call records"
    if name.endswith(".pkt") or re.search(_PACKETDRILL, text):
        return "packetdrill script"
    if lines and _looks_like_strace(name, lines):
        return "strace log"
    return "script"


def _looks_like_strace(name: str, lines: list[str]) -> bool:
    matching = sum(1 for line in lines if re.match(_STRACE_PREFIX, line.lstrip()))
    if matching < len(lines) * 0.8:
        return False
    first = lines[0].lstrip()
    prefixed = not re.match(_PLAIN_CALL, first)
    return prefixed or first.startswith("execve(") or name.endswith((".strace", ".log"))
