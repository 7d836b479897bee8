"""Tests of the model's source, as a C programmer would have written them."""

import ast
from types import SimpleNamespace

import pytest

from kshell.lens.why_c import NoC, Writer
from kshell.linux.include.linux.path import path

PLACE = path(None, None)  # type: ignore[arg-type]
KNOWN = {"_LEN": 16, "_MASK": 0x80800, "where": PLACE, "text": "abc", "frame": SimpleNamespace(path=PLACE)}


def look(node: ast.expr) -> object:
    if isinstance(node, ast.Name):
        return KNOWN[node.id]
    if isinstance(node, ast.Attribute):
        return getattr(look(node.value), node.attr)
    raise TypeError


def in_c(text: str) -> str:
    return Writer(look).text(ast.parse(text, mode="eval").body)


@pytest.mark.parametrize(
    ("python", "c"),
    [
        ("f is None", "!f"),
        ("entry.d_inode is not None", "entry->d_inode"),
        ("not sk.peer and flags & MSG_OOB", "!sk->peer && (flags & MSG_OOB)"),
        ("not (a and b)", "!(a && b)"),
        ("not f.f_mode & FMODE_READ or llseek is None", "!(f->f_mode & FMODE_READ) || !llseek"),
        ("1 << sk.skc_state & ~(TCPF_SYN_SENT | TCPF_SYN_RECV)", "(1 << sk->sk_state) & ~(TCPF_SYN_SENT | TCPF_SYN_RECV)"),
        ("mode & S_IFMT == S_IFDIR", "(mode & S_IFMT) == S_IFDIR"),  # Python's & binds tighter
        ("not 0 <= family < NPROTO", "family < 0 || family >= NPROTO"),
        ("0 <= family < NPROTO", "family >= 0 && family < NPROTO"),
        ("not SHUT_RD <= mode <= SHUT_RDWR", "mode < SHUT_RD || mode > SHUT_RDWR"),
        ("sig in (SIGKILL, SIGSTOP)", "sig == SIGKILL || sig == SIGSTOP"),
        ("state not in (TCP_CLOSE, TCP_LISTEN) and x", "state != TCP_CLOSE && state != TCP_LISTEN && x"),
        ("f.f_op is not socket_file_ops", "f->f_op != socket_file_ops"),
        ("a + b > limit - c", "a + b > limit - c"),
        ("where.dentry is not frame.path.mnt", "where.dentry != frame->path.mnt"),
        ("capable(current, CAP_NET_ADMIN)", "capable(CAP_NET_ADMIN)"),
        ("d_is_dir(victim)", "d_is_dir(victim)"),
        ("addr_len < _LEN", "addr_len < 16"),
        ("flags & ~_MASK", "flags & ~0x80800"),
        ("type_ == SOCK_RAW", "type == SOCK_RAW"),
        ("rlim[RLIMIT_NOFILE] == -1", "rlim[RLIMIT_NOFILE] == -1"),
        ("not (table.module is None or try_module_get(table))", "!(!table->module || try_module_get(table))"),
    ],
)
def test_it_is_c(python: str, c: str) -> None:
    assert in_c(python) == c


@pytest.mark.parametrize(
    "python",
    ["len(data) != n", "_find(inet) is None", "tty._typed", "text.startswith('x')", "any(x for x in y)", "cmd in CHOICES",
     "a[1:2] == b''", "x == 'uid'", "f(a, b=1)"],
)  # fmt: skip
def test_c_has_no_words_for_it(python: str) -> None:
    with pytest.raises(NoC):
        in_c(python)
