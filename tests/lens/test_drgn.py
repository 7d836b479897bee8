"""Objects in drgn's notation."""

import pytest

from kshell.lens.drgn import Form, printed
from kshell.lens.style import text_of
from kshell.session.session import Session


@pytest.fixture(scope="module")
def session() -> Session:
    made = Session()
    made.run("socket(AF_INET, SOCK_STREAM, 0)\npipe([3, 4])")
    return made


def text(value: object, **form: object) -> list[str]:
    return [text_of(line) for line in printed(value, Form(**form))]  # type: ignore[arg-type]


def test_an_object_member_by_member_in_the_order_of_the_layout(session: Session) -> None:
    socket = session.task.files.fdt.fd[3].private_data
    assert text(socket) == [
        f"*(struct socket *){socket._addr:#x} = {{",
        "    .state = (socket_state)SS_UNCONNECTED,",
        "    .type = (short int)SOCK_STREAM,",
        "    .flags = (long unsigned int)32,",
        f"    .file = (struct file *){socket.file._addr:#x},",
        f"    .sk = (struct tcp_sock *){socket.sk._addr:#x},",
        "    .ops = (const struct proto_ops *)inet_stream_ops,",
        "    /* 3 more are 0 or NULL; 2 not in the model: print/full */",
        "}",
    ]


def test_embedded_structs_stand_inside_one_another(session: Session) -> None:
    lines = text(session.task.files.fdt.fd[3].private_data.sk)
    start = [line.strip() for line in lines[1:5]]
    assert start == [
        ".inet_conn = (struct inet_connection_sock){", ".icsk_inet = (struct inet_sock){", ".sk = (struct sock){",
        ".__sk_common = (struct sock_common){",
    ]  # fmt: skip
    assert "                    .skc_state = (volatile unsigned char)TCP_CLOSE," in lines


def test_all_members_marked_where_the_model_lacks_them(session: Session) -> None:
    lines = text(session.task.files.fdt.fd[3], full=True)
    assert "    .f_pos = (loff_t)0," in lines
    assert "    .f_lock = /* not in the model */," in lines
    assert not any("print/full" in line for line in lines)


def test_some_members_only(session: Session) -> None:
    socket = session.task.files.fdt.fd[3].private_data
    assert text(socket, only=("type",))[1:-1] == ["    .type = (short int)SOCK_STREAM,"]
    assert text(socket.sk, only=("inet_num", "sk_state"))[1:-1] == ["    .inet_num = 0,", "    .sk_state = TCP_CLOSE,"]


@pytest.mark.parametrize(
    ("value", "form", "shown"),
    [
        (31, {}, "31"), (31, {"hexed": True}, "0x1f"), (None, {}, "NULL"), ("a\n\x1b[2J", {}, '"a\\n\x1b[2J"'),
        (b"\x00\xff\xe6\xbc\xa2\n", {}, '"\\x00\\xff漢\\n"'), ([1, 2], {}, "{ 1, 2 }"), ([], {}, "{}"),
        (list(range(20)), {}, "{ 0, 1, 2, 3, 4, 5, 6, 7, … 12 more }"), ({1: 2}, {}, "{ [1] = 2 }"),
    ],
)  # fmt: skip
def test_values_that_are_no_objects(value: object, form: dict[str, bool], shown: str) -> None:
    assert text(value, **form) == [shown]


def test_hexadecimal(session: Session) -> None:
    lines = text(session.task.files.fdt.fd[3].f_inode, hexed=True)
    assert "    .i_mode = (umode_t)0xc1ff," in lines


@pytest.mark.parametrize(
    "expression",
    ["current", "current->files", "fd(3)", "fd(3)->private_data->sk", "fd(4)->private_data", "init_net", "tcp_hashinfo",
     "init_net.loopback_dev", "current->cred", "current->fs", "current->signal", "inetsw[1][0]", "net_families[2]"],
)  # fmt: skip
@pytest.mark.parametrize("form", ["", "/full", "/x", "/tree"])
def test_every_object_can_be_printed_in_every_form(session: Session, expression: str, form: str) -> None:
    events = session.run(f"print{form} {expression}")
    assert session.errors == session.oopses == 0
    assert sum(event.kind == "output" for event in events) == 1


def test_an_address_that_a_tree_shows_can_be_cast_to_its_struct(session: Session) -> None:
    file = session.task.files.fdt.fd[3]
    sk = file.private_data.sk
    (event,) = (e for e in session.run(f"((struct sock *){sk._addr:#x})->sk_state") if e.kind == "output")
    assert event.to_json()["text"] == "TCP_CLOSE (7)"
    (event,) = (e for e in session.run(f"print *(struct file *){file._addr:#x} .f_count") if e.kind == "output")
    assert event.to_json()["text"] == f"*(struct file *){file._addr:#x} = {{\n    .f_count = (atomic_long_t)1,\n}}"
    (error,) = (e for e in session.run(f"(struct dentry *){file._addr:#x}") if e.kind == "error")
    assert error.to_json()["message"] == f"there is no struct dentry at {file._addr:#x}"
    session.errors = 0
