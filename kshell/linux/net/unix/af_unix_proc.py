"""/proc/net/unix (net/unix/af_unix.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from kshell.abi.socket import (
    SS_CONNECTED,
    SS_CONNECTING,
    SS_DISCONNECTING,
    SS_UNCONNECTED,
)
from kshell.abi.tcp import TCP_ESTABLISHED, TCP_LISTEN
from kshell.linux.fs.seq_file import seq_printf, seq_puts
from kshell.linux.include.linux.seq_file import SEQ_START_TOKEN, seq_net_private, seq_operations
from kshell.linux.include.net.af_unix import SUN_PATH_OFFSET, unix_sock
from kshell.linux.lib.vsprintf import restricted_pointer
from kshell.linux.net.core.sock import sock_i_ino

if TYPE_CHECKING:
    from kshell.linux.include.linux.seq_file import seq_file

SO_ACCEPTCON = 0x10000


def unix_get_first(seq: seq_file, pos: int) -> unix_sock | None:
    """The socket at a position of the table (1 is the first), bucket by bucket, the newest first."""
    net = cast(seq_net_private, seq.private).net
    for bucket in net.unx.table.buckets:
        if bucket:
            if pos <= len(bucket):
                return list(reversed(bucket))[pos - 1]
            pos -= len(bucket)
    return None


def unix_seq_start(seq: seq_file, pos: list[int]) -> object:
    """The record at a position."""
    return unix_get_first(seq, pos[0]) if pos[0] else SEQ_START_TOKEN


def unix_seq_next(seq: seq_file, v: object, pos: list[int]) -> object:
    """The record after v."""
    pos[0] += 1
    return unix_get_first(seq, pos[0])


def unix_seq_stop(seq: seq_file, v: object) -> None:
    """The end of a read."""


def _shown_state(s: unix_sock) -> int:
    if s.sk_socket is not None:
        return SS_CONNECTED if s.skc_state == TCP_ESTABLISHED else SS_UNCONNECTED
    return SS_CONNECTING if s.skc_state == TCP_ESTABLISHED else SS_DISCONNECTING


def _shown_name(s: unix_sock) -> str:
    assert s.addr is not None
    path = s.addr.name[SUN_PATH_OFFSET:]
    if path[:1] != b"\0":
        path = path[:-1]
    return path.replace(b"\0", b"@").decode("latin-1")


def unix_seq_show(seq: seq_file, v: object) -> int:
    """One line."""
    if v is SEQ_START_TOKEN:
        seq_puts(seq, "Num       RefCount Protocol Flags    Type St Inode Path\n")
        return 0
    s = cast(unix_sock, v)
    flags = SO_ACCEPTCON if s.skc_state == TCP_LISTEN else 0
    name = f" {_shown_name(s)}" if s.addr is not None else ""
    pointer = restricted_pointer(seq.file._kernel.current, s._addr)
    seq_printf(
        seq,
        f"{pointer}: {s.skc_refcnt:08X} {0:08X} {flags:08X} {s.sk_type:04X} {_shown_state(s):02X} "
        f"{sock_i_ino(s):5d}{name}\n",
    )
    return 0


unix_seq_ops = seq_operations(
    start=unix_seq_start, next=unix_seq_next, stop=unix_seq_stop, show=unix_seq_show
)
