"""Packets as tcpdump writes them."""

import pytest

from kshell.lens.packets import Bases, packet_text, tcp_options
from kshell.linux.include.linux.icmp import icmphdr
from kshell.linux.include.linux.if_arp import arphdr
from kshell.linux.include.linux.ip import iphdr
from kshell.linux.include.linux.tcp_header import tcphdr
from kshell.linux.include.linux.udp import udphdr

HERE, THERE = 0x7F000001, 0x0A000002


class Packet:
    """As much of an sk_buff as is looked at."""

    def __init__(self, network: object, transport: object = None, data: bytes = b"") -> None:
        self.network_header = network
        self.transport_header = transport
        self.data = data
        self.len = len(data)


def ip(protocol: int = 6, *, back: bool = False) -> iphdr:
    source, target = (THERE, HERE) if back else (HERE, THERE)
    return iphdr(protocol=protocol, saddr=source, daddr=target)


def tcp(flags: int, seq: int = 0, ack: int = 0, data: bytes = b"", *, back: bool = False, options: bytes = b"") -> Packet:
    ports = (80, 4000) if back else (4000, 80)
    return Packet(ip(back=back), tcphdr(*ports, seq, ack, flags, 512, options=options), data)


@pytest.mark.parametrize(
    ("packet", "text"),
    [
        (tcp(0x02, 1000), "IP 127.0.0.1.4000 > 10.0.0.2.80: Flags [S], seq 1000, win 512, length 0"),
        (tcp(0x10, 5, 7), "IP 127.0.0.1.4000 > 10.0.0.2.80: Flags [.], ack 7, win 512, length 0"),
        (tcp(0x18, 5, 7, b"abc"), "IP 127.0.0.1.4000 > 10.0.0.2.80: Flags [P.], seq 5:8, ack 7, win 512, length 3"),
        (tcp(0x14, 5, 7), "IP 127.0.0.1.4000 > 10.0.0.2.80: Flags [R.], seq 5, ack 7, win 512, length 0"),
        (tcp(0x11, 5, 7, back=True), "IP 10.0.0.2.80 > 127.0.0.1.4000: Flags [F.], seq 5, ack 7, win 512, length 0"),
        (tcp(0xC2, 1), "IP 127.0.0.1.4000 > 10.0.0.2.80: Flags [SEW], seq 1, win 512, length 0"),
        (tcp(0x00, 1), "IP 127.0.0.1.4000 > 10.0.0.2.80: Flags [none], win 512, length 0"),
        (Packet(ip(17), udphdr(53, 5353, 13), b"hello"), "IP 127.0.0.1.53 > 10.0.0.2.5353: UDP, length 5"),
        (Packet(ip(1), icmphdr(8, 0, 0x00070001), b"x" * 56),
         "IP 127.0.0.1 > 10.0.0.2: ICMP echo request, id 7, seq 1, length 64"),
        (Packet(ip(1), icmphdr(11, 0), b""), "IP 127.0.0.1 > 10.0.0.2: ICMP time exceeded in-transit, length 8"),
        (Packet(ip(99), None, b"abc"), "IP 127.0.0.1 > 10.0.0.2: ip-proto-99 3"),
        (Packet(arphdr(1, b"\2" * 6, HERE, b"\0" * 6, THERE)),
         "ARP, Request who-has 10.0.0.2 tell 127.0.0.1, length 28"),
        (Packet(arphdr(2, b"\2\0\0\0\0\1", HERE, b"\3" * 6, THERE)),
         "ARP, Reply 127.0.0.1 is-at 02:00:00:00:00:01, length 28"),
        (Packet(None), "packet, length 0"),
    ],
)  # fmt: skip
def test_a_packet_in_one_line(packet: Packet, text: str) -> None:
    assert packet_text(packet) == text


def test_sequence_numbers_count_from_the_start_of_a_connection_once_it_was_seen() -> None:
    bases = Bases()
    texts = [
        packet_text(packet, bases)
        for packet in (
            tcp(0x02, 0xFFFFFFFF), tcp(0x12, 500, 0, back=True), tcp(0x10, 0, 501),
            tcp(0x18, 0, 501, b"abc"), tcp(0x18, 501, 3, b"abcd", back=True),
        )
    ]  # fmt: skip
    assert [text.partition("Flags ")[2].partition(", win")[0] for text in texts] == [
        "[S], seq 4294967295", "[S.], seq 500, ack 0", "[.], ack 1", "[P.], seq 1:4, ack 1", "[P.], seq 1:5, ack 4",
    ]  # fmt: skip


def test_port_unreachable_names_the_port() -> None:
    inner = ip(17)._to_bytes() + (4000).to_bytes(2, "big") + (9).to_bytes(2, "big") + b"\0" * 4
    packet = Packet(ip(1, back=True), icmphdr(3, 3), inner)
    assert packet_text(packet) == "IP 10.0.0.2 > 127.0.0.1: ICMP 10.0.0.2 udp port 9 unreachable, length 36"


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("020405b4", "mss 1460"),
        ("0204ffd70402080a00000001000000000103030 7".replace(" ", ""),
         "mss 65495,sackOK,TS val 1 ecr 0,nop,wscale 7"),
        ("0101050a0000000100000005", "nop,nop,sack 1 {1:5}"),
        ("2202", "tfo cookiereq"), ("fd03aa", "unknown-253"), ("00", "eol"),
        ("0500", ""), ("02", ""), ("0220", ""),
    ],
)  # fmt: skip
def test_options_of_tcp_broken_ones_included(data: str, text: str) -> None:
    assert tcp_options(bytes.fromhex(data)) == text
