"""Commands that look: show, fds, ps, hash, packets, hexdump, ptype."""

import pytest

from kshell.session import events as ev
from kshell.session.session import Session

SETUP = """\
fd = socket(AF_INET, SOCK_STREAM, 0)
pipe([4, 5])
open("/tmp/漢字", O_RDWR|O_CREAT, 0644)
read(4, buf, 0)
socket(AF_INET, SOCK_DGRAM, 0)
sendto(7, "x", 1, 0, {AF_INET, 9, "127.0.0.1"}, 16)
"""


@pytest.fixture(scope="module")
def session() -> Session:
    made = Session()
    made.run(SETUP)
    return made


def output(session: Session, text: str) -> str:
    return "\n".join(event.text for event in session.run(text) if isinstance(event, ev.Output))


def problem(session: Session, text: str) -> tuple[str, str]:
    (error,) = (event for event in session.run(text) if isinstance(event, ev.Error))
    return error.message, error.hint


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("show", "task_struct 0x"), ("show all", "task_struct 0x"), ("show task 1", "task_struct 0x"),
        ("show task init", "task_struct 0x"), ("show fd 3", "fd_array[3] ─ file 0x"), ("show fd fd", "fd_array[3] ─"),
        ("show file 3", "fd_array[3] ─ file 0x"), ("show socket 3", "private_data ─ socket 0x"),
        ("show sock 3", "sk ─ tcp_sock 0x"), ("show tcp_sock 3", "sk ─ tcp_sock 0x"), ("show inode 6", "f_inode ─ inode 0x"),
        ("show dentry 6", "f_path.dentry ─ dentry 0x"), ("show pipe_inode_info 4", "private_data ─ pipe_inode_info 0x"),
        ("show current->files", "files_struct 0x"), ("show init_net.loopback_dev", 'net_device 0x'),
        ("show tcp_hashinfo", "*(struct inet_hashinfo *)"),
    ],
)  # fmt: skip
def test_show(session: Session, text: str, start: str) -> None:
    assert output(session, text).startswith(start)


def test_show_says_what_a_descriptor_has(session: Session) -> None:
    assert problem(session, "show dentry 3") == (
        "descriptor 3 has no dentry", "it has: file, inode, socket, tcp_sock",
    )  # fmt: skip
    assert problem(session, "show fd 77")[0] == "descriptor 77 is not open in init"


def test_columns_are_aligned_with_wide_names(session: Session) -> None:
    lines = output(session, "fds").splitlines()
    assert "/tmp/漢字" in lines[7]
    assert lines[0].index("WHAT") == lines[7].index("/tmp")


def test_packets_of_a_command_and_of_the_session(session: Session) -> None:
    everything, last = output(session, "packets"), output(session, "packets last")
    assert everything == last
    assert last.startswith("command 6\n")
    assert "UDP, length 1" in last
    assert "udp port 9 unreachable" in last
    assert "45 00 00 1d" in output(session, "packets 6 -x")
    assert problem(session, "packets 1")[0] == "command 1 sent no packets"
    assert problem(session, "packets all")[0] == "packets takes last or the number of a command, not 'all'"
    assert problem(Session(), "packets")[0] == "no packet has passed a device yet"


def test_going_back_takes_packets_back() -> None:
    made = Session()
    made.run(SETUP)
    made.run("goto 5")
    assert problem(made, "packets")[0] == "no packet has passed a device yet"


def test_hexdump(session: Session) -> None:
    made = Session()
    made.run('pipe([3, 4])\nwrite(4, "hello\\n", 6)\nread(3, buf, 16)')
    assert output(made, "hexdump buf").startswith(f"{made.current.buffers['buf'].address:08x}  68 65 6c 6c 6f 0a")
    address = made.current.buffers["buf"].address
    assert output(made, f"hexdump {address:#x} 5").endswith("|hello|")
    assert output(made, "hexdump current->comm").startswith("00000000  69 6e 69 74")
    assert problem(made, "hexdump 0x1 5")[0].startswith("only 0 of 5 bytes at 0x1 are mapped")
    assert problem(made, "hexdump current")[0] == "current has no bytes"
    assert problem(made, "hexdump")[0].startswith("hexdump wants")


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("ptype struct sok", "no layout of struct 'sok' is recorded", "did you mean struct sock?"),
        ("ptype", "ptype wants a struct", "for example: ptype struct sock"),
        ("print", "print wants an expression", "for example: print current->pid"),
        ("print/ful current", "print has no form /ful", "did you mean /full?"),
        ("print current .pidd", "there is no member pidd", "did you mean .pid?"),
        ("hash", "hash wants a table", None),
        ("hash current", "current is no hash table", None),
    ],
)
def test_what_cannot_be_printed(session: Session, text: str, message: str, hint: str | None) -> None:
    said, hinted = problem(session, text)
    assert said == message
    assert hint is None or hinted == hint


@pytest.mark.parametrize("text", ["ptype struct socket", "ptype fd(3)->private_data", "ptype socket", "ptype struct socket *"])
def test_ptype_of_a_name_and_of_an_object(session: Session, text: str) -> None:
    assert output(session, text).splitlines()[0].endswith("struct socket {")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("print fd(3)->private_data->sk->sk_state", "TCP_CLOSE (7)"), ("current->pid", "1"),
        ("print fd(3)->f_flags", "O_RDWR (2)"), ("print/x 255", "0xff"), ("sizeof(struct sock)", "776"),
        ("offsetof(struct sock, sk_state)", "18"), ("print NULL", "NULL"),
    ],
)  # fmt: skip
def test_print(session: Session, text: str, shown: str) -> None:
    assert output(session, text) == shown
