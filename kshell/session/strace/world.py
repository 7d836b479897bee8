"""What the file system looked like before a strace log began, as far as the log shows it.

Contents come from reads, sizes and modes from stat, directories from their entries and from the paths in them,
symbolic links from readlink. What the log makes itself, or finds to be absent, is not supplied.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import count
from posixpath import dirname, normpath

from kshell.abi.fcntl import O_ACCMODE, O_RDWR
from kshell.lang.encode import UNSEEN
from kshell.session.strace.lines import Log, LogCall

_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"(\.\.\.)?', re.DOTALL)
_ANNOTATION = re.compile(r"<(?:->|[^<>])*>")
_MODE = re.compile(r"stx?_mode=(S_IF\w+)((?:\|S_IS\w+)*)\|(0\d*)")
_SIZE = re.compile(r"stx?_size=(\d+)")
_RDEV = re.compile(r"st_rdev=makedev\((0x[0-9a-f]+), (0x[0-9a-f]+)\)")
_ENTRIES = re.compile(r"/\* (\d+) entries \*/")
_STICKY = {"S_ISUID": 0o4000, "S_ISGID": 0o2000, "S_ISVTX": 0o1000}
_FORKS = frozenset({"fork", "vfork", "clone", "clone3"})
_RESERVING = frozenset({"accept", "accept4", "open", "openat", "openat2"})
_STATS = frozenset({"stat", "lstat", "newfstatat", "fstat", "statx", "fstatat64"})
_ABOUT_A_PROCESS = re.compile(
    r"/proc/(?:self|thread-self|\d+)/(?:task/\d+/)?(?:auxv|cmdline|environ|io|maps|oom_score|oom_score_adj|sched|"
    r"schedstat|smaps|smaps_rollup|stat|statm|status|wchan)"
)
"""Files of proc that tell of a process's memory, its time and its past: each open of one finds another text."""
PROGRAM = b"\x7fELF"
"""What a file that the log executes begins with, unless a read says more."""

DEFAULT_CWD = "/root"
LOOK_AHEAD = 200
MOST_INHERITED = 64
NULL_DEVICE = (1, 3)
STANDARD = "\0standard descriptor "
"""Path of what the first process has as 0, 1 and 2, as long as the log does not say more."""


def unescape(text: str) -> bytes:
    """The bytes of a string as strace escapes it, without its quotes."""
    data = text.encode("utf-8", "surrogateescape")
    return bytes(codecs.escape_decode(data)[0]) if b"\\" in data else data


def string_of(argument: str) -> tuple[bytes, bool] | None:
    """(bytes, whether they are all) of a string argument; None if it is none."""
    match = _STRING.fullmatch(argument)
    return (unescape(match[1]), match[2] is None) if match else None


class Node:
    """Something that was there before. kind: S_IFREG, S_IFDIR, S_IFLNK, S_IFCHR; contents by offset."""

    __slots__ = ("contents", "filler", "flags", "here", "kind", "mode", "rdev", "size", "target")

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.mode = 0o755 if kind == "S_IFDIR" else 0o644
        self.size: int | None = None
        self.contents: dict[int, bytes] = {}
        self.target = b""
        self.rdev = (0, 0)
        self.filler: tuple[int, int] | None = None
        self.flags = O_RDWR
        self.here = False  # a standard descriptor's: whether its file lies where the log's files do


class Cover:
    """A file that only the log knows: its text by offset, as its latest read found it, in lines."""

    def __init__(self) -> None:
        self.texts: dict[int, bytes] = {}
        self.lines: list[bytes] = []

    def found(self, at: int, text: bytes) -> None:
        """A read at `at` gives `text`."""
        self.texts[at] = text
        self.lines[:] = b"".join(self.texts[offset] for offset in sorted(self.texts)).splitlines(keepends=True)


class _Open:
    """An open file description of the log."""

    __slots__ = ("cover", "listing", "path", "position")

    def __init__(self, path: str) -> None:
        self.path = path
        self.cover: Cover | None = None
        self.position = 0
        self.listing = [0, 0]


