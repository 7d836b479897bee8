"""A figure for Graphviz: `dot -Tpdf figure.dot`."""

from __future__ import annotations

from kshell.lens.graph.model import Box, Edge, Graph

COLOURS = {"static": "#ecdfff", "array": "#fff1c2"}


def to_dot(graph: Graph) -> str:
    """The document."""
    names = {key: f"n{index}" for index, key in enumerate(graph.boxes)}
    lines = [
        f'digraph "{_escaped(graph.title or "objects")}" {{',
        "  rankdir=LR;",
        '  node [shape=plain, fontname="monospace", fontsize=10];',
        '  edge [color="#0969da", arrowsize=0.7];',
    ]
    lines += [f"  {names[box.key]} [label=<{_table(box)}>];" for box in graph.boxes.values()]
    lines += [f"  {_edge(edge, names)};" for edge in graph.edges]
    return "\n".join([*lines, "}", ""])


def _table(box: Box) -> str:
    head = f"<b>{_html(box.title)}</b>" + (f" {_html(box.subtitle)}" if box.subtitle else "")
    colour = COLOURS.get(box.kind, "#ddf4ff")
    rows = [f'<tr><td colspan="2" port="head" bgcolor="{colour}">{head}</td></tr>']
    for index, row in enumerate(box.rows):
        cells = f'<td align="left">{_html(row.name)}</td><td align="left" port="p{index}">{_html(row.text) or " "}</td>'
        rows.append(f"<tr>{cells}</tr>")
    return f'<table border="1" cellborder="0" cellspacing="0" cellpadding="3">{"".join(rows)}</table>'


def _edge(edge: Edge, names: dict[str, str]) -> str:
    source = f"{names[edge.source]}:p{edge.row}:e" if edge.row >= 0 else names[edge.source]
    options = [f'label="{_escaped(edge.label)}"'] if edge.label else []
    options += ["style=dashed"] if edge.dashed else []
    options += ["dir=both"] if edge.both else []
    tail = f" [{', '.join(options)}]" if options else ""
    return f"{source} -> {names[edge.target]}:head{tail}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _html(text: str) -> str:
    shown = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return shown.replace('"', "&quot;")
