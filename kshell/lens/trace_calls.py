"""A trace as data: one JSON-ready record a call, in order of time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kshell.abi.errno import errno_name
from kshell.lens.trace_graph import argument_texts, value_text
from kshell.lens.trace_parts import Part, Segment
from kshell.lens.trace_text import shown_name

Json = None | bool | int | str | list["Json"] | dict[str, "Json"]

CONTEXTS = {"s": "softirq", "t": "timer", "": "task"}


def calls(segments: Iterable[Segment], boot_ns: int, arguments: bool) -> Iterator[dict[str, Json]]:
    """Every call that begins in one of the segments."""
    for segment in segments:
        for root in segment.parts:
            for part in root.walk():
                if part.opens:
                    yield _call(segment, part, boot_ns, arguments)


def _call(segment: Segment, part: Part, boot_ns: int, arguments: bool) -> dict[str, Json]:
    node, task = part.node, segment.context
    found: dict[str, Json] = {
        "depth": part.depth, "function": shown_name(node), "file": node.file, "pid": task.pid if task else 0,
        "task": task.comm if task else "", "context": CONTEXTS[part.flag], "time": node.time - boot_ns,
        "slept": node.slept, "count": part.count, "errno": errno_name(node.errno) if node.errno else "",
        "raised": node.raised,
    }  # fmt: skip
    if arguments:
        found["args"] = list(argument_texts(node))
        found["ret"] = value_text(node.result) if node.returned and node.result is not None else ""
    return found
