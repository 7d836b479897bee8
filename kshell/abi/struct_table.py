"""The structs that cross the system call boundary, as text; ``kshell.abi.structs`` lays them out.

``name: type field; …``. Types: ``u8 s16 be32`` …, ``long ulong ptr`` (as wide as the architecture's), ``char[n]`` (a
string), ``u8[n]`` (bytes), ``u32[n]`` (a list), ``struct name``. ``be`` fields are kept in network order in memory and
are numbers in host order for those who pack and unpack. Natural alignment, but for ``packed`` ones. A struct with
``@i386`` after its name is that architecture's own.
"""

from typing import Final

STRUCTS: Final = """
sockaddr: u16 sa_family; u8[14] sa_data
sockaddr_in: u16 sin_family; be16 sin_port; be32 sin_addr; u8[8] sin_zero
sockaddr_in6: u16 sin6_family; be16 sin6_port; be32 sin6_flowinfo; u8[16] sin6_addr; u32 sin6_scope_id
sockaddr_un: u16 sun_family; u8[108] sun_path
sockaddr_nl: u16 nl_family; u16 nl_pad; s32 nl_pid; u32 nl_groups
sockaddr_ll: u16 sll_family; be16 sll_protocol; s32 sll_ifindex; u16 sll_hatype; u8 sll_pkttype; u8 sll_halen;
    u8[8] sll_addr
sockaddr_storage: u16 ss_family; u8[6] ss_pad; ulong[15] ss_data
sockaddr_storage@i386: u16 ss_family; u8[2] ss_pad; ulong[31] ss_data
msghdr: ptr msg_name; s32 msg_namelen; ptr msg_iov; ulong msg_iovlen; ptr msg_control; ulong msg_controllen;
    u32 msg_flags
mmsghdr: struct msghdr msg_hdr; u32 msg_len
iovec: ptr iov_base; ulong iov_len
cmsghdr: ulong cmsg_len; s32 cmsg_level; s32 cmsg_type
linger: s32 l_onoff; s32 l_linger
ucred: s32 pid; u32 uid; u32 gid
timeval: long tv_sec; long tv_usec
timespec: long tv_sec; long tv_nsec
timezone: s32 tz_minuteswest; s32 tz_dsttime
itimerval: struct timeval it_interval; struct timeval it_value
itimerspec: struct timespec it_interval; struct timespec it_value
utimbuf: long actime; long modtime
tms: long tms_utime; long tms_stime; long tms_cutime; long tms_cstime
pollfd: s32 fd; u16 events; u16 revents
epoll_event packed: u32 events; u64 data
rlimit: ulong rlim_cur; ulong rlim_max
rlimit64: u64 rlim_cur; u64 rlim_max
rusage: struct timeval ru_utime; struct timeval ru_stime; long ru_maxrss; long ru_ixrss; long ru_idrss; long ru_isrss;
    long ru_minflt; long ru_majflt; long ru_nswap; long ru_inblock; long ru_oublock; long ru_msgsnd; long ru_msgrcv;
    long ru_nsignals; long ru_nvcsw; long ru_nivcsw
utsname: char[65] sysname; char[65] nodename; char[65] release; char[65] version; char[65] machine; char[65] domainname
sysinfo: long uptime; ulong[3] loads; ulong totalram; ulong freeram; ulong sharedram; ulong bufferram; ulong totalswap;
    ulong freeswap; u16 procs; u16 pad; ulong totalhigh; ulong freehigh; u32 mem_unit
sysinfo@i386: long uptime; ulong[3] loads; ulong totalram; ulong freeram; ulong sharedram; ulong bufferram;
    ulong totalswap; ulong freeswap; u16 procs; u16 pad; ulong totalhigh; ulong freehigh; u32 mem_unit; u8[8] _f
sigaction: ptr sa_handler; ulong sa_flags; ptr sa_restorer; u64 sa_mask
stack_t: ptr ss_sp; s32 ss_flags; ulong ss_size
siginfo: s32 si_signo; s32 si_errno; s32 si_code; s32 _pad; s32 si_pid; u32 si_uid; s32 si_status; s32 _pad2;
    long si_utime; long si_stime; u8[80] _rest
siginfo@i386: s32 si_signo; s32 si_errno; s32 si_code; s32 si_pid; u32 si_uid; s32 si_status; long si_utime;
    long si_stime; u8[96] _rest
stat: u64 st_dev; u64 st_ino; u64 st_nlink; u32 st_mode; u32 st_uid; u32 st_gid; u32 _pad0; u64 st_rdev; s64 st_size;
    s64 st_blksize; s64 st_blocks; s64 st_atime; u64 st_atime_nsec; s64 st_mtime; u64 st_mtime_nsec; s64 st_ctime;
    u64 st_ctime_nsec; s64[3] _unused
stat@i386 packed: u64 st_dev; u8[4] _pad0; u32 _st_ino; u32 st_mode; u32 st_nlink; u32 st_uid; u32 st_gid; u64 st_rdev;
    u8[4] _pad3; s64 st_size; u32 st_blksize; u64 st_blocks; u32 st_atime; u32 st_atime_nsec; u32 st_mtime;
    u32 st_mtime_nsec; u32 st_ctime; u32 st_ctime_nsec; u64 st_ino
statfs: long f_type; long f_bsize; long f_blocks; long f_bfree; long f_bavail; long f_files; long f_ffree;
    s32[2] f_fsid; long f_namelen; long f_frsize; long f_flags; long[4] f_spare
statx_timestamp: s64 tv_sec; u32 tv_nsec; s32 _reserved
statx: u32 stx_mask; u32 stx_blksize; u64 stx_attributes; u32 stx_nlink; u32 stx_uid; u32 stx_gid; u16 stx_mode;
    u16 _spare0; u64 stx_ino; u64 stx_size; u64 stx_blocks; u64 stx_attributes_mask; struct statx_timestamp stx_atime;
    struct statx_timestamp stx_btime; struct statx_timestamp stx_ctime; struct statx_timestamp stx_mtime;
    u32 stx_rdev_major; u32 stx_rdev_minor; u32 stx_dev_major; u32 stx_dev_minor; u64 stx_mnt_id;
    u32 stx_dio_mem_align; u32 stx_dio_offset_align; u64[12] _spare3
flock: s16 l_type; s16 l_whence; s64 l_start; s64 l_len; s32 l_pid
f_owner_ex: s32 type; s32 pid
linux_dirent64: u64 d_ino; s64 d_off; u16 d_reclen; u8 d_type
linux_dirent: ulong d_ino; ulong d_off; u16 d_reclen
winsize: u16 ws_row; u16 ws_col; u16 ws_xpixel; u16 ws_ypixel
termios: u32 c_iflag; u32 c_oflag; u32 c_cflag; u32 c_lflag; u8 c_line; u8[19] c_cc
clone_args: u64 flags; u64 pidfd; u64 child_tid; u64 parent_tid; u64 exit_signal; u64 stack; u64 stack_size; u64 tls;
    u64 set_tid; u64 set_tid_size; u64 cgroup
cap_user_header: u32 version; s32 pid
cap_user_data: u32 effective; u32 permitted; u32 inheritable
signalfd_siginfo: u32 ssi_signo; s32 ssi_errno; s32 ssi_code; u32 ssi_pid; u32 ssi_uid; s32 ssi_fd; u32 ssi_tid;
    u32 ssi_band; u32 ssi_overrun; u32 ssi_trapno; s32 ssi_status; s32 ssi_int; u64 ssi_ptr; u64 ssi_utime;
    u64 ssi_stime; u64 ssi_addr; u16 ssi_addr_lsb; u16 _pad2; s32 ssi_syscall; u64 ssi_call_addr; u32 ssi_arch;
    u8[28] _pad
inotify_event: s32 wd; u32 mask; u32 cookie; u32 len
ip_mreq: be32 imr_multiaddr; be32 imr_interface
ip_mreqn: be32 imr_multiaddr; be32 imr_address; s32 imr_ifindex
ip_mreq_source: be32 imr_multiaddr; be32 imr_interface; be32 imr_sourceaddr
ip_msfilter: be32 imsf_multiaddr; be32 imsf_interface; u32 imsf_fmode; u32 imsf_numsrc; be32[1] imsf_slist
ipv6_mreq: u8[16] ipv6mr_multiaddr; s32 ipv6mr_interface
group_req: u32 gr_interface; struct sockaddr_storage gr_group
group_source_req: u32 gsr_interface; struct sockaddr_storage gsr_group; struct sockaddr_storage gsr_source
group_filter: u32 gf_interface; struct sockaddr_storage gf_group; u32 gf_fmode; u32 gf_numsrc;
    struct sockaddr_storage gf_slist
in_pktinfo: s32 ipi_ifindex; be32 ipi_spec_dst; be32 ipi_addr
in6_pktinfo: u8[16] ipi6_addr; s32 ipi6_ifindex
sock_extended_err: u32 ee_errno; u8 ee_origin; u8 ee_type; u8 ee_code; u8 ee_pad; u32 ee_info; u32 ee_data
tcp_info: u8 tcpi_state; u8 tcpi_ca_state; u8 tcpi_retransmits; u8 tcpi_probes; u8 tcpi_backoff; u8 tcpi_options;
    u8 tcpi_wscale; u8 tcpi_bits; u32 tcpi_rto; u32 tcpi_ato; u32 tcpi_snd_mss; u32 tcpi_rcv_mss; u32 tcpi_unacked;
    u32 tcpi_sacked; u32 tcpi_lost; u32 tcpi_retrans; u32 tcpi_fackets; u32 tcpi_last_data_sent;
    u32 tcpi_last_ack_sent; u32 tcpi_last_data_recv; u32 tcpi_last_ack_recv; u32 tcpi_pmtu; u32 tcpi_rcv_ssthresh;
    u32 tcpi_rtt; u32 tcpi_rttvar; u32 tcpi_snd_ssthresh; u32 tcpi_snd_cwnd; u32 tcpi_advmss; u32 tcpi_reordering;
    u32 tcpi_rcv_rtt; u32 tcpi_rcv_space; u32 tcpi_total_retrans; u64 tcpi_pacing_rate; u64 tcpi_max_pacing_rate;
    u64 tcpi_bytes_acked; u64 tcpi_bytes_received; u32 tcpi_segs_out; u32 tcpi_segs_in; u32 tcpi_notsent_bytes;
    u32 tcpi_min_rtt; u32 tcpi_data_segs_in; u32 tcpi_data_segs_out; u64 tcpi_delivery_rate; u64 tcpi_busy_time;
    u64 tcpi_rwnd_limited; u64 tcpi_sndbuf_limited; u32 tcpi_delivered; u32 tcpi_delivered_ce; u64 tcpi_bytes_sent;
    u64 tcpi_bytes_retrans; u32 tcpi_dsack_dups; u32 tcpi_reord_seen; u32 tcpi_rcv_ooopack; u32 tcpi_snd_wnd
ifmap: ulong mem_start; ulong mem_end; u16 base_addr; u8 irq; u8 dma; u8 port
ifreq: char[16] ifr_name; struct ifmap ifr_map
ifconf: s32 ifc_len; ptr ifc_buf
rtentry: ulong rt_pad1; struct sockaddr rt_dst; struct sockaddr rt_gateway; struct sockaddr rt_genmask; u16 rt_flags;
    s16 rt_pad2; ulong rt_pad3; u8 rt_tos; u8 rt_class; u8[6] rt_pad4; s16 rt_metric; ptr rt_dev; ulong rt_mtu;
    ulong rt_window; u16 rt_irtt
rtentry@i386: ulong rt_pad1; struct sockaddr rt_dst; struct sockaddr rt_gateway; struct sockaddr rt_genmask;
    u16 rt_flags; s16 rt_pad2; ulong rt_pad3; u8 rt_tos; u8 rt_class; u8[2] rt_pad4; s16 rt_metric; ptr rt_dev;
    ulong rt_mtu; ulong rt_window; u16 rt_irtt
arpreq: struct sockaddr arp_pa; struct sockaddr arp_ha; s32 arp_flags; struct sockaddr arp_netmask; char[16] arp_dev
ethtool_value: u32 cmd; u32 data
ethtool_drvinfo: u32 cmd; char[32] driver; char[32] version; char[32] fw_version; char[32] bus_info;
    char[32] erom_version; u8[12] reserved2; u32 n_priv_flags; u32 n_stats; u32 testinfo_len; u32 eedump_len;
    u32 regdump_len
packet_mreq: s32 mr_ifindex; u16 mr_type; u16 mr_alen; u8[8] mr_address
tpacket_stats: u32 tp_packets; u32 tp_drops
tpacket_auxdata: u32 tp_status; u32 tp_len; u32 tp_snaplen; u16 tp_mac; u16 tp_net; u16 tp_vlan_tci; u16 tp_vlan_tpid
sock_filter: u16 code; u8 jt; u8 jf; u32 k
sock_fprog: u16 len; ptr filter
nlmsghdr: u32 nlmsg_len; u16 nlmsg_type; u16 nlmsg_flags; u32 nlmsg_seq; s32 nlmsg_pid
nlmsgerr: s32 error; struct nlmsghdr msg
nlattr: u16 nla_len; u16 nla_type
rtattr: u16 rta_len; u16 rta_type
genlmsghdr: u8 cmd; u8 version; u16 reserved
ifinfomsg: u8 ifi_family; u8 _pad; u16 ifi_type; s32 ifi_index; u32 ifi_flags; u32 ifi_change
ifaddrmsg: u8 ifa_family; u8 ifa_prefixlen; u8 ifa_flags; u8 ifa_scope; u32 ifa_index
rtmsg: u8 rtm_family; u8 rtm_dst_len; u8 rtm_src_len; u8 rtm_tos; u8 rtm_table; u8 rtm_protocol; u8 rtm_scope;
    u8 rtm_type; u32 rtm_flags
rtgenmsg: u8 rtgen_family
ndmsg: u8 ndm_family; u8 _pad1; u16 _pad2; s32 ndm_ifindex; u16 ndm_state; u8 ndm_flags; u8 ndm_type
fib_rule_hdr: u8 family; u8 dst_len; u8 src_len; u8 tos; u8 table; u8 res1; u8 res2; u8 action; u32 flags
tcmsg: u8 tcm_family; u8 _pad1; u16 _pad2; s32 tcm_ifindex; u32 tcm_handle; u32 tcm_parent; u32 tcm_info
ifa_cacheinfo: u32 ifa_prefered; u32 ifa_valid; u32 cstamp; u32 tstamp
rta_cacheinfo: u32 rta_clntref; u32 rta_lastuse; s32 rta_expires; u32 rta_error; u32 rta_used; u32 rta_id; u32 rta_ts;
    u32 rta_tsage
nda_cacheinfo: u32 ndm_confirmed; u32 ndm_used; u32 ndm_updated; u32 ndm_refcnt
rtnexthop: u16 rtnh_len; u8 rtnh_flags; u8 rtnh_hops; s32 rtnh_ifindex
rtnl_link_stats: u32 rx_packets; u32 tx_packets; u32 rx_bytes; u32 tx_bytes; u32 rx_errors; u32 tx_errors;
    u32 rx_dropped; u32 tx_dropped; u32 multicast; u32 collisions; u32 rx_length_errors; u32 rx_over_errors;
    u32 rx_crc_errors; u32 rx_frame_errors; u32 rx_fifo_errors; u32 rx_missed_errors; u32 tx_aborted_errors;
    u32 tx_carrier_errors; u32 tx_fifo_errors; u32 tx_heartbeat_errors; u32 tx_window_errors; u32 rx_compressed;
    u32 tx_compressed; u32 rx_nohandler
rtnl_link_stats64: u64 rx_packets; u64 tx_packets; u64 rx_bytes; u64 tx_bytes; u64 rx_errors; u64 tx_errors;
    u64 rx_dropped; u64 tx_dropped; u64 multicast; u64 collisions; u64 rx_length_errors; u64 rx_over_errors;
    u64 rx_crc_errors; u64 rx_frame_errors; u64 rx_fifo_errors; u64 rx_missed_errors; u64 tx_aborted_errors;
    u64 tx_carrier_errors; u64 tx_fifo_errors; u64 tx_heartbeat_errors; u64 tx_window_errors; u64 rx_compressed;
    u64 tx_compressed; u64 rx_nohandler; u64 rx_otherhost_dropped
rtnl_link_ifmap: u64 mem_start; u64 mem_end; u64 base_addr; u16 irq; u8 dma; u8 port
inet_diag_sockid: be16 idiag_sport; be16 idiag_dport; u8[16] idiag_src; u8[16] idiag_dst; u32 idiag_if;
    u32[2] idiag_cookie
inet_diag_req_v2: u8 sdiag_family; u8 sdiag_protocol; u8 idiag_ext; u8 pad; u32 idiag_states;
    struct inet_diag_sockid id
inet_diag_msg: u8 idiag_family; u8 idiag_state; u8 idiag_timer; u8 idiag_retrans; struct inet_diag_sockid id;
    u32 idiag_expires; u32 idiag_rqueue; u32 idiag_wqueue; u32 idiag_uid; u32 idiag_inode
unix_diag_req: u8 sdiag_family; u8 sdiag_protocol; u16 pad; u32 udiag_states; u32 udiag_ino; u32 udiag_show;
    u32[2] udiag_cookie
unix_diag_msg: u8 udiag_family; u8 udiag_type; u8 udiag_state; u8 pad; u32 udiag_ino; u32[2] udiag_cookie
netlink_diag_req: u8 sdiag_family; u8 sdiag_protocol; u16 pad; u32 ndiag_ino; u32 ndiag_show; u32[2] ndiag_cookie
netlink_diag_msg: u8 ndiag_family; u8 ndiag_type; u8 ndiag_protocol; u8 ndiag_state; u32 ndiag_portid;
    u32 ndiag_dst_portid; u32 ndiag_dst_group; u32 ndiag_ino; u32[2] ndiag_cookie
packet_diag_req: u8 sdiag_family; u8 sdiag_protocol; u16 pad; u32 pdiag_ino; u32 pdiag_show; u32[2] pdiag_cookie
packet_diag_msg: u8 pdiag_family; u8 pdiag_type; u16 pdiag_num; u32 pdiag_ino; u32[2] pdiag_cookie
"""
