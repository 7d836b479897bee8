"""What programs print and with which status they end, held to what the real ones do on kshell's kernel (records/).

Where the real programs are, in the versions recorded, they are run again (of the long records with
KSHELL_REAL_PROGRAMS=1): they must still read the kernel so.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import recording
import traced

from kshell.session.session import Session

RECORDS = sorted(recording.FOLDER.glob("*.txt"))
LONG = frozenset({"files", "ip", "ping", "ss"})
"""Records of a hundred commands and more: the real programs are run for them when KSHELL_REAL_PROGRAMS is set."""


@cache
def printed(path: Path) -> dict[int, list[str]]:
    """What kshell's programs print, by the number of the step."""
    session = Session()
    found = {}
    for at, step in enumerate(recording.steps(path.read_text())):
        if step.is_ours:
            found[at] = recording.by_kshell(session, step.line)
        elif not step.is_command:
            session.run(step.line)
    assert session.oopses == 0
    return found


def commands() -> Iterator[object]:
    for path in RECORDS:
        for at, step in enumerate(recording.steps(path.read_text())):
            if step.is_ours:
                yield pytest.param(path, at, step.printed, id=f"{path.stem}-{at}-{step.line}")


@pytest.mark.parametrize(("path", "at", "expected"), list(commands()))
def test_programs_print_what_the_real_ones_print(path: Path, at: int, expected: list[str]) -> None:
    assert printed(path)[at] == expected


@cache
def traceable() -> str:
    return traced.why_not()


def missing(text: str) -> str:
    """Which of the programs that a record is of is not here; "" if all are."""
    for line in text.splitlines():
        if not line.startswith("# of "):
            continue
        command, _, version = line.removeprefix("# of ").partition(": ")
        argv = command.split()
        where = shutil.which(argv[0], path=traced.ENVIRONMENT["PATH"])
        if where is None:
            return f"{argv[0]} is not installed"
        told = subprocess.run([where, *argv[1:]], capture_output=True, text=True, timeout=60, check=False)
        if version not in told.stdout + told.stderr:
            return f"{argv[0]} is not {version}"
    return ""


@pytest.mark.parametrize("path", RECORDS, ids=[path.stem for path in RECORDS])
def test_the_real_programs_read_our_kernel(path: Path) -> None:
    if path.stem in LONG and not os.environ.get("KSHELL_REAL_PROGRAMS"):
        pytest.skip("a minute: set KSHELL_REAL_PROGRAMS=1")
    reason = traceable() or missing(path.read_text())
    if reason:
        pytest.skip(reason)
    session = Session()
    for step in recording.steps(path.read_text()):
        if step.is_command:
            assert (step.line, recording.by_the_real_one(session, step.line)) == (step.line, step.printed)
        else:
            session.run(step.line)
