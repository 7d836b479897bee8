"""/proc/net/netlink and /proc/net/connector (net/netlink/af_netlink.c, drivers/connector/connector.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from kshell.linux.fs.proc.generic import proc_create_single, remove_proc_entry
from kshell.linux.fs.proc.proc_net import proc_create_net, seq_file_net
from kshell.linux.fs.seq_file import _seq_list_next_head, seq_list_start_head, seq_printf, seq_puts
from kshell.linux.include.linux.netlink import netlink_sock
from kshell.linux.include.linux.seq_file import SEQ_START_TOKEN, seq_file, seq_net_private, seq_operations
from kshell.linux.include.net.sock_space import sk_rmem_alloc_get, sk_wmem_alloc_get
from kshell.linux.lib.vsprintf import restricted_pointer
from kshell.linux.net.core.sock import sock_i_ino

if TYPE_CHECKING:
    from kshell.linux.include.net.net_namespace import net as net_t
    from kshell.linux.init.kernel import Kernel

CN_PROC = "cn_proc"


class nl_seq_iter(seq_net_private):
    """A reader of the netlink sockets."""


def _sockets(seq: seq_file) -> list[netlink_sock]:
    net = seq_file_net(seq)
    tables = seq.file._kernel.nl_table
    return [sk for table in tables for sk in table.hash.values() if sk.skc_net is net]


def netlink_seq_start(seq: seq_file, pos: list[int]) -> object:
    """The socket at a position, or the titles."""
    return seq_list_start_head(_sockets(seq), pos[0])


def netlink_seq_next(seq: seq_file, v: object, pos: list[int]) -> object:
    """The next socket, protocol after protocol."""
    return _seq_list_next_head(v, _sockets(seq), pos)


def netlink_seq_stop(seq: seq_file, v: object) -> None:
    """The end of a read."""


def netlink_native_seq_show(seq: seq_file, v: object) -> None:
    """A socket's line."""
    if v is SEQ_START_TOKEN:
        seq_puts(seq, "sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode\n")
        return
    s = cast(netlink_sock, v)
    seq_printf(
        seq,
        f"{restricted_pointer(seq.file._kernel.current, s._addr)} {s.sk_protocol:<3} {s.portid:<10} {s.groups & 0xFFFFFFFF:08x} "
        f"{sk_rmem_alloc_get(s):<8} {sk_wmem_alloc_get(s):<8} {int(s.cb_running):<5} {s.sk_refcnt:<8} "
        f"{s.sk_drops:<8} {sock_i_ino(s):<8}\n",
    )


def netlink_seq_show(seq: seq_file, v: object) -> None:
    """A line of /proc/net/netlink."""
    netlink_native_seq_show(seq, v)


netlink_seq_ops = seq_operations(
    start=netlink_seq_start, next=netlink_seq_next, stop=netlink_seq_stop, show=netlink_seq_show
)


def netlink_net_init(net: net_t) -> None:
    """A namespace comes."""
    proc_create_net(net.kernel, "netlink", 0, net.proc_net, netlink_seq_ops, nl_seq_iter)


def netlink_net_exit(net: net_t) -> None:
    """A namespace goes."""
    remove_proc_entry(net.kernel, "netlink", net.proc_net)


def cn_proc_show(m: seq_file, v: object) -> None:
    """/proc/net/connector: the services and their numbers."""
    seq_printf(m, f"Name            ID\n{CN_PROC:<15} 1:1\n")


def _connector_init(kernel: Kernel) -> None:
    """The part of cn_init() that makes /proc/net/connector."""
    proc_create_single(kernel, "connector", 0o444, kernel.init_net.proc_net, cn_proc_show)
