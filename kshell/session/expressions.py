"""Expressions over the live kernel objects, as a session means them: evaluated, printed, held."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from kshell.lang.ast import Binary, Node
from kshell.lang.lexer import Source
from kshell.lang.parser import parse_expression
from kshell.lens import names
from kshell.lens.expr import Scope, evaluate, members, struct_name, truth
from kshell.session.commands import CommandError

if TYPE_CHECKING:
    from kshell.linux.include.linux.sched import task_struct
    from kshell.session.session import Session
    from kshell.session.tasks import UserTask

_COMPARISONS = frozenset({"==", "!=", "<", ">", "<=", ">="})
_CONSTANTS = {
    "sk_state": "sk_state",
    "f_flags": "f_flags",
    "i_mode": "i_mode",
    "sk_shutdown": "sk_shutdown",
}
_BY_STRUCT = {
    ("socket", "state"): "socket_state",
    ("socket", "type"): "sock_type",
    ("task_struct", "state"): "task_state",
}
MOST_ITEMS = 8


def scope(session: Session, user: UserTask) -> Scope:
    """What names mean in `user`: `current`, variables, Linux's globals, and helpers such as fd(3)."""
    task = user.task
    buffers = {name: buffer.address for name, buffer in user.buffers.items()}
    helpers = {
        "fd": lambda fd: _file(task, _number(fd)),
        "task": lambda pid: _task(session, _number(pid)),
        "len": _length,
    }
    variables = {**buffers, **session.calls_of_tasks.variables}
    if session.instruments is not None:
        variables |= session.instruments.locals()
    return Scope(
        MappingProxyType({"current": task}), session.kernel, MappingProxyType(variables), MappingProxyType(helpers)
    )


def value(session: Session, node: Node, user: UserTask, text: str = "") -> object:
    """The value of an expression; LangError if it has none."""
    return evaluate(node, scope(session, user), Source(text))


def value_of(session: Session, text: str) -> object:
    """The value of the text of an expression in the current task; LangError if it has none."""
    if not text.strip():
        raise CommandError("an expression is missing", "for example: current->files->next_fd")
    return value(session, parse_expression(text), session.current, text)


def _number(value: object) -> int:
    """An argument of a helper; -1, which nothing has, when it is no number."""
    return value if isinstance(value, int) else -1


def _file(task: task_struct, fd: int) -> object:
    return task.files.fdt.fd[fd] if 0 <= fd < len(task.files.fdt.fd) else None


def _task(session: Session, pid: int) -> object:
    return next((task for task in session.kernel.tasklist if task.pid == pid), None)


def _length(things: object) -> int:
    count = getattr(things, "qlen", None)
    return int(count) if isinstance(count, int) else len(things)  # type: ignore[arg-type]


def printed(found: object) -> str:
    """A value as text; an object as drgn writes it, one field a line."""
    if not _is_object(found):
        return _plain(found)
    head = f"*(struct {struct_name(found)} *){names.describe(found)}"
    lines = [f"\t.{name} = {_field(found, name)}," for name in members(found) if hasattr(found, name)]
    return "\n".join([f"{head} = {{", *lines, "}"])


def _field(owner: object, name: str) -> str:
    found = getattr(owner, name)
    kind = _BY_STRUCT.get((struct_name(owner), name)) or _CONSTANTS.get(name)
    if kind and isinstance(found, int):
        return names.constant(kind, found)
    return _plain(found)


def _plain(found: object) -> str:
    if isinstance(found, (bool, int)):
        return str(int(found))
    if isinstance(found, (list, tuple)):
        inner = ", ".join(_plain(item) for item in found[:MOST_ITEMS])
        more = f", … {len(found) - MOST_ITEMS} more" if len(found) > MOST_ITEMS else ""
        return f"{{ {inner}{more} }}" if found else "{}"
    if isinstance(found, dict):
        return f"({len(found)} entries)"
    if callable(found) and hasattr(found, "__name__"):
        return str(found.__name__)
    if _is_object(found):
        named = names.table(found)
        where = named if not named.startswith("(") else "…"
        return f"(struct {struct_name(found)} *){where}"
    return names.describe(found)


def _is_object(found: object) -> bool:
    return type(found).__module__.startswith("kshell.linux") and not callable(found)


def hold(session: Session, node: Node, user: UserTask, text: str) -> tuple[bool, str]:
    """Whether an expression is true, and what it came to."""
    found = value(session, node, user, text)
    if isinstance(node, Binary) and node.op in _COMPARISONS:
        sides = [_plain(value(session, side, user, text)) for side in (node.left, node.right)]
        return truth(found), f"{sides[0]} {node.op} {sides[1]}"
    return truth(found), _plain(found)


def object_of(session: Session, node: Node, user: UserTask, text: str) -> object:
    """The object an expression gives; CommandError if it is a number."""
    found = value(session, node, user, text)
    if not _is_object(found):
        raise CommandError(f"{text.strip()} is no object: {_plain(found)}", "print shows numbers and strings")
    return found
