"""Frames through packet sockets (net/packet/af_packet.c)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from kshell.abi.errno import EINVAL, EMSGSIZE, ENETDOWN, ENODEV, ENOTCONN, ENXIO
from kshell.abi.netdevice import ETH_HLEN, IFF_UP
from kshell.abi.packet import PACKET_AUXDATA, PACKET_LOOPBACK, PACKET_OUTGOING, PACKET_TX_TIMESTAMP, TP_STATUS_USER
from kshell.abi.socket import (
    AF_PACKET,
    MSG_DONTWAIT,
    MSG_ERRQUEUE,
    MSG_PEEK,
    MSG_TRUNC,
    SOCK_DGRAM,
    SOCK_PACKET,
    SOCK_RAW,
    SOL_PACKET,
)  # fmt: skip
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.if_ether import ethhdr
from kshell.linux.include.linux.if_vlan import VLAN_HLEN
from kshell.linux.include.linux.netdevice import NET_RX_SUCCESS, net_device, packet_type
from kshell.linux.include.linux.netdevice_xmit import dev_hard_header
from kshell.linux.include.linux.skbuff import __skb_queue_tail, skb_shared
from kshell.linux.include.linux.socket import MSG_CMSG_COMPAT
from kshell.linux.lib.iov_iter import copy_from_iter_full
from kshell.linux.net.core.datagram import skb_copy_datagram_msg, skb_free_datagram, skb_recv_datagram
from kshell.linux.net.core.dev import dev_get_by_index, dev_get_by_name, net_xmit_errno
from kshell.linux.net.core.dev_xmit import dev_queue_xmit
from kshell.linux.net.core.filter import sk_filter
from kshell.linux.net.core.scm import put_cmsg
from kshell.linux.net.core.skbuff import consume_skb, kfree_skb, skb_clone, skb_dst_drop, skb_push
from kshell.linux.net.core.skbuff_bytes import _skb_to_bytes
from kshell.linux.net.core.sock_mem import skb_set_owner_r, sock_alloc_send_pskb
from kshell.linux.net.core.sock_queue import sock_cmsg_send, sock_recv_errqueue, sockcm_init
from kshell.linux.net.ethernet.eth import eth_header_parse
from kshell.linux.net.packet.internal import packet_skb_cb, packet_sock, pkt_sk
from kshell.linux.net.socket_cmsg import sock_recv_cmsgs

if TYPE_CHECKING:
    from kshell.linux.include.linux.net import socket
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.linux.socket import msghdr

SOCKADDR_LL: Final = struct.Struct("<H2siHBB8s")  # family, protocol (network order), ifindex, hatype, pkttype, halen, addr
SLL_ADDR: Final = 12  # offsetof(struct sockaddr_ll, sll_addr)
SOCKADDR_PKT: Final = struct.Struct("<H14s2s")
RECV_FLAGS: Final = MSG_PEEK | MSG_DONTWAIT | MSG_TRUNC | MSG_CMSG_COMPAT | MSG_ERRQUEUE


def packet_rcv(skb: sk_buff, dev: net_device, pt: packet_type, orig_dev: net_device) -> int:
    """A frame for a SOCK_RAW or SOCK_DGRAM socket, on its way out or in."""
    po = pt.af_packet_priv
    assert isinstance(po, packet_sock)
    if skb.pkt_type == PACKET_LOOPBACK or dev.nd_net is not po.sk_net:
        consume_skb(skb)
        return NET_RX_SUCCESS
    outgoing = skb.pkt_type == PACKET_OUTGOING
    skb_len = skb.len
    if dev.header_ops is not None and skb.mac_header is not None:
        if po.sk_type != SOCK_DGRAM:
            if not outgoing:
                skb_push(skb, dev.hard_header_len)
        elif outgoing:
            skb.len -= dev.hard_header_len
    if not skb.len or (po.sk_filter is not None and sk_filter(po, skb)):
        return _drop_n_restore(skb, skb_len)
    if po.sk_rmem_alloc >= po.sk_rcvbuf:
        po.tp_drops += 1
        return _drop_n_restore(skb, skb_len)
    if skb_shared(skb):
        shared, skb = skb, skb_clone(skb)
        shared.len = skb_len
        consume_skb(shared)
    address = eth_header_parse(skb) if skb.mac_header is not None else b""
    index = orig_dev.ifindex if po._origdev else dev.ifindex
    sll = SOCKADDR_LL.pack(
        AF_PACKET, skb.protocol.to_bytes(2, "big"), index, dev.type, skb.pkt_type, len(address), address
    )
    skb.data = _skb_to_bytes(skb)
    skb.cb = packet_skb_cb(sll, len(skb.data))
    skb.len = len(skb.data)
    skb.mac_header = skb.network_header = skb.transport_header = None
    skb_set_owner_r(skb, po)
    skb.dev = None
    skb_dst_drop(skb)
    po._tp_packets += 1
    __skb_queue_tail(po.sk_receive_queue, skb)
    po.sk_data_ready(po)
    return NET_RX_SUCCESS


def _drop_n_restore(skb: sk_buff, skb_len: int) -> int:
    """Let go of a frame that others may still get, as it was."""
    skb.len = skb_len
    consume_skb(skb)
    return NET_RX_SUCCESS


def packet_rcv_spkt(skb: sk_buff, dev: net_device, pt: packet_type, orig_dev: net_device) -> int:
    """A frame for a SOCK_PACKET socket."""
    return packet_rcv(skb, dev, pt, orig_dev)


def _target(po: packet_sock, msg: msghdr) -> tuple[net_device | None, int, bytes | None]:
    """Device, protocol and link address to send to. EINVAL."""
    if msg.msg_name is None:
        return po.cached_dev, po.num, None
    if msg.msg_namelen < SOCKADDR_LL.size:
        raise KernelError(EINVAL)
    _, protocol, ifindex, _, _, halen, _ = SOCKADDR_LL.unpack_from(msg.msg_name)
    if msg.msg_namelen < halen + SLL_ADDR:
        raise KernelError(EINVAL)
    dev = dev_get_by_index(po.sk_net, ifindex)
    address = None
    if po.sk_type == SOCK_DGRAM and dev is not None:
        if msg.msg_namelen < dev.addr_len + SLL_ADDR:
            raise KernelError(EINVAL)
        address = msg.msg_name[SLL_ADDR : SLL_ADDR + dev.addr_len]
    return dev, int.from_bytes(protocol, "big"), address


async def packet_sendmsg(sock: socket, msg: msghdr, length: int) -> int:
    """sendmsg(): a frame, or for SOCK_DGRAM what follows its header."""
    return await packet_snd(sock, msg, length)


async def packet_snd(sock: socket, msg: msghdr, length: int) -> int:
    """Send a frame. EINVAL, ENXIO: no such device, ENETDOWN, EMSGSIZE, EFAULT."""
    po = pkt_sk(sock.sk)  # type: ignore[arg-type]  # an open socket has its sk
    dev, protocol, address = _target(po, msg)
    if dev is None:
        raise KernelError(ENXIO)
    if not dev.flags & IFF_UP:
        raise KernelError(ENETDOWN)
    sockc = sockcm_init(po)
    if msg.msg_controllen:
        sock_cmsg_send(po, msg, sockc)
    reserve = dev.hard_header_len if sock.type == SOCK_RAW else 0
    if length > dev.mtu + reserve + VLAN_HLEN:
        raise KernelError(EMSGSIZE)
    skb = await sock_alloc_send_pskb(po, length, 0, msg.msg_flags & MSG_DONTWAIT)
    try:
        frame = copy_from_iter_full(msg.msg_iter, length)
        if sock.type == SOCK_RAW and length < dev.hard_header_len:
            raise KernelError(EINVAL)
        if length > dev.mtu + reserve:
            raise KernelError(EMSGSIZE)
    except KernelError:
        kfree_skb(skb)
        raise
    skb.dev = dev
    skb.priority, skb.mark = po.sk_priority, sockc.mark
    if sock.type == SOCK_RAW:
        _set_frame(skb, frame)
        skb.protocol = protocol or _ethertype(frame)
    else:
        skb.data, skb.len, skb.protocol = frame, length, protocol
        if dev_hard_header(skb, dev, protocol, address, None, length) < 0:
            kfree_skb(skb)
            raise KernelError(EINVAL)
    error = net_xmit_errno(dev_queue_xmit(skb))
    if error:
        raise KernelError(error)
    return length


def _set_frame(skb: sk_buff, frame: bytes) -> None:
    skb.mac_header = ethhdr(frame[:6], frame[6:12], _ethertype(frame))
    skb.data = frame[ETH_HLEN:]
    skb.len = len(frame)


def _ethertype(frame: bytes) -> int:
    return int.from_bytes(frame[12:14], "big")


async def packet_sendmsg_spkt(sock: socket, msg: msghdr, length: int) -> int:
    """sendmsg() of a SOCK_PACKET socket: a whole frame to a device by name. ENOTCONN, EINVAL, ENODEV."""
    po = pkt_sk(sock.sk)  # type: ignore[arg-type]  # an open socket has its sk
    if msg.msg_name is None:
        raise KernelError(ENOTCONN)
    if msg.msg_namelen < 16:
        raise KernelError(EINVAL)
    name = msg.msg_name[2:15].split(b"\0", 1)[0].decode("latin-1")
    dev = dev_get_by_name(po.sk_net, name)
    if dev is None:
        raise KernelError(ENODEV)
    if not dev.flags & IFF_UP:
        raise KernelError(ENETDOWN)
    if length > dev.mtu + dev.hard_header_len + VLAN_HLEN:
        raise KernelError(EMSGSIZE)
    frame = copy_from_iter_full(msg.msg_iter, length)
    if length < dev.hard_header_len:
        raise KernelError(EINVAL)
    skb = await sock_alloc_send_pskb(po, length, 0, msg.msg_flags & MSG_DONTWAIT)
    _set_frame(skb, frame)
    skb.dev = dev
    skb.protocol = int.from_bytes(msg.msg_name[16:18], "big") if msg.msg_namelen == SOCKADDR_PKT.size else 0
    dev_queue_xmit(skb)
    return length


async def packet_recvmsg(sock: socket, msg: msghdr, length: int, flags: int) -> int:
    """recvmsg(): one frame. EINVAL, EAGAIN, ENETDOWN, EFAULT."""
    po = pkt_sk(sock.sk)  # type: ignore[arg-type]  # an open socket has its sk
    if flags & ~RECV_FLAGS:
        raise KernelError(EINVAL)
    if flags & MSG_ERRQUEUE:
        return sock_recv_errqueue(po, msg, length, SOL_PACKET, PACKET_TX_TIMESTAMP)
    skb = await skb_recv_datagram(po, flags)
    if skb is None:
        return 0
    copied = skb.len
    if copied > length:
        copied = length
        msg.msg_flags |= MSG_TRUNC
    try:
        skb_copy_datagram_msg(skb, 0, msg, copied)
        sock_recv_cmsgs(msg, po, skb)
        cb = skb.cb
        assert isinstance(cb, packet_skb_cb)
        if msg._want_name:
            _give_name(sock, msg, cb)
        if po._auxdata:
            _auxdata(msg, skb, cb)
        return skb.len if flags & MSG_TRUNC else copied
    finally:
        skb_free_datagram(po, skb)


def _give_name(sock: socket, msg: msghdr, cb: packet_skb_cb) -> None:
    if sock.type == SOCK_PACKET:
        msg.msg_name = SOCKADDR_PKT.pack(AF_PACKET, b"", cb.sll[2:4])
        msg.msg_namelen = SOCKADDR_PKT.size
    else:
        msg.msg_name = cb.sll
        msg.msg_namelen = SOCKADDR_LL.size


def _auxdata(msg: msghdr, skb: sk_buff, cb: packet_skb_cb) -> None:
    """struct tpacket_auxdata: status, length, captured length, offsets, VLAN."""
    data = struct.pack("<IIIHHHH", TP_STATUS_USER, cb.origlen, skb.len, 0, 0, 0, 0)
    put_cmsg(msg, SOL_PACKET, PACKET_AUXDATA, len(data), data)
