"""net/ipv4/igmp.c: the multicast memberships of sockets. Those of devices are in igmp_dev."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EADDRINUSE, EADDRNOTAVAIL, EINVAL, ENOBUFS, ENODEV
from kshell.abi.inet import MCAST_EXCLUDE, MCAST_INCLUDE
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.igmp import (
    IP_SFBLOCK,
    ip_mc_socklist,
    ip_mreq_source,
    ip_mreqn,
    ip_sf_socklist,
)
from kshell.linux.include.linux.in_ import ipv4_is_multicast
from kshell.linux.include.net.inet_sock import inet_sk
from kshell.linux.net.core.rtnetlink import rtnl_lock, rtnl_unlock
from kshell.linux.net.core.sock_mem import sock_kfree_s, sock_kmalloc
from kshell.linux.net.ipv4 import devinet, devinet_select, igmp_dev, route_output

if TYPE_CHECKING:
    from kshell.linux.include.linux.inetdevice import in_device
    from kshell.linux.include.net.inet_sock import inet_sock
    from kshell.linux.include.net.net_namespace import net as net_t
    from kshell.linux.include.net.sock import sock

_SOCKLIST_SIZE = 48  # sizeof(struct ip_mc_socklist)


def _sflist_size(count: int) -> int:
    """sizeof(struct ip_sf_socklist) with room for count addresses."""
    return 24 + 4 * count


def ip_mc_find_dev(net: net_t, imr: ip_mreqn) -> in_device | None:
    """The device that a membership request names by index, by address or by the route to the group."""
    if imr.imr_ifindex:
        return devinet.inetdev_by_index(net, imr.imr_ifindex)
    if imr.imr_address:
        dev = devinet_select.__ip_dev_find(net, imr.imr_address, False)
        if dev is None:
            return None
    else:
        try:
            dev = route_output._output_device(net, imr.imr_multiaddr)
        except KernelError:
            return None
    imr.imr_ifindex = dev.ifindex
    return dev.ip_ptr


def _find(inet: inet_sock, group: int, ifindex: int) -> ip_mc_socklist | None:
    """The socket's membership of a group on a device."""
    iml = inet.mc_list
    while iml is not None and (iml.multi.imr_multiaddr != group or iml.multi.imr_ifindex != ifindex):
        iml = iml.next_rcu
    return iml


def __ip_mc_join_group(sk: sock, imr: ip_mreqn, mode: int) -> None:
    """Join. EINVAL (no multicast address), ENODEV, EADDRINUSE (member already), ENOBUFS (too many)."""
    addr = imr.imr_multiaddr
    if not ipv4_is_multicast(addr):
        raise KernelError(EINVAL)
    net = sk.skc_net
    in_dev = ip_mc_find_dev(net, imr)
    if in_dev is None:
        raise KernelError(ENODEV)
    inet = inet_sk(sk)
    if _find(inet, addr, imr.imr_ifindex) is not None:
        raise KernelError(EADDRINUSE)
    count = 0
    iml = inet.mc_list
    while iml is not None:
        count += 1
        iml = iml.next_rcu
    if count >= net.ipv4.sysctl_igmp_max_memberships:
        raise KernelError(ENOBUFS)
    iml = sock_kmalloc(sk, ip_mc_socklist, _SOCKLIST_SIZE)
    if iml is None:
        raise KernelError(ENOBUFS)
    iml.multi = ip_mreqn(imr.imr_multiaddr, imr.imr_address, imr.imr_ifindex)
    iml.next_rcu = inet.mc_list
    iml.sfmode = mode
    inet.mc_list = iml
    igmp_dev.____ip_mc_inc_group(in_dev, addr, mode)


def ip_mc_join_group(sk: sock, imr: ip_mreqn) -> None:
    """Join a group, any source."""
    __ip_mc_join_group(sk, imr, MCAST_EXCLUDE)


def ip_mc_join_group_ssm(sk: sock, imr: ip_mreqn, mode: int) -> None:
    """Join a group for single sources."""
    __ip_mc_join_group(sk, imr, mode)


