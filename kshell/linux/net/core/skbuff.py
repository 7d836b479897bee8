"""net/core/skbuff.c: the life of packets, and queues of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.linux.include.linux.skbuff import (
    SKB_FCLONE_CLONE,
    SKB_FCLONE_ORIG,
    SKB_OBJ_SIZE,
    SKB_SHINFO_SIZE,
    SKB_SIZE,
    __skb_dequeue,
    __skb_queue_tail,
    __skb_unlink,
    sk_buff,
    sk_buff_head,
)
from kshell.linux.include.net.dropreason import SKB_DROP_REASON_NOT_SPECIFIED
from kshell.linux.mm.slab_common import kmem_cache_create, kmem_cache_create_usercopy
from kshell.linux.mm.slub import kmem_cache_alloc, kmem_cache_alloc_node, kmem_cache_free
from kshell.linux.net.core import dst as dst_core

if TYPE_CHECKING:
    from kshell.linux.init.kernel import Kernel

_KMALLOC = (64, 96, 128, 192, 256, 512, 1024, 2048, 4096, 8192)


def skb_init(kernel: Kernel) -> None:
    """Set up the caches of packets."""
    kernel.skbuff_head_cache = kmem_cache_create_usercopy(kernel, "skbuff_head_cache", 256)
    kernel.skbuff_fclone_cache = kmem_cache_create(kernel, "skbuff_fclone_cache", 512)
    kernel.skbuff_ext_cache = kmem_cache_create(kernel, "skbuff_ext_cache", 192)


def kmalloc_reserve(size: int) -> int:
    """Size of the memory that holds a linear area of `size` bytes and the shared part: what kmalloc() gives."""
    size = ((size + 63) & ~63) + SKB_SHINFO_SIZE
    for bucket in _KMALLOC:
        if size <= bucket:
            return bucket
    return 1 << (size - 1).bit_length()


def __build_skb_around(skb: sk_buff, size: int) -> None:
    """Give the packet its memory, of which `size` bytes are charged beside struct sk_buff."""
    skb.truesize = size + SKB_OBJ_SIZE


def __alloc_skb(kernel: Kernel, size: int) -> sk_buff:
    """A new packet with room for `size` bytes."""
    skb = kmem_cache_alloc_node(kernel.skbuff_head_cache, sk_buff)
    __build_skb_around(skb, kmalloc_reserve(size))
    skb._kernel = kernel
    return skb


alloc_skb = __alloc_skb


def alloc_skb_fclone(kernel: Kernel, size: int) -> sk_buff:
    """A new packet allocated together with the clone that will be sent of it."""
    skb = kmem_cache_alloc_node(kernel.skbuff_fclone_cache, sk_buff)
    __build_skb_around(skb, kmalloc_reserve(size))
    skb._kernel = kernel
    skb.fclone = SKB_FCLONE_ORIG
    return skb


def __netdev_alloc_skb(kernel: Kernel, length: int) -> sk_buff:
    """A new packet for a driver to receive into."""
    return __alloc_skb(kernel, length + 64)


def alloc_skb_with_frags(kernel: Kernel, header_len: int, data_len: int) -> sk_buff:
    """A new packet; `data_len` bytes of it lie in pages and are charged whole pages."""
    skb = __alloc_skb(kernel, header_len)
    if data_len:
        skb.truesize += (data_len + 4095) & ~4095
    return skb


def skb_put(skb: sk_buff, data: bytes) -> None:
    """Append data to the packet."""
    skb.data += data
    skb.len += len(data)


def skb_push(skb: sk_buff, length: int) -> None:
    """Make a header of `length` bytes part of the packet."""
    skb.len += length


def skb_pull(skb: sk_buff, length: int) -> None:
    """Leave a header of `length` bytes behind."""
    skb.len -= length


def skb_pull_rcsum(skb: sk_buff, length: int) -> None:
    """The same, where the checksum covers the header."""
    skb.len -= length


def skb_trim(skb: sk_buff, length: int) -> None:
    """Cut the packet to `length` bytes; headers that `len` still counts are not cut."""
    if skb.len > length:
        skb.data = skb.data[: len(skb.data) - (skb.len - length)]
        skb.len = length


def pskb_trim(skb: sk_buff, length: int) -> int:
    """Cut the packet to `length` bytes."""
    skb_trim(skb, length)
    return 0


def skb_release_head_state(skb: sk_buff) -> None:
    """Let go of the route and of the socket."""
    dst = skb._skb_refdst
    if dst is not None:
        dst_core.dst_release(dst)
        skb._skb_refdst = None
    if skb.destructor is not None:
        skb.destructor(skb)


def skb_release_data(skb: sk_buff) -> None:
    """Free the data, unless a clone shares it."""
    skb.data = b""
    skb.cb = skb.sk = skb.dev = None


def kfree_skbmem(skb: sk_buff) -> None:
    """Free the struct; a packet and the clone allocated with it are freed together."""
    fclone = skb.fclone
    if not fclone:
        kmem_cache_free(skb._kernel.skbuff_head_cache, skb)
        return
    other = skb._fclones
    if other is not None:
        other._fclones = skb._fclones = None
        return
    if fclone == SKB_FCLONE_CLONE:
        skb._addr -= SKB_SIZE  # the memory begins at the packet of which it was a clone
    kmem_cache_free(skb._kernel.skbuff_fclone_cache, skb)


def __kfree_skb(skb: sk_buff) -> None:
    """Free a packet that has no users."""
    skb_release_head_state(skb)
    skb_release_data(skb)
    kfree_skbmem(skb)


def skb_attempt_defer_free(skb: sk_buff) -> None:
    """Free a packet on the processor that allocated it: there is but one."""
    __kfree_skb(skb)


def kfree_skb_reason(skb: sk_buff | None, reason: int) -> None:
    """Drop a packet; `reason` is SKB_DROP_REASON_*."""
    if skb is None:
        return
    skb.users -= 1
    if not skb.users:
        __kfree_skb(skb)


def kfree_skb(skb: sk_buff | None) -> None:
    """Drop a packet."""
    kfree_skb_reason(skb, SKB_DROP_REASON_NOT_SPECIFIED)


def kfree_skb_list(segs: sk_buff | None) -> None:
    """Drop packets linked by `next`."""
    while segs is not None:
        following = segs.next
        segs.next = None
        kfree_skb(segs)
        segs = following


def consume_skb(skb: sk_buff | None) -> None:
    """Free a packet that did its duty."""
    if skb is None:
        return
    skb.users -= 1
    if not skb.users:
        __kfree_skb(skb)


def napi_consume_skb(skb: sk_buff | None, budget: int) -> None:
    """Free a packet that a device has sent. budget 0: not in a poll."""
    if skb is None:
        return
    skb.users -= 1
    if skb.users:
        return
    if skb.fclone or not budget:
        __kfree_skb(skb)
        return
    skb_release_head_state(skb)
    skb_release_data(skb)
    kmem_cache_free(skb._kernel.skbuff_head_cache, skb)


def dev_kfree_skb_any(skb: sk_buff) -> None:
    """Drop a packet, from an interrupt or not."""
    kfree_skb(skb)


def __consume_stateless_skb(skb: sk_buff) -> None:
    """Free a packet that has neither route nor socket left."""
    skb_release_data(skb)
    kfree_skbmem(skb)


def __copy_skb_header(new: sk_buff, old: sk_buff) -> None:
    """Copy what describes a packet, not what owns it."""
    new.tstamp = old.tstamp
    new.dev = old.dev
    new.cb = old.cb
    dst = new._skb_refdst = old._skb_refdst
    if dst is not None:
        dst.refcnt += 1
    new.protocol = old.protocol
    new.pkt_type = old.pkt_type
    new.ip_summed = old.ip_summed
    new.transport_header = old.transport_header
    new.network_header = old.network_header
    new.mac_header = old.mac_header
    new.hash = old.hash
    new.priority = old.priority
    new.mark = old.mark
    new.skb_iif = old.skb_iif
    new._shinfo = old._shinfo


def __skb_clone(n: sk_buff, skb: sk_buff) -> sk_buff:
    """Make `n` a packet that shares the data of `skb`."""
    __copy_skb_header(n, skb)
    n.len = skb.len
    n.data = skb.data
    n.truesize = skb.truesize
    n._kernel = skb._kernel
    if skb.data_len:
        n.data_len = skb.data_len
    n.cloned = skb.cloned = 1
    return n


def skb_clone(skb: sk_buff) -> sk_buff:
    """A second packet with the same data and headers; it belongs to no socket."""
    if skb.fclone == SKB_FCLONE_ORIG and skb._fclones is None:
        n = sk_buff()
        n._addr = skb._addr + SKB_SIZE
        n.fclone = SKB_FCLONE_CLONE
        n._fclones = skb
        skb._fclones = n
    else:
        n = kmem_cache_alloc(skb._kernel.skbuff_head_cache, sk_buff)
    return __skb_clone(n, skb)


def skb_share_check(skb: sk_buff) -> sk_buff:
    """The packet, or a clone of it if it has other users."""
    if skb.users == 1:
        return skb
    nskb = skb_clone(skb)
    consume_skb(skb)
    return nskb


def skb_queue_tail(queue: sk_buff_head, newsk: sk_buff) -> None:
    """Append a packet to a queue."""
    __skb_queue_tail(queue, newsk)


def skb_dequeue(queue: sk_buff_head) -> sk_buff | None:
    """Take the first packet of a queue."""
    return None if queue.next is None else __skb_dequeue(queue)


def skb_unlink(skb: sk_buff, queue: sk_buff_head) -> None:
    """Take a packet out of its queue."""
    __skb_unlink(skb, queue)


def skb_queue_purge(queue: sk_buff_head) -> None:
    """Drop all packets of a queue."""
    while (skb := skb_dequeue(queue)) is not None:
        kfree_skb(skb)


def __skb_queue_purge(queue: sk_buff_head) -> None:
    """Drop all packets of a queue."""
    while (skb := __skb_dequeue(queue)) is not None:
        kfree_skb(skb)


def skb_condense(skb: sk_buff) -> None:
    """Pull page fragments into the linear area to save memory; only what is not cloned has any to give."""
    if skb.data_len and not skb.cloned:
        skb.truesize = kmalloc_reserve(skb.len) + SKB_OBJ_SIZE
        skb.data_len = 0


def skb_dst_drop(skb: sk_buff) -> None:
    """Let go of the packet's route."""
    dst = skb._skb_refdst
    if dst is not None:
        dst_core.dst_release(dst)
        skb._skb_refdst = None


def skb_scrub_packet(skb: sk_buff, xnet: bool) -> None:
    """Forget what a packet learned on the way, before it crosses a device or namespace."""
    skb.pkt_type = 0
    skb.skb_iif = 0
    skb_dst_drop(skb)
    if xnet:
        skb.mark = 0
