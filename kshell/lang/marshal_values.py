"""What each style of argument becomes: a table from style to the function that places the value in memory."""

from collections.abc import Callable
from typing import Final

from kshell.abi import names
from kshell.abi.stat import S_IFMT
from kshell.abi.syscalls import Param
from kshell.lang import marshal_messages, marshal_options, messages
from kshell.lang.ast import Apply, Array, Binary, Name, Node, String
from kshell.lang.ast import Struct as StructNode
from kshell.lang.encode import Encoder, before
from kshell.lang.marshal_context import Context, fields_of, items_of

PointerEncoder = Callable[[Context, Param, Node], int]


def _bytes(context: Context, param: Param, node: Node) -> int:
    length = context.number_of(param.kind.args[0])
    if context.only_room(param):
        context.sized(param, len(node.data) if isinstance(node, String) else 0)
        return context.supplied(param)
    data = messages.encode(context.encoder, node) if messages.is_message(node) else None
    if data is None:
        data = context.encoder.data(node, length if length is not None and length >= 0 else None)
    context.sized(param, len(data))
    return context.encoder.memory.place(data + b"\0" if isinstance(node, String) else data)


def _path(context: Context, param: Param, node: Node) -> int:
    return context.encoder.memory.place(context.encoder.data(node) + b"\0")


def _struct(context: Context, param: Param, node: Node) -> int:
    if context.only_room(param):
        return context.supplied(param)
    return context.encoder.memory.place(context.encoder.struct(param.kind.args[0], context.pick(node)))


def _array(context: Context, param: Param, node: Node) -> int:
    if context.only_room(param):
        return context.supplied(param)
    items = items_of(context, node)
    data = b"".join(context.encoder.struct(param.kind.args[0], before(i)) for i in items)
    context.sized(param, len(items))
    return context.encoder.memory.place(data)


def _pollfds(context: Context, param: Param, node: Node) -> int:
    items = items_of(context, node)
    data = b"".join(context.encoder.struct("pollfd", i) for i in items)
    context.sized(param, len(items))
    missing = (context.number_of("nfds") or 0) - len(items) if context.replay else 0
    return context.encoder.memory.place(data + b"\xff" * (8 * max(0, min(missing, 1024))))


def _sockaddr(context: Context, param: Param, node: Node) -> int:
    if context.only_room(param):
        return context.supplied(param)
    data = context.encoder.sockaddr(before(node))
    context.sized(param, len(data))
    return context.encoder.memory.place(data)


def _socklen(context: Context, param: Param, node: Node) -> int:
    inner: Node = node
    if isinstance(node, Array) and node.items:
        inner = node.items[0]
    value = context.encoder.number(context.pick(inner)) & 0xFFFFFFFF
    return context.encoder.memory.place(value.to_bytes(4, "little"))


def _wstatus(context: Context, param: Param, node: Node) -> int:
    if context.fill and isinstance(node, Array) and len(node.items) == 1 and isinstance(node.items[0], StructNode):
        status = _status_of(context.encoder, node.items[0])
        return context.encoder.memory.place(status.to_bytes(4, "little"))
    return context.supplied(param)


def _status_of(encoder: Encoder, node: StructNode) -> int:
    """``{WIFEXITED(s) && WEXITSTATUS(s) == 1}`` as a wait status."""
    status = 0
    terms = [node.items[0]] if node.items else []
    while terms:
        term = terms.pop()
        if isinstance(term, Binary) and term.op == "&&":
            terms += [term.left, term.right]
        elif isinstance(term, Binary) and isinstance(term.left, Apply):
            value = encoder.number(term.right)
            status |= {"WEXITSTATUS": value << 8, "WTERMSIG": value, "WSTOPSIG": value << 8 | 0x7F}.get(
                term.left.function, 0
            )
        elif isinstance(term, Apply):
            status |= {"WCOREDUMP": 0x80, "WIFCONTINUED": 0xFFFF}.get(term.function, 0)
    return status


def _fdset(context: Context, param: Param, node: Node) -> int:
    return context.encoder.memory.place(context.encoder.fdset(node, context.number_of("n") or 0))


