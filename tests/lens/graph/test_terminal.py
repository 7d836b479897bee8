"""Figures in the terminal, exactly."""

from kshell.lens.graph.layout import layout
from kshell.lens.graph.model import Box, Graph, Row
from kshell.lens.graph.terminal import draw_graph, said_graph
from kshell.lens.style import Style, text_of, width_of


def example() -> Graph:
    graph = Graph("example")
    graph.add(Box("files", "files_struct", "0x10", [Row("next_fd", "5")]))
    graph.add(Box("a", "file", "0x20", [Row("f_op", "tty_fops")]))
    graph.add(Box("b", "file", "0x30", [Row("f_op", '"漢字\n\x1b[2J"')]))
    graph.add(Box("ops", "tcp_prot", kind="static"))
    graph.point("files", "fd_array[0]", "a")
    graph.point("files", "fd_array[1]", "a")
    graph.point("files", "fd_array[3]", "b")
    graph.link("b", "ops", "uses", dashed=True)
    return graph


def drawn(style: Style) -> list[str]:
    return [text_of(line).rstrip() for line in draw_graph(layout(example()), style)]


def test_boxes_and_arrows() -> None:
    assert drawn(Style()) == [
        "┌ files_struct 0x10 ┐",
        "│ next_fd  5        │      ┌ file 0x20 ─────┐",
        "│ fd_array[0]     ● ├─┬───▶│ f_op  tty_fops │",
        "│ fd_array[1]     ● ├─┘    └────────────────┘",
        "│ fd_array[3]     ● ├─┐",
        "└───────────────────┘ │    ┌ file 0x30 ────────────┐        ╭ tcp_prot ╮",
        '                      └───▶│ f_op  "漢字\\n\\x1b[2J" │╌ uses ▶│          │',
        "                           └───────────────────────┘        ╰──────────╯",
    ]


def test_wide_text_leaves_the_frame_in_its_place() -> None:
    lines = list(draw_graph(layout(example()), Style()))
    assert width_of(lines[5]) == width_of(lines[6]) == width_of(lines[7])


def test_ascii() -> None:
    lines = drawn(Style("ascii"))
    assert lines[2] == "| fd_array[0]     * +-+--->| f_op  tty_fops |"
    assert all(char.isascii() or char in "漢字" for line in lines for char in line)


def test_what_is_wider_than_the_screen_is_cut_and_said_to_be() -> None:
    lines = list(draw_graph(layout(example()), Style(width=40)))
    assert max(width_of(line) for line in lines) <= 40
    assert "columns wide" in text_of(lines[-1])


def test_words_for_a_screen_reader() -> None:
    assert [text_of(line) for line in said_graph(example())][:8] == [
        "files_struct 0x10:",
        "  next_fd 5",
        "  fd_array[0], points to file 0x20",
        "  fd_array[1], points to file 0x20",
        "  fd_array[3], points to file 0x30",
        "file 0x20:",
        "  f_op tty_fops",
        "file 0x30:",
    ]
