"""Snapshots: what did not change between two of them is one object."""

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
