"""Text to tokens, one at a time. Never slower than linear, whatever the input."""

import codecs
import re
from collections.abc import Callable
from itertools import islice
from typing import Final

from kshell.lang.ast import Number, Span, String
from kshell.lang.errors import LangError, Place

#: a number of more digits is an error; 2**64 has 20
_MAX_DIGITS: Final = 40
_MAX_TOKENS: Final = 200_000

#: blanks and comments, then one thing; a number or AT_FDCWD may have what strace -y writes behind a descriptor
_TOKEN: Final = re.compile(
    r"""
    (?: [ \t\r\f\v\n]++ | \#[^\n]*+ | //[^\n]*+ | /\*(?:[^*]|\*(?!/))*+\*/ )*+
  (?:
    (?P<string>@?"[^"\\\n]*+(?:\\.[^"\\\n]*+)*+"(?P<cut>\.\.\.)?)
  | (?P<char>'(?:[^'\\\n]|\\(?:x[0-9a-fA-F]{1,2}|[0-7]{1,3}|.))')
  | (?P<mac>[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){2,31}+\b)
  | (?: (?P<number>(?P<digits>0[xX][0-9a-fA-F]++ | [0-9]++)[uUlL]{0,3}+(?P<junk>\w*+)) | (?P<here>AT_FDCWD)\b )
    (?P<annotation><(?:->|[^<>\n]|<[^<>\n]*+>)*+>(?=[,)\]}\s]|$))?
  | (?P<name>[A-Za-z_$]\w*+)
  | (?P<dots>\.\.\.)
  | (?P<op>=>|->|<<|>>|<=|>=|==|!=|&&|\|\||/(?!\*)|[-+*%&|^~!<>=?:.,;(){}\[\]@])
  | (?P<end>\Z)
  | (?P<fault>.)
  )
    """,
    re.VERBOSE | re.DOTALL,
)

_ESCAPES: Final = {
    "n": b"\n", "t": b"\t", "r": b"\r", "v": b"\v", "f": b"\f", "a": b"\a", "b": b"\b", "e": b"\x1b",
    "\\": b"\\", '"': b'"', "'": b"'", "?": b"?",
}  # fmt: skip
#: strings that Python's own decoder of escapes reads as C does
_COMMON_ESCAPES: Final = re.compile(
    r"""(?:[^\\]++|\\(?:[0-3][0-7]{0,2}+|[4-7][0-7]?+(?![0-7])|[abfnrtv\\"']|x[0-9a-fA-F]{2}))*+""", re.DOTALL
)
_ESCAPE: Final = re.compile(r"\\(x[0-9a-fA-F]{1,2}|[0-7]{1,3}|.)", re.DOTALL)


class Token:
    """kind: "name", "number", "char", "string", "mac", "dots", "op", "annotation", "end"; literal: what is written there."""

    __slots__ = ("end", "kind", "literal", "start", "text")

    def __init__(self, kind: str, text: str, start: int, end: int, literal: Number | String | None = None) -> None:
        self.kind = kind
        self.text = text
        self.start = start
        self.end = end
        self.literal = literal


class Source:
    """A line of text with its place, for tokens and errors."""

    def __init__(self, text: str, filename: str = "<input>", line: int = 1) -> None:
        self.text = text
        self.filename = filename
        self.line = line

    def place(self, start: int, end: int) -> Place:
        """The place of a stretch, counted in lines if the text has more than one."""
        line_start = self.text.rfind("\n", 0, start) + 1
        line_end = self.text.find("\n", start)
        line_text = self.text[line_start : line_end if line_end >= 0 else len(self.text)]
        line = self.line + self.text.count("\n", 0, start)
        return Place(line, start - line_start + 1, max(1, end - start), line_text, self.filename)

    def error(self, message: str, start: int, end: int, *, expected: str = "", nearest: str = "") -> LangError:
        """An error at a stretch of the text."""
        return LangError(message, self.place(start, end), expected=expected, nearest=nearest)


