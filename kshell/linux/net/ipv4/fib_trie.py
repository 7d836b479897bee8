"""net/ipv4/fib_trie.c: routes by longest prefix. Local and main table share one trie until there are policy rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EAGAIN, EEXIST, ENOENT, ESRCH
from kshell.abi.netlink import NLM_F_APPEND, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE
from kshell.abi.rtnetlink import RT_SCOPE_NOWHERE, RTM_DELROUTE, RTM_NEWROUTE, RTNH_F_DEAD, RTNH_F_LINKDOWN
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.net.ip_fib import (
    FA_S_ACCESSED,
    FIB_LOOKUP_IGNORE_LINKSTATE,
    fib_alias,
    fib_config,
    fib_nh_common,
    fib_result,
    fib_table,
)
from kshell.linux.net.ipv4 import fib_semantics, route
from kshell.linux.net.ipv4.fib_dump import rtmsg_fib
from kshell.linux.net.ipv4.fib_trie_node import (
    KEYLENGTH,
    get_index,
    key_vector,
    leaf_new,
    node_free,
    node_pull_suffix,
    node_push_suffix,
    put_child,
    put_child_root,
    resize,
    tnode_new,
    trie,
    trie_rebalance,
    update_suffix,
)

if TYPE_CHECKING:
    from kshell.linux.include.linux.netlink import netlink_ext_ack
    from kshell.linux.include.net.flow import flowi4
    from kshell.linux.include.net.net_namespace import net as net_t


def fib_find_node(t: trie, key: int) -> tuple[key_vector | None, key_vector]:
    """(the leaf with exactly this key or None, its parent or where it would go)."""
    pn = t.kv
    n = pn.tnode[0]
    while n is not None:
        index = get_index(key, n)
        if index >> n.bits:
            return None, pn
        if not n.bits:
            return n, pn
        pn, n = n, n.tnode[index]
    return None, pn


def fib_find_alias(
    fah: list[fib_alias], slen: int, dscp: int, prio: int, tb_id: int, find_first: bool
) -> fib_alias | None:
    """The first route of a leaf with this suffix length and table, and a priority value not below prio."""
    for fa in fah:
        if fa.fa_slen < slen:
            continue
        if fa.fa_slen != slen:
            break
        if fa.tb_id > tb_id:
            continue
        if fa.tb_id != tb_id:
            break
        if find_first:
            return fa
        if fa.fa_dscp > dscp:
            continue
        if fa.fa_info.fib_priority >= prio or fa.fa_dscp < dscp:
            return fa
    return None


def fib_insert_node(t: trie, tp: key_vector, new: fib_alias, key: int) -> None:
    """A new leaf below tp."""
    leaf = leaf_new(key, new)
    n = tp.tnode[get_index(key, tp)]
    if n is not None:
        tn = tnode_new(key, (key ^ n.key).bit_length() - 1, 1)
        tn.parent = tp
        put_child(tn, get_index(key, tn) ^ 1, n)
        put_child_root(tp, key, tn)
        n.parent = tn
        tp = tn
    node_push_suffix(tp, new.fa_slen)
    leaf.parent = tp
    put_child_root(tp, key, leaf)
    trie_rebalance(t, tp)


def fib_insert_alias(
    t: trie, tp: key_vector, leaf: key_vector | None, new: fib_alias, fa: fib_alias | None, key: int
) -> None:
    """Add a route before fa, or at the end of its section of the leaf."""
    if leaf is None:
        fib_insert_node(t, tp, new, key)
        return
    fah = leaf.leaf
    if fa is not None:
        at = fah.index(fa)
    else:
        at = 0
        for last in fah:
            if new.fa_slen < last.fa_slen or (new.fa_slen == last.fa_slen and new.tb_id > last.tb_id):
                break
            at += 1
    fah.insert(at, new)
    if leaf.slen < new.fa_slen:
        leaf.slen = new.fa_slen
        node_push_suffix(tp, new.fa_slen)


def _same_key(fah: list[fib_alias], fa: fib_alias, cfg_type: int, new: fib_alias) -> tuple[bool, fib_alias | None]:
    """(an equal route exists, the route after all of the same key) from fa on."""
    for other in fah[fah.index(fa) :]:
        if (other.fa_slen, other.tb_id, other.fa_dscp) != (new.fa_slen, new.tb_id, new.fa_dscp):
            return False, other
        if other.fa_info.fib_priority != new.fa_info.fib_priority:
            return False, other
        if other.fa_type == cfg_type and other.fa_info is new.fa_info:
            return True, other
    return False, None


def _same_place(fa: fib_alias, new: fib_alias) -> bool:
    return fa.fa_dscp == new.fa_dscp and fa.fa_info.fib_priority == new.fa_info.fib_priority


def _replace(net: net_t, leaf: key_vector, fa: fib_alias, new: fib_alias) -> None:
    leaf.leaf[leaf.leaf.index(fa)] = new
    fib_semantics.fib_release_info(fa.fa_info)
    if fa.fa_state & FA_S_ACCESSED:
        route.rt_cache_flush(net)


def fib_table_insert(net: net_t, tb: fib_table, cfg: fib_config, extack: netlink_ext_ack | None = None) -> None:
    """Add a route. EEXIST, ENOENT and what fib_semantics.fib_create_info() finds wrong."""
    t = tb.tb_data
    slen = KEYLENGTH - cfg.fc_dst_len
    key = cfg.fc_dst
    fi = fib_semantics.fib_create_info(net, cfg, extack)
    new = fib_alias(fi, cfg.fc_dscp, cfg.fc_type, slen, tb.tb_id)
    nlflags = NLM_F_EXCL
    try:
        leaf, tp = fib_find_node(t, key)
        fa = None
        if leaf is not None:
            fa = fib_find_alias(leaf.leaf, slen, cfg.fc_dscp, fi.fib_priority, tb.tb_id, False)
        if leaf is not None and fa is not None and _same_place(fa, new):
            if cfg.fc_nlflags & NLM_F_EXCL:
                raise KernelError(EEXIST)
            nlflags &= ~NLM_F_EXCL
            exists, after = _same_key(leaf.leaf, fa, cfg.fc_type, new)
            if cfg.fc_nlflags & NLM_F_REPLACE:
                if exists and after is fa:
                    fib_semantics.fib_release_info(fi)
                    return
                if exists:
                    raise KernelError(EEXIST)
                _replace(net, leaf, fa, new)
                nlflags |= NLM_F_REPLACE
                rtmsg_fib(net, RTM_NEWROUTE, key, new, cfg.fc_dst_len, tb.tb_id, cfg.fc_nlinfo, nlflags)
                return
            if exists:
                raise KernelError(EEXIST)
            if cfg.fc_nlflags & NLM_F_APPEND:
                fa = after
                nlflags |= NLM_F_APPEND
        if not cfg.fc_nlflags & NLM_F_CREATE:
            raise KernelError(ENOENT)
    except KernelError:
        fib_semantics.fib_release_info(fi)
        raise
    fib_insert_alias(t, tp, leaf, new, fa, key)
    if not cfg.fc_dst_len:
        tb.tb_num_default += 1
    route.rt_cache_flush(net)
    nlflags |= NLM_F_CREATE
    rtmsg_fib(net, RTM_NEWROUTE, key, new, cfg.fc_dst_len, new.tb_id, cfg.fc_nlinfo, nlflags)


def prefix_mismatch(key: int, n: key_vector) -> int:
    """Non-zero if key and the node's prefix differ in or above the lowest bit set of the prefix."""
    prefix = n.key
    return (key ^ prefix) & (prefix | -prefix)


