"""Trees of what a call touched: signs, folding, what an object is when the way to it changes."""

from kshell.lens.draw import draw_tree
from kshell.lens.objects import Node, Snapshot
from kshell.lens.shown import Spec
from kshell.lens.style import text_of
from kshell.lens.tree import changes, full_lines, touched_lines

SPECS = {
    "task_struct": Spec("task_struct", ["pid!"]),
    "files_struct": Spec("files_struct", ["next_fd!"]),
    "file": Spec("file", ["f_count!", "f_pos"]),
    "socket": Spec("socket", ["flags"]),
    "tcp_sock": Spec("tcp_sock", ["sk_state!", "snd_cwnd~", "write_seq?"]),
}


def node(edge: str, struct: str, address: int, *children: Node, **fields: int) -> Node:
    spec = SPECS[struct]
    return Node(edge, None, spec, tuple(fields.get(name, 0) for name in spec.names), address, children=children)


def task(*files: Node, next_fd: int = 3) -> Node:
    return node("", "task_struct", 0x10, node("files", "files_struct", 0x20, *files, next_fd=next_fd), pid=1)


def file(fd: int, address: int, f_count: int = 1, **fields: int) -> Node:
    sock = node("sk", "tcp_sock", address + 2, **{"sk_state": 7, **fields})
    socket = node("private_data", "socket", address + 1, sock)
    return node(f"fd_array[{fd}]", "file", address, socket, f_count=f_count)


def again(fd: int, address: int, f_count: int) -> Node:
    """Another pointer to a file that stands elsewhere in the tree."""
    return node(f"fd_array[{fd}]", "file", address, f_count=f_count)


def drawn(before: Node, after: Node, *named: str, everything: bool = False) -> list[str]:
    return drawn_of(Snapshot.of(before), Snapshot.of(after), *named, everything=everything)


def drawn_of(before: Snapshot, after: Snapshot, *named: str, everything: bool = False) -> list[str]:
    lines = touched_lines(before, after, named, everything, lambda value: False)
    return [text_of(line) for line in draw_tree(lines)]


def test_a_new_file_is_marked_with_all_below_it() -> None:
    assert drawn(task(), task(file(3, 0x100), next_fd=4)) == [
        "  task_struct 0x10  pid 1",
        "~ └─ files ─ files_struct 0x20  next_fd 3 → 4",
        "+    └─ fd_array[3] ─ file 0x100  f_count 1",
        "+       └─ private_data ─ socket 0x101",
        "+          └─ sk ─ tcp_sock 0x102  sk_state TCP_CLOSE",
    ]


def test_a_closed_file_is_freed_and_told_in_brief() -> None:
    assert drawn(task(file(3, 0x100)), task())[2:] == [
        "-    └─ fd_array[3] ─ file 0x100",
        "-       └─ private_data ─ socket 0x101",
        "-          └─ sk ─ tcp_sock 0x102  sk_state TCP_CLOSE",
    ]


def test_a_descriptor_that_moved_is_not_freed() -> None:
    assert drawn(task(file(3, 0x100)), task(file(4, 0x100)))[2:] == [
        "-    ├─ fd_array[3] ─ file 0x100  no longer here",
        "+    └─ fd_array[4] ─ file 0x100  f_count 1  existed before  … private_data",
    ]


def test_a_second_descriptor_of_a_file_is_told_as_that() -> None:
    text = drawn(task(file(3, 0x100)), task(file(3, 0x100, f_count=2), again(4, 0x100, 2)))
    assert text[2:] == [
        "~    ├─ fd_array[3] ─ file 0x100  f_count 1 → 2  … private_data",
        "+    └─ fd_array[4] ─ file 0x100  the same as fd_array[3]",
    ]


def test_what_did_not_change_is_folded() -> None:
    before = task(*(file(fd, 0x100 * fd) for fd in range(3, 8)))
    after = task(*(file(fd, 0x100 * fd) for fd in range(3, 7)), file(7, 0x700, sk_state=10))
    text = drawn(before, after)
    assert text[-1] == "     └─ … 4 more: fd_array[3] to [6]"
    assert text[-2].endswith("sk_state TCP_CLOSE → TCP_LISTEN")


def test_repeated_things_are_folded() -> None:
    text = drawn(task(*(again(fd, 0x100 * fd, 1) for fd in range(3, 20))), task())
    assert [line for line in text if "more" in line] == ["-    └─ … 14 more file: fd_array[6] to [19]"]
    assert len(text) == 2 + 3 + 1


def test_nothing_changed_shows_nothing_unless_named() -> None:
    same = task(file(3, 0x100))
    assert drawn(same, same) == []
    assert drawn(same, same, "fd_array[3]")[-1] == "         └─ sk ─ tcp_sock 0x102  sk_state TCP_CLOSE"


def test_quiet_fields_change_unseen_but_in_the_full_view() -> None:
    before, after = task(file(3, 0x100, write_seq=1)), task(file(3, 0x100, write_seq=2))
    assert drawn(before, after) == []
    assert drawn(before, after, everything=True)[-1].endswith("snd_cwnd 0  write_seq 1 → 2")


def test_fields_shown_when_changed_are_shown_then_only() -> None:
    before, after = task(file(3, 0x100, snd_cwnd=10)), task(file(3, 0x100, snd_cwnd=11))
    assert "snd_cwnd" not in drawn(task(), before)[-1]
    assert drawn(before, after)[-1].endswith("snd_cwnd 10 → 11")


def test_other_tasks_stand_below_the_first() -> None:
    def both(count: int) -> Snapshot:
        first = node("", "task_struct", 0x10, node("files", "files_struct", 0x20, file(3, 0x100, f_count=count)), pid=1)
        second = node("", "task_struct", 0x11, node("files", "files_struct", 0x21, again(3, 0x100, count)), pid=2)
        return Snapshot.of(first, second)

    assert [line for line in drawn_of(both(1), both(2)) if "task_struct" in line] == ["  task_struct 0x10  pid 1"]


def test_changes_are_told_once_for_each_object() -> None:
    before, after = task(file(3, 0x100), again(4, 0x100, 1)), task(file(3, 0x100, f_count=2), again(4, 0x100, 2))
    found = changes(Snapshot.of(before), Snapshot.of(after))
    assert [(c.struct, c.field, c.old, c.new) for c in found] == [("file", "f_count", "1", "2")]


def test_full_trees_have_no_signs() -> None:
    lines = full_lines(task(file(3, 0x100)))
    assert {line.sign for line in lines} == {""}
    assert text_of(next(iter(draw_tree(lines)))) == "task_struct 0x10  pid 1"


def test_what_a_call_named_is_shown_down_to_its_sock_and_no_further() -> None:
    def listening(backlog: int, index: int) -> Node:
        child = node("sk", "tcp_sock", 0x300, sk_state=1)
        request = node(f"rskq_accept_head[{index}]", "tcp_sock", 0x200, child, sk_state=12)
        sock = node("sk", "tcp_sock", 0x102, request, sk_state=10, snd_cwnd=backlog)
        return task(node("fd_array[3]", "file", 0x100, node("private_data", "socket", 0x101, sock), f_count=1))

    assert drawn(listening(2, 1), listening(1, 0), "fd_array[3]")[-3:] == [
        "~          └─ sk ─ tcp_sock 0x102  sk_state TCP_LISTEN  snd_cwnd 2 → 1",
        "+             ├─ rskq_accept_head[0] ─ tcp_sock 0x200  sk_state TCP_NEW_SYN_RECV  existed before  … sk",
        "-             └─ rskq_accept_head[1] ─ tcp_sock 0x200  no longer here",
    ]
