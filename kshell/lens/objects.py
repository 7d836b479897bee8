"""Snapshots of the objects that a task reaches: struct, address, raw field values, and what hangs below.

`kshell.lens.shown` says what a student sees of a struct; the table BELOW which pointers are followed from it.
Every value is read from the model; nothing here knows a terminal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Final

from kshell.lens import names
from kshell.lens.shown import Spec, spec_of, value_text

FEW: Final = 4
"""Packets of a queue, slots of a pipe … that a snapshot follows; the rest is counted."""


class Node:
    """An object in a snapshot. `edge` is the field that leads to it, `raw` the values of its spec's fields.

    more: elements of its lists that were not followed. aside: worth a line only when it is touched.
    """

    __slots__ = ("address", "aside", "children", "edge", "more", "note", "raw", "spec", "value")

    def __init__(self, edge: str, value: object, spec: Spec, raw: tuple[object, ...], address: int = 0) -> None:
        self.edge = edge
        self.value = value
        self.spec = spec
        self.raw = raw
        self.address = address
        self.note = ""
        self.aside = False
        self.more = 0
        self.children: list[Node] = []

    @property
    def struct(self) -> str:
        return self.spec.struct

    @property
    def fields(self) -> dict[str, str]:
        """The values as text, by field."""
        pairs = zip(self.spec.names, self.raw, strict=True)
        return {name: value_text(self.value, name, value) for name, value in pairs if value is not None}

    @property
    def identity(self) -> int:
        """The same for the same object in two snapshots."""
        return self.address or id(self.value)

    def walk(self) -> Iterator[Node]:
        """This node and all below it."""
        yield self
        for child in self.children:
            yield from child.walk()


Visit = Callable[[str, object], Node]
Follow = Callable[[Node, object, Visit], Iterable[Node]]


def node_of(edge: str, value: object) -> Node:
    """An object alone, without what hangs below it."""
    spec = spec_of(type(value))  # type: ignore[arg-type]  # mypy: a class might not be hashable
    return Node(edge, value, spec, spec.read(value), getattr(value, "_addr", 0))


def snapshot(task: object) -> Node:
    """What a task reaches by its descriptors, from the task_struct down."""
    return snapshots([task]).children[0]


def snapshots(tasks: Iterable[object]) -> Node:
    """What tasks reach, below a root without a value. An object stands where it is met first; later it is a node
    without children."""
    seen: set[int] = set()

    def visit(edge: str, value: object) -> Node:
        node = node_of(edge, value)
        if id(value) not in seen:
            seen.add(id(value))
            for follow in followers(type(value)):  # type: ignore[arg-type]
                node.children.extend(follow(node, value, visit))
        return node

    root = Node("", None, _NOTHING, ())
    root.children = [visit("", task) for task in tasks]
    return root


_NOTHING: Final = Spec("", [])


def object_node(edge: str, value: object) -> Node:
    """Any object with what hangs below it."""
    node = snapshot(value)
    node.edge = edge
    return node


file_node = object_node


def open_files(files: object) -> Iterable[tuple[int, object]]:
    """The open descriptors of a files_struct."""
    table = files.fdt.fd  # type: ignore[attr-defined]
    return [(fd, file) for fd, file in enumerate(table) if file is not None]


# ---- what hangs below


def _field(name: str, aside: bool = False, edge: str = "") -> Follow:
    """The object that a field points to."""

    def follow(node: Node, value: object, visit: Visit) -> Iterable[Node]:
        found = getattr(value, name, None)
        if found is None or not names.struct_name(found):
            return ()
        below = visit(edge or name, found)
        below.aside = aside
        return (below,)

    return follow


def _queue(name: str) -> Follow:
    """The first packets of a queue."""

    def follow(node: Node, value: object, visit: Visit) -> Iterable[Node]:
        queue = getattr(value, name, None)
        if not queue or len(queue) == 0:
            return ()
        found = []
        for index, skb in enumerate(queue):
            if index == FEW:
                node.more += len(queue) - FEW
                break
            found.append(visit(f"{name}[{index}]", skb))
        return found

    return follow


def _files(node: Node, files: object, visit: Visit) -> Iterable[Node]:
    return [visit(f"fd_array[{fd}]", file) for fd, file in open_files(files)]


def _inode(node: Node, file: object, visit: Visit) -> Iterable[Node]:
    inode = getattr(file, "f_inode", None)
    if inode is None:
        return
    below = visit("f_inode", inode)
    below.note = names.path_of(file)
    yield below
    dentry = getattr(getattr(file, "f_path", None), "dentry", None)
    if dentry is not None and dentry.d_parent not in (None, dentry):
        shown = visit("f_path.dentry", dentry)
        shown.aside = True
        yield shown


def _accept_queue(node: Node, sk: object, visit: Visit) -> Iterable[Node]:
    """The connections that wait for accept()."""
    queue = getattr(sk, "icsk_accept_queue", None)
    request = getattr(queue, "rskq_accept_head", None)
    index = 0
    while request is not None:
        if index < FEW:
            yield visit(f"rskq_accept_head[{index}]", request)
        index += 1
        request = request.dl_next
    node.more += max(0, index - FEW)


def _pipe_buffers(node: Node, pipe: object, visit: Visit) -> Iterable[Node]:
    """The slots of the ring that hold data."""
    tail, head, slots = pipe.tail, pipe.head, pipe.bufs  # type: ignore[attr-defined]
    for position in range(tail, min(head, tail + FEW)):
        index = position & (len(slots) - 1)
        if slots[index] is not None:
            yield visit(f"bufs[{index}]", slots[index])
    node.more += max(0, head - tail - FEW)


def _watched(node: Node, ep: object, visit: Visit) -> Iterable[Node]:
    """The files that an epoll instance watches."""
    items = list(ep.rbr.values())  # type: ignore[attr-defined]
    node.more += max(0, len(items) - FEW)
    return [visit(f"rbr[fd {item.ffd.fd}]", item) for item in items[:FEW]]


def _socket_of(node: Node, request: object, visit: Visit) -> Iterable[Node]:
    child = getattr(request, "sk", None)
    return () if child is None else (visit("sk", child),)


BELOW: Final[dict[str, tuple[Follow, ...]]] = {
    "task_struct": (_field("fs", aside=True), _field("cred", aside=True), _field("files")),
    "files_struct": (_files,),
    "file": (_inode, _field("private_data")),
    "socket": (_field("sk"),),
    "request_sock": (_socket_of,),
    "pipe_inode_info": (_pipe_buffers,),
    "eventpoll": (_watched,),
    "sock": (_queue("sk_receive_queue"), _queue("sk_write_queue")),
    "inet_connection_sock": (_field("icsk_bind_hash", aside=True), _accept_queue),
    "tcp_sock": (_queue("tcp_rtx_queue"),),
}
"""Pointers that are followed, by struct; those of the structs that it embeds come first."""


@cache
def followers(cls: type) -> tuple[Follow, ...]:
    """The pointers to follow from objects of a class."""
    bases = [base.__name__ for base in reversed(cls.__mro__)]
    return tuple(follow for name in bases for follow in BELOW.get(name, ()))


_CONSUMED: Final = frozenset({"sk_buff", "tcp_request_sock", "inet_request_sock"})
"""Structs of lists: one that has left its list was used up, even if a clone shares its place in the slab."""


class FreeSlots:
    """The free slots of all slab caches: whether an object that nothing leads to any more was freed."""

    def __init__(self, caches: Iterable[object]) -> None:
        self.caches = caches
        self._free: set[int] | None = None

    def alive(self, value: object) -> bool:
        """Whether a slab object is in use; what has no address of its own went with its owner."""
        address = getattr(value, "_addr", 0)
        if not address or type(value).__name__ in _CONSUMED:
            return False
        if self._free is None:
            self._free = set().union(*(cache._free for cache in self.caches))  # type: ignore[attr-defined]
        return address not in self._free and not self._inside_a_free_slot(address)

    def _inside_a_free_slot(self, address: int) -> bool:
        """Whether the address is of a part of a freed object, as the inode in a socket_alloc."""
        return any(0 < address - start < cache.size for cache in self.caches for start in cache._free)  # type: ignore[attr-defined]
