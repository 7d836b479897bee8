"""What stands below the line being typed: the signature of the call at the cursor, what is wrong; the keys.

Pure functions that give fragments, (style, text), as prompt_toolkit draws them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from textwrap import wrap

from kshell.abi.syscalls import BY_NAME, Param
from kshell.lens.text import printable
from kshell.shell.arguments import about
from kshell.shell.places import place_of

Fragments = list[tuple[str, str]]

PANELS = ((4, "objects"), (5, "packets"), (6, "log"))
"""Panels that a function key switches."""

def signature(
    text: str, cursor: int, width: int, manual: Callable[[str, str], str] = lambda call, argument: ""
) -> list[Fragments]:
    """The prototype of the call at the cursor with the current argument marked, and a line about that argument.

    manual: what the manual says of an argument of a call, "" if nothing.
    """
    place = place_of(text[:cursor])
    if place is None:
        return []
    call = BY_NAME[place.call]
    if place.number >= len(call.params):
        count = len(call.params)
        return [[("class:signature", call.prototype()[:width])],
                [("class:problem", f"  {call.name} takes {count} argument{'' if count == 1 else 's'}")]]  # fmt: skip
    lines = [_prototype(call.name, call.params, place.number, width)]
    param = call.params[place.number]
    told = manual(call.name, param.name) or about(param)
    head: Fragments = [("class:signature.type", f"  {_declared(param)}")]
    lines.append([*head, ("class:signature", _cut(f"  {told}", width - len(head[0][1])))])
    return lines


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: max(0, width - 1)] + "…"


def _declared(param: Param) -> str:
    return f"{param.ctype}{'' if param.ctype.endswith('*') else ' '}{param.name}"


def _prototype(name: str, params: tuple[Param, ...], current: int, width: int) -> Fragments:
    """In full, or with the types of the other arguments left out where it would not fit."""
    full = [_declared(param) for param in params]
    if len(name) + sum(map(len, full)) + 2 * len(full) > width:
        full = [text if i == current else params[i].name for i, text in enumerate(full)]
    fragments: Fragments = [("class:signature.name", name), ("class:signature", "(")]
    for i, text in enumerate(full):
        fragments.append(("class:signature.current" if i == current else "class:signature", text))
        fragments.append(("class:signature", ", " if i + 1 < len(full) else ")"))
    return fragments


def problem(message: str, width: int) -> list[Fragments]:
    """What is wrong with the line, over as many lines as it takes (three at most)."""
    rows = wrap(f"✗ {printable(message)}", max(20, width), subsequent_indent="  ", max_lines=3, placeholder=" …")
    return [[("class:problem", row)] for row in rows]


def keys(vi: str, view: str, shown: Collection[str], width: int) -> Fragments:
    """The function keys with what they do; vi: the mode of the vi keys, "" for emacs keys; shown: panels that are on."""
    panels = [(f"F{n}", f"{'+' if name in shown else '-'}{name}") for n, name in PANELS]
    labels = [("F1", "help"), ("F2", f"view: {view}"), ("F3", f"keys: vi {vi}" if vi else "keys: emacs"), *panels,
              ("^R", "search"), ("^X^E", "editor"), ("^D", "end")]  # fmt: skip
    fragments: Fragments = []
    used = 0
    for key, label in labels:
        used += len(key) + len(label) + 3
        if used > width:
            break
        fragments += [("class:toolbar", " "), ("class:toolbar.key", key), ("class:toolbar", f" {label} ")]
    return fragments
