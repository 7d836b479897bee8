"""How travel, history and differences look on a terminal."""

import pytest

from kshell.session.session import Session
from kshell.shell.plain import PlainText

LINES = ("fd = socket(AF_INET, SOCK_STREAM, 0)", 'bind(fd, {AF_INET, 80, "127.0.0.1"}, 16)', "listen(fd, 5)")


def shown(command: str, width: int = 80, glyphs: str = "boxes") -> list[str]:
    session = Session()
    for line in LINES:
        session.run(line)
    view = PlainText(frozenset({"output"}), width=width, glyphs=glyphs)
    return [line for event in session.run(command) for line in view.lines(event)]


def test_history() -> None:
    assert shown("history") == [
        "    1  fd = socket(AF_INET, SOCK_STREAM, 0)  = 3",
        "       new file socket tcp_sock, files_struct.next_fd 3 → 4",
        '    2  bind(fd, {AF_INET, 80, "127.0.0.1"}, 16)  = 0',
        "       tcp_sock.inet_num 0 → 80, tcp_sock.inet_rcv_saddr 0.0.0.0 → 127.0.0.1",
        "    3  listen(fd, 5)  = 0",
        "       tcp_sock.sk_state TCP_CLOSE → TCP_LISTEN, tcp_sock.sk_max_ack_backlog 0 →",
        "       5",
    ]


@pytest.mark.parametrize("width", [40, 80])
def test_changes_are_as_wide_as_the_screen(width: int) -> None:
    assert all(len(line) <= width for line in shown("history", width) if line.startswith("       "))


def test_arrows_are_those_of_the_style() -> None:
    assert not any("→" in line for line in shown("history", glyphs="ascii") + shown("diff 0 3", glyphs="ascii"))


def test_a_difference_is_told_by_object() -> None:
    lines = shown("diff 2 3")
    at = next(i for i, line in enumerate(lines) if line.startswith("  tcp_sock 0x") and "fd 3 of init" in line)
    assert {"    sk_state TCP_CLOSE → TCP_LISTEN", "    sk_max_ack_backlog 0 → 5"} <= set(lines[at : at + 4])


def test_nothing_differs() -> None:
    assert shown("diff 2 2") == ["nothing differs"]


def test_travel() -> None:
    assert shown("goto 1") == ["now after command 1 of 3: fd = socket(AF_INET, SOCK_STREAM, 0)"]
