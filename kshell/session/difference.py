"""What differs between two moments of a session: objects, their fields and queues, counters, memory, the log, time.

Everything comes from two inventories (kshell.lens.inventory), so nothing that changed can be missed. What Linux has no
name for (the model's own helpers) is left out, and hash tables and lists are told by what came into them and left.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from kshell.lens import fields
from kshell.lens.inventory import Leaf, Ref, Thing, inventory
from kshell.lens.open_files import open_files
from kshell.lens.shown import spec_of
from kshell.world.machine import LOCALHOST

if TYPE_CHECKING:
    from kshell.linux.init.kernel import Kernel
    from kshell.session.session import Session

ORDER: Final = ("time", "created", "freed", "changed", "counter", "memory", "log")
ROOT: Final = "kernel"
ABSENT: Final = object()

_HIDDEN: Final = re.compile(r"(^|\.)_|^net_secret$")
_ELEMENT: Final = re.compile(r"[\[{]\d+[\]}]|\[b?['\"]|\.key\b|\[\d+\]")
_COUNTER: Final = re.compile(r"^mib\.(\w+)\[(\d+)\]$")
_MIB: Final = {
    "ip_statistics": "IPSTATS_MIB_", "tcp_statistics": "TCP_MIB_", "net_statistics": "LINUX_MIB_",
    "udp_statistics": "UDP_MIB_", "udplite_statistics": "UDP_MIB_", "icmp_statistics": "ICMP_MIB_",
    "icmpmsg_statistics": "ICMPMSG_MIB_",
}  # fmt: skip


class Differing:
    """One thing that differs: what kind, of which object, where that is, the field, and its values as text.

    main: whether it is one of the fields that `show` shows of such an object, or there are none.
    """

    __slots__ = ("address", "field", "main", "new", "old", "struct", "what", "where")

    def __init__(
        self, what: str, struct: str = "", address: int = 0, where: str = "", field: str = "", old: str = "",
        new: str = "", main: bool = True,
    ) -> None:  # fmt: skip
        self.main = main
        self.what = what
        self.struct = struct
        self.address = address
        self.where = where
        self.field = field
        self.old = old
        self.new = new

    @property
    def head(self) -> str:
        """The object: struct, address, and where it is."""
        place = f"   {self.where}" if self.where else ""
        return f"{self.struct} {self.address:#x}{place}" if self.address else f"{self.struct}{place}"

    def to_json(self) -> dict[str, str]:
        """The difference as a JSON-ready dict."""
        texts = {name: getattr(self, name) for name in ("what", "struct", "where", "field", "old", "new")}
        return {**texts, "address": f"{self.address:#x}" if self.address else ""}

    def __repr__(self) -> str:
        return f"{self.what}: {self.head} {self.field} {self.old} → {self.new}".rstrip(" →")


class View:
    """All that a session holds at one moment, ready to be compared."""

    def __init__(self, session: Session) -> None:
        kernels = {host: machine.kernel for host, machine in session.machines.items()}
        self.things = inventory({f"{ROOT} {host}".strip(): kernel for host, kernel in kernels.items()})
        self.by_key = {(thing.root, thing.label): thing for thing in self.things}
        self.places = {
            (f"{ROOT} {host}".strip(), label): place
            for host, kernel in kernels.items()
            for label, place in _places(session, host, kernel).items()
        }
        self.n = session.timeline.here
        self.now = session.now
        self.logs = {host: list(kernel.log_buf) for host, kernel in kernels.items()}
        self.slabs = {
            (host, cache.name): cache._inuse for host, kernel in kernels.items() for cache in kernel.slab_caches
        }


    def place(self, thing: Thing) -> str:
        """The descriptor or task that leads to it, and its host if there are several."""
        place = self.places.get((thing.root, thing.label), "")
        host = thing.root.removeprefix(ROOT).strip() or LOCALHOST
        return f"{host}: {place}" if len(self.logs) > 1 and thing.root != "clock" else place


def difference(before: View, after: View) -> list[Differing]:
    """What one has to be told to get from one moment to the other, in the order of ORDER."""
    return [
        *_time(before, after),
        *_came("created", after, before),
        *_came("freed", before, after),
        *sorted(_changed(before, after), key=lambda d: ORDER.index(d.what)),
        *_logged(before, after),
    ]


def _time(before: View, after: View) -> Iterator[Differing]:
    if before.now != after.now:
        yield Differing("time", "virtual time", old=seconds(before.now), new=seconds(after.now))


def _came(what: str, there: View, elsewhere: View) -> Iterator[Differing]:
    for thing in there.things:
        if (thing.root, thing.label) not in elsewhere.by_key:
            yield Differing(what, thing.struct, thing.address, there.place(thing))


def _changed(before: View, after: View) -> Iterator[Differing]:
    for thing in after.things:
        old = before.by_key.get((thing.root, thing.label))
        if old is not None and thing.struct != "clock" and old.fields != thing.fields:
            where = after.place(thing)
            for path in {**old.fields, **thing.fields}:
                if old.fields.get(path, ABSENT) != thing.fields.get(path, ABSENT):
                    yield from _field(old, thing, path, where)
    for (host, name), count in after.slabs.items():
        was = before.slabs.get((host, name), 0)
        if was != count:
            yield Differing("counter", "kmem_cache", 0, host, f"{name}: objects", str(was), str(count))


def _field(old: Thing, new: Thing, path: str, where: str) -> Iterator[Differing]:
    """One field of an object that is there before and after, if a reader can make something of it."""
    a, b = (_value(thing, path, other) for thing, other in ((old, new), (new, old)))
    counter = _COUNTER.match(path)
    if counter is not None:
        yield Differing("counter", "net", new.address, "", _counter_name(*counter.groups()), str(a), str(b))
    elif isinstance(a, bytes) and isinstance(b, bytes) and new.struct == "mm_struct":
        yield Differing("memory", new.struct, new.address, where, "user memory", *_bytes(a, b))
    elif new.struct.startswith(ROOT):
        if type(a) is type(b) is int and path.isidentifier() and not _HIDDEN.search(path):
            yield Differing("counter", new.struct, 0, "", path, str(a), str(b))
    elif not _HIDDEN.search(path) and not _is_inside(a) and not _is_inside(b) and a != b:
        yield from _plain_field(old, new, path, where, a, b)


def _plain_field(old: Thing, new: Thing, path: str, where: str, a: Leaf, b: Leaf) -> Iterator[Differing]:
    name = path.removesuffix(".len")
    if name != path:
        if not _ELEMENT.search(name):
            main = _is_main(new, name)
            yield Differing("changed", new.struct, new.address, where, name, _entries(a), _entries(b), main)
    elif not _ELEMENT.search(path):
        name = _linux_name(new, path)
        texts = _text(old, name, a), _text(new, name, b)
        yield Differing("changed", new.struct, new.address, where, name, *texts, _is_main(new, name))


def _is_main(thing: Thing, path: str) -> bool:
    cls: type = type(thing.value)
    shown = spec_of(cls).names
    return not shown or path.split(".")[0] in shown


def _value(thing: Thing, path: str, other: Thing) -> Leaf:
    """A field; one that is not there yet is what the other one of its kind is at first: 0, NULL or empty."""
    if path in thing.fields:
        return thing.fields[path]
    default = getattr(type(thing.value), path, None)
    if isinstance(default, int | str | bytes):
        return default
    beside = other.fields[path]
    if isinstance(beside, int) and not isinstance(beside, bool):
        return 0
    return b"" if isinstance(beside, bytes) else None


def _is_inside(value: Leaf) -> bool:
    """Whether a pointer leads into another object: which of two owners such a part has depends on the way to it."""
    return isinstance(value, Ref) and "." in value


def _linux_name(thing: Thing, path: str) -> str:
    """The name by which Linux's macros know a field of sock_common."""
    return next((name for name in _macros(path) if hasattr(type(thing.value), name)), path)


