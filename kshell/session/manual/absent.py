"""What is said of the system calls that the model leaves out."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType


@cache
def absent() -> Mapping[str, str]:
    """Name of a call → why it is left out, and what does the same."""
    text = files("kshell.session.manual").joinpath("pages", "absent.txt").read_text("utf-8")
    found: dict[str, str] = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            names, _, reason = line.partition(": ")
            found |= dict.fromkeys(names.split(), reason)
    return MappingProxyType(found)


def absent_text(name: str) -> str:
    """Why a call is left out."""
    return absent().get(name, "")
