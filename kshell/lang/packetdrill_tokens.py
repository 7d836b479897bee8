"""The tokens of packetdrill scripts, and what every part of a parser asks of them."""

import re
from typing import Final

from kshell.abi.record import Record
from kshell.lang.errors import LangError
from kshell.lang.lexer import Source

_NS: Final = 1_000_000_000

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


class _Token(Record):
    kind: str
    text: str
    start: int
    end: int


class Tokens:
    """A script's tokens from the first to the last."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._tokens = list(_tokens(source))
        self._position = 0

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
