"""Programs that sleep: they run in tasks of their own, on the virtual clock, beside the prompt."""

import pytest

from kshell.session import events as ev
from kshell.session.session import Session


def lines(events: list[ev.Event]) -> list[str]:
    return [event.text for event in events if isinstance(event, ev.Output)]


@pytest.fixture
def session() -> Session:
    return Session()


def test_ping_lets_time_pass(session: Session) -> None:
    printed = lines(session.run("ping -c 3 127.0.0.1"))
    assert printed[0] == "PING 127.0.0.1 (127.0.0.1) 56(84) bytes of data."
    assert printed[1:4] == [f"64 bytes from 127.0.0.1: icmp_seq={n} ttl=64 time=0.000 ms" for n in (1, 2, 3)]
    assert "3 packets transmitted, 3 received, 0% packet loss, time 2000ms" in printed
    assert session.now >= 2_000_000_000


def test_a_program_in_the_background_goes_on_when_time_passes(session: Session) -> None:
    session.run("ping -c 2 127.0.0.1 &")
    assert "ping" in session.tasks.names()
    assert lines(session.run("getpid()")) == []
    printed = lines(session.run("sleep 2s"))
    assert "64 bytes from 127.0.0.1: icmp_seq=2 ttl=64 time=0.000 ms" in printed
    assert "ping" not in session.tasks.names()


@pytest.mark.parametrize(
    ("server", "client"),
    [
        ("nc -l 5000", "nc 127.0.0.1 5000"),
        ("nc -l -u 5000", "nc -u 127.0.0.1 5000"),
        ("nc -l -U /tmp/s", "nc -U /tmp/s"),
    ],
)
def test_nc_talks_to_nc(session: Session, server: str, client: str) -> None:
    session.run(f"{server} &")
    assert "hello" in lines(session.run(f"{client} <<< hello &"))
    assert session.oopses == 0


def test_a_call_talks_to_nc(session: Session) -> None:
    session.run('nc -l 5000 &\nfd = socket(AF_INET, SOCK_STREAM, 0)\nconnect(fd, {AF_INET, 5000, "127.0.0.1"}, 16)')
    assert "from a call" in lines(session.run('write(fd, "from a call\\n", 12)'))
    session.run("close(fd)")
    assert "nc" not in session.tasks.names()


def test_interrupt_ends_a_program(session: Session) -> None:
    session.run("nc -l 5000 &")
    session.run("interrupt nc")
    assert "nc" not in session.tasks.names()
    assert session.errors == 0


def test_a_session_goes_back_to_before_a_program_slept_and_forth(session: Session) -> None:
    session.run("ping -c 2 127.0.0.1 &\nsleep 5s")
    session.run("undo")
    assert "ping" in session.tasks.names()
    assert "2 packets transmitted, 2 received, 0% packet loss, time 1000ms" in lines(session.run("sleep 5s"))
    session.run("goto 0")
    assert session.tasks.names() == ["init"]


def test_tcpdump_shows_what_passes(session: Session) -> None:
    session.run("tcpdump -i lo -n -c 2 &")
    printed = lines(session.run("ping -c 1 127.0.0.1"))
    assert [line.partition(" ")[2][:53] for line in printed if " ICMP echo " in line] == [
        "IP 127.0.0.1 > 127.0.0.1: ICMP echo request, id 5, se", "IP 127.0.0.1 > 127.0.0.1: ICMP echo reply, id 5, seq ",
    ]  # fmt: skip
    assert "2 packets captured" in printed


FAILURES = [
    ("ping -c 1 10.9.9.9", "ping: connect: Network is unreachable"),
    ("nc 127.0.0.1 9", "nc: connect to 127.0.0.1 port 9 (tcp) failed: Connection refused"),
    ("cat /nowhere", "cat: /nowhere: No such file or directory"),
    ("ls /nowhere", "ls: cannot access '/nowhere': No such file or directory"),
    ("ip link set nothing up", 'Cannot find device "nothing"'),
    ("ip frob", 'Object "frob" is unknown, try "ip help".'),
    ("arp -d 10.0.0.1", "SIOCDARP(dontpub): Network is unreachable"),
    ("route add -net 10.1.0.0/16 gw 10.9.0.1", "SIOCADDRT: Network is unreachable"),
]


@pytest.mark.parametrize(("command", "told"), FAILURES)
def test_what_programs_say_when_they_fail(session: Session, command: str, told: str) -> None:
    assert told in lines(session.run(command))
    assert session.oopses == 0


def test_a_task_that_sleeps_runs_no_program(session: Session) -> None:
    session.run("pipe([3, 4])\n@reader read(3, ..., 1)")
    events = session.run("@reader cat /proc/net/dev")
    assert any(isinstance(event, ev.Error) and "sleeps in read" in event.message for event in events)


def test_programs_only_make_system_calls(session: Session) -> None:
    traced = " ".join(str(event.to_json()) for event in session.run("trace ifconfig lo mtu 1400"))
    assert "dev_set_mtu" in traced
