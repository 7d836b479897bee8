"""The global variables of one booted kernel.

What Linux declares at file level (`net_families`, `tcp_hashinfo`, `jiffies`) is an attribute here, under
its own name and the name of its file, so that two kernels can live in one process. Each gets its value
in the init function that sets it up in Linux.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from kshell.linux.include.linux.random import Random

if TYPE_CHECKING:
    from kshell.linux.drivers.pci.pci_driver import pci_driver
    from kshell.linux.drivers.tty.tty_io import tty_struct
    from kshell.linux.fs.namei_nd import nameidata
    from kshell.linux.include.linux.cdev import cdev
    from kshell.linux.include.linux.cred import cred
    from kshell.linux.include.linux.dcache import dentry, qstr
    from kshell.linux.include.linux.eventpoll import epitems_head
    from kshell.linux.include.linux.fs import file, file_system_type, files_stat_struct, inode, super_block
    from kshell.linux.include.linux.fs_lock import file_lock
    from kshell.linux.include.linux.inetdevice import in_ifaddr
    from kshell.linux.include.linux.interrupt import irqaction
    from kshell.linux.include.linux.kernfs import kernfs_node
    from kshell.linux.include.linux.module import _module_file, module
    from kshell.linux.include.linux.mount import mnt_namespace, mount, mountpoint, vfsmount
    from kshell.linux.include.linux.net import net_proto_family
    from kshell.linux.include.linux.netdevice import net_device, packet_type, softnet_data
    from kshell.linux.include.linux.netlink import netlink_table
    from kshell.linux.include.linux.notifier import notifier_block
    from kshell.linux.include.linux.pci import pci_dev
    from kshell.linux.include.linux.proc_fs import proc_dir_entry
    from kshell.linux.include.linux.sched import pid_namespace, task_struct, user_namespace, uts_namespace
    from kshell.linux.include.linux.sock_diag import sock_diag_handler
    from kshell.linux.include.linux.sysctl import ctl_table_poll, ctl_table_root
    from kshell.linux.include.linux.tcp import tcp_sock
    from kshell.linux.include.linux.user import user_struct
    from kshell.linux.include.linux.wait import wait_queue_head
    from kshell.linux.include.linux.workqueue import delayed_work, work_struct, workqueue_struct
    from kshell.linux.include.net.af_unix import unix_sock
    from kshell.linux.include.net.dst import dst_ops
    from kshell.linux.include.net.inet_hashtables import inet_hashinfo
    from kshell.linux.include.net.inet_sock import inet_sock
    from kshell.linux.include.net.inet_timewait_sock import timewait_sock_ops
    from kshell.linux.include.net.ip_fib import fib_info, fib_nh
    from kshell.linux.include.net.neighbour import neigh_table, neighbour
    from kshell.linux.include.net.net_namespace import net, pernet_operations
    from kshell.linux.include.net.ping import ping_table
    from kshell.linux.include.net.protocol import inet_protosw, net_protocol
    from kshell.linux.include.net.raw import raw_hashinfo
    from kshell.linux.include.net.request_sock import request_sock_ops
    from kshell.linux.include.net.rtable import rt_cache_stat
    from kshell.linux.include.net.rtnetlink import rtnl_af_ops, rtnl_link, rtnl_link_ops
    from kshell.linux.include.net.sock import sock
    from kshell.linux.include.net.sock_proto import proto
    from kshell.linux.include.net.tcp import tcp_congestion_ops, tcp_ulp_ops
    from kshell.linux.include.net.udp import udp_table
    from kshell.linux.include.trace.events import Record
    from kshell.linux.lib.kobject import kobject
    from kshell.linux.mm.slub import kmem_cache
    from kshell.linux.net.netlink.genetlink import genl_family
    from kshell.linux.net.unix.garbage import unix_gc_state

HZ = 250
TICK_NSEC = 1_000_000_000 // HZ
INITIAL_JIFFIES = (1 << 32) - 300 * HZ  # Linux lets the 32-bit counter wrap five minutes after boot


class Event(Protocol):
    """Something that will happen: an entry of the clock's queue."""

    def cancel(self) -> None:
        """Take it out of the queue."""


