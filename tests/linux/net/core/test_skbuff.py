"""Packets: queues, clones, references, what memory they are charged, their bytes."""

import pytest

from kshell.linux.include.linux.ip import iphdr
from kshell.linux.include.linux.skbuff import (
    SKB_TRUESIZE,
    __skb_queue_after,
    __skb_queue_head,
    __skb_queue_tail,
    __skb_unlink,
    sk_buff_head,
    skb_orphan,
    skb_queue_splice_tail_init,
)
from kshell.linux.include.linux.udp import udphdr
from kshell.linux.net.core.skbuff import (
    alloc_skb,
    alloc_skb_fclone,
    consume_skb,
    kfree_skb,
    kmalloc_reserve,
    skb_clone,
    skb_dequeue,
    skb_put,
    skb_queue_purge,
)
from kshell.linux.net.core.skbuff_bytes import _skb_network_bytes, _skb_to_bytes


def links(queue):
    forward, skb = [], queue.next
    while skb is not None:
        forward.append(skb)
        skb = skb.next
    backward, skb = [], queue.prev
    while skb is not None:
        backward.append(skb)
        skb = skb.prev
    assert forward == backward[::-1]
    assert len(forward) == queue.qlen
    return forward


def test_a_queue_keeps_order_and_length(host):
    a, b, c, d = (alloc_skb(host.kernel, 0) for _ in range(4))
    queue = sk_buff_head()
    assert links(queue) == []
    __skb_queue_tail(queue, b)
    __skb_queue_head(queue, a)
    __skb_queue_after(queue, b, d)
    __skb_queue_after(queue, b, c)
    assert links(queue) == [a, b, c, d]
    __skb_unlink(b, queue)
    assert links(queue) == [a, c, d]
    __skb_unlink(d, queue)
    __skb_unlink(a, queue)
    assert links(queue) == [c]
    assert skb_dequeue(queue) is c
    assert skb_dequeue(queue) is None
    assert links(queue) == []


def test_splicing_empties_the_source(host):
    first, second = sk_buff_head(), sk_buff_head()
    packets = [alloc_skb(host.kernel, 0) for _ in range(3)]
    __skb_queue_tail(first, packets[0])
    __skb_queue_tail(second, packets[1])
    __skb_queue_tail(second, packets[2])
    skb_queue_splice_tail_init(second, first)
    assert (links(first), links(second)) == (packets, [])
    skb_queue_splice_tail_init(second, first)
    assert links(first) == packets


@pytest.mark.parametrize(("size", "memory"), [(0, 512), (128, 512), (192, 512), (193, 1024), (704, 1024), (4000, 8192)])
def test_memory_is_what_kmalloc_gives(host, size, memory):
    assert kmalloc_reserve(size) == memory
    assert alloc_skb(host.kernel, size).truesize == memory + 256


def test_truesize_of_linux():
    assert SKB_TRUESIZE(256) == 832


def test_every_packet_is_given_back(host):
    heads, pairs = host.kernel.skbuff_head_cache, host.kernel.skbuff_fclone_cache
    before = (heads._inuse, pairs._inuse)
    skb = alloc_skb(host.kernel, 10)
    clone = skb_clone(skb)
    assert heads._inuse == before[0] + 2
    consume_skb(skb)
    kfree_skb(clone)
    for original_first in (True, False):
        skb = alloc_skb_fclone(host.kernel, 10)
        clone = skb_clone(skb)
        assert clone._addr == skb._addr + 232
        other = skb_clone(skb)  # the companion is taken
        assert heads._inuse == before[0] + 1
        assert pairs._inuse == before[1] + 1
        for each in (skb, clone, other) if original_first else (other, clone, skb):
            kfree_skb(each)
    assert (heads._inuse, pairs._inuse) == before


def test_users_keep_a_packet(host):
    skb = alloc_skb(host.kernel, 10)
    skb_put(skb, b"abc")
    skb.users += 1
    consume_skb(skb)
    assert skb.data == b"abc"
    consume_skb(skb)
    assert skb.data == b""


def test_the_destructor_runs_once(host):
    calls = []
    skb = alloc_skb(host.kernel, 10)
    skb.destructor = calls.append
    skb_orphan(skb)
    kfree_skb(skb)
    assert calls == [skb]


def test_purging_frees_all(host):
    before = host.kernel.skbuff_head_cache._inuse
    queue = sk_buff_head()
    for _ in range(5):
        __skb_queue_tail(queue, alloc_skb(host.kernel, 1))
    skb_queue_purge(queue)
    assert links(queue) == []
    assert host.kernel.skbuff_head_cache._inuse == before


def test_bytes_have_right_checksums(host):
    skb = alloc_skb(host.kernel, 100)
    skb_put(skb, b"hi")
    skb.transport_header = udphdr(40000, 9, 10)
    skb.network_header = iphdr(tot_len=30, id=1, frag_off=0x4000, ttl=64, protocol=17, saddr=0x7F000001, daddr=0x7F000001)
    packet = _skb_network_bytes(skb)
    assert len(packet) == 30

    def ones(data):
        return sum(int.from_bytes(data[i : i + 2], "big") for i in range(0, len(data), 2)) % 0xFFFF

    assert ones(packet[:20]) == 0
    assert ones(packet[12:20] + b"\0\x11\0\x0a" + packet[20:]) == 0
    assert _skb_to_bytes(skb) == b"hi"
    skb.len += 8
    assert _skb_to_bytes(skb) == packet[20:]
