"""A figure that is too wide for the screen in bands, one below the other: an edge from one band to another becomes a
number, behind the row from which it comes and before the title of the box to which it goes."""

from __future__ import annotations

from kshell.lens.graph.layout import Layout, Places, layout
from kshell.lens.graph.model import Box, Edge, Graph, Row


def in_bands(graph: Graph, whole: Layout, width: int, places: dict[int, Places]) -> list[Layout]:
    """The bands of a figure, each at most `width` columns wide if its boxes are not wider themselves."""
    columns = {placed.box.key: placed.column for placed in whole.boxes}
    bands = _bands(graph, columns, width)
    return [layout(band, places.setdefault(index, Places())) for index, band in enumerate(bands)]


def _bands(graph: Graph, columns: dict[str, int], width: int) -> list[Graph]:
    """As many columns as fit, again and again."""
    last = max(columns.values(), default=0)
    starts = [0]
    for column in range(1, last + 1):
        band = _part(graph, columns, range(starts[-1], column + 1), {})
        if layout(band).width > width:
            starts.append(column)
    numbers: dict[str, int] = {}
    ends = [*starts[1:], last + 1]
    spans = [range(start, end) for start, end in zip(starts, ends, strict=True)]
    for edge in graph.edges:
        near = any(columns[edge.source] in span and columns[edge.target] in span for span in spans)
        if not near and edge.target not in numbers:
            numbers[edge.target] = len(numbers) + 1
    return [_part(graph, columns, span, numbers) for span in spans]


def _part(graph: Graph, columns: dict[str, int], span: range, numbers: dict[str, int]) -> Graph:
    """Some columns as a figure of their own; numbers: of the boxes to which edges from elsewhere lead."""
    part = Graph(graph.title)
    for key, box in graph.boxes.items():
        if columns[key] in span:
            mark = f"({numbers[key]}) " if key in numbers else ""
            rows = [Row(row.name, row.text, row.port) for row in box.rows]
            part.add(Box(key, mark + box.title, box.subtitle, rows, box.kind))
            part.boxes[key].column = columns[key] - span.start
    for edge in graph.edges:
        if edge.source in part.boxes and edge.target in part.boxes:
            part.edges.append(Edge(edge.source, edge.row, edge.target, edge.label, edge.dashed, edge.both))
        elif edge.source in part.boxes:
            _refer(part.boxes[edge.source], edge, numbers.get(edge.target, 99))
    return part


def _refer(box: Box, edge: Edge, number: int) -> None:
    """Say where an edge leads that leaves the band."""
    if edge.row < 0:
        box.rows.append(Row(edge.label or "belongs to", f"→ ({number})"))
        return
    row = box.rows[edge.row]
    row.port = False
    row.text = f"{row.text} → ({number})".lstrip()
