"""Fields of the kernel's struct classes against recorded layouts (BTF).

FILE is structs.json. A field agrees when the struct has a member of that name, or Linux's macro of that name,
whose C type the Python type can stand for. Fields that start with one underscore are the model's own.
"""

import argparse
import json
import sys
from pathlib import Path

from kshell.lens.structs import StructCheck, load_recorded
from kshell.lens.structs_source import read_kernel
from lib.report import Groups, Tally, score, write_json

NAME = "structs"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE")
    parser.add_argument("--only", action="append", default=[], metavar="STRUCT")


def run(options: argparse.Namespace) -> int:
    try:
        recorded = load_recorded(json.loads(options.file.read_text()))
    except (OSError, ValueError) as error:
        print(f"{options.file}: {error}", file=sys.stderr)
        return 2
    check = StructCheck(recorded, read_kernel())
    results = [r for r in check.results() if not options.only or r.name in options.only]
    groups, listing, model_only, unrecorded = Groups(), [], 0, 0
    for result in results:
        groups.tallies.setdefault(result.name, Tally())
        for found in result.fields:
            groups.add(result.name, not found.problem)
            listing.append({"id": f"{found.struct}.{found.name}", "equal": not found.problem,
                            "expected": found.ctype, "got": found.problem, "reason": ""})
        model_only += len(result.model_only)
        unrecorded += len(result.unrecorded)
    groups.print()
    for result in results:
        for found in result.fields:
            if found.problem:
                print(f"DIFFERS {result.file}: {found.struct}.{found.name} {found.ctype}: {found.problem}")
    for result in results:
        if result.model_only:
            print(f"model only  {result.name}: {' '.join(result.model_only)}")
        if result.unrecorded:
            print(f"not in the recorded selection  {result.name}: {' '.join(result.unrecorded)}")
    print(f"classes without a recorded struct: {' '.join(check.unrecorded())}")
    print(f"{model_only} model-only fields, {unrecorded} of structs that are recorded in part")
    write_json(options.json, listing)
    score("structs", groups.sum())
    return 0
