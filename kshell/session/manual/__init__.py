"""What `help` and `man` say of each system call; nothing is read before it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final

from kshell.session.manual.parse import ErrorRow, Page, parse

#: the files of `pages/`, in the order of the manual
SUBJECTS: Final = (
    "sockets", "addresses", "transfer", "options", "descriptors", "files", "directories", "attributes",
    "multiplexing", "tasks", "signals", "time", "memory", "modules",
)  # fmt: skip


@cache
def pages() -> Mapping[str, Page]:
    """Every page by the name of its call, subject by subject."""
    found: dict[str, Page] = {}
    for subject in SUBJECTS:
        found |= parse(files(__name__).joinpath("pages", f"{subject}.txt").read_text("utf-8"), found)
    return MappingProxyType(found)


def page(name: str) -> Page | None:
    """The page of a call."""
    return pages().get(name)


def rows() -> list[ErrorRow]:
    """Every cause of every error of every call."""
    return [row for found in pages().values() for row in found.errors]


__all__ = ["ErrorRow"]
