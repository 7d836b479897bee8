"""Text to tokens, one at a time. Never slower than linear, whatever the input."""

import codecs
import re
from collections.abc import Iterator
from typing import Final

from kshell.lang.errors import LangError, Place

#: a number of more digits is an error; 2**64 has 20
_MAX_DIGITS: Final = 40

_BLANKS: Final = r"(?:[ \t\r\f\v\n]++|\#[^\n]*+|//[^\n]*+|/\*(?:[^*]|\*(?!/))*+\*/)*+"
_BLANK: Final = re.compile(_BLANKS)
_TOKEN: Final = re.compile(
    _BLANKS
    + r"""
  (?:
    (?P<string>@?"[^"\\\n]*+(?:\\.[^"\\\n]*+)*+"(?P<cut>\.\.\.)?)
  | (?P<char>'(?:[^'\\\n]|\\(?:x[0-9a-fA-F]{1,2}|[0-7]{1,3}|.))')
  | (?P<mac>[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){2,31}+\b)
  | (?P<number>0[xX][0-9a-fA-F]++ | [0-9]++)(?P<suffix>[uUlL]{0,3}+)(?P<junk>\w*+)
  | (?P<name>[A-Za-z_$]\w*+)
  | (?P<dots>\.\.\.)
  | (?P<op>=>|->|<<|>>|<=|>=|==|!=|&&|\|\||/(?!\*)|[-+*%&|^~!<>=?:.,;(){}\[\]@])
  | (?P<end>\Z)
  )
    """,
    re.VERBOSE | re.DOTALL,
)

#: what strace -y writes behind a descriptor
_ANNOTATION: Final = re.compile(r"<(?:->|[^<>\n]|<[^<>\n]*+>)*+>(?=[,)\]}\s]|$)")

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
    """kind: "name", "number", "string", "char", "dots", "op", "annotation", "end"; number, data: of a literal."""

    __slots__ = ("cut", "data", "end", "kind", "number", "start", "text")

    def __init__(
        self, kind: str, text: str, start: int, end: int, number: int = 0, data: bytes = b"", cut: bool = False
    ) -> None:
        self.kind = kind
        self.text = text
        self.start = start
        self.end = end
        self.number = number
        self.data = data
        self.cut = cut


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


def tokens(source: Source, start: int = 0) -> Iterator[Token]:
    """The tokens from an offset on, then one of kind "end"; LangError at the first thing that is none."""
    text, position = source.text, start
    while (match := _TOKEN.match(text, position)) is not None:
        kind = match.lastgroup or "end"
        position = match.end()
        if kind in _PLAIN:
            token = Token(kind, match[kind], match.start(kind), position)
        else:
            token = _literal(source, match, kind)
        yield token
        if kind == "end":
            return
        if text.startswith("<", position) and _may_be_annotated(token):
            annotation = _ANNOTATION.match(text, position)
            if annotation:
                yield Token("annotation", annotation[0], position, annotation.end())
                position = annotation.end()
    blank = _BLANK.match(text, position)
    raise _not_a_token(source, blank.end() if blank is not None else position)


#: kinds of tokens that are what they look like
_PLAIN: Final = frozenset({"name", "op", "dots", "end"})


def _may_be_annotated(token: Token) -> bool:
    return token.kind == "number" or token.text == "AT_FDCWD"


def _literal(source: Source, match: re.Match[str], kind: str) -> Token:
    end = match.end()
    if kind == "junk":
        start = match.start("number")
        return Token("number", source.text[start:end], start, end, number=_number(source, match))
    text, start = match[kind], match.start(kind)
    if kind == "char":
        return Token("char", text, start, end, number=int.from_bytes(unescape(text[1:-1])[:1], "big"))
    if kind == "mac":
        return Token("string", text, start, end, data=bytes.fromhex(text.replace(":", "")))
    cut = match["cut"] is not None
    body = text[text.index('"') + 1 : -4 if cut else -1]
    return Token("string", text, start, end, data=unescape(body), cut=cut)


def _number(source: Source, match: re.Match[str]) -> int:
    digits, start, end = match["number"], match.start("number"), match.end()
    if match["junk"]:
        raise source.error(f"{short(source.text[start:end])} is not a number", start, end)
    if len(digits) > _MAX_DIGITS:
        raise source.error("number too large", start, end, expected="at most 64 bits")
    octal = len(digits) > 1 and digits[0] == "0" and digits[1] not in "xX"
    try:
        value = int(digits, 8 if octal else 0)
    except ValueError:
        raise source.error(f"{digits} is not an octal number", start, end) from None
    if value >> 64:
        raise source.error("number too large", start, end, expected="at most 64 bits")
    return value


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
