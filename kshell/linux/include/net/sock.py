"""include/net/sock.h: the protocol's side of a socket.

`__sk_common.skc_X` is reached by the macros of Linux: `sk.sk_X` (also `inet_X`, `rsk_X`, `tw_X` in the structs that
embed struct sock_common: there they are aliases of the same slot). Request and timewait sockets can therefore be
looked at as sockets (sk_state, sk_family, sk_num …) as Linux does. The rest of the header by subject: sock_mem.py
(accounting, by way of sock.c), sock_space.py (limits and backlog), sock_wait.py, sock_dst.py, sock_peek.py,
sock_proto.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kshell.linux.include.linux.jiffies import MAX_SCHEDULE_TIMEOUT
from kshell.linux.include.linux.skbuff import sk_buff_head
from kshell.linux.security.security import security_sock_graft

if TYPE_CHECKING:
    from kshell.linux.include.linux.cred import cred
    from kshell.linux.include.linux.filter import sk_filter
    from kshell.linux.include.linux.net import socket, socket_wq
    from kshell.linux.include.linux.sched import pid
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.dst import dst_entry
    from kshell.linux.include.net.net_namespace import net
    from kshell.linux.include.net.sock_proto import proto
    from kshell.linux.include.net.sock_space import _sk_backlog
    from kshell.linux.kernel.time.timer import timer_list
    from kshell.linux.net.core.sock_reuseport import sock_reuseport

# enum sock_flags: bit numbers in sk_flags
SOCK_DEAD = 0
SOCK_DONE = 1
SOCK_URGINLINE = 2
SOCK_KEEPOPEN = 3
SOCK_LINGER = 4
SOCK_DESTROY = 5
SOCK_BROADCAST = 6
SOCK_TIMESTAMP = 7
SOCK_ZAPPED = 8
SOCK_USE_WRITE_QUEUE = 9
SOCK_DBG = 10
SOCK_RCVTSTAMP = 11
SOCK_RCVTSTAMPNS = 12
SOCK_LOCALROUTE = 13
SOCK_MEMALLOC = 14
SOCK_TIMESTAMPING_RX_SOFTWARE = 15
SOCK_FASYNC = 16
SOCK_RXQ_OVFL = 17
SOCK_ZEROCOPY = 18
SOCK_WIFI_STATUS = 19
SOCK_NOFCS = 20
SOCK_FILTER_LOCKED = 21
SOCK_SELECT_ERR_QUEUE = 22
SOCK_RCU_FREE = 23
SOCK_TXTIME = 24
SOCK_XDP = 25
SOCK_TSTAMP_NEW = 26
SOCK_RCVMARK = 27

SK_FLAGS_TIMESTAMP = (1 << SOCK_TIMESTAMP) | (1 << SOCK_TIMESTAMPING_RX_SOFTWARE)

RCV_SHUTDOWN = 1
SEND_SHUTDOWN = 2
SHUTDOWN_MASK = 3

SK_NO_REUSE = 0
SK_CAN_REUSE = 1
SK_FORCE_REUSE = 2

SOCK_BINDADDR_LOCK = 4
SOCK_BINDPORT_LOCK = 8

SK_MEM_SEND = 0
SK_MEM_RECV = 1

SK_PACING_NONE = 0
SK_PACING_NEEDED = 1
SK_PACING_FQ = 2

SOCK_MIN_SNDBUF = 4608  # 2 * (2048 + SKB_DATA_ALIGN(sizeof(struct sk_buff)))
SOCK_MIN_RCVBUF = 2304  # 2048 + SKB_DATA_ALIGN(sizeof(struct sk_buff))
NO_QUEUE_MAPPING = 0xFFFF


class sock_common:
    """What full, request and timewait sockets have in common, for the hash tables."""

    __slots__ = (
        "_addr",
        "skc_bound_dev_if",
        "skc_daddr",
        "skc_dport",
        "skc_family",
        "skc_flags",
        "skc_hash",
        "skc_net",
        "skc_node",
        "skc_num",
        "skc_prot",
        "skc_rcv_saddr",
        "skc_refcnt",
        "skc_reuse",
        "skc_reuseport",
        "skc_state",
    )  # fmt: skip
    _addr: int
    skc_daddr: int  # __be32, host order
    skc_rcv_saddr: int  # __be32, host order
    skc_hash: int
    skc_dport: int  # __be16, host order
    skc_num: int
    skc_family: int
    skc_state: int
    skc_reuse: int
    skc_reuseport: int
    skc_bound_dev_if: int
    skc_prot: proto
    skc_net: net
    skc_flags: int
    skc_refcnt: int
    skc_node: object | None  # the hash chain in which the socket stands, None if in none; its owner says of which kind
    if TYPE_CHECKING:
        sk_daddr: int
        sk_rcv_saddr: int
        sk_hash: int
        sk_dport: int
        sk_num: int
        sk_family: int
        sk_state: int
        sk_reuse: int
        sk_reuseport: int
        sk_bound_dev_if: int
        sk_prot: proto
        sk_net: net
        sk_flags: int
        sk_refcnt: int
        sk_node: object | None

    def __init__(self) -> None:
        self.skc_daddr = self.skc_rcv_saddr = self.skc_hash = self.skc_dport = self.skc_num = self.skc_family = 0
        self.skc_state = self.skc_reuse = self.skc_reuseport = self.skc_bound_dev_if = self.skc_flags = 0
        self.skc_refcnt = 0
        self.skc_node = None


for _field in sock_common.__slots__:
    setattr(sock_common, _field.replace("skc_", "sk_"), getattr(sock_common, _field))  # sk_X: the same slot as skc_X


NO_ERRORS = sk_buff_head()
"""The error queue of every socket that never had an error to queue; sock_queue_err_skb() gives a socket its own."""


class sock(sock_common):
    """The protocol's side of a socket."""

    __slots__ = (
        "__dict__",
        "sk_backlog",
        "sk_backlog_rcv",
        "sk_data_ready",
        "sk_destruct",
        "sk_dst_cache",
        "sk_err",
        "sk_error_report",
        "sk_forward_alloc",
        "sk_lock",
        "sk_pacing_rate",
        "sk_prot_creator",
        "sk_protocol",
        "sk_rcvbuf",
        "sk_rcvlowat",
        "sk_receive_queue",
        "sk_rmem_alloc",
        "sk_shutdown",
        "sk_sndbuf",
        "sk_socket",
        "sk_state_change",
        "sk_txhash",
        "sk_type",
        "sk_uid",
        "sk_userlocks",
        "sk_wmem_alloc",
        "sk_wmem_queued",
        "sk_wq",
        "sk_write_queue",
        "sk_write_space",
    )  # fmt: skip
    sk_lock: int  # sk_lock.owned: 1 while a task owns the socket
    sk_receive_queue: sk_buff_head
    sk_backlog: _sk_backlog | None
    sk_rmem_alloc: int  # sk_backlog.rmem_alloc
    sk_forward_alloc: int
    sk_rcvbuf: int
    sk_wq: socket_wq | None
    sk_dst_cache: dst_entry | None
    sk_sndbuf: int
    sk_wmem_queued: int
    sk_wmem_alloc: int
    sk_write_queue: sk_buff_head
    sk_rcvlowat: int
    sk_userlocks: int
    sk_type: int
    sk_protocol: int
    sk_prot_creator: proto
    sk_err: int  # a positive errno
    sk_uid: int
    sk_shutdown: int
    sk_socket: socket | None
    sk_txhash: int
    sk_pacing_rate: int  # bytes per second
    sk_state_change: Callable[[sock], None]
    sk_data_ready: Callable[[sock], None]
    sk_write_space: Callable[[sock], None]
    sk_error_report: Callable[[sock], None]
    sk_backlog_rcv: Callable[[sock, sk_buff], int]
    sk_destruct: Callable[[sock], None]
    # cold: the class gives the value until one is set
    sk_error_queue: sk_buff_head = NO_ERRORS
    sk_rx_dst: dst_entry | None = None
    sk_timer: timer_list | None = None
    sk_filter: sk_filter | None = None
    sk_ack_backlog: int = 0
    sk_max_ack_backlog: int = 0
    sk_ipv6only: int = 0
    sk_net_refcnt: int = 1
    sk_cookie: int = 0
    sk_incoming_cpu: int = -1
    sk_rx_queue_mapping: int = NO_QUEUE_MAPPING
    sk_tx_queue_mapping: int = NO_QUEUE_MAPPING
    sk_rx_dst_ifindex: int = 0
    sk_drops: int = 0
    sk_reserved_mem: int = 0
    sk_ll_usec: int = 0
    sk_napi_id: int = 0
    sk_disconnects: int = 0
    sk_omem_alloc: int = 0
    sk_tsq_flags: int = 0
    sk_send_head: sk_buff | None = None
    sk_peek_off: int = -1
    sk_write_pending: int = 0
    sk_dst_pending_confirm: int = 0
    sk_pacing_status: int = 0
    sk_sndtimeo: int = MAX_SCHEDULE_TIMEOUT
    sk_priority: int = 0
    sk_mark: int = 0
    sk_max_pacing_rate: int = (1 << 64) - 1
    sk_route_caps: int = 0
    sk_gso_type: int = 0
    sk_gso_max_size: int = 0
    sk_gso_disabled: int = 0
    sk_gso_max_segs: int = 0
    sk_kern_sock: int = 0
    sk_no_check_tx: int = 0
    sk_no_check_rx: int = 0
    sk_pacing_shift: int = 10
    sk_lingertime: int = 0  # jiffies
    sk_err_soft: int = 0
    sk_txrehash: int = 0
    sk_prefer_busy_poll: int = 0
    sk_busy_poll_budget: int = 0
    sk_bind_phc: int = 0
    sk_peer_pid: pid | None = None
    sk_peer_cred: cred | None = None
    sk_rcvtimeo: int = MAX_SCHEDULE_TIMEOUT
    sk_stamp: int = -1_000_000_000  # ktime_t
    sk_tsflags: int = 0
    sk_tskey: int = 0
    sk_zckey: int = 0
    sk_clockid: int = 0
    sk_txtime_deadline_mode: int = 0
    sk_txtime_report_errors: int = 0
    sk_user_data: object | None = None
    sk_reuseport_cb: sock_reuseport | None = None

    def __init__(self) -> None:
        """Zero, as memory from the slab is; without what sk_alloc() and sock_init_data() give a value anyway."""
        self.skc_daddr = self.skc_rcv_saddr = self.skc_hash = self.skc_dport = self.skc_num = 0
        self.skc_reuse = self.skc_reuseport = self.skc_bound_dev_if = self.skc_flags = 0
        self.sk_lock = self.sk_rmem_alloc = self.sk_forward_alloc = self.sk_wmem_queued = self.sk_userlocks = 0
        self.sk_type = self.sk_protocol = self.sk_err = self.sk_shutdown = self.sk_txhash = 0
        self.sk_backlog = self.sk_wq = self.sk_dst_cache = None
        self.skc_node = None
        self.sk_receive_queue = sk_buff_head()
        self.sk_write_queue = sk_buff_head()


