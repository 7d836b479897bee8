"""net/ipv4/devinet.c: the IPv4 addresses of devices. The ioctls are in devinet_ioctl."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EEXIST, EINVAL
from kshell.abi.inet import INADDR_LOOPBACK
from kshell.abi.netdevice import IFF_LOOPBACK, IFF_UP
from kshell.abi.rtnetlink import (
    IFA_F_DEPRECATED,
    IFA_F_PERMANENT,
    IFA_F_SECONDARY,
    RT_SCOPE_HOST,
    RTM_DELADDR,
    RTM_NEWADDR,
)
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.in_ import ipv4_is_loopback
from kshell.linux.include.linux.inetdevice import (
    IN_DEV_ORCONF,
    INFINITY_LIFE_TIME,
    IPV4_DEVCONF_ARP_NOTIFY,
    IPV4_DEVCONF_FORWARDING,
    IPV4_DEVCONF_NOPOLICY,
    IPV4_DEVCONF_NOXFRM,
    IPV4_DEVCONF_PROMOTE_SECONDARIES,
    _ifas,
    in_device,
    in_ifaddr,
    inet_ifa_match,
    inet_make_mask,
    ipv4_devconf,
    ipv4_devconf_set,
    ipv4_devconf_setall,
)
from kshell.linux.include.linux.netdevice import (
    NETDEV_CHANGEADDR,
    NETDEV_CHANGEMTU,
    NETDEV_CHANGENAME,
    NETDEV_DOWN,
    NETDEV_NOTIFY_PEERS,
    NETDEV_REGISTER,
    NETDEV_UNREGISTER,
    NETDEV_UP,
)
from kshell.linux.include.linux.notifier import NOTIFY_DONE, notifier_block
from kshell.linux.include.net.neighbour import neigh_parms_data_state_setall
from kshell.linux.include.net.net_namespace import pernet_operations
from kshell.linux.kernel.notifier import blocking_notifier_call_chain
from kshell.linux.kernel.rcu.tree import call_rcu
from kshell.linux.mm.slab_common import kfree, kzalloc
from kshell.linux.net.core.dev import dev_get_by_index_rcu, register_netdevice_notifier
from kshell.linux.net.core.dev_features import dev_disable_lro
from kshell.linux.net.core.neighbour import neigh_parms_alloc, neigh_parms_release
from kshell.linux.net.core.net_namespace import register_pernet_subsys
from kshell.linux.net.ipv4 import arp, devinet_netconf, devinet_rtnl, fib_frontend_dev, igmp_dev
from kshell.linux.net.ipv4.devinet_fill import rtmsg_ifa
from kshell.linux.net.ipv4.devinet_sysctl import (
    _register_all_and_default,
    _unregister_all_and_default,
    devinet_sysctl_register,
    devinet_sysctl_unregister,
)

if TYPE_CHECKING:
    from kshell.linux.include.linux.netdevice import net_device
    from kshell.linux.include.net.net_namespace import net as net_t
    from kshell.linux.include.net.netlink import nlmsghdr
    from kshell.linux.init.kernel import Kernel


INHERIT_NOTHING = 2
INHERIT_CURRENT = 3
_IFADDR_SIZE = 120
_IN_DEVICE_SIZE = 360


def _devconf(accept_source_route: int) -> ipv4_devconf:
    """conf/all and conf/default of a new namespace."""
    cnf = ipv4_devconf()
    for index, value in ((4, 1), (6, 1), (5, 1), (7, 1), (9, accept_source_route), (27, 10000), (28, 1000), (33, 1)):
        cnf.data[index - 1] = value
    return cnf


def inet_alloc_ifa(kernel: Kernel) -> in_ifaddr:
    """A new address."""
    return kzalloc(kernel, in_ifaddr, _IFADDR_SIZE)


def inet_free_ifa(kernel: Kernel, ifa: in_ifaddr) -> None:
    """Free an address after the grace period."""

    def inet_rcu_free_ifa(head: object) -> None:
        if ifa.ifa_dev is not None:
            ifa.ifa_dev.refcnt -= 1
        ifa.ifa_dev = ifa.ifa_next = None
        kfree(kernel, ifa, _IFADDR_SIZE)

    call_rcu(kernel, inet_rcu_free_ifa, ifa)


def inetdev_init(dev: net_device) -> in_device:
    """Set IPv4 up on a device."""
    net = dev.nd_net
    in_dev = kzalloc(net.kernel, in_device, _IN_DEVICE_SIZE)
    in_dev.dev = dev
    in_dev.cnf = ipv4_devconf(net.ipv4.devconf_dflt.data)
    in_dev.arp_parms = neigh_parms_alloc(dev, net.kernel.arp_tbl)
    if in_dev.cnf.data[IPV4_DEVCONF_FORWARDING - 1]:
        dev_disable_lro(dev)
    dev.pcpu_refcnt += 1
    devinet_sysctl_register(in_dev)
    igmp_dev.ip_mc_init_dev(in_dev)
    if dev.flags & IFF_UP:
        igmp_dev.ip_mc_up(in_dev)
    dev.ip_ptr = in_dev
    return in_dev


def inetdev_destroy(in_dev: in_device) -> None:
    """Take IPv4 off a device that goes away."""
    dev = in_dev.dev
    assert dev is not None
    kernel = dev.nd_net.kernel
    in_dev.dead = 1
    igmp_dev.ip_mc_destroy_dev(in_dev)
    while (ifa := in_dev.ifa_list) is not None:
        inet_del_ifa(in_dev, ifa, False)
        inet_free_ifa(kernel, ifa)
    dev.ip_ptr = None
    devinet_sysctl_unregister(in_dev)
    if in_dev.arp_parms is not None:
        neigh_parms_release(kernel.arp_tbl, in_dev.arp_parms)
    arp.arp_ifdown(dev)

    def in_dev_rcu_put(head: object) -> None:
        in_dev.refcnt -= 1
        if dev is not None:
            dev.pcpu_refcnt -= 1
        in_dev.dev = None
        kfree(kernel, in_dev, _IN_DEVICE_SIZE)

    call_rcu(kernel, in_dev_rcu_put, in_dev)


def _relink(in_dev: in_device, chain: list[in_ifaddr]) -> None:
    """Make the addresses of a device this list."""
    following = None
    for ifa in reversed(chain):
        ifa.ifa_next = following
        following = ifa
    in_dev.ifa_list = following


def __inet_del_ifa(
    in_dev: in_device, ifa1: in_ifaddr, destroy: bool, nlh: nlmsghdr | None = None, portid: int = 0
) -> None:
    """Remove an address; with a primary one go its secondaries, or the first of them is promoted."""
    dev = in_dev.dev
    assert dev is not None
    net = dev.nd_net
    kernel = net.kernel
    chain = _ifas(in_dev)
    promote = None
    secondaries = []
    if not in_dev.dead and not ifa1.ifa_flags & IFA_F_SECONDARY:
        secondaries = [
            ifa
            for ifa in chain
            if ifa is not ifa1
            and ifa.ifa_flags & IFA_F_SECONDARY
            and ifa.ifa_mask == ifa1.ifa_mask
            and inet_ifa_match(ifa1.ifa_address, ifa)
        ]
        if secondaries and IN_DEV_ORCONF(in_dev, IPV4_DEVCONF_PROMOTE_SECONDARIES):
            promote = secondaries[0]
            for ifa in secondaries:
                fib_frontend_dev.fib_del_ifaddr(ifa, ifa1)
        else:
            for ifa in secondaries:
                chain.remove(ifa)
                _relink(in_dev, chain)
                kernel.inet_addr_lst.pop((net, ifa.ifa_local), None)
                rtmsg_ifa(RTM_DELADDR, ifa, nlh, portid)
                blocking_notifier_call_chain(kernel.inetaddr_chain, NETDEV_DOWN, ifa)
                inet_free_ifa(kernel, ifa)
    chain.remove(ifa1)
    _relink(in_dev, chain)
    ifa1.ifa_next = None
    kernel.inet_addr_lst.pop((net, ifa1.ifa_local), None)
    rtmsg_ifa(RTM_DELADDR, ifa1, nlh, portid)
    blocking_notifier_call_chain(kernel.inetaddr_chain, NETDEV_DOWN, ifa1)
    if promote is not None:
        chain.remove(promote)
        primaries = [i for i, ifa in enumerate(chain) if not ifa.ifa_flags & IFA_F_SECONDARY]
        chain.insert(primaries[-1] + 1 if primaries else 0, promote)
        _relink(in_dev, chain)
        promote.ifa_flags &= ~IFA_F_SECONDARY
        rtmsg_ifa(RTM_NEWADDR, promote, nlh, portid)
        blocking_notifier_call_chain(kernel.inetaddr_chain, NETDEV_UP, promote)
        for ifa in secondaries[1:]:
            fib_frontend_dev.fib_add_ifaddr(ifa)
    if destroy:
        inet_free_ifa(kernel, ifa1)


def inet_del_ifa(in_dev: in_device, ifa: in_ifaddr, destroy: bool) -> None:
    """Remove an address."""
    __inet_del_ifa(in_dev, ifa, destroy)


def __inet_insert_ifa(ifa: in_ifaddr, nlh: nlmsghdr | None = None, portid: int = 0) -> None:
    """Add an address, as secondary if its subnet has one already. nlh: the request for it. EEXIST, EINVAL."""
    in_dev = ifa.ifa_dev
    assert in_dev is not None
    assert in_dev.dev is not None
    net = in_dev.dev.nd_net
    kernel = net.kernel
    if not ifa.ifa_local:
        inet_free_ifa(kernel, ifa)
        return
    ifa.ifa_flags &= ~IFA_F_SECONDARY
    chain = _ifas(in_dev)
    last_primary = 0
    for i, ifa1 in enumerate(chain):
        if not ifa1.ifa_flags & IFA_F_SECONDARY and ifa.ifa_scope <= ifa1.ifa_scope:
            last_primary = i + 1
        if ifa1.ifa_mask == ifa.ifa_mask and inet_ifa_match(ifa1.ifa_address, ifa):
            if ifa1.ifa_local == ifa.ifa_local or ifa1.ifa_scope != ifa.ifa_scope:
                inet_free_ifa(kernel, ifa)
                raise KernelError(EEXIST if ifa1.ifa_local == ifa.ifa_local else EINVAL)
            ifa.ifa_flags |= IFA_F_SECONDARY
    chain.insert(len(chain) if ifa.ifa_flags & IFA_F_SECONDARY else last_primary, ifa)
    _relink(in_dev, chain)
    kernel.inet_addr_lst[(net, ifa.ifa_local)] = ifa
    devinet_rtnl._recheck_lifetimes(kernel)
    rtmsg_ifa(RTM_NEWADDR, ifa, nlh, portid)
    blocking_notifier_call_chain(kernel.inetaddr_chain, NETDEV_UP, ifa)


def inet_insert_ifa(ifa: in_ifaddr) -> None:
    """Add an address."""
    __inet_insert_ifa(ifa)


def inet_set_ifa(dev: net_device, ifa: in_ifaddr) -> None:
    """Add an address that a user gave the device."""
    in_dev = dev.ip_ptr
    assert in_dev is not None
    ipv4_devconf_setall(in_dev)
    if ifa.ifa_dev is not in_dev:
        in_dev.refcnt += 1
        ifa.ifa_dev = in_dev
    if ipv4_is_loopback(ifa.ifa_local):
        ifa.ifa_scope = RT_SCOPE_HOST
    inet_insert_ifa(ifa)


def set_ifa_lifetime(kernel: Kernel, ifa: in_ifaddr, valid_lft: int, prefered_lft: int) -> None:
    """Set how long an address is valid and preferred, in seconds."""
    ifa.ifa_flags &= ~(IFA_F_PERMANENT | IFA_F_DEPRECATED)
    ifa.ifa_valid_lft = valid_lft
    if valid_lft == INFINITY_LIFE_TIME:
        ifa.ifa_flags |= IFA_F_PERMANENT
    ifa.ifa_preferred_lft = prefered_lft
    if not prefered_lft:
        ifa.ifa_flags |= IFA_F_DEPRECATED
    ifa.ifa_tstamp = kernel.jiffies
    if not ifa.ifa_cstamp:
        ifa.ifa_cstamp = ifa.ifa_tstamp


def inetdev_by_index(net: net_t, ifindex: int) -> in_device | None:
    """struct in_device of the device with that index."""
    dev = dev_get_by_index_rcu(net, ifindex)
    return dev.ip_ptr if dev is not None else None


def inetdev_send_gratuitous_arp(dev: net_device, in_dev: in_device) -> None:
    """Announce the device's addresses."""
    for ifa in _ifas(in_dev):
        arp.arp_send(1, 0x0806, ifa.ifa_local, dev, ifa.ifa_local, None, dev.dev_addr, None)


