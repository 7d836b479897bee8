"""include/net/inet_timewait_sock.h: what stays of a connection after its socket is gone."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kshell.linux.include.net.sock import sock_common
from kshell.linux.kernel.time.timer import timer_list

if TYPE_CHECKING:
    from kshell.linux.include.net.inet_hashtables import inet_bind2_bucket, inet_bind_bucket, inet_hashinfo
    from kshell.linux.include.net.net_namespace import net
    from kshell.linux.include.net.sock import sock
    from kshell.linux.include.net.sock_proto import proto


class timewait_sock_ops:
    """A protocol's TIME_WAIT: its slab, and whether an old pair of ports may be used again."""

    __slots__ = ("twsk_destructor", "twsk_obj_size", "twsk_slab_name", "twsk_unique")

    def __init__(
        self,
        *,
        twsk_slab_name: str,
        twsk_obj_size: int,
        twsk_unique: Callable[[sock, inet_timewait_sock, bool], bool],
        twsk_destructor: Callable[[inet_timewait_sock], None],
    ) -> None:
        self.twsk_slab_name = twsk_slab_name
        self.twsk_obj_size = twsk_obj_size
        self.twsk_unique = twsk_unique
        self.twsk_destructor = twsk_destructor


class inet_timewait_death_row:
    """struct inet_timewait_death_row: a namespace's TIME_WAIT sockets, counted, and the tables they stand in."""

    __slots__ = ("hashinfo", "sysctl_max_tw_buckets", "tw_refcount")

    def __init__(self, hashinfo: inet_hashinfo, sysctl_max_tw_buckets: int) -> None:
        self.hashinfo = hashinfo
        self.sysctl_max_tw_buckets = sysctl_max_tw_buckets
        self.tw_refcount = 1


class inet_timewait_sock(sock_common):
    """struct inet_timewait_sock: the addresses and ports of a finished connection, and the timer that ends it."""

    __slots__ = (
        "__dict__",
        "skc_tw_dr",
        "skc_tw_rcv_nxt",
        "skc_tw_snd_nxt",
        "tw_rcv_wscale",
        "tw_sport",
        "tw_substate",
        "tw_tb",
        "tw_tb2",
        "tw_timer",
        "tw_tos",
        "tw_transparent",
        "tw_txhash",
    )
    tw_mark: int = 0
    tw_priority: int = 0
    tw_flowlabel: int = 0

    skc_tw_dr: inet_timewait_death_row
    skc_tw_rcv_nxt: int
    skc_tw_snd_nxt: int
    tw_rcv_wscale: int
    tw_sport: int  # __be16, host order
    tw_substate: int
    tw_tb: inet_bind_bucket | None
    tw_tb2: inet_bind2_bucket | None
    tw_timer: timer_list
    tw_tos: int
    tw_transparent: int
    tw_txhash: int
    if TYPE_CHECKING:
        tw_family: int
        tw_state: int
        tw_reuse: int
        tw_reuseport: int
        tw_bound_dev_if: int
        tw_refcnt: int
        tw_hash: int
        tw_prot: proto
        tw_net: net
        tw_daddr: int
        tw_rcv_saddr: int
        tw_dport: int
        tw_num: int
        tw_dr: inet_timewait_death_row
        tw_rcv_nxt: int
        tw_snd_nxt: int
    else:
        tw_family = sock_common.skc_family
        tw_state = sock_common.skc_state
        tw_reuse = sock_common.skc_reuse
        tw_reuseport = sock_common.skc_reuseport
        tw_bound_dev_if = sock_common.skc_bound_dev_if
        tw_refcnt = sock_common.skc_refcnt
        tw_hash = sock_common.skc_hash
        tw_prot = sock_common.skc_prot
        tw_net = sock_common.skc_net
        tw_daddr = sock_common.skc_daddr
        tw_rcv_saddr = sock_common.skc_rcv_saddr
        tw_dport = sock_common.skc_dport
        tw_num = sock_common.skc_num

    def __init__(self) -> None:
        super().__init__()
        self.tw_tb = self.tw_tb2 = None
        self.tw_timer = timer_list()


if not TYPE_CHECKING:
    inet_timewait_sock.tw_dr = inet_timewait_sock.skc_tw_dr
    inet_timewait_sock.tw_rcv_nxt = inet_timewait_sock.skc_tw_rcv_nxt
    inet_timewait_sock.tw_snd_nxt = inet_timewait_sock.skc_tw_snd_nxt
