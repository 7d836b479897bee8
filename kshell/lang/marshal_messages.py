"""iovec, msghdr and mmsghdr in user memory, with what they point to."""

from typing import Final

from kshell.abi import structs
from kshell.abi.syscalls import Param
from kshell.lang import messages
from kshell.lang.ast import Array, Dots, Name, Node, Number, String
from kshell.lang.ast import Struct as StructNode
from kshell.lang.encode import MAX_BUFFER, Encoder, before
from kshell.lang.marshal_context import Context, fields_of, items_of
from kshell.lang.numbers import Buffer, constant_of


def iovec(context: Context, param: Param, node: Node) -> int:
    """An array of iovec."""
    address, count = place_iovec(context.encoder, node, context.only_room(param))
    context.sized(param, count)
    return address


def place_iovec(encoder: Encoder, node: Node, out: bool) -> tuple[int, int]:
    """An array of iovec with what it points to: its address and length."""
    if not isinstance(node, Array):
        raise encoder.error("not a list of buffers", node, expected='[{"abc", 3}]')
    layout = structs.layout("iovec", encoder.arch)
    data = b""
    for item in node.items:
        base, length = _one_iovec(encoder, item, out)
        data += layout.pack({"iov_base": base, "iov_len": length})
    return encoder.memory.place(data), len(node.items)


def _one_iovec(encoder: Encoder, item: Node, out: bool) -> tuple[int, int]:
    if isinstance(item, String):
        return encoder.memory.place(item.data), len(item.data)
    if not isinstance(item, StructNode):
        raise encoder.error("not a buffer", item, expected='{"abc", 3}')
    fields = fields_of(encoder, item, ("iov_base", "iov_len"))
    base, length_node = fields.get("iov_base"), fields.get("iov_len")
    length = encoder.number(length_node) if length_node is not None else None
    if base is None or (isinstance(base, Name) and base.name == "NULL"):
        return 0, length or 0
    if messages.is_message(base) and not out:
        data = messages.encode(encoder, base) or b""
        return encoder.memory.place(data), len(data) if length is None else length
    if isinstance(base, String | Array | Dots | StructNode):
        room = min(length if length is not None and length >= 0 else 0, MAX_BUFFER)
        if out or isinstance(base, Dots):
            own = len(base.data) if isinstance(base, String) else 0
            return encoder.memory.reserve(max(1, room, own)), own if length is None else length
        data = encoder.data(base, length)
        return encoder.memory.place(data), len(data) if length is None else length
    if isinstance(base, Name) and (buffer := encoder.variables.buffer(base.name)) is not None:
        return buffer.address, buffer.size if length is None else length
    if out and isinstance(base, Name) and constant_of(base.name) is None:
        address = encoder.memory.reserve(max(1, min(length or 1, MAX_BUFFER)))
        encoder.variables.remember(base.name, Buffer(address, length or 1))
        return address, length or 1
    return encoder.number(base), length or 0


CONTROL_ROOM: Final = 256
"""Bytes for control messages where no length is given."""

_MSGHDR: Final = (
    "msg_name", "msg_namelen", "msg_iov", "msg_iovlen", "msg_control", "msg_controllen", "msg_flags",
)  # fmt: skip


def msghdr(context: Context, param: Param, node: Node) -> int:
    """A message header."""
    values = msghdr_values(context, node, param.kind.direction != "in" and not context.fill)
    return context.encoder.memory.place(structs.layout("msghdr", context.encoder.arch).pack(values))


def msghdr_values(context: Context, node: Node, out: bool) -> dict[str, structs.Value]:
    """The fields of a msghdr, its parts placed; lengths that are not given are those of what is there."""
    encoder = context.encoder
    if not isinstance(node, StructNode):
        raise encoder.error("not a msghdr", node, expected='{msg_iov=[{"abc", 3}]}')
    fields = fields_of(encoder, node, _MSGHDR)
    values: dict[str, structs.Value] = {}
    values["msg_name"], values["msg_namelen"] = _message_name(context, fields, out)
    if (iov := fields.get("msg_iov")) is not None:
        address, count = (
            place_iovec(encoder, iov, out) if isinstance(iov, Array) else (encoder.number(iov), 0)
        )
        values["msg_iov"], values["msg_iovlen"] = address, count
    if (count_node := fields.get("msg_iovlen")) is not None:
        values["msg_iovlen"] = encoder.number(count_node)
    values["msg_control"], values["msg_controllen"] = _control(context, fields, out)
    if (flags := fields.get("msg_flags")) is not None and not out:
        values["msg_flags"] = encoder.number(flags)
    return values


def _message_name(context: Context, fields: dict[str, Node], out: bool) -> tuple[int, int]:
    encoder, name, given = context.encoder, fields.get("msg_name"), fields.get("msg_namelen")
    length = encoder.number(context.pick(given)) if given is not None else None
    if name is None or (isinstance(name, Name) and name.name == "NULL"):
        if out and name is None and length:
            return encoder.memory.reserve(min(length, 4096) if length > 0 else 1), length
        return 0, length or 0
    if isinstance(name, Number):
        return (encoder.memory.reserve(128) if context.replay else name.value), length or 0
    if out or isinstance(name, Dots):
        room = 128 if length is None else length
        return encoder.memory.reserve(max(1, min(room, 4096))), room
    data = encoder.sockaddr(name)
    return encoder.memory.place(data), len(data) if length is None else length


def _control(context: Context, fields: dict[str, Node], out: bool) -> tuple[int, int]:
    encoder, control, given = context.encoder, fields.get("msg_control"), fields.get("msg_controllen")
    length = encoder.number(before(given)) if given is not None else None
    if control is None and not (out and length):
        return 0, length or 0
    if isinstance(control, Name) and control.name == "NULL":
        return 0, length or 0
    if out:
        cut = isinstance(flags := fields.get("msg_flags"), Name) and flags.name == "MSG_CTRUNC"
        room = CONTROL_ROOM if length is None else length
        if context.replay and not cut:
            room = max(room, 1024)
        return encoder.memory.reserve(max(1, min(room, 65536))), room
    assert control is not None
    if isinstance(control, Number):
        return control.value, length or 0
    data = messages.encode_control(encoder, control)
    return encoder.memory.place(data), len(data) if length is None else length


def mmsghdr(context: Context, param: Param, node: Node) -> int:
    """An array of messages."""
    items = items_of(context, node)
    layout = structs.layout("mmsghdr", context.encoder.arch)
    data = b""
    for item in items:
        if not isinstance(item, StructNode):
            raise context.encoder.error("not a mmsghdr", item, expected="{msg_hdr={…}}")
        fields = fields_of(context.encoder, item, ("msg_hdr", "msg_len"))
        values = msghdr_values(context, fields["msg_hdr"], param.kind.direction != "in" and not context.fill)
        data += layout.pack({"msg_hdr": values})
    context.sized(param, len(items))
    return context.encoder.memory.place(data)
