"""Figures made from live objects: a descriptor, a process, its open files, TCP's tables, the families, two ends.

Each gives a Graph; `detail` is 0 for everything, 1 for short addresses and fewer fields, 2 for a narrow screen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

from kshell.lens import fields, names, values
from kshell.lens.graph.model import Box, Edge, Graph, Row
from kshell.lens.objects import ASIDE, Node, node_of, object_node
from kshell.lens.open_files import open_files
from kshell.lens.shown import TELLING, UNSET, visible

if TYPE_CHECKING:
    from kshell.linux.include.linux.sched import task_struct
    from kshell.linux.init.kernel import Kernel

DETAILS: Final = (0, 1, 2)
LONGEST: Final = (40, 28, 20)
"""Columns of a value, by detail."""

QUEUES: Final = {
    "sk_receive_queue": "next", "sk_write_queue": "next", "tcp_rtx_queue": "next", "rskq_accept_head": "dl_next",
}  # fmt: skip
"""Fields that begin a list, and the field that goes on with it."""

_BRIEF: Final = TELLING | {"next_fd", "state", "inet_num", "inet_dport", "readers", "writers", "port", "d_name", "family"}


def fd(task: task_struct, number: int, file: object, detail: int = 0) -> Graph:
    """A descriptor: the slot of fd_array, the file, its inode, and what it stands for, with its queues."""
    graph = Graph(f"fd {number} of {task.comm}")
    files = node_of("files", task.files)
    _add(graph, files, detail)
    _follow(graph, files, object_node(f"fd_array[{number}]", file), detail)
    return graph


def fds(task: task_struct, detail: int = 0) -> Graph:
    """A process and its open files."""
    graph = Graph(f"{task.comm} and its open files")
    root, files = node_of("", task), node_of("files", task.files)
    _add(graph, root, detail)
    _follow(graph, root, files, detail)
    for number, file in open_files(task.files):
        node = object_node(f"fd_array[{number}]", file)
        node.children = [child for child in node.children if child.edge in ("f_inode", "f_path.dentry")]
        for child in node.children:
            child.children = ()
        _follow(graph, files, node, detail)
    return graph


def process(task: task_struct, detail: int = 0) -> Graph:
    """A task: who it is, where it stands, what it has open, whose child it is."""
    graph = Graph(f"task {task.comm}")
    root = node_of("", task)
    _add(graph, root, detail)
    for name in ("real_parent", "cred", "fs", "mm", "signal", "nsproxy"):
        found = getattr(task, name, None)
        if found is not None:
            _follow(graph, root, node_of(name, found), detail)
    net = getattr(task.nsproxy, "net_ns", None)
    if net is not None:
        _follow(graph, node_of("nsproxy", task.nsproxy), node_of("net_ns", net), detail)
    files = node_of("files", task.files)
    _follow(graph, root, files, detail)
    for number, file in open_files(task.files):
        _follow(graph, files, node_of(f"fd_array[{number}]", file), detail)
    return graph


def of_object(value: object, detail: int = 0) -> Graph:
    """Any object with what hangs below it."""
    node = object_node("", value)
    graph = Graph(node.struct)
    _add(graph, node, detail)
    for child in node.children:
        _follow(graph, node, child, detail)
    return graph


def inetsw(kernel: Kernel, detail: int = 0) -> Graph:
    """How socket() finds its functions: the families, and AF_INET's table of protocols by type."""
    graph = Graph("net_families and inetsw")
    graph.add(Box("net_families", "net_families[]", kind="array"))
    for number, family in enumerate(kernel.net_families):
        if family is not None:
            key = _static(graph, family, detail, [Row("create", _called(family.create))])
            graph.point("net_families", f"[{fields.constant('af', number)}]", key)
    graph.add(Box("inetsw", "inetsw[]", kind="array"))
    graph.boxes["inetsw"].column = 2
    for kind, chain in enumerate(kernel.inetsw):
        above, name = "inetsw", f"[{fields.constant('sock_type', kind)}]"
        for entry in chain:
            key = _protosw(graph, entry, detail)
            graph.point(above, name, key)
            above, name = key, "list.next"
    inet = next((f for f in kernel.net_families if f is not None and _called(f.create) == "inet_create"), None)
    if inet is not None:
        key = values.where(inet)
        row = next(i for i, row in enumerate(graph.boxes[key].rows) if row.name == "create")
        graph.boxes[key].rows[row].port = True
        graph.edges.append(Edge(key, row, "inetsw", dashed=True))
    return graph