def register_inetaddr_notifier(kernel: Kernel, nb: notifier_block) -> None:
    """Be told when addresses come and go."""
    kernel.inetaddr_chain.append(nb)


def inetdev_valid_mtu(mtu: int) -> bool:
    """IPv4 needs 68 bytes."""
    return mtu >= 68


def _loopback_address(dev: net_device, in_dev: in_device) -> None:
    """127.0.0.1/8 comes when lo goes up."""
    kernel = dev.nd_net.kernel
    ifa = inet_alloc_ifa(kernel)
    ifa.ifa_local = ifa.ifa_address = INADDR_LOOPBACK
    ifa.ifa_prefixlen = 8
    ifa.ifa_mask = inet_make_mask(8)
    in_dev.refcnt += 1
    ifa.ifa_dev = in_dev
    ifa.ifa_scope = RT_SCOPE_HOST
    ifa.ifa_label = dev.name
    set_ifa_lifetime(kernel, ifa, INFINITY_LIFE_TIME, INFINITY_LIFE_TIME)
    ipv4_devconf_setall(in_dev)
    assert in_dev.arp_parms is not None
    neigh_parms_data_state_setall(in_dev.arp_parms)
    try:
        inet_insert_ifa(ifa)
    except KernelError:
        pass


def inetdev_changename(dev: net_device, in_dev: in_device) -> None:
    """Rename the labels with the device."""
    for i, ifa in enumerate(_ifas(in_dev)):
        dot = ifa.ifa_label.find(":")
        suffix = ifa.ifa_label[dot:] if dot >= 0 else f":{i + 1}"
        ifa.ifa_label = dev.name if i == 0 else dev.name[: 15 - len(suffix)] + suffix
        rtmsg_ifa(RTM_NEWADDR, ifa, None, 0)


