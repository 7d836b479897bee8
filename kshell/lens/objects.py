"""Snapshots of the objects that a task reaches: struct, address, raw field values, and what hangs below.

`kshell.lens.shown` says what a student sees of a struct; the table BELOW which pointers are followed from it, and what
they are read from: where all that is as it was before, the same objects hang below.
Every value is read from the model; nothing here knows a terminal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from kshell.lens import names
from kshell.lens.open_files import open_files
from kshell.lens.shown import Source, Spec, has, words_of
from kshell.linux.mm.slub import _is_free

if TYPE_CHECKING:
    from kshell.linux.init.kernel import Kernel

FEW: Final = 4
"""Packets of a queue, slots of a pipe … that a snapshot follows; the rest is counted."""


class Node:
    """An object in a snapshot. `edge` is the field that leads to it, `note` how it is called there, `raw` the values
    of its spec's fields, and behind them what its pointers are read from.

    identity: the same for the same object in two snapshots. more: elements of its lists that were not followed.
    """

    __slots__ = ("address", "children", "edge", "identity", "more", "note", "raw", "spec", "value")

    def __init__(
        self, edge: str, value: object, spec: Spec, raw: tuple[object, ...], address: int = 0, note: str = "",
        children: Sequence[Node] = (), more: int = 0,
    ) -> None:  # fmt: skip
        self.edge = edge
        self.value = value
        self.spec = spec
        self.raw = raw
        self.address = address
        self.identity = address or id(value)
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

    __slots__ = ("nodes", "roots", "twins")

    def __init__(self, roots: list[Node], nodes: dict[int, Node], twins: Sequence[Node] = ()) -> None:
        self.roots = roots
        self.nodes = nodes
        self.twins = twins
        """Nodes of other objects that have the same identity as one in `nodes`: clones of packets."""

    @classmethod
    def of(cls, *roots: Node) -> Snapshot:
        """The snapshot of trees that stand already."""
        nodes: dict[int, Node] = {}
        for root in roots:
            for node in root.walk():
                nodes.setdefault(node.identity, node)
        return cls(list(roots), nodes)

    def changed(self) -> dict[int, tuple[object, ...]]:
        """What is read now of the objects that are no longer as they were, by their ids; each is read once, however
        many ways lead to it."""
        return {
            id(node.value): raw
            for nodes in (self.nodes.values(), self.twins)
            for node in nodes
            if (raw := node.spec.read(node.value)) != node.raw
        }


def node_of(edge: str, value: object) -> Node:
    """An object alone, without what hangs below it."""
    kind = _kind_of(value)
    return Node(edge, value, kind, kind.read(value), getattr(value, "_addr", 0))


def snapshot(tasks: Sequence[object], before: Snapshot | None = None) -> Snapshot:
    """What tasks reach by their descriptors, from the task_struct down.

    before: a snapshot to share nodes with, all of them if nothing has changed since.
    """
    if before is None:
        walk = _Walk({}, {})
        return Snapshot([walk.visit(None, "", task) for task in tasks], walk.nodes, walk.twins)
    changed, was = before.changed(), {id(root.value): root for root in before.roots}
    if not changed and [*was] == [*map(id, tasks)]:
        return Snapshot(before.roots, before.nodes, before.twins)
    walk = _Walk(before.nodes, changed)
    return Snapshot([walk.visit(was.get(id(task)), "", task) for task in tasks], walk.nodes, walk.twins)


def object_node(edge: str, value: object) -> Node:
    """Any object with what hangs below it."""
    return _Walk({}, {}).visit(None, edge, value)


class _Walk:
    """One walk over objects. `nodes`: what has been met; `before`: what was, `changed`: what is read now of that of it
    which is different."""

    __slots__ = ("before", "changed", "nodes", "twins")

    def __init__(self, before: dict[int, Node], changed: Mapping[int, tuple[object, ...]]) -> None:
        self.before = before
        self.changed = changed
        self.nodes: dict[int, Node] = {}
        self.twins: list[Node] = []

    def visit(self, was: Node | None, edge: str, value: object, note: str = "") -> Node:
        """An object with what hangs below it, unless it has been met. was: where the same field led before."""
        if was is not None and was.value is value and was.note == note:
            return self._again(was)
        return self._new(was, edge, value, note)

    def _again(self, was: Node) -> Node:
        """The object where the same field leads as before: `was` itself, if nothing is different in it and below it."""
        identity = was.identity
        met = self.nodes.get(identity)
        if (met is None) is not (self.before[identity] is was) or id(was.value) in self.changed:
            return self._new(was, was.edge, was.value, was.note)
        if met is not None:
            if met.value is not was.value:
                self.twins.append(was)
            return was
        node = was
        if was.children:
            again = self._again
            children = [again(child) for child in was.children]
            if children != was.children:
                node = Node(was.edge, was.value, was.spec, was.raw, was.address, was.note, children, was.more)
        self.nodes[identity] = node
        return node

    def _new(self, was: Node | None, edge: str, value: object, note: str) -> Node:
        kind = _kind_of(value)
        raw = self.changed.get(id(value)) or kind.read(value)
        node = Node(edge, value, kind, raw, getattr(value, "_addr", 0), note)
        met = self.nodes.setdefault(node.identity, node)
        if met is not node:
            if met.value is not value:
                self.twins.append(node)
        elif kind.follows:
            found: list[Pointer] = []
            for follow, place in kind.follows:
                if raw[place] is not None and raw[place] != ():
                    node.more += follow(value, found) or 0
            if found:
                old = {child.edge: child for child in was.children} if was is not None else {}
                node.children = [self.visit(old.get(edge), edge, value, note) for edge, value, note in found]
        return node


# ---- what hangs below

Pointer = tuple[str, object, str]
"""A field that leads to an object, the object, and how that is called there."""

Follow = Callable[[object, list[Pointer]], int | None]
"""Adds the pointers of an object to a list; how many there are more."""

Way = tuple[Follow, tuple[Source, ...]]
"""What follows pointers, and the sources they are read from: where these are the same, the pointers are, and where the
last is None or () there are none."""


def _field(name: str) -> Way:
    """The object that a field points to."""

    def follow(value: object, found: list[Pointer]) -> None:
        target = getattr(value, name, None)
        if target is not None and names.struct_name(target):
            found.append((name, target, ""))

    return follow, ((name, None, None),)


def _queue(name: str, *sources: Source) -> Way:
    """The first packets of a queue."""

    def follow(value: object, found: list[Pointer]) -> int:
        queue = getattr(value, name, None)
        count = len(queue) if queue is not None else 0
        if not count:
            return 0
        found += [(f"{name}[{index}]", skb, "") for index, skb in enumerate(islice(queue, FEW))]  # type: ignore[arg-type]
        return max(0, count - FEW)

    return follow, sources


def _linked(name: str) -> Way:
    """A queue whose packets are linked."""
    return _queue(name, (f"{name}.qlen", None, 0), (f"{name}.next", _first_packets, ()))


def _first_packets(skb: Any) -> object:
    found: list[object] = []
    while skb is not None and len(found) < FEW:
        found.append(skb)
        skb = skb.next
    return found


def _listed(queue: Any) -> object:
    """The first packets of a list, and how many there are."""
    return (len(queue), *queue[:FEW])


def _files(files: Any, found: list[Pointer]) -> None:
    found += [(f"fd_array[{fd}]", file, "") for fd, file in open_files(files)]


def _inode(file: object, found: list[Pointer]) -> None:
    inode = getattr(file, "f_inode", None)
    if inode is not None:
        found.append(("f_inode", inode, names.path_of(file)))


def _dentry(file: object, found: list[Pointer]) -> None:
    dentry = getattr(getattr(file, "f_path", None), "dentry", None)
    if dentry is not None and dentry.d_parent not in (None, dentry):
        found.append(("f_path.dentry", dentry, ""))


def _called(path: Any) -> object:
    """What the name of a path is made of: where it is, and the names on the way up, across what is mounted there."""
    dentry, mnt = path.dentry, path.mnt
    above = getattr(mnt, "mnt_parent", None)
    if dentry._d_parent is None and (above is None or above is mnt):
        return dentry
    found = [dentry, mnt]
    while True:
        while dentry._d_parent is not None:
            found.append(dentry.d_name)
            dentry = dentry._d_parent
        if above is None or above is mnt:
            return found
        dentry, mnt = mnt.mnt_mountpoint, above
        above = getattr(mnt, "mnt_parent", None)


def _accept_queue(sk: object, found: list[Pointer]) -> int:
    """The connections that wait for accept()."""
    requests = _requests(getattr(getattr(sk, "icsk_accept_queue", None), "rskq_accept_head", None))
    found += [(f"rskq_accept_head[{index}]", request, "") for index, request in enumerate(requests[:FEW])]
    return max(0, len(requests) - FEW)


def _requests(request: Any) -> list[object]:
    found = []
    while request is not None:
        found.append(request)
        request = request.dl_next
    return found


def _pipe_buffers(pipe: Any, found: list[Pointer]) -> int:
    """The slots of the ring that hold data."""
    tail, head, slots = pipe.tail, pipe.head, pipe.bufs
    for position in range(tail, min(head, tail + FEW)):
        index = position & (len(slots) - 1)
        if slots[index] is not None:
            found.append((f"bufs[{index}]", slots[index], ""))
    more: int = head - tail - FEW
    return max(0, more)


def _watched(ep: Any, found: list[Pointer]) -> int:
    """The files that an epoll instance watches."""
    items = list(ep.rbr.values())
    found += [(f"rbr[fd {item.ffd.fd}]", item, "") for item in items[:FEW]]
    return max(0, len(items) - FEW)


def _elements(table: Any) -> object:
    """All elements of a list or table, in order."""
    return tuple(table.values() if isinstance(table, dict) else table)


BELOW: Final[dict[str, tuple[Way, ...]]] = {
    "task_struct": (_field("fs"), _field("cred"), _field("files")),
    "files_struct": ((_files, (("fdt.fd", _elements, ()),)),),
    "file": ((_inode, (("f_inode", None, None),)), (_dentry, (("f_path", _called, None),)), _field("private_data")),
    "socket": (_field("sk"),),
    "request_sock": (_field("sk"),),
    "pipe_inode_info": ((_pipe_buffers, (("bufs", _elements, ()),)),),
    "eventpoll": ((_watched, (("rbr", _elements, ()),)),),
    "sock": (_linked("sk_receive_queue"), _linked("sk_write_queue")),
    "inet_connection_sock": (
        _field("icsk_bind_hash"), (_accept_queue, (("icsk_accept_queue.rskq_accept_head", _requests, ()),)),
    ),
    "tcp_sock": (_queue("tcp_rtx_queue", ("tcp_rtx_queue", _listed, ())),),
}  # fmt: skip
"""Pointers that are followed, by struct; those of the structs that it embeds come first. None leads back up."""

ASIDE: Final = frozenset({"fs", "cred", "f_path.dentry", "icsk_bind_hash"})
"""Those that are worth a line only when what they lead to is touched."""


class Kind(Spec):
    """What is read of objects of a class: the shown fields, and behind them what tells where pointers lead.

    follows: what follows the pointers, and the place of the value that tells whether there is anything to follow.
    """

    __slots__ = ("follows",)

    def __init__(self, cls: type) -> None:
        bases = [base.__name__ for base in reversed(cls.__mro__)]
        ways = [way for name in bases for way in BELOW.get(name, ()) if has(cls, way[1][0][0].partition(".")[0])]
        super().__init__(*words_of(cls), cls, [source for _, sources in ways for source in sources])
        follows: list[tuple[Follow, int]] = []
        place = len(self.names) - 1
        for follow, sources in ways:
            place += len(sources)
            follows.append((follow, place))
        self.follows = tuple(follows)


@cache
def _kind(cls: type) -> Kind:
    return Kind(cls)


def _kind_of(value: object) -> Kind:
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
