"""Which calls of a log are what."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kshell.abi.socket import AF_NETLINK
from kshell.lens.open_files import open_file, sock_of
from kshell.session.strace.lines import LogCall

if TYPE_CHECKING:
    from kshell.linux.include.linux.sched import task_struct

FORKS = frozenset({"fork", "vfork", "clone", "clone3"})
_GIVE_DESCRIPTORS = frozenset(
    ["open", "openat", "creat", "socket", "accept", "accept4", "dup", "fcntl", "epoll_create", "epoll_create1",
     "eventfd2", "eventfd", "timerfd_create", "signalfd4", "memfd_create", "inotify_init1", "pidfd_open"]
)  # fmt: skip
READS = frozenset({"read", "getrandom"})
WAITS = frozenset({"wait4", "waitid"})
ENDS = frozenset({"exit", "exit_group"})

_NOT_OURS = """
    mmap munmap mprotect mremap madvise msync mincore mlock mlock2 munlock mlockall brk futex arch_prctl
    set_tid_address set_robust_list get_robust_list rseq prlimit64 getrlimit getrandom sysinfo uname
    getrusage times sched_getaffinity sched_setaffinity sched_yield sched_getparam sched_getscheduler
    getcpu membarrier pkey_alloc pkey_free pkey_mprotect personality sigaltstack restart_syscall ptrace
    perf_event_open bpf seccomp io_uring_setup io_uring_enter io_uring_register readahead memfd_secret
    syslog capget capset getpriority setpriority ioprio_get ioprio_set get_mempolicy set_mempolicy mbind
    add_key request_key keyctl
    timer_create timer_settime timer_gettime timer_getoverrun timer_delete
"""
PASSED_OVER = frozenset(_NOT_OURS.split())
"""Calls that are not about files, sockets, tasks or time."""

MODELLED = frozenset({"AF_UNIX", "AF_LOCAL", "AF_INET"})
"""Families whose calls are compared with the others; netlink, packet and IPv6 are counted apart."""

_INTERFACE_IOCTL = re.compile(r"SIOC[GS]IF|SIOC(ADD|DEL)RT|SIOC[GSD]ARP|SIOC(GMII|ETHTOOL|BR|DEVPRIV)|0x89[0-9a-f]{2}")
_ON_DESCRIPTOR = re.compile(r"-?\d+")


def gives_descriptor(call: LogCall) -> bool:
    """Whether the result of the call is a new descriptor."""
    return call.name in _GIVE_DESCRIPTORS and (call.name != "fcntl" or "F_DUPFD" in call.text)


def passed_over(call: LogCall) -> bool:
    """Whether the call is nothing to compare: not the model's business, or nothing is known of it."""
    return call.name in PASSED_OVER or (call.ret is None and "..." in call.args)


def is_interface(call: LogCall, task: task_struct) -> bool:
    """Whether the call is a netlink call or an interface ioctl: another part of kshell, counted apart."""
    if call.name == "ioctl":
        return len(call.args) > 1 and _INTERFACE_IOCTL.search(call.args[1]) is not None
    if call.name == "socket":
        return bool(call.args) and call.args[0] not in MODELLED
    if not call.args or not _ON_DESCRIPTOR.match(call.args[0]) or call.name in ("close", "fcntl"):
        return False
    return _family(task, int(_ON_DESCRIPTOR.match(call.args[0])[0])) == AF_NETLINK  # type: ignore[index]


def _family(task: task_struct, fd: int) -> int:
    if task.exit_state:
        return 0
    sk = sock_of(open_file(task.files, fd))
    return int(getattr(sk, "sk_family", getattr(sk, "skc_family", 0)) or 0)
