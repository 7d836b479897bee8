"""What was typed is on disk before it runs, each session in a file of its own."""

from pathlib import Path

import pytest

from kshell.shell.journal import KEPT, Journal, last_session


def resumed(directory: Path) -> list[str]:
    found = last_session(directory)
    return found.commands if found is not None else []


def written(directory: Path, *texts: str) -> Path:
    """The file of a session that is over."""
    journal = Journal(directory=directory)
    for text in texts:
        journal.add(text)
    path = journal.path
    assert path is not None
    journal.close()
    return path


def test_commands_are_on_disk_at_once(tmp_path: Path) -> None:
    journal = Journal(directory=tmp_path)
    for text in ("socket(AF_INET, SOCK_STREAM, 0)", "write(3,\n 0x1, 2)", "ñ\x1b[31m"):
        journal.add(text)
        assert journal.path is not None
        assert journal.path.read_bytes().endswith(b'"\n')
    journal.close()
    assert resumed(tmp_path) == ["socket(AF_INET, SOCK_STREAM, 0)", "write(3,\n 0x1, 2)", "ñ\x1b[31m"]


def test_the_last_session_is_resumed_and_goes_on_in_its_file(tmp_path: Path) -> None:
    written(tmp_path, "a")
    path = written(tmp_path, "b")
    found = last_session(tmp_path)
    assert found is not None
    assert (found.path, found.commands) == (path, ["b"])
    journal = Journal(directory=tmp_path, resumed=found)
    journal.add("c")
    journal.close()
    assert resumed(tmp_path) == ["b", "c"]


def test_a_session_without_commands_leaves_nothing(tmp_path: Path) -> None:
    written(tmp_path, "a")
    Journal(directory=tmp_path).close()
    assert resumed(tmp_path) == ["a"]


def test_a_living_session_is_not_resumed(tmp_path: Path) -> None:
    written(tmp_path, "over")
    alive = Journal(directory=tmp_path)
    alive.add("alive")
    assert resumed(tmp_path) == ["over"]
    alive.close()
    assert resumed(tmp_path) == ["alive"]


def test_seed_and_settings_come_back(tmp_path: Path) -> None:
    journal = Journal(7, {"abi": "x86_64"}, tmp_path)
    journal.add("ps")
    journal.close()
    found = last_session(tmp_path)
    assert found is not None
    assert (found.seed, found.settings) == (7, {"abi": "x86_64"})


def test_a_command_that_was_broken_off_is_left_out(tmp_path: Path) -> None:
    journal = Journal(directory=tmp_path)
    journal.add("a")
    journal.add("sleep 1000h")
    journal.drop()
    journal.close()
    assert resumed(tmp_path) == ["a"]


@pytest.mark.parametrize("damage", [b'"cut of', b'"cut of\n\xff\xfe', b"\0\0\0"])
def test_a_damaged_end_is_left_out(tmp_path: Path, damage: bytes) -> None:
    path = written(tmp_path, "a")
    path.write_bytes(path.read_bytes() + damage)
    found = last_session(tmp_path)
    assert found is not None
    assert found.commands == ["a"]
    journal = Journal(directory=tmp_path, resumed=found)
    journal.add("b")
    journal.close()
    assert resumed(tmp_path) == ["a", "b"]


def test_old_files_make_room(tmp_path: Path) -> None:
    for i in range(KEPT + 5):
        written(tmp_path, f"c{i}")
    assert len(list(tmp_path.iterdir())) == KEPT
    assert resumed(tmp_path) == [f"c{KEPT + 4}"]


def test_without_a_directory_nothing_breaks(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    journal = Journal(directory=blocked)
    journal.add("a")
    journal.drop()
    assert resumed(blocked) == []
