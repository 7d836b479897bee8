"""`help` and its topics."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from typing import TYPE_CHECKING

from kshell.session import events, settings
from kshell.session.commands import SECTIONS, Command, CommandError, command
from kshell.session.paragraphs import filled

if TYPE_CHECKING:
    from kshell.session.session import Session


OVERVIEW = """\
Type a system call, as in C, and see what the kernel does for it:
  fd = socket(AF_INET, SOCK_STREAM, 0)
  write(fd, "hi", 2)

  why                 why the last call failed, or sleeps, and what to do next
  show fd 3           the objects behind a descriptor; fds, ps, packets: lists
  graph fd 3          a figure of them
  trace last          every function that the last call ran through
  print EXPR          any object of the kernel, as C names it
  undo, goto 3        back and forth; history, diff, branch
  break FUNCTION      stop inside the kernel, as gdb does
  @server CALL        a call in another task; sleep 2s: time passes
  host, link          networks of several hosts; ip, ss, ping, nc as on Linux

help commands lists all commands, help language says what else can be typed;
help CALL (help socket), ERROR (help EPIPE), CONSTANT, struct, setting;
help tasks, syscalls, sysctls, errors, differences; man CALL: a manual page.

Tab completes, ? behind a word explains it, Ctrl-D or exit leaves."""

LANGUAGE = """\
One line is one of: a system call, an assignment from one, a command, an expression, a comment (# or //).

  fd = socket(AF_INET, SOCK_STREAM, 0)      a system call, as in C
  bind(fd, {AF_INET, 80, "127.0.0.1"}, 16)  the short form of an address
  write(fd, "hi", 2) = 2                    with what it must give
  close(99) = -1 EBADF                      an error that must come
  read(fd, ..., 64)                         kshell supplies the buffer
  read(fd, buf, 64)                         the same, the buffer has a name
  read(fd, 0x1, 64)                         bad pointers are welcome: EFAULT
  syscall(41, 2, 1, 0)                      by number, raw registers
  @server accept(3, NULL, NULL)             in another task: help tasks
  current->files->next_fd                   an expression over the kernel's
                                            objects, printed
  assert current->files->next_fd == 4       one that must be true
  sleep 2s                                  virtual time passes

Calls may be written as strace prints them, results included, so that lines of its logs are commands:

  bind(3, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("127.0.0.1")}, 16) = 0
  socketcall(SYS_SOCKET, [AF_INET, SOCK_STREAM, 0]) = 3

A command may go on over several lines while a bracket or quote is open."""

TASKS = """\
Commands run in a task. The first is init (pid 1). `@name call(...)` runs one call in task `name`,
`task name` makes all later commands run there. A new name makes a new task: init calls fork(), so
the task has copies of the descriptors that init has at that moment, and `ps` shows it as init's
child.

A call that sleeps (accept with no client, read with no data) parks: its task sleeps, the others go
on. When something wakes it, its result comes as an event, as strace's `<... accept resumed>`.

A call for a task that still sleeps first lets the machine run, and virtual time pass if a timer is
pending that can wake it; else the call waits, and is made when its task comes back. So the order in
which the tasks of a script stand does not matter. `interrupt` (Ctrl-C at the prompt) sends a
sleeping task SIGINT, so that its call comes back with EINTR.

Time: after each command everything runs that can run without time passing. If then every task
sleeps, and the sleep of this command's call ends by its own timeout (nanosleep, poll with a
timeout, SO_RCVTIMEO, connect with its SYN retransmissions), time jumps to the end. `sleep 2s` and
`wait` let time pass."""

DIFFERENCES = """\
What differs from Linux 6.1:

  processor    one, never preempted: a call runs until it sleeps or ends
  time         virtual: it passes while every task sleeps, and by `sleep` and `wait`; no call takes any
  programs     none: what is typed is the program. execve() renames the task, no code is loaded; a
               signal handler is told of as an event and returns at once
  memory       never short; pages are not swapped, and files are copied when they are mapped
  files        tmpfs, proc, sysfs, pipes, sockets; no disks
  devices      loopback, Ethernet cards and bridges between hosts (`help host`), a few of /dev
  security     users, capabilities, permissions; no security module, no seccomp, no keyrings
  random       from the session's seed, so that the same commands give the same bytes

`help syscalls` tells of each system call whether it is there, and what of it is left out; `help NAME`
of a call that is left out says what does the same."""


@command("help [TOPIC]", section="help", completion="topic")
def do_help(session: Session, arguments: str) -> None:
    """Explain a command, a system call, an error, a constant, a struct, a setting or a topic.

    help bind               a system call: arguments, errors with what raises them, the functions on its path
    help bind EADDRINUSE    an error of a call, with an example that gives it
    help EADDRINUSE         an error: which calls give it
    help SOCK_STREAM        a constant; help sockaddr_in, a struct; help abi, a setting
    help net.ipv4.tcp_ecn   a setting of the kernel, and whether it changes anything here
    help syscalls           which system calls are there

    Topics: commands, language, tasks, syscalls, sysctls, errors, json, differences. `man bind` is the long form.
    """
    session.emit(events.Prose, help_text(session, arguments.strip().rstrip("()")))


@command("man CALL", section="help", completion="topic")
def do_man(session: Session, arguments: str) -> None:
    """Show the manual page of a system call: every error with an example that gives it.

    man bind    what help bind says, at length; pages of everything else are those of help
    """
    topic = arguments.strip().removeprefix("2 ").rstrip("()")
    if not topic:
        raise CommandError("what manual page do you want?", "for example: man bind")
    from kshell.session.manual import page
    from kshell.session.manual.text import call_man

    found = page(topic)
    session.emit(events.Prose, call_man(found) if found else help_text(session, topic))


def help_text(session: Session, topic: str) -> str:
    """The text for a topic; CommandError with the nearest names if there is none."""
    if not topic:
        return OVERVIEW
    fixed = TOPICS.get(topic)
    if fixed is not None:
        return fixed(session)
    entry = session.registry.get(topic)
    if entry is not None:
        return f"{entry.usage}\n\n{entry.help}{_namesake(session, topic)}"
    found = next((text for source in SOURCES if (text := source(session, topic))), "")
    if found:
        return found
    near = get_close_matches(topic, _known(session), 3)
    raise CommandError(f"there is no help on {topic!r}", f"nearest: {', '.join(near)}" if near else "try: help")


def _namesake(session: Session, topic: str) -> str:
    """Where the system call is explained that has a command's name."""
    return f"\n\nThere is a system call of this name too: man {topic}" if topic in session.calls() else ""


