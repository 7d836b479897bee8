"""What the programs of net-tools have in common: how they end, and the families they know."""

from __future__ import annotations

from typing import Final

from kshell.userland.runtime import ProgramError

E_OPTERR: Final = 3
E_LOOKUP: Final = 6
E_SOCK: Final = 7
E_MINUS_ONE: Final = 255
"""What exit(-1) makes."""

_FAMILIES: Final = {"inet": "4", "inet6": "6", "unix": "x"}


def check_family(names: str) -> str:
    """The letters of the families behind -A. ProgramError."""
    letters = ""
    for name in names.split(","):
        if name not in _FAMILIES:
            raise ProgramError(f"Unknown address family `{name}'.", 1)
        letters += _FAMILIES[name]
    return letters
