"""net/ipv4/ip_sockglue.c: the multicast options at level IPPROTO_IP."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from kshell.abi import inet as abi
from kshell.abi.errno import EADDRINUSE, EADDRNOTAVAIL, EINVAL, ENOBUFS, EPROTO
from kshell.abi.inet import MCAST_EXCLUDE, MCAST_INCLUDE
from kshell.abi.socket import AF_INET, SOCK_STREAM
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.igmp import ip_mreq_source, ip_mreqn
from kshell.linux.include.linux.sockptr import copy_from_sockptr, copy_to_sockptr, copy_to_sockptr_offset
from kshell.linux.include.net.inet_sock import inet_sk
from kshell.linux.net.core.dev import dev_get_by_index
from kshell.linux.net.ipv4 import devinet_select
from kshell.linux.net.ipv4.igmp import (
    ip_mc_gsfget,
    ip_mc_join_group,
    ip_mc_join_group_ssm,
    ip_mc_leave_group,
    ip_mc_msfget,
    ip_mc_msfilter,
    ip_mc_source,
)

if TYPE_CHECKING:
    from kshell.linux.include.linux.sockptr import sockptr_t
    from kshell.linux.include.net.sock import sock

_STORAGE = 128
_GROUP_FILTER0 = 144  # offsetof(struct group_filter, gf_slist)
_GROUP_REQ = 136
_GROUP_SOURCE_REQ = 264


def _be32(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "big")


def _u32(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "little")


def _mreqn(data: bytes) -> ip_mreqn:
    """struct ip_mreqn, or struct ip_mreq whose index is 0."""
    ifindex = int.from_bytes(data[8:12], "little", signed=True)
    return ip_mreqn(_be32(data, 0), _be32(data, 4), ifindex)


def _family(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 2], "little")


def _set_multicast_if(sk: sock, optval: sockptr_t, optlen: int) -> None:
    """IP_MULTICAST_IF."""
    if sk.sk_type == SOCK_STREAM or optlen < 4:
        raise KernelError(EINVAL)
    inet = inet_sk(sk)
    if optlen >= 12:
        mreq = _mreqn(copy_from_sockptr(optval, 12))
    elif optlen >= 8:
        mreq = _mreqn(copy_from_sockptr(optval, 8))
    else:
        mreq = ip_mreqn(0, _be32(copy_from_sockptr(optval, 4), 0), 0)
    net = sk.skc_net
    if not mreq.imr_ifindex:
        if not mreq.imr_address:
            inet.mc_index = inet.mc_addr = 0
            return
        dev = devinet_select.ip_dev_find(net, mreq.imr_address)
        if dev is not None:
            mreq.imr_ifindex = dev.ifindex
    else:
        dev = dev_get_by_index(net, mreq.imr_ifindex)
    if dev is None:
        raise KernelError(EADDRNOTAVAIL)
    dev.pcpu_refcnt -= 1
    if sk.sk_bound_dev_if and mreq.imr_ifindex != sk.sk_bound_dev_if:
        raise KernelError(EINVAL)
    inet.mc_index = mreq.imr_ifindex
    inet.mc_addr = mreq.imr_address


def _membership(sk: sock, optname: int, optval: sockptr_t, optlen: int) -> None:
    """IP_ADD_MEMBERSHIP, IP_DROP_MEMBERSHIP."""
    if inet_sk(sk).is_icsk:
        raise KernelError(EPROTO)
    if optlen < 8:
        raise KernelError(EINVAL)
    mreq = _mreqn(copy_from_sockptr(optval, 12 if optlen >= 12 else 8))
    (ip_mc_join_group if optname == abi.IP_ADD_MEMBERSHIP else ip_mc_leave_group)(sk, mreq)


def _msfilter(sk: sock, optval: sockptr_t, optlen: int) -> None:
    """IP_MSFILTER."""
    if optlen < 16:
        raise KernelError(EINVAL)
    net = sk.skc_net
    if optlen > net.kernel.sysctl_optmem_max:
        raise KernelError(ENOBUFS)
    data = copy_from_sockptr(optval, optlen)
    multiaddr, _interface, fmode, numsrc = struct.unpack_from("<4sIII", data)
    if numsrc >= 0x3FFFFFFC or numsrc > net.ipv4.sysctl_igmp_max_msf:
        raise KernelError(ENOBUFS)
    if 16 + 4 * numsrc > optlen:
        raise KernelError(EINVAL)
    sources = [_be32(data, 16 + 4 * i) for i in range(numsrc)]
    ip_mc_msfilter(sk, int.from_bytes(multiaddr, "big"), _be32(data, 4), fmode, sources, 0)


def _ssm_join(sk: sock, mreq: ip_mreqn) -> None:
    """Join for single sources, or go on as the member that the socket is already."""
    try:
        ip_mc_join_group_ssm(sk, mreq, MCAST_INCLUDE)
    except KernelError as e:
        if e.errno != EADDRINUSE:
            raise


def _source_mreq(sk: sock, optname: int, optval: sockptr_t, optlen: int) -> None:
    """IP_BLOCK_SOURCE and its kin: struct ip_mreq_source."""
    if optlen != 12:
        raise KernelError(EINVAL)
    data = copy_from_sockptr(optval, 12)
    mreqs = ip_mreq_source(_be32(data, 0), _be32(data, 4), _be32(data, 8))
    if optname == abi.IP_ADD_SOURCE_MEMBERSHIP:
        _ssm_join(sk, ip_mreqn(mreqs.imr_multiaddr, mreqs.imr_interface, 0))
    add = optname in (abi.IP_BLOCK_SOURCE, abi.IP_ADD_SOURCE_MEMBERSHIP)
    exclude = optname in (abi.IP_BLOCK_SOURCE, abi.IP_UNBLOCK_SOURCE)
    ip_mc_source(int(add), MCAST_EXCLUDE if exclude else MCAST_INCLUDE, sk, mreqs, 0)


def ip_mcast_join_leave(sk: sock, optname: int, optval: sockptr_t, optlen: int) -> None:
    """MCAST_JOIN_GROUP, MCAST_LEAVE_GROUP: struct group_req."""
    if optlen < _GROUP_REQ:
        raise KernelError(EINVAL)
    data = copy_from_sockptr(optval, _GROUP_REQ)
    if _family(data, 8) != AF_INET:
        raise KernelError(EINVAL)
    mreq = ip_mreqn(_be32(data, 12), 0, int.from_bytes(data[:4], "little", signed=True))
    (ip_mc_join_group if optname == abi.MCAST_JOIN_GROUP else ip_mc_leave_group)(sk, mreq)


def do_mcast_group_source(sk: sock, optname: int, optval: sockptr_t, optlen: int) -> None:
    """MCAST_BLOCK_SOURCE and its kin: struct group_source_req."""
    if optlen != _GROUP_SOURCE_REQ:
        raise KernelError(EINVAL)
    data = copy_from_sockptr(optval, _GROUP_SOURCE_REQ)
    if _family(data, 8) != AF_INET or _family(data, 8 + _STORAGE) != AF_INET:
        raise KernelError(EADDRNOTAVAIL)
    ifindex = int.from_bytes(data[:4], "little", signed=True)
    mreqs = ip_mreq_source(_be32(data, 12), 0, _be32(data, 12 + _STORAGE))
    if optname == abi.MCAST_JOIN_SOURCE_GROUP:
        mreq = ip_mreqn(mreqs.imr_multiaddr, 0, ifindex)
        _ssm_join(sk, mreq)
        ifindex = mreq.imr_ifindex
    add = optname in (abi.MCAST_BLOCK_SOURCE, abi.MCAST_JOIN_SOURCE_GROUP)
    exclude = optname in (abi.MCAST_BLOCK_SOURCE, abi.MCAST_UNBLOCK_SOURCE)
    ip_mc_source(int(add), MCAST_EXCLUDE if exclude else MCAST_INCLUDE, sk, mreqs, ifindex)


def ip_set_mcast_msfilter(sk: sock, optval: sockptr_t, optlen: int) -> None:
    """MCAST_MSFILTER: struct group_filter."""
    if optlen < _GROUP_FILTER0:
        raise KernelError(EINVAL)
    net = sk.skc_net
    if optlen > net.kernel.sysctl_optmem_max:
        raise KernelError(ENOBUFS)
    data = copy_from_sockptr(optval, optlen)
    ifindex, fmode, numsrc = _u32(data, 0), _u32(data, 136), _u32(data, 140)
    if numsrc >= 0x1FFFFFF or numsrc > net.ipv4.sysctl_igmp_max_msf:
        raise KernelError(ENOBUFS)
    if _GROUP_FILTER0 + _STORAGE * numsrc > optlen:
        raise KernelError(EINVAL)
    set_mcast_msfilter(sk, ifindex, fmode, data, [_GROUP_FILTER0 + _STORAGE * i for i in range(numsrc)])


def set_mcast_msfilter(sk: sock, ifindex: int, fmode: int, data: bytes, entries: list[int]) -> None:
    """Set the filter of the group at data[8:], sources at the offsets given. EADDRNOTAVAIL."""
    if _family(data, 8) != AF_INET or any(_family(data, at) != AF_INET for at in entries):
        raise KernelError(EADDRNOTAVAIL)
    ip_mc_msfilter(sk, _be32(data, 12), 0, fmode, [_be32(data, at + 4) for at in entries], ifindex)


def _setsockopt(sk: sock, optname: int, optval: sockptr_t, optlen: int) -> bool:
    """Set a multicast option; False if it is none."""
    if optname == abi.IP_MULTICAST_IF:
        _set_multicast_if(sk, optval, optlen)
    elif optname in (abi.IP_ADD_MEMBERSHIP, abi.IP_DROP_MEMBERSHIP):
        _membership(sk, optname, optval, optlen)
    elif optname == abi.IP_MSFILTER:
        _msfilter(sk, optval, optlen)
    elif abi.IP_UNBLOCK_SOURCE <= optname <= abi.IP_DROP_SOURCE_MEMBERSHIP:
        _source_mreq(sk, optname, optval, optlen)
    elif optname in (abi.MCAST_JOIN_GROUP, abi.MCAST_LEAVE_GROUP):
        ip_mcast_join_leave(sk, optname, optval, optlen)
    elif abi.MCAST_BLOCK_SOURCE <= optname <= abi.MCAST_LEAVE_SOURCE_GROUP:
        do_mcast_group_source(sk, optname, optval, optlen)
    elif optname == abi.MCAST_MSFILTER:
        ip_set_mcast_msfilter(sk, optval, optlen)
    else:
        return False
    return True


def _ip_get_msfilter(sk: sock, optval: sockptr_t, optlen: sockptr_t, length: int) -> int:
    """getsockopt(IP_MSFILTER)."""
    if length < 16:
        raise KernelError(EINVAL)
    data = copy_from_sockptr(optval, 16)
    fmode, sources = ip_mc_msfget(sk, _be32(data, 0), _be32(data, 4))
    copied = sources[: _u32(data, 12)]
    copy_to_sockptr(optlen, (16 + 4 * len(copied)).to_bytes(4, "little"))
    copy_to_sockptr(optval, data[:8] + struct.pack("<II", fmode, len(sources)))
    if copied:
        copy_to_sockptr_offset(optval, 16, b"".join(a.to_bytes(4, "big") for a in copied))
    return 0


def ip_get_mcast_msfilter(sk: sock, optval: sockptr_t, optlen: sockptr_t, length: int) -> int:
    """getsockopt(MCAST_MSFILTER)."""
    if length < _GROUP_FILTER0:
        raise KernelError(EINVAL)
    data = copy_from_sockptr(optval, _GROUP_FILTER0)
    if _family(data, 8) != AF_INET:
        raise KernelError(EINVAL)
    fmode, sources = ip_mc_gsfget(sk, _be32(data, 12), _u32(data, 0))
    copied = sources[: _u32(data, 140)]
    for i, source in enumerate(copied):
        storage = b"\x02\0\0\0" + source.to_bytes(4, "big") + bytes(_STORAGE - 8)
        copy_to_sockptr_offset(optval, _GROUP_FILTER0 + _STORAGE * i, storage)
    copy_to_sockptr(optlen, (_GROUP_FILTER0 + _STORAGE * len(copied)).to_bytes(4, "little"))
    copy_to_sockptr(optval, data[:136] + struct.pack("<II", fmode, len(sources)))
    return 0
