"""Which system calls the kernel serves, and where (arch/x86/entry/syscalls/syscall_64.tbl).

Function `sys_NAME`, marked @SYSCALL_DEFINE, serves call NAME.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator, Mapping
from importlib import import_module
from typing import Final

Handler = Callable[..., "int | Coroutine[object, None, int]"]

MODULES: Final = {
    "drivers.char.mem": "getrandom",
    "fs.d_path": "getcwd",
    "fs.eventfd": "eventfd eventfd2",
    "fs.eventpoll_calls": "epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait",
    "fs.exec": "execve execveat",
    "fs.fcntl_do": "fcntl",
    "fs.file_dup": "close_range dup dup2 dup3",
    "fs.ioctl": "ioctl",
    "fs.locks_fcntl": "flock",
    "fs.namei_calls": "link linkat mkdir mkdirat mknod mknodat rmdir symlink symlinkat unlink unlinkat",
    "fs.namei_rename": "rename renameat renameat2",
    "fs.namespace_calls": "mount umount umount2",
    "fs.open": "close creat open openat",
    "fs.open_access": "access faccessat faccessat2 fallocate ftruncate truncate",
    "fs.open_owner": "chdir chmod chown chroot fchdir fchmod fchmodat fchown fchownat lchown umask",
    "fs.pipe": "pipe pipe2",
    "fs.read_write": "lseek pread64 pwrite64 read write",
    "fs.read_write_copy": "copy_file_range",
    "fs.read_write_sendfile": "sendfile sendfile64",
    "fs.read_write_vec": "preadv preadv2 pwritev pwritev2 readv writev",
    "fs.readdir": "getdents getdents64",
    "fs.select": "pselect6 select",
    "fs.select_poll": "poll ppoll",
    "fs.signalfd": "signalfd signalfd4",
    "fs.splice": "splice tee",
    "fs.stat": "fstat lstat newfstat newfstatat newlstat newstat readlink readlinkat stat statx",
    "fs.statfs": "fstatfs statfs",
    "fs.sync": "fadvise64 fdatasync fsync sync sync_file_range syncfs",
    "fs.timerfd": "timerfd_create timerfd_gettime timerfd_settime",
    "fs.utimes": "futimesat utime utimensat utimes",
    "fs.xattr": "fgetxattr flistxattr fsetxattr getxattr lgetxattr",
    "kernel.exit_calls": "exit exit_group",
    "kernel.fork": "clone clone3 fork set_tid_address unshare vfork",
    "kernel.module.main": "delete_module init_module",
    "kernel.nsproxy": "setns",
    "kernel.signal_calls": (
        "kill pause rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend "
        "rt_sigtimedwait sigaltstack tgkill tkill"
    ),
    "kernel.sys": (
        "getegid geteuid getgid getpgid getpgrp getpid getppid getrlimit getrusage getsid gettid getuid "
        "personality prctl prlimit64 setdomainname sethostname setpgid setrlimit setsid sysinfo times uname"
    ),
    "kernel.sys_ids": (
        "capget capset getgroups getresgid getresuid setgid setgroups setregid setresgid setresuid setreuid setuid"
    ),
    "kernel.time.itimer": "alarm getitimer setitimer",
    "kernel.time.posix_timers": (
        "clock_getres clock_gettime clock_nanosleep clock_settime gettimeofday nanosleep restart_syscall time"
    ),
    "kernel.wait4": "wait4 waitid",
    "mm.memfd": "memfd_create",
    "mm.mmap": "mmap mprotect munmap",
    "net.socket_msg": "recv recvfrom recvmmsg recvmsg send sendmmsg sendmsg sendto",
    "net.socket_socketcall": "socketcall",
    "net.socket_syscalls": (
        "accept accept4 bind connect getpeername getsockname getsockopt listen setsockopt shutdown socket "
        "socketpair"
    ),
}
"""The calls whose bodies are in a module, below kshell.linux."""


def _places(modules: Mapping[str, str], prefix: str) -> dict[str, tuple[str, str]]:
    """name → module and function, of the calls in modules."""
    return {name: (module, prefix + name) for module, names in modules.items() for name in names.split()}


class Bodies(Mapping[str, Handler]):
    """name → body. Its module is imported when it is asked for: a program makes few of the calls."""

    def __init__(self, places: Mapping[str, tuple[str, str]]) -> None:
        self._places = places

    def __getitem__(self, name: str) -> Handler:
        module, function = self._places[name]
        body: Handler = getattr(import_module(f"kshell.linux.{module}"), function)
        return body

    def __contains__(self, name: object) -> bool:
        return name in self._places

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


X64_CALLS: Final = Bodies(_places(MODULES, "sys_"))
