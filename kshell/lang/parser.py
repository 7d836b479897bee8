"""Expressions and values of arguments: tokens to nodes. C's operators and precedences, strace's notations.

Bounded on every input: at most 64 nested brackets, trees at most 200 high, 200 000 tokens.
"""

from typing import Final

from kshell.lang.ast import (
    Annotated,
    Apply,
    Array,
    Binary,
    Cast,
    Change,
    Dots,
    Index,
    Member,
    Name,
    Named,
    Node,
    Number,
    Struct,
    Ternary,
    TypeName,
    Unary,
    Unknown,
)
from kshell.lang.errors import LangError
from kshell.lang.lexer import Source, Token, tokens

_MAX_NESTING: Final = 64
_MAX_HEIGHT: Final = 200

_PRECEDENCE: Final = {
    "or": 1, "||": 2, "&&": 3, "|": 4, "^": 5, "&": 6, "==": 7, "!=": 7, "<": 8, ">": 8, "<=": 8, ">=": 8,
    "<<": 9, ">>": 9, "+": 10, "-": 10, "*": 11, "/": 11, "%": 11,
}  # fmt: skip
_UNARY: Final = frozenset("-+!~&*")
_TYPE_WORDS: Final = frozenset(
    {
        *("struct", "union", "enum", "void", "char", "short", "int", "long", "unsigned", "signed", "const", "volatile"),
        *("float", "double", "bool", "size_t", "ssize_t", "socklen_t", "pid_t", "uid_t", "gid_t", "off_t", "mode_t"),
        *("sa_family_t", "in_addr_t", "in_port_t", "u8", "u16", "u32", "u64", "s8", "s16", "s32", "s64", "__u8"),
        *("__u16", "__u32", "__u64", "__be16", "__be32", "uint8_t", "uint16_t", "uint32_t", "uint64_t", "int8_t"),
        *("int16_t", "int32_t", "int64_t", "uintptr_t", "intptr_t"),
    }
)
_SIMPLE: Final = frozenset({"name", "number", "string", "mac"})
_ENDS: Final = frozenset({",", ")", "]", "}"})
_CLOSING: Final = {"(": ")", "[": "]", "{": "}"}


