"""Finding sockets that only messages in each other's queues keep alive (net/unix/garbage.c).

A socket in flight is a vertex, a message that carries it an edge to the receiver. A strongly connected
component whose vertices have no reference from outside is dead; its queues are thrown away.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, cast

from kshell.abi.socket import PF_UNIX
from kshell.abi.stat import S_ISSOCK
from kshell.abi.tcp import TCP_LISTEN
from kshell.linux.include.linux.fs import FMODE_PATH, file_count
from kshell.linux.include.linux.net import SOCKET_I
from kshell.linux.include.linux.skbuff import sk_buff_head, skb_queue_splice_tail_init
from kshell.linux.include.linux.workqueue import work_struct
from kshell.linux.include.net.af_unix import UNIXCB, unix_edge, unix_sk, unix_vertex
from kshell.linux.kernel.workqueue import schedule_work
from kshell.linux.mm.slab_common import kfree, kzalloc
from kshell.linux.net.core.skbuff import __skb_queue_purge

if TYPE_CHECKING:
    from kshell.linux.include.linux.fs import file
    from kshell.linux.include.net.af_unix import unix_sock
    from kshell.linux.include.net.scm import scm_fp_list
    from kshell.linux.init.kernel import Kernel

SIZEOF_VERTEX: Final = 72
UNIX_VERTEX_INDEX_MARK1: Final = 0
UNIX_VERTEX_INDEX_MARK2: Final = 1
UNIX_VERTEX_INDEX_START: Final = 2
UNIX_INFLIGHT_TRIGGER_GC: Final = 16000


class unix_gc_state:
    """The collector's variables: the graph's vertices, and what is known about them."""

    __slots__ = (
        "gc_in_progress", "unix_gc_work", "unix_graph_grouped", "unix_graph_maybe_cyclic", "unix_unvisited_vertices",
        "unix_vertex_grouped_index", "unix_vertex_max_scc_index", "unix_vertex_unvisited_index",
        "unix_visited_vertices",
    )  # fmt: skip

    unix_gc_work: work_struct

    def __init__(self) -> None:
        self.gc_in_progress = self.unix_graph_maybe_cyclic = self.unix_graph_grouped = False
        self.unix_unvisited_vertices: dict[unix_vertex, None] = {}
        self.unix_visited_vertices: dict[unix_vertex, None] = {}
        self.unix_vertex_unvisited_index = UNIX_VERTEX_INDEX_MARK1
        self.unix_vertex_grouped_index = UNIX_VERTEX_INDEX_MARK2
        self.unix_vertex_max_scc_index = UNIX_VERTEX_INDEX_START


def unix_get_socket(filp: file) -> unix_sock | None:
    """The AF_UNIX socket behind a file, if it is one."""
    inode = filp.f_inode
    if not S_ISSOCK(inode.i_mode) or filp.f_mode & FMODE_PATH:
        return None
    sock = SOCKET_I(inode)
    if sock.sk is not None and sock.ops is not None and sock.ops.family == PF_UNIX:
        return unix_sk(sock.sk)
    return None


def unix_edge_successor(edge: unix_edge) -> unix_vertex | None:
    """The receiver's vertex; a connection not yet accepted belongs to its listener."""
    successor = edge.successor
    return (successor.listener or successor).vertex


def unix_update_graph(gc: unix_gc_state, vertex: unix_vertex | None) -> None:
    """A receiver that is itself in flight may close a cycle."""
    if vertex is not None:
        gc.unix_graph_maybe_cyclic = True
        gc.unix_graph_grouped = False


def unix_add_edge(gc: unix_gc_state, fpl: scm_fp_list, edge: unix_edge) -> None:
    """Enter one socket in flight."""
    vertex = edge.predecessor.vertex
    if vertex is None:
        vertex = edge.predecessor.vertex = fpl.vertices.pop()
        gc.unix_vertex_max_scc_index += 1
        vertex.index = gc.unix_vertex_unvisited_index
        vertex.scc_index = gc.unix_vertex_max_scc_index
        vertex._component = None
        gc.unix_unvisited_vertices[vertex] = None
    vertex.out_degree += 1
    vertex.edges[edge] = None
    unix_update_graph(gc, unix_edge_successor(edge))


def unix_del_edge(gc: unix_gc_state, fpl: scm_fp_list, edge: unix_edge) -> None:
    """One socket is no longer in flight by this message."""
    vertex = edge.predecessor.vertex
    assert vertex is not None
    if not fpl.dead:
        unix_update_graph(gc, unix_edge_successor(edge))
    del vertex.edges[edge]
    vertex.out_degree -= 1
    if not vertex.out_degree:
        edge.predecessor.vertex = None
        gc.unix_unvisited_vertices.pop(vertex, None)
        gc.unix_visited_vertices.pop(vertex, None)
        if vertex._component is not None:
            vertex._component.remove(vertex)
            vertex._component = None
        fpl.vertices.append(vertex)


