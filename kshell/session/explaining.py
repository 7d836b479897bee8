"""`WORD?` and F1: what is known about a word - a call, a command, a constant, an error, a setting, an expression."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from kshell.abi import names
from kshell.abi.errno import errno_name
from kshell.lang.errors import LangError
from kshell.lens.open_files import open_file
from kshell.session import settings
from kshell.session.commands import CommandError

if TYPE_CHECKING:
    from kshell.session.session import Session

_WORD = re.compile(r"@?[A-Za-z_]\w*(?:(?:->|\.)\w+|\[\w+\]|\([\w]*\)(?=->|\.|$))*|\d+")


def word_at(text: str, cursor: int) -> str:
    """The word that the cursor is in or behind: a name, a number, an expression such as `sk->sk_state`; "" if none."""
    last = ""
    for found in _WORD.finditer(text):
        if found.start() > cursor:
            break
        last = found[0]
    return last


def explain(session: Session, word: str) -> str:
    """What is known about a word; CommandError with the nearest names if nothing is."""
    if not word:
        return _help(session, "")
    word = word.removeprefix("@").removesuffix("()")
    text = _help_or_none(session, word) or _setting(word) or _constant(word) or _task(session, word)
    text = text or value_told(session, word)
    return text or _help(session, word)


def _help(session: Session, topic: str) -> str:
    from kshell.session.commands.helping import help_text

    return help_text(session, topic)


def _help_or_none(session: Session, word: str) -> str:
    try:
        return _help(session, word)
    except CommandError:
        return ""


def _setting(word: str) -> str:
    setting = settings.BY_NAME.get(word)
    return f"set {setting.usage()}\n\n{setting.help}" if setting else ""


def _constant(word: str) -> str:
    number = names.constant(word)
    if number is None:
        return ""
    if word == errno_name(number):
        return f"{word} = {number}: {os.strerror(number)}"
    return f"{word} = {number} ({number:#x})"


def _task(session: Session, word: str) -> str:
    user = session.tasks.get(word)
    if user is None:
        return ""
    call = session.sleeping_call(user)
    doing = f"sleeps in {call}(): {' > '.join(session.where(user.task))}" if call else "runs commands"
    return f"task {word}: pid {user.task.pid}, {doing}"


def value_told(session: Session, word: str) -> str:
    """The value of a variable or an expression, and of a small number what descriptor it is."""
    from kshell.session.commands.looking import what_is

    try:
        text = session.print_text(word)
    except (CommandError, LangError):
        return ""
    lines = [] if word == text else [f"{word} = {text}"]
    if text.isdigit():
        file = open_file(session.task.files, int(text))
        if file is not None:
            lines.append(f"descriptor {text} of {session.task_name}: {what_is(file)}")
    return "\n".join(lines or [text])
