"""Time travel is exact: whatever the walk, the state is that of a straight replay, byte for byte."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kshell.lens.inventory import digest
from kshell.session.session import Session
from kshell.session.timeline import UNDONE

COMMANDS = (
    "fd = socket(AF_INET, SOCK_STREAM, 0)",
    'bind(3, {AF_INET, 80, "127.0.0.1"}, 16)',
    "listen(3, 5)",
    "@c connect(3, {AF_INET, 80, \"127.0.0.1\"}, 16)",
    "@c c = socket(AF_INET, SOCK_STREAM, 0)",
    '@c connect(c, {AF_INET, 80, "127.0.0.1"}, 16)',
    "@server accept(3, NULL, NULL)",
    "socketpair(AF_UNIX, SOCK_DGRAM, 0, pair)",
    "close(3)",
    "dup(fd)",
    'write(4, "hi", 2)',
    "@r read(3, ..., 10)",
    "pipe(p)",
    'open("/tmp/x", O_RDWR|O_CREAT, 0644)',
    "file = fd(3)",
    "file->f_count",
    "sleep 5ms",
    "sleep 70s",
    "nanosleep({tv_sec=1, tv_nsec=0}, NULL)",
    "@n nanosleep({tv_sec=3, tv_nsec=0}, NULL)",
    "poll([{fd=3, events=POLLIN}], 1, 50)",
    "kill(1, SIGCHLD)",
    "kill(4, SIGKILL)",
    "alarm(2)",
    "setitimer(ITIMER_REAL, {it_interval={0, 500000}, it_value={1, 0}}, NULL)",
    "@r interrupt",
    "task c",
    "task init",
    "set abi x86_64",
    "wait",
    "ps",
    "show",
    "why",
    "nonsense",
    "echo 1 > /proc/sys/net/ipv4/ip_forward",
    "@x fork()",
    "wait4(-1, NULL, WNOHANG, NULL)",
    "brk(0)",
    "mmap(NULL, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0)",
)


def state(session: Session) -> tuple[str, ...]:
    """All that there is: the machines, and what the session itself remembers."""
    kernels = {host: machine.kernel for host, machine in session.machines.items()}
    calls = session.calls_of_tasks
    plain = {n: v for n, v in calls.variables.items() if isinstance(v, int)}
    sleeping = {pending.prepared.user.name: pending.text for pending in calls.pending.values()}
    users = [(u.name, u.task.pid, u.arena.extent, sorted(u.buffers)) for u in session.tasks]
    return digest(kernels), session.current.name, session.settings["abi"], repr((plain, sleeping, users, session.now))


def straight(commands: list[str]) -> Session:
    session = Session()
    for command in commands:
        session.run(command)
    assert session.oopses == 0
    return session


LINES = st.lists(st.sampled_from(COMMANDS), min_size=1, max_size=12)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("undo"), st.integers(1, 4)),
        st.tuples(st.just("redo"), st.integers(1, 4)),
        st.tuples(st.just("goto"), st.integers(0, 12)),
        st.tuples(st.just("branch"), st.sampled_from(["main", "a", "b"])),
        st.tuples(st.just("run"), st.sampled_from(COMMANDS)),
        st.tuples(st.just("look"), st.integers(0, 12)),
    ),
    max_size=10,
)


@settings(max_examples=60, deadline=None)
@given(LINES, STEPS)
def test_any_walk_ends_where_a_straight_replay_does(commands: list[str], steps: list[tuple[str, object]]) -> None:
    session = straight(commands)
    for what, argument in steps:
        if what == "run":
            session.run(str(argument))
        elif what == "look":
            session.run(f"fds @{argument}")
        else:
            session.run(f"{what} {argument}")
    assert session.oopses == 0
    assert state(session) == state(straight([command.text for command in session.commands]))


@settings(max_examples=20, deadline=None)
@given(LINES, st.data())
def test_what_comes_after_going_back_is_what_came(commands: list[str], data: st.DataObject) -> None:
    """The events of a command after `goto` are those that it had the first time."""
    n = data.draw(st.integers(0, len(commands) - 1))
    session = Session()
    for command in commands[:n]:
        session.run(command)
    first = json.dumps([event.to_json() for event in session.run(commands[n])])
    for command in commands[n + 1 :]:
        session.run(command)
    session.goto(n)
    assert json.dumps([event.to_json() for event in session.run(commands[n])]) == first


@settings(max_examples=15, deadline=None)
@given(LINES)
def test_a_copy_is_the_same_and_apart(commands: list[str]) -> None:
    session = straight(commands)
    before = state(session)
    copy = session.copy()
    assert state(copy) == before
    copy.run("socket(AF_INET, SOCK_DGRAM, 0)\nsleep 3s")
    assert state(session) == before


def test_variables_hold_the_objects_of_the_machine_they_are_on() -> None:
    session = straight(["socket(AF_INET, SOCK_STREAM, 0)", "sk = fd(3)->private_data->sk", "sk->sk_state"])
    session.run("goto 1\nredo")
    found = session.calls_of_tasks.variables["sk"]
    assert found is session.evaluate("fd(3)->private_data->sk")


def test_a_call_that_sleeps_sleeps_again_and_comes_back() -> None:
    session = straight(["pipe(p)", "@r read(3, ..., 10)", 'write(4, "hi", 2)'])
    session.goto(2)
    assert [p.prepared.name for p in session.calls_of_tasks.pending.values()] == ["read"]
    events = session.run('write(4, "again", 5)')
    assert [e.text for e in events if e.kind == "resumed"] == ['<... read resumed>"again", 10) = 5']  # type: ignore[attr-defined]


def test_looking_while_later_commands_exist_leaves_them() -> None:
    session = straight(["pipe(p)", "close(3)"])
    session.run("undo\nfds\nps\ncurrent->files->next_fd")
    assert (session.timeline.here, len(session.timeline.later)) == (1, 1)


def test_what_was_undone_is_kept_on_a_branch_when_something_else_is_done() -> None:
    session = straight(["pipe(p)", "close(3)", "close(4)"])
    session.run("undo 2\ndup(3)")
    assert [c.text for c in session.commands] == ["pipe(p)", "dup(3)"]
    session.run(f"branch {UNDONE}\nredo 2")
    assert [c.text for c in session.commands] == ["pipe(p)", "close(3)", "close(4)"]


def test_branches_keep_their_own_later_commands() -> None:
    session = straight(["pipe(p)"])
    session.run("branch try\nclose(3)\nclose(4)\nundo\nbranch main\ndup(3)\nbranch try")
    assert [c.text for c in session.commands] == ["pipe(p)", "close(3)"]
    assert [c.text for c in session.timeline.later] == ["close(4)"]


def test_a_session_on_a_given_machine_cannot_travel() -> None:
    session = Session(Session().machine)
    session.run("getpid()\nundo")
    assert session.errors == 1


@pytest.mark.parametrize("n", [0, 1, 3])
def test_calls_made_on_the_machine_itself_belong_to_the_next_command(n: int) -> None:
    session = Session()
    for _ in range(n):
        session.machine.syscall(session.machine.init, 41, (1, 1, 0))
    session.run("getpid()")
    before = state(session)
    session.run("undo\nredo")
    assert state(session) == before