def _sigset(context: Context, param: Param, node: Node) -> int:
    if context.only_room(param):
        return context.supplied(param)
    context.sized(param, 8)
    return context.encoder.memory.place(context.encoder.sigset(node))


def _sigset_argpack(context: Context, param: Param, node: Node) -> int:
    """pselect6's last argument: ``{sigmask=[…], sigsetsize=8}``, or the bare set."""
    if isinstance(node, StructNode):
        fields = fields_of(context.encoder, node, ("sigmask", "sigsetsize"))
        mask = fields.get("sigmask")
        size = context.encoder.number(fields["sigsetsize"]) if "sigsetsize" in fields else 8
        is_null = mask is None or (isinstance(mask, Name) and mask.name == "NULL")
        address = 0 if is_null or mask is None else context.encoder.memory.place(context.encoder.sigset(mask))
    else:
        address, size = context.encoder.memory.place(context.encoder.sigset(node)), 8
    return context.encoder.memory.place(address.to_bytes(8, "little") + size.to_bytes(8, "little"))


def _strings(context: Context, param: Param, node: Node) -> int:
    items = items_of(context, node)
    addresses = [context.encoder.memory.place(context.encoder.data(i) + b"\0") for i in items]
    return context.encoder.memory.place(b"".join(a.to_bytes(8, "little") for a in [*addresses, 0]))


def _offset(context: Context, param: Param, node: Node) -> int:
    inner = context.pick(node)
    return context.encoder.memory.place(context.encoder.integers(inner, 8))


def _ints(context: Context, param: Param, node: Node) -> int:
    if context.only_room(param):
        return context.supplied(param)
    items = items_of(context, node)
    context.sized(param, len(items))
    return context.encoder.memory.place(context.encoder.integers(node))


def _supplied(context: Context, param: Param, node: Node) -> int:
    return context.supplied(param)


def _fdpair(context: Context, param: Param, node: Node) -> int:
    if context.fill and isinstance(node, Array):
        return context.encoder.memory.place(context.encoder.integers(node))
    return context.supplied(param)


def _clone_args(context: Context, param: Param, node: Node) -> int:
    data = context.encoder.struct("clone_args", before(node))
    context.sized(param, len(data))
    return context.encoder.memory.place(data)


#: style of a pointer → what makes its register of a value that is no plain address
POINTERS: Final[dict[str, PointerEncoder]] = {
    "path": _path,
    "bytes": _bytes,
    "struct": _struct,
    "remaining": _supplied,
    "array": _array,
    "pollfds": _pollfds,
    "sockaddr": _sockaddr,
    "socklen": _socklen,
    "iovec": marshal_messages.iovec,
    "msghdr": marshal_messages.msghdr,
    "mmsghdr": marshal_messages.mmsghdr,
    "optval": marshal_options.optval,
    "wstatus": _wstatus,
    "fdset": _fdset,
    "sigset": _sigset,
    "sigset_argpack": _sigset_argpack,
    "strings": _strings,
    "environment": _strings,
    "offset": _offset,
    "ints": _ints,
    "longs": _supplied,
    "fdpair": _fdpair,
    "dirents": _supplied,
    "ioctl": marshal_options.ioctl,
    "fcntl": marshal_options.fcntl,
    "clone_args": _clone_args,
}


def _signal(context: Context, param: Param, node: Node) -> int:
    if isinstance(node, Name):
        number = names.signal_number(node.name)
        if number is not None:
            return number
    return context.encoder.number(node)


def _file_mode(context: Context, param: Param, node: Node) -> int:
    return context.encoder.number(node) & (S_IFMT | 0o7777)


def _prctl(context: Context, param: Param, node: Node) -> int:
    if isinstance(node, String):
        return context.encoder.memory.place(node.data + b"\0")
    return context.encoder.number(node)


#: style of a value in a register → how to read it, where it is more than a number
SCALARS: Final[dict[str, PointerEncoder]] = {"signal": _signal, "file_mode": _file_mode, "prctl": _prctl}
