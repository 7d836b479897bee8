"""Lines of strace logs in all their forms."""

import pytest

from kshell.session.strace.lines import Log

PREFIXES = [
    ("", 0, None),
    ("12    ", 12, None),
    ("[pid 12] ", 12, None),
    ("[pid    12] ", 12, None),
    ("1795316978.439612 ", 0, 1795316978439612000),
    ("9     1795316978.439612 ", 9, 1795316978439612000),
    ("12:00:01 ", 0, 43201_000000000),
    ("[pid 3] 12:00:01.5 ", 3, 43201_500000000),
    ("     0.000250 ", 0, 250000),
]


@pytest.mark.parametrize(("prefix", "pid", "time"), PREFIXES)
def test_prefixes(prefix: str, pid: int, time: int | None) -> None:
    log = Log(prefix + "close(3)        = 0\n")
    assert not log.bad
    call = log.calls[0]
    assert (call.pid, call.start_time, call.name, call.args, call.ret) == (pid, time, "close", ["3"], 0)


def test_relative_times_add_up() -> None:
    log = Log("     0.000000 close(3) = 0\n     0.500000 close(4) = 0\n     0.250000 close(5) = 0\n")
    assert [call.start_time for call in log.calls] == [0, 500_000_000, 750_000_000]


RESULTS = [
    ("close(3) = -1 EBADF (Bad file descriptor)", -1, "EBADF", "(Bad file descriptor)"),
    ("fcntl(3, F_GETFL) = 0x802 (flags O_RDWR|O_NONBLOCK)", 0x802, "", "(flags O_RDWR|O_NONBLOCK)"),
    ("exit_group(0)   = ?", None, "", ""),
    ("accept(3, 0x7ff, [28]) = ? ERESTARTSYS (To be restarted)", None, "ERESTARTSYS", "(To be restarted)"),
    ("socket(AF_INET, SOCK_STREAM, 0) = 3<socket:[11]>", 3, "", ""),
    ("close(3) = 0 <0.000012>", 0, "", ""),
    ('read(3, ") = 7", 5) = 5', 5, "", ""),
]


@pytest.mark.parametrize(("text", "ret", "errno", "extra"), RESULTS)
def test_results(text: str, ret: int | None, errno: str, extra: str) -> None:
    call = Log(text).calls[0]
    assert (call.ret, call.errno, call.extra) == (ret, errno, extra)


def test_calls_in_two_parts_are_put_together() -> None:
    log = Log('1 read(3,  <unfinished ...>\n2 close(4) = 0\n1 <... read resumed>"hi", 64) = 2\n')
    read, close = log.calls
    assert read.text == 'read(3, "hi", 64) = 2'
    assert (read.start_line, read.end_line, read.in_two_parts, close.in_two_parts) == (1, 3, True, False)
    assert [event.kind for event in log.events] == ["start", "start", "end", "end"]


def test_signals_and_exits() -> None:
    log = Log("7 --- SIGPIPE {si_signo=SIGPIPE} ---\n7 +++ killed by SIGPIPE +++\n8 +++ exited with 3 +++\n")
    assert [(e.kind, e.pid, e.value) for e in log.events] == [
        ("signal", 7, "SIGPIPE"),
        ("exit", 7, "SIGPIPE"),
        ("exit", 8, "3"),
    ]


BAD = ["garbage", "1 <... read resumed>) = 0", "--- nonsense", "+++ nonsense"]


@pytest.mark.parametrize("line", BAD)
def test_bad_lines_are_told_and_the_rest_is_read(line: str) -> None:
    log = Log(f"close(1) = 0\n{line}\nclose(2) = 0\n")
    assert [error.line for error in log.bad] == [2]
    assert len(log.calls) == 2


def test_a_truncated_log_keeps_its_calls() -> None:
    log = Log('1 read(3,  <unfinished ...>\n1795 write(1, "abc')
    assert [call.name for call in log.calls] == ["read", "write"]
    assert log.calls[0].end_line == 0
