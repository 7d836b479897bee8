"""Holding the kernel's struct classes to the layouts of a real Linux: every field under its own name and type.

A struct embedded as the first member is a base class here, macros such as `sk_state` for
`__sk_common.skc_state` are resolved, and a field whose name starts with one underscore is the model's own.
"""

import re
from dataclasses import dataclass, field
from typing import TypedDict

from kshell.lens.structs_source import KernelSource, StructClass


class BtfField(TypedDict, total=False):
    """A member as the recording has it; `fields` when it is an anonymous struct with a name."""

    name: str
    type: str
    size: int
    offset: int
    bit_size: int
    fields: list["BtfField"]


class BtfStruct(TypedDict):
    """A recorded struct."""

    size: int
    fields: list[BtfField]


# Linux's accessor macros: (struct, prefix) of the macro and the prefix of the member of sock_common.
MACRO_PREFIXES = {
    ("sock", "sk_"): "skc_",
    ("request_sock", "rsk_"): "skc_",
    ("inet_timewait_sock", "tw_"): "skc_",
    ("flowi4", "flowi4_"): "flowic_",
}

# What the model calls its way up: a pointer that Linux does not need, since its kernel is the only one.
MODEL_NAMES = frozenset({"kernel"})

MACROS = {
    ("task_struct", "state"): ("task_struct", "__state"),
    ("inet_sock", "inet_daddr"): ("sock_common", "skc_daddr"),
    ("inet_sock", "inet_rcv_saddr"): ("sock_common", "skc_rcv_saddr"),
    ("inet_sock", "inet_dport"): ("sock_common", "skc_dport"),
    ("inet_sock", "inet_num"): ("sock_common", "skc_num"),
    ("inet_request_sock", "ir_loc_addr"): ("sock_common", "skc_rcv_saddr"),
    ("inet_request_sock", "ir_rmt_addr"): ("sock_common", "skc_daddr"),
    ("inet_request_sock", "ir_num"): ("sock_common", "skc_num"),
    ("inet_request_sock", "ir_rmt_port"): ("sock_common", "skc_dport"),
    ("inet_request_sock", "ir_iif"): ("sock_common", "skc_bound_dev_if"),
    ("inet_request_sock", "ir_cookie"): ("sock_common", "skc_cookie"),
    ("inet_request_sock", "ireq_net"): ("sock_common", "skc_net"),
    ("inet_request_sock", "ireq_family"): ("sock_common", "skc_family"),
    ("inet_request_sock", "ireq_state"): ("sock_common", "skc_state"),
    ("request_sock", "rsk_listener"): ("sock_common", "skc_listener"),
    ("request_sock", "rsk_window_clamp"): ("sock_common", "skc_window_clamp"),
    ("request_sock", "rsk_rcv_wnd"): ("sock_common", "skc_rcv_wnd"),
    ("inet_timewait_sock", "tw_dr"): ("sock_common", "skc_tw_dr"),
    ("sock", "sk_rmem_alloc"): ("sock", "rmem_alloc"),
    ("udp_sock", "udp_port_hash"): ("sock_common", "skc_u16hashes"),
    ("udp_sock", "udp_portaddr_hash"): ("sock_common", "skc_u16hashes"),
    ("flowi4", "fl4_sport"): ("flowi4", "uli"),
    ("flowi4", "fl4_dport"): ("flowi4", "uli"),
    ("mount", "mnt_flags"): ("vfsmount", "mnt_flags"),
}

# Fields that hold their C value in another form, and the form.
REPRESENTED = {
    ("pid", "numbers"): frozenset({"int"}),
    ("neighbour", "primary_key"): frozenset({"int"}),
    ("proto", "sysctl_rmem_offset"): frozenset({"str"}),
    ("proto", "sysctl_wmem_offset"): frozenset({"str"}),
    ("pernet_operations", "size"): frozenset({"type"}),
    ("sock_fprog", "filter"): frozenset({"int"}),  # an address in user memory
    ("tcp_skb_cb", "h4"): frozenset({"object"}),
    ("udp_sock", "udp_port_hash"): frozenset({"int"}),
    ("udp_sock", "udp_portaddr_hash"): frozenset({"int"}),
    ("sk_buff", "mac_header"): frozenset({"object"}),
    ("sk_buff", "network_header"): frozenset({"object"}),
    ("sk_buff", "transport_header"): frozenset({"object"}),
}

