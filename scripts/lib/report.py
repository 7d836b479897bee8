"""What every measure prints: a line a case group, then SCORE lines."""

import fnmatch
import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
KNOWN = ROOT / "tests" / "conformance" / "known_differences.tsv"


@dataclass
class Tally:
    """Cases that are equal, that differ for a known reason, and all of them."""

    equal: int = 0
    known: int = 0
    total: int = 0

    def add(self, equal: bool, known: bool = False) -> None:
        self.total += 1
        self.equal += equal
        self.known += known and not equal

    @property
    def unexplained(self) -> int:
        return self.total - self.equal - self.known

    @property
    def share(self) -> float:
        return self.equal / self.total if self.total else 1.0


@dataclass
class Groups:
    """Tallies by case group, in order of first appearance."""

    tallies: dict[str, Tally] = field(default_factory=dict)

    def add(self, group: str, equal: bool, known: bool = False) -> None:
        self.tallies.setdefault(group, Tally()).add(equal, known)

    def print(self) -> None:
        width = max((len(group) for group in self.tallies), default=0)
        for group, tally in self.tallies.items():
            note = f"  known differences {tally.known}" if tally.known else ""
            note += f"  unexplained {tally.unexplained}" if tally.unexplained else ""
            print(f"{group:{width}}  {tally.share:7.2%}  {tally.equal} of {tally.total}{note}")

    def sum(self) -> Tally:
        tallies = self.tallies.values()
        return Tally(sum(t.equal for t in tallies), sum(t.known for t in tallies), sum(t.total for t in tallies))


def print_reasons(reasons: Counter[str], total: Tally) -> None:
    """What the differences come from: how many cases for each known reason, and how many for none."""
    if total.known:
        print(f"\n{total.known} known differences:")
        for reason, count in reasons.most_common():
            print(f"{count:6}  {reason}")
    if total.known or total.unexplained:
        print(f"\nexplained {total.known}, unexplained {total.unexplained}")


def score(name: str, tally: Tally) -> None:
    print(f"SCORE {name} {tally.share:.4f} ({tally.equal} of {tally.total})")


def write_json(path: Path | None, cases: list[dict[str, Any]]) -> None:
    if path is not None:
        path.write_text(json.dumps({"version": 1, "cases": cases}, indent=1) + "\n")


class KnownDifferences:
    """The table of accepted differences: a pattern of case ids (of a strace log: of calls) and the reason, with a tab."""

    def __init__(self, path: Path = KNOWN) -> None:
        self.rows: list[tuple[str, str]] = []
        if path.exists():
            lines = path.read_text().splitlines()
            self.rows = [
                (pattern, reason)
                for pattern, _, reason in (line.partition("\t") for line in lines)
                if pattern and not pattern.startswith("#")
            ]

    def reason(self, case_id: str) -> str:
        """Why this case may differ, or the empty string."""
        for pattern, reason in self.rows:
            if fnmatch.fnmatchcase(case_id, pattern):
                return reason
        return ""
