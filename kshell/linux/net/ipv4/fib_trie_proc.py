"""/proc/net/{route,fib_trie,fib_triestat} (net/ipv4/fib_trie.c)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

from kshell.abi.rtnetlink import (
    RT_SCOPE_HOST,
    RT_SCOPE_LINK,
    RT_SCOPE_NOWHERE,
    RT_SCOPE_SITE,
    RT_SCOPE_UNIVERSE,
    RT_TABLE_LOCAL,
    RT_TABLE_MAIN,
    RTAX_ADVMSS,
    RTAX_RTT,
    RTAX_WINDOW,
    RTN_BROADCAST,
    RTN_MULTICAST,
    RTN_PROHIBIT,
    RTN_UNREACHABLE,
)
from kshell.linux.fs.proc.generic import remove_proc_entry
from kshell.linux.fs.proc.proc_net import proc_create_net, proc_create_net_single, seq_file_net
from kshell.linux.fs.seq_file import seq_pad, seq_printf, seq_putc, seq_puts, seq_setwidth
from kshell.linux.include.linux.in_ import _be32
from kshell.linux.include.linux.inetdevice import inet_make_mask
from kshell.linux.include.linux.seq_file import SEQ_START_TOKEN, seq_file, seq_net_private, seq_operations
from kshell.linux.include.net.ip_fib import fib_get_table, fib_info, fib_table
from kshell.linux.lib.vsprintf import ip4_addr_string
from kshell.linux.net.ipv4.fib_trie_node import KEYLENGTH, get_index, key_vector, trie

if TYPE_CHECKING:
    from kshell.linux.include.net.net_namespace import net as net_t

LEAF_SIZE = 48
TNODE_SIZE = 40
FIB_ALIAS_SIZE = 56
KEY_MAX = 0xFFFFFFFF
RTF_UP, RTF_GATEWAY, RTF_HOST, RTF_REJECT = 0x1, 0x2, 0x4, 0x200
SCOPES = {
    RT_SCOPE_UNIVERSE: "universe", RT_SCOPE_SITE: "site", RT_SCOPE_LINK: "link", RT_SCOPE_HOST: "host",
    RT_SCOPE_NOWHERE: "nowhere",
}  # fmt: skip
TYPES = (
    "UNSPEC", "UNICAST", "LOCAL", "BROADCAST", "ANYCAST", "MULTICAST", "BLACKHOLE", "UNREACHABLE", "PROHIBIT", "THROW",
    "NAT", "XRESOLVE",
)  # fmt: skip
TITLES = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT"


class fib_route_iter(seq_net_private):
    """A reader's place in /proc/net/route: the node above the last leaf, and its key."""

    main_tb: fib_table
    tnode: key_vector

    def __init__(self) -> None:
        self.pos = 0
        self.key = KEY_MAX


def _route_iter(seq: seq_file) -> fib_route_iter:
    return cast(fib_route_iter, seq.private)


def leaf_walk_rcu(tn: key_vector, key: int) -> tuple[key_vector | None, key_vector]:
    """(the first leaf below or after tn whose key is not below `key`, the node above it)."""
    pn: key_vector = tn
    n: key_vector | None = tn
    cindex = 0
    while True:
        assert n is not None
        pn = n
        cindex = get_index(key, pn) if key > pn.key else 0
        if cindex >> pn.bits:
            break
        n = pn.tnode[cindex]
        cindex += 1
        if n is None:
            break
        if not n.bits and n.key >= key:
            return n, pn
        if not n.bits:
            break
    return _next_leaf(pn, cindex)


def _next_leaf(pn: key_vector, cindex: int) -> tuple[key_vector | None, key_vector]:
    while pn.pos < KEYLENGTH:
        if cindex >= 1 << pn.bits:
            pkey = pn.key
            assert pn.parent is not None
            pn = pn.parent
            cindex = get_index(pkey, pn) + 1
            continue
        n = pn.tnode[cindex]
        cindex += 1
        if n is None:
            continue
        if not n.bits:
            return n, pn
        pn, cindex = n, 0
    return None, pn


def fib_route_get_idx(iter: fib_route_iter, pos: int) -> key_vector | None:
    """The leaf at a position; a reader that goes on need not count from the beginning."""
    key = 0
    if iter.pos and pos >= iter.pos:
        key = iter.key
    else:
        iter.pos = 1
    pos -= iter.pos
    leaf, iter.tnode = leaf_walk_rcu(iter.tnode, key)
    while leaf is not None and pos > 0:
        key = leaf.key + 1
        iter.pos += 1
        pos -= 1
        if key > KEY_MAX:
            leaf = None
            break
        leaf, iter.tnode = leaf_walk_rcu(iter.tnode, key)
    if leaf is not None:
        iter.key = leaf.key
    else:
        iter.pos = 0
    return leaf