class _Process:
    """What the log's process has open, and where it is."""

    def __init__(self, cwd: str) -> None:
        self.fds = {fd: _Open(f"{STANDARD}{fd}") for fd in range(3)}
        self.cloexec: set[int] = set()
        self.reserved: dict[int, int] = {}
        self.inherited: set[int] = set()
        self.cwd = cwd

    def is_open(self, fd: int) -> bool:
        """Whether the number is taken, if only by a call that has not come back."""
        return fd in self.fds or fd in self.reserved.values()

    def reserve(self, call: LogCall) -> None:
        """accept() and open() take their number before they sleep."""
        if call.ret is not None and call.ret >= 0:
            self.reserved[call.index] = call.ret
        else:
            self.reserved[call.index] = next(fd for fd in count() if not self.is_open(fd))

    def copy(self) -> _Process:
        other = _Process(self.cwd)
        other.fds = dict(self.fds)
        other.inherited = self.inherited
        other.cloexec = set(self.cloexec)
        return other


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
        self._processes: dict[int, _Process] = {}
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

    def _begun(self, process: _Process, call: LogCall) -> None:
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

    def _process(self, pid: int) -> _Process:
        process = self._processes.get(pid)
        if process is None:
            process = self._processes[pid] = _Process(self.cwd)
        return process

    def inherited_by(self, pid: int) -> set[int]:
        """Descriptors that a process, or the one it comes from, had before the log."""
        return self._processes[pid].inherited if pid in self._processes else set()

    def _see(self, process: _Process, call: LogCall) -> None:
        handler = _HANDLERS.get(call.name)
        if handler is not None and call.ret is not None:
            with suppress(IndexError):  # the log shows fewer arguments than the call has
                handler(self, process, call)

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

    def allocated(self, process: _Process, fd: int, lowest: int = 0) -> None:
        """The kernel gave out `fd`: what is below it was open, so what the log did not open was there before."""
        if fd in process.inherited and fd not in process.fds:
            return
        for number in range(lowest, min(fd, MOST_INHERITED)):
            if not process.is_open(number) and number not in self._closed:
                self.inherits(process, number)

    def inherits(self, process: _Process, fd: int) -> None:
        """The process and those of its family had `fd` all along."""
        process.inherited.add(fd)
        for each in self._processes.values():
            if each.inherited is process.inherited:
                each.fds.setdefault(fd, _Open(""))

    def path(self, process: _Process, argument: str, base: str = "AT_FDCWD") -> str:
        """The absolute path of a path argument; "" if it has none."""
        found = string_of(argument)
        if found is None:
            return ""
        name = found[0].decode("utf-8", "surrogateescape")
        start = process.cwd
        if base != "AT_FDCWD" and not base.startswith("AT_FDCWD"):
            opened = process.fds.get(_number(base))
            if opened is None and not name.startswith("/"):
                return ""
            start = opened.path if opened and opened.path.startswith("/") else start
        return absolute(start, name)


def absolute(cwd: str, name: str) -> str:
    """`name` seen from `cwd`, without . and .. ."""
    path = normpath(name if name.startswith("/") else f"{cwd}/{name}")
    return "/" + path.lstrip("/")


def _number(argument: str) -> int:
    match = re.match(r"-?\d{1,20}", argument)
    return int(match[0]) if match else -1


def _first_cwd(log: Log) -> str:
    """Where the log's first process starts: what getcwd says, or the absolute path that is the same as `.`."""
    previous = ""
    for call in log.calls:
        if call.name in ("chdir", "fchdir") and call.ret == 0:
            break
        if call.name == "getcwd" and call.ret and call.ret > 0 and (found := string_of(call.args[0])):
            return found[0].decode("utf-8", "replace")
        if call.name in _STATS and call.ret == 0 and len(call.args) > 2:
            found = string_of(call.args[1])
            if found is not None and found[0] == b"." and previous:
                return previous
            previous = found[0].decode("utf-8", "replace") if found and found[0].startswith(b"/") else previous
    return DEFAULT_CWD


# ---- what each call shows


