"""What help says of a constant: its value, what it means, which arguments take it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final

from kshell.abi import name_tables, names
from kshell.session.manual import pages
from kshell.session.paragraphs import filled

MAGIC: Final = "a file system's number, as statfs() tells it"
MOST_CALLS: Final = 8
STYLES: Final = {
    "socktype": ("sock_type", "sock"), "protocol": ("ipproto", "netlink_family", "ethertype"), "signal": ("signal",),
    "clone_flags": ("clone",), "file_mode": ("file_type",), "sockaddr": ("af",),
    "optname": tuple(name for name in name_tables.ENUMERATIONS if name.startswith("opt_")),
    "pollfds": ("poll",), "msghdr": ("scm",),
}  # fmt: skip
"""Styles of arguments that take constants of these kinds, beside those that name their kind."""


@cache
def _notes() -> tuple[Mapping[str, str], tuple[tuple[str, str], ...]]:
    """Lines by name, and lines by prefix, the longest prefix first."""
    text = files("kshell.session.manual").joinpath("pages", "constants.txt").read_text("utf-8")
    lines = [line.split("  ", 1) for line in text.splitlines() if line and not line.startswith("#")]
    exact = {name: note for name, note in lines if not name.endswith("*")}
    prefixes = [(name.rstrip("*"), note) for name, note in lines if name.endswith("*")]
    return MappingProxyType(exact), tuple(sorted(prefixes, key=lambda item: -len(item[0])))


def own_note(name: str) -> str:
    """The line that tells of this constant alone; "" if there is none."""
    return _notes()[0].get(name, "")


def note(name: str) -> str:
    """One line about a constant; "" if there is none."""
    exact, prefixes = _notes()
    found = exact.get(name) or (MAGIC if "_MAGIC" in name else "")
    return found or next((text for prefix, text in prefixes if name.startswith(prefix)), "")


def constant_text(name: str) -> str:
    """The help of a constant; "" if there is none of that name."""
    value = names.constant(name)
    if value is None:
        return ""
    lines = [f"{name} = {value}" + (f" ({value:#x})" if abs(value) > 9 else ""), "", *filled(_sentence(note(name)))]
    lines += _same_value(name, value)
    takers = [f"{call}({argument})" for call, argument in takers_of(name)]
    if takers:
        more = ["…"] if len(takers) > MOST_CALLS else []
        lines += filled("Taken by " + ", ".join(takers[:MOST_CALLS] + more), indent="  ")
    errors = [f"{row.call} {row.errno}" for found in pages().values() for row in found.errors if _names(row.cause, name)]
    if errors:
        lines += filled("Errors that have to do with it: " + ", ".join(dict.fromkeys(errors)), indent="  ")
    return "\n".join(lines)


def _names(text: str, name: str) -> bool:
    return name in text.replace(",", " ").replace("(", " ").replace(")", " ").replace("|", " ").split()


def _sentence(text: str) -> str:
    begin = text[:1] if "(" in text.split(" ", 1)[0] else text[:1].upper()
    return begin + text[1:] + ("" if text.endswith(".") else ".") if text else ""


def _same_value(name: str, value: int) -> Iterator[str]:
    """Other names of the same value in its kind."""
    same = {
        other
        for kind in kinds_of(name)
        for other, number in _members(kind)
        if number == value and other != name
    }
    if same:
        yield f"The same as {', '.join(sorted(same))}."


def kinds_of(name: str) -> list[str]:
    """The kinds of values that a constant is one of."""
    return [kind for kind in (*name_tables.ENUMERATIONS, *name_tables.FLAGS) if name in dict(_members(kind))]


@cache
def _members(kind: str) -> tuple[tuple[str, int], ...]:
    if kind in name_tables.ENUMERATIONS:
        return tuple((name, value) for value, name in names.enumeration(kind).by_value.items())
    return tuple((name, value) for value, name in names.flags(kind).bits)


@cache
def _takers() -> Mapping[str, tuple[tuple[str, str], ...]]:
    """Kind of values → the calls of the manual and their arguments that take it."""
    from kshell.abi.syscalls import signature

    found: dict[str, list[tuple[str, str]]] = {}
    for call_name in pages():
        call = signature(call_name)
        for param in call.params if call else ():
            kinds = STYLES.get(param.kind.style, param.kind.args[:1] if param.kind.style in ("enum", "flags") else ())
            for kind in kinds:
                found.setdefault(kind, []).append((call_name, param.name))
    return MappingProxyType({kind: tuple(takers) for kind, takers in found.items()})


def takers_of(name: str) -> list[tuple[str, str]]:
    """Calls and arguments that take a constant: by its kind, or because the page of the call names it."""
    kinds = ["signal"] if names.signal_number(name) else kinds_of(name)
    by_kind = [taker for kind in kinds for taker in _takers().get(kind, ())]
    by_page = [
        (found.name, argument)
        for found in pages().values()
        for argument, text in found.arguments.items()
        if _names(text, name)
    ]
    return list(dict.fromkeys([*by_kind, *by_page]))
