"""What was typed, on disk before it runs; `--resume` brings it back.

Every session has a file of its own, one JSON value a line: first an object with its seed and settings, then each
command as a string, and null where the command before was broken off. It is made with the first command and locked
while its session lives, so that two sessions never write to one file and a live one is never resumed.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Literal

KEPT = 30
"""Files of sessions that are kept."""


def state_directory() -> Path:
    """$XDG_STATE_HOME/kshell, usually ~/.local/state/kshell."""
    base = os.environ.get("XDG_STATE_HOME") or os.path.join(os.path.expanduser("~"), ".local", "state")
    return Path(base) / "kshell"


class Recorded:
    """A session as its file tells it."""

    __slots__ = ("commands", "path", "seed", "settings")

    def __init__(self, path: Path) -> None:
        self.path = path
        self.seed = 0
        self.settings: dict[str, str] = {}
        self.commands: list[str] = []
        for value in _values(path):
            self._take(value)

    def _take(self, value: object) -> None:
        if isinstance(value, str):
            self.commands.append(value)
        elif value is None:
            del self.commands[-1:]
        elif isinstance(value, dict):
            self.seed = value["seed"] if isinstance(value.get("seed"), int) else 0
            settings = value.get("settings")
            self.settings = {str(k): str(v) for k, v in settings.items()} if isinstance(settings, dict) else {}


def _values(path: Path) -> Iterator[object]:
    """The lines of a file; a damaged one is left out."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    for line in text.split("\n")[:-1]:
        try:
            yield json.loads(line)
        except ValueError:
            continue


class Journal:
    """The file of the running session. Where it can't be written the session goes on without."""

    def __init__(
        self, seed: int = 0, settings: dict[str, str] | None = None, directory: Path | None = None,
        resumed: Recorded | None = None,
    ) -> None:  # fmt: skip
        self.directory = directory or state_directory() / "sessions"
        self._head = {"seed": seed, "settings": settings or {}}
        self._file: IO[str] | None = None
        self._broken = False
        if resumed is not None:
            self._open(resumed.path, "a")
            self._end_line()

    @property
    def path(self) -> Path | None:
        """The file, once there is one."""
        return Path(self._file.name) if self._file is not None else None

    def add(self, text: str) -> None:
        """Write a command; it is on disk when this returns."""
        if self._file is None and not self._broken:
            self._open(_new_path(self.directory), "x")
            self._write(self._head)
        self._write(text)

    def drop(self) -> None:
        """The command that was written last has not been done."""
        self._write(None)

    def close(self) -> None:
        """The session is over."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _write(self, value: object) -> None:
        if self._file is None:
            return
        try:
            self._file.write(json.dumps(value) + "\n")
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError:
            self._file, self._broken = None, True

    def _end_line(self) -> None:
        """A line that was cut off, as by a full disk, ends here."""
        if self._file is not None and not Path(self._file.name).read_bytes().endswith(b"\n"):
            self._file.write("\n")

    def _open(self, path: Path, mode: Literal["a", "x"]) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = file = path.open(mode, encoding="utf-8")
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file, self._broken = None, True


def _new_path(directory: Path) -> Path:
    """A name behind all others in order; old files make room."""
    files = _files(directory)
    for old in files[: max(0, len(files) - KEPT + 1)]:
        if not _alive(old):
            old.unlink(missing_ok=True)
    last = int(files[-1].stem) if files else 0
    return directory / f"{last + 1:06}.jsonl"


def _files(directory: Path) -> list[Path]:
    """The files of sessions, the oldest first."""
    return sorted(path for path in directory.glob("*.jsonl") if path.stem.isdigit())


def _alive(path: Path) -> bool:
    """Whether a living session has the file locked."""
    try:
        with open(path, encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    return False


def last_session(directory: Path | None = None) -> Recorded | None:
    """The latest session that is over, however it ended; None if there is none."""
    for path in reversed(_files(directory or state_directory() / "sessions")):
        if not _alive(path):
            return Recorded(path)
    return None
