"""net/core/net_namespace.c: network namespaces, and what is set up in each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EINVAL, ESRCH
from kshell.abi.sched import CLONE_NEWNET
from kshell.linux.fs import nsfs
from kshell.linux.fs.file_table import fput
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.proc_ns import get_proc_ns, ns_alloc_inum, proc_ns_operations
from kshell.linux.include.linux.random import get_random_u32
from kshell.linux.include.linux.workqueue import work_struct
from kshell.linux.include.net.net_namespace import get_net, net, pernet_operations
from kshell.linux.kernel.capability import _may_setns
from kshell.linux.kernel.pid import find_task_by_vpid
from kshell.linux.kernel.workqueue import schedule_work
from kshell.linux.mm.slab_common import kmem_cache_create
from kshell.linux.mm.slub import kmem_cache_alloc, kmem_cache_free
from kshell.linux.net.core import net_namespace_id

if TYPE_CHECKING:
    from kshell.linux.include.linux.ns_common import namespace
    from kshell.linux.include.linux.nsproxy import nsset
    from kshell.linux.include.linux.sched import task_struct, user_namespace
    from kshell.linux.init.kernel import Kernel

SIZEOF_NET = 4480
INIT_NET_ADDR = 0xFFFFFFFF82F42D80


def ops_init(ops: pernet_operations, net: net) -> None:
    """Let a subsystem set itself up in a namespace."""
    if ops.id and ops.size is not None:
        net.gen[ops.id] = ops.size()
    if ops.init is not None:
        ops.init(net)


def setup_net(net: net, user_ns: user_namespace) -> None:
    """Set up all subsystems in a new namespace."""
    kernel = net.kernel
    net.hash_mix = get_random_u32(kernel)
    kernel.net_cookie += 1
    net.net_cookie = kernel.net_cookie
    net.user_ns = user_ns
    done: list[pernet_operations] = []
    try:
        for ops in kernel.pernet_list:
            ops_init(ops, net)
            done.append(ops)
    except KernelError:
        for ops in reversed(done):
            ops_exit_list(ops, [net])
        raise
    kernel.net_namespace_list.append(net)


def ops_exit_list(ops: pernet_operations, nets: list[net]) -> None:
    """Let a subsystem tear itself down in namespaces that go."""
    for each in nets:
        if ops.exit is not None:
            ops.exit(each)
    if ops.exit_batch is not None:
        ops.exit_batch(nets)


def net_alloc(kernel: Kernel) -> net:
    """A namespace with nothing in it."""
    return kmem_cache_alloc(kernel.net_cachep, lambda: net(kernel))


def copy_net_ns(kernel: Kernel, flags: int, user_ns: user_namespace, old_net: net) -> net:
    """The namespace of a new task: the old one, or with CLONE_NEWNET a new one."""
    if not flags & CLONE_NEWNET:
        old_net.ns.count += 1
        return old_net
    new = net_alloc(kernel)
    setup_net(new, user_ns)
    return new


def put_net(net: net) -> None:
    """Drop a reference; the last one has the namespace cleaned up by a worker."""
    net.ns.count -= 1
    if not net.ns.count:
        __put_net(net)


def __put_net(net: net) -> None:
    """Nobody is in the namespace any more."""
    schedule_work(net.kernel, work_struct(cleanup_net, net))


async def cleanup_net(work: work_struct) -> None:
    """Tear a namespace down."""
    dead = work._owner
    assert isinstance(dead, net)
    kernel = dead.kernel
    kernel.net_namespace_list.remove(dead)
    net_namespace_id.unhash_nsid(dead)
    for ops in reversed(kernel.pernet_list):
        if ops.pre_exit is not None:
            ops.pre_exit(dead)
    for ops in reversed(kernel.pernet_list):
        ops_exit_list(ops, [dead])
    dead.gen.clear()
    kmem_cache_free(kernel.net_cachep, dead)


def __register_pernet_operations(kernel: Kernel, at: int, ops: pernet_operations) -> None:
    kernel.pernet_list.insert(at, ops)
    for each in kernel.net_namespace_list:
        ops_init(ops, each)


def register_pernet_operations(kernel: Kernel, at: int, ops: pernet_operations) -> None:
    """Set a subsystem up in every namespace, now and later; `at` is its place in the order."""
    __register_pernet_operations(kernel, at, ops)


def register_pernet_subsys(kernel: Kernel, ops: pernet_operations) -> None:
    """A subsystem, set up before all devices and torn down after them."""
    at = kernel.first_device if kernel.first_device is not None else len(kernel.pernet_list)
    register_pernet_operations(kernel, at, ops)
    if kernel.first_device is not None:
        kernel.first_device += 1


def register_pernet_device(kernel: Kernel, ops: pernet_operations) -> None:
    """A device, set up after all subsystems and torn down before them."""
    register_pernet_operations(kernel, len(kernel.pernet_list), ops)
    if kernel.first_device is None:
        kernel.first_device = len(kernel.pernet_list) - 1


def net_defaults_init_net(net: net) -> None:
    """net.core.somaxconn and txrehash begin with their defaults."""
    net.core.sysctl_somaxconn = 4096
    net.core.sysctl_txrehash = 1


net_defaults_ops = pernet_operations(init=net_defaults_init_net)


def net_defaults_init(kernel: Kernel) -> None:
    """Initcall: defaults of net.core."""
    register_pernet_subsys(kernel, net_defaults_ops)


def net_ns_net_init(net: net) -> None:
    """Give the namespace the number that /proc/PID/ns/net shows."""
    net.ns.ops = netns_operations
    net.ns.inum = ns_alloc_inum(net.kernel)


def netns_get(task: task_struct) -> net | None:
    """The namespace of a task, referenced."""
    return get_net(task.nsproxy.net_ns) if task.nsproxy is not None else None


def to_net_ns(ns: namespace) -> net:
    """The network namespace that this is."""
    assert isinstance(ns, net)
    return ns


def netns_put(ns: namespace) -> None:
    """Drop a reference."""
    put_net(to_net_ns(ns))


def netns_install(nsset: nsset, ns: namespace) -> None:
    """Have setns() change to this network. EPERM."""
    new, proxy = to_net_ns(ns), nsset.nsproxy
    _may_setns(new.kernel.current, new.user_ns, nsset)
    assert proxy is not None
    put_net(proxy.net_ns)
    proxy.net_ns = get_net(new)


def netns_owner(ns: namespace) -> user_namespace:
    """The user namespace it belongs to."""
    return to_net_ns(ns).user_ns


netns_operations = proc_ns_operations(
    name="net", type=CLONE_NEWNET, get=netns_get, put=netns_put, install=netns_install, owner=netns_owner
)


def get_net_ns_by_fd(current: task_struct, fd: int) -> net:
    """The namespace behind a descriptor of /proc/PID/ns/net, referenced. EBADF; EINVAL: it is none."""
    file = nsfs.proc_ns_fget(current, fd)
    ns = get_proc_ns(file.f_inode)
    fput(file)
    if not isinstance(ns, net):
        raise KernelError(EINVAL)
    return get_net(ns)


def get_net_ns_by_pid(current: task_struct, pid: int) -> net:
    """The namespace of a task, referenced. ESRCH."""
    task = find_task_by_vpid(current, pid)
    if task is None or task.nsproxy is None:
        raise KernelError(ESRCH)
    return get_net(task.nsproxy.net_ns)


net_ns_ops = pernet_operations(init=net_ns_net_init)


def _init_net_struct(kernel: Kernel) -> net:
    """The first namespace, which Linux links in; net_ns_init() sets it up."""
    init_net = net(kernel)
    init_net._addr = INIT_NET_ADDR
    return init_net


def net_ns_init(kernel: Kernel) -> None:
    """start_kernel(): the first namespace."""
    kernel.pernet_list = []
    kernel.first_device = None
    kernel.net_namespace_list = []
    kernel.net_cookie = 0
    kernel.net_cachep = kmem_cache_create(kernel, "net_namespace", SIZEOF_NET)
    setup_net(kernel.init_net, kernel.init_user_ns)
    register_pernet_subsys(kernel, net_ns_ops)
