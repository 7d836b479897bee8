"""Programs that sleep while they wait for packets: ping, nc, tcpdump. Each has a task of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.session.commands import command
from kshell.session.commands.files import run_program, split_words
from kshell.userland.ping_options import Options
from kshell.userland.runtime import ProgramError

if TYPE_CHECKING:
    from kshell.session.session import Session


@command(
    "ping [-c COUNT] [-i SECONDS] [-W SECONDS] [-w SECONDS] [-s SIZE] [-t TTL] [-M do|want|dont] [-I SOURCE] [-qnODbp...] "
    "ADDRESS [&]",
    section="userland",
)
def do_ping(session: Session, arguments: str) -> None:
    """Send echo requests and time the replies, on the virtual clock.

    ping -c 3 127.0.0.1
    ping 10.0.0.2 &     then `sleep 5s`, `interrupt ping`
    """
    words = split_words(arguments)
    run_program(session, "ping", arguments + (" &" if words[-1:] != ["&"] and _endless(words) else ""))


def _endless(words: list[str]) -> bool:
    """Whether ping would go on until it is interrupted."""
    try:
        options = Options(["ping", *words])
    except ProgramError:
        return False
    return not options.count and not options.deadline


@command("nc [-cklNnuUvz] [-p PORT] [-s ADDRESS] [-w SECONDS] [HOST] [PORT] [<<< TEXT] [&]", section="userland")
def do_nc(session: Session, arguments: str) -> None:
    """Talk over TCP, UDP (-u) or AF_UNIX (-U): what comes is printed; TEXT behind <<< is sent.

    nc -l 8080
    nc -N 127.0.0.1 8080 <<< hello
    nc -klc 7           an echo server
    nc -zv 127.0.0.1 20-25
    """
    run_program(session, "nc", arguments)


@command("tcpdump [-i INTERFACE] [-c COUNT] [-AenpqStvxX#] [EXPRESSION] [&]", section="userland", completion="tcpdump")
def do_tcpdump(session: Session, arguments: str) -> None:
    """Print the frames of an interface as they come, by a packet socket; `interrupt tcpdump` ends it.

    tcpdump -i lo icmp
    tcpdump -ni any 'tcp and (port 80 or src host 10.0.0.1)'
    tcpdump -nvX -i lo udp
    """
    run_program(session, "tcpdump", arguments if arguments.rstrip().endswith("&") else arguments + " &")
