"""ethtool: offloads, driver and permanent address of an interface by SIOCETHTOOL."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from kshell.abi import ethtool as e
from kshell.abi.errno import EOPNOTSUPP
from kshell.abi.ioctl import SIOCETHTOOL
from kshell.userland.addresses import mac
from kshell.userland.interfaces import Interfaces
from kshell.userland.runtime import ProgramError, SystemCallError

if TYPE_CHECKING:
    from kshell.userland.runtime import Process

WORDS: Final = 2
ROOM: Final = 4096
DRIVER_STATUS: Final = 71
NO_DATA_STATUS: Final = 75
#: what ethtool puts above its parts: name, short name, features that belong to it
GROUPS: Final = (
    ("rx-checksumming", "rx", ("rx-checksum",)),
    ("tx-checksumming", "tx", ("tx-checksum-ipv4", "tx-checksum-ip-generic", "tx-checksum-ipv6",
                               "tx-checksum-fcoe-crc", "tx-checksum-sctp")),
    ("scatter-gather", "sg", ("tx-scatter-gather", "tx-scatter-gather-fraglist")),
    ("tcp-segmentation-offload", "tso", ("tx-tcp-segmentation", "tx-tcp-ecn-segmentation",
                                         "tx-tcp-mangleid-segmentation", "tx-tcp6-segmentation")),
    ("generic-segmentation-offload", "gso", ("tx-generic-segmentation",)),
    ("generic-receive-offload", "gro", ("rx-gro",)),
    ("large-receive-offload", "lro", ("rx-lro",)),
    ("rx-vlan-offload", "rxvlan", ("rx-vlan-hw-parse",)),
    ("tx-vlan-offload", "txvlan", ("tx-vlan-hw-insert",)),
    ("ntuple-filters", "ntuple", ("rx-ntuple-filter",)),
    ("receive-hashing", "rxhash", ("rx-hashing",)),
)  # fmt: skip


class _Features:
    """What ETHTOOL_GFEATURES tells: bits of offloads."""

    def __init__(self, data: bytes, names: list[str]) -> None:
        blocks = [struct.unpack_from("<IIII", data, 8 + 16 * at) for at in range(WORDS)]
        self.available, self.requested, self.active, self.never = (
            sum(block[column] << 32 * at for at, block in enumerate(blocks)) for column in range(4)
        )
        self.names = names

    def state(self, bit: int) -> str:
        """on, off, and whether that can be changed."""
        on = self.active >> bit & 1
        changeable = self.available >> bit & 1 and not self.never >> bit & 1
        wished = self.requested >> bit & 1
        note = (
            ""
            if changeable and wished == on
            else " [fixed]"
            if not changeable
            else f" [requested {'on' if wished else 'off'}]"
        )
        return ("on" if on else "off") + note


async def main_ethtool(p: Process, argv: list[str]) -> int:
    """ethtool -k|-K|-i|-P INTERFACE"""
    words = argv[1:]
    option = words.pop(0) if words and words[0].startswith("-") else ""
    if not words:
        raise ProgramError("bad command line argument(s)\nFor more information run ethtool -h")
    interfaces = await Interfaces.open(p)
    try:
        return await _act(p, interfaces, option, words[0], words[1:])
    except SystemCallError as error:
        p.complain(str(error))
        return DRIVER_STATUS if option in ("-i", "--driver") else 1
    finally:
        await interfaces.close()


async def _act(p: Process, interfaces: Interfaces, option: str, name: str, words: list[str]) -> int:
    if option in ("-k", "--show-features", "--show-offload"):
        await _show(p, interfaces, name)
    elif option in ("-K", "--features", "--offload"):
        await _switch(p, interfaces, name, words)
    elif option in ("-i", "--driver"):
        await _driver(p, interfaces, name)
    elif option in ("-P", "--show-permaddr"):
        data = await _command(
            p, interfaces, name, struct.pack("<II", e.ETHTOOL_GPERMADDR, 32), "Cannot read permanent address"
        )
        size = int.from_bytes(data[4:8], "little")
        p.print("Permanent address: " + mac(data[8 : 8 + size]))
    elif not option:
        return await _settings(p, interfaces, name)
    else:
        raise ProgramError("bad command line argument(s)\nFor more information run ethtool -h")
    return 0


_SETTINGS: Final = (
    (e.ETHTOOL_GSET, "device settings"), (e.ETHTOOL_GWOL, "wake-on-lan settings"),
    (e.ETHTOOL_GMSGLVL, "message level"), (e.ETHTOOL_GLINK, "link status"),
)  # fmt: skip


async def _settings(p: Process, interfaces: Interfaces, name: str) -> int:
    """What there is to know of a device. Linux's devices without a PHY know whether they have a carrier only."""
    lines, errors = [], []
    for command, what in _SETTINGS:
        try:
            data = await _command(p, interfaces, name, struct.pack("<II", command, 0), f"Cannot get {what}")
        except SystemCallError as error:
            errors += [str(error)] if error.errno != EOPNOTSUPP else []
            continue
        if command == e.ETHTOOL_GLINK:
            lines.append(f"\tLink detected: {'yes' if data[4] else 'no'}")
    p.print(f"Settings for {name}:")
    for line in errors + lines:
        (p.complain if line in errors else p.print)(line)
    if not lines:
        p.print("No data available")
        return NO_DATA_STATUS
    return 0


