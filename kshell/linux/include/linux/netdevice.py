"""include/linux/netdevice.h: network devices and the queue between them and the protocols."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kshell.linux.include.linux.if_link import rtnl_link_stats64
from kshell.linux.include.linux.skbuff import sk_buff_head

if TYPE_CHECKING:
    from kshell.linux.drivers.base.core import device
    from kshell.linux.include.linux.inetdevice import in_device
    from kshell.linux.include.linux.netlink import netlink_ext_ack
    from kshell.linux.include.linux.pci import pci_dev
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.if_inet6 import inet6_dev
    from kshell.linux.include.net.neighbour import neighbour
    from kshell.linux.include.net.net_namespace import net
    from kshell.linux.include.net.rtnetlink import rtnl_link_ops
    from kshell.linux.include.net.sch_generic import Qdisc
    from kshell.linux.include.net.sock import sock
    from kshell.linux.net.core.dev_ioctl import _ifreq

LL_MAX_HEADER = 128
MAX_PHYS_ITEM_ID_LEN = 32

NETDEV_TX_OK = 0x00
NETDEV_TX_BUSY = 0x10
NET_XMIT_SUCCESS = 0x00
NET_XMIT_DROP = 0x01
NET_XMIT_CN = 0x02
NET_RX_SUCCESS = 0
NET_RX_DROP = 1


# net_device.state: bit numbers
LINK_STATE_START = 0
LINK_STATE_PRESENT = 1
LINK_STATE_NOCARRIER = 2
LINK_STATE_LINKWATCH_PENDING = 3
LINK_STATE_DORMANT = 4

# net_device.priv_flags
IFF_EBRIDGE = 1 << 1
IFF_XMIT_DST_RELEASE = 1 << 5
IFF_DONT_BRIDGE = 1 << 6
IFF_BRIDGE_PORT = 1 << 9
IFF_UNICAST_FLT = 1 << 12
IFF_LIVE_ADDR_CHANGE = 1 << 15
IFF_TX_SKB_SHARING = 1 << 16
IFF_XMIT_DST_RELEASE_PERM = 1 << 17
IFF_NO_QUEUE = 1 << 19
IFF_PHONY_HEADROOM = 1 << 26

NETREG_UNINITIALIZED = 0
NETREG_REGISTERED = 1
NETREG_UNREGISTERING = 2
NETREG_UNREGISTERED = 3
NETREG_RELEASED = 4
NETREG_DUMMY = 5

NET_NAME_UNKNOWN = 0
NET_NAME_ENUM = 1
NET_NAME_PREDICTABLE = 2
NET_NAME_USER = 3
NET_NAME_RENAMED = 4

NETDEV_UP = 1
NETDEV_DOWN = 2
NETDEV_REBOOT = 3
NETDEV_CHANGE = 4
NETDEV_REGISTER = 5
NETDEV_UNREGISTER = 6
NETDEV_CHANGEMTU = 7
NETDEV_CHANGEADDR = 8
NETDEV_PRE_CHANGEADDR = 9
NETDEV_GOING_DOWN = 10
NETDEV_CHANGENAME = 11
NETDEV_FEAT_CHANGE = 12
NETDEV_BONDING_FAILOVER = 13
NETDEV_PRE_UP = 14
NETDEV_PRE_TYPE_CHANGE = 15
NETDEV_POST_TYPE_CHANGE = 16
NETDEV_POST_INIT = 17
NETDEV_RELEASE = 18
NETDEV_NOTIFY_PEERS = 19
NETDEV_JOIN = 20
NETDEV_CHANGEUPPER = 21
NETDEV_RESEND_IGMP = 22
NETDEV_PRECHANGEMTU = 23
NETDEV_CHANGEINFODATA = 24
NETDEV_BONDING_INFO = 25
NETDEV_PRECHANGEUPPER = 26
NETDEV_CHANGELOWERSTATE = 27
NETDEV_CHANGE_TX_QUEUE_LEN = 30
GSO_LEGACY_MAX_SIZE = 65536
GSO_MAX_SEGS = 65535
TSO_LEGACY_MAX_SIZE = 65536
GRO_MAX_SIZE = 65536


net_device_stats = rtnl_link_stats64


class pcpu_lstats:
    """Packets and bytes that went through the loopback device."""

    __slots__ = ("bytes", "packets")

    def __init__(self) -> None:
        self.packets = self.bytes = 0


class header_ops:
    """How a device's link headers are made and read. Constant."""

    __slots__ = ("cache", "cache_update", "create", "parse", "parse_protocol", "validate")

    def __init__(
        self,
        *,
        create: Callable[[sk_buff, net_device, int, bytes | None, bytes | None, int], int],
        parse: Callable[[sk_buff], bytes] | None = None,
        cache: Callable[[neighbour, object, int], int] | None = None,
        cache_update: Callable[[object, net_device, bytes], None] | None = None,
        parse_protocol: Callable[[sk_buff], int] | None = None,
        validate: Callable[[bytes, int], bool] | None = None,
    ) -> None:
        self.create = create
        self.parse = parse
        self.cache = cache
        self.cache_update = cache_update
        self.parse_protocol = parse_protocol
        self.validate = validate


