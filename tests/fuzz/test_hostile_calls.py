"""Random system calls, whatever their arguments: no oops, no hang, no broken invariant.

KSHELL_FUZZ=1000 tries as many sequences of each kind, new ones every time; without it a few, the same every time.
"""

import os
from random import Random

from fuzzing import world
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

EXAMPLES = int(os.environ.get("KSHELL_FUZZ", "0"))
STEPS = st.lists(st.integers(0, (1 << 40) - 1), min_size=1, max_size=60)


@settings(
    max_examples=EXAMPLES or 25, derandomize=not EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck)
)
@given(STEPS)
def test_no_sequence_of_calls_breaks_the_kernel(steps):
    failure = world.run(steps)
    assert failure is None, f"{failure.where}\n{failure.text}"


def test_long_sequences():
    for n in range(max(EXAMPLES // 10, 4)):
        dice = Random(n)
        failure = world.run([dice.getrandbits(40) for _ in range(250)])
        assert failure is None, f"{failure.where}\n{failure.text}"
