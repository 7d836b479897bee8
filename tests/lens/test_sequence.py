"""Packets with the TCP states of both ends: from a real connection, as lines and as a diagram."""

import re

import pytest

from kshell.lens.sequence import draw_packets
from kshell.lens.style import Style, text_of, width_of
from kshell.session.events import Packet
from kshell.session.session import Session

COMMANDS = """\
fd = socket(AF_INET, SOCK_STREAM, 0)
bind(fd, {AF_INET, 8080, "127.0.0.1"}, 16)
listen(fd, 5)
c = socket(AF_INET, SOCK_STREAM, 0)
bind(c, {AF_INET, 5000, "127.0.0.1"}, 16)
connect(c, {AF_INET, 8080, "127.0.0.1"}, 16)
a = accept(fd, NULL, NULL)
write(c, "hello", 5)
close(c)
read(a, ..., 64)
close(a)
"""


@pytest.fixture(scope="module")
def packets() -> list[Packet]:
    return [event for event in Session().run(COMMANDS) if isinstance(event, Packet)]


def states(packets: list[Packet]) -> list[tuple[str, str, str]]:
    """Flags, and how the states of the client and of the server changed."""
    found = []
    for packet in packets:
        pairs = [(a.removeprefix("TCP_"), b.removeprefix("TCP_")) for a, b in zip(packet.before, packet.after, strict=True)]
        client, server = pairs if packet.forth else pairs[::-1]
        flags = packet.text.partition("[")[2].partition("]")[0]
        found.append((flags, *(a if a == b else f"{a}>{b}" for a, b in (client, server))))
    return found


def test_states_before_and_after_every_packet_of_a_connection(packets: list[Packet]) -> None:
    assert states(packets) == [
        ("S", "CLOSE>SYN_SENT", "LISTEN>NEW_SYN_RECV"),
        ("S.", "SYN_SENT>ESTABLISHED", "NEW_SYN_RECV"),
        (".", "ESTABLISHED", "NEW_SYN_RECV>ESTABLISHED"),
        ("P.", "ESTABLISHED", "ESTABLISHED"),
        (".", "ESTABLISHED", "ESTABLISHED"),
        ("F.", "ESTABLISHED>FIN_WAIT1", "ESTABLISHED>CLOSE_WAIT"),
        ("F.", "FIN_WAIT1>FIN_WAIT2", "CLOSE_WAIT>LAST_ACK"),
        (".", "FIN_WAIT2>TIME_WAIT", "LAST_ACK>CLOSE"),
    ]


def test_a_port_nobody_listens_on() -> None:
    events = Session().run('socket(AF_INET, SOCK_STREAM, 0)\nconnect(3, {AF_INET, 9, "127.0.0.1"}, 16)')
    found = states([event for event in events if isinstance(event, Packet)])
    assert found == [("S", "CLOSE>SYN_SENT", ""), ("R.", "SYN_SENT>CLOSE", "")]


def test_lines(packets: list[Packet]) -> None:
    lines = [re.sub(r"\d+ ecr \d+", "1 ecr 2", text_of(line)) for line in draw_packets(packets[5:6])]
    assert lines == [
        " 0.000000 IP 127.0.0.1.5000 > 127.0.0.1.8080: Flags [F.], seq 6, ack 1, win 512, "
        "options [nop,nop,TS val 1 ecr 2], length 0  "
        "5000 TCP_ESTABLISHED → TCP_FIN_WAIT1, 8080 TCP_ESTABLISHED → TCP_CLOSE_WAIT"
    ]


def test_a_diagram_where_the_screen_is_wide(packets: list[Packet]) -> None:
    lines = [text_of(line).rstrip() for line in draw_packets(packets[2:4], Style(width=100))]
    assert lines == [
        "           127.0.0.1.5000" + " " * 61 + "127.0.0.1.8080",
        "           TCP_ESTABLISHED" + " " * 58 + "TCP_NEW_SYN_RECV",
        " 0.000000  │── Flags [.], ack 1, win 512, length 0 " + "─" * 47 + "▶│",
        "           │" + " " * 73 + "TCP_ESTABLISHED",
        " 0.000000  │── Flags [P.], seq 1:6, ack 1, win 512, length 5 " + "─" * 37 + "▶│",
    ]


@pytest.mark.parametrize("width", [90, 100, 120, 200])
def test_a_diagram_is_as_wide_as_it_may_be(packets: list[Packet], width: int) -> None:
    assert max(width_of(line) for line in draw_packets(packets, Style(width=width))) <= min(width, 120)


def test_words_for_a_screen_reader(packets: list[Packet]) -> None:
    (line,) = draw_packets(packets[7:8], Style("words", 200))
    assert text_of(line).endswith("length 0; 5000 was TCP_FIN_WAIT2, now TCP_TIME_WAIT, 8080 was TCP_LAST_ACK, now TCP_CLOSE")


def test_going_back_keeps_connections_and_sequence_numbers() -> None:
    straight = Session()
    first = [e.to_json() for e in straight.run(COMMANDS) if e.kind == "packet"]
    back = Session()
    back.run(COMMANDS)
    back.run("goto 7")
    rest = COMMANDS.split("\n", 7)[7]
    again = [e.to_json() for e in back.run(rest) if e.kind == "packet"]
    assert again == first[-len(again) :]
