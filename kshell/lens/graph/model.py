"""A figure: boxes with rows, and edges from a row of one box to another box. All texts are made safe to print."""

from __future__ import annotations

from collections.abc import Iterable

from kshell.lens.text import one_line


class Row:
    """A line of a box. `port`: an edge begins here."""

    __slots__ = ("name", "port", "text")

    def __init__(self, name: str, text: str = "", port: bool = False) -> None:
        self.name = one_line(name)
        self.text = one_line(text)
        self.port = port


class Box:
    """A node: a title, what stands small beside it, rows. `key` is the same for the same object from step to step.

    column: where it stands, counted from the left; None: as many pointers from a root as it takes.
    kind: object, static (an operations table, a proto), array, or what another figure needs.
    """

    __slots__ = ("column", "key", "kind", "rows", "subtitle", "title")

    def __init__(self, key: str, title: str, subtitle: str = "", rows: Iterable[Row] = (), kind: str = "object") -> None:
        self.key = key
        self.title = one_line(title)
        self.subtitle = one_line(subtitle)
        self.rows = list(rows)
        self.kind = kind
        self.column: int | None = None


class Edge:
    """An arrow from row `row` of box `source` (-1: from the box itself) to box `target`. dashed: no pointer.

    both: an arrow at either end.
    """

    __slots__ = ("both", "dashed", "label", "row", "source", "target")

    def __init__(
        self, source: str, row: int, target: str, label: str = "", dashed: bool = False, both: bool = False
    ) -> None:
        self.source = source
        self.row = row
        self.target = target
        self.label = one_line(label)
        self.dashed = dashed
        self.both = both


class Graph:
    """Boxes in the order in which they were added (roots first), and edges."""

    __slots__ = ("boxes", "edges", "title")

    def __init__(self, title: str = "") -> None:
        self.title = one_line(title)
        self.boxes: dict[str, Box] = {}
        self.edges: list[Edge] = []

    def add(self, box: Box) -> bool:
        """Add a box; False if one with its key is there already."""
        if box.key in self.boxes:
            return False
        self.boxes[box.key] = box
        return True

    def point(self, source: str, name: str, target: str, text: str = "", dashed: bool = False) -> None:
        """Add a row to a box, and an edge from it."""
        rows = self.boxes[source].rows
        rows.append(Row(name, text, port=True))
        self.edges.append(Edge(source, len(rows) - 1, target, dashed=dashed))

    def link(self, source: str, target: str, label: str = "", dashed: bool = False, both: bool = False) -> None:
        """Add an edge from a box as a whole."""
        self.edges.append(Edge(source, -1, target, label, dashed, both))
