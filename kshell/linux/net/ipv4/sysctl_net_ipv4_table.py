"""The settings of IPv4 that each network namespace has its own of (net/ipv4/sysctl_net_ipv4.c: ipv4_net_table).

Rows, bounds and order are those of the recorded kernel; net/ipv4/sysctl_net_ipv4.py has the handlers.
"""

from __future__ import annotations

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

ipv4_net_table = (
    ctl_table(
        "tcp_max_tw_buckets", "init_net.ipv4.tcp_death_row.sysctl_max_tw_buckets", 4, 0o644, proc_dointvec
    ),
    ctl_table(
        "icmp_echo_ignore_all", "init_net.ipv4.sysctl_icmp_echo_ignore_all", 1, 0o644, proc_dou8vec_minmax, SYSCTL_ZERO, SYSCTL_ONE
    ),
    ctl_table(
        "icmp_echo_enable_probe", "init_net.ipv4.sysctl_icmp_echo_enable_probe", 1, 0o644, proc_dou8vec_minmax, SYSCTL_ZERO, SYSCTL_ONE
    ),
    ctl_table(
        "icmp_echo_ignore_broadcasts", "init_net.ipv4.sysctl_icmp_echo_ignore_broadcasts", 1, 0o644, proc_dou8vec_minmax, SYSCTL_ZERO, SYSCTL_ONE
    ),
    ctl_table(
        "icmp_ignore_bogus_error_responses", "init_net.ipv4.sysctl_icmp_ignore_bogus_error_responses", 1, 0o644, proc_dou8vec_minmax, SYSCTL_ZERO, SYSCTL_ONE
    ),
    ctl_table(
        "icmp_errors_use_inbound_ifaddr", "init_net.ipv4.sysctl_icmp_errors_use_inbound_ifaddr", 1, 0o644, proc_dou8vec_minmax, SYSCTL_ZERO, SYSCTL_ONE
    ),
    ctl_table("icmp_ratelimit", "init_net.ipv4.sysctl_icmp_ratelimit", 4, 0o644, proc_dointvec_ms_jiffies),
    ctl_table("icmp_ratemask", "init_net.ipv4.sysctl_icmp_ratemask", 4, 0o644, proc_dointvec),
    ctl_table(
        "icmp_msgs_per_sec", "init_net.ipv4.sysctl_icmp_msgs_per_sec", 4, 0o644, proc_dointvec_minmax, SYSCTL_ZERO
    ),
    ctl_table(
        "icmp_msgs_burst", "init_net.ipv4.sysctl_icmp_msgs_burst", 4, 0o644, proc_dointvec_minmax, SYSCTL_ZERO
    ),
    ctl_table("ping_group_range", "init_net.ipv4.ping_group_range.range", 8, 0o644, ipv4_ping_group_range),
    ctl_table(
        "raw_l3mdev_accept", "init_net.ipv4.sysctl_raw_l3mdev_accept", 1, 0o644, proc_dou8vec_minmax, SYSCTL_ZERO, SYSCTL_ONE
    ),
    ctl_table(
        "tcp_ecn", "init_net.ipv4.sysctl_tcp_ecn", 1, 0o644, proc_dou8vec_minmax, SYSCTL_ZERO, SYSCTL_TWO
    ),
    ctl_table(
        "tcp_ecn_fallback", "init_net.ipv4.sysctl_tcp_ecn_fallback", 1, 0o644, proc_dou8vec_minmax, SYSCTL_ZERO, SYSCTL_ONE
    ),
    ctl_table("ip_dynaddr", "init_net.ipv4.sysctl_ip_dynaddr", 1, 0o644, proc_dou8vec_minmax),
    ctl_table("ip_early_demux", "init_net.ipv4.sysctl_ip_early_demux", 1, 0o644, proc_dou8vec_minmax),
    ctl_table("udp_early_demux", "init_net.ipv4.sysctl_udp_early_demux", 1, 0o644, proc_dou8vec_minmax),
    ctl_table("tcp_early_demux", "init_net.ipv4.sysctl_tcp_early_demux", 1, 0o644, proc_dou8vec_minmax),
    ctl_table(
        "nexthop_compat_mode", "init_net.ipv4.sysctl_nexthop_compat_mode", 1, 0o644, proc_dou8vec_minmax, SYSCTL_ZERO, SYSCTL_ONE
    ),
    ctl_table("ip_default_ttl", "init_net.ipv4.sysctl_ip_default_ttl", 1, 0o644, proc_dou8vec_minmax, 1, 255),
    ctl_table("ip_local_port_range", "init_net.ipv4.ip_local_ports.range", 8, 0o644, ipv4_local_port_range),
    ctl_table(
        "ip_local_reserved_ports", "init_net.ipv4.sysctl_local_reserved_ports", 65536, 0o644, proc_do_large_bitmap
    ),
    ctl_table("ip_no_pmtu_disc", "init_net.ipv4.sysctl_ip_no_pmtu_disc", 1, 0o644, proc_dou8vec_minmax),
    ctl_table("ip_forward_use_pmtu", "init_net.ipv4.sysctl_ip_fwd_use_pmtu", 1, 0o644, proc_dou8vec_minmax),
    ctl_table(
        "ip_forward_update_priority", "init_net.ipv4.sysctl_ip_fwd_update_priority", 1, 0o644, ipv4_fwd_update_priority, SYSCTL_ZERO, SYSCTL_ONE
    ),
    ctl_table("ip_nonlocal_bind", "init_net.ipv4.sysctl_ip_nonlocal_bind", 1, 0o644, proc_dou8vec_minmax),
    ctl_table(
        "ip_autobind_reuse", "init_net.ipv4.sysctl_ip_autobind_reuse", 1, 0o644, proc_dou8vec_minmax, SYSCTL_ZERO, SYSCTL_ONE
    ),
    ctl_table("fwmark_reflect", "init_net.ipv4.sysctl_fwmark_reflect", 1, 0o644, proc_dou8vec_minmax),
    ctl_table("tcp_fwmark_accept", "init_net.ipv4.sysctl_tcp_fwmark_accept", 1, 0o644, proc_dou8vec_minmax),
    ctl_table(
        "tcp_l3mdev_accept", "init_net.ipv4.sysctl_tcp_l3mdev_accept", 1, 0o644, proc_dou8vec_minmax, SYSCTL_ZERO, SYSCTL_ONE
    ),
    ctl_table("tcp_mtu_probing", "init_net.ipv4.sysctl_tcp_mtu_probing", 1, 0o644, proc_dou8vec_minmax),
    ctl_table("tcp_base_mss", "init_net.ipv4.sysctl_tcp_base_mss", 4, 0o644, proc_dointvec),
    ctl_table(
        "tcp_min_snd_mss", "init_net.ipv4.sysctl_tcp_min_snd_mss", 4, 0o644, proc_dointvec_minmax, 48, 65535
    ),
    ctl_table(
        "tcp_mtu_probe_floor", "init_net.ipv4.sysctl_tcp_mtu_probe_floor", 4, 0o644, proc_dointvec_minmax, 48, 65535
    ),
    ctl_table("tcp_probe_threshold", "init_net.ipv4.sysctl_tcp_probe_threshold", 4, 0o644, proc_dointvec),
    ctl_table(
        "tcp_probe_interval", "init_net.ipv4.sysctl_tcp_probe_interval", 4, 0o644, proc_douintvec_minmax, None, 0xFFFFFFFF // 250
    ),
    ctl_table(
        "igmp_link_local_mcast_reports", "init_net.ipv4.sysctl_igmp_llm_reports", 1, 0o644, proc_dou8vec_minmax
    ),
    ctl_table("igmp_max_memberships", "init_net.ipv4.sysctl_igmp_max_memberships", 4, 0o644, proc_dointvec),
    ctl_table("igmp_max_msf", "init_net.ipv4.sysctl_igmp_max_msf", 4, 0o644, proc_dointvec),
    ctl_table("igmp_qrv", "init_net.ipv4.sysctl_igmp_qrv", 4, 0o644, proc_dointvec_minmax, SYSCTL_ONE),
    ctl_table(
        "tcp_congestion_control", "init_net.ipv4.tcp_congestion_control", 16, 0o644, proc_tcp_congestion_control
    ),
    ctl_table(
        "tcp_available_congestion_control", None, 2048, 0o444, proc_tcp_available_congestion_control
    ),
    ctl_table(
        "tcp_allowed_congestion_control", None, 2048, 0o644, proc_allowed_congestion_control
    ),
    ctl_table(
        "tcp_keepalive_time", "init_net.ipv4.sysctl_tcp_keepalive_time", 4, 0o644, proc_dointvec_jiffies
    ),
    ctl_table(
        "tcp_keepalive_probes", "init_net.ipv4.sysctl_tcp_keepalive_probes", 1, 0o644, proc_dou8vec_minmax
    ),
    ctl_table(
        "tcp_keepalive_intvl", "init_net.ipv4.sysctl_tcp_keepalive_intvl", 4, 0o644, proc_dointvec_jiffies
    ),
    ctl_table(
        "tcp_syn_retries", "init_net.ipv4.sysctl_tcp_syn_retries", 1, 0o644, proc_dou8vec_minmax, 1, 127
    ),
    ctl_table("tcp_synack_retries", "init_net.ipv4.sysctl_tcp_synack_retries", 1, 0o644, proc_dou8vec_minmax),
    ctl_table("tcp_syncookies", "init_net.ipv4.sysctl_tcp_syncookies", 1, 0o644, proc_dou8vec_minmax),
    ctl_table(
        "tcp_migrate_req", "init_net.ipv4.sysctl_tcp_migrate_req", 1, 0o644, proc_dou8vec_minmax, SYSCTL_ZERO, SYSCTL_ONE
    ),
    ctl_table(
        "tcp_reordering", "init_net.ipv4.sysctl_tcp_reordering", 4, 0o644, proc_dointvec_minmax, SYSCTL_ONE, "init_net.ipv4.sysctl_tcp_max_reordering"
    ),
    ctl_table("tcp_retries1", "init_net.ipv4.sysctl_tcp_retries1", 1, 0o644, proc_dou8vec_minmax, None, 255),
    ctl_table("tcp_retries2", "init_net.ipv4.sysctl_tcp_retries2", 1, 0o644, proc_dou8vec_minmax),
    ctl_table("tcp_orphan_retries", "init_net.ipv4.sysctl_tcp_orphan_retries", 1, 0o644, proc_dou8vec_minmax),
    ctl_table("tcp_fin_timeout", "init_net.ipv4.sysctl_tcp_fin_timeout", 4, 0o644, proc_dointvec_jiffies),
    ctl_table("tcp_notsent_lowat", "init_net.ipv4.sysctl_tcp_notsent_lowat", 4, 0o644, proc_douintvec),
    ctl_table(
        "tcp_tw_reuse", "init_net.ipv4.sysctl_tcp_tw_reuse", 1, 0o644, proc_dou8vec_minmax, SYSCTL_ZERO, SYSCTL_TWO
    ),
    ctl_table("tcp_max_syn_backlog", "init_net.ipv4.sysctl_max_syn_backlog", 4, 0o644, proc_dointvec),
    ctl_table("tcp_fastopen", "init_net.ipv4.sysctl_tcp_fastopen", 4, 0o644, proc_dointvec),
    ctl_table("tcp_fastopen_key", "init_net.ipv4.sysctl_tcp_fastopen", 74, 0o600, proc_tcp_fastopen_key),
    ctl_table(
        "tcp_fastopen_blackhole_timeout_sec", "init_net.ipv4.sysctl_tcp_fastopen_blackhole_timeout", 4, 0o644, proc_tfo_blackhole_detect_timeout, SYSCTL_ZERO
    ),
    ctl_table(
        "fib_multipath_use_neigh", "init_net.ipv4.sysctl_fib_multipath_use_neigh", 1, 0o644, proc_dou8vec_minmax, SYSCTL_ZERO, SYSCTL_ONE
    ),
    ctl_table(
        "fib_multipath_hash_policy", "init_net.ipv4.sysctl_fib_multipath_hash_policy", 1, 0o644, proc_fib_multipath_hash_policy, SYSCTL_ZERO, SYSCTL_THREE
    ),
    ctl_table(
        "fib_multipath_hash_fields", "init_net.ipv4.sysctl_fib_multipath_hash_fields", 4, 0o644, proc_fib_multipath_hash_fields, SYSCTL_ONE, 0xFFF
    ),
    ctl_table(
        "ip_unprivileged_port_start", "init_net.ipv4.sysctl_ip_prot_sock", 4, 0o644, ipv4_privileged_ports
    ),
    ctl_table(
        "udp_l3mdev_accept", "init_net.ipv4.sysctl_udp_l3mdev_accept", 1, 0o644, proc_dou8vec_minmax, SYSCTL_ZERO, SYSCTL_ONE
    ),
    ctl_table("tcp_sack", "init_net.ipv4.sysctl_tcp_sack", 1, 0o644, proc_dou8vec_minmax),
    ctl_table("tcp_window_scaling", "init_net.ipv4.sysctl_tcp_window_scaling", 1, 0o644, proc_dou8vec_minmax),
    ctl_table("tcp_timestamps", "init_net.ipv4.sysctl_tcp_timestamps", 1, 0o644, proc_dou8vec_minmax),
    ctl_table(
        "tcp_early_retrans", "init_net.ipv4.sysctl_tcp_early_retrans", 1, 0o644, proc_dou8vec_minmax, SYSCTL_ZERO, SYSCTL_FOUR
    ),
    ctl_table("tcp_recovery", "init_net.ipv4.sysctl_tcp_recovery", 1, 0o644, proc_dou8vec_minmax),
    ctl_table(
        "tcp_thin_linear_timeouts", "init_net.ipv4.sysctl_tcp_thin_linear_timeouts", 1, 0o644, proc_dou8vec_minmax
    ),
    ctl_table(
        "tcp_slow_start_after_idle", "init_net.ipv4.sysctl_tcp_slow_start_after_idle", 1, 0o644, proc_dou8vec_minmax
    ),
    ctl_table(
        "tcp_retrans_collapse", "init_net.ipv4.sysctl_tcp_retrans_collapse", 1, 0o644, proc_dou8vec_minmax
    ),
    ctl_table("tcp_stdurg", "init_net.ipv4.sysctl_tcp_stdurg", 1, 0o644, proc_dou8vec_minmax),
    ctl_table("tcp_rfc1337", "init_net.ipv4.sysctl_tcp_rfc1337", 1, 0o644, proc_dou8vec_minmax),
    ctl_table(
        "tcp_abort_on_overflow", "init_net.ipv4.sysctl_tcp_abort_on_overflow", 1, 0o644, proc_dou8vec_minmax
    ),
    ctl_table("tcp_fack", "init_net.ipv4.sysctl_tcp_fack", 1, 0o644, proc_dou8vec_minmax),
    ctl_table(
        "tcp_max_reordering", "init_net.ipv4.sysctl_tcp_max_reordering", 4, 0o644, proc_dointvec_minmax, SYSCTL_ONE
    ),
    ctl_table("tcp_dsack", "init_net.ipv4.sysctl_tcp_dsack", 1, 0o644, proc_dou8vec_minmax),
    ctl_table(
        "tcp_app_win", "init_net.ipv4.sysctl_tcp_app_win", 1, 0o644, proc_dou8vec_minmax, SYSCTL_ZERO, 31
    ),
    ctl_table(
        "tcp_adv_win_scale", "init_net.ipv4.sysctl_tcp_adv_win_scale", 4, 0o644, proc_dointvec_minmax, -31, 31
    ),
    ctl_table("tcp_frto", "init_net.ipv4.sysctl_tcp_frto", 1, 0o644, proc_dou8vec_minmax),
    ctl_table(
        "tcp_no_metrics_save", "init_net.ipv4.sysctl_tcp_nometrics_save", 1, 0o644, proc_dou8vec_minmax
    ),
    ctl_table(
        "tcp_no_ssthresh_metrics_save", "init_net.ipv4.sysctl_tcp_no_ssthresh_metrics_save", 1, 0o644, proc_dou8vec_minmax, SYSCTL_ZERO, SYSCTL_ONE
    ),
    ctl_table(
        "tcp_moderate_rcvbuf", "init_net.ipv4.sysctl_tcp_moderate_rcvbuf", 1, 0o644, proc_dou8vec_minmax
    ),
    ctl_table(
        "tcp_tso_win_divisor", "init_net.ipv4.sysctl_tcp_tso_win_divisor", 1, 0o644, proc_dou8vec_minmax
    ),
    ctl_table(
        "tcp_workaround_signed_windows", "init_net.ipv4.sysctl_tcp_workaround_signed_windows", 1, 0o644, proc_dou8vec_minmax
    ),
    ctl_table(
        "tcp_limit_output_bytes", "init_net.ipv4.sysctl_tcp_limit_output_bytes", 4, 0o644, proc_dointvec
    ),
    ctl_table(
        "tcp_challenge_ack_limit", "init_net.ipv4.sysctl_tcp_challenge_ack_limit", 4, 0o644, proc_dointvec
    ),
    ctl_table(
        "tcp_min_tso_segs", "init_net.ipv4.sysctl_tcp_min_tso_segs", 1, 0o644, proc_dou8vec_minmax, SYSCTL_ONE
    ),
    ctl_table("tcp_tso_rtt_log", "init_net.ipv4.sysctl_tcp_tso_rtt_log", 1, 0o644, proc_dou8vec_minmax),
    ctl_table(
        "tcp_min_rtt_wlen", "init_net.ipv4.sysctl_tcp_min_rtt_wlen", 4, 0o644, proc_dointvec_minmax, SYSCTL_ZERO, 24 * 3600
    ),
    ctl_table(
        "tcp_autocorking", "init_net.ipv4.sysctl_tcp_autocorking", 1, 0o644, proc_dou8vec_minmax, SYSCTL_ZERO, SYSCTL_ONE
    ),
    ctl_table(
        "tcp_invalid_ratelimit", "init_net.ipv4.sysctl_tcp_invalid_ratelimit", 4, 0o644, proc_dointvec_ms_jiffies
    ),
    ctl_table(
        "tcp_pacing_ss_ratio", "init_net.ipv4.sysctl_tcp_pacing_ss_ratio", 4, 0o644, proc_dointvec_minmax, SYSCTL_ZERO, SYSCTL_ONE_THOUSAND
    ),
    ctl_table(
        "tcp_pacing_ca_ratio", "init_net.ipv4.sysctl_tcp_pacing_ca_ratio", 4, 0o644, proc_dointvec_minmax, SYSCTL_ZERO, SYSCTL_ONE_THOUSAND
    ),
    ctl_table("tcp_wmem", "init_net.ipv4.sysctl_tcp_wmem", 12, 0o644, proc_dointvec_minmax, SYSCTL_ONE),
    ctl_table("tcp_rmem", "init_net.ipv4.sysctl_tcp_rmem", 12, 0o644, proc_dointvec_minmax, 4096),
    ctl_table(
        "tcp_comp_sack_delay_ns", "init_net.ipv4.sysctl_tcp_comp_sack_delay_ns", 8, 0o644, proc_doulongvec_minmax
    ),
    ctl_table(
        "tcp_comp_sack_slack_ns", "init_net.ipv4.sysctl_tcp_comp_sack_slack_ns", 8, 0o644, proc_doulongvec_minmax
    ),
    ctl_table(
        "tcp_comp_sack_nr", "init_net.ipv4.sysctl_tcp_comp_sack_nr", 1, 0o644, proc_dou8vec_minmax, SYSCTL_ZERO
    ),
    ctl_table(
        "tcp_reflect_tos", "init_net.ipv4.sysctl_tcp_reflect_tos", 1, 0o644, proc_dou8vec_minmax, SYSCTL_ZERO, SYSCTL_ONE
    ),
    ctl_table("tcp_ehash_entries", None, 4, 0o444, proc_tcp_ehash_entries),
    ctl_table(
        "tcp_child_ehash_entries", "init_net.ipv4.sysctl_tcp_child_ehash_entries", 4, 0o644, proc_douintvec_minmax, SYSCTL_ZERO, 16 << 20
    ),
    ctl_table(
        "udp_rmem_min", "init_net.ipv4.sysctl_udp_rmem_min", 4, 0o644, proc_dointvec_minmax, SYSCTL_ONE
    ),
    ctl_table(
        "udp_wmem_min", "init_net.ipv4.sysctl_udp_wmem_min", 4, 0o644, proc_dointvec_minmax, SYSCTL_ONE
    ),
    ctl_table(
        "fib_notify_on_flag_change", "init_net.ipv4.sysctl_fib_notify_on_flag_change", 1, 0o644, proc_dou8vec_minmax, SYSCTL_ZERO, SYSCTL_TWO
    ),
    ctl_table(
        "tcp_shrink_window", "init_net.ipv4.sysctl_tcp_shrink_window", 1, 0o644, proc_dou8vec_minmax, SYSCTL_ZERO, SYSCTL_ONE
    ),
)