def _known(session: Session) -> list[str]:
    from kshell.abi import structs
    from kshell.abi.names import all_constants
    from kshell.session.debugger import OWN
    from kshell.session.manual.sysctls import sysctl_names

    constants = (name for name, _ in all_constants())
    named = (*TOPICS, *OWN, *session.registry.names(), *session.calls(), *settings.BY_NAME, *structs.names())
    return list(dict.fromkeys([*named, *constants, *sysctl_names(session.kernel)]))


def commands_text(session: Session) -> str:
    """All commands by section."""
    lines = []
    for section, title in SECTIONS.items():
        entries = [entry for entry in session.registry if entry.section == section]
        if entries:
            lines += [title, *(line for entry in entries for line in _entry(entry)), ""]
    return "\n".join([*lines, "help COMMAND says more of one."])


def _entry(entry: Command) -> list[str]:
    head = f"  {entry.name:10} "
    return filled(entry.summary, head)


def _call_list(session: Session) -> str:
    from kshell.session.manual.support import support_text

    return support_text(session.implemented())


def _error_list(session: Session) -> str:
    from kshell.session.manual.errnos import errors_text

    return errors_text()


def _call_text(session: Session, topic: str) -> str:
    """A system call, or an error of one: `bind`, `bind EADDRINUSE`."""
    from kshell.abi.syscalls import I386_BY_NAME, signature
    from kshell.session.manual import page
    from kshell.session.manual.text import absent_help, call_help, error_help

    name, _, errno = topic.partition(" ")
    found = page(name)
    if found is not None:
        return error_help(found, errno.strip().upper()) if errno else call_help(found)
    call = signature(name) or I386_BY_NAME.get(name)
    return absent_help(call) if call is not None and not errno else ""


def _setting_text(session: Session, topic: str) -> str:
    setting = settings.BY_NAME.get(topic)
    return f"set {setting.usage()}\n\n{setting.help}" if setting else ""


def _sysctl_text(session: Session, topic: str) -> str:
    from kshell.session.manual.sysctls import sysctl_help

    return sysctl_help(session.kernel, topic)


def _sysctls(session: Session) -> str:
    from kshell.session.manual.sysctls import sysctls_text

    return sysctls_text(session.kernel)


def _errno_text(session: Session, topic: str) -> str:
    from kshell.session.manual.errnos import errno_text

    return errno_text(topic)


def _constant_text(session: Session, topic: str) -> str:
    from kshell.session.manual.constants import constant_text

    return constant_text(topic)


def _struct_text(session: Session, topic: str) -> str:
    from kshell.session.manual.structs import struct_text

    return struct_text(topic)


def _kernel_struct_text(session: Session, topic: str) -> str:
    from kshell.lens import layouts

    name = topic.removeprefix("struct ").strip()
    found = layouts.layout(name)
    if found is None:
        return ""
    return (f"struct {name}: a struct of the kernel, {layouts.sizeof(name)} bytes.\n\n"
            f"ptype struct {name} shows its members with their types and offsets, print EXPR one such object,\n"
            f"for example print current->files->fdt->fd[0]; show sock 3 one behind a descriptor.")  # fmt: skip


def _variable_text(session: Session, topic: str) -> str:
    from kshell.session.explaining import value_told

    return value_told(session, topic) if topic in session.calls_of_tasks.variables else ""


def _debugger_text(session: Session, topic: str) -> str:
    from kshell.session.debugger import ALIASES, HELP, OWN

    if ALIASES.get(topic, topic) not in OWN:
        return ""
    return f"For a stop of the kernel, which `break FUNCTION` makes:\n{HELP.partition(chr(10))[2]}"


SOURCES: tuple[Callable[[Session, str], str], ...] = (
    _call_text, _setting_text, _errno_text, _constant_text, _struct_text, _kernel_struct_text, _variable_text, _sysctl_text,
    _debugger_text,
)  # fmt: skip
"""Who may know a topic, in this order; each gives "" if it does not."""

TOPICS: dict[str, Callable[[Session], str]] = {
    "commands": commands_text,
    "language": lambda session: LANGUAGE,
    "tasks": lambda session: TASKS,
    "differences": lambda session: DIFFERENCES,
    "json": lambda session: (events.__doc__ or "").strip(),
    "syscalls": _call_list,
    "errors": _error_list,
    "sysctls": _sysctls,
}
"""What is neither a command nor a call."""
