"""Reads packetdrill scripts: timed packets, system calls, shell commands and Python blocks.

``parse(text, filename)`` gives a Script; LangError says where it goes wrong. Times are nanoseconds.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

from kshell.abi.record import Record
from kshell.lang.errors import LangError
from kshell.lang.lexer import Source, unescape

_NS: Final = 1_000_000_000
_MAX_NESTING: Final = 32


class When(Record):
    """When an event is due: relative to the one before, absolute, or any time; until: the end of a range."""

    relative: bool
    any_time: bool
    start: int
    until: int | None = None


class TcpOption(Record):
    """An option of a TCP header: kind as written ("mss", "nop", "sack", "TS", …) and its values."""

    kind: str
    values: tuple[int | str, ...] = ()


class Packet(Record):
    """A packet into (inbound) the stack or out of it.

    seq: start, end and length; None in what is not written: ack, window, urgent, options (an empty tuple means none,
    None for ``<...>`` that anything goes). ip: ECN marks and the like. For ICMP type, code and mtu.
    """

    inbound: bool
    protocol: str  # "tcp", "icmp" or "udp"
    flags: str = ""
    seq: tuple[int, int, int] | None = None
    ack: int | None = None
    window: int | None = None
    urgent: int | None = None
    options: tuple[TcpOption, ...] | None = ()
    ip: tuple[str, ...] = ()
    icmp: tuple[str, str, int | None] | None = None
    ports: tuple[int, int] | None = None


class Expression(Record):
    """A value in a call: kind "...", "int", "word", "string", "or", "array", "struct" or "named"."""

    kind: str
    value: int | str | bytes = 0
    items: tuple["Expression", ...] = ()


class SystemCall(Record):
    """A call; until: it sleeps, and ends at this time after the event's base."""

    name: str
    args: tuple[Expression, ...]
    result: Expression
    errno: str = ""
    until: int | None = None


class Shell(Record):
    """A shell command in backticks."""

    command: str


class Code(Record):
    """A Python block."""

    text: str


Action: TypeAlias = Packet | SystemCall | Shell | Code


class Event(Record):
    """One timed action and the line it stands on."""

    when: When
    action: Action
    line: int


class Script(Record):
    """A whole script."""

    options: Mapping[str, str]
    setup: str | None
    events: tuple[Event, ...]
    cleanup: str | None


_TOKEN: Final = re.compile(
    r"""
    (?P<space>\s++ | //[^\n]*+ | /\*(?:[^*]|\*(?!/))*+\*/ )
  | (?P<option>--[A-Za-z_][\w-]*+)
  | (?P<dots>\.\.\.)
  | (?P<code>%\{(?:[^}]|\}(?!%))*+\}%)
  | (?P<shell>`[^`]*+`)
  | (?P<string>"[^"\\]*+(?:\\.[^"\\]*+)*+")
  | (?P<address>\d++\.\d++\.\d++\.\d++(?:/\d++)?+
      | [0-9a-fA-F]*+::[0-9a-fA-F:.]*+
      | [0-9a-fA-F]{1,4}(?::[0-9a-fA-F]{1,4}){3,7}+ )
  | (?P<float>-?\d*+\.\d++)
  | (?P<hex>0x[0-9a-fA-F]++\b)
  | (?P<int>-?\d++(?!\w))
  | (?P<word>\w++)
  | (?P<op>[-+*~<>\[\](){},:=|.])
    """,
    re.VERBOSE | re.DOTALL,
)  # fmt: skip

_FLAG_LETTERS: Final = frozenset("SFRPUEWA")
_IP_ITEMS: Final = frozenset({"ect0", "ect1", "ect01", "ce", "noecn", "tos", "flowlabel", "ttl"})
_OPTION_NUMBERS: Final = {"mss": 1, "wscale": 1}
_BARE_OPTIONS: Final = frozenset({"nop", "eol", "sackOK"})


class _Token(Record):
    kind: str
    text: str
    start: int
    end: int


def parse(text: str, filename: str = "<script>") -> Script:
    """The script, or LangError at the first thing that is none of the language."""
    return _Parser(Source(text, filename)).script()


class _Parser:
    """Recursive descent over the tokens."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._tokens = list(_tokens(source))
        self._position = 0
        self._nesting = 0

    # ---- tokens ----

    def _peek(self, distance: int = 0) -> _Token:
        return self._tokens[min(self._position + distance, len(self._tokens) - 1)]

    def _take(self) -> _Token:
        token = self._peek()
        self._position += token.kind != "end"
        return token

    def _at(self, text: str) -> bool:
        return self._peek().text == text and self._peek().kind in ("op", "word", "dots")

    def _accept(self, text: str) -> bool:
        if self._at(text):
            self._position += 1
            return True
        return False

    def _expect(self, text: str) -> None:
        if not self._accept(text):
            raise self._unexpected(repr(text))

    def _unexpected(self, expected: str) -> LangError:
        token = self._peek()
        if token.kind == "end":
            return self._source.error("the script ends too early", token.start, token.end, expected=expected)
        return self._source.error(f"unexpected {token.text[:30]!r}", token.start, token.end, expected=expected)

    def _integer(self, expected: str = "a number") -> int:
        if self._peek().kind not in ("int", "hex"):
            raise self._unexpected(expected)
        text = self._peek().text
        octal = text.lstrip("-").startswith("0") and text.lstrip("-").isdecimal()
        try:
            value = int(text, 8 if octal else 0)
        except ValueError:
            raise self._unexpected(expected) from None
        self._take()
        return value

    def _seconds(self) -> int:
        token = self._peek()
        if token.kind not in ("int", "float") or token.text.startswith("-"):
            raise self._unexpected("a time in seconds")
        self._take()
        whole, _, fraction = token.text.partition(".")
        return int(whole or 0) * _NS + int(fraction[:9].ljust(9, "0"))

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


def _tokens(source: Source) -> list[_Token]:
    text, position, tokens = source.text, 0, []
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            shown = text[position] if text[position].isprintable() else f"\\x{ord(text[position]):02x}"
            raise source.error(f"unexpected character {shown}", position, position + 1)
        position = match.end()
        kind = match.lastgroup
        assert kind is not None
        if kind != "space":
            tokens.append(_Token(kind, match[0], match.start(), match.end()))
    tokens.append(_Token("end", "", len(text), len(text)))
    return tokens
