"""include/net/ip_fib.h: the forwarding table's structures and constants."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.rtnetlink import RT_TABLE_MAIN
from kshell.abi.socket import AF_INET

if TYPE_CHECKING:
    from kshell.linux.include.linux.netdevice import net_device
    from kshell.linux.include.net.net_namespace import net
    from kshell.linux.include.net.netlink import nlmsghdr
    from kshell.linux.include.net.rtable import rtable
    from kshell.linux.net.ipv4.fib_trie import trie


FIB_LOOKUP_NOREF = 1
FIB_LOOKUP_IGNORE_LINKSTATE = 2


class nl_info:
    """The request that a change of routes comes from, for those who are told of it."""

    __slots__ = ("nlh", "portid")

    def __init__(self, nlh: nlmsghdr | None = None, portid: int = 0) -> None:
        self.nlh = nlh
        self.portid = portid


class fib_config:
    """A request to add or remove a route."""

    __slots__ = (
        "fc_dscp", "fc_dst", "fc_dst_len", "fc_flags", "fc_flow", "fc_gw4", "fc_gw_family", "fc_mp", "fc_mx",
        "fc_nlflags", "fc_nlinfo", "fc_oif", "fc_prefsrc", "fc_priority", "fc_protocol", "fc_scope", "fc_table",
        "fc_type",
    )  # fmt: skip

    def __init__(self) -> None:
        self.fc_dst_len = self.fc_dscp = self.fc_protocol = self.fc_scope = self.fc_type = self.fc_gw_family = 0
        self.fc_table = self.fc_dst = self.fc_gw4 = self.fc_oif = self.fc_flags = self.fc_priority = 0
        self.fc_prefsrc = self.fc_nlflags = self.fc_flow = 0
        self.fc_mp = b""  # next hops of a multipath route
        self.fc_nlinfo = nl_info()
        self.fc_mx: dict[int, int] = {}  # RTAX_x → value


class fib_nh_exception:
    """What was learnt about one destination: path MTU, redirect."""

    __slots__ = (
        "fnhe_daddr", "fnhe_expires", "fnhe_genid", "fnhe_gw", "fnhe_mtu_locked", "fnhe_pmtu", "fnhe_rth_input",
        "fnhe_rth_output",
    )  # fmt: skip

    def __init__(self, fnhe_daddr: int) -> None:
        self.fnhe_daddr = fnhe_daddr
        self.fnhe_genid = self.fnhe_pmtu = self.fnhe_gw = self.fnhe_expires = 0
        self.fnhe_mtu_locked = False
        self.fnhe_rth_input: rtable | None = None
        self.fnhe_rth_output: rtable | None = None


class fib_nh_common:
    """A next hop: device, gateway, the route cached for each direction, and exceptions."""

    __slots__ = (
        "nhc_dev", "nhc_exceptions", "nhc_family", "nhc_flags", "nhc_gw", "nhc_gw_family", "nhc_oif",
        "nhc_pcpu_rth_output",
        "nhc_rth_input", "nhc_scope", "nhc_upper_bound", "nhc_weight",
    )  # fmt: skip

    def __init__(self) -> None:
        self.nhc_dev: net_device | None = None
        self.nhc_oif = self.nhc_scope = self.nhc_gw_family = self.nhc_flags = self.nhc_gw = 0
        self.nhc_family = AF_INET
        self.nhc_weight = 1
        self.nhc_upper_bound = 0  # of the hashes whose flows take it
        self.nhc_pcpu_rth_output: rtable | None = None
        self.nhc_rth_input: rtable | None = None
        self.nhc_exceptions: dict[int, fib_nh_exception] | None = None


class fib_nh(fib_nh_common):
    """A next hop of a fib_info; nh_common is its base."""

    __slots__ = ("nh_parent", "nh_saddr", "nh_saddr_genid", "nh_tclassid")

    def __init__(self) -> None:
        super().__init__()
        self.nh_parent: fib_info | None = None
        self.nh_tclassid = self.nh_saddr = 0
        self.nh_saddr_genid = -1


class fib_info:
    """What routes that differ only in their destination share."""

    _addr: int

    __slots__ = (
        "_addr", "fib_clntref", "fib_dead", "fib_flags", "fib_metrics", "fib_net", "fib_nh", "fib_prefsrc",
        "fib_priority",
        "fib_protocol", "fib_scope", "fib_tb_id", "fib_treeref", "fib_type", "pfsrc_removed",
    )  # fmt: skip

    def __init__(self) -> None:
        self.fib_net: net | None = None
        self.fib_treeref = self.fib_clntref = 0
        self.fib_flags = self.fib_dead = self.fib_protocol = self.fib_scope = self.fib_type = 0
        self.fib_prefsrc = self.fib_tb_id = self.fib_priority = 0
        self.pfsrc_removed = False
        self.fib_metrics: dict[int, int] | None = None  # RTAX_x → value; None is dst_default_metrics
        self.fib_nh: list[fib_nh] = []

    @property
    def fib_nhs(self) -> int:
        return len(self.fib_nh)


class fib_alias:
    """A route: a leaf of the trie holds a list of them, longest prefix first."""

    __slots__ = ("_addr", "fa_default", "fa_dscp", "fa_info", "fa_slen", "fa_state", "fa_type", "tb_id")

    def __init__(self, fa_info: fib_info, fa_dscp: int, fa_type: int, fa_slen: int, tb_id: int) -> None:
        self.fa_info = fa_info
        self.fa_dscp = fa_dscp
        self.fa_type = fa_type
        self.fa_state = 0
        self.fa_slen = fa_slen
        self.tb_id = tb_id
        self.fa_default = -1


FA_S_ACCESSED = 1


class fib_rt_info:
    """A route as a message describes it."""

    __slots__ = ("dscp", "dst", "dst_len", "fi", "tb_id", "type")

    def __init__(self, fi: fib_info, tb_id: int, dst: int, dst_len: int, dscp: int, type: int) -> None:
        self.fi = fi
        self.tb_id = tb_id
        self.dst = dst
        self.dst_len = dst_len
        self.dscp = dscp
        self.type = type


class fib_dump_filter:
    """What a dump of routes asks for."""

    __slots__ = ("dev", "dump_exceptions", "dump_routes", "filter_set", "flags", "protocol", "rt_type", "table_id")

    def __init__(self) -> None:
        self.table_id = self.protocol = self.rt_type = self.flags = 0
        self.dev: net_device | None = None
        self.filter_set = False
        self.dump_routes = self.dump_exceptions = True


class fib_table:
    """struct fib_table: tb_data is the trie."""

    __slots__ = ("_addr", "tb_data", "tb_id", "tb_num_default")

    def __init__(self, tb_id: int, tb_data: trie) -> None:
        self.tb_id = tb_id
        self.tb_num_default = 0
        self.tb_data = tb_data


class fib_result:
    """What a lookup found."""

    __slots__ = (
        "dscp", "fa_head", "fi", "nh_sel", "nhc", "prefix", "prefixlen", "scope", "table", "tclassid", "type",
    )  # fmt: skip

    def __init__(self) -> None:
        self.prefix = self.prefixlen = self.nh_sel = self.type = self.scope = self.tclassid = self.dscp = 0
        self.nhc: fib_nh_common | None = None
        self.fi: fib_info | None = None
        self.table: fib_table | None = None
        self.fa_head: list[fib_alias] | None = None


def fib_get_table(net: net, id: int) -> fib_table | None:
    """The table of that number; 0 means main."""
    return net.ipv4.fib_table_hash.get(id or RT_TABLE_MAIN)
