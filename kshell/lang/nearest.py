"""The known name that a misspelt one comes nearest to. (difflib is loaded when there is an error to explain.)"""

from collections.abc import Iterable
from importlib import import_module
from typing import Final

from kshell.abi import names, syscalls

_LONGEST: Final = 64
_FIRST: Final = ("AF_", "SOCK_", "IPPROTO_", "SIG")
"""How the constants begin that are meant most often when only their end is given."""


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name most like this one, or "" if none is near; case does not count."""
    if not 1 < len(name) <= _LONGEST:
        return ""
    lower = name.lower()
    candidates = {k.lower(): k for k in known if abs(len(k) - len(name)) <= 3}
    found: list[str] = import_module("difflib").get_close_matches(lower, candidates, n=1, cutoff=0.7)
    return candidates[found[0]] if found else ""


def nearest_constant(name: str) -> str:
    """The constant most like a name: ``AF_INTE`` gives ``AF_INET``, and so does ``INET``."""
    if len(name) > _LONGEST:
        return ""
    prefix = name.split("_")[0].lower()
    every = [constant for constant, _ in names.all_constants()]
    whole = [constant for constant in every if constant.endswith(f"_{name}")] if name.isupper() else []
    if whole:
        return min(whole, key=lambda constant: (not constant.startswith(_FIRST), len(constant)))
    return nearest(name, (c for c in every if c.lower().startswith(prefix[:2]))) or nearest(name, every)


def nearest_call(name: str) -> str:
    """The system call most like a name: ``sokcet`` gives ``socket``."""
    return nearest(name, [*syscalls.BY_NAME, "socketcall", "send", "recv", "syscall"])
