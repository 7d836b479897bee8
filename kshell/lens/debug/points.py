"""Breakpoints and watchpoints, by number."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType


class Point:
    """What stops the kernel. text: what it is about; once: it goes when it has stopped; hits: how often it did."""

    kind = ""

    def __init__(self, number: int, text: str, once: bool = False) -> None:
        self.number = number
        self.text = text
        self.once = once
        self.hits = 0

    def details(self) -> list[str]:
        """Further lines of `info breakpoints`."""
        return []


class Breakpoint(Point):
    """Stops at the beginning of a function. condition: an expression that must be true, "" for none; task: the name
    or pid of the task that must run, "" for any."""

    kind = "breakpoint"

    def __init__(
        self, number: int, functions: tuple[FunctionType, ...], condition: str = "", task: str = "", once: bool = False
    ) -> None:
        super().__init__(number, functions[0].__name__, once)
        self.functions = functions
        self.condition = condition
        self.task = task

    def details(self) -> list[str]:
        lines = [f"stop only if {self.condition}"] if self.condition else []
        return [*lines, f"stop only in task {self.task}"] if self.task else lines


class Watchpoint(Point):
    """Stops when a value changes. read: gives what to compare, and its text."""

    kind = "watchpoint"

    def __init__(self, number: int, text: str, read: Callable[[], tuple[object, str]]) -> None:
        super().__init__(number, text)
        self.read = read
        self.value, self.shown = read()

    def change(self) -> tuple[str, str] | None:
        """Old and new text of the value if it has changed since it was last looked at."""
        value, shown = self.read()
        if value == self.value:
            return None
        old, self.value, self.shown = self.shown, value, shown
        return old, shown


class Points:
    """All that were set, by number; a number is never used again."""

    def __init__(self) -> None:
        self.all: dict[int, Point] = {}
        self._made = 0

    def number(self) -> int:
        """The number of the next one."""
        self._made += 1
        return self._made

    def add(self, point: Point) -> None:
        """Keep a new one."""
        self.all[point.number] = point

    def mark(self) -> dict[int, tuple[Point, int]]:
        """What there is now, with its hits."""
        return {number: (point, point.hits) for number, point in self.all.items()}

    def reset(self, mark: dict[int, tuple[Point, int]]) -> None:
        """Have what there was, and nothing else."""
        self.all = {number: point for number, (point, _) in mark.items()}
        for point, hits in mark.values():
            point.hits = hits

    @property
    def breakpoints(self) -> list[Breakpoint]:
        return [point for point in self.all.values() if isinstance(point, Breakpoint)]

    @property
    def watchpoints(self) -> list[Watchpoint]:
        return [point for point in self.all.values() if isinstance(point, Watchpoint)]

    def table(self) -> list[str]:
        """The lines of `info breakpoints`."""
        lines = ["Num  Type        Disp  Hits  What"]
        for point in self.all.values():
            disposition = "del" if point.once else "keep"
            lines.append(f"{point.number:<4} {point.kind:11} {disposition:5} {point.hits:<5} {point.text}")
            lines += [f"{'':29}{detail}" for detail in point.details()]
        return lines
