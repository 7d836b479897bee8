"""Where the boxes of a figure stand and how its edges run, in character cells: layered, a column for each step from the
roots; edges run in the channels between columns, around boxes.

`Places` remembers where an object stood, so that it keeps its place in the next figure of the same kind.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Final

from kshell.lens.graph.model import Box, Edge, Graph
from kshell.lens.text import cells

GAP: Final = 1
"""Empty rows between boxes of a column."""

Point = tuple[int, int]


class Places:
    """Where objects stood: their column and top row, and how wide each column was, and the channel behind it."""

    __slots__ = ("at", "channels", "widths")

    def __init__(self) -> None:
        self.at: dict[str, tuple[int, int]] = {}
        self.widths: dict[int, int] = {}
        self.channels: dict[int, int] = {}


class Placed:
    """A box with its place: left, top, width, height, in cells."""

    __slots__ = ("box", "column", "height", "width", "x", "y")

    def __init__(self, box: Box, column: int) -> None:
        self.box = box
        self.column = column
        self.width = box_width(box)
        self.height = max(1, len(box.rows)) + 2
        self.x = self.y = 0

    def port(self, row: int) -> int:
        """The cell row at which an edge leaves a row of the box."""
        return self.y + 1 + max(0, row)

    @property
    def bottom(self) -> int:
        return self.y + self.height

    @property
    def right(self) -> int:
        """The last cell column of the box."""
        return self.x + self.width - 1


class Route:
    """The corners of an edge, from its port to the box it points to."""

    __slots__ = ("edge", "points")

    def __init__(self, edge: Edge, points: list[Point]) -> None:
        self.edge = edge
        self.points = points


class Layout:
    """A figure with everything in its place."""

    __slots__ = ("boxes", "height", "routes", "title", "width")

    def __init__(self, title: str, boxes: list[Placed], routes: list[Route]) -> None:
        self.title = title
        self.boxes = boxes
        self.routes = routes
        across = [box.right for box in boxes] + [x for route in routes for x, _ in route.points]
        down = [box.bottom for box in boxes] + [y + 1 for route in routes for _, y in route.points]
        self.width = max(across, default=-1) + 1
        self.height = max(down, default=0)


def name_width(box: Box) -> int:
    """Columns of the names of a box's rows; rows without a text do not count."""
    return max((cells(row.name) for row in box.rows if row.text), default=0)


def box_width(box: Box) -> int:
    """Columns that a box takes with its border."""
    names = name_width(box)
    title = cells(box.title) + (cells(box.subtitle) + 1 if box.subtitle else 0) + 4
    rows = [max(cells(r.name), names if r.text else 0) + (cells(r.text) + 2 if r.text else 0) + 2 * r.port for r in box.rows]
    return max([title, *(row + 4 for row in rows)])


def layout(graph: Graph, places: Places | None = None) -> Layout:
    """Lay a figure out; `places` is read, and updated."""
    places = places if places is not None else Places()
    columns = _columns(graph)
    placed = {key: Placed(box, columns[key]) for key, box in graph.boxes.items()}
    _stack(graph, placed, places)
    router = _Router(graph, placed)
    channels = router.channels()
    _spread(placed, channels, places)
    return Layout(graph.title, list(placed.values()), router.routes())


def _columns(graph: Graph) -> dict[str, int]:
    """The column of each box: given, or one more than the nearest box that points to it."""
    found = {key: box.column for key, box in graph.boxes.items() if box.column is not None}
    pointed = {edge.target for edge in graph.edges if edge.source != edge.target}
    roots = [key for key in graph.boxes if key not in pointed] or list(graph.boxes)[:1]
    for key in roots:
        found.setdefault(key, 0)
    waiting = deque(key for key in graph.boxes if key in found)
    while waiting:
        key = waiting.popleft()
        for edge in graph.edges:
            if edge.source == key and edge.target not in found:
                found[edge.target] = found[key] + 1
                waiting.append(edge.target)
    return {key: found.get(key, 0) for key in graph.boxes}


# ---- from top to bottom


