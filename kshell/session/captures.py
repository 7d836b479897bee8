"""Captures: files into which the packets that pass a device go, as real frames with right checksums."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from kshell.linux.include.linux.if_ether import ethhdr
from kshell.linux.include.trace.events import NetDevXmit, NetifReceive, Record
from kshell.linux.net.core.skbuff_bytes import _skb_mac_bytes
from kshell.session.outside import reason, writing
from kshell.world.machine import EPOCH_NS
from kshell.world.pcapng import INBOUND, LINKTYPE_ETHERNET, LINKTYPE_RAW, OUTBOUND, Writer

if TYPE_CHECKING:
    from kshell.linux.include.linux.skbuff import sk_buff
    from kshell.session.hosts import Host, Hosts

ANY = "any"


class Capture:
    """One file. device: a device's name, ANY: all; host: a host's name, None: all hosts.

    After travel it goes on with the machines that are there then; what it has written stays.
    """

    def __init__(self, host: str | None, device: str, path: str) -> None:
        self.host = host
        self.device = device
        self.path = path
        self.problem = ""
        """Why no more can be written."""
        self._stops: list[Callable[[], None]] = []
        with writing(path):
            self._file: BinaryIO = Path(path).open("wb", buffering=0)  # noqa: SIM115
            self._writer = Writer(self._file)

    @property
    def packets(self) -> int:
        """How many have been written."""
        return self._writer.packets

    def listen(self, hosts: Hosts) -> None:
        """Take the packets of these hosts from now on."""
        self.deafen()
        for host in hosts:
            self.listen_to(host)

    def listen_to(self, host: Host) -> None:
        """Take the packets of a host, too, if it is meant."""
        if self.host in (None, host.name):
            self._stops.append(host.machine.kernel.observe(lambda record: self._take(host, record)))

    def deafen(self) -> None:
        """Take no more packets."""
        for stop in self._stops:
            stop()
        self._stops = []

    def close(self) -> None:
        """End the file."""
        self.deafen()
        self._file.close()

    def _take(self, host: Host, record: Record) -> None:
        if not isinstance(record, (NetDevXmit, NetifReceive)):
            return
        sent = isinstance(record, NetDevXmit)
        if self.device not in (ANY, record.dev) or (sent and record.dev == "lo"):
            return  # on lo, what is sent is what comes in
        linktype = LINKTYPE_ETHERNET if isinstance(record.skb.mac_header, ethhdr) else LINKTYPE_RAW
        when = EPOCH_NS + host.machine.clock.now
        direction = OUTBOUND if sent else INBOUND
        try:
            self._writer.write(host.device(record.dev), linktype, when, direction, frame_bytes(record.skb))
        except OSError as error:
            self.problem = f"can't write {self.path}: {reason(error)}"
            self.deafen()


def frame_bytes(skb: sk_buff) -> bytes:
    """The whole frame, checksums included."""
    return _skb_mac_bytes(skb)
