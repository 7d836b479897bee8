"""net/ipv4/ip_output.c: building packets from pieces of data (corking), and answers that belong to no socket."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TypeVar

from kshell.abi.errno import EACCES, EAGAIN, EFAULT, EMSGSIZE, ENETUNREACH, ENOBUFS, EPIPE
from kshell.abi.socket import MSG_CONFIRM, MSG_DONTWAIT, MSG_MORE, MSG_PROBE
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.net import SOCK_NOSPACE
from kshell.linux.include.linux.netdev_features import NETIF_F_HW_CSUM, NETIF_F_SG
from kshell.linux.include.linux.sched import signal_pending
from kshell.linux.include.linux.skbuff import (
    CHECKSUM_NONE,
    CHECKSUM_PARTIAL,
    SKB_MAX_ALLOC,
    __skb_queue_tail,
    sk_buff,
    sk_buff_head,
    skb_shinfo,
)
from kshell.linux.include.linux.snmp import IPSTATS_MIB_OUTDISCARDS
from kshell.linux.include.net.flow import flowi4
from kshell.linux.include.net.inet_sock import IPCORK_OPT, _cork_of, inet_cork, inet_sk, ip_options
from kshell.linux.include.net.ip import IP_MAX_MTU, getfrag_t, ip_sk_ignore_df, ip_sk_use_pmtu, ipcm_cookie
from kshell.linux.include.net.rtable import RTCF_BROADCAST, rtable
from kshell.linux.include.net.sock import SEND_SHUTDOWN, SOCK_BROADCAST, sock, sock_error
from kshell.linux.include.net.sock_space import sk_wmem_alloc_get
from kshell.linux.include.net.sock_wait import sock_intr_errno, sock_sndtimeo
from kshell.linux.net.core.dst import dst_release
from kshell.linux.net.core.skbuff import alloc_skb, kfree_skb, skb_put
from kshell.linux.net.core.sock_mem import sock_alloc_send_skb, sock_wait_for_wmem, sock_wfree
from kshell.linux.net.ipv4.ip_sockglue import ip_local_error

_HH_LEN = 16  # LL_RESERVED_SPACE of loopback and Ethernet

T = TypeVar("T")


def _run_nowait(coro: Coroutine[object, object, T]) -> T:
    """Run a coroutine that was told not to wait."""
    try:
        coro.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    raise AssertionError("a call that may not sleep tried to")


async def _wait_for_sndbuf(sk: sock, flags: int) -> None:
    """Sleep until the send buffer has room. EAGAIN, EPIPE, EINTR and the socket's pending error."""
    timeo = sock_sndtimeo(sk, flags & MSG_DONTWAIT)
    while True:
        err = sock_error(sk)
        if err:
            raise KernelError(err)
        if sk.sk_shutdown & SEND_SHUTDOWN:
            raise KernelError(EPIPE)
        if sk_wmem_alloc_get(sk) < sk.sk_sndbuf:
            return
        if sk.sk_socket is not None:
            sk.sk_socket.flags |= 1 << SOCK_NOSPACE
        if not timeo:
            raise KernelError(EAGAIN)
        if signal_pending(sk.skc_net.kernel.current):
            raise KernelError(sock_intr_errno(timeo))
        timeo = await sock_wait_for_wmem(sk, timeo)


async def _may_send(sk: sock, rt: rtable, flags: int, length: int) -> bool:
    """Raw and ping sockets: whether to send by the route, when there is room; MSG_PROBE sends nothing. Or the route is
    released, and: EACCES: a broadcast without SO_BROADCAST; what waiting gives.
    """
    try:
        if rt.rt_flags & RTCF_BROADCAST and not sk.skc_flags >> SOCK_BROADCAST & 1:
            raise KernelError(EACCES)
        if flags & MSG_CONFIRM and flags & MSG_PROBE and not length:
            dst_release(rt)
            return False
        if sk.sk_wmem_alloc > sk.sk_sndbuf and not flags & MSG_DONTWAIT:
            await _wait_for_sndbuf(sk, flags)
    except KernelError:
        dst_release(rt)
        raise
    return True


