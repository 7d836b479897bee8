"""What is shown after calls, from real sessions: orphans, other tasks, resumed calls, exits, settings."""

import re

import pytest

from kshell.lens.draw import draw_tree
from kshell.lens.style import text_of
from kshell.session import events as ev
from kshell.session.session import Session

CONNECTED = """\
fd = socket(AF_INET, SOCK_STREAM, 0)
bind(fd, {AF_INET, 8080, "127.0.0.1"}, 16)
listen(fd, 5)
c = socket(AF_INET, SOCK_STREAM, 0)
connect(c, {AF_INET, 8080, "127.0.0.1"}, 16)
a = accept(fd, NULL, NULL)
"""


def session(commands: str = "") -> Session:
    made = Session(show=frozenset({"objects"}))
    made.run(commands)
    assert not made.errors
    return made


def trees(made: Session, text: str) -> list[list[str]]:
    """The trees that a command shows, without addresses."""
    found = []
    for event in made.run(text):
        if isinstance(event, ev.Objects):
            lines = [text_of(line) for line in draw_tree(event.lines)]
            found.append([" ".join(w for w in line.split(" ") if not w.startswith("0xffff")) for line in lines])
    return found


def tree(made: Session, text: str) -> str:
    (lines,) = trees(made, text)
    return "\n".join(lines)


def test_the_first_socket() -> None:
    shown = re.sub(r"(i_ino |:\[)\d+", r"\1N", tree(session(), "socket(AF_INET, SOCK_STREAM, 0)"))
    assert shown == (
        '  task_struct  pid 1  comm "init"\n'
        "~ └─ files ─ files_struct  next_fd 3 → 4\n"
        "+    ├─ fd_array[3] ─ file  f_op socket_file_ops  f_flags O_RDWR  f_count 1\n"
        '+    │  ├─ f_inode ─ inode  i_ino N  i_mode S_IFSOCK|0777  "socket:[N]"\n'
        "+    │  └─ private_data ─ socket  state SS_UNCONNECTED  type SOCK_STREAM  ops inet_stream_ops\n"
        "+    │     └─ sk ─ tcp_sock  sk_state TCP_CLOSE  sk_prot tcp_prot  sk_rcvbuf 131072  sk_sndbuf 16384\n"
        "     └─ … 3 more: fd_array[0] to [2]"
    )


def test_a_closed_socket_that_still_has_to_say_goodbye_is_an_orphan() -> None:
    text = tree(session(CONNECTED), "close(c)")
    assert "-    │  └─ private_data ─ socket  type SOCK_STREAM" in text
    assert "~    │     └─ sk ─ tcp_sock  sk_state TCP_ESTABLISHED → TCP_FIN_WAIT1" in text
    assert "orphan: no descriptor leads here any more" in text
    assert "sk_state TCP_ESTABLISHED → TCP_CLOSE_WAIT" in text, "the other end, of another descriptor"


def test_a_closed_socket_that_was_never_connected_is_freed() -> None:
    text = tree(session("socket(AF_INET, SOCK_STREAM, 0)"), "close(3)")
    assert "-          └─ sk ─ tcp_sock  sk_state TCP_CLOSE" in text.replace("│", " ")
    assert "orphan" not in text


def test_data_in_queues_is_seen_coming_and_going() -> None:
    made = session(CONNECTED)
    written = tree(made, 'write(c, "hello 漢字", 12)')
    assert "sk_receive_queue 0 → 1" in written
    assert '+    │        └─ sk_receive_queue[0] ─ sk_buff  len 12  cb.seq' in written
    assert 'data "hello 漢字"' in written
    assert "-    │        └─ sk_receive_queue[0] ─ sk_buff  len 12" in tree(made, "read(a, ..., 64)")


def test_what_happens_in_other_tasks_is_shown_with_them() -> None:
    made = session("socketpair(AF_UNIX, SOCK_STREAM, 0, [x, y])\n@kid close(3)\nclose(4)")
    text = tree(made, '@kid write(4, "hi", 2)')
    kid, init = text.index('comm "kid"'), text.index('comm "init"')
    assert kid < init < text.index('data "hi"')


