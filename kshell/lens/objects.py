"""Snapshots of the objects that a task reaches: struct, address, fields, and what hangs below.

The table FIELDS says what a student sees of a struct; `_file` and `_socket` which pointers are followed.
Every value is read from the model; nothing here knows a terminal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from kshell.lens import names

Format = Callable[[object, object], str]


class Node:
    """An object in a snapshot. `edge` is the field that leads to it, `fields` its shown values by name."""

    __slots__ = ("address", "children", "edge", "fields", "note", "struct")

    def __init__(self, edge: str, struct: str, address: int, fields: dict[str, str], note: str = "") -> None:
        self.edge = edge
        self.struct = struct
        self.address = address
        self.fields = fields
        self.note = note
        self.children: list[Node] = []

    @property
    def key(self) -> tuple[str, int]:
        return (self.edge, self.address)

    def walk(self) -> Iterator[Node]:
        """This node and all below it."""
        yield self
        for child in self.children:
            yield from child.walk()


def number(owner: object, value: object) -> str:
    return str(int(value)) if isinstance(value, (bool, int)) else names.describe(value)


def length(owner: object, value: object) -> str:
    return str(value.qlen) if hasattr(value, "qlen") else str(len(value))  # type: ignore[arg-type]


def errno_name(owner: object, value: object) -> str:
    return names.errno(int(value)) if isinstance(value, int) else str(value)


def quoted(owner: object, value: object) -> str:
    text = (
        value if isinstance(value, str) else bytes(value).decode("latin-1") if isinstance(value, bytes) else str(value)
    )
    return f'"{text}"'


def named(kind: str) -> Format:
    """The constant's name; `kind` is a table of `kshell.lens.names`."""
    return lambda owner, value: names.constant(kind, value)


def ops(owner: object, value: object) -> str:
    return names.table(value)


def address(owner: object, value: object) -> str:
    return names.ipv4(int(value)) if isinstance(value, int) else str(value)


def unix_name(owner: object, value: object) -> str:
    return names.unix_address(value)


_SOCK_COMMON: tuple[tuple[str, Format], ...] = (
    ("sk_state", named("sk_state")),
    ("sk_prot", ops),
)
_SOCK_REST: tuple[tuple[str, Format], ...] = (
    ("sk_err", errno_name),
    ("sk_shutdown", named("sk_shutdown")),
    ("sk_rcvbuf", number),
    ("sk_sndbuf", number),
    ("sk_refcnt", number),
    ("sk_receive_queue", length),
    ("sk_rmem_alloc", number),
    ("sk_wmem_queued", number),
    ("sk_ack_backlog", number),
    ("sk_max_ack_backlog", number),
)
_INET: tuple[tuple[str, Format], ...] = (
    ("inet_rcv_saddr", address),
    ("inet_num", number),
    ("inet_daddr", address),
    ("inet_dport", number),
)
_TCP: tuple[tuple[str, Format], ...] = (
    ("snd_una", number),
    ("snd_nxt", number),
    ("rcv_nxt", number),
    ("copied_seq", number),
    ("snd_cwnd", number),
)

FIELDS: dict[str, tuple[tuple[str, Format], ...]] = {
    "task_struct": (("pid", number), ("comm", quoted)),
    "files_struct": (("count", number), ("next_fd", number)),
    "file": (("f_op", ops), ("f_flags", named("f_flags")), ("f_count", number), ("f_pos", number)),
    "inode": (("i_ino", number), ("i_mode", named("i_mode")), ("i_nlink", number), ("i_size", number)),
    "dentry": (("d_name", named("d_name")),),
    "socket": (
        ("state", named("socket_state")),
        ("type", named("sock_type")),
        ("ops", ops),
    ),
    "pipe_inode_info": (("readers", number), ("writers", number), ("head", number), ("tail", number)),
    "eventfd_ctx": (("count", number), ("flags", number)),
    "eventpoll": (),
    "epitem": (),
    "sock": _SOCK_COMMON + _SOCK_REST,
    "inet_sock": _SOCK_COMMON + _INET + _SOCK_REST,
    "tcp_sock": _SOCK_COMMON + _INET + _SOCK_REST + _TCP,
    "unix_sock": (*_SOCK_COMMON, ("addr", unix_name), *_SOCK_REST),
}
"""Shown fields by struct; the nearest class of the object's Python class line counts."""

