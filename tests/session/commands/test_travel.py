"""history, undo, redo, goto, back, forward, branch, diff, and looks at another moment."""

import pytest

from kshell.session import events as ev
from kshell.session.session import Session

CONNECT = (
    "fd = socket(AF_INET, SOCK_STREAM, 0)", 'bind(fd, {AF_INET, 80, "127.0.0.1"}, 16)', "listen(fd, 5)",
    "c = socket(AF_INET, SOCK_STREAM, 0)", 'connect(c, {AF_INET, 80, "127.0.0.1"}, 16)',
)  # fmt: skip


@pytest.fixture(name="session")
def connected() -> Session:
    session = Session()
    session.run("\n".join(CONNECT))
    return session


def outputs(session: Session, command: str) -> str:
    return "\n".join(e.text for e in session.run(command) if isinstance(e, ev.Output))


def one(session: Session, command: str, kind: type[ev.Event]) -> ev.Event:
    return next(event for event in session.run(command) if isinstance(event, kind))


def error(session: Session, command: str) -> str:
    found = one(session, command, ev.Error)
    assert isinstance(found, ev.Error)
    return found.message


# ---- going


@pytest.mark.parametrize("looker", ["fds", "ps", "slab", "show", "cat /proc/net/tcp"])
def test_after_undo_the_machine_looks_as_before(session: Session, looker: str) -> None:
    straight = Session()
    straight.run("\n".join(CONNECT[:3]))
    session.run("undo 2")
    assert outputs(session, looker) == outputs(straight, looker)


def test_travel_tells_where_the_session_is(session: Session) -> None:
    there = one(session, "goto 2", ev.Travel)
    assert isinstance(there, ev.Travel)
    assert (there.here, there.of, there.branch, there.stop) == (2, 5, "main", 0)
    assert there.text.startswith("now after command 2 of 5: bind(fd")


def test_redo_does_what_undo_took_back(session: Session) -> None:
    session.run("undo 3\nredo\nredo 2")
    assert [c.text for c in session.commands] == list(CONNECT)


NO_WAY = ["undo", "redo", "goto 1", "goto x", "undo 0", "undo -1", "back", "forward", "branch a b", "branch undone",
          "branch 1", "diff 1", "diff a b", "diff 0 0 0", "goto 0.1", "show @7", "history x"]  # fmt: skip


@pytest.mark.parametrize("command", NO_WAY)
def test_what_cannot_be_done_is_said(command: str) -> None:
    session = Session()
    session.run(command)
    assert (session.errors, session.oopses) == (1, 0)


def test_commands_about_the_session_are_no_part_of_it(session: Session) -> None:
    session.run("history\ndiff\nbranch\nback\nforward\nundo\nredo")
    assert len(session.commands) == 5


# ---- looking at another moment


LOOKS = [
    ("show fd 3", "TCP_CLOSE", 2, "TCP_LISTEN"),
    ("fd(3)->private_data->sk->sk_state", "TCP_CLOSE", 2, "TCP_LISTEN"),
    ("print current->files->next_fd", "4", 1, "5"),
]


@pytest.mark.parametrize(("command", "then", "n", "now"), LOOKS)
def test_a_look_at_a_moment_leaves_the_present(session: Session, command: str, then: str, n: int, now: str) -> None:
    assert then in outputs(session, f"{command} @{n}")
    assert now in outputs(session, command)


def test_programs_that_look_run_on_a_copy(session: Session) -> None:
    before = session.kernel.last_ino
    assert outputs(session, "cat /proc/net/tcp @3").count("\n") == 1  # the heading and the listener
    assert session.kernel.last_ino == before


def test_a_call_cannot_be_made_in_the_past(session: Session) -> None:
    assert error(session, "close(3) @2") == "a call can't be made in the past"
    assert outputs(session, "print current->files->next_fd") == "5"


def test_an_error_of_a_look_is_an_error(session: Session) -> None:
    assert error(session, "show fd 4 @2") == "descriptor 4 is not open in init"


# ---- the middle of a command


def test_back_and_forward_go_along_the_packets(session: Session) -> None:
    told = [one(session, way, ev.Travel) for way in ("back", "back", "back", "forward", "forward", "forward")]
    assert [t.stop for t in told if isinstance(t, ev.Travel)] == [3, 2, 1, 2, 3, 0]
    assert "Flags [S.]" in str(getattr(told[1], "text", ""))


def test_in_the_middle_everything_is_as_it_was_then(session: Session) -> None:
    session.run("goto 5.1")
    assert "TCP_SYN_SENT" in outputs(session, "show fd 4")
    session.run("forward")
    assert "TCP_SYN_SENT" in outputs(session, "print fd(4)->private_data->sk->sk_state")
    session.run("forward")
    assert "TCP_ESTABLISHED" in outputs(session, "fd(4)->private_data->sk->sk_state")
    assert "TCP_SYN_SENT" in outputs(session, "show fd 4 @5.2")


