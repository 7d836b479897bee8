"""The figures of scripts/bench: each a ratio against a named reference run, both interleaved, medians printed."""

import argparse
import compileall
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kshell.shell import bytecode_build
from lib.bench_programs import PROGRAMS
from lib.report import ROOT

ROUNDS = 7


@dataclass(frozen=True)
class Figure:
    """One line of the result."""

    name: str
    value: float
    unit: str
    limit: float | None
    detail: str

    def print(self) -> None:
        verdict = "" if self.limit is None else f"  (at most {self.limit:g})" + (
            "" if self.value <= self.limit else "  OVER"
        )
        print(f"{self.name:28} {self.value:12.3f} {self.unit}{verdict}\n{'':28} {self.detail}")


def main(arguments: list[str]) -> int:
    """Measure the figures named, or all."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("figures", nargs="*", metavar="FIGURE", help=", ".join(FIGURES))
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args(arguments)
    unknown = set(options.figures) - set(FIGURES)
    if unknown:
        parser.error(f"no figure {', '.join(sorted(unknown))}; there are {', '.join(FIGURES)}")
    compileall.compile_dir(ROOT / "kshell", quiet=2)  # as an installed package has it
    bytecode_build.build()
    for name in options.figures or FIGURES:
        for figure in FIGURES[name](options.rounds):
            figure.print()
    return 0


def program(name: str, *arguments: str) -> list[float]:
    """Run one of PROGRAMS in a fresh interpreter; the numbers it prints."""
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{PROGRAMS[name]}"
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False, cwd=ROOT
    )
    if done.returncode:
        sys.exit(f"bench program {name} failed:\n{done.stderr}")
    return [float(word) for word in done.stdout.split()]


def interleaved(rounds: int, *runs: Callable[[], float]) -> list[float]:
    """Medians of runs taken in turn."""
    samples: list[list[float]] = [[] for _ in runs]
    for _ in range(rounds):
        for run, taken in zip(runs, samples, strict=True):
            taken.append(run())
    return [statistics.median(taken) for taken in samples]


def socket_close(rounds: int) -> list[Figure]:
    rows = [program("socket_close") for _ in range(rounds)]
    model, host = (statistics.median(column) for column in zip(*rows, strict=True))
    return [Figure("socket+close", model / host, "x the host's", 3, f"{model:.1f} µs against {host:.1f} µs")]


def tracing(rounds: int) -> list[Figure]:
    without, off, on = interleaved(
        rounds,
        lambda: program("tracing", "without")[0],
        lambda: program("tracing", "off")[0],
        lambda: program("tracing", "on")[0],
    )
    return [
        Figure("tracing off", off / without, "x without a tracer", 1.03, f"{off:.1f} µs against {without:.1f} µs"),
        Figure("tracing on", on / without, "x without a tracer", 2.5, f"{on:.1f} µs against {without:.1f} µs"),
    ]


def script(rounds: int) -> list[Figure]:
    lines = ["set abi x86_64"] + ["fd = socket(AF_INET, SOCK_STREAM, 0) = 3", "close(3) = 0"] * 100
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "calls.ks"
        path.write_text("\n".join(lines) + "\n")
        code = f"import sys; sys.path.append({str(ROOT)!r}); from kshell.shell.main import entry; entry()"
        start = [sys.executable, "-SP", "-c", code]  # as scripts/kshell does
        run, check = ([*start, command, str(path)] for command in ("run", "check"))
        narrated, checked, bare = interleaved(
            2 * rounds,
            lambda: _process(run),
            lambda: _process(check),
            lambda: _process([sys.executable, "-c", "pass"]),
        )
    return [
        Figure(f"200-call script, {how}", taken / bare, "x bare python3", 6, f"{taken:.1f} ms against {bare:.1f} ms")
        for how, taken in (("run with object trees", narrated), ("checked", checked))
    ]


def _process(command: list[str]) -> float:
    start = time.perf_counter()
    done = subprocess.run(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False, cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr}")
    return (time.perf_counter() - start) * 1000


def many(rounds: int) -> list[Figure]:
    rows = [program("many") for _ in range(max(1, rounds // 3))]
    few, many_, size = (statistics.median(column) for column in zip(*rows, strict=True))
    return [
        Figure("socket at 100 000", many_ / few, "x one of 100", 2, f"{many_:.1f} µs against {few:.1f} µs"),
        Figure("bytes per TCP socket", size, "bytes", 2200, "growth of the process over 100 000 sockets"),
    ]


def echo(rounds: int) -> list[Figure]:
    small = statistics.median(program("echo", "1")[0] for _ in range(rounds))
    large = statistics.median(program("echo", "65536")[0] for _ in range(rounds))
    return [
        Figure("1-byte echo", small, "per second", None, "write, read, write, read over loopback TCP"),
        Figure("64 KB echo", large, "per second", None, f"{large * 131072 / 1e6:.0f} MB/s both ways"),
    ]


def boot(rounds: int) -> list[Figure]:
    rows = [program("boot") for _ in range(rounds)]
    booting, importing = (statistics.median(column) for column in zip(*rows, strict=True))
    return [Figure("boot", booting, "ms", None, f"importing the machine takes {importing:.0f} ms more, once")]


def lens(rounds: int) -> list[Figure]:
    from lib import bench_lens

    return bench_lens.lens(rounds)


def session(rounds: int) -> list[Figure]:
    from lib import bench_lens

    return bench_lens.session(rounds)


def prompt(rounds: int) -> list[Figure]:
    from lib.bench_prompt import figures

    return figures(rounds)


def drawing(rounds: int) -> list[Figure]:
    from lib.bench_drawing import figures

    return figures(rounds)


def net(rounds: int) -> list[Figure]:
    from lib.bench_net import figures

    return figures(rounds)


FIGURES: dict[str, Callable[[int], list[Figure]]] = {
    "socket": socket_close,
    "tracing": tracing,
    "script": script,
    "many": many,
    "echo": echo,
    "boot": boot,
    "lens": lens,
    "session": session,
    "prompt": prompt,
    "net": net,
    "drawing": drawing,
}
