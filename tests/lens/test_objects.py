"""Snapshots: what did not change between two of them is one object."""

from random import Random

import pytest

from kshell.lens.objects import Node, Snapshot, snapshot
from kshell.session.session import Session


def taken(session: Session, before: Snapshot | None = None) -> Snapshot:
    return snapshot([session.task], before)


def files(seen: Snapshot) -> dict[str, Node]:
    (task,) = seen.roots
    (below,) = (child for child in task.children if child.edge == "files")
    return {child.edge: child for child in below.children}


def test_nothing_changed_gives_the_same_tree() -> None:
    session = Session()
    session.run("socket(AF_INET, SOCK_STREAM, 0)\npipe([r, w])")
    before = taken(session)
    after = taken(session, before)
    assert after.roots[0] is before.roots[0]
    assert after.nodes == before.nodes
    assert taken(session).roots[0] is not before.roots[0]


def test_a_change_makes_new_what_leads_to_it_alone() -> None:
    session = Session()
    session.run("socket(AF_INET, SOCK_STREAM, 0)\nsocket(AF_INET, SOCK_STREAM, 0)")
    before = taken(session)
    session.run("listen(4, 5)")
    was, now = files(before), files(taken(session, before))
    assert {edge for edge in now if now[edge] is not was[edge]} == {"fd_array[4]"}
    assert now["fd_array[4]"].children[0] is was["fd_array[4]"].children[0], "f_inode"


def test_files_that_stand_elsewhere_now_are_found_by_their_descriptors() -> None:
    session = Session()
    session.run("pipe([r, w])\nsocket(AF_INET, SOCK_STREAM, 0)")
    before = taken(session)
    session.run("close(3)\nclose(4)")
    was, now = files(before), files(taken(session, before))
    assert now["fd_array[5]"] is was["fd_array[5]"]


def test_another_object_in_the_same_place_is_not_shared() -> None:
    session = Session()
    session.run("fd = socket(AF_INET, SOCK_STREAM, 0)")
    before = taken(session)
    session.run("close(3)\nsocket(AF_INET, SOCK_STREAM, 0)")
    was, now = files(before)["fd_array[3]"], files(taken(session, before))["fd_array[3]"]
    assert (now.address, now.fields) == (was.address, was.fields), "the same slot of the slab"
    assert now is not was


@pytest.mark.parametrize(
    ("commands", "opened"),
    [
        ('mkdir("/tmp/a", 0755)\nopen("/tmp/a/f", O_RDWR|O_CREAT, 0644)', "f"),
        ('mkdir("/tmp/a", 0755)\nmkdir("/tmp/a/m", 0755)\nmount("none", "/tmp/a/m", "tmpfs", 0, NULL)\n'
         'open("/tmp/a/m", O_RDONLY|O_DIRECTORY)', "m"),
    ],
)  # fmt: skip
def test_a_file_is_called_by_its_new_name_when_a_directory_above_it_has_moved(commands: str, opened: str) -> None:
    session = Session()
    session.run(commands)
    before = taken(session)
    session.run('rename("/tmp/a", "/tmp/b")')
    was, now = files(before)["fd_array[3]"], files(taken(session, before))["fd_array[3]"]
    assert [was.children[0].note, now.children[0].note] == [f"/tmp/a/{opened}", f"/tmp/b/{opened}"]


CALLS = (
    "socket(AF_INET, SOCK_STREAM, 0)", "socket(AF_UNIX, SOCK_DGRAM, 0)", "socketpair(AF_UNIX, SOCK_STREAM, 0, [x, y])",
    "pipe([r, w])", "eventfd2(3, 0)", "epoll_create1(0)", 'open("/tmp/f", O_RDWR|O_CREAT, 0644)', 'mkdir("/tmp/d", 0755)',
    'rename("/tmp/d", "/tmp/e")', 'rename("/tmp/f", "/tmp/d/f")', 'rename("/tmp/e", "/tmp/d")', 'chdir("/tmp/d")',
    'open("/tmp/d", O_RDONLY|O_DIRECTORY)', 'mount("none", "/tmp/d", "tmpfs", 0, NULL)', "umask(077)", "setuid(7)",
    'bind({}, {{AF_INET, 8000, "127.0.0.1"}}, 16)', "listen({}, 2)", 'connect({}, {{AF_INET, 8000, "127.0.0.1"}}, 16)',
    "accept4({}, NULL, NULL, SOCK_NONBLOCK)", 'write({}, "hello", 5)', "read({}, ..., 3)", "recv({}, ..., 9, MSG_DONTWAIT)",
    "close({})", "close({})", "dup({})", "dup2({}, {})", "shutdown({}, SHUT_WR)", "fcntl({}, F_SETFL, O_NONBLOCK)",
    "fcntl({}, F_SETOWN, 1)", "setsockopt({}, SOL_SOCKET, SO_REUSEADDR, [1], 4)", "lseek({}, 3, SEEK_SET)",
    "epoll_ctl({}, EPOLL_CTL_ADD, {}, {{EPOLLIN, 1}})", "epoll_ctl({}, EPOLL_CTL_DEL, {}, NULL)",
)  # fmt: skip


def told(node: Node) -> tuple[object, ...]:
    """All that a node says, with what is below it."""
    below = [told(child) for child in node.children]
    return node.edge, node.note, node.identity, id(node.value), node.raw, node.more, below


@pytest.mark.parametrize("seed", range(12))
def test_what_is_shared_with_the_snapshot_before_is_what_a_fresh_one_sees(seed: int) -> None:
    """No change is missed: after every one of many random calls, of two tasks that share files."""
    r = Random(seed)
    session = Session()
    session.run("@kid getpid()\nsocketpair(AF_UNIX, SOCK_STREAM, 0, [x, y])")
    seen = None
    for _ in range(60):
        text = r.choice(("", "", "@kid ")) + r.choice(CALLS).format(*(r.randrange(3, 9) for _ in range(2)))
        session.run(text)
        tasks = [user.task for user in session.tasks]
        seen, fresh = snapshot(tasks, seen), snapshot(tasks)
        assert [told(root) for root in seen.roots] == [told(root) for root in fresh.roots], text
        assert seen.nodes.keys() == fresh.nodes.keys()
        met = [node for root in seen.roots for node in root.walk() if seen.nodes[node.identity] is node]
        assert len(met) == len(seen.nodes), "every object was met first in one place of the tree"


def test_clones_of_a_packet_that_share_its_place_are_looked_at_one_by_one() -> None:
    """The sender keeps a clone of what the receiver has not read yet."""
    session = Session()
    session.run('a = socket(AF_INET, SOCK_STREAM, 0)\nbind(a, {AF_INET, 8000, "127.0.0.1"}, 16)\nlisten(a, 5)\n'
                'b = socket(AF_INET, SOCK_STREAM, 0)\nconnect(b, {AF_INET, 8000, "127.0.0.1"}, 16)\n'
                'c = accept(a, NULL, NULL)\nwrite(b, "hello", 5)')  # fmt: skip
    before = taken(session)
    session.run("read(c, ..., 2)\nwrite(b, \"more\", 4)\nread(c, ..., 9)")
    after, fresh = taken(session, before), taken(session)
    assert [told(root) for root in after.roots] == [told(root) for root in fresh.roots]