def fib_route_seq_start(seq: seq_file, pos: list[int]) -> object:
    """The leaf at a position, or the titles."""
    iter = _route_iter(seq)
    tb = fib_get_table(seq_file_net(seq), RT_TABLE_MAIN)
    if tb is None:
        return None
    iter.main_tb = tb
    iter.tnode = tb.tb_data.kv
    if pos[0]:
        return fib_route_get_idx(iter, pos[0])
    iter.pos = 0
    iter.key = KEY_MAX
    return SEQ_START_TOKEN


def fib_route_seq_next(seq: seq_file, v: object, pos: list[int]) -> object:
    """The next leaf, by address."""
    iter = _route_iter(seq)
    key = (iter.key + 1) & KEY_MAX
    pos[0] += 1
    leaf: key_vector | None = None
    if v is SEQ_START_TOKEN or key:
        leaf, iter.tnode = leaf_walk_rcu(iter.tnode, key)
    if leaf is not None:
        iter.key = leaf.key
        iter.pos += 1
    else:
        iter.pos = 0
    return leaf


def fib_route_seq_stop(seq: seq_file, v: object) -> None:
    """The end of a read."""


def fib_flag_trans(type: int, mask: int, fi: fib_info) -> int:
    """RTF_* of a route."""
    flags = RTF_UP
    if type in (RTN_UNREACHABLE, RTN_PROHIBIT):
        flags |= RTF_REJECT
    if fi.fib_nh[0].nhc_gw:
        flags |= RTF_GATEWAY
    if mask == KEY_MAX:
        flags |= RTF_HOST
    return flags


def _route_line(prefix: int, type: int, mask: int, fi: fib_info) -> str:
    nhc = fi.fib_nh[0]
    metrics = fi.fib_metrics or {}
    advmss = metrics.get(RTAX_ADVMSS, 0)
    return (
        f"{nhc.nhc_dev.name if nhc.nhc_dev is not None else '*'}\t{_be32(prefix):08X}\t{_be32(nhc.nhc_gw):08X}\t"
        f"{fib_flag_trans(type, mask, fi):04X}\t0\t0\t{fi.fib_priority}\t{_be32(mask):08X}\t"
        f"{advmss + 40 if advmss else 0}\t{metrics.get(RTAX_WINDOW, 0)}\t{metrics.get(RTAX_RTT, 0) >> 3}"
    )


def fib_route_seq_show(seq: seq_file, v: object) -> None:
    """The routes of the main table at one leaf."""
    if v is SEQ_START_TOKEN:
        seq_printf(seq, f"{TITLES:<127}\n")
        return
    leaf = cast(key_vector, v)
    table = _route_iter(seq).main_tb.tb_id
    for fa in leaf.leaf:
        if fa.fa_type in (RTN_BROADCAST, RTN_MULTICAST) or fa.tb_id != table:
            continue
        seq_setwidth(seq, 127)
        seq_printf(seq, _route_line(leaf.key, fa.fa_type, inet_make_mask(KEYLENGTH - fa.fa_slen), fa.fa_info))
        seq_pad(seq, "\n")


fib_route_seq_ops = seq_operations(
    start=fib_route_seq_start, next=fib_route_seq_next, stop=fib_route_seq_stop, show=fib_route_seq_show
)


class fib_trie_iter(seq_net_private):
    """A reader's place in /proc/net/fib_trie: table and depth."""

    tb: fib_table

    def __init__(self) -> None:
        self.depth = 0


Place = tuple[key_vector, int, fib_table]  # node, depth, table


def _nodes(n: key_vector | None, depth: int) -> Iterator[tuple[key_vector, int]]:
    """A node and all below it, each with its depth: 1 for the first inner node."""
    if n is None:
        return
    depth += bool(n.bits)
    yield n, depth
    for child in n.tnode if n.bits else ():
        yield from _nodes(child, depth)


def _tables(net: net_t) -> list[fib_table]:
    return [table for _, table in sorted(net.ipv4.fib_table_hash.items(), key=lambda each: each[0] & 255 or 256)]


def fib_trie_get_idx(seq: seq_file, pos: int) -> Place | None:
    """The node at a position, table after table."""
    for tb in _tables(seq_file_net(seq)):
        for n, depth in _nodes(tb.tb_data.kv.tnode[0], 0):
            if not pos:
                return n, depth, tb
            pos -= 1
    return None


def fib_trie_seq_start(seq: seq_file, pos: list[int]) -> object:
    """The node at a position."""
    return fib_trie_get_idx(seq, pos[0])


def fib_trie_seq_next(seq: seq_file, v: object, pos: list[int]) -> object:
    """The next node."""
    pos[0] += 1
    return fib_trie_get_idx(seq, pos[0])


def fib_trie_seq_stop(seq: seq_file, v: object) -> None:
    """The end of a read."""


