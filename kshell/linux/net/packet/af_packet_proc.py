"""/proc/net/packet (net/packet/af_packet.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from kshell.linux.fs.proc.generic import remove_proc_entry
from kshell.linux.fs.proc.proc_net import proc_create_net, seq_file_net
from kshell.linux.fs.seq_file import _seq_list_next_head, seq_list_start_head, seq_printf
from kshell.linux.include.linux.seq_file import SEQ_START_TOKEN, seq_file, seq_operations
from kshell.linux.include.net.sock_space import sk_rmem_alloc_get
from kshell.linux.lib.vsprintf import restricted_pointer
from kshell.linux.net.core.sock import sock_i_ino, sock_i_uid
from kshell.linux.net.packet.internal import packet_sock

if TYPE_CHECKING:
    from kshell.linux.include.net.net_namespace import net as net_t


def packet_seq_start(seq: seq_file, pos: list[int]) -> object:
    """The socket at a position, or the titles."""
    return seq_list_start_head(list(seq_file_net(seq).packet.sklist), pos[0])


def packet_seq_next(seq: seq_file, v: object, pos: list[int]) -> object:
    """The next socket."""
    return _seq_list_next_head(v, list(seq_file_net(seq).packet.sklist), pos)


def packet_seq_stop(seq: seq_file, v: object) -> None:
    """The end of a read."""


def packet_seq_show(seq: seq_file, v: object) -> None:
    """A line of /proc/net/packet."""
    if v is SEQ_START_TOKEN:
        seq_printf(seq, f"{'sk':<17}RefCnt Type Proto  Iface R Rmem   User   Inode\n")
        return
    s = cast(packet_sock, v)
    seq_printf(
        seq,
        f"{restricted_pointer(seq.file._kernel.current, s._addr)} {s.sk_refcnt:<6} {s.sk_type:<4} {s.num:04x}   {s.ifindex:<5} "
        f"{int(s._running)} {sk_rmem_alloc_get(s):<6} {sock_i_uid(s):<6} {sock_i_ino(s):<6}\n",
    )


packet_seq_ops = seq_operations(
    start=packet_seq_start, next=packet_seq_next, stop=packet_seq_stop, show=packet_seq_show
)


def packet_net_init(net: net_t) -> None:
    """A namespace comes."""
    proc_create_net(net.kernel, "packet", 0, net.proc_net, packet_seq_ops)


def packet_net_exit(net: net_t) -> None:
    """A namespace goes."""
    remove_proc_entry(net.kernel, "packet", net.proc_net)