def _macros(path: str) -> Iterable[str]:
    return (prefix + path[4:] for prefix in ("inet_", "sk_")) if path.startswith("skc_") else ()


def _text(thing: Thing, path: str, value: Leaf) -> str:
    if isinstance(value, Ref):
        return str(value)
    if value is None:
        return "NULL"
    return fields.text(thing.value, path.rsplit(".", 1)[-1], value)


def _entries(count: Leaf) -> str:
    if not isinstance(count, int) or not count:
        return "empty"
    return f"{count} entr{'y' if count == 1 else 'ies'}"


def _bytes(old: bytes, new: bytes) -> tuple[str, str]:
    """How much of the memory differs."""
    if not old:
        return "not mapped", f"{len(new)} bytes mapped"
    count = sum(x != y for x, y in zip(old, new, strict=False)) + abs(len(old) - len(new))
    return "", f"{count} byte{'' if count == 1 else 's'} differ"


def _counter_name(table: str, index: str) -> str:
    from kshell.linux.include.linux import snmp

    prefix = _MIB.get(table, "")
    found = (n for n, v in vars(snmp).items() if prefix and n.startswith(prefix) and v == int(index))
    return f"{table} {next(found, index)}"


def _logged(before: View, after: View) -> Iterator[Differing]:
    """The lines that the later log has more; none is lost on the way back."""
    for host, log in after.logs.items():
        known = before.logs.get(host, [])
        longer, shorter = (log, known) if len(log) >= len(known) else (known, log)
        for when, _, text in longer[len(shorter) :]:
            line = f"[{seconds(when)}] {text}"
            yield Differing("log", "", 0, host, "", *(("", line) if longer is log else (line, "")))


