"""Records: compared, shown and copied by content."""

import pytest

from kshell.abi.record import Record


class point(Record):
    uncompared = frozenset({"note"})
    x: int
    y: int = 2
    note: str = ""


class named(point):
    name: str = "?"


def test_fields_by_place_by_name_and_by_default() -> None:
    assert (point(1).x, point(1).y, point(1, y=5).y, named(1, 2, "n", "a").name) == (1, 2, 5, "a")


def test_content_counts_and_what_is_uncompared_does_not() -> None:
    assert point(1, 2, "a") == point(1, 2, "b")
    assert point(1) != point(2)
    assert point(1) != named(1)
    assert len({point(1, 2, "a"), point(1, 2, "b"), point(3)}) == 2
    assert repr(point(1)) == "point(x=1, y=2)"


def test_copies_with_changes() -> None:
    original = named(1, name="a")
    changed = original.replace(x=9)
    assert (changed.x, changed.name, original.x) == (9, "a", 1)


def test_a_missing_field_is_an_error() -> None:
    with pytest.raises(AttributeError):
        point()  # type: ignore[call-arg]
