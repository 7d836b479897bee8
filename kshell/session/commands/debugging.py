"""Breakpoints and watchpoints: `break`, `tbreak`, `watch`, `delete`, `info`, `run`. At a stop: kshell.session.debugger."""

from __future__ import annotations

import re
from collections.abc import Callable
from types import FunctionType
from typing import TYPE_CHECKING, Final

from kshell.lang.ast import Member, Name, Node
from kshell.lang.nearest import nearest
from kshell.lang.parser import parse_expression
from kshell.lens import fields
from kshell.lens.debug.debugger import named
from kshell.lens.debug.points import Breakpoint, Watchpoint
from kshell.lens.expr import Scope, evaluate
from kshell.lens.linux_files import linux_file
from kshell.lens.trace_twins import kernel_functions
from kshell.session import expressions
from kshell.session.commands import CommandError, command
from kshell.session.debugger import info_points
from kshell.session.descriptors import descriptor_of
from kshell.session.instruments import instruments_of

if TYPE_CHECKING:
    from kshell.session.session import Session

_BREAK: Final = re.compile(r"(?P<name>[\w.:/]+?)(\(\))?(\s+task\s+(?P<task>[\w-]+))?(\s+if\b\s*(?P<condition>.*))?", re.S)


def functions_by_name() -> dict[str, list[FunctionType]]:
    """Every kernel function, by name."""
    found: dict[str, list[FunctionType]] = {}
    for function in kernel_functions():
        found.setdefault(function.__name__, []).append(function)
    return found


def functions_named(name: str) -> tuple[FunctionType, ...]:
    """The kernel functions of a name; CommandError with the nearest names if there is none."""
    known = functions_by_name()
    found = named(known, name)
    if not found:
        near = nearest(name, sorted(known))
        raise CommandError(f"the kernel has no function {name!r}", f"did you mean {near}?" if near else "")
    return found


@command("break FUNCTION [task NAME] [if EXPR]", section="debug", completion="function")
def do_break(session: Session, arguments: str) -> None:
    """Stop the kernel whenever it comes to a function.

    break tcp_v4_connect
    break connect                          the system call itself, sys_connect
    break tcp_v4_rcv task server           only while task server runs
    break tcp_set_state if state == 7      only if that is true of its arguments

    At the stop: bt, info args, info locals, p EXPR, list, step, next, finish,
    until, up, down, continue; undo takes the whole call back (help lists them
    there). It stops in softirqs, timers, calls that sleep, and on other hosts.
    What is typed at a stop is no part of the session. In a script, the lines
    behind the call that stops are the debugger's, up to `continue`.
    """
    _set_break(session, arguments, once=False)


@command("tbreak FUNCTION [task NAME] [if EXPR]", section="debug", completion="function")
def do_tbreak(session: Session, arguments: str) -> None:
    """Stop the kernel once, the next time that it comes to a function; else as `break`."""
    _set_break(session, arguments, once=True)


def _set_break(session: Session, arguments: str, once: bool) -> None:
    match = _BREAK.fullmatch(arguments.strip())
    if match is None:
        raise _no_breakpoint(arguments.strip())
    condition = (match["condition"] or "").strip()
    if match["condition"] is not None:
        if not condition:
            raise CommandError("the condition is missing", "break tcp_set_state if state == 7")
        parse_expression(condition)
    debugger = instruments_of(session).debugging()
    point = Breakpoint(debugger.points.number(), functions_named(match["name"]), condition, match["task"] or "", once)
    debugger.points.add(point)
    debugger.debugger.again()
    kind = "Temporary breakpoint" if once else "Breakpoint"
    places = ", ".join(linux_file(function) for function in point.functions)
    session.say("\n".join([f"{kind} {point.number} at {point.text}(), {places}", *(f"  {d}" for d in point.details())]))


def _no_breakpoint(arguments: str) -> CommandError:
    """What is wrong where a breakpoint cannot be read: no function is named, or something stands behind it."""
    example = "break tcp_v4_connect, break tcp_v4_rcv task server if skb->len > 40"
    name, _, rest = arguments.partition(" ")
    if _BREAK.fullmatch(name) is None:
        return CommandError("break wants a function", example)
    functions_named(name.removesuffix("()"))
    return CommandError(f"after the function comes task NAME or if EXPR, not {rest.strip()!r}", example)


