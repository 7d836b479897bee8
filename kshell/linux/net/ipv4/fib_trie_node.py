"""net/ipv4/fib_trie.c: the nodes of the LC-trie and how it grows and shrinks."""

from __future__ import annotations

from kshell.linux.include.net.ip_fib import fib_alias

KEYLENGTH = 32
MAX_WORK = 10
HALVE_THRESHOLD = 25
INFLATE_THRESHOLD = 50
HALVE_THRESHOLD_ROOT = 15
INFLATE_THRESHOLD_ROOT = 30


class key_vector:
    """A node: bits 0 is a leaf with routes, else 2**bits children chosen by the bits from pos up.

    slen is the longest suffix (32 - prefix length) below. empty_children, full_children and parent are struct tnode's.
    """

    __slots__ = ("bits", "empty_children", "full_children", "key", "leaf", "parent", "pos", "slen", "tnode")

    def __init__(self, key: int, pos: int, bits: int, slen: int) -> None:
        self.key = key
        self.pos = pos
        self.bits = bits
        self.slen = slen
        self.parent: key_vector | None = None
        self.full_children = 0
        self.empty_children = 1 << bits if bits else 0
        self.leaf: list[fib_alias] = []
        self.tnode: list[key_vector | None] = [None] * (1 << bits) if bits else []


class trie:
    """kv is a node that is never resized: its only child is the root."""

    __slots__ = ("kv",)

    def __init__(self) -> None:
        self.kv = key_vector(0, KEYLENGTH, 0, KEYLENGTH)
        self.kv.tnode = [None]


def get_index(key: int, kv: key_vector) -> int:
    """Number of the child that a key belongs to."""
    return (key ^ kv.key) >> kv.pos


def leaf_new(key: int, fa: fib_alias) -> key_vector:
    """A leaf with one route."""
    leaf = key_vector(key, 0, 0, fa.fa_slen)
    leaf.leaf.append(fa)
    return leaf


def tnode_new(key: int, pos: int, bits: int) -> key_vector:
    """An inner node without children."""
    shift = pos + bits
    return key_vector(key >> shift << shift if shift < KEYLENGTH else 0, pos, bits, pos)


def node_free(n: key_vector) -> None:
    """Cut all ties of a node."""
    n.parent = None
    n.tnode = []
    n.leaf = []


def tnode_full(tn: key_vector, n: key_vector | None) -> bool:
    """True if n is an inner node that skips no bits below tn."""
    return n is not None and n.pos + n.bits == tn.pos and n.bits != 0


def put_child(tn: key_vector, i: int, n: key_vector | None) -> None:
    """Set a child and keep the counts right."""
    child = tn.tnode[i]
    if n is None and child is not None:
        tn.empty_children += 1
    elif n is not None and child is None:
        tn.empty_children -= 1
    tn.full_children += tnode_full(tn, n) - tnode_full(tn, child)
    if n is not None and tn.slen < n.slen:
        tn.slen = n.slen
    tn.tnode[i] = n


def put_child_root(tp: key_vector, key: int, n: key_vector | None) -> None:
    """put_child() for a parent that may be the trie itself."""
    if tp.pos >= KEYLENGTH:
        tp.tnode[0] = n
    else:
        put_child(tp, get_index(key, tp), n)


def update_children(tn: key_vector) -> None:
    """Tell all nodes below who their parent is."""
    for inode in tn.tnode:
        if inode is not None:
            if inode.parent is tn:
                update_children(inode)
            else:
                inode.parent = tn


def replace(t: trie, oldtnode: key_vector, tn: key_vector, dead: list[key_vector]) -> key_vector:
    """Put tn where oldtnode was; the parent."""
    tp = oldtnode.parent
    assert tp is not None
    tn.parent = tp
    put_child_root(tp, tn.key, tn)
    update_children(tn)
    for node in dead:
        node_free(node)
    for inode in reversed(list(tn.tnode)):
        if inode is not None and tnode_full(tn, inode):
            resize(t, inode)
    return tp


def inflate(t: trie, oldtnode: key_vector) -> key_vector:
    """Double the number of children."""
    tn = tnode_new(oldtnode.key, oldtnode.pos - 1, oldtnode.bits + 1)
    m = 1 << tn.pos
    dead = [oldtnode]
    for i, inode in enumerate(oldtnode.tnode):
        if inode is None:
            continue
        if not tnode_full(oldtnode, inode):
            put_child(tn, get_index(inode.key, tn), inode)
            continue
        dead.append(inode)
        if inode.bits == 1:
            put_child(tn, 2 * i + 1, inode.tnode[1])
            put_child(tn, 2 * i, inode.tnode[0])
            continue
        node1 = tnode_new(inode.key | m, inode.pos, inode.bits - 1)
        node0 = tnode_new(inode.key, inode.pos, inode.bits - 1)
        half = len(inode.tnode) // 2
        for j in range(half):
            put_child(node1, j, inode.tnode[half + j])
            put_child(node0, j, inode.tnode[j])
        node1.parent = node0.parent = tn
        put_child(tn, 2 * i + 1, node1)
        put_child(tn, 2 * i, node0)
    return replace(t, oldtnode, tn, dead)


