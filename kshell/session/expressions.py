"""Expressions over the live kernel objects, as a session means them: evaluated, printed, held."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from kshell.lang.ast import Binary, Member, Name, Node
from kshell.lang.lexer import Source
from kshell.lang.parser import parse_expression
from kshell.lens import fields, names
from kshell.lens.expr import Scope, evaluate, struct_name, truth
from kshell.lens.open_files import open_file
from kshell.lens.style import text_of
from kshell.session.commands import CommandError
from kshell.session.events import Drawing

if TYPE_CHECKING:
    from kshell.lens.drgn import Form
    from kshell.session.session import Session
    from kshell.session.tasks import UserTask

_COMPARISONS = frozenset({"==", "!=", "<", ">", "<=", ">="})
MOST_ITEMS = 8


def scope(session: Session, user: UserTask) -> Scope:
    """What names mean in `user`: `current`, variables, Linux's globals, and helpers such as fd(3)."""
    task = user.task
    buffers = {name: buffer.address for name, buffer in user.buffers.items()}
    helpers = {
        "fd": lambda fd: open_file(task.files, _number(fd)),
        "task": lambda pid: _task(session, _number(pid)),
        "len": _length,
    }
    variables = {**buffers, **session.calls_of_tasks.variables}
    if session.instruments is not None:
        variables |= session.instruments.locals()
    return Scope(
        MappingProxyType({"current": task}), session.kernel, MappingProxyType(variables), MappingProxyType(helpers),
        lambda address, struct: _at(session, address, struct),
    )  # fmt: skip


def value(session: Session, node: Node, user: UserTask, text: str = "") -> object:
    """The value of an expression; LangError if it has none."""
    names = scope(session, user)
    if isinstance(node, Name):  # a word alone may be a command with a mistake in it
        names = names.replace(words=[*session.registry.names(), *session.calls()])
    return evaluate(node, names, Source(text))


def value_of(session: Session, text: str) -> object:
    """The value of the text of an expression in the current task; LangError if it has none."""
    if not text.strip():
        raise CommandError("an expression is missing", "for example: current->files->next_fd")
    return value(session, parse_expression(text), session.current, text)


def _at(session: Session, address: int, struct: str) -> object:
    """The object of that struct at an address; None if the kernel holds none there."""
    from kshell.lens.inventory import inventory

    for thing in inventory({"kernel": session.kernel}):
        if thing.address == address and struct in [cls.__name__ for cls in type(thing.value).__mro__]:
            return thing.value
    return None


def _number(value: object) -> int:
    """An argument of a helper; -1, which nothing has, when it is no number."""
    return value if isinstance(value, int) else -1


def _task(session: Session, pid: int) -> object:
    return next((task for task in session.kernel.tasklist if task.pid == pid), None)


def _length(things: object) -> int:
    count = getattr(things, "qlen", None)
    return int(count) if isinstance(count, int) else len(things)  # type: ignore[arg-type]


def printed(found: object) -> str:
    """A value as text; an object as drgn writes it."""
    from kshell.lens.drgn import printed as lines_of

    return "\n".join(text_of(line) for line in lines_of(found))


def draw(session: Session, node: Node, user: UserTask, text: str, form: Form | None = None) -> object:
    """Print the value of an expression: an object as drgn writes it, a member by the name of its constant."""
    from kshell.lens.drgn import DEFAULT
    from kshell.lens.drgn import printed as lines_of

    found = value(session, node, user, text)
    named = _named(session, node, user, text, found) if form is None else ""
    lines = [[("", named)]] if named else list(lines_of(found, form or DEFAULT))
    if len(lines) == 1:
        session.say(text_of(lines[0]))
    else:
        session.emit(Drawing, lambda style: lines)
    return found


def _named(session: Session, node: Node, user: UserTask, text: str, found: object) -> str:
    """A member whose number has a name, as `TCP_LISTEN (10)`; "" for anything else."""
    if not isinstance(node, Member) or not isinstance(found, int):
        return ""
    shown = fields.text(value(session, node.object, user, text), node.name, found)
    return f"{shown} ({found})" if shown != str(int(found)) else ""


def draw_tree_of(session: Session, found: object) -> None:
    """Print an object with what hangs below it; CommandError if it is none."""
    from kshell.lens.draw import draw_tree
    from kshell.lens.objects import object_node
    from kshell.lens.tree import full_lines

    if not _is_object(found):
        raise CommandError(f"no object: {_plain(found)}", "print without /tree shows numbers and strings")
    lines = full_lines(object_node("", found), session.settings["view"] == "full")
    session.emit(Drawing, lambda style: draw_tree(lines, style))


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


def object_of_text(session: Session, text: str) -> object:
    """The object that the text of an expression gives; CommandError if it is none."""
    return object_of(session, parse_expression(text), session.current, text)