def unix_free_vertices(kernel: Kernel, fpl: scm_fp_list) -> None:
    """Free the nodes that the message doesn't use."""
    for vertex in fpl.vertices:
        kfree(kernel, vertex, SIZEOF_VERTEX)
    fpl.vertices.clear()


def unix_add_edges(fpl: scm_fp_list, receiver: unix_sock) -> None:
    """A message with files was put into the receiver's queue."""
    kernel = receiver.skc_net.kernel
    if fpl.count_unix:
        for filp in fpl.fp:
            inflight = unix_get_socket(filp)
            if inflight is not None:
                edge = unix_edge(inflight, receiver)
                fpl.edges.append(edge)
                unix_add_edge(kernel.unix_gc_state, fpl, edge)
        receiver.scm_stat.nr_unix_fds += fpl.count_unix
        kernel.unix_tot_inflight += fpl.count_unix
    assert fpl.user is not None
    fpl.user.unix_inflight += fpl.count
    fpl.inflight = True
    unix_free_vertices(kernel, fpl)


def unix_del_edges(fpl: scm_fp_list) -> None:
    """A message with files left its queue."""
    assert fpl.user is not None
    kernel = fpl.user._kernel
    if fpl.count_unix:
        for edge in fpl.edges:
            unix_del_edge(kernel.unix_gc_state, fpl, edge)
        if not fpl.dead:
            fpl.edges[0].successor.scm_stat.nr_unix_fds -= fpl.count_unix
        kernel.unix_tot_inflight -= fpl.count_unix
    fpl.user.unix_inflight -= fpl.count
    fpl.inflight = False


def unix_update_edges(receiver: unix_sock) -> None:
    """A connection was accepted: its listener no longer stands for it."""
    if receiver.scm_stat.nr_unix_fds and receiver.listener is not None:
        unix_update_graph(receiver.skc_net.kernel.unix_gc_state, receiver.listener.vertex)
    receiver.listener = None


def unix_prepare_fpl(kernel: Kernel, fpl: scm_fp_list) -> None:
    """Have a node at hand for each socket in a message."""
    for _ in range(fpl.count_unix):
        fpl.vertices.append(kzalloc(kernel, unix_vertex, SIZEOF_VERTEX))


def unix_destroy_fpl(kernel: Kernel, fpl: scm_fp_list) -> None:
    """The message is gone: take its edges out of the graph."""
    if fpl.inflight:
        unix_del_edges(fpl)
    fpl.edges.clear()
    unix_free_vertices(kernel, fpl)


def unix_vertex_dead(vertex: unix_vertex) -> bool:
    """Whether only messages within the vertex's own component hold the socket."""
    for edge in vertex.edges:
        receiver = unix_edge_successor(edge)
        if receiver is None or receiver.scc_index != vertex.scc_index:
            return False
    sk = next(iter(vertex.edges)).predecessor
    assert sk.sk_socket is not None
    assert sk.sk_socket.file is not None
    return file_count(sk.sk_socket.file) == vertex.out_degree


def unix_scc_dead(gc: unix_gc_state, scc: list[unix_vertex], fast: bool) -> bool:
    """Whether nobody outside can reach the component any more."""
    scc_dead = True
    for vertex in scc:
        gc.unix_unvisited_vertices.pop(vertex, None)
        gc.unix_visited_vertices[vertex] = None
        if not fast:
            vertex.index = gc.unix_vertex_grouped_index
        if scc_dead:
            scc_dead = unix_vertex_dead(vertex)
    return scc_dead


def unix_collect_skb(scc: list[unix_vertex], hitlist: sk_buff_head) -> None:
    """Take all messages that wait at the component's sockets."""
    for vertex in scc:
        sk = next(iter(vertex.edges)).predecessor
        queue = sk.sk_receive_queue
        if sk.sk_state == TCP_LISTEN:
            for skb in queue:
                assert skb.sk is not None
                skb_queue_splice_tail_init(skb.sk.sk_receive_queue, hitlist)
        else:
            skb_queue_splice_tail_init(queue, hitlist)


def unix_scc_cyclic(scc: list[unix_vertex]) -> bool:
    """Whether the component could become garbage later."""
    if len(scc) > 1:
        return True
    return any(unix_edge_successor(edge) is scc[0] for edge in scc[0].edges)


