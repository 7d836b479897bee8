"""What came out of replaying a strace log."""

from __future__ import annotations

from collections import Counter

from kshell.session.strace.lines import LogError


class CallVerdict:
    """A comparable call. group: "covered", or "interface" for netlink and interface ioctls."""

    __slots__ = (
        "args", "equal", "errno", "expected", "got", "group", "line", "name", "pid", "reason", "ret", "shown",
        "text", "time",
    )  # fmt: skip

    def __init__(self, line: int, pid: int, name: str, text: str, expected: str, group: str) -> None:
        self.line = line
        self.pid = pid
        self.name = name
        self.text = text
        self.expected = expected
        self.group = group
        self.got = ""
        self.reason = ""
        self.equal = True
        self.shown = text
        self.args: list[str] = []
        self.ret = 0
        self.errno = ""
        self.time = 0

    def to_json(self) -> dict[str, object]:
        return {name: getattr(self, name) for name in sorted(self.__slots__)}


class StraceReport:
    """All verdicts of one log; `passed_over` counts the calls that are not about files, sockets, tasks or time."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.calls: list[CallVerdict] = []
        self.passed_over: Counter[str] = Counter()
        self.unreadable: list[LogError] = []
        self.notes: list[str] = []
        self.oops: str = ""

    def group(self, name: str) -> list[CallVerdict]:
        return [call for call in self.calls if call.group == name]

    @property
    def wrong(self) -> list[CallVerdict]:
        """The comparable calls whose result differs."""
        return [call for call in self.calls if not call.equal]

    @property
    def comparable(self) -> int:
        return len(self.group("covered"))

    @property
    def equal(self) -> int:
        return sum(call.equal for call in self.group("covered"))

    @property
    def interface(self) -> tuple[int, int]:
        """(equal, all) of the netlink and interface ioctl calls."""
        found = self.group("interface")
        return sum(call.equal for call in found), len(found)

    def score(self) -> float:
        return self.equal / self.comparable if self.comparable else 1.0

    def to_json(self) -> dict[str, object]:
        return {
            "path": self.path,
            "comparable": self.comparable,
            "equal": self.equal,
            "interface": list(self.interface),
            "passed_over": dict(sorted(self.passed_over.items())),
            "unreadable": [{"line": e.line, "message": e.message} for e in self.unreadable],
            "notes": self.notes,
            "oops": self.oops,
            "calls": [call.to_json() for call in self.calls],
        }
