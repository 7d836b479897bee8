"""Call trees of single system calls, and of initcalls at boot, against recorded ones.

DIR holds the recorded NAME.chain files, and functions.tsv lies there or one above. For each, the script NAME.ks
of DIR2 (tests/conformance/chains) sets the scene; its last line is the traced call. A name without a script that
is an initcall is traced at boot. The trees go to DIR3 as NAME.chain.
"""

import argparse
import fnmatch
import multiprocessing
import sys
from dataclasses import dataclass
from pathlib import Path

from kshell.lens.trace_boot import initcall_trees
from kshell.lens.trace_score import ChainScore, score_chain
from kshell.lens.trace_text import chain_text
from kshell.lens.trace_tree import Node
from lib.chain_scripts import as_recorded, trace_script
from lib.report import ROOT, write_json

NAME = "chains"
SCRIPTS = ROOT / "tests" / "conformance" / "chains"
FUNCTIONS = ROOT / "tests" / "conformance" / "functions.tsv"

# The cases whose means the machine's issue asks for; interfaces, /proc and IPv6 are other issues'.
WANTED = (
    "socket_*", "socketpair_*", "bind_*", "listen_*", "accept_*", "connect_*", "read_*", "write_*", "writev_*",
    "send_*", "sendto_*", "sendmsg_*", "recv_*", "recvfrom_*", "recvmsg_*", "close_*", "poll_*", "pselect_*",
    "select_*", "epoll_*", "fcntl_*", "dup*", "pipe*", "*_tmpfs*", "i386_*", "shutdown_*", "err_*",
    "getsockname_*", "getsockopt_*", "setsockopt_*", "sendfile_*", "lseek_*", "fstat_*",
)  # fmt: skip
NOT_WANTED = ("*_tcp6*", "*_proc_*", "*_sysctl_*", "*_sysfs_*", "*_ioctl_*", "umount_*", "netlink_*")
GOALS = {"precision": 0.95, "recall": 0.75, "nesting": 0.97}


@dataclass(frozen=True)
class CaseScore:
    """One case: its score and why there may be none."""

    name: str
    score: ChainScore
    problem: str = ""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("dir", type=Path, metavar="DIR")
    parser.add_argument("--scripts", type=Path, default=SCRIPTS, metavar="DIR2")
    parser.add_argument("--out", type=Path, metavar="DIR3", help="write the model's chains there")
    parser.add_argument("--functions", type=Path, metavar="FILE", help="function name and source file, by tab")
    parser.add_argument("--only", action="append", default=[], metavar="GLOB")
    parser.add_argument("--jobs", type=int, default=2, metavar="N")
    parser.add_argument("--diff", action="store_true", help="show which functions are extra or missing")
    parser.add_argument("--show", action="store_true", help="print the model's chains")
    parser.add_argument("--wanted", action="store_true", help="only the cases the machine's issue asks for")


def run(options: argparse.Namespace) -> int:
    cases = [path for path in sorted(options.dir.glob("*.chain")) if _chosen(path.stem, options)]
    if not cases:
        print(f"{options.dir}: no recorded chains", file=sys.stderr)
        return 2
    files = _functions(options)
    scripts = [options.scripts / f"{case.stem}.ks" for case in cases]
    boot = initcall_trees() if not all(script.exists() for script in scripts) else {}
    jobs = [
        (case, script, _boot_text(boot.get(case.stem), files), files)
        for case, script in zip(cases, scripts, strict=True)
    ]
    if options.jobs > 1 and len(jobs) > 1:
        with multiprocessing.get_context("fork").Pool(options.jobs) as pool:
            results = pool.starmap(_run_case, jobs, chunksize=4)
    else:
        results = [_run_case(*job) for job in jobs]
    _write(options, results)
    scores = [case for case, _ in results]
    _print(scores, options)
    write_json(options.json, [_listed(case) for case in scores])
    wanted = [case for case in scores if is_wanted(case.name)]
    if len(wanted) not in (0, len(scores)):
        _means("all-cases", scores)
    _means("", wanted or scores)
    return 0


def is_wanted(name: str) -> bool:
    """Whether the machine's issue asks for this case."""
    matches = any(fnmatch.fnmatchcase(name, glob) for glob in WANTED)
    return matches and not any(fnmatch.fnmatchcase(name, glob) for glob in NOT_WANTED)


def _chosen(name: str, options: argparse.Namespace) -> bool:
    if options.only and not any(fnmatch.fnmatchcase(name, glob) for glob in options.only):
        return False
    return not options.wanted or is_wanted(name)


def _functions(options: argparse.Namespace) -> dict[str, str]:
    places = [options.functions, options.dir / "functions.tsv", options.dir.parent / "functions.tsv", FUNCTIONS]
    path = next(place for place in places if place is not None and place.exists())
    rows = (line.split("\t") for line in path.read_text().splitlines()[1:])
    return dict(map(tuple, rows))


def _boot_text(node: Node | None, files: dict[str, str]) -> str:
    return chain_text({None: as_recorded([node], files)}, with_irq=True) if node is not None else ""


def _run_case(case: Path, script: Path, boot_text: str, files: dict[str, str]) -> tuple[CaseScore, str]:
    text, problem = boot_text, ""
    if script.exists():
        try:
            traced = trace_script(script, files)
            text, problem = traced.text, "; ".join(traced.problems)
        except Exception as error:
            problem = f"{type(error).__name__}: {error}"
    elif not text:
        problem = "no script, and no initcall of the model"
    return CaseScore(case.stem, score_chain(case.read_text(errors="replace"), text, files), problem), text


def _write(options: argparse.Namespace, results: list[tuple[CaseScore, str]]) -> None:
    for case, text in results:
        if options.out is not None and text:
            options.out.mkdir(parents=True, exist_ok=True)
            (options.out / f"{case.name}.chain").write_text(f"# {case.name}\n{text}")
        if options.show:
            print(f"# {case.name}\n{text}")


def _print(scores: list[CaseScore], options: argparse.Namespace) -> None:
    width = max(len(case.name) for case in scores)
    for case in scores:
        found = case.score
        mark = " " if is_wanted(case.name) else "-"
        problem = f"  {case.problem.splitlines()[0][:160]}" if case.problem else ""
        print(
            f"{mark} {case.name:{width}}  precision {found.precision:.2f}  recall {found.recall:.2f}"
            f"  nesting {found.nesting:.2f}{problem}"
        )
        if options.diff:
            print(f"      extra:   {' '.join(found.extra)}\n      missing: {' '.join(found.missing)}")
            if "\n" in case.problem:
                print(case.problem)
    print("  (a leading - marks cases that belong to other issues)")


def _listed(case: CaseScore) -> dict[str, object]:
    found = case.score
    return {
        "id": case.name, "equal": found.precision >= GOALS["precision"], "expected": list(found.missing),
        "got": list(found.extra), "reason": case.problem,
        "precision": found.precision, "recall": found.recall, "nesting": found.nesting,
    }  # fmt: skip


def _means(group: str, scores: list[CaseScore]) -> None:
    for measure, goal in GOALS.items():
        values = [getattr(case.score, measure) for case in scores]
        reached = sum(value >= goal for value in values)
        name = "/".join(part for part in (NAME, group, measure) if part)
        print(f"SCORE {name} {sum(values) / len(values):.4f} ({reached} of {len(values)} cases at {goal} or more)")
