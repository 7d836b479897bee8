"""The settings of IPv4 that each network namespace has its own of (net/ipv4/sysctl_net_ipv4.c: ipv4_net_table).

Rows, bounds and order are those of the recorded kernel; net/ipv4/sysctl_net_ipv4.py has the handlers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.linux.include.linux.jiffies import HZ
from kshell.linux.include.linux.sysctl import (
    SYSCTL_FOUR,
    SYSCTL_ONE,
    SYSCTL_ONE_THOUSAND,
    SYSCTL_THREE,
    SYSCTL_TWO,
    SYSCTL_ZERO,
    ctl_table,
)
from kshell.linux.kernel.sysctl import (
    proc_dointvec,
    proc_dointvec_jiffies,
    proc_dointvec_minmax,
    proc_dointvec_ms_jiffies,
    proc_dou8vec_minmax,
    proc_douintvec,
    proc_douintvec_minmax,
    proc_doulongvec_minmax,
)
from kshell.linux.kernel.sysctl_text import proc_do_large_bitmap
from kshell.linux.net.ipv4.sysctl_net_ipv4 import (
    ipv4_fwd_update_priority,
    ipv4_local_port_range,
    ipv4_ping_group_range,
    ipv4_privileged_ports,
    proc_allowed_congestion_control,
    proc_fib_multipath_hash_fields,
    proc_fib_multipath_hash_policy,
    proc_tcp_available_congestion_control,
    proc_tcp_congestion_control,
    proc_tcp_ehash_entries,
    proc_tcp_fastopen_key,
    proc_tfo_blackhole_detect_timeout,
)

if TYPE_CHECKING:
    from kshell.linux.include.linux.sysctl import proc_handler


def _u8(procname: str, least: object = None, most: object = None, data: str = "") -> ctl_table:
    """A row of one byte; its variable is sysctl_NAME unless `data` says otherwise."""
    return ctl_table(procname, data or f"init_net.ipv4.sysctl_{procname}", 1, 0o644, proc_dou8vec_minmax, least, most)


def _int(
    procname: str, handler: proc_handler, least: object = None, most: object = None, data: str = ""
) -> ctl_table:
    """A row of one int."""
    return ctl_table(procname, data or f"init_net.ipv4.sysctl_{procname}", 4, 0o644, handler, least, most)


ipv4_net_table = (
    _int("tcp_max_tw_buckets", proc_dointvec, data="init_net.ipv4.tcp_death_row.sysctl_max_tw_buckets"),
    _u8("icmp_echo_ignore_all", SYSCTL_ZERO, SYSCTL_ONE),
    _u8("icmp_echo_enable_probe", SYSCTL_ZERO, SYSCTL_ONE),
    _u8("icmp_echo_ignore_broadcasts", SYSCTL_ZERO, SYSCTL_ONE),
    _u8("icmp_ignore_bogus_error_responses", SYSCTL_ZERO, SYSCTL_ONE),
    _u8("icmp_errors_use_inbound_ifaddr", SYSCTL_ZERO, SYSCTL_ONE),
    _int("icmp_ratelimit", proc_dointvec_ms_jiffies),
    _int("icmp_ratemask", proc_dointvec),
    _int("icmp_msgs_per_sec", proc_dointvec_minmax, SYSCTL_ZERO),
    _int("icmp_msgs_burst", proc_dointvec_minmax, SYSCTL_ZERO),
    ctl_table("ping_group_range", "init_net.ipv4.ping_group_range.range", 8, 0o644, ipv4_ping_group_range),
    _u8("raw_l3mdev_accept", SYSCTL_ZERO, SYSCTL_ONE),
    _u8("tcp_ecn", SYSCTL_ZERO, SYSCTL_TWO),
    _u8("tcp_ecn_fallback", SYSCTL_ZERO, SYSCTL_ONE),
    _u8("ip_dynaddr"),
    _u8("ip_early_demux"),
    _u8("udp_early_demux"),
    _u8("tcp_early_demux"),
    _u8("nexthop_compat_mode", SYSCTL_ZERO, SYSCTL_ONE),
    _u8("ip_default_ttl", 1, 255),
    ctl_table("ip_local_port_range", "init_net.ipv4.ip_local_ports.range", 8, 0o644, ipv4_local_port_range),
    ctl_table(
        "ip_local_reserved_ports", "init_net.ipv4.sysctl_local_reserved_ports", 65536, 0o644,
        proc_do_large_bitmap,
    ),
    _u8("ip_no_pmtu_disc"),
    _u8("ip_forward_use_pmtu", data="init_net.ipv4.sysctl_ip_fwd_use_pmtu"),
    ctl_table(
        "ip_forward_update_priority", "init_net.ipv4.sysctl_ip_fwd_update_priority", 1, 0o644,
        ipv4_fwd_update_priority, SYSCTL_ZERO, SYSCTL_ONE,
    ),
    _u8("ip_nonlocal_bind"),
    _u8("ip_autobind_reuse", SYSCTL_ZERO, SYSCTL_ONE),
    _u8("fwmark_reflect"),
    _u8("tcp_fwmark_accept"),
    _u8("tcp_l3mdev_accept", SYSCTL_ZERO, SYSCTL_ONE),
    _u8("tcp_mtu_probing"),
    _int("tcp_base_mss", proc_dointvec),
    _int("tcp_min_snd_mss", proc_dointvec_minmax, 48, 65535),
    _int("tcp_mtu_probe_floor", proc_dointvec_minmax, 48, 65535),
    _int("tcp_probe_threshold", proc_dointvec),
    _int("tcp_probe_interval", proc_douintvec_minmax, None, 4294967295 // HZ),
    _u8("igmp_link_local_mcast_reports", data="init_net.ipv4.sysctl_igmp_llm_reports"),
    _int("igmp_max_memberships", proc_dointvec),
    _int("igmp_max_msf", proc_dointvec),
    _int("igmp_qrv", proc_dointvec_minmax, SYSCTL_ONE),
    ctl_table(
        "tcp_congestion_control", "init_net.ipv4.tcp_congestion_control", 16, 0o644,
        proc_tcp_congestion_control,
    ),
    ctl_table("tcp_available_congestion_control", None, 2048, 0o444, proc_tcp_available_congestion_control),
    ctl_table("tcp_allowed_congestion_control", None, 2048, 0o644, proc_allowed_congestion_control),
    _int("tcp_keepalive_time", proc_dointvec_jiffies),
    _u8("tcp_keepalive_probes"),
    _int("tcp_keepalive_intvl", proc_dointvec_jiffies),
    _u8("tcp_syn_retries", 1, 127),
    _u8("tcp_synack_retries"),
    _u8("tcp_syncookies"),
    _u8("tcp_migrate_req", SYSCTL_ZERO, SYSCTL_ONE),
    _int("tcp_reordering", proc_dointvec_minmax, SYSCTL_ONE, "init_net.ipv4.sysctl_tcp_max_reordering"),
    _u8("tcp_retries1", None, 255),
    _u8("tcp_retries2"),
    _u8("tcp_orphan_retries"),
    _int("tcp_fin_timeout", proc_dointvec_jiffies),
    _int("tcp_notsent_lowat", proc_douintvec),
    _u8("tcp_tw_reuse", SYSCTL_ZERO, SYSCTL_TWO),
    _int("tcp_max_syn_backlog", proc_dointvec, data="init_net.ipv4.sysctl_max_syn_backlog"),
    _int("tcp_fastopen", proc_dointvec),
    ctl_table("tcp_fastopen_key", "init_net.ipv4.sysctl_tcp_fastopen", 74, 0o600, proc_tcp_fastopen_key),
    _int(
        "tcp_fastopen_blackhole_timeout_sec", proc_tfo_blackhole_detect_timeout, SYSCTL_ZERO,
        data="init_net.ipv4.sysctl_tcp_fastopen_blackhole_timeout",
    ),
    _u8("fib_multipath_use_neigh", SYSCTL_ZERO, SYSCTL_ONE),
    ctl_table(
        "fib_multipath_hash_policy", "init_net.ipv4.sysctl_fib_multipath_hash_policy", 1, 0o644,
        proc_fib_multipath_hash_policy, SYSCTL_ZERO, SYSCTL_THREE,
    ),
    _int("fib_multipath_hash_fields", proc_fib_multipath_hash_fields, SYSCTL_ONE, 4095),
    _int("ip_unprivileged_port_start", ipv4_privileged_ports, data="init_net.ipv4.sysctl_ip_prot_sock"),
    _u8("udp_l3mdev_accept", SYSCTL_ZERO, SYSCTL_ONE),
    _u8("tcp_sack"),
    _u8("tcp_window_scaling"),
    _u8("tcp_timestamps"),
    _u8("tcp_early_retrans", SYSCTL_ZERO, SYSCTL_FOUR),
    _u8("tcp_recovery"),
    _u8("tcp_thin_linear_timeouts"),
    _u8("tcp_slow_start_after_idle"),
    _u8("tcp_retrans_collapse"),
    _u8("tcp_stdurg"),
    _u8("tcp_rfc1337"),
    _u8("tcp_abort_on_overflow"),
    _u8("tcp_fack"),
    _int("tcp_max_reordering", proc_dointvec_minmax, SYSCTL_ONE),
    _u8("tcp_dsack"),
    _u8("tcp_app_win", SYSCTL_ZERO, 31),
    _int("tcp_adv_win_scale", proc_dointvec_minmax, -31, 31),
    _u8("tcp_frto"),
    _u8("tcp_no_metrics_save", data="init_net.ipv4.sysctl_tcp_nometrics_save"),
    _u8("tcp_no_ssthresh_metrics_save", SYSCTL_ZERO, SYSCTL_ONE),
    _u8("tcp_moderate_rcvbuf"),
    _u8("tcp_tso_win_divisor"),
    _u8("tcp_workaround_signed_windows"),
    _int("tcp_limit_output_bytes", proc_dointvec),
    _int("tcp_challenge_ack_limit", proc_dointvec),
    _u8("tcp_min_tso_segs", SYSCTL_ONE),
    _u8("tcp_tso_rtt_log"),
    _int("tcp_min_rtt_wlen", proc_dointvec_minmax, SYSCTL_ZERO, 24 * 3600),
    _u8("tcp_autocorking", SYSCTL_ZERO, SYSCTL_ONE),
    _int("tcp_invalid_ratelimit", proc_dointvec_ms_jiffies),
    _int("tcp_pacing_ss_ratio", proc_dointvec_minmax, SYSCTL_ZERO, SYSCTL_ONE_THOUSAND),
    _int("tcp_pacing_ca_ratio", proc_dointvec_minmax, SYSCTL_ZERO, SYSCTL_ONE_THOUSAND),
    ctl_table("tcp_wmem", "init_net.ipv4.sysctl_tcp_wmem", 12, 0o644, proc_dointvec_minmax, SYSCTL_ONE),
    ctl_table("tcp_rmem", "init_net.ipv4.sysctl_tcp_rmem", 12, 0o644, proc_dointvec_minmax, 4096),
    ctl_table(
        "tcp_comp_sack_delay_ns", "init_net.ipv4.sysctl_tcp_comp_sack_delay_ns", 8, 0o644,
        proc_doulongvec_minmax,
    ),
    ctl_table(
        "tcp_comp_sack_slack_ns", "init_net.ipv4.sysctl_tcp_comp_sack_slack_ns", 8, 0o644,
        proc_doulongvec_minmax,
    ),
    _u8("tcp_comp_sack_nr", SYSCTL_ZERO),
    _u8("tcp_reflect_tos", SYSCTL_ZERO, SYSCTL_ONE),
    ctl_table("tcp_ehash_entries", None, 0, 0o444, proc_tcp_ehash_entries),
    _int("tcp_child_ehash_entries", proc_douintvec_minmax, SYSCTL_ZERO, 16 << 20),
    _int("udp_rmem_min", proc_dointvec_minmax, SYSCTL_ONE),
    _int("udp_wmem_min", proc_dointvec_minmax, SYSCTL_ONE),
    _u8("fib_notify_on_flag_change", SYSCTL_ZERO, SYSCTL_TWO),
    _u8("tcp_shrink_window", SYSCTL_ZERO, SYSCTL_ONE),
)  # fmt: skip
