"""`PYTHONPATH=tests/fuzz python -m fuzzing [calls|sessions|travel] FIRST COUNT`: runs many; prints each cause once, shrunk.

It stands apart from pytest because hypothesis keeps all it has seen, and shrinks by the first failure only.
"""

import sys
import tempfile
from os import chdir
from random import Random

from fuzzing import sessions, travel, world


def _calls(n):
    seeds = [Random(n * 1000 + i).getrandbits(40) for i in range(120)]
    failure = world.run(seeds)
    if failure is None:
        return None
    small = world.run(world.shrink(seeds, failure.where), verbose=True)
    return small or failure


def _sessions(n):
    return sessions.run([Random(n * 1000 + i).getrandbits(40) for i in range(25)])


def main():
    kind, first, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    run = {"calls": _calls, "sessions": _sessions, "travel": travel.run}[kind]
    chdir(tempfile.mkdtemp())
    sessions.watch_outside()
    causes = {}
    for n in range(first, first + count):
        failure = run(n)
        if failure is not None and causes.setdefault(failure.where, n) == n:
            print(f"{n}: {failure.where}", *map(ascii, failure.trace[-12:]), failure.text, sep="\n  ", flush=True)
    print(f"{count} of {kind}: {len(causes)} causes")


main()
