"""Logs of real programs come out as recorded. The logs are strace's, of a Linux 6.18 (nc, sh, tr, cat, ls)."""

from pathlib import Path

import pytest

from kshell.session.strace.interleavings import replay_log, replay_strace

LOGS = Path(__file__).parent / "logs"


@pytest.mark.parametrize("name", sorted(path.name for path in LOGS.glob("*.log")))
def test_every_call_is_as_recorded(name: str) -> None:
    report = replay_strace(str(LOGS / name))
    assert [(call.line, call.text, call.got, call.reason) for call in report.wrong] == []
    assert report.oops == ""
    assert report.comparable > 100
    assert report.passed_over["mmap"] > 10


def test_differences_are_told_with_their_lines() -> None:
    report = replay_log("x", 'close(99) = 0\ngetcwd("/", 100) = 2\n')
    assert [(call.line, call.expected) for call in report.wrong] == [(1, "= 0")]
    assert "EBADF" in report.wrong[0].got


def test_contents_of_unknown_files_come_from_the_log() -> None:
    log = 'openat(AT_FDCWD, "/etc/motd", O_RDONLY) = 3\nread(3, "hi\\n", 4096) = 3\nread(3, "", 4096) = 0\n'
    assert replay_log("x", log).wrong == []


def test_time_stamps_drive_the_clock() -> None:
    log = (
        "7 1000000000.000000 clock_nanosleep(CLOCK_REALTIME, 0, {tv_sec=5, tv_nsec=0},  <unfinished ...>\n"
        "8 1000000001.000000 getppid() = 1\n"
        "7 1000000005.000100 <... clock_nanosleep resumed>NULL) = 0\n"
    )
    report = replay_log("x", log)
    assert [call for call in report.wrong if call.name == "clock_nanosleep"] == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        "garbage\n",
        '1 read(3, "abc',
        "1 read(3,  <unfinished ...>\n",
        "1 <... read resumed>) = 3\n",
        "1 +++ killed by SIGKILL +++\n",
        "1 --- SIGSEGV {si_signo=SIGSEGV} ---\n",
        "1 exit_group(0) = ?\n1 read(0, 0x1, 5) = 5\n",
        "9 clone(child_stack=NULL, flags=SIGCHLD) = 10\n10 exit_group(0) = ?\n9 wait4(10, NULL, 0, NULL) = 10\n",
        "5 vfork() = 6\n6 vfork() = 7\n",
        "2 getpid() = 2\n",
        "1 getpid() = 1\n",
    ],
)
def test_odd_logs_do_no_harm(text: str) -> None:
    assert replay_log("x", text).oops == ""
