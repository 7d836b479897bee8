"""The command line in a hostile environment: full disks, closed streams, odd names; never a traceback."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = "getpid()\nbad(\n"
COMMANDS = (
    ["-c", "getpid()"],
    ["check", "s.ks"],
    ["run", "s.ks"],
    ["--json", "-c", "getpid()"],
    ["-c", "bad("],
    ["boot"],
    ["-h"],
    ["-V"],
)


def shell(redirection: str, arguments: list[str], where: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """kshell as /bin/sh starts it, with its streams redirected."""
    (where / "s.ks").write_text(SCRIPT)
    return subprocess.run(
        ["/bin/sh", "-c", f'exec "$@" {redirection}', "sh", sys.executable, "-m", "kshell", *arguments],
        capture_output=True, text=True, errors="backslashreplace", timeout=120, check=False, cwd=where,
        env={**os.environ, **environment},
    )  # fmt: skip


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_a_full_disk_is_told(arguments: list[str], tmp_path: Path) -> None:
    done = shell("> /dev/full", arguments, tmp_path)
    if "bad(" not in arguments:
        assert "kshell: standard output: No space left on device\n" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.returncode == 2


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("redirection", [">&-", "2>&-", "<&-", "<&- >&- 2>&-", "2> /dev/full"])
def test_closed_streams_do_no_harm(redirection: str, arguments: list[str], tmp_path: Path) -> None:
    done = shell(redirection, arguments, tmp_path)
    wanted = 2 if "bad(" in arguments or "s.ks" in arguments else 0
    assert done.returncode == wanted
    assert "Traceback" not in done.stdout + done.stderr
    if "2>" in redirection:
        assert "too early" not in done.stdout


@pytest.mark.parametrize("name", ["a\x1b[2Jb", "x\nkshell: all is well", "\udcff", "-\x1b]0;t\x07"])
def test_names_reach_no_terminal_as_they_are(name: str, tmp_path: Path) -> None:
    for arguments in (["check", name], ["run", name], [name], ["--seed", name], ["-c", f"save /nonexistent/{name}"]):
        done = shell("", arguments, tmp_path)
        assert "\x1b" not in done.stdout + done.stderr
        assert "\x07" not in done.stdout + done.stderr
        assert "\nkshell: all is well" not in done.stderr or arguments[0] not in ("check", "run")
        assert done.returncode == 2
    if name.isascii():
        (tmp_path / name).write_text(SCRIPT)
        done = shell("", ["check", f"./{name}"], tmp_path)
        assert "\x1b" not in done.stdout + done.stderr
        assert "\nkshell: all is well" not in done.stdout + done.stderr


@pytest.mark.parametrize("home", ["/nonexistent/x", "/etc/passwd", "/proc", ""])
def test_a_home_that_cannot_be_written(home: str, tmp_path: Path) -> None:
    done = shell(
        "", ["-c", "getpid()"], tmp_path, HOME=home, XDG_CONFIG_HOME=home, XDG_STATE_HOME=home, XDG_CACHE_HOME=home
    )
    assert (done.stdout, done.stderr, done.returncode) == ("getpid() = 1\n", "", 0)


@pytest.mark.parametrize(
    "settings",
    [
        b"\xff\xfe\0[garbage",
        b'view = "\x1b[2J"\n',
        b"view = " + b"[" * 10000,
        b"a" * 1000000,
        b"view = 1e999\nseed = -1\n",
    ],
)
def test_settings_that_are_garbage(settings: bytes, tmp_path: Path) -> None:
    home = tmp_path / "config"  # a folder kshell/ where Python starts would hide the package
    (home / "kshell").mkdir(parents=True)
    (home / "kshell" / "config.toml").write_bytes(settings)
    done = shell("", ["-c", "getpid()"], tmp_path, XDG_CONFIG_HOME=str(home))
    assert "getpid() = 1\n" in done.stdout
    assert "Traceback" not in done.stderr
    assert "\x1b" not in done.stdout + done.stderr
