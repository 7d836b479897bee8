"""Time travel with several hosts on one clock, frames on the wire included."""

from hypothesis import given, settings
from hypothesis import strategies as st

from kshell.lens.inventory import digest
from kshell.session.session import Session

SET_UP = (
    "host client server",
    "link client.eth0 server.eth0 delay=10ms",
    "@client ifconfig eth0 10.0.0.1 up",
    "@server ifconfig eth0 10.0.0.2 up",
    "@server s = socket(AF_INET, SOCK_STREAM, 0)",
    '@server bind(s, {AF_INET, 80, "10.0.0.2"}, 16)',
    "@server listen(s, 5)",
    "@client c = socket(AF_INET, SOCK_STREAM, 0)",
    '@client connect(c, {AF_INET, 80, "10.0.0.2"}, 16)',
)
COMMANDS = (
    "@server accept(s, NULL, NULL)",
    "@server/w read(4, ..., 10)",
    '@client write(c, "hello", 5)',
    "sleep 5ms",
    "sleep 3s",
    "link client.eth0 down",
    "link client.eth0 up",
    "link client.eth0 loss=30%",
    "@client close(c)",
    "@client cat /proc/net/arp",
    "host third",
    "link client.eth9",
    "link s.p1 client.",
    "link nobody.eth0 client.eth0",
    "unlink client.eth7",
    "switch client",
    "task client",
    "@client socket(AF_INET, SOCK_DGRAM, 0)",
)


def state(session: Session) -> tuple[str, ...]:
    kernels = {host: machine.kernel for host, machine in session.machines.items()}
    return digest(kernels), session.current.name, repr([u.name for host in session.hosts for u in host.tasks])


def straight(commands: list[str]) -> Session:
    session = Session()
    for command in commands:
        session.run(command)
    assert session.oopses == 0
    return session


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.sampled_from(COMMANDS), min_size=1, max_size=8),
    st.lists(st.tuples(st.sampled_from(["goto", "undo", "redo", "branch"]), st.integers(0, 16)), max_size=6),
)
def test_any_walk_ends_where_a_straight_replay_does(commands: list[str], walk: list[tuple[str, int]]) -> None:
    session = straight([*SET_UP, *commands])
    for way, number in walk:
        session.run(f"{way} b{number % 2}" if way == "branch" else f"{way} {number}")
    assert session.oopses == 0
    assert state(session) == state(straight([command.text for command in session.commands]))


def test_the_handshake_can_be_walked_along_on_both_hosts() -> None:
    session = straight([*SET_UP])
    stops = [e.text for _ in range(3) for e in session.run("back") if e.kind == "travel"]  # type: ignore[attr-defined]
    assert any("Flags [S.]" in text for text in stops)


def test_differences_name_the_host() -> None:
    session = straight([*SET_UP, "@server accept(s, NULL, NULL)"])
    found = next(e for e in session.run("diff") if e.kind == "difference")
    assert "server: fd 4 of server" in {d.where for d in found.differs if d.struct == "file"}  # type: ignore[attr-defined]
    assert not any(d.where.startswith("client") for d in found.differs if d.what == "created")  # type: ignore[attr-defined]


def test_a_cable_that_cannot_be_is_part_of_the_past() -> None:
    session = Session()
    session.run("link s.p1 client.")
    session.run("socket(AF_INET, SOCK_STREAM, 0)\nundo")
    assert state(session) == state(straight(["link s.p1 client."]))
