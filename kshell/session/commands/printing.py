"""Commands that print the kernel's objects: hash tables; `walked` for the lists."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kshell.lens import walk
from kshell.session import expressions
from kshell.session.commands import CommandError, command

if TYPE_CHECKING:
    from kshell.lens.expr import Scope
    from kshell.session.session import Session


def walked(session: Session, text: str) -> str:
    """The elements of a list of the kernel, as `list` prints them; CommandError or LangError if it is none."""
    return _walk(session, text, walk.walk)


def _walk(session: Session, text: str, how: Callable[[Scope, str], list[str]]) -> str:
    try:
        return "\n".join(how(expressions.scope(session, session.current), text))
    except walk.NotWalkable as error:
        raise CommandError(error.message, error.hint) from None


@command("hash TABLE", section="look", completion="expr")
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
