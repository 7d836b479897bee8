"""/proc/net/protocols and /proc/net/psched (net/core/sock.c, net/sched/sch_api.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from kshell.linux.fs.proc.generic import proc_create_single, remove_proc_entry
from kshell.linux.fs.proc.proc_net import proc_create_net, seq_file_net
from kshell.linux.fs.seq_file import _seq_list_next_head, seq_list_start_head, seq_printf
from kshell.linux.include.linux.seq_file import SEQ_START_TOKEN, seq_file, seq_operations
from kshell.linux.include.linux.time64 import NSEC_PER_USEC
from kshell.linux.include.net.net_namespace import pernet_operations
from kshell.linux.net.core.net_namespace import register_pernet_subsys
from kshell.linux.net.core.sock_proto import sock_prot_inuse_get

if TYPE_CHECKING:
    from kshell.linux.include.net.net_namespace import net as net_t
    from kshell.linux.include.net.sock_proto import proto
    from kshell.linux.init.kernel import Kernel

PSCHED_TICK_NS = 64
METHODS = (
    "close", "connect", "disconnect", "accept", "ioctl", "init", "destroy", "shutdown", "setsockopt", "getsockopt",
    "sendmsg", "recvmsg", "sendpage", "bind", "backlog_rcv", "hash", "unhash", "get_port", "enter_memory_pressure",
)  # fmt: skip


def proto_seq_start(seq: seq_file, pos: list[int]) -> object:
    """The protocol at a position, or the titles."""
    return seq_list_start_head(seq.file._kernel.proto_list, pos[0])


def proto_seq_next(seq: seq_file, v: object, pos: list[int]) -> object:
    """The next protocol: the last to register comes first."""
    return _seq_list_next_head(v, seq.file._kernel.proto_list, pos)


def proto_seq_stop(seq: seq_file, v: object) -> None:
    """The end of a read."""


def proto_method_implemented(method: object) -> str:
    """y or n."""
    return "n" if method is None else "y"


def sock_prot_memory_allocated(proto: proto, seq: seq_file) -> int:
    """Pages that the protocol's sockets hold; -1: it is not counted."""
    return -1 if proto.memory_allocated is None else int(getattr(seq.file._kernel, proto.memory_allocated))


def sock_prot_memory_pressure(proto: proto, seq: seq_file) -> str:
    """Whether the protocol has too little memory; NI: it is not counted."""
    if proto.memory_pressure is None:
        return "NI"
    return "yes" if getattr(seq.file._kernel, proto.memory_pressure) else "no"


def proto_seq_printf(seq: seq_file, proto: proto) -> None:
    """A protocol's line."""
    slab = "yes" if proto in seq.file._kernel.proto_slab else "no"
    methods = " ".join(f"{proto_method_implemented(getattr(proto, name)):>2}" for name in METHODS)
    seq_printf(
        seq,
        f"{proto.name:<9} {proto.obj_size:4} {sock_prot_inuse_get(seq_file_net(seq), proto):6}  "
        f"{sock_prot_memory_allocated(proto, seq):6}   {sock_prot_memory_pressure(proto, seq):<3} "
        f"{proto.max_header:6}   {slab:<3}  {'kernel':<10} {methods}\n",
    )


def proto_seq_show(seq: seq_file, v: object) -> None:
    """A line of /proc/net/protocols."""
    if v is SEQ_START_TOKEN:
        seq_printf(
            seq,
            f"{'protocol':<9} {'size':<4} {'sockets':<8} {'memory':<6} {'press':<5} {'maxhdr':<7} {'slab':<4} "
            f"{'module':<10} cl co di ac io in de sh ss gs se re sp bi br ha uh gp em\n",
        )
    else:
        proto_seq_printf(seq, cast("proto", v))


proto_seq_ops = seq_operations(start=proto_seq_start, next=proto_seq_next, stop=proto_seq_stop, show=proto_seq_show)


def proto_init_net(net: net_t) -> None:
    """A namespace comes."""
    proc_create_net(net.kernel, "protocols", 0o444, net.proc_net, proto_seq_ops)


def proto_exit_net(net: net_t) -> None:
    """A namespace goes."""
    remove_proc_entry(net.kernel, "protocols", net.proc_net)


proto_net_ops = pernet_operations(init=proto_init_net, exit=proto_exit_net)


def proto_init(kernel: Kernel) -> None:
    """Initcall: /proc/net/protocols."""
    register_pernet_subsys(kernel, proto_net_ops)


def psched_show(seq: seq_file, v: object) -> None:
    """The clock of packet schedulers: ns a µs, ns a tick, µs a second, timer ticks a second."""
    seq_printf(seq, f"{NSEC_PER_USEC:08x} {PSCHED_TICK_NS:08x} {1000000:08x} {1000000000:08x}\n")


def psched_net_init(net: net_t) -> None:
    """A namespace comes."""
    proc_create_single(net.kernel, "psched", 0, net.proc_net, psched_show)


def psched_net_exit(net: net_t) -> None:
    """A namespace goes."""
    remove_proc_entry(net.kernel, "psched", net.proc_net)


psched_net_ops = pernet_operations(init=psched_net_init, exit=psched_net_exit)


def pktsched_init(kernel: Kernel) -> None:
    """Initcall: /proc/net/psched."""
    register_pernet_subsys(kernel, psched_net_ops)
