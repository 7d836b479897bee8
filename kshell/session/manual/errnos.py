"""What help says of an error: its meaning, and which calls give it by which function."""

from __future__ import annotations

from typing import Final

from kshell.abi.errno import NUMBERS, strerror
from kshell.session.manual import ErrorRow, rows
from kshell.session.manual.text import where
from kshell.session.paragraphs import filled

MOST_TRACED: Final = 24
"""Causes whose function is looked up by running their examples; of an error with more, the calls are listed only."""

NEVER: Final = (
    "No system call of this model gives it. Linux has it for hardware, file systems or protocols that are not here, "
    "or for calls that are left out."
)
INSIDE: Final = "Only within the kernel: a program never sees it. A call that a signal interrupts begins again, or gives EINTR."


def errno_text(name: str) -> str:
    """The help of an error's name; "" if there is none."""
    number = NUMBERS.get(name)
    if number is None:
        return ""
    found = [row for row in rows() if row.errno == name or (name == "EWOULDBLOCK" and row.errno == "EAGAIN")]
    head = f"{name} = {number}: {strerror(number)}"
    if not found:
        return "\n".join([head, "", *filled(INSIDE if number >= 512 else NEVER)])
    same = ", ".join(other for other, value in NUMBERS.items() if value == number and other != name)
    lines = [head, *([f"The same as {same}."] if same else []), ""]
    if len(found) > MOST_TRACED:
        calls = dict.fromkeys(row.call for row in found)
        lines += [f"Given by {len(calls)} calls, for {len(found)} reasons; help CALL {name} tells them:"]
        return "\n".join([*lines, *filled(", ".join(calls), "  ")])
    return "\n".join([*lines, *_causes(found)])


def errors_text() -> str:
    """Every error that a call of this kernel can give, with its meaning and how many calls give it."""
    calls: dict[str, set[str]] = {}
    for row in rows():
        calls.setdefault(row.errno, set()).add(row.call)
    lines = [f"The calls of this kernel can give {len(calls)} errors; help NAME tells which calls give one, and why.", ""]
    for name in sorted(calls, key=NUMBERS.__getitem__):
        count = len(calls[name])
        lines.append(f"  {NUMBERS[name]:3} {name:16} {strerror(NUMBERS[name]):50} {count:3} call{'s' * (count > 1)}")
    return "\n".join(lines)


def _causes(found: list[ErrorRow]) -> list[str]:
    lines = []
    for row in found:
        function, file = where(row)
        text = f"{row.call}(): {row.cause}  [{function}, {file}]"
        lines += filled(text, "  ", "      ")
    return lines
