"""net/socket.c: SIGIO and SIGURG for those who asked for them (O_ASYNC)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.signal import SIGIO, SIGURG
from kshell.linux.fs.fcntl import kill_fasync
from kshell.linux.include.linux.net import (
    SOCK_WAKE_SPACE,
    SOCK_WAKE_URG,
    SOCK_WAKE_WAITD,
    SOCKWQ_ASYNC_NOSPACE,
    SOCKWQ_ASYNC_WAITDATA,
)

if TYPE_CHECKING:
    from kshell.linux.include.linux.net import socket_wq


def sock_wake_async(wq: socket_wq | None, how: int, band: int) -> int:
    """Signal the owners of a socket's descriptors, unless somebody waits in a call for the same; -1: nobody asked."""
    if wq is None or wq.fasync_list is None:
        return -1
    if how == SOCK_WAKE_URG:
        kill_fasync(wq.fasync_list, SIGURG, band)
        return 0
    if how == SOCK_WAKE_WAITD and wq.flags >> SOCKWQ_ASYNC_WAITDATA & 1:
        return 0
    if how == SOCK_WAKE_SPACE:
        if not wq.flags >> SOCKWQ_ASYNC_NOSPACE & 1:
            return 0
        wq.flags &= ~(1 << SOCKWQ_ASYNC_NOSPACE)
    kill_fasync(wq.fasync_list, SIGIO, band)
    return 0
