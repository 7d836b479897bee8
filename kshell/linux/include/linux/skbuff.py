"""include/linux/skbuff.h: packets and queues of packets.

`data` holds the payload of the innermost protocol only; headers are objects in transport_header, network_header
and mac_header. `len` counts, as in Linux, from the layer that handles the packet now: skb_push()/skb_pull() adjust it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kshell.linux.include.linux.netdevice import net_device
    from kshell.linux.include.net.dst import dst_entry
    from kshell.linux.include.net.sock import sock
    from kshell.linux.init.kernel import Kernel

CHECKSUM_NONE = 0
CHECKSUM_UNNECESSARY = 1
CHECKSUM_COMPLETE = 2
CHECKSUM_PARTIAL = 3

SKB_SIZE = 232  # sizeof(struct sk_buff)
SKB_FCLONE_UNAVAILABLE = 0
SKB_FCLONE_ORIG = 1
SKB_FCLONE_CLONE = 2
SKB_OBJ_SIZE = 256  # SKB_DATA_ALIGN(sizeof(struct sk_buff))
SKB_SHINFO_SIZE = 320  # SKB_DATA_ALIGN(sizeof(struct skb_shared_info))
MAX_SKB_FRAGS = 17
SKB_MAX_ALLOC = 16064  # what fits with skb_shared_info into four pages

# skb_shared_info.tx_flags
SKBTX_HW_TSTAMP = 1 << 0
SKBTX_SW_TSTAMP = 1 << 1
SKBTX_IN_PROGRESS = 1 << 2
SKBTX_SCHED_TSTAMP = 1 << 6
SKBTX_ANY_SW_TSTAMP = SKBTX_SW_TSTAMP | SKBTX_SCHED_TSTAMP
SKBTX_ANY_TSTAMP = SKBTX_HW_TSTAMP | SKBTX_ANY_SW_TSTAMP

SKB_GSO_UDP_L4 = 1 << 17
SKB_GSO_TCPV4 = 1 << 0


def SKB_TRUESIZE(size: int) -> int:
    """Memory charged for a packet with a linear area of `size` bytes."""
    return size + SKB_OBJ_SIZE + SKB_SHINFO_SIZE


class skb_shared_info:
    """What clones of a packet share, as far as it is not the data."""

    __slots__ = ("gso_segs", "gso_size", "gso_type", "hwtstamps", "nr_frags", "tskey", "tx_flags")

    def __init__(self) -> None:
        self.tx_flags = self.gso_size = self.gso_segs = self.gso_type = self.tskey = self.hwtstamps = 0
        self.nr_frags = 0


class sk_buff:
    """A packet."""

    __slots__ = (
        "__dict__",
        "_addr",
        "_kernel",
        "_shinfo",
        "_skb_refdst",
        "cb",
        "cloned",
        "data",
        "destructor",
        "dev",
        "fclone",
        "hash",
        "ip_summed",
        "len",
        "mac_header",
        "mark",
        "network_header",
        "next",
        "pkt_type",
        "prev",
        "priority",
        "protocol",
        "sk",
        "skb_iif",
        "transport_header",
        "truesize",
        "tstamp",
        "users",
    )  # fmt: skip
    _addr: int
    next: sk_buff | None
    prev: sk_buff | None
    sk: sock | None
    dev: net_device | None
    tstamp: int  # ktime_t; also skb_mstamp_ns
    cb: object  # the layer's control block: TCP_SKB_CB(skb), IPCB(skb), UNIXCB(skb) …
    _skb_refdst: dst_entry | None
    destructor: Callable[[sk_buff], None] | None
    len: int
    protocol: int  # ETH_P_*, host order
    pkt_type: int
    ip_summed: int
    data: bytes
    transport_header: object | None
    network_header: object | None
    mac_header: object | None
    truesize: int
    users: int
    _shinfo: skb_shared_info | None
    _kernel: Kernel
    cloned: int
    fclone: int
    hash: int
    priority: int
    mark: int
    skb_iif: int
    # cold
    data_len: int = 0
    nohdr: int = 0
    peeked: int = 0
    ignore_df: int = 0
    ooo_okay: int = 0
    csum_valid: int = 0
    csum_complete_sw: int = 0
    csum_level: int = 0
    csum: int = 0
    dst_pending_confirm: int = 0
    mono_delivery_time: int = 0
    vlan_proto: int = 0
    vlan_tci: int = 0
    secmark: int = 0
    queue_mapping: int = 0
    napi_id: int = 0
    _room: int = 1 << 30  # bytes that skb->end leaves for a netlink message
    _dropcount: int = 0  # SOCK_SKB_CB(skb)->dropcount
    _fclones: sk_buff | None = None  # struct sk_buff_fclones: the clone that was allocated with this packet

    def __init__(self) -> None:
        self.next = self.prev = self.sk = self.dev = self._skb_refdst = self.destructor = None
        self.transport_header = self.network_header = self.mac_header = self._shinfo = self.cb = None
        self.tstamp = self.len = self.protocol = self.pkt_type = self.ip_summed = self.truesize = 0
        self.cloned = self.fclone = self.hash = self.priority = self.mark = self.skb_iif = 0
        self.users = 1
        self.data = b""


class sk_buff_head:
    """A queue of packets, linked through them; an empty one holds None."""

    __slots__ = ("next", "prev", "qlen")
    next: sk_buff | None
    prev: sk_buff | None
    qlen: int

    def __init__(self) -> None:
        self.next = self.prev = None
        self.qlen = 0

    def __iter__(self) -> Iterator[sk_buff]:
        """skb_queue_walk_safe(): the packet at hand may be unlinked."""
        skb = self.next
        while skb is not None:
            following = skb.next
            yield skb
            skb = following

    def __len__(self) -> int:
        return self.qlen

    def __bool__(self) -> bool:
        return True


def skb_shinfo(skb: sk_buff) -> skb_shared_info:
    """The shared part of a packet, made when first asked for."""
    shinfo = skb._shinfo
    if shinfo is None:
        shinfo = skb._shinfo = skb_shared_info()
    return shinfo


def skb_dst_set(skb: sk_buff, dst: dst_entry | None) -> None:
    """Give the packet a route whose reference it takes over."""
    skb._skb_refdst = dst


def skb_get(skb: sk_buff) -> sk_buff:
    """One more user of the packet."""
    skb.users += 1
    return skb


def skb_shared(skb: sk_buff) -> bool:
    """True if the packet has more users than one."""
    return skb.users != 1


def skb_orphan(skb: sk_buff) -> None:
    """Give the packet's memory back to its socket, and cut the tie."""
    if skb.destructor is not None:
        skb.destructor(skb)
        skb.destructor = None
        skb.sk = None


