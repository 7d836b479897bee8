"""The history file is what prompt_toolkit writes and reads."""

from pathlib import Path

from prompt_toolkit.history import FileHistory

from kshell.shell.history import MOST, HistoryFile


def test_entries_come_back_in_order_with_their_lines(tmp_path: Path) -> None:
    history = HistoryFile(tmp_path / "deep" / "history")
    for text in ("ps", "write(3,\n  \"x\", 1)", "ps"):
        history.add(text)
    assert history.entries() == ["ps", "write(3,\n  \"x\", 1)", "ps"]
    assert list(FileHistory(str(tmp_path / "deep" / "history")).load_history_strings())[::-1] == history.entries()


def test_prompt_toolkits_files_are_read(tmp_path: Path) -> None:
    path = str(tmp_path / "history")
    other = FileHistory(path)
    other.store_string("a")
    other.store_string("b\nc")
    assert HistoryFile(tmp_path / "history").entries() == ["a", "b\nc"]


def test_blank_lines_and_repetitions_are_left_out(tmp_path: Path) -> None:
    history = HistoryFile(tmp_path / "history")
    for text in ("", "  ", "ps", "ps", "fds", "ps"):
        history.add(text)
    assert history.entries() == ["ps", "fds", "ps"]


def test_only_the_owner_reads_it(tmp_path: Path) -> None:
    HistoryFile(tmp_path / "history").add("ps")
    assert (tmp_path / "history").stat().st_mode & 0o77 == 0


def test_without_a_file_the_session_remembers(tmp_path: Path) -> None:
    (tmp_path / "blocked").write_text("")
    for history in (HistoryFile(None), HistoryFile(tmp_path / "blocked" / "history")):
        history.add("ps")
        assert history.entries() == ["ps"]


def test_a_long_history_is_cut(tmp_path: Path) -> None:
    (tmp_path / "history").write_text("".join(f"\n# x\n+e{i}\n" for i in range(MOST + 10)))
    assert len(HistoryFile(tmp_path / "history").entries()) == MOST
