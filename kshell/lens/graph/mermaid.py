"""A figure for Mermaid, which many wikis and forges draw from text."""

from __future__ import annotations

from kshell.lens.graph.model import Box, Edge, Graph


def to_mermaid(graph: Graph) -> str:
    """The document."""
    names = {key: f"n{index}" for index, key in enumerate(graph.boxes)}
    lines = ["---", f"title: {_escaped(graph.title)}", "---", "flowchart LR"]
    lines += [f'  {names[box.key]}["{_label(box)}"]' for box in graph.boxes.values()]
    lines += [f"  {_edge(graph, edge, names)}" for edge in graph.edges]
    static = [names[box.key] for box in graph.boxes.values() if box.kind == "static"]
    if static:
        lines.append(f"  classDef static fill:#ecdfff,stroke:#57606a\n  class {','.join(static)} static")
    return "\n".join([*lines, ""])


def _label(box: Box) -> str:
    head = f"<b>{_escaped(box.title)}</b>" + (f" {_escaped(box.subtitle)}" if box.subtitle else "")
    rows = [_escaped(f"{row.name} {row.text}".rstrip(" ")) for row in box.rows if row.text or not row.port]
    return "<br/>".join([head, *rows])


def _edge(graph: Graph, edge: Edge, names: dict[str, str]) -> str:
    label = edge.label or (graph.boxes[edge.source].rows[edge.row].name if edge.row >= 0 else "")
    arrow = {(False, False): "-->", (True, False): "-.->", (False, True): "<-->", (True, True): "<-.->"}[
        edge.dashed, edge.both
    ]
    text = f'|"{_escaped(label)}"|' if label else ""
    return f"{names[edge.source]} {arrow}{text} {names[edge.target]}"


_ENTITIES = {"&": "#amp;", '"': "#quot;", "<": "#lt;", ">": "#gt;", "#": "#35;", "[": "#91;", "]": "#93;", "|": "#124;"}


def _escaped(text: str) -> str:
    return "".join(_ENTITIES.get(char, char) for char in text)
