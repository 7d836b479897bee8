"""Where boxes stand and how edges run: nothing lies on anything else, and an object keeps its place."""

import random

import pytest

from kshell.lens.graph.bands import in_bands
from kshell.lens.graph.layout import Layout, Places, layout
from kshell.lens.graph.model import Box, Edge, Graph, Row


def graph(*edges: tuple[str, str], rows: int = 1) -> Graph:
    made = Graph("test")
    for key in dict.fromkeys(key for edge in edges for key in edge):
        made.add(Box(key, key, rows=[Row(f"row{i}", "x" * (i + 3)) for i in range(rows)]))
    for source, target in edges:
        made.point(source, f"to_{target}", target)
    return made


def at(found: Layout) -> dict[str, tuple[int, int]]:
    return {box.box.key: (box.x, box.y) for box in found.boxes}


def columns(found: Layout) -> dict[str, int]:
    return {box.box.key: box.column for box in found.boxes}


def overlaps(found: Layout) -> list[tuple[str, str]]:
    pairs = [(a, b) for i, a in enumerate(found.boxes) for b in found.boxes[i + 1 :]]
    return [
        (a.box.key, b.box.key)
        for a, b in pairs
        if a.x <= b.right and b.x <= a.right and a.y < b.bottom and b.y < a.bottom
    ]


def crossed(found: Layout) -> list[str]:
    """Boxes that an edge runs through."""
    inside = []
    for route in found.routes:
        for (x1, y1), (x2, y2) in zip(route.points, route.points[1:], strict=False):
            for box in found.boxes:
                across = min(x1, x2) <= box.right and max(x1, x2) >= box.x
                down = min(y1, y2) < box.bottom and max(y1, y2) >= box.y
                if across and down:
                    inside.append(f"{route.edge.source}→{route.edge.target} through {box.box.key}")
    return inside


def test_a_column_for_each_pointer_on_the_way() -> None:
    found = layout(graph(("a", "b"), ("b", "c"), ("a", "d"), ("a", "c")))
    assert columns(found) == {"a": 0, "b": 1, "c": 1, "d": 1}


def test_a_chain_runs_straight() -> None:
    found = layout(graph(("a", "b"), ("b", "c")))
    assert [len(route.points) for route in found.routes] == [2, 2]
    assert [route.points[0][1] for route in found.routes] == [2, 3]


def test_cycles_and_edges_within_a_column() -> None:
    found = layout(graph(("a", "b"), ("b", "a"), ("b", "b"), ("a", "c"), ("b", "c"), ("c", "b")))
    assert len(found.boxes) == 3
    assert not overlaps(found)
    assert not crossed(found)


def test_an_edge_over_several_columns_runs_around_the_boxes_between() -> None:
    made = graph(("a", "b"), ("b", "c"), ("c", "d"))
    made.boxes["d"].column = 3
    made.point("a", "far", "d")
    found = layout(made)
    assert not crossed(found)
    assert columns(found)["d"] == 3


@pytest.mark.parametrize("seed", range(40))
def test_nothing_lies_on_anything_else(seed: int) -> None:
    pick = random.Random(seed)
    names = [f"n{i}" for i in range(pick.randrange(2, 14))]
    edges = [(pick.choice(names), pick.choice(names)) for _ in range(pick.randrange(1, 24))]
    made = graph(*edges, rows=pick.randrange(0, 4))
    if pick.random() < 0.5:
        for box in made.boxes.values():
            box.column = pick.randrange(5)
    found = layout(made)
    assert not overlaps(found)
    assert not crossed(found)
    assert at(layout(made)) == at(found)


def test_an_object_keeps_its_place_when_others_come_and_go() -> None:
    places = Places()
    first = at(layout(graph(("a", "b"), ("a", "c"), ("c", "d")), places))
    more = at(layout(graph(("a", "x"), ("a", "b"), ("a", "c"), ("c", "y"), ("c", "d")), places))
    assert {key: more[key] for key in first} == first
    less = at(layout(graph(("a", "c"), ("c", "d")), places))
    assert less == {key: first[key] for key in less}


def test_a_box_that_grows_pushes_the_next_one_down() -> None:
    places = Places()
    layout(graph(("a", "b"), ("a", "c")), places)
    grown = graph(("a", "b"), ("a", "c"))
    grown.boxes["b"].rows += [Row(f"more{i}") for i in range(6)]
    assert not overlaps(layout(grown, places))


def test_bands_are_as_wide_as_the_screen_and_hold_every_box() -> None:
    made = graph(*[(f"n{i}", f"n{i + 1}") for i in range(8)], rows=2)
    made.edges.append(Edge("n7", -1, "n0", "back"))
    whole = layout(made)
    bands = in_bands(made, whole, 60, {})
    assert [key for band in bands for key in at(band)] == list(made.boxes)
    assert all(band.width <= 60 for band in bands)
    assert whole.width > 60
    titles = [box.box.title for band in bands for box in band.boxes]
    assert "(1) n3" in titles or "(1) n4" in titles
    last = bands[-1].boxes[-1].box
    assert last.key == "n8"


def test_an_empty_graph() -> None:
    found = layout(Graph())
    assert (found.width, found.height, found.routes) == (0, 0, [])
