"""Replays whole logs: which moment of each two-part call agrees with what the log shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.session.strace.lines import Log
from kshell.session.strace.ports import Ports
from kshell.session.strace.replay import Replay
from kshell.session.strace.world import World

if TYPE_CHECKING:
    from kshell.session.strace.report import StraceReport

MOST_ATTEMPTS = 60


def replay_log(path: str, text: str, seed: int = 0) -> StraceReport:
    """Replay a log, choosing for each two-part call the one of its two moments that agrees with the log."""
    log = Log(text)
    world, ports = World(log), Ports(log)
    late: frozenset[int] = frozenset()
    best = Replay(path, log, world, ports, late, seed).run()
    tried: set[frozenset[int]] = {late}
    for _ in range(MOST_ATTEMPTS):
        better = None
        for candidate in _candidates(log, best, late):
            if candidate in tried:
                continue
            tried.add(candidate)
            report = Replay(path, log, world, ports, candidate, seed).run()
            if len(report.wrong) < len(best.wrong) or _wrong_lines(report) > _wrong_lines(best):
                better = (candidate, report)
                break
            if len(tried) > MOST_ATTEMPTS:
                return best
        if better is None:
            return best
        late, best = better
    return best


def _wrong_lines(report: StraceReport) -> list[int]:
    """Larger for a report that goes wrong later."""
    return [*(call.line for call in report.wrong), 1 << 60]


def _candidates(log: Log, report: StraceReport, late: frozenset[int]) -> list[frozenset[int]]:
    """Other choices that may mend the first wrong call: its own moment, then those of the calls it overlaps."""
    found: list[frozenset[int]] = []
    by_line = {call.start_line: call for call in log.calls}
    for verdict in report.wrong[:3]:
        wrong = by_line[verdict.line]
        first, last = wrong.start_line, wrong.end_line or wrong.start_line
        near = [c for c in log.calls if c.in_two_parts and c.end_line >= first - 40 and c.start_line <= last]
        near.sort(key=lambda c: (c is not wrong, -c.start_line))
        found += [late ^ {call.index} for call in near if call.end_line][:12]
    return found


def replay_strace(path: str, seed: int = 0) -> StraceReport:
    """Replay the strace log in file `path`. OSError: it cannot be read."""
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        return replay_log(path, file.read(), seed)
