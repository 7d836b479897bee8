"""`graph`: the textbook figure of kernel objects and their pointers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from os.path import expanduser
from typing import TYPE_CHECKING, Final

from kshell.lens.graph import figures
from kshell.lens.graph.bands import in_bands
from kshell.lens.graph.layout import Layout, Places, layout
from kshell.lens.graph.model import Graph
from kshell.lens.graph.network import network
from kshell.lens.graph.terminal import draw_graph, said_graph
from kshell.lens.style import Line, Style
from kshell.session.commands import CommandError, command
from kshell.session.descriptors import descriptor_of
from kshell.session.events import Drawing
from kshell.session.expressions import object_of_text
from kshell.session.outside import write_text

if TYPE_CHECKING:
    from kshell.session.session import Session

Build = Callable[[int], Graph]
FORMATS: Final = (".svg", ".dot", ".mmd")
_FILE: Final = re.compile(r"(?:^|\s)>\s*(\S+)\s*$")


@command("graph fd N|fds|task [NAME]|tcp|inetsw|net|pair N M|EXPR [> FILE.svg|.dot|.mmd]", section="look", completion="graph")
def do_graph(session: Session, arguments: str) -> None:
    """Draw kernel objects and their pointers as a figure.

    graph fd 3       a descriptor: fd_array, file, inode, socket, sock with its queues
    graph fds        a process and its open files
    graph task       the task: its parent, credentials, directories, namespaces, files
    graph tcp        TCP's sockets, in the hash tables where segments and bind() find them
    graph inetsw     net_families and inetsw: where socket() finds its functions
    graph net        the hosts, their devices and addresses, and the links between them
    graph pair 3 4   two descriptors and what joins them: a connection, a pipe
    graph EXPR       any object that a C expression gives
    graph fd 3 > FILE.svg    as a picture; FILE.dot for Graphviz, FILE.mmd for Mermaid

    An object keeps its place from one figure to the next.
    """
    redirected = _FILE.search(arguments)
    what, file = (arguments[: redirected.start()], redirected[1]) if redirected else (arguments, "")
    if file and not file.endswith(FORMATS):
        raise CommandError(f"{file}: what format is that?", "the name of the file ends in .svg, .dot or .mmd")
    if not what.strip():
        raise CommandError("graph wants to know of what", "for example: graph fd 3; help graph lists all")
    kind, build = _figure(session, what.strip())
    graphs = [build(detail) for detail in figures.DETAILS]
    layouts = [layout(graph, _places(session, f"{kind} {detail}")) for detail, graph in enumerate(graphs)]
    if file:
        _write(file, graphs[0], layouts[0])
        session.say(f"wrote {file}")
    else:
        session.emit(Drawing, _Figure(graphs, layouts, session.bands.setdefault(kind, {})))


def _places(session: Session, kind: str) -> Places:
    """Where objects stood in the figures of that kind before."""
    return session.places.setdefault(kind, Places())


class _Figure:
    """A figure that is drawn in as much detail as the screen has room for; in bands if it has none."""

    def __init__(self, graphs: list[Graph], layouts: list[Layout], places: dict[int, Places]) -> None:
        self.graphs = graphs
        self.layouts = layouts
        self.places = places

    def __call__(self, style: Style) -> Iterator[Line]:
        if style.words:
            yield from said_graph(self.graphs[0])
            return
        fitting = (found for found in self.layouts if not style.width or found.width <= style.width)
        whole = next(fitting, None)
        if whole is not None:
            yield from draw_graph(whole, style)
            return
        for index, band in enumerate(in_bands(self.graphs[1], self.layouts[1], style.width, self.places)):
            if index:
                yield []
            yield from draw_graph(band, style)


def _figure(session: Session, text: str) -> tuple[str, Build]:
    """Which figure is meant: its kind, and what makes it in a given detail."""
    word, *rest = text.split()
    if word == "fd" and len(rest) == 1:
        number, file = descriptor_of(session, rest[0])
        return text, lambda detail: figures.fd(session.task, number, file, detail)
    if word == "pair" and len(rest) == 2:
        (a, first), (b, second) = (descriptor_of(session, one) for one in rest)
        return text, lambda detail: figures.pair(session.task, (a, b), (first, second), detail)
    if word in ("task", "fds") and len(rest) < 2:
        task = session.find_task(rest[0]) if rest else session.task
        if task.files is None:
            raise CommandError(f"task {task.comm} has no open files: it is gone")
        return text, lambda detail: figures.FIGURES[word](task, detail)
    if word == "net" and not rest:
        return text, lambda detail: network(session.machines, detail)
    if word in ("tcp", "inetsw") and not rest:
        return text, lambda detail: figures.FIGURES[word](session.kernel, detail)
    if word in figures.FIGURES:
        raise CommandError(f"graph {word}: one descriptor" if word == "fd" else f"graph {word} takes other arguments",
                           "for example: graph fd 3, graph pair 3 4, graph task init")  # fmt: skip
    value = object_of_text(session, text)
    return text, lambda detail: figures.of_object(value, detail)


def _write(name: str, graph: Graph, placed: Layout) -> None:
    if name.endswith(".svg"):
        from kshell.lens.graph.svg import to_svg

        text = to_svg(placed)
    elif name.endswith(".dot"):
        from kshell.lens.graph.dot import to_dot

        text = to_dot(graph)
    else:
        from kshell.lens.graph.mermaid import to_mermaid

        text = to_mermaid(graph)
    write_text(expanduser(name), text)
