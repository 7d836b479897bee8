"""Nodes of the syntax tree as text."""

from collections.abc import Iterable

from kshell.lang.ast import (
    Annotated,
    Apply,
    Array,
    Binary,
    Change,
    Dots,
    Name,
    Named,
    Node,
    Number,
    String,
    Struct,
    Unary,
    Unknown,
)
from kshell.lang.text import quote


def show(node: Node) -> str:
    """A node in strace's notation, short."""
    match node:
        case Number(value=value, base=base):
            return {8: f"0{value:o}", 16: hex(value)}.get(base, str(value)) if value >= 0 else str(value)
        case String(data=data, truncated=truncated, abstract=abstract):
            return f"{'@' if abstract else ''}{_quoted(data)}{'...' if truncated else ''}"
        case Name(name=name):
            return name
        case Dots():
            return "..."
        case Unknown():
            return "?"
        case Unary(op=op, operand=operand):
            return f"{op}{show(operand)}"
        case Binary(op="|", left=left, right=right):
            return f"{show(left)}|{show(right)}"
        case Binary(op=op, left=left, right=right):
            return f"{show(left)} {op} {show(right)}"
        case Apply(function=function, args=args):
            return f"{function}({_joined(args)})"
        case Named(name=name, value=value):
            return f"{name}={show(value)}"
        case Struct(items=items, truncated=truncated):
            return f"{{{_joined(items)}{', ...' if truncated else ''}}}"
        case Array(items=items, spaced=spaced, truncated=truncated):
            return f"[{(' ' if spaced else ', ').join(map(show, items))}{', ...' if truncated else ''}]"
        case Change(before=before, after=after):
            return f"{show(before)} => {show(after)}"
        case Annotated(value=value):
            return show(value)
        case _:
            return type(node).__name__


def _joined(nodes: Iterable[Node]) -> str:
    return ", ".join(map(show, nodes))


def _quoted(data: bytes) -> str:
    return quote(data, 64)
