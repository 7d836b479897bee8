"""What drawing costs: a tree of 60 lines against plain ANSI text of the same lines, and against rich.Tree."""

import statistics

from lib.bench import PROGRAMS, Figure, program

PROGRAMS["drawing"] = """
import io, time
from kshell.lens.draw import draw_tree
from kshell.lens.style import Style
from kshell.lens.tree import full_lines
from kshell.lens.objects import object_node
from kshell.session.session import Session
from kshell.shell.plain import PlainText, STYLES, RESET
from rich.console import Console
from rich.text import Text
from rich.tree import Tree

session = Session()
session.run("socket(AF_INET, SOCK_STREAM, 0)\\n" * 18)
node = object_node("", session.task)
lines = (full_lines(node) * 9)[:60]
assert len(lines) == 60
view = PlainText(frozenset({"objects"}), colour=True, width=200)
style = Style(width=200)

def ours():
    return "\\n".join([view.paint.line(line) for line in draw_tree(lines, style)])

texts = [("".join(t for _, t in line), "new") for line in draw_tree(lines, style)]
codes = STYLES

def plain():
    return "\\n".join([f"{codes[kind]}{text}{RESET}" for text, kind in texts])

def rich_tree():
    console = Console(file=io.StringIO(), force_terminal=True, width=200, color_system="standard")
    stack = [Tree("tasks")]
    for line in lines:
        label = Text.assemble((line.path + " ", ""), (line.struct, "bold"), (f" {line.address:#x}", "dim"),
                              "  " + "  ".join(f"{f.name} {f.text}" for f in line.fields))
        depth = len(line.last) + 1
        del stack[depth:]
        stack.append(stack[depth - 1].add(label))
    console.print(stack[0])
    return console.file.getvalue()

def took(function, times):
    start = time.perf_counter()
    for _ in range(times):
        function()
    return (time.perf_counter() - start) / times * 1e6

assert len(ours().split("\\n")) >= 60 <= len(rich_tree().split("\\n"))
samples = [(took(plain, 100), took(ours, 10), took(plain, 100), took(rich_tree, 1)) for _ in range(25)]
best = [min(column) for column in zip(*samples)]  # what other programs on the machine take is no cost of drawing
print(best[1], min(best[0], best[2]), best[3])
"""


def figures(rounds: int) -> list[Figure]:
    """The ratios of the issue, medians of several processes."""
    rows = [program("drawing") for _ in range(max(1, rounds // 2))]
    ours, plain, rich = (statistics.median(column) for column in zip(*rows, strict=True))
    return [
        Figure("60-line tree", ours / plain, "x plain ANSI text", 30, f"{ours:.0f} µs against {plain:.0f} µs"),
        Figure("60-line tree, rich", ours / rich, "x rich.Tree", 1 / 8, f"{ours:.0f} µs against {rich:.0f} µs"),
    ]