@command("watch EXPR|fd N FIELD", section="debug", completion="expr")
def do_watch(session: Session, arguments: str) -> None:
    """Stop the kernel when a value changes, and say which function changed it.

    watch fd 3 sk_state             a field of what is behind a descriptor:
                                    file, inode, socket or sock
    watch current->files->next_fd   any expression; at a stop, over the locals
                                    of the function too
    """
    if not arguments.strip():
        raise CommandError("watch wants an expression", "watch fd 3 sk_state, watch current->files->next_fd")
    debugger = instruments_of(session).debugging()
    words = arguments.split()
    if words[0] == "fd" and len(words) == 3:
        read = _descriptor_field(session, words[1], words[2])
    else:
        read = _expression(session, arguments.strip())
    point = Watchpoint(debugger.points.number(), " ".join(words), read)
    debugger.points.add(point)
    debugger.debugger.again()
    session.say(f"Watchpoint {point.number}: {point.text}   (now {point.shown})")


Read = Callable[[], tuple[object, str]]


def _descriptor_field(session: Session, word: str, field: str) -> Read:
    fd, file = descriptor_of(session, word)
    socket = getattr(file, "private_data", None)
    for owner in (getattr(socket, "sk", None), socket, file, getattr(file, "f_inode", None)):
        if owner is not None and hasattr(owner, field) and not field.startswith("_"):
            return _field_of(owner, field)
    raise CommandError(f"nothing behind descriptor {fd} has a field {field!r}", f"show fd {fd} shows what there is")


def _field_of(owner: object, field: str) -> Read:
    def read() -> tuple[object, str]:
        value = getattr(owner, field)
        return _comparable(value), fields.text(owner, field, value)

    return read


def _expression(session: Session, text: str) -> Read:
    """Reads an expression with the variables that it has now: a local stays what it is after its function's end."""
    node = parse_expression(text)
    scope = expressions.scope(session, session.current)
    if isinstance(node, Member):
        owner = evaluate(node.object, scope)
        if _is_fixed(node.object, scope) and hasattr(owner, node.name):
            return _field_of(owner, node.name)

    def read() -> tuple[object, str]:
        value = evaluate(node, scope)
        if isinstance(node, Member) and isinstance(value, int):
            return value, fields.text(evaluate(node.object, scope), node.name, value)
        return _comparable(value), expressions.printed(value).split("\n", 1)[0]

    read()
    return read


def _is_fixed(node: Node, scope: Scope) -> bool:
    """Whether an expression is a variable, which names one object."""
    return isinstance(node, Name) and (node.name in scope.variables or node.name in scope.roots)


def _comparable(value: object) -> object:
    """What tells one value from a later one: the elements of a list, the identity of an object."""
    if isinstance(value, (int, str, bytes, type(None))):
        return value
    if isinstance(value, (list, tuple)):
        return tuple(id(item) for item in value)
    if isinstance(value, (bytearray, dict, set)):
        return len(value), bytes(value) if isinstance(value, bytearray) else None
    return id(value)


@command("delete [N...]", section="debug", completion="breakpoint")
def do_delete(session: Session, arguments: str) -> None:
    """Delete breakpoints and watchpoints by number; without one, all."""
    debugger = instruments_of(session).debugging()
    points = debugger.points.all
    words = arguments.split()
    for word in words:
        if not word.isdecimal() or int(word) not in points:
            raise CommandError(f"there is no breakpoint {word}", "info breakpoints lists them")
    gone = [int(word) for word in words] or list(points)
    for number in dict.fromkeys(gone):
        del points[number]
    debugger.debugger.again()
    session.say(f"deleted {', '.join(map(str, gone))}" if gone else "there are no breakpoints")


@command("info breakpoints", section="debug", completion="info")
def do_info(session: Session, arguments: str) -> None:
    """List breakpoints and watchpoints, with how often each was hit.

    At a stop: info args, info locals, info frame.
    """
    word = arguments.strip() or "breakpoints"
    if any(topic.startswith(word) for topic in ("args", "locals", "frame")):
        raise CommandError(f"info {word} is for a stop", "info breakpoints; break FUNCTION makes the kernel stop")
    if not ("breakpoints".startswith(word) or "watchpoints".startswith(word)):
        raise CommandError(f"info knows nothing of {word!r}", "info breakpoints; at a stop also info args, locals, frame")
    session.say(info_points(instruments_of(session).debugging()))


@command("run CALL", section="debug", completion="call")
def do_run(session: Session, arguments: str) -> None:
    """Make a call, as typing it alone does: gdb's name for it."""
    if not arguments.strip():
        raise CommandError("run wants a call", 'run connect(fd, {AF_INET, 8080, "127.0.0.1"}, 16)')
    before = max(0, session.place()[0].find(arguments))
    session.calls_of_tasks.execute(" " * before + arguments)  # errors have their column in the whole line
