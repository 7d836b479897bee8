"""Commands that print the kernel's objects: values, layouts of structs, hash tables; `walked` for the lists."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from kshell.lang.nearest import nearest
from kshell.lang.parser import parse_expression
from kshell.lens import layouts, walk
from kshell.lens.drgn import Form
from kshell.lens.expr import members, struct_name
from kshell.session import expressions
from kshell.session.commands import CommandError, command
from kshell.session.events import Drawing

if TYPE_CHECKING:
    from kshell.lens.expr import Scope
    from kshell.session.session import Session


FORMS: Final = ("full", "x", "tree")
_SELECTED: Final = re.compile(r"(?:\s+\.\w+(?:\.\w+)*)+\s*$")


@command("print [/full|/x|/tree] EXPR [.MEMBER ...]", section="look", completion="expr")
def do_print(session: Session, arguments: str) -> None:
    """Print a C expression over the live kernel objects, in drgn's notation.

    print current->files->fd_array[3]->private_data
    print sizeof(struct socket_alloc)
    print SOCKET_I(inode)->sk->sk_state
    print fd(3)->private_data .state .type    these members only
    print *(struct sock *)0xffff888003a59000  what stands at an address that a tree shows
    print/full EXPR    members that are 0 too, and those that the model does not keep
    print/x EXPR       numbers in hexadecimal
    print/tree EXPR    the object with what hangs below it

    An expression alone is printed too. A member reads as in C: type, name, value; embedded structs stand inside.
    """
    forms, text = _forms(arguments)
    selected = _SELECTED.search(text)
    only = [name.lstrip(".") for name in selected.group().split()] if selected else []
    text = text[: selected.start()] if selected else text
    if not text.strip():
        raise CommandError("print wants an expression", "for example: print current->pid")
    node = parse_expression(text)
    if only:
        _hold_members(expressions.value_of(session, text), only)
    if "tree" in forms:
        expressions.draw_tree_of(session, expressions.value_of(session, text))
    else:
        form = Form("full" in forms, "x" in forms, only) if forms or only else None
        expressions.draw(session, node, session.current, text, form)


def _forms(arguments: str) -> tuple[list[str], str]:
    """The forms behind `print/`, and what stands behind them."""
    forms: list[str] = []
    while arguments.startswith("/"):
        word, _, arguments = arguments[1:].partition(" ")
        forms += [name for name in re.split("/", word) if name]
        arguments = arguments.lstrip()
    unknown = next((name for name in forms if name not in FORMS), "")
    if unknown:
        near = nearest(unknown, FORMS)
        raise CommandError(f"print has no form /{unknown}", f"did you mean /{near}?" if near else "/full, /x, /tree")
    return forms, arguments


def _hold_members(value: object, only: list[str]) -> None:
    """That an object has the members that are asked for."""
    for name in only:
        layout = layouts.layout(struct_name(value))
        if not hasattr(value, name) and (layout is None or layout.find(name) is None):
            known = layout.names() if layout is not None else members(value)
            near = nearest(name, known)
            raise CommandError(f"there is no member {name}", f"did you mean .{near}?" if near else "")


@command("ptype struct NAME|EXPR", section="look", completion="struct")
def do_ptype(session: Session, arguments: str) -> None:
    """Show the layout of a struct as Linux 6.1 has it: types, offsets and sizes in bytes, padding.

    ptype struct socket
    ptype fd(3)->private_data    the struct that an expression gives

    Members that the model does not keep are marked with a minus sign.
    """
    from kshell.lens.ptype import ptype

    name = arguments.strip().rstrip("*; ")
    if name.startswith(("struct ", "union ")):
        name = name.split(None, 1)[1].strip()
    elif layouts.layout(name) is None and name:
        name = struct_name(expressions.value_of(session, arguments))
    layout = layouts.layout(name)
    if layout is None:
        near = nearest(name, layouts.names())
        hint = f"did you mean struct {near}?" if near else "for example: ptype struct sock"
        raise CommandError(f"no layout of struct '{name}' is recorded" if name else "ptype wants a struct", hint)
    lines = list(ptype(layout))
    session.emit(Drawing, lambda style: lines)


def walked(session: Session, text: str) -> str:
    """The elements of a list of the kernel, as `list` prints them; CommandError or LangError if it is none."""
    return _walk(session, text, walk.walk)


def _walk(session: Session, text: str, how: Callable[[Scope, str], list[str]]) -> str:
    try:
        return "\n".join(how(expressions.scope(session, session.current), text))
    except walk.NotWalkable as error:
        raise CommandError(error.message, error.hint) from None


@command("hash TABLE", section="look", completion="hash")
def do_hash(session: Session, arguments: str) -> None:
    """Walk a hash table of the kernel: every bucket that holds something, with its chain.

    hash tcp_hashinfo.ehash    the sockets that segments find: connected, half open, in TIME_WAIT
    hash bhash                 the ports that are bound, with their owners (tcp_hashinfo.bhash)
    hash listening             the listeners (tcp_hashinfo.lhash2)
    hash udp_table             UDP sockets by port; also udp_hash2, raw
    hash unix                  AF_UNIX sockets; also unix_bsd: those with a path, by inode
    hash dentry                the dentry cache: parent and name → dentry
    """
    if not arguments.strip():
        raise CommandError("hash wants a table", f"there are: {', '.join(walk.HASHES)}")
    session.say(_walk(session, arguments, walk.walk_hash))