def _open(world: World, process: _Process, call: LogCall) -> None:
    base, name, rest = ("AT_FDCWD", call.args[0], call.args[1:])
    if call.name in ("openat", "openat2"):
        base, name, rest = call.args[0], call.args[1], call.args[2:]
    flags = rest[0] if rest and call.name != "creat" else "O_CREAT|O_TRUNC|O_WRONLY"
    path = world.path(process, name, base)
    assert call.ret is not None
    if call.ret < 0 or not path:
        return
    if "O_CREAT" in flags:
        world.make(path)
    else:
        world.exists(path, "S_IFDIR" if "O_DIRECTORY" in flags else "S_IFREG")
    if "O_DIRECTORY" in flags:
        world.add_directory(path)
    world.allocated(process, call.ret)
    process.fds[call.ret] = _Open(path)
    if _ABOUT_A_PROCESS.fullmatch(path):
        process.fds[call.ret].cover = world.covers[call.index] = Cover()
    process.cloexec.discard(call.ret)
    if "O_CLOEXEC" in flags:
        process.cloexec.add(call.ret)


def _close(world: World, process: _Process, call: LogCall) -> None:
    fd = _number(call.args[0])
    if call.ret == 0:
        world.has_closed(fd)
    process.fds.pop(fd, None)
    process.cloexec.discard(fd)


def _pair(world: World, process: _Process, call: LogCall) -> None:
    """pipe and socketpair: two numbers that are no files."""
    if call.ret == 0:
        pair = _ANNOTATION.sub("", call.args[-1] if call.name == "socketpair" else call.args[0])
        for fd in re.findall(r"\d+", pair)[:2]:
            world.allocated(process, int(fd))
            process.fds[int(fd)] = _Open("")
            (process.cloexec.add if "CLOEXEC" in call.text else process.cloexec.discard)(int(fd))


def _bind(world: World, process: _Process, call: LogCall) -> None:
    name = re.search(r'sun_path=("(?:[^"\\]|\\.)*")', call.text)
    if call.ret == 0 and name and (path := world.path(process, name[1])):
        world.make(path)


def _new_descriptor(world: World, process: _Process, call: LogCall) -> None:
    """socket and its like: the number is no file any more."""
    assert call.ret is not None
    if call.ret >= 0:
        world.allocated(process, call.ret)
        process.fds[call.ret] = _Open("")
        (process.cloexec.add if "CLOEXEC" in call.text else process.cloexec.discard)(call.ret)


def _dup(world: World, process: _Process, call: LogCall) -> None:
    assert call.ret is not None
    if call.ret < 0 or (call.name == "fcntl" and "F_DUPFD" not in call.args[1]):
        _set_cloexec(process, call)
        _asked_of(world, process, call)
        return
    if call.name == "dup" or call.name == "fcntl":
        world.allocated(process, call.ret, _number(call.args[2]) if call.name == "fcntl" else 0)
    process.cloexec.discard(call.ret)
    old = process.fds.get(_number(call.args[0]))
    process.fds[call.ret] = old if old is not None else _Open("")
    if "CLOEXEC" in " ".join(call.args[1:]):
        process.cloexec.add(call.ret)


def _set_cloexec(process: _Process, call: LogCall) -> None:
    if call.name == "fcntl" and call.ret == 0 and call.args[1] == "F_SETFD":
        fd = _number(call.args[0])
        (process.cloexec.add if "FD_CLOEXEC" in call.args[2] else process.cloexec.discard)(fd)


def _asked_of(world: World, process: _Process, call: LogCall) -> None:
    """A descriptor that fcntl knows though nothing in the log opened it; the access mode of a standard one."""
    if call.name != "fcntl" or call.ret is None or call.ret < 0:
        return
    fd = _number(call.args[0])
    if not process.is_open(fd) and not world.was_closed(fd):
        world.inherits(process, fd)
    elif fd in process.fds and process.fds[fd].path == f"{STANDARD}{fd}" and call.args[1] == "F_GETFL":
        world.standard.setdefault(fd, Node("S_IFCHR" if fd == 0 else "S_IFREG")).flags = call.ret & O_ACCMODE


def _execve(world: World, process: _Process, call: LogCall) -> None:
    if call.ret != 0:
        return
    path = world.path(process, call.args[0])
    world.exists(path)
    world.program(path)
    for fd in process.cloexec:
        process.fds.pop(fd, None)
    process.cloexec.clear()


