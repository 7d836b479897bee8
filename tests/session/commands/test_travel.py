"""undo, redo and goto: the machine is as it was, byte for byte."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kshell.session.session import Session

COMMANDS = (
    "fd = socket(AF_INET, SOCK_STREAM, 0)",
    "socket(AF_UNIX, SOCK_DGRAM, 0)",
    "close(3)",
    "dup(3)",
    'write(3, "hi", 2)',
    "pipe(p)",
    "@peer socket(AF_INET, SOCK_DGRAM, 0)",
    'open("/tmp/x", O_RDWR|O_CREAT, 0644)',
    "sleep 5ms",
)


def answers(session: Session, command: str) -> str:
    return json.dumps([event.to_json() for event in session.run(command)])


@pytest.mark.parametrize("looker", ["fds", "ps", "slab"])
def test_after_undo_the_machine_looks_as_before(looker: str) -> None:
    session, straight = Session(), Session()
    for command in COMMANDS[:4]:
        session.run(command)
    session.run("undo 2")
    for command in COMMANDS[:2]:
        straight.run(command)
    assert answers(session, looker) == answers(straight, looker)


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.sampled_from(COMMANDS), min_size=1, max_size=8),
    st.lists(st.integers(0, 8), min_size=1, max_size=4),
)
def test_any_walk_ends_where_a_straight_replay_does(commands: list[str], walk: list[int]) -> None:
    session = Session()
    for command in commands:
        session.run(command)
    for step in walk:
        session.run(f"goto {min(step, len(commands))}")
    here = min(walk[-1], len(commands))
    straight = Session()
    for command in commands[:here]:
        straight.run(command)
    assert answers(session, "slab") == answers(straight, "slab")


def test_redo_runs_what_undo_took_back_and_a_new_command_forgets_it() -> None:
    session = Session()
    session.run("socket(AF_INET, SOCK_STREAM, 0)\nclose(3)\nundo\nredo")
    assert [c.text for c in session.commands] == ["socket(AF_INET, SOCK_STREAM, 0)", "close(3)"]
    session.run("undo\ndup(3)")
    assert session.timeline.later == []


@pytest.mark.parametrize("command", ["undo", "redo", "goto 1", "goto x", "undo 0", "undo -1"])
def test_what_cannot_be_undone_is_said(command: str) -> None:
    session = Session()
    session.run(command)
    assert session.errors == 1


def test_a_session_on_a_given_machine_cannot_travel() -> None:
    session = Session(Session().machine)
    session.run("getpid()\nundo")
    assert session.errors == 1
