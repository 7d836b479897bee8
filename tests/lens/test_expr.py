"""C expressions over objects that look like the kernel's."""

from __future__ import annotations

import pytest

from kshell.lang.errors import LangError
from kshell.lang.lexer import Source
from kshell.lang.parser import parse_expression
from kshell.lens.expr import Scope, evaluate, members, truth


class sock:
    __slots__ = ("_addr", "sk_prot", "sk_state")
    sk_mark: int = 0

    def __init__(self) -> None:
        self._addr = 0xFFFF888000000100
        self.sk_state = 10
        self.sk_prot: object = None


class inet_sock(sock):
    __slots__ = ("inet_num",)

    def __init__(self) -> None:
        super().__init__()
        self.inet_num = 80


class tcp_sock(inet_sock):
    __slots__ = ()


class inode:
    __slots__ = ("_addr", "_alloc", "i_ino")

    def __init__(self) -> None:
        self._addr, self._alloc, self.i_ino = 0xFFFF888000000300, None, 7


class socket:
    __slots__ = ("_addr", "_alloc", "sk")

    def __init__(self, sk: sock) -> None:
        self._addr, self._alloc, self.sk = 0xFFFF888000000200, None, sk


class socket_alloc:
    __slots__ = ("socket", "vfs_inode")

    def __init__(self, sk: sock) -> None:
        self.socket, self.vfs_inode = socket(sk), inode()
        self.socket._alloc = self.vfs_inode._alloc = self


class file:
    def __init__(self, private_data: object, node: inode) -> None:
        self.private_data, self.f_inode = private_data, node


class task_struct:
    def __init__(self) -> None:
        alloc = socket_alloc(tcp_sock())
        self.pid, self.comm, self.state = 3, "init", 1
        self.fd = [file(alloc.socket, alloc.vfs_inode), None]
        self.parent: object = None


class kernel:
    jiffies = 5

    def __init__(self) -> None:
        self.net_families = {2: "inet_family_ops"}


TASK = task_struct()
SCOPE = Scope({"current": TASK}, kernel(), {"fd": 0, "x": 40}, {"double": lambda value: value * 2})
SOCK = TASK.fd[0].private_data.sk


def value_of(text: str) -> object:
    return evaluate(parse_expression(text), SCOPE, Source(text))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("current->pid", 3),
        ("current->comm", "init"),
        ("current->comm == \"init\"", 1),
        ("current->__state", 1),
        ("current->fd[fd]->private_data->sk->sk_state", 10),
        ("current->fd[0]->private_data->sk->sk_state == TCP_LISTEN", 1),
        ("current->fd[1]", None),
        ("!current->fd[1]", 1),
        ("current->fd[1] == NULL", 1),
        ("current->fd[0] != NULL && current->pid", 1),
        ("SOCKET_I(current->fd[0]->f_inode)->sk->sk_mark", 0),
        ("SOCK_INODE(current->fd[0]->private_data)->i_ino", 7),
        ("container_of(current->fd[0]->f_inode, struct socket_alloc, vfs_inode)->socket.sk->sk_state", 10),
        ("((struct tcp_sock *)current->fd[0]->private_data->sk)->inet_conn.icsk_inet.inet_num", 80),
        ("current->fd[0]->private_data->sk->__sk_common.skc_state", 10),
        ("inet_sk(current->fd[0]->private_data->sk)->inet_num", 80),
        ("(unsigned long)current->fd[0]->private_data->sk & 0xfff", 0x100),
        ("current->fd[0]->private_data->sk + 0", 0xFFFF888000000100),
        ("current->fd[0]->private_data->sk == 0xffff888000000100", 1),
        ("&current->pid", 3),
        ("*current == current", 1),
        ("jiffies + x", 45),
        ("net_families[AF_INET]", "inet_family_ops"),
        ("double(21)", 42),
        ("x > 5 ? 1 : 1/0", 1),
        ("0 && 1/0", 0),
        ("~0 & 0xff", 255),
        ("htons(80)", 20480),
        ("sizeof(struct socket_alloc)", 768),
        ("sizeof(*current->fd[0]->f_inode)", 632),
        ("sizeof(struct sockaddr_in)", 16),
        ("sizeof(int)", 4),
        ("sizeof(void *)", 8),
        ("offsetof(struct socket_alloc, vfs_inode)", 128),
        ("EPIPE", 32),
    ],
)
def test_values(text: str, value: object) -> None:
    assert value_of(text) == value


@pytest.mark.parametrize(
    ("text", "message", "nearest"),
    [
        ("curent", "unknown name curent", "current"),
        ("current->pidd", "struct task_struct has no field pidd", "pid"),
        ("current->mm_nothing", "struct task_struct has no field mm_nothing", ""),
        ("current->flags", "the model does not keep flags of struct task_struct", ""),
        ("current->parent->pid", "NULL has no field pid", ""),
        ("current->pid->x", "a number has no fields", ""),
        ("current->fd[9]", "index 9 out of range", ""),
        ("current->pid[0]", "a number has no elements", ""),
        ("current->parent[0]", "NULL has no elements", ""),
        ("*current->pid", "a number points to nothing", ""),
        ("net_families[5]", "no element 5", ""),
        ("(struct udp_sock *)current->fd[0]->private_data->sk", "this is a struct tcp_sock, not a struct udp_sock", ""),
        ("SOCKET_I(current)", "SOCKET_I() takes an inode of sockfs", ""),
        ("container_of(current, struct socket_alloc, vfs_inode)",
         "this struct task_struct is not the vfs_inode of a struct socket_alloc", ""),
        ("sizeof(struct nothing)", "the size of struct nothing is not recorded", ""),
        ("duble(1)", "unknown function duble", "double"),
        ("double(1, 2)", "double() does not take these arguments", ""),
        ("1/0", "division by zero", ""),
        ("current->comm + 1", "a string is no number", ""),
        ("{1, 2}", "not an expression", ""),
        ("current->_secret", "struct task_struct has no field _secret", ""),
    ],
)  # fmt: skip
def test_errors(text: str, message: str, nearest: str) -> None:
    with pytest.raises(LangError) as caught:
        value_of(text)
    assert (caught.value.message, caught.value.nearest) == (message, nearest)


def test_members_are_linuxs_names() -> None:
    assert set(members(SOCK)) == {"sk_state", "sk_prot", "sk_mark", "inet_num"}


@pytest.mark.parametrize(("value", "true"), [(None, False), (0, False), (1, True), (SOCK, True), ("", True)])
def test_truth_is_cs(value: object, true: bool) -> None:
    assert truth(value) is true