def sock_set_flag(sk: sock, flag: int) -> None:
    """Set flag SOCK_*."""
    sk.skc_flags |= 1 << flag


def sock_reset_flag(sk: sock, flag: int) -> None:
    """Clear flag SOCK_*."""
    sk.skc_flags &= ~(1 << flag)


def sock_valbool_flag(sk: sock, bit: int, valbool: int) -> None:
    """Set or clear flag SOCK_*."""
    if valbool:
        sk.skc_flags |= 1 << bit
    else:
        sk.skc_flags &= ~(1 << bit)


def sock_flag(sk: sock, flag: int) -> bool:
    """True if flag SOCK_* is set."""
    return bool(sk.skc_flags >> flag & 1)


def sk_acceptq_added(sk: sock) -> None:
    """One connection more waits to be accepted."""
    sk.sk_ack_backlog += 1


def sk_acceptq_is_full(sk: sock) -> bool:
    """True if the backlog given to listen() is exceeded (it takes one more than asked for)."""
    return sk.sk_ack_backlog > sk.sk_max_ack_backlog


def sock_hold(sk: sock_common) -> None:
    """Take a reference."""
    sk.skc_refcnt += 1


def __sock_put(sk: sock_common) -> None:
    """Drop a reference that is known not to be the last."""
    sk.skc_refcnt -= 1


