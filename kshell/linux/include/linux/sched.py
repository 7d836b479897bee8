"""Tasks (include/linux/sched.h, sched/signal.h, thread_info.h, pid.h, nsproxy.h)."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Final

from kshell.linux.include.linux.signal import NSIG
from kshell.linux.include.linux.wait import wait_queue_head

if TYPE_CHECKING:
    from kshell.linux.include.linux.cred import cred as cred_t
    from kshell.linux.include.linux.fdtable import files_struct
    from kshell.linux.include.linux.fs_struct import fs_struct
    from kshell.linux.include.linux.hrtimer import hrtimer
    from kshell.linux.include.linux.mm_types import mm_struct
    from kshell.linux.include.linux.mount import mnt_namespace
    from kshell.linux.include.linux.ns_common import ns_common
    from kshell.linux.include.linux.pipe_fs_i import pipe_inode_info
    from kshell.linux.include.net.net_namespace import net
    from kshell.linux.init.kernel import Kernel

TASK_RUNNING: Final = 0x0000
TASK_INTERRUPTIBLE: Final = 0x0001
TASK_UNINTERRUPTIBLE: Final = 0x0002
__TASK_STOPPED: Final = 0x0004
TASK_STOPPED: Final = 0x0104
EXIT_DEAD: Final = 0x0010
EXIT_ZOMBIE: Final = 0x0020
TASK_DEAD: Final = 0x0080
TASK_WAKEKILL: Final = 0x0100
TASK_NEW: Final = 0x0800
TASK_KILLABLE: Final = TASK_WAKEKILL | TASK_UNINTERRUPTIBLE
TASK_IDLE: Final = 0x0402
TASK_NORMAL: Final = TASK_INTERRUPTIBLE | TASK_UNINTERRUPTIBLE

TASK_COMM_LEN: Final = 16

PF_IDLE: Final = 0x00000002
PF_EXITING: Final = 0x00000004
PF_FORKNOEXEC: Final = 0x00000040
PF_SUPERPRIV: Final = 0x00000100
PF_SIGNALED: Final = 0x00000400
PF_KTHREAD: Final = 0x00200000

SIGNAL_STOP_STOPPED: Final = 0x00000001
SIGNAL_GROUP_EXIT: Final = 0x00000004
SIGNAL_UNKILLABLE: Final = 0x00000040

JOBCTL_STOP_PENDING: Final = 1 << 17

TIF_NOTIFY_RESUME: Final = 1 << 1
TIF_SIGPENDING: Final = 1 << 2
TIF_NEED_RESCHED: Final = 1 << 3
_TIF_32BIT: Final = 1 << 29  # the running call came in by int 0x80
EXIT_TO_USER_MODE_WORK: Final = TIF_NOTIFY_RESUME | TIF_SIGPENDING

Rest = Coroutine[object, None, None]
"""What is left to do of a function that began as a plain one and found that it has to wait: to be awaited.

