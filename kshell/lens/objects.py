"""Snapshots of the objects that a task reaches: struct, address, raw field values, and what hangs below.

`kshell.lens.shown` says what a student sees of a struct; the table BELOW which pointers are followed from it, and what
they are read from: where all that is as it was before, the same objects hang below.
Every value is read from the model; nothing here knows a terminal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Final

from kshell.lens import names
from kshell.lens.shown import REDUCED, Reduce, Spec, has, reader, spec_of
from kshell.linux.mm.slub import _is_free

if TYPE_CHECKING:
    from kshell.linux.init.kernel import Kernel

FEW: Final = 4
"""Packets of a queue, slots of a pipe … that a snapshot follows; the rest is counted."""


class Node:
    """An object in a snapshot. `edge` is the field that leads to it, `note` how it is called there, `raw` the values
    of its spec's fields, and behind them what its pointers are read from.

    more: elements of its lists that were not followed.
    """

    __slots__ = ("address", "children", "edge", "more", "note", "raw", "spec", "value")

    def __init__(
        self, edge: str, value: object, spec: Spec, raw: tuple[object, ...], address: int = 0, note: str = "",
        children: Sequence[Node] = (), more: int = 0,
    ) -> None:  # fmt: skip
        self.edge = edge
        self.value = value
        self.spec = spec
        self.raw = raw
        self.address = address
        self.note = note
        self.children = children
        self.more = more

    @property
    def struct(self) -> str:
        return self.spec.struct

    def text(self, index: int) -> str:
        """The value of a field of its spec."""
        return self.spec.write[index](self.raw[index])

    @property
    def fields(self) -> dict[str, str]:
        """The values as text, by field."""
        return {name: self.text(i) for i, name in enumerate(self.spec.names) if self.raw[i] is not None}

    @property
    def state(self) -> str:
        """The TCP state of a sock; "" for what has none."""
        index = self.spec.state
        return self.text(index) if index >= 0 else ""

    @property
    def identity(self) -> int:
        """The same for the same object in two snapshots."""
        return self.address or id(self.value)

    def walk(self) -> Iterator[Node]:
        """This node and all below it."""
        yield self
        for child in self.children:
            yield from child.walk()


class Snapshot:
    """What tasks reached at a moment: their trees, and for every object by its identity the node where it was met first.

    Where an object is met again its node has no children. What was the same in the snapshot before is not made again:
    two snapshots share the nodes of all that did not change between them.
    """

    __slots__ = ("nodes", "roots")

    def __init__(self, roots: list[Node], nodes: dict[int, Node]) -> None:
        self.roots = roots
        self.nodes = nodes

    @classmethod
    def of(cls, *roots: Node) -> Snapshot:
        """The snapshot of trees that stand already."""
        nodes: dict[int, Node] = {}
        for root in roots:
            for node in root.walk():
                nodes.setdefault(node.identity, node)
        return cls(list(roots), nodes)


def node_of(edge: str, value: object) -> Node:
    """An object alone, without what hangs below it."""
    spec = spec_of(type(value))  # type: ignore[arg-type]  # mypy: a class might not be hashable
    return Node(edge, value, spec, spec.read(value), getattr(value, "_addr", 0))


def snapshot(tasks: Iterable[object], before: Snapshot | None = None) -> Snapshot:
    """What tasks reach by their descriptors, from the task_struct down; before: a snapshot to share nodes with."""
    was = {id(root.value): root for root in before.roots} if before is not None else {}
    walk = _Walk(before.nodes if before is not None else {})
    return Snapshot([walk.visit(was.get(id(task)), "", task) for task in tasks], walk.nodes)


def object_node(edge: str, value: object) -> Node:
    """Any object with what hangs below it."""
    return _Walk({}).visit(None, edge, value)


class _Walk:
    """One walk over objects; `nodes`: what has been met. What `before` has and did not change is used again."""

    __slots__ = ("before", "nodes")

    def __init__(self, before: dict[int, Node]) -> None:
        self.before = before
        self.nodes: dict[int, Node] = {}

    def visit(self, was: Node | None, edge: str, value: object, note: str = "") -> Node:
        """An object with what hangs below it, unless it has been met. was: where the same field led before."""
        if was is not None and was.value is value and was.note == note:
            return self._again(was)
        return self._new(was, edge, value, note)

    def _again(self, was: Node) -> Node:
        """The object where the same field leads as before: `was` itself, if nothing is different in it and below it."""
        value = was.value
        identity = was.address or id(value)
        first = identity not in self.nodes
        if first is not (self.before[identity] is was) or was.raw != _kind_of(value).read(value):
            return self._new(was, was.edge, value, was.note)
        if not first:
            return was
        node = was
        if was.children:
            children = [self._again(child) for child in was.children]
            if children != was.children:
                node = Node(was.edge, value, was.spec, was.raw, was.address, was.note, children, was.more)
        self.nodes[identity] = node
        return node

    def _new(self, was: Node | None, edge: str, value: object, note: str) -> Node:
        kind = _kind_of(value)
        raw = kind.read(value)
        node = Node(edge, value, kind.spec, raw, getattr(value, "_addr", 0), note)
        if self.nodes.setdefault(node.identity, node) is node and kind.follows:
            below = _Below(self, was)
            for follow in kind.follows:
                follow(below, value)
            node.children, node.more = below.children, below.more
        return node


class _Below:
    """What is found below an object; was: the object in the snapshot before."""

    __slots__ = ("children", "more", "old", "walk")

    def __init__(self, walk: _Walk, was: Node | None) -> None:
        self.walk = walk
        self.old = {child.edge: child for child in was.children} if was is not None else {}
        self.children: list[Node] = []
        self.more = 0

    def add(self, edge: str, value: object, note: str = "") -> None:
        """A pointer and the object that it leads to."""
        self.children.append(self.walk.visit(self.old.get(edge), edge, value, note))


def open_files(files: object) -> Iterable[tuple[int, object]]:
    """The open descriptors of a files_struct."""
    table = files.fdt.fd  # type: ignore[attr-defined]
    return [(fd, file) for fd, file in enumerate(table) if file is not None]


# ---- what hangs below

Follow = Callable[[_Below, object], None]
Way = tuple[str, Reduce | None, Follow]
"""The field that pointers are read from, what of its value tells whether they are the same, and what follows them."""


def _field(name: str) -> Way:
    """The object that a field points to."""

    def follow(below: _Below, value: object) -> None:
        found = getattr(value, name, None)
        if found is not None and names.struct_name(found):
            below.add(name, found)

    return name, None, follow


def _queue(name: str) -> Way:
    """The first packets of a queue."""

    def follow(below: _Below, value: object) -> None:
        queue = getattr(value, name, None)
        if not queue or len(queue) == 0:
            return
        below.more += max(0, len(queue) - FEW)
        for index, skb in enumerate(islice(queue, FEW)):
            below.add(f"{name}[{index}]", skb)

    return name, _packets, follow


def _packets(queue: object) -> object:
    return (len(queue), *islice(queue, FEW)) if queue and len(queue) else ()  # type: ignore[arg-type, call-overload]


def _files(below: _Below, files: object) -> None:
    for fd, file in open_files(files):
        below.add(f"fd_array[{fd}]", file)


def _inode(below: _Below, file: object) -> None:
    inode = getattr(file, "f_inode", None)
    if inode is not None:
        below.add("f_inode", inode, names.path_of(file))


def _dentry(below: _Below, file: object) -> None:
    dentry = getattr(getattr(file, "f_path", None), "dentry", None)
    if dentry is not None and dentry.d_parent not in (None, dentry):
        below.add("f_path.dentry", dentry)


def _called(path: object) -> object:
    """A path: its dentry, and how it is called if that, or what it is mounted on, can be moved."""
    dentry, mnt = getattr(path, "dentry", None), getattr(path, "mnt", None)
    if dentry is None or (dentry.d_parent in (None, dentry) and getattr(mnt, "mnt_parent", None) in (None, mnt)):
        return dentry
    return dentry, names.place(dentry, mnt)


def _accept_queue(below: _Below, sk: object) -> None:
    """The connections that wait for accept()."""
    requests = _requests(getattr(sk, "icsk_accept_queue", None))
    below.more += max(0, len(requests) - FEW)
    for index, request in enumerate(requests[:FEW]):
        below.add(f"rskq_accept_head[{index}]", request)


def _requests(queue: object) -> list[object]:
    found = []
    request = getattr(queue, "rskq_accept_head", None)
    while request is not None:
        found.append(request)
        request = request.dl_next
    return found


def _pipe_buffers(below: _Below, pipe: object) -> None:
    """The slots of the ring that hold data."""
    tail, head, slots = pipe.tail, pipe.head, pipe.bufs  # type: ignore[attr-defined]
    for position in range(tail, min(head, tail + FEW)):
        index = position & (len(slots) - 1)
        if slots[index] is not None:
            below.add(f"bufs[{index}]", slots[index])
    below.more += max(0, head - tail - FEW)


def _watched(below: _Below, ep: object) -> None:
    """The files that an epoll instance watches."""
    items = list(ep.rbr.values())  # type: ignore[attr-defined]
    below.more += max(0, len(items) - FEW)
    for item in items[:FEW]:
        below.add(f"rbr[fd {item.ffd.fd}]", item)


def _elements(value: object) -> object:
    """All elements of a list or table, in order."""
    return tuple(value.values() if isinstance(value, dict) else value)  # type: ignore[arg-type]


BELOW: Final[dict[str, tuple[Way, ...]]] = {
    "task_struct": (_field("fs"), _field("cred"), _field("files")),
    "files_struct": (("fdt.fd", _elements, _files),),
    "file": (("f_inode", None, _inode), ("f_path", _called, _dentry), _field("private_data")),
    "socket": (_field("sk"),),
    "request_sock": (_field("sk"),),
    "pipe_inode_info": (("bufs", _elements, _pipe_buffers),),
    "eventpoll": (("rbr", _elements, _watched),),
    "sock": (_queue("sk_receive_queue"), _queue("sk_write_queue")),
    "inet_connection_sock": (_field("icsk_bind_hash"), ("icsk_accept_queue", _requests, _accept_queue)),
    "tcp_sock": (_queue("tcp_rtx_queue"),),
}
"""Pointers that are followed, by struct; those of the structs that it embeds come first. None leads back up."""

ASIDE: Final = frozenset({"fs", "cred", "f_path.dentry", "icsk_bind_hash"})
"""Those that are worth a line only when what they lead to is touched."""


class _Kind:
    """What is read of objects of a class, and the pointers to follow from them."""

    __slots__ = ("follows", "read", "spec")

    def __init__(self, cls: type) -> None:
        bases = [base.__name__ for base in reversed(cls.__mro__)]
        ways = [way for name in bases for way in BELOW.get(name, ()) if has(cls, way[0].partition(".")[0])]
        self.spec = spec_of(cls)
        self.read = reader([(name, REDUCED.get(name)) for name in self.spec.names] + [way[:2] for way in ways])
        self.follows = tuple(follow for _, _, follow in ways)


@cache
def _kind(cls: type) -> _Kind:
    return _Kind(cls)


def _kind_of(value: object) -> _Kind:
    return _kind(type(value))  # type: ignore[arg-type]  # mypy: a class might not be hashable


_CONSUMED: Final = frozenset({"sk_buff", "tcp_request_sock", "inet_request_sock"})
"""Structs of lists: one that has left its list was used up, even if a clone shares its place in the slab."""


def alive(kernel: Kernel) -> Callable[[object], bool]:
    """Tells whether an object that nothing leads to any more is in use; what has no address of its own went with its
    owner."""

    def in_use(value: object) -> bool:
        address = getattr(value, "_addr", 0)
        return bool(address) and type(value).__name__ not in _CONSUMED and not _is_free(kernel, address)

    return in_use
