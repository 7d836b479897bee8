"""Values of the model in one line, in drgn's way of writing them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from kshell.lens import fields, names
from kshell.lens.expr import members

MOST_ITEMS: Final = 8
MOST_FIELDS: Final = 6

TELLING: Final = {
    "net_proto_family": ("family", "create"),
    "inet_protosw": ("type", "protocol", "prot", "ops"),
    "net_device": ("name", "ifindex", "mtu", "flags"),
    "proto": ("name", "obj_size"),
    "file": ("f_op", "f_flags", "f_count"),
    "dentry": ("d_name",),
    "task_struct": ("pid", "comm"),
    "socket": ("state", "type", "ops"),
    "inode": ("i_ino", "i_mode", "i_nlink"),
    "super_block": ("s_id", "s_magic"),
    "tcp_sock": ("sk_state", "inet_rcv_saddr", "inet_num", "inet_daddr", "inet_dport"),
    "inet_sock": ("sk_prot", "inet_rcv_saddr", "inet_num", "inet_daddr", "inet_dport"),
    "unix_sock": ("sk_state", "sk_type"),
    "tcp_request_sock": ("ireq_state", "ir_loc_addr", "ir_num", "ir_rmt_addr", "ir_rmt_port"),
    "inet_timewait_sock": ("tw_state", "tw_rcv_saddr", "tw_num", "tw_daddr", "tw_dport"),
    "inet_bind_bucket": ("port", "owners"),
    "inet_bind2_bucket": ("rcv_saddr", "port", "owners"),
    "sk_buff": ("len", "data"),
    "tcp_congestion_ops": ("name",),
    "file_system_type": ("name",),
    "packet_type": ("type", "func"),
    "kmem_cache": ("name", "object_size"),
}
"""Fields that tell one element of a list from the next, by struct."""


def plain(value: object) -> str:
    """A value in one line; objects as typed pointers."""
    if isinstance(value, (bool, int)):
        return str(int(value))
    if isinstance(value, Mapping):
        return f"({len(value)} entries)"
    if isinstance(value, (list, tuple)):
        inner = ", ".join(plain(item) for item in value[:MOST_ITEMS])
        more = f", … {len(value) - MOST_ITEMS} more" if len(value) > MOST_ITEMS else ""
        return f"{{ {inner}{more} }}" if value else "{}"
    if callable(value) and hasattr(value, "__name__"):
        return str(value.__name__)
    return pointer(value) if names.struct_name(value) else names.describe(value)


def pointer(value: object) -> str:
    """`(struct file *)0xffff…`, or the name of a static object: `(struct proto *)tcp_prot`."""
    return f"(struct {names.struct_name(value)} *){where(value)}"


def where(value: object) -> str:
    """The address of an object, the name of a static one, `…` for one that is part of another."""
    named = names.table(value)
    return "…" if named.startswith("(") else named


def summary(value: object) -> str:
    """An object with the fields that tell it from others of its kind."""
    if not names.struct_name(value):
        return plain(value)
    parts = [f".{name} = {_short(value, name)}" for name in telling(value)]
    return f"*{pointer(value)} = {{ {', '.join(parts)} }}" if parts else pointer(value)


def _short(owner: object, name: str) -> str:
    found = getattr(owner, name)
    if isinstance(found, (dict, set)):
        return f"{{ {', '.join(pointer(item) for item in list(found)[:MOST_ITEMS])} }}"
    if callable(found) and hasattr(found, "__name__"):
        return str(found.__name__)
    return fields.text(owner, name, found)


def telling(value: object) -> list[str]:
    """The fields that tell an object from others of its kind."""
    for cls in type(value).__mro__:
        if cls.__name__ in TELLING:
            return [name for name in TELLING[cls.__name__] if hasattr(value, name)]
    return [n for n in members(value) if getattr(value, n, None) not in (None, 0, "", b"", [], {}, ())][:MOST_FIELDS]
