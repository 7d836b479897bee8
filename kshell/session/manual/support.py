"""`help syscalls`: which system calls are there, which partly, and which not."""

from __future__ import annotations

from collections.abc import Iterable

from kshell.abi.syscall_table import PARTLY
from kshell.abi.syscalls import BY_NAME
from kshell.session.manual import page
from kshell.session.paragraphs import filled


def support_text(implemented: Iterable[str]) -> str:
    """The table of every system call of x86-64: supported, partly with what is missing, not there."""
    have = [call for call in BY_NAME.values() if call.name in set(implemented)]
    partly = [call for call in have if call.name in PARTLY]
    absent = sorted(name for name in BY_NAME if name not in {call.name for call in have})
    lines = [f"{len(have)} of {len(BY_NAME)} system calls of x86-64 are there, {len(partly)} of them partly.", ""]
    for call in have:
        state = "partly" if call.name in PARTLY else "supported"
        text = f"{call.number:4} {call.name:18} {state:10} "
        note = f"left out or different: {PARTLY[call.name]}" if call.name in PARTLY else _summary(call.name)
        lines += filled(note, text) or [text.rstrip()]
    lines += ["", f"Not there: ENOSYS ({len(absent)}); help NAME says what does the same"]
    return "\n".join([*lines, *filled(" ".join(absent), "  ")])


def _summary(name: str) -> str:
    found = page(name)
    return found.summary if found else ""
