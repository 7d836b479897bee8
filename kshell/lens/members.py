"""Members of the model's objects under the names that struct layouts have: embedded structs, Linux's macros.

`find(value, struct, name)` gives what `value`, seen as a `struct struct`, has for its member `name`; MISSING if the
model does not keep it.
"""

from __future__ import annotations

import sys
from functools import cache
from typing import Final

from kshell.lens.loaded import kernel_modules

ALIASES: Final = {
    "__state": "state",
    "__sk_common": "", "sk": "", "inet_conn": "", "icsk_inet": "", "inet": "", "req": "", "tw_sk": "", "__req_common": "",
    "__tw_common": "", "inet_sk": "",
}  # fmt: skip
"""The model's names of members; "": a struct embedded at the beginning, which is the same object there."""


class Missing:
    """What the model does not keep."""

    __slots__ = ()


MISSING: Final = Missing()


def find(value: object, name: str, ctype: str = "") -> object:
    """The member `name` of type `ctype` of an object; MISSING if the model does not keep it."""
    embedded = ctype.removeprefix("struct ") if ctype.startswith("struct ") and not ctype.endswith("*") else ""
    if embedded and name in ALIASES and embedded in [cls.__name__ for cls in type(value).__mro__]:
        return value
    known = ALIASES.get(name) or name
    if name.startswith("_") and not name.startswith("__"):
        return MISSING
    try:
        return getattr(value, known, MISSING)
    except (AttributeError, AssertionError):
        return MISSING


def keeps(cls: type, name: str, ctype: str = "") -> bool:
    """Whether objects of a class have the member."""
    embedded = ctype.removeprefix("struct ") if ctype.startswith("struct ") else ""
    if embedded and name in ALIASES and embedded in [base.__name__ for base in cls.__mro__]:
        return True
    known = ALIASES.get(name) or name
    return any(known in vars(base) or known in vars(base).get("__annotations__", ()) for base in cls.__mro__)


@cache
def _classes(modules: int) -> dict[str, type]:
    """The struct classes of the model that are loaded, by struct; modules: how many modules are."""
    found: dict[str, type] = {}
    for module in kernel_modules():
        for key, value in vars(module).items():
            if isinstance(value, type) and value.__module__ == module.__name__ and key == value.__name__:
                found.setdefault(key, value)
    return found


def struct_class(struct: str) -> type | None:
    """The model's class of a struct; None if it has none."""
    return _classes(len(sys.modules)).get(struct)