class net_device_ops:
    """What a driver does for its device. Constant; entries that no modelled driver has are left out."""

    __slots__ = (
        "ndo_add_slave",
        "ndo_change_carrier",
        "ndo_change_mtu",
        "ndo_del_slave",
        "ndo_eth_ioctl",
        "ndo_get_iflink",
        "ndo_get_stats64",
        "ndo_init",
        "ndo_open",
        "ndo_set_mac_address",
        "ndo_set_rx_mode",
        "ndo_siocdevprivate",
        "ndo_start_xmit",
        "ndo_stop",
        "ndo_uninit",
        "ndo_validate_addr",
    )  # fmt: skip

    def __init__(
        self,
        *,
        ndo_start_xmit: Callable[[sk_buff, net_device], int],
        ndo_init: Callable[[net_device], None] | None = None,
        ndo_uninit: Callable[[net_device], None] | None = None,
        ndo_open: Callable[[net_device], int] | None = None,
        ndo_stop: Callable[[net_device], int] | None = None,
        ndo_set_rx_mode: Callable[[net_device], None] | None = None,
        ndo_set_mac_address: Callable[[net_device, bytes], int] | None = None,
        ndo_validate_addr: Callable[[net_device], int] | None = None,
        ndo_change_mtu: Callable[[net_device, int], int] | None = None,
        ndo_get_stats64: Callable[[net_device, rtnl_link_stats64], None] | None = None,
        ndo_change_carrier: Callable[[net_device, bool], int] | None = None,
        ndo_add_slave: Callable[[net_device, net_device, netlink_ext_ack | None], None] | None = None,
        ndo_del_slave: Callable[[net_device, net_device], None] | None = None,
        ndo_get_iflink: Callable[[net_device], int] | None = None,
        ndo_eth_ioctl: Callable[[net_device, _ifreq, int], None] | None = None,
        ndo_siocdevprivate: Callable[[net_device, _ifreq, int], None] | None = None,
    ) -> None:
        self.ndo_init = ndo_init
        self.ndo_uninit = ndo_uninit
        self.ndo_open = ndo_open
        self.ndo_stop = ndo_stop
        self.ndo_start_xmit = ndo_start_xmit
        self.ndo_set_rx_mode = ndo_set_rx_mode
        self.ndo_set_mac_address = ndo_set_mac_address
        self.ndo_validate_addr = ndo_validate_addr
        self.ndo_change_mtu = ndo_change_mtu
        self.ndo_get_stats64 = ndo_get_stats64
        self.ndo_change_carrier = ndo_change_carrier
        self.ndo_add_slave = ndo_add_slave
        self.ndo_del_slave = ndo_del_slave
        self.ndo_get_iflink = ndo_get_iflink
        self.ndo_eth_ioctl = ndo_eth_ioctl
        self.ndo_siocdevprivate = ndo_siocdevprivate


