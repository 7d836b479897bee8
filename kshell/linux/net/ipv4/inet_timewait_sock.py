"""TIME_WAIT sockets (net/ipv4/inet_timewait_sock.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.tcp import TCP_TIME_WAIT
from kshell.linux.include.linux.jiffies import HZ
from kshell.linux.include.linux.snmp import LINUX_MIB_TIMEWAITED, LINUX_MIB_TIMEWAITKILLED
from kshell.linux.include.linux.tcp import tcp_timewait_sock
from kshell.linux.kernel.module.main import __module_get, module_put
from kshell.linux.kernel.time.timer import mod_timer, timer_delete_sync, timer_list, timer_pending, timer_setup
from kshell.linux.mm.slub import kmem_cache_alloc, kmem_cache_free
from kshell.linux.net.core.sock_proto import sock_prot_inuse_add
from kshell.linux.net.ipv4 import inet_hashtables, inet_hashtables_bind

if TYPE_CHECKING:
    from kshell.linux.include.linux.tcp import tcp_sock
    from kshell.linux.include.net.inet_hashtables import inet_hashinfo
    from kshell.linux.include.net.inet_timewait_sock import inet_timewait_death_row, inet_timewait_sock


def inet_twsk_bind_unhash(tw: inet_timewait_sock, hashinfo: inet_hashinfo) -> None:
    """Give up the local port, if it is still held."""
    tb, tb2 = tw.tw_tb, tw.tw_tb2
    if tb is None:
        return
    del tb.owners[tw]
    tw.tw_tb = None
    inet_hashtables_bind.inet_bind_bucket_destroy(hashinfo.bind_bucket_cachep, tb)
    if tb2 is not None:
        del tb2.deathrow[tw]
        tw.tw_tb2 = None
        inet_hashtables_bind.inet_bind2_bucket_destroy(hashinfo.bind2_bucket_cachep, tb2)
    tw.tw_refcnt -= 1


def inet_twsk_kill(tw: inet_timewait_sock) -> None:
    """End TIME_WAIT: out of all tables."""
    hashinfo = tw.tw_dr.hashinfo
    if inet_hashtables._ehash_del(hashinfo, tw):
        tw.tw_refcnt -= 1
    inet_twsk_bind_unhash(tw, hashinfo)
    tw.tw_dr.tw_refcount -= 1
    inet_twsk_put(tw)


def inet_twsk_free(tw: inet_timewait_sock) -> None:
    """Free a TIME_WAIT socket without references."""
    prot = tw.tw_prot
    twsk_prot = prot.twsk_prot
    assert twsk_prot is not None
    twsk_prot.twsk_destructor(tw)
    kernel = tw.tw_net.kernel
    tw.tw_timer._owner = None
    kmem_cache_free(kernel.twsk_slab[twsk_prot], tw)
    module_put(prot.owner)


def inet_twsk_put(tw: inet_timewait_sock) -> None:
    """Drop a reference."""
    tw.tw_refcnt -= 1
    if not tw.tw_refcnt:
        inet_twsk_free(tw)


def inet_twsk_hashdance(tw: inet_timewait_sock, sk: tcp_sock, hashinfo: inet_hashinfo) -> None:
    """Put the TIME_WAIT socket in the connection's place in all tables."""
    tb, tb2 = sk.icsk_bind_hash, sk.icsk_bind2_hash
    assert tb is not None
    tw.tw_tb = tb
    tb.owners[tw] = None
    tw.tw_tb2 = tb2
    if tb2 is not None:
        tb2.deathrow[tw] = None
    hash_ = sk.skc_hash
    if inet_hashtables._ehash_del(hashinfo, sk):
        sock_prot_inuse_add(sk.skc_net, sk.skc_prot, -1)
    inet_hashtables._ehash_add(hashinfo, tw, hash_)
    tw.tw_refcnt = 3


def tw_timer_handler(timer: timer_list) -> None:
    """The time is up."""
    tw: inet_timewait_sock = timer._owner  # type: ignore[assignment]
    inet_twsk_kill(tw)


def inet_twsk_alloc(sk: tcp_sock, dr: inet_timewait_death_row, state: int) -> tcp_timewait_sock | None:
    """A TIME_WAIT (or FIN_WAIT2) socket for a connection; None when tcp_max_tw_buckets are in use."""
    if dr.tw_refcount - 1 >= dr.sysctl_max_tw_buckets:
        return None
    prot = sk.sk_prot_creator
    twsk_prot = prot.twsk_prot
    assert twsk_prot is not None
    tw = kmem_cache_alloc(sk.skc_net.kernel.twsk_slab[twsk_prot], tcp_timewait_sock)
    tw.tw_dr = dr
    tw.tw_daddr = sk.inet_daddr
    tw.tw_rcv_saddr = sk.inet_rcv_saddr
    tw.tw_bound_dev_if = sk.sk_bound_dev_if
    tw.tw_tos = sk.tos
    tw.tw_num = sk.inet_num
    tw.tw_state = TCP_TIME_WAIT
    tw.tw_substate = state
    tw.tw_sport = sk.inet_sport
    tw.tw_dport = sk.inet_dport
    tw.tw_family = sk.sk_family
    tw.tw_reuse = sk.sk_reuse
    tw.tw_reuseport = sk.sk_reuseport
    tw.tw_transparent = sk.transparent
    tw.tw_txhash = 0
    tw.tw_prot = prot
    tw.tw_net = sk.sk_net
    timer_setup(tw.tw_timer, tw_timer_handler, tw)
    __module_get(prot.owner)
    return tw


def inet_twsk_deschedule_put(tw: inet_timewait_sock) -> None:
    """End TIME_WAIT before its time, and drop the caller's reference."""
    if timer_delete_sync(tw.tw_timer):
        inet_twsk_kill(tw)
    inet_twsk_put(tw)


def __inet_twsk_schedule(tw: inet_timewait_sock, timeo: int, rearm: bool) -> None:
    """Start the timer of `timeo` jiffies, or start it anew while it runs."""
    kernel = tw.tw_net.kernel
    if not rearm:
        mib = LINUX_MIB_TIMEWAITKILLED if timeo <= 4 * HZ else LINUX_MIB_TIMEWAITED
        tw.tw_net.mib.net_statistics[mib] += 1
        mod_timer(kernel, tw.tw_timer, kernel.jiffies + timeo)
        tw.tw_dr.tw_refcount += 1
    elif timer_pending(tw.tw_timer):
        mod_timer(kernel, tw.tw_timer, kernel.jiffies + timeo)


def inet_twsk_schedule(tw: inet_timewait_sock, timeo: int) -> None:
    """Start the timer."""
    __inet_twsk_schedule(tw, timeo, False)


def inet_twsk_reschedule(tw: inet_timewait_sock, timeo: int) -> None:
    """Start the timer anew."""
    __inet_twsk_schedule(tw, timeo, True)
