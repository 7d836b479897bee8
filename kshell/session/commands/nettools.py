"""The programs of net-tools, and ethtool: interfaces, routes, neighbours, sockets by ioctl() and /proc."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.session.commands import command
from kshell.session.commands.files import run_program

if TYPE_CHECKING:
    from kshell.session.session import Session


@command("ifconfig [-a] [-s] [INTERFACE [ADDRESS[/LENGTH]] [SETTING...]]", section="userland", completion="device")
def do_ifconfig(session: Session, arguments: str) -> None:
    """Show or set interfaces by ioctl().

    ifconfig eth0 10.0.0.1 netmask 255.255.255.0
    ifconfig eth0 mtu 1250
    ifconfig eth0 down
    ifconfig eth0:1 10.0.0.2
    """
    run_program(session, "ifconfig", arguments)


@command(
    "route [-nee] [-C] [add|del [-net|-host] TARGET [netmask MASK] [gw GATEWAY] [dev INTERFACE]]",
    section="userland", completion="route",
)  # fmt: skip
def do_route(session: Session, arguments: str) -> None:
    """Show the routing table from /proc/net/route, or change it by ioctl().

    route add default gw 10.0.0.254
    route del -net 10.1.0.0 netmask 255.255.0.0
    """
    run_program(session, "route", arguments)


@command("arp [-nav] [-i INTERFACE] [HOST] | -s HOST ADDRESS [temp] | -Ds HOST INTERFACE | -d HOST", section="userland")
def do_arp(session: Session, arguments: str) -> None:
    """Show neighbours from /proc/net/arp, or set and delete them by ioctl().

    arp -s 10.0.0.7 52:54:00:00:00:07
    """
    run_program(session, "arp", arguments)


@command("netstat [-tuwxlanpeoW] | -r | -i | -g | -s", section="userland")
def do_netstat(session: Session, arguments: str) -> None:
    """Show sockets, routes (-r), interfaces (-i), groups (-g) or statistics (-s) from /proc/net.

    netstat -tlnp
    netstat -st
    """
    run_program(session, "netstat", arguments)


@command("ethtool [-k|-K|-i|-P] INTERFACE [FEATURE on|off]...", section="userland", completion="onlydevice")
def do_ethtool(session: Session, arguments: str) -> None:
    """Show or switch offloads of an interface by SIOCETHTOOL.

    ethtool -k lo
    ethtool -K lo tso off
    """
    run_program(session, "ethtool", arguments)
