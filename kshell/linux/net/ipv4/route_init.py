"""net/ipv4/route.c: the operations of routes, and the start of routing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.socket import AF_INET
from kshell.linux.include.linux.random import get_random_bytes
from kshell.linux.include.net.dst import dst_ops
from kshell.linux.include.net.net_namespace import pernet_operations
from kshell.linux.include.net.rtable import rt_cache_stat
from kshell.linux.mm.slab_common import kmem_cache_create
from kshell.linux.net.core.net_namespace import register_pernet_subsys
from kshell.linux.net.ipv4 import fib_frontend_dev, route_rtnl
from kshell.linux.net.ipv4.devinet import devinet_init
from kshell.linux.net.ipv4.ip_output import __ip_local_out
from kshell.linux.net.ipv4.route import (
    _RTABLE_SIZE,
    ipv4_default_advmss,
    ipv4_dst_check,
    ipv4_dst_destroy,
    ipv4_link_failure,
    ipv4_mtu,
    ipv4_negative_advice,
)
from kshell.linux.net.ipv4.route_pmtu import ip_rt_update_pmtu
from kshell.linux.net.ipv4.route_proc import ip_rt_proc_init
from kshell.linux.net.ipv4.route_sysctl import sysctl_route_ops
from kshell.linux.net.ipv4.xfrm4_policy import xfrm4_init
from kshell.linux.net.xfrm.xfrm_policy import xfrm_init

if TYPE_CHECKING:
    from kshell.linux.include.net.net_namespace import net as net_t
    from kshell.linux.init.kernel import Kernel

ipv4_dst_ops = dst_ops(
    family=AF_INET,
    check=ipv4_dst_check,
    default_advmss=ipv4_default_advmss,
    mtu=ipv4_mtu,
    destroy=ipv4_dst_destroy,
    negative_advice=ipv4_negative_advice,
    link_failure=ipv4_link_failure,
    update_pmtu=ip_rt_update_pmtu,
    local_out=__ip_local_out,
)


def rt_genid_init(net: net_t) -> None:
    """Start the generations anywhere."""
    net.ipv4.rt_genid = 0
    net.fnhe_genid = 0
    net.ipv4.dev_addr_genid = int.from_bytes(get_random_bytes(net.kernel, 4), "little")


def ipv4_inetpeer_init(net: net_t) -> None:
    """What is remembered of other hosts: the redirects they were sent."""
    net.ipv4.peers = {}


rt_genid_ops = pernet_operations(init=rt_genid_init)
ipv4_inetpeer_ops = pernet_operations(init=ipv4_inetpeer_init)


def ip_rt_init(kernel: Kernel) -> None:
    """Set up routing."""
    kernel.ip_idents = {}
    kernel.ipv4_dst_ops = ipv4_dst_ops
    kernel.rt_cache_stat = rt_cache_stat()
    kernel.ipv4_dst_cachep = kmem_cache_create(kernel, "ip_dst_cache", _RTABLE_SIZE)
    devinet_init(kernel)
    fib_frontend_dev.ip_fib_init(kernel)
    ip_rt_proc_init(kernel)
    xfrm_init(kernel)
    xfrm4_init(kernel)
    register_pernet_subsys(kernel, sysctl_route_ops)
    register_pernet_subsys(kernel, rt_genid_ops)
    register_pernet_subsys(kernel, ipv4_inetpeer_ops)
    route_rtnl._rtnl_init(kernel)