def test_in_the_middle_nothing_can_be_done(session: Session) -> None:
    session.run("back")
    for command in ("getpid()", "cat /proc/net/tcp", "sleep 1s", "x = 3"):
        assert "middle of" in error(session, command)
    session.run("forward\ngetpid()")
    assert session.commands[-1].text == "getpid()"


def test_back_over_the_begin_of_a_command_is_before_it(session: Session) -> None:
    session.run("back\nback\nback\nback")
    assert (session.timeline.here, session.timeline.eye) == (4, None)
    assert one(session, "forward", ev.Travel).text.startswith("packet 1 of 3 of command 5")  # type: ignore[attr-defined]


def test_a_command_without_packets_says_so(session: Session) -> None:
    session.run("getpid()")
    assert error(session, "back") == "command 6 sends no packet"


def test_the_stop_tells_what_changed_since_the_one_before(session: Session) -> None:
    differs = one(session, "goto 5.2", ev.Difference)
    assert isinstance(differs, ev.Difference)
    assert "tcp_request_sock" in {d.struct for d in differs.differs if d.what == "created"}


# ---- differences and history


def differences(session: Session, command: str) -> list[tuple[str, ...]]:
    found = one(session, command, ev.Difference)
    assert isinstance(found, ev.Difference)
    return [(d.what, d.struct, d.where, d.field, d.old, d.new) for d in found.differs]


DIFFERENCES = [
    ("diff 0 1", ("created", "tcp_sock", "fd 3 of init", "", "", "")),
    ("diff 1 0", ("freed", "tcp_sock", "fd 3 of init", "", "", "")),
    ("diff 0 1", ("changed", "files_struct", "init", "next_fd", "3", "4")),
    ("diff 2 3", ("changed", "tcp_sock", "fd 3 of init", "sk_state", "TCP_CLOSE", "TCP_LISTEN")),
    ("diff 1 2", ("changed", "tcp_sock", "fd 3 of init", "inet_num", "0", "80")),
    ("diff 1 2", ("changed", "tcp_sock", "fd 3 of init", "inet_rcv_saddr", "0.0.0.0", "127.0.0.1")),
    ("diff", ("counter", "net", "", "tcp_statistics TCP_MIB_ACTIVEOPENS", "0", "1")),
    ("diff 4", ("changed", "tcp_sock", "fd 4 of init", "sk_state", "TCP_CLOSE", "TCP_ESTABLISHED")),
    ("diff 4 5", ("changed", "tcp_sock", "fd 3 of init", "sk_ack_backlog", "0", "1")),
    ("diff 0 1", ("counter", "kmem_cache", "", "TCP: objects", "0", "1")),
]


@pytest.mark.parametrize(("command", "expected"), DIFFERENCES)
def test_differences(session: Session, command: str, expected: tuple[str, ...]) -> None:
    assert expected in differences(session, command)


def test_time_queues_and_the_log_differ_too() -> None:
    session = Session()
    session.run("pipe(p)\nsocketpair(AF_UNIX, SOCK_STREAM, 0, u)\nsend(5, \"abc\", 3, 0)\nsleep 2s\nmodprobe sctp")
    assert ("changed", "unix_sock", "fd 6 of init", "sk_receive_queue.qlen", "0", "1") in differences(session, "diff 2 3")
    assert ("time", "virtual time", "", "", "0.000000 s", "2.000000 s") in differences(session, "diff 3 4")


def test_equal_moments_do_not_differ(session: Session) -> None:
    assert differences(session, "diff 3 3") == []


def test_branches_are_compared_where_they_are(session: Session) -> None:
    session.run("branch try\nclose(3)\nclose(4)")
    assert ("freed", "file", "fd 4 of init", "", "", "") in differences(session, "diff main try")
    assert differences(session, "diff main try:5") == []


def test_history_tells_results_and_changes(session: Session) -> None:
    session.run("@r read(c, ..., 5)\nnonsense\nundo")
    found = one(session, "history", ev.History)
    assert isinstance(found, ev.History)
    rows = [(line.number, line.result, line.undone) for line in found.commands]
    assert rows[:2] == [(1, "= 3", False), (2, "= 0", False)]
    assert rows[5][:2] == (6, "sleeps in wait_woken")
    assert rows[6] == (7, "error: unknown name nonsense", True)
    assert found.commands[0].changes.startswith("new file socket tcp_sock")
    assert "sk_state TCP_CLOSE → TCP_LISTEN" in found.commands[2].changes


def test_history_of_a_few(session: Session) -> None:
    found = one(session, "history 2", ev.History)
    assert isinstance(found, ev.History)
    assert [line.number for line in found.commands] == [4, 5]
