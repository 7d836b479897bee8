"""include/net/netns/ipv4.h: what a network namespace holds for IPv4; sysctl values with their defaults."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kshell.linux.include.linux.inetdevice import ipv4_devconf
    from kshell.linux.include.linux.sysctl import ctl_table_header
    from kshell.linux.include.net.inet_timewait_sock import inet_timewait_death_row
    from kshell.linux.include.net.ip import ip_ra_chain
    from kshell.linux.include.net.ip_fib import fib_table
    from kshell.linux.include.net.sock import sock
    from kshell.linux.include.net.tcp import tcp_congestion_ops
    from kshell.linux.net.ipv4.ip_fragment import fqdir
    from kshell.linux.net.ipv4.route_redirect import inet_peer
    from kshell.linux.net.ipv4.tcp_metrics import tcp_metrics_block


class local_ports:
    """struct local_ports: ip_local_port_range."""

    __slots__ = ("range", "warned")

    def __init__(self) -> None:
        self.range = [32768, 60999]
        self.warned = False


class ping_group_range:
    """struct ping_group_range: groups (kgid) that may make ping sockets; 1 0 is nobody."""

    __slots__ = ("range",)

    def __init__(self) -> None:
        self.range = [1, 0]


class netns_ipv4:
    """struct netns_ipv4: `net.ipv4`. Settings not changed stand in the class."""

    ipv4_hdr: ctl_table_header
    route_hdr: ctl_table_header
    frags_hdr: ctl_table_header
    forw_hdr: ctl_table_header
    xfrm4_hdr: ctl_table_header
    tcp_death_row: inet_timewait_death_row
    devconf_all: ipv4_devconf
    devconf_dflt: ipv4_devconf
    ra_chain: ip_ra_chain | None = None
    fibnl: sock | None = None
    fib_main: fib_table | None = None
    fib_default: fib_table | None = None
    fib_has_custom_rules: bool = False
    fib_has_custom_local_routes: bool = False
    fib_offload_disabled: bool = False
    fib_num_tclassid_users: int = 0
    fib_table_hash: dict[int, fib_table]  # by tb_id
    fqdir: fqdir
    peers: dict[tuple[int, int], inet_peer]
    icmp_global_credit: int = 0
    icmp_global_stamp: int = 0
    ip_rt_min_pmtu: int = 552
    ip_rt_mtu_expires: int = 600 * 250
    ip_rt_min_advmss: int = 256
    ip_local_ports: local_ports
    ping_group_range: ping_group_range
    tcp_congestion_control: tcp_congestion_ops
    tfo_active_disable_times: int = 0
    _tcp_metrics: dict[tuple[int, int], tcp_metrics_block]
    tcp_fastopen_ctx: object | None = None
    tfo_active_disable_stamp: int = 0
    tcp_challenge_timestamp: int = 0
    tcp_challenge_count: int = 0
    dev_addr_genid: int = 0
    sysctl_local_reserved_ports: set[int]
    rt_genid: int = 0
    sysctl_tcp_wmem: list[int]
    sysctl_tcp_rmem: list[int]
    sysctl_tcp_shrink_window: int = 0
    sysctl_icmp_echo_ignore_all: int = 0
    sysctl_icmp_echo_enable_probe: int = 0
    sysctl_icmp_echo_ignore_broadcasts: int = 1
    sysctl_icmp_ignore_bogus_error_responses: int = 1
    sysctl_icmp_errors_use_inbound_ifaddr: int = 0
    sysctl_icmp_ratelimit: int = 250  # jiffies
    sysctl_icmp_ratemask: int = 6168
    sysctl_icmp_msgs_per_sec: int = 1000
    sysctl_icmp_msgs_burst: int = 50
    sysctl_tcp_ecn: int = 2
    sysctl_tcp_ecn_fallback: int = 1
    sysctl_ip_default_ttl: int = 64
    sysctl_ip_no_pmtu_disc: int = 0
    sysctl_ip_fwd_use_pmtu: int = 0
    sysctl_ip_fwd_update_priority: int = 1
    sysctl_ip_nonlocal_bind: int = 0
    sysctl_ip_autobind_reuse: int = 0
    sysctl_ip_dynaddr: int = 0
    sysctl_ip_early_demux: int = 1
    sysctl_raw_l3mdev_accept: int = 1
    sysctl_tcp_early_demux: int = 1
    sysctl_udp_early_demux: int = 1
    sysctl_nexthop_compat_mode: int = 1
    sysctl_fwmark_reflect: int = 0
    sysctl_tcp_fwmark_accept: int = 0
    sysctl_tcp_l3mdev_accept: int = 0
    sysctl_tcp_mtu_probing: int = 0
    sysctl_tcp_mtu_probe_floor: int = 48
    sysctl_tcp_base_mss: int = 1024
    sysctl_tcp_min_snd_mss: int = 48
    sysctl_tcp_probe_threshold: int = 8
    sysctl_tcp_probe_interval: int = 600
    sysctl_tcp_keepalive_time: int = 7200
    sysctl_tcp_keepalive_intvl: int = 75
    sysctl_tcp_keepalive_probes: int = 9
    sysctl_tcp_syn_retries: int = 6
    sysctl_tcp_synack_retries: int = 5
    sysctl_tcp_syncookies: int = 1
    sysctl_tcp_migrate_req: int = 0
    sysctl_tcp_comp_sack_nr: int = 44
    sysctl_tcp_reordering: int = 3
    sysctl_tcp_retries1: int = 3
    sysctl_tcp_retries2: int = 15
    sysctl_tcp_orphan_retries: int = 0
    sysctl_tcp_tw_reuse: int = 2
    sysctl_tcp_fin_timeout: int = 60
    sysctl_tcp_notsent_lowat: int = 4294967295
    sysctl_tcp_sack: int = 1
    sysctl_tcp_window_scaling: int = 1
    sysctl_tcp_timestamps: int = 1
    sysctl_tcp_early_retrans: int = 3
    sysctl_tcp_recovery: int = 1
    sysctl_tcp_thin_linear_timeouts: int = 0
    sysctl_tcp_slow_start_after_idle: int = 1
    sysctl_tcp_retrans_collapse: int = 1
    sysctl_tcp_stdurg: int = 0
    sysctl_tcp_rfc1337: int = 0
    sysctl_tcp_abort_on_overflow: int = 0
    sysctl_tcp_fack: int = 0
    sysctl_tcp_max_reordering: int = 300
    sysctl_tcp_adv_win_scale: int = 1
    sysctl_tcp_dsack: int = 1
    sysctl_tcp_app_win: int = 31
    sysctl_tcp_frto: int = 2
    sysctl_tcp_nometrics_save: int = 0
    sysctl_tcp_no_ssthresh_metrics_save: int = 1
    sysctl_tcp_moderate_rcvbuf: int = 1
    sysctl_tcp_tso_win_divisor: int = 3
    sysctl_tcp_workaround_signed_windows: int = 0
    sysctl_tcp_limit_output_bytes: int = 1048576
    sysctl_tcp_challenge_ack_limit: int = 2147483647
    sysctl_tcp_min_rtt_wlen: int = 300
    sysctl_tcp_min_tso_segs: int = 2
    sysctl_tcp_tso_rtt_log: int = 9
    sysctl_tcp_autocorking: int = 1
    sysctl_tcp_reflect_tos: int = 0
    sysctl_tcp_invalid_ratelimit: int = 500
    sysctl_tcp_pacing_ss_ratio: int = 200
    sysctl_tcp_pacing_ca_ratio: int = 120
    sysctl_tcp_child_ehash_entries: int = 0
    sysctl_tcp_comp_sack_delay_ns: int = 1000000
    sysctl_tcp_comp_sack_slack_ns: int = 100000
    sysctl_max_syn_backlog: int = 256
    sysctl_tcp_fastopen: int = 1
    sysctl_tcp_fastopen_blackhole_timeout: int = 0
    sysctl_udp_wmem_min: int = 4096
    sysctl_udp_rmem_min: int = 4096
    sysctl_fib_notify_on_flag_change: int = 0
    sysctl_udp_l3mdev_accept: int = 0
    sysctl_igmp_llm_reports: int = 1
    sysctl_igmp_max_memberships: int = 20
    sysctl_igmp_max_msf: int = 10
    sysctl_igmp_qrv: int = 2
    sysctl_ip_prot_sock: int = 1024
    sysctl_fib_multipath_hash_fields: int = 7
    sysctl_fib_multipath_use_neigh: int = 0
    sysctl_fib_multipath_hash_policy: int = 0

    def __init__(self) -> None:
        self.sysctl_tcp_wmem = [4096, 16384, 4194304]
        self.sysctl_tcp_rmem = [4096, 131072, 6291456]
        self.ip_local_ports = local_ports()
        self.ping_group_range = ping_group_range()
        self.sysctl_local_reserved_ports = set()
        self.fib_table_hash = {}