def test_a_resumed_call_shows_what_was_not_shown_yet() -> None:
    made = session("fd = socket(AF_INET, SOCK_STREAM, 0)\nlisten(fd, 5)\n@server accept(fd, NULL, NULL)")
    made.run("getsockname(fd, addr, [16])\n@client c = socket(AF_INET, SOCK_STREAM, 0)")
    port = made.task.files.fdt.fd[3].private_data.sk.inet_num
    connect, resumed = trees(made, f'@client connect(c, {{AF_INET, {port}, "127.0.0.1"}}, 16)')
    assert "TCP_CLOSE → TCP_ESTABLISHED" in "\n".join(connect)
    assert "comm \"client\"" not in "\n".join(resumed)
    assert "+    ├─ fd_array[4] ─ file" in "\n".join(resumed)


def test_the_end_of_a_task_shows_what_it_took_along() -> None:
    made = session("socketpair(AF_UNIX, SOCK_STREAM, 0, [x, y])\n@kid close(3)\nclose(4)")
    text = tree(made, "@kid exit(0)")
    assert "state TASK_RUNNING → TASK_DEAD" in text
    assert "-    └─ fd_array[4] ─ file" in text
    assert "sk_shutdown 0 → RCV_SHUTDOWN|SEND_SHUTDOWN" in text


def test_a_call_that_only_looks_shows_what_it_looked_at() -> None:
    lines = tree(session("socket(AF_INET, SOCK_STREAM, 0)"), "getsockopt(3, SOL_SOCKET, SO_TYPE, v, [4])").splitlines()
    assert lines[-2].strip().endswith("sk ─ tcp_sock  sk_state TCP_CLOSE")
    assert not any(line[0] in "+~-" for line in lines)


@pytest.mark.parametrize(
    ("commands", "panels"),
    [
        ("set view line", {"line", "signals"}),
        ("set view full", {"line", "objects", "packets", "log", "wakeups", "signals"}),
        ("set view off", set()),
        ("set view line\nset packets on", {"line", "signals", "packets"}),
        ("set objects off", {"line", "signals"}),
        ("set view full\nset log off\nset wakeups off", {"line", "objects", "packets", "signals"}),
    ],
)
def test_settings_of_what_is_shown(commands: str, panels: set[str]) -> None:
    made = Session(show=frozenset({"line", "objects", "signals"}))
    events = made.run(commands)
    assert made.show - {"causes"} == panels
    told = [event for event in events if isinstance(event, ev.Panels)][-1]
    assert set(told.shown) == made.show
    assert all((made.settings[name] == "on") == (name in panels) for name in ("objects", "packets", "log"))


def test_objects_switched_off_and_on_again() -> None:
    made = session()
    assert trees(made, "set objects off\nsocket(AF_INET, SOCK_STREAM, 0)") == []
    assert len(trees(made, "set objects on\nsocket(AF_INET, SOCK_STREAM, 0)")) == 1


def test_events_of_objects_in_json() -> None:
    (event,) = (e for e in session().run("socket(AF_INET, SOCK_STREAM, 0)") if isinstance(e, ev.Objects))
    lines = event.to_json()["lines"]
    assert isinstance(lines, list)
    files = lines[1]
    assert isinstance(files, dict)
    assert (files["sign"], files["path"], files["fields"], files["was"]) == (
        "changed", "files", {"next_fd": "4"}, {"next_fd": "3"},
    )  # fmt: skip


def test_a_resumed_call_shows_the_same_after_going_back() -> None:
    commands = "socketpair(AF_UNIX, SOCK_STREAM, 0, [x, y])\n@kid read(3, ..., 9)\ndup(4)\ndup(4)"
    straight, back = session(commands), session(commands)
    back.run("goto 2\nredo\nredo")
    wanted = trees(straight, 'write(4, "hi", 2)')
    assert trees(back, 'write(4, "hi", 2)') == wanted
    assert len(wanted) == 2
    assert "fd_array[5]" not in "\n".join(wanted[1]), "was shown when it happened"


def test_an_inode_that_files_share_is_called_as_each_file_is() -> None:
    """All of anon_inode's files have one inode; /proc/PID/fd names them by their dentries."""
    made = session("epoll_create1(0)\neventfd2(0, 0)")
    shown = tree(made, "eventfd2(0, 0)")
    assert [word for word in shown.split() if word.startswith('"[')] == ['"[eventpoll]"', '"[eventfd]"']