Closing a file waits only for SO_LINGER. So that it costs no coroutine otherwise, the functions on its way are plain
and give None, or the rest of themselves, `_rest_of_NAME()`.
"""
REST_OF: Final = "_rest_of_"

task_work_func_t = Callable[[object], Rest | None]


class user_namespace:
    """The only one there is: ids inside equal ids outside."""

    __slots__ = ("_addr", "ns")

    def __init__(self, ns: ns_common) -> None:
        self.ns = ns


class pid_namespace:
    """pid numbers and the reaper of orphans."""

    __slots__ = ("child_reaper", "idr", "last_pid", "ns", "pid_allocated", "user_ns")

    def __init__(self, user_ns: user_namespace, ns: ns_common) -> None:
        self.user_ns = user_ns
        self.ns = ns
        self.idr: dict[int, pid] = {}
        self.last_pid = 0
        self.pid_allocated = 0
        self.child_reaper: task_struct | None = None


class pid:
    """A process id: the number, and the tasks that bear it (by PIDTYPE)."""

    __slots__ = ("_addr", "count", "level", "numbers", "tasks", "wait_pidfd")
    _addr: int

    def __init__(self, nr: int) -> None:
        self.count = 1
        self.level = 0
        self.numbers = nr
        self.tasks: tuple[list[task_struct], list[task_struct], list[task_struct], list[task_struct]]
        self.tasks = ([], [], [], [])
        self.wait_pidfd = wait_queue_head()


PIDTYPE_PID: Final = 0
PIDTYPE_TGID: Final = 1
PIDTYPE_PGID: Final = 2
PIDTYPE_SID: Final = 3


class new_utsname:
    """What uname() answers; six C strings of 65 bytes."""

    __slots__ = ("domainname", "machine", "nodename", "release", "sysname", "version")

    def __init__(self, release: str, version: str) -> None:
        self.sysname = "Linux"
        self.nodename = "(none)"
        self.release = release
        self.version = version
        self.machine = "x86_64"
        self.domainname = "(none)"


class uts_namespace:
    """A host name of its own."""

    __slots__ = ("_addr", "name", "ns", "user_ns")

    def __init__(self, name: new_utsname, user_ns: user_namespace, ns: ns_common) -> None:
        self.name = name
        self.user_ns = user_ns
        self.ns = ns


class nsproxy:
    """The namespaces of a task."""

    __slots__ = ("_addr", "count", "mnt_ns", "net_ns", "pid_ns_for_children", "uts_ns")
    _addr: int

    def __init__(
        self, uts_ns: uts_namespace, mnt_ns: mnt_namespace | None, net_ns: net, pid_ns: pid_namespace
    ) -> None:
        self.count = 1
        self.uts_ns = uts_ns
        self.mnt_ns = mnt_ns
        self.net_ns = net_ns
        self.pid_ns_for_children = pid_ns


class k_sigaction:
    """What to do on a signal. handler: SIG_DFL 0, SIG_IGN 1, or an address in user space. Shared: replaced, never changed."""

    __slots__ = ("sa_flags", "sa_handler", "sa_mask", "sa_restorer")

    def __init__(self, handler: int = 0, flags: int = 0, mask: int = 0, restorer: int = 0) -> None:
        self.sa_handler = handler
        self.sa_flags = flags
        self.sa_mask = mask
        self.sa_restorer = restorer


class kernel_siginfo:
    """siginfo_t inside the kernel. si_value: status, band or address, by si_code."""

    __slots__ = ("si_addr", "si_band", "si_code", "si_errno", "si_fd", "si_pid", "si_signo", "si_status", "si_uid")

    def __init__(self, signo: int, code: int = 0) -> None:
        self.si_signo = signo
        self.si_code = code
        self.si_errno = self.si_pid = self.si_uid = self.si_status = 0
        self.si_band = self.si_fd = self.si_addr = 0


class sigpending:
    """Signals that wait for delivery: the set as a bit mask (signal n is bit n-1), and their infos."""

    __slots__ = ("list", "signal")

    def __init__(self) -> None:
        self.signal = 0
        self.list: list[kernel_siginfo] = []


class sighand_struct:
    """The signal dispositions, shared by CLONE_SIGHAND."""

    __slots__ = ("_addr", "action", "count", "signalfd_wqh")
    _addr: int

    def __init__(self) -> None:
        self.count = 1
        self.action = [k_sigaction()] * NSIG
        self.signalfd_wqh = wait_queue_head()


class signal_struct:
    """What the threads of one process share: pending signals, limits, timers, the exit code."""

    __slots__ = (
        "_addr", "_threads", "flags", "group_exit_code", "it_real_incr", "leader", "live", "nr_threads", "pids",
        "real_timer", "rlim", "shared_pending", "sigcnt", "wait_chldexit",
    )  # fmt: skip
    _addr: int
    real_timer: hrtimer
    _threads: list[task_struct]  # thread_head

    def __init__(self) -> None:
        self.sigcnt = self.live = self.nr_threads = 1
        self._threads = []
        self.wait_chldexit = wait_queue_head()
        self.shared_pending = sigpending()
        self.group_exit_code = 0
        self.flags = 0
        self.it_real_incr = 0
        self.leader = 0
        self.pids: list[pid | None] = [None] * 4
        self.rlim: list[tuple[int, int]] = []


class thread_info:
    """The flags looked at on the way back to user space."""

    __slots__ = ("flags",)

    def __init__(self) -> None:
        self.flags = 0


class restart_block:
    """How restart_syscall() goes on with an interrupted call."""

    __slots__ = ("fn",)

    def __init__(self) -> None:
        self.fn: Callable[[], Coroutine[object, None, int]] | None = None


class task_struct:
    """A task: a process or a thread of one.

    _stack: the parked call (a coroutine) while the task sleeps in the kernel, None in user space;
    _syscall: number and six arguments of the call it is in.
    """

    __slots__ = (
        "_addr",
        "_blocked",
        "_call",
        "_clear_child_tid",
        "_last_error",
        "_pending",
        "_restart_block",
        "_saved_sigmask",
        "_set_child_tid",
        "_sigframes",
        "_sighand",
        "_stack",
        "_syscall",
        "_task_works",
        "_vfork_done",
        "_wchan",
        "children",
        "comm",
        "cred",
        "exit_code",
        "exit_signal",
        "exit_state",
        "files",
        "flags",
        "fs",
        "group_leader",
        "jobctl",
        "kernel",
        "mm",
        "nsproxy",
        "parent",
        "personality",
        "pid",
        "real_cred",
        "real_parent",
        "signal",
        "splice_pipe",
        "state",
        "tgid",
        "thread_info",
        "thread_pid",
    )  # fmt: skip
    _addr: int
    kernel: Kernel
    mm: mm_struct | None
    files: files_struct
    fs: fs_struct
    cred: cred_t
    real_cred: cred_t
    nsproxy: nsproxy
    signal: signal_struct
    real_parent: task_struct
    parent: task_struct
    group_leader: task_struct
    thread_pid: pid
    children: list[task_struct]
    _sighand: sighand_struct
    _syscall: tuple[int, tuple[int, ...]] | None
    _wchan: str

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.state = TASK_RUNNING
        self.flags = 0
        self.exit_code = self.exit_state = self.exit_signal = self.jobctl = 0
        self.pid = self.tgid = 0
        self.comm = ""
        self.personality = 0
        self.children = []
        self.splice_pipe: pipe_inode_info | None = None
        self.mm = None
        self.thread_info = thread_info()
        self._blocked = 0
        self._saved_sigmask: int | None = None
        self._pending = sigpending()
        self._restart_block = restart_block()
        self._task_works: list[tuple[task_work_func_t, object]] = []
        self._stack: Coroutine[object, None, int] | None = None
        self._call: object = None
        self._syscall = None
        self._sigframes: list[tuple[int, int]] = []  # (result of the interrupted call, mask) of each handler
        self._set_child_tid = self._clear_child_tid = 0
        self._vfork_done: wait_queue_head | None = None
        self._last_error: BaseException | None = None
        self._wchan = ""


def signal_pending(p: task_struct) -> bool:
    """Whether a signal waits to be handled: a sleep ends with ERESTARTSYS or EINTR then."""
    return bool(p.thread_info.flags & TIF_SIGPENDING)


def fatal_signal_pending(p: task_struct) -> bool:
    """Whether SIGKILL waits."""
    return bool(p.thread_info.flags & TIF_SIGPENDING) and bool(p._pending.signal & (1 << 8))


def in_compat_syscall(current: task_struct) -> bool:
    """Whether the running call came in by int 0x80, with 32-bit structs in user memory."""
    return bool(current.thread_info.flags & _TIF_32BIT)


