"""Keys of TCP-MD5 (part of net/ipv4/tcp_ipv4.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from kshell.abi.errno import EINVAL, ENOENT
from kshell.abi.socket import AF_INET
from kshell.abi.tcp import TCP_MD5SIG_EXT, TCP_MD5SIG_FLAG_IFINDEX, TCP_MD5SIG_FLAG_PREFIX, TCP_MD5SIG_MAXKEYLEN
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.snmp import LINUX_MIB_TCPMD5NOTFOUND, LINUX_MIB_TCPMD5UNEXPECTED
from kshell.linux.include.linux.sockptr import copy_from_sockptr
from kshell.linux.include.linux.tcp import tcp_sock
from kshell.linux.include.net.dropreason import SKB_DROP_REASON_TCP_MD5NOTFOUND, SKB_DROP_REASON_TCP_MD5UNEXPECTED
from kshell.linux.include.net.tcp import tcp_md5sig_info, tcp_md5sig_key
from kshell.linux.net.ipv4.tcp_input_options import tcp_parse_md5sig_option

if TYPE_CHECKING:
    from kshell.linux.include.linux.ip import iphdr
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.linux.include.linux.sockptr import sockptr_t
    from kshell.linux.include.linux.tcp_header import tcphdr
    from kshell.linux.include.net.sock import sock

_SIZE_MD5SIG = 216


def __tcp_md5_do_lookup(sk: tcp_sock, l3index: int, addr: int) -> tcp_md5sig_key | None:
    """The key with the longest prefix that fits a peer."""
    info = sk.md5sig_info
    best: tcp_md5sig_key | None = None
    for key in info.head if info is not None else ():
        if key.flags & TCP_MD5SIG_FLAG_IFINDEX and key.l3index != l3index:
            continue
        mask = 0xFFFFFFFF << 32 - key.prefixlen & 0xFFFFFFFF
        if (key.addr ^ addr) & mask == 0 and (best is None or key.prefixlen > best.prefixlen):
            best = key
    return best


def tcp_md5_do_lookup(sk: tcp_sock, l3index: int, addr: int) -> tcp_md5sig_key | None:
    """The key for a peer."""
    return __tcp_md5_do_lookup(sk, l3index, addr) if sk.md5sig_info is not None else None


def tcp_v4_md5_lookup(sk: sock, addr_sk: sock) -> tcp_md5sig_key | None:
    """The key for the peer of `addr_sk`."""
    return tcp_md5_do_lookup(cast(tcp_sock, sk), addr_sk.skc_bound_dev_if, addr_sk.skc_daddr)


def _exact(info: tcp_md5sig_info, addr: int, prefixlen: int, l3index: int, flags: int) -> tcp_md5sig_key | None:
    for key in info.head:
        if (key.addr, key.prefixlen, key.l3index, key.flags) == (addr, prefixlen, l3index, flags):
            return key
    return None


def tcp_md5_do_add(sk: tcp_sock, addr: int, prefixlen: int, l3index: int, flags: int, newkey: bytes) -> None:
    """Set the key for a peer."""
    info = sk.md5sig_info
    if info is None:
        info = sk.md5sig_info = tcp_md5sig_info()
    key = _exact(info, addr, prefixlen, l3index, flags)
    if key is not None:
        key.key = newkey
    else:
        info.head.append(tcp_md5sig_key(addr, AF_INET, prefixlen, l3index, flags, newkey))


def tcp_md5_do_del(sk: tcp_sock, addr: int, prefixlen: int, l3index: int, flags: int) -> None:
    """Forget the key for a peer. ENOENT."""
    info = sk.md5sig_info
    key = _exact(info, addr, prefixlen, l3index, flags) if info is not None else None
    if info is None or key is None:
        raise KernelError(ENOENT)
    info.head.remove(key)


def tcp_v4_parse_md5_keys(sk: tcp_sock, optname: int, optval: sockptr_t, optlen: int) -> int:
    """TCP_MD5SIG, TCP_MD5SIG_EXT. EINVAL, EFAULT, ENOENT."""
    if optlen < _SIZE_MD5SIG:
        raise KernelError(EINVAL)
    cmd = copy_from_sockptr(optval, _SIZE_MD5SIG)
    if int.from_bytes(cmd[:2], "little") != AF_INET:
        raise KernelError(EINVAL)
    addr = int.from_bytes(cmd[4:8], "big")
    flags, prefixlen, keylen = cmd[128], cmd[129], int.from_bytes(cmd[130:132], "little")
    ifindex = int.from_bytes(cmd[132:136], "little")
    ext = optname == TCP_MD5SIG_EXT
    flags_kept = flags & TCP_MD5SIG_FLAG_IFINDEX
    if ext and flags & TCP_MD5SIG_FLAG_PREFIX:
        if prefixlen > 32:
            raise KernelError(EINVAL)
    else:
        prefixlen = 32
    l3index = 0
    if ext and ifindex and flags & TCP_MD5SIG_FLAG_IFINDEX:
        raise KernelError(EINVAL)  # no device is an L3 master here
    if not keylen:
        tcp_md5_do_del(sk, addr, prefixlen, l3index, flags_kept)
        return 0
    if keylen > TCP_MD5SIG_MAXKEYLEN:
        raise KernelError(EINVAL)
    tcp_md5_do_add(sk, addr, prefixlen, l3index, flags_kept, cmd[136 : 136 + keylen])
    return 0


def tcp_inbound_md5_hash(sk: tcp_sock, skb: sk_buff, dif: int) -> int:
    """Why a segment must be dropped (SKB_DROP_REASON_*): a key without signature or the reverse; 0 to take it."""
    th: tcphdr = skb.transport_header  # type: ignore[assignment]
    if sk.md5sig_info is None and not th._options:
        return 0
    iph: iphdr = skb.network_header  # type: ignore[assignment]
    expected = tcp_md5_do_lookup(sk, 0, iph.saddr)
    signature = tcp_parse_md5sig_option(th)
    if expected is None and not signature:
        return 0
    stats = sk.skc_net.mib.net_statistics
    if expected is not None and not signature:
        stats[LINUX_MIB_TCPMD5NOTFOUND] += 1
        return SKB_DROP_REASON_TCP_MD5NOTFOUND
    if expected is None:
        stats[LINUX_MIB_TCPMD5UNEXPECTED] += 1
        return SKB_DROP_REASON_TCP_MD5UNEXPECTED
    return 0
