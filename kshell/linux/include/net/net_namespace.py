"""include/net/net_namespace.h: network namespaces."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kshell.linux.include.linux.ns_common import ns_common
from kshell.linux.include.linux.skbuff import sk_buff_head
from kshell.linux.include.net.netns.core import netns_core
from kshell.linux.include.net.netns.ipv6 import netns_ipv6
from kshell.linux.include.net.netns.netfilter import netns_nf
from kshell.linux.include.net.netns.packet import netns_packet
from kshell.linux.include.net.netns_ipv4 import netns_ipv4
from kshell.linux.include.net.netns_mib import netns_mib

if TYPE_CHECKING:
    from kshell.linux.include.linux.netdevice import net_device
    from kshell.linux.include.linux.notifier import notifier_block
    from kshell.linux.include.linux.proc_fs import proc_dir_entry
    from kshell.linux.include.linux.sched import user_namespace
    from kshell.linux.include.linux.sysctl import ctl_table_header, ctl_table_set
    from kshell.linux.include.net.fib_rules import fib_rules_ops
    from kshell.linux.include.net.netns_unix import netns_unix
    from kshell.linux.include.net.sock import sock
    from kshell.linux.init.kernel import Kernel
    from kshell.linux.net.netlink.netlink_users import uevent_sock


class pernet_operations:
    """What to do when a network namespace comes or goes. `id` names the object of net_generic(), `size` its class."""

    __slots__ = ("exit", "exit_batch", "id", "init", "pre_exit", "size")

    def __init__(
        self,
        *,
        init: Callable[[net], None] | None = None,
        pre_exit: Callable[[net], None] | None = None,
        exit: Callable[[net], None] | None = None,
        exit_batch: Callable[[list[net]], None] | None = None,
        id: str = "",
        size: type | None = None,
    ) -> None:
        self.init = init
        self.pre_exit = pre_exit
        self.exit = exit
        self.exit_batch = exit_batch
        self.id = id
        self.size = size


class net:
    """A network namespace: devices, addresses, routes, sockets and settings of its own.

    net.unx is made by unix_net_init(). `kernel` leads to the machine.
    """

    _addr: int
    unx: netns_unix
    user_ns: user_namespace
    rtnl: sock | None = None
    genl_sock: sock | None = None
    diag_nlsk: sock | None = None
    uevent_sock: uevent_sock | None = None
    proc_net: proc_dir_entry
    proc_net_stat: proc_dir_entry
    sysctls: ctl_table_set
    xfrm_sysctl_hdr: ctl_table_header  # xfrm.sysctl_hdr
    loopback_dev: net_device
    hash_mix: int = 0
    net_cookie: int = 0
    dev_base_seq: int = 1
    dev_unreg_count: int = 0
    fnhe_genid: int = 0
    ifindex: int = 0

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.passive = 1
        self.ns = ns_common()
        self.netns_ids: dict[int, net] = {}
        self.dev_base_head: list[net_device] = []
        self.dev_name_head: dict[str, net_device] = {}
        self.dev_index_head: dict[int, net_device] = {}
        self.netdev_chain: list[notifier_block] = []
        self.rules_ops: list[fib_rules_ops] = []
        self.wext_nlevents = sk_buff_head()
        self.core = netns_core()
        self.mib = netns_mib()
        self.packet = netns_packet()
        self.ipv4 = netns_ipv4()
        self.ipv6 = netns_ipv6()
        self.nf = netns_nf()
        self.gen: dict[str, object] = {}  # net_generic(): by pernet_operations.id


def get_net(net: net) -> net:
    """Take a reference."""
    net.ns.count += 1
    return net


def fnhe_genid(net: net) -> int:
    """Changes when next hop exceptions become invalid."""
    return net.fnhe_genid
