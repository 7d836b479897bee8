"""Lines to statements: calls with expectations, assignments, expressions and commands."""

import re
from collections.abc import Collection, Iterator
from typing import Final

from kshell.abi.errno import NUMBERS
from kshell.lang.ast import (
    Apply,
    Assignment,
    Call,
    CallStatement,
    CommandStatement,
    ExpressionStatement,
    Name,
    Node,
    Number,
    Result,
    Statement,
)
from kshell.lang.errors import LangError
from kshell.lang.lexer import Source, Token
from kshell.lang.nearest import nearest
from kshell.lang.parser import Parser

_PREFIX: Final = re.compile(
    r"\s*+(?:@(?P<name>[A-Za-z_]\w*+(?:/(?:[A-Za-z_]\w*+|\d++))?|\d++):?(?=\s|$)|\[pid\s++(?P<pid>\d++)\])"
)
_FIRST_WORD: Final = re.compile(r"\s*+(?P<word>[A-Za-z_$][\w.-]*+|[?!])(?P<gap>\s*+)(?P<next>[^\s]?)")
_WORD: Final = re.compile(r"""\s*+(?:"(?P<dq>[^"\\]*+(?:\\.[^"\\]*+)*+)"|'(?P<sq>[^']*+)'|(?P<bare>[^\s"']++|["']))""")
_ESCAPED: Final = re.compile(r"\\(.)")
_BLANK: Final = re.compile(r"\s*+(?:(?:\#|//).*+)?$", re.DOTALL)
_BRACKETS: Final = re.compile(
    r'"[^"\\\n]*+(?:\\.[^"\\\n]*+)*+"|//.*+|\#.*+|/\*(?:[^*]|\*(?!/))*+\*/|[()\[\]{}]', re.DOTALL
)
_NO_DETAILS: Final[tuple[tuple[str, Node | None], ...]] = ()
_MAX_CONTINUED: Final = 100
#: lines longer than this are looked at by their first part when asked whether they go on
_MAX_SCAN: Final = 1 << 20

#: names that look like calls but are macros or helpers of expressions, so that ``htons(80)`` prints 20480
EXPRESSION_FUNCTIONS: Final = frozenset(
    {
        *("htons", "htonl", "ntohs", "ntohl", "inet_addr", "inet_pton", "makedev", "major", "minor", "sizeof"),
        *("offsetof", "container_of", "SOCKET_I", "SOCK_INODE", "inet_sk", "tcp_sk", "udp_sk", "unix_sk", "raw_sk"),
        *("inet_csk", "WIFEXITED", "WEXITSTATUS", "WIFSIGNALED", "WTERMSIG", "WIFSTOPPED", "WSTOPSIG", "task"),
        *("fd", "len", "file", "sock", "pid"),
    }
)


def parse_line(
    text: str,
    filename: str = "<input>",
    line: int = 1,
    commands: Collection[str] = (),
    calls: Collection[str] | None = None,
) -> Statement | None:
    """The statement of a line, None for a blank line or a comment; LangError with the place where it goes wrong.

    commands: names of commands, which win over expressions; calls: what counts as a system call's name, without
    it every ``name(…)`` that is no macro or helper of expressions does.
    """
    task, start = "", 0
    source = Source(text, filename, line)
    if not text[:1].isalpha():
        if _BLANK.match(text):
            return None
        task, start = _task(text)
        if task and _BLANK.match(text, start):
            raise source.error(
                "the task has nothing to do", 0, max(1, start), expected="a call or a command after the task's name"
            )
    word = _FIRST_WORD.match(text, start)
    if word is not None and _is_command(word, commands):
        statement: Statement = _command(source, word)
    else:
        statement = _StatementParser(source, start, calls).statement()
    statement.stand(task, line, text, (start, len(text)))
    return statement


def parse_script(
    text: str, filename: str = "<input>", commands: Collection[str] = (), calls: Collection[str] | None = None
) -> Iterator[Statement | LangError]:
    """The statements of a script, line by line; a line that means nothing gives its error and the rest goes on.

    A line that ends inside brackets, or in a backslash, goes on in the next.
    """
    for number, line in logical_lines(text):
        try:
            statement = parse_line(line, filename, number, commands, calls)
        except LangError as error:
            yield error
            continue
        if statement is not None:
            yield statement


def logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """The lines of a script with their numbers, continued ones joined (their newlines kept)."""
    lines = text.split("\n")
    open_after = [_open_brackets(line) for line in lines]
    index = 0
    while index < len(lines):
        last = _last_line(lines, open_after, index)
        if last is None:  # never closed: the fault lies in the first line
            last = index
        pieces = [line[:-1] + " " if line.endswith("\\") else line + "\n" for line in lines[index:last]]
        yield index + 1, "".join([*pieces, lines[last]])
        index = last + 1


def _last_line(lines: list[str], open_after: list[int], first: int) -> int | None:
    """The line in which a statement that begins on this one ends; None if its brackets are never closed."""
    depth = 0
    for index in range(first, min(first + _MAX_CONTINUED, len(lines))):
        depth += open_after[index]
        if depth <= 0 and not lines[index].endswith("\\"):
            return index
    return None


def _open_brackets(text: str) -> int:
    """How many more brackets a text opens than it closes."""
    if len(text) > _MAX_SCAN or not any(c in text for c in "()[]{}"):
        return 0
    depth = 0
    for match in _BRACKETS.finditer(text):
        token = match[0]
        if token in "([{":
            depth += 1
        elif token in ")]}":
            depth -= 1
    return depth


def _task(text: str) -> tuple[str, int]:
    match = _PREFIX.match(text)
    if match is None:
        return "", 0
    return match["name"] or match["pid"], match.end()


def _is_command(word: re.Match[str], commands: Collection[str]) -> bool:
    after, gap = word["next"], word["gap"]
    if after in ("(", "=") and word["word"] in commands:
        return bool(gap) and after == "("
    if word["word"] in commands:
        return after not in ("[",) and not (not gap and after in ("-", ".", "<"))
    return word["word"] in "?!" or (bool(gap) and (after.isalnum() or (after in "_/\"'$~@" and after != "")))


def _command(source: Source, match: re.Match[str]) -> CommandStatement:
    first = match["word"]
    rest = source.text[match.end("word") :].strip()
    return CommandStatement((first, *split_words(rest)), rest)


def split_words(text: str) -> list[str]:
    """The words of a command line, quotes taken off; a ``#`` that stands alone begins a comment."""
    words: list[str] = []
    glued = False
    for match in _WORD.finditer(text):
        piece = match["dq"] if match["dq"] is not None else match["sq"] if match["sq"] is not None else match["bare"]
        if match["dq"] is not None:
            piece = _ESCAPED.sub(r"\1", piece)
        if match["bare"] is not None and piece.startswith("#") and match.group(0)[0].isspace():
            break
        glued = bool(words) and not match.group(0)[0].isspace()
        if glued:
            words[-1] += piece
        else:
            words.append(piece)
    return words


class _StatementParser:
    """Reads a call with all that belongs to it, an assignment or an expression."""

    def __init__(self, source: Source, start: int, calls: Collection[str] | None) -> None:
        self._source = source
        self._calls = calls
        self._parser = Parser(source, start)

    def statement(self) -> Statement:
        """The statement up to the end of the text."""
        parser = self._parser
        variable = ""
        if parser.token.kind == "name" and parser.peek(1).text == "=":
            variable = parser.take().text
            parser.take()
        call = self._plain_call()
        if call is not None:
            return self._call(call, variable)
        node = parser.changed()
        if isinstance(node, Apply) and self._is_call(node.function):
            return self._call(node, variable)
        self._end("an operator or the end of the line")
        return Assignment(variable, node) if variable else ExpressionStatement(node)

    def _plain_call(self) -> Apply | None:
        """What most lines are, a call and at most its result; None if it is something else, or goes on."""
        parser = self._parser
        name, bracket = parser.token, parser.peek(1)
        if name.kind != "name" or bracket.text != "(" or bracket.kind != "op" or not self._is_call(name.text):
            return None
        node = parser.call()
        if isinstance(node, Apply) and (parser.at("=") or not self._is_operator()):
            return node
        parser.jump(name.start)
        return None

    def _is_call(self, function: str) -> bool:
        if self._calls is not None:
            return function in self._calls
        return function not in EXPRESSION_FUNCTIONS

    def _call(self, node: Apply, variable: str) -> Statement:
        expected = None
        if self._parser.accept("="):
            expected = self._result()
        elif self._is_operator():
            raise self._parser.unexpected("'=' and a result, or the end of the line")
        else:
            self._end("'=' and a result, or the end of the line")
        return CallStatement(Call(node.function, node.args, node.span), variable, expected)

    def _is_operator(self) -> bool:
        token = self._parser.token
        return token.kind == "op" and token.text != ";"

    def _result(self) -> Result:
        result = read_result(self._parser, self._source)
        if result.errno and result.errno not in NUMBERS and not result.errno.startswith("ERESTART"):
            start = self._source.text.find(result.errno, result.span[0])
            raise self._source.error(f"unknown error {result.errno}", start, start + len(result.errno),
                                     nearest=nearest(result.errno, NUMBERS))  # fmt: skip
        return result

    def _end(self, expected: str) -> None:
        self._parser.accept(";")
        if self._parser.token.kind != "end":
            raise self._parser.unexpected(expected)


