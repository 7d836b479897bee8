"""Raw call records of a real kernel, replayed call by call.

PATH is a recording (.jsonl or .jsonl.gz) or a folder of them. A case is equal when the result, the signals
and the memory after each of its calls are, those of its set-up included.
"""

import argparse
import fnmatch
import multiprocessing
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from multiprocessing.pool import Pool
from pathlib import Path
from typing import Any

from kshell.session.records import Call, Case, Outcome, RecordError, Recording, differences, read_recording
from kshell.session.records_replay import CaseResult, label_of, replay, replay_one
from lib.report import Groups, KnownDifferences, Tally, print_reasons, score, write_json

NAME = "calls"
CHUNK = 400


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    parser.add_argument("--by", choices=sorted(GROUPINGS), default="file", help="what a group of cases is")
    parser.add_argument("--only", action="append", default=[], metavar="GLOB", help="only cases whose id matches")
    parser.add_argument("--sample", type=int, default=1, metavar="N", help="only every Nth case")
    parser.add_argument("--jobs", type=int, default=2, metavar="N")
    parser.add_argument("--case", metavar="ID", help="run this one, call by call")
    parser.add_argument("--fail", type=int, default=0, metavar="N", help="show the first N differing cases")
    parser.add_argument("--group-failures", action="store_true", help="count the first difference of each case")
    parser.add_argument("--top", type=int, default=40, metavar="N", help="how many of those counts to show")


def run(options: argparse.Namespace) -> int:
    # The workers start before anything is read, so that each holds but the recording it is at.
    with multiprocessing.get_context("fork").Pool(max(1, options.jobs)) as pool:
        return _run(options, pool)


def _run(options: argparse.Namespace, pool: Pool) -> int:
    recordings = []
    for path in options.paths:
        files = sorted(path.glob("*.jsonl*")) if path.is_dir() else [path]
        if not files:
            print(f"{path}: no recordings there", file=sys.stderr)
            return 2
        try:
            recordings.extend((path, read_recording(file)) for file in files)
        except RecordError as error:
            print(error, file=sys.stderr)
            return 2
    if options.case:
        return _run_verbosely([recording for _, recording in recordings], options.case)
    return _measure(recordings, options, pool)


def _chosen(recording: Recording, options: argparse.Namespace) -> list[Case]:
    cases = recording.cases
    if options.only:
        cases = [case for case in cases if any(fnmatch.fnmatchcase(case.id, glob) for glob in options.only)]
    return cases[:: options.sample]


def _measure(recordings: list[tuple[Path, Recording]], options: argparse.Namespace, pool: Pool) -> int:
    known, groups, listing = KnownDifferences(), Groups(), []
    per_path: dict[Path, Tally] = {}
    failures: Counter[tuple[str, str, str, str]] = Counter()
    reasons: Counter[str] = Counter()
    examples: dict[tuple[str, str, str, str], str] = {}
    chosen = [(path, recording, _chosen(recording, options)) for path, recording in recordings]
    for path, recording, case, result in _replay_all(chosen, pool):
        reason = "" if result.equal else known.reason(case.id)
        reasons.update([reason] if reason else [])
        groups.add(GROUPINGS[options.by](recording, case), result.equal, bool(reason))
        per_path.setdefault(path, Tally()).add(result.equal, bool(reason))
        if not result.equal and not reason:
            key = _failure_key(result)
            failures[key] += 1
            examples.setdefault(key, case.id)
            if failures.total() <= options.fail:
                _print_short(result)
        if options.json:
            listing.append(_listed(case, result, reason))
    groups.print()
    print_reasons(reasons, groups.sum())
    if options.group_failures:
        _print_failures(failures, examples, options.top)
    write_json(options.json, listing)
    if len(per_path) > 1:
        for path, tally in per_path.items():
            score(f"calls/{_short_name(path)}", tally)
    name = f"calls/{_short_name(options.paths[0])}" if len(per_path) == 1 else "calls"
    score(name, groups.sum())
    return 0


def _short_name(path: Path) -> str:
    return path.resolve().name.partition(".jsonl")[0]


