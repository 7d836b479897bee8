"""strace logs of real programs, executed call by call.

PATH is a log or a folder of *.log files. A call is equal when its result, errno, decoded buffers and signals are.
Netlink and interface ioctl calls count as all others; their part is also given apart, as strace/interface.
"""

import argparse
import multiprocessing
import sys
import traceback
from collections import Counter
from pathlib import Path
from typing import Any

from lib.report import Groups, KnownDifferences, Tally, print_reasons, score, write_json

NAME = "strace"

# Logs that the machine's issue wants equal to the last call.
WANTED = (
    "py_socket", "py_echo", "nc_tcp", "nc_udp", "nc_unix", "nc_refused", "socat_tcp", "socat_udp", "socat_unix",
    "py_asyncio", "perl", "pipes",
)  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    parser.add_argument("--jobs", type=int, default=2, metavar="N")
    parser.add_argument("--fail", type=int, default=0, metavar="N", help="show the first N differing calls of each log")
    parser.add_argument("--group-failures", action="store_true", help="count the differing calls by kind")


def run(options: argparse.Namespace) -> int:
    logs = [log for path in options.paths for log in (sorted(path.glob("*.log")) if path.is_dir() else [path])]
    missing = [log for log in logs if not log.is_file()]
    if missing or not logs:
        print(f"{(missing or options.paths)[0]}: no strace logs there", file=sys.stderr)
        return 2
    logs.sort(key=lambda log: -log.stat().st_size)
    with multiprocessing.get_context("fork").Pool(max(1, options.jobs)) as pool:
        results = dict(zip(logs, pool.map(_replay, logs, chunksize=1), strict=True))
    known, covered, interface, listing = KnownDifferences(), Groups(), Groups(), []
    failures: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for log in sorted(results):
        covered.tallies[log.stem] = Tally()
        for call in results[log]["calls"]:
            reason = "" if call["equal"] else known.reason(f"strace/{call['text']}")
            reasons.update([reason] if reason else [])
            covered.add(log.stem, call["equal"], bool(reason))
            if call["group"] == "interface":
                interface.add(log.stem, call["equal"], bool(reason))
            listing.append(_listed(log, call, reason))
            if not call["equal"] and not reason:
                failures[f"{call['name']}: {call['reason'] or _short(call['expected'])} -> {_short(call['got'])}"] += 1
    covered.print()
    print_reasons(reasons, covered.sum())
    for log in sorted(results):
        _print_log(log, results[log], options.fail)
    if options.group_failures:
        for kind, count in failures.most_common(40):
            print(f"{count:5}  {kind}")
    write_json(options.json, listing)
    if interface.tallies:
        score("strace/interface", interface.sum())
    wanted = [tally for name, tally in covered.tallies.items() if name in WANTED]
    if wanted:
        score("strace/wanted-logs", Tally(sum(t.equal for t in wanted), 0, sum(t.total for t in wanted)))
    score("strace", covered.sum())
    return 0


def _replay(path: Path) -> dict[str, Any]:
    from kshell.session.strace.interleavings import replay_strace

    try:
        return replay_strace(str(path)).to_json()
    except Exception:
        return {"calls": [], "oops": traceback.format_exc(limit=-6), "notes": [], "unreadable": []}


def _listed(log: Path, call: dict[str, Any], reason: str) -> dict[str, Any]:
    return {
        "id": f"{log.stem}:{call['line']}", "equal": call["equal"], "call": call["text"][:300],
        "expected": call["expected"], "got": call["got"], "reason": reason or call["reason"], "group": call["group"],
    }  # fmt: skip


def _print_log(log: Path, report: dict[str, Any], fail: int) -> None:
    if report["oops"]:
        print(f"OOPS {log.stem}: {report['oops']}")
    if not report["calls"]:
        print(f"NO CALLS {log.stem}")
    for bad in report["unreadable"][:fail]:
        print(f"UNREADABLE {log.stem}:{bad['line']}: {bad['message']}")
    wrong = [call for call in report["calls"] if not call["equal"]]
    for call in wrong[:fail]:
        print(f"DIFFERS {log.stem}:{call['line']}: {_short(call['text'], 160)}")
        print(f"    expected {_short(call['expected'], 160)}")
        print(f"    got      {_short(call['got'], 160)}  {call['reason']}")


def _short(text: str, size: int = 60) -> str:
    return text if len(text) <= size else text[: size - 2] + ".."