def _stack(graph: Graph, placed: dict[str, Placed], places: Places) -> None:
    """Give every box its top row: the one it had, else level with the row that points to it."""
    incoming: dict[str, list[Edge]] = {}
    for edge in graph.edges:
        incoming.setdefault(edge.target, []).append(edge)
    taken: dict[int, list[Placed]] = {}

    def put(box: Placed, wanted: int) -> None:
        column = taken.setdefault(box.column, [])
        box.y = _free(column, wanted, box.height)
        column.append(box)

    done: set[str] = set()
    known = {key for key, box in placed.items() if places.at.get(key, (None, 0))[0] == box.column}
    for key in sorted(known, key=lambda key: places.at[key][1]):
        put(placed[key], places.at[key][1])
        done.add(key)
    for key, box in placed.items():
        if key not in known:
            sources = [placed[e.source].port(e.row) - 1 for e in incoming.get(key, ()) if e.source in done]
            put(box, max(0, min(sources, default=0)))
            done.add(key)
    places.at |= {key: (box.column, box.y) for key, box in placed.items()}


def _free(taken: Iterable[Placed], wanted: int, height: int) -> int:
    """The first row from `wanted` on at which a box fits between those that are there."""
    y = wanted
    for other in sorted(taken, key=lambda box: box.y):
        if y < other.bottom + GAP and other.y < y + height + GAP:
            y = other.bottom + GAP
    return y


# ---- edges


class _Run:
    """A vertical stretch of an edge in a channel, from row `a` to row `b`; `lane` counts from the left."""

    __slots__ = ("a", "b", "edge", "lane")

    def __init__(self, edge: Edge, a: int, b: int) -> None:
        self.edge = edge
        self.a = a
        self.b = b
        self.lane = 0

    def leaves_where(self, other: _Run) -> bool:
        """Whether this edge begins in the row in which the other one ends."""
        return self is not other and self.a == other.b and self.edge.target != other.edge.target

    def meets(self, other: _Run) -> bool:
        """Whether two stretches can't share a lane; those to the same box may."""
        if self.edge.target == other.edge.target and self.b == other.b:
            return False
        return max(self.a, self.b) >= min(other.a, other.b) and max(other.a, other.b) >= min(self.a, self.b)


