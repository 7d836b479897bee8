"""The command line of ping."""

from __future__ import annotations

from typing import Final

from kshell.userland.addresses import parse_ipv4
from kshell.userland.getopt import Getopt
from kshell.userland.names import address_of
from kshell.userland.runtime import ProgramError

USAGE: Final = "\nUsage\n  ping [options] <destination>"
GETOPT: Final = Getopt("4aBbc:De:hi:I:l:Lm:M:nOp:Q:qrs:S:t:UvVw:W:", {}, 2, USAGE)
_DISCOVERY: Final = {"do": 2, "want": 1, "dont": 0, "probe": 3}
_MOST: Final = 2**63 - 1
#: letter: attribute, least and most
_NUMBERS: Final = {
    "c": ("count", 1, _MOST), "s": ("size", 0, 65507), "t": ("ttl", 0, 255), "l": ("preload", 1, 65536),
    "e": ("ident", 0, 65535), "m": ("mark", 0, 2**32 - 1), "Q": ("tos", 0, 255),
}  # fmt: skip
_SECONDS: Final = {"i": "interval", "W": "timeout", "w": "deadline"}
_FLAGS: Final = {
    "b": "broadcast",
    "D": "stamps",
    "n": "numeric",
    "O": "outstanding",
    "q": "quiet",
    "v": "verbose",
    "B": "strict",
}
_LONGEST: Final = 2**21


class Options:
    """What it says. timeout: how long to wait for the last reply; bound: the address that -I gives."""

    def __init__(self, argv: list[str]) -> None:
        self.count = 0
        self.interval, self.timeout, self.deadline = 1.0, 10.0, 0.0
        self.size, self.preload = 56, 1
        self.ttl: int | None = None
        self.tos: int | None = None
        self.mark: int | None = None
        self.ident: int | None = None
        self.discovery: int | None = None
        self.bound: int | None = None
        self.device = ""
        self.pattern = b""
        self.broadcast = self.stamps = self.numeric = self.outstanding = self.quiet = self.verbose = False
        self.strict = False
        found, words = GETOPT.parse(argv)
        for letter, value in found:
            self._take(letter, value)
        if not words:
            raise ProgramError("usage error: Destination address required", 1)
        self.target = words[-1]
        self.numeric = self.numeric or self.target.replace(".", "").isdecimal()

    def _take(self, letter: str, value: str) -> None:
        if letter in _NUMBERS:
            name, least, most = _NUMBERS[letter]
            setattr(self, name, _number(value, least, most))
        elif letter in _SECONDS:
            setattr(self, _SECONDS[letter], _seconds(value))
        elif letter in _FLAGS:
            setattr(self, _FLAGS[letter], True)
        elif letter == "M":
            if value not in _DISCOVERY:
                raise ProgramError(f"invalid -M argument: {value}", 2)
            self.discovery = _DISCOVERY[value]
        elif letter == "I":
            self._source(value)
        elif letter == "p":
            self.pattern = _pattern(value)
        elif letter == "h":
            raise ProgramError(USAGE, 2)

    def _source(self, value: str) -> None:
        try:
            self.bound = parse_ipv4(value) if "." in value else address_of(value)
        except ProgramError:
            self.device = value


def _number(value: str, least: int, most: int) -> int:
    try:
        number = int(value, 0)
    except ValueError:
        raise ProgramError(f"invalid argument: '{value}'", 1) from None
    if not least <= number <= most:
        raise ProgramError(f"invalid argument: '{value}': out of range: {least} <= value <= {most}", 1)
    return number


def _seconds(value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        raise ProgramError(f"option argument contains garbage: {value}", 1) from None
    if not 0 <= number <= _LONGEST:
        raise ProgramError(f"bad timing interval: {value}", 1)
    return number


def _pattern(value: str) -> bytes:
    try:
        return bytes.fromhex(value if len(value) % 2 == 0 else f"0{value}")[:16]
    except ValueError:
        raise ProgramError(f"patterns must be specified as hex digits: {value}", 2) from None
