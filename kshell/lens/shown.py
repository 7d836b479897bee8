"""What a student sees of each struct: the fields in the order in which they are shown, and when each is.

`spec_of(cls)` gives what an object's class line has in the table SHOWN. Values are read raw and written as text only
when they are shown, so that a snapshot of many objects costs little.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from operator import attrgetter
from typing import Final

from kshell.lens import fields, names

DATA_SHOWN: Final = 32
"""Bytes of a packet's or a pipe's data that a tree shows."""

SHOWN: Final = {
    "task_struct": "pid! comm! state~ exit_code~",
    "files_struct": "count~ next_fd!",
    "fs_struct": "root~ pwd! umask! users~",
    "cred": "uid! gid! euid~ egid~ fsuid~ fsgid~ cap_effective~",
    "mm_struct": "mm_users! mm_count~",
    "file": "f_op! f_flags! f_count! f_pos f_owner~",
    "inode": "i_ino! i_mode! i_nlink~ i_size i_uid i_gid i_count~",
    "dentry": "d_name!",
    "socket": "state! type! ops! flags~",
    "pipe_inode_info": "readers! writers! head! tail! ring_size~",
    "pipe_buffer": "offset len! page",
    "eventfd_ctx": "count! flags",
    "timerfd_ctx": "ticks! clockid expired~ tintv",
    "eventpoll": "rbr! rdllist!",
    "epitem": "ffd! event! rdllink",
    "sk_buff": "len! cb.seq cb.end_seq cb.tcp_flags data",
    "tcp_request_sock": "ireq_state! ir_rmt_addr! ir_rmt_port! num_timeout num_retrans~",
    "inet_bind_bucket": "port! fastreuse~ fastreuseport~ owners~",
    "tcp_fastopen_request": "size",
    "unix_address": "name!",
    "sock": "sk_state! sk_prot! sk_type~ sk_protocol sk_err sk_shutdown sk_rcvbuf sk_sndbuf~ sk_refcnt~ sk_reuse~"
    " sk_reuseport~ sk_receive_queue sk_rmem_alloc~ sk_wmem_alloc~",
    "inet_sock": "sk_state! sk_prot! sk_protocol~ inet_rcv_saddr inet_num inet_daddr inet_dport sk_err sk_shutdown"
    " sk_rcvbuf sk_sndbuf~ sk_refcnt~ sk_reuse~ sk_reuseport~ sk_bound_dev_if~ uc_ttl~ tos~ sk_receive_queue"
    " sk_rmem_alloc~ sk_wmem_alloc~",
    "tcp_sock": "sk_state! sk_prot! inet_rcv_saddr inet_num inet_daddr inet_dport sk_err sk_shutdown"
    " sk_ack_backlog sk_max_ack_backlog sk_rcvbuf sk_sndbuf sk_refcnt~ sk_reuse~ sk_reuseport~ sk_bound_dev_if~"
    " sk_receive_queue sk_write_queue tcp_rtx_queue out_of_order_queue sk_rmem_alloc~ sk_wmem_queued?"
    " snd_una snd_nxt rcv_nxt copied_seq write_seq? snd_wnd? rcv_wnd? snd_cwnd~ snd_ssthresh~ packets_out~"
    " nonagle~ icsk_ca_state~ icsk_retransmits~ icsk_rto? srtt_us? mss_cache? keepalive_time~ keepalive_intvl~ linger2~",
    "unix_sock": "sk_state! sk_prot! addr peer sk_err sk_shutdown sk_ack_backlog sk_max_ack_backlog sk_rcvbuf~"
    " sk_sndbuf~ sk_refcnt~ sk_receive_queue sk_rmem_alloc~ sk_wmem_alloc~",
    "netlink_sock": "sk_protocol! sk_prot! portid groups dst_portid~ sk_err sk_rcvbuf~ sk_refcnt~ sk_receive_queue",
    "packet_sock": "sk_prot! num! ifindex tp_drops sk_err sk_rcvbuf~ sk_refcnt~ sk_receive_queue sk_rmem_alloc~",
    "net_device": "name! ifindex! mtu! flags!",
}
"""`field!` is always shown, `field` when it is set, `field~` only when it has changed, `field?` by `view full` alone."""

HIDDEN_BY_STATE: Final = {
    "TCP_LISTEN": frozenset({"sk_rcvbuf", "sk_sndbuf", "inet_daddr", "inet_dport", "snd_una", "snd_nxt", "rcv_nxt",
                             "copied_seq"}),
    "TCP_CLOSE": frozenset({"sk_max_ack_backlog", "snd_una", "snd_nxt", "rcv_nxt", "copied_seq"}),
}  # fmt: skip
"""Fields that mean nothing while a socket is in that state."""

SHOWN_BY_STATE: Final = {"TCP_LISTEN": frozenset({"sk_ack_backlog", "sk_max_ack_backlog"})}
"""Fields that matter in that state even when they are zero."""

CONNECTED_HIDES: Final = frozenset({"sk_max_ack_backlog", "sk_rcvbuf", "sk_sndbuf"})

TELLING: Final = frozenset({"pid", "comm", "f_op", "i_ino", "type", "sk_state", "ffd", "len", "ireq_state"})
"""Fields of an unchanged or changed object that are shown beside what has changed."""

UNSET: Final = frozenset({"0", "", "0.0.0.0", '""', "NULL", "{}"})

Read = Callable[[object], tuple[object, ...]]
Write = Callable[[object], str]
Reduce = Callable[[object], object]
Source = tuple[str, Reduce | None, object]
"""Where a value is read from (`sk_receive_queue.qlen`), what is kept of it, and what of one that is empty or not there."""


class Spec:
    """The shown fields of a struct: names in order, those always shown, those shown only when changed.

    read: reads them all of an object, and behind them what `more` says; write: what makes a text of the value of each.
    """

    __slots__ = ("always", "late", "names", "quiet", "read", "state", "struct", "write")

    def __init__(self, struct: str, words: Sequence[str], cls: type = object, more: Sequence[Source] = ()) -> None:
        self.struct = struct
        self.names = tuple([word.rstrip("!~?") for word in words])
        self.always = frozenset([word[:-1] for word in words if word[-1] == "!"])
        self.quiet = frozenset([word[:-1] for word in words if word[-1] == "?"])
        self.late = self.quiet | frozenset([word[:-1] for word in words if word[-1] == "~"])
        self.read = reader([*[_SOURCES.get(name) or (name, None, None) for name in self.names], *more])
        self.write = tuple([_writer(cls, name) for name in self.names])
        self.state = self.names.index("sk_state") if "sk_state" in self.names else -1
        """Where the TCP state of a sock stands; below 0 for what has none."""


def reader(sources: Sequence[Source]) -> Read:
    """A function that reads several values of an object at once; one that is not there yet is None."""
    if not sources:
        return lambda value: ()
    paths = [path for path, _, _ in sources]
    get_all = attrgetter(*paths, paths[0])  # once more, since of a single one there would be no tuple
    reduced = [(index, reduce, empty) for index, (_, reduce, empty) in enumerate(sources) if reduce is not None]

    def read(value: object) -> tuple[object, ...]:
        try:
            found: tuple[object, ...] = get_all(value)
        except AttributeError:  # a slot that is filled later
            return tuple([_one(source, value) for source in sources])
        if not reduced:
            return found
        values = list(found)
        for index, reduce, empty in reduced:
            held = values[index]
            values[index] = reduce(held) if held else empty
        return tuple(values)

    return read


def _one(source: Source, value: object) -> object:
    path, reduce, empty = source
    try:
        found = attrgetter(path)(value)
        if reduce is None:
            return found
        return reduce(found) if found else empty
    except AttributeError:
        return None


def _length(value: object) -> int:
    """Entries of a list; 0 for what is none."""
    try:
        return len(value)  # type: ignore[arg-type]
    except TypeError:
        return 0


def _start(value: object) -> object:
    return bytes(value[: DATA_SHOWN + 1]) if isinstance(value, (bytes, bytearray)) else b""


def _page_data(value: object) -> object:
    return _start(getattr(value, "_data", b""))


def _event_bits(value: object) -> object:
    return int(getattr(value, "events", 0))


def _path(value: object) -> object:
    return getattr(value, "dentry", None), getattr(value, "mnt", None)


_SOURCES: Final[dict[str, Source]] = {
    "sk_receive_queue": ("sk_receive_queue.qlen", None, 0), "sk_write_queue": ("sk_write_queue.qlen", None, 0),
    "tcp_rtx_queue": ("tcp_rtx_queue", _length, 0), "out_of_order_queue": ("out_of_order_queue", _length, 0),
    "owners": ("owners", _length, 0), "rbr": ("rbr", _length, 0), "rdllist": ("rdllist", _length, 0),
    "page": ("page", _page_data, b""), "data": ("data", _start, b""), "event": ("event", _event_bits, 0),
    "ffd": ("ffd", lambda value: getattr(value, "fd", value), None), "d_name": ("d_name.name", None, None),
    "addr": ("addr", lambda value: getattr(value, "name", None), None),
    "f_owner": ("f_owner", lambda value: getattr(getattr(value, "pid", None), "nr", 0) or 0, 0),
    "root": ("root", _path, (None, None)), "pwd": ("pwd", _path, (None, None)),
    "head": ("head", lambda value: value if isinstance(value, int) else 0, 0),
}  # fmt: skip
"""Fields whose value is an object that changes in place: what of it is kept, and compared."""


def _writer(cls: type, name: str) -> Write:
    """What makes a text of the raw values of a field."""
    return _TEXTS.get(name) or fields.writer(cls, name)


def _octal(value: object) -> str:
    return f"0{value:o}" if isinstance(value, int) else names.table(value)


def preview(value: object) -> str:
    """The start of some data in quotes, as strace writes it."""
    data = bytes(value) if isinstance(value, (bytes, bytearray)) else b""
    text = names.data(data[:DATA_SHOWN])
    return text + ("..." if len(data) > DATA_SHOWN else "")


_TCPHDR: Final = ("FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR")


def tcp_flags(value: int) -> str:
    """The TCPHDR_ bits of a segment."""
    return "|".join(f"TCPHDR_{name}" for bit, name in enumerate(_TCPHDR) if value >> bit & 1) or "0"


def _place(value: object) -> str:
    return names.quoted(names.place(*value) or "/") if isinstance(value, tuple) else "NULL"


def _epoll_bits(value: object) -> str:
    from kshell.abi.names import flags

    return flags("epoll").text(value if isinstance(value, int) else 0)


def _unix_name(value: object) -> str:
    return names.unix_name(value) if isinstance(value, (bytes, bytearray)) else "NULL"


_TEXTS: Final[dict[str, Write]] = {
    "root": lambda value: _place(value), "pwd": lambda value: _place(value),
    "umask": _octal, "data": preview, "cb.tcp_flags": lambda value: tcp_flags(value if isinstance(value, int) else 0),
    "page": preview, "event": _epoll_bits, "addr": _unix_name,
    "cap_effective": lambda value: f"{value:#x}" if isinstance(value, int) else names.describe(value),
}  # fmt: skip


def words_of(cls: type) -> tuple[str, list[str]]:
    """The struct of a class, and the words of the nearest one in its line; none if there is none in the table."""
    named = [c.__name__ for c in cls.__mro__ if c.__name__[0] != "_"]
    struct = "inode" if "inode" in named else named[0]  # a file system's own inode around it is not what is pointed to
    for base in cls.__mro__:
        shown = SHOWN.get(base.__name__)
        if shown is not None:
            return struct, [word for word in shown.split() if has(cls, word.rstrip("!~?").partition(".")[0])]
    return struct, []


@cache
def spec_of(cls: type) -> Spec:
    """The spec of the nearest struct in a class's line; one without fields if none is in the table."""
    return Spec(*words_of(cls), cls)


