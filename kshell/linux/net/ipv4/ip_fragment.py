"""net/ipv4/ip_fragment.c: putting fragments together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.inet import ICMP_EXC_FRAGTIME, ICMP_TIME_EXCEEDED
from kshell.linux.include.linux.ip import IP_DF, IP_MF, IP_OFFSET, iphdr
from kshell.linux.include.linux.jiffies import HZ
from kshell.linux.include.linux.skbuff import CHECKSUM_NONE, sk_buff
from kshell.linux.include.linux.snmp import (
    IPSTATS_MIB_REASM_OVERLAPS,
    IPSTATS_MIB_REASMFAILS,
    IPSTATS_MIB_REASMOKS,
    IPSTATS_MIB_REASMREQDS,
    IPSTATS_MIB_REASMTIMEOUT,
)
from kshell.linux.include.net.ip import IP_DEFRAG_LOCAL_DELIVER, IPCB
from kshell.linux.include.net.net_namespace import pernet_operations
from kshell.linux.kernel.time.timer import mod_timer, timer_delete, timer_list, timer_setup
from kshell.linux.mm.slab_common import kmem_cache_create
from kshell.linux.mm.slub import kmem_cache_alloc, kmem_cache_free
from kshell.linux.net.core.net_namespace import register_pernet_subsys
from kshell.linux.net.core.skbuff import consume_skb, kfree_skb
from kshell.linux.net.core.skbuff_bytes import _transport_bytes
from kshell.linux.net.ipv4 import icmp
from kshell.linux.net.ipv4.ip_fragment_sysctl import (
    ip4_frags_ctl_register,
    ip4_frags_ns_ctl_register,
    ip4_frags_ns_ctl_unregister,
)

if TYPE_CHECKING:
    from kshell.linux.include.net.net_namespace import net as net_t
    from kshell.linux.init.kernel import Kernel

_IPQ_SIZE = 200
_HIGH_THRESH = 4 << 20


class fqdir:
    """Settings and queues of a namespace's fragments."""

    __slots__ = ("_queues", "high_thresh", "low_thresh", "max_dist", "mem", "net", "timeout")

    def __init__(self, net: net_t) -> None:
        self.net = net
        self.high_thresh = _HIGH_THRESH
        self.low_thresh = 3 << 20
        self.timeout = 30 * HZ
        self.max_dist = 64
        self.mem = 0
        self._queues: dict[tuple[int, int, int, int, int], ipq] = {}


class ipq:
    """The fragments of one packet so far; `fragments` is in order of offset."""

    _addr: int

    __slots__ = (
        "_addr", "first_skb", "flags_last", "fragments", "iif", "key", "length", "max_size", "meat", "qdir", "timer",
        "user",
    )  # fmt: skip

    def __init__(self) -> None:
        self.fragments: list[tuple[int, bytes]] = []
        self.first_skb: sk_buff | None = None
        self.flags_last = False
        self.length = self.meat = self.max_size = self.iif = self.user = 0
        self.timer = timer_list()
        self.qdir: fqdir | None = None
        self.key = (0, 0, 0, 0, 0)


def ipq_kill(qp: ipq) -> None:
    """Forget a queue."""
    fqd = qp.qdir
    if fqd is None:
        return
    timer_delete(qp.timer)
    qp.timer._owner = None
    fqd._queues.pop(qp.key, None)
    fqd.mem -= sum(len(data) for _, data in qp.fragments)
    qp.qdir = None
    kmem_cache_free(fqd.net.kernel.frags_cachep, qp)


def ip_expire(timer: timer_list) -> None:
    """The rest of a packet did not come in time."""
    qp = timer._owner
    assert isinstance(qp, ipq)
    fqd = qp.qdir
    if fqd is None:
        return
    stats = fqd.net.mib.ip_statistics
    stats[IPSTATS_MIB_REASMFAILS] += 1
    stats[IPSTATS_MIB_REASMTIMEOUT] += 1
    head = qp.first_skb
    qp.first_skb = None
    ipq_kill(qp)
    if head is not None:
        if qp.user == IP_DEFRAG_LOCAL_DELIVER:
            icmp.icmp_send(head, ICMP_TIME_EXCEEDED, ICMP_EXC_FRAGTIME, 0)
        kfree_skb(head)


def ip_find(net: net_t, iph: iphdr, user: int, vif: int) -> ipq:
    """The queue that a fragment belongs to."""
    fqd = net.ipv4.fqdir
    key = (user, iph.saddr, iph.daddr, iph.id, iph.protocol)
    qp = fqd._queues.get(key)
    if qp is None:
        qp = kmem_cache_alloc(net.kernel.frags_cachep, ipq)
        qp.key = key
        qp.qdir = fqd
        qp.user = user
        timer_setup(qp.timer, ip_expire, qp)
        fqd._queues[key] = qp
        mod_timer(net.kernel, qp.timer, net.kernel.jiffies + fqd.timeout)
    return qp