def _protosw(graph: Graph, entry: object, detail: int) -> str:
    """An entry of inetsw with the tables that it gives to a socket."""
    protocol = fields.text(entry, "protocol", entry.protocol)  # type: ignore[attr-defined]
    key = values.where(entry)
    if key == "…":
        key = f"inet_protosw {protocol}"
    subtitle = "" if key.startswith("inet_protosw ") else key
    graph.add(Box(key, "inet_protosw", subtitle if detail == 0 else "", [Row("protocol", protocol)]))
    graph.boxes[key].column = 3
    for column, (name, shown) in enumerate(_TABLES, 4):
        table = getattr(entry, name)
        rows = [Row(n, _table_text(table, n)) for n in shown if getattr(table, n, None) is not None]
        target = _static(graph, table, detail, rows[: (3, 1, 0)[detail]])
        graph.boxes[target].column = column
        graph.point(key, name, target)
    return key


_TABLES: Final = (("prot", ("name", "connect", "sendmsg")), ("ops", ("bind", "connect", "sendmsg")))
"""What an inet_protosw gives to a socket, and the functions of it that are shown."""


def _table_text(table: object, name: str) -> str:
    found = getattr(table, name)
    return _called(found) if callable(found) else fields.text(table, name, found)


def _static(graph: Graph, value: object, detail: int, rows: list[Row]) -> str:
    """A static object, by its name."""
    key = values.where(value)
    graph.add(Box(key, key, names.struct_name(value) if detail == 0 else "", rows, kind="static"))
    return key


def _called(function: object) -> str:
    return str(getattr(function, "__name__", "NULL"))


def tcp(kernel: Kernel, detail: int = 0) -> Graph:
    """TCP's sockets, by the hash tables in which segments and bind() find them."""
    graph = Graph("tcp_hashinfo")
    info = kernel.tcp_hashinfo
    graph.add(Box("tcp_hashinfo", "tcp_hashinfo", "" if detail else "inet_hashinfo", kind="static"))
    _table(graph, "lhash2", info.lhash2, info.lhash2_mask, 2, detail)
    _table(graph, "ehash", info.ehash, info.ehash_mask, 2, detail)
    _table(graph, "bhash", info.bhash, info.bhash_size - 1, 1, detail)
    for chain in info.bhash.values():
        for bucket in chain:
            _owners(graph, bucket)
    return graph


def _table(graph: Graph, name: str, table: Mapping[int, Iterable[object]], mask: int, column: int, detail: int) -> None:
    """A hash table: a row for each element, which stands in `column`."""
    if not table:
        graph.boxes["tcp_hashinfo"].rows.append(Row(name, "empty"))
    for bucket, chain in table.items():
        for entry in chain:
            node = object_node("", entry)
            node.children = [child for child in node.children if child.edge not in ASIDE]
            if _add(graph, node, detail):
                graph.boxes[_key(node)].column = column
                _grow(graph, node, detail)
            graph.point("tcp_hashinfo", f"{name}[{bucket & mask}]", _key(node))


def _owners(graph: Graph, bucket: object) -> None:
    """The sockets that own a bound port."""
    for index, owner in enumerate(bucket.owners):  # type: ignore[attr-defined]
        key = f"{owner._addr:#x}"
        if key in graph.boxes:
            graph.point(f"{bucket._addr:#x}", f"owners[{index}]", key)  # type: ignore[attr-defined]


def pair(task: task_struct, numbers: tuple[int, int], files: tuple[object, object], detail: int = 0) -> Graph:
    """Two descriptors and what joins them: the same object, or a connection."""
    graph = Graph(f"fd {numbers[0]} and fd {numbers[1]} of {task.comm}")
    roots = [object_node(f"fd_array[{n}]", file) for n, file in zip(numbers, files, strict=True)]
    a, b = (next((node for node in root.walk() if node.edge == "sk"), None) for root in roots)
    if a is None or b is None:
        slots = node_of("files", task.files)
        _add(graph, slots, detail)
        for root in roots:
            _follow(graph, slots, root, detail)
        return graph
    for side, root in enumerate(roots):
        _side(graph, root, side, detail)
    if getattr(a.value, "peer", None) is b.value:
        graph.link(_key(a), _key(b), "peer", both=True)
    elif _connected(a, b):
        graph.link(_key(a), _key(b), "lo", dashed=True, both=True)
    return graph


def _column(side: int, depth: int) -> int:
    """The second end of a pair is drawn from right to left."""
    return depth if side == 0 else 7 - depth


