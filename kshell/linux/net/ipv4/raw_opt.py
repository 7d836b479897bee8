"""Options and ioctl of raw sockets (part of net/ipv4/raw.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EADDRNOTAVAIL, EINVAL, ENOPROTOOPT, EOPNOTSUPP
from kshell.abi.inet import ICMP_FILTER, IPPROTO_ICMP
from kshell.abi.ioctl import SIOCINQ, SIOCOUTQ
from kshell.abi.socket import SOL_RAW
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.errno import ENOIOCTLCMD
from kshell.linux.include.linux.sockptr import copy_from_sockptr
from kshell.linux.include.linux.uaccess import copy_from_user, copy_to_user, get_user, put_user
from kshell.linux.include.net.inet_sock import inet_sk
from kshell.linux.include.net.raw import raw_sk
from kshell.linux.include.net.sock import sock
from kshell.linux.include.net.sock_space import sk_wmem_alloc_get
from kshell.linux.net.ipv4.ip_sockglue_opt import ip_getsockopt, ip_setsockopt

if TYPE_CHECKING:
    from kshell.linux.include.linux.sockptr import sockptr_t


SIOCGETVIFCNT = 0x89E0
SIOCGETSGCNT = 0x89E1


def raw_seticmpfilter(sk: sock, optval: sockptr_t, optlen: int) -> int:
    """ICMP_FILTER. EFAULT."""
    optlen = min(optlen, 4)
    data = copy_from_sockptr(optval, optlen) if optlen else b""
    old = raw_sk(sk).filter.data.to_bytes(4, "little")
    raw_sk(sk).filter.data = int.from_bytes(data + old[optlen:], "little")
    return 0


def raw_geticmpfilter(sk: sock, optval: int, optlen: int) -> int:
    """ICMP_FILTER. EFAULT, EINVAL."""
    current = sk.skc_net.kernel.current
    length = get_user(current, optlen)
    if length < 0:
        raise KernelError(EINVAL)
    length = min(length, 4)
    put_user(current, optlen, length)
    copy_to_user(current, optval, raw_sk(sk).filter.data.to_bytes(4, "little")[:length])
    return 0


def _check_icmp_filter(sk: sock, optname: int) -> None:
    if optname != ICMP_FILTER:
        raise KernelError(ENOPROTOOPT)
    if inet_sk(sk).inet_num != IPPROTO_ICMP:
        raise KernelError(EOPNOTSUPP)


def raw_setsockopt(sk: sock, level: int, optname: int, optval: sockptr_t, optlen: int) -> int:
    """setsockopt() at SOL_RAW or IPPROTO_IP."""
    if level != SOL_RAW:
        return ip_setsockopt(sk, level, optname, optval, optlen)
    _check_icmp_filter(sk, optname)
    return raw_seticmpfilter(sk, optval, optlen)


def raw_getsockopt(sk: sock, level: int, optname: int, optval: int, optlen: int) -> int:
    """getsockopt() at SOL_RAW or IPPROTO_IP."""
    if level != SOL_RAW:
        return ip_getsockopt(sk, level, optname, optval, optlen)
    _check_icmp_filter(sk, optname)
    return raw_geticmpfilter(sk, optval, optlen)


def ipmr_ioctl(sk: sock, cmd: int, arg: int) -> int:
    """net/ipv4/ipmr.c: statistics of multicast routes, of which there are none. EINVAL, EADDRNOTAVAIL."""
    current = sk.skc_net.kernel.current
    if cmd == SIOCGETVIFCNT:
        copy_from_user(current, arg, 40)
        raise KernelError(EINVAL)
    if cmd == SIOCGETSGCNT:
        copy_from_user(current, arg, 32)
        raise KernelError(EADDRNOTAVAIL)
    raise KernelError(ENOIOCTLCMD)


def raw_ioctl(sk: sock, cmd: int, arg: int) -> int:
    """SIOCOUTQ, SIOCINQ."""
    current = sk.skc_net.kernel.current
    if cmd == SIOCOUTQ:
        put_user(current, arg, sk_wmem_alloc_get(sk))
        return 0
    if cmd == SIOCINQ:
        skb = sk.sk_receive_queue.next
        put_user(current, arg, skb.len if skb is not None else 0)
        return 0
    return ipmr_ioctl(sk, cmd, arg)


def compat_raw_ioctl(sk: sock, cmd: int, arg: int) -> int:
    """No ioctl differs for 32-bit programs."""
    raise KernelError(ENOIOCTLCMD)