def fib_lookup_good_nhc(nhc: fib_nh_common, fib_flags: int, flp: flowi4) -> bool:
    """True if the next hop is alive and on the device asked for."""
    if nhc.nhc_flags & RTNH_F_DEAD:
        return False
    if nhc.nhc_flags & RTNH_F_LINKDOWN and not fib_flags & FIB_LOOKUP_IGNORE_LINKSTATE and _ignore_linkdown(nhc):
        return False
    return not flp.flowi4_oif or flp.flowi4_oif == nhc.nhc_oif


def _ignore_linkdown(nhc: fib_nh_common) -> bool:
    """ip_ignore_linkdown(): conf/DEV/ignore_routes_with_linkdown."""
    dev = nhc.nhc_dev
    in_dev = dev.ip_ptr if dev is not None else None
    if dev is None or in_dev is None:
        return False
    return bool(dev.nd_net.ipv4.devconf_all.data[28] or in_dev.cnf.data[28])


def _leaf_match(n: key_vector, key: int, flp: flowi4, res: fib_result, tb: fib_table, fib_flags: int) -> int:
    """Step 3 of fib_table_lookup(): 0 with res filled, an errno, or -1 to go on looking."""
    index = key ^ n.key
    for fa in n.leaf:
        if index >> fa.fa_slen or (fa.fa_dscp and fa.fa_dscp != flp.flowi4_tos):
            continue
        fi = fa.fa_info
        if fi.fib_dead or fi.fib_scope < flp.flowi4_scope:
            continue
        fa.fa_state |= FA_S_ACCESSED
        err = fib_semantics.FIB_PROPS_ERROR[fa.fa_type]
        if err:
            return err
        if fi.fib_flags & RTNH_F_DEAD:
            continue
        for nhsel, nhc in enumerate(fi.fib_nh):
            if not fib_lookup_good_nhc(nhc, fib_flags, flp):
                continue
            res.prefix = n.key
            res.prefixlen = KEYLENGTH - fa.fa_slen
            res.nh_sel = nhsel
            res.nhc = nhc
            res.type = fa.fa_type
            res.scope = fi.fib_scope
            res.dscp = fa.fa_dscp
            res.fi = fi
            res.table = tb
            res.fa_head = n.leaf
            return 0
    return -1


