"""Telling who polls a setting that it has changed (fs/proc/proc_sysctl.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.linux.kernel.sched.wait import wake_up_interruptible

if TYPE_CHECKING:
    from kshell.linux.include.linux.sysctl import ctl_table_poll


def proc_sys_poll_notify(poll: ctl_table_poll) -> None:
    """Wake who polls the setting."""
    poll.event += 1
    wake_up_interruptible(poll.wait)
