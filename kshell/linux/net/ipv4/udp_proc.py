"""/proc/net/{udp,udplite,raw,icmp}: sockets that send datagrams (net/ipv4/udp.c, udplite.c, raw.c, ping.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from kshell.abi.socket import AF_INET
from kshell.linux.fs.proc.generic import remove_proc_entry
from kshell.linux.fs.proc.proc_net import proc_create_net_data, seq_file_net
from kshell.linux.fs.seq_file import (
    _seq_list_next_head,
    seq_list_start_head,
    seq_pad,
    seq_printf,
    seq_puts,
    seq_setwidth,
)
from kshell.linux.include.linux.in_ import _be32
from kshell.linux.include.linux.seq_file import SEQ_START_TOKEN, seq_file, seq_net_private, seq_operations
from kshell.linux.include.net.net_namespace import pernet_operations
from kshell.linux.include.net.sock_space import sk_rmem_alloc_get, sk_wmem_alloc_get
from kshell.linux.lib.vsprintf import restricted_pointer
from kshell.linux.net.core.net_namespace import register_pernet_subsys
from kshell.linux.net.core.sock import sock_i_ino, sock_i_uid

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kshell.linux.include.linux.udp import udp_sock
    from kshell.linux.include.net.inet_sock import inet_sock
    from kshell.linux.include.net.net_namespace import net as net_t
    from kshell.linux.include.net.sock import sock
    from kshell.linux.include.net.udp import udp_table
    from kshell.linux.init.kernel import Kernel

Numbered = tuple[int, "inet_sock"]  # bucket and socket
COLUMNS = "local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops"


def _matching(seq: seq_file, chains: Iterable[tuple[int, Iterable[sock]]]) -> list[Numbered]:
    net = seq_file_net(seq)
    return [
        (bucket, cast("inet_sock", sk))
        for bucket, chain in chains
        for sk in chain
        if sk.skc_net is net and sk.sk_family == AF_INET
    ]


def _line(f: seq_file, sp: inet_sock, bucket: int, width: int, srcp: int, destp: int, queued: int) -> str:
    return (
        f"{bucket:{width}}: {_be32(sp.inet_rcv_saddr):08X}:{srcp:04X} {_be32(sp.inet_daddr):08X}:{destp:04X} "
        f"{sp.sk_state:02X} {sk_wmem_alloc_get(sp):08X}:{queued:08X} 00:{0:08X} {0:08X} {sock_i_uid(sp):5} {0:8} "
        f"{sock_i_ino(sp)} {sp.sk_refcnt} {restricted_pointer(f.file._kernel.current, sp._addr)} {sp.sk_drops}"
    )


class udp_iter_state(seq_net_private):
    """A reader of a table of sockets; the table is found by the name of the file."""


def _udp_sockets(seq: seq_file) -> Sequence[object]:
    kernel = seq.file._kernel
    table: udp_table = kernel.udplite_table if seq.file.f_path.dentry.d_name.name == b"udplite" else kernel.udp_table
    return _matching(seq, ((bucket, reversed(slot.head)) for bucket, slot in sorted(table.hash.items())))


def udp_seq_start(seq: seq_file, pos: list[int]) -> object:
    """The socket at a position, or the titles."""
    return seq_list_start_head(_udp_sockets(seq), pos[0])


def udp_seq_next(seq: seq_file, v: object, pos: list[int]) -> object:
    """The next socket, by port."""
    return _seq_list_next_head(v, _udp_sockets(seq), pos)


def udp_seq_stop(seq: seq_file, v: object) -> None:
    """The end of a read."""


def udp4_format_sock(sp: udp_sock, f: seq_file, bucket: int) -> None:
    """A socket."""
    queued = sk_rmem_alloc_get(sp) - sp.forward_deficit
    seq_printf(f, _line(f, sp, bucket, 5, sp.inet_sport, sp.inet_dport, queued))


def udp4_seq_show(seq: seq_file, v: object) -> None:
    """A line of /proc/net/udp."""
    seq_setwidth(seq, 127)
    if v is SEQ_START_TOKEN:
        seq_puts(seq, f"   sl  {COLUMNS}")
    else:
        bucket, sp = cast(Numbered, v)
        udp4_format_sock(cast("udp_sock", sp), seq, bucket)
    seq_pad(seq, "\n")


udp_seq_ops = seq_operations(start=udp_seq_start, next=udp_seq_next, stop=udp_seq_stop, show=udp4_seq_show)


def udp4_proc_init_net(net: net_t) -> None:
    """A namespace comes."""
    proc_create_net_data(net.kernel, "udp", 0o444, net.proc_net, udp_seq_ops, udp_iter_state, None)


def udp4_proc_exit_net(net: net_t) -> None:
    """A namespace goes."""
    remove_proc_entry(net.kernel, "udp", net.proc_net)


udp4_net_ops = pernet_operations(init=udp4_proc_init_net, exit=udp4_proc_exit_net)


def udp4_proc_init(kernel: Kernel) -> None:
    """Have every namespace get its file."""
    register_pernet_subsys(kernel, udp4_net_ops)


def udplite4_proc_init_net(net: net_t) -> None:
    """A namespace comes."""
    proc_create_net_data(net.kernel, "udplite", 0o444, net.proc_net, udp_seq_ops, udp_iter_state, None)


def udplite4_proc_exit_net(net: net_t) -> None:
    """A namespace goes."""
    remove_proc_entry(net.kernel, "udplite", net.proc_net)


udplite4_net_ops = pernet_operations(init=udplite4_proc_init_net, exit=udplite4_proc_exit_net)


def udplite4_proc_init(kernel: Kernel) -> None:
    """Have every namespace get its file."""
    register_pernet_subsys(kernel, udplite4_net_ops)


class raw_iter_state(seq_net_private):
    """A reader of the raw sockets."""


def _raw_sockets(seq: seq_file) -> list[Numbered]:
    table = seq.file._kernel.raw_v4_hashinfo.ht
    return _matching(seq, ((bucket, reversed(chain)) for bucket, chain in sorted(table.items())))


def raw_seq_start(seq: seq_file, pos: list[int]) -> object:
    """The socket at a position, or the titles."""
    return seq_list_start_head(_raw_sockets(seq), pos[0])


def raw_seq_next(seq: seq_file, v: object, pos: list[int]) -> object:
    """The next socket, by protocol."""
    return _seq_list_next_head(v, _raw_sockets(seq), pos)


def raw_seq_stop(seq: seq_file, v: object) -> None:
    """The end of a read."""


def raw_sock_seq_show(seq: seq_file, sp: inet_sock, i: int) -> None:
    """A socket; its protocol stands where others have the port."""
    seq_printf(seq, _line(seq, sp, i, 4, sp.inet_num, 0, sk_rmem_alloc_get(sp)) + "\n")


def raw_seq_show(seq: seq_file, v: object) -> None:
    """A line of /proc/net/raw."""
    if v is SEQ_START_TOKEN:
        seq_printf(seq, f"  sl  {COLUMNS}\n")
    else:
        bucket, sp = cast(Numbered, v)
        raw_sock_seq_show(seq, sp, bucket)


raw_seq_ops = seq_operations(start=raw_seq_start, next=raw_seq_next, stop=raw_seq_stop, show=raw_seq_show)


def raw_init_net(net: net_t) -> None:
    """A namespace comes."""
    proc_create_net_data(net.kernel, "raw", 0o444, net.proc_net, raw_seq_ops, raw_iter_state, None)


def raw_exit_net(net: net_t) -> None:
    """A namespace goes."""
    remove_proc_entry(net.kernel, "raw", net.proc_net)


raw_net_ops = pernet_operations(init=raw_init_net, exit=raw_exit_net)


def raw_proc_init(kernel: Kernel) -> None:
    """Have every namespace get its file."""
    register_pernet_subsys(kernel, raw_net_ops)


class ping_iter_state(seq_net_private):
    """A reader of the ping sockets."""


def _ping_sockets(seq: seq_file) -> list[Numbered]:
    return _matching(seq, enumerate(seq.file._kernel.ping_table.hash))


def ping_v4_seq_start(seq: seq_file, pos: list[int]) -> object:
    """The socket at a position, or the titles."""
    return seq_list_start_head(_ping_sockets(seq), pos[0])


def ping_seq_next(seq: seq_file, v: object, pos: list[int]) -> object:
    """The next socket, by identifier."""
    return _seq_list_next_head(v, _ping_sockets(seq), pos)


def ping_seq_stop(seq: seq_file, v: object) -> None:
    """The end of a read."""


def ping_v4_format_sock(sp: inet_sock, f: seq_file, bucket: int) -> None:
    """A socket."""
    seq_printf(f, _line(f, sp, bucket, 5, sp.inet_sport, sp.inet_dport, sk_rmem_alloc_get(sp)))


def ping_v4_seq_show(seq: seq_file, v: object) -> None:
    """A line of /proc/net/icmp."""
    seq_setwidth(seq, 127)
    if v is SEQ_START_TOKEN:
        seq_puts(seq, f"  sl  {COLUMNS}")
    else:
        bucket, sp = cast(Numbered, v)
        ping_v4_format_sock(sp, seq, bucket)
    seq_pad(seq, "\n")


ping_v4_seq_ops = seq_operations(
    start=ping_v4_seq_start, next=ping_seq_next, stop=ping_seq_stop, show=ping_v4_seq_show
)


def ping_v4_proc_init_net(net: net_t) -> None:
    """A namespace comes."""
    proc_create_net_data(net.kernel, "icmp", 0o444, net.proc_net, ping_v4_seq_ops, ping_iter_state, None)


def ping_v4_proc_exit_net(net: net_t) -> None:
    """A namespace goes."""
    remove_proc_entry(net.kernel, "icmp", net.proc_net)


ping_v4_net_ops = pernet_operations(init=ping_v4_proc_init_net, exit=ping_v4_proc_exit_net)


def ping_proc_init(kernel: Kernel) -> None:
    """Have every namespace get its file."""
    register_pernet_subsys(kernel, ping_v4_net_ops)
