"""Completion is a pure function of text, cursor and state; signatures mark the argument at the cursor."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kshell.session.session import Session
from kshell.shell.completion import MOST, complete, signature, split_arguments
from kshell.shell.state import SessionState


class Fake:
    """A session with one listening socket and a variable."""

    def calls(self) -> Iterable[str]:
        return ["bind", "close", "open", "socket", "socketpair", "shutdown"]

    def commands(self) -> Iterable[tuple[str, str]]:
        return [("show", "Show an object"), ("help", "Explain"), ("cat", "Print a file")]

    def descriptors(self) -> Iterable[tuple[int, str]]:
        return [(0, "/dev/console"), (3, "TCP listening 127.0.0.1:80")]

    def variables(self) -> Iterable[tuple[str, str]]:
        return [("server", "3")]

    def tasks(self) -> Iterable[str]:
        return ["init", "client"]

    def paths(self, directory: str) -> Iterable[str]:
        return {"/": ["dev", "tmp"], "/dev/": ["null", "zero"]}.get(directory, [])

    def fields(self, expression: str) -> Iterable[tuple[str, str]]:
        return [("sk_state", "7"), ("sk_rcvbuf", "131072")] if expression == "fd(3)->private_data->sk" else []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("so", ["socket(", "socketpair("]),
        ("fd = soc", ["socket(", "socketpair("]),
        ("@cl", ["@client"]),
        ("@client clo", ["close("]),
        ("sho", ["show"]),
        ("show fd ", ["fd", "task", "sock", "0", "3"]),
        ("close(", ["server", "0", "3"]),
        ("bind(s", ["server"]),
        ("socket(AF_UNI", ["AF_UNIX"]),
        ("socket(AF_UNIX, SOCK_S", ["SOCK_STREAM", "SOCK_SEQPACKET"]),
        ("socket(AF_INET, SOCK_STREAM, IPPROTO_T", ["IPPROTO_TCP"]),
        ("open(\"/dev/n", ["/dev/null"]),
        ("cat /dev/z", ["/dev/zero"]),
        ("fd(3)->private_data->sk->sk_r", ["sk_rcvbuf"]),
        ("bind(3, {AF_UNI", ["AF_UNIX"]),
        ('write(3, "so', []),
    ],
)
def test_candidates(text: str, expected: list[str]) -> None:
    assert [c.text for c in complete(text, len(text), Fake())][: len(expected) or None] == expected
    assert expected or not complete(text, len(text), Fake())


def test_descriptors_say_what_they_are() -> None:
    assert [c.meta for c in complete("close(3", 6, Fake()) if c.text == "3"] == ["TCP listening 127.0.0.1:80"]


@given(st.text(alphabet="soc ket(){}[],\"'@->.\\0123AF_INET", max_size=60))
def test_any_text_is_survived_and_the_list_is_short(text: str) -> None:
    for cursor in (0, len(text) // 2, len(text)):
        assert len(complete(text, cursor, Fake())) <= MOST
        signature(text, cursor)


@pytest.mark.parametrize(
    ("text", "argument"),
    [
        ("socket(", "int family"),
        ("socket(AF_INET, ", "int type"),
        ('write(3, "a, b", ', "size_t count"),
        ("bind(fd, {AF_INET, 80", "struct sockaddr *umyaddr"),
    ],
)
def test_the_signature_marks_the_argument_at_the_cursor(text: str, argument: str) -> None:
    found = signature(text, len(text))
    assert found is not None
    assert found[1] == argument


def test_no_signature_outside_a_call() -> None:
    assert signature("socket(1, 2, 3)", 15) is None
    assert signature("help", 4) is None


def test_arguments_are_cut_at_their_own_commas() -> None:
    assert split_arguments('3, {1, "a,b"}, [1, 2]') == ["3", ' {1, "a,b"}', " [1, 2]"]


def test_a_real_session_completes_its_own_objects() -> None:
    session = Session()
    session.run("fd = socket(AF_INET, SOCK_STREAM, 0)")
    state = SessionState(session)
    assert "fd" in [c.text for c in complete("close(", 6, state)]
    assert "next_fd" in [c.text for c in complete("current->files->ne", 18, state)]
    assert any(c.text.startswith("/dev") for c in complete('open("/d', 8, state))