INTEGER = re.compile(
    r"^(const |volatile )*(unsigned |signed |long |short )*(int|char|long|short|bool|[su](8|16|32|64)"
    r"|__[su](8|16|32|64)|__(be|le)(16|32|64)|__sum16|__wsum|\w+_t|enum .*|__kernel_\w+|socket_state)$"
)
NUMBERS = frozenset({"int", "bool", "float"})
CONTAINERS = frozenset({
    "list", "dict", "deque", "set", "tuple", "bytes", "bytearray", "array", "Sequence", "Mapping", "OrderedDict",
    "str", "frozenset", "object",
})  # fmt: skip
FUNCTIONS = frozenset({"Callable", "object"})

# Typedefs and structs whose value is one simple thing here.
SPECIAL: dict[str, frozenset[str]] = {
    "wait_queue_head_t": frozenset({"wait_queue_head"}),
    "wait_queue_entry_t": frozenset({"wait_queue_entry"}),
    "possible_net_t": frozenset({"net"}),
    "socket_lock_t": frozenset({"socket_lock_t", "bool", "int"}),
    "netdevice_tracker": NUMBERS,
    "sk_buff_data_t": NUMBERS,
    "struct qstr": frozenset({"qstr", "str", "bytes"}),
    "struct timespec64": NUMBERS | {"timespec64"},
    "struct in6_addr": NUMBERS | {"bytes", "in6_addr"},
    "struct in_addr": NUMBERS | {"in_addr"},
    "struct lockref": NUMBERS | {"lockref"},
    "struct icmp_filter": NUMBERS | {"icmp_filter"},
    "struct module *": frozenset({"module", "str"}),
    "struct poll_table_struct": frozenset({"poll_table_struct", "poll_table"}),
    "struct minmax": frozenset({"minmax", "int"}),
}


@dataclass(slots=True)
class FieldResult:
    """A field of the model and what the recording says to it; `problem` is empty when they agree."""

    struct: str
    name: str
    ctype: str = ""
    problem: str = ""


@dataclass(slots=True)
class StructResult:
    """All fields of one class that has a recorded struct."""

    name: str
    file: str
    fields: list[FieldResult] = field(default_factory=list)
    model_only: list[str] = field(default_factory=list)
    unrecorded: list[str] = field(default_factory=list)

    @property
    def agreeing(self) -> int:
        return sum(not found.problem for found in self.fields)