class netdev_queue:
    """The queue between the discipline and the driver; each device has one. qdisc: in use, noop without a link."""

    __slots__ = ("dev", "qdisc", "state", "trans_start")

    def __init__(self, dev: net_device) -> None:
        self.dev = dev
        self.qdisc: Qdisc | None = None
        self.state = self.trans_start = 0


class net_device:
    """A network device. pcpu_refcnt is their sum; `nd_net` its namespace; multicast addresses with counts."""

    _addr: int
    name: str
    ifindex: int = 0
    nd_net: net
    netdev_ops: net_device_ops
    header_ops: header_ops | None = None
    rtnl_link_ops: rtnl_link_ops | None = None
    rtnl_link_state: int = 0
    state: int = 0
    flags: int = 0
    gflags: int = 0
    priv_flags: int = IFF_XMIT_DST_RELEASE | IFF_XMIT_DST_RELEASE_PERM
    features: int = 0
    hw_features: int = 0
    wanted_features: int = 0
    hard_header_len: int = 0
    min_header_len: int = 0
    needed_headroom: int = 0
    needed_tailroom: int = 0
    mtu: int = 0
    min_mtu: int = 0
    max_mtu: int = 0
    type: int = 0
    name_assign_type: int = NET_NAME_UNKNOWN
    group: int = 0
    operstate: int = 0
    link_mode: int = 0
    if_port: int = 0
    dma: int = 0
    irq: int = 0
    base_addr: int = 0
    mem_start: int = 0
    mem_end: int = 0
    addr_assign_type: int = 0
    addr_len: int = 0
    perm_addr: bytes = bytes(6)
    dev_addr: bytes = bytes(6)
    broadcast: bytes = bytes(6)
    dev_id: int = 0
    dev_port: int = 0
    promiscuity: int = 0
    allmulti: int = 0
    uc_promisc: bool = False
    ip_ptr: in_device | None = None
    ip6_ptr: inet6_dev | None = None
    lstats: pcpu_lstats | None = None
    num_rx_queues: int = 1
    num_tx_queues: int = 1
    real_num_rx_queues: int = 1
    real_num_tx_queues: int = 1
    tx_queue_len: int = 1000
    qdisc: Qdisc | None = None
    gso_max_size: int = GSO_LEGACY_MAX_SIZE
    gso_max_segs: int = GSO_MAX_SEGS
    tso_max_size: int = TSO_LEGACY_MAX_SIZE
    tso_max_segs: int = GSO_MAX_SEGS
    gro_max_size: int = GRO_MAX_SIZE
    reg_state: int = NETREG_UNINITIALIZED
    dismantle: bool = False
    needs_free_netdev: bool = False
    priv_destructor: Callable[[net_device], None] | None = None
    proto_down: bool = False
    carrier_up_count: int = 0
    carrier_down_count: int = 0
    ifalias: str = ""
    ml_priv: object | None = None
    rx_handler: Callable[[sk_buff], sk_buff | None] | None = None
    rx_handler_data: object | None = None
    _link_watch_pending: bool = False
    _priv: object | None = None  # netdev_priv(): the driver's own struct
    _parent: pci_dev | None = None  # dev.parent: the hardware
    _dev: device | None = None  # dev: the place in sysfs
    _master: net_device | None = None  # netdev_master_upper_dev_get()

    def __init__(self, name: str) -> None:
        self.name = name
        self._tx = netdev_queue(self)
        self.stats = net_device_stats()
        self.pcpu_refcnt = 1
        self.ptype_all: list[packet_type] = []
        self.ptype_specific: list[packet_type] = []
        self.uc: dict[bytes, int] = {}
        self.mc: dict[bytes, int] = {}
        self.dev_addrs: list[bytes] = []