def _replay_all(
    chosen: list[tuple[Path, Recording, list[Case]]], pool: Pool
) -> Iterator[tuple[Path, Recording, Case, CaseResult]]:
    """Every case with its result, file by file in order, by the workers of `pool`."""
    chunks = [
        (path, recording, cases[start : start + CHUNK])
        for path, recording, cases in chosen
        for start in range(0, len(cases), CHUNK)
    ]
    work = [(recording.path, frozenset(case.id for case in cases)) for _, recording, cases in chunks]
    for (path, recording, cases), results in zip(chunks, pool.imap(_replay_chunk, work), strict=True):
        for case in cases:
            yield path, recording, case, results[case.id]


_READ: dict[Path, Recording] = {}  # of a worker: the recording it is at


def _replay_chunk(work: tuple[Path, frozenset[str]]) -> dict[str, CaseResult]:
    path, wanted = work
    if path not in _READ:
        _READ.clear()
        _READ[path] = read_recording(path)
    recording = _READ[path]
    cases = [case for case in recording.cases if case.id in wanted]
    return {result.id: result for result in replay(recording, cases)}


def _by_op(recording: Recording, case: Case) -> str:
    words = case.id.split("/")
    return words[2].partition(":")[0] if len(words) == 3 else "/".join(words[1:3])


GROUPINGS: dict[str, Callable[[Recording, Case], str]] = {
    "file": lambda recording, case: f"{recording.path.resolve().parent.name}/{_short_name(recording.path)}",
    "op": _by_op,
    "setup": lambda recording, case: f"{_short_name(recording.path)}/{case.setup}",
    "option": lambda recording, case: "/".join(case.id.split("/")[1:3]),
    "call": lambda recording, case: str(case.calls[case.main]["s"]),
}


def _failure_key(result: CaseResult) -> tuple[str, str, str, str]:
    first = result.mismatches[0]
    difference = first.differences[0]
    expected = difference.expected if len(difference.expected) <= 24 else difference.expected[:22] + ".."
    call = ("set-up: " if first.index < 0 else "") + first.call
    return call, difference.what, expected, difference.got


def _print_failures(
    failures: Counter[tuple[str, str, str, str]], examples: dict[tuple[str, str, str, str], str], top: int
) -> None:
    print(f"\n{failures.total()} differing cases in {len(failures)} kinds; by first difference:")
    for key, count in failures.most_common(top):
        call, what, expected, got = key
        print(f"{count:6}  {call}  {what}: expected {expected}, got {got}\n        e.g. {examples[key]}")
    print()


def _print_short(result: CaseResult) -> None:
    print(f"DIFFERS {result.id}")
    for mismatch in result.mismatches:
        where = f"call {mismatch.index}" if mismatch.index >= 0 else f"set-up call {-1 - mismatch.index}"
        for difference in mismatch.differences:
            print(f"  {where} {mismatch.call}: {difference.what}: expected {difference.expected}, got {difference.got}")


def _listed(case: Case, result: CaseResult, reason: str) -> dict[str, Any]:
    return {
        "id": case.id,
        "equal": result.equal,
        "reason": reason,
        "differences": [
            {"call": m.index, "name": m.call, "what": d.what, "expected": d.expected, "got": d.got}
            for m in result.mismatches
            for d in m.differences
        ],
    }


def _run_verbosely(recordings: list[Recording], wanted: str) -> int:
    for recording in recordings:
        for case in recording.cases:
            if case.id == wanted:
                print(f"{case.id}  uid {case.uid}  set-up {case.setup or 'none'}")
                result = replay_one(recording, case, _print_call)
                print("equal" if result.equal else "DIFFERS", KnownDifferences().reason(case.id))
                return 0
    print(f"no case {wanted}", file=sys.stderr)
    return 2


def _print_call(index: int, call: Call, outcome: Outcome) -> None:
    where = f"set-up {-1 - index}" if index < 0 else f"{index}"
    registers = ", ".join(hex(register) if register > 9 else str(register) for register in call.regs)
    errno = f" {call.errno}" if call.errno else ""
    print(f"[{where}] {call.name}({registers}) = {outcome.ret}   recorded {call.ret}{errno}")
    for address, content in call.before:
        print(f"      in  {address:#x}: {content[:48].hex()}{'..' if len(content) > 48 else ''}")
    for address, content in call.after:
        print(f"      out {address:#x}: {content[:48].hex()}{'..' if len(content) > 48 else ''}")
    for difference in differences(call, outcome):
        print(f"  !!  {difference.what}: expected {difference.expected}, got {difference.got}")


__all__ = ["NAME", "add_arguments", "label_of", "run"]
