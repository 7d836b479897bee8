"""Every live setting of net/core, net/ipv4 and net/unix: changing it changes what happens.

A row: the setting, another value, the scene in which it shows, other settings that must hold for it to show. A scene is
a script under sysctl/; at `# SET` the settings are made on every host that has them. What is compared: the results of
the calls, what programs print, and each packet that leaves a device, with its bytes, mark, priority and time.
"""

from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

import pytest

from kshell.linux.fs.proc.proc_sysctl import _sysctl_entry, _sysctl_set
from kshell.linux.include.linux.sysctl import ctl_dir
from kshell.linux.include.trace.events import NetDevXmit
from kshell.linux.kernel.sysctl_inert import _why_inert
from kshell.linux.net.core.skbuff_bytes import _skb_to_bytes
from kshell.session import events as ev
from kshell.session.pieces import pieces
from kshell.session.session import Session
from kshell.world.machine import Machine

SCENES = Path(__file__).parent / "sysctl"

ROWS = [
    ("core/busy_read", "50", "options", {}),
    ("core/dev_weight", "1", "echo", {"core/netdev_budget": "2"}),
    ("core/dev_weight_rx_bias", "64", "echo", {"core/netdev_budget": "2", "core/dev_weight": "1"}),
    ("core/netdev_budget", "1", "echo", {"core/dev_weight": "1"}),
    ("core/netdev_max_backlog", "1", "echo", {}),
    ("core/optmem_max", "10", "options", {}),
    ("core/rmem_default", "100000", "options", {}),
    ("core/rmem_max", "100000", "options", {}),
    ("core/somaxconn", "0", "backlog", {}),
    ("core/txrehash", "0", "options", {}),
    ("core/wmem_default", "100000", "options", {}),
    ("core/wmem_max", "100000", "options", {}),
    ("ipv4/conf/all/accept_local", "1", "router", {}),
    ("ipv4/conf/all/accept_source_route", "1", "router", {}),
    ("ipv4/conf/all/arp_accept", "1", "arp", {}),
    ("ipv4/conf/all/arp_announce", "2", "arp", {}),
    ("ipv4/conf/all/arp_evict_nocarrier", "0", "veth", {}),
    ("ipv4/conf/all/arp_filter", "1", "arp", {}),
    ("ipv4/conf/all/arp_ignore", "1", "arp", {}),
    ("ipv4/conf/all/arp_notify", "1", "veth", {}),
    ("ipv4/conf/all/drop_gratuitous_arp", "1", "arp", {}),
    ("ipv4/conf/all/drop_unicast_in_l2_multicast", "1", "addrs", {}),
    ("ipv4/conf/all/ignore_routes_with_linkdown", "1", "veth", {}),
    ("ipv4/conf/all/log_martians", "1", "router", {}),
    ("ipv4/conf/all/promote_secondaries", "1", "addrs", {}),
    ("ipv4/conf/all/proxy_arp", "1", "arp", {"ipv4/ip_forward": "1"}),
    ("ipv4/conf/all/route_localnet", "1", "router", {}),
    ("ipv4/conf/all/rp_filter", "1", "router", {}),
    ("ipv4/conf/all/secure_redirects", "0", "redirect",
     {"ipv4/conf/eth0/secure_redirects": "0", "ipv4/conf/eth0/shared_media": "0", "ipv4/conf/all/shared_media": "0"}),
    ("ipv4/conf/all/send_redirects", "0", "redirect", {"ipv4/conf/eth0/send_redirects": "0"}),
    ("ipv4/conf/all/shared_media", "0", "redirect", {"ipv4/conf/eth0/shared_media": "0"}),
    ("ipv4/conf/default/igmpv3_unsolicited_report_interval", "5000", "igmp", {}),
    ("ipv4/conf/eth0/accept_redirects", "0", "redirect", {"ipv4/conf/all/accept_redirects": "0"}),
    ("ipv4/conf/eth0/bc_forwarding", "1", "router", {"ipv4/conf/all/bc_forwarding": "1"}),
    ("ipv4/conf/eth0/forwarding", "0", "router", {}),
    ("ipv4/fwmark_reflect", "1", "marks", {}),
    ("ipv4/icmp_echo_ignore_all", "1", "icmp", {}),
    ("ipv4/icmp_echo_ignore_broadcasts", "0", "icmp", {}),
    ("ipv4/icmp_errors_use_inbound_ifaddr", "1", "router", {}),
    ("ipv4/icmp_msgs_burst", "0", "nobody", {}),
    ("ipv4/icmp_msgs_per_sec", "1", "icmp", {}),
    ("ipv4/icmp_ratemask", "0", "frag", {}),
    ("ipv4/igmp_link_local_mcast_reports", "0", "groups", {}),
    ("ipv4/igmp_max_memberships", "1", "options", {}),
    ("ipv4/igmp_max_msf", "1", "igmp", {}),
    ("ipv4/igmp_qrv", "4", "igmp", {}),
    ("ipv4/ip_autobind_reuse", "1", "ports", {"ipv4/ip_local_port_range": "2000 2001"}),
    ("ipv4/ip_default_ttl", "32", "options", {}),
    ("ipv4/ip_dynaddr", "1", "dynaddr", {}),
    ("ipv4/ip_forward", "0", "router", {}),
    ("ipv4/ip_forward_update_priority", "0", "router", {}),
    ("ipv4/ip_forward_use_pmtu", "1", "chain", {}),
    ("ipv4/ip_local_port_range", "2000 2100", "options", {}),
    ("ipv4/ip_local_reserved_ports", "1024-60000", "options", {}),
    ("ipv4/ip_no_pmtu_disc", "1", "options", {}),
    ("ipv4/ip_nonlocal_bind", "1", "options", {}),
    ("ipv4/ip_unprivileged_port_start", "80", "options", {}),
    ("ipv4/ipfrag_high_thresh", "1000", "frag", {"ipv4/ipfrag_low_thresh": "0"}),
    ("ipv4/ipfrag_time", "5", "frag", {}),
    ("ipv4/neigh/default/gc_thresh1", "0", "arp", {}),
    ("ipv4/neigh/default/gc_thresh2", "1", "many", {}),
    ("ipv4/neigh/default/gc_thresh3", "3", "many", {"ipv4/neigh/default/gc_thresh2": "1"}),
    ("ipv4/neigh/eth0/app_solicit", "2", "neigh", {}),
    ("ipv4/neigh/eth0/base_reachable_time", "2", "neigh", {}),
    ("ipv4/neigh/eth0/base_reachable_time_ms", "2000", "neigh", {}),
    ("ipv4/neigh/eth0/delay_first_probe_time", "1", "neigh", {}),
    ("ipv4/neigh/eth0/gc_stale_time", "1000", "neigh", {"ipv4/neigh/default/gc_thresh1": "0"}),
    ("ipv4/neigh/eth0/locktime", "0", "arp", {}),
    ("ipv4/neigh/eth0/mcast_resolicit", "2", "neigh", {}),
    ("ipv4/neigh/eth0/mcast_solicit", "1", "neigh", {}),
    ("ipv4/neigh/eth0/retrans_time", "30", "neigh", {}),
    ("ipv4/neigh/eth0/retrans_time_ms", "300", "neigh", {}),
    ("ipv4/neigh/eth0/ucast_solicit", "1", "neigh", {}),
    ("ipv4/neigh/eth0/unres_qlen", "1", "half", {}),
    ("ipv4/neigh/eth0/unres_qlen_bytes", "2000", "half", {}),
    ("ipv4/ping_group_range", "0 2000", "options", {}),
    ("ipv4/route/min_adv_mss", "2000", "half", {}),
    ("ipv4/route/min_pmtu", "1200", "router", {}),
    ("ipv4/route/mtu_expires", "1", "router", {}),
    ("ipv4/route/redirect_load", "1000", "redirect", {}),
    ("ipv4/route/redirect_number", "1", "redirect", {}),
    ("ipv4/route/redirect_silence", "1", "redirect",
     {"ipv4/route/redirect_number": "1", "ipv4/conf/all/accept_redirects": "0", "ipv4/conf/eth0/accept_redirects": "0"}),
    ("ipv4/tcp_abort_on_overflow", "1", "crowd", {}),
    ("ipv4/tcp_adv_win_scale", "3", "half", {}),
    ("ipv4/tcp_allowed_congestion_control", "cubic", "options", {}),
    ("ipv4/tcp_app_win", "2", "back", {}),
    ("ipv4/tcp_autocorking", "0", "slow", {}),
    ("ipv4/tcp_base_mss", "600", "exchange", {"ipv4/tcp_mtu_probing": "2"}),
    ("ipv4/tcp_challenge_ack_limit", "0", "oow", {"ipv4/tcp_invalid_ratelimit": "0"}),
    ("ipv4/tcp_comp_sack_delay_ns", "0", "loss", {}),
    ("ipv4/tcp_comp_sack_nr", "0", "loss", {}),
    ("ipv4/tcp_congestion_control", "reno", "options", {}),
    ("ipv4/tcp_dsack", "0", "back", {}),
    ("ipv4/tcp_early_retrans", "0", "back", {}),
    ("ipv4/tcp_ecn", "1", "wait", {}),
    ("ipv4/tcp_ecn_fallback", "0", "nobody", {"ipv4/tcp_ecn": "1"}),
    ("ipv4/tcp_fastopen", "3", "fastopen", {}),
    ("ipv4/tcp_fastopen_key", "1-2-3-4", "fastopen", {"ipv4/tcp_fastopen": "3"}),
    ("ipv4/tcp_fin_timeout", "20", "options", {}),
    ("ipv4/tcp_frto", "0", "back", {"ipv4/tcp_timestamps": "0", "ipv4/tcp_dsack": "0"}),
    ("ipv4/tcp_fwmark_accept", "1", "marks", {}),
    ("ipv4/tcp_invalid_ratelimit", "0", "oow", {}),
    ("ipv4/tcp_keepalive_intvl", "5", "options", {}),
    ("ipv4/tcp_keepalive_probes", "2", "options", {}),
    ("ipv4/tcp_keepalive_time", "60", "options", {}),
    ("ipv4/tcp_limit_output_bytes", "1000", "loss", {}),
    ("ipv4/tcp_max_orphans", "0", "wait", {}),
    ("ipv4/tcp_max_syn_backlog", "1", "half", {"ipv4/tcp_syncookies": "0"}),
    ("ipv4/tcp_max_tw_buckets", "0", "wait", {}),
    ("ipv4/tcp_mem", "0 0 1", "back", {}),
    ("ipv4/tcp_min_rtt_wlen", "0", "slow", {}),
    ("ipv4/tcp_min_snd_mss", "1000", "vanish", {"ipv4/tcp_mtu_probing": "1"}),
    ("ipv4/tcp_min_tso_segs", "20", "back", {}),
    ("ipv4/tcp_moderate_rcvbuf", "0", "exchange", {}),
    ("ipv4/tcp_mtu_probe_floor", "600", "vanish", {"ipv4/tcp_mtu_probing": "1"}),
    ("ipv4/tcp_mtu_probing", "1", "back", {}),
    ("ipv4/tcp_no_metrics_save", "1", "metrics", {"ipv4/tcp_no_ssthresh_metrics_save": "0"}),
    ("ipv4/tcp_no_ssthresh_metrics_save", "0", "metrics", {}),
    ("ipv4/tcp_notsent_lowat", "1000", "exchange", {}),
    ("ipv4/tcp_orphan_retries", "2", "vanish", {}),
    ("ipv4/tcp_pacing_ca_ratio", "50", "loss", {}),
    ("ipv4/tcp_pacing_ss_ratio", "100", "back", {}),
    ("ipv4/tcp_recovery", "0", "loss", {}),
    ("ipv4/tcp_reflect_tos", "1", "exchange", {}),
    ("ipv4/tcp_reordering", "6", "back", {}),
    ("ipv4/tcp_retrans_collapse", "0", "vanish", {}),
    ("ipv4/tcp_retries1", "1", "vanish", {"ipv4/tcp_mtu_probing": "1"}),
    ("ipv4/tcp_retries2", "5", "back", {}),
    ("ipv4/tcp_rmem", "4096 30000 40000", "options", {}),
    ("ipv4/tcp_sack", "0", "wait", {}),
    ("ipv4/tcp_shrink_window", "1", "wait", {}),
    ("ipv4/tcp_slow_start_after_idle", "0", "back", {}),
    ("ipv4/tcp_stdurg", "1", "exchange", {}),
    ("ipv4/tcp_syn_retries", "2", "options", {}),
    ("ipv4/tcp_synack_retries", "1", "half", {}),
    ("ipv4/tcp_syncookies", "2", "half", {}),
    ("ipv4/tcp_thin_linear_timeouts", "1", "back", {}),
    ("ipv4/tcp_timestamps", "0", "wait", {}),
    ("ipv4/tcp_tso_rtt_log", "20", "slow", {}),
    ("ipv4/tcp_tso_win_divisor", "1", "loss", {}),
    ("ipv4/tcp_tw_reuse", "0", "again", {"ipv4/ip_local_port_range": "2000 2000"}),
    ("ipv4/tcp_window_scaling", "0", "wait", {}),
    ("ipv4/tcp_wmem", "4096 30000 40000", "options", {}),
    ("ipv4/tcp_workaround_signed_windows", "1", "wait", {}),
    ("ipv4/udp_mem", "0 0 0", "frag", {}),
    ("ipv4/udp_mem", "0 0 0", "pressure", {}),
    ("ipv4/udp_rmem_min", "100000", "pressure", {"ipv4/udp_mem": "0 0 100000"}),
    ("unix/max_dgram_qlen", "1", "dgram", {}),
]  # fmt: skip

