"""net/core/sock.c: accounting for the memory of sockets and their packets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EAGAIN, EPIPE
from kshell.abi.socket import SOCK_STREAM
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.mm_types import PAGE_SHIFT, PAGE_SIZE
from kshell.linux.include.linux.net import SOCK_NOSPACE, SOCKWQ_ASYNC_NOSPACE
from kshell.linux.include.linux.sched import TASK_INTERRUPTIBLE, signal_pending
from kshell.linux.include.linux.skbuff import skb_orphan
from kshell.linux.include.net.sock import SEND_SHUTDOWN, SK_MEM_RECV, SK_MEM_SEND, SOCK_USE_WRITE_QUEUE, sock_error
from kshell.linux.include.net.sock_space import (
    sk_get_rmem0,
    sk_get_wmem0,
    sk_mem_pages,
    sk_prot_mem_limits,
    sk_stream_moderate_sndbuf,
    sk_unused_reserved_mem,
)
from kshell.linux.include.net.sock_wait import sk_clear_bit, sk_set_bit, sock_intr_errno
from kshell.linux.kernel.sched.wait import finish_wait, init_wait, prepare_to_wait
from kshell.linux.kernel.time.timer import schedule_timeout
from kshell.linux.mm.slab_common import kfree, kzalloc
from kshell.linux.net.core.skbuff import __alloc_skb, alloc_skb_with_frags
from kshell.linux.net.core.sock_free import __sk_free

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.sock import sock
    from kshell.linux.include.net.sock_proto import proto
    from kshell.linux.mm.slub import _slab_object

    T = TypeVar("T", bound=_slab_object)

_sock_edemux: list[Callable[[sk_buff], None]] = []  # inet_hashtables.sock_edemux(), which depends on this module
_USE_WRITE_QUEUE = 1 << SOCK_USE_WRITE_QUEUE


def sk_memory_allocated_add(sk: sock, amt: int) -> int:
    """Charge the protocol with pages; how many it has now."""
    kernel = sk.skc_net.kernel
    name = sk.skc_prot.memory_allocated
    assert name is not None
    allocated: int = getattr(kernel, name) + amt
    setattr(kernel, name, allocated)
    return allocated


def sk_memory_allocated_sub(sk: sock, amt: int) -> None:
    """Give pages back to the protocol."""
    sk_memory_allocated_add(sk, -amt)


def sk_enter_memory_pressure(sk: sock) -> None:
    """Note that the protocol is short of memory."""
    enter = sk.skc_prot.enter_memory_pressure
    if enter is not None:
        enter(sk)


def sk_leave_memory_pressure(sk: sock) -> None:
    """The protocol has memory again."""
    leave = sk.skc_prot.leave_memory_pressure
    if leave is not None:
        leave(sk)
    elif sk.skc_prot.memory_pressure is not None:
        setattr(sk.skc_net.kernel, sk.skc_prot.memory_pressure, 0)


def __sk_mem_raise_allocated(sk: sock, size: int, amt: int, kind: int) -> bool:
    """Charge `amt` pages unless the protocol, or this socket in a bad time, has too much."""
    prot = sk.skc_prot
    allocated = sk_memory_allocated_add(sk, amt)
    if allocated <= sk_prot_mem_limits(sk, 0):
        sk_leave_memory_pressure(sk)
        return True
    if allocated > sk_prot_mem_limits(sk, 1):
        sk_enter_memory_pressure(sk)
    if allocated <= sk_prot_mem_limits(sk, 2) and _fair_share(sk, prot, kind):
        return True
    if kind == SK_MEM_SEND and sk.sk_type == SOCK_STREAM:
        sk_stream_moderate_sndbuf(sk)
        if sk.sk_wmem_queued + size >= sk.sk_sndbuf:
            return True
    sk_memory_allocated_sub(sk, amt)
    return False


def _fair_share(sk: sock, prot: proto, kind: int) -> bool:
    if kind == SK_MEM_RECV:
        if sk.sk_rmem_alloc < sk_get_rmem0(sk, prot):
            return True
    elif sk.sk_type == SOCK_STREAM:
        if sk.sk_wmem_queued < sk_get_wmem0(sk, prot):
            return True
    elif sk.sk_wmem_alloc < sk_get_wmem0(sk, prot):
        return True
    kernel = sk.skc_net.kernel
    if prot.memory_pressure is None:
        return False
    if not getattr(kernel, prot.memory_pressure):
        return True
    sockets = getattr(kernel, prot.sockets_allocated) if prot.sockets_allocated else 0
    used = sk_mem_pages(sk.sk_wmem_queued + sk.sk_rmem_alloc + sk.sk_forward_alloc)
    return bool(sk_prot_mem_limits(sk, 2) > sockets * used)


def __sk_mem_schedule(sk: sock, size: int, kind: int) -> bool:
    """Charge whole pages for `size` bytes to the protocol, for the socket to use up."""
    amt = sk_mem_pages(size)
    sk.sk_forward_alloc += amt << PAGE_SHIFT
    ok = __sk_mem_raise_allocated(sk, size, amt, kind)
    if not ok:
        sk.sk_forward_alloc -= amt << PAGE_SHIFT
    return ok


def __sk_mem_reduce_allocated(sk: sock, amount: int) -> None:
    """Give pages back to the protocol."""
    sk_memory_allocated_sub(sk, amount)
    kernel = sk.skc_net.kernel
    pressure = sk.skc_prot.memory_pressure
    if pressure is not None and getattr(kernel, pressure):
        name = sk.skc_prot.memory_allocated
        assert name is not None
        if getattr(kernel, name) < sk_prot_mem_limits(sk, 0):
            sk_leave_memory_pressure(sk)


def __sk_mem_reclaim(sk: sock, amount: int) -> None:
    """Give whole pages of unused memory back."""
    amount >>= PAGE_SHIFT
    sk.sk_forward_alloc -= amount << PAGE_SHIFT
    __sk_mem_reduce_allocated(sk, amount)


def _sk_mem_uncharge(sk: sock, size: int) -> None:
    """sk_mem_uncharge() of include/net/sock_mem.py, which this module must not import."""
    if sk.skc_prot.memory_allocated is None:
        return
    sk.sk_forward_alloc += size
    reclaimable = sk.sk_forward_alloc - sk_unused_reserved_mem(sk)
    if reclaimable >= PAGE_SIZE:
        __sk_mem_reclaim(sk, reclaimable)


def sock_wfree(skb: sk_buff) -> None:
    """Destructor of packets to send: give the memory back and tell writers."""
    sk = skb.sk
    assert sk is not None
    length = skb.truesize
    if not sk.skc_flags & _USE_WRITE_QUEUE:
        sk.sk_wmem_alloc -= length - 1
        sk.sk_write_space(sk)
        length = 1
    sk.sk_wmem_alloc -= length
    if not sk.sk_wmem_alloc:
        __sk_free(sk)


def __sock_wfree(skb: sk_buff) -> None:
    """Destructor of TCP's packets, whose write queue tells writers."""
    sk = skb.sk
    assert sk is not None
    sk.sk_wmem_alloc -= skb.truesize
    if not sk.sk_wmem_alloc:
        __sk_free(sk)


