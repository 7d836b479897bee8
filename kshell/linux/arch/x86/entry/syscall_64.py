"""Which system calls the kernel serves (arch/x86/entry/syscalls/syscall_64.tbl).

Every function `sys_NAME` marked @SYSCALL_DEFINE in the modules listed here serves call NAME.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from types import MappingProxyType, ModuleType
from typing import Final

from kshell.linux.drivers.char import mem
from kshell.linux.fs import (
    d_path,
    eventfd,
    eventpoll_calls,
    fcntl_do,
    file_dup,
    ioctl,
    locks_fcntl,
    namei_calls,
    namei_rename,
    namespace_calls,
    open_access,
    open_owner,
    pipe,
    read_write,
    read_write_copy,
    read_write_sendfile,
    read_write_vec,
    readdir,
    select,
    select_poll,
    signalfd,
    splice,
    stat,
    statfs,
    sync,
    timerfd,
    utimes,
    xattr,
)  # fmt: skip
from kshell.linux.fs import exec as fs_exec
from kshell.linux.fs import open as fs_open
from kshell.linux.kernel import exit_calls, fork, nsproxy, signal_calls, sys, sys_ids, wait4
from kshell.linux.kernel.module import main as module
from kshell.linux.kernel.time import itimer, posix_timers
from kshell.linux.mm import memfd, mmap
from kshell.linux.net import socket_msg, socket_socketcall, socket_syscalls

Handler = Callable[..., "int | Coroutine[object, None, int]"]

MODULES: Final[tuple[ModuleType, ...]] = (
    mem, d_path, eventfd, eventpoll_calls, fs_exec, fcntl_do, file_dup, fs_open, ioctl, locks_fcntl,
    namei_calls, namei_rename, namespace_calls, open_access, open_owner, pipe, read_write, read_write_copy,
    read_write_sendfile, read_write_vec, readdir, select, select_poll, signalfd, splice, stat, statfs,
    sync, timerfd, utimes, xattr, exit_calls, fork, nsproxy, signal_calls, sys, sys_ids, wait4, module, itimer,
    posix_timers, memfd, mmap, socket_msg, socket_socketcall, socket_syscalls,
)  # fmt: skip


def collect(modules: tuple[ModuleType, ...], prefix: str) -> dict[str, Handler]:
    """name → body, of the marked functions of some modules."""
    return {
        name.removeprefix(prefix): function
        for module in modules
        for name, function in vars(module).items()
        if name.startswith(prefix) and getattr(function, "syscall", False)
    }


X64_CALLS: Final[Mapping[str, Handler]] = MappingProxyType(collect(MODULES, "sys_"))
