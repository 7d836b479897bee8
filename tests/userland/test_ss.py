"""The compiler of ss's filters, and what ss says of numbers that the records do not show."""

import struct

import pytest

from kshell.userland.runtime import ProgramError
from kshell.userland.ss_filter import Filter
from kshell.userland.ss_info import TcpInfo, duration, timer


def port(code: int, number: int, no: int = 12) -> bytes:
    return struct.pack("<BBHBBH", code, 8, no, 0, 0, number)


def jump(behind: int) -> bytes:
    return struct.pack("<BBH", 1, 4, behind)


PROGRAMS = [
    ("", b""),
    ("sport = :80", port(11, 80)),
    ("sport = :http", port(11, 80)),
    ("dport eq 9", port(12, 9)),
    ("sport >= 1 and dport <= 9", port(2, 1, 20) + port(5, 9)),
    ("sport >= 1 dport <= 9", port(2, 1, 20) + port(5, 9)),
    ("sport > 7", port(3, 7) + jump(8)),
    ("not sport = 7", port(11, 7) + jump(8)),
    ("sport = 7 or dport = 8", port(11, 7) + jump(12) + port(12, 8)),
    ("( sport = 7 )", port(11, 7)),
    ("src 10.0.0.0/8", struct.pack("<BBHBBxxi", 7, 16, 20, 2, 8, -1) + bytes((10, 0, 0, 0))),
    ("dst 10.0.0.1:80", struct.pack("<BBHBBxxi", 8, 16, 20, 2, 32, 80) + bytes((10, 0, 0, 1))),
    ("dev = eth0", struct.pack("<BBHI", 9, 8, 12, 2)),
    ("autobound", struct.pack("<BBH", 6, 4, 8)),
]


@pytest.mark.parametrize(("words", "program"), PROGRAMS)
def test_filters(words: str, program: bytes) -> None:
    assert Filter(words.split(), {"eth0": 2}).program == program


@pytest.mark.parametrize("words", ["sport = :nothing", "frob", "(", "sport = 1 )", "sport", "dev nothing", "not", "or"])
def test_filters_that_are_no_filters(words: str) -> None:
    with pytest.raises(ProgramError):
        Filter(words.split(), {})


def test_names_of_files_are_filtered_by_ss_itself() -> None:
    assert Filter(["src", "/tmp/*"], {}).wants_name("/tmp/sock")
    assert not Filter(["src", "/tmp/*"], {}).wants_name("/run/sock")
    assert not Filter(["sport", "=", "1"], {}).wants_name("/run/sock")


@pytest.mark.parametrize(
    ("ms", "text"),
    [(5, "005ms"), (1234, "1.234ms"), (12_345, "12sec"), (63_000, "1min3sec"), (7_199_000, "119min"), (0, "")],
)
def test_durations(ms: int, text: str) -> None:
    assert duration(ms) == text


def test_a_timer() -> None:
    assert timer(1, 200, 3) == " timer:(on,200ms,3)"
    assert timer(9, 0, 0) == " timer:(unknown,,0)"


def test_the_words_of_a_connection_in_trouble() -> None:
    info = TcpInfo(b"")
    info.of |= {"rtt": 1500, "rttvar": 250, "snd_mss": 1000, "snd_cwnd": 10, "snd_ssthresh": 7, "retrans": 1,
                "total_retrans": 4, "lost": 2, "backoff": 2, "busy_time": 8000, "rwnd_limited": 2000, "options": 9,
                "reordering": 3, "max_pacing_rate": 1000, "pacing_rate": 500}  # fmt: skip
    assert info.words("cubic", options=True, numeric=False) == [
        "ts", "ecn", "cubic", "backoff:2", "rtt:1.5/0.25", "mss:1000", "cwnd:10", "ssthresh:7", "send 53.3Mbps",
        "pacing_rate 4.0kbps/8.0kbps", "busy:8ms", "rwnd_limited:2ms(25.0%)", "retrans:1/4", "lost:2",
    ]  # fmt: skip
