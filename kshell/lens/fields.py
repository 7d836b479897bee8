"""What a field's number means: the constant, flags or address that Linux's own name for the field tells.

`text(owner, name, value)` is how a field is written wherever the lens writes one.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache
from typing import Final

from kshell.lens import names

BY_NAME: Final = {
    "sk_state": "tcp_state", "skc_state": "tcp_state", "tw_state": "tcp_state", "ireq_state": "tcp_state",
    "sk_shutdown": "sk_shutdown", "sk_err": "errno", "sk_err_soft": "errno",
    "sk_family": "af", "skc_family": "af", "tw_family": "af", "ireq_family": "af", "sk_type": "sock_type",
    "sk_protocol": "ipproto", "f_flags": "f_flags", "i_mode": "i_mode", "d_name": "d_name",
    "f_mode": "f_mode", "icsk_ca_state": "tcp_ca_state", "pkt_type": "pkttype",
    "inet_daddr": "ipv4", "inet_rcv_saddr": "ipv4", "inet_saddr": "ipv4", "mc_addr": "ipv4",
    "skc_daddr": "ipv4", "skc_rcv_saddr": "ipv4", "ir_loc_addr": "ipv4", "ir_rmt_addr": "ipv4",
    "tw_daddr": "ipv4", "tw_rcv_saddr": "ipv4", "saddr": "ipv4", "daddr": "ipv4", "rcv_saddr": "ipv4",
    "ifa_local": "ipv4", "ifa_address": "ipv4", "ifa_mask": "ipv4", "ifa_broadcast": "ipv4",
    "fib_prefsrc": "ipv4", "nh_saddr": "ipv4", "rt_gw4": "ipv4", "fib_rcv_saddr": "ipv4",
}  # fmt: skip
"""Kind of value by field name, where the name alone tells."""

BY_STRUCT: Final = {
    ("socket", "state"): "socket_state", ("socket", "type"): "sock_type", ("task_struct", "state"): "task_state",
    ("net_proto_family", "family"): "af", ("proto_ops", "family"): "af", ("inet_protosw", "type"): "sock_type",
    ("inet_protosw", "protocol"): "ipproto", ("iphdr", "protocol"): "ipproto", ("sk_buff", "protocol"): "ethertype",
    ("ethhdr", "h_proto"): "ethertype", ("packet_type", "type"): "ethertype", ("net_device", "flags"): "iff",
    ("net_device", "type"): "arphrd", ("neigh_table", "family"): "af", ("sock", "sk_flags"): "sk_flags",
    ("socket_wq", "flags"): "socket_wq_flags",
}  # fmt: skip
"""Kind of value by struct and field."""

_ENUMERATIONS: Final = frozenset({"af", "ipproto", "ethertype", "arphrd", "tcp_ca_state", "pkttype"})
_SK_FLAGS: Final = (
    "SOCK_DEAD", "SOCK_DONE", "SOCK_URGINLINE", "SOCK_KEEPOPEN", "SOCK_LINGER", "SOCK_DESTROY", "SOCK_BROADCAST",
    "SOCK_TIMESTAMP", "SOCK_ZAPPED", "SOCK_USE_WRITE_QUEUE", "SOCK_DBG", "SOCK_RCVTSTAMP", "SOCK_RCVTSTAMPNS",
    "SOCK_LOCALROUTE", "SOCK_MEMALLOC", "SOCK_TIMESTAMPING_RX_SOFTWARE", "SOCK_FASYNC", "SOCK_RXQ_OVFL",
    "SOCK_ZEROCOPY", "SOCK_WIFI_STATUS", "SOCK_NOFCS", "SOCK_FILTER_LOCKED", "SOCK_SELECT_ERR_QUEUE",
    "SOCK_RCU_FREE", "SOCK_TXTIME", "SOCK_XDP", "SOCK_TSTAMP_NEW", "SOCK_RCVMARK",
)  # fmt: skip
_F_MODE: Final = ((1, "FMODE_READ"), (2, "FMODE_WRITE"), (4, "FMODE_LSEEK"), (8, "FMODE_PREAD"), (16, "FMODE_PWRITE"),
                  (1 << 14, "FMODE_PATH"), (1 << 16, "FMODE_WRITER"), (1 << 17, "FMODE_CAN_READ"),
                  (1 << 18, "FMODE_CAN_WRITE"), (1 << 19, "FMODE_OPENED"), (1 << 20, "FMODE_CREATED"),
                  (1 << 21, "FMODE_STREAM"))  # fmt: skip


def kind_of(cls: type, name: str) -> str:
    """The kind of the value of a class's field; "" if it is nothing but a number."""
    for base in cls.__mro__:
        kind = BY_STRUCT.get((base.__name__, name))
        if kind:
            return kind
    return BY_NAME.get(name, "")


def text(owner: object, name: str, value: object) -> str:
    """The value of a field, in Linux's own words."""
    return writer(type(owner), name)(value)  # type: ignore[arg-type]  # mypy: a class might not be hashable


@cache
def writer(cls: type, name: str) -> Callable[[object], str]:
    """How the values of a class's field are written."""
    kind = kind_of(cls, name)
    if not kind:
        return names.table
    if name == "d_name":
        return lambda value: names.constant("d_name", value)
    return lambda value: constant(kind, value) if isinstance(value, int) else names.table(value)


@lru_cache(1024)
def constant(kind: str, value: int) -> str:
    """A number of that kind by its name: `constant("af", 2)` is AF_INET."""
    special = _SPECIAL.get(kind)
    if special is not None:
        return special(value)
    if kind in _ENUMERATIONS:
        return _enumerated(kind, value)
    return names.constant(kind, value)


def _enumerated(kind: str, value: int) -> str:
    from kshell.abi.names import enumeration

    return enumeration(kind).name(value) or str(value)


def _iff(value: int) -> str:
    from kshell.abi.names import flags

    return flags("iff").text(value)


def _bits(table: tuple[tuple[int, str], ...], value: int) -> str:
    words = [name for bit, name in table if value & bit]
    rest = value & ~sum(bit for bit, _ in table)
    return "|".join(words + ([hex(rest)] if rest else [])) or "0"


_SK_FLAG_BITS: Final = tuple((1 << bit, name) for bit, name in enumerate(_SK_FLAGS))
_SPECIAL: Final[dict[str, Callable[[int], str]]] = {
    "tcp_state": lambda value: names.constant("sk_state", value),
    "ipv4": names.ipv4,
    "errno": names.errno,
    "iff": _iff,
    "sk_flags": lambda value: _bits(_SK_FLAG_BITS, value),
    "f_mode": lambda value: _bits(_F_MODE, value),
    "socket_wq_flags": lambda value: _bits(((1, "SOCKWQ_ASYNC_NOSPACE"), (2, "SOCKWQ_ASYNC_WAITDATA")), value),
}