def unescape(body: str) -> bytes:
    """The bytes of a C string's inside; characters beyond ASCII count as UTF-8."""
    if "\\" not in body:
        return body.encode("utf-8", "surrogateescape")
    if _COMMON_ESCAPES.fullmatch(body):
        return codecs.escape_decode(body.encode("utf-8", "surrogateescape"))[0]
    pieces = []
    position = 0
    for match in _ESCAPE.finditer(body):
        pieces.append(body[position : match.start()].encode("utf-8", "surrogateescape"))
        pieces.append(_escape(match[1]))
        position = match.end()
    pieces.append(body[position:].encode("utf-8", "surrogateescape"))
    return b"".join(pieces)


def _escape(code: str) -> bytes:
    if code[0] == "x" and len(code) > 1:
        return bytes([int(code[1:], 16)])
    if code[0] in "01234567":
        return bytes([int(code, 8) & 0xFF])
    return _ESCAPES.get(code) or code.encode("utf-8", "surrogateescape")


def tokens(source: Source, start: int = 0) -> tuple[list[Token], LangError | None]:
    """The tokens from an offset on up to the first thing that is none, and the error there.

    None: there is no such thing, and the last token is of kind "end".
    """
    found: list[Token] = []
    try:
        _find(source, start, found)
    except LangError as error:
        return found, error
    return found, None


def _find(source: Source, start: int, found: list[Token]) -> None:
    for match in islice(_TOKEN.finditer(source.text, start), _MAX_TOKENS):
        kind = match.lastgroup or "end"
        if kind in _PLAIN:
            found.append(Token(kind, match[kind], *match.span(kind)))
        elif kind == "annotation":
            found += (_token(source, match, "number" if match["here"] is None else "here"), _token(source, match, kind))
        elif kind == "fault":
            raise _not_a_token(source, match.start(kind))
        else:
            found.append(_token(source, match, kind))
        if kind == "end":
            return
    raise source.error("line too long", 0, 1, expected=f"at most {_MAX_TOKENS} words")


#: kinds of tokens that are what they look like, as most are
_PLAIN: Final = frozenset({"name", "op", "dots", "end"})


def _token(source: Source, match: re.Match[str], kind: str) -> Token:
    word, span = match[kind], match.span(kind)
    literal = _LITERALS[kind](source, match, word, span) if kind in _LITERALS else None
    return Token("name" if kind == "here" else kind, word, *span, literal)


def _number(source: Source, match: re.Match[str], word: str, span: Span) -> Number:
    digits = match["digits"]
    if match["junk"]:
        raise source.error(f"{short(word)} is not a number", *span)
    if len(digits) > _MAX_DIGITS:
        raise source.error("number too large", *span, expected="at most 64 bits")
    base = 10 if digits[0] != "0" or len(digits) == 1 else 16 if digits[1] in "xX" else 8
    try:
        value = int(digits, base)
    except ValueError:
        raise source.error(f"{digits} is not an octal number", *span) from None
    if value >> 64:
        raise source.error("number too large", *span, expected="at most 64 bits")
    return Number(value, base, span)


def _character(source: Source, match: re.Match[str], word: str, span: Span) -> Number:
    return Number(int.from_bytes(unescape(word[1:-1])[:1], "big"), 10, span)


def _hardware_address(source: Source, match: re.Match[str], word: str, span: Span) -> String:
    return String(bytes.fromhex(word.replace(":", "")), span=span)


def _string(source: Source, match: re.Match[str], word: str, span: Span) -> String:
    cut, abstract = match["cut"] is not None, word[0] == "@"
    return String(unescape(word[1 + abstract : -4 if cut else -1]), cut, abstract, span)


#: what a token of some kinds stands for
_LITERALS: Final[dict[str, Callable[[Source, re.Match[str], str, Span], Number | String]]] = {
    "number": _number,
    "char": _character,
    "mac": _hardware_address,
    "string": _string,
}


def _not_a_token(source: Source, position: int) -> LangError:
    character = source.text[position]
    if character == '"' or source.text.startswith('@"', position):
        return source.error("string without an end", position, position + 1, expected='a closing "')
    if source.text.startswith("/*", position):
        return source.error("comment without an end", position, position + 2, expected="*/")
    if character == "'":
        return source.error("character without an end", position, position + 1, expected="a closing '")
    shown = character if character.isprintable() else f"\\x{ord(character):02x}"
    return source.error(f"unexpected character {shown}", position, position + 1)


def short(text: str) -> str:
    """A word for a message: long ones are cut."""
    return text if len(text) <= 30 else text[:30] + "…"
