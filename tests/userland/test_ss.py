"""ss and ethtool as they print; the compiler of ss's filters."""

import struct

import pytest

from kshell.session import events as ev
from kshell.session.session import Session
from kshell.userland.runtime import ProgramError
from kshell.userland.ss import compile_filter

LISTENER = 'fd = socket(AF_INET, SOCK_STREAM, 0)\nbind(fd, {AF_INET, 8080, "127.0.0.1"}, 16)\nlisten(fd, 5)'


def printed(command: str, before: str = LISTENER) -> list[str]:
    session = Session()
    session.run(before)
    events = session.run(command)
    assert session.errors == session.oopses == 0
    return [line for event in events if isinstance(event, ev.Output) for line in event.text.split("\n")]


def test_a_listener() -> None:
    assert printed("ss -tln") == [
        "State  Recv-Q Send-Q Local Address:Port Peer Address:PortProcess",
        "LISTEN 0      5          127.0.0.1:8080      0.0.0.0:*          ",
    ]
    assert printed("ss -tlnp")[1].endswith(' users:(("init",pid=1,fd=3))')
    assert len(printed("ss -tan sport = :8080")) == 2
    assert len(printed("ss -tan sport = :8081")) == 1
    assert len(printed("ss -tan src 127.0.0.0/8")) == 2
    assert len(printed("ss -tan state established")) == 1


def test_two_kinds_of_sockets_have_their_name_in_front() -> None:
    lines = printed("ss -tuan", LISTENER + "\nu = socket(AF_INET, SOCK_DGRAM, 0)\nbind(u, {AF_INET, 53}, 16)")
    assert [line.split() for line in lines] == [
        ["Netid", "State", "Recv-Q", "Send-Q", "Local", "Address:Port", "Peer", "Address:PortProcess"],
        ["udp", "UNCONN", "0", "0", "0.0.0.0:53", "0.0.0.0:*"],
        ["tcp", "LISTEN", "0", "5", "127.0.0.1:8080", "0.0.0.0:*"],
    ]


def test_offloads() -> None:
    lines = printed("ethtool -k lo")
    assert lines[:3] == ["Features for lo:", "rx-checksumming: on [fixed]", "tx-checksumming: on [fixed]"]
    assert "tcp-segmentation-offload: on" in lines
    assert "generic-receive-offload: off" in printed("ethtool -k lo", "ethtool -K lo gro off")


@pytest.mark.parametrize(
    ("words", "program"),
    [
        ([], b""),
        (["sport", "=", ":80"], struct.pack("<BBHBBH", 11, 8, 12, 0, 0, 80)),
        (["sport", ">=", "1", "and", "dport", "<=", "9"],
         struct.pack("<BBHBBH", 2, 8, 20, 0, 0, 1) + struct.pack("<BBHBBH", 5, 8, 12, 0, 0, 9)),
    ],
)  # fmt: skip
def test_filters(words: list[str], program: bytes) -> None:
    assert compile_filter(words) == program


@pytest.mark.parametrize(
    "words", [["sport", "=", ":nothing"], ["frob"], ["sport", "=", ":1", "or", "dport", "=", ":2"]]
)
def test_filters_that_are_no_filters(words: list[str]) -> None:
    with pytest.raises(ProgramError):
        compile_filter(words)
