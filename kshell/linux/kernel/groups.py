"""Groups of a task (kernel/groups.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kshell.linux.include.linux.sched import task_struct


def in_egroup_p(current: task_struct, grp: int) -> bool:
    """Whether current acts for the group (by its effective group)."""
    return grp == current.cred.egid or grp in current.cred.group_info