def inetdev_event(this: notifier_block, event: int, ptr: object) -> int:
    """A device changed."""
    dev: net_device = ptr.dev  # type: ignore[attr-defined]
    in_dev = dev.ip_ptr
    if in_dev is None:
        if event == NETDEV_REGISTER:
            in_dev = inetdev_init(dev)
            if dev.flags & IFF_LOOPBACK:
                ipv4_devconf_set(in_dev, IPV4_DEVCONF_NOXFRM, 1)
                ipv4_devconf_set(in_dev, IPV4_DEVCONF_NOPOLICY, 1)
        elif event == NETDEV_CHANGEMTU and inetdev_valid_mtu(dev.mtu):
            inetdev_init(dev)
        return NOTIFY_DONE
    if event == NETDEV_UP:
        if inetdev_valid_mtu(dev.mtu):
            if dev.flags & IFF_LOOPBACK:
                _loopback_address(dev, in_dev)
            igmp_dev.ip_mc_up(in_dev)
            if IN_DEV_ORCONF(in_dev, IPV4_DEVCONF_ARP_NOTIFY):
                inetdev_send_gratuitous_arp(dev, in_dev)
    elif event == NETDEV_CHANGEADDR:
        if IN_DEV_ORCONF(in_dev, IPV4_DEVCONF_ARP_NOTIFY):
            inetdev_send_gratuitous_arp(dev, in_dev)
    elif event == NETDEV_NOTIFY_PEERS:
        inetdev_send_gratuitous_arp(dev, in_dev)
    elif event == NETDEV_DOWN:
        igmp_dev.ip_mc_down(in_dev)
    elif event == NETDEV_UNREGISTER or (event == NETDEV_CHANGEMTU and not inetdev_valid_mtu(dev.mtu)):
        inetdev_destroy(in_dev)
    elif event == NETDEV_CHANGENAME:
        inetdev_changename(dev, in_dev)
        devinet_sysctl_unregister(in_dev)
        devinet_sysctl_register(in_dev)
    return NOTIFY_DONE


