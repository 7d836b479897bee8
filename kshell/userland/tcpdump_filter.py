"""tcpdump's filters: `tcp and (port 80 or src host 10.0.0.1)`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from kshell.userland.addresses import parse_prefix
from kshell.userland.frames import Described
from kshell.userland.names import address_of, port_of
from kshell.userland.runtime import ProgramError

Wanted = Callable[[Described], bool]
PROTOCOLS: Final = ("tcp", "udp", "icmp", "arp", "ip", "igmp")
_KINDS: Final = ("host", "net", "port", "portrange")
_SIDES: Final = {"src": (0,), "dst": (1,)}


class Filter:
    """A filter, word by word."""

    def __init__(self, words: list[str]) -> None:
        self._rest: list[str] = re.findall(r"\(|\)|!|&&|\|\||[^\s()!]+", " ".join(words))
        self.wants: Wanted = self._either() if self._rest else _everything
        if self._rest:
            raise _syntax()

    def _either(self) -> Wanted:
        first = self._both()
        while self._take("or", "||"):
            first = _or(first, self._both())
        return first

    def _both(self) -> Wanted:
        first = self._one()
        while self._take("and", "&&"):
            first = _and(first, self._one())
        return first

    def _take(self, *words: str) -> bool:
        if self._rest and self._rest[0] in words:
            self._rest.pop(0)
            return True
        return False

    def _one(self) -> Wanted:
        if self._take("not", "!"):
            return _not(self._one())
        if self._take("("):
            inner = self._either()
            if not self._take(")"):
                raise _syntax()
            return inner
        return self._primitive()

    def _primitive(self) -> Wanted:
        protocol = self._rest.pop(0) if self._rest and self._rest[0] in PROTOCOLS else ""
        sides = _SIDES[self._rest.pop(0)] if self._rest and self._rest[0] in _SIDES else (0, 1)
        kind = self._rest.pop(0) if self._rest and self._rest[0] in _KINDS else ""
        if protocol and not kind and sides == (0, 1):
            return _protocol(protocol)
        if not self._rest or self._rest[0] in ("and", "or", ")", "&&", "||"):
            raise _syntax()
        end = _end(kind or "host", self._rest.pop(0), sides)
        return _and(_protocol(protocol), end) if protocol else end


def _syntax() -> ProgramError:
    return ProgramError("can't parse filter expression: syntax error", 1)


def _everything(found: Described) -> bool:
    return True


def _or(first: Wanted, second: Wanted) -> Wanted:
    return lambda found: first(found) or second(found)


def _and(first: Wanted, second: Wanted) -> Wanted:
    return lambda found: first(found) and second(found)


def _not(inner: Wanted) -> Wanted:
    return lambda found: not inner(found)


def _protocol(name: str) -> Wanted:
    return lambda found: name in found.protocols


def _end(kind: str, word: str, sides: tuple[int, ...]) -> Wanted:
    if kind in ("port", "portrange"):
        first, _, last = word.partition("-")
        least, most = _port(first), _port(last or first)
        return lambda found: any(least <= found.ends[at][1] <= most for at in sides if found.ends and found.ends[at][1])
    number, length = _prefix(word) if kind == "net" else (_host(word), 32)
    return lambda found: any(
        not length or (_number(found.ends[at][0]) ^ number) >> 32 - length == 0 for at in sides if found.ends
    )


def _number(address: str) -> int:
    return address_of(address)


def _port(word: str) -> int:
    port = port_of(word, "tcp")
    port = port_of(word, "udp") if port is None else port
    if port is None:
        raise ProgramError(f"can't parse filter expression: illegal port '{word}'", 1)
    return port


def _host(word: str) -> int:
    if not re.fullmatch(r"[\w.-]+", word):
        raise _syntax()
    return address_of(word, f"can't parse filter expression: unknown host '{word}'")


def _prefix(word: str) -> tuple[int, int]:
    try:
        return parse_prefix(word)
    except ProgramError:
        raise _syntax() from None