# Live settings that another test shows, or that no scene shows yet.
ELSEWHERE = {
    "net/core/default_qdisc": "tests/world/test_topology.py",
    "net/core/devconf_inherit_init_net": "tests/linux/fs/proc/test_proc_sysctl.py",
    "net/ipv4/fib_multipath_use_neigh": "tests/linux/net/ipv4/test_fib_multipath.py",
    "net/ipv4/fib_multipath_hash_policy": "tests/linux/net/ipv4/test_fib_multipath.py",
    "net/ipv4/fib_multipath_hash_fields": "tests/linux/net/ipv4/test_fib_multipath.py",
    "net/ipv4/conf/all/medium_id": "tests/linux/net/ipv4/test_arp_proxy.py",
    "net/ipv4/conf/all/proxy_arp_pvlan": "tests/linux/net/ipv4/test_arp_proxy.py",
    "net/ipv4/neigh/eth0/proxy_delay": "tests/linux/net/ipv4/test_arp_proxy.py",
    "net/ipv4/neigh/eth0/proxy_qlen": "tests/linux/net/ipv4/test_arp_proxy.py",
    "net/ipv4/route/flush": "tests/linux/fs/proc/test_proc_sysctl.py",
    "net/ipv4/tcp_fastopen_blackhole_timeout_sec": "tests/linux/net/ipv4/test_tcp_fastopen.py",
    "net/ipv4/tcp_rfc1337": "tests/linux/net/ipv4/test_tcp_bytes.py",
    "net/ipv4/tcp_max_reordering": "needs a link that changes the order of packets",
}