ip_netdev_notifier = notifier_block(notifier_call=inetdev_event)


def devinet_init_net(net: net_t) -> None:
    """conf/all and conf/default of a namespace; others take over the first one's settings."""
    source = _devconf_source(net)
    net.ipv4.devconf_all = ipv4_devconf(source.ipv4.devconf_all.data) if source is not None else _devconf(0)
    net.ipv4.devconf_dflt = ipv4_devconf(source.ipv4.devconf_dflt.data) if source is not None else _devconf(1)
    _register_all_and_default(net)


def _devconf_source(net: net_t) -> net_t | None:
    """Whose settings a new namespace takes over (net.core.devconf_inherit_init_net); None: the built-in ones."""
    kernel = net.kernel
    if net is kernel.init_net or kernel.sysctl_devconf_inherit_init_net == INHERIT_NOTHING:
        return None
    return kernel.current.nsproxy.net_ns if kernel.sysctl_devconf_inherit_init_net == INHERIT_CURRENT else kernel.init_net


def devinet_exit_net(net: net_t) -> None:
    """The settings go with the namespace."""
    _unregister_all_and_default(net)


devinet_ops = pernet_operations(init=devinet_init_net, exit=devinet_exit_net)


def devinet_init(kernel: Kernel) -> None:
    """Set up addresses."""
    kernel.inet_addr_lst = {}
    kernel.inetaddr_chain = []
    register_pernet_subsys(kernel, devinet_ops)
    register_netdevice_notifier(kernel, ip_netdev_notifier)
    devinet_rtnl._rtnl_init(kernel)
    devinet_netconf._netconf_init(kernel)
