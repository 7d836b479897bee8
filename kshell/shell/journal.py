"""What was typed, on disk before it runs; `--resume` brings it back."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO


def state_directory() -> Path:
    """$XDG_STATE_HOME/kshell, usually ~/.local/state/kshell."""
    base = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(base) / "kshell"


class Journal:
    """The commands of the running session, one JSON string a line. Without a writable directory it is silent."""

    def __init__(self, directory: Path | None = None, resume: bool = False) -> None:
        self._file: TextIO | None = None
        self.path = (directory or state_directory()) / "session.jsonl"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = open(self.path, "a" if resume else "w", encoding="utf-8")  # noqa: SIM115  kept open
        except OSError:
            return

    def add(self, text: str) -> None:
        """Write a command; it is on disk when this returns."""
        if self._file is None:
            return
        try:
            self._file.write(json.dumps(text) + "\n")
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError:
            self._file = None


def recorded(directory: Path | None = None) -> Iterator[str]:
    """The commands of the last session; what is damaged at the end is left out."""
    path = (directory or state_directory()) / "session.jsonl"
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return
    for line in lines:
        try:
            text = json.loads(line)
        except ValueError:
            return
        if isinstance(text, str):
            yield text
