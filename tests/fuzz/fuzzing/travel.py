"""Walks through the history of random sessions, and what a straight replay gives."""

import hashlib
import json
from random import Random

from fuzzing.failures import Failure, limit
from fuzzing.lines import TRAVEL, line
from kshell.lens.inventory import digest
from kshell.session.session import Session

WALK = (
    "undo", "undo 2", "undo 5", "redo", "redo 3", "goto 0", "goto {}", "goto {}", "branch a", "branch b",
    "branch main", "fds @{}", "show @{}", "diff {}", "why", "back", "forward", "trace last", "goto {}.1",
)


def state(session):
    """The machines, and what the session itself remembers."""
    kernels = {host: machine.kernel for host, machine in session.machines.items()}
    users = [(u.name, u.task.pid) for host in session.hosts for u in host.tasks]
    return digest(kernels), session.current.name, session.settings["abi"], repr(users), session.now


def texts_of(r, n):
    """Lines that do something."""
    found = []
    while len(found) < n:
        text = line(r)
        first = text.split()[:1]
        if not text.startswith(TRAVEL) and first not in (
            ["exit"], ["quit"], ["capture"], ["save"], ["undo"], ["redo"], ["goto"], ["branch"], ["back"],
            ["forward"], ["break"], ["tbreak"], ["watch"], ["run"],
        ):
            found.append(text)
    return found


def run(seed, n=14, steps=8):
    """A Failure where the walk ends elsewhere than a straight replay, or None."""
    r = Random(seed)
    session, done = Session(), []
    with limit(200):
        for text in texts_of(r, n):
            done.append(text)
            session.run(text)
            session.ended = False
        for _ in range(steps):
            text = r.choice((r.choice(WALK), r.choice(WALK), *texts_of(r, 1))).replace("{}", str(r.randrange(n + 2)))
            done.append(text)
            session.run(text)
            session.ended = False
        straight = Session()
        for command in session.commands:
            straight.run(command.text)
            straight.ended = False
        first, second = state(session), state(straight)
    if first != second:
        failure = Failure(
            "travel: " + ", ".join(str(i) for i, (a, b) in enumerate(zip(first, second, strict=True)) if a != b),
            f"{first}\n{second}",
        )
        failure.trace = done
        return failure
    return None


def fingerprint(seed, n=20):
    """What the JSON of a random session comes to."""
    r = Random(seed)
    session, sums = Session(show=frozenset({"objects", "changes", "packets", "log", "wakeups", "causes"})), []
    for text in texts_of(r, n):
        events = session.run(text)
        session.ended = False
        raw = "\n".join(json.dumps(event.to_json()) for event in events)
        sums.append((hashlib.sha256(raw.encode("utf-8", "surrogatepass")).hexdigest()[:12], text))
    return sums