def read_result(parser: Parser, source: Source) -> Result:
    """What stands behind a call's ``=`` up to the end of the line."""
    start = parser.token.start
    value, annotation = _result_value(parser)
    errno = _result_errno(parser, value)
    if value == -1 and errno == "":
        parser.accept(";")
    if errno and value is None and not _is_question(source, start):
        value = -1
    text, details = "", _NO_DETAILS
    if parser.at("("):
        text, details = _result_details(parser, source, bool(errno))
    parser.accept(";")
    if parser.token.kind != "end":
        raise parser.unexpected("the end of the line")
    return Result(value, errno, details, text, annotation, (start, parser.last_end))


def _is_question(source: Source, start: int) -> bool:
    return source.text.startswith("?", start)


def _result_value(parser: Parser) -> tuple[int | None, str]:
    token = parser.token
    if token.kind == "op" and token.text == "?":
        parser.take()
        _skip_unavailable(parser)
        return None, ""
    if token.kind == "name" or (token.text == "-" and parser.peek(1).kind == "name"):
        parser.accept("-")
        return None, ""
    negative = parser.accept("-")
    if parser.token.kind != "number":
        raise parser.unexpected("a number, an errno's name or ?")
    literal = parser.take().literal
    assert isinstance(literal, Number)
    number = literal.value
    annotation = ""
    if parser.token.kind == "annotation":
        annotation = parser.take().text[1:-1]
    return -number if negative else number, annotation


def _skip_unavailable(parser: Parser) -> None:
    """strace's ``<unavailable>`` behind ``?``."""
    if parser.at("<") and parser.peek(1).text == "unavailable":
        for _ in range(3):
            parser.take()


def _result_errno(parser: Parser, value: int | None) -> str:
    token = parser.token
    if token.kind != "name":
        return ""
    if not (token.text.startswith("E") and token.text.isupper()) and not token.text.startswith("ERRNO_"):
        raise parser.unexpected("an errno's name such as EBADF")
    if value is not None and value != -1:
        raise parser.unexpected("the end of the line, since only -1 has an errno")
    return parser.take().text


def _result_details(
    parser: Parser, source: Source, is_error: bool
) -> tuple[str, tuple[tuple[str, Node | None], ...]]:
    """The parentheses behind a result: an error's text, or what a successful call gave back."""
    opener = parser.token
    end = source.text.rfind(")", opener.end)
    text = source.text[opener.end : end] if end >= 0 else source.text[opener.end :]
    details: tuple[tuple[str, Node | None], ...] = ()
    if not is_error:
        details = _labelled(text, source)
    _skip_to(parser, end)
    return text, details


def _skip_to(parser: Parser, end: int) -> None:
    """Moves behind the closing parenthesis; what lies between may be any text."""
    if end < 0:
        raise parser.unexpected("a closing )")
    parser.jump(end + 1)


def _labelled(text: str, source: Source) -> tuple[tuple[str, Node | None], ...]:
    """``in [3], left {…}`` as labels with values; text that is none of these is one label without a value."""
    details: list[tuple[str, Node | None]] = []
    try:
        inner = Parser(Source(text, source.filename, source.line))
        while inner.token.kind != "end":
            details.append(_label(inner))
            if not inner.accept(","):
                break
        if inner.token.kind != "end":
            return ((text, None),)
    except LangError:
        return ((text, None),)
    return tuple(details)


def _label(parser: Parser) -> tuple[str, Node | None]:
    first, second = parser.token, parser.peek(1)
    if first.kind == "name" and _begins_value(second):
        parser.take()
        return first.text, parser.changed()
    node = parser.changed()
    if isinstance(node, Name) and not node.name.isupper():
        return node.name, None
    return "", node


def _begins_value(token: Token) -> bool:
    return token.kind in ("name", "number", "string", "mac") or (token.kind == "op" and token.text in ("[", "{"))
