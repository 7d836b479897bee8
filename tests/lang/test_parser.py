"""Expressions and values of arguments."""

import pytest

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
    String,
    Struct,
    Ternary,
    TypeName,
    Unary,
)
from kshell.lang.errors import LangError
from kshell.lang.parser import parse_expression

A, B, C = Name("a"), Name("b"), Name("c")


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ("3", Number(3)),
        ("-3", Number(-3)),
        ("0x1F", Number(31, 16)),
        ("0644", Number(0o644, 8)),
        ("10UL", Number(10)),
        ("18446744073709551615", Number(2**64 - 1)),
        ("'a'", Number(97)),
        (r"'\n'", Number(10)),
        (r"'\0'", Number(0)),
        (r'"a\n\0\x41\101\"\\"', String(b'a\n\0AA"\\')),
        ('"ab"...', String(b"ab", truncated=True)),
        ('@"ab"', String(b"ab", abstract=True)),
        ('"é"', String("é".encode())),
        ("02:00:00:00:00:01", String(b"\2\0\0\0\0\1")),
        ("...", Dots()),
        ("a|b|c", Binary("|", Binary("|", A, B), C)),
        ("a + b * c", Binary("+", A, Binary("*", B, C))),
        ("a == b && !c", Binary("&&", Binary("==", A, B), Unary("!", C))),
        ("(a + b) << 2", Binary("<<", Binary("+", A, B), Number(2))),
        ("a ? b : c", Ternary(A, B, C)),
        ("~a", Unary("~", A)),
        ("a->b.c", Member(Member(A, "b", True), "c", False)),
        ("a[3]->b", Member(Index(A, Number(3)), "b", True)),
        ("*a", Unary("*", A)),
        ("(struct sock *)a", Cast("struct sock *", A)),
        ("((struct sock *)a)->b", Member(Cast("struct sock *", A), "b", True)),
        ("(unsigned int)-1", Cast("unsigned int", Number(-1))),
        ("sizeof(struct sock)", Apply("sizeof", (TypeName("struct sock"),))),
        ("container_of(a, struct x, b)", Apply("container_of", (A, TypeName("struct x"), B))),
        ("htons(80)", Apply("htons", (Number(80),))),
        ("{a, .b = 1, c=2}", Struct((A, Named("b", Number(1)), Named("c", Number(2))))),
        ("{a, ...}", Struct((A,), truncated=True)),
        ("{}", Struct(())),
        ("[3 4]", Array((Number(3), Number(4)), spaced=True)),
        ("[INT TERM]", Array((Name("INT"), Name("TERM")), spaced=True)),
        ("~[KILL]", Unary("~", Array((Name("KILL"),)))),
        ("[]", Array(())),
        ("[128 => 16]", Array((Change(Number(128), Number(16)),))),
        ("[[0]=1]", Array((Named("[0]", Number(1)),))),
        ("3<socket:[12]>", Annotated(Number(3), "socket:[12]")),
        ("AT_FDCWD</root>", Annotated(Name("AT_FDCWD"), "/root")),
        ("3</a b>", Annotated(Number(3), "/a b")),
        ("3<TCP:[1.1.1.1:1->2.2.2.2:2]>", Annotated(Number(3), "TCP:[1.1.1.1:1->2.2.2.2:2]")),
        ("a < b", Binary("<", A, B)),
        ("3<4", Binary("<", Number(3), Number(4))),
        ("TCGETS or X", Binary("or", Name("TCGETS"), Name("X"))),
        ("0x5 /* SIG_??? */", Number(5, 16)),
        ("a // rest", A),
        ("a # rest", A),
    ],
)
def test_nodes(text: str, node: Node) -> None:
    assert parse_expression(text) == node


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("", 1, "the line ends too early"),
        ("a +", 4, "the line ends too early"),
        ("(a", 1, "( without an end"),
        ("{a, b", 1, "{ without an end"),
        ("a ]", 3, "unexpected ']'"),
        ("a b", 3, "unexpected 'b'"),
        ('"abc', 1, "string without an end"),
        ("/* abc", 1, "comment without an end"),
        ("12ab", 1, "12ab is not a number"),
        ("089", 1, "089 is not an octal number"),
        ("99999999999999999999", 1, "number too large"),
        ("a->3", 4, "unexpected '3'"),
        ("a ? b", 6, "the line ends too early"),
        ("a \x01", 3, "unexpected character \\x01"),
        ("{a b}", 4, "unexpected 'b'"),
    ],
)
def test_errors_point_at_what_is_wrong(text: str, column: int, message: str) -> None:
    with pytest.raises(LangError) as caught:
        parse_expression(text)
    assert (caught.value.place.column, caught.value.message) == (column, message)


def test_spans_cover_the_text_of_a_node() -> None:
    text = "  f(a, {b=1}) + 2"
    node = parse_expression(text)
    assert isinstance(node, Binary)
    assert text[slice(*node.span)] == "f(a, {b=1}) + 2"
    assert text[slice(*node.left.span)] == "f(a, {b=1})"


def test_an_error_shows_the_line_with_a_caret() -> None:
    with pytest.raises(LangError) as caught:
        parse_expression("close(3", "x.ks", 7)
    assert caught.value.render() == "x.ks:7:6: ( without an end; expected a closing )\n  close(3\n       ^"


def test_a_long_line_is_shown_around_the_error() -> None:
    with pytest.raises(LangError) as caught:
        parse_expression("1+" * 50 + "]" + "+1" * 200)
    _, line, caret = caught.value.render().split("\n")
    assert len(line) < 110
    assert line[caret.index("^")] == "]"
