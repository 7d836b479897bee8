"""`kshell boot` and the options that trace and stop, as a process sees them."""

import io
import json
from pathlib import Path

import pytest

from kshell.shell.main import main


def test_the_boot_is_traced_below_an_initcall(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["boot", "--trace=inet_init,-d2"]) == 0
    lines = capsys.readouterr().out.split("\n")
    assert lines[1].startswith("  0  | inet_init() {")
    assert lines[1].endswith("net/ipv4/af_inet.c")
    assert any("tcp_init() { … }" in line for line in lines)
    assert not any(line.startswith("  2 ") for line in lines)


def test_the_boot_stops_at_an_initcall(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("bt 2\ninfo args\nundo\nfinish\nc\n"))
    assert main(["boot", "--break", "inet_init"]) == 0
    done = capsys.readouterr()
    assert "Breakpoint 1, inet_init () at net/ipv4/af_inet_init.py:" in done.out
    assert "#1  do_one_initcall (" in done.out
    assert "inet_init() returned\ndo_one_initcall (" in done.out
    assert "Run /sbin/init as init process" in done.out
    assert "can't make it anew" in done.err


@pytest.mark.parametrize("arguments", [["boot", "--break", "inet_innit"], ["boot", "--trace=inet_innit"]])
def test_a_function_that_there_is_not(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert capsys.readouterr().err == "kshell: the kernel has no function 'inet_innit'; did you mean inet_init?\n"


def test_a_script_is_traced(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = tmp_path / "a.ks"
    script.write_text("getpid()\n")
    assert main(["run", "--trace", "--json", str(script)]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (traced,) = [event for event in events if event["event"] == "trace"]
    assert [call["function"] for call in traced["calls"]] == ["__do_sys_getpid"]
    assert [event["event"] for event in events] == ["stream", "command", "trace", "call"]


def test_commands_behind_the_one_that_stops_are_the_debuggers(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--break", "getpid", "-c", "getpid()", "-c", "bt", "-c", "c", "-c", "getpid()"]
    assert main(arguments) == 0
    lines = capsys.readouterr().out.split("\n")
    assert lines[0].startswith("Breakpoint 1, sys_getpid (")
    assert lines[2].startswith("#0  sys_getpid (")
    assert lines.count("getpid() = 1") == 2


def test_options_that_do_not_go_together(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--trace", "x.ks"]) == 2
    assert "--trace and --break do not go with check" in capsys.readouterr().err