def ip_mc_leave_src(sk: sock, iml: ip_mc_socklist, in_dev: in_device | None) -> None:
    """Take a membership's source filter off the device."""
    psf = iml.sflist
    group = iml.multi.imr_multiaddr
    if psf is None:
        igmp_dev.ip_mc_del_src(in_dev, group, iml.sfmode, [], 0)
        return
    igmp_dev.ip_mc_del_src(in_dev, group, iml.sfmode, psf.sl_addr, 0)
    iml.sflist = None
    sock_kfree_s(sk, psf, _sflist_size(psf.sl_max))


def ip_mc_leave_group(sk: sock, imr: ip_mreqn) -> None:
    """Leave. ENODEV, EADDRNOTAVAIL (not a member)."""
    inet = inet_sk(sk)
    in_dev = ip_mc_find_dev(sk.skc_net, imr)
    if not imr.imr_ifindex and not imr.imr_address and in_dev is None:
        raise KernelError(ENODEV)
    group, ifindex = imr.imr_multiaddr, imr.imr_ifindex
    prev = None
    iml = inet.mc_list
    while iml is not None:
        multi = iml.multi
        if multi.imr_multiaddr == group and (
            multi.imr_ifindex == ifindex if ifindex else imr.imr_address in (0, multi.imr_address)
        ):
            ip_mc_leave_src(sk, iml, in_dev)
            if prev is None:
                inet.mc_list = iml.next_rcu
            else:
                prev.next_rcu = iml.next_rcu
            if in_dev is not None:
                igmp_dev.ip_mc_dec_group(in_dev, group)
            sock_kfree_s(sk, iml, _SOCKLIST_SIZE)
            return
        prev, iml = iml, iml.next_rcu
    raise KernelError(EADDRNOTAVAIL)


def ip_mc_source(add: int, omode: int, sk: sock, mreqs: ip_mreq_source, ifindex: int) -> None:
    """Add a source to the filter of a membership, or remove it. EINVAL, ENODEV, EADDRNOTAVAIL, ENOBUFS."""
    addr = mreqs.imr_multiaddr
    if not ipv4_is_multicast(addr):
        raise KernelError(EINVAL)
    net = sk.skc_net
    imr = ip_mreqn(addr, mreqs.imr_interface, ifindex)
    in_dev = ip_mc_find_dev(net, imr)
    if in_dev is None:
        raise KernelError(ENODEV)
    pmc = _find(inet_sk(sk), addr, imr.imr_ifindex)
    if pmc is None:
        raise KernelError(EINVAL)
    if pmc.sflist is not None:
        if pmc.sfmode != omode:
            raise KernelError(EINVAL)
    elif pmc.sfmode != omode:
        igmp_dev.ip_mc_add_src(in_dev, addr, omode, [], 0)
        igmp_dev.ip_mc_del_src(in_dev, addr, pmc.sfmode, [], 0)
        pmc.sfmode = omode
    psl = pmc.sflist
    source = mreqs.imr_sourceaddr
    if not add:
        if psl is None or source not in psl.sl_addr:
            raise KernelError(EADDRNOTAVAIL)
        if len(psl.sl_addr) == 1 and omode == MCAST_INCLUDE:
            ip_mc_leave_group(sk, imr)
            return
        igmp_dev.ip_mc_del_src(in_dev, addr, omode, [source], 1)
        psl.sl_addr.remove(source)
        return
    if psl is not None and len(psl.sl_addr) >= net.ipv4.sysctl_igmp_max_msf:
        raise KernelError(ENOBUFS)
    psl = _room_for_one(sk, pmc)
    if source in psl.sl_addr:
        raise KernelError(EADDRNOTAVAIL)
    psl.sl_addr.append(source)
    igmp_dev.ip_mc_add_src(in_dev, addr, omode, [source], 1)


def _room_for_one(sk: sock, pmc: ip_mc_socklist) -> ip_sf_socklist:
    """The membership's source list, grown by IP_SFBLOCK if it is full. ENOBUFS."""
    psl = pmc.sflist
    if psl is not None and len(psl.sl_addr) < psl.sl_max:
        return psl
    count = IP_SFBLOCK + (psl.sl_max if psl is not None else 0)
    new = sock_kmalloc(sk, ip_sf_socklist, _sflist_size(count))
    if new is None:
        raise KernelError(ENOBUFS)
    new.sl_max = count
    if psl is not None:
        new.sl_addr = psl.sl_addr
        sock_kfree_s(sk, psl, _sflist_size(psl.sl_max))
    pmc.sflist = new
    return new


