"""drivers/net/tun.c: devices whose other end is a program: what it writes to /dev/net/tun comes in, what is sent it reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kshell.abi.capability import CAP_NET_ADMIN
from kshell.abi.errno import EAGAIN, EBADFD, EBUSY, EINVAL, EIO, EPERM
from kshell.abi.fcntl import O_NONBLOCK
from kshell.abi.ioctl import (
    IFF_NO_PI,
    IFF_PERSIST,
    IFF_TAP,
    IFF_TUN,
    IFF_TUN_EXCL,
    TUNGETFEATURES,
    TUNGETIFF,
    TUNSETIFF,
    TUNSETPERSIST,
)
from kshell.abi.netdevice import (
    ARPHRD_NONE,
    ETH_DATA_LEN,
    ETH_HLEN,
    ETH_MAX_MTU,
    ETH_MIN_MTU,
    ETH_P_IP,
    ETH_P_IPV6,
    IFF_MULTICAST,
    IFF_NOARP,
    IFF_POINTOPOINT,
    IFF_UP,
    IFNAMSIZ,
)
from kshell.abi.poll import EPOLLERR, EPOLLIN, EPOLLOUT, EPOLLRDNORM, EPOLLWRNORM
from kshell.linux.fs.char_dev import cdev_add
from kshell.linux.fs.read_write import noop_llseek
from kshell.linux.include.linux.cdev import MKDEV, cdev
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fs import IOCB_NOWAIT, file_operations
from kshell.linux.include.linux.if_ether import ethhdr
from kshell.linux.include.linux.netdevice import (
    IFF_LIVE_ADDR_CHANGE,
    NET_NAME_ENUM,
    NET_NAME_USER,
    NETDEV_TX_OK,
    NETREG_REGISTERED,
    net_device,
    net_device_ops,
    netif_running,
)
from kshell.linux.include.linux.poll import poll_table, poll_wait
from kshell.linux.include.linux.skbuff import __skb_dequeue, __skb_queue_tail, sk_buff_head, skb_orphan
from kshell.linux.include.linux.uaccess import copy_from_user, copy_to_user, put_user
from kshell.linux.include.linux.wait import wait_queue_head
from kshell.linux.include.net.rtnetlink import rtnl_link_ops
from kshell.linux.kernel.capability import ns_capable
from kshell.linux.kernel.module.main import __module_get, find_module, module_put
from kshell.linux.kernel.printk import pr_info
from kshell.linux.kernel.sched.wait import wait_event_interruptible, wake_up_poll
from kshell.linux.lib.iov_iter import copy_from_iter_full, copy_to_iter
from kshell.linux.net.core.dev import __dev_get_by_name
from kshell.linux.net.core.dev_receive import netif_rx
from kshell.linux.net.core.dev_register import (
    alloc_netdev_mqs,
    free_netdev,
    register_netdevice,
    unregister_netdevice,
)
from kshell.linux.net.core.rtnetlink import rtnl_link_register, rtnl_link_unregister
from kshell.linux.net.core.rtnl_lock import rtnl_lock, rtnl_unlock
from kshell.linux.net.core.skbuff import __skb_queue_purge, alloc_skb, consume_skb, kfree_skb
from kshell.linux.net.core.skbuff_bytes import _skb_to_bytes
from kshell.linux.net.ethernet.eth import (
    eth_hw_addr_random,
    eth_mac_addr,
    eth_type_trans,
    eth_validate_addr,
    ether_setup,
)
from kshell.linux.net.sched.sch_generic_carrier import netif_carrier_off, netif_carrier_on

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import file, inode, kiocb
    from kshell.linux.include.linux.module import module
    from kshell.linux.include.linux.netlink import netlink_ext_ack
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.linux.uio import iov_iter
    from kshell.linux.include.net.net_namespace import net as net_t
    from kshell.linux.include.net.nlattr import nlattrs
    from kshell.linux.init.kernel import Kernel

MISC_MAJOR: Final = 10
TUN_MINOR: Final = 200
TUN_FEATURES: Final = IFF_TUN | IFF_TAP | IFF_NO_PI
TUN_READQ_SIZE: Final = 500
TUN_PI: Final = 4  # sizeof(struct tun_pi): flags, protocol


class tun_file:
    """One opening of /dev/net/tun; queue: packets to be read."""

    __slots__ = ("net", "queue", "tun", "wait")

    def __init__(self, net: net_t) -> None:
        self.net = net
        self.tun: tun_struct | None = None
        self.queue = sk_buff_head()
        self.wait = wait_queue_head()


class tun_struct:
    """A device (netdev_priv()); flags: IFF_TUN or IFF_TAP, IFF_NO_PI, IFF_PERSIST."""

    __slots__ = ("dev", "flags", "tfile")

    def __init__(self, dev: net_device, flags: int) -> None:
        self.dev = dev
        self.flags = flags
        self.tfile: tun_file | None = None


def _tun(dev: net_device) -> tun_struct:
    tun = dev._priv
    assert isinstance(tun, tun_struct)
    return tun


def _tfile(f: file) -> tun_file:
    tfile = f.private_data
    assert isinstance(tfile, tun_file)
    return tfile


# ---- the network device


def tun_net_xmit(skb: sk_buff, dev: net_device) -> int:
    """Send: the packet waits to be read. Without a reader, or with too many waiting, it is dropped."""
    tfile = _tun(dev).tfile
    if tfile is None or tfile.queue.qlen >= dev.tx_queue_len:
        dev.stats.tx_dropped += 1
        kfree_skb(skb)
        return NETDEV_TX_OK
    skb_orphan(skb)
    __skb_queue_tail(tfile.queue, skb)
    dev.stats.tx_packets += 1
    dev.stats.tx_bytes += skb.len
    wake_up_poll(tfile.wait, EPOLLIN | EPOLLRDNORM)
    return NETDEV_TX_OK


def tun_net_open(dev: net_device) -> int:
    """The device goes up."""
    return 0


def tun_net_close(dev: net_device) -> int:
    """The device goes down."""
    return 0


def tun_net_mclist(dev: net_device) -> None:
    """All groups are received."""


tun_netdev_ops = net_device_ops(ndo_open=tun_net_open, ndo_stop=tun_net_close, ndo_start_xmit=tun_net_xmit)
tap_netdev_ops = net_device_ops(
    ndo_open=tun_net_open, ndo_stop=tun_net_close, ndo_start_xmit=tun_net_xmit, ndo_set_rx_mode=tun_net_mclist,
    ndo_set_mac_address=eth_mac_addr, ndo_validate_addr=eth_validate_addr,
)  # fmt: skip


def tun_setup(dev: net_device) -> None:
    """What all such devices have in common."""
    dev.needs_free_netdev = True
    dev.tx_queue_len = TUN_READQ_SIZE


def tun_net_initialize(dev: net_device) -> None:
    """IP packets (tun) or Ethernet frames (tap)."""
    if _tun(dev).flags & IFF_TUN:
        dev.netdev_ops = tun_netdev_ops
        dev.type = ARPHRD_NONE
        dev.mtu = ETH_DATA_LEN
        dev.flags = IFF_POINTOPOINT | IFF_NOARP | IFF_MULTICAST
    else:
        ether_setup(dev)
        dev.netdev_ops = tap_netdev_ops
        dev.priv_flags |= IFF_LIVE_ADDR_CHANGE
        eth_hw_addr_random(dev)
    dev.tx_queue_len = TUN_READQ_SIZE
    dev.min_mtu = ETH_MIN_MTU
    dev.max_mtu = ETH_MAX_MTU - dev.hard_header_len


def tun_validate(tb: nlattrs, data: nlattrs | None, extack: netlink_ext_ack | None) -> None:
    """Such devices are made by TUNSETIFF only. EINVAL."""
    raise KernelError(EINVAL)


tun_link_ops = rtnl_link_ops(kind="tun", setup=tun_setup, validate=tun_validate)


# ---- attaching a program


def tun_attach(tun: tun_struct, f: file) -> None:
    """The program gets the device. EINVAL: it has one; EBUSY: another program has it."""
    tfile = _tfile(f)
    if tfile.tun is not None:
        raise KernelError(EINVAL)
    if tun.tfile is not None:
        raise KernelError(EBUSY)
    tun.tfile = tfile
    tfile.tun = tun
    netif_carrier_on(tun.dev)


def _make(net: net_t, name: str, flags: int) -> tun_struct:
    """A new device. EPERM, EINVAL, EEXIST."""
    if not ns_capable(net.kernel.current, net.user_ns, CAP_NET_ADMIN):
        raise KernelError(EPERM)
    kind = flags & (IFF_TUN | IFF_TAP)
    if kind not in (IFF_TUN, IFF_TAP):
        raise KernelError(EINVAL)
    dev = alloc_netdev_mqs(net, name or ("tun%d" if kind == IFF_TUN else "tap%d"), tun_setup)
    dev.name_assign_type = NET_NAME_USER if name else NET_NAME_ENUM
    dev.rtnl_link_ops = tun_link_ops
    tun = tun_struct(dev, flags & TUN_FEATURES)
    dev._priv = tun
    tun_net_initialize(dev)
    try:
        register_netdevice(dev)
    except KernelError:
        dev._priv = None
        free_netdev(dev)
        raise
    return tun


def tun_set_iff(net: net_t, f: file, name: str, flags: int) -> tun_struct:
    """TUNSETIFF: attach to a device, made if there is none of that name. EINVAL, EBUSY, EPERM."""
    dev = __dev_get_by_name(net, name) if name else None
    if dev is None:
        tun = _make(net, name, flags)
    else:
        if flags & IFF_TUN_EXCL:
            raise KernelError(EBUSY)
        if not isinstance(dev._priv, tun_struct) or (dev._priv.flags ^ flags) & (IFF_TUN | IFF_TAP):
            raise KernelError(EINVAL)
        tun = dev._priv
    tun_attach(tun, f)
    return tun


def __tun_detach(tfile: tun_file, clean: bool) -> None:
    """The program lets go: the device goes, too, unless it is to stay."""
    tun, tfile.tun = tfile.tun, None
    __skb_queue_purge(tfile.queue)
    if tun is None:
        return
    tun.tfile = None
    netif_carrier_off(tun.dev)
    if not tun.flags & IFF_PERSIST and tun.dev.reg_state == NETREG_REGISTERED:
        unregister_netdevice(tun.dev)


# ---- the file


async def tun_chr_open(inode: inode, f: file) -> None:
    """open(): no device yet. The module is held."""
    kernel = inode.i_sb.kernel
    __module_get(find_module(kernel, "tun"))
    f.private_data = tun_file(kernel.current.nsproxy.net_ns)


def tun_chr_close(inode: inode, f: file) -> None:
    """The last descriptor is closed."""
    tfile = _tfile(f)
    kernel = tfile.net.kernel
    rtnl_lock(kernel)
    __tun_detach(tfile, True)
    rtnl_unlock(kernel)
    module_put(find_module(kernel, "tun"))


def tun_chr_poll(f: file, wait: poll_table | None) -> int:
    """Readable with packets, writable while the device is up."""
    tfile = _tfile(f)
    if tfile.tun is None:
        return EPOLLERR
    poll_wait(f, tfile.wait, wait)
    mask = EPOLLIN | EPOLLRDNORM if tfile.queue.qlen else 0
    return mask | (EPOLLOUT | EPOLLWRNORM if tfile.tun.dev.flags & IFF_UP else 0)


def tun_put_user(tun: tun_struct, skb: sk_buff, iter: iov_iter) -> int:
    """Copy a packet to the reader, struct tun_pi before it unless IFF_NO_PI; what does not fit is lost."""
    packet = _skb_to_bytes(skb)
    if not tun.flags & IFF_NO_PI:
        packet = bytes(2) + skb.protocol.to_bytes(2, "big") + packet
    return copy_to_iter(packet[: iter.count], iter)


async def tun_chr_read_iter(iocb: kiocb, to: iov_iter) -> int:
    """Read one packet. EBADFD: no device; EIO: it is down; EAGAIN, ERESTARTSYS."""
    tfile = _tfile(iocb.ki_filp)
    tun = tfile.tun
    if tun is None:
        raise KernelError(EBADFD)
    if not tfile.queue.qlen:
        if iocb.ki_filp.f_flags & O_NONBLOCK or iocb.ki_flags & IOCB_NOWAIT:
            raise KernelError(EAGAIN)
        await wait_event_interruptible(tfile.net.kernel, tfile.wait, lambda: tfile.queue.qlen > 0 or tfile.tun is None)
    skb = __skb_dequeue(tfile.queue)
    if skb is None:
        raise KernelError(EIO)
    done = tun_put_user(tun, skb, to)
    consume_skb(skb)
    return done


def _protocol(tun: tun_struct, packet: bytes, proto: int) -> int:
    """Protocol of what a program wrote to a tun device. EINVAL: neither IPv4 nor IPv6."""
    if not tun.flags & IFF_NO_PI:
        return proto
    version = packet[0] >> 4 if packet else 0
    if version not in (4, 6):
        tun.dev.stats.rx_dropped += 1
        raise KernelError(EINVAL)
    return ETH_P_IP if version == 4 else ETH_P_IPV6


def tun_get_user(tun: tun_struct, data: bytes) -> int:
    """A program wrote a packet: it comes in by the device. EINVAL: too short; EIO: the device is down."""
    dev = tun.dev
    packet, proto = data, 0
    if not tun.flags & IFF_NO_PI:
        if len(data) < TUN_PI:
            raise KernelError(EINVAL)
        proto, packet = int.from_bytes(data[2:4], "big"), data[TUN_PI:]
    if tun.flags & IFF_TAP and len(packet) < ETH_HLEN:
        raise KernelError(EINVAL)
    if not netif_running(dev):
        raise KernelError(EIO)
    skb = alloc_skb(dev.nd_net.kernel, len(packet))
    skb.dev = dev
    if tun.flags & IFF_TUN:
        try:
            skb.protocol = _protocol(tun, packet, proto)
        except KernelError:
            kfree_skb(skb)
            raise
        skb.data, skb.len = packet, len(packet)
    else:
        skb.mac_header = ethhdr(packet[:6], packet[6:12], int.from_bytes(packet[12:14], "big"))
        skb.data, skb.len = packet[ETH_HLEN:], len(packet)
        skb.protocol = eth_type_trans(skb, dev)
    dev.stats.rx_packets += 1
    dev.stats.rx_bytes += len(packet)
    netif_rx(skb)
    return len(data)


async def tun_chr_write_iter(iocb: kiocb, from_: iov_iter) -> int:
    """Write one packet. EBADFD, EFAULT, and what tun_get_user() raises."""
    tun = _tfile(iocb.ki_filp).tun
    if tun is None:
        raise KernelError(EBADFD)
    return tun_get_user(tun, copy_from_iter_full(from_, from_.count))


def tun_chr_ioctl(f: file, cmd: int, arg: int) -> int:
    """TUNSETIFF, TUNGETIFF, TUNGETFEATURES, TUNSETPERSIST. EBADFD, EFAULT, EINVAL and what tun_set_iff() raises."""
    tfile = _tfile(f)
    kernel = tfile.net.kernel
    if cmd == TUNGETFEATURES:
        put_user(kernel.current, arg, TUN_FEATURES)
        return 0
    rtnl_lock(kernel)
    try:
        return _device_ioctl(f, tfile, cmd, arg)
    finally:
        rtnl_unlock(kernel)


def _device_ioctl(f: file, tfile: tun_file, cmd: int, arg: int) -> int:
    current = tfile.net.kernel.current
    tun = tfile.tun
    if cmd == TUNSETIFF:
        if tun is not None:
            raise KernelError(EINVAL)
        ifr = copy_from_user(current, arg, 40)
        name = ifr[: IFNAMSIZ - 1].split(b"\0")[0].decode("latin-1")
        tun = tun_set_iff(tfile.net, f, name, int.from_bytes(ifr[16:18], "little"))
        copy_to_user(current, arg, tun.dev.name.encode("latin-1").ljust(IFNAMSIZ, b"\0"))
        return 0
    if tun is None:
        raise KernelError(EBADFD)
    if cmd == TUNGETIFF:
        copy_to_user(current, arg, tun.dev.name.encode("latin-1").ljust(IFNAMSIZ, b"\0") + tun.flags.to_bytes(2, "little"))
        return 0
    if cmd == TUNSETPERSIST:
        tun.flags = tun.flags | IFF_PERSIST if arg else tun.flags & ~IFF_PERSIST
        return 0
    raise KernelError(EINVAL)


def tun_chr_compat_ioctl(f: file, cmd: int, arg: int) -> int:
    """ioctl() by a 32-bit program; its struct ifreq is shorter, of which only the begin counts."""
    return tun_chr_ioctl(f, cmd, arg)


tun_fops = file_operations(
    llseek=noop_llseek, read_iter=tun_chr_read_iter, write_iter=tun_chr_write_iter, poll=tun_chr_poll,
    unlocked_ioctl=tun_chr_ioctl, compat_ioctl=tun_chr_compat_ioctl, open=tun_chr_open, release=tun_chr_close,
)  # fmt: skip


def tun_init(kernel: Kernel, mod: module) -> None:
    """The module is loaded."""
    pr_info(kernel, "tun: Universal TUN/TAP device driver, 1.6")
    rtnl_link_register(kernel, tun_link_ops)
    cdev_add(kernel, cdev(tun_fops), MKDEV(MISC_MAJOR, TUN_MINOR), 1)


def tun_cleanup(kernel: Kernel, mod: module) -> None:
    """The module is removed, and its devices."""
    del kernel.cdev_map[MKDEV(MISC_MAJOR, TUN_MINOR)]
    rtnl_link_unregister(kernel, tun_link_ops)
