"""Figures as SVG, DOT and Mermaid."""

import xml.etree.ElementTree as ET

from kshell.lens.graph.dot import to_dot
from kshell.lens.graph.layout import layout
from kshell.lens.graph.mermaid import to_mermaid
from kshell.lens.graph.model import Box, Graph, Row
from kshell.lens.graph.svg import to_svg

SVG = "{http://www.w3.org/2000/svg}"


def example() -> Graph:
    graph = Graph('a <b> & "c"')
    graph.add(Box("a", "file", "0x10", [Row("f_op", "<&\"]|\x1b[2J\n")]))
    graph.add(Box("b", "inode", kind="static"))
    graph.point("a", "f_inode", "b")
    graph.link("a", "b", "uses", dashed=True, both=True)
    return graph


def test_svg_is_well_formed_and_holds_every_text() -> None:
    root = ET.fromstring(to_svg(layout(example())))
    texts = ["".join(text.itertext()) for text in root.iter(f"{SVG}text")]
    assert texts == ['a <b> & "c"', "file", "0x10", "f_op", '<&"]|\\x1b[2J\\n', "f_inode", "inode", "uses"]
    assert root.get("width") == root.get("viewBox", "").split()[2]
    assert len(list(root.iter(f"{SVG}circle"))) == 1
    assert sum(path.get("class") == "arrow" for path in root.iter(f"{SVG}path")) == 3


def test_svg_stays_within_its_page() -> None:
    root = ET.fromstring(to_svg(layout(example())))
    width, height = (float(root.get(name, "0")) for name in ("width", "height"))
    for rect in root.iter(f"{SVG}rect"):
        right = float(rect.get("x", "0")) + float(rect.get("width", "0"))
        assert right <= width
        assert float(rect.get("y", "0")) + float(rect.get("height", "0")) <= height


def test_dot() -> None:
    text = to_dot(example())
    assert text.startswith('digraph "a <b> & \\"c\\"" {\n  rankdir=LR;')
    assert "&lt;&amp;&quot;]|\\x1b[2J\\n" in text
    assert "  n0:p1:e -> n1:head;" in text
    assert '  n0 -> n1:head [label="uses", style=dashed, dir=both];' in text


def test_mermaid() -> None:
    lines = to_mermaid(example()).splitlines()
    assert lines[:4] == ["---", "title: a #lt;b#gt; #amp; #quot;c#quot;", "---", "flowchart LR"]
    assert '  n0["<b>file</b> 0x10<br/>f_op #lt;#amp;#quot;#93;#124;\\x1b#91;2J\\n"]' in lines
    assert '  n0 -->|"f_inode"| n1' in lines
    assert '  n0 <-.->|"uses"| n1' in lines