def halve(t: trie, oldtnode: key_vector) -> key_vector:
    """Halve the number of children."""
    tn = tnode_new(oldtnode.key, oldtnode.pos + 1, oldtnode.bits - 1)
    for i in range(0, len(oldtnode.tnode), 2):
        node0, node1 = oldtnode.tnode[i], oldtnode.tnode[i + 1]
        if node0 is None or node1 is None:
            put_child(tn, i // 2, node1 if node1 is not None else node0)
            continue
        inode = tnode_new(node0.key, oldtnode.pos, 1)
        put_child(inode, 1, node1)
        put_child(inode, 0, node0)
        inode.parent = tn
        put_child(tn, i // 2, inode)
    return replace(t, oldtnode, tn, [oldtnode])


def collapse(t: trie, oldtnode: key_vector) -> key_vector:
    """Replace a node by its only child."""
    n = next((child for child in oldtnode.tnode if child is not None), None)
    tp = oldtnode.parent
    assert tp is not None
    put_child_root(tp, oldtnode.key, n)
    if n is not None:
        n.parent = tp
    node_free(oldtnode)
    return tp


def update_suffix(tn: key_vector) -> int:
    """Compute slen again from the children."""
    slen = tn.pos
    stride = 2
    slen_max = min(tn.pos + tn.bits - 1, tn.slen)
    i = 0
    while i < len(tn.tnode):
        n = tn.tnode[i]
        if n is not None and n.slen > slen:
            stride <<= n.slen - slen
            slen = n.slen
            i &= ~(stride - 1)
            if slen >= slen_max:
                break
        i += stride
    tn.slen = slen
    return slen


def should_inflate(tp: key_vector, tn: key_vector) -> bool:
    """True if twice the children would be filled well enough."""
    length = 1 << tn.bits
    threshold = length * (INFLATE_THRESHOLD_ROOT if tp.pos >= KEYLENGTH else INFLATE_THRESHOLD)
    used = length - tn.empty_children + tn.full_children
    return used > 1 and tn.pos != 0 and 50 * used >= threshold


def should_halve(tp: key_vector, tn: key_vector) -> bool:
    """True if too many children are empty."""
    length = 1 << tn.bits
    threshold = length * (HALVE_THRESHOLD_ROOT if tp.pos >= KEYLENGTH else HALVE_THRESHOLD)
    used = length - tn.empty_children
    return used > 1 and tn.bits > 1 and 100 * used < threshold


def should_collapse(tn: key_vector) -> bool:
    """True if one child is left at most."""
    return (1 << tn.bits) - tn.empty_children < 2


def resize(t: trie, tn: key_vector) -> key_vector:
    """Give a node the number of children that suits it; its parent."""
    tp = tn.parent
    assert tp is not None
    cindex = get_index(tn.key, tp)
    max_work = MAX_WORK
    while max_work and should_inflate(tp, tn):
        tp = inflate(t, tn)
        max_work -= 1
        child = tp.tnode[cindex]
        assert child is not None
        tn = child
    assert tn.parent is not None
    tp = tn.parent
    if max_work != MAX_WORK:
        return tp
    while max_work and should_halve(tp, tn):
        tp = halve(t, tn)
        max_work -= 1
        child = tp.tnode[cindex]
        assert child is not None
        tn = child
    if should_collapse(tn):
        return collapse(t, tn)
    assert tn.parent is not None
    return tn.parent


def node_pull_suffix(tn: key_vector, slen: int) -> None:
    """A suffix is gone: shrink slen upwards."""
    node_slen = tn.slen
    while node_slen > tn.pos and node_slen > slen:
        slen = update_suffix(tn)
        if node_slen == slen:
            break
        assert tn.parent is not None
        tn = tn.parent
        node_slen = tn.slen


def node_push_suffix(tn: key_vector, slen: int) -> None:
    """A suffix is new: grow slen upwards."""
    while tn.slen < slen:
        tn.slen = slen
        assert tn.parent is not None
        tn = tn.parent


def trie_rebalance(t: trie, tn: key_vector) -> None:
    """Resize all nodes from here to the root."""
    while tn.pos < KEYLENGTH:
        tn = resize(t, tn)