def fib_table_print(seq: seq_file, tb: fib_table) -> None:
    """The name of a table."""
    seq_puts(seq, {RT_TABLE_LOCAL: "Local:\n", RT_TABLE_MAIN: "Main:\n"}.get(tb.tb_id, f"Id {tb.tb_id}:\n"))


def seq_indent(seq: seq_file, n: int) -> None:
    """Three blanks a level."""
    seq_puts(seq, "   " * n)


def fib_trie_seq_show(seq: seq_file, v: object) -> None:
    """A node: an inner one with its prefix, bits, full and empty children; a leaf with its routes."""
    n, depth, tb = cast(Place, v)
    assert n.parent is not None
    if n.parent.pos >= KEYLENGTH:
        fib_table_print(seq, tb)
    if n.bits:
        seq_indent(seq, depth - 1)
        length = KEYLENGTH - n.pos - n.bits
        seq_printf(seq, f"  +-- {ip4_addr_string(n.key)}/{length} {n.bits} {n.full_children} {n.empty_children}\n")
        return
    seq_indent(seq, depth)
    seq_printf(seq, f"  |-- {ip4_addr_string(n.key)}\n")
    for fa in n.leaf:
        seq_indent(seq, depth + 1)
        scope = fa.fa_info.fib_scope
        seq_printf(seq, f"  /{KEYLENGTH - fa.fa_slen} {SCOPES.get(scope, f'scope={scope}')} {TYPES[fa.fa_type]}")
        if fa.fa_dscp:
            seq_printf(seq, f" tos={fa.fa_dscp}")
        seq_putc(seq, "\n")


fib_trie_seq_ops = seq_operations(
    start=fib_trie_seq_start, next=fib_trie_seq_next, stop=fib_trie_seq_stop, show=fib_trie_seq_show
)


def trie_show_stats(seq: seq_file, t: trie) -> None:
    """Depth, leaves, inner nodes by the number of bits they choose by, memory."""
    nodes = list(_nodes(t.kv.tnode[0], 0))
    leaves = [(n, depth) for n, depth in nodes if not n.bits]
    inner = [n for n, _ in nodes if n.bits]
    sizes = {bits: sum(n.bits == bits for n in inner) for bits in sorted({n.bits for n in inner})}
    average = sum(depth for _, depth in leaves) * 100 // len(leaves) if leaves else 0
    prefixes = sum(len(n.leaf) for n, _ in leaves)
    pointers = sum(count << bits for bits, count in sizes.items())
    size = LEAF_SIZE * len(leaves) + FIB_ALIAS_SIZE * prefixes + TNODE_SIZE * len(inner) + 8 * pointers
    seq_printf(seq, f"\tAver depth:     {average // 100}.{average % 100:02}\n")
    seq_printf(seq, f"\tMax depth:      {max((depth for _, depth in leaves), default=0)}\n")
    seq_printf(seq, f"\tLeaves:         {len(leaves)}\n\tPrefixes:       {prefixes}\n")
    seq_printf(seq, f"\tInternal nodes: {len(inner)}\n\t")
    seq_puts(seq, "".join(f"  {bits}: {count}" for bits, count in sizes.items()))
    seq_printf(seq, f"\n\tPointers: {pointers}\nNull ptrs: {sum(n.empty_children for n in inner)}\n")
    seq_printf(seq, f"Total size: {(size + 1023) // 1024}  kB\n")


def trie_show_usage(seq: seq_file, t: trie) -> None:
    """How often the table was asked. The model does not count: looking a route up is its hottest path."""
    seq_puts(seq, "\nCounters:\n---------\ngets = 0\nbacktracks = 0\nsemantic match passed = 0\n")
    seq_puts(seq, "semantic match miss = 0\nnull node hit= 0\nskipped node resize = 0\n\n")


def fib_triestat_seq_show(seq: seq_file, v: object) -> None:
    """/proc/net/fib_triestat."""
    seq_printf(seq, f"Basic info: size of leaf: {LEAF_SIZE} bytes, size of tnode: {TNODE_SIZE} bytes.\n")
    for tb in _tables(cast("net_t", seq.private)):
        fib_table_print(seq, tb)
        trie_show_stats(seq, tb.tb_data)
        trie_show_usage(seq, tb.tb_data)


def fib_proc_init(net: net_t) -> None:
    """A namespace comes."""
    proc_create_net(net.kernel, "fib_trie", 0o444, net.proc_net, fib_trie_seq_ops, fib_trie_iter)
    proc_create_net_single(net.kernel, "fib_triestat", 0o444, net.proc_net, fib_triestat_seq_show)
    proc_create_net(net.kernel, "route", 0o444, net.proc_net, fib_route_seq_ops, fib_route_iter)


def fib_proc_exit(net: net_t) -> None:
    """A namespace goes."""
    for name in ("fib_trie", "fib_triestat", "route"):
        remove_proc_entry(net.kernel, name, net.proc_net)
