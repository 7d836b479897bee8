"""Options and memberships of packet sockets (net/packet/af_packet.c)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from kshell.abi.errno import EADDRNOTAVAIL, EINVAL, ENODEV, ENOPROTOOPT, EOPNOTSUPP
from kshell.abi.packet import (
    PACKET_ADD_MEMBERSHIP,
    PACKET_AUXDATA,
    PACKET_COPY_THRESH,
    PACKET_DROP_MEMBERSHIP,
    PACKET_FANOUT,
    PACKET_FANOUT_DATA,
    PACKET_HDRLEN,
    PACKET_IGNORE_OUTGOING,
    PACKET_LOSS,
    PACKET_MR_ALLMULTI,
    PACKET_MR_MULTICAST,
    PACKET_MR_PROMISC,
    PACKET_MR_UNICAST,
    PACKET_ORIGDEV,
    PACKET_QDISC_BYPASS,
    PACKET_RESERVE,
    PACKET_ROLLOVER_STATS,
    PACKET_RX_RING,
    PACKET_STATISTICS,
    PACKET_TIMESTAMP,
    PACKET_TX_HAS_OFF,
    PACKET_TX_RING,
    PACKET_VERSION,
    PACKET_VNET_HDR,
    TPACKET_V1,
    TPACKET_V2,
    TPACKET_V3,
)  # fmt: skip
from kshell.abi.socket import SOCK_RAW, SOL_PACKET
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.limits import INT_MAX
from kshell.linux.include.linux.sockptr import copy_from_sockptr
from kshell.linux.include.linux.uaccess import copy_to_user, get_user, put_user
from kshell.linux.net.core.dev import __dev_get_by_index
from kshell.linux.net.core.dev_addr_lists import dev_mc_add, dev_mc_del, dev_uc_add, dev_uc_del
from kshell.linux.net.core.dev_flags import dev_set_allmulti, dev_set_promiscuity
from kshell.linux.net.packet.internal import packet_mclist, packet_sock, pkt_sk

if TYPE_CHECKING:
    from kshell.linux.include.linux.net import socket
    from kshell.linux.include.linux.netdevice import net_device
    from kshell.linux.include.linux.sockptr import sockptr_t

MREQ: Final = struct.Struct("<iHH")  # ifindex, type, alen; the address follows
MREQ_SIZE: Final = 16
MREQ_MAX_SIZE: Final = 40
TPACKET_REQ_SIZE: Final = 16
FANOUT_ARGS_SIZE: Final = 8
HDRLEN_OF_VERSION: Final = {TPACKET_V1: 32, TPACKET_V2: 32, TPACKET_V3: 48}
FLAG_OPTIONS: Final = {
    PACKET_AUXDATA: "_auxdata",
    PACKET_ORIGDEV: "_origdev",
    PACKET_VNET_HDR: "_has_vnet_hdr",
    PACKET_LOSS: "_loss",
    PACKET_TX_HAS_OFF: "_tx_has_off",
}
VALUE_OPTIONS: Final = {PACKET_COPY_THRESH: "copy_thresh", PACKET_TIMESTAMP: "tp_tstamp", PACKET_RESERVE: "tp_reserve",
                        PACKET_VERSION: "tp_version"}  # fmt: skip
READABLE: Final = {**FLAG_OPTIONS, PACKET_TIMESTAMP: "tp_tstamp", PACKET_RESERVE: "tp_reserve",
                   PACKET_VERSION: "tp_version"}  # fmt: skip
AT_LEAST_INT: Final = frozenset({PACKET_AUXDATA, PACKET_ORIGDEV, PACKET_VNET_HDR})


def packet_dev_mc(dev: net_device, i: packet_mclist, what: int) -> None:
    """Ask the device for a group or mode (what 1), or no longer (-1). EINVAL: a wrong address length."""
    if i.type in (PACKET_MR_MULTICAST, PACKET_MR_UNICAST):
        if i.alen != dev.addr_len:
            raise KernelError(EINVAL)
        add, remove = (dev_mc_add, dev_mc_del) if i.type == PACKET_MR_MULTICAST else (dev_uc_add, dev_uc_del)
        add(dev, i.addr) if what > 0 else remove(dev, i.addr)
    elif i.type == PACKET_MR_PROMISC:
        dev_set_promiscuity(dev, what)
    elif i.type == PACKET_MR_ALLMULTI:
        dev_set_allmulti(dev, what)


def packet_dev_mclist_delete(dev: net_device, po: packet_sock) -> None:
    """The device goes: so do the memberships on it."""
    for i in po.mclist:
        if i.ifindex == dev.ifindex:
            packet_dev_mc(dev, i, -1)
    po.mclist = [i for i in po.mclist if i.ifindex != dev.ifindex]


def _same(i: packet_mclist, wanted: packet_mclist) -> bool:
    return (i.ifindex, i.type, i.addr) == (wanted.ifindex, wanted.type, wanted.addr)


def packet_mc_add(po: packet_sock, wanted: packet_mclist) -> None:
    """PACKET_ADD_MEMBERSHIP. ENODEV, EINVAL."""
    dev = __dev_get_by_index(po.sk_net, wanted.ifindex)
    if dev is None:
        raise KernelError(ENODEV)
    if wanted.alen > dev.addr_len:
        raise KernelError(EINVAL)
    for i in po.mclist:
        if _same(i, wanted):
            i.count += 1
            return
    packet_dev_mc(dev, wanted, 1)
    po.mclist.insert(0, wanted)


def packet_mc_drop(po: packet_sock, wanted: packet_mclist) -> None:
    """PACKET_DROP_MEMBERSHIP. EADDRNOTAVAIL: not joined."""
    for i in po.mclist:
        if _same(i, wanted):
            i.count -= 1
            if i.count == 0:
                po.mclist.remove(i)
                dev = __dev_get_by_index(po.sk_net, i.ifindex)
                if dev is not None:
                    packet_dev_mc(dev, i, -1)
            return
    raise KernelError(EADDRNOTAVAIL)


def packet_flush_mclist(po: packet_sock) -> None:
    """The socket closes: leave everything."""
    for i in po.mclist:
        dev = __dev_get_by_index(po.sk_net, i.ifindex)
        if dev is not None:
            packet_dev_mc(dev, i, -1)
    po.mclist = []


def _membership(po: packet_sock, optname: int, optval: sockptr_t, optlen: int) -> None:
    if optlen < MREQ_SIZE:
        raise KernelError(EINVAL)
    raw = copy_from_sockptr(optval, min(optlen, MREQ_MAX_SIZE))
    ifindex, kind, alen = MREQ.unpack_from(raw)
    if len(raw) < alen + MREQ.size:
        raise KernelError(EINVAL)
    wanted = packet_mclist(ifindex, kind, raw[MREQ.size : MREQ.size + alen])
    (packet_mc_add if optname == PACKET_ADD_MEMBERSHIP else packet_mc_drop)(po, wanted)


def packet_set_ring(optval: sockptr_t, optlen: int) -> None:
    """PACKET_RX_RING and TX_RING. Rings are memory shared with user space, which the model has not: EOPNOTSUPP."""
    if optlen < TPACKET_REQ_SIZE:
        raise KernelError(EINVAL)
    copy_from_sockptr(optval, TPACKET_REQ_SIZE)
    raise KernelError(EOPNOTSUPP)


def packet_setsockopt(sock: socket, level: int, optname: int, optval: sockptr_t, optlen: int) -> int:
    """setsockopt(SOL_PACKET). ENOPROTOOPT, EINVAL, EFAULT."""
    po = pkt_sk(sock.sk)  # type: ignore[arg-type]  # an open socket has its sk
    if level != SOL_PACKET:
        raise KernelError(ENOPROTOOPT)
    if optname in (PACKET_ADD_MEMBERSHIP, PACKET_DROP_MEMBERSHIP):
        _membership(po, optname, optval, optlen)
    elif optname in (PACKET_RX_RING, PACKET_TX_RING):
        packet_set_ring(optval, optlen)
    elif optname in (PACKET_FANOUT, PACKET_FANOUT_DATA):
        if optname == PACKET_FANOUT and optlen in (4, FANOUT_ARGS_SIZE):
            copy_from_sockptr(optval, optlen)
        raise KernelError(EINVAL)  # no fanout groups: as for a socket that may not join one
    elif optname in FLAG_OPTIONS or optname in VALUE_OPTIONS or optname in (PACKET_IGNORE_OUTGOING, PACKET_QDISC_BYPASS):
        _set_value(sock, po, optname, optval, optlen)
    else:
        raise KernelError(ENOPROTOOPT)
    return 0


def _set_value(sock: socket, po: packet_sock, optname: int, optval: sockptr_t, optlen: int) -> None:
    if optname == PACKET_VNET_HDR and sock.type != SOCK_RAW:
        raise KernelError(EINVAL)
    if optlen < 4 or (optlen != 4 and optname not in AT_LEAST_INT):
        raise KernelError(EINVAL)
    val = int.from_bytes(copy_from_sockptr(optval, 4), "little")
    if optname in FLAG_OPTIONS:
        setattr(po, FLAG_OPTIONS[optname], int(bool(val)))
    elif optname == PACKET_IGNORE_OUTGOING:
        if val > 1:
            raise KernelError(EINVAL)
        po.prot_hook.ignore_outgoing = bool(val)
    elif optname == PACKET_QDISC_BYPASS:
        po.flags = int(bool(val))
    else:
        if (optname == PACKET_VERSION and val not in HDRLEN_OF_VERSION) or (optname == PACKET_RESERVE and val > INT_MAX):
            raise KernelError(EINVAL)
        setattr(po, VALUE_OPTIONS[optname], val)


def packet_getsockopt(sock: socket, level: int, optname: int, optval: int, optlen: int) -> int:
    """getsockopt(SOL_PACKET). ENOPROTOOPT, EINVAL, EFAULT."""
    po = pkt_sk(sock.sk)  # type: ignore[arg-type]  # an open socket has its sk
    if level != SOL_PACKET:
        raise KernelError(ENOPROTOOPT)
    current = po.sk_net.kernel.current
    length = get_user(current, optlen)
    if length < 0:
        raise KernelError(EINVAL)
    data = _statistics(po) if optname == PACKET_STATISTICS else _get_value(po, optname, optval, length)
    length = min(length, len(data))
    put_user(current, optlen, length)
    copy_to_user(current, optval, data[:length])
    return 0


def _statistics(po: packet_sock) -> bytes:
    """struct tpacket_stats: packets and drops since the last look; V3 adds freezes of the queue."""
    packets, drops = po._tp_packets + po.tp_drops, po.tp_drops
    po._tp_packets = po.tp_drops = 0
    return struct.pack("<II", packets, drops) + (bytes(4) if po.tp_version == TPACKET_V3 else b"")


def _get_value(po: packet_sock, optname: int, optval: int, length: int) -> bytes:
    if optname in READABLE:
        val = getattr(po, READABLE[optname])
    elif optname == PACKET_HDRLEN:
        if length < 4:
            raise KernelError(EINVAL)
        version = get_user(po.sk_net.kernel.current, optval)
        if version not in HDRLEN_OF_VERSION:
            raise KernelError(EINVAL)
        val = HDRLEN_OF_VERSION[version]
    elif optname == PACKET_IGNORE_OUTGOING:
        val = int(po.prot_hook.ignore_outgoing)
    elif optname == PACKET_QDISC_BYPASS:
        val = po.flags
    elif optname == PACKET_FANOUT:
        val = 0
    elif optname == PACKET_ROLLOVER_STATS:
        raise KernelError(EINVAL)
    else:
        raise KernelError(ENOPROTOOPT)
    return struct.pack("<I", val)
