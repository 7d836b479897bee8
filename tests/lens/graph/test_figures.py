"""The textbook figures, from live objects."""

import pytest

from kshell.lens.graph import figures
from kshell.lens.graph.model import Graph
from kshell.session.session import Session

SETUP = """\
fd = socket(AF_INET, SOCK_STREAM, 0)
bind(fd, {AF_INET, 8080, "127.0.0.1"}, 16)
listen(fd, 5)
c = socket(AF_INET, SOCK_STREAM, 0)
connect(c, {AF_INET, 8080, "127.0.0.1"}, 16)
a = accept(fd, NULL, NULL)
write(c, "hello", 5)
socketpair(AF_UNIX, SOCK_STREAM, 0, [6, 7])
write(6, "one", 3)
write(6, "two", 3)
pipe([8, 9])
write(9, "abc", 3)
dup(8)
"""


@pytest.fixture(scope="module")
def session() -> Session:
    made = Session()
    made.run(SETUP)
    assert not made.errors
    return made


def arrows(graph: Graph) -> set[tuple[str, str, str]]:
    """Source struct, field, target struct of every edge."""
    return {
        (graph.boxes[e.source].title, graph.boxes[e.source].rows[e.row].name if e.row >= 0 else e.label,
         graph.boxes[e.target].title)
        for e in graph.edges
    }  # fmt: skip


def file(session: Session, fd: int) -> object:
    return session.task.files.fdt.fd[fd]


def test_fd_array_to_socket_to_sock_with_its_queues(session: Session) -> None:
    graph = figures.fd(session.task, 5, file(session, 5))
    assert arrows(graph) == {
        ("files_struct", "fd_array[5]", "file"), ("file", "f_inode", "inode"), ("file", "private_data", "socket"),
        ("socket", "sk", "tcp_sock"), ("tcp_sock", "sk_receive_queue", "sk_buff"),
        ("tcp_sock", "icsk_bind_hash", "inet_bind_bucket"),
    }  # fmt: skip
    skb = next(box for box in graph.boxes.values() if box.title == "sk_buff")
    assert ("data", '"hello"') in [(row.name, row.text) for row in skb.rows]


def test_a_queue_is_a_list_of_packets(session: Session) -> None:
    graph = figures.fd(session.task, 7, file(session, 7))
    assert ("unix_sock", "sk_receive_queue", "sk_buff") in arrows(graph)
    assert ("sk_buff", "next", "sk_buff") in arrows(graph)


def test_a_process_and_its_open_files(session: Session) -> None:
    graph = figures.fds(session.task)
    assert {(a, b) for a, _, b in arrows(graph)} == {
        ("task_struct", "files_struct"), ("files_struct", "file"), ("file", "inode"), ("file", "dentry"),
    }  # fmt: skip
    pointed = [edge.target for edge in graph.edges if graph.boxes[edge.source].title == "files_struct"]
    assert len(pointed) == 11
    assert len(set(pointed)) == 8, "three descriptors share the terminal's file, two the pipe's read end"


def test_net_families_and_inetsw(session: Session) -> None:
    graph = figures.inetsw(session.kernel)
    found = arrows(graph)
    assert ("net_families[]", "[AF_INET]", "inet_family_ops") in found
    assert ("inet_family_ops", "create", "inetsw[]") in found
    assert ("inetsw[]", "[SOCK_STREAM]", "inet_protosw") in found
    assert ("inet_protosw", "prot", "tcp_prot") in found
    assert ("inet_protosw", "ops", "inet_dgram_ops") in found
    assert ("inet_protosw", "list.next", "inet_protosw") in found


def test_two_sockets_connected_over_loopback(session: Session) -> None:
    graph = figures.pair(session.task, (4, 5), (file(session, 4), file(session, 5)))
    assert ("tcp_sock", "lo", "tcp_sock") in arrows(graph)
    columns = [box.column for box in graph.boxes.values() if box.title == "tcp_sock"]
    assert columns == [3, 4]
    assert sorted(box.column or 0 for box in graph.boxes.values() if box.title == "file") == [1, 6]


def test_a_socketpair_and_a_pipe(session: Session) -> None:
    unix = figures.pair(session.task, (6, 7), (file(session, 6), file(session, 7)))
    assert ("unix_sock", "peer", "unix_sock") in arrows(unix)
    pipe = figures.pair(session.task, (8, 9), (file(session, 8), file(session, 9)))
    assert sum(box.title == "pipe_inode_info" for box in pipe.boxes.values()) == 1
    assert ("pipe_inode_info", "bufs[0]", "pipe_buffer") in arrows(pipe)


def test_two_sockets_that_are_not_connected_have_nothing_between_them(session: Session) -> None:
    graph = figures.pair(session.task, (3, 4), (file(session, 3), file(session, 4)))
    assert not any(edge.both for edge in graph.edges)


def test_tcps_hash_tables(session: Session) -> None:
    graph = figures.tcp(session.kernel)
    rows = [row.name.partition("[")[0] for row in graph.boxes["tcp_hashinfo"].rows]
    assert rows == ["lhash2", "ehash", "ehash", "bhash", "bhash"]
    assert ("inet_bind_bucket", "owners[1]", "tcp_sock") in arrows(graph)


def test_a_task(session: Session) -> None:
    found = arrows(figures.process(session.task))
    for name, struct in (("cred", "cred"), ("fs", "fs_struct"), ("files", "files_struct"), ("nsproxy", "nsproxy")):
        assert ("task_struct", name, struct) in found
    assert ("nsproxy", "net_ns", "net") in found


@pytest.mark.parametrize("text", ["fd 3", "fd 8", "fds", "task", "task init", "tcp", "inetsw", "pair 4 5", "pair 8 9",
                                  "current->files", "fd(3)->private_data", "init_net.loopback_dev"])  # fmt: skip
@pytest.mark.parametrize("width", [0, 60, 80, 200])
def test_every_figure_can_be_drawn_at_every_width(session: Session, text: str, width: int) -> None:
    from kshell.lens.style import Style, width_of

    (event,) = (e for e in session.run(f"graph {text}") if e.kind == "output")
    lines = list(event.draw(Style(width=width)))  # type: ignore[attr-defined]
    assert lines
    assert not width or max(width_of(line) for line in lines) <= width


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("graph", "graph wants to know of what"), ("graph fd 99", "descriptor 99 is not open in init"),
        ("graph fd", "graph fd: one descriptor"), ("graph pair 3", "graph pair takes other arguments"),
        ("graph fd 3 > x.bmp", "x.bmp: what format is that?"), ("graph 3 + 4", "3 + 4 is no object: 7"),
        ("graph fds > /nowhere/x.svg", "can't write /nowhere/x.svg: No such file or directory"),
    ],
)  # fmt: skip
def test_what_cannot_be_drawn(text: str, message: str) -> None:
    (error,) = (e for e in Session().run(text) if e.kind == "error")
    assert error.message == message  # type: ignore[attr-defined]


def test_an_object_keeps_its_place_from_step_to_step() -> None:
    session = Session()
    session.run("a = socket(AF_INET, SOCK_STREAM, 0)\nb = socket(AF_INET, SOCK_DGRAM, 0)\ngraph fds")
    before = dict(session.places["fds 0"].at)
    session.run("close(a)\nc = pipe([5, 6])\ngraph fds")
    after = session.places["fds 0"].at
    assert all(after[key] == at for key, at in before.items())
    assert len(after) > len(before)
