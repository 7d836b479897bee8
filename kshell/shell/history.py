"""The history file: what was typed at all prompts, in prompt_toolkit's format but written without it."""

from __future__ import annotations

import os
import time
from pathlib import Path

MOST = 5000
"""Entries that are read back."""


class HistoryFile:
    """Entries of a file, or of this session alone if there is no path or it can't be used."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._own: list[str] = []

    def add(self, text: str) -> None:
        """Keep an entry, unless it repeats the last."""
        text = text.rstrip("\n")
        if not text.strip() or self._own[-1:] == [text]:
            return
        self._own.append(text)
        if self.path is None:
            return
        lines = "".join(f"+{line}\n" for line in text.split("\n"))
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            with open(descriptor, "a", encoding="utf-8") as file:
                file.write(f"\n# {time.strftime('%Y-%m-%d %H:%M:%S')}\n{lines}")
        except OSError:
            self.path = None

    def entries(self) -> list[str]:
        """All entries, the oldest first."""
        if self.path is None:
            return list(self._own)
        try:
            text = self.path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return list(self._own)
        found: list[str] = []
        for block in text.split("\n\n"):
            lines = [line[1:] for line in block.split("\n") if line.startswith("+")]
            if lines:
                found.append("\n".join(lines))
        return found[-MOST:]
