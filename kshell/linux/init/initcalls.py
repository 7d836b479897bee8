"""The registered initcalls, in link order within each level (include/linux/init.h, vmlinux.lds).

The order is that of Debian 12's 6.1 kernel. What is not here does nothing the model would show.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from kshell.linux.init.kernel import Kernel

LEVELS: Final = ("early", "pure", "core", "postcore", "arch", "subsys", "fs", "device", "late")


class Initcall(NamedTuple):
    """One registered function and the level of its registration (core_initcall, fs_initcall, …)."""

    level: str
    function: Callable[[Kernel], None]


INITCALLS: Final[tuple[Initcall, ...]] = ()