def skb_set_owner_w(skb: sk_buff, sk: sock) -> None:
    """Charge a packet to send to the socket."""
    if skb.destructor is not None:
        skb_orphan(skb)
    skb.sk = sk
    if sk.skc_state == 6 or sk.skc_state == 12:  # TCP_TIME_WAIT, TCP_NEW_SYN_RECV: not a full socket
        skb.destructor = _sock_edemux[0]
        sk.skc_refcnt += 1
        return
    skb.destructor = sock_wfree
    if sk.sk_txhash:
        skb.hash = sk.sk_txhash
    sk.sk_wmem_alloc += skb.truesize


def sock_rfree(skb: sk_buff) -> None:
    """Destructor of received packets: give the memory back."""
    sk = skb.sk
    assert sk is not None
    length = skb.truesize
    sk.sk_rmem_alloc -= length
    if sk.skc_prot.memory_allocated is not None:
        _sk_mem_uncharge(sk, length)


def skb_set_owner_r(skb: sk_buff, sk: sock) -> None:
    """Charge a received packet to the socket."""
    if skb.destructor is not None:
        skb_orphan(skb)
    skb.sk = sk
    skb.destructor = sock_rfree
    sk.sk_rmem_alloc += skb.truesize
    if sk.skc_prot.memory_allocated is not None:
        sk.sk_forward_alloc -= skb.truesize


