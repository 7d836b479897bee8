"""What each call of a strace log shows of the files that were there before, and of what its process has open."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from kshell.abi.fcntl import O_ACCMODE
from kshell.lang.encode import UNSEEN
from kshell.session.strace.lines import LogCall
from kshell.session.strace.nodes import STATS, Cover, Node, number_of, string_of
from kshell.session.strace.processes import Open, Process

if TYPE_CHECKING:
    from kshell.session.strace.world import World

_ANNOTATION = re.compile(r"<(?:->|[^<>])*>")
_MODE = re.compile(r"stx?_mode=(S_IF\w+)((?:\|S_IS\w+)*)\|(0\d*)")
_SIZE = re.compile(r"stx?_size=(\d+)")
_RDEV = re.compile(r"st_rdev=makedev\((0x[0-9a-f]+), (0x[0-9a-f]+)\)")
_ENTRIES = re.compile(r"/\* (\d+) entries \*/")
_STICKY = {"S_ISUID": 0o4000, "S_ISGID": 0o2000, "S_ISVTX": 0o1000}
_ABOUT_A_PROCESS = re.compile(
    r"/proc/(?:self|thread-self|\d+)/(?:task/\d+/)?(?:auxv|cmdline|environ|io|maps|oom_score|oom_score_adj|sched|"
    r"schedstat|smaps|smaps_rollup|stat|statm|status|wchan)"
)
"""Files of proc that tell of a process's memory, its time and its past: each open of one finds another text."""


def _open(world: World, process: Process, call: LogCall) -> None:
    at = call.name in ("openat", "openat2")
    rest = call.args[2 if at else 1 :]
    flags = rest[0] if rest and call.name != "creat" else "O_CREAT|O_TRUNC|O_WRONLY"
    path = world.path_at(process, call, at)
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
    opened = process.hold(call.ret, Open(path), "O_CLOEXEC" in flags)
    if _ABOUT_A_PROCESS.fullmatch(path):
        opened.cover = world.covers[call.index] = Cover()


def _close(world: World, process: Process, call: LogCall) -> None:
    fd = number_of(call.args[0])
    if call.ret == 0:
        world.has_closed(fd)
    process.drop(fd)


def _pair(world: World, process: Process, call: LogCall) -> None:
    """pipe and socketpair: two numbers that are no files."""
    if call.ret == 0:
        pair = _ANNOTATION.sub("", call.args[-1] if call.name == "socketpair" else call.args[0])
        for fd in map(int, re.findall(r"\d+", pair)[:2]):
            world.allocated(process, fd)
            process.hold(fd, Open(""), "CLOEXEC" in call.text)


def _bind(world: World, process: Process, call: LogCall) -> None:
    name = re.search(r'sun_path=("(?:[^"\\]|\\.)*")', call.text)
    if call.ret == 0 and name and (path := world.path(process, name[1])):
        world.make(path)


def _new_descriptor(world: World, process: Process, call: LogCall) -> None:
    """socket and its like: the number is no file any more."""
    assert call.ret is not None
    if call.ret >= 0:
        world.allocated(process, call.ret)
        process.hold(call.ret, Open(""), "CLOEXEC" in call.text)


def _dup(world: World, process: Process, call: LogCall) -> None:
    assert call.ret is not None
    if call.ret < 0 or (call.name == "fcntl" and "F_DUPFD" not in call.args[1]):
        _set_cloexec(process, call)
        _asked_of(world, process, call)
        return
    if call.name == "dup" or call.name == "fcntl":
        world.allocated(process, call.ret, number_of(call.args[2]) if call.name == "fcntl" else 0)
    old = process.fds.get(number_of(call.args[0]))
    process.hold(call.ret, old or Open(""), "CLOEXEC" in " ".join(call.args[1:]))


def _set_cloexec(process: Process, call: LogCall) -> None:
    if call.name == "fcntl" and call.ret == 0 and call.args[1] == "F_SETFD":
        process.set_cloexec(number_of(call.args[0]), "FD_CLOEXEC" in call.args[2])


def _asked_of(world: World, process: Process, call: LogCall) -> None:
    """A descriptor that fcntl knows though nothing in the log opened it; the access mode of a standard one."""
    if call.name != "fcntl" or call.ret is None or call.ret < 0:
        return
    fd = number_of(call.args[0])
    if not process.is_open(fd) and not world.was_closed(fd):
        world.inherits(process, fd)
    elif fd in process.fds and process.fds[fd].standard == fd and call.args[1] == "F_GETFL":
        world.standard.setdefault(fd, Node("S_IFCHR" if fd == 0 else "S_IFREG")).flags = call.ret & O_ACCMODE


def _execve(world: World, process: Process, call: LogCall) -> None:
    if call.ret != 0:
        return
    path = world.path(process, call.args[0])
    world.exists(path)
    world.program(path)
    for fd in process.cloexec:
        process.fds.pop(fd, None)
    process.cloexec.clear()


def _read(world: World, process: Process, call: LogCall) -> None:
    opened = process.fds.get(number_of(call.args[0]))
    assert call.ret is not None
    if opened is None or call.ret < 0:
        return
    positioned = call.name == "pread64"
    at = number_of(call.args[3]) if positioned else opened.position
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


def _write(world: World, process: Process, call: LogCall) -> None:
    opened = process.fds.get(number_of(call.args[0]))
    if opened is not None and call.ret is not None and call.ret > 0:
        opened.position += call.ret
        world.written.add(opened.path)