def ip_mc_msfilter(sk: sock, group: int, interface: int, fmode: int, sources: list[int], ifindex: int) -> None:
    """Replace the source filter of a membership. EINVAL, ENODEV, ENOBUFS, EADDRNOTAVAIL."""
    if not ipv4_is_multicast(group) or fmode not in (MCAST_INCLUDE, MCAST_EXCLUDE):
        raise KernelError(EINVAL)
    imr = ip_mreqn(group, interface, ifindex)
    in_dev = ip_mc_find_dev(sk.skc_net, imr)
    if in_dev is None:
        raise KernelError(ENODEV)
    if fmode == MCAST_INCLUDE and not sources:
        ip_mc_leave_group(sk, imr)
        return
    pmc = _find(inet_sk(sk), group, imr.imr_ifindex)
    if pmc is None:
        raise KernelError(EINVAL)
    new = None
    if sources:
        new = sock_kmalloc(sk, ip_sf_socklist, _sflist_size(len(sources)))
        if new is None:
            raise KernelError(ENOBUFS)
        new.sl_max = len(sources)
        new.sl_addr = sources
    igmp_dev.ip_mc_add_src(in_dev, group, fmode, sources, 0)
    old = pmc.sflist
    igmp_dev.ip_mc_del_src(in_dev, group, pmc.sfmode, old.sl_addr if old is not None else [], 0)
    if old is not None:
        sock_kfree_s(sk, old, _sflist_size(old.sl_max))
    pmc.sflist = new
    pmc.sfmode = fmode


def ip_mc_msfget(sk: sock, group: int, interface: int) -> tuple[int, list[int]]:
    """(mode, sources) of a membership. EINVAL, ENODEV, EADDRNOTAVAIL."""
    if not ipv4_is_multicast(group):
        raise KernelError(EINVAL)
    imr = ip_mreqn(group, interface, 0)
    if ip_mc_find_dev(sk.skc_net, imr) is None:
        raise KernelError(ENODEV)
    return _filter_of(_find(inet_sk(sk), group, imr.imr_ifindex))


def ip_mc_gsfget(sk: sock, group: int, ifindex: int) -> tuple[int, list[int]]:
    """The same by index. EINVAL, EADDRNOTAVAIL."""
    if not ipv4_is_multicast(group):
        raise KernelError(EINVAL)
    return _filter_of(_find(inet_sk(sk), group, ifindex))


def _filter_of(pmc: ip_mc_socklist | None) -> tuple[int, list[int]]:
    if pmc is None:
        raise KernelError(EADDRNOTAVAIL)
    return pmc.sfmode, list(pmc.sflist.sl_addr) if pmc.sflist is not None else []


def ip_mc_sf_allow(sk: sock, loc_addr: int, rmt_addr: int, dif: int, sdif: int) -> bool:
    """Whether the socket's memberships let a packet from rmt_addr to loc_addr through."""
    if not ipv4_is_multicast(loc_addr):
        return True
    inet = inet_sk(sk)
    pmc = _find(inet, loc_addr, dif)
    if pmc is None:
        return bool(inet.mc_all)
    psl = pmc.sflist
    if psl is None:
        return pmc.sfmode == MCAST_EXCLUDE
    return (rmt_addr in psl.sl_addr) == (pmc.sfmode == MCAST_INCLUDE)


def ip_mc_drop_socket(sk: sock) -> None:
    """The socket is closed: leave all groups."""
    iml: ip_mc_socklist | None = sk.mc_list  # type: ignore[attr-defined]  # an inet_sock
    if iml is None:
        return
    inet = inet_sk(sk)
    net = sk.skc_net
    rtnl_lock(net.kernel)
    while iml is not None:
        inet.mc_list = iml.next_rcu
        in_dev = devinet.inetdev_by_index(net, iml.multi.imr_ifindex)
        ip_mc_leave_src(sk, iml, in_dev)
        if in_dev is not None:
            igmp_dev.ip_mc_dec_group(in_dev, iml.multi.imr_multiaddr)
        sock_kfree_s(sk, iml, _SOCKLIST_SIZE)
        iml = inet.mc_list
    rtnl_unlock(net.kernel)
