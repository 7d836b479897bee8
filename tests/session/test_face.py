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


def test_a_trace_reads_as_a_tree(session: kshell.Session) -> None:
    trace = session.trace(3)
    assert str(trace).splitlines()[:3] == ["__x64_sys_write", "  ksys_write", "    __fdget_pos"]
    assert repr(trace).startswith('<Trace of write(fd, "x", 1): ')
    (root,) = next(iter(trace.values()))
    assert repr(root).startswith("<sys_write() = -EPIPE, ")


def test_a_text_is_traced_on_a_copy(session: kshell.Session) -> None:
    assert "close_fd" in str(session.trace("close(fd)"))
    assert session.task.files.fdt.fd[3] is not None
    assert len(session.commands) == 3


def test_things_of_the_api_say_what_they_are(session: kshell.Session) -> None:
    assert repr(session) == "<Session after command 3 of 3, task init>"
    assert str(session.why()).startswith("EPIPE (Broken pipe) comes from sk_stream_wait_connect()")
    assert repr(session.why()).startswith("<EPIPE from sk_stream_wait_connect(): the TCP socket was never connected")
    machine = kshell.Machine()
    assert repr(machine) == "<Machine, seed 0, 3 tasks, 0.000000 s since boot>"
    machine.syscall(machine.init, 22, (0x10000,))  # pipe() gives 0 and 1
    call = machine.syscall(machine.init, 0, (0, 0x10000, 1))
    assert repr(call) == "<system call 0 of pid 1 sleeps>"


def test_why_names_the_error_and_a_step(session: kshell.Session) -> None:
    found = session.why()
    assert found is not None
    assert (found.failure.call.text, found.failure.errno) == ('write(fd, "x", 1)', "EPIPE")
    assert kshell.Session().why() is None
