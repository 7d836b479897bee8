"""net/ipv4/tcp.c: the socket's life, readiness and memory.

Further parts: tcp_sendmsg, tcp_recvmsg, tcp_close, tcp_sockopt, tcp_getsockopt, tcp_info.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EINVAL
from kshell.abi.ioctl import SIOCATMARK, SIOCINQ, SIOCOUTQ, SIOCOUTQNSD
from kshell.abi.poll import EPOLLERR, EPOLLHUP, EPOLLPRI, EPOLLRDHUP
from kshell.abi.tcp import (
    TCP_CLOSE,
    TCP_CLOSE_WAIT,
    TCP_ESTABLISHED,
    TCP_LISTEN,
    TCP_MSS_DEFAULT,
    TCP_SYN_SENT,
    TCPF_SYN_RECV,
    TCPF_SYN_SENT,
)
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.errno import ENOIOCTLCMD
from kshell.linux.include.linux.net import SOCK_NOSPACE, SOCK_SUPPORT_ZC, SOCKWQ_ASYNC_NOSPACE
from kshell.linux.include.linux.poll import EPOLLIN, EPOLLOUT, EPOLLRDNORM, EPOLLWRNORM
from kshell.linux.include.linux.snmp import (
    LINUX_MIB_TCPMEMORYPRESSURES,
    LINUX_MIB_TCPMEMORYPRESSURESCHRONO,
    TCP_MIB_CURRESTAB,
    TCP_MIB_ESTABRESETS,
)
from kshell.linux.include.linux.uaccess import put_user
from kshell.linux.include.net.inet_hashtables import inet_hashinfo
from kshell.linux.include.net.sock import (
    RCV_SHUTDOWN,
    SEND_SHUTDOWN,
    SHUTDOWN_MASK,
    SOCK_BINDPORT_LOCK,
    SOCK_URGINLINE,
    SOCK_USE_WRITE_QUEUE,
)
from kshell.linux.include.net.sock_space import __sk_stream_is_writeable
from kshell.linux.include.net.tcp import TCP_INFINITE_SSTHRESH, TCP_INIT_CWND, TCP_TIMEOUT_INIT, TCP_URG_VALID, _s32
from kshell.linux.include.net.tcp_window import tcp_epollin_ready, tcp_inq
from kshell.linux.kernel.printk import pr_info
from kshell.linux.kernel.softirq import TASKLET_SOFTIRQ, open_softirq
from kshell.linux.mm.slab_common import kmem_cache_create
from kshell.linux.net.core.sock import sk_set_bit
from kshell.linux.net.core.sock_lock import lock_sock_fast, unlock_sock_fast
from kshell.linux.net.core.stream import sk_stream_write_space
from kshell.linux.net.ipv4 import inet_hashtables, inet_hashtables_bind, tcp_output
from kshell.linux.net.ipv4.af_inet import inet_sk_state_store
from kshell.linux.net.ipv4.tcp_cong import tcp_assign_congestion_control, tcp_register_congestion_control, tcp_reno
from kshell.linux.net.ipv4.tcp_ipv4_init import tcp_v4_init
from kshell.linux.net.ipv4.tcp_metrics import tcp_metrics_init
from kshell.linux.net.ipv4.tcp_timer import tcp_init_xmit_timers
from kshell.linux.net.mptcp.ctrl import mptcp_init

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import file
    from kshell.linux.include.linux.net import socket
    from kshell.linux.include.linux.poll import poll_table
    from kshell.linux.include.linux.tcp import tcp_sock
    from kshell.linux.include.net.sock import sock
    from kshell.linux.init.kernel import Kernel

_EHASH_ENTRIES = 32768
_USE_WRITE_QUEUE, _SUPPORT_ZC = 1 << SOCK_USE_WRITE_QUEUE, 1 << SOCK_SUPPORT_ZC


def tcp_enter_memory_pressure(sk: sock) -> None:
    """TCP holds more memory than tcp_mem[1]."""
    kernel = sk.skc_net.kernel
    if kernel.tcp_memory_pressure:
        return
    kernel.tcp_memory_pressure = kernel.jiffies or 1
    sk.skc_net.mib.net_statistics[LINUX_MIB_TCPMEMORYPRESSURES] += 1


def tcp_leave_memory_pressure(sk: sock) -> None:
    """TCP holds less memory than tcp_mem[0] again."""
    kernel = sk.skc_net.kernel
    since = kernel.tcp_memory_pressure
    if not since:
        return
    kernel.tcp_memory_pressure = 0
    ms = (kernel.jiffies - since) * 4
    sk.skc_net.mib.net_statistics[LINUX_MIB_TCPMEMORYPRESSURESCHRONO] += ms


def secs_to_retrans(seconds: int, timeout: int, rto_max: int) -> int:
    """Retransmissions that fit in `seconds` (0 … 255)."""
    res = 0
    if seconds > 0:
        period = timeout
        res = 1
        while seconds > period and res < 255:
            res += 1
            timeout = min(timeout << 1, rto_max)
            period += timeout
    return res


def retrans_to_secs(retrans: int, timeout: int, rto_max: int) -> int:
    """Seconds that `retrans` retransmissions take."""
    period = 0
    if retrans > 0:
        period = timeout
        for _ in range(retrans - 1):
            timeout = min(timeout << 1, rto_max)
            period += timeout
    return period


def tcp_init_sock(sk: tcp_sock) -> int:
    """proto.init of TCP. What is not set here is zero until a connection needs it."""
    kernel = sk.skc_net.kernel
    ipv4 = sk.skc_net.ipv4
    tcp_init_xmit_timers(sk)
    sk.icsk_rto = TCP_TIMEOUT_INIT
    sk.mdev_us = 1000000
    sk.snd_cwnd = TCP_INIT_CWND
    sk.snd_ssthresh = TCP_INFINITE_SSTHRESH
    sk.mss_cache = TCP_MSS_DEFAULT
    sk.reordering = ipv4.sysctl_tcp_reordering
    tcp_assign_congestion_control(sk)
    sk.sk_write_space = sk_stream_write_space
    sk.skc_flags |= _USE_WRITE_QUEUE
    sk.sk_sndbuf = ipv4.sysctl_tcp_wmem[1]
    sk.sk_rcvbuf = ipv4.sysctl_tcp_rmem[1]
    sock = sk.sk_socket
    if sock is not None:
        sock.flags |= _SUPPORT_ZC
    kernel.tcp_sockets_allocated += 1
    return 0


def tcp_stream_is_readable(sk: tcp_sock, target: int) -> bool:
    """True when poll() should report data."""
    return tcp_epollin_ready(sk, target)


def tcp_poll(file: file, sock: socket, wait: poll_table | None) -> int:
    """What the socket is ready for."""
    sk: tcp_sock = sock.sk  # type: ignore[assignment]
    if wait is not None and wait._qproc is not None:
        wait._qproc(file, sock.wq.wait, wait)
    state = sk.skc_state
    if state == TCP_LISTEN:
        return EPOLLIN | EPOLLRDNORM if sk.icsk_accept_queue.rskq_accept_head is not None else 0
    shutdown = sk.sk_shutdown
    mask = 0
    if shutdown == SHUTDOWN_MASK or state == TCP_CLOSE:
        mask = EPOLLHUP
    if shutdown & RCV_SHUTDOWN:
        mask |= EPOLLIN | EPOLLRDNORM | EPOLLRDHUP
    if state != TCP_SYN_SENT and (state != 3 or sk.fastopen_rsk is not None):
        target = sk.sk_rcvlowat or 1
        urg_data = sk.urg_data
        if (
            urg_data
            and sk.urg_seq == sk.copied_seq
            and not sk.skc_flags >> SOCK_URGINLINE & 1
        ):
            target += 1
        if tcp_stream_is_readable(sk, target):
            mask |= EPOLLIN | EPOLLRDNORM
        if shutdown & SEND_SHUTDOWN or __sk_stream_is_writeable(sk, 1):
            mask |= EPOLLOUT | EPOLLWRNORM
        else:
            sk_set_bit(SOCKWQ_ASYNC_NOSPACE, sk)
            sock.flags |= 1 << SOCK_NOSPACE
            if __sk_stream_is_writeable(sk, 1):
                mask |= EPOLLOUT | EPOLLWRNORM
        if urg_data & TCP_URG_VALID:
            mask |= EPOLLPRI
    elif state == TCP_SYN_SENT and sk.defer_connect:
        mask |= EPOLLOUT | EPOLLWRNORM
    if sk.sk_err or sk.sk_error_queue.next is not None:
        mask |= EPOLLERR
    return mask


def tcp_ioctl(sk: tcp_sock, cmd: int, arg: int) -> int:
    """SIOCINQ, SIOCATMARK, SIOCOUTQ, SIOCOUTQNSD: an int at `arg`. EINVAL on a listener."""
    if cmd == SIOCINQ:
        if sk.skc_state == TCP_LISTEN:
            raise KernelError(EINVAL)
        slow = lock_sock_fast(sk)
        answ = tcp_inq(sk)
        unlock_sock_fast(sk, slow)
    elif cmd == SIOCATMARK:
        answ = int(bool(sk.urg_data) and sk.urg_seq == sk.copied_seq)
    elif cmd in (SIOCOUTQ, SIOCOUTQNSD):
        if sk.skc_state == TCP_LISTEN:
            raise KernelError(EINVAL)
        if (TCPF_SYN_SENT | TCPF_SYN_RECV) >> sk.skc_state & 1:
            answ = 0
        else:
            answ = _s32(sk.write_seq - (sk.snd_una if cmd == SIOCOUTQ else sk.snd_nxt))
    else:
        raise KernelError(ENOIOCTLCMD)
    put_user(sk.skc_net.kernel.current, arg, answ)
    return 0


def tcp_peek_len(sock: socket) -> int:
    """Bytes that can be read."""
    sk: tcp_sock = sock.sk  # type: ignore[assignment]
    return tcp_inq(sk)


def tcp_set_state(sk: tcp_sock, state: int) -> None:
    """Move to a state: count it, and leave the hash tables with TCP_CLOSE."""
    oldstate = sk.skc_state
    mib = sk.skc_net.mib.tcp_statistics
    if state == TCP_ESTABLISHED:
        if oldstate != TCP_ESTABLISHED:
            mib[TCP_MIB_CURRESTAB] += 1
    else:
        if state == TCP_CLOSE:
            if oldstate in (TCP_CLOSE_WAIT, TCP_ESTABLISHED):
                mib[TCP_MIB_ESTABRESETS] += 1
            sk.skc_prot.unhash(sk)
            if sk.icsk_bind_hash is not None and not sk.sk_userlocks & SOCK_BINDPORT_LOCK:
                inet_hashtables_bind.inet_put_port(sk)
        if oldstate == TCP_ESTABLISHED:
            mib[TCP_MIB_CURRESTAB] -= 1
    inet_sk_state_store(sk, state)


def tcp_too_many_orphans(kernel: Kernel, shift: int) -> bool:
    """True when there are more orphans than tcp_max_orphans."""
    return kernel.tcp_orphan_count << shift > kernel.sysctl_tcp_max_orphans


def tcp_check_oom(sk: tcp_sock, shift: int) -> bool:
    """True when an orphan should be dropped for want of memory."""
    kernel = sk.skc_net.kernel
    if tcp_too_many_orphans(kernel, shift):
        return True
    return sk.sk_wmem_queued > 4608 and kernel.tcp_memory_allocated > kernel.sysctl_tcp_mem[2]


NR_FREE_BUFFER_PAGES = 722448  # 2.8 GiB, as on the recorded machine: its tcp_mem is 33864 45153 67728


def tcp_init_mem(kernel: Kernel) -> None:
    """tcp_mem: 1/16, 1/12 and 1/8 of the buffer memory."""
    limit = max(NR_FREE_BUFFER_PAGES // 16, 128)
    kernel.sysctl_tcp_mem = [limit // 4 * 3, limit, limit // 4 * 3 * 2]


def tcp_tasklet_init(kernel: Kernel) -> None:
    """The tasklet that goes on sending when the device has room."""
    open_softirq(kernel, TASKLET_SOFTIRQ, tcp_output._tasklet_action)


def tcp_init(kernel: Kernel) -> None:
    """Set TCP up at boot."""
    hashinfo = kernel.tcp_hashinfo = inet_hashinfo()
    inet_hashtables.inet_hashinfo2_init(kernel, hashinfo, 2048)
    hashinfo.bhash_size = _EHASH_ENTRIES
    hashinfo.ehash_mask = _EHASH_ENTRIES - 1
    hashinfo.bind_bucket_cachep = kmem_cache_create(kernel, "tcp_bind_bucket", 128)
    hashinfo.bind2_bucket_cachep = kmem_cache_create(kernel, "tcp_bind2_bucket", 128)
    kernel.sysctl_tcp_max_orphans = _EHASH_ENTRIES // 2
    tcp_init_mem(kernel)
    pr_info(kernel, f"TCP: Hash tables configured (established {_EHASH_ENTRIES} bind {_EHASH_ENTRIES})")
    tcp_v4_init(kernel)
    tcp_metrics_init(kernel)
    if tcp_register_congestion_control(kernel, tcp_reno):
        raise AssertionError("reno is registered once")
    tcp_tasklet_init(kernel)
    mptcp_init(kernel)