class _Router:
    """Finds the way of every edge."""

    def __init__(self, graph: Graph, placed: dict[str, Placed]) -> None:
        self.graph = graph
        self.placed = placed
        self.runs: dict[int, list[_Run]] = {}
        self.crossings: dict[Edge, int] = {}
        self._rows: set[tuple[int, int]] = set()
        self.lanes: dict[int, int] = {}
        for edge in graph.edges:
            self._plan(edge)
        for channel, runs in self.runs.items():
            self.lanes[channel] = _assign(runs)

    def _plan(self, edge: Edge) -> None:
        """The stretches of one edge, each in its channel; channel n lies right of column n."""
        source, target = self.placed[edge.source], self.placed[edge.target]
        start, end = source.port(edge.row), target.port(0)
        first = source.column if target.column >= source.column else source.column - 1
        last = target.column - 1 if target.column > source.column else target.column
        if first == last:
            self._run(first, edge, start, end)
            return
        between = range(min(first, last) + 1, max(first, last) + 1)
        row = self._passage(between, end)
        self.crossings[edge] = row
        self._run(first, edge, start, row)
        self._run(last, edge, row, end)

    def _run(self, channel: int, edge: Edge, a: int, b: int) -> None:
        self.runs.setdefault(channel, []).append(_Run(edge, a, b))

    def _passage(self, columns: range, wanted: int) -> int:
        """The row nearest to `wanted` that no box of these columns, and no other edge, takes."""
        boxes = [box for box in self.placed.values() if box.column in columns]
        for distance in range(1000):
            for row in (wanted - distance, wanted + distance):
                blocked = any(box.y - 1 < row < box.bottom for box in boxes)
                if row >= 0 and not blocked and not any((column, row) in self._rows for column in columns):
                    self._rows |= {(column, row) for column in columns}
                    return row
        return wanted

    def channels(self) -> dict[int, int]:
        """The width that each channel needs."""
        labels: dict[int, int] = {}
        for edge in self.graph.edges:
            if edge.label:
                channel = min(self.placed[edge.source].column, self.placed[edge.target].column)
                labels[channel] = max(labels.get(channel, 0), cells(edge.label) + 4)
        widths = {channel: 4 + max(2, lanes + lanes % 2) for channel, lanes in self.lanes.items()}
        return {c: max(widths.get(c, 4), labels.get(c, 0)) for c in widths.keys() | labels.keys()}

    def routes(self) -> list[Route]:
        """Every edge with its corners; boxes must have their columns' places by now."""
        starts: dict[int, int] = {}
        for box in self.placed.values():
            starts[box.column] = max(starts.get(box.column, 0), box.x)
        lanes = {(run.edge, c): run for c, runs in self.runs.items() for run in runs}
        return [Route(edge, self._points(edge, lanes)) for edge in self.graph.edges]

    def _points(self, edge: Edge, lanes: dict[tuple[Edge, int], _Run]) -> list[Point]:
        source, target = self.placed[edge.source], self.placed[edge.target]
        leaves_right = target.column >= source.column
        enters_left = target.column > source.column
        points = [(source.right + 1 if leaves_right else source.x - 1, source.port(edge.row))]
        mine = [(c, run) for (e, c), run in lanes.items() if e is edge]
        for channel, run in sorted(mine, key=lambda pair: pair[0], reverse=not leaves_right):
            x = self._edge_of(channel) + 1 + run.lane
            points += [(x, run.a), (x, run.b)]
        points.append((target.x - 1 if enters_left else target.right + 1, target.port(0)))
        return _simplified(points)

    def _edge_of(self, channel: int) -> int:
        """The first cell column of a channel."""
        return max(box.right for box in self.placed.values() if box.column <= channel) + 1


def _simplified(points: list[Point]) -> list[Point]:
    """Corners without those on a straight line."""
    kept: list[Point] = []
    for point in points:
        if kept and point == kept[-1]:
            continue
        if len(kept) > 1 and (kept[-2][0] == kept[-1][0] == point[0] or kept[-2][1] == kept[-1][1] == point[1]):
            kept[-1] = point
        else:
            kept.append(point)
    return kept


def _assign(runs: list[_Run]) -> int:
    """Lanes such that stretches do not lie on one another, and cross as little as they can; how many there are."""
    down = sorted((run for run in runs if run.b > run.a), key=lambda run: -run.a)
    up = sorted((run for run in runs if run.b < run.a), key=lambda run: run.a)
    done: list[_Run] = []
    for run in _leaving_first([*up, *down]):
        lane = max((other.lane + 1 for other in done if other.leaves_where(run)), default=0)
        while any(other.lane == lane and run.meets(other) for other in done):
            lane += 1
        run.lane = lane
        done.append(run)
    return max((run.lane + 1 for run in done), default=0)


def _leaving_first(runs: list[_Run]) -> list[_Run]:
    """An edge that leaves a box in the row in which another one arrives comes before it, so that it turns off first."""
    ordered: list[_Run] = []
    seen: set[int] = set()

    def visit(run: _Run) -> None:
        if id(run) not in seen:
            seen.add(id(run))
            for other in runs:
                if other.leaves_where(run):
                    visit(other)
            ordered.append(run)

    for run in runs:
        visit(run)
    return ordered


# ---- from left to right


def _spread(placed: dict[str, Placed], channels: dict[int, int], places: Places) -> None:
    """Give every column its place: as wide as its widest box, or as it was."""
    x = 0
    for column in range(max((box.column for box in placed.values()), default=-1) + 1):
        members = [box for box in placed.values() if box.column == column]
        width = max([box.width for box in members] + [places.widths.get(column, 0)])
        places.widths[column] = width
        for box in members:
            box.x = x
        channel = max(channels.get(column, 4), places.channels.get(column, 0))
        places.channels[column] = channel
        x += width + channel
