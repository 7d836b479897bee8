"""Puts a strace log's world into a machine, by system calls of a process of its own."""

from __future__ import annotations

from collections.abc import Iterator
from posixpath import basename, dirname
from typing import TYPE_CHECKING

from kshell.abi.stat import MS_BIND, S_IFCHR
from kshell.linux.fs.kernfs.dir import _kernfs_add_groups, kernfs_create_dir_ns, kernfs_find_ns
from kshell.linux.fs.proc.generic import proc_create_seq_private, proc_create_single_data
from kshell.linux.fs.seq_file import seq_write
from kshell.linux.include.linux.kernfs import attribute, attribute_group
from kshell.linux.include.linux.proc_fs import proc_dir_entry
from kshell.linux.include.linux.seq_file import seq_operations
from kshell.session.strace.nodes import Node
from kshell.session.strace.world import World
from kshell.userland.direct import AT_FDCWD, Process, SystemCallError

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import inode
    from kshell.linux.include.linux.seq_file import seq_file

O_RDONLY, O_WRONLY, O_CREAT, O_DIRECTORY, O_PATH = 0, 1, 0o100, 0o200000, 0o10000000
ELSEWHERE = "/.kshell"
"""A file system apart: standard output, and what is mounted over files of proc."""

OWN_PROC = ("/proc/net/", "/proc/sys/", "/proc/self/")
CHUNK = 0x40000
TMPFS_EMPTY, TMPFS_ENTRY = 40, 20
"""Size of an empty directory of tmpfs, and what each entry adds."""

_HEADER = 19
_BOTH_DOTS = 2 * 24


def supply(process: Process, world: World) -> list[str]:
    """Make every node of `world` that is not there; what could not be made, with why."""
    problems: list[str] = []
    for path in sorted(world.nodes):
        node = world.nodes[path]
        try:
            _make(process, path, node)
        except SystemCallError as error:
            problems.append(f"{path}: {error}")
        process.arena.release()
    for path, node in world.nodes.items():
        if node.kind == "S_IFDIR":
            _fill(process, world, path, node)
    for path, node in world.nodes.items():
        if node.kind == "S_IFDIR" and node.size is not None:
            _set_size(process, path, node.size)
    return problems


def _exists(process: Process, path: str) -> bool:
    try:
        process.call("access", path, 0)
    except SystemCallError:
        return False
    return True


def _make(process: Process, path: str, node: Node) -> None:
    if path.startswith("/proc/"):
        if node.kind == "S_IFREG":
            _proc_file(process, path, node)
        return
    if path.startswith("/sys/") and node.kind != "S_IFLNK":
        _sys_node(process, path, node)
        return
    if node.kind == "S_IFLNK":
        if not _exists(process, path):
            process.call("symlink", node.target + b"\0", path)
        return
    there = _exists(process, path)
    if node.kind == "S_IFDIR":
        if not there:
            process.call("mkdir", path, 0o755)
        if not there or node.mode != 0o755:
            process.call("chmod", path, node.mode)
    elif node.kind == "S_IFCHR":
        if there:
            process.call("chmod", path, node.mode)
        else:
            process.call("mknod", path, S_IFCHR | node.mode, node.rdev[0] << 8 | node.rdev[1])
    elif not there:
        _file(process, path, node)


def _proc_file(process: Process, path: str, node: Node) -> None:
    """A file of proc: the model's own where it tells of its state; else the log's, made or mounted over it."""
    contents = b"".join(node.contents[offset] for offset in sorted(node.contents))
    there = _exists(process, path)
    if there and (not contents or path.startswith(OWN_PROC)):
        return
    if there:
        cover = f"{ELSEWHERE}/{basename(path)}"
        _file(process, cover, node)
        process.call("mount", cover, path, 0, MS_BIND, 0)
        return
    kernel = process.task.kernel
    parent = kernel.init_net.proc_net if path.startswith("/proc/net/") else None
    if dirname(path) in ("/proc", "/proc/net"):
        assert parent is None or isinstance(parent, proc_dir_entry)
        proc_create_single_data(kernel, basename(path), 0, parent, _show_contents, contents)


