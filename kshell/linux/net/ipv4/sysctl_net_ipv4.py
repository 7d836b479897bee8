"""Settings of IPv4 with rules of their own, and those of the whole machine (net/ipv4/sysctl_net_ipv4.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from kshell.abi.errno import EINVAL
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.jiffies import HZ
from kshell.linux.include.linux.sysctl import Box, ctl_table, data_local, initial
from kshell.linux.include.net.ping import GID_T_MAX
from kshell.linux.include.net.tcp import TCP_CA_NAME_MAX
from kshell.linux.kernel.printk import pr_err
from kshell.linux.kernel.sysctl import (
    _with_data,
    proc_dointvec,
    proc_dointvec_jiffies,
    proc_dointvec_minmax,
    proc_dostring,
    proc_dou8vec_minmax,
    proc_douintvec_minmax,
    proc_doulongvec_minmax,
)
from kshell.linux.net.ipv4 import tcp_cong
from kshell.linux.net.ipv4.tcp_fastopen import tcp_fastopen_get_cipher, tcp_fastopen_reset_cipher

if TYPE_CHECKING:
    from kshell.linux.include.net.net_namespace import net as net_t

TCP_CA_BUF_MAX = 2048
TCP_ULP_BUF_MAX = 2048
KEY_LENGTH = 16
KEY_TEXT_MAX = 74


def _net(table: ctl_table) -> net_t:
    assert table._net is not None
    return table._net


def set_local_port_range(net: net_t, range: list[int]) -> None:
    """Take over a port range; one end even and one odd makes the best use of it."""
    ports = net.ipv4.ip_local_ports
    if not (range[0] ^ range[1]) & 1 and not ports.warned:
        ports.warned = True
        pr_err(net.kernel, "ip_local_port_range: prefer different parity for start/end values.")
    ports.range = range


def _bounded(table: ctl_table, value: object, maxlen: int, least: int, most: int) -> tuple[ctl_table, data_local]:
    data = data_local(value)
    tmp = ctl_table(table.procname, data, maxlen, table.mode, None, least, most)
    tmp._kernel = table._kernel
    return tmp, data


def ipv4_local_port_range(table: ctl_table, write: int, buffer: bytearray, lenp: Box, ppos: Box) -> None:
    """Ports that the kernel gives out: not below the privileged ones. EINVAL."""
    net = _net(table)
    tmp, data = _bounded(table, list(net.ipv4.ip_local_ports.range), 8, 1, 65535)
    proc_dointvec_minmax(tmp, write, buffer, lenp, ppos)
    if write:
        low, high = cast("list[int]", data.value)
        if high < low or low < net.ipv4.sysctl_ip_prot_sock:
            raise KernelError(EINVAL)
        set_local_port_range(net, [low, high])


def ipv4_privileged_ports(table: ctl_table, write: int, buffer: bytearray, lenp: Box, ppos: Box) -> None:
    """The first port that needs no privilege: not above the ports that the kernel gives out. EINVAL."""
    net = _net(table)
    tmp, data = _bounded(table, net.ipv4.sysctl_ip_prot_sock, 4, 0, 65535)
    proc_dointvec_minmax(tmp, write, buffer, lenp, ppos)
    if write:
        first = cast(int, data.value)
        if net.ipv4.ip_local_ports.range[0] < first:
            raise KernelError(EINVAL)
        net.ipv4.sysctl_ip_prot_sock = first


def ipv4_ping_group_range(table: ctl_table, write: int, buffer: bytearray, lenp: Box, ppos: Box) -> None:
    """The groups that may make ping sockets; "1 0" is none."""
    net = _net(table)
    tmp, data = _bounded(table, list(net.ipv4.ping_group_range.range), 16, 0, GID_T_MAX)
    proc_doulongvec_minmax(tmp, write, buffer, lenp, ppos)
    if write:
        low, high = cast("list[int]", data.value)
        net.ipv4.ping_group_range.range = [1, 0] if high < low else [low, high]


def ipv4_fwd_update_priority(table: ctl_table, write: int, buffer: bytearray, lenp: Box, ppos: Box) -> None:
    """Whether a forwarded packet's priority follows its type of service."""
    proc_dou8vec_minmax(table, write, buffer, lenp, ppos)


def proc_tcp_congestion_control(ctl: ctl_table, write: int, buffer: bytearray, lenp: Box, ppos: Box) -> None:
    """The congestion control of new sockets. ENOENT: it is not known."""
    name = data_local(tcp_cong.tcp_get_default_congestion_control(_net(ctl)))
    _with_data(proc_dostring, ctl, name, write, buffer, lenp, ppos, TCP_CA_NAME_MAX)
    if write:
        tcp_cong.tcp_set_default_congestion_control(_net(ctl), str(name.value))


def proc_tcp_available_congestion_control(
    ctl: ctl_table, write: int, buffer: bytearray, lenp: Box, ppos: Box
) -> None:
    """The known ones."""
    names = data_local(tcp_cong.tcp_get_available_congestion_control(ctl._kernel))
    _with_data(proc_dostring, ctl, names, write, buffer, lenp, ppos, TCP_CA_BUF_MAX)


