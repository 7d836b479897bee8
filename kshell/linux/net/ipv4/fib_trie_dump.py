"""net/ipv4/fib_trie.c: walking the leaves of a table and dumping its routes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EMSGSIZE
from kshell.abi.netlink import NLM_F_DUMP_FILTERED, NLM_F_MULTI
from kshell.abi.rtnetlink import RTM_NEWROUTE
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.netlink import NETLINK_CB, netlink_callback
from kshell.linux.include.net.ip_fib import fib_alias, fib_dump_filter, fib_rt_info, fib_table
from kshell.linux.net.ipv4 import route_rtnl
from kshell.linux.net.ipv4.fib_dump import fib_dump_info
from kshell.linux.net.ipv4.fib_trie_node import KEYLENGTH, key_vector

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff


def _last_key(n: key_vector) -> int:
    return n.key | ((1 << (n.pos + n.bits)) - 1)


def _walk(n: key_vector | None, key: int) -> key_vector | None:
    if n is None or _last_key(n) < key:
        return None
    if not n.bits:
        return n
    first = (key ^ n.key) >> n.pos if n.key < key else 0
    for child in n.tnode[first:]:
        leaf = _walk(child, key)
        if leaf is not None:
            return leaf
    return None


def leaf_walk_rcu(tn: key_vector, key: int) -> key_vector | None:
    """The first leaf of a trie whose key is not below `key`."""
    return _walk(tn.tnode[0], key)


def _wanted(fa: fib_alias, tb: fib_table, filter: fib_dump_filter) -> bool:
    """Whether a dump that asks for some routes asks for this one."""
    if fa.tb_id != tb.tb_id:
        return False
    if not filter.filter_set:
        return True
    fi = fa.fa_info
    if filter.rt_type and fa.fa_type != filter.rt_type:
        return False
    if filter.protocol and fi.fib_protocol != filter.protocol:
        return False
    return filter.dev is None or any(nh.nhc_dev is filter.dev for nh in fi.fib_nh)


def fn_trie_dump_leaf(
    l: key_vector, tb: fib_table, skb: sk_buff, cb: netlink_callback, filter: fib_dump_filter  # noqa: E741
) -> None:
    """Append the routes of a leaf; args[4]: those that are done. EMSGSIZE: not all fit."""
    some = filter.filter_set or not filter.dump_exceptions or not filter.dump_routes
    flags = NLM_F_MULTI | (NLM_F_DUMP_FILTERED if some else 0)
    portid, seq = NETLINK_CB(cb.skb).portid, cb.nlh.nlmsg_seq
    for fa in list(l.leaf)[cb.args[4] :]:
        if _wanted(fa, tb, filter):
            if filter.dump_routes and not cb.args[5]:
                slen = KEYLENGTH - fa.fa_slen
                fri = fib_rt_info(fa.fa_info, tb.tb_id, l.key, slen, fa.fa_dscp, fa.fa_type)
                fib_dump_info(skb, portid, seq, RTM_NEWROUTE, fri, flags)
                cb.args[5] = 1
            if filter.dump_exceptions:
                route_rtnl.fib_dump_info_fnhe(skb, cb, tb.tb_id, fa.fa_info, flags)
        cb.args[4] += 1
        cb.args[5] = 0


def fib_table_dump(tb: fib_table, skb: sk_buff, cb: netlink_callback, filter: fib_dump_filter) -> None:
    """Append the routes of a table from key args[3] on; args[2]: how many leaves are done. EMSGSIZE: not all fit."""
    if cb.args[2] and not cb.args[3]:
        return
    while (leaf := leaf_walk_rcu(tb.tb_data.kv, cb.args[3])) is not None:
        fn_trie_dump_leaf(leaf, tb, skb, cb, filter)
        cb.args[2] += 1
        cb.args[3] = leaf.key + 1 & 0xFFFFFFFF
        cb.args[4] = cb.args[5] = 0
        if not cb.args[3]:
            break


def _dump_tables(skb: sk_buff, cb: netlink_callback, tables: list[fib_table], filter: fib_dump_filter) -> int:
    """Append the routes of several tables; args[1]: those that are done."""
    try:
        for tb in tables[cb.args[1] :]:
            fib_table_dump(tb, skb, cb, filter)
            cb.args[1] += 1
            cb.args[2:6] = [0] * 4
    except KernelError as error:
        if error.errno != EMSGSIZE or not skb.len:
            raise
    return skb.len
