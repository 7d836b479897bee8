"""Kernel modules: modprobe, rmmod, lsmod, through the system calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kshell.session.commands import CommandError, command
from kshell.session.commands.looking import columns
from kshell.userland.modules import insert, loaded, remove
from kshell.userland.runtime import ProgramError

if TYPE_CHECKING:
    from kshell.session.session import Session


@command("modprobe NAME", section="modules", completion="module")
def do_modprobe(session: Session, arguments: str) -> None:
    """Load a module: its image is given to init_module()."""
    _change(session, "modprobe", arguments)


@command("rmmod NAME", section="modules", completion="module")
def do_rmmod(session: Session, arguments: str) -> None:
    """Remove a module by delete_module(); EWOULDBLOCK while it is in use."""
    _change(session, "rmmod", arguments)


def _change(session: Session, what: str, arguments: str) -> None:
    name = arguments.strip()
    if not name:
        raise CommandError(f"{what} wants the name of a module", "lsmod lists the loaded ones")
    try:
        (insert if what == "modprobe" else remove)(session.process(), name)
    except ProgramError as error:
        raise CommandError(f"{what}: {error}") from None


@command("lsmod", section="modules")
def do_lsmod(session: Session, arguments: str) -> None:
    """List the loaded modules with their reference counts."""
    rows = [("MODULE", "USED BY"), *((name, str(count)) for name, count in loaded(session.kernel))]
    session.say(columns(rows) if len(rows) > 1 else "no modules are loaded")
