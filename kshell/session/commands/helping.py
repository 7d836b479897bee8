"""`help` and its topics."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from typing import TYPE_CHECKING

from kshell.session import events
from kshell.session.commands import SECTIONS, CommandError, command

if TYPE_CHECKING:
    from kshell.abi.syscalls import Syscall
    from kshell.session.session import Session

LANGUAGE = """\
One line is one of: a system call, an assignment from one, a command, an expression, a comment (# or //).

  fd = socket(AF_INET, SOCK_STREAM, 0)           a system call, as in C and as strace prints it
  bind(fd, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("127.0.0.1")}, 16)
  bind(fd, {AF_INET, 80, "127.0.0.1"}, 16)       the short form of the same
  write(fd, "hi", 2) = 2                         with what it must give (= -1 EBADF: an error)
  read(fd, ..., 64)                              kshell supplies the buffer
  read(fd, 0x1, 64)                              bad pointers are welcome: EFAULT
  syscall(41, 2, 1, 0)                           by number, raw registers
  socketcall(SYS_SOCKET, [AF_INET, SOCK_STREAM, 0])
  @server accept(3, NULL, NULL)                  in another task; a call that sleeps leaves the prompt free
  current->files->next_fd                        an expression over the kernel's objects, printed
  sleep 2s                                       virtual time passes

A command may go on over several lines while a bracket or quote is open."""

TASKS = """\
Commands run in a task. The first is init (pid 1). `@name call(...)` runs one call in task `name`,
`task name` makes all later commands run there. A new name makes a new task: init calls fork(), so
the task has copies of the descriptors that init has at that moment, and `ps` shows it as init's
child.

A call that sleeps (accept with no client, read with no data) parks: its task sleeps, the others go
on. When something wakes it, its result comes as an event, as strace's `<... accept resumed>`. A
command for a task that still sleeps first lets the machine run, and virtual time pass if a timer is
pending that can wake it; else it is an error.

Time: after each command everything runs that can run without time passing. If then every task
sleeps, and the sleep of this command's call ends by its own timeout (nanosleep, poll with a
timeout, SO_RCVTIMEO, connect with its SYN retransmissions), time jumps to the end. `sleep 2s` and
`wait` let time pass."""

DIFFERENCES = """\
The model is one processor without an LSM, with loopback as its only device, and no user programs:
the commands are the program. A signal handler set by rt_sigaction is told of as an event and
returns at once. Devices, disks and memory pressure do not exist. `help syscalls` lists the system
calls there are."""


@command("help [TOPIC]", section="help", completion="topic")
def do_help(session: Session, arguments: str) -> None:
    """Explain a command, a system call, or a topic.

    Topics: language, tasks, syscalls, json, differences. `help socket` explains the system call.
    """
    session.say(help_text(session, arguments.strip().rstrip("()")))


def help_text(session: Session, topic: str) -> str:
    """The text for a topic; CommandError with the nearest names if there is none."""
    if not topic:
        return overview(session)
    fixed = TOPICS.get(topic)
    if fixed is not None:
        return fixed(session)
    entry = session.registry.get(topic)
    if entry is not None:
        return f"{entry.usage}\n\n{entry.help}"
    call = session.calls().get(topic)
    if call is not None:
        return call_text(session, call)
    known = [*TOPICS, *session.registry.names(), *session.calls()]
    near = get_close_matches(topic, known, 3)
    raise CommandError(f"there is no help on {topic!r}", f"nearest: {', '.join(near)}" if near else "try: help")


def overview(session: Session) -> str:
    """All commands by section, and where more is."""
    lines = ["Type a system call, as in C:  fd = socket(AF_INET, SOCK_STREAM, 0)", ""]
    for section, title in SECTIONS.items():
        entries = [entry for entry in session.registry if entry.section == section]
        if entries:
            lines += [title, *(f"  {entry.usage:34} {entry.summary}" for entry in entries), ""]
    lines.append("help language, help tasks, help syscalls, help json, help differences, help CALL, help COMMAND")
    return "\n".join(lines)


def _call_list(session: Session) -> str:
    have = session.implemented()
    lines, row = [f"{len(have)} system calls:"], "  "
    for name in sorted(have):
        if len(row) + len(name) > 100:
            lines.append(row.rstrip())
            row = "  "
        row += name + "  "
    return "\n".join([*lines, row.rstrip()])


def call_text(session: Session, call: Syscall) -> str:
    """Prototype and number of a system call, and whether the model has it."""
    arguments = ", ".join(_parameter(p.ctype, p.name) for p in call.params)
    have = "" if call.name in session.implemented() else "\nThis kernel is built without it: ENOSYS."
    return f"{call.name}({arguments or 'void'})\n\nsystem call {call.number} (x86-64){have}"


def _parameter(ctype: str, name: str) -> str:
    return f"{ctype}{name}" if ctype.endswith("*") else f"{ctype} {name}"


TOPICS: dict[str, Callable[[Session], str]] = {
    "language": lambda session: LANGUAGE,
    "tasks": lambda session: TASKS,
    "differences": lambda session: DIFFERENCES,
    "json": lambda session: (events.__doc__ or "").strip(),
    "syscalls": _call_list,
}
"""What is neither a command nor a call."""
