"""/proc/net/{sockstat,snmp,netstat} (net/ipv4/proc.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from kshell.linux.fs.proc.generic import remove_proc_entry
from kshell.linux.fs.proc.proc_net import proc_create_net_single
from kshell.linux.fs.seq_file import seq_printf, seq_putc, seq_puts
from kshell.linux.include.linux.inetdevice import IPV4_DEVCONF_ALL, IPV4_DEVCONF_FORWARDING
from kshell.linux.include.linux.snmp import (
    ICMP_MIB_CSUMERRORS,
    ICMP_MIB_INERRORS,
    ICMP_MIB_INMSGS,
    ICMP_MIB_OUTERRORS,
    ICMP_MIB_OUTMSGS,
    ICMP_MIB_RATELIMITGLOBAL,
    ICMP_MIB_RATELIMITHOST,
)
from kshell.linux.include.net.net_namespace import pernet_operations
from kshell.linux.net.core.net_namespace import register_pernet_subsys
from kshell.linux.net.core.sock_proto import sock_inuse_get, sock_prot_inuse_get
from kshell.linux.net.ipv4.proc_names import (
    snmp4_ipextstats_list,
    snmp4_ipstats_list,
    snmp4_net_list,
    snmp4_tcp_list,
    snmp4_udp_list,
)
from kshell.linux.net.ipv4.raw import raw_prot
from kshell.linux.net.ipv4.tcp_ipv4 import tcp_prot
from kshell.linux.net.ipv4.udp import udp_prot
from kshell.linux.net.ipv4.udplite import udplite_prot

if TYPE_CHECKING:
    from kshell.linux.include.linux.seq_file import seq_file
    from kshell.linux.include.net.net_namespace import net as net_t
    from kshell.linux.init.kernel import Kernel

PERLINE = 16
OUT = 0x100
icmpmibmap = (
    ("DestUnreachs", 3), ("TimeExcds", 11), ("ParmProbs", 12), ("SrcQuenchs", 4), ("Redirects", 5), ("Echos", 8),
    ("EchoReps", 0), ("Timestamps", 13), ("TimestampReps", 14), ("AddrMasks", 17), ("AddrMaskReps", 18),
)  # fmt: skip


def _net(seq: seq_file) -> net_t:
    return cast("net_t", seq.private)


def socket_seq_show(seq: seq_file) -> None:
    """How many sockets the namespace has (net/socket.c)."""
    seq_printf(seq, f"sockets: used {sock_inuse_get(_net(seq))}\n")


def sockstat_seq_show(seq: seq_file, v: object) -> None:
    """/proc/net/sockstat."""
    net = _net(seq)
    kernel, ipv4 = net.kernel, net.ipv4
    socket_seq_show(seq)
    seq_printf(
        seq,
        f"TCP: inuse {sock_prot_inuse_get(net, tcp_prot)} orphan {kernel.tcp_orphan_count} "
        f"tw {ipv4.tcp_death_row.tw_refcount - 1} alloc {kernel.tcp_sockets_allocated} "
        f"mem {kernel.tcp_memory_allocated}\n",
    )
    seq_printf(seq, f"UDP: inuse {sock_prot_inuse_get(net, udp_prot)} mem {kernel.udp_memory_allocated}\n")
    seq_printf(seq, f"UDPLITE: inuse {sock_prot_inuse_get(net, udplite_prot)}\n")
    seq_printf(seq, f"RAW: inuse {sock_prot_inuse_get(net, raw_prot)}\n")
    seq_printf(seq, f"FRAG: inuse {len(ipv4.fqdir._queues)} memory {ipv4.fqdir.mem}\n")


def _lines(seq: seq_file, title: str, names: tuple[tuple[str, int], ...], values: list[int]) -> None:
    seq_puts(seq, f"{title}: {' '.join(name for name, _ in names)}")
    seq_printf(seq, f"\n{title}: {' '.join(str(values[number]) for _, number in names)}")


def icmpmsg_put_line(seq: seq_file, counts: list[tuple[int, int]]) -> None:
    """Two lines: names and numbers of up to 16 kinds of messages."""
    if counts:
        names = " ".join(f"{'Out' if kind & OUT else 'In'}Type{kind & 0xFF}" for kind, _ in counts)
        seq_puts(seq, f"\nIcmpMsg: {names}")
        seq_printf(seq, f"\nIcmpMsg: {' '.join(str(value) for _, value in counts)}")


def icmpmsg_put(seq: seq_file) -> None:
    """The kinds of ICMP messages that came or went."""
    counts = [(kind, value) for kind, value in enumerate(_net(seq).mib.icmpmsg_statistics) if value]
    for at in range(0, len(counts), PERLINE):
        icmpmsg_put_line(seq, counts[at : at + PERLINE])


def icmp_put(seq: seq_file) -> None:
    """ICMP messages, as RFC 2011 counts them."""
    mib, kinds = _net(seq).mib.icmp_statistics, _net(seq).mib.icmpmsg_statistics
    names = [f"In{name}" for name, _ in icmpmibmap], [f"Out{name}" for name, _ in icmpmibmap]
    seq_puts(seq, "\nIcmp: InMsgs InErrors InCsumErrors " + " ".join(names[0]))
    seq_puts(seq, " OutMsgs OutErrors OutRateLimitGlobal OutRateLimitHost " + " ".join(names[1]))
    values = [mib[ICMP_MIB_INMSGS], mib[ICMP_MIB_INERRORS], mib[ICMP_MIB_CSUMERRORS]]
    values += [kinds[kind] for _, kind in icmpmibmap]
    values += [mib[ICMP_MIB_OUTMSGS], mib[ICMP_MIB_OUTERRORS]]
    values += [mib[ICMP_MIB_RATELIMITGLOBAL], mib[ICMP_MIB_RATELIMITHOST]]
    values += [kinds[kind | OUT] for _, kind in icmpmibmap]
    seq_printf(seq, "\nIcmp: " + " ".join(map(str, values)))


def snmp_seq_show_ipstats(seq: seq_file, v: object) -> None:
    """IP's lines."""
    net = _net(seq)
    mib = net.mib.ip_statistics
    forwarding = 1 if IPV4_DEVCONF_ALL(net, IPV4_DEVCONF_FORWARDING) else 2
    seq_puts(seq, "Ip: Forwarding DefaultTTL " + " ".join(name for name, _ in snmp4_ipstats_list))
    seq_printf(seq, f"\nIp: {forwarding} {net.ipv4.sysctl_ip_default_ttl} ")
    seq_printf(seq, " ".join(str(mib[number]) for _, number in snmp4_ipstats_list))


