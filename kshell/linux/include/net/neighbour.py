"""include/net/neighbour.h: the addresses of next hops."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kshell.abi.neighbour import (
    NUD_DELAY,
    NUD_INCOMPLETE,
    NUD_NOARP,
    NUD_NONE,
    NUD_PERMANENT,
    NUD_PROBE,
    NUD_REACHABLE,
    NUD_STALE,
)
from kshell.linux.include.linux.skbuff import sk_buff_head
from kshell.linux.kernel.time.timer import timer_list

if TYPE_CHECKING:
    from kshell.linux.include.linux.netdevice import net_device
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.linux.sysctl import ctl_table_header
    from kshell.linux.include.linux.workqueue import delayed_work
    from kshell.linux.include.net.net_namespace import net as net_t

NUD_IN_TIMER = NUD_INCOMPLETE | NUD_REACHABLE | NUD_DELAY | NUD_PROBE
NUD_VALID = NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE | NUD_PROBE | NUD_STALE | NUD_DELAY
NUD_CONNECTED = NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE

NEIGH_UPDATE_F_OVERRIDE = 0x01
NEIGH_UPDATE_F_WEAK_OVERRIDE = 0x02
NEIGH_UPDATE_F_USE = 0x10000000
NEIGH_UPDATE_F_EXT_LEARNED = 0x40000000
NEIGH_UPDATE_F_ADMIN = 0x80000000


NEIGH_VAR_MCAST_PROBES = 0
NEIGH_VAR_UCAST_PROBES = 1
NEIGH_VAR_APP_PROBES = 2
NEIGH_VAR_MCAST_REPROBES = 3
NEIGH_VAR_RETRANS_TIME = 4
NEIGH_VAR_BASE_REACHABLE_TIME = 5
NEIGH_VAR_DELAY_PROBE_TIME = 6
NEIGH_VAR_INTERVAL_PROBE_TIME_MS = 7
NEIGH_VAR_GC_STALETIME = 8
NEIGH_VAR_QUEUE_LEN_BYTES = 9
NEIGH_VAR_PROXY_QLEN = 10
NEIGH_VAR_ANYCAST_DELAY = 11
NEIGH_VAR_PROXY_DELAY = 12
NEIGH_VAR_LOCKTIME = 13
NEIGH_VAR_DATA_MAX = 14


class neigh_parms:
    """How a table treats the neighbours on one device; `data` is indexed by NEIGH_VAR_*."""

    def __init__(self, tbl: neigh_table, dev: net_device | None, data: list[int]) -> None:
        self.tbl = tbl
        self.dev = dev
        self.data = data
        self.reachable_time = data[NEIGH_VAR_BASE_REACHABLE_TIME]
        self.refcnt = 1
        self.dead = 0
        self.data_state = 0  # bit x: data[x] was set and no longer follows the default
        self.qlen = 0  # questions that wait in the table's proxy_queue
        self.sysctl_table: ctl_table_header | None = None


class neigh_ops:
    """How a neighbour in each state is sent to. Constant."""

    __slots__ = ("connected_output", "error_report", "family", "output", "solicit")

    def __init__(
        self,
        *,
        family: int,
        output: Callable[[neighbour, sk_buff], int],
        connected_output: Callable[[neighbour, sk_buff], int],
        solicit: Callable[[neighbour, sk_buff | None], None] | None = None,
        error_report: Callable[[neighbour, sk_buff], None] | None = None,
    ) -> None:
        self.family = family
        self.solicit = solicit
        self.error_report = error_report
        self.output = output
        self.connected_output = connected_output


class hh_cache:
    """The link header kept ready for a neighbour: here the header object that packets share."""

    __slots__ = ("hh_data", "hh_len")

    def __init__(self) -> None:
        self.hh_len = 0
        self.hh_data: object | None = None


class neighbour:
    """A next hop on a device. primary_key: the protocol address (IPv4: int in host order)."""

    __slots__ = (
        "_addr",
        "arp_queue",
        "arp_queue_len_bytes",
        "confirmed",
        "dead",
        "dev",
        "flags",
        "ha",
        "hh",
        "nud_state",
        "ops",
        "output",
        "parms",
        "primary_key",
        "probes",
        "protocol",
        "refcnt",
        "tbl",
        "timer",
        "type",
        "updated",
        "used",
    )  # fmt: skip
    _addr: int
    timer: timer_list
    ops: neigh_ops
    output: Callable[[neighbour, sk_buff], int]

    def __init__(self, tbl: neigh_table, dev: net_device, primary_key: int) -> None:
        self.tbl = tbl
        self.dev = dev
        self.primary_key = primary_key
        self.parms = tbl.parms
        self.confirmed = self.updated = self.used = self.arp_queue_len_bytes = self.probes = 0
        self.refcnt = 1
        self.arp_queue = sk_buff_head()
        self.timer = timer_list()
        self.nud_state = NUD_NONE
        self.type = self.dead = self.protocol = self.flags = 0
        self.ha = bytes(6)
        self.hh = hh_cache()


class pneigh_entry:
    """An address that we answer for: on a device, or (None) on all. permanent: also after the device has lost its link."""

    __slots__ = ("dev", "flags", "key", "net", "permanent", "protocol")

    def __init__(self, net: net_t, key: int, dev: net_device | None) -> None:
        self.net = net
        self.key = key
        self.dev = dev
        self.flags = self.protocol = 0
        self.permanent = False


LOCALLY_ENQUEUED = 0x1


class neighbour_cb:
    """What a question that waits says in its control block: until when (jiffies), and that it has waited."""

    __slots__ = ("flags", "sched_next")

    def __init__(self) -> None:
        self.sched_next = self.flags = 0


def NEIGH_CB(skb: sk_buff) -> neighbour_cb:
    """The control block, made when first asked for."""
    if not isinstance(skb.cb, neighbour_cb):
        skb.cb = neighbour_cb()
    return skb.cb


class neigh_statistics:
    """What happened to a table of neighbours."""

    __slots__ = (
        "allocs", "destroys", "forced_gc_runs", "hash_grows", "hits", "lookups", "periodic_gc_runs", "rcv_probes_mcast",
        "rcv_probes_ucast", "res_failed", "table_fulls", "unres_discards",
    )  # fmt: skip

    def __init__(self) -> None:
        self.allocs = self.destroys = self.hash_grows = self.lookups = self.hits = self.res_failed = 0
        self.rcv_probes_mcast = self.rcv_probes_ucast = self.periodic_gc_runs = self.forced_gc_runs = 0
        self.unres_discards = self.table_fulls = 0


class neigh_table:
    """The neighbours of one protocol. One a machine (kernel.arp_tbl): it holds state."""

    def __init__(
        self,
        *,
        family: int,
        key_len: int,
        protocol: int,
        constructor: Callable[[neighbour], None],
        id: str,
        parms_data: list[int],
        gc_interval: int,
        gc_thresh1: int,
        gc_thresh2: int,
        gc_thresh3: int,
        proxy_redo: Callable[[sk_buff], None] | None = None,
        is_multicast: Callable[[int], bool] | None = None,
    ) -> None:
        self.family = family
        self.key_len = key_len
        self.protocol = protocol
        self.constructor = constructor
        self.id = id
        self.parms = neigh_parms(self, None, parms_data)
        self.parms_list: list[neigh_parms] = [self.parms]
        self.gc_interval = gc_interval
        self.gc_thresh1 = gc_thresh1
        self.gc_thresh2 = gc_thresh2
        self.gc_thresh3 = gc_thresh3
        self.proxy_redo = proxy_redo
        self.proxy_timer = timer_list()
        self.proxy_queue = sk_buff_head()
        self.phash_buckets: list[pneigh_entry] = []
        self.is_multicast = is_multicast
        self.entries = self.gc_entries = self.last_flush = 0
        self.stats = neigh_statistics()
        self.gc_work: delayed_work | None = None
        self.nht: dict[tuple[int, net_device], neighbour] = {}


def neigh_parms_data_state_setall(p: neigh_parms) -> None:
    """No value follows the default any more."""
    p.data_state = (1 << NEIGH_VAR_DATA_MAX) - 1
