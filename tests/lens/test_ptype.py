"""Layouts of structs as pahole prints them."""

import pytest

from kshell.lens import layouts
from kshell.lens.layouts import Layout, LayoutField
from kshell.lens.ptype import ptype
from kshell.lens.style import text_of, width_of
from kshell.session.session import Session


def text(name: str) -> list[str]:
    layout = layouts.layout(name)
    assert layout is not None
    return [text_of(line) for line in ptype(layout)]


@pytest.fixture(scope="module", autouse=True)
def _machine() -> None:
    """The model's classes are known once a machine was made."""
    Session()


def test_members_with_offset_size_and_holes() -> None:
    assert text("socket") == [
        "offset   size  struct socket {",
        "     0      4      socket_state state;",
        "     4      2      short int type;",
        "     6      2      /* hole */",
        "     8      8      long unsigned int flags;",
        "    16      8      struct file *file;",
        "    24      8      struct sock *sk;",
        "    32      8      const struct proto_ops *ops;",
        "    40     24      /* hole */",
        "    64     64      struct socket_wq wq;",
        "               }; /* size: 128 */",
    ]


def test_what_the_model_lacks_is_marked_and_counted() -> None:
    lines = text("file")
    assert "    48      4 -    spinlock_t f_lock;" in lines
    marked = sum(line[13:15] == " -" for line in lines)
    assert lines[-1].strip() == f"}}; /* size: 232; - {marked} members are not in the model */"


def test_bit_fields_function_pointers_and_unnamed_structs() -> None:
    lines = text("sock")
    assert " 512:4  4 bit      u8 sk_userlocks:4;" in lines
    assert "   680      8      void (*sk_data_ready)(struct sock *);" in lines
    at = lines.index("   240     24      struct {")
    assert lines[at + 2] == "   244      4          int len;"
    assert lines[at + 5].strip() == "} sk_backlog;"


def test_a_struct_of_which_only_a_part_was_recorded() -> None:
    assert "     0     24      /* not recorded */" in text("task_struct")


def test_a_struct_that_the_model_has_not() -> None:
    layout = Layout("nowhere", "union", 8, (LayoutField("a", "int[2]", 0, 8, None, ()),))
    assert [text_of(line) for line in ptype(layout)] == [
        "offset   size  union nowhere {",
        "     0      8      int a[2];",
        "               }; /* size: 8; the model has no such struct */",
    ]


@pytest.mark.parametrize("name", layouts.names())
def test_every_layout_can_be_shown(name: str) -> None:
    lines = text(name)
    assert lines[0].endswith((f"struct {name} {{", f"union {name} {{"))
    assert all(width_of([("", line)]) == len(line) for line in lines)


def test_macros_have_offsets() -> None:
    assert layouts.offsetof("sock", "sk_state") == 18
    assert layouts.offsetof("inet_sock", "inet_num") == layouts.offsetof("sock", "sk_num")