def sock_wmalloc(sk: sock, size: int, force: int) -> sk_buff | None:
    """A packet charged to the send buffer, None if that is full."""
    if not force and sk.sk_wmem_alloc >= sk.sk_sndbuf:
        return None
    skb = __alloc_skb(sk.skc_net.kernel, size)
    skb_set_owner_w(skb, sk)
    return skb


def sock_kmalloc(sk: sock, cls: Callable[[], T], size: int) -> T | None:
    """An object of `size` bytes charged to the option memory, None if that is used up (ENOBUFS by custom)."""
    kernel = sk.skc_net.kernel
    if size > kernel.sysctl_optmem_max or sk.sk_omem_alloc + size >= kernel.sysctl_optmem_max:
        return None
    sk.sk_omem_alloc += size
    return kzalloc(kernel, cls, size)


def sock_kfree_s(sk: sock, mem: _slab_object, size: int) -> None:
    """Free what sock_kmalloc() gave."""
    kfree(sk.skc_net.kernel, mem, size)
    sk.sk_omem_alloc -= size


async def sock_wait_for_wmem(sk: sock, timeo: int) -> int:
    """Wait until packets that were sent are gone; what is left of the timeout in jiffies."""
    kernel = sk.skc_net.kernel
    current = kernel.current
    assert sk.sk_wq is not None
    wq = sk.sk_wq.wait
    wait = init_wait(current)
    sk_clear_bit(SOCKWQ_ASYNC_NOSPACE, sk)
    try:
        while timeo and not signal_pending(current):
            assert sk.sk_socket is not None
            sk.sk_socket.flags |= 1 << SOCK_NOSPACE
            prepare_to_wait(wq, wait, TASK_INTERRUPTIBLE)
            if sk.sk_wmem_alloc < sk.sk_sndbuf or sk.sk_shutdown & SEND_SHUTDOWN or sk.sk_err:
                break
            timeo = await schedule_timeout(kernel, timeo)
    finally:
        finish_wait(wq, wait)
    return timeo


async def sock_alloc_send_pskb(sk: sock, header_len: int, data_len: int, noblock: bool | int) -> sk_buff:
    """A packet charged to the send buffer, for which it waits. EPIPE, EAGAIN, EINTR, the socket's error."""
    timeo = 0 if noblock else sk.sk_sndtimeo
    while True:
        if sk.sk_err:
            raise KernelError(sock_error(sk))
        if sk.sk_shutdown & SEND_SHUTDOWN:
            raise KernelError(EPIPE)
        if sk.sk_wmem_alloc - 1 < sk.sk_sndbuf:
            break
        sk_set_bit(SOCKWQ_ASYNC_NOSPACE, sk)
        assert sk.sk_socket is not None
        sk.sk_socket.flags |= 1 << SOCK_NOSPACE
        if not timeo:
            raise KernelError(EAGAIN)
        if signal_pending(sk.skc_net.kernel.current):
            raise KernelError(sock_intr_errno(timeo))
        timeo = await sock_wait_for_wmem(sk, timeo)
    skb = alloc_skb_with_frags(sk.skc_net.kernel, header_len, data_len)
    skb_set_owner_w(skb, sk)
    return skb


async def sock_alloc_send_skb(sk: sock, size: int, noblock: bool | int) -> sk_buff:
    """A linear packet charged to the send buffer; see sock_alloc_send_pskb()."""
    return await sock_alloc_send_pskb(sk, size, 0, noblock)
