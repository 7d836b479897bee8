"""Bad input of every kind gets a clear error, at once, and nothing is lost."""

import random
import time

import pytest

from kshell import Session
from kshell.session import events as ev

HOSTILE = {
    "garbage": ")(*&^%$#@!",
    "open brace": "bind(3, {AF_INET, 80, 16)",
    "open bracket at the end": "poll([{fd=3",
    "close only": ")))))",
    "open quote": 'write(1, "abc, 3)',
    "huge number": "close(" + "9" * 10_000 + ")",
    "huge hex": "close(0x" + "f" * 10_000 + ")",
    "10 000 parentheses": "close(" + "(" * 10_000 + "3" + ")" * 10_000 + ")",
    "10 000 open parentheses": "close(" + "(" * 10_000,
    "10 000 braces": "f(" + "{" * 10_000 + "}" * 10_000 + ")",
    "10 000 minus signs": "print " + "-" * 10_000 + "1",
    "10 000 operators": "print " + "1+" * 10_000 + "1",
    "long line": "close(" + " " * 10_000_000 + "3)",
    "long garbage": "x" * 10_000_000,
    "long string": 'write(1, "' + "a" * 10_000_000 + '", 10)',
    "long open line": "(" * 10_000_000,
    "control characters": "\x1b[2J\x07\x00close(3)",
    "wide text": "print 漢字",
    "surrogates": "print \udcff",
    "unbalanced and more": "f(\ngetpid() = 1\n",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_lines(name: str) -> None:
    session = Session()
    start = time.monotonic()
    events = session.run(HOSTILE[name])
    assert session.oopses == 0
    assert all(event.to_json() for event in events)
    assert time.monotonic() - start < 20
    assert [e.ret for e in session.run("getpid()") if isinstance(e, ev.CallFinished)] == [1]


LARGE = [
    ('write(1, "a", 4611686018427387904)', None),
    ("read(0, ..., 4611686018427387904)", None),
    ("read(0, ..., 18446744073709551615)", None),
    ("poll(..., 4294967295, 0)", None),
    ("listen(3, 2147483648)", None),
    ("nanosleep({tv_sec=-1, tv_nsec=0}, NULL) = -1 EINVAL", 1),
    ("nanosleep({tv_sec=9223372036854775807, tv_nsec=0}, NULL)", None),
    ("lseek(0, 9223372036854775807, SEEK_SET)", None),
    ("close(4294967295) = -1 EBADF", 1),
    ("socket(-1, -1, -1) = -1 EINVAL", None),
    ("syscall(99999999, 1, 2, 3) = -1 ENOSYS", 1),
    ("sendmsg(0, {msg_iov=[{iov_base=NULL, iov_len=18446744073709551615}]}, 0)", None),
]


@pytest.mark.parametrize(("text", "held"), LARGE)
def test_large_values_reach_the_kernel(text: str, held: int | None) -> None:
    session = Session()
    session.run(text)
    assert session.oopses == 0
    if held is not None:
        assert (session.held, session.failed, session.errors) == (held, 0, 0)


def test_random_bytes_never_oops() -> None:
    dice = random.Random(7)
    session = Session()
    for _ in range(300):
        session.run("".join(chr(dice.randrange(1, 0x250)) for _ in range(dice.randrange(1, 60))))
    assert session.oopses == 0


def test_random_pieces_of_calls_never_oops() -> None:
    dice = random.Random(8)
    words = [
        "socket(",
        ")",
        "{",
        "}",
        "[",
        "]",
        '"a"',
        "3",
        "-1",
        ",",
        "=",
        "AF_INET",
        "NULL",
        "...",
        "0x1",
        "@a ",
        "fd",
        "close(",
        "write(",
        "read(",
        "bind(",
        "|",
        "->",
        "current",
        "sizeof(",
        "struct sock",
        "*",
        "&",
        "~",
        "=> ",
        "?",
        ":",
        "<<",
        "/*",
        "*/",
        "//",
        "#",
        "htons(",
        "inet_addr(",
        "'",
        "\\",
        "print ",
        "assert ",
    ]
    session = Session()
    for _ in range(1500):
        session.run("".join(dice.choice(words) for _ in range(dice.randrange(1, 14))))
        if session.ended:
            session.ended = False
    assert session.oopses == 0


#: file names that no file can have, places that cannot be written, a full disk
PLACES = ["/dev/full", "/nonexistent/x", "/", "a\x00b", "x" * 300, "~nobody_of_that_name/x"]
WRITERS = ["capture lo {}", "save {}", "graph fds > {}.dot", "trace -c {} getpid()"]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("command", WRITERS)
def test_files_that_cannot_be_written_are_errors(command: str, place: str, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    session = Session()
    session.run(command.format(place))
    session.run("ping -c 1 127.0.0.1")
    assert session.oopses == 0


def test_a_disk_that_gets_full_ends_the_capture_and_nothing_else(tmp_path) -> None:
    session = Session()
    session.run(f"capture lo {tmp_path}/x.pcapng")
    session.captures[0]._file.close()
    session.captures[0]._file = session.captures[0]._writer._sink = open("/dev/full", "wb", buffering=0)  # noqa: SIM115
    events = session.run("ping -c 3 127.0.0.1")
    assert [e.message.endswith("the capture ends after 0 packets") for e in events if e.kind == "error"] == [True]
    assert session.captures == []
    assert session.oopses == 0
    assert any("3 received" in getattr(e, "text", "") for e in events)


def test_commands_that_are_no_utf8_are_saved_as_they_were(tmp_path) -> None:
    session = Session()
    session.run("print \udcff")
    session.run(f"save {tmp_path}/x.ks")
    assert b"print \xff\n" in (tmp_path / "x.ks").read_bytes()
    assert session.oopses == 0


@pytest.mark.parametrize(
    "line",
    [
        "getpid()",
        'open("/tmp", O_RDONLY)',
        "cat /proc/uptime",
        "ping -c 1 127.0.0.1",
        "nc -l 5 &",
        "task new x",
        "@y getpid()",
        "sysctl -a",
    ],
)
def test_after_a_panic_there_are_errors_until_it_is_undone(line: str) -> None:
    session = Session()
    session.run("exit_group(0)")
    events = session.run(line)
    assert any("the kernel has panicked" in e.message for e in events if e.kind == "error")
    session.run("undo 2")
    assert session.run(line)
    assert session.oopses == 0
    assert session.errors == 1


PROGRAMS = [
    "tcpdump -c last",
    "nc -p x 127.0.0.1 80",
    "nc 127.0.0.1 1-x",
    "nc 127.0.0.1 70000",
    "nc 127.0.0.1 " + "9" * 5000,
    "nc 127.0.0.1 80 <<< \\",
    "ping -c nan 127.0.0.1",
    "ping -s inf 127.0.0.1",
    "ping -s 2000000000 127.0.0.1",
    "ls \udcff",
    "ethtool \udcff",
    "ifconfig \udcff up",
    "ip link set \udcff up",
    "cat /tmp/\ud800",
    "echo \ud800 > /tmp/x",
    "sysctl -w net.ipv4.ip_forward=\udcff",
    "arp -d 10.0.0.1 -i \udcff",
]


@pytest.mark.parametrize("line", PROGRAMS)
def test_programs_with_bad_arguments(line: str) -> None:
    session = Session()
    session.run(line)
    assert session.oopses == 0
    assert session.run("echo on")


def test_an_endless_file_is_shown_in_part() -> None:
    session = Session()
    events = session.run("cat /dev/zero")
    assert sum(len(e.text) for e in events if e.kind == "output") < 5 << 20
    assert "the first 1024 KiB are shown" in "".join(e.text for e in events if e.kind == "output")