class Parser:
    """A recursive-descent parser over one source; each method reads what its name says and moves on."""

    def __init__(self, source: Source, start: int = 0, empty_fields: bool = False) -> None:
        self.source = source
        self._empty_fields = empty_fields  # strace shows a set of flags that is empty as nothing
        self._nesting = 0
        self._height = 0
        self.jump(start)

    # ---- tokens ----

    def jump(self, offset: int) -> None:
        """Goes on reading at an offset of the text."""
        self._tokens, self._fault = tokens(self.source, offset)
        self._at = 0
        self._last_end = offset
        self.token = self.peek(0)
        """The next token."""

    def peek(self, distance: int) -> Token:
        """The token that far behind the next one, without taking any; behind the end is the end."""
        at = self._at + distance
        if at < len(self._tokens):
            return self._tokens[at]
        if self._fault is not None:
            raise self._fault
        return self._tokens[-1]

    def take(self) -> Token:
        """The next token."""
        token = self.token
        self._last_end = token.end
        self._at += 1
        self.token = self._tokens[self._at] if self._at < len(self._tokens) else self.peek(0)
        return token

    @property
    def last_end(self) -> int:
        """Where the token taken last ends."""
        return self._last_end

    def at(self, text: str) -> bool:
        """Whether the next token is this operator."""
        return self.token.text == text and self.token.kind == "op"

    def accept(self, text: str) -> bool:
        """Takes the next token if it is this operator."""
        if self.token.text != text or self.token.kind != "op":
            return False
        self.take()
        return True

    def expect(self, text: str, opened: Token | None = None) -> Token:
        """Takes this operator or fails; opened is the bracket that it closes."""
        if self.at(text):
            return self.take()
        token = self.token
        if token.kind == "end" and opened is not None:
            raise self.source.error(
                f"{opened.text} without an end", opened.start, opened.end, expected=f"a closing {text}"
            )
        raise self.unexpected(f"{text!r}" if not opened else f"{text!r} or ','")

    def unexpected(self, expected: str) -> LangError:
        """The error that the next token is not what was expected."""
        token = self.token
        if token.kind == "end":
            return self.source.error("the line ends too early", token.start, token.end, expected=expected)
        shown = token.text if len(token.text) <= 30 else token.text[:30] + "…"
        return self.source.error(f"unexpected {shown!r}", token.start, token.end, expected=expected)

    # ---- heights and nesting ----

    def _grow(self, height: int, start: int) -> None:
        self._height = height + 1
        if self._height > _MAX_HEIGHT:
            raise self.source.error(
                "expression too long", start, start + 1, expected=f"at most {_MAX_HEIGHT} operators"
            )

    def _items(self) -> tuple[Token, list[Node], bool]:
        """An opening bracket, what stands up to the closing one, commas between, and whether blanks stood for commas,
        as in strace's sets. The height is the highest item's and one more."""
        opener = self.take()
        self._nest(opener)
        closing, items, highest, spaced = _CLOSING[opener.text], list[Node](), 0, False
        while self.token.text != closing:
            node = self.argument()
            items.append(node)
            if self._height > highest:
                highest = self._height
            if not self.accept(","):
                if closing != "]" or not self._goes_on(node):
                    break
                spaced = True
        self.expect(closing, opener)
        self._nesting -= 1
        self._grow(highest, opener.start)
        return opener, items, spaced

    def _goes_on(self, node: Node) -> bool:
        """Whether another item of a set follows this one behind a blank."""
        return isinstance(node, Name | Number | Annotated) and self.token.kind in ("name", "number")

    # ---- values ----

    def argument(self) -> Node:
        """A value as it stands between commas: ``name=value``, ``.name = value``, ``a => b``, a type, an expression."""
        token = self.token
        if token.kind in _SIMPLE and self._is_alone(token):
            self.take()
            self._height = 1
            return token.literal or Name(token.text, (token.start, token.end))
        if token.kind == "op" and token.text == "." and self.peek(1).kind == "name":
            self.take()
            token = self.token
        if token.kind == "name" and self.peek(1).text == "=" and self.peek(1).kind == "op":
            self.take()
            self.take()
            value = self._field_value()
            self._grow(self._height, token.start)
            return Named(token.text, value, (token.start, self._last_end))
        node = self.changed()
        if isinstance(node, Array) and self.accept("="):  # [index] = value
            name = self.source.text[node.span[0] : node.span[1]]
            value = self.changed()
            self._grow(self._height, token.start)
            return Named(name, value, (token.start, self._last_end))
        return node

    def _field_value(self) -> Node:
        if self._empty_fields and self.token.text in (",", "}") and self.token.kind == "op":
            self._height = 1
            return Number(0, 10, (self._last_end, self._last_end))
        return self.changed()

    def _is_alone(self, token: Token) -> bool:
        """Whether a name, number or string is an argument by itself, as most are: nothing more belongs to it."""
        after = self.peek(1)
        return after.text in _ENDS and after.kind == "op" and token.text not in _TYPE_WORDS and token.text != "sizeof"

    def changed(self) -> Node:
        """An expression, or ``before => after``."""
        start = self.token.start
        before = self.expression()
        if not self.at("=>"):
            return before
        height = self._height
        self._nest(self.take())
        after = self.argument()
        self._nesting -= 1
        self._grow(max(height, self._height), start)
        return Change(before, after, (start, self._last_end))

    def expression(self) -> Node:
        """An expression with C's ternary operator."""
        if self._at_type():
            return self._type()
        start = self.token.start
        condition = self._binary(1)
        if not self.at("?"):
            return condition
        height = self._height
        self._nest(self.take())
        then = self.expression()
        height = max(height, self._height)
        self.expect(":")
        otherwise = self.expression()
        self._nesting -= 1
        self._grow(max(height, self._height), start)
        return Ternary(condition, then, otherwise, (start, self._last_end))

    def _binary(self, minimum: int) -> Node:
        start = self.token.start
        left = self._unary()
        while True:
            token = self.token
            precedence = _PRECEDENCE.get(token.text, 0) if token.kind == "op" or token.text == "or" else 0
            if precedence < minimum or (token.text == "or" and self.peek(1).kind != "name"):
                return left
            height = self._height
            self.take()
            right = self._binary(precedence + 1)
            self._grow(max(height, self._height), start)
            left = Binary(token.text, left, right, (start, self._last_end))

    def _unary(self) -> Node:
        operators = []
        while self.token.kind == "op" and self.token.text in _UNARY:
            operators.append(self.take())
            if len(operators) > _MAX_HEIGHT:
                self._grow(len(operators), operators[0].start)
        cast = self._cast()
        node = cast if cast is not None else self._postfix()
        for token in reversed(operators):
            if token.text == "-" and isinstance(node, Number) and node.value > 0:
                node = Number(-node.value, node.base, (token.start, self._last_end))
                continue
            self._grow(self._height, token.start)
            node = Unary(token.text, node, (token.start, self._last_end))
        return node

    def _postfix(self) -> Node:
        start = self.token.start
        node = self._primary()
        while True:
            token = self.token
            if token.kind == "annotation":
                self.take()
                node = Annotated(node, token.text[1:-1], (start, token.end))
            elif token.kind == "op" and token.text in ("->", "."):
                self.take()
                if self.token.kind != "name":
                    raise self.unexpected("the name of a field")
                node = Member(node, self.take().text, token.text == "->", (start, self._last_end))
            elif token.text == "[" and token.kind == "op" and isinstance(node, Name | Member | Index | Apply | Unary):
                node = self._index(node, start)
                continue
            else:
                return node
            self._grow(self._height, start)

    def _index(self, node: Node, start: int) -> Node:
        height = self._height
        opener = self.take()
        self._nest(opener)
        index = self.expression()
        self.expect("]", opener)
        self._nesting -= 1
        self._grow(max(height, self._height), start)
        return Index(node, index, (start, self._last_end))

    def _nest(self, opener: Token) -> None:
        self._nesting += 1
        if self._nesting > _MAX_NESTING:
            raise self.source.error(
                "brackets nested too deeply", opener.start, opener.end, expected=f"at most {_MAX_NESTING} levels"
            )

    def _primary(self) -> Node:
        token = self.token
        self._height = 1
        if token.kind == "name":
            return self._name()
        simple = _simple(token)
        if simple is not None:
            self.take()
            return simple
        if token.kind == "op" and token.text in _BRACKETED:
            return _BRACKETED[token.text](self)
        raise self.unexpected("a value")

    def call(self) -> Node:
        """A name, and its arguments if there are brackets behind it."""
        self._height = 1
        return self._name()

    def _name(self) -> Node:
        token = self.take()
        if token.text == "sizeof" and not self.at("("):
            self._nest(token)
            operand = self._unary()
            self._nesting -= 1
            return Apply("sizeof", (operand,), (token.start, self._last_end))
        if not self.at("("):
            return Name(token.text, (token.start, token.end))
        _, args, _ = self._items()
        return Apply(token.text, tuple(args), (token.start, self._last_end))

    def _parenthesis(self) -> Node:
        opener = self.take()
        self._nest(opener)
        inner = self.expression()
        self.expect(")", opener)
        self._nesting -= 1
        return inner

    def _braces(self) -> Node:
        opener, items, _ = self._items()
        truncated = bool(items) and isinstance(items[-1], Dots)
        return Struct(tuple(items[:-1] if truncated else items), truncated, (opener.start, self._last_end))

    def _square(self) -> Node:
        opener, items, spaced = self._items()
        truncated = bool(items) and isinstance(items[-1], Dots)
        return Array(tuple(items[:-1] if truncated else items), truncated, spaced, (opener.start, self._last_end))

    # ---- types ----

    def _at_type(self, distance: int = 0) -> bool:
        token, after = self.peek(distance), self.peek(distance + 1)
        if token.kind != "name" or token.text not in _TYPE_WORDS:
            return False
        return after.kind in ("name", "end") or after.text in ("*", ")", ",")

    def _type(self) -> Node:
        start = self.token.start
        return TypeName(self._type_text(), (start, self._last_end))

    def _type_text(self) -> str:
        words = []
        while self.token.kind == "name":
            words.append(self.take().text)
            if len(words) > 8:
                raise self.unexpected("a type")
        stars = ""
        while self.accept("*"):
            stars += "*"
            if len(stars) > 8:
                raise self.unexpected("a type")
        return " ".join(words) + (f" {stars}" if stars else "")

    def _cast(self) -> Node | None:
        if not (self.at("(") and self._at_type(1)):
            return None
        opener = self.take()
        self._nest(opener)
        ctype = self._type_text()
        self.expect(")", opener)
        operand = self._braces() if self.at("{") else self._unary()
        self._nesting -= 1
        self._grow(self._height, opener.start)
        return Cast(ctype, operand, (opener.start, self._last_end))


_BRACKETED: Final = {"(": Parser._parenthesis, "{": Parser._braces, "[": Parser._square}


def _simple(token: Token) -> Node | None:
    """What a token stands for that is a value by itself, and no name."""
    if token.kind == "dots":
        return Dots((token.start, token.end))
    if token.kind == "op" and token.text == "?":
        return Unknown((token.start, token.end))
    return token.literal


def parse_expression(text: str, filename: str = "<input>", line: int = 1) -> Node:
    """One expression that takes up the whole text."""
    parser = Parser(Source(text, filename, line))
    node = parser.changed()
    if parser.token.kind != "end":
        raise parser.unexpected("an operator or the end of the line")
    return node