def seconds(nanoseconds: int) -> str:
    """Nanoseconds as seconds."""
    return f"{nanoseconds / 1e9:.6f} s"


def _places(session: Session, host: str, kernel: Kernel) -> dict[str, str]:
    """What a person calls an object, by its label: the descriptor that leads to it, or the task."""
    found: dict[str, str] = {}
    tasks = session.hosts[host].tasks
    for task in kernel.tasklist:
        name = tasks.name_of(task) or f"task {task.pid}"
        for part in ("files", "mm", "fs", "cred", "signal", "_sighand", "thread_pid", "nsproxy"):
            _name(found, getattr(task, part, None), name)
        _name(found, task, name)
        for fd, file in open_files(task.files) if task.files is not None else ():
            for thing in _behind(file):
                _name(found, thing, f"fd {fd} of {name}")
    return found


def _behind(file: object) -> Iterable[object]:
    private = getattr(file, "private_data", None)
    inode = getattr(file, "f_inode", None)
    dentry = getattr(getattr(file, "f_path", None), "dentry", None)
    return [file, dentry, inode, getattr(inode, "vfs_inode", None), private, getattr(private, "sk", None)]


def _name(found: dict[str, str], thing: object, name: str) -> None:
    address = getattr(thing, "_addr", 0)
    if address:
        for cls in type(thing).__mro__:
            if not cls.__name__.startswith("_"):
                found.setdefault(f"{cls.__name__} {address:#x}", name)


# ---- as text


def text_of(differing: Iterable[Differing], everything: bool = False) -> list[str]:
    """The differences for a reader, by object. Without `everything` there are only fields that `show` shows of such
    an object, and no slab counts, which what was created and freed tells already."""
    found = list(differing)
    told = [one for one in found if everything or (one.main and one.struct != "kmem_cache")]
    lines: list[str] = []
    what = head = ""
    for one in told:
        if one.what != what and one.what in TITLES:
            lines.append(TITLES[one.what])
        if one.what == "changed" and (what, head) != (one.what, one.head):
            lines.append(f"  {one.head}")
        lines.append(_line(one))
        what, head = one.what, one.head
    if len(found) > len(told):
        lines.append(f"… {len(found) - len(told)} more that `all` shows")
    return lines


TITLES: Final = {
    "created": "created", "freed": "freed", "changed": "changed", "counter": "counters", "memory": "user memory",
    "log": "kernel log",
}  # fmt: skip


def _line(one: Differing) -> str:
    if one.what == "time":
        return f"virtual time {one.old} → {one.new}"
    if one.what == "log":
        return f"  + {one.new}" if one.new else f"  - {one.old}"
    if one.what == "memory":
        return f"  {one.head}   {one.new}"
    if one.what == "counter":
        owner = one.struct if not one.where else f"{one.where} {one.struct}"
        return f"  {owner} {one.field} {one.old} → {one.new}"
    if one.what == "changed":
        return f"    {one.field} {one.old} → {one.new}"
    return f"  {one.head}"


MOST_TOLD: Final = 3
INNER: Final = frozenset({"socket_alloc", "dentry", "inode", "sighand_struct", "cred", "fs_struct", "signal_struct",
                          "pid", "mm_struct", "files_struct", "proc_inode", "inet_bind_bucket", "inet_bind2_bucket",
                          "shmem_inode_info"})  # fmt: skip
"""Objects that come with another which tells more."""

_FIRST: Final = ("sk_state", "state", "qlen", "head")
_LAST: Final = ("count", "refcnt", "next_fd")


def brief(differing: Iterable[Differing]) -> str:
    """The differences in one line: what came and went, and the fields that tell most."""
    found = list(differing)
    parts = [f"time {one.old} → {one.new}" for one in found if one.what == "time"]
    for what, word in (("created", "new"), ("freed", "freed")):
        structs = [one.struct for one in found if one.what == what and one.struct not in INNER]
        if structs:
            parts.append(f"{word} {_counted(structs)}")
    told = [one for one in found if one.what == "changed" and one.main and one.where]
    told.sort(key=lambda one: one.field.endswith(_LAST) - one.field.endswith(_FIRST))
    parts += [f"{one.struct}.{one.field} {one.old} → {one.new}" for one in told[:MOST_TOLD]]
    if len(told) > MOST_TOLD:
        parts.append(f"… {len(told) - MOST_TOLD} more")
    return ", ".join(parts)


def _counted(structs: list[str]) -> str:
    counts = {struct: structs.count(struct) for struct in structs}
    return " ".join(struct if count == 1 else f"{count} {struct}" for struct, count in counts.items())
