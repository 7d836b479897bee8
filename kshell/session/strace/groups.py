"""Process groups of a log: setpgid() is not in every log, but whom kill(0, ...) reaches tells of it."""

from __future__ import annotations

from kshell.session.strace.lines import Log, LogCall
from kshell.session.strace.tables import FORKS


def group_leaders(log: Log) -> set[int]:
    """Processes that must lead a group of their own: a kill(0, ...) of theirs spares somebody who is not their child."""
    kills = [call for call in log.calls if call.name == "kill" and call.args[:1] == ["0"] and call.ret == 0]
    if not kills:
        return set()
    parents = {call.ret: call.pid for call in log.calls if call.name in FORKS and call.ret is not None}
    return {call.pid for call in kills if _spares(log, call, _family(call.pid, parents))}


def _family(pid: int, parents: dict[int, int]) -> set[int]:
    """A process and all that come from it."""
    family = {pid}
    while more := {child for child, parent in parents.items() if parent in family} - family:
        family |= more
    return family


def _spares(log: Log, kill: LogCall, family: set[int]) -> bool:
    """Whether a process outside of the family lives on without the signal."""
    before = {event.pid for event in log.events if event.line < kill.start_line} - family
    later = [event for event in log.events if event.line > kill.start_line and event.pid in before]
    signalled = {event.pid for event in later if event.kind == "signal" and event.value == kill.args[1]}
    return any(event.pid not in signalled for event in later)