class StructCheck:
    """Compares struct classes with recorded layouts."""

    def __init__(self, recorded: dict[str, BtfStruct], source: KernelSource) -> None:
        self._recorded = recorded
        self._source = source
        self._members = {name: dict(_flatten(struct["fields"])) for name, struct in recorded.items()}

    def results(self) -> list[StructResult]:
        """One entry for each class that has a recorded struct of its name."""
        classes = [c for c in self._source.classes if c.name in self._recorded]
        return [self._check_class(found) for found in sorted(classes, key=lambda c: c.name)]

    def unrecorded(self) -> list[str]:
        """Lower-case classes that bear a name the recording does not have."""
        return sorted(c.name for c in self._source.classes if c.name not in self._recorded and c.name.islower())

    def _check_class(self, found: StructClass) -> StructResult:
        result = StructResult(found.name, found.file)
        for name, types in sorted(found.fields.items()):
            if name in MODEL_NAMES or (name.startswith("_") and not name.startswith("__")):
                result.model_only.append(name)
                continue
            member = self._member(found.name, name)
            if member is None and _is_partial(self._recorded[found.name]):
                result.unrecorded.append(name)
            elif member is None:
                result.fields.append(FieldResult(found.name, name, "", "no such field"))
            else:
                result.fields.append(self._check_type(found.name, name, member, types))
        return result

    def _member(self, struct: str, name: str) -> BtfField | None:
        for owner in self._source.lineage(struct):
            members = self._members.get(owner, {})
            if name in members or f"__{name}" in members:
                return members.get(name) or members[f"__{name}"]
        if name.startswith("skc_"):
            return self._members["sock_common"].get(name)
        macro = MACROS.get((struct, name))
        if macro is not None:
            return self._members[macro[0]].get(macro[1])
        for (owner, prefix), common in MACRO_PREFIXES.items():
            if owner == struct and name.startswith(prefix):
                home = "flowi_common" if struct == "flowi4" else "sock_common"
                return self._members[home].get(common + name.removeprefix(prefix))
        return None

    def _check_type(self, struct: str, name: str, member: BtfField, declared: frozenset[str]) -> FieldResult:
        ctype = member["type"]
        if REPRESENTED.get((struct, name), frozenset()) & declared:
            return FieldResult(struct, name, ctype)
        types = self._source.resolve(declared) - {"None"}
        if types and not any(self._fits(ctype, one) for one in types):
            return FieldResult(struct, name, ctype, f"is {' | '.join(sorted(types))}")
        return FieldResult(struct, name, ctype)

    def _fits(self, ctype: str, one: str) -> bool:
        if ctype in SPECIAL:
            return one in SPECIAL[ctype] or one == "object"
        if "(*)" in ctype or "(*" in ctype:
            return one in FUNCTIONS
        if ctype.endswith("]"):
            return one in CONTAINERS or one == _struct_of(ctype) or (ctype.startswith("long unsigned") and one == "int")
        if ctype.endswith("*"):
            return self._fits_pointer(ctype, one)
        if ctype.startswith(("struct ", "union ")):
            return self._fits_struct(ctype, one)
        if re.search(r"_(func|fn|write|actor)_t$", ctype):
            return one in FUNCTIONS
        if INTEGER.match(ctype) or ctype.startswith("enum"):
            return one in NUMBERS or one == ctype
        return True

    def _fits_pointer(self, ctype: str, one: str) -> bool:
        target = _struct_of(ctype)
        if target and target in self._source.named():
            return target in self._source.lineage(one) or one in self._derived(target) or one in CONTAINERS
        if ctype.replace("const ", "").strip("* ") in ("char", "unsigned char"):
            return one in {"str", "bytes", "int", "bytearray"} or not one.islower()
        return True

    def _derived(self, name: str) -> set[str]:
        return {c.name for c in self._source.classes if name in self._source.lineage(c.name)}

    def _fits_struct(self, ctype: str, one: str) -> bool:
        target = _struct_of(ctype)
        if target in ("list_head", "hlist_head", "hlist_node", "rb_root", "rb_node", "rb_root_cached", "llist_node"):
            return one not in {"str", "float"}
        if target in self._source.named():
            return target in self._source.lineage(one) or one in self._derived(target)
        return True


def _struct_of(ctype: str) -> str:
    found = re.search(r"\b(?:struct|union) (\w+)", ctype)
    return found.group(1) if found else ""


def _flatten(fields: list[BtfField]) -> list[tuple[str, BtfField]]:
    members = []
    for member in fields:
        members.append((member["name"], member))
        members.extend(_flatten(member.get("fields", [])))
    return members


def _is_partial(struct: BtfStruct) -> bool:
    """Whether the recording lists only some members: more than a cache line of the struct is not covered."""
    covered = {byte for f in struct["fields"] for byte in range(f["offset"], f["offset"] + f["size"])}
    return struct["size"] - len(covered) > 64


def load_recorded(raw: dict[str, BtfStruct]) -> dict[str, BtfStruct]:
    """The structs of a recording, by name; ValueError when it is something else."""
    if not all(isinstance(value, dict) and "fields" in value and "size" in value for value in raw.values()):
        raise ValueError("not a recording of structs")
    return raw
