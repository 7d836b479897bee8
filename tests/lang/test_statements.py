"""Lines: calls with expectations, assignments, expressions, commands."""

import pytest

from kshell.lang.ast import Assignment, CallStatement, CommandStatement, ExpressionStatement, Name, Result
from kshell.lang.errors import LangError
from kshell.lang.statements import logical_lines, parse_line, parse_script, split_words

COMMANDS = frozenset({"show", "ps", "sleep", "wait", "print", "ls", "assert", "cat"})


def call(text: str) -> CallStatement:
    statement = parse_line(text, commands=COMMANDS)
    assert isinstance(statement, CallStatement)
    return statement


@pytest.mark.parametrize("text", ["", "   ", "# remark", "  // remark", "\t"])
def test_blank_lines_and_comments_are_nothing(text: str) -> None:
    assert parse_line(text) is None


@pytest.mark.parametrize(
    ("text", "task", "variable", "name", "count"),
    [
        ("close(3)", "", "", "close", 1),
        ("close(3);", "", "", "close", 1),
        ("fd = socket(AF_INET, SOCK_STREAM, 0)", "", "fd", "socket", 3),
        ("@server accept(3, NULL, NULL)", "server", "", "accept", 3),
        ("@server: getpid()", "server", "", "getpid", 0),
        ("@7 getpid()", "7", "", "getpid", 0),
        ("[pid 12] fd = dup(3)", "12", "fd", "dup", 1),
        ("getpid() # remark", "", "", "getpid", 0),
    ],
)
def test_calls(text: str, task: str, variable: str, name: str, count: int) -> None:
    statement = call(text)
    assert (statement.task, statement.variable, statement.call.name) == (task, variable, name)
    assert len(statement.call.args) == count


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("= 3", Result(3)),
        ("= -1 EBADF", Result(-1, "EBADF")),
        ("= -1 EBADF (Bad file descriptor)", Result(-1, "EBADF", (), "Bad file descriptor")),
        ("= EBADF", Result(-1, "EBADF")),
        ("= -EBADF", Result(-1, "EBADF")),
        ("= ?", Result(None)),
        ("= ? ERESTARTSYS (To be restarted)", Result(None, "ERESTARTSYS", (), "To be restarted")),
        ("= 0x802", Result(0x802)),
        ("= 4<socket:[5]>", Result(4, annotation="socket:[5]")),
    ],
)
def test_expectations(text: str, result: Result) -> None:
    assert call(f"x() {text}").expected == result


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("= 0 (Timeout)", ["Timeout"]),
        ("= 1 ([{fd=0, revents=POLLIN}])", [""]),
        ("= 1 (in [3], left {tv_sec=0, tv_usec=9})", ["in", "left"]),
        ("= 2 (in [3], out [4 5])", ["in", "out"]),
        ("= 0x802 (flags O_RDWR|O_NONBLOCK)", ["flags"]),
        ("= 1 (something, quite) else)", ["something, quite) else"]),
    ],
)
def test_details_of_results(text: str, labels: list[str]) -> None:
    expected = call(f"x() {text}").expected
    assert expected is not None
    assert [label for label, _ in expected.details] == labels


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("current->files", ExpressionStatement),
        ("fd", ExpressionStatement),
        ("fd + 1", ExpressionStatement),
        ("sizeof(struct sock)", ExpressionStatement),
        ("SOCKET_I(inode)->sk", ExpressionStatement),
        ("htons(80)", ExpressionStatement),
        ("x = 5", Assignment),
        ('buf = "abc"', Assignment),
        ("show fd 3", CommandStatement),
        ("ps", CommandStatement),
        ("sleep 2s", CommandStatement),
        ("ls -l /tmp", CommandStatement),
        ("assert fd == 3", CommandStatement),
        ("print (fd)", CommandStatement),
        ("frobnicate now", CommandStatement),
        ("cat /proc/net/tcp", CommandStatement),
        ("?", CommandStatement),
        ("wait = 3", Assignment),
        ("print(3)", CallStatement),
    ],
)
def test_kinds_of_statements(text: str, kind: type) -> None:
    assert isinstance(parse_line(text, commands=COMMANDS), kind)


def test_a_command_keeps_its_words_and_its_text() -> None:
    statement = parse_line("@a print  fd->x, \"b c\" # rest", commands=COMMANDS)
    assert isinstance(statement, CommandStatement)
    assert statement.words == ("print", "fd->x,", "b c")
    assert statement.rest == 'fd->x, "b c" # rest'
    assert statement.task == "a"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a  b", ["a", "b"]),
        ("'a b' c", ["a b", "c"]),
        ('x"y z"w', ["xy zw"]),
        ('"a\\"b"', ['a"b']),
        ("a #b c", ["a"]),
        ("a#b", ["a#b"]),
        ('a "b', ["a", '"b']),
        ("", []),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    assert split_words(text) == words


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("close(3) close(4)", 10, "unexpected 'close'"),
        ("close(3) == 3", 13, ""),
        ("close(3) = ", 12, "the line ends too early"),
        ("close(3) = banana", 12, "unexpected 'banana'"),
        ("close(3) = 3 EBADF", 14, "unexpected 'EBADF'"),
        ("close(3) = -1 EBADF (text", 21, "unexpected '('"),
        ("@server", 1, "the task has nothing to do"),
        ("x = ", 5, "the line ends too early"),
    ],
)
def test_errors(text: str, column: int, message: str) -> None:
    if not message:
        assert parse_line(text) is not None  # a comparison is an expression
        return
    with pytest.raises(LangError) as caught:
        parse_line(text)
    assert (caught.value.place.column, caught.value.message) == (column, message)


def test_scripts_go_on_after_an_error() -> None:
    text = "close(3)\nclose(\n\nfd = dup(1)\n"
    results = list(parse_script(text, "x.ks"))
    assert [type(r).__name__ for r in results] == ["CallStatement", "LangError", "CallStatement"]
    error = results[1]
    assert isinstance(error, LangError)
    assert (error.place.line, error.place.filename) == (2, "x.ks")


def test_lines_go_on_inside_brackets_and_after_a_backslash() -> None:
    text = 'bind(3, {AF_INET,\n  80},\n 16)\nclose \\\n (3)\nwrite(1, "(", 1)'
    assert [number for number, _ in logical_lines(text)] == [1, 4, 6]
    (bind, close, write) = parse_script(text)
    assert isinstance(bind, CallStatement)
    assert isinstance(close, CallStatement)
    assert isinstance(write, CallStatement)
    assert len(bind.call.args) == 3


def test_names_of_variables_are_kept() -> None:
    statement = parse_line("x = y")
    assert isinstance(statement, Assignment)
    assert (statement.variable, statement.value) == ("x", Name("y"))
