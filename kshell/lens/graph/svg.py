"""A figure as SVG: readable on light and on dark pages, without a font or script of its own."""

from __future__ import annotations

from typing import Final
from xml.sax.saxutils import escape

from kshell.lens.graph.layout import Layout, Placed, Point, Route, name_width
from kshell.lens.svg import FONT
from kshell.lens.text import cells

CELL: Final = 7.3
LINE: Final = 18
PAD: Final = 16
RADIUS: Final = 5

STYLE: Final = """\
text{font-family:%s;font-size:12px;fill:#1f2328;white-space:pre}
.page{fill:#ffffff}.box{fill:#f6f8fa;stroke:#57606a;stroke-width:1.2}.head{fill:#ddf4ff}
.static .box{fill:#fbf7ff}.static .head{fill:#ecdfff}.array .box{fill:#fffdf5}.array .head{fill:#fff1c2}
.title{font-weight:bold}.sub,.name{fill:#57606a}.value{fill:#1f2328}.caption{font-size:14px;font-weight:bold}
.edge{fill:none;stroke:#0969da;stroke-width:1.4}.dashed{stroke-dasharray:4 3}.arrow,.dot{fill:#0969da}.label{fill:#0969da}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.page{fill:#0d1117}.box{fill:#161b22;stroke:#8b949e}.head{fill:#12314f}
.static .box{fill:#1b1726}.static .head{fill:#3b2a5c}.array .box{fill:#1d1a10}.array .head{fill:#4a3c10}
.sub,.name{fill:#9aa4af}.value{fill:#e6edf3}.edge{stroke:#58a6ff}.arrow,.dot,.label{fill:#58a6ff}}
""" % FONT  # noqa: UP031  # braces of CSS


def to_svg(layout: Layout) -> str:
    """The document."""
    top = 30 if layout.title else 0
    width, height = round(layout.width * CELL + 2 * PAD), layout.height * LINE + 2 * PAD + top
    title = escape(layout.title or "kernel objects", {'"': "&quot;"})
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" aria-label="{title}">',
        f"<style>{STYLE}</style>",
        f'<rect class="page" width="{width}" height="{height}"/>',
    ]
    if layout.title:
        parts.append(f'<text class="caption" x="{PAD}" y="{PAD + 10}">{escape(layout.title)}</text>')
    parts.append(f'<g transform="translate({PAD} {PAD + top})">')
    parts += [_box(box) for box in layout.boxes]
    parts += [_edge(route) for route in layout.routes]
    parts += [_label(route) for route in layout.routes if route.edge.label]
    return "\n".join([*parts, "</g>", "</svg>", ""])


def _at(point: Point) -> tuple[float, float]:
    """The middle of a cell."""
    return point[0] * CELL + CELL / 2, point[1] * LINE + LINE / 2


def _box(placed: Placed) -> str:
    box = placed.box
    x, y = placed.x * CELL, placed.y * LINE + LINE / 2 - 9
    width, height = placed.width * CELL, (placed.height - 1) * LINE + 9
    out = [
        f'<g class="{box.kind}">',
        f'<rect class="box" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="{RADIUS}"/>',
        f'<path class="head" d="M{x + 0.6:.1f} {y + LINE:.1f}v{RADIUS - LINE}a{RADIUS} {RADIUS} 0 0 1 {RADIUS} -{RADIUS}'
        f'h{width - 2 * RADIUS - 1.2:.1f}a{RADIUS} {RADIUS} 0 0 1 {RADIUS} {RADIUS}v{LINE - RADIUS}z"/>',
        _text("title", x + CELL, y + 13, box.title),
    ]
    if box.subtitle:
        out.append(_text("sub", x + (cells(box.title) + 2) * CELL, y + 13, box.subtitle))
    values = x + (name_width(box) + 4) * CELL
    for index, row in enumerate(box.rows):
        base = (placed.y + 1 + index) * LINE + 13
        out.append(_text("name" if row.text else "value", x + 2 * CELL, base, row.name))
        if row.text:
            out.append(_text("value", values, base, row.text))
    return "\n".join([*out, "</g>"])


def _text(kind: str, x: float, y: float, text: str) -> str:
    shown = text
    return (
        f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" textLength="{cells(shown) * CELL:.1f}" '
        f'lengthAdjust="spacingAndGlyphs">{escape(shown)}</text>'
    )


def _edge(route: Route) -> str:
    points = [_at(point) for point in route.points]
    forward = route.points[-1][0] >= route.points[-2][0] if len(points) > 1 else True
    leaves = route.points[1][0] >= route.points[0][0] if len(points) > 1 else True
    tip = points[-1][0] + (CELL / 2 if forward else -CELL / 2)
    start = points[0][0] - (CELL / 2 if leaves else -CELL / 2)
    points[-1] = (tip - (6 if forward else -6), points[-1][1])
    dot = start + (-2 * CELL if leaves else CELL) if route.edge.row >= 0 else start  # names begin two cells in
    points[0] = (dot, points[0][1])
    kind = "edge dashed" if route.edge.dashed else "edge"
    out = [f'<path class="{kind}" d="{_path(points)}"/>', _head(tip, points[-1][1], forward)]
    if route.edge.row >= 0:
        out.append(f'<circle class="dot" cx="{dot:.1f}" cy="{points[0][1]:.1f}" r="3"/>')
    if route.edge.both:
        out.append(_head(start, points[0][1], not leaves))
    return "\n".join(out)


def _head(x: float, y: float, right: bool) -> str:
    back = x - 8 if right else x + 8
    return f'<path class="arrow" d="M{x:.1f} {y:.1f}L{back:.1f} {y - 4:.1f}L{back:.1f} {y + 4:.1f}z"/>'


def _path(points: list[tuple[float, float]]) -> str:
    """A line with round corners."""
    out = [f"M{points[0][0]:.1f} {points[0][1]:.1f}"]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        a, b = _towards(corner, before), _towards(corner, after)
        out.append(f"L{a[0]:.1f} {a[1]:.1f}Q{corner[0]:.1f} {corner[1]:.1f} {b[0]:.1f} {b[1]:.1f}")
    out.append(f"L{points[-1][0]:.1f} {points[-1][1]:.1f}")
    return "".join(out)


def _towards(corner: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    """A point near a corner on the way to another one."""
    dx, dy = other[0] - corner[0], other[1] - corner[1]
    length = max(abs(dx), abs(dy)) or 1.0
    share = min(RADIUS, length / 2) / length
    return corner[0] + dx * share, corner[1] + dy * share


def _label(route: Route) -> str:
    (x1, y), (x2, _) = (_at(point) for point in (route.points[0], route.points[min(1, len(route.points) - 1)]))
    text = route.edge.label
    return f'<text class="label" x="{(x1 + x2) / 2:.1f}" y="{y - 5:.1f}" text-anchor="middle">{escape(text)}</text>'