def _read(world: World, process: _Process, call: LogCall) -> None:
    opened = process.fds.get(_number(call.args[0]))
    assert call.ret is not None
    if opened is None or call.ret < 0:
        return
    positioned = call.name == "pread64"
    at = _number(call.args[3]) if positioned else opened.position
    data = string_of(call.args[1])
    node = world.nodes.get(opened.path)
    if opened.cover is not None and data is not None:
        text = data[0].ljust(call.ret, UNSEEN)[: call.ret]
        world.cover_reads[call.index] = (opened.cover, at, text)
        opened.cover.found(at, text)
    elif node is not None and data is not None and opened.path not in world.written:
        node.contents[at] = data[0].ljust(call.ret, UNSEEN)[: call.ret]
        node.size = max(node.size or 0, at + call.ret)
    if not positioned:
        opened.position = at + call.ret


def _write(world: World, process: _Process, call: LogCall) -> None:
    opened = process.fds.get(_number(call.args[0]))
    if opened is not None and call.ret is not None and call.ret > 0:
        opened.position += call.ret
        world.written.add(opened.path)


def _sendfile(world: World, process: _Process, call: LogCall) -> None:
    """What was sent from a file is what somebody reads next in just that length."""
    opened = process.fds.get(_number(call.args[1]))
    if opened is None or call.ret is None or call.ret <= 0:
        return
    node = world.nodes.get(opened.path)
    at = re.match(r"\[(\d+)\]", call.args[2])
    start = int(at[1]) if at else opened.position
    data = world.read_after(call)
    if node is not None and opened.path not in world.written:
        node.size = max(node.size or 0, start + call.ret)
        if data is not None:
            node.contents[start] = data
    if not at:
        opened.position += call.ret


def _copy_range(world: World, process: _Process, call: LogCall) -> None:
    """Both files are on one file system."""
    opened = process.fds.get(_number(call.args[2]))
    if opened is not None and opened.path.startswith(STANDARD) and call.ret is not None and call.ret >= 0:
        world.standard.setdefault(int(opened.path[-1]), Node("S_IFREG")).here = True


def _lseek(world: World, process: _Process, call: LogCall) -> None:
    opened = process.fds.get(_number(call.args[0]))
    if opened is None:
        return
    if call.ret is not None and call.ret >= 0:
        opened.position = call.ret
    if opened.path.startswith(STANDARD) and call.errno == "ESPIPE":
        world.standard.setdefault(int(opened.path[-1]), Node("S_IFIFO"))


def _stat(world: World, process: _Process, call: LogCall) -> None:
    if call.ret != 0:
        return
    path = _stat_path(world, process, call)
    if not path or path in world.written:
        return
    mode = _MODE.search(call.text)
    if mode is None:
        world.exists(path)
        return
    node = world.exists(path, mode[1])
    if node is None:
        return
    _stated(node, call)
    if node.kind == "S_IFDIR":
        world.add_directory(path)


def _stated(node: Node, call: LogCall) -> Node:
    """The node with what a stat says of it."""
    mode, size, rdev = _MODE.search(call.text), _SIZE.search(call.text), _RDEV.search(call.text)
    if mode:
        node.kind = mode[1]
        node.mode = int(mode[3], 8) | sum(bit for name, bit in _STICKY.items() if name in mode[2])
    if size and node.size is None:
        node.size = int(size[1])
    elif size:
        node.size = max(node.size or 0, int(size[1])) if node.kind == "S_IFREG" else node.size
    if rdev:
        node.rdev = (int(rdev[1], 16), int(rdev[2], 16))
    return node


def _stat_path(world: World, process: _Process, call: LogCall) -> str:
    """The path a stat is about; "" for one of a descriptor that is no known file."""
    if call.name == "fstat" or (call.name in ("newfstatat", "statx") and call.args[1] == '""'):
        fd = _number(call.args[0])
        opened = process.fds.get(fd)
        if opened is not None and opened.path.startswith(STANDARD):
            world.standard.setdefault(int(opened.path[-1]), _stated(Node("S_IFREG"), call))
            return ""
        return opened.path if opened else ""
    if call.name in ("newfstatat", "statx"):
        return world.path(process, call.args[1], call.args[0])
    return world.path(process, call.args[0])


def _access(world: World, process: _Process, call: LogCall) -> None:
    at = call.name.startswith("faccessat")
    if call.ret == 0:
        path = world.path(process, call.args[1 if at else 0], call.args[0] if at else "AT_FDCWD")
        node = world.exists(path) if path else None
        if node is not None and "X_OK" in call.text:
            node.mode |= 0o111


