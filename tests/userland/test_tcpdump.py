"""tcpdump's lines: held to those that the real one makes of a capture of the same frames; its filters."""

import shutil
import subprocess
from pathlib import Path

import pytest

from kshell.session import events as ev
from kshell.session.session import Session
from kshell.userland.frames import Described, Printer, dump
from kshell.userland.runtime import ProgramError
from kshell.userland.tcpdump_filter import Filter

TCPDUMP = shutil.which("tcpdump") or shutil.which("tcpdump", path="/usr/sbin:/sbin")
VERSION = "tcpdump version 4.99"
TRAFFIC = """
ping -c 1 127.0.0.1
s = socket(AF_INET, SOCK_STREAM, 0)
bind(s, {AF_INET, 8080, "127.0.0.1"}, 16)
listen(s, 5)
c = socket(AF_INET, SOCK_STREAM, 0)
connect(c, {AF_INET, 8080, "127.0.0.1"}, 16)
a = accept(s, NULL, NULL)
write(c, "GET / HTTP/1.0\\r\\n\\r\\n", 18)
read(a, ..., 100)
send(c, "x", 1, MSG_OOB)
write(a, "a longer answer", 15)
close(c)
close(a)
u = socket(AF_INET, SOCK_DGRAM, 0)
sendto(u, "abc", 3, 0, {AF_INET, 7, "127.0.0.1"}, 16)
sendto(u, "", 0, 0, {AF_INET, 7777, "127.0.0.1"}, 16)
d = socket(AF_INET, SOCK_STREAM, 0)
connect(d, {AF_INET, 9, "127.0.0.1"}, 16)
ping -c 1 -s 3000 -t 5 -Q 0x10 127.0.0.1
"""
AROUND = ("listening on", "tcpdump: verbose", "[tcpdump runs on")
OPTIONS = ["-n -t", "-n -t -e", "-n -t -v", "-n -t -vv", "-n -t -X", "-n -t -xx", "-n -t -A", "-n -t -S", "-n -t -q",
           "-n -t -e -q", "-n -tt", "-n -ttt", "-n -tttt", "-n -ttttt", "-n", "-t", "-t -e", "-t -v", "-n -t -#",
           "-n -t icmp", "-n -t tcp and src port 8080", "-n -t udp or tcp port 9",
           "-n -t not tcp and not icmp", "-n -t dst net 127.0.0.0/8 and portrange 7-9"]  # fmt: skip


def version() -> str:
    if TCPDUMP is None:
        return ""
    told = subprocess.run([TCPDUMP, "--version"], capture_output=True, text=True, timeout=60, check=False)
    return told.stdout + told.stderr


def by_kshell(options: str, file: Path) -> list[str]:
    """What it prints of the traffic, which is captured into a file meanwhile."""
    session = Session()
    session.run(f"capture lo {file}")
    events = session.run(f"tcpdump -i lo {options} &")
    events += session.run(TRAFFIC)
    texts = [event.text for event in events if isinstance(event, ev.Output)]
    session.run("capture lo off")
    assert session.oopses == 0
    return [line for text in texts if not text.startswith(AROUND) for line in text.split("\n")]


@pytest.mark.skipif(VERSION not in version(), reason=f"{VERSION} is not installed")
@pytest.mark.parametrize("options", OPTIONS)
def test_frames_are_told_as_tcpdump_tells_them(tmp_path: Path, options: str) -> None:
    file = tmp_path / "lo.pcapng"
    ours = [line for line in by_kshell(options, file) if not of_ping(line)]
    assert TCPDUMP is not None
    done = subprocess.run([TCPDUMP, "-r", str(file), *options.split()], capture_output=True, text=True, timeout=60,
                          check=True, env={"TZ": "UTC"})  # fmt: skip
    theirs = [line for line in done.stdout.splitlines() if not of_ping(line)]
    assert ours == theirs
    assert theirs


def of_ping(line: str) -> bool:
    """Lines of the pings between, and the empty ones that they print."""
    return (
        not line
        or line.startswith(("PING ", "--- ", "rtt ", "64 bytes", "3008 bytes"))
        or "packets transmitted" in line
    )


FOUND = Described("", ("ip", "tcp"), (("10.0.0.1", 80), ("10.0.0.2", 5000)))
FILTERS = [
    ("", True), ("tcp", True), ("udp", False), ("port 80", True), ("port http", True), ("src port 80", True),
    ("dst port 80", False), ("host 10.0.0.2", True), ("src host 10.0.0.2", False), ("src 10.0.0.1", True),
    ("net 10.0.0.0/30", True), ("net 10.1.0.0/16", False), ("portrange 70-90", True), ("tcp port 81", False),
    ("not tcp", False), ("! udp", True), ("tcp and port 80", True), ("udp or port 80", True),
    ("(udp or tcp) and not port 81", True), ("icmp || arp", False), ("ip && tcp", True),
]  # fmt: skip


@pytest.mark.parametrize(("words", "wanted"), FILTERS)
def test_filters(words: str, wanted: bool) -> None:
    assert Filter(words.split()).wants(FOUND) is wanted


@pytest.mark.parametrize("words", ["frob!", "tcp and", "(tcp", "port nothing", "host", "tcp)", "net x/99"])
def test_filters_that_are_no_filters(words: str) -> None:
    with pytest.raises(ProgramError, match="can't parse filter expression"):
        Filter(words.split())


def test_a_question_for_an_address() -> None:
    frame = bytes.fromhex("ffffffffffff020000000001080600010800060400010200000000010a0000010000000000000a000002")
    text = "ARP, Request who-has 10.0.0.2 tell 10.0.0.1, length 28"
    found = Printer().describe(frame.ljust(42, b"\0"))
    assert found is not None
    assert found.text == text
    linked = Printer(numeric=False, link=True, verbose=1).describe(frame.ljust(42, b"\0"))
    assert linked is not None
    assert linked.text == (
        "02:00:00:00:00:01 (oui Unknown) > Broadcast, ethertype ARP (0x0806), length 42: "
        "Ethernet (len 6), IPv4 (len 4), Request who-has 10.0.0.2 tell 10.0.0.1, length 28"
    )


def test_bytes_in_rows_of_sixteen() -> None:
    assert dump(b"hello, world 12345", ascii_too=True) == (
        "\n\t0x0000:  6865 6c6c 6f2c 2077 6f72 6c64 2031 3233  hello,.world.123"
        "\n\t0x0010:  3435                                     45"
    )