def proc_allowed_congestion_control(ctl: ctl_table, write: int, buffer: bytearray, lenp: Box, ppos: Box) -> None:
    """Those that everybody may choose. ENOENT."""
    names = data_local(tcp_cong.tcp_get_allowed_congestion_control(ctl._kernel))
    _with_data(proc_dostring, ctl, names, write, buffer, lenp, ppos, TCP_CA_BUF_MAX)
    if write:
        tcp_cong.tcp_set_allowed_congestion_control(ctl._kernel, str(names.value))


def sscanf_key(buf: str) -> bytes:
    """A key from four 32-bit numbers in hex. EINVAL."""
    words = buf.split("-")
    try:
        return b"".join(int(word, 16).to_bytes(4, "little") for word in words[:4] if len(words) == 4) or bytes(0)
    except (ValueError, OverflowError):
        return b""


def _key_text(key: bytes) -> str:
    return "-".join(f"{int.from_bytes(key[at : at + 4], 'little'):08x}" for at in range(0, KEY_LENGTH, 4))


def proc_tcp_fastopen_key(table: ctl_table, write: int, buffer: bytearray, lenp: Box, ppos: Box) -> None:
    """The key (and a former one) from which fast open makes its cookies. EINVAL."""
    net = _net(table)
    keys = tcp_fastopen_get_cipher(net, None) or bytes(KEY_LENGTH)
    parts = [keys[at : at + KEY_LENGTH] for at in range(0, len(keys), KEY_LENGTH)]
    text = data_local(",".join(map(_key_text, parts)))
    _with_data(proc_dostring, table, text, write, buffer, lenp, ppos, KEY_TEXT_MAX)
    if not write:
        return
    primary, comma, backup = str(text.value).partition(",")
    new = [sscanf_key(primary)] + ([sscanf_key(backup)] if comma else [])
    if not all(new):
        raise KernelError(EINVAL)
    tcp_fastopen_reset_cipher(net, None, new[0], new[1] if comma else None)


def proc_tfo_blackhole_detect_timeout(table: ctl_table, write: int, buffer: bytearray, lenp: Box, ppos: Box) -> None:
    """For how long fast open is left off after it failed; writing begins anew."""
    proc_dointvec_minmax(table, write, buffer, lenp, ppos)
    if write:
        _net(table).ipv4.tfo_active_disable_times = 0


def proc_tcp_available_ulp(ctl: ctl_table, write: int, buffer: bytearray, lenp: Box, ppos: Box) -> None:
    """The protocols that can be laid upon TCP."""
    names = data_local(" ".join(ulp.name for ulp in ctl._kernel.tcp_ulp_list))
    _with_data(proc_dostring, ctl, names, write, buffer, lenp, ppos, TCP_ULP_BUF_MAX)


def proc_tcp_ehash_entries(table: ctl_table, write: int, buffer: bytearray, lenp: Box, ppos: Box) -> None:
    """Buckets of the table of connections; negative in a namespace that shares the machine's."""
    net = _net(table)
    entries = net.ipv4.tcp_death_row.hashinfo.ehash_mask + 1
    number = data_local(entries if net is net.kernel.init_net else -entries)
    _with_data(proc_dointvec, table, number, write, buffer, lenp, ppos, 4)


def proc_fib_multipath_hash_policy(table: ctl_table, write: int, buffer: bytearray, lenp: Box, ppos: Box) -> None:
    """What of a packet chooses among several next hops."""
    proc_dou8vec_minmax(table, write, buffer, lenp, ppos)


def proc_fib_multipath_hash_fields(table: ctl_table, write: int, buffer: bytearray, lenp: Box, ppos: Box) -> None:
    """The same in detail, for policy 3."""
    proc_douintvec_minmax(table, write, buffer, lenp, ppos)


ipv4_table = (
    ctl_table("tcp_max_orphans", "sysctl_tcp_max_orphans", 4, 0o644, proc_dointvec),
    ctl_table("inet_peer_threshold", initial(65664), 4, 0o644, proc_dointvec),
    ctl_table("inet_peer_minttl", initial(120 * HZ), 4, 0o644, proc_dointvec_jiffies),
    ctl_table("inet_peer_maxttl", initial(600 * HZ), 4, 0o644, proc_dointvec_jiffies),
    ctl_table("tcp_mem", "sysctl_tcp_mem", 24, 0o644, proc_doulongvec_minmax),
    ctl_table("tcp_low_latency", initial(0), 4, 0o644, proc_dointvec),
    ctl_table("cipso_cache_enable", initial(1), 4, 0o644, proc_dointvec),
    ctl_table("cipso_cache_bucket_size", initial(10), 4, 0o644, proc_dointvec),
    ctl_table("cipso_rbm_optfmt", initial(0), 4, 0o644, proc_dointvec),
    ctl_table("cipso_rbm_strictvalid", initial(1), 4, 0o644, proc_dointvec),
    ctl_table("tcp_available_ulp", None, 2048, 0o444, proc_tcp_available_ulp),
    ctl_table("udp_mem", "sysctl_udp_mem", 24, 0o644, proc_doulongvec_minmax),
    ctl_table("fib_sync_mem", initial(512 * 1024), 4, 0o644, proc_douintvec_minmax, 64 * 1024, 64 * 1024 * 1024),
)
