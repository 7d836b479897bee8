"""The command line, run as a person runs it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

LESSONS = Path(__file__).resolve().parents[2] / "kshell" / "lessons"


def kshell(*arguments: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "kshell", *arguments],
        input=stdin, capture_output=True, text=True, timeout=120, check=False,
        env={**os.environ, "PYTHONHASHSEED": "random", **environment},
    )  # fmt: skip


def test_commands_from_the_command_line() -> None:
    done = kshell("-c", "fd = socket(AF_INET, SOCK_STREAM, 0)", "-c", "close(fd)")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == "close(3) = 0"


def test_standard_input() -> None:
    assert kshell("-", stdin="getpid()\n").stdout == "getpid() = 1\n"


@pytest.mark.parametrize("lesson", sorted(path.name for path in LESSONS.glob("*.ks")))
def test_every_lesson_holds(lesson: str) -> None:
    done = kshell("check", str(LESSONS / lesson))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 of 0" not in done.stdout


def test_run_narrates() -> None:
    done = kshell("run", str(LESSONS / "tour.ks"))
    assert done.returncode == 0, done.stderr
    assert "# A tour of kshell" in done.stdout
    assert "1 init> fd = socket(AF_INET, SOCK_STREAM, 0) = 3" in done.stdout
    assert "tcp_sock" in done.stdout
    assert "\x1b" not in done.stdout


def test_check_tells_what_fails_and_where(tmp_path: Path) -> None:
    script = tmp_path / "x.ks"
    script.write_text("getpid() = 1\nclose(99) = 0\n")
    done = kshell("check", str(script))
    assert done.returncode == 1
    assert f"{script}:2:13: close(99) = 0" in done.stderr
    assert "1 of 2 expectations hold" in done.stdout


def test_bad_input_is_status_2(tmp_path: Path) -> None:
    binary, missing = tmp_path / "b", tmp_path / "missing"
    binary.write_bytes(b"\x7fELF\0\0")
    for target, message in ((binary, "neither text"), (missing, "No such file"), (tmp_path, "directory")):
        done = kshell("check", str(target))
        assert done.returncode == 2
        assert message in done.stderr
        assert "Traceback" not in done.stderr


def test_unreadable_file_is_status_2(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("ps")
    secret.chmod(0)
    if os.access(secret, os.R_OK):
        pytest.skip("root reads everything")
    assert kshell("run", str(secret)).returncode == 2


def test_packetdrill_is_recognised_and_refused(tmp_path: Path) -> None:
    script = tmp_path / "x.pkt"
    script.write_text("0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n+0 < S 0:0(0) win 100\n")
    done = kshell("check", str(script))
    assert done.returncode == 2
    assert "packetdrill" in done.stderr


@pytest.mark.parametrize("arguments", [["--nonsense"], ["run"], ["-c"], ["x.ks"], ["--show", "moon", "-c", "ps"]])
def test_usage_errors(arguments: list[str]) -> None:
    done = kshell(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "kshell:" in done.stderr


def test_help_and_version() -> None:
    assert kshell("-h").stdout.startswith("usage: kshell")
    assert kshell("--version").stdout.startswith("kshell ")


def test_json_lines_are_events() -> None:
    done = kshell("--json", "-c", "socket(AF_INET, SOCK_STREAM, 0) = 3\nclose(9) = 0", "--show", "all")
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert events[0]["event"] == "stream"
    assert events[0]["format"] == 1
    assert {"command", "call", "objects", "change", "held", "failed"} <= {event["event"] for event in events}


def test_the_same_script_gives_the_same_bytes() -> None:
    script = str(LESSONS / "tour.ks")
    outputs = [kshell("run", script, "--json", "--show", "all", PYTHONHASHSEED=seed).stdout for seed in ("1", "2")]
    assert outputs[0] == outputs[1] != ""


def test_escapes_from_data_do_not_pass() -> None:
    done = kshell("-c", 'write(1, "\x1b[2J", 4)', "-c", "\x1b[31mnonsense", "--color", "always")
    assert "\x1b[2J" not in done.stdout + done.stderr
    assert "\x1b[31mnonsense" not in done.stdout + done.stderr


def test_colour_only_when_wanted() -> None:
    assert "\x1b[" in kshell("-c", "close(9)", "--color", "always").stdout
    assert "\x1b[" not in kshell("-c", "close(9)").stdout


def test_a_closed_pipe_is_no_traceback() -> None:
    command = f"{sys.executable} -m kshell run {LESSONS / 'tour.ks'} | head -1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert "Traceback" not in done.stderr
    assert "Broken" not in done.stderr


def test_batch_imports_no_terminal_libraries() -> None:
    code = (
        "import sys\nfrom kshell.shell.main import main\nmain(['-c', 'getpid()'])\n"
        "print([m for m in ('prompt_toolkit', 'asyncio', 'rich', 'pygments') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