class Clock(Protocol):
    """Virtual time, shared by all machines of a world."""

    now: int  # nanoseconds since the world began

    def call_at(self, when: int, function: Callable[[], None], newest_first: bool = ...) -> Event:
        """Have function called when `now` reaches when (ns)."""


class Kernel:
    """A booted Linux: its globals, its run queue, its observers."""

    def __init__(self, clock: Clock, seed: int = 0, epoch: int = 0) -> None:
        # the machine
        self.clock = clock
        self.random = Random(seed)
        self.boot_ns = clock.now  # clock time of power on
        self.epoch_ns = epoch  # wall clock time (ns since 1970) of power on
        self.listening = False
        self._handlers_run = False
        self._observers: tuple[Callable[[Record], None], ...] = ()

        # kernel/sched/core.c
        self.runqueue: deque[task_struct] = deque()
        self.current: task_struct
        self.init_task: task_struct
        self.nr_context_switches = 0

        # kernel/softirq.c
        self.softirq_vec: list[Callable[[Kernel], None] | None] = [None] * 10
        self.softirq_pending = 0
        self.in_serving_softirq = False
        self.softirq_counts = [0] * 10

        # kernel/rcu/tree.c
        self.rcu_callbacks: list[tuple[Callable[[object], None], object]] = []

        # kernel/workqueue.c
        self.system_wq: workqueue_struct

        # kernel/printk/printk.c: (ns since boot, level, text)
        self.log_buf: list[tuple[int, int, str]] = []

        # kernel/pid.c, kernel/fork.c, kernel/cred.c, kernel/user.c, init/version.c
        self.init_pid_ns: pid_namespace
        self.init_user_ns: user_namespace
        self.init_uts_ns: uts_namespace
        self.init_cred: cred
        self.tasklist: list[task_struct] = []
        self.nr_threads = 0
        self.total_forks = 0
        self.pid_max = 32768

        self.uid_cachep: kmem_cache
        self.uidhash_table: dict[int, user_struct] = {}

        # arch/x86/entry: interrupts a task that runs in user space, so that it looks at its signals
        self.kick_user_mode: Callable[[task_struct], None] = lambda task: None
        # called when an idle CPU gets something to do: a task that can run, an RCU callback
        self.kick_idle_cpu: Callable[[], None] | None = None
        self.panicked: str | None = None

        # net/netlink/af_netlink.c: by protocol; how many go through the table now
        self.nl_table: list[netlink_table] = []
        self.nl_table_users = 0
        self.nl_table_wait: wait_queue_head

        # net/netlink/genetlink.c: by id
        self.genl_fam_idr: dict[int, genl_family] = {}

        # net/core/rtnetlink.c: by (family, message type)
        self.rtnl_msg_handlers: dict[tuple[int, int], rtnl_link] = {}
        self.link_ops: dict[str, rtnl_link_ops] = {}
        # net/core/sock_diag.c, net/ipv4/inet_diag.c: by family; by protocol
        self.sock_diag_handlers: dict[int, sock_diag_handler] = {}
        self.inet_diag_table: dict[int, object] = {}
        self.rtnl_af_ops: dict[int, rtnl_af_ops] = {}

        # drivers/tty/tty_io.c
        self.console_tty: tty_struct

        # mm/slab_common.c
        self.slab_caches: list[kmem_cache] = []
        self.kmalloc_caches: dict[int, kmem_cache] = {}
        self._next_slab_page = 0xFFFF888003A10000
        self._slab_addresses = bytearray()  # unsigned long of every slab, ascending; and the cache that it belongs to
        self._slab_owners: list[kmem_cache] = []
        self.cred_jar: kmem_cache
        self.task_struct_cachep: kmem_cache
        self.signal_cachep: kmem_cache
        self.sighand_cachep: kmem_cache
        self.files_cachep: kmem_cache
        self.fs_cachep: kmem_cache
        self.mm_cachep: kmem_cache
        self.vm_area_cachep: kmem_cache
        self.nsproxy_cachep: kmem_cache
        self.pid_cachep: kmem_cache

        # fs/file_table.c, fs/file.c
        self.filp_cachep: kmem_cache
        self.files_stat: files_stat_struct
        self.sysctl_nr_open = 1024 * 1024
        self.delayed_fput_list: list[file] = []
        self.delayed_fput_work: work_struct
        self._pseudo_names: dict[str, qstr] = {}  # protocol names and their like, as qstr

        # fs/inode.c, fs/dcache.c
        self.inode_cachep: kmem_cache
        self.nr_inodes = 0
        self.last_ino = 0
        self.names_cachep: kmem_cache
        self.dentry_cache: kmem_cache
        self.dentry_hashtable: dict[tuple[dentry, bytes], dentry] = {}

        # fs/filesystems.c, fs/super.c
        self.file_systems: dict[str, file_system_type] = {}
        self.super_blocks: list[super_block] = []
        self.unnamed_dev_ida: set[int] = set()

        # fs/namei.c
        self.sysctl_protected_symlinks = 1
        self.sysctl_protected_hardlinks = 1
        self.sysctl_protected_fifos = 0
        self.sysctl_protected_regular = 0
        self._nameidata: nameidata | None = None  # current->nameidata

        # fs/namespace.c
        self.mnt_cache: kmem_cache
        self.mount_hashtable: dict[tuple[vfsmount, dentry], list[mount]] = {}
        self.mountpoint_hashtable: dict[dentry, mountpoint] = {}
        self.mnt_id_ida: set[int] = set()
        self.init_mnt_ns: mnt_namespace

        # fs/fcntl.c, fs/locks.c
        self.fasync_cache: kmem_cache
        self._blocked_locks: dict[file_lock, inode] = {}

        # fs/char_dev.c
        self.cdev_map: dict[int, cdev] = {}
        self.chrdevs: dict[int, str] = {}

        # fs/proc, fs/seq_file.c
        self.seq_file_cache: kmem_cache
        self.proc_root: proc_dir_entry
        self.proc_dir_entry_cache: kmem_cache
        self.proc_inode_cachep: kmem_cache
        self.proc_inum_ida: set[int] = set()

        # fs/proc/proc_sysctl.c, kernel/sysctl.c, kernel/utsname_sysctl.c, kernel/panic.c, drivers/char/random.c
        self.sysctl_table_root: ctl_table_root
        self.sysctl_writes_strict = 1
        self.hostname_poll: ctl_table_poll
        self.domainname_poll: ctl_table_poll
        self.tainted_mask = 0
        self.sysctl_bootid = ""
        self.modules_disabled = 0
        self.kptr_restrict = 0
        self.max_threads = 23104
        self.sysctl_mount_max = 100000
        self.sysctl_devconf_inherit_init_net = 0
        self.dev_weight_rx_bias = self.dev_weight_tx_bias = 1
        self.self_inum = 0
        self.thread_self_inum = 0

        # fs/kernfs, fs/sysfs, drivers/base, kernel/ksysfs.c, kernel/params.c, net/core/net-sysfs.c
        self.kernfs_last_id = 0
        self.sysfs_root: kernfs_node
        self.devices_kset: kobject
        self.virtual_device_parent: kobject
        self.class_kset: kobject
        self.kernel_kobj: kobject
        self.module_kset: kobject
        self.net_class: kobject

        # mm/shmem.c
        self.shmem_inode_cachep: kmem_cache
        self.shm_mnt: vfsmount

        # fs/nsfs.c
        self.nsfs_mnt: vfsmount

        # fs/pipe.c, fs/anon_inodes.c, fs/eventpoll.c, fs/eventfd.c
        self.pipe_mnt: vfsmount
        self.pipe_max_size = 1048576
        self.pipe_user_pages_soft = 16384
        self.pipe_user_pages_hard = 0
        self.anon_inode_mnt: vfsmount
        self.anon_inode_inode: inode
        self.epi_cache: kmem_cache
        self.pwq_cache: kmem_cache
        self.ephead_cache: kmem_cache
        self.max_user_watches = 0
        self.loop_check_gen = 0
        self.tfile_check_list: list[epitems_head] = []
        self.eventfd_ida = 0

        # net/unix/af_unix.c, net/unix/garbage.c
        self.unix_nr_socks = 0
        self.bsd_socket_buckets: list[dict[unix_sock, None] | None]
        self.unix_tot_inflight = 0
        self.unix_gc_state: unix_gc_state

        # net/core/net_namespace.c
        self.init_net: net
        self.net_cachep: kmem_cache
        self.pernet_list: list[pernet_operations] = []
        self.first_device: int | None = None  # where in pernet_list the devices begin
        self.net_namespace_list: list[net] = []
        self.net_cookie = 0
        self.ns_inum = 0

        # net/socket.c
        self.sock_mnt: vfsmount
        self.sock_inode_cachep: kmem_cache
        self.net_families: list[net_proto_family | None] = [None] * 46
        self.warned_pf_inet_packet = False

        # net/core/sock.c, sock_diag.c, sock_reuseport.c: limits in bytes; slabs by protocol
        self.sysctl_wmem_max = self.sysctl_rmem_max = 212992
        self.sysctl_wmem_default = self.sysctl_rmem_default = 212992
        self.sysctl_optmem_max = 20480
        self.sysctl_net_busy_read = self.sysctl_net_busy_poll = 0
        self.sysctl_tstamp_allow_data = 1
        self.proto_list: list[proto] = []
        self.proto_slab: dict[proto, kmem_cache] = {}
        self.rsk_slab: dict[request_sock_ops, kmem_cache] = {}
        self.twsk_slab: dict[timewait_sock_ops, kmem_cache] = {}
        self.socket_cookie = 0
        self.reuseport_ida = 0

        # net/core/skbuff.c
        self.skbuff_head_cache: kmem_cache
        self.skbuff_fclone_cache: kmem_cache
        self.skbuff_ext_cache: kmem_cache

        # net/core/dev.c, net/core/neighbour.c
        self.softnet_data: softnet_data
        self.ptype_all: list[packet_type] = []
        self.ptype_base: dict[int, list[packet_type]] = {}
        self.netdev_chain: list[notifier_block] = []
        self.netdev_max_backlog = 1000
        self.netdev_budget = 300
        self.weight_p = 64

        # net/core/dev.c: softnet_data.xmit.recursion
        self.xmit_recursion = 0

        # net/sched/sch_generic.c: the name of what devices with a queue get (CONFIG_DEFAULT_NET_SCH)
        self.default_qdisc_ops = "fq_codel"
        self.netstamp_needed = 0
        self.inet_gifconf: Callable[[net_device], list[bytes]] = lambda dev: []
        self.neigh_tables: dict[int, neigh_table] = {}
        self.neigh_notify: Callable[[neighbour, int, int, int], None] | None = None

        # net/ipv4/route.c: redirects
        self.ip_rt_redirect_load = HZ // 50
        self.ip_rt_redirect_number = 9
        self.ip_rt_redirect_silence = (HZ // 50) << 10

        # net/core/link_watch.c
        self.lweventlist: list[net_device] = []
        self.linkwatch_work: work_struct | None = None

        # net/core/netevent.c
        self.netevent_notif_chain: list[notifier_block] = []

        # kernel/irq/irqdesc.c: by number
        self.irq_desc: dict[int, irqaction] = {}

        # drivers/pci: devices that were plugged in, in order
        self.pci_devices: list[pci_dev] = []
        self.pci_drivers: list[pci_driver] = []

        # net/ipv4/af_inet.c, net/ipv4/protocol.c: by type; by number
        self.inetsw: list[list[inet_protosw]]
        self.inet_protos: dict[int, net_protocol] = {}

        # net/ipv4/route.c, fib_semantics.c, devinet.c, arp.c, inetpeer.c, ip_fragment.c, icmp.c
        self.ipv4_dst_ops: dst_ops
        self.ipv4_dst_cachep: kmem_cache
        self.rt_cache_stat: rt_cache_stat
        self.ip_idents: dict[int, tuple[int, int]] = {}
        self.fib_info_hash: dict[object, fib_info] = {}
        self.fib_info_devhash: dict[net_device, list[fib_nh]] = {}
        self.inet_addr_lst: dict[tuple[net, int], in_ifaddr] = {}
        self.inetaddr_chain: list[notifier_block] = []
        self.check_lifetime_work: delayed_work | None = None
        self.arp_tbl: neigh_table
        self.nd_tbl: neigh_table
        self.peer_cachep: kmem_cache
        self.frags_cachep: kmem_cache
        self.ipv4_icmp_sk: sock

        # net/ipv4/tcp.c, tcp_output.c, tcp_ipv4.c, tcp_cong.c, tcp_ulp.c, inet_hashtables.c, net/core/secure_seq.c
        self.tcp_hashinfo: inet_hashinfo
        self.sysctl_tcp_mem = [33864, 45153, 67728]
        self.sysctl_tcp_max_orphans = 16384
        self.tcp_memory_allocated = 0
        self.tcp_memory_pressure = 0
        self.tcp_sockets_allocated = 0
        self.tcp_orphan_count = 0
        self.table_perturb: list[int] = []
        self.tsq_tasklet: list[tcp_sock] = []
        self.ipv4_tcp_sk: inet_sock
        self.tcp_cong_list: list[tcp_congestion_ops] = []
        self.tcp_cong_allowed: set[str] = set()
        self.tcp_ulp_list: list[tcp_ulp_ops] = []
        self.net_secret = 0

        # net/ipv4/udp.c, udplite.c, raw.c, ping.c
        self.udp_table: udp_table
        self.udplite_table: udp_table
        self.sysctl_udp_mem = [0, 0, 0]
        self.udp_memory_allocated = self.udp_memory_per_cpu_fw_alloc = 0
        self.raw_v4_hashinfo: raw_hashinfo
        self.ping_table: ping_table
        self.ping_port_rover = 0

        # kernel/module/main.c, kernel/kmod.c: loaded modules by name; what can be loaded; who runs modprobe
        self.modules: dict[str, module] = {}
        self.module_files: tuple[_module_file, ...] = ()
        self.modprobe_path = "/sbin/modprobe"
        self.usermodehelper: Callable[[tuple[str, ...]], int] | None = None

    @property
    def jiffies(self) -> int:
        """Ticks of 4 ms; starts at INITIAL_JIFFIES, not wrapped (jiffies_64)."""
        return INITIAL_JIFFIES + (self.clock.now - self.boot_ns) // TICK_NSEC

    def observe(self, observer: Callable[[Record], None]) -> Callable[[], None]:
        """Have every record passed to observer; returns what ends that."""
        self._observers = (*self._observers, observer)
        self.listening = True

        def stop() -> None:
            self._observers = tuple(o for o in self._observers if o is not observer)
            self.listening = bool(self._observers)

        return stop

    def panic(self, text: str) -> None:
        """Stop for good (kernel/panic.c): every later system call is refused."""
        self.panicked = text
        self.log_buf.append((self.clock.now - self.boot_ns, 0, f"Kernel panic - not syncing: {text}"))

    def emit(self, record: Record) -> None:
        """Tell the observers. Callers check `listening` first, so that silence costs nothing."""
        for observer in self._observers:
            observer(record)