def skb_peek_tail(queue: sk_buff_head) -> sk_buff | None:
    """The last packet."""
    return queue.prev


# Names with two underscores at the front are module functions: inside a class body Python would mangle them.


def __skb_insert(newsk: sk_buff, prev: sk_buff | None, next: sk_buff | None, queue: sk_buff_head) -> None:
    """Link `newsk` between two neighbours, None being the queue's end."""
    newsk.prev = prev
    newsk.next = next
    if prev is None:
        queue.next = newsk
    else:
        prev.next = newsk
    if next is None:
        queue.prev = newsk
    else:
        next.prev = newsk
    queue.qlen += 1


def __skb_queue_tail(queue: sk_buff_head, newsk: sk_buff) -> None:
    """Append a packet."""
    last = queue.prev
    newsk.prev = last
    newsk.next = None
    if last is None:
        queue.next = newsk
    else:
        last.next = newsk
    queue.prev = newsk
    queue.qlen += 1


def __skb_queue_head(queue: sk_buff_head, newsk: sk_buff) -> None:
    """Put a packet in front."""
    __skb_insert(newsk, None, queue.next, queue)


def __skb_queue_after(queue: sk_buff_head, prev: sk_buff | None, newsk: sk_buff) -> None:
    """Put a packet behind `prev` (None: at the head)."""
    __skb_insert(newsk, prev, queue.next if prev is None else prev.next, queue)


def __skb_unlink(skb: sk_buff, queue: sk_buff_head) -> None:
    """Take a packet out of its queue."""
    following = skb.next
    before = skb.prev
    if before is None:
        queue.next = following
    else:
        before.next = following
    if following is None:
        queue.prev = before
    else:
        following.prev = before
    skb.next = skb.prev = None
    queue.qlen -= 1


def __skb_dequeue(queue: sk_buff_head) -> sk_buff | None:
    """Take the first packet."""
    skb = queue.next
    if skb is not None:
        following = queue.next = skb.next
        if following is None:
            queue.prev = None
        else:
            following.prev = None
            skb.next = None
        queue.qlen -= 1
    return skb


def skb_queue_splice_tail_init(src: sk_buff_head, dst: sk_buff_head) -> None:
    """Append all of `src` to `dst`, leaving `src` empty."""
    first = src.next
    if first is None:
        return
    first.prev = dst.prev
    if dst.prev is None:
        dst.next = first
    else:
        dst.prev.next = first
    dst.prev = src.prev
    dst.qlen += src.qlen
    src.next = src.prev = None
    src.qlen = 0


def skb_tailroom(skb: sk_buff) -> int:
    """Bytes that still fit: what the message was allocated for."""
    return skb._room - len(skb.data)
