"""net/bridge/br_fdb.c: which address lies behind which port."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.linux.include.linux.if_ether import is_valid_ether_addr
from kshell.linux.include.linux.jiffies import HZ
from kshell.linux.kernel.printk import printk
from kshell.linux.kernel.workqueue import INIT_DELAYED_WORK, schedule_delayed_work
from kshell.linux.net.bridge.br_private import _kernel, net_bridge, net_bridge_fdb_entry, net_bridge_port

if TYPE_CHECKING:
    from kshell.linux.include.linux.workqueue import work_struct


def has_expired(br: net_bridge, fdb: net_bridge_fdb_entry) -> bool:
    """True if the address was not seen for ageing_time."""
    return not fdb.is_static and fdb.updated + br.ageing_time <= _kernel(br).jiffies


def fdb_delete(br: net_bridge, f: net_bridge_fdb_entry) -> None:
    """Forget an address."""
    br.fdb.pop(f.addr, None)


def br_fdb_find_rcu(br: net_bridge, addr: bytes) -> net_bridge_fdb_entry | None:
    """What is known of an address."""
    return br.fdb.get(addr)


def fdb_create(br: net_bridge, source: net_bridge_port | None, addr: bytes, local: bool = False) -> net_bridge_fdb_entry:
    """Note an address; a worker forgets it when it is old."""
    kernel = _kernel(br)
    fdb = br.fdb[addr] = net_bridge_fdb_entry(addr, source, kernel.jiffies, local)
    if not local:
        if br.gc_work is None:
            br.gc_work = INIT_DELAYED_WORK(kernel, br_fdb_cleanup, br)
        schedule_delayed_work(kernel, br.gc_work, br.ageing_time)
    return fdb


def fdb_add_local(br: net_bridge, source: net_bridge_port | None, addr: bytes) -> None:
    """Note an address of the bridge's own, or of a port's device."""
    if not is_valid_ether_addr(addr):
        return
    fdb = br_fdb_find_rcu(br, addr)
    if fdb is not None:
        if fdb.is_local:
            return
        name = source.dev.name if source is not None else br.dev.name
        printk(_kernel(br), f"{br.dev.name}: adding interface {name} with same address as a received packet "
                            f"(addr:{addr.hex(':')}, vlan:0)")  # fmt: skip
        fdb_delete(br, fdb)
    fdb_create(br, source, addr, True)


def br_fdb_update(br: net_bridge, source: net_bridge_port, addr: bytes) -> None:
    """A frame from `addr` came in by a port: learn it."""
    if not br.ageing_time:
        return
    fdb = br_fdb_find_rcu(br, addr)
    if fdb is None:
        fdb_create(br, source, addr)
    elif fdb.is_local:
        printk(_kernel(br), f"{br.dev.name}: received packet on {source.dev.name} with own address as source address "
                            f"(addr:{addr.hex(':')}, vlan:0)", 4)  # fmt: skip
    else:
        fdb.updated = _kernel(br).jiffies
        fdb.dst = source


async def br_fdb_cleanup(work: work_struct) -> None:
    """Work: forget what is old; come again when the next gets old."""
    br = work._owner
    assert isinstance(br, net_bridge)
    kernel = _kernel(br)
    delay = 0
    for fdb in list(br.fdb.values()):
        if has_expired(br, fdb):
            fdb_delete(br, fdb)
        elif not fdb.is_static:
            left = fdb.updated + br.ageing_time - kernel.jiffies
            delay = min(delay or left, left)
    if delay and br.gc_work is not None:
        schedule_delayed_work(kernel, br.gc_work, max(delay, HZ // 100))


def br_fdb_delete_by_port(br: net_bridge, p: net_bridge_port | None, do_all: bool) -> None:
    """Forget what lies behind a port; with do_all also its own address."""
    for fdb in list(br.fdb.values()):
        if fdb.dst is p and (do_all or not fdb.is_static):
            fdb_delete(br, fdb)


def br_fdb_changeaddr(p: net_bridge_port, newaddr: bytes) -> None:
    """A port's device has another address."""
    br = p.br
    for fdb in list(br.fdb.values()):
        if fdb.dst is p and fdb.is_local:
            fdb_delete(br, fdb)
    fdb_add_local(br, p, newaddr)


def br_fdb_change_mac_address(br: net_bridge, newaddr: bytes) -> None:
    """The bridge has another address."""
    fdb = br_fdb_find_rcu(br, br.dev.dev_addr)
    if fdb is not None and fdb.is_local and fdb.dst is None:
        fdb_delete(br, fdb)
    fdb_add_local(br, None, newaddr)
