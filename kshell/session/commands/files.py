"""Small programs as commands: each is a child that only makes system calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.session.commands import CommandError, command
from kshell.userland.programs import PROGRAMS
from kshell.userland.runtime import ProgramError

if TYPE_CHECKING:
    from kshell.session.session import Session


def _run(session: Session, name: str, arguments: str) -> None:
    try:
        text = PROGRAMS[name](session.process(), split_words(arguments))
    except ProgramError as error:
        raise CommandError(f"{name}: {error}") from None
    if text:
        session.say(text.rstrip("\n"))


def split_words(text: str) -> list[str]:
    """Words, with quotes and backslashes as a shell has them."""
    words: list[str] = []
    word, quote, escaped, inside = "", "", False, False
    for char in text.strip():
        if escaped:
            word, escaped = word + char, False
        elif char == "\\" and quote != "'":
            escaped = inside = True
        elif quote:
            quote, word = ("", word) if char == quote else (quote, word + char)
        elif char in "'\"":
            quote, inside = char, True
        elif char.isspace():
            words, word, inside = ([*words, word] if word or inside else words), "", False
        else:
            word += char
    if quote:
        raise CommandError(f"a {quote} is not closed")
    return [*words, word] if word or inside else words


@command("cat PATH...", section="userland", completion="path")
def do_cat(session: Session, arguments: str) -> None:
    """Show files of the machine: `cat /proc/net/unix`.

    open, read and close, in the current task.
    """
    _run(session, "cat", arguments)


@command("ls [-l] [PATH...]", section="userland", completion="path")
def do_ls(session: Session, arguments: str) -> None:
    """List directories of the machine: open, getdents64, lstat, close."""
    _run(session, "ls", arguments)


@command("echo WORD... [> PATH]", section="userland", completion="path")
def do_echo(session: Session, arguments: str) -> None:
    """Print words, or write them to a file of the machine.

    echo 1 > /proc/sys/net/ipv4/ip_forward
    """
    _run(session, "echo", arguments)