class packet_type:
    """Who receives packets of a link protocol: ip_rcv() for ETH_P_IP, a packet socket for all.

    `type` in host order; `_sk` is af_packet_priv: the packet socket.
    """

    __slots__ = ("af_packet_net", "af_packet_priv", "dev", "func", "id_match", "ignore_outgoing", "type")

    def __init__(
        self,
        *,
        type: int,
        func: Callable[[sk_buff, net_device, packet_type, net_device], int],
        dev: net_device | None = None,
        id_match: Callable[[packet_type, sock], bool] | None = None,
        af_packet_net: net | None = None,
        af_packet_priv: object | None = None,
        ignore_outgoing: bool = False,
    ) -> None:
        self.type = type
        self.dev = dev
        self.func = func
        self.id_match = id_match
        self.af_packet_net = af_packet_net
        self.af_packet_priv = af_packet_priv
        self.ignore_outgoing = ignore_outgoing


class napi_struct:
    """A source of received packets that net_rx_action() polls. _owner: the struct that embeds it."""

    __slots__ = ("_owner", "dev", "poll", "state", "weight")
    _owner: object

    def __init__(self, poll: Callable[[napi_struct, int], int], weight: int) -> None:
        self.poll = poll
        self.weight = weight
        self.state = 0
        self.dev: net_device | None = None


NAPI_STATE_SCHED = 0


class softnet_data:
    """The processor's queue of packets between devices and protocols."""

    def __init__(self, kernel: object, backlog: napi_struct) -> None:
        self.poll_list: list[napi_struct] = []
        self.process_queue = sk_buff_head()
        self.input_pkt_queue = sk_buff_head()
        self.processed = 0
        self.time_squeeze = 0
        self.dropped = 0
        self.received_rps = 0
        self.backlog = backlog
        self.output_queue: list[Qdisc] = []


class netdev_notifier_info:
    """What a device notifier is told."""

    __slots__ = ("dev", "extack")

    def __init__(self, dev: net_device, extack: netlink_ext_ack | None = None) -> None:
        self.dev = dev
        self.extack = extack


class netdev_notifier_info_ext(netdev_notifier_info):
    """As above, with a number such as the new MTU."""

    __slots__ = ("mtu",)

    def __init__(self, dev: net_device, mtu: int) -> None:
        super().__init__(dev)
        self.mtu = mtu


class netdev_notifier_change_info(netdev_notifier_info):
    """As above, with the flags that changed."""

    __slots__ = ("flags_changed",)

    def __init__(self, dev: net_device, flags_changed: int) -> None:
        super().__init__(dev)
        self.flags_changed = flags_changed


def dev_net_set(dev: net_device, net: net) -> None:
    """Put the device into a namespace."""
    dev.nd_net = net


def dev_put(dev: net_device | None) -> None:
    """Drop a reference."""
    if dev is not None:
        dev.pcpu_refcnt -= 1


def netdev_notifier_info_to_dev(info: object) -> net_device:
    """The device that a notifier is told of."""
    assert isinstance(info, netdev_notifier_info)
    return info.dev


def netif_running(dev: net_device) -> bool:
    """True if the device is up."""
    return bool(dev.state & 1 << LINK_STATE_START)


def netif_carrier_ok(dev: net_device) -> bool:
    """True if the device has a link."""
    return not dev.state & 1 << LINK_STATE_NOCARRIER


def netif_device_present(dev: net_device) -> bool:
    """True if the device was not taken out."""
    return bool(dev.state & 1 << LINK_STATE_PRESENT)


def netif_oper_up(dev: net_device) -> bool:
    """True if the device works (RFC 2863)."""
    return dev.operstate in (6, 0)


def netif_is_bridge_master(dev: net_device) -> bool:
    """True if the device is a bridge."""
    return bool(dev.priv_flags & IFF_EBRIDGE)
