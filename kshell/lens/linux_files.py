"""The file of Linux 6.1 in which a function of the model lies there.

A module of the model mirrors a C file; a large one is cut into modules FILE, FILE_subject. Functions that the
model keeps elsewhere are listed by name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from types import FunctionType
from typing import Final

KERNEL: Final = "kshell.linux."
TABLE: Final = Path(__file__).with_name("linux_files.tsv")
HEAD: Final = "# The C files of Linux 6.1 in the model's folders; functions that the model keeps in another file."


class LinuxFiles:
    """folders: the C files of each, without `.c`; functions: those that lie in another file than the model's."""

    def __init__(self, folders: Mapping[str, Sequence[str]], functions: Mapping[str, str]) -> None:
        self._stems = {
            folder: {stem.replace("-", "_"): stem for stem in stems} for folder, stems in folders.items()
        }
        self.functions = functions

    def file_of(self, function: FunctionType) -> str:
        """`net/ipv4/tcp_input.c`."""
        listed = self.functions.get(function.__name__)
        return listed or self.file_of_module(function.__module__)

    def file_of_module(self, module: str) -> str:
        """The file that a module mirrors, alone or with others."""
        path = module.removeprefix(KERNEL).replace(".", "/")
        if path.startswith("include/"):
            return f"{path.rstrip('_')}.h"
        folder, _, stem = path.rpartition("/")
        known = self._stems.get(folder, {})
        while stem and stem not in known:
            stem = stem.rpartition("_")[0]
        return f"{folder}/{known[stem]}.c" if stem else f"{path}.c"


@cache
def _recorded() -> LinuxFiles:
    folders: dict[str, list[str]] = {}
    functions: dict[str, str] = {}
    for line in TABLE.read_text(encoding="utf-8").splitlines()[1:]:
        kind, name, value = line.split("\t")
        if kind == "dir":
            folders[name] = value.split()
        else:
            functions[name] = value
    return LinuxFiles(folders, functions)


def linux_file(function: FunctionType) -> str:
    """Where Linux has this function."""
    return _recorded().file_of(function)


def file_of_step(function: str, file: str) -> str:
    """Where Linux has the function of that name which lies in `file` of the model (`net/ipv4/tcp_input_ack.py`)."""
    recorded = _recorded()
    return recorded.functions.get(function) or recorded.file_of_module(KERNEL + file.removesuffix(".py").replace("/", "."))
