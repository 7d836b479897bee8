"""The Python API: what a program asks of a session."""

import pytest

import kshell
from kshell.session.commands import CommandError


@pytest.fixture(name="session")
def failed() -> kshell.Session:
    session = kshell.Session()
    session.run("fd = socket(AF_INET, SOCK_STREAM, 0)\nlisten(fd, 5)\nwrite(fd, \"x\", 1)")
    return session


def test_goto_undo_redo(session: kshell.Session) -> None:
    session.goto(0)
    session.redo(2)
    session.undo()
    assert [command.text for command in session.commands] == ["fd = socket(AF_INET, SOCK_STREAM, 0)"]


@pytest.mark.parametrize("n", [-1, 4])
def test_moments_that_there_are_not(session: kshell.Session, n: int) -> None:
    for ask in (session.goto, session.copy, session.trace):
        with pytest.raises(CommandError):
            ask(n)


def test_branch_says_whether_it_is_new(session: kshell.Session) -> None:
    assert [session.branch("try"), session.branch("main"), session.branch("try")] == [True, False, False]


def test_a_copy_is_another_session(session: kshell.Session) -> None:
    session.copy(1).run("close(3)")
    assert session.history()[-1].number == 3


def test_diff_is_since_a_moment_or_between_two(session: kshell.Session) -> None:
    fields = {d.field: (d.old, d.new) for d in session.diff(1, 2)}
    assert fields["sk_state"] == ("TCP_CLOSE", "TCP_LISTEN")
    assert {d.struct for d in session.diff(0) if d.what == "created"} >= {"file", "socket", "tcp_sock"}


def test_trace_gives_call_trees_and_changes_nothing(session: kshell.Session) -> None:
    before = session.kernel.last_ino
    roots = [node for nodes in session.trace(1).values() for node in nodes]
    assert any("sys_socket" in node.name for node in roots)
    assert session.kernel.last_ino == before


def test_why_names_the_error_and_a_step(session: kshell.Session) -> None:
    found = session.why()
    assert found is not None
    assert (found.failure.call.text, found.failure.errno) == ('write(fd, "x", 1)', "EPIPE")
    assert kshell.Session().why() is None