def snmp_seq_show_tcp_udp(seq: seq_file, v: object) -> None:
    """The lines of TCP, UDP and UDP-Lite."""
    mib = _net(seq).mib
    seq_putc(seq, "\n")
    _lines(seq, "Tcp", snmp4_tcp_list, mib.tcp_statistics)
    seq_putc(seq, "\n")
    _lines(seq, "Udp", snmp4_udp_list, mib.udp_statistics)
    seq_putc(seq, "\n")
    _lines(seq, "UdpLite", snmp4_udp_list, mib.udplite_statistics)
    seq_putc(seq, "\n")


def snmp_seq_show(seq: seq_file, v: object) -> None:
    """/proc/net/snmp."""
    snmp_seq_show_ipstats(seq, v)
    icmp_put(seq)
    icmpmsg_put(seq)
    snmp_seq_show_tcp_udp(seq, v)


def netstat_seq_show(seq: seq_file, v: object) -> None:
    """/proc/net/netstat."""
    mib = _net(seq).mib
    _lines(seq, "TcpExt", snmp4_net_list, mib.net_statistics)
    seq_putc(seq, "\n")
    _lines(seq, "IpExt", snmp4_ipextstats_list, mib.ip_statistics)
    seq_putc(seq, "\n")


def ip_proc_init_net(net: net_t) -> None:
    """A namespace comes."""
    proc_create_net_single(net.kernel, "sockstat", 0o444, net.proc_net, sockstat_seq_show)
    proc_create_net_single(net.kernel, "netstat", 0o444, net.proc_net, netstat_seq_show)
    proc_create_net_single(net.kernel, "snmp", 0o444, net.proc_net, snmp_seq_show)


def ip_proc_exit_net(net: net_t) -> None:
    """A namespace goes."""
    for name in ("snmp", "netstat", "sockstat"):
        remove_proc_entry(net.kernel, name, net.proc_net)


ip_proc_ops = pernet_operations(init=ip_proc_init_net, exit=ip_proc_exit_net)


def ip_misc_proc_init(kernel: Kernel) -> None:
    """Have every namespace get its files."""
    register_pernet_subsys(kernel, ip_proc_ops)
