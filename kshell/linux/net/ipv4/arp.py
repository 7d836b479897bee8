"""net/ipv4/arp.c: the table of IPv4 neighbours and its ioctls. Asking the network comes with Ethernet devices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.capability import CAP_NET_ADMIN
from kshell.abi.errno import EINVAL, ENODEV, ENXIO, EPERM, EPFNOSUPPORT
from kshell.abi.ioctl import SIOCDARP, SIOCGARP, SIOCSARP
from kshell.abi.socket import AF_INET
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.if_ether import ETH_P_ARP, ETH_P_IP
from kshell.linux.include.linux.in_ import ipv4_is_multicast
from kshell.linux.include.linux.netdevice import NET_RX_SUCCESS, packet_type
from kshell.linux.include.linux.notifier import NOTIFY_DONE, notifier_block
from kshell.linux.include.linux.uaccess import copy_from_user, copy_to_user
from kshell.linux.include.net.dst import dst_link_failure
from kshell.linux.include.net.ip_fib import RTN_BROADCAST, RTN_MULTICAST
from kshell.linux.include.net.neighbour import NUD_NOARP, NUD_PERMANENT, NUD_VALID, neigh_ops, neigh_table, neighbour
from kshell.linux.include.net.net_namespace import pernet_operations
from kshell.linux.kernel.capability import ns_capable
from kshell.linux.net.core.dev import __dev_get_by_name, register_netdevice_notifier
from kshell.linux.net.core.dev_pack import dev_add_pack
from kshell.linux.net.core.neighbour import (
    neigh_connected_output,
    neigh_direct_output,
    neigh_ifdown,
    neigh_resolve_output,
    neigh_table_init,
)
from kshell.linux.net.core.net_namespace import register_pernet_subsys
from kshell.linux.net.core.rtnetlink import rtnl_lock, rtnl_unlock
from kshell.linux.net.core.skbuff import consume_skb, kfree_skb
from kshell.linux.net.ipv4 import fib_frontend

if TYPE_CHECKING:
    from kshell.linux.include.linux.netdevice import net_device
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.net_namespace import net as net_t
    from kshell.linux.init.kernel import Kernel

HZ = 250
NEIGH_ARP_TABLE = 0
IFF_BROADCAST = 2
IFF_LOOPBACK = 0x8
IFF_POINTOPOINT = 0x10
IFF_NOARP = 0x80
ATF_COM = 0x02
ATF_PERM = 0x04
ATF_PUBL = 0x08
ATF_NETMASK = 0x20
ATF_DONTPUB = 0x40

_PARMS = (3, 3, 0, 0, HZ, 30 * HZ, 5 * HZ, 5 * HZ, 60 * HZ, 212992, 64, HZ, 8 * HZ // 10, HZ)


def arp_error_report(neigh: neighbour, skb: sk_buff) -> None:
    """The neighbour does not answer."""
    dst_link_failure(skb)
    kfree_skb(skb)


arp_hh_ops = neigh_ops(
    family=AF_INET, error_report=arp_error_report, output=neigh_resolve_output, connected_output=neigh_resolve_output
)
arp_generic_ops = neigh_ops(
    family=AF_INET, error_report=arp_error_report, output=neigh_resolve_output, connected_output=neigh_connected_output
)
arp_direct_ops = neigh_ops(family=AF_INET, output=neigh_direct_output, connected_output=neigh_direct_output)


def arp_mc_map(addr: int, dev: net_device) -> bytes:
    """Link address of a multicast group."""
    if dev.type == 1:  # ARPHRD_ETHER
        return b"\x01\x00\x5e" + (addr & 0x7FFFFF).to_bytes(3, "big")
    return dev.broadcast


def arp_constructor(neigh: neighbour) -> None:
    """A new neighbour: what kind of address it is and how it is reached. EINVAL without IPv4 on the device."""
    dev = neigh.dev
    if dev.flags & (IFF_LOOPBACK | IFF_POINTOPOINT):
        neigh.primary_key = 0
    addr = neigh.primary_key
    in_dev = dev.ip_ptr
    if in_dev is None:
        raise KernelError(EINVAL)
    neigh.type = fib_frontend.inet_addr_type_dev_table(dev.nd_net, dev, addr)
    if in_dev.arp_parms is not None:
        neigh.parms = in_dev.arp_parms
    if dev.header_ops is None:
        neigh.nud_state = NUD_NOARP
        neigh.ops = arp_direct_ops
        neigh.output = neigh_direct_output
        return
    if neigh.type == RTN_MULTICAST:
        neigh.nud_state = NUD_NOARP
        neigh.ha = arp_mc_map(addr, dev)
    elif dev.flags & (IFF_NOARP | IFF_LOOPBACK):
        neigh.nud_state = NUD_NOARP
        neigh.ha = dev.dev_addr
    elif neigh.type == RTN_BROADCAST or dev.flags & IFF_POINTOPOINT:
        neigh.nud_state = NUD_NOARP
        neigh.ha = dev.broadcast
    neigh.ops = arp_hh_ops
    neigh.output = neigh.ops.connected_output if neigh.nud_state & NUD_VALID else neigh.ops.output


def arp_is_multicast(pkey: int) -> bool:
    """True if a neighbour's address is a multicast group."""
    return ipv4_is_multicast(pkey)


