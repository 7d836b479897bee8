"""A session executes commands and tells what happened."""

import pytest

from kshell import Session
from kshell.session import events as ev


def run(text: str, **options: object) -> tuple[Session, list[ev.Event]]:
    session = Session(**options)  # type: ignore[arg-type]
    return session, session.run(text)


def texts(events: list[ev.Event], kind: type[ev.Event]) -> list[str]:
    return [str(getattr(event, "text", "")) for event in events if type(event) is kind]


def test_a_call_gives_its_strace_line() -> None:
    _, events = run("socket(AF_INET, SOCK_STREAM, 0)")
    call = next(event for event in events if isinstance(event, ev.CallFinished))
    assert (call.name, call.ret, call.pid, call.task, call.errno) == ("socket", 3, 1, "init", "")
    assert call.text.startswith("socket(AF_INET, SOCK_STREAM, ")
    assert call.text.endswith(" = 3")


def test_an_error_has_its_name() -> None:
    _, events = run("close(99)")
    assert texts(events, ev.CallFinished) == ["close(99) = -1 EBADF (Bad file descriptor)"]


@pytest.mark.parametrize("text", ["p *current->cred", "print *current->cred", "p  *current->cred", "@init p *current->cred"])
def test_p_star_shows_what_a_pointer_points_to(text: str) -> None:
    session, events = run(text)
    assert session.errors == 0
    assert any("struct cred *)" in str(getattr(event, "text", "")) for event in events)


def test_a_product_is_one() -> None:
    _, events = run("p = getpid()\np * 3")
    assert texts(events, ev.Output) == ["3"]


def test_variables_hold_results() -> None:
    session, events = run("fd = socket(AF_UNIX, SOCK_DGRAM, 0)\nclose(fd) = 0")
    assert session.held == 1
    assert texts(events, ev.CallFinished)[-1] == "close(3) = 0"


EXPECTATIONS = [
    ("close(99) = -1 EBADF", True),
    ("close(99) = -1 EINVAL", False),
    ("close(99) = 0", False),
    ("socket(AF_INET, SOCK_STREAM, 0) = 3", True),
    ("socket(AF_INET, SOCK_STREAM, 0) = 4", False),
]


@pytest.mark.parametrize(("text", "holds"), EXPECTATIONS)
def test_expectations(text: str, holds: bool) -> None:
    session, events = run(text)
    assert (session.held, session.failed) == (int(holds), int(not holds))
    assert any(isinstance(e, ev.ExpectationHeld if holds else ev.ExpectationFailed) for e in events)


@pytest.mark.parametrize("fd", ["fd", "fd + 1"])
def test_variables_inside_of_what_the_kernel_fills_are_what_they_hold(fd: str) -> None:
    sockets = "fd = socket(AF_INET, SOCK_DGRAM, 0)\nsocket(AF_INET, SOCK_DGRAM, 0)\n"
    session, _ = run(f"{sockets}poll([{{fd={fd}, events=POLLOUT}}], 1, 0) = 1")
    assert (session.held, session.failed) == (1, 0)


def test_a_failed_expectation_names_its_place() -> None:
    session = Session()
    failed = [e for e in session.run("\nclose(99) = 0\n", file="x.ks") if isinstance(e, ev.ExpectationFailed)]
    assert [(e.file, e.line, e.column) for e in failed] == [("x.ks", 2, 13)]
    assert "EBADF" in failed[0].got


def test_an_unknown_task_is_forked_from_init() -> None:
    session, events = run("@server getppid()\n@server getpid()")
    calls = [e for e in events if isinstance(e, ev.CallFinished)]
    assert calls[0].ret == 1
    assert calls[1].ret == calls[1].pid != 1
    assert session.find_user("server").task.comm == "server"


def test_a_sleeping_call_is_resumed_by_another_task() -> None:
    _, events = run('pipe([3, 4])\n@reader read(3, ..., 10)\nwrite(4, "hi", 2)')
    kinds = [event.kind for event in events if event.kind in ("sleeps", "call", "resumed")]
    assert kinds == ["call", "sleeps", "call", "resumed"]
    assert texts(events, ev.CallResumed) == ['<... read resumed>"hi", 10) = 2']


def test_a_sleep_says_where_it_is() -> None:
    _, events = run("pipe([3, 4])\n@reader read(3, ..., 10)")
    sleeps = next(event for event in events if isinstance(event, ev.CallSleeps))
    assert "pipe_read" in sleeps.where
    assert sleeps.text.endswith("<unfinished ...>")


def test_init_may_sleep_while_a_new_task_is_made() -> None:
    session, _ = run('pipe([3, 4])\nread(3, "x", 1) = 1\n@other write(4, "x", 1) = 1')
    assert (session.held, session.failed, session.errors) == (2, 0, 0)


