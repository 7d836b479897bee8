"""net/ipv4/tcp_cong.c: congestion control modules, and Reno."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EEXIST, ENOENT, EPERM
from kshell.abi.tcp import TCPF_CLOSE, TCPF_LISTEN
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.jhash import jhash
from kshell.linux.include.net.tcp import (
    TCP_CA_NAME_MAX,
    TCP_CONG_NEEDS_ECN,
    TCP_CONG_NON_RESTRICTED,
    tcp_congestion_ops,
    tcp_is_cwnd_limited,
)

if TYPE_CHECKING:
    from kshell.linux.include.linux.tcp import tcp_sock
    from kshell.linux.include.net.net_namespace import net
    from kshell.linux.init.kernel import Kernel

CONFIG_DEFAULT_TCP_CONG = "cubic"


def tcp_set_ca_state(sk: tcp_sock, ca_state: int) -> None:
    """Enter state TCP_CA_*, and tell the module."""
    set_state = sk.icsk_ca_ops.set_state
    if set_state is not None:
        set_state(sk, ca_state)
    sk.icsk_ca_state = ca_state


def tcp_ca_find(kernel: Kernel, name: str) -> tcp_congestion_ops | None:
    """The module of a name."""
    for ca in kernel.tcp_cong_list:
        if ca.name == name:
            return ca
    return None


def tcp_ca_find_autoload(kernel: Kernel, name: str) -> tcp_congestion_ops | None:
    """The module of a name; there are none to load."""
    return tcp_ca_find(kernel, name)


def _key_of(ca: tcp_congestion_ops) -> int:
    """The number by which routes name a module."""
    return jhash(ca.name.encode().ljust(TCP_CA_NAME_MAX, b"\0"), len(ca.name))


def tcp_ca_find_key(kernel: Kernel, key: int) -> tcp_congestion_ops | None:
    """The module of a key."""
    for ca in kernel.tcp_cong_list:
        if _key_of(ca) == key:
            return ca
    return None


def tcp_register_congestion_control(kernel: Kernel, ca: tcp_congestion_ops) -> int:
    """Add a module; a positive errno (EEXIST) if there is one of the name."""
    if tcp_ca_find_key(kernel, _key_of(ca)) is not None:
        return EEXIST
    kernel.tcp_cong_list.append(ca)
    if ca.flags & TCP_CONG_NON_RESTRICTED:
        kernel.tcp_cong_allowed.add(ca.name)
    return 0


def tcp_assign_congestion_control(sk: tcp_sock) -> None:
    """Give a new socket the namespace's default module."""
    ca = sk.skc_net.ipv4.tcp_congestion_control
    sk.icsk_ca_ops = ca
    if ca.flags & TCP_CONG_NEEDS_ECN or sk.tos:
        _set_ecn(sk, ca)


def _set_ecn(sk: tcp_sock, ca: tcp_congestion_ops) -> None:
    if ca.flags & TCP_CONG_NEEDS_ECN:
        sk.tos |= 2
    elif sk.tos:
        sk.tos &= ~3


def tcp_init_congestion_control(sk: tcp_sock) -> None:
    """Start the module, when the connection stands."""
    if sk.prior_ssthresh:
        sk.prior_ssthresh = 0
    ca = sk.icsk_ca_ops
    if ca.init is not None:
        ca.init(sk)
    _set_ecn(sk, ca)
    sk.icsk_ca_initialized = 1


def tcp_reinit_congestion_control(sk: tcp_sock, ca: tcp_congestion_ops) -> None:
    """Change to another module."""
    tcp_cleanup_congestion_control(sk)
    sk.icsk_ca_ops = ca
    sk.icsk_ca_setsockopt = 1
    sk.icsk_ca_priv = None
    _set_ecn(sk, ca)
    if not (TCPF_CLOSE | TCPF_LISTEN) >> sk.skc_state & 1:
        tcp_init_congestion_control(sk)


def tcp_cleanup_congestion_control(sk: tcp_sock) -> None:
    """Leave the module."""
    release = sk.icsk_ca_ops.release
    if release is not None:
        release(sk)


