"""net/ipv4/igmp.c: the groups that devices listen to. Reports to multicast routers: igmp_send."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.inet import (
    IGMP_HOST_MEMBERSHIP_QUERY,
    IGMP_HOST_MEMBERSHIP_REPORT,
    IGMP_MINLEN,
    IPPROTO_IGMP,
    MCAST_EXCLUDE,
    MCAST_INCLUDE,
)
from kshell.abi.netdevice import IFF_UP
from kshell.linux.include.linux.igmp import (
    IGMP_ALL_HOSTS,
    IGMPV2_HOST_MEMBERSHIP_REPORT,
    ip_mc_list,
    ip_sf_list,
)
from kshell.linux.include.linux.ip import _checksum
from kshell.linux.include.linux.jiffies import HZ
from kshell.linux.include.net.net_namespace import pernet_operations
from kshell.linux.include.net.protocol import net_protocol
from kshell.linux.kernel.time.timer import timer_delete
from kshell.linux.mm.slab_common import kfree, kzalloc
from kshell.linux.net.core.dev_addr_lists import dev_mc_add, dev_mc_del
from kshell.linux.net.core.net_namespace import register_pernet_subsys
from kshell.linux.net.core.skbuff import kfree_skb
from kshell.linux.net.ipv4 import igmp_proc, igmp_send, route

if TYPE_CHECKING:
    from kshell.linux.include.linux.inetdevice import in_device
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.net_namespace import net as net_t
    from kshell.linux.init.kernel import Kernel

_PMC_SIZE = 160  # sizeof(struct ip_mc_list)
IGMP_QUERY_INTERVAL = 125 * HZ
IGMP_QUERY_RESPONSE_INTERVAL = 10 * HZ


def _kernel_of(in_dev: in_device) -> Kernel:
    dev = in_dev.dev
    assert dev is not None
    return dev.nd_net.kernel


def _find(in_dev: in_device | None, addr: int) -> ip_mc_list | None:
    im = in_dev.mc_list if in_dev is not None else None
    while im is not None and im.multiaddr != addr:
        im = im.next_rcu
    return im


def _mac_of(addr: int) -> bytes:
    """Ethernet address of a group (arp_mc_map)."""
    return b"\x01\x00\x5e" + (addr & 0x7FFFFF).to_bytes(3, "big")


def ip_mc_filter_add(in_dev: in_device, addr: int) -> None:
    """Have the device receive the group's frames."""
    dev = in_dev.dev
    assert dev is not None
    if dev.addr_len == 6 and not dev.flags & 0x88:  # IFF_LOOPBACK | IFF_NOARP
        dev_mc_add(dev, _mac_of(addr))


def ip_mc_filter_del(in_dev: in_device, addr: int) -> None:
    """Undo it."""
    dev = in_dev.dev
    assert dev is not None
    if dev.addr_len == 6 and not dev.flags & 0x88:
        dev_mc_del(dev, _mac_of(addr))


def igmp_group_added(im: ip_mc_list) -> None:
    """A group is new on the device."""
    in_dev = im.interface
    assert in_dev is not None
    if not im.loaded:
        im.loaded = 1
        ip_mc_filter_add(in_dev, im.multiaddr)
    if in_dev.dead or not igmp_send._reported(in_dev, im.multiaddr):
        return
    if im.sfmode == MCAST_EXCLUDE:
        im.crcount = in_dev.mr_qrv or 2
    igmp_send.igmp_ifc_event(in_dev)


def igmp_group_dropped(im: ip_mc_list) -> None:
    """Nobody wants the group on the device any more."""
    in_dev = im.interface
    assert in_dev is not None
    if im.loaded:
        im.loaded = 0
        ip_mc_filter_del(in_dev, im.multiaddr)
    if im.timer is not None:
        timer_delete(im.timer)
    if in_dev.dead or in_dev.dev is None or not in_dev.dev.flags & IFF_UP:
        return
    if igmp_send._reported(in_dev, im.multiaddr):
        igmp_send.igmpv3_add_delrec(in_dev, im)
        igmp_send.igmp_ifc_event(in_dev)


