"""The file of Linux 6.1 in which a function of the model lies there.

Where that was recorded from a real kernel, it is listed by name. Else the module tells: it mirrors a C file or
a header; a large one is cut into modules FILE, FILE_subject.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from types import FunctionType
from typing import Final

KERNEL: Final = "kshell.linux."
TABLE: Final = Path(__file__).with_name("linux_files.tsv")
HEAD: Final = "# The files of Linux 6.1 in the model's folders; functions and the files that have one of that name."


class LinuxFiles:
    """folders: the files of each, without `.c` or `.h`; functions: by name, the files where there is one."""

    def __init__(self, folders: Mapping[str, Sequence[str]], functions: Mapping[str, Sequence[str]]) -> None:
        self._stems = {
            folder: {stem.replace("-", "_"): stem for stem in stems} for folder, stems in folders.items()
        }
        self._functions = functions

    def file_of(self, name: str, module: str) -> str:
        """`net/ipv4/tcp_input.c`, for a function of a module of the model."""
        listed = self._functions.get(name, ())
        mirrored = self.file_of_module(module)
        return listed[0] if listed and mirrored not in listed else mirrored

    def file_of_module(self, module: str) -> str:
        """The file that a module mirrors, alone or with others."""
        path = module.removeprefix(KERNEL).replace(".", "/").rstrip("_")
        suffix = ".h" if path.startswith("include/") else ".c"
        folder, _, stem = path.rpartition("/")
        known = self._stems.get(folder, {})
        while stem and stem not in known:
            stem = stem.rpartition("_")[0]
        return f"{folder}/{known[stem]}{suffix}" if stem else f"{path}{suffix}"


@cache
def _recorded() -> LinuxFiles:
    folders: dict[str, list[str]] = {}
    functions: dict[str, list[str]] = {}
    for line in TABLE.read_text(encoding="utf-8").splitlines()[1:]:
        kind, name, value = line.split("\t")
        if kind == "dir":
            folders[name] = value.split()
        else:
            functions[name] = value.split(",")
    return LinuxFiles(folders, functions)


def linux_file(function: FunctionType) -> str:
    """Where Linux has this function."""
    return _recorded().file_of(function.__name__, function.__module__)


def file_of_step(function: str, file: str) -> str:
    """Where Linux has the function of that name which lies in `file` of the model (`net/ipv4/tcp_input_ack.py`)."""
    return _recorded().file_of(function, KERNEL + file.removesuffix(".py").replace("/", "."))
