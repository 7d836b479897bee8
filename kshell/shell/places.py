"""Where in a line the cursor is: in which call, at which argument, behind which part of it."""

from __future__ import annotations

import re
from typing import NamedTuple

from kshell.abi.syscalls import BY_NAME

_CALL = re.compile(r"(\w+)\s*\(\Z")
_NAMED = re.compile(r"^\s*\.?(\w+)\s*=(?!=)[^{]*\Z")


class Place(NamedTuple):
    """The innermost system call around the cursor.

    before: the arguments in front of the current one; number: which one it is; argument: its text so far;
    brackets: the brackets that are open inside it; field: the name before the value in the innermost of them, or
    "", and its position there.
    """

    call: str
    before: tuple[str, ...]
    number: int
    argument: str = ""
    brackets: str = ""
    field: str = ""
    position: int = 0

    @property
    def nested(self) -> bool:
        """Whether the cursor is in a bracket of the argument."""
        return bool(self.brackets)


def open_brackets(text: str) -> tuple[list[int], str]:
    """Offsets of the brackets that are open at the end, and the quote that is (`"`, `'` or none)."""
    stack: list[int] = []
    quote, skip = "", False
    for i, char in enumerate(text):
        if skip:
            skip = False
        elif quote:
            skip = char == "\\"
            if char == quote:
                quote = ""
        elif char in "\"'":
            quote = char
        elif char in "([{":
            stack.append(i)
        elif char in ")]}" and stack:
            stack.pop()
    return stack, quote


def place_of(text: str) -> Place | None:
    """The innermost system call whose argument the end of text is in."""
    stack, _ = open_brackets(text)
    for depth in range(len(stack) - 1, -1, -1):
        start = stack[depth]
        found = _CALL.search(text[: start + 1]) if text[start] == "(" else None
        if found and found[1] in BY_NAME:
            arguments = split_arguments(text[start + 1 :])
            inner = stack[depth + 1 :]
            inside = split_arguments(text[inner[-1] + 1 :]) if inner else []
            named = _NAMED.search(inside[-1]) if inside else None
            return Place(
                found[1],
                tuple(argument.strip() for argument in arguments[:-1]),
                len(arguments) - 1,
                arguments[-1].lstrip(),
                "".join(text[at] for at in inner),
                named[1] if named else "",
                max(0, len(inside) - 1),
            )
    return None


def split_arguments(text: str) -> list[str]:
    """Text cut at the commas that stand in no bracket and no quote."""
    parts, depth, quote, start, skip = [], 0, "", 0, False
    for i, char in enumerate(text):
        if skip:
            skip = False
        elif quote:
            skip = char == "\\"
            quote = "" if char == quote else quote
        elif char in "\"'":
            quote = char
        elif char in "([{":
            depth += 1
        elif char in ")]}":
            depth -= 1
        elif char == "," and depth == 0:
            parts.append(text[start:i])
            start = i + 1
    return [*parts, text[start:]]


def word_at(text: str, cursor: int) -> str:
    """The name or expression that the cursor touches: `sk->sk_state`, `AF_INET`, `fd`."""
    for found in re.finditer(r"[A-Za-z_@]\w*(?:(?:->|\.)\w+|\[\w+\]|\(\w*\)(?=->))*|\d+", text):
        if found.start() <= cursor <= found.end():
            return found[0]
    return ""