def ip_mc_del1_src(pmc: ip_mc_list, sfmode: int, source: int) -> None:
    """One socket less filters by this source."""
    for psf in pmc.sources:
        if psf.sf_inaddr == source:
            if psf.sf_count[sfmode]:
                psf.sf_count[sfmode] -= 1
                if not any(psf.sf_count):
                    pmc.sources.remove(psf)
            return


def ip_mc_del_src(in_dev: in_device | None, pmca: int, sfmode: int, sources: list[int], delta: int) -> None:
    """Take a socket's sources off the device's filter; with delta the mode's count stays."""
    pmc = _find(in_dev, pmca)
    if pmc is None:
        return
    if not delta:
        if not pmc.sfcount[sfmode]:
            return
        pmc.sfcount[sfmode] -= 1
    for source in sources:
        ip_mc_del1_src(pmc, sfmode, source)
    if pmc.sfmode == MCAST_EXCLUDE and not pmc.sfcount[MCAST_EXCLUDE] and pmc.sfcount[MCAST_INCLUDE]:
        pmc.sfmode = MCAST_INCLUDE


def ip_mc_add1_src(pmc: ip_mc_list, sfmode: int, source: int) -> None:
    """One socket more filters by this source."""
    for psf in pmc.sources:
        if psf.sf_inaddr == source:
            break
    else:
        psf = ip_sf_list(source)
        pmc.sources.append(psf)
    psf.sf_count[sfmode] += 1


def ip_mc_add_src(in_dev: in_device | None, pmca: int, sfmode: int, sources: list[int], delta: int) -> None:
    """Add a socket's sources to the device's filter; with delta the mode's count stays."""
    pmc = _find(in_dev, pmca)
    if pmc is None:
        return
    isexclude = pmc.sfmode == MCAST_EXCLUDE
    if not delta:
        pmc.sfcount[sfmode] += 1
    for source in sources:
        ip_mc_add1_src(pmc, sfmode, source)
    if isexclude != bool(pmc.sfcount[MCAST_EXCLUDE]):
        if pmc.sfcount[MCAST_EXCLUDE]:
            pmc.sfmode = MCAST_EXCLUDE
        elif pmc.sfcount[MCAST_INCLUDE]:
            pmc.sfmode = MCAST_INCLUDE


def ip_mc_clear_src(pmc: ip_mc_list) -> None:
    """Forget all sources."""
    pmc.tomb = []
    pmc.sources = []
    pmc.sfmode = MCAST_EXCLUDE
    pmc.sfcount = [1, 0]


def ____ip_mc_inc_group(in_dev: in_device, addr: int, mode: int) -> None:
    """One member more of a group on a device."""
    im = _find(in_dev, addr)
    if im is not None:
        im.users += 1
        ip_mc_add_src(in_dev, addr, mode, [], 0)
        return
    im = kzalloc(_kernel_of(in_dev), ip_mc_list, _PMC_SIZE)
    im.users = 1
    im.interface = in_dev
    in_dev.refcnt += 1
    im.multiaddr = addr
    im.sfmode = mode
    im.sfcount[mode] = 1
    im.next_rcu = in_dev.mc_list
    in_dev.mc_count += 1
    in_dev.mc_list = im
    igmp_group_added(im)
    if not in_dev.dead:
        route.ip_rt_multicast_event(in_dev)


def __ip_mc_inc_group(in_dev: in_device, addr: int) -> None:
    ____ip_mc_inc_group(in_dev, addr, MCAST_EXCLUDE)


def ip_mc_inc_group(in_dev: in_device, addr: int) -> None:
    """The kernel itself joins a group on a device."""
    __ip_mc_inc_group(in_dev, addr)


def _ip_ma_put(in_dev: in_device, im: ip_mc_list) -> None:
    im.interface = None
    in_dev.refcnt -= 1
    kfree(_kernel_of(in_dev), im, _PMC_SIZE)


