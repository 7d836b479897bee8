"""Logs of strace -f to records."""

import pytest

from kshell.lang.ast import Number, String, Struct
from kshell.lang.strace import (
    CallEnd,
    CallStart,
    ExitRecord,
    Record,
    SignalRecord,
    Unreadable,
    WholeCall,
    argument_texts,
    read_log,
)

NS = 1_000_000_000


def records(text: str) -> list[Record]:
    return list(read_log(text))


@pytest.mark.parametrize(
    ("line", "pid", "time"),
    [
        ("close(3) = 0", 0, None),
        ("12 close(3) = 0", 12, None),
        ("12    close(3)      = 0", 12, None),
        ("[pid 12] close(3) = 0", 12, None),
        ("[pid    12] close(3) = 0", 12, None),
        ("12 1795316991.916595 close(3) = 0", 12, 1795316991 * NS + 916595000),
        ("1795316991.916595 close(3) = 0", 0, 1795316991 * NS + 916595000),
        ("12 10:20:30 close(3) = 0", 12, 37230 * NS),
        ("12 10:20:30.000005 close(3) = 0", 12, 37230 * NS + 5000),
        ("[pid 12] 10:20:30.5 close(3) = 0", 12, 37230 * NS + NS // 2),
        ("     0.000123 close(3) = 0", 0, 123000),
        ("12    0.000123 close(3) = 0", 12, 123000),
        ("12 close(3</tmp/x>) = 0", 12, None),
        ("12 close(3) = 0 <0.000012>", 12, None),
        ("12<bash> 10:20:30 close(3) = 0", 12, 37230 * NS),
        ("[pid 12<bash>] close(3) = 0", 12, None),
        ("12 [00007f6ba501fca3] close(3) = 0", 12, None),
        ("12 0.5 [   3] [????????????????] close(3) = 0", 12, NS // 2),
        ("12 close(3</dev/null<char 1:3>>) = 0", 12, None),
    ],
)
def test_heads_of_lines(line: str, pid: int, time: int | None) -> None:
    (record,) = records(line + "\n")
    assert isinstance(record, WholeCall)
    assert (record.pid, record.time, record.call.name, record.result.value) == (pid, time, "close", 0)


def test_relative_times_add_up_and_clocks_pass_midnight() -> None:
    relative = records("0.000000 close(1) = 0\n0.5 close(2) = 0\n0.25 close(3) = 0\n")
    assert [r.time for r in relative] == [0, NS // 2, NS * 3 // 4]
    midnight = records("23:59:59 close(1) = 0\n00:00:01 close(2) = 0\n")
    times = [r.time for r in midnight]
    assert times[1] == (times[0] or 0) + 2 * NS


def test_durations() -> None:
    (record,) = records("close(3) = 0 <1.000012>\n")
    assert isinstance(record, WholeCall)
    assert record.duration == NS + 12000


def test_split_calls_are_put_together() -> None:
    log = (
        "10 accept(3,  <unfinished ...>\n"
        "11 connect(4, {sa_family=AF_INET}, 16 <unfinished ...>\n"
        "10 <... accept resumed>{sa_family=AF_INET}, [128 => 16]) = 5\n"
        "11 <... connect resumed>) = 0\n"
    )
    start, other_start, end, other_end = records(log)
    assert isinstance(start, CallStart)
    assert isinstance(end, CallEnd)
    assert isinstance(other_start, CallStart)
    assert isinstance(other_end, CallEnd)
    assert start.call == end.call
    assert len(start.call.args) == 3
    assert (start.resumed, end.started, end.result.value) == (True, 1, 5)
    assert other_start.call.args[2] == Number(16)
    assert (other_end.started, other_end.result.value) == (2, 0)


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ("f() = 0", []),
        ("f(1, [2, 3], {a=4, b=5}) = 0", ["1", "[2, 3]", "{a=4, b=5}"]),
        ('f("a,b)\\"", 2) = 0', ['"a,b)\\""', "2"]),
        ("f(3<TCP:[127.0.0.1:1->127.0.0.1:2]>, 4) = 0", ["3<TCP:[127.0.0.1:1->127.0.0.1:2]>", "4"]),
        ("f(AT_FDCWD</root>, 0x7f /* 39 vars */) = 0", ["AT_FDCWD</root>", "0x7f /* 39 vars */"]),
        ("f(child_stack=NULL, flags=A|B) = 0", ["child_stack=NULL", "flags=A|B"]),
    ],
)
def test_texts_of_arguments(text: str, arguments: list[str]) -> None:
    (record,) = records(f"9 {text}\n")
    assert isinstance(record, WholeCall)
    assert record.text == text
    assert argument_texts(record.call, record.text) == arguments


def test_calls_that_never_end_or_begin() -> None:
    start, end = records("10 read(3,  <unfinished ...>\n11 <... read resumed>\"x\", 5) = 1\n")
    assert isinstance(start, CallStart)
    assert (start.resumed, start.call.args) == (False, (Number(3),))
    assert isinstance(end, CallEnd)
    assert (end.started, end.call.args[1]) == (0, String(b"x"))


def test_no_arguments_are_left_out_of_split_calls() -> None:
    start, end = records("10 exit_group(0 <unfinished ...>\n10 <... exit_group resumed>) = ?\n")
    assert isinstance(start, CallStart)
    assert isinstance(end, CallEnd)
    assert end.result.value is None


@pytest.mark.parametrize(
    ("line", "signal"),
    [
        ("--- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=11, si_status=0} ---", "SIGCHLD"),
        ("--- SIGPIPE {si_signo=SIGPIPE, si_code=SI_USER, si_pid=1, si_uid=0} ---", "SIGPIPE"),
        ("--- stopped by SIGSTOP ---", "SIGSTOP"),
    ],
)
def test_signals(line: str, signal: str) -> None:
    found = [r for r in records(f"9 {line}\n") if isinstance(r, SignalRecord)]
    assert [r.signal for r in found] in ([signal], [])
    assert all(r.info is None or isinstance(r.info, Struct) for r in found)


def test_exits() -> None:
    normal, killed = records("9 +++ exited with 3 +++\n9 +++ killed by SIGSEGV (core dumped) +++\n")
    assert isinstance(normal, ExitRecord)
    assert isinstance(killed, ExitRecord)
    assert (normal.status, normal.signal, killed.status, killed.signal) == (3, "", None, "SIGSEGV")


def test_stracess_own_words_are_passed_over() -> None:
    assert records("strace: Process 12 attached\n9 +++ superseded by execve in pid 10 +++\n") == []


def test_a_cut_off_last_line_is_told_apart() -> None:
    good, cut = records("9 close(3) = 0\n9 write(1, \"abc")
    assert isinstance(good, WholeCall)
    assert isinstance(cut, Unreadable)
    assert cut.truncated
    assert cut.error.place.line == 2
    bad, good = records("9 write(1, \"abc\n9 close(3) = 0\n")
    assert isinstance(bad, Unreadable)
    assert not bad.truncated
    assert isinstance(good, WholeCall)


@pytest.mark.parametrize(
    "line",
    [
        'execve("/bin/ls", ["ls"], 0x7ffd7013f858 /* 39 vars */) = 0',
        'getdents64(3, 0x55 /* 5 entries */, 32768) = 144',
        "rt_sigreturn({mask=~[KILL STOP RTMIN RT_1]}) = -1 EINTR (Interrupted system call)",
        "wait4(-1, [{WIFEXITED(s) && WEXITSTATUS(s) == 0}], 0, NULL) = 12",
        "clone3({flags=CLONE_VM, exit_signal=0} => {parent_tid=[13]}, 88) = 13",
        "sendto(3, [{nlmsg_len=40, nlmsg_type=RTM_GETLINK}, {ifi_family=0}, [[{nla_len=8}, 1]]], 40, 0, NULL, 0) = 40",
        'x(sa_data=00:00:00:00:00:00, [[IPV4_DEVCONF_FORWARDING-1]=0], {B0=1<<2}) = 0',
        "pselect6(6, [4], [5], NULL, NULL, NULL) = 1 (out [5])",
        'bind(3, {sa_family=AF_INET6, inet_pton(AF_INET6, "::1", &sin6_addr), sin6_scope_id=0}, 28) = 0',
        "ioctl(5, SIOCGIFCONF, {ifc_len=400 /* 10 * sizeof(struct ifreq) */ => 40, ifc_buf=[{}]}) = 0",
        "mmap(NULL, 8192, PROT_READ, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7fe84c3e3000",
        "write(3<TCP:[127.0.0.1:1->127.0.0.1:2]>, \"x\", 1) = 1",
        "futex(0x7f, FUTEX_WAIT_BITSET|FUTEX_CLOCK_REALTIME, 0, NULL, FUTEX_BITSET_MATCH_ANY) = ?",
        "restart_syscall(<... resuming interrupted read ...>) = 0",
    ],
)
def test_lines_of_real_logs(line: str) -> None:
    (record,) = records(line + "\n")
    assert isinstance(record, WholeCall), record


def test_frames_and_summaries_are_no_calls() -> None:
    text = (
        "5 close(3) = 0\n > /usr/lib/libc.so.6(close+0x7) [0x10a857]\n"
        "% time     seconds  usecs/call     calls    errors syscall\n------ ----------- ----------- --------- --------- ----\n"
        " 69.79    0.016665         980        17         4 wait4\n------ ----------- ----------- --------- --------- ----\n"
        "100.00    0.023880          62       384        90 total\n5 close(4) = 0\n"
    )
    assert [(type(r), r.line) for r in records(text)] == [(WholeCall, 1), (WholeCall, 8)]


def test_flags_that_are_none_and_sets_with_names() -> None:
    first, second, third = records(
        "5 ioctl(5, TCSETSW, {c_iflag=, c_lflag=ECHO, c_line=}) = 0\n"
        "5 pselect6(6, [0<pipe:[7]> 5<socket:[8]>], NULL, NULL, NULL, NULL) = 1 (in [0<pipe:[7]>])\n"
        "5 epoll_wait(12,  <unfinished ...>\n5 <... epoll_wait resumed> <unfinished ...>) = ?\n"
    )[:3]
    assert isinstance(first, WholeCall)
    assert isinstance(second, WholeCall)
    assert isinstance(third, CallStart)
    assert third.resumed