class Scene:
    """A script that runs and is watched from `# SET` on."""

    def __init__(self, script, settings):
        self.session = Session(Machine(seed=0))
        self.settings = settings
        self.seen = []
        for piece in pieces((SCENES / f"{script}.ks").read_text()):
            if not piece.comment:
                self.command(piece.text)
            elif piece.text.strip() == "# SET":
                self.watch()

    def command(self, text):
        for event in self.session.run(text, "scene"):
            assert not isinstance(event, ev.Error | ev.Oops), f"{text}: {event}"
            if isinstance(event, ev.CallFinished | ev.Output):
                self.seen.append((event.time // 1000, event.text))

    def watch(self):
        machines = self.session.machines
        for path, value in self.settings:
            hosts = [machine for machine in machines.values() if has(machine.kernel, path)]
            assert hosts, path
            for machine in hosts:
                _sysctl_set(machine.kernel, path, value)
        for name, machine in machines.items():
            machine.kernel.observe(lambda record, name=name, machine=machine: self.packet(record, name, machine))

    def packet(self, record, name, machine):
        if isinstance(record, NetDevXmit):
            skb = record.skb
            self.seen.append((machine.clock.now // 1000, name, record.dev, skb.mark, skb.priority, _skb_to_bytes(skb)))


def has(kernel, path):
    try:
        _sysctl_entry(kernel, path)
    except KeyError:
        return False
    return True


@cache
def happens(script, settings=()):
    """What is seen in a scene."""
    return Scene(script, settings).seen


@pytest.mark.parametrize(("setting", "value", "scene", "given"), ROWS, ids=[f"{row[0]}={row[1]}" for row in ROWS])
def test_a_change_shows(setting, value, scene, given):
    common = tuple((f"net/{path}", text) for path, text in given.items())
    assert happens(scene, (*common, (f"net/{setting}", value))) != happens(scene, common)


def walk(dir, prefix=""):
    for name, (place, table) in dir.root.items():
        if isinstance(place, ctl_dir):
            yield from walk(place, f"{prefix}{name}/")
        elif table.procname:
            yield prefix + name, table


def test_no_live_setting_is_left_out():
    kernel = Machine().kernel
    known = {f"net/{row[0]}" for row in ROWS} | set(ELSEWHERE)
    shown = {path.replace("/all/", "/*/").replace("/eth0/", "/*/").replace("/default/", "/*/") for path in known}
    for tables in (kernel.sysctl_table_root.default_set.dir, kernel.init_net.sysctls.dir):
        for path, table in walk(tables):
            if path.startswith(("net/core/", "net/ipv4/", "net/unix/")) and table.mode & 0o222 and not _why_inert(path):
                assert any(fnmatchcase(path, pattern) for pattern in shown), path
