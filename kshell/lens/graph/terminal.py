"""A figure drawn in the terminal with box-drawing characters, or in ASCII; told in words for a screen reader."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from kshell.lens.graph.layout import Layout, Placed, Route, name_width
from kshell.lens.graph.model import Graph
from kshell.lens.style import Line, Style, clipped
from kshell.lens.text import cells, pad

LEFT, RIGHT, UP, DOWN = 1, 2, 4, 8
_LINES: Final = {
    LEFT: "─", RIGHT: "─", LEFT | RIGHT: "─", UP: "│", DOWN: "│", UP | DOWN: "│", RIGHT | DOWN: "┌", LEFT | DOWN: "┐",
    RIGHT | UP: "└", LEFT | UP: "┘", LEFT | RIGHT | DOWN: "┬", LEFT | RIGHT | UP: "┴", UP | DOWN | RIGHT: "├",
    UP | DOWN | LEFT: "┤", 15: "┼",
}  # fmt: skip
_ASCII: Final = str.maketrans({
    "─": "-", "│": "|", "▶": ">", "◀": "<", "●": "*", "╌": ".", "→": ">", "…": "~",
    **dict.fromkeys("┌┐└┘┬┴├┤┼╭╮╰╯", "+"),
})  # fmt: skip


def draw_graph(layout: Layout, style: Style) -> Iterator[Line]:
    """The lines of a figure; what is wider than the screen is cut, and said to be."""
    canvas = _Canvas(layout.width, layout.height)
    for route in layout.routes:
        canvas.route(route)
    for box in layout.boxes:
        canvas.box(box)
    for route in layout.routes:
        canvas.ends(route)
    for line in canvas.lines():
        ready = [(kind, text.translate(_ASCII)) for kind, text in line] if style.glyphs == "ascii" else line
        yield clipped(ready, style.width)
    if style.width and layout.width > style.width:
        text = f"{layout.width} columns wide: use a wider screen, or write it to a file: graph … > FILE.svg"
        yield clipped([("folded", text)], style.width)


def said_graph(graph: Graph) -> Iterator[Line]:
    """A figure in words: every box with its rows, and what it points to."""
    for box in graph.boxes.values():
        yield [("struct", " ".join(filter(None, (box.title, box.subtitle))) + ":")]
        targets = {edge.row: graph.boxes[edge.target] for edge in graph.edges if edge.source == box.key}
        for index, row in enumerate(box.rows):
            text = f"{row.name} {row.text}".rstrip()
            target = targets.get(index)
            points = f", points to {target.title} {target.subtitle}".rstrip() if target is not None else ""
            yield [("", f"  {text}{points}")]
        if -1 in targets:
            yield [("", f"  belongs to {targets[-1].title} {targets[-1].subtitle}".rstrip())]


class _Canvas:
    """Cells with the lines that meet in them, or a character and its style."""

    def __init__(self, width: int, height: int) -> None:
        self.width = width
        self.height = height
        self.masks: dict[tuple[int, int], int] = {}
        self.dashed: set[tuple[int, int]] = set()
        self.text: dict[tuple[int, int], tuple[str, str]] = {}

    def put(self, x: int, y: int, text: str, style: str = "") -> None:
        """Write text; a wide character takes the cell behind it too."""
        for char in text:
            self.text[x, y] = (style, char)
            wide = cells(char)
            if wide == 2:
                self.text[x + 1, y] = (style, "")
            x += max(1, wide)

    def _join(self, x: int, y: int, mask: int, dashed: bool) -> None:
        self.masks[x, y] = self.masks.get((x, y), 0) | mask
        if dashed:
            self.dashed.add((x, y))

    def route(self, route: Route) -> None:
        """Draw the way of an edge."""
        for (x1, y1), (x2, y2) in zip(route.points, route.points[1:], strict=False):
            dashed = route.edge.dashed
            if y1 == y2:
                for x in range(min(x1, x2), max(x1, x2) + 1):
                    ends = (x == min(x1, x2), x == max(x1, x2))
                    self._join(x, y1, (0 if ends[0] else LEFT) | (0 if ends[1] else RIGHT), dashed)
            else:
                for y in range(min(y1, y2), max(y1, y2) + 1):
                    ends = (y == min(y1, y2), y == max(y1, y2))
                    self._join(x1, y, (0 if ends[0] else UP) | (0 if ends[1] else DOWN), dashed)

    def ends(self, route: Route) -> None:
        """Draw the arrow heads, and the label."""
        points = route.points
        before, last = points[-2] if len(points) > 1 else points[-1], points[-1]
        self.put(*last, "▶" if before[0] <= last[0] else "◀", "packet")
        if route.edge.both:
            first, after = points[0], points[1] if len(points) > 1 else points[0]
            self.put(*first, "◀" if after[0] >= first[0] else "▶", "packet")
        if route.edge.label and len(points) > 1:
            x = min(points[0][0], points[1][0]) + 1
            room = abs(points[0][0] - points[1][0]) - 1
            label = f" {route.edge.label} "
            self.put(x + max(0, (room - cells(label)) // 2), points[0][1], label, "folded")

    def box(self, placed: Placed) -> None:
        """Draw a box over whatever lies there."""
        box, x, y, width = placed.box, placed.x, placed.y, placed.width
        corners = "╭╮╰╯" if box.kind == "static" else "┌┐└┘"
        title = f" {box.title} "
        self.put(x, y, corners[0] + "─" * (width - 2) + corners[1])
        self.put(x + 1, y, title, "struct")
        if box.subtitle:
            self.put(x + 1 + cells(title), y, f"{box.subtitle} ", "address")
        names = name_width(box)
        for index in range(placed.height - 2):
            self.put(x, y + 1 + index, "│" + " " * (width - 2) + "│")
        for index, row in enumerate(box.rows):
            name = pad(row.name, names) if row.text else row.name
            self.put(x + 2, y + 1 + index, name, "")
            if row.text:
                self.put(x + 2 + names + 2, y + 1 + index, row.text, "state")
        self.put(x, placed.bottom - 1, corners[2] + "─" * (width - 2) + corners[3])
        self._ports(placed)

    def _ports(self, placed: Placed) -> None:
        """Where edges leave the box: a dot, and an opening in its side."""
        for index, row in enumerate(placed.box.rows):
            y = placed.y + 1 + index
            if not row.port:
                continue
            if self.masks.get((placed.right + 1, y), 0) & RIGHT:
                self.put(placed.right - 2, y, "●", "packet")
                self.put(placed.right, y, "├")
            elif self.masks.get((placed.x - 1, y), 0) & LEFT:
                self.put(placed.right - 2, y, "●", "packet")
                self.put(placed.x, y, "┤")

    def lines(self) -> Iterator[Line]:
        """The rows of the canvas as runs."""
        for y in range(self.height):
            line: Line = []
            for x in range(self.width):
                style, char = self.text.get((x, y)) or self._line(x, y)
                if line and line[-1][0] == style:
                    line[-1] = (style, line[-1][1] + char)
                else:
                    line.append((style, char))
            yield line

    def _line(self, x: int, y: int) -> tuple[str, str]:
        mask = self.masks.get((x, y), 0)
        if not mask:
            return "", " "
        char = _LINES[mask]
        return "packet", {"─": "╌", "│": "╎"}.get(char, char) if (x, y) in self.dashed else char
