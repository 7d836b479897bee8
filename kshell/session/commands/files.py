"""Small programs as commands: each only makes system calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.session.commands import CommandError, command
from kshell.userland.programs import main_of, wants_a_task

if TYPE_CHECKING:
    from kshell.session.session import Session


def run_program(session: Session, name: str, arguments: str) -> None:
    """Run a program with the words of a command line; `&` at its end: do not wait for it."""
    words = split_words(arguments)
    behind = words[-1:] == ["&"]
    argv = [name, *(words[:-1] if behind else words)]
    if not wants_a_task(argv):
        session.programs.run_here(main_of(name), argv)
        return
    job = session.programs.start(main_of(name), argv, not behind)
    if job.running.status is None:
        user = job.user
        session.say(
            f"[{user.name} runs on as pid {user.task.pid}: sleep lets time pass, interrupt {user.name} ends it]"
        )


def wants_words(name: str, arguments: str) -> None:
    """CommandError if there are none: the real program would read its standard input, or show its usage."""
    if not arguments.strip():
        raise CommandError(f"{name}: a name is missing", f"help {name}")


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


@command("cat [-AbEnsTv] PATH...", section="userland", completion="path")
def do_cat(session: Session, arguments: str) -> None:
    """Show files of the machine: `cat /proc/net/unix`.

    open, read and close, in the current task.
    """
    wants_words("cat", arguments)
    run_program(session, "cat", arguments)


@command("ls [-aAlnd1rStFpRhi] [PATH...]", section="userland", completion="path")
def do_ls(session: Session, arguments: str) -> None:
    """List directories of the machine: open, getdents64, lstat, close.

    ls -la /tmp
    ls -lt /proc/sys/net
    """
    run_program(session, "ls", arguments)


@command("echo [-neE] WORD... [> PATH]", section="userland", completion="path")
def do_echo(session: Session, arguments: str) -> None:
    """Print words, or write them to a file of the machine.

    echo 1 > /proc/sys/net/ipv4/ip_forward
    """
    run_program(session, "echo", arguments)


@command("sysctl [-nNbeqw] NAME[=VALUE]... | -a [-r PATTERN] | -p FILE", section="userland", completion="sysctl")
def do_sysctl(session: Session, arguments: str) -> None:
    """Show or change settings of the kernel by /proc/sys.

    sysctl net.ipv4.ip_forward
    sysctl -w net.ipv4.tcp_syncookies=0
    """
    run_program(session, "sysctl", arguments)


@command("mount [-t TYPE] [-o OPTIONS] [SOURCE TARGET]", section="userland", completion="path")
def do_mount(session: Session, arguments: str) -> None:
    """Show what is mounted, or mount a file system: `mount -t tmpfs none /mnt`."""
    run_program(session, "mount", arguments)