def has(cls: type, name: str) -> bool:
    """Whether objects of a class can have a field: the model keeps some only when they are first needed."""
    return hasattr(cls, name) or any(name in getattr(c, "__annotations__", ()) for c in cls.__mro__)


@cache
def visible(spec: Spec, state: str, everything: bool = False) -> tuple[frozenset[str], frozenset[str]]:
    """Fields that are shown always, and those that are never shown, for a socket in `state` ("": no socket)."""
    if everything:
        return frozenset(spec.names), frozenset()
    always = spec.always | SHOWN_BY_STATE.get(state, frozenset())
    hidden = HIDDEN_BY_STATE.get(state, CONNECTED_HIDES if state and "sk_state" in spec.names else frozenset())
    return always, spec.late | hidden


Told = tuple[str, Write, bool, bool]
"""A field that is told: its name, what writes its value, whether even of an object where it is not set, and whether a
0 has to be written to know if it is set: for most fields it is not."""


@cache
def told_of(spec: Spec, state: object, brief: bool, everything: bool) -> dict[int, Told]:
    """The fields that are told of an object in `state` (the raw value), by their places.

    brief: only what tells it from others, as of an object that is not new.
    """
    always, never = visible(spec, spec.write[spec.state](state) if spec.state >= 0 else "", everything)
    told = {}
    for index, name in enumerate(spec.names):
        if name in TELLING if brief else name in always or name not in never:
            told[index] = _told(name, spec.write[index], everything or name in always)
    return told


def _told(name: str, write: Write, always: bool) -> Told:
    return name, write, always, always or write(0) not in UNSET