def tcp_set_default_congestion_control(net: net, name: str) -> None:
    """net.ipv4.tcp_congestion_control. ENOENT, EPERM."""
    kernel = net.kernel
    ca = tcp_ca_find_autoload(kernel, name)
    if ca is None:
        raise KernelError(ENOENT)
    if net is not kernel.init_net and name not in kernel.tcp_cong_allowed:
        raise KernelError(EPERM)
    net.ipv4.tcp_congestion_control = ca
    kernel.tcp_cong_allowed.add(name)


def tcp_congestion_default(kernel: Kernel) -> None:
    """Late at boot: Cubic is the default."""
    tcp_set_default_congestion_control(kernel.init_net, CONFIG_DEFAULT_TCP_CONG)


def tcp_get_available_congestion_control(kernel: Kernel) -> str:
    """net.ipv4.tcp_available_congestion_control."""
    return " ".join(ca.name for ca in kernel.tcp_cong_list)


def tcp_get_default_congestion_control(net: net) -> str:
    """net.ipv4.tcp_congestion_control."""
    return net.ipv4.tcp_congestion_control.name


def tcp_get_allowed_congestion_control(kernel: Kernel) -> str:
    """net.ipv4.tcp_allowed_congestion_control."""
    return " ".join(ca.name for ca in kernel.tcp_cong_list if ca.name in kernel.tcp_cong_allowed)


def tcp_set_allowed_congestion_control(kernel: Kernel, val: str) -> None:
    """Set it. ENOENT."""
    names = val.split()
    for name in names:
        if tcp_ca_find(kernel, name) is None:
            raise KernelError(ENOENT)
    kernel.tcp_cong_allowed = set(names)


def tcp_set_congestion_control(sk: tcp_sock, name: str, load: bool, cap_net_admin: bool) -> None:
    """TCP_CONGESTION. ENOENT, EPERM."""
    if sk.icsk_ca_dst_locked:
        raise KernelError(EPERM)
    kernel = sk.skc_net.kernel
    ca = tcp_ca_find_autoload(kernel, name) if load else tcp_ca_find(kernel, name)
    if ca is not None and ca is sk.icsk_ca_ops:
        sk.icsk_ca_setsockopt = 1
        return
    if ca is None:
        raise KernelError(ENOENT)
    if ca.name not in kernel.tcp_cong_allowed and not cap_net_admin:
        raise KernelError(EPERM)
    tcp_reinit_congestion_control(sk, ca)


def tcp_slow_start(tp: tcp_sock, acked: int) -> int:
    """Grow by each acknowledged segment up to the threshold; the segments left over."""
    cwnd = min(tp.snd_cwnd + acked, tp.snd_ssthresh)
    acked -= cwnd - tp.snd_cwnd
    tp.snd_cwnd = min(cwnd, tp.snd_cwnd_clamp)
    return acked


def tcp_cong_avoid_ai(tp: tcp_sock, w: int, acked: int) -> None:
    """Grow by one per `w` acknowledged segments."""
    if tp.snd_cwnd_cnt >= w:
        tp.snd_cwnd_cnt = 0
        tp.snd_cwnd += 1
    tp.snd_cwnd_cnt += acked
    if tp.snd_cwnd_cnt >= w:
        delta = tp.snd_cwnd_cnt // w
        tp.snd_cwnd_cnt -= delta * w
        tp.snd_cwnd += delta
    tp.snd_cwnd = min(tp.snd_cwnd, tp.snd_cwnd_clamp)


def tcp_reno_cong_avoid(sk: tcp_sock, ack: int, acked: int) -> None:
    """Slow start, then one segment per round trip."""
    if not tcp_is_cwnd_limited(sk):
        return
    if sk.snd_cwnd < sk.snd_ssthresh:
        acked = tcp_slow_start(sk, acked)
        if not acked:
            return
    tcp_cong_avoid_ai(sk, sk.snd_cwnd, acked)


def tcp_reno_ssthresh(sk: tcp_sock) -> int:
    """Half of the window."""
    return max(sk.snd_cwnd >> 1, 2)


def tcp_reno_undo_cwnd(sk: tcp_sock) -> int:
    """The window before it was reduced."""
    return max(sk.snd_cwnd, sk.prior_cwnd)


tcp_reno = tcp_congestion_ops(
    name="reno",
    flags=TCP_CONG_NON_RESTRICTED,
    ssthresh=tcp_reno_ssthresh,
    cong_avoid=tcp_reno_cong_avoid,
    undo_cwnd=tcp_reno_undo_cwnd,
)
