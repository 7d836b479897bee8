"""What was typed is on disk before it runs."""

from pathlib import Path

from kshell.shell.journal import Journal, recorded


def test_commands_come_back_in_order(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for text in ("socket(AF_INET, SOCK_STREAM, 0)", "write(3,\n 0x1, 2)", "ñ\x1b[31m"):
        journal.add(text)
        assert list(recorded(tmp_path))[-1] == text
    assert len(list(recorded(tmp_path))) == 3


def test_a_new_session_begins_anew_and_a_resumed_one_goes_on(tmp_path: Path) -> None:
    Journal(tmp_path).add("a")
    Journal(tmp_path, resume=True).add("b")
    assert list(recorded(tmp_path)) == ["a", "b"]
    Journal(tmp_path)
    assert list(recorded(tmp_path)) == []


def test_a_damaged_end_is_left_out(tmp_path: Path) -> None:
    Journal(tmp_path).add("a")
    path = tmp_path / "session.jsonl"
    path.write_bytes(path.read_bytes() + b'"cut of\n\xff\xfe')
    assert list(recorded(tmp_path)) == ["a"]


def test_without_a_directory_nothing_breaks(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    Journal(blocked).add("a")
    assert list(recorded(blocked)) == []