async def _command(p: Process, interfaces: Interfaces, name: str, command: bytes, what: str) -> bytes:
    """Give a command to the driver; what it made of it."""
    room = p.scratch(ROOM)
    p.store(room, command.ljust(ROOM, b"\0"))
    await interfaces.request(SIOCETHTOOL, name, struct.pack("<Q", room), what)
    return p.memory(room, ROOM)


async def _features(p: Process, interfaces: Interfaces, name: str) -> _Features:
    what = "Cannot get device feature names"
    info = await _command(p, interfaces, name, struct.pack("<IIQ", 0x37, 0, 1 << e.ETH_SS_FEATURES), what)
    count = int.from_bytes(info[16:20], "little")
    data = await _command(p, interfaces, name, struct.pack("<III", e.ETHTOOL_GSTRINGS, e.ETH_SS_FEATURES, count), what)
    names = [data[12 + 32 * at : 44 + 32 * at].split(b"\0")[0].decode() for at in range(count)]
    data = await _command(
        p, interfaces, name, struct.pack("<II", e.ETHTOOL_GFEATURES, WORDS), "Cannot get device features"
    )
    return _Features(data, names)


async def _show(p: Process, interfaces: Interfaces, name: str) -> None:
    found = await _features(p, interfaces, name)
    bits = {feature: bit for bit, feature in enumerate(found.names) if feature}
    p.print(f"Features for {name}:")
    grouped = {feature for _, _, parts in GROUPS for feature in parts}
    for title, _, parts in GROUPS:
        present = [bits[part] for part in parts if part in bits]
        if len(present) == 1:
            p.print(f"{title}: {found.state(present[0])}")
            continue
        on = any(found.active >> bit & 1 for bit in present)
        p.print(f"{title}: {'on' if on else 'off'}")
        for bit in present:
            p.print(f"\t{found.names[bit]}: {found.state(bit)}")
    for feature, bit in bits.items():
        if feature not in grouped:
            p.print(f"{feature}: {found.state(bit)}")


async def _switch(p: Process, interfaces: Interfaces, name: str, words: list[str]) -> None:
    found = await _features(p, interfaces, name)
    if not words or len(words) % 2:
        raise ProgramError("bad command line argument(s)\nFor more information run ethtool -h")
    valid = wanted = 0
    for feature, state in zip(words[::2], words[1::2], strict=False):
        parts = next((parts for title, short, parts in GROUPS if feature in (title, short)), (feature,))
        bits = [bit for bit, known in enumerate(found.names) if known in parts and known]
        if not bits or state not in ("on", "off"):
            raise ProgramError("bad command line argument(s)\nFor more information run ethtool -h")
        if not any(found.available >> bit & 1 for bit in bits):
            p.complain(f"Cannot change {_title(feature)}")
        mask = sum(1 << bit for bit in bits if len(bits) == 1 or found.available >> bit & 1)
        valid |= mask
        wanted = wanted | mask if state == "on" else wanted & ~mask
    blocks = [(valid >> 32 * at & 0xFFFFFFFF, wanted >> 32 * at & 0xFFFFFFFF) for at in range(WORDS)]
    command = struct.pack("<II", e.ETHTOOL_SFEATURES, WORDS) + b"".join(struct.pack("<II", *block) for block in blocks)
    await _command(p, interfaces, name, command, "Cannot set device feature settings")
    after = await _features(p, interfaces, name)
    if (after.active ^ wanted) & valid:
        if not (after.active ^ found.active) & valid:
            p.complain("Could not change any device features")
            raise ProgramError("")
        p.print("Actual changes:")
        for bit, feature in enumerate(after.names):
            if (after.active ^ found.active) >> bit & 1:
                p.print(f"{feature}: {after.state(bit)}")


def _title(feature: str) -> str:
    return next((title for title, short, _ in GROUPS if feature in (title, short)), feature)


async def _driver(p: Process, interfaces: Interfaces, name: str) -> None:
    data = await _command(p, interfaces, name, struct.pack("<I", e.ETHTOOL_GDRVINFO), "Cannot get driver information")
    for title, at in (
        ("driver", 4),
        ("version", 36),
        ("firmware-version", 68),
        ("expansion-rom-version", 132),
        ("bus-info", 100),
    ):
        text = data[at : at + 32].split(b"\0")[0].decode()
        p.print(f"{title}: {text}")
