"""The kernel's tables of operations against those of a real Linux.

FILE is ops_tables.json. Entries that are not modelled may be absent; none may hold another function.
"""

import argparse
import json
import sys
import traceback
from pathlib import Path

from kshell.lens.structs_ops import check_tables, import_kernel
from kshell.linux.init.kernel import Kernel
from lib.report import Groups, Tally, score, write_json

NAME = "ops"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE")


def run(options: argparse.Namespace) -> int:
    try:
        recorded = json.loads(options.file.read_text())
    except (OSError, ValueError) as error:
        print(f"{options.file}: {error}", file=sys.stderr)
        return 2
    kernel = _booted_kernel()
    for failure in import_kernel():
        print(f"cannot import {failure}", file=sys.stderr)
    groups, listing = Groups(), []
    results = check_tables(recorded, kernel)
    for result in results:
        groups.tallies[result.name] = Tally(result.agreeing, 0, result.total)
        listing.extend(
            {"id": f"{result.name}.{entry}", "equal": False, "expected": wanted, "got": got, "reason": ""}
            for entry, wanted, got in result.problems
        )
    groups.print()
    for case in listing:
        print(f"DIFFERS {case['id']}: expected {case['expected']}, got {case['got']}")
    absent = [name for name in recorded if name not in groups.tallies]
    print(f"{len(results)} tables compared; not modelled: {' '.join(absent)}")
    write_json(options.json, listing)
    score("ops", groups.sum())
    return 0


def _booted_kernel() -> Kernel | None:
    try:
        from kshell.world.machine import Machine

        return Machine(seed=0).kernel
    except Exception:
        traceback.print_exc(limit=-1)
        return None
