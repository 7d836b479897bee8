"""Trees as lines: the width, ASCII, words for a screen reader, wide and hostile text."""

import pytest

from kshell.lens.draw import draw_tree
from kshell.lens.style import Style, text_of, width_of
from kshell.lens.tree import TreeLine

LINES = [
    TreeLine((), "", "", "task_struct", 0x10, (("pid", "1", None), ("comm", '"init"', None))),
    TreeLine((False,), "new", "fd_array[3]", "file", 0x20, (("f_op", "socket_file_ops", None), ("f_count", "1", None))),
    TreeLine((False, True), "changed", "sk", "tcp_sock", 0x30,
             (("sk_state", "TCP_LISTEN", "TCP_CLOSE"), ("sk_prot", "tcp_prot", None)), "… f_inode"),
    TreeLine((True,), "folded", "", "", 0, (), "… 4 more: fd_array[0] to [3]"),
]  # fmt: skip


def drawn(style: Style) -> list[str]:
    return [text_of(line) for line in draw_tree(LINES, style)]


def test_boxes() -> None:
    assert drawn(Style()) == [
        '  task_struct 0x10  pid 1  comm "init"',
        "+ ├─ fd_array[3] ─ file 0x20  f_op socket_file_ops  f_count 1",
        "~ │  └─ sk ─ tcp_sock 0x30  sk_state TCP_CLOSE → TCP_LISTEN  sk_prot tcp_prot  … f_inode",
        "  └─ … 4 more: fd_array[0] to [3]",
    ]


def test_what_does_not_fit_goes_on_below() -> None:
    assert drawn(Style(width=44)) == [
        '  task_struct 0x10  pid 1  comm "init"',
        "+ ├─ fd_array[3] ─ file 0x20",
        "  │  │  f_op socket_file_ops  f_count 1",
        "~ │  └─ sk ─ tcp_sock 0x30",
        "  │        sk_state TCP_CLOSE → TCP_LISTEN",
        "  │        sk_prot tcp_prot  … f_inode",
        "  └─ … 4 more: fd_array[0] to [3]",
    ]


def test_an_address_that_does_not_fit_is_its_end() -> None:
    line = TreeLine((False,), "new", "fd_array[3]", "file", 0xFFFF888003A51100, (("f_count", "1", None),))
    narrow = [text_of(row) for row in draw_tree([line], Style(width=36))]
    assert narrow == ["+ ├─ fd_array[3] ─ file …a51100", "  │     f_count 1"]
    assert text_of(next(draw_tree([line], Style(width=60)))) == "+ ├─ fd_array[3] ─ file 0xffff888003a51100  f_count 1"


@pytest.mark.parametrize("width", range(44, 140, 7))
def test_no_line_is_wider_than_the_screen(width: int) -> None:
    assert max(width_of(line) for line in draw_tree(LINES, Style(width=width))) <= width


def test_ascii() -> None:
    assert drawn(Style("ascii"))[1:3] == [
        "+ |- fd_array[3] - file 0x20  f_op socket_file_ops  f_count 1",
        "~ |  `- sk - tcp_sock 0x30  sk_state TCP_CLOSE -> TCP_LISTEN  sk_prot tcp_prot  ... f_inode",
    ]
    assert all(text.isascii() for text in drawn(Style("ascii")))


def test_words_for_a_screen_reader() -> None:
    assert drawn(Style("words")) == [
        'level 0, task_struct 0x10: pid 1, comm "init"',
        "level 1, new: fd_array[3], file 0x20: f_op socket_file_ops, f_count 1",
        "level 2, changed: sk, tcp_sock 0x30: sk_state was TCP_CLOSE, now TCP_LISTEN, sk_prot tcp_prot, not shown: f_inode",
        "level 1: and 4 more: fd_array[0] to [3]",
    ]


def test_a_style_has_known_glyphs() -> None:
    with pytest.raises(ValueError, match="boxes, ascii, words"):
        Style("fancy")


def test_wide_text_counts_two_columns_and_hostile_text_stays_on_its_line() -> None:
    hostile = TreeLine((), "", "", "file", 0x10, (("name", '"漢字\n\x1b[2J"', None),))
    (line,) = draw_tree([hostile])
    assert text_of(line) == 'file 0x10  name "漢字\\n\\x1b[2J"'
    assert width_of(line) == len(text_of(line)) + 2
