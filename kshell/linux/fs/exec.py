"""Running another program (fs/exec.c).

There is no machine code here: the task takes the program's name and an empty address space, and the
commands that follow are its instructions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kshell.abi.errno import E2BIG, EACCES, EINVAL, ENOEXEC
from kshell.abi.fcntl import AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW, O_RDONLY
from kshell.abi.signal import SIG_DFL, SIG_IGN
from kshell.abi.stat import S_IFMT, S_IFREG
from kshell.linux.fs.file import do_close_on_exec
from kshell.linux.fs.file_table import fput
from kshell.linux.fs.internal import open_flags
from kshell.linux.fs.namei import getname, putname
from kshell.linux.fs.namei_open import do_filp_open
from kshell.linux.fs.read_write import kernel_read
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fs import MAY_EXEC, get_file
from kshell.linux.include.linux.namei import LOOKUP_EMPTY, LOOKUP_FOLLOW, LOOKUP_OPEN
from kshell.linux.include.linux.sched import PF_FORKNOEXEC, TASK_COMM_LEN, in_compat_syscall, k_sigaction
from kshell.linux.include.linux.syscalls import SYSCALL_DEFINE
from kshell.linux.include.linux.uaccess import get_user, strncpy_from_user
from kshell.linux.kernel.exit import zap_other_threads
from kshell.linux.kernel.fork import exit_mm_release, mm_alloc, mmput, unshare_files
from kshell.linux.security.security import security_bprm_creds_for_exec

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import file, filename
    from kshell.linux.include.linux.sched import task_struct

MAX_ARG_STRINGS: Final = 0x7FFF
MAX_ARG_STRLEN: Final = 131072
BINPRM_BUF_SIZE: Final = 256
MAGICS: Final = (b"\x7fELF", b"#!")


class linux_binprm:
    """A program on its way to run."""

    __slots__ = ("argc", "envc", "file", "filename")

    def __init__(self, program: file, filename: bytes) -> None:
        self.file = program
        self.filename = filename
        self.argc = self.envc = 0


def count(current: task_struct, argv: int) -> int:
    """How many strings the NULL-terminated array at argv names. EFAULT, E2BIG."""
    if not argv:
        return 0
    size = 4 if in_compat_syscall(current) else 8
    for i in range(MAX_ARG_STRINGS):
        pointer = get_user(current, argv + i * size, size, signed=False)
        if not pointer:
            return i
        if len(strncpy_from_user(current, pointer, MAX_ARG_STRLEN)) == MAX_ARG_STRLEN:
            raise KernelError(E2BIG)
    raise KernelError(E2BIG)


async def do_open_execat(current: task_struct, fd: int, name: filename, flags: int) -> file:
    """Open a program. EACCES: not a regular file, or not executable; EINVAL: flags; the errors of a path walk."""
    if flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH):
        raise KernelError(EINVAL)
    op = open_flags()
    op.open_flag = O_RDONLY
    op.acc_mode = MAY_EXEC
    op.intent = LOOKUP_OPEN
    op.lookup_flags = (0 if flags & AT_SYMLINK_NOFOLLOW else LOOKUP_FOLLOW) | (
        LOOKUP_EMPTY if flags & AT_EMPTY_PATH else 0
    )
    program = await do_filp_open(current, fd, name, op)
    if program.f_inode is None or program.f_inode.i_mode & S_IFMT != S_IFREG:
        fput(program)
        raise KernelError(EACCES)
    return program


async def search_binary_handler(bprm: linux_binprm) -> None:
    """Whether somebody can run it: an ELF file or a script. ENOEXEC."""
    head = await kernel_read(bprm.file, BINPRM_BUF_SIZE, 0)
    if not head.startswith(MAGICS):
        raise KernelError(ENOEXEC)


def begin_new_exec(current: task_struct, bprm: linux_binprm) -> None:
    """The point of no return: threads, descriptors, memory and handlers of the old program go."""
    zap_other_threads(current)
    unshare_files(current)
    exec_mmap(current, bprm.file)
    current.flags &= ~PF_FORKNOEXEC
    do_close_on_exec(current.files)
    __set_task_comm(current, bprm.filename.rsplit(b"/", 1)[-1])
    flush_signal_handlers(current)


def exec_mmap(current: task_struct, program: file) -> None:
    """Give the task an empty address space; a parent that waits in vfork() goes on."""
    exit_mm_release(current)
    old, current.mm = current.mm, mm_alloc(current.kernel)
    current.mm.exe_file = get_file(program)
    if old is not None:
        mmput(current.kernel, old)


def __set_task_comm(task: task_struct, name: bytes) -> None:
    task.comm = name[: TASK_COMM_LEN - 1].decode("latin-1")


def flush_signal_handlers(task: task_struct) -> None:
    """Handlers are gone with their code; what was ignored stays ignored."""
    before = task._sighand.action
    task._sighand.action = [k_sigaction(SIG_IGN if a.sa_handler == SIG_IGN else SIG_DFL) for a in before]
    task._sigframes = []


async def do_execveat_common(
    current: task_struct, fd: int, uname: int, argv: int, envp: int, flags: int
) -> int:
    """Body of execve() and execveat(). EFAULT, E2BIG, EACCES, EINVAL, ENOEXEC, the errors of a path walk."""
    name = getname(current, uname)
    try:
        program = await do_open_execat(current, fd, name, flags)
        try:
            bprm = linux_binprm(program, name.name)
            bprm.argc = count(current, argv)
            bprm.envc = count(current, envp)
            security_bprm_creds_for_exec(bprm)
            await search_binary_handler(bprm)
            begin_new_exec(current, bprm)
        finally:
            fput(program)
    finally:
        putname(current, name)
    return 0


@SYSCALL_DEFINE
async def sys_execve(current: task_struct, filename: int, argv: int, envp: int) -> int:
    """Run a program: the task takes its name and loses memory, handlers and close-on-exec descriptors."""
    return await do_execveat_common(current, AT_FDCWD, filename, argv, envp, 0)


@SYSCALL_DEFINE
async def sys_execveat(current: task_struct, fd: int, filename: int, argv: int, envp: int, flags: int) -> int:
    """execve() of a path relative to a directory."""
    return await do_execveat_common(current, fd, filename, argv, envp, flags)
