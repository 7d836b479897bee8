"""Names below /proc and /sys, for completion: read off the trees that they are made of, without a system call."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from posixpath import normpath
from typing import TYPE_CHECKING

from kshell.abi.stat import S_IFDIR, S_IFMT
from kshell.linux.include.linux.kernfs import _kernfs_is_dir

if TYPE_CHECKING:
    from kshell.linux.include.linux.kernfs import kernfs_node
    from kshell.linux.include.linux.proc_fs import proc_dir_entry
    from kshell.linux.init.kernel import Kernel


def names_below(kernel: Kernel, directory: str) -> Iterable[str] | None:
    """The names in a directory below /proc or /sys, those of directories with a slash; None elsewhere."""
    first, *rest = normpath(directory).strip("/").split("/")
    if not directory.startswith("/") or first not in ("proc", "sys"):
        return None
    return sorted(_proc(kernel, rest) if first == "proc" else _sys(kernel, rest))


def _proc(kernel: Kernel, rest: list[str]) -> Iterator[str]:
    pids = [str(task.pid) for task in kernel.tasklist]
    if not rest:
        yield from (name for name in _entries(kernel.proc_root) if name != "net")
        yield "net/"  # a link to a directory
        yield from (f"{pid}/" for pid in [*pids, "self"])
    elif rest[0] == "sys":
        yield from _settings(kernel, "/".join(rest[1:]))
    elif rest[0] in (*pids, "self") and len(rest) == 1:
        from kshell.linux.fs.proc.base import tgid_base_stuff

        yield from (_slashed(entry.name, entry.mode) for entry in tgid_base_stuff)
    else:
        if rest[0] in (*pids, "self"):
            rest = rest[1:]
        yield from _below(kernel, rest)


def _below(kernel: Kernel, rest: list[str]) -> Iterator[str]:
    found: proc_dir_entry | None = kernel.proc_root
    if rest[0] == "net":
        found, rest = kernel.init_net.proc_net, rest[1:]
    for name in rest:
        found = found.subdir.get(name.encode()) if found is not None else None
    if found is not None:
        yield from _entries(found)


def _entries(entry: proc_dir_entry) -> Iterator[str]:
    return (_slashed(name, below.mode) for name, below in entry.subdir.items())


def _slashed(name: bytes, mode: int) -> str:
    return name.decode("utf-8", "replace") + "/" * (mode & S_IFMT == S_IFDIR)


def _settings(kernel: Kernel, directory: str) -> Iterable[str]:
    """/proc/sys: the parts of the settings' paths."""
    from kshell.session.manual.sysctls import sysctl_paths

    before = f"{directory}/" if directory else ""
    rests = (path[len(before) :].partition("/") for path in sysctl_paths(kernel) if path.startswith(before))
    return {name + slash for name, slash, _ in rests}


def _sys(kernel: Kernel, rest: list[str]) -> Iterator[str]:
    found: kernfs_node | None = kernel.sysfs_root
    for name in rest:
        found = next((kn for kn in _children(found) if kn.name == name), None) if found is not None else None
        if found is not None and found.symlink is not None:
            found = found.symlink
    if found is not None:
        yield from (kn.name + "/" * (_kernfs_is_dir(kn) or kn.symlink is not None) for kn in _children(found))
        yield from (attr.name for group in found._groups if not group.name for attr in group.attrs)
        yield from (f"{group.name}/" for group in found._groups if group.name)


def _children(kn: kernfs_node) -> Iterator[kernfs_node]:
    """What the first network namespace sees in a directory."""
    return (child for child in kn.children.values() if child.ns is None or child.ns is kn._kernel.init_net)
