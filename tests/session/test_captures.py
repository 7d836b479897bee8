"""Captures: files that Wireshark's tshark reads without a complaint, every checksum good."""

import shutil
import struct
import subprocess
import sys

import pytest

from kshell.session import events as ev
from kshell.session.session import Session

tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed (apt-get install tshark)")

NETWORK = """host client server
link client.eth0 server.eth0 delay=10ms
@client capture eth0 FILE
@client s = socket(AF_INET, SOCK_DGRAM, 0)
@client ioctl(s, SIOCSIFADDR, {ifr_name="eth0", ifr_addr={AF_INET, 0, "10.0.0.1"}})
@client ioctl(s, SIOCSIFFLAGS, {ifr_name="eth0", ifr_flags=IFF_UP}) = 0
@server u = socket(AF_INET, SOCK_DGRAM, 0)
@server ioctl(u, SIOCSIFADDR, {ifr_name="eth0", ifr_addr={AF_INET, 0, "10.0.0.2"}})
@server ioctl(u, SIOCSIFFLAGS, {ifr_name="eth0", ifr_flags=IFF_UP}) = 0
"""
TCP = """@server l = socket(AF_INET, SOCK_STREAM, 0)
@server bind(l, {AF_INET, 80, "10.0.0.2"}, 16) = 0
@server listen(l, 5) = 0
@client c = socket(AF_INET, SOCK_STREAM, 0)
@client connect(c, {AF_INET, 80, "10.0.0.2"}, 16) = 0
@server a = accept(l, NULL, NULL)
@client write(c, "hello, world", 12) = 12
@server read(a, b, 100) = 12
@client close(c)
sleep 1s
"""
UDP = """@client sendto(s, "odd", 3, 0, {AF_INET, 9, "10.0.0.2"}, 16) = 3
sleep 1s
"""
FRAGMENTS = """@server bind(u, {AF_INET, 7, "10.0.0.2"}, 16) = 0
@client recv(s, big, 5000, MSG_DONTWAIT)
@client sendto(s, big, 5000, 0, {AF_INET, 7, "10.0.0.2"}, 16) = 5000
sleep 1s
"""
CHECKS = [f"{p}.check_checksum:TRUE" for p in ("ip", "tcp", "udp")]
KINDS = [
    pytest.param("", TCP, {"arp": 2, "tcp": 7}, id="tcp"),
    pytest.param("", UDP, {"arp": 2, "udp": 2, "icmp": 1}, id="udp-and-icmp"),
    pytest.param("", FRAGMENTS, {"ip.fragments": 1, "ip.flags.mf == 1": 3}, id="fragments"),
]


def fields(path, display, *names):
    """Rows of fields of the packets that a display filter lets pass."""
    options = [word for check in CHECKS for word in ("-o", check)]
    wanted = [word for name in names for word in ("-e", name)]
    result = subprocess.run(
        ["tshark", "-r", str(path), *options, "-Y", display, "-T", "fields", *wanted], capture_output=True, text=True, check=True
    )
    assert "damaged" not in result.stderr, result.stderr
    return [line.split("\t") for line in result.stdout.splitlines()]


def captured(tmp_path, commands):
    """The file that the commands' packets went into."""
    path = tmp_path / "eth0.pcapng"
    session = Session()
    session.run(NETWORK.replace("FILE", str(path)) + commands)
    assert (session.failed, session.errors, session.oopses) == (0, 0, 0)
    return path


@tshark
@pytest.mark.parametrize(("before", "commands", "expected"), KINDS)
def test_tshark_reads_it(tmp_path, before, commands, expected):
    path = captured(tmp_path, before + commands)
    for display, count in expected.items():
        assert len(fields(path, display, "frame.number")) >= count, display


@tshark
@pytest.mark.parametrize("commands", [TCP, UDP, FRAGMENTS])
def test_every_checksum_is_good(tmp_path, commands):
    path = captured(tmp_path, commands)
    bad = fields(path, "ip.checksum.status == 0 or tcp.checksum.status == 0 or udp.checksum.status == 0 "
                       "or icmp.checksum.status == 0 or _ws.malformed", "frame.number")  # fmt: skip
    assert bad == []
    good = fields(path, "ip.checksum.status == 1", "frame.number")
    assert good


@tshark
def test_times_are_virtual(tmp_path):
    path = captured(tmp_path, TCP)
    times = [float(row[0]) for row in fields(path, "arp or tcp.flags.syn == 1", "frame.time_relative")]
    assert times == [0.0, 0.02, 0.02, 0.04]


def test_the_file_is_the_same_each_time(tmp_path):
    first = captured(tmp_path, TCP).read_bytes()
    assert captured(tmp_path, TCP).read_bytes() == first


def test_blocks_are_whole(tmp_path):
    data = captured(tmp_path, UDP).read_bytes()
    kinds = []
    at = 0
    while at < len(data):
        kind, length = struct.unpack_from("<II", data, at)
        assert length % 4 == 0
        assert struct.unpack_from("<I", data, at + length - 4)[0] == length
        kinds.append(kind)
        at += length
    assert kinds[:3] == [0x0A0D0D0A, 1, 6]
    assert b"client.eth0" in data


def test_loopback_is_captured_once(tmp_path):
    path = tmp_path / "lo.pcapng"
    session = Session()
    session.run(
        f'capture lo {path}\ns = socket(AF_INET, SOCK_DGRAM, 0)\n'
        'sendto(s, "x", 1, 0, {AF_INET, 9, "127.0.0.1"}, 16)'
    )
    assert session.captures[0].packets == 2  # the datagram, and that the port is unreachable


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("capture eth9 /tmp/x.pcapng", "there is no device 'eth9'"),
        ("capture lo /nowhere/x.pcapng", "can't write /nowhere/x.pcapng"),
        ("capture lo", "wants a device and a file"),
        ("capture lo off", "lo is not captured"),
    ],
)
def test_errors(command, message):
    errors = [event.message for event in Session().run(command) if isinstance(event, ev.Error)]
    assert message in errors[0]


@tshark
def test_the_command_line_captures_everything(tmp_path):
    path = tmp_path / "all.pcapng"
    text = NETWORK.replace("@client capture eth0 FILE\n", "") + UDP
    command = [sys.executable, "-m", "kshell", "-q", "--pcap", str(path), "-c", text]
    subprocess.run(command, check=True, capture_output=True)
    names = {row[0] for row in fields(path, "udp", "frame.interface_name")}
    assert names == {"client.eth0", "server.eth0"}
