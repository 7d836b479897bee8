"""net/netlink/af_netlink.c: who listens to a multicast group. A leaf, so that core networking can ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kshell.linux.include.net.sock import sock


def netlink_has_listeners(sk: sock, group: int) -> bool:
    """Whether anybody listens to a group of a kernel socket's protocol."""
    listening = sk.skc_net.kernel.nl_table[sk.sk_protocol].mc_list
    return bool(listening) and any(each.groups >> (group - 1) & 1 for each in listening)
