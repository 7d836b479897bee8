"""The command line of scripts/conformance: one subcommand a measure."""

import argparse
import os
import sys
from pathlib import Path

from lib import measure_calls

MEASURES = (measure_calls,)


def main(arguments: list[str]) -> int:
    """Run one measure; the exit status is 0 when it ran, whatever the score."""
    parser = argparse.ArgumentParser(prog="scripts/conformance", description="hold the machine to recorded facts")
    measures = parser.add_subparsers(dest="measure", required=True, metavar="MEASURE")
    for module in MEASURES:
        sub = measures.add_parser(module.NAME, help=module.__doc__.splitlines()[0], description=module.__doc__)
        sub.add_argument("--json", type=Path, metavar="FILE", help="list every case with expected, got and reason")
        module.add_arguments(sub)
        sub.set_defaults(run=module.run)
    options = parser.parse_args(arguments)
    try:
        return int(options.run(options))
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
