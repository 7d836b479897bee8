"""include/linux/sysctl.h: settings below /proc/sys.

A table is a shared constant. What a row's `data` points at is named as Linux's linker would name it: `init_net.…` is
a field of the namespace that registers the table, any other name a global of the machine. A row whose setting the
model does not have holds its first value instead: initial(1). _bind() makes the row of one registration from it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import inode
    from kshell.linux.include.linux.sched import task_struct
    from kshell.linux.include.linux.wait import wait_queue_head
    from kshell.linux.include.net.net_namespace import net
    from kshell.linux.init.kernel import Kernel

SYSCTL_ZERO = 0
SYSCTL_ONE = 1
SYSCTL_TWO = 2
SYSCTL_THREE = 3
SYSCTL_FOUR = 4
SYSCTL_TWO_HUNDRED = 200
SYSCTL_ONE_THOUSAND = 1000
SYSCTL_INT_MAX = 0x7FFFFFFF
SYSCTL_MAXOLDUID = 65535
SYSCTL_NEG_ONE = -1
SYSCTL_LONG_ZERO = 0
SYSCTL_LONG_ONE = 1
SYSCTL_LONG_MAX = 0x7FFFFFFFFFFFFFFF

Box = list[int]  # a variable that the callee changes: `size_t *lenp`, `loff_t *ppos`


class Pointer(Protocol):
    """What a handler reads and writes: `*(type *)table->data`."""

    def get(self) -> object:
        """The value."""

    def set(self, value: object) -> None:
        """Change the value."""


class initial:
    """The first value of a setting that nothing in the model reads; a registration keeps its own copy."""

    __slots__ = ("value",)

    def __init__(self, value: int | str | tuple[int, ...]) -> None:
        self.value = value


class data_field:
    """A Pointer to an attribute of an object, or to an element of a list or dict."""

    __slots__ = ("key", "owner")

    def __init__(self, owner: object, key: str | int) -> None:
        self.owner = owner
        self.key = key

    def get(self) -> object:
        """The value."""
        if isinstance(self.owner, (list, dict)):
            return self.owner[self.key]  # type: ignore[index]  # the key fits the owner
        return getattr(self.owner, str(self.key))

    def set(self, value: object) -> None:
        """Change the value."""
        if isinstance(self.owner, (list, dict)):
            self.owner[self.key] = value  # type: ignore[index]
        else:
            setattr(self.owner, str(self.key), value)


class data_local:
    """A Pointer to a variable of its own: `&tmp`."""

    __slots__ = ("value",)

    def __init__(self, value: object) -> None:
        self.value = value

    def get(self) -> object:
        """The value."""
        return self.value

    def set(self, value: object) -> None:
        """Change the value."""
        self.value = value


proc_handler = Callable[["ctl_table", int, bytearray, Box, Box], None]


class table_copy:
    """What Linux changes in its copy of a table: `data` of rows that are an index points into `data`; the extras."""

    __slots__ = ("data", "extra1", "extra2")

    def __init__(self, data: list[int], extra1: object, extra2: object) -> None:
        self.data = data
        self.extra1 = extra1
        self.extra2 = extra2


class ctl_table_poll:
    """Readers that poll() a setting for changes."""

    __slots__ = ("event", "wait")

    def __init__(self, wait: wait_queue_head) -> None:
        self.event = 0
        self.wait = wait


class ctl_table:
    """One setting, or a directory. maxlen: bytes at data; extra1, extra2: mostly the least and the largest value."""

    __slots__ = (
        "_kernel", "_net", "child", "data", "extra1", "extra2", "maxlen", "mode", "poll", "proc_handler", "procname",
    )  # fmt: skip
    _kernel: Kernel
    _net: net | None

    def __init__(
        self,
        procname: str,
        data: object = None,
        maxlen: int = 4,
        mode: int = 0o644,
        proc_handler: proc_handler | None = None,
        extra1: object = None,
        extra2: object = None,
        child: tuple[ctl_table, ...] | None = None,
        poll: str | None = None,
    ) -> None:
        self.procname = procname
        self.data = data
        self.maxlen = maxlen
        self.mode = mode
        self.proc_handler = proc_handler
        self.extra1 = extra1
        self.extra2 = extra2
        self.child = child
        self.poll = poll


class ctl_table_header:
    """A registered table. nreg: registrations that need it; count: inodes and itself.

    _values: what rows hold themselves; _copy: what the rows of a table for one device (or for all of them) point into.
    """

    __slots__ = (
        "_copy", "_values", "count", "ctl_table", "inodes", "nreg", "parent", "root", "set", "unregistering",
    )  # fmt: skip

    def __init__(self, root: ctl_table_root, set: ctl_table_set, table: tuple[ctl_table, ...]) -> None:
        self.ctl_table = table
        self._copy: table_copy | None = None
        self.count = 1
        self.nreg = 1
        self.unregistering = False
        self.root = root
        self.set = set
        self.parent: ctl_dir | None = None
        self.inodes: list[inode] | None = None
        self._values: dict[str, object] | None = None


class ctl_dir:
    """A directory: its entries by name, each with the registration that holds it."""

    __slots__ = ("header", "root")

    def __init__(self, header: ctl_table_header) -> None:
        self.header = header
        self.root: dict[str, tuple[ctl_table_header | ctl_dir, ctl_table]] = {}


class ctl_table_set:
    """A tree of directories: one for the machine, one for each network namespace (_net)."""

    __slots__ = ("_kernel", "_net", "dir", "is_seen")
    dir: ctl_dir

    def __init__(self, kernel: Kernel, net: net | None = None) -> None:
        self._kernel = kernel
        self._net = net
        self.is_seen: Callable[[task_struct, ctl_table_set], bool] | None = None


class ctl_table_root:
    """What trees of a kind have in common."""

    __slots__ = ("default_set", "lookup", "permissions", "set_ownership")
    default_set: ctl_table_set

    def __init__(
        self,
        *,
        lookup: Callable[[task_struct, ctl_table_root], ctl_table_set] | None = None,
        set_ownership: Callable[[ctl_table_header], tuple[int, int]] | None = None,
        permissions: Callable[[ctl_table_header, ctl_table], int] | None = None,
    ) -> None:
        self.lookup = lookup
        self.set_ownership = set_ownership
        self.permissions = permissions


def _pointer(head: ctl_table_header, path: str) -> data_field:
    """Follow `init_net.ipv4.sysctl_x` or the name of a global and of fields in it."""
    first, *names = path.split(".")
    owner: object = head.set._kernel
    if first == "init_net":
        owner = head.set._net
    else:
        names.insert(0, first)
    for name in names[:-1]:
        owner = getattr(owner, name)
    return data_field(owner, names[-1])


def _data_of(head: ctl_table_header, row: ctl_table) -> Pointer | None:
    if isinstance(row.data, str):
        return _pointer(head, row.data)
    if isinstance(row.data, int):
        assert head._copy is not None
        return data_field(head._copy.data, row.data)
    if not isinstance(row.data, initial):
        return None
    if head._values is None:
        head._values = {}
    first = row.data.value
    head._values.setdefault(row.procname, list(first) if isinstance(first, tuple) else first)
    return data_field(head._values, row.procname)


def _extra(head: ctl_table_header, value: object) -> object:
    return _pointer(head, value) if isinstance(value, str) else value


def _bind(head: ctl_table_header, row: ctl_table) -> ctl_table:
    """The row as it stands in one registration: data (and bounds that are variables) point at its values."""
    data = _data_of(head, row)
    extra1, extra2 = _extra(head, row.extra1), _extra(head, row.extra2)
    if isinstance(row.data, int) and head._copy is not None and row.extra1 is None and row.extra2 is None:
        extra1, extra2 = head._copy.extra1, head._copy.extra2
    made = ctl_table(row.procname, data, row.maxlen, row.mode, row.proc_handler, extra1, extra2, None, row.poll)
    made._kernel = head.set._kernel
    made._net = head.set._net
    return made
