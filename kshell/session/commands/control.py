"""Commands about time, tasks, settings, expectations and the session itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.session import settings
from kshell.session.commands import CommandError, command
from kshell.session.outside import write_text

if TYPE_CHECKING:
    from kshell.session.session import Session

_UNITS = {"ns": 1, "us": 1_000, "µs": 1_000, "ms": 1_000_000, "s": 1_000_000_000, "": 1_000_000_000,
          "min": 60_000_000_000, "m": 60_000_000_000, "h": 3_600_000_000_000}  # fmt: skip
LONGEST_NS = 10 * 365 * 24 * 3600 * 1_000_000_000


def duration(text: str) -> int:
    """Nanoseconds of `2s`, `150ms`, `1.5`, `3min`; CommandError otherwise."""
    number = text.strip().rstrip("".join({letter for unit in _UNITS for letter in unit}))
    unit = text.strip()[len(number) :]
    try:
        nanoseconds = round(float(number) * _UNITS[unit])
    except (ValueError, KeyError, OverflowError):
        raise CommandError(f"{text.strip()!r} is no duration", "write 2s, 150ms, 20us or 3min") from None
    if not 0 <= nanoseconds <= LONGEST_NS:
        raise CommandError(f"{text.strip()!r} is out of range", "from 0 to ten years")
    return nanoseconds


@command("sleep TIME", section="time")
def do_sleep(session: Session, arguments: str) -> None:
    """Let virtual time pass: `sleep 2s`, `sleep 150ms`.

    Timers run and sleepers wake as their time comes. No real time passes.
    """
    if not arguments:
        raise CommandError("sleep wants a duration", "write 2s, 150ms, 20us or 3min")
    session.pass_time(duration(arguments))


@command("wait [TASK]", section="time", completion="task")
def do_wait(session: Session, arguments: str) -> None:
    """Let virtual time pass until a sleeping call comes back.

    `wait` waits for any call, `wait server` for the call of task server. An error if nothing is pending that
    could wake it.
    """
    session.wait(arguments.strip())


@command("interrupt [TASK]", section="time", completion="task")
def do_interrupt(session: Session, arguments: str) -> None:
    """Send SIGINT to a task that sleeps in a call, as Ctrl-C does; the call comes back with EINTR.

    `interrupt` means the current task, `interrupt server` task server. If the task leaves SIGINT at its
    default, it catches the signal just this once, as an interactive program does: a handler without SA_RESTART
    that returns at once. `kill(PID, SIGINT)` from another task is the bare signal: it kills, and pid 1 ignores it.
    """
    from kshell.session.interrupt import interrupt

    name = arguments.strip()
    interrupt(session, session.find_user(name) if name else session.current)


@command("task [NAME|new NAME]", section="time", completion="task")
def do_task(session: Session, arguments: str) -> None:
    """Show the tasks, or choose the one that later commands run in.

    `task` lists them, `task server` switches. A name that is new, here or in `@name call(...)`, makes a task:
    init calls fork(), the child is called by that name and has copies of init's descriptors, as every forked
    process does. `kill`, `exit`, `wait4` and the rest are system calls.
    """
    words = arguments.split()
    if words[:1] == ["new"]:
        words = words[1:] or [session.new_name()]
    if not words:
        session.say(session.task_table())
    elif len(words) > 1:
        raise CommandError("task wants one name")
    else:
        session.choose_task(words[0])


@command("set [NAME VALUE]", section="session", completion="setting")
def do_set(session: Session, arguments: str) -> None:
    """Show or change a setting.

    set                    every setting with its value
    set editing            what a setting does, and what it may be
    set abi x86_64         change it, for this session

    `kshell config` writes a file of them that every session at the prompt begins with.
    """
    words = arguments.replace("=", " ").split()
    if not words:
        session.say("\n".join(settings.rows(session.settings)))
    elif len(words) == 1 and words[0] in settings.BY_NAME:
        setting = settings.BY_NAME[words[0]]
        session.say(f"set {setting.usage()}    (now {session.settings[setting.name]})\n\n{setting.help}")
    elif len(words) != 2:
        raise CommandError("set wants a name and a value", "for example: set abi x86_64")
    else:
        session.set(words[0], words[1])


@command("assert EXPR", section="check", completion="expr")
def do_assert(session: Session, arguments: str) -> None:
    """Hold that an expression over the kernel's objects is true.

    assert current->files->next_fd == 4
    """
    session.hold(arguments)


@command("save FILE", section="session", completion="file")
def do_save(session: Session, arguments: str) -> None:
    """Write the commands of this session to FILE, as a script."""
    name = arguments.strip()
    if not name:
        raise CommandError("save wants a file name")
    write_text(name, session.script())
    session.say(f"wrote {name}")


@command("exit", section="session")
def do_exit(session: Session, arguments: str) -> None:
    """Leave kshell (`exit(0)` with parentheses is the system call)."""
    session.ended = True


@command("quit", section="session")
def do_quit(session: Session, arguments: str) -> None:
    """Leave kshell."""
    session.ended = True
