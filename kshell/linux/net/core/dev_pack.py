"""net/core/dev.c: who receives packets of which protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.abi.netdevice import ETH_P_ALL

if TYPE_CHECKING:
    from kshell.linux.include.linux.netdevice import packet_type
    from kshell.linux.init.kernel import Kernel


def ptype_head(kernel: Kernel, pt: packet_type) -> list[packet_type]:
    """The list that a receiver belongs to: its device's, or that of its protocol."""
    if pt.type == ETH_P_ALL:
        return pt.dev.ptype_all if pt.dev is not None else kernel.ptype_all
    if pt.dev is not None:
        return pt.dev.ptype_specific
    return kernel.ptype_base.setdefault(pt.type, [])


def dev_add_pack(kernel: Kernel, pt: packet_type) -> None:
    """Have packets delivered."""
    ptype_head(kernel, pt).insert(0, pt)


def __dev_remove_pack(kernel: Kernel, pt: packet_type) -> None:
    """Have no more packets delivered."""
    head = ptype_head(kernel, pt)
    if pt in head:
        head.remove(pt)
