"""The command line of scripts/conformance: one subcommand a measure."""

import argparse
import importlib
import os
import sys
from pathlib import Path

MEASURES = {
    "calls": "raw call records of a real kernel, replayed",
    "chains": "call trees of system calls and initcalls against recorded ones",
    "proc": "files of /proc against recorded ones",
    "ops": "tables of operations against the linked ones",
    "strace": "strace logs of real programs, executed call by call",
    "sysctl": "settings below /proc/sys against the recorded ones",
    "structs": "fields of the kernel's struct classes against recorded layouts",
}


def main(arguments: list[str]) -> int:
    """Run one measure; the exit status is 0 when it ran, whatever the score."""
    parser = argparse.ArgumentParser(
        prog="scripts/conformance",
        description="Holds the machine to recorded facts.",
        epilog="measures: " + "; ".join(f"{name}: {text}" for name, text in MEASURES.items()),
    )
    parser.add_argument("measure", choices=MEASURES, metavar="MEASURE")
    parser.add_argument("rest", nargs=argparse.REMAINDER, metavar="...")
    chosen = parser.parse_args(arguments)
    module = importlib.import_module(f"lib.measure_{chosen.measure}")
    measure = argparse.ArgumentParser(
        prog=f"scripts/conformance {chosen.measure}",
        description=module.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    measure.add_argument("--json", type=Path, metavar="FILE", help="list every case with expected, got and reason")
    module.add_arguments(measure)
    try:
        return int(module.run(measure.parse_args(chosen.rest)))
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
