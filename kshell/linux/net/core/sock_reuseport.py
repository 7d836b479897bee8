"""net/core/sock_reuseport.c: sockets that share a port, and how one of them is picked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EINVAL, ENOENT
from kshell.abi.tcp import TCP_ESTABLISHED
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.net.sock import sk_unhashed
from kshell.linux.net.core import filter_run

if TYPE_CHECKING:
    from kshell.linux.include.linux.filter import bpf_prog
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.net.sock import sock



class sock_reuseport:
    """A group of sockets bound to the same address and port with SO_REUSEPORT."""

    __slots__ = (
        "_addr",
        "bind_inany",
        "has_conns",
        "incoming_cpu",
        "prog",
        "reuseport_id",
        "socks",
        "synq_overflow_ts",
    )  # fmt: skip
    _addr: int

    def __init__(self) -> None:
        self.socks: list[sock] = []
        self.reuseport_id = 0
        self.bind_inany = self.has_conns = False
        self.prog: bpf_prog | None = None
        self.synq_overflow_ts = self.incoming_cpu = 0

    @property
    def num_socks(self) -> int:
        """Sockets that can be picked."""
        return len(self.socks)


def reuseport_has_conns_set(sk: sock) -> None:
    """A member has connected: lookups must compare more closely."""
    if sk.sk_reuseport_cb is not None:
        sk.sk_reuseport_cb.has_conns = True


def reuseport_has_conns(sk: sock) -> bool:
    """True if a member of the group is connected."""
    return sk.sk_reuseport_cb is not None and sk.sk_reuseport_cb.has_conns


def reuseport_alloc(sk: sock, bind_inany: bool) -> int:
    """A group of one."""
    group = sk.sk_reuseport_cb
    if group is not None:
        if bind_inany:
            group.bind_inany = bind_inany
        return 0
    kernel = sk.skc_net.kernel
    group = sock_reuseport()
    kernel.reuseport_ida += 1
    group.reuseport_id = kernel.reuseport_ida
    group.bind_inany = bind_inany
    group.socks.append(sk)
    sk.sk_reuseport_cb = group
    return 0


def reuseport_add_sock(sk: sock, sk2: sock, bind_inany: bool) -> int:
    """Have `sk` join the group of `sk2`."""
    if sk2.sk_reuseport_cb is None:
        reuseport_alloc(sk2, bind_inany)
    group = sk2.sk_reuseport_cb
    assert group is not None
    old = sk.sk_reuseport_cb
    if old is not None and sk in old.socks:
        old.socks.remove(sk)
    group.socks.append(sk)
    sk.sk_reuseport_cb = group
    return 0


def reuseport_detach_sock(sk: sock) -> None:
    """Leave the group for good; the last member's place is taken, as the kernel's array does it."""
    group = sk.sk_reuseport_cb
    if group is None:
        return
    sk.sk_reuseport_cb = None
    __reuseport_detach_sock(sk, group)


def __reuseport_detach_sock(sk: sock, group: sock_reuseport) -> bool:
    """Take a socket out of those that can be picked."""
    socks = group.socks
    if sk not in socks:
        return False
    at = socks.index(sk)
    socks[at] = socks[-1]
    socks.pop()
    return True


def reuseport_stop_listen_sock(sk: sock) -> None:
    """A listener is shut down: it is not picked any more."""
    reuseport_detach_sock(sk)


def reuseport_select_sock(sk: sock, hash: int, skb: sk_buff | None, hdr_len: int) -> sock | None:
    """The member for a packet: by the group's program, else by hash."""
    group = sk.sk_reuseport_cb
    if group is None or not group.socks:
        return None
    socks = group.socks
    if group.prog is not None and skb is not None:
        index = filter_run._bpf_prog_run(group.prog, skb)
        picked: sock | None = socks[index] if index < len(socks) else None
        return picked
    return reuseport_select_sock_by_hash(group, hash, len(socks))


def reuseport_select_sock_by_hash(group: sock_reuseport, hash: int, num_socks: int) -> sock | None:
    """The member at reciprocal_scale(hash), or the next that is not connected; members of this CPU come first."""
    start = hash * num_socks >> 32
    first_valid: sock | None = None
    for at in (*range(start, num_socks), *range(start)):
        sk: sock = group.socks[at]
        if sk.skc_state == TCP_ESTABLISHED:
            continue
        if not group.incoming_cpu or sk.sk_incoming_cpu == 0:
            return sk
        first_valid = first_valid or sk
    return first_valid


def reuseport_attach_prog(sk: sock, prog: bpf_prog) -> int:
    """Give the group a program."""
    if sk_unhashed(sk):
        if not sk.skc_reuseport:
            raise KernelError(EINVAL)
        reuseport_alloc(sk, False)
    group = sk.sk_reuseport_cb
    if group is None:
        raise KernelError(EINVAL)
    group.prog = prog
    return 0


def reuseport_detach_prog(sk: sock) -> int:
    """Take the group's program away. ENOENT: it has none; EINVAL: there is no group."""
    group = sk.sk_reuseport_cb
    if group is None:
        raise KernelError(ENOENT if sk.skc_reuseport else EINVAL)
    if group.prog is None:
        raise KernelError(ENOENT)
    group.prog = None
    return 0


def reuseport_update_incoming_cpu(sk: sock, val: int) -> None:
    """SO_INCOMING_CPU: which of a group's sockets takes packets of this CPU."""
    group = sk.sk_reuseport_cb
    if group is not None:
        group.incoming_cpu += (val >= 0) - (sk.sk_incoming_cpu >= 0)
    sk.sk_incoming_cpu = val
