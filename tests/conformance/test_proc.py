"""Files of /proc, built into the recorded situation, against those of a real Linux 6.1 (proc/NAME/: its files)."""

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1] / "scripts")]

from lib.measure_proc import WANTED, build, comparable, read_file  # noqa: E402


@pytest.fixture(scope="module", params=["procfs", "procfs_eth0"])
def situation(request):
    return HERE / "proc" / request.param, build(HERE / "proc" / f"{request.param}.ks")


@pytest.mark.parametrize("name", WANTED)
def test_the_file_reads_as_on_linux(situation, name):
    recorded, machine = situation
    text = read_file(machine, f"/proc/{name.replace('pid/kp', 'self')}")
    assert comparable(name, text) == comparable(name, (recorded / name).read_text(errors="replace"))
