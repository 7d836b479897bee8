"""Files are told apart by what they hold."""

import gzip

import pytest

from kshell.session.kinds import Kind, kind_of

STRACE = b'9     1795316978.439612 execve("/usr/bin/sh", ["sh"], 0x7ffc /* 39 vars */) = 0\n'

CASES = [
    ("a.ks", b"socket(AF_INET, SOCK_STREAM, 0) = 3\n", Kind.SCRIPT),
    ("<stdin>", b"socket(AF_INET, SOCK_STREAM, 0) = 3\n", Kind.SCRIPT),
    ("<stdin>", b"# words\nps\n", Kind.SCRIPT),
    ("<stdin>", b"", Kind.SCRIPT),
    ("x.log", STRACE, Kind.STRACE),
    ("<stdin>", STRACE, Kind.STRACE),
    ("<stdin>", b'execve("/bin/true", ["true"], 0x7 /* 1 var */) = 0\nclose(3) = 0\n', Kind.STRACE),
    ("<stdin>", b"[pid 12] close(3) = 0\n[pid 13] close(3 <unfinished ...>\n", Kind.STRACE),
    ("<stdin>", b"12:30:01.000123 close(3) = 0\n12:30:02 close(4) = 0\n", Kind.STRACE),
    ("<stdin>", b"12    +++ exited with 0 +++\n", Kind.STRACE),
    ("x.strace", b"close(3) = 0\n", Kind.STRACE),
    ("a", gzip.compress(b"{}", mtime=0), Kind.RECORDS),
    ("a", b'{"format": "kshell-calls", "kernel": "6.1"}\n', Kind.RECORDS),
    ("a.pkt", b"anything", Kind.PACKETDRILL),
    ("a", b"0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 < S 0:0(0) win 32792 <mss 1000>\n", Kind.PACKETDRILL),
    ("a", b"+0.1 > . 1:1(0) ack 1\n", Kind.PACKETDRILL),
    ("a", b"\x7fELF\0\0\0", Kind.UNREADABLE),
    ("a", b"\xff\xfe\xfd", Kind.UNREADABLE),
]


@pytest.mark.parametrize(("name", "data", "kind"), CASES)
def test_kind(name: str, data: bytes, kind: Kind) -> None:
    assert kind_of(name, data) is kind


def test_text_cut_inside_a_character_is_still_text() -> None:
    assert kind_of("a", ("é" * 40000).encode()[: 1 << 16] + "é".encode() * 20) is Kind.SCRIPT
