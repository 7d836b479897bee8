"""What the arguments of small programs may be: the words of `ip` and its like, devices, settings of the kernel."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from kshell.shell.completion import Pairs, State


def _words(text: str) -> tuple[tuple[str, str], ...]:
    return tuple((word, "") for word in text.split())


IP: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "": (
        ("address", "addresses of devices"), ("link", "devices"), ("route", "the routing table"),
        ("neighbour", "neighbours: ARP's table"), ("rule", "which table is asked"), ("netns", "network namespaces"),
        ("maddress", "groups"), ("monitor", "tell of changes"),
    ),
    "address": _words("show add del flush"),
    "link": _words("show set add del"),
    "route": _words("show add del replace get flush"),
    "neighbour": _words("show add del replace flush"),
    "rule": _words("show add del"),
    "netns": _words("list add del exec identify pids"),
    "maddress": _words("show"),
    "monitor": _words("all link address route neigh"),
}  # fmt: skip
"""Objects of ip, and their commands."""

IP_FURTHER: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "address": _words("dev scope label broadcast peer"),
    "link": _words("dev up down mtu name type address netns master txqueuelen arp"),
    "route": _words("default via dev src metric table scope proto nexthop"),
    "neighbour": _words("dev lladdr nud proxy"),
    "rule": _words("from to table priority iif oif"),
}  # fmt: skip
"""What may stand behind these commands."""

BEFORE_A_DEVICE: Final = frozenset({"dev", "-i", "-I", "iif", "oif", "master"})
OF_A_DEVICE: Final = _words("up down mtu netmask broadcast txqueuelen hw promisc arp")
SS: Final = (
    ("-tan", "TCP, all, in numbers"), ("-tln", "TCP that listens"), ("-uan", "UDP"), ("-xa", "AF_UNIX"), ("-s", "counts"),
    ("-tani", "with facts of TCP"), ("state", "only in this state"), ("sport", "by port: sport = :80"), ("dport", ""),
    ("src", "by address"), ("dst", ""),
)  # fmt: skip
STATES: Final = _words(
    "established syn-sent syn-recv fin-wait-1 fin-wait-2 time-wait closed close-wait last-ack listening closing "
    "all connected"
)
ROUTE: Final = _words("add del default -net -host netmask gw dev metric -n")
TCPDUMP: Final = (
    ("-i", "the device"), ("-n", "numbers"), ("-c", "so many frames"), ("-X", "with their bytes"), ("-e", "Ethernet"),
    *_words("icmp tcp udp arp ip port host src dst and or not"),
)  # fmt: skip


def ip(words: list[str], word: str, state: State) -> Pairs:
    """`ip OBJECT COMMAND ...`; options of ip stand before."""
    if words[-1:] and words[-1] in BEFORE_A_DEVICE:
        return state.devices()
    while words[:1] and words[0].startswith("-"):
        words = words[2 if words[0] in ("-n", "-netns", "-f", "-family") else 1 :]
    if not words:
        return IP[""]
    found = next((name for name in IP if name and name.startswith(words[0])), "")
    if not found or len(words) == 1:
        return IP[found] if found else ()
    further = IP_FURTHER.get(found, ())
    return [*further, *state.devices()] if found == "link" else further


def device(words: list[str], word: str, state: State) -> Pairs:
    """`ifconfig eth0 up`."""
    return OF_A_DEVICE if words else state.devices()


def only_device(words: list[str], word: str, state: State) -> Pairs:
    """`ethtool -k eth0`."""
    return state.devices()


def ss(words: list[str], word: str, state: State) -> Pairs:
    """`ss -tan state established`."""
    return STATES if words[-1:] == ["state"] else SS


def route(words: list[str], word: str, state: State) -> Pairs:
    """`route add default gw 10.0.0.1`."""
    return state.devices() if words[-1:] == ["dev"] else ROUTE


def tcpdump(words: list[str], word: str, state: State) -> Pairs:
    """`tcpdump -i eth0 icmp`."""
    if words[-1:] and words[-1].startswith("-") and words[-1].endswith("i"):
        return [*state.devices(), ("any", "all devices")]
    return TCPDUMP


def sysctl(words: list[str], word: str, state: State) -> Pairs:
    """Names of settings as far as their next dot: there are many hundreds."""
    names: dict[str, str] = {}
    for name in state.sysctls():
        if name.startswith(word):
            end = name.find(".", len(word))
            names.setdefault(name if end < 0 else name[: end + 1], "" if end < 0 else "settings")
    return names.items()


def cable(words: list[str], word: str, state: State) -> Pairs:
    """`link client.eth0 server.eth0 delay=10ms`."""
    if len(words) > 1:
        return _words("delay= rate= loss=")
    return [*state.ends(), *(_words("delay= rate= loss= up down") if words else ())]


def end(words: list[str], word: str, state: State) -> Pairs:
    """`unlink client.eth0`."""
    return () if words else state.ends()


def capture(words: list[str], word: str, state: State) -> Pairs:
    """`capture eth0 FILE`, `capture eth0 off`."""
    return [*state.devices(), ("any", "all devices")] if not words else [("off", "end it")] if len(words) == 1 else ()


def breakpoint_number(words: list[str], word: str, state: State) -> Iterable[tuple[str, str]]:
    """`delete 1`."""
    return state.breakpoints()