def _side(graph: Graph, root: Node, side: int, detail: int) -> None:
    """One end of a pair: descriptor, file, socket, sock; the packets that it received stand below the socket."""
    graph.add(Box(root.edge, root.edge, kind="array"))
    graph.boxes[root.edge].column = _column(side, 0)
    above, name, node, depth = root.edge, "file", root, 1
    while True:
        if _add(graph, node, detail):
            graph.boxes[_key(node)].column = _column(side, depth)
        graph.point(above, name, _key(node))
        following = next((child for child in node.children if child.edge in ("private_data", "sk")), None)
        if following is None:
            break
        above, name, node, depth = _key(node), following.edge, following, depth + 1
    packets = [child for child in node.children if child.edge.startswith("sk_receive_queue[")]
    _queue(graph, node, "sk_receive_queue", packets, detail)
    for index, packet in enumerate(packets):
        graph.boxes[_key(packet)].column = _column(side, max(0, depth - 1 - index))


def _connected(a: Node, b: Node) -> bool:
    """Whether two INET sockets are the ends of one connection."""
    one, other = a.value, b.value
    local = [(getattr(sk, "inet_rcv_saddr", None), getattr(sk, "inet_num", None)) for sk in (one, other)]
    far = [(getattr(sk, "inet_daddr", None), getattr(sk, "inet_dport", None)) for sk in (one, other)]
    return local[0] == far[1] and local[1] == far[0] and bool(local[0][1])


# ---- from snapshots


def _key(node: Node) -> str:
    return f"{node.address:#x}" if node.address else f"{node.struct} {id(node.value):x}"


def _box(node: Node, detail: int) -> Box:
    address = f"{node.address:#x}" if node.address else ""
    subtitle = address if detail == 0 else f"…{address[-6:]}" if detail == 1 and address else ""
    return Box(_key(node), node.struct, subtitle, _rows(node, detail))


def _rows(node: Node, detail: int) -> Iterator[Row]:
    """The fields that are shown of an object."""
    spec = node.spec
    if not spec.names:
        for name in values.telling(node.value)[: 4 if detail == 0 else 1]:
            text = fields.text(node.value, name, getattr(node.value, name))
            yield Row(name, _short(text, detail))
        return
    always, never = visible(spec, node.state)
    for index, name in enumerate(spec.names):
        if node.raw[index] is None or name in never - always or (detail == 2 and name not in _BRIEF):
            continue
        text = node.text(index)
        if name in always or text not in UNSET:
            yield Row(name, _short(text, detail))
    if node.note and detail < 2:
        yield Row(names.quoted(node.note))


def _short(text: str, detail: int) -> str:
    longest = LONGEST[detail]
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _add(graph: Graph, node: Node, detail: int) -> bool:
    return graph.add(_box(node, detail))


def _follow(graph: Graph, above: Node, node: Node, detail: int) -> None:
    """An object that another one points to, and what hangs below it."""
    new = _add(graph, node, detail)
    _point(graph, above, node.edge, node)
    if new:
        _grow(graph, node, detail)


def _grow(graph: Graph, node: Node, detail: int) -> None:
    """What an object points to."""
    lists: dict[str, list[Node]] = {}
    for child in node.children:
        lists.setdefault(child.edge.partition("[")[0], []).append(child)
    rows = {row.name: index for index, row in enumerate(graph.boxes[_key(node)].rows)}
    for name, members in sorted(lists.items(), key=lambda item: rows.get(item[0], len(rows))):
        if name in QUEUES:
            _queue(graph, node, name, members, detail)
        else:
            for member in members:
                _follow(graph, node, member, detail)


def _queue(graph: Graph, node: Node, name: str, members: list[Node], detail: int) -> None:
    """A list: the first element hangs at the field, the others at one another."""
    above, field = node, name
    for member in members:
        new = _add(graph, member, detail)
        _point(graph, above, field, member)
        if new:
            _grow(graph, member, detail)
        above, field = member, QUEUES[name]
    if node.more and members:
        graph.boxes[_key(above)].rows.append(Row(f"… {node.more} more"))


def _point(graph: Graph, above: Node, name: str, node: Node) -> None:
    """An edge from the row of that name, which is made if there is none."""
    box = graph.boxes[_key(above)]
    index = next((i for i, row in enumerate(box.rows) if row.name == name), -1)
    if index < 0:
        graph.point(box.key, name, _key(node))
    else:
        box.rows[index].port = True
        graph.edges.append(Edge(box.key, index, _key(node)))


FIGURES: Final[dict[str, Callable[..., Graph]]] = {
    "fd": fd, "fds": fds, "task": process, "tcp": tcp, "inetsw": inetsw, "pair": pair,
}  # fmt: skip