def __ip_mc_dec_group(in_dev: in_device, addr: int) -> None:
    """One member less."""
    prev = None
    im = in_dev.mc_list
    while im is not None and im.multiaddr != addr:
        prev, im = im, im.next_rcu
    if im is None:
        return
    im.users -= 1
    if im.users:
        return
    if prev is None:
        in_dev.mc_list = im.next_rcu
    else:
        prev.next_rcu = im.next_rcu
    in_dev.mc_count -= 1
    igmp_group_dropped(im)
    ip_mc_clear_src(im)
    if not in_dev.dead:
        route.ip_rt_multicast_event(in_dev)
    _ip_ma_put(in_dev, im)


ip_mc_dec_group = __ip_mc_dec_group


def _groups(in_dev: in_device) -> list[ip_mc_list]:
    out = []
    im = in_dev.mc_list
    while im is not None:
        out.append(im)
        im = im.next_rcu
    return out


def ip_mc_reset(in_dev: in_device) -> None:
    """Set the querier's parameters to their defaults."""
    dev = in_dev.dev
    assert dev is not None
    in_dev.mr_qi = IGMP_QUERY_INTERVAL
    in_dev.mr_qri = IGMP_QUERY_RESPONSE_INTERVAL
    in_dev.mr_qrv = dev.nd_net.ipv4.sysctl_igmp_qrv


def ip_mc_init_dev(in_dev: in_device) -> None:
    """A device is new."""
    ip_mc_reset(in_dev)


def ip_mc_up(in_dev: in_device) -> None:
    """A device comes up: it listens to all-hosts."""
    ip_mc_reset(in_dev)
    ip_mc_inc_group(in_dev, IGMP_ALL_HOSTS)
    for pmc in _groups(in_dev):
        igmp_group_added(pmc)


def ip_mc_down(in_dev: in_device) -> None:
    """A device goes down."""
    for pmc in _groups(in_dev):
        igmp_group_dropped(pmc)
    igmp_send._igmp_stop_timers(in_dev)
    ip_mc_dec_group(in_dev, IGMP_ALL_HOSTS)


def ip_mc_destroy_dev(in_dev: in_device) -> None:
    """A device goes away."""
    ip_mc_down(in_dev)
    while (im := in_dev.mc_list) is not None:
        in_dev.mc_list = im.next_rcu
        in_dev.mc_count -= 1
        ip_mc_clear_src(im)
        _ip_ma_put(in_dev, im)


def ip_check_mc_rcu(in_dev: in_device, mc_addr: int, src_addr: int, proto: int) -> bool:
    """Whether the device listens to the group, for packets from src_addr (0: any)."""
    im = _find(in_dev, mc_addr)
    if im is None:
        return False
    if proto == IPPROTO_IGMP or not src_addr:
        return True
    for psf in im.sources:
        if psf.sf_inaddr == src_addr:
            return bool(psf.sf_count[MCAST_INCLUDE]) or psf.sf_count[MCAST_EXCLUDE] != im.sfcount[MCAST_EXCLUDE]
    return im.sfcount[MCAST_EXCLUDE] != 0


def igmp_rcv(skb: sk_buff) -> int:
    """IGMP from the network: routers ask, other hosts report."""
    dev = skb.dev
    in_dev = dev.ip_ptr if dev is not None else None
    message = skb.data[: skb.len]
    if in_dev is not None and len(message) >= IGMP_MINLEN and _checksum(message) in (0, 0xFFFF):
        if message[0] == IGMP_HOST_MEMBERSHIP_QUERY:
            igmp_send.igmp_heard_query(in_dev, message)
        elif message[0] in (IGMP_HOST_MEMBERSHIP_REPORT, IGMPV2_HOST_MEMBERSHIP_REPORT):
            igmp_send.igmp_heard_report(in_dev, int.from_bytes(message[4:8], "big"))
    kfree_skb(skb)
    return 0


def igmp_net_init(net: net_t) -> None:
    """A namespace comes: its files."""
    igmp_proc._proc_init(net)


def igmp_net_exit(net: net_t) -> None:
    """A namespace goes."""
    igmp_proc._proc_exit(net)


igmp_net_ops = pernet_operations(init=igmp_net_init, exit=igmp_net_exit)
igmp_protocol = net_protocol(handler=igmp_rcv)


def igmp_mc_init(kernel: Kernel) -> None:
    """Set up multicast."""
    register_pernet_subsys(kernel, igmp_net_ops)
