"""net/ipv4/tcp_ulp.c: protocols that can be put upon a connection (TCP_ULP)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.errno import EEXIST, ENOENT, ENOTCONN
from kshell.abi.tcp import TCP_LISTEN
from kshell.linux.include.linux.err import KernelError

if TYPE_CHECKING:
    from kshell.linux.include.linux.tcp import tcp_sock
    from kshell.linux.include.net.tcp import tcp_ulp_ops
    from kshell.linux.init.kernel import Kernel


def __tcp_ulp_find_autoload(kernel: Kernel, name: str) -> tcp_ulp_ops | None:
    """The protocol of a name."""
    for e in kernel.tcp_ulp_list:
        if e.name == name:
            return e
    return None


def tcp_cleanup_ulp(sk: tcp_sock) -> None:
    """The socket goes away."""
    ops = sk.icsk_ulp_ops
    if ops is None:
        return
    if ops.release is not None:
        ops.release(sk)
    sk.icsk_ulp_ops = None


def __tcp_set_ulp(sk: tcp_sock, ulp_ops: tcp_ulp_ops) -> None:
    """Put a protocol upon a socket that has none. EEXIST, ENOTCONN."""
    if sk.icsk_ulp_ops is not None:
        raise KernelError(EEXIST)
    if sk.skc_state == TCP_LISTEN:
        raise KernelError(ENOTCONN)
    ulp_ops.init(sk)
    sk.icsk_ulp_ops = ulp_ops


def tcp_set_ulp(sk: tcp_sock, name: str) -> None:
    """TCP_ULP. ENOENT, EEXIST."""
    ulp_ops = __tcp_ulp_find_autoload(sk.skc_net.kernel, name)
    if ulp_ops is None:
        raise KernelError(ENOENT)
    __tcp_set_ulp(sk, ulp_ops)
