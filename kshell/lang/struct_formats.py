"""How the fields of structs are shown: struct → the fields that strace shows, each with its format.

A format: "" a decimal number; "x" hex, "o" octal, "p" a pointer, "s" a string, "b" bytes, "sig" a signal, "mask" a
signal set, "ip4", "htonl", "htons", "ip6", "sockaddr", "if" an interface's index, "mode", "dev", "id" a uid, "rlim",
"e:KIND" an enumeration, "f:KIND" flags; a nested struct shows itself. ``...`` at the end: strace leaves out the rest.
"""

from types import MappingProxyType
from typing import Final

_TEXT: Final = """
timeval: tv_sec tv_usec
timespec: tv_sec tv_nsec
itimerval: it_interval it_value
itimerspec: it_interval it_value
timezone: tz_minuteswest tz_dsttime
utimbuf: actime modtime
tms: tms_utime tms_stime tms_cutime tms_cstime
linger: l_onoff l_linger
ucred: pid uid=id gid=id
rlimit: rlim_cur=rlim rlim_max=rlim
rlimit64: rlim_cur=rlim rlim_max=rlim
rusage: ru_utime ru_stime ...
utsname: sysname=s nodename=s ...
sysinfo: uptime loads totalram freeram sharedram bufferram totalswap freeswap procs totalhigh freehigh mem_unit
statfs: f_type=e:fs_magic f_bsize f_blocks f_bfree f_bavail f_files f_ffree f_fsid f_namelen f_frsize f_flags=x
sigaction: sa_handler=handler sa_mask=mask sa_flags=f:sigaction sa_restorer=restorer
stack_t: ss_sp=p ss_flags=f:sigaltstack ss_size
siginfo: si_signo=sig si_code=code si_pid si_uid si_status si_utime si_stime
flock: l_type=e:lock_type l_whence=e:whence l_start l_len
f_owner_ex: type=e:owner_type pid
winsize: ws_row ws_col ws_xpixel ws_ypixel
termios: c_iflag=x c_oflag=x c_cflag=x c_lflag=x ...
cap_user_header: version=e:cap_version pid
cap_user_data: effective=x permitted=x inheritable=x
ip_mreq: imr_multiaddr=ip4 imr_interface=ip4
ip_mreqn: imr_multiaddr=ip4 imr_address=ip4 imr_ifindex=if
ip_mreq_source: imr_multiaddr=ip4 imr_interface=ip4 imr_sourceaddr=ip4
ipv6_mreq: ipv6mr_multiaddr=ip6 ipv6mr_interface=if
group_req: gr_interface=if gr_group=storage
group_source_req: gsr_interface=if gsr_group=storage gsr_source=storage
in_pktinfo: ipi_ifindex=if ipi_spec_dst=ip4 ipi_addr=ip4
in6_pktinfo: ipi6_addr=ip6 ipi6_ifindex=if
sock_extended_err: ee_errno ee_origin=e:so_ee_origin ee_type ee_code ee_info ee_data
packet_mreq: mr_ifindex=if mr_type=e:packet_mr mr_alen mr_address=b
tpacket_stats: tp_packets tp_drops
tcp_info: tcpi_state=e:tcp_state tcpi_ca_state=e:tcp_ca_state tcpi_retransmits tcpi_probes tcpi_backoff
    tcpi_options=f:tcpi tcpi_snd_wscale tcpi_rcv_wscale tcpi_delivery_rate_app_limited tcpi_fastopen_client_fail
    tcpi_rto tcpi_ato tcpi_snd_mss tcpi_rcv_mss tcpi_unacked tcpi_sacked tcpi_lost tcpi_retrans tcpi_fackets
    tcpi_last_data_sent tcpi_last_ack_sent tcpi_last_data_recv tcpi_last_ack_recv tcpi_pmtu tcpi_rcv_ssthresh tcpi_rtt
    tcpi_rttvar tcpi_snd_ssthresh tcpi_snd_cwnd tcpi_advmss tcpi_reordering tcpi_rcv_rtt tcpi_rcv_space
    tcpi_total_retrans tcpi_pacing_rate tcpi_max_pacing_rate tcpi_bytes_acked tcpi_bytes_received tcpi_segs_out
    tcpi_segs_in tcpi_notsent_bytes tcpi_min_rtt tcpi_data_segs_in tcpi_data_segs_out tcpi_delivery_rate
    tcpi_busy_time tcpi_rwnd_limited tcpi_sndbuf_limited tcpi_delivered tcpi_delivered_ce tcpi_bytes_sent
    tcpi_bytes_retrans tcpi_dsack_dups tcpi_reord_seen tcpi_rcv_ooopack tcpi_snd_wnd
ifmap: mem_start=x mem_end=x base_addr=x irq dma port
arpreq: arp_pa=sockaddr arp_ha=hardware arp_flags=f:atf arp_netmask=sockaddr arp_dev=s
rtentry: rt_dst=sockaddr rt_gateway=sockaddr rt_genmask=sockaddr rt_flags=f:rtf rt_metric rt_dev=p rt_mtu rt_window
    rt_irtt
clone_args: flags=f:clone child_tid=p parent_tid=p exit_signal=sig stack=p stack_size=x tls=p
ifinfomsg: ifi_family=e:af ifi_type=e:arphrd ifi_index=if ifi_flags=f:iff ifi_change=x
ifaddrmsg: ifa_family=e:af ifa_prefixlen ifa_flags=f:ifa_f ifa_scope=e:rt_scope ifa_index=if
rtmsg: rtm_family=e:af rtm_dst_len rtm_src_len rtm_tos rtm_table=e:rt_table rtm_protocol=e:rtprot
    rtm_scope=e:rt_scope rtm_type=e:rtn rtm_flags=f:rtm_f
ndmsg: ndm_family=e:af ndm_ifindex=if ndm_state=f:nud ndm_flags=x ndm_type=e:rtn
signalfd_siginfo: ssi_signo=sig ssi_code ssi_pid ssi_uid ...
"""


def _parse() -> dict[str, tuple[tuple[str, str], ...]]:
    table = {}
    for entry in _TEXT.replace("\n   ", "").strip().splitlines():
        name, _, fields = entry.partition(":")
        pairs = (field.partition("=") for field in fields.split())
        table[name] = tuple((field, form) for field, _, form in pairs)
    return table


#: struct → its shown fields with their formats; the field ``...`` ends an abbreviated one
FORMATS: Final = MappingProxyType(_parse())