def _chdir(world: World, process: _Process, call: LogCall) -> None:
    if call.ret == 0:
        process.cwd = world.path(process, call.args[0]) or process.cwd
        world.add_directory(process.cwd)


def _fchdir(world: World, process: _Process, call: LogCall) -> None:
    opened = process.fds.get(_number(call.args[0]))
    if call.ret == 0 and opened is not None and opened.path.startswith("/"):
        process.cwd = opened.path


def _receive(world: World, process: _Process, call: LogCall) -> None:
    """Descriptors that came in a message."""
    if call.ret is None or call.ret < 0:
        return
    for fds in re.findall(r"cmsg_type=SCM_RIGHTS, cmsg_data=\[([\d, ]+)\]", call.text):
        for fd in map(int, fds.split(",")):
            process.fds[fd] = _Open("")
            (process.cloexec.add if "MSG_CMSG_CLOEXEC" in call.text else process.cloexec.discard)(fd)


def _readlink(world: World, process: _Process, call: LogCall) -> None:
    at = call.name == "readlinkat"
    path = world.path(process, call.args[1 if at else 0], call.args[0] if at else "AT_FDCWD")
    target = string_of(call.args[2 if at else 1])
    assert call.ret is not None
    if call.ret > 0 and path and target is not None:
        node = world.exists(path, "S_IFLNK")
        if node is not None:
            node.kind, node.target = "S_IFLNK", target[0]
    elif call.errno == "EINVAL" and path:
        world.exists(path)


def _getdents(world: World, process: _Process, call: LogCall) -> None:
    opened = process.fds.get(_number(call.args[0]))
    counted = _ENTRIES.search(call.text)
    if opened is None or counted is None or call.ret is None or call.ret < 0:
        return
    opened.listing[0] += int(counted[1])
    opened.listing[1] += call.ret
    node = world.nodes.get(opened.path)
    if call.ret == 0 and node is not None and node.filler is None:
        node.filler = (opened.listing[0], opened.listing[1])


def _make(world: World, process: _Process, call: LogCall) -> None:
    if call.ret != 0:
        return
    at = call.name.endswith("at") and not call.name.startswith("sym")
    path = world.path(process, call.args[1 if at else 0], call.args[0] if at else "AT_FDCWD")
    if call.name.startswith("symlink") or call.name.startswith("link"):
        path = world.path(process, call.args[-1])
    if path:
        world.make(path)


def _remove(world: World, process: _Process, call: LogCall) -> None:
    at = call.name == "unlinkat"
    path = world.path(process, call.args[1 if at else 0], call.args[0] if at else "AT_FDCWD")
    if call.ret == 0 and path:
        world.exists(path, "S_IFDIR" if call.name == "rmdir" else "S_IFREG")
        world.made.add(path)


def _rename(world: World, process: _Process, call: LogCall) -> None:
    if call.ret == 0:
        old, new = (world.path(process, call.args[i]) for i in (0, 1)) if call.name == "rename" else ("", "")
        if old:
            world.exists(old)
            world.made.update((old, new))


_Handler = Callable[[World, _Process, LogCall], None]


def _table(pairs: Iterable[tuple[str, _Handler]]) -> dict[str, _Handler]:
    return {name: handler for names, handler in pairs for name in names.split()}


_HANDLERS = _table(
    [
        ("open openat openat2 creat", _open),
        ("close", _close),
        ("pipe pipe2 socketpair", _pair),
        ("bind", _bind),
        (
            "socket accept accept4 epoll_create epoll_create1 eventfd2 timerfd_create signalfd4",
            _new_descriptor,
        ),
        ("dup dup2 dup3 fcntl", _dup),
        ("execve execveat", _execve),
        ("read pread64", _read),
        ("write pwrite64 writev ftruncate", _write),
        ("sendfile sendfile64", _sendfile),
        ("copy_file_range", _copy_range),
        ("lseek", _lseek),
        (" ".join(_STATS), _stat),
        ("access faccessat faccessat2", _access),
        ("chdir", _chdir),
        ("fchdir", _fchdir),
        ("recvmsg", _receive),
        ("readlink readlinkat", _readlink),
        ("getdents64", _getdents),
        ("mkdir mkdirat symlink symlinkat link mknod mknodat", _make),
        ("unlink unlinkat rmdir", _remove),
        ("rename renameat renameat2", _rename),
    ]
)