def arp_rcv(skb: sk_buff, dev: net_device, pt: packet_type, orig_dev: net_device) -> int:
    """ARP from the network: nobody asks here yet."""
    consume_skb(skb)
    return NET_RX_SUCCESS


arp_packet_type = packet_type(type=ETH_P_ARP, func=arp_rcv)


def arp_invalidate(dev: net_device, ip: int, force: bool) -> None:
    """Forget a neighbour, unless it is known to be good and force is not given."""
    tbl = dev.nd_net.kernel.arp_tbl
    neigh = tbl.nht.get((ip, dev))
    if neigh is not None and (force or not neigh.nud_state & NUD_VALID):
        del tbl.nht[(ip, dev)]
        tbl.entries -= 1


def arp_ifdown(dev: net_device) -> None:
    """Forget all neighbours on a device."""
    neigh_ifdown(dev.nd_net.kernel.arp_tbl, dev)


def arp_state_to_flags(neigh: neighbour) -> int:
    """ATF_xxx of a neighbour's state."""
    if neigh.nud_state & NUD_PERMANENT:
        return ATF_PERM | ATF_COM
    return ATF_COM if neigh.nud_state & NUD_VALID else 0


def arp_req_get(kernel: Kernel, r: bytearray, dev: net_device) -> None:
    """SIOCGARP: ENXIO if the neighbour is not known."""
    neigh = kernel.arp_tbl.nht.get((int.from_bytes(r[4:8], "big"), dev))
    if neigh is None or neigh.nud_state & NUD_NOARP:
        raise KernelError(ENXIO)
    r[16:18] = dev.type.to_bytes(2, "little")
    r[18 : 18 + len(neigh.ha)] = neigh.ha
    r[32:36] = arp_state_to_flags(neigh).to_bytes(4, "little")
    r[52:68] = dev.name.encode().ljust(16, b"\0")


def arp_ioctl(net: net_t, cmd: int, arg: int) -> int:
    """SIOCGARP, SIOCSARP, SIOCDARP on struct arpreq (68 bytes). EPERM, EFAULT, EPFNOSUPPORT, EINVAL, ENODEV, ENXIO."""
    kernel = net.kernel
    if cmd in (SIOCDARP, SIOCSARP) and not ns_capable(kernel.current, net.user_ns, CAP_NET_ADMIN):
        raise KernelError(EPERM)
    r = bytearray(copy_from_user(kernel.current, arg, 68))
    if int.from_bytes(r[:2], "little") != AF_INET:
        raise KernelError(EPFNOSUPPORT)
    flags = int.from_bytes(r[32:36], "little")
    if not flags & ATF_PUBL and flags & (ATF_NETMASK | ATF_DONTPUB):
        raise KernelError(EINVAL)
    rtnl_lock(kernel)
    try:
        name = bytes(r[52:67]).split(b"\0")[0].decode("latin-1")
        dev = __dev_get_by_name(net, name) if name else None
        if dev is None and (name or cmd == SIOCGARP):
            raise KernelError(ENODEV)
        family = int.from_bytes(r[16:18], "little")
        if dev is not None and family and flags & ATF_COM and family != dev.type:
            raise KernelError(EINVAL)
        if cmd == SIOCGARP:
            assert dev is not None
            arp_req_get(kernel, r, dev)
        elif dev is None:
            raise KernelError(EINVAL)
        elif cmd == SIOCDARP:
            if (int.from_bytes(r[4:8], "big"), dev) not in kernel.arp_tbl.nht:
                raise KernelError(ENXIO)
            arp_invalidate(dev, int.from_bytes(r[4:8], "big"), True)
        else:
            raise KernelError(EINVAL)
    finally:
        rtnl_unlock(kernel)
    if cmd == SIOCGARP:
        copy_to_user(kernel.current, arg, bytes(r))
    return 0


def arp_netdev_event(this: notifier_block, event: int, ptr: object) -> int:
    """A device changed."""
    return NOTIFY_DONE


arp_netdev_notifier = notifier_block(notifier_call=arp_netdev_event)


def arp_net_init(net: net_t) -> None:
    """/proc/net/arp is made by the proc file system's part."""


def arp_net_exit(net: net_t) -> None:
    """Nothing to undo."""


arp_net_ops = pernet_operations(init=arp_net_init, exit=arp_net_exit)


def arp_init(kernel: Kernel) -> None:
    """Set up the neighbour table."""
    kernel.arp_tbl = neigh_table(
        family=AF_INET, key_len=4, protocol=ETH_P_IP, constructor=arp_constructor, id="arp_cache",
        parms_data=list(_PARMS),
        gc_interval=30 * HZ, gc_thresh1=128, gc_thresh2=512, gc_thresh3=1024, is_multicast=arp_is_multicast,
    )  # fmt: skip
    neigh_table_init(kernel, NEIGH_ARP_TABLE, kernel.arp_tbl)
    dev_add_pack(kernel, arp_packet_type)
    register_pernet_subsys(kernel, arp_net_ops)
    register_netdevice_notifier(kernel, arp_netdev_notifier)
