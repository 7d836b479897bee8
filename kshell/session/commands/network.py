"""Commands about a network of several hosts: hosts, switches, cables, captures."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from kshell.lang.statements import split_words
from kshell.session.commands import CommandError, command
from kshell.world.machine import LOCALHOST

if TYPE_CHECKING:
    from kshell.session.session import Session
    from kshell.world.hosts import Cable

TIME: Final = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": 1_000_000_000}
RATE: Final = {"bit": 1, "kbit": 1_000, "Mbit": 1_000_000, "Gbit": 1_000_000_000}


@command("host [NAME …]", section="network")
def do_host(session: Session, arguments: str) -> None:
    """Boot another host: a machine with its own kernel, on the same virtual clock.

    host client server
    @client socket(AF_INET, SOCK_STREAM, 0)   a call of client's init
    @server/worker accept(3, NULL, NULL)      a further task of server
    task server                               later commands are about server

    Without a name it lists the hosts. The machine of the beginning is called localhost. The tree after a call shows the
    objects of the host that made it; `@server show fd 3` shows those of another.
    """
    names = arguments.split()
    for name in names:
        _check_task(session, name)
        session.build("host", name)
    if not names:
        _list_hosts(session)


def _check_task(session: Session, name: str) -> None:
    if session.tasks.get(name) is not None:
        raise CommandError(f"there is a task {name} already", "a host needs a name of its own")


def _list_hosts(session: Session) -> None:
    for host in session.hosts:
        devices = [dev.name for dev in host.machine.kernel.init_net.dev_base_head]
        mark = "*" if host is session.host else " "
        session.say(f"{mark} {host.name or LOCALHOST:12} {' '.join(devices)}")


@command("switch NAME …", section="network")
def do_switch(session: Session, arguments: str) -> None:
    """Put up a learning Ethernet switch, to which `link` joins devices.

    switch s1
    link client.eth0 s1
    """
    names = arguments.split()
    if not names:
        raise CommandError("switch wants a name", "switch s1")
    for name in names:
        session.build("switch", name)


@command("link A.DEV B.DEV [delay=TIME] [rate=RATE] [loss=PERCENT]", section="network", completion="cable")
def do_link(session: Session, arguments: str) -> None:
    """Join two network devices, or a device and a switch, by a cable. Devices that are not there are plugged in.

    link client.eth0 server.eth0
    link client.eth0 s1 delay=10ms rate=10Mbit loss=1%
    link client.eth0 down           cut the cable; `up` mends it
    link client.eth0 loss=5%        change it
    link                            list the cables

    delay is the time from end to end (ns, us, ms, s), rate in bit, kbit, Mbit or Gbit per second, loss the part of
    the frames that get lost, by the session's seed. The devices are down and have no addresses yet:

    @client ifconfig eth0 10.0.0.1 up
    """
    words = split_words(arguments)
    ends = [word for word in words if "=" not in word and word not in ("up", "down")]
    options = _options([word for word in words if "=" in word])
    if not words:
        _list_links(session)
    elif len(ends) == 2 and len(words) == 2 + len(options):
        delay, rate, loss = options.get("delay", 0), options.get("rate", 0), options.get("loss", 0.0)
        session.build("link", ends[0], ends[1], delay, rate, loss)
    elif len(ends) == 1 and len(words) > 1:
        up = True if "up" in words else False if "down" in words else None
        session.build("set", ends[0], up, options.get("delay"), options.get("rate"), options.get("loss"))
    else:
        raise CommandError("link wants two ends", "link client.eth0 server.eth0, or: link client.eth0 s1")


@command("unlink A.DEV", section="network", completion="end")
def do_unlink(session: Session, arguments: str) -> None:
    """Take the cable out of a device.

    unlink client.eth0
    """
    end = arguments.strip()
    if not end:
        raise CommandError("unlink wants a device", "unlink client.eth0")
    session.build("unlink", end)




@command("capture [DEV FILE.pcapng]", section="network", completion="capture")
def do_capture(session: Session, arguments: str) -> None:
    """Write the packets that pass a device of this host into a file that Wireshark and tshark read.

    capture eth0 /tmp/client.pcapng
    @server capture any /tmp/server.pcapng    all devices of a host
    capture eth0 off                          end it; without arguments: what is captured

    The frames are whole, their checksums right, their times the session's virtual ones.
    """
    words = split_words(arguments)
    if not words:
        for capture in session.captures:
            where = f"{capture.host or LOCALHOST}.{capture.device}" if capture.host is not None else "all devices"
            session.say(f"{where} to {capture.path}: {capture.packets} packets")
        if not session.captures:
            session.say("nothing is captured")
        return
    if len(words) != 2:
        raise CommandError("capture wants a device and a file", "capture eth0 /tmp/eth0.pcapng")
    device, path = words
    if path == "off":
        _end_capture(session, device)
        return
    names = [dev.name for net in session.kernel.net_namespace_list for dev in net.dev_base_head]
    if device != "any" and device not in names:
        raise CommandError(f"there is no device {device!r}", f"there are: {', '.join(names)}, any")
    session.capture(session.host.name, device, path)


def _end_capture(session: Session, device: str) -> None:
    ended = [each for each in session.captures if (each.host, each.device) == (session.host.name, device)]
    if not ended:
        raise CommandError(f"{device} is not captured")
    for capture in ended:
        capture.close()
        session.captures.remove(capture)
        session.say(f"{capture.packets} packets in {capture.path}")


def _options(words: list[str]) -> dict[str, int | float]:
    """delay in ns, rate in bit/s, loss from 0 to 1."""
    found: dict[str, int | float] = {}
    for word in words:
        name, _, value = word.partition("=")
        if name in ("delay", "rate"):
            found[name] = _quantity(name, value, TIME if name == "delay" else RATE)
        elif name == "loss":
            found[name] = _loss(value)
        else:
            raise CommandError(f"a link has no {name!r}", "delay=10ms rate=10Mbit loss=1%")
    return found


def _quantity(name: str, text: str, units: dict[str, int]) -> int:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([A-Za-z]+)", text)
    if match is None or match[2] not in units:
        raise CommandError(f"{name}={text} is no {name}", f"a number and a unit: {', '.join(units)}")
    return int(float(match[1]) * units[match[2]])


def _loss(text: str) -> float:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)%?", text)
    loss = float(match[1]) / (100 if text.endswith("%") else 1) if match is not None else 2.0
    if loss > 1:
        raise CommandError(f"loss={text} is no loss", "loss=1%")
    return loss


def _list_links(session: Session) -> None:
    world = session.machine.world
    if world is None or not world.cables:
        session.say("there are no links")
        return
    for cable in world.cables:
        session.say(cable_text(cable))


def cable_text(cable: Cable) -> str:
    """`client.eth0 -- server.eth0  delay=10ms loss=1%`"""
    link = cable.link
    parts = [f"{cable.a} -- {cable.b}"]
    if link.delay:
        parts.append(f"delay={_in_units(link.delay, TIME)}")
    if link.rate:
        parts.append(f"rate={_in_units(link.rate, RATE)}")
    if link.loss:
        parts.append(f"loss={link.loss * 100:g}%")
    if not link.up:
        parts.append("down")
    return "  ".join(parts)


def _in_units(value: int, units: dict[str, int]) -> str:
    unit = next(name for name in reversed(units) if value >= units[name])
    return f"{value / units[unit]:g}{unit}"
