"""Files are told apart by what they hold."""

import gzip

import pytest

from kshell.session.kinds import Kind, kind_of

STRACE = b'9     1795316978.439612 execve("/usr/bin/sh", ["sh"], 0x7ffc /* 39 vars */) = 0\n'
CALL = b'9  execve("/bin/sh", ["sh"], 0x7 /* 9 vars */) = 0\n'

CASES = [
    ("a.ks", b"socket(AF_INET, SOCK_STREAM, 0) = 3\n", "script"),
    ("<stdin>", b"socket(AF_INET, SOCK_STREAM, 0) = 3\n", "script"),
    ("<stdin>", b"# words\nps\n", "script"),
    ("<stdin>", b"", "script"),
    ("x.log", STRACE, "strace log"),
    ("<stdin>", STRACE, "strace log"),
    ("<stdin>", b'execve("/bin/true", ["true"], 0x7 /* 1 var */) = 0\nclose(3) = 0\n', "strace log"),
    ("<stdin>", b"[pid 12] close(3) = 0\n[pid 13] close(3 <unfinished ...>\n", "strace log"),
    ("<stdin>", b"12:30:01.000123 close(3) = 0\n12:30:02 close(4) = 0\n", "strace log"),
    ("<stdin>", b"12    +++ exited with 0 +++\n", "strace log"),
    ("x.strace", b"close(3) = 0\n", "strace log"),
    # what strace cuts short is no packetdrill
    ("x.log", CALL + b'9  write(1, "aaaa"..., 99) = 99\n', "strace log"),
    ("x.log", CALL + b'9  fstat(1, {st_mode=S_IFREG|0644, ...}) = 0\n', "strace log"),
    ("a", gzip.compress(b"{}", mtime=0), "raw call records"),
    ("a", b'{"format": "kshell-calls", "kernel": "6.1"}\n', "raw call records"),
    ("a.pkt", b"anything", "packetdrill script"),
    ("a", b"0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 < S 0:0(0) win 32792 <mss 1000>\n", "packetdrill script"),
    ("a", b"+0.1 > . 1:1(0) ack 1\n", "packetdrill script"),
    ("a", b"0.000 socket(..., SOCK_DGRAM, 0) = 3\n", "packetdrill script"),
    ("a", b"0 `ip link`\n+0 bind(3, ..., ...) = 0\n+0 setsockopt(3, SOL_IP, IP_TTL, [1], 4) = 0\n", "packetdrill script"),
    ("a", b"+0 bind(3, ..., ...) = 0\n", "packetdrill script"),
    ("a", b"\x7fELF\0\0\0", "not text"),
    ("a", b"\xff\xfe\xfd", "not text"),
]


@pytest.mark.parametrize(("name", "data", "kind"), CASES)
def test_kind(name: str, data: bytes, kind: Kind) -> None:
    assert kind_of(name, data) == kind


def test_text_cut_inside_a_character_is_still_text() -> None:
    assert kind_of("a", ("é" * 40000).encode()[: 1 << 16] + "é".encode() * 20) == "script"
