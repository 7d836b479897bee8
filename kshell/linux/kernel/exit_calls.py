"""exit() and exit_group() (kernel/exit.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.linux.include.linux.syscalls import SYSCALL_DEFINE
from kshell.linux.kernel.exit import do_exit, do_group_exit

if TYPE_CHECKING:
    from kshell.linux.include.linux.sched import task_struct


@SYSCALL_DEFINE
async def sys_exit(current: task_struct, error_code: int) -> int:
    """End this thread."""
    await do_exit(current, (error_code & 0xFF) << 8)


@SYSCALL_DEFINE
async def sys_exit_group(current: task_struct, error_code: int) -> int:
    """End this process."""
    await do_group_exit(current, (error_code & 0xFF) << 8)
