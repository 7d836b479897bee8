"""Commands that look at the machine and change nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kshell.lens import names, objects
from kshell.lens.draw import draw_tree
from kshell.lens.open_files import open_files
from kshell.lens.text import cells, one_line, pad
from kshell.lens.tree import full_lines
from kshell.linux.fs.proc.array import get_task_state
from kshell.linux.include.linux.fdtable import close_on_exec
from kshell.session.commands import CommandError, command
from kshell.session.descriptors import descriptor_of
from kshell.session.events import Drawing
from kshell.session.expressions import printed

if TYPE_CHECKING:
    from kshell.linux.include.linux.sched import task_struct
    from kshell.session.session import Session


@command("show [fd N|task NAME|STRUCT N|EXPR]", section="look", completion="object")
def do_show(session: Session, arguments: str) -> None:
    """Show kernel objects as a tree, from the task down.

    show           the current task and its descriptors
    show fd 3      a descriptor: file, inode, socket, sock, with their queues
    show sock 3    the sock behind a descriptor; so also file, inode, socket, dentry, pipe_inode_info …
    show task N    another task, by name or pid
    show EXPR      the object that a C expression gives

    The trees after calls are the same, with signs: + new, ~ changed (old → new), - freed, … not shown.
    `set view full` shows every field.
    """
    node = _shown_node(session, arguments.split(), arguments)
    if not node.spec.names and not node.children:
        session.say(printed(node.value))
        return
    lines = full_lines(node, session.settings["view"] == "full")
    session.emit(Drawing, lambda style: draw_tree(lines, style))


def _shown_node(session: Session, words: list[str], arguments: str) -> objects.Node:
    if not words or words == ["all"]:
        return objects.object_node("", session.task)
    if words[0] == "task" and len(words) == 2:
        return objects.object_node("", session.find_task(words[1]))
    if len(words) <= 2 and words[0] == "fd" and (len(words) == 1 or not session.is_number(words[1])):
        what = f"'{words[1]}' is no descriptor" if len(words) == 2 else "show fd wants a descriptor"
        raise CommandError(what, "for example: show fd 3; fds lists the open ones")
    if len(words) == 2 and words[0].isidentifier() and session.is_number(words[1]):
        return _of_descriptor(session, words[0], words[1])
    return objects.object_node("", session.evaluate(arguments))


def _of_descriptor(session: Session, what: str, word: str) -> objects.Node:
    fd, file = descriptor_of(session, word)
    node = objects.object_node(f"fd_array[{fd}]", file)
    wanted = {"fd": "file"}.get(what, what)
    for below in node.walk():
        if below.struct == wanted or (wanted == "sock" and below.edge == "sk"):
            return below
    there = dict.fromkeys(below.struct for below in node.walk())
    raise CommandError(f"descriptor {fd} has no {what}", f"it has: {', '.join(there)}")


@command("ps", section="look")
def do_ps(session: Session, arguments: str) -> None:
    """List the tasks: pid, parent, state, where a sleeper sleeps, name.

    STATE as in /proc/PID/stat: R running (it waits for commands), S sleeping, D uninterruptibly, I idle (a kernel
    worker), T stopped, Z zombie. WCHAN is the function of /proc/PID/wchan; `stack` shows how the task got there.
    """
    rows: list[tuple[str, ...]] = [("PID", "PPID", "STATE", "WCHAN", "TASK", "COMM")]
    for task in session.kernel.tasklist:
        rows.append(_task_row(session, task))
    session.say(columns(rows))


def _task_row(session: Session, task: task_struct) -> tuple[str, ...]:
    parent = getattr(task, "real_parent", None)
    state = get_task_state(task)[0]
    name = session.name_of(task) or "-"
    wchan = session.wchan(task) or "-"
    return (
        str(task.pid),
        str(parent.pid if parent else 0),
        state,
        wchan,
        name,
        task.comm,
    )


@command("fds [TASK]", section="look", completion="task")
def do_fds(session: Session, arguments: str) -> None:
    """List the open descriptors of a task, with what they are."""
    task = session.find_task(arguments.strip()) if arguments.strip() else session.task
    rows = [("FD", "OPERATIONS", "FLAGS", "WHAT")]
    for fd, file in open_files(task.files):
        cloexec = "|O_CLOEXEC" if close_on_exec(fd, task.files.fdt) else ""
        flags = names.file_flags(getattr(file, "f_flags", 0)) + cloexec
        rows.append((str(fd), names.table(getattr(file, "f_op", None)), flags, what_is(file)))
    session.say(columns(rows) if len(rows) > 1 else "no open descriptors")


_ENDS = (("inet_rcv_saddr", "inet_num"), ("inet_daddr", "inet_dport"))


def what_is(file: object) -> str:
    """A descriptor in a few words: its path, or the socket's type, state and addresses."""
    node = objects.object_node("", file)
    sk = next((below for below in node.walk() if below.edge == "sk"), None)
    path = names.path_of(file)
    if sk is None:
        return path
    fields = sk.fields
    ends = [f"{fields[a]}:{fields[p]}" for a, p in _ENDS if a in fields and fields.get(p, "0") != "0"]
    state = fields.get("sk_state", "")
    return " ".join([path, sk.struct, state, *ends, fields.get("addr", "")]).rstrip()


@command("dmesg", section="look")
def do_dmesg(session: Session, arguments: str) -> None:
    """Show the kernel log."""
    session.say("\n".join(log_lines(session)))


def log_lines(session: Session) -> list[str]:
    """The kernel log with its time stamps."""
    return [f"[{when // 1_000_000_000:5}.{when // 1000 % 1_000_000:06}] {text}"
            for when, level, text in session.kernel.log_buf]  # fmt: skip


@command("slab [NAME]", section="look")
def do_slab(session: Session, arguments: str) -> None:
    """List the slab caches in use, with their objects.

    `slab TCP` shows one.
    """
    rows = [("CACHE", "ACTIVE", "SIZE")]
    for cache in session.kernel.slab_caches:
        active = session.slab_count(cache)
        if (active and not arguments) or cache.name == arguments.strip():
            rows.append((cache.name, str(active), str(cache.object_size)))
    if len(rows) == 1:
        raise CommandError(f"there is no slab cache {arguments.strip()!r}")
    session.say(columns(rows))


def columns(rows: Sequence[tuple[str, ...]]) -> str:
    """Rows as aligned columns; names with control characters or wide text don't disturb them."""
    shown = [[one_line(cell) for cell in row] for row in rows]
    widths = [max(cells(row[i]) for row in shown) for i in range(len(rows[0]))]
    return "\n".join("  ".join(pad(cell, w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in shown)