def fib_table_lookup(tb: fib_table, flp: flowi4, res: fib_result, fib_flags: int) -> int:
    """The best route: 0 with res filled, EAGAIN if there is none, or the error of a reject route."""
    key = flp.daddr
    pn = tb.tb_data.kv
    cindex = 0
    n = pn.tnode[0]
    if n is None:
        return EAGAIN
    leaf = None
    while n is not None:  # to the longest match in the trie
        index = (key ^ n.key) >> n.pos
        if index >> n.bits:
            break
        if not n.bits:
            leaf = n
            break
        if n.slen > n.pos:
            pn, cindex = n, index
        n = n.tnode[index]
    while True:
        while leaf is None:  # shorten the prefix until a leaf may match
            while n is None:
                while not cindex:
                    if pn.pos >= KEYLENGTH or pn.parent is None:
                        return EAGAIN
                    pkey = pn.key
                    pn = pn.parent
                    cindex = (pkey ^ pn.key) >> pn.pos
                cindex &= cindex - 1
                n = pn.tnode[cindex]
            if prefix_mismatch(key, n) or n.slen == n.pos:
                n = None
            elif not n.bits:
                leaf = n
            else:
                n = n.tnode[0]
        err = _leaf_match(leaf, key, flp, res, tb, fib_flags)
        if err >= 0:
            return err
        leaf = n = None


def fib_remove_alias(t: trie, tp: key_vector, leaf: key_vector, old: fib_alias) -> None:
    """Take a route out of its leaf, and the leaf out of the trie if it was the last."""
    was_last = leaf.leaf[-1] is old
    leaf.leaf.remove(old)
    if not leaf.leaf:
        if tp.slen == leaf.slen:
            node_pull_suffix(tp, tp.pos)
        put_child_root(tp, leaf.key, None)
        node_free(leaf)
        trie_rebalance(t, tp)
        return
    if was_last:
        leaf.slen = leaf.leaf[-1].fa_slen
        node_pull_suffix(tp, leaf.slen)