class _append_state:
    """The variables of __ip_append_data() that its steps share."""

    __slots__ = ("csummode", "dev_features", "fragheaderlen", "length", "maxfraglen", "mtu", "offset", "transhdrlen")

    def __init__(self, mtu: int, fragheaderlen: int, length: int, transhdrlen: int, features: int) -> None:
        self.mtu = mtu
        self.fragheaderlen = fragheaderlen
        self.maxfraglen = ((mtu - fragheaderlen) & ~7) + fragheaderlen
        self.length = length
        self.transhdrlen = transhdrlen
        self.offset = 0
        self.csummode = CHECKSUM_NONE
        self.dev_features = features


def _room_of_fragment(cork: inet_cork, st: _append_state, datalen: int, fraggap: int, flags: int) -> tuple[int, int]:
    """Bytes to allocate for a packet, and bytes that go into pages."""
    fraglen = datalen + st.fragheaderlen
    alloc_extra = _HH_LEN + 15
    sg = st.dev_features & NETIF_F_SG
    if flags & MSG_MORE and not sg:
        return st.mtu + alloc_extra, 0
    if not cork.gso_size and (fraglen + alloc_extra < SKB_MAX_ALLOC or not sg):
        return fraglen + alloc_extra, 0
    return st.fragheaderlen + st.transhdrlen + fraggap + alloc_extra, datalen - st.transhdrlen - fraggap


def _alloc_fragment(sk: sock, st: _append_state, alloclen: int) -> sk_buff:
    """The first packet waits for room in the send buffer, others may use twice of it. EAGAIN, ENOBUFS."""
    if st.transhdrlen:
        return _run_nowait(sock_alloc_send_skb(sk, alloclen, True))
    if sk.sk_wmem_alloc > 2 * sk.sk_sndbuf:
        raise KernelError(ENOBUFS)
    return alloc_skb(sk.skc_net.kernel, alloclen)


def _new_fragment(
    sk: sock, queue: sk_buff_head, cork: inet_cork, st: _append_state, getfrag: getfrag_t, from_: object, flags: int
) -> None:
    """Allocate the next packet of the queue and fill it."""
    prev = queue.prev
    fraggap = prev.len - st.maxfraglen if prev is not None else 0
    datalen = st.length + fraggap
    if datalen > st.mtu - st.fragheaderlen:
        datalen = st.maxfraglen - st.fragheaderlen
    alloclen, pagedlen = _room_of_fragment(cork, st, datalen, fraggap, flags)
    skb = _alloc_fragment(sk, st, alloclen)
    skb.ip_summed = st.csummode
    head = b""
    if fraggap and prev is not None:
        head = prev.data[-fraggap:]
        prev.data = prev.data[:-fraggap]
        prev.len = st.maxfraglen
    copy = datalen - st.transhdrlen - fraggap
    skb_put(skb, head)
    skb.len = datalen + st.fragheaderlen
    try:
        if copy > 0:
            skb.data += getfrag(from_, st.offset, copy, skb)
    except KernelError:
        kfree_skb(skb)
        raise KernelError(EFAULT) from None
    skb.truesize += pagedlen
    st.offset += copy
    st.length -= copy + st.transhdrlen
    st.transhdrlen = 0
    st.csummode = CHECKSUM_NONE
    if cork.tx_flags:
        skb_shinfo(skb).tx_flags = cork.tx_flags
        cork.tx_flags = 0
    if flags & MSG_CONFIRM and prev is None:
        skb.dst_pending_confirm = 1
    if skb.destructor is None:
        skb.destructor = sock_wfree
        skb.sk = sk
        sk.sk_wmem_alloc += skb.truesize
    elif pagedlen:
        sk.sk_wmem_alloc += pagedlen
    __skb_queue_tail(queue, skb)


