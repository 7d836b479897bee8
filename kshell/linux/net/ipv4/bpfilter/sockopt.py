"""Options of iptables for a packet filter in BPF (net/ipv4/bpfilter/sockopt.c): its module never came to be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kshell.abi.errno import ENOPROTOOPT
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.uaccess import get_user

if TYPE_CHECKING:
    from kshell.linux.include.linux.sched import task_struct

BPFILTER_IPT_SO_GET_INFO: Final = 64
BPFILTER_IPT_GET_MAX: Final = 68


def bpfilter_ip_get_sockopt(current: task_struct, optlen: int) -> int:
    """getsockopt() of one of the options, whatever its level: there is nobody to ask. EFAULT, ENOPROTOOPT."""
    get_user(current, optlen)
    return bpfilter_mbox_request()


def bpfilter_mbox_request() -> int:
    """Ask the module. ENOPROTOOPT: it is not loaded."""
    raise KernelError(ENOPROTOOPT)