def _sys_node(process: Process, path: str, node: Node) -> None:
    """A directory or an attribute of sysfs that the model does not have."""
    if _exists(process, path):
        return
    kn = process.task.kernel.sysfs_root
    *directories, last = path.split("/")[2:]
    for name in directories:
        kn = kernfs_find_ns(kn, name, None) or kernfs_create_dir_ns(kn, name, None, None)
    if node.kind == "S_IFDIR":
        kernfs_create_dir_ns(kn, last, None, None)
        return
    text = b"".join(node.contents[offset] for offset in sorted(node.contents)).decode("latin-1")
    shown = attribute(last, show=lambda priv: text, mode=node.mode)
    _kernfs_add_groups(kn, (attribute_group((shown,)),))


def lines_in_proc(process: Process, name: str, lines: list[bytes]) -> int:
    """A descriptor of a file of proc whose records are `lines`; proc does not list it."""
    entry = proc_create_seq_private(process.task.kernel, name, 0, None, LINES, lambda: lines, None)
    try:
        return process.call("openat", AT_FDCWD, f"/proc/{name}", O_RDONLY, 0)
    finally:
        assert entry.parent is not None
        del entry.parent.subdir[entry.name]


def _line_at(m: seq_file, pos: list[int]) -> object:
    assert isinstance(m.private, list)
    return m.private[pos[0]] if pos[0] < len(m.private) else None


def _line_after(m: seq_file, v: object, pos: list[int]) -> object:
    pos[0] += 1
    return _line_at(m, pos)


def _show_line(m: seq_file, v: object) -> None:
    assert isinstance(v, bytes)
    seq_write(m, v)


LINES = seq_operations(start=_line_at, next=_line_after, stop=lambda m, v: None, show=_show_line)


def _show_contents(m: seq_file, v: object) -> None:
    assert isinstance(m.private, bytes)
    seq_write(m, m.private)


def _file(process: Process, path: str, node: Node) -> None:
    fd = process.call("openat", AT_FDCWD, path, O_WRONLY | O_CREAT, 0o644)
    try:
        for offset in sorted(node.contents):
            data = node.contents[offset]
            for at in range(0, len(data), CHUNK):
                part = data[at : at + CHUNK]
                process.call("pwrite64", fd, part, len(part), offset + at)
                process.arena.release()
        if node.size is not None:
            process.call("ftruncate", fd, node.size)
        process.call("fchmod", fd, node.mode)
    finally:
        process.call("close", fd)


def _fill(process: Process, world: World, path: str, node: Node) -> None:
    """Entries whose names the log does not say: as many and as long as it counted."""
    known = [basename(p) for p in world.nodes if dirname(p) == path and p != "/"]
    for index, length in enumerate(_filler_lengths(node, known)):
        name = f"{index:0{min(length, 4)}}".ljust(length, "-")[:length]
        try:
            process.call("close", process.call("openat", AT_FDCWD, f"{path}/{name}", O_WRONLY | O_CREAT, 0o644))
        except SystemCallError:
            return
        process.arena.release()


def _filler_lengths(node: Node, known: list[str]) -> Iterator[int]:
    if node.filler is not None:
        count = node.filler[0] - 2 - len(known)
        room = node.filler[1] - _BOTH_DOTS - sum(_record(len(name.encode())) for name in known)
    elif node.size is not None and node.size % TMPFS_ENTRY == 0 and TMPFS_EMPTY <= node.size < 4096:
        count = (node.size - TMPFS_EMPTY) // TMPFS_ENTRY - len(known)
        room = count * 24
    else:
        return
    while count > 0:
        record = max(24, min(280, room // count // 8 * 8)) if count > 1 else max(24, min(280, room))
        yield record - _HEADER - 1
        room, count = room - record, count - 1


def _record(length: int) -> int:
    """Bytes of a linux_dirent64 with a name of that length."""
    return (_HEADER + length + 1 + 7) // 8 * 8


def _set_size(process: Process, path: str, size: int) -> None:
    """Directories of other file systems have sizes that tmpfs would not give them."""
    try:
        fd = process.call("openat", AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0)
    except SystemCallError:
        return
    found: inode = process.task.files.fdt.fd[fd].f_inode  # type: ignore[union-attr]
    if found.i_size != size:
        found.i_size = size
    process.call("close", fd)