def test_a_call_of_a_task_that_sleeps_waits_until_it_wakes() -> None:
    session, events = run('pipe([3, 4])\nread(3, "x", 1) = 1\ngetpid() = 1\n@w write(4, "x", 1)')
    waits = next(event for event in events if isinstance(event, ev.CallWaits))
    assert (waits.task, waits.sleeping, waits.text) == ("init", "read", "getpid() = 1")
    assert texts(events, ev.CallFinished)[-1] == "getpid() = 1"
    assert (session.held, session.failed, session.errors) == (2, 0, 0)


def test_time_jumps_to_the_end_of_a_bounded_sleep() -> None:
    session, events = run("nanosleep({tv_sec=7, tv_nsec=0}, NULL) = 0")
    assert session.held == 1
    assert not any(isinstance(event, ev.CallSleeps) for event in events)
    assert 7_000_000_000 <= session.now < 7_100_000_000


def test_time_does_not_pass_for_an_unbounded_sleep() -> None:
    session = Session()
    before = session.now
    session.run("pipe([3, 4])\nread(3, ..., 1)")
    assert session.now == before


def test_sleep_lets_time_pass() -> None:
    session = Session()
    before = session.now
    session.run("sleep 90s")
    assert session.now - before == 90_000_000_000


@pytest.mark.parametrize("text", ["sleep", "sleep x", "sleep -1s", "sleep 1e99", "sleep nan"])
def test_bad_durations(text: str) -> None:
    session, _ = run(text)
    assert session.errors == 1


def test_wait_for_nothing_is_an_error() -> None:
    session, _ = run("wait")
    assert session.errors == 1


@pytest.mark.parametrize("text", ["print task(99)", "print fd(99)", "print fd(-1)"])
def test_what_is_not_there_is_null(text: str) -> None:
    session, events = run(text)
    assert (texts(events, ev.Output), session.errors, session.oopses) == (["NULL"], 0, 0)


def test_a_killed_task_is_gone() -> None:
    session, events = run("@victim getpid()\nkill(4, SIGKILL)\n@victim getpid()")
    assert any(isinstance(e, ev.Exit) and e.signal == "SIGKILL" for e in events)
    assert session.errors == 0


def test_objects_are_told_with_signs() -> None:
    session = Session(show=frozenset({"objects", "changes"}))
    events = session.run("socket(AF_INET, SOCK_STREAM, 0)")
    lines = next(event for event in events if isinstance(event, ev.Objects)).lines
    assert [(x.struct, x.sign) for x in lines if x.sign == "new"] == [
        ("file", "new"),
        ("socket_alloc", "new") if any(x.struct == "socket_alloc" for x in lines) else ("inode", "new"),
        ("socket", "new"),
        ("tcp_sock", "new"),
    ]
    changed = {e.field: (e.old, e.new) for e in events if isinstance(e, ev.Change)}
    assert changed["next_fd"] == ("3", "4")


def test_an_internal_fault_is_an_oops_and_the_session_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    session = Session()
    monkeypatch.setattr(session.machine, "syscall", lambda *a, **k: 1 // 0)
    events = session.run("getpid()")
    oops = next(event for event in events if isinstance(event, ev.Oops))
    assert (oops.text, session.oopses) == ("getpid()", 1)
    assert "ZeroDivisionError" in oops.message
    monkeypatch.undo()
    assert texts(session.run("getpid()"), ev.CallFinished) == ["getpid() = 1"]


def test_save_writes_a_script_that_replays(tmp_path: object) -> None:
    session, _ = run("fd = socket(AF_INET, SOCK_STREAM, 0)\nps\nsave /dev/null")
    assert session.script() == "fd = socket(AF_INET, SOCK_STREAM, 0)\nps\n"


SMALL = [
    "ps",
    "fds",
    "show",
    "show fd 0",
    "task",
    "set",
    "help",
    "help socket",
    "help json",
    "dmesg",
    "slab",
    "lsmod",
    "help language",
    "help tasks",
    "help syscalls",
    "print current->pid",
    "cat /dev/null",
    "ls /",
]


@pytest.mark.parametrize("text", SMALL)
def test_commands_that_look_answer(text: str) -> None:
    session, events = run(text)
    assert session.errors == session.oopses == 0
    assert all(event.kind in ("command", "output") for event in events if event.kind != "log")


BAD = [
    "frobnicate",
    "sokcet(AF_INET, 1, 0)",
    "socket(AF_INTE, 1, 0)",
    "set moon on",
    "set abi arm",
    "show fd 77",
    "help frobnicate",
    "print",
    "assert",
    "task a b c",
    "slab nothing",
    "cat",
    "rmmod",
    "@1x getpid()",
    "@nine",
]


@pytest.mark.parametrize("text", BAD)
def test_bad_commands_are_told(text: str) -> None:
    session, events = run(text)
    assert (session.errors, session.oopses) == (1, 0)
    assert next(event for event in events if isinstance(event, ev.Error)).message
