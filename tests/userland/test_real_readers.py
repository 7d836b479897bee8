"""iproute2 itself reads kshell's netlink messages: `ip monitor file FILE` shows what rtmon has recorded."""

import shutil
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from kshell.session import events as ev
from kshell.session.session import Session
from kshell.userland.direct import Process

IP = shutil.which("ip") or shutil.which("ip", path="/usr/sbin:/sbin")
NLMSG_TSTAMP, NLM_F_DUMP, NLMSG_DONE = 15, 0x301, 3
LINK, ADDRESS, ROUTE = (18, bytes(16)), (22, b"\2" + bytes(7)), (26, b"\2" + bytes(11))

pytestmark = pytest.mark.skipif(IP is None, reason="ip (iproute2) is not installed")


def messages(p: Process, kind: int, body: bytes) -> Iterator[bytes]:
    """The messages of a dump."""
    fd = p.call("socket", 16, 3, 0)
    request = struct.pack("<IHHII", 16 + len(body), kind, NLM_F_DUMP, 1, 0) + body
    p.call("sendto", fd, request, len(request), 0, 0, 0)
    room = p.buffer(32768)
    while True:
        data = p.memory(room, p.call("recvfrom", fd, room, 32768, 0, 0, 0))
        while data:
            length, type_ = struct.unpack_from("<IH", data)
            if type_ == NLMSG_DONE:
                p.call("close", fd)
                return
            yield data[: (length + 3) & ~3]
            data = data[(length + 3) & ~3 :]


def as_ip_reads(session: Session, asked: tuple[int, bytes], folder: Path) -> str:
    """What `ip monitor` makes of a dump in rtmon's format."""
    user = session.current
    process = Process(session.machine, user.task, user.arena)
    stamp = struct.pack("<IHHIIII", 24, NLMSG_TSTAMP, 0, 0, 0, 1, 0)
    file = folder / "rtmon"
    file.write_bytes(b"".join(stamp + message for message in messages(process, *asked)))
    assert IP is not None
    done = subprocess.run([IP, "monitor", "file", str(file)], capture_output=True, text=True, timeout=60, check=False)
    return done.stdout


def as_kshell_shows(session: Session, command: str) -> list[str]:
    shown = [event.text for event in session.run(command) if isinstance(event, ev.Output)]
    return [line.rstrip() for text in shown for line in text.splitlines() if line.strip()]


@pytest.mark.parametrize(
    ("asked", "command"),
    [(LINK, "ip link"), (ADDRESS, "ip -4 -o addr"), (ROUTE, "ip route show table all")],
)
def test_iproute2_reads_what_kshell_sends(tmp_path: Path, asked: tuple[int, bytes], command: str) -> None:
    session = Session()
    session.run(
        "ip addr add 10.0.0.1/24 brd + dev lo\nip route add 10.9.0.0/16 dev lo metric 7\nip link set lo mtu 1400"
    )
    read = [line.strip() for line in as_ip_reads(session, asked, tmp_path).splitlines()]
    lines = as_kshell_shows(session, command)
    assert lines
    for line in lines:
        for part in line.replace(" mode DEFAULT", "").replace(" qlen 1000", "").split("\\"):
            assert part.strip() in read
