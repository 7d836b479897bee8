"""Trees of what a call touched: signs, folding, drawing."""

from kshell.lens.draw import draw_tree
from kshell.lens.objects import Node
from kshell.lens.tree import changes, full_lines, touched_lines


def node(edge: str, struct: str, address: int, *children: Node, **fields: str) -> Node:
    made = Node(edge, struct, address, fields)
    made.children.extend(children)
    return made


def task(*files: Node, next_fd: str = "3") -> Node:
    return node("", "task_struct", 0x10, node("files", "files_struct", 0x20, *files, next_fd=next_fd), pid="1")


def file(fd: int, address: int, **fields: str) -> Node:
    sock = node("sk", "tcp_sock", address + 2, sk_state=fields.pop("sk_state", "TCP_CLOSE"))
    return node(f"fd_array[{fd}]", "file", address, node("private_data", "socket", address + 1, sock), **fields)


def drawn(before: Node, after: Node, *named: str) -> list[str]:
    return [line.text for line in draw_tree(touched_lines(before, after, named))]


def test_a_new_file_is_marked_with_all_below_it() -> None:
    assert drawn(task(), task(file(3, 0x100, f_op="socket_file_ops"), next_fd="4")) == [
        "task_struct 0x10   pid 1",
        "└─ files ─ files_struct 0x20   next_fd 3 → 4",
        "   └─ fd_array[3] ─ file 0x100   f_op socket_file_ops   (new)",
        "      └─ private_data ─ socket 0x101   (new)",
        "         └─ sk ─ tcp_sock 0x102   sk_state TCP_CLOSE   (new)",
    ]


def test_a_closed_file_is_freed() -> None:
    text = drawn(task(file(3, 0x100)), task())
    assert text[2].endswith("(freed)")
    assert len(text) == 5


def test_a_descriptor_that_moved_is_not_freed() -> None:
    text = drawn(task(file(3, 0x100)), task(file(4, 0x100)))
    assert text[2:] == [
        "   ├─ fd_array[3] ─ file 0x100   no longer here",
        "   └─ fd_array[4] ─ file 0x100   the same object",
    ]


def test_what_did_not_change_is_folded() -> None:
    before = task(*(file(fd, 0x100 * fd) for fd in range(3, 8)))
    after = task(*(file(fd, 0x100 * fd) for fd in range(3, 7)), file(7, 0x700, sk_state="TCP_LISTEN"))
    text = drawn(before, after)
    assert text[-1] == "   └─ … 4 more"
    assert "sk_state TCP_CLOSE → TCP_LISTEN" in text[-2]


def test_nothing_changed_shows_nothing_unless_named() -> None:
    same = task(file(3, 0x100))
    assert drawn(same, same) == []
    assert any("fd_array[3]" in line for line in drawn(same, same, "fd_array[3]"))


def test_changes_are_told_once_for_each_object() -> None:
    before, after = file(3, 0x100, f_count="1"), file(3, 0x100, f_count="2")
    twice = task(after, file(4, 0x100, f_count="2"))
    found = changes(task(before, file(4, 0x100, f_count="1")), twice)
    assert [(c.struct, c.field, c.old, c.new) for c in found] == [("file", "f_count", "1", "2")]


def test_full_trees_have_no_signs() -> None:
    assert {line.sign for line in full_lines(task(file(3, 0x100)))} == {""}
