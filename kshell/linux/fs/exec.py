"""Running another program (fs/exec.c).

There is no machine code here: the task takes the program's name and an empty address space, and the
commands that follow are its instructions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kshell.abi.errno import E2BIG, EACCES, ENOEXEC
from kshell.abi.signal import SIG_DFL, SIG_IGN
from kshell.linux.fs.file import do_close_on_exec, unshare_fd
from kshell.linux.fs.file_table import fput
from kshell.linux.fs.namei import do_filp_open, getname
from kshell.linux.fs.read_write import kernel_read
from kshell.linux.include.linux.err import KernelError
from kshell.linux.include.linux.fs import MAY_EXEC, S_ISREG, open_flags
from kshell.linux.include.linux.sched import PF_FORKNOEXEC, TASK_COMM_LEN, in_compat_syscall
from kshell.linux.include.linux.syscalls import SYSCALL_DEFINE
from kshell.linux.include.linux.uaccess import get_user, strncpy_from_user
from kshell.linux.kernel.exit import zap_other_threads
from kshell.linux.kernel.fork import exec_mm_release, mm_alloc, mmput
from kshell.linux.security.security import security_bprm_creds_for_exec

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import file
    from kshell.linux.include.linux.sched import task_struct

AT_FDCWD: Final = -100
MAX_ARG_STRINGS: Final = 0x7FFF
MAX_ARG_STRLEN: Final = 131072
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
