"""The known name that a misspelt one comes nearest to. (difflib is loaded when there is an error to explain.)"""

from collections.abc import Iterable
from importlib import import_module

from kshell.abi import names, syscalls


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name most like this one, or "" if none is near; case does not count."""
    if not 1 < len(name) <= 64:
        return ""
    lower = name.lower()
    candidates = {k.lower(): k for k in known if abs(len(k) - len(name)) <= 3}
    found: list[str] = import_module("difflib").get_close_matches(lower, candidates, n=1, cutoff=0.7)
    return candidates[found[0]] if found else ""


def nearest_constant(name: str) -> str:
    """The constant most like a name: ``AF_INTE`` gives ``AF_INET``."""
    prefix = name.split("_")[0].lower()
    every = [constant for constant, _ in names.all_constants()]
    return nearest(name, (c for c in every if c.lower().startswith(prefix[:2]))) or nearest(name, every)


def nearest_call(name: str) -> str:
    """The system call most like a name: ``sokcet`` gives ``socket``."""
    return nearest(name, [*syscalls.BY_NAME, "socketcall", "send", "recv", "syscall"])
