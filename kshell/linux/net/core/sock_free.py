"""net/core/sock.c: the end of sockets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.linux.include.net.sock import SK_FLAGS_TIMESTAMP, SOCK_RCU_FREE, sock
from kshell.linux.kernel.cred import put_cred
from kshell.linux.kernel.module.main import module_put
from kshell.linux.kernel.pid import put_pid
from kshell.linux.kernel.rcu.tree import call_rcu
from kshell.linux.mm.slab_common import kfree
from kshell.linux.mm.slub import kmem_cache_free
from kshell.linux.net.core import filter as net_filter
from kshell.linux.net.core import net_namespace, sock_reuseport
from kshell.linux.net.core.sock_diag import sock_diag_has_destroy_listeners
from kshell.linux.security.security import security_sk_free

if TYPE_CHECKING:
    from kshell.linux.include.net.sock import sock_common
    from kshell.linux.include.net.sock_proto import proto

_RCU_FREE = 1 << SOCK_RCU_FREE


def sk_prot_free(prot: proto, sk: sock) -> None:
    """Give the struct back."""
    kernel = sk.skc_net.kernel
    slab = kernel.proto_slab.get(prot)
    security_sk_free(sk)
    if slab is not None:
        kmem_cache_free(slab, sk)
    else:
        kfree(kernel, sk, prot.obj_size)
    if prot.owner is not None:
        module_put(prot.owner)


def __sk_destruct(head: object) -> None:
    """The end of a socket to which nobody refers."""
    sk: sock = head  # type: ignore[assignment]
    sk.sk_destruct(sk)
    if sk.sk_filter is not None:
        net_filter.sk_filter_uncharge(sk, sk.sk_filter)
        sk.sk_filter = None
    if sk.skc_flags & SK_FLAGS_TIMESTAMP:
        sock_disable_timestamp(sk, SK_FLAGS_TIMESTAMP)
    if sk.sk_peer_cred is not None:
        put_cred(sk.skc_net.kernel, sk.sk_peer_cred)
        sk.sk_peer_cred = None
        if sk.sk_peer_pid is not None:
            put_pid(sk.skc_net.kernel, sk.sk_peer_pid)
            sk.sk_peer_pid = None
    if sk.sk_net_refcnt:
        ns = sk.skc_net.ns
        ns.count -= 1
        if not ns.count:
            net_namespace.__put_net(sk.skc_net)
    sk_prot_free(sk.sk_prot_creator, sk)


def sk_destruct(sk: sock) -> None:
    """Destroy a socket, after a grace period if readers may still find it."""
    use_call_rcu = sk.skc_flags & _RCU_FREE
    if sk.sk_reuseport_cb is not None:
        sock_reuseport.reuseport_detach_sock(sk)
        use_call_rcu = 1
    if use_call_rcu:
        call_rcu(sk.skc_net.kernel, __sk_destruct, sk)
    else:
        __sk_destruct(sk)


def __sk_free(sk: sock) -> None:
    """No packet and no reference is left."""
    if sk.sk_net_refcnt:
        sk.skc_net.core.prot_inuse.all -= 1
        sock_diag_has_destroy_listeners(sk)
    sk_destruct(sk)


def sk_free(sk: sock) -> None:
    """No reference is left; packets still on their way out keep the socket until they are gone."""
    sk.sk_wmem_alloc -= 1
    if not sk.sk_wmem_alloc:
        __sk_free(sk)


def sock_put(sk: sock_common) -> None:
    """Drop a reference; the last one frees the socket."""
    sk.skc_refcnt -= 1
    if not sk.skc_refcnt:
        sk_free(sk)  # type: ignore[arg-type]


def sock_disable_timestamp(sk: sock, flags: int) -> None:
    """Undo sock_enable_timestamp(); `flags` is a mask."""
    if sk.skc_flags & flags:
        sk.skc_flags &= ~flags
        if not sk.skc_flags & SK_FLAGS_TIMESTAMP:
            sk.skc_net.kernel.netstamp_needed -= 1