def fib_table_delete(net: net_t, tb: fib_table, cfg: fib_config) -> None:
    """Remove a route. ESRCH."""
    slen = KEYLENGTH - cfg.fc_dst_len
    leaf, tp = fib_find_node(tb.tb_data, cfg.fc_dst)
    if leaf is None:
        raise KernelError(ESRCH)
    fa = fib_find_alias(leaf.leaf, slen, cfg.fc_dscp, 0, tb.tb_id, False)
    if fa is None:
        raise KernelError(ESRCH)
    for other in leaf.leaf[leaf.leaf.index(fa) :]:
        fi = other.fa_info
        if other.fa_slen != slen or other.tb_id != tb.tb_id or other.fa_dscp != cfg.fc_dscp:
            break
        if (
            (not cfg.fc_type or other.fa_type == cfg.fc_type)
            and (cfg.fc_scope == RT_SCOPE_NOWHERE or fi.fib_scope == cfg.fc_scope)
            and (not cfg.fc_prefsrc or fi.fib_prefsrc == cfg.fc_prefsrc)
            and (not cfg.fc_protocol or fi.fib_protocol == cfg.fc_protocol)
            and fib_semantics.fib_nh_match(net, cfg, fi)
            and fib_semantics.fib_metrics_match(cfg, fi)
        ):
            break
    else:
        raise KernelError(ESRCH)
    if other.fa_slen != slen or other.tb_id != tb.tb_id or other.fa_dscp != cfg.fc_dscp:
        raise KernelError(ESRCH)
    rtmsg_fib(net, RTM_DELROUTE, cfg.fc_dst, other, cfg.fc_dst_len, tb.tb_id, cfg.fc_nlinfo, 0)
    if not cfg.fc_dst_len:
        tb.tb_num_default -= 1
    fib_remove_alias(tb.tb_data, tp, leaf, other)
    if other.fa_state & FA_S_ACCESSED:
        route.rt_cache_flush(net)
    fib_semantics.fib_release_info(other.fa_info)


def _flush_leaf(tb: fib_table, leaf: key_vector, flush_all: bool) -> int:
    """Remove a leaf's routes that are dead (or reject routes too); how many."""
    found = slen = 0
    for fa in list(leaf.leaf):
        fi = fa.fa_info
        rejects = bool(fib_semantics.FIB_PROPS_ERROR[fa.fa_type])
        if fa.tb_id != tb.tb_id or not (fi.fib_flags & RTNH_F_DEAD or (flush_all and rejects)):
            slen = fa.fa_slen
            continue
        leaf.leaf.remove(fa)
        fib_semantics.fib_release_info(fi)
        found += 1
    leaf.slen = slen
    return found


def fib_table_flush(net: net_t, tb: fib_table, flush_all: bool) -> int:
    """Remove routes that are dead (or all reject routes too), from the last leaf to the first; how many."""
    t = tb.tb_data
    pn, cindex, found = t.kv, 1, 0
    while True:
        if not cindex:
            if pn.pos >= KEYLENGTH:
                return found
            pkey = pn.key
            if pn.slen > pn.pos:
                update_suffix(pn)
            pn = resize(t, pn)
            cindex = get_index(pkey, pn)
            continue
        cindex -= 1
        n = pn.tnode[cindex]
        if n is None:
            continue
        if n.bits:
            pn, cindex = n, 1 << n.bits
            continue
        found += _flush_leaf(tb, n, flush_all)
        if not n.leaf:
            put_child_root(pn, n.key, None)
            node_free(n)


def fib_trie_table(id: int, alias: fib_table | None) -> fib_table:
    """A table, with a trie of its own unless it shares another's."""
    return fib_table(id, alias.tb_data if alias is not None else trie())


def fib_trie_init(net_kernel: object) -> None:
    """Routes and nodes need no caches of their own here."""
