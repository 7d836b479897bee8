"""Reads packetdrill scripts: timed packets, system calls, shell commands and Python blocks.

``parse(text, filename)`` gives a Script; LangError says where it goes wrong. Times are nanoseconds.
"""

import re
from types import MappingProxyType
from typing import Final

from kshell.lang.lexer import Source, unescape
from kshell.lang.packetdrill_script import (
    Action,
    Code,
    Event,
    Expression,
    Packet,
    Script,
    Shell,
    SystemCall,
    TcpOption,
    When,
)
from kshell.lang.packetdrill_tokens import Tokens

_MAX_NESTING: Final = 32

_FLAG_LETTERS: Final = frozenset("SFRPUEWA")
_IP_ITEMS: Final = frozenset({"ect0", "ect1", "ect01", "ce", "noecn", "tos", "flowlabel", "ttl"})
_OPTION_NUMBERS: Final = {"mss": 1, "wscale": 1}
_BARE_OPTIONS: Final = frozenset({"nop", "eol", "sackOK"})


def parse(text: str, filename: str = "<script>") -> Script:
    """The script, or LangError at the first thing that is none of the language."""
    return _Parser(Source(text, filename)).script()


class _Parser(Tokens):
    """Recursive descent over the tokens."""

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self._nesting = 0

    # ---- the script ----

    def script(self) -> Script:
        options: dict[str, str] = {}
        while self._peek().kind == "option":
            name = self._take().text[2:]
            options[name] = self._option_value() if self._accept("=") else ""
        setup = self._take().text[1:-1] if self._peek().kind == "shell" else None
        events: list[Event] = []
        cleanup = None
        while self._peek().kind != "end":
            if self._peek().kind == "shell":
                cleanup = self._take().text[1:-1]
                break
            events.append(self._event())
        if self._peek().kind != "end" or not events:
            raise self._unexpected("a time, such as +.1" if not events else "the end of the script")
        return Script(MappingProxyType(options), setup, tuple(events), cleanup)

    def _option_value(self) -> str:
        if self._peek().kind in ("int", "hex", "float", "word", "address", "string"):
            return self._take().text.strip('"')
        raise self._unexpected("the option's value")

    def _event(self) -> Event:
        line = self._source.place(self._peek().start, self._peek().end).line
        when = self._when()
        return Event(when, self._action(), line)

    def _when(self) -> When:
        if self._accept("*"):
            return When(False, True, 0)
        relative = self._accept("+")
        start = self._seconds()
        until = None
        if self._accept("~"):
            self._accept("+")
            until = self._seconds()
        return When(relative, False, start, until)

    def _action(self) -> Action:
        token = self._peek()
        if token.kind == "shell":
            return Shell(self._take().text[1:-1])
        if token.kind == "code":
            return Code(self._take().text[2:-2].strip())
        if token.text in ("<", ">"):
            return self._packet()
        if token.kind in ("word", "dots"):
            return self._call()
        raise self._unexpected("a packet (< or >), a system call, `a command` or %{ code }%")

    # ---- packets ----

    def _packet(self) -> Packet:
        inbound = self._take().text == "<"
        ip = self._ip_items()
        if self._at("icmp"):
            return self._icmp(inbound, ip)
        if self._accept("udp"):
            self._expect("(")
            length = self._integer()
            self._expect(")")
            return Packet(inbound, "udp", seq=(0, length, length), ip=ip)
        return self._tcp(inbound, ip)

    def _ip_items(self) -> tuple[str, ...]:
        closing = {"[": "]", "(": ")"}.get(self._peek().text)
        if closing is None:
            return ()
        self._take()
        items = []
        while not self._at(closing):
            if self._peek().text not in _IP_ITEMS:
                raise self._unexpected(f"one of {', '.join(sorted(_IP_ITEMS))}")
            name = self._take().text
            number = f" {self._take().text}" if self._peek().kind in ("int", "hex") else ""
            items.append(name + number)
            if not self._accept(","):
                break
        self._expect(closing)
        return tuple(items)

    def _tcp(self, inbound: bool, ip: tuple[str, ...]) -> Packet:
        ports = self._ports()
        flags = self._flags()
        seq = self._sequence()
        numbers = {name: self._integer() if self._accept(name) else None for name in ("ack", "win", "urg")}
        if inbound and numbers["win"] is None:
            raise self._unexpected("'win' and a window, which a packet into the stack must have")
        ack, window, urgent = numbers["ack"], numbers["win"], numbers["urg"]
        return Packet(inbound, "tcp", flags, seq, ack, window, urgent, self._options(), ip, None, ports)

    def _ports(self) -> tuple[int, int] | None:
        if self._peek().kind != "int" or self._peek(1).text != ">":
            return None
        source = self._integer()
        self._take()
        return source, self._integer("a port")

    def _flags(self) -> str:
        """``S.``, ``P.``, ``.``, ``-``, ``P.5``"""
        letters = ""
        if self._peek().kind == "word":
            if not set(self._peek().text) <= _FLAG_LETTERS:
                raise self._unexpected("TCP flags from S F R P U E W A and .")
            letters = self._take().text
        if self._accept("."):
            return letters + "."
        if self._peek().kind == "float" and letters:
            return letters + self._take().text
        if not letters:
            if self._accept("-"):
                return ""
            raise self._unexpected("TCP flags from S F R P U E W A and .")
        return letters

    def _sequence(self) -> tuple[int, int, int]:
        token = self._peek()
        start = self._integer("a sequence number range such as 0:0(0)")
        self._expect(":")
        end = self._integer()
        self._expect("(")
        length = self._integer()
        self._expect(")")
        if (start + length - end) & 0xFFFFFFFF:
            raise self._source.error("the range is not as long as it says", token.start, token.end,
                                     expected=f"{start}:{start + length}({length})")  # fmt: skip
        return start, end, length

    def _options(self) -> tuple[TcpOption, ...] | None:
        if not self._at("<"):
            return ()
        self._take()
        if self._accept("..."):
            self._expect(">")
            return None
        options = [self._tcp_option()]
        while self._accept(","):
            options.append(self._tcp_option())
        self._expect(">")
        return tuple(options)

    def _tcp_option(self) -> TcpOption:
        token = self._peek()
        if token.kind not in ("word", "int"):
            raise self._unexpected("a TCP option such as mss 1000")
        kind = self._take().text
        if kind in _BARE_OPTIONS:
            return TcpOption(kind)
        if kind in _OPTION_NUMBERS:
            return TcpOption(kind, (self._integer(),))
        if kind == "TS":
            self._expect("val")
            value = self._integer()
            self._expect("ecr")
            return TcpOption(kind, (value, self._integer()))
        if kind == "sack":
            return TcpOption(kind, tuple(self._edges()))
        if kind in ("FO", "FOEXP", "md5"):
            cookie = self._take().text if self._peek().kind in ("word", "int", "hex") else ""
            return TcpOption(kind, (cookie,) if cookie else ())
        if kind == "ECN":
            return TcpOption(kind, tuple(self._ecn()))
        raise self._source.error(f"unknown TCP option {kind}", token.start, token.end)

    def _edges(self) -> list[int | str]:
        edges: list[int | str] = []
        while self._peek().kind == "int":
            edges.append(self._integer())
            self._expect(":")
            edges.append(self._integer())
        return edges

    def _ecn(self) -> list[int | str]:
        values: list[int | str] = []
        while self._peek().text in ("e0b", "e1b", "ceb"):
            values.append(self._take().text)
            values.append(self._integer())
        return values

    def _icmp(self, inbound: bool, ip: tuple[str, ...]) -> Packet:
        self._expect("icmp")
        kind = self._word("the type of an ICMP message")
        code = self._take().text if self._peek().kind == "word" and self._peek().text not in ("mtu", "id") else ""
        mtu = self._integer() if self._accept("mtu") else None
        if self._accept("id"):
            self._integer()
        seq = None
        if self._accept("["):
            seq = self._sequence()
            self._expect("]")
        return Packet(inbound, "icmp", seq=seq, ip=ip, icmp=(kind, code, mtu))

    def _word(self, expected: str) -> str:
        if self._peek().kind != "word":
            raise self._unexpected(expected)
        return self._take().text

    # ---- system calls ----

    def _call(self) -> SystemCall:
        until = self._seconds() if self._accept("...") else None
        name = self._word("the name of a system call")
        self._expect("(")
        args = self._list(")")
        self._expect("=")
        result = self._expression()
        errno = ""
        if self._peek().kind == "word" and re.fullmatch(r"E[A-Z0-9]+", self._peek().text):
            errno = self._take().text
        while self._at("("):
            self._note()
        return SystemCall(name, args, result, errno, until)

    def _note(self) -> None:
        """Words in parentheses, which mean nothing."""
        depth = 0
        while True:
            token = self._take()
            depth += {"(": 1, ")": -1}.get(token.text, 0)
            if token.kind == "end":
                raise self._unexpected("a closing )")
            if depth == 0:
                return

    def _list(self, closing: str) -> tuple[Expression, ...]:
        self._nesting += 1
        if self._nesting > _MAX_NESTING:
            raise self._unexpected(f"at most {_MAX_NESTING} levels of brackets")
        items = []
        while not self._at(closing):
            items.append(self._expression())
            if not self._accept(","):
                break
        self._expect(closing)
        self._nesting -= 1
        return tuple(items)

    def _expression(self) -> Expression:
        first = self._operand()
        items = [first]
        while self._accept("|"):
            items.append(self._operand())
        return first if len(items) == 1 else Expression("or", 0, tuple(items))

    def _operand(self) -> Expression:
        token = self._peek()
        if token.kind == "dots":
            self._take()
            return Expression("...")
        if token.kind in ("int", "hex"):
            return Expression("int", self._integer())
        if token.kind == "string":
            data = b""
            while self._peek().kind == "string":
                data += unescape(self._take().text[1:-1])
            return Expression("string", data)
        if token.text in ("[", "{"):
            kind, closing = ("array", "]") if self._take().text == "[" else ("struct", "}")
            return Expression(kind, 0, self._list(closing))
        if token.kind == "word":
            return self._word_or_named()
        raise self._unexpected("a value")

    def _word_or_named(self) -> Expression:
        name = self._take().text
        inner: tuple[Expression, ...] = ()
        if self._accept("("):  # msg_iov(1)=…, htons(80)
            inner = self._list(")")
        if self._accept("="):
            return Expression("named", name, (self._expression(),))
        return Expression("word", name, inner)
