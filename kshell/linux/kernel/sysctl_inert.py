"""Settings that can be read and written but change nothing, each with the reason. For help, sysctl and the tests.

A key is the path below /proc/sys; `*` stands for any part of it, the name of a device for instance.
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Final

_NO_CORES = "no program dumps core"
_NO_CRASH = "an internal error ends one command, never the machine"
_NO_PAGING = "memory is not short and nothing is paged out"
_NO_LEASES = "files cannot be leased"
_NO_JIT = "filters are interpreted"
_NO_GRO = "packets are not merged on their way in"
_ONE_CPU = "there is one processor"
_NO_LIMIT = "messages of the network are not limited"
_NO_LABELS = "packets carry no security labels"
_NO_PEERS = "nothing is remembered of other hosts"
_NO_DEMUX = "packets are always routed before their socket is looked up"
_NO_OFFLOAD = "no device routes by itself"
_NO_L3MDEV = "there are no routing domains (VRF)"
_NO_IPSEC = "there is no IPsec"
_NO_GC = "the route cache has no collector since Linux 3.6"
_ENTROPY = "random numbers come from a seeded generator"
_OVERFLOW = "all user ids fit"

INERT: Final[Mapping[str, str]] = MappingProxyType({
    "fs/lease-break-time": _NO_LEASES, "fs/leases-enable": _NO_LEASES, "fs/suid_dumpable": _NO_CORES,
    "*/overflowuid": _OVERFLOW, "*/overflowgid": _OVERFLOW,
    "kernel/core_*": _NO_CORES, "kernel/ctrl-alt-del": "there is no keyboard",
    "kernel/dmesg_restrict": "there is no syslog(); dmesg is a command of kshell",
    "kernel/panic*": _NO_CRASH, "kernel/print-fatal-signals": _NO_CRASH,
    "kernel/poweroff_cmd": "the machine is not switched off",
    "kernel/printk*": "the log is kept whole and goes to no console",
    "kernel/random/*": _ENTROPY, "kernel/randomize_va_space": "addresses are the same in every run",
    "kernel/unprivileged_userns_clone": "there is one user namespace",
    "vm/*": _NO_PAGING,
    "net/core/bpf_jit_*": _NO_JIT, "net/core/busy_poll": "poll() does not ask devices",
    "net/core/fb_tunnels_only_for_init_net": "there are no tunnels",
    "net/core/flow_limit_*": _ONE_CPU, "net/core/gro_normal_batch": _NO_GRO,
    "net/core/high_order_alloc_disable": "memory has no page sizes", "net/core/max_skb_frags": "packets are whole",
    "net/core/mem_pcpu_rsv": _ONE_CPU, "net/core/message_*": _NO_LIMIT,
    "net/core/netdev_budget_usecs": "softirqs take no time", "net/core/netdev_rss_key": _ONE_CPU,
    "net/core/netdev_tstamp_prequeue": "a packet that comes in is stamped once",
    "net/core/netdev_unregister_timeout_secs": "devices that leave are not waited for",
    "net/core/rps_sock_flow_entries": _ONE_CPU, "net/core/skb_defer_max": _ONE_CPU,
    "net/core/tstamp_allow_data": "stamps of sent packets come back without the data",
    "net/core/dev_weight_tx_bias": "queues are emptied packet by packet",
    "net/core/warnings": _NO_LIMIT, "net/core/xfrm_*": _NO_IPSEC,
    "net/ipv4/cipso_*": _NO_LABELS,
    "net/ipv4/fib_notify_on_flag_change": _NO_OFFLOAD, "net/ipv4/fib_sync_mem": "no route waits to be freed",
    "net/ipv4/icmp_echo_enable_probe": "RFC 8335 is not answered",
    "net/ipv4/icmp_ignore_bogus_error_responses": "bogus answers are not logged",
    "net/ipv4/icmp_ratelimit": _NO_PEERS, "net/ipv4/inet_peer_*": _NO_PEERS,
    "net/ipv4/*_early_demux": _NO_DEMUX, "net/ipv4/*l3mdev_accept": _NO_L3MDEV,
    "net/ipv4/ipfrag_low_thresh": "unused since Linux 4.17", "net/ipv4/ipfrag_max_dist": _NO_PEERS,
    "net/ipv4/ipfrag_secret_interval": "unused since Linux 3.17",
    "net/ipv4/nexthop_compat_mode": "next hops are not objects of their own",
    "net/ipv4/route/gc_*": _NO_GC, "net/ipv4/route/max_size": _NO_GC,
    "net/ipv4/route/error_*": _NO_PEERS,
    "net/ipv4/tcp_child_ehash_entries": "namespaces share the table of connections",
    "net/ipv4/tcp_comp_sack_slack_ns": "timers fire when they should",
    "net/ipv4/tcp_migrate_req": "requests end with their listener",
    "net/ipv4/udp_wmem_min": "what is sent by UDP is charged to its socket alone",
    "net/ipv4/conf/*/disable_policy": _NO_IPSEC, "net/ipv4/conf/*/disable_xfrm": _NO_IPSEC,
    "net/ipv4/conf/*/src_valid_mark": "no policy rule asks for marks",
    "net/ipv4/tcp_fack": "unused since Linux 4.15", "net/ipv4/tcp_low_latency": "unused since Linux 4.14",
    "net/ipv4/tcp_probe_interval": "a smaller path MTU is not probed again",
    "net/ipv4/tcp_probe_threshold": "a smaller path MTU is not probed again",
    "net/ipv4/xfrm4_gc_thresh": _NO_IPSEC,
    "net/ipv4/conf/*/bootp_relay": "there is no relay",
    "net/ipv4/conf/*/tag": "for programs of the user",
    "net/ipv4/conf/*/force_igmp_version": "the version is that of the router that asks",
    "net/ipv4/conf/*/igmpv2_unsolicited_report_interval": "joins are reported by IGMPv3",
    "net/ipv4/neigh/*/interval_probe_time_ms": "managed neighbours are not probed",
    "net/ipv4/neigh/default/gc_interval": "old addresses are looked for by base_reachable_time",
    "net/ipv4/neigh/*/anycast_delay": "for IPv6",
    "net/ipv6/*": "IPv6 carries no packets", "net/mptcp/*": "there is no MPTCP", "net/netfilter/*": "there is no netfilter",
})  # fmt: skip


def _why_inert(path: str) -> str:
    """Why a setting (net/ipv4/tcp_fack) changes nothing; the empty string: it is live."""
    return next((reason for pattern, reason in INERT.items() if fnmatchcase(path, pattern)), "")
