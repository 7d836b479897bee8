"""A call of a task that sleeps waits until the task wakes, so that the order of a script's tasks does not matter."""

from kshell.session import events as ev
from kshell.session.session import Session

SERVER = """\
@server s = socket(AF_INET, SOCK_STREAM, 0) = 3
@server bind(s, {AF_INET, 80, "127.0.0.1"}, 16) = 0
@server listen(s, 5) = 0
@server c = accept(s, NULL, NULL) = 4
@server read(c, ..., 5) = 5
@server write(c, "world", 5) = 5
@server close(c) = 0
"""
CLIENT = """\
@client k = socket(AF_INET, SOCK_STREAM, 0) = 3
@client connect(k, {AF_INET, 80, "127.0.0.1"}, 16) = 0
@client write(k, "hello", 5) = 5
@client read(k, ..., 16) = 5
@client read(k, ..., 16) = 0
"""


def run(text: str) -> tuple[Session, list[ev.Event]]:
    session = Session()
    return session, session.run(text)


def test_a_server_may_stand_before_its_client() -> None:
    session, events = run(SERVER + CLIENT)
    assert (session.held, session.failed, session.errors) == (12, 0, 0)
    order = [event.name for event in events if isinstance(event, ev.CallFinished) and event.task == "server"]
    assert order == ["socket", "bind", "listen", "accept", "read", "write", "close"]
    assert session.finish() == []


def test_tasks_that_are_switched_to_wait_as_well() -> None:
    text = "".join(f"task {name}\n{part.replace(f'@{name} ', '')}" for name, part in
                   (("server", SERVER), ("client", CLIENT)))  # fmt: skip
    session, _ = run(text)
    assert (session.held, session.failed, session.errors) == (12, 0, 0)


def test_what_was_never_made_is_an_error_in_its_line() -> None:
    session, _ = run("pipe([3, 4])\nread(3, ..., 1)\ngetpid() = 1")
    (error,) = session.finish()
    assert isinstance(error, ev.Error)
    assert (error.line, error.text, session.errors) == (3, "getpid() = 1", 1)
    assert "still sleeps in read()" in error.message


def test_what_is_expected_of_a_call_that_never_comes_back_does_not_hold() -> None:
    session, _ = run("pipe([3, 4]) = 0\nread(3, ..., 1) = 1")
    assert (session.held, session.failed) == (1, 0)
    (failed,) = session.finish()
    assert isinstance(failed, ev.ExpectationFailed)
    assert (failed.line, failed.expected, failed.got) == (2, "= 1", "the call still sleeps in pipe_read")
    assert (session.held, session.failed) == (1, 1)


def test_a_call_of_which_nothing_is_expected_may_sleep_on() -> None:
    for text in ("pause()", "pause() = ?"):
        session, _ = run(text)
        assert session.finish() == []


def test_what_is_wrong_with_a_call_that_waited_is_told_in_its_line() -> None:
    _, events = run('pipe([3, 4])\n@r read(3, ..., 1)\n@r close(nosuch)\nwrite(4, "x", 1)')
    error = next(event for event in events if isinstance(event, ev.Error))
    assert (error.line, error.text, error.n) == (3, "@r close(nosuch)", 4)


def test_a_task_that_is_killed_makes_no_more_calls() -> None:
    session, events = run("pipe([3, 4])\n@r read(3, ..., 1)\n@r getpid()\nkill(4, SIGKILL)\nps")
    assert any("gone" in event.message for event in events if isinstance(event, ev.Error))
    assert session.oopses == 0


def test_undo_brings_back_what_waited() -> None:
    session, _ = run(SERVER + CLIENT)
    session.goto(9)
    assert [waiting.statement.call.name for waiting in session.calls_of_tasks.queue.waiting] == ["write", "close"]
    events = session.run(CLIENT.split("\n", 2)[2])
    assert [e.name for e in events if isinstance(e, ev.CallFinished) and e.task == "server"] == ["read", "write", "close"]
    assert session.errors == session.oopses == 0


def test_a_sleep_names_the_wait_queues() -> None:
    _, events = run(
        "pipe([3, 4])\n@a read(3, ..., 4)\ns = socket(AF_INET, SOCK_DGRAM, 0)\n@b recvfrom(s, ..., 1, 0, NULL, NULL)\n"
        "@c poll([{fd=3, events=POLLIN}], 1, -1)\n@d wait4(-1, NULL, 0, NULL)\nwait4(-1, NULL, 0, NULL)"
    )
    found = {event.task: event.queues for event in events if isinstance(event, ev.CallSleeps)}
    assert found == {
        "a": ["pipe->rd_wait"],
        "b": ["sk->sk_wq"],
        "c": ["filp->private_data->rd_wait"],
        "init": ["current->signal->wait_chldexit"],
    }
