"""Replaying raw call records on a machine: a fresh process for each case, as the recorder had.

A case changes its machine, so each boots one of its own: that takes a few milliseconds, less than a fork.
"""

import gc
import json
import signal
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from types import FrameType

from kshell.session.records import (
    SLEEP,
    Call,
    Case,
    Difference,
    Outcome,
    Recording,
    decode_call,
    differences,
    recorded_pid,
    regions_of,
)
from kshell.session.records_sandbox import Sandbox

CASE_SECONDS = 20.0
COLLECT_EVERY = 20


class CaseTimeout(BaseException):
    """The model did not come back; not an Exception, so that nothing in between swallows it."""


@dataclass(frozen=True, slots=True)
class Mismatch:
    """A call whose outcome is not the recorded one; `index` is -1 - i for call i of the set-up."""

    index: int
    call: str
    differences: list[Difference]


@dataclass(frozen=True, slots=True)
class CaseResult:
    """The verdict on one case."""

    id: str
    mismatches: list[Mismatch] = field(default_factory=list)

    @property
    def equal(self) -> bool:
        return not self.mismatches

    def to_json(self) -> str:
        return json.dumps(asdict(self))


Watcher = Callable[[int, Call, Outcome], None]


def label_of(call: Call) -> str:
    """The call with the arguments that choose what it does: `getsockopt(1,4)`, `fcntl(3)`."""
    chosen = {
        "getsockopt": (1, 2),
        "setsockopt": (1, 2),
        "ioctl": (1,),
        "fcntl": (1,),
        "socket": (0, 1, 2),
    }.get(call.name, ())
    words = ",".join(str(call.regs[i]) if call.regs[i] < 4096 else hex(call.regs[i]) for i in chosen)
    return f"{call.name}({words})" if words else call.name


def run_calls(
    sandbox: Sandbox, raw_calls: Iterable[dict[str, object]], setup: bool, watch: Watcher | None = None
) -> list[Mismatch]:
    """Execute the calls in order and return those that came out differently."""
    found = []
    for i, raw in enumerate(raw_calls):
        call = decode_call(raw)
        if call.name == SLEEP:
            sandbox.sleep(call.seconds)
            continue
        outcome = _guarded(sandbox, call)
        if watch is not None:
            watch(-1 - i if setup else i, call, outcome)
        unequal = differences(call, outcome)
        if unequal:
            found.append(Mismatch(-1 - i if setup else i, label_of(call), unequal))
    return found


def _guarded(sandbox: Sandbox, call: Call) -> Outcome:
    try:
        return sandbox.execute(call, regions_of(call))
    except Exception as error:
        return Outcome(0, oops=_where(error))
    except CaseTimeout:
        return Outcome(0, oops="hangs: no answer in time")


def _where(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    last = frames[-1]
    file = last.filename.partition("kshell/")[2] or last.filename
    return f"{type(error).__name__}: {error} at {file}:{last.lineno} {last.name}"


def replay_one(recording: Recording, case: Case, watch: Watcher | None = None) -> CaseResult:
    """Run one case on a machine of its own."""
    setup, calls = recording.setups.get(case.setup, ()), case.calls
    sandbox = Sandbox(recording.header, recorded_pid(calls) or recorded_pid(setup))
    sandbox.set_user(case.uid)
    found = run_calls(sandbox, setup, True, watch)
    return CaseResult(case.id, found + run_calls(sandbox, calls, False, watch))


def replay(recording: Recording, cases: Iterable[Case]) -> Iterator[CaseResult]:
    """Run `cases` in the order given; one that does not end within CASE_SECONDS is reported as such."""
    previous = signal.signal(signal.SIGALRM, _on_alarm)
    try:
        for count, case in enumerate(cases):
            signal.setitimer(signal.ITIMER_REAL, CASE_SECONDS, CASE_SECONDS)
            yield replay_one(recording, case)
            if count % COLLECT_EVERY == 0:
                gc.collect()  # a machine that is done with is a web of references
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def _on_alarm(signum: int, frame: FrameType | None) -> None:
    raise CaseTimeout