def __ip_append_data(
    sk: sock, fl4: flowi4, queue: sk_buff_head, cork: inet_cork, getfrag: getfrag_t, from_: object, length: int,
    transhdrlen: int, flags: int,
) -> int:  # fmt: skip
    """Add data to the packets in a queue. EMSGSIZE, EFAULT, ENOBUFS, EAGAIN, EPIPE and the socket's pending error."""
    dst = cork.dst
    assert dst is not None
    opt = cork.opt
    optlen = opt.optlen if opt is not None else 0
    mtu = IP_MAX_MTU if cork.gso_size else cork.fragsize
    features = dst.dev.features
    st = _append_state(mtu, 20 + optlen, length, transhdrlen, features)
    maxnonfragsize = IP_MAX_MTU if ip_sk_ignore_df(sk) else mtu
    if cork.length + length > maxnonfragsize - st.fragheaderlen:
        ip_local_error(sk, EMSGSIZE, fl4.daddr, inet_sk(sk).inet_dport, mtu - optlen)
        raise KernelError(EMSGSIZE)
    if (
        transhdrlen
        and length + st.fragheaderlen <= mtu
        and features & NETIF_F_HW_CSUM
        and (not flags & MSG_MORE or cork.gso_size)
    ):
        st.csummode = CHECKSUM_PARTIAL
    cork.length += length
    try:
        skb = queue.prev
        if skb is None:
            _new_fragment(sk, queue, cork, st, getfrag, from_, flags)
        while st.length > 0:
            skb = queue.prev
            assert skb is not None
            copy = mtu - skb.len
            if copy < st.length:
                copy = st.maxfraglen - skb.len
            if copy <= 0:
                _new_fragment(sk, queue, cork, st, getfrag, from_, flags)
                continue
            copy = min(copy, st.length)
            skb.data += getfrag(from_, st.offset, copy, skb)
            skb.len += copy
            skb.truesize += copy
            sk.sk_wmem_alloc += copy
            st.offset += copy
            st.length -= copy
    except KernelError:
        cork.length -= st.length
        sk.skc_net.mib.ip_statistics[IPSTATS_MIB_OUTDISCARDS] += 1
        raise
    return 0


def ip_setup_cork(sk: sock, cork: inet_cork, ipc: ipcm_cookie, rt: rtable) -> int:
    """Start a packet along a route, whose reference is taken over. ENETUNREACH if its MTU is below 68."""
    cork.fragsize = rt.ops.mtu(rt) if ip_sk_use_pmtu(sk) else rt.dev.mtu
    if cork.fragsize < 68:
        dst_release(rt)
        raise KernelError(ENETUNREACH)
    opt = ipc.opt
    if opt is not None:
        cork.opt = _copy_options(opt.opt)
        cork.flags |= IPCORK_OPT
        cork.addr = ipc.addr
    cork.gso_size = ipc.gso_size
    cork.dst = rt
    cork.length = 0
    cork.ttl = ipc.ttl
    cork.tos = ipc.tos
    cork.mark = ipc.sockc.mark
    cork.priority = ipc.priority
    cork.transmit_time = ipc.sockc.transmit_time
    cork.tx_flags = 0
    return 0


def _copy_options(opt: ip_options) -> ip_options:
    new = ip_options(bytes(opt._data))
    for name in ip_options.__slots__:
        if name != "_data":
            setattr(new, name, getattr(opt, name))
    return new


def ip_append_data(
    sk: sock, fl4: flowi4, getfrag: getfrag_t, from_: object, length: int, transhdrlen: int, ipc: ipcm_cookie | None,
    rt: rtable | None, flags: int,
) -> int:  # fmt: skip
    """Add data to the packet that the socket is building; takes over the reference to rt. As __ip_append_data()."""
    if flags & MSG_PROBE:
        dst_release(rt)
        return 0
    cork = _cork_of(inet_sk(sk)).base
    if sk.sk_write_queue.next is None:
        assert ipc is not None
        assert rt is not None
        ip_setup_cork(sk, cork, ipc, rt)
    else:
        transhdrlen = 0
    return __ip_append_data(sk, fl4, sk.sk_write_queue, cork, getfrag, from_, length, transhdrlen, flags)


def ip_cork_release(cork: inet_cork) -> None:
    """The packet is finished: free options and route."""
    cork.flags &= ~IPCORK_OPT
    cork.opt = None
    dst_release(cork.dst)
    cork.dst = None