def _finish_scc(gc: unix_gc_state, scc: list[unix_vertex], hitlist: sk_buff_head) -> None:
    for member in scc:
        member._component = scc
    if unix_scc_dead(gc, scc, False):
        unix_collect_skb(scc, hitlist)
        return
    gc.unix_vertex_max_scc_index = max(gc.unix_vertex_max_scc_index, scc[0].scc_index)
    if not gc.unix_graph_maybe_cyclic:
        gc.unix_graph_maybe_cyclic = unix_scc_cyclic(scc)


def __unix_walk_scc(gc: unix_gc_state, vertex: unix_vertex, last_index: int, hitlist: sk_buff_head) -> int:
    vertex_stack: list[unix_vertex] = []
    path: list[tuple[unix_vertex, Iterator[unix_edge]]] = []

    def push(entered: unix_vertex) -> None:
        nonlocal last_index
        vertex_stack.append(entered)
        entered.index = entered.scc_index = last_index
        last_index += 1
        path.append((entered, iter(entered.edges)))

    push(vertex)
    while path:
        vertex, edges = path[-1]
        for edge in edges:
            successor = unix_edge_successor(edge)
            if successor is None or successor.index == gc.unix_vertex_grouped_index:
                continue
            if successor.index == gc.unix_vertex_unvisited_index:
                push(successor)
                break
            vertex.scc_index = min(vertex.scc_index, successor.scc_index)
        else:
            path.pop()
            if path:
                path[-1][0].scc_index = min(path[-1][0].scc_index, vertex.scc_index)
            if vertex.index == vertex.scc_index:
                at = vertex_stack.index(vertex)
                scc = vertex_stack[at:]
                del vertex_stack[at:]
                _finish_scc(gc, scc, hitlist)
    return last_index


def unix_walk_scc(gc: unix_gc_state, hitlist: sk_buff_head) -> None:
    """Group the graph into strongly connected components (Tarjan) and collect the dead ones."""
    last_index = UNIX_VERTEX_INDEX_START
    gc.unix_graph_maybe_cyclic = False
    gc.unix_vertex_max_scc_index = UNIX_VERTEX_INDEX_START
    while gc.unix_unvisited_vertices:
        vertex = next(iter(gc.unix_unvisited_vertices))
        last_index = __unix_walk_scc(gc, vertex, last_index, hitlist)
    gc.unix_unvisited_vertices, gc.unix_visited_vertices = gc.unix_visited_vertices, {}
    gc.unix_vertex_unvisited_index, gc.unix_vertex_grouped_index = (
        gc.unix_vertex_grouped_index,
        gc.unix_vertex_unvisited_index,
    )
    gc.unix_graph_grouped = True


def unix_walk_scc_fast(gc: unix_gc_state, hitlist: sk_buff_head) -> None:
    """Look at the known components again: no message changed them."""
    gc.unix_graph_maybe_cyclic = False
    while gc.unix_unvisited_vertices:
        vertex = next(iter(gc.unix_unvisited_vertices))
        scc = vertex._component or [vertex]
        if unix_scc_dead(gc, scc, True):
            unix_collect_skb(scc, hitlist)
        elif not gc.unix_graph_maybe_cyclic:
            gc.unix_graph_maybe_cyclic = unix_scc_cyclic(scc)
    gc.unix_unvisited_vertices, gc.unix_visited_vertices = gc.unix_visited_vertices, {}


async def __unix_gc(work: work_struct) -> None:
    kernel = cast("Kernel", work._owner)
    gc = kernel.unix_gc_state
    gc.gc_in_progress = True
    if gc.unix_graph_maybe_cyclic:
        hitlist = sk_buff_head()
        if gc.unix_graph_grouped:
            unix_walk_scc_fast(gc, hitlist)
        else:
            unix_walk_scc(gc, hitlist)
        for skb in hitlist:
            fpl = UNIXCB(skb).fp
            if fpl is not None:
                fpl.dead = True
        __skb_queue_purge(hitlist)
    gc.gc_in_progress = False


def _new_gc_state(kernel: Kernel) -> unix_gc_state:
    gc = unix_gc_state()
    gc.unix_gc_work = work_struct(__unix_gc, kernel)
    return gc


def unix_gc(kernel: Kernel) -> None:
    """Have a worker collect the garbage."""
    kernel.unix_gc_state.gc_in_progress = True
    schedule_work(kernel, kernel.unix_gc_state.unix_gc_work)


def wait_for_unix_gc(kernel: Kernel, fpl: scm_fp_list | None) -> None:
    """Start the collector when very many sockets are in flight."""
    if kernel.unix_tot_inflight > UNIX_INFLIGHT_TRIGGER_GC and not kernel.unix_gc_state.gc_in_progress:
        unix_gc(kernel)
