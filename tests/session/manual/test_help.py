"""Every system call, command, constant, error, struct and setting has help."""

from __future__ import annotations

import pytest

from kshell.abi import structs
from kshell.abi.errno import NUMBERS
from kshell.abi.names import all_constants
from kshell.abi.syscalls import BY_NAME, signature
from kshell.session import settings
from kshell.session.commands import CommandError, Registry
from kshell.session.commands.helping import TOPICS, help_text
from kshell.session.manual import SUBJECTS, page, pages
from kshell.session.manual.absent import absent
from kshell.session.manual.constants import constant_text, note, takers_of
from kshell.session.manual.errnos import errno_text
from kshell.session.manual.text import WIDTH, call_man
from kshell.session.session import Session

I386_ONLY = {"send", "recv", "socketcall"}


@pytest.fixture(scope="module")
def session() -> Session:
    return Session()


def implemented(session: Session) -> set[str]:
    return set(session.implemented()) & BY_NAME.keys() | I386_ONLY


def test_every_call_of_the_kernel_has_a_page_and_no_other_has(session: Session) -> None:
    assert set(pages()) == implemented(session)


def test_every_call_that_is_left_out_says_so_kindly(session: Session) -> None:
    for name in BY_NAME.keys() - implemented(session):
        assert absent()[name].endswith("."), name
    assert not absent().keys() & implemented(session)


@pytest.mark.parametrize("name", pages())
def test_a_page_tells_of_each_argument(name: str) -> None:
    call, found = signature(name), pages()[name]
    assert call is not None
    assert sorted(found.arguments) == sorted(p.name for p in call.params if p.kind.style != "hidden")
    assert found.summary.endswith(".")
    assert all(other in pages() or other == "syscalls" for other in found.see)


def test_no_two_causes_of_an_error_are_the_same() -> None:
    for found in pages().values():
        causes = [(row.errno, row.cause) for row in found.errors]
        assert len(causes) == len(set(causes)), found.name


def test_every_subject_has_pages() -> None:
    assert len(SUBJECTS) == len(set(SUBJECTS))
    assert page("socket") is not None
    assert page("no_such_call") is None


@pytest.mark.parametrize("topic", [*TOPICS, *Registry().names(), *settings.BY_NAME, *structs.names(), *absent()])
def test_topics(session: Session, topic: str) -> None:
    assert len(help_text(session, topic)) >= 15


def test_every_constant_has_a_line() -> None:
    assert [name for name, _ in all_constants() if not note(name) and name not in NUMBERS] == []


def test_every_error_has_help() -> None:
    for name in ("EINVAL", "EADDRINUSE", "EXFULL", "ERESTARTSYS", "EWOULDBLOCK"):
        assert errno_text(name).startswith(f"{name} = {NUMBERS[name]}")


@pytest.mark.parametrize(
    ("topic", "words"),
    [
        ("bind", ["bind(int fd, struct sockaddr *umyaddr, int addrlen)", "EADDRINUSE", "[inet_csk_get_port]", "inet_bind"]),
        ("bind EADDRINUSE", ["Address already in use", "inet_csk_get_port()   net/ipv4/inet_connection_sock.c"]),
        ("EADDRINUSE", ["EADDRINUSE = 98", "bind():", "inet_csk_get_port"]),
        ("SOCK_STREAM", ["SOCK_STREAM = 1", "socket(type)"]),
        ("O_NONBLOCK", ["O_NONBLOCK = 2048", "open(flags)"]),
        ("sockaddr_in", ["sin_port", "bind(umyaddr)"]),
        ("inotify_init", ["ENOSYS", "epoll_create1()"]),
        ("syscalls", ["41 socket             supported", "partly", "Not there: ENOSYS"]),
        ("errors", [" 98 EADDRINUSE       Address already in use", "  2 ENOENT"]),
        ("abi", ["set abi i386|x86_64"]),
        ("step", ["For a stop of the kernel, which `break FUNCTION` makes", "step (s) [N]         to the next line, into calls"]),
        ("finish", ["to the end of this function"]),
        ("sock", ["struct sock: a struct of the kernel, 776 bytes", "ptype struct sock"]),
    ],
)
def test_what_help_says(session: Session, topic: str, words: list[str]) -> None:
    text = help_text(session, topic)
    assert [word for word in words if word not in text] == []


def test_variables_have_help() -> None:
    session = Session()
    session.run("fd = socket(AF_INET, SOCK_STREAM, 0)")
    assert help_text(session, "fd").splitlines()[0] == "fd = 3"
    assert "tcp_sock" in help_text(session, "fd")


def test_a_misspelt_topic_gives_the_nearest() -> None:
    with pytest.raises(CommandError) as caught:
        help_text(Session(), "SO_REUSEADR")
    assert "SO_REUSEADDR" in caught.value.hint


def test_a_name_that_means_two_things_is_offered_once() -> None:
    with pytest.raises(CommandError) as caught:
        help_text(Session(), "exitt")
    assert caught.value.hint.count("exit") == 1


def test_examples_of_commands_stand_at_the_margin() -> None:
    registry = Session().registry
    deep = [entry.name for entry in registry if any(line.startswith("    ") and line[4:5].strip() and "  " not in line.strip()
            for line in entry.help.splitlines())]  # fmt: skip
    assert deep == []


def test_constants_know_who_takes_them() -> None:
    assert ("kill", "sig") in takers_of("SIGTERM")
    assert ("setsockopt", "optname") in takers_of("SO_REUSEADDR")
    assert "Taken by" in constant_text("EPOLL_CTL_ADD")
    assert constant_text("NO_SUCH_NAME") == ""


def test_the_manual_page_has_headings_and_fits() -> None:
    found = page("listen")
    assert found is not None
    lines = call_man(found).split("\n")
    assert [line for line in lines if line.isupper() and not line.startswith(" ")] == [
        "NAME", "SYNOPSIS", "DESCRIPTION", "ARGUMENTS", "RETURN VALUE", "ERRORS", "EXAMPLE", "KERNEL", "SEE ALSO",
    ]  # fmt: skip
    assert max(map(len, lines)) <= WIDTH + 12