def sk_unhashed(sk: sock) -> bool:
    """True if the socket is in no hash table."""
    return sk.skc_node is None


def sock_error(sk: sock) -> int:
    """The pending error, a positive errno, which it clears; 0 if there is none."""
    err = sk.sk_err
    if err:
        sk.sk_err = 0
    return err


def sk_sockets_allocated_inc(sk: sock) -> None:
    """One socket more of this protocol."""
    name = sk.sk_prot.sockets_allocated
    if name is not None:
        kernel = sk.skc_net.kernel
        setattr(kernel, name, getattr(kernel, name) + 1)


def sk_error_report(sk: sock) -> None:
    """Tell the socket's users of an error."""
    sk.sk_error_report(sk)


def sock_graft(sk: sock, parent: socket) -> None:
    """Give a new socket to the descriptor that accept() made."""
    sk.sk_wq = parent.wq
    parent.sk = sk
    sk.sk_socket = parent
    alloc = parent._alloc
    assert alloc is not None
    sk.sk_uid = alloc.vfs_inode.i_uid
    security_sock_graft(sk, parent)


def sock_orphan(sk: sock) -> None:
    """Detach a socket from its descriptor: the user is gone."""
    sk.skc_flags |= 1 << SOCK_DEAD
    sk.sk_socket = None
    sk.sk_wq = None