def _sendfile(world: World, process: Process, call: LogCall) -> None:
    """What was sent from a file is what somebody reads next in just that length."""
    opened = process.fds.get(number_of(call.args[1]))
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


def _copy_range(world: World, process: Process, call: LogCall) -> None:
    """Both files are on one file system."""
    opened = process.fds.get(number_of(call.args[2]))
    if opened is None or call.ret is None or call.ret < 0:
        return
    node = world.standard_node(opened, "S_IFREG")
    if node is not None:
        node.here = True


def _lseek(world: World, process: Process, call: LogCall) -> None:
    opened = process.fds.get(number_of(call.args[0]))
    if opened is None:
        return
    if call.ret is not None and call.ret >= 0:
        opened.position = call.ret
    if call.errno == "ESPIPE":
        world.standard_node(opened, "S_IFIFO")


def _stat(world: World, process: Process, call: LogCall) -> None:
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


def _stat_path(world: World, process: Process, call: LogCall) -> str:
    """The path a stat is about; "" for one of a descriptor that is no known file."""
    if call.name == "fstat" or (call.name in ("newfstatat", "statx") and call.args[1] == '""'):
        opened = process.fds.get(number_of(call.args[0]))
        if opened is not None and opened.standard is not None:
            world.standard.setdefault(opened.standard, _stated(Node("S_IFREG"), call))
            return ""
        return opened.path if opened else ""
    return world.path_at(process, call, call.name in ("newfstatat", "statx"))


def _access(world: World, process: Process, call: LogCall) -> None:
    if call.ret == 0:
        path = world.path_at(process, call, call.name.startswith("faccessat"))
        node = world.exists(path) if path else None
        if node is not None and "X_OK" in call.text:
            node.mode |= 0o111


def _chdir(world: World, process: Process, call: LogCall) -> None:
    if call.ret == 0:
        process.cwd = world.path(process, call.args[0]) or process.cwd
        world.add_directory(process.cwd)


def _fchdir(world: World, process: Process, call: LogCall) -> None:
    opened = process.fds.get(number_of(call.args[0]))
    if call.ret == 0 and opened is not None and opened.path.startswith("/"):
        process.cwd = opened.path


def _receive(world: World, process: Process, call: LogCall) -> None:
    """Descriptors that came in a message."""
    if call.ret is None or call.ret < 0:
        return
    for fds in re.findall(r"cmsg_type=SCM_RIGHTS, cmsg_data=\[([\d, ]+)\]", call.text):
        for fd in map(int, fds.split(",")):
            process.hold(fd, Open(""), "MSG_CMSG_CLOEXEC" in call.text)


def _readlink(world: World, process: Process, call: LogCall) -> None:
    at = call.name == "readlinkat"
    path = world.path_at(process, call, at)
    target = string_of(call.args[2 if at else 1])
    assert call.ret is not None
    if call.ret > 0 and path and target is not None:
        node = world.exists(path, "S_IFLNK")
        if node is not None:
            node.kind, node.target = "S_IFLNK", target[0]
    elif call.errno == "EINVAL" and path:
        world.exists(path)


def _getdents(world: World, process: Process, call: LogCall) -> None:
    opened = process.fds.get(number_of(call.args[0]))
    counted = _ENTRIES.search(call.text)
    if opened is None or counted is None or call.ret is None or call.ret < 0:
        return
    opened.listing[0] += int(counted[1])
    opened.listing[1] += call.ret
    node = world.nodes.get(opened.path)
    if call.ret == 0 and node is not None and node.filler is None:
        node.filler = (opened.listing[0], opened.listing[1])


def _make(world: World, process: Process, call: LogCall) -> None:
    if call.ret != 0:
        return
    path = world.path_at(process, call, call.name.endswith("at") and not call.name.startswith("sym"))
    if call.name.startswith("symlink") or call.name.startswith("link"):
        path = world.path(process, call.args[-1])
    if path:
        world.make(path)


def _remove(world: World, process: Process, call: LogCall) -> None:
    path = world.path_at(process, call, call.name == "unlinkat")
    if call.ret == 0 and path:
        world.exists(path, "S_IFDIR" if call.name == "rmdir" else "S_IFREG")
        world.made.add(path)


def _rename(world: World, process: Process, call: LogCall) -> None:
    if call.ret == 0:
        old, new = (world.path(process, call.args[i]) for i in (0, 1)) if call.name == "rename" else ("", "")
        if old:
            world.exists(old)
            world.made.update((old, new))


Shows = Callable[["World", Process, LogCall], None]


def _table(pairs: Iterable[tuple[str, Shows]]) -> dict[str, Shows]:
    return {name: handler for names, handler in pairs for name in names.split()}


SHOWS: Final = _table(
    [
        ("open openat openat2 creat", _open),
        ("close", _close),
        ("pipe pipe2 socketpair", _pair),
        ("bind", _bind),
        ("socket accept accept4 epoll_create epoll_create1 eventfd2 timerfd_create signalfd4", _new_descriptor),
        ("dup dup2 dup3 fcntl", _dup),
        ("execve execveat", _execve),
        ("read pread64", _read),
        ("write pwrite64 writev ftruncate", _write),
        ("sendfile sendfile64", _sendfile),
        ("copy_file_range", _copy_range),
        ("lseek", _lseek),
        (" ".join(STATS), _stat),
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
