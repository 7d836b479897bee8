"""Chains are scored by names in order, folded repeats and nearest common callers."""

import pytest

from kshell.lens.trace_score import in_scope, read_rows, score_chain

FILES = {"a": "net/socket.c", "b": "net/core/sock.c", "c": "fs/file.c", "inline": "include/net/sock.h"}


def rates(recorded: str, model: str) -> tuple[float, float, float]:
    found = score_chain(recorded, model, FILES)
    return round(found.precision, 2), round(found.recall, 2), round(found.nesting, 2)


def test_rows_have_depth_and_bare_names() -> None:
    assert read_rows("# note\na\n  ~b   [x3]\n    c [sleeps]\n") == [(0, "a"), (1, "b"), (2, "c")]


def test_repeated_subtrees_count_once() -> None:
    assert read_rows("a\n  b\n    c\n  b\n    c\n  b\n") == [(0, "a"), (1, "b"), (2, "c"), (1, "b")]


@pytest.mark.parametrize(
    ("recorded", "model", "expected"),
    [
        ("a\n  b\n    c\n", "a\n  b\n    c\n", (1.0, 1.0, 1.0)),
        ("a\n  b\n    c\n", "", (0.0, 0.0, 0.0)),
        ("a\n  b\n    c\n", "a\n  c\n", (1.0, 0.67, 1.0)),
        ("a\n  b\n", "a\n  b\n  c\n", (0.67, 1.0, 1.0)),
        ("a\n  b\n", "a\n  b\n  unknown\n", (1.0, 1.0, 1.0)),
        ("a\n  b\n    c\n", "a\n  b\n  c\n", (1.0, 1.0, 0.67)),
        ("a\n  inline\n", "a\n", (1.0, 1.0, 1.0)),
    ],
)
def test_scores(recorded: str, model: str, expected: tuple[float, float, float]) -> None:
    assert rates(recorded, model) == expected


def test_what_is_extra_and_missing_is_named() -> None:
    found = score_chain("a\n  b\n", "a\n  c\n", FILES)
    assert (found.extra, found.missing) == (("c",), ("b",))


@pytest.mark.parametrize(
    ("file", "expected"),
    [("net/ipv4/tcp.c", True), ("include/net/tcp.h", False), ("fs/notify/fsnotify.c", False), ("mm/slab.c", False)],
)
def test_scope(file: str, expected: bool) -> None:
    assert in_scope(file) == expected
