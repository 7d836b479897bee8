"""Ctrl-C on a sleeping call is a command of the session: `interrupt`."""

import pytest

from kshell.session import events as ev
from kshell.session.session import Session


def run(text: str) -> tuple[Session, list[ev.Event]]:
    session = Session()
    return session, session.run(text)


@pytest.mark.parametrize("task", ["init", "reader"])
def test_the_call_comes_back_with_eintr_and_the_task_lives(task: str) -> None:
    session, events = run(f"pipe([3, 4])\n@{task} read(3, ..., 10)\ninterrupt {task}\n@{task} getppid()")
    resumed = next(event for event in events if isinstance(event, ev.CallResumed))
    assert (resumed.task, resumed.errno) == (task, "EINTR")
    assert any(isinstance(event, ev.Signal) and event.signal == "SIGINT" for event in events)
    assert session.errors == 0


def test_the_disposition_is_as_it_was() -> None:
    session, _ = run(
        "pipe([3, 4])\nread(3, ..., 10)\ninterrupt\n"
        "rt_sigaction(SIGINT, NULL, {sa_handler=SIG_DFL, sa_mask=[], sa_flags=0}, 8) = 0"
    )
    assert (session.held, session.failed) == (1, 0)


def test_a_handler_with_restart_makes_the_call_go_on() -> None:
    session, _ = run(
        "pipe([3, 4])\nrt_sigaction(SIGINT, {sa_handler=0x401000, sa_mask=[], sa_flags=SA_RESTART}, NULL, 8) = 0\n"
        "read(3, ..., 10)\ninterrupt\n@other ps"
    )
    assert session.task in session.calls_of_tasks.pending


def test_a_task_that_does_not_sleep_is_an_error() -> None:
    session, _ = run("interrupt")
    assert session.errors == 1


def test_it_is_replayed_exactly() -> None:
    text = "pipe([3, 4])\nread(3, ..., 10)\ninterrupt\nread(3, ..., 10)\ninterrupt\nps"
    session, events = run(text)
    again, repeated = run(session.script())
    assert [e.to_json() for e in repeated] == [e.to_json() for e in events]
    session.goto(6)
    assert session.now == again.now
