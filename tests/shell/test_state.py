"""What a real session offers to completion."""

import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from kshell.session.session import Session
from kshell.shell.adapters import SessionCompleter
from kshell.shell.completion import complete
from kshell.shell.state import SessionState


@pytest.fixture(scope="module")
def state() -> SessionState:
    session = Session()
    session.run(
        'fd = socket(AF_INET, SOCK_STREAM, 0)\nbind(fd, {AF_INET, 80, "127.0.0.1"}, 16)\nlisten(fd, 5)\n'
        'u = socket(AF_UNIX, SOCK_DGRAM, 0)\nbind(u, {AF_UNIX, "/tmp/s"}, 110)\npipe([5, 6])\n'
        "c = socket(AF_INET, SOCK_STREAM, 0)\nconnect(c, {AF_INET, 80, \"127.0.0.1\"}, 16)\n"
        "d = socket(AF_INET, SOCK_DGRAM, 0)"
    )
    return SessionState(session)


@pytest.mark.parametrize(
    ("fd", "what"),
    [
        ("0", "/dev/console"),
        ("3", "TCP listening 127.0.0.1:80"),
        ("4", "UNIX dgram \"/tmp/s\""),
        ("5", "pipe, read end"),
        ("6", "pipe, write end"),
        ("8", "UDP unbound"),
    ],
)
def test_open_descriptors_are_told_from_each_other(state: SessionState, fd: str, what: str) -> None:
    assert dict(state.descriptors())[fd] == what


def test_a_connection_names_both_ends(state: SessionState) -> None:
    assert dict(state.descriptors())["7"].startswith("TCP connected 127.0.0.1:")
    assert dict(state.descriptors())["7"].endswith(" - 127.0.0.1:80")


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("socket(", ["AF_INET", "AF_UNIX", "AF_INET6", "AF_NETLINK", "AF_PACKET"]),
        ("socket(AF_INET, ", ["SOCK_STREAM", "SOCK_DGRAM", "SOCK_RAW"]),
        ("socket(AF_INET, SOCK_STREAM, ", ["0", "IPPROTO_TCP"]),
        ("current->files->ne", ["next_fd"]),
        ("tcp_hash", ["tcp_hashinfo"]),
        ("connect(fd, ", ['{AF_INET, 8080, "127.0.0.1"}']),
        ("connect(u, ", ['{AF_UNIX, "/tmp/socket"}']),
        ('open("/de', ["/dev/"]),
        ("help lang", ["language"]),
        ("set vie", ["view"]),
    ],
)
def test_a_real_session_completes_its_own_objects(state: SessionState, text: str, first: list[str]) -> None:
    assert [c.text for c in complete(text, len(text), state)][: len(first)] == first


def test_two_letters_are_no_global_of_the_kernel(state: SessionState) -> None:
    assert [c.text for c in complete("so", 2, state)] == ["socket(", "socketpair("]
    assert "sock_mnt" in [c.text for c in complete("soc", 3, state)]


def test_the_menu_says_what_a_constant_means(state: SessionState) -> None:
    menu = SessionCompleter(state, lambda: False).get_completions(Document("socket("), CompleteEvent())
    told = {choice.text: choice.display_meta_text for choice in menu}
    assert told["AF_INET"].startswith("the internet, version 4")
    assert told["AF_IPX"] == "no family of this kernel"


def test_own_members_come_before_those_of_the_structs_it_begins_with(state: SessionState) -> None:
    names = [name for name, _ in state.fields("fd(3)->private_data->sk")]
    assert names.index("snd_una") < names.index("icsk_backoff") < names.index("inet_num") < names.index("sk_state")


def test_typing_changes_nothing(state: SessionState) -> None:
    session = state.session
    before = (len(session.commands), session.now, sorted(session.calls_of_tasks.variables))
    for text in ("current->", "bind(fd, ", "open(\"/", "help ", "break t", "x = fd(3)->", "kill("):
        complete(text, len(text), state)
    assert before == (len(session.commands), session.now, sorted(session.calls_of_tasks.variables))
