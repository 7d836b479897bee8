"""Random lines, whole and broken: no oops, no escape for the terminal, nothing outside touched, time is bounded.

KSHELL_FUZZ=1000 tries as many, new ones every time.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from fuzzing import sessions, travel
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

EXAMPLES = int(os.environ.get("KSHELL_FUZZ", "0"))
SEEDS = st.integers(0, (1 << 40) - 1)
LITTLE = settings(
    max_examples=EXAMPLES or 12, derandomize=not EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck)
)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """What lines write, they write here."""
    monkeypatch.chdir(tmp_path)


@LITTLE
@given(st.lists(SEEDS, min_size=1, max_size=15))
def test_no_line_breaks_a_session(seeds):
    failure = sessions.run(seeds)
    assert failure is None, f"{failure.where}\n{failure.trace[-1]!r}\n{failure.text}"


@settings(LITTLE, max_examples=EXAMPLES or 6)
@given(SEEDS)
def test_any_walk_ends_where_a_straight_replay_does(seed):
    failure = travel.run(seed, 6, 5)
    assert failure is None, f"{failure.where}\n{failure.trace}\n{failure.text}"


def test_hashing_changes_nothing():
    count = max(EXAMPLES // 10, 2)
    text = f"from fuzzing import travel\nfor seed in range({count}): print(travel.fingerprint(seed, 8))"
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    outputs = [
        subprocess.run(
            [sys.executable, "-c", text], capture_output=True, text=True, check=True, timeout=600 + 20 * count,
            env={**os.environ, "PYTHONHASHSEED": hashing, "PYTHONPATH": path},
        ).stdout
        for hashing in ("1", "77")
    ]  # fmt: skip
    assert outputs[0]
    assert outputs[0] == outputs[1]
