"""What the file system looked like before a strace log began, as far as the log shows it.

Contents come from reads, sizes and modes from stat, directories from their entries and from the paths in them,
symbolic links from readlink (`showing`). What the log makes itself, or finds to be absent, is not supplied.
"""

from __future__ import annotations

from contextlib import suppress
from posixpath import dirname
from typing import Final

from kshell.session.strace.lines import Log, LogCall
from kshell.session.strace.nodes import STATS, Cover, Node, absolute, number_of, string_of
from kshell.session.strace.processes import Open, Process
from kshell.session.strace.showing import SHOWS

_FORKS = frozenset({"fork", "vfork", "clone", "clone3"})
_RESERVING = frozenset({"accept", "accept4", "open", "openat", "openat2"})
PROGRAM: Final = b"\x7fELF"
"""What a file that the log executes begins with, unless a read says more."""

DEFAULT_CWD = "/root"
LOOK_AHEAD = 200
MOST_INHERITED = 64
NULL_DEVICE = (1, 3)


class World:
    """Reads a log; `nodes` is what has to be there before, `cwd` where its first process starts."""

    def __init__(self, log: Log) -> None:
        self.nodes: dict[str, Node] = {}
        self.made: set[str] = set()
        self.written: set[str] = set()
        self.standard: dict[int, Node] = {}
        self.covers: dict[int, Cover] = {}
        self.cover_reads: dict[int, tuple[Cover, int, bytes]] = {}
        self._programs: set[str] = set()
        self.cwd = _first_cwd(log)
        self._calls = log.calls
        self._threads = {c.ret for c in log.calls if c.name in _FORKS and "CLONE_FILES" in c.text}
        self._processes: dict[int, Process] = {}
        self._closed: set[int] = set()
        self.add_directory(self.cwd)
        for event in log.events:
            process = self._process(event.pid)
            call = event.call
            if event.kind == "start" and call is not None:
                self._begun(process, call)
            elif event.kind == "end" and call is not None:
                process.reserved.pop(call.index, None)
                self._see(process, call)
        for path in self._programs:
            self._make_program(path)
        for node in self.standard.values():
            if node.kind == "S_IFCHR" and node.rdev == NULL_DEVICE:
                self.nodes.setdefault("/dev/null", node)
                self.nodes["/dev/null"].kind, self.nodes["/dev/null"].mode = node.kind, node.mode

    def _begun(self, process: Process, call: LogCall) -> None:
        """What a call does at once: a child has what its parent has now."""
        if call.in_two_parts and call.name in _RESERVING:
            process.reserve(call)
        elif call.name in _FORKS and call.ret is not None and call.ret > 0 and call.ret not in self._processes:
            self._processes[call.ret] = process if call.ret in self._threads else process.copy()

    def _make_program(self, path: str) -> None:
        """`path`, or what it links to, can be executed."""
        for _ in range(8):
            node = self.nodes.get(path)
            if node is None or node.kind != "S_IFLNK":
                break
            path = absolute(dirname(path), node.target.decode("utf-8", "surrogateescape"))
        node = self.exists(path)
        if node is not None and node.kind == "S_IFREG":
            node.mode |= 0o111
            node.contents.setdefault(0, PROGRAM)

    def _process(self, pid: int) -> Process:
        process = self._processes.get(pid)
        if process is None:
            process = self._processes[pid] = Process(self.cwd)
        return process

    def inherited_by(self, pid: int) -> set[int]:
        """Descriptors that a process, or the one it comes from, had before the log."""
        return self._processes[pid].inherited if pid in self._processes else set()

    def _see(self, process: Process, call: LogCall) -> None:
        shows = SHOWS.get(call.name)
        if shows is not None and call.ret is not None:
            with suppress(IndexError):  # the log shows fewer arguments than the call has
                shows(self, process, call)

    # ---- nodes

    def exists(self, path: str, kind: str = "S_IFREG") -> Node | None:
        """The log found `path`: it was there before, unless the log made it. None if it is the log's own."""
        if path in self.made:
            return None
        node = self.nodes.get(path)
        if node is None:
            node = self.nodes[path] = Node(kind)
            self.add_directory(dirname(path))
        return node

    def read_after(self, call: LogCall) -> bytes | None:
        """The bytes of the first whole read behind a call that are as many as it gave."""
        for later in self._calls[call.index + 1 : call.index + LOOK_AHEAD]:
            if later.name in ("read", "recv", "recvfrom") and later.ret == call.ret:
                data = string_of(later.args[1])
                if data is not None and len(data[0]) == call.ret:
                    return data[0]
        return None

    def has_closed(self, fd: int) -> None:
        """A descriptor that some process closed tells nothing of what was open before the log."""
        self._closed.add(fd)

    def was_closed(self, fd: int) -> bool:
        """Whether some process has closed a descriptor of that number."""
        return fd in self._closed

    def program(self, path: str) -> None:
        """The log executes `path`."""
        self._programs.add(path)

    def add_directory(self, path: str) -> None:
        """`path` and everything above it are directories."""
        while path not in ("", "/") and path not in self.made:
            node = self.nodes.setdefault(path, Node("S_IFDIR"))
            if node.kind == "S_IFREG":
                node.kind, node.mode = "S_IFDIR", 0o755
            path = dirname(path)

    def make(self, path: str) -> None:
        """The log makes `path` itself."""
        if path not in self.nodes:
            self.made.add(path)
            self.add_directory(dirname(path))

    def allocated(self, process: Process, fd: int, lowest: int = 0) -> None:
        """The kernel gave out `fd`: what is below it was open, so what the log did not open was there before."""
        if fd in process.inherited and fd not in process.fds:
            return
        for number in range(lowest, min(fd, MOST_INHERITED)):
            if not process.is_open(number) and number not in self._closed:
                self.inherits(process, number)

    def inherits(self, process: Process, fd: int) -> None:
        """The process and those of its family had `fd` all along."""
        process.inherited.add(fd)
        for each in self._processes.values():
            if each.inherited is process.inherited:
                each.fds.setdefault(fd, Open(""))

    def path_at(self, process: Process, call: LogCall, at: bool) -> str:
        """The path that a call begins with; at: behind the descriptor of a directory."""
        return self.path(process, call.args[1], call.args[0]) if at else self.path(process, call.args[0])

    def standard_node(self, opened: Open, kind: str) -> Node | None:
        """What a standard descriptor is, a `kind` if the log has told nothing yet; None if this is none."""
        fd = opened.standard
        return None if fd is None else self.standard.setdefault(fd, Node(kind))

    def path(self, process: Process, argument: str, base: str = "AT_FDCWD") -> str:
        """The absolute path of a path argument; "" if it has none."""
        found = string_of(argument)
        if found is None:
            return ""
        name = found[0].decode("utf-8", "surrogateescape")
        start = process.cwd
        if base != "AT_FDCWD" and not base.startswith("AT_FDCWD"):
            opened = process.fds.get(number_of(base))
            if opened is None and not name.startswith("/"):
                return ""
            start = opened.path if opened and opened.path.startswith("/") else start
        return absolute(start, name)


def _first_cwd(log: Log) -> str:
    """Where the log's first process starts: what getcwd says, or the absolute path that is the same as `.`."""
    previous = ""
    for call in log.calls:
        if call.name in ("chdir", "fchdir") and call.ret == 0:
            break
        if call.name == "getcwd" and call.ret and call.ret > 0 and (found := string_of(call.args[0])):
            return found[0].decode("utf-8", "replace")
        if call.name in STATS and call.ret == 0 and len(call.args) > 2:
            found = string_of(call.args[1])
            if found is not None and found[0] == b"." and previous:
                return previous
            previous = found[0].decode("utf-8", "replace") if found and found[0].startswith(b"/") else previous
    return DEFAULT_CWD
