"""Struct classes are held to recorded layouts: names, Linux's macros, types."""

from pathlib import Path

import pytest

from kshell.lens.structs import BtfStruct, StructCheck, load_recorded
from kshell.lens.structs_source import read_kernel

SOURCE = '''
from __future__ import annotations
from collections.abc import Callable
hook_t = Callable[[int], None]

class sock:
    """A sock."""
    __slots__ = ("_addr", "sk_state", "sk_sndbuf", "__dict__")
    sk_state: int
    sk_data_ready: hook_t
    sk_peer: sock | None = None
    sk_wrong = 0
    kernel: object

    def __init__(self) -> None:
        self.sk_sndbuf = 1

    def method(self) -> None: ...

class inet_sock(sock):
    inet_daddr: int = 0
    mc_list: list[int]
    uc_ttl: str = ""
'''


def member(name: str, ctype: str, size: int = 4) -> dict[str, object]:
    return {"name": name, "type": ctype, "size": size, "offset": 0}


RECORDED = {
    "sock_common": {"size": 8, "fields": [
        member("skc_state", "volatile unsigned char"), member("skc_daddr", "__be32"),
    ]},
    "sock": {"size": 8, "fields": [
        member("sk_sndbuf", "int"), member("sk_data_ready", "void (*)(struct sock *)"),
        member("sk_peer", "struct sock *"),
    ]},
    "inet_sock": {"size": 8, "fields": [member("mc_list", "struct ip_mc_socklist *"), member("uc_ttl", "__s16")]},
}  # fmt: skip


@pytest.fixture
def check(tmp_path: Path) -> StructCheck:
    (tmp_path / "sock.py").write_text(SOURCE)
    recorded: dict[str, BtfStruct] = load_recorded(RECORDED)  # type: ignore[arg-type]
    return StructCheck(recorded, read_kernel(tmp_path))


def test_fields_agree_by_name_macro_or_type_and_the_rest_is_named(check: StructCheck) -> None:
    problems = {f"{f.struct}.{f.name}": f.problem for r in check.results() for f in r.fields}
    assert problems == {
        "sock.sk_state": "", "sock.sk_sndbuf": "", "sock.sk_data_ready": "", "sock.sk_peer": "",
        "sock.sk_wrong": "no such field", "inet_sock.inet_daddr": "", "inet_sock.mc_list": "",
        "inet_sock.uc_ttl": "is str",
    }  # fmt: skip


def test_fields_of_the_models_own_are_listed_apart(check: StructCheck) -> None:
    assert {r.name: r.model_only for r in check.results()} == {"sock": ["_addr", "kernel"], "inet_sock": []}


def test_a_file_of_something_else_is_refused() -> None:
    with pytest.raises(ValueError, match="not a recording"):
        load_recorded({"sock": []})  # type: ignore[dict-item]
