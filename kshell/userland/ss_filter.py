"""ss's filters: `sport = :80 and not dst 10.0.0.0/8` as the program that the kernel runs over its sockets."""

from __future__ import annotations

import re
import struct
from fnmatch import fnmatchcase
from typing import Final

from kshell.abi import sock_diag as d
from kshell.abi.socket import AF_INET
from kshell.userland.addresses import parse_prefix
from kshell.userland.names import port_of
from kshell.userland.runtime import ProgramError

EXIT_MINUS_ONE: Final = 255
_TOKEN: Final = re.compile(r"\s*(\(|\)|\|\||\||&&|&|!=|!|==|=|>=|<=|>|<|[^\s()|&!=<>]+)")
_COMPARE: Final = {
    "=": "=", "==": "=", "eq": "=", "!=": "!=", "ne": "!=", "neq": "!=", ">=": ">=", "ge": ">=", "geq": ">=",
    "<=": "<=", "le": "<=", "leq": "<=", ">": ">", "gt": ">", "<": "<", "lt": "<",
}  # fmt: skip
_PORTS: Final = {
    "sport": (d.INET_DIAG_BC_S_EQ, d.INET_DIAG_BC_S_GE, d.INET_DIAG_BC_S_LE),
    "dport": (d.INET_DIAG_BC_D_EQ, d.INET_DIAG_BC_D_GE, d.INET_DIAG_BC_D_LE),
}  # fmt: skip
_HOSTS: Final = {"src": d.INET_DIAG_BC_S_COND, "dst": d.INET_DIAG_BC_D_COND}


class Filter:
    """A filter compiled: program for sockets with addresses, `path` for those with names (of src).

    device: name → index, of what `dev` names.
    """

    def __init__(self, words: list[str], device: dict[str, int]) -> None:
        self._rest: list[str] = [token for word in words for token in _TOKEN.findall(word)]
        self._device = device
        self.path = ""
        self.inet = False
        self.program = self._list(closing=False) if self._rest else b""
        if self._rest:
            raise _syntax()

    def wants_name(self, name: str) -> bool:
        """Whether a socket with a name, or none, is wanted."""
        return (not self.path and not self.inet) or (bool(self.path) and fnmatchcase(name, self.path))

    def _list(self, closing: bool) -> bytes:
        program = self._one()
        while self._rest and self._rest[0] != ")":
            word = self._rest[0]
            if word in ("or", "|", "||"):
                self._rest.pop(0)
                program = _either(program, self._one())
            else:
                if word in ("and", "&", "&&"):
                    self._rest.pop(0)
                program = _both(program, self._one())
        if closing and (not self._rest or self._rest.pop(0) != ")"):
            raise _syntax()
        return program

    def _one(self) -> bytes:
        if not self._rest:
            raise _syntax()
        word = self._rest.pop(0)
        if word == "(":
            return self._list(closing=True)
        if word in ("not", "!"):
            return _not(self._one())
        if word in ("autobound",):
            return struct.pack("<BBH", d.INET_DIAG_BC_AUTO, 4, 8)
        if word in _PORTS:
            return self._port(word, self._comparison())
        if word in ("dev", "fwmark"):
            negated = self._comparison("=") == "!="
            condition = self._dev() if word == "dev" else self._mark()
            return _not(condition) if negated else condition
        if word in _HOSTS:
            negated = self._comparison("=") == "!="
            condition = self._host(_HOSTS[word], self._value())
            return _not(condition) if negated else condition
        return self._host(d.INET_DIAG_BC_D_COND, word)

    def _comparison(self, default: str = "") -> str:
        if self._rest and self._rest[0] in _COMPARE:
            return _COMPARE[self._rest.pop(0)]
        if not default:
            raise _syntax()
        return default

    def _value(self) -> str:
        if not self._rest:
            raise _syntax()
        return self._rest.pop(0)

    def _port(self, word: str, comparison: str) -> bytes:
        self.inet = True
        equal, least, most = _PORTS[word]
        code = {"=": equal, "!=": equal, ">=": least, "<": least, "<=": most, ">": most}[comparison]
        condition = struct.pack("<BBHBBH", code, 8, 12, 0, 0, _port(self._value().rpartition(":")[2]))
        return _not(condition) if comparison in ("!=", "<", ">") else condition

    def _dev(self) -> bytes:
        name = self._value()
        if name not in self._device:
            raise ProgramError(f'Cannot find device "{name}".', 1)
        return struct.pack("<BBHI", d.INET_DIAG_BC_DEV_COND, 8, 12, self._device[name])

    def _mark(self) -> bytes:
        mark, _, mask = self._value().partition("/")
        try:
            numbers = (int(mark, 0) & 0xFFFFFFFF, int(mask, 0) & 0xFFFFFFFF if mask else 0xFFFFFFFF)
        except ValueError:
            raise _syntax() from None
        return struct.pack("<BBHII", d.INET_DIAG_BC_MARK_COND, 12, 16, *numbers)

    def _host(self, code: int, word: str) -> bytes:
        if word.startswith(("/", "@")):
            self.path = word
            return b""
        self.inet = True
        address, colon, port_text = word.rpartition(":") if ":" in word else (word, "", "")
        port = _port(port_text) if colon and port_text != "*" else -1
        number, length = (0, 0) if address in ("", "*") else _prefix(address)
        condition = struct.pack("<BBHBBxxi", code, 16, 20, AF_INET, length, port)
        return condition + number.to_bytes(4, "big")


def _prefix(word: str) -> tuple[int, int]:
    try:
        return parse_prefix(word)
    except ProgramError:
        raise ProgramError(
            f'Error: an inet prefix is expected rather than "{word}".\nCannot parse dst/src address.', 1
        ) from None


def _port(word: str) -> int:
    port = port_of(word, "tcp")
    if port is None or port > 0xFFFF:
        raise ProgramError(f'Error: "{word}" does not look like a port.\nCannot parse dst/src address.', 1)
    return port


def _syntax() -> ProgramError:
    return ProgramError(
        'ss: bison bellows (while parsing filter): "syntax error!" Sorry.\nUsage: ss [ OPTIONS ] [ FILTER ]',
        EXIT_MINUS_ONE,
    )


def _both(first: bytes, second: bytes) -> bytes:
    """Where the first condition fails it jumps behind the second one."""
    program, at = bytearray(first), 0
    while at < len(first):
        length, no = struct.unpack_from("<xBH", first, at)
        if no == len(first) - at + 4:
            struct.pack_into("<H", program, at + 2, no + len(second))
        at += length
    return bytes(program) + second


def _either(first: bytes, second: bytes) -> bytes:
    return first + struct.pack("<BBH", d.INET_DIAG_BC_JMP, 4, len(second) + 4) + second


def _not(condition: bytes) -> bytes:
    return condition + struct.pack("<BBH", d.INET_DIAG_BC_JMP, 4, 8)