ALWAYS = frozenset(
    {
        "pid",
        "comm",
        "next_fd",
        "f_op",
        "f_flags",
        "f_count",
        "i_ino",
        "i_mode",
        "state",
        "type",
        "ops",
        "sk_state",
        "sk_prot",
        "sk_rcvbuf",
        "readers",
        "writers",
        "head",
        "tail",
        "d_name",
        "sk_refcnt",
    }
)
"""Fields shown even when zero and unchanged; the others only when they are set or have just changed."""

TELLING = frozenset({"pid", "comm", "f_op", "i_ino", "type", "sk_state", "sk_prot"})
"""Fields of a changed object that are shown beside what has changed."""

_UNSET = frozenset({"0", "", "0.0.0.0", '""', "NULL"})


def shown(fields: dict[str, str]) -> list[tuple[str, str]]:
    """The fields of a node worth printing."""
    return [(name, value) for name, value in fields.items() if name in ALWAYS or value not in _UNSET]


def brief(fields: dict[str, str]) -> list[tuple[str, str]]:
    """The fields that tell what a node is; what has changed is told beside them."""
    return [(name, value) for name, value in fields.items() if name in TELLING]


def snapshot(task: object) -> Node:
    """What `task` reaches by its descriptors, from the task_struct down."""
    root = _node("", task)
    files = getattr(task, "files", None)
    if files is None:
        return root
    below = _node("files", files)
    root.children.append(below)
    for fd, file in open_files(files):
        below.children.append(_file(f"fd_array[{fd}]", file))
    return root


def open_files(files: object) -> Iterable[tuple[int, object]]:
    """The open descriptors of a files_struct with their files."""
    table = files.fdt.fd  # type: ignore[attr-defined]
    return [(fd, file) for fd, file in enumerate(table) if file is not None]


def file_node(edge: str, file: object) -> Node:
    """A file and what hangs below it."""
    return _file(edge, file)


def object_node(edge: str, value: object) -> Node:
    """Any object; a file, socket or sock with what hangs below it."""
    kind = struct_name(value)
    if kind == "file":
        return _file(edge, value)
    if kind == "task_struct":
        return snapshot(value)
    node = _node(edge, value)
    if kind == "socket":
        _socket(node, value)
    return node


def _file(edge: str, file: object) -> Node:
    node = _node(edge, file)
    inode = getattr(file, "f_inode", None)
    if inode is not None:
        child = _node("f_inode", inode)
        child.note = names.path_of(file)
        node.children.append(child)
    private = getattr(file, "private_data", None)
    if private is not None and hasattr(private, "__class__") and struct_name(private):
        child = _node("private_data", private)
        node.children.append(child)
        if child.struct == "socket":
            _socket(child, private)
    return node


def _socket(node: Node, socket: object) -> None:
    sk = getattr(socket, "sk", None)
    if sk is not None:
        node.children.append(sock_node("sk", sk))


def sock_node(edge: str, sk: object) -> Node:
    """A sock; a unix_sock with its peer's address, so that pairs can be recognised."""
    node = _node(edge, sk)
    peer = getattr(sk, "peer", None)
    if peer is not None and hasattr(peer, "_addr"):
        node.fields["peer"] = f"{peer._addr:#x}"
    return node


def struct_name(value: object) -> str:
    """Linux's name of the struct: the Python class's, "" if it is no kernel object."""
    for cls in type(value).__mro__:
        if not cls.__module__.startswith("kshell.linux"):
            return ""
        if not cls.__name__.startswith("_"):
            return cls.__name__
    return ""


def _node(edge: str, value: object) -> Node:
    fields: dict[str, str] = {}
    for name, form in _fields_of(type(value)):
        found = getattr(value, name, None)
        if found is not None:
            fields[name] = form(value, found)
    return Node(edge, struct_name(value), getattr(value, "_addr", 0), fields)


def _fields_of(cls: type) -> tuple[tuple[str, Format], ...]:
    for base in cls.__mro__:
        if base.__name__ in FIELDS:
            return FIELDS[base.__name__]
    return ()
