"""net/core/sock.c: the registry of protocols, and how many sockets each has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.linux.include.net.net_namespace import pernet_operations
from kshell.linux.mm.slab_common import kmem_cache_create_usercopy, kmem_cache_destroy
from kshell.linux.net.core.net_namespace import register_pernet_subsys

if TYPE_CHECKING:
    from kshell.linux.include.net.net_namespace import net
    from kshell.linux.include.net.sock_proto import proto
    from kshell.linux.init.kernel import Kernel


def sock_prot_inuse_add(net: net, prot: proto, val: int) -> None:
    """Count sockets of a protocol that are in its hash table."""
    counts = net.core.prot_inuse.val
    counts[prot] = counts.get(prot, 0) + val


def sock_prot_inuse_get(net: net, prot: proto) -> int:
    """Sockets of a protocol that are in its hash table."""
    return net.core.prot_inuse.val.get(prot, 0)


def sock_inuse_get(net: net) -> int:
    """Sockets of the namespace."""
    return net.core.prot_inuse.all


def sock_inuse_init_net(net: net) -> None:
    """A namespace comes: no socket is in it."""


net_inuse_ops = pernet_operations(init=sock_inuse_init_net)


def net_inuse_init(kernel: Kernel) -> None:
    """Initcall: counts of sockets."""
    register_pernet_subsys(kernel, net_inuse_ops)


def proto_register(kernel: Kernel, prot: proto, alloc_slab: int) -> None:
    """Make a protocol known, with a slab of its own if `alloc_slab`."""
    if alloc_slab:
        kernel.proto_slab[prot] = kmem_cache_create_usercopy(kernel, prot.name, prot.obj_size)
        if prot.rsk_prot is not None:
            req_prot_init(kernel, prot)
        if prot.twsk_prot is not None:
            tw_prot_init(kernel, prot)
    kernel.proto_list.insert(0, prot)


def req_prot_init(kernel: Kernel, prot: proto) -> None:
    """The slab of a protocol's request sockets."""
    rsk_prot = prot.rsk_prot
    assert rsk_prot is not None
    kernel.rsk_slab[rsk_prot] = kmem_cache_create_usercopy(kernel, f"request_sock_{prot.name}", rsk_prot.obj_size)


def tw_prot_init(kernel: Kernel, prot: proto) -> None:
    """The slab of a protocol's TIME_WAIT sockets."""
    twsk_prot = prot.twsk_prot
    assert twsk_prot is not None
    kernel.twsk_slab[twsk_prot] = kmem_cache_create_usercopy(kernel, f"tw_sock_{prot.name}", twsk_prot.twsk_obj_size)


def proto_unregister(kernel: Kernel, prot: proto) -> None:
    """Forget a protocol."""
    kernel.proto_list.remove(prot)
    slab = kernel.proto_slab.pop(prot, None)
    if slab is not None:
        kmem_cache_destroy(kernel, slab)
