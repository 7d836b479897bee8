"""The programs of iproute2: links, addresses, routes, neighbours, sockets by netlink."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.session.commands import command
from kshell.session.commands.files import run_program

if TYPE_CHECKING:
    from kshell.session.session import Session


@command(
    "ip [-s] [-d] [-br] [-o] [-n NETNS] link|address|route|neighbour|rule|netns|monitor [COMMAND...]",
    section="userland", completion="ip",
)  # fmt: skip
def do_ip(session: Session, arguments: str) -> None:
    """Show or change links, addresses, routes, neighbours and rules by NETLINK_ROUTE.

    ip address add 10.0.0.1/24 dev eth0
    ip link set eth0 up mtu 1400
    ip link add veth0 type veth peer name veth1
    ip route add default via 10.0.0.254
    ip route get 10.9.9.9
    ip neighbour
    ip netns add blue                          a network namespace with a name
    ip link add v0 type veth peer name v1 netns blue
    ip netns exec blue ping -c 1 10.0.0.1      a program inside; ip -n blue link
    ip monitor &                               tell of every change from now on
    """
    run_program(session, "ip", arguments)


@command("ss [-tuwx0lanpemiorsOH] [-f FAMILY] [-A KINDS] [state STATE] [FILTER]", section="userland", completion="ss")
def do_ss(session: Session, arguments: str) -> None:
    """Show sockets by NETLINK_SOCK_DIAG, with filters that the kernel runs.

    ss -tan
    ss -tln 'sport = :80'
    ss -tan 'not ( dst 10.0.0.0/8 or dport > :1023 )'
    ss -tani                facts of TCP
    ss -s                   counts
    ss -xa
    """
    run_program(session, "ss", arguments)
