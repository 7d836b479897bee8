"""Sockets that the kernel itself sends with (net/ipv4/af_inet.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from kshell.linux.net import socket as net_socket

if TYPE_CHECKING:
    from kshell.linux.include.net.net_namespace import net as net_t
    from kshell.linux.include.net.sock import sock as sock_t


def inet_ctl_sock_create(family: int, type: int, protocol: int, net: net_t) -> sock_t:
    """A socket the kernel itself sends with; it stands in no table."""
    sock = net_socket.sock_create_kern(net, family, type, protocol)
    sk = cast("sock_t", sock.sk)
    # It need not be found by what comes in.
    assert sk.skc_prot.unhash is not None
    sk.skc_prot.unhash(sk)
    return sk