def _insert(qp: ipq, offset: int, data: bytes) -> bool:
    """Put a fragment in its place; False if it overlaps another."""
    end = offset + len(data)
    for i, (other, piece) in enumerate(qp.fragments):
        if end <= other:
            qp.fragments.insert(i, (offset, data))
            return True
        if offset < other + len(piece):
            return False
    qp.fragments.append((offset, data))
    return True


def ip_frag_queue(qp: ipq, skb: sk_buff) -> bool:
    """Add a fragment; True when it completed the packet, which then is in skb."""
    iph = skb.network_header
    assert isinstance(iph, iphdr)
    assert qp.qdir is not None
    fqd = qp.qdir
    stats = fqd.net.mib.ip_statistics
    offset = (iph.frag_off & IP_OFFSET) << 3
    more = bool(iph.frag_off & IP_MF)
    data = _transport_bytes(skb)[: iph.tot_len - iph.ihl * 4]
    if more:
        data = data[: len(data) & ~7]
    end = offset + len(data)
    known = qp.length
    bad = (end < known or (qp.flags_last and end != known)) if not more else qp.flags_last and end > known
    if bad or end == offset or end + iph.ihl * 4 > 65535:
        kfree_skb(skb)
        return False
    if not more:
        qp.flags_last = True
    qp.length = max(known, end)
    if not _insert(qp, offset, data):
        duplicate = any(o <= offset and end <= o + len(d) for o, d in qp.fragments)
        kfree_skb(skb)
        if not duplicate:
            stats[IPSTATS_MIB_REASM_OVERLAPS] += 1
            stats[IPSTATS_MIB_REASMFAILS] += 1
            head, qp.first_skb = qp.first_skb, None
            kfree_skb(head)
            ipq_kill(qp)
        return False
    qp.meat += len(data)
    fqd.mem += len(data)
    qp.max_size = max(qp.max_size, len(data) + iph.ihl * 4)
    if qp.flags_last and qp.meat == qp.length and qp.fragments[0][0] == 0:
        ip_frag_reasm(qp, skb, iph if offset == 0 else None)
        return True
    if offset == 0:
        kfree_skb(qp.first_skb)
        qp.first_skb = skb
    else:
        consume_skb(skb)
    return False


def ip_frag_reasm(qp: ipq, skb: sk_buff, first: iphdr | None) -> None:
    """All fragments are there: make the packet of them."""
    assert qp.qdir is not None
    if first is None:
        head = qp.first_skb
        assert head is not None
        first = head.network_header  # type: ignore[assignment]
    assert first is not None
    iph = first._copy()
    data = b"".join(piece for _, piece in qp.fragments)
    skb.truesize += sum(len(piece) for _, piece in qp.fragments) - len(skb.data)
    skb.transport_header = None
    skb.data = data
    skb.len = len(data) + iph.ihl * 4
    skb.ip_summed = CHECKSUM_NONE
    iph.tot_len = skb.len
    df = iph.frag_off & IP_DF
    iph.frag_off = IP_DF if df else 0
    iph.check = None
    skb.network_header = iph
    IPCB(skb).frag_max_size = qp.max_size
    qp.qdir.net.mib.ip_statistics[IPSTATS_MIB_REASMOKS] += 1
    head, qp.first_skb = qp.first_skb, None
    consume_skb(head)
    ipq_kill(qp)


def ip_defrag(net: net_t, skb: sk_buff, user: int) -> bool:
    """Keep a fragment; False if it completed its packet, which then is in skb."""
    iph = skb.network_header
    assert isinstance(iph, iphdr)
    net.mib.ip_statistics[IPSTATS_MIB_REASMREQDS] += 1
    if net.ipv4.fqdir.mem > net.ipv4.fqdir.high_thresh:
        net.mib.ip_statistics[IPSTATS_MIB_REASMFAILS] += 1
        kfree_skb(skb)
        return True
    qp = ip_find(net, iph, user, 0)
    return not ip_frag_queue(qp, skb)


def ipv4_frags_init_net(net: net_t) -> None:
    """Fragments of a namespace."""
    net.ipv4.fqdir = fqdir(net)
    ip4_frags_ns_ctl_register(net)


def ipv4_frags_pre_exit_net(net: net_t) -> None:
    """No new fragments from here on."""
    net.ipv4.fqdir.high_thresh = 0


def ipv4_frags_exit_net(net: net_t) -> None:
    """Free what waits."""
    ip4_frags_ns_ctl_unregister(net)
    for qp in list(net.ipv4.fqdir._queues.values()):
        head, qp.first_skb = qp.first_skb, None
        kfree_skb(head)
        ipq_kill(qp)


ip4_frags_ops = pernet_operations(init=ipv4_frags_init_net, pre_exit=ipv4_frags_pre_exit_net, exit=ipv4_frags_exit_net)


def ipfrag_init(kernel: Kernel) -> None:
    """Set up reassembly."""
    kernel.frags_cachep = kmem_cache_create(kernel, "ip4-frags", _IPQ_SIZE)
    ip4_frags_ctl_register(kernel)
    register_pernet_subsys(kernel, ip4_frags_ops)
