"""A trace in order of time: segments in which one task, or a timer, has the CPU, each with its part of the call tree.

A call that sleeps has parts in several segments: opened in one, closed in another.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from kshell.lens.trace_text import shown_name
from kshell.lens.trace_tree import Context, Node, Step

SOFTIRQ_ENTRIES = frozenset({"handle_softirqs", "do_softirq", "rcu_core"})
WILD = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class Filter:
    """What of a trace is wanted. patterns: `tcp_*` or `net/ipv4/*` shows only functions (files) that match,
    a plain name that function with everything below it; depth: levels to show, 0 for all; inlined: also the
    functions of headers, which the compiler puts into their callers and ftrace never sees."""

    patterns: tuple[str, ...] = ()
    depth: int = 0
    inlined: bool = False

    def within(self, node: Node) -> bool:
        """Whether everything below the call is wanted too."""
        names = (node.name, shown_name(node))
        return any(pattern in names for pattern in self.patterns if not is_wild(pattern))

    def matches(self, node: Node) -> bool:
        """Whether the call itself is wanted."""
        return any(_matches(node, pattern) for pattern in self.patterns)

    def shows(self, node: Node, within: bool) -> bool:
        """Whether to show the call; within: its caller is wanted with everything below."""
        if self.matches(node):
            return True
        return (within or not self.patterns) and (self.inlined or not node.function.inline)


def is_wild(pattern: str) -> bool:
    """Whether a pattern may match several functions."""
    return bool(WILD & set(pattern)) or "/" in pattern


def _matches(node: Node, pattern: str) -> bool:
    if "/" in pattern:
        return fnmatchcase(node.file, pattern)
    return fnmatchcase(node.name, pattern) or fnmatchcase(shown_name(node), pattern)


@dataclass(slots=True)
class Part:
    """What one segment shows of a call. flag: `s` in a softirq, `t` in a timer; count: equal parts in a row."""

    node: Node
    depth: int
    flag: str
    opens: bool = True
    closes: bool = False
    parts: list[Part] = field(default_factory=list)
    count: int = 1

    def walk(self) -> Iterator[Part]:
        """This part and all below it."""
        yield self
        for part in self.parts:
            yield from part.walk()


@dataclass(slots=True)
class Segment:
    """A stretch of time in one context; `time` when it begins."""

    context: Context
    timer: bool
    time: int
    parts: list[Part] = field(default_factory=list)

    @property
    def name(self) -> str:
        """`server-2` as ftrace writes a task, or what runs without one."""
        if self.context is not None:
            return f"{self.context.comm}-{self.context.pid}"
        if self.timer:
            return "timer"
        return "softirq" if any(part.flag for part in self.parts) else "boot"


@dataclass(slots=True)
class _Open:
    node: Node
    shown_depth: int
    within: bool
    flag: str
    part: Part | None
    segment: Segment


def segments(steps: Iterable[Step], wanted: Filter | None = None, fold: bool = True) -> list[Segment]:
    """The wanted calls, by segment; fold: sibling calls that repeat become one with its count."""
    found = _Cutter(wanted or Filter()).cut(steps)
    kept = [segment for segment in found if segment.parts]
    if fold:
        for segment in kept:
            segment.parts = _folded(segment.parts)
    return kept


class _Cutter:
    """Cuts steps into segments."""

    def __init__(self, wanted: Filter) -> None:
        self._wanted = wanted
        self._open: dict[Context, list[_Open]] = {}
        self._segments: list[Segment] = []

    def cut(self, steps: Iterable[Step]) -> list[Segment]:
        """Go through the steps in order."""
        for step in steps:
            last = self._segments[-1] if self._segments else None
            if last is None or last.context is not step.context or last.timer != step.timer:
                self._segments.append(Segment(step.context, step.timer, step.time))
            stack = self._open.setdefault(step.context, [])
            if step.earlier:
                self._was_open(step, stack)
            elif step.enters:
                self._enter(step, stack)
            else:
                self._leave(step, stack)
        return self._segments

    def _enter(self, step: Step, stack: list[_Open]) -> None:
        del stack[step.depth :]  # calls that never returned
        above = stack[-1] if stack else None
        segment, node, wanted = self._segments[-1], step.node, self._wanted
        flag = above.flag if above and above.flag else _flag(step)
        within = bool(above and above.within) or wanted.within(node)
        depth = above.shown_depth if above else 0
        shown = wanted.shows(node, within) and not 0 < wanted.depth <= depth
        part = Part(node, depth, flag) if shown else None
        if part is not None:
            _parent_parts(stack, segment).append(part)
        stack.append(_Open(node, depth + shown, within, flag, part, segment))

    def _was_open(self, step: Step, stack: list[_Open]) -> None:
        above, wanted = stack[-1] if stack else None, self._wanted
        within = bool(above and above.within) or wanted.within(step.node)
        depth = (above.shown_depth if above else 0) + wanted.shows(step.node, within)
        stack.append(_Open(step.node, depth, within, "", None, self._segments[-1]))

    def _leave(self, step: Step, stack: list[_Open]) -> None:
        while stack:
            closed = stack.pop()
            if closed.node is step.node:
                break
        else:
            return
        if closed.part is None:
            return
        if closed.segment is self._segments[-1]:
            closed.part.closes = True
        else:
            self._segments[-1].parts.append(Part(closed.node, closed.part.depth, closed.flag, False, True))


def _parent_parts(stack: list[_Open], segment: Segment) -> list[Part]:
    for above in reversed(stack):
        if above.part is not None:
            return above.part.parts if above.segment is segment else segment.parts
    return segment.parts


def _flag(step: Step) -> str:
    if step.node.name in SOFTIRQ_ENTRIES:
        return "s"
    return "t" if step.timer and step.context is None else ""


def _folded(parts: list[Part]) -> list[Part]:
    """Equal neighbours become one."""
    kept: list[Part] = []
    for part in parts:
        part.parts = _folded(part.parts)
        if kept and _shape(kept[-1]) == _shape(part):
            kept[-1].count += 1
        else:
            kept.append(part)
    return kept


def _shape(part: Part) -> tuple[object, ...]:
    node = part.node
    below = tuple((_shape(child), child.count) for child in part.parts)
    return node.name, node.errno, node.raised, node.sleeps, part.opens, part.closes, below
