"""Netlink sockets and tables (include/linux/netlink.h, net/netlink/af_netlink.h)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from kshell.linux.include.linux.wait import wait_queue_head
from kshell.linux.include.net.sock import sock

if TYPE_CHECKING:
    from kshell.linux.include.linux.module import module
    from kshell.linux.include.linux.sched import task_struct
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.net_namespace import net
    from kshell.linux.include.net.netlink import nlmsghdr
    from kshell.linux.include.net.nlattr import nla_policy
    from kshell.linux.include.net.scm import scm_creds

# nlk.flags: bit numbers
NETLINK_F_KERNEL_SOCKET: Final = 0
NETLINK_F_RECV_PKTINFO: Final = 1
NETLINK_F_BROADCAST_SEND_ERROR: Final = 2
NETLINK_F_RECV_NO_ENOBUFS: Final = 3
NETLINK_F_LISTEN_ALL_NSID: Final = 4
NETLINK_F_CAP_ACK: Final = 5
NETLINK_F_EXT_ACK: Final = 6
NETLINK_F_STRICT_CHK: Final = 7

NETLINK_S_CONGESTED: Final = 0

NL_CFG_F_NONROOT_RECV: Final = 1 << 0
NL_CFG_F_NONROOT_SEND: Final = 1 << 1

NETLINK_SKB_DST: Final = 0x8
NLMSG_GOODSIZE: Final = 3776  # SKB_WITH_OVERHEAD(PAGE_SIZE)
DUMP_RUNNING: Final = (1 << 31) - 1


class netlink_skb_parms:
    """NETLINK_CB(skb): who sent the message and to which group."""

    __slots__ = ("creds", "dst_group", "flags", "nsid", "nsid_is_set", "portid", "sk")

    def __init__(self) -> None:
        self.creds: scm_creds | None = None
        self.portid = self.dst_group = self.flags = self.nsid = 0
        self.nsid_is_set = False
        self.sk: sock | None = None


def NETLINK_CB(skb: sk_buff) -> netlink_skb_parms:
    """The control block of a netlink message."""
    if not isinstance(skb.cb, netlink_skb_parms):
        skb.cb = netlink_skb_parms()
    return skb.cb


class netlink_ext_ack:
    """What is said beyond the errno: a text, the offset of the bad attribute in the message and its policy."""

    __slots__ = ("_current", "_msg", "_offset", "cookie", "miss_nest", "miss_type", "policy")

    def __init__(self, current: task_struct | None = None) -> None:
        self._current = current  # whose message it is, for the kernel's log
        self._msg = ""
        self._offset = 0
        self.policy: nla_policy | None = None
        self.cookie = b""
        self.miss_type = 0
        self.miss_nest = 0


class netlink_callback:
    """A dump in progress: dump(skb, cb) fills one message after another and keeps its place in args.

    Returns > 0 while there is more, 0 at the end; a KernelError ends it with that error.
    """

    __slots__ = ("_ctx", "answer_flags", "args", "data", "done", "dump", "extack", "family", "min_dump_alloc", "module",
                 "nlh", "prev_seq", "seq", "skb", "strict_check")  # fmt: skip

    def __init__(self, skb: sk_buff, nlh: nlmsghdr, dump: Callable[[sk_buff, netlink_callback], int]) -> None:
        self.skb = skb
        self.nlh = nlh
        self.dump = dump
        self.done: Callable[[netlink_callback], None] | None = None
        self.data: object = None
        self.module: module | None = None
        self.extack: netlink_ext_ack | None = None
        self.family = self.answer_flags = self.min_dump_alloc = self.prev_seq = self.seq = 0
        self.strict_check = False
        self.args = [0] * 6
        self._ctx: object = None


class netlink_dump_control:
    """How to start a dump."""

    __slots__ = ("data", "done", "dump", "min_dump_alloc", "module", "start")

    def __init__(
        self,
        dump: Callable[[sk_buff, netlink_callback], int],
        done: Callable[[netlink_callback], None] | None = None,
        start: Callable[[netlink_callback], None] | None = None,
        data: object = None,
        module: module | None = None,
        min_dump_alloc: int = 0,
    ) -> None:
        self.dump = dump
        self.done = done
        self.start = start
        self.data = data
        self.module = module
        self.min_dump_alloc = min_dump_alloc


class netlink_kernel_cfg:
    """What a kernel-side user of a protocol asks for. input(skb) gets what user space sends."""

    __slots__ = ("bind", "flags", "groups", "input", "unbind")

    def __init__(
        self,
        groups: int = 0,
        flags: int = 0,
        input: Callable[[sk_buff], None] | None = None,
        bind: Callable[[net, int], None] | None = None,
        unbind: Callable[[net, int], None] | None = None,
    ) -> None:
        self.groups = groups
        self.flags = flags
        self.input = input
        self.bind = bind
        self.unbind = unbind


class netlink_table:
    """One netlink protocol: its sockets by (namespace, port id) and those that listen to groups."""

    __slots__ = ("bind", "flags", "groups", "hash", "mc_list", "module", "registered", "unbind")

    def __init__(self) -> None:
        self.hash: dict[tuple[int, int], netlink_sock] = {}
        self.mc_list: list[netlink_sock] = []
        self.flags = self.groups = self.registered = 0
        self.module: module | None = None
        self.bind: Callable[[net, int], None] | None = None
        self.unbind: Callable[[net, int], None] | None = None


class netlink_sock(sock):
    """A netlink socket. groups: bit n-1 for group n; portid: its address."""

    __slots__ = ("bound", "cb", "cb_running", "dst_group", "dst_portid", "dump_done_errno", "flags", "groups",
                 "max_recvmsg_len", "module", "netlink_bind", "netlink_rcv", "netlink_unbind", "ngroups", "portid",
                 "state", "subscriptions", "wait")  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self.flags = self.portid = self.dst_portid = self.dst_group = self.subscriptions = self.ngroups = 0
        self.groups = self.state = self.max_recvmsg_len = self.dump_done_errno = 0
        self.wait = wait_queue_head()
        self.bound = self.cb_running = False
        self.cb: netlink_callback | None = None
        self.netlink_rcv: Callable[[sk_buff], None] | None = None
        self.netlink_bind: Callable[[net, int], None] | None = None
        self.netlink_unbind: Callable[[net, int], None] | None = None
        self.module: module | None = None


def nlk_sk(sk: sock) -> netlink_sock:
    """The netlink socket that sk is."""
    assert isinstance(sk, netlink_sock)
    return sk


def netlink_is_kernel(sk: sock) -> bool:
    """Whether the socket is a kernel side."""
    return bool(nlk_sk(sk).flags >> NETLINK_F_KERNEL_SOCKET & 1)
